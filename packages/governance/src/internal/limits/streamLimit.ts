/**
 * What limits of streams have in common: whose account a stream draws on, and what becomes of it over the limit.
 *
 * @internal
 */
import type { StreamContext } from "@millrace/rpc/Middleware"
import type { Account } from "./accounts.ts"
import { accountsOf, keyOf, mostKeys, type Per } from "./keys.ts"
import type { OverLimit } from "./overLimit.ts"

/** @internal */
export interface StreamLimit<A> {
  /**
   * The account of a stream, to be asked each time: one that was idle may have been forgotten. Undefined: the stream is
   * not limited.
   */
  readonly accountOf: (stream: StreamContext) => ((now: number) => A) | undefined
  readonly waits: boolean
  readonly maxWaiting: number
  readonly refusals: OverLimit
}

/** @internal */
export type StreamKey = "stream" | Per<StreamContext>

/** @internal */
export interface Options {
  /** Default `stream`. */
  readonly per?: StreamKey | undefined
  /**
   * What becomes of a stream over the limit. `wait`: it reads no further, or does not send yet, and flow control tells
   * the other side. `refuse`: it fails, and a handler that fails with that tells the client. Default `wait`.
   */
  readonly over?: "wait" | "refuse" | undefined
  /** So many streams of one key may wait; one more is refused. Default 1,024. */
  readonly maxWaiting?: number | undefined
  /**
   * So many keys have an account of their own; all that come when these are in use share one more. Idle ones are
   * forgotten. Default 10,000.
   */
  readonly maxKeys?: number | undefined
}

/** @internal */
export const streamLimit = <A extends Account>(
  { maxKeys = mostKeys, maxWaiting = 1024, over = "wait", per = "stream" }: Options,
  refusals: OverLimit,
  make: () => A
): StreamLimit<A> => ({
  accountOf: per === "stream" ? ofItsOwn(make) : shared(per, maxKeys, make),
  waits: over === "wait",
  maxWaiting,
  refusals
})

const ofItsOwn =
  <A>(make: () => A): StreamLimit<A>["accountOf"] =>
  () => {
    const own = make()
    return () => own
  }

const shared = <A extends Account>(
  per: Per<StreamContext>,
  maxKeys: number,
  make: () => A
): StreamLimit<A>["accountOf"] => {
  const keyed = keyOf(per, ({ info }: StreamContext) => info.address)
  const account = accountsOf(per, maxKeys, make)
  return (stream) => {
    const key = keyed(stream)
    return key === undefined ? undefined : (now) => account(key, now)
  }
}
