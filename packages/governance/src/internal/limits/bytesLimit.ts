/**
 * A limit of bytes in flight: what a handler, or whoever reads a stream of a client, has taken and not yet asked past.
 * The next receive gives it back, or the end of the call.
 *
 * @internal
 */
import type { CallError } from "@millrace/rpc/ClientStream"
import * as Middleware from "@millrace/rpc/Middleware"
import type { RpcError } from "@millrace/rpc/RpcError"
import { isStream } from "@millrace/rpc/RpcInfo"
import type { NonEmptyArray } from "effect/Array"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import type { Room } from "./room.ts"
import type { StreamLimit } from "./streamLimit.ts"

type Limit = StreamLimit<Room>

/** What one stream has in flight. */
class Held {
  readonly limit: Limit
  #room: Room | undefined
  #bytes = 0
  #ended = false

  constructor(limit: Limit) {
    this.limit = limit
  }

  add(room: Room, bytes: number): void {
    // For a fiber that still waits, though the call is over.
    if (this.#ended) return room.giveBack(bytes)
    this.#room = room
    this.#bytes += bytes
  }

  giveBack(): void {
    const bytes = this.#bytes
    this.#bytes = 0
    if (bytes > 0) this.#room!.giveBack(bytes)
  }

  readonly end: Effect.Effect<void> = Effect.sync(() => {
    this.#ended = true
    this.giveBack()
  })
}

/** Of the stream around which this runs, one for each limit. */
const AllHeld = Context.Reference<ReadonlyArray<Held>>("@millrace/governance/StreamLimiter/AllHeld", {
  defaultValue: () => []
})

/** @internal */
export const inFlight = (limit: Limit): Middleware.Builder =>
  Middleware.builder(() => [
    Middleware.client((next, info) =>
      isStream(info)
        ? Effect.suspend(() => {
            const held = new Held(limit)
            const ending = Effect.addFinalizer(() => held.end)
            return Effect.andThen(ending, holding(next, held))
          })
        : next
    ),
    Middleware.server((next, info) =>
      isStream(info)
        ? Effect.suspend(() => {
            const held = new Held(limit)
            return Effect.ensuring(holding(next, held), held.end)
          })
        : next
    ),
    Middleware.recvBatch((next, stream) => {
      // With `requestInInfo` a server reads the request before all middleware: what nobody would give back is not held.
      const held = Context.get(stream.context, AllHeld).find((held) => held.limit === limit)
      if (held === undefined) return next
      const account = limit.accountOf(stream)
      return account === undefined ? next : new Receiving(held, account, stream, next).pull
    })
  ])

const holding = <A, E, R>(next: Effect.Effect<A, E, R>, held: Held): Effect.Effect<A, E, R> =>
  Effect.updateContext(next, (context: Context.Context<R>) =>
    Context.add(context, AllHeld, [...Context.get(context, AllHeld), held])
  )

/**
 * How much a receive brings is known when it has: a stream holds what came until there is room for it, one message
 * where there is none, and what is behind it stays behind the flow control of the transport.
 */
class Receiving<A> {
  readonly pull: Pull.Pull<NonEmptyArray<A>, CallError>
  readonly #stream: Middleware.StreamContext
  readonly #held: Held
  /**
   * Bytes from the wire that there was room for. What came beyond is here, in a receive that waits or was interrupted.
   */
  #counted: number
  #refused: RpcError | undefined

  constructor(
    held: Held,
    account: (now: number) => Room,
    stream: Middleware.StreamContext,
    next: Pull.Pull<NonEmptyArray<A>, CallError>
  ) {
    this.#stream = stream
    this.#held = held
    this.#counted = stream.recvBytes
    const clock = Context.get(stream.context, Clock.Clock)
    const room = () => account(clock.currentTimeMillisUnsafe())
    const reading = Effect.flatMap(next, (messages) => this.#arrived(room(), messages))
    this.pull = Effect.suspend((): Pull.Pull<NonEmptyArray<A>, CallError> => {
      if (this.#refused !== undefined) return Effect.fail(this.#refused)
      this.#held.giveBack()
      if (room().full) stream.limitRecv(1)
      return reading
    })
  }

  #arrived(room: Room, messages: NonEmptyArray<A>): Effect.Effect<NonEmptyArray<A>, CallError> {
    const { maxWaiting, refusals, waits } = this.#held.limit
    const size = this.#stream.recvBytes - this.#counted
    if (size === 0) return Effect.succeed(messages)
    if (room.take(size)) {
      this.#granted(room, size)
      return Effect.succeed(messages)
    }
    if (!waits || room.waiting >= maxWaiting) return Effect.fail((this.#refused = refusals.refuse()))
    const wait = room.wait(size, () => this.#granted(room, size))
    return Effect.as(this.#stream.unlessFailed(wait), messages)
  }

  #granted(room: Room, size: number): void {
    this.#counted += size
    this.#held.add(room, size)
  }
}
