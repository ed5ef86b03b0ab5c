/**
 * Middleware for one method of single messages. It sees request and response; what stands around it passes result structs.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { CallError } from "../ClientStream.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import type * as Service from "../Service.ts"
import { type CallBody, requestOf, withRequest } from "./callBody.ts"
import { isOf, named, type OneMethod } from "./oneMethod.ts"
import { answerIn, exceptionName, noResult, type Result, resultOf } from "./plan.ts"

type Wrap = (
  next: (request: unknown) => Effect.Effect<unknown, unknown>,
  request: unknown,
  info: RpcInfo
) => Effect.Effect<unknown, unknown, unknown>

type Wrapped = (
  next: Effect.Effect<Result, CallError>,
  info: RpcInfo,
  body: CallBody
) => Effect.Effect<Result, CallError>

// What a middleware requires is in the context: its type asked for it.
const around =
  (one: OneMethod, wrap: Wrap): Wrapped =>
  (next, info, body) => {
    if (!isOf(body.called, one)) return next
    const { method } = one
    const answer = Effect.flatMap(next, (result) => answerIn(Object.keys(method.exceptions), result))
    const inner = (request: unknown): Effect.Effect<unknown, unknown> => withRequest(answer, body, request)
    // Each time it runs it sees the request that it was given: a middleware around it may have put another in its place.
    const wrapped = Effect.suspend(() => wrap(inner, requestOf(body), info))
    return Effect.matchEffect(wrapped, {
      onSuccess: (success) => Effect.succeed(resultOf(method, success)),
      onFailure: (error) => {
        const exception = exceptionName(method, error)
        return exception === undefined ? Effect.fail(error as CallError) : Effect.succeed({ [exception]: error })
      }
    }) as Effect.Effect<Result, CallError>
  }

/** The result struct that a handler leaves in its call. */
interface Answered {
  result: Result | undefined
}

/** On a client `next` gives the result struct of the call. @internal */
export const clientFor = (service: Service.Any, name: string, wrap: Wrap) => {
  const wrapped = around(named("Middleware.clientFor", service, name), wrap)
  return {
    kind: "client",
    wrap: (next: unknown, info: RpcInfo, body: CallBody): never => wrapped(next as never, info, body) as never
  } as const
}

/** On a server `next` leaves the result struct in the call. @internal */
export const serverFor = (service: Service.Any, name: string, wrap: Wrap) => {
  const one = named("Middleware.serverFor", service, name)
  const wrapped = around(one, wrap)
  return {
    kind: "server",
    wrap: (next: Effect.Effect<void, CallError>, info: RpcInfo, call: object, body: CallBody) => {
      if (!isOf(body.called, one)) return next
      const single = call as Answered
      const result = Effect.map(next, () => single.result ?? noResult)
      return Effect.map(wrapped(result, info, body), (answer) => void (single.result = answer))
    }
  } as const
}
