/**
 * Who may call what: Kitex's ACL (`WithACLRules`, `pkg/acl`). Whoever may not gets code 7, on PingPong calls exception
 * 6, with `request forbidden: <reason>`, and the reason `Forbidden`.
 *
 * @since 0.1.0
 */
import * as Admission from "@millrace/rpc/Admission"
import * as Middleware from "@millrace/rpc/Middleware"
import * as RpcError from "@millrace/rpc/RpcError"
import type { RpcInfo } from "@millrace/rpc/RpcInfo"
import * as Effect from "effect/Effect"

/**
 * A rule of a server, or of a client: a plain function that gives the reason why a call is forbidden, undefined for one
 * that is not. It runs before anything of the call is done.
 *
 * **Example** (One method is for one caller)
 *
 * ```ts
 * import { Acl } from "@millrace/governance"
 *
 * const rule = Acl.admission(({ info }) =>
 *   info.method === "Delete" && info.caller !== "admin" ? "Delete is for admin alone" : undefined
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const admission = (rule: (request: Admission.AdmissionRequest) => string | undefined): Admission.Admission => {
  let last: RpcError.RpcError | undefined
  let lastReason: string | undefined
  return Admission.make((request) => {
    const reason = rule(request)
    if (reason === undefined) return admitted
    // Most rules have one reason, and whoever may not call should cost little.
    if (last === undefined || reason !== lastReason) {
      last = forbidden(reason)
      lastReason = reason
    }
    return last
  })
}

/**
 * A rule that is an effect, as a middleware of a server or a client. Last in the list of a client it is at Kitex's
 * place: behind all other middleware, before an instance is chosen.
 *
 * **Example** (A rule that asks somebody)
 *
 * ```ts
 * import { Acl } from "@millrace/governance"
 * import { Context, Effect } from "effect"
 *
 * class Directory extends Context.Service<Directory, {
 *   readonly mayCall: (caller: string, method: string) => Effect.Effect<boolean>
 * }>()("app/Directory") {}
 *
 * const middleware = [
 *   Acl.middleware((info) =>
 *     Effect.map(
 *       Directory.use((directory) => directory.mayCall(info.caller, info.method)),
 *       (may) => (may ? undefined : `${info.caller} may not call ${info.method}`)
 *     )
 *   )
 * ]
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const middleware = <R = never>(
  rule: (info: RpcInfo) => Effect.Effect<string | undefined, never, R>
): Middleware.Builder<R> => {
  const refuse = (reason: string | undefined) => (reason === undefined ? Effect.void : Effect.fail(forbidden(reason)))
  const checked = (info: RpcInfo) =>
    Effect.flatMap(
      Effect.suspend(() => rule(info)),
      refuse
    )
  return Middleware.builder<R>(() => [
    Middleware.client((next, info) => Effect.andThen(checked(info), next)),
    Middleware.server((next, info) => Effect.andThen(checked(info), next))
  ])
}

const admitted = (): void => {}

const forbidden = (reason: string): RpcError.RpcError =>
  new RpcError.RpcError({
    code: 7,
    desc: `request forbidden: ${reason}`,
    reason: new RpcError.Forbidden()
  })
