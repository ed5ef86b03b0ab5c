/**
 * A list of middleware taken apart: builders are run, what belongs to the other side or to another method is left away.
 *
 * @internal
 */
import type {
  Builder,
  ClientMiddleware,
  Form,
  Only,
  RecvMiddleware,
  SendMiddleware,
  ServerMiddleware,
  Setup
} from "../Middleware.ts"
import { isOf, type OneMethod } from "./oneMethod.ts"

type Any = ClientMiddleware<unknown> | ServerMiddleware<unknown> | RecvMiddleware<unknown> | SendMiddleware<unknown>

/** First is outermost in each. @internal */
export interface MiddlewareList<Around> {
  readonly around: ReadonlyArray<Around>
  readonly recv: ReadonlyArray<RecvMiddleware<unknown>>
  readonly send: ReadonlyArray<SendMiddleware<unknown>>
}

/** The middleware of a side. Throws for what is none. @internal */
export const take = <Side extends "client" | "server">(
  side: Side,
  list: ReadonlyArray<Any | Builder<unknown>>,
  setup: Omit<Setup, "side">
): MiddlewareList<Extract<Any, { readonly kind: Side }>> => {
  const all = list.flatMap((each, at) => {
    if (each?.kind !== "builder") return [checked(each, `middleware[${at}]`, anyKind)]
    const built = each.build({ ...setup, side })
    return built.map((each, of) => checked(each, `[${of}] of what the builder middleware[${at}] made`, anyKind))
  })
  return {
    around: all.filter((each): each is Extract<Any, { readonly kind: Side }> => each.kind === side),
    recv: all.filter((each) => each.kind === "recv"),
    send: all.filter((each) => each.kind === "send")
  }
}

/** The middleware around attempts of a client. Throws for what is none. @internal */
export const instance = (
  list: ReadonlyArray<ClientMiddleware<unknown>> = []
): ReadonlyArray<ClientMiddleware<unknown>> =>
  list.map((each, at) => checked(each, `instanceMiddleware[${at}]`, ["client"]))

const anyKind = ["client", "server", "recv", "send"]

// The compiler knows, but not of plain JavaScript. What is none would be left away in silence.
const checked = <M>(each: M, place: string, kinds: ReadonlyArray<string>): M => {
  const kind: unknown = (each as { readonly kind?: unknown } | undefined)?.kind
  if (kinds.includes(kind as string)) return each
  const what =
    kind === undefined ? (typeof each === "function" ? "a function" : String(each)) : `of kind ${String(kind)}`
  throw new Error(`${place} is ${what}: the list takes what Middleware.${kinds.join(", ")} and the like make`)
}

/** Middleware around the messages of one stream, as it runs. @internal */
export interface Layered<M> {
  /** First is outermost; empty when functions do. */
  readonly around: ReadonlyArray<M>
  /** Functions inside of all effects. */
  readonly inside: ReadonlyArray<M>
}

/** The middleware that is for the method and side of a stream. @internal */
export const layeredFor = <M extends { readonly form: Form; readonly only: Only | undefined }>(
  list: ReadonlyArray<M>,
  called: OneMethod,
  side: "client" | "server"
): Layered<M> => {
  const all = list.filter(({ only }) => only === undefined || isFor(only, called, side))
  const inside = all.findLastIndex((each) => each.form !== "plain") + 1
  return { around: all.slice(0, inside), inside: all.slice(inside) }
}

const isFor = (only: Only, called: OneMethod, side: "client" | "server"): boolean =>
  (only.side === undefined || only.side === side) && isOf(called, only)
