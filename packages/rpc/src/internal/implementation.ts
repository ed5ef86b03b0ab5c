/**
 * How the handlers of a service reach its server: as a service of the context.
 *
 * @internal
 */
import * as Context from "effect/Context"
import type { HandlersOf, Used } from "../Handlers.ts"

/** Handlers with the context they were built in. @internal */
export interface Implementation {
  readonly handlers: Readonly<Record<string, unknown>>
  readonly context: Context.Context<never>
  /** The middleware that they were made to stand behind. */
  readonly uses: ReadonlyArray<Used>
}

/** The place of a service's handlers in a context. @internal */
export const implementation = <Name extends string>(service: {
  readonly name_: Name
  readonly package: string
}): Context.Service<HandlersOf<Name>, Implementation> =>
  Context.Service<HandlersOf<Name>, Implementation>(`@millrace/rpc/Handlers/${service.package}.${service.name_}`)
