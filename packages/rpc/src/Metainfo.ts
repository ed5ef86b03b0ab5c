/**
 * Kitex metainfo: small values that follow a request from hop to hop, in the context of the fiber. Transient values live
 * one hop, persistent ones go on; backward values come with the answer of a PingPong call. A handler's own calls carry what
 * came in, with no code.
 *
 * On the wire: `rpc-transit-` and `rpc-persist-` headers, where keys come out in `UPPER_SNAKE` whatever they were; in the TTHeader of
 * a call or a stream `RPC_TRANSIT_` and `RPC_PERSIST_` keys, verbatim. Framed and Buffered calls carry none. Over HTTP/2 a key that
 * is no header name and a value with control characters are left out, which a client logs once; space around a value is no part of it,
 * and of keys that become the same (`A-B` and `A_B`) the one that was set last is sent. Empty keys and values are never set.
 *
 * @since 0.1.0
 */
import type { Metainfo } from "@millrace/transport/Metainfo"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as callContext from "./internal/callContext.ts"
import { CurrentCall } from "./internal/currentCall.ts"

export {
  /**
   * The metainfo of a request.
   *
   * @since 0.1.0
   * @category models
   */
  type Metainfo
} from "@millrace/transport/Metainfo"

const change = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  make: (values: callContext.Values) => callContext.Values
): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => {
    const metainfo = make(callContext.metainfo(fiber) ?? callContext.none)
    return callContext.update(self, (context) => ({ ...context, metainfo }))
  })

/** Values by their keys. */
type Values = Readonly<Record<string, string>>

// An empty key or value is never stored (gopkg `cloud/metainfo`). What is set again counts as set last.
const set = (map: ReadonlyMap<string, string>, values: Values): ReadonlyMap<string, string> => {
  const into = new Map(map)
  for (const [key, value] of Object.entries(values)) {
    if (key === "" || value === "") continue
    into.delete(key)
    into.set(key, value)
  }
  return into
}

const withoutKey = (map: ReadonlyMap<string, string>, key: string): ReadonlyMap<string, string> => {
  if (!map.has(key)) return map
  const into = new Map(map)
  into.delete(key)
  return into
}

/**
 * Calls made inside carry a transient value: the server that they reach reads it, and nobody behind it does.
 *
 * **Example** (A value for one hop)
 *
 * ```ts
 * import { Metainfo } from "@millrace/rpc"
 * import { Effect } from "effect"
 *
 * const call = Effect.succeed("a call").pipe(Metainfo.withValue("TENANT", "acme"))
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const withValue: {
  (key: string, value: string): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, key: string, value: string): Effect.Effect<A, E, R>
} = dual(3, <A, E, R>(self: Effect.Effect<A, E, R>, key: string, value: string) => withValues(self, { [key]: value }))

/**
 * Calls made inside carry transient values.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withValues: {
  (values: Readonly<Record<string, string>>): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, values: Readonly<Record<string, string>>): Effect.Effect<A, E, R>
} = dual(2, <A, E, R>(self: Effect.Effect<A, E, R>, values: Values) =>
  change(self, (before) => ({ ...before, transient: set(before.transient, values) }))
)

/**
 * Calls made inside carry a persistent value, and so do the calls of the servers that they reach.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withPersistentValue: {
  (key: string, value: string): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, key: string, value: string): Effect.Effect<A, E, R>
} = dual(3, <A, E, R>(self: Effect.Effect<A, E, R>, key: string, value: string) =>
  withPersistentValues(self, { [key]: value })
)

/**
 * Calls made inside carry persistent values.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withPersistentValues: {
  (values: Readonly<Record<string, string>>): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, values: Readonly<Record<string, string>>): Effect.Effect<A, E, R>
} = dual(2, <A, E, R>(self: Effect.Effect<A, E, R>, values: Values) =>
  change(self, (before) => ({ ...before, persistent: set(before.persistent, values) }))
)

/**
 * Inside there is no transient value of this key, neither one that was set nor one that came in. Kitex's `DelValue`.
 *
 * @since 0.1.0
 * @category combinators
 */
export const without: {
  (key: string): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, key: string): Effect.Effect<A, E, R>
} = dual(2, <A, E, R>(self: Effect.Effect<A, E, R>, key: string) =>
  change(self, ({ persistent, transient, upstream }) => ({
    persistent,
    transient: withoutKey(transient, key),
    upstream: withoutKey(upstream, key)
  }))
)

/**
 * Inside there is no persistent value of this key: it ends at this hop. Kitex's `DelPersistentValue`.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withoutPersistent: {
  (key: string): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, key: string): Effect.Effect<A, E, R>
} = dual(2, <A, E, R>(self: Effect.Effect<A, E, R>, key: string) =>
  change(self, (before) => ({ ...before, persistent: withoutKey(before.persistent, key) }))
)

/**
 * The metainfo of the current fiber: what was set around it, and what came with the call that it handles. Transient values
 * that came in are here, and are not sent on.
 *
 * @since 0.1.0
 * @category getters
 */
export const current: Effect.Effect<Metainfo> = Effect.withFiber((fiber) => {
  const { persistent, transient, upstream } = callContext.metainfo(fiber) ?? callContext.none
  return Effect.succeed({
    persistent,
    transient: upstream.size === 0 ? transient : new Map([...upstream, ...transient])
  })
})

/**
 * The transient value of a key: the one that was set, or the one that came in.
 *
 * @since 0.1.0
 * @category getters
 */
export const value = (key: string): Effect.Effect<string | undefined> =>
  Effect.withFiber((fiber) => {
    const { transient, upstream } = callContext.metainfo(fiber) ?? callContext.none
    return Effect.succeed(transient.get(key) ?? upstream.get(key))
  })

/**
 * The persistent value of a key.
 *
 * @since 0.1.0
 * @category getters
 */
export const persistentValue = (key: string): Effect.Effect<string | undefined> =>
  Effect.withFiber((fiber) => Effect.succeed((callContext.metainfo(fiber) ?? callContext.none).persistent.get(key)))

/**
 * In a handler: gives a value to whoever called, as a string key in the TTHeader of the answer. It goes nowhere in a stream, or in a
 * unary call over HTTP/2, as in Kitex: use `setHeader` or `setTrailer` of the call there. The last value of a key counts; keys of
 * the protocol are a defect, as they are in `setHeader`.
 *
 * @since 0.1.0
 * @category backward values
 */
export const sendBackwardValue = (key: string, value: string): Effect.Effect<void> =>
  Effect.withFiber((fiber) => {
    if (key !== "" && value !== "") fiber.getRef(CurrentCall)?.sendBackwardValue(key, value)
    return Effect.void
  })

/**
 * Gathers the backward values of the PingPong calls that are made inside: all string keys of their TTHeaders, without
 * those of the protocol. Of calls that answer the same key, the later answer counts.
 *
 * **Example** (What an answer says beside its result)
 *
 * ```ts
 * import { Metainfo } from "@millrace/rpc"
 * import { Effect } from "effect"
 *
 * const region = Effect.succeed("a call").pipe(
 *   Metainfo.withBackwardValues,
 *   Effect.map(([answer, values]) => [answer, values.get("region")])
 * )
 * ```
 *
 * @since 0.1.0
 * @category backward values
 */
export const withBackwardValues = <A, E, R>(
  self: Effect.Effect<A, E, R>
): Effect.Effect<readonly [A, ReadonlyMap<string, string>], E, R> =>
  Effect.suspend(() => {
    const backward = new Map<string, string>()
    return Effect.map(
      callContext.update(self, (context) => ({ ...context, backward })),
      (a) => [a, backward] as const
    )
  })
