/**
 * A limit of messages a second around receiving or sending.
 *
 * @internal
 */
import type { CallError } from "@millrace/rpc/ClientStream"
import * as Middleware from "@millrace/rpc/Middleware"
import type { RpcError } from "@millrace/rpc/RpcError"
import type { NonEmptyArray } from "effect/Array"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import type { MessageRate } from "./messageRate.ts"
import type { StreamLimit } from "./streamLimit.ts"

type Limit = StreamLimit<MessageRate>

/** @internal */
export const receiving = (limit: Limit): Middleware.RecvMiddleware =>
  Middleware.recvBatch((next, stream) => {
    const account = limit.accountOf(stream)
    return account === undefined ? next : new Receiving(limit, account, stream, next).pull
  })

/** @internal */
export const sending = (limit: Limit): Middleware.SendMiddleware =>
  Middleware.sendBatch((next, stream) => {
    const account = limit.accountOf(stream)
    if (account === undefined) return next
    const sender = new Sending(limit, account, stream, next)
    return (messages) => sender.send(messages, 0)
  })

/** One direction of a stream. */
abstract class Limited {
  protected readonly limit: Limit
  protected readonly account: (now: number) => MessageRate
  protected readonly stream: Middleware.StreamContext
  readonly #clock: Clock.Clock
  /** A stream that was refused is over: it fails again for who did not take it seriously. */
  protected refused: RpcError | undefined

  constructor(limit: Limit, account: (now: number) => MessageRate, stream: Middleware.StreamContext) {
    this.limit = limit
    this.account = account
    this.stream = stream
    this.#clock = Context.get(stream.context, Clock.Clock)
  }

  protected readonly now = (): number => this.#clock.currentTimeMillisUnsafe()

  /** Why so many messages, which were taken and may not pass yet, are not waited for. */
  protected refusal(rate: MessageRate, count: number): Effect.Effect<never, RpcError> | undefined {
    const { maxWaiting, refusals, waits } = this.limit
    if (waits && rate.waiting < maxWaiting) return undefined
    rate.giveBack(count)
    return Effect.fail((this.refused = refusals.refuse(rate.untilOne(this.now()))))
  }
}

/**
 * So many messages are read as may pass, at least one, because only then it is known whether there is one or the end.
 * The one that may not pass yet waits, and what is behind it stays behind the flow control of the transport. Streams
 * that read at the same time may together take more; they then wait in that order.
 */
class Receiving<A> extends Limited {
  readonly pull: Pull.Pull<NonEmptyArray<A>, CallError>
  /** Messages from the wire that are taken from the account. */
  #counted: number
  /** Says when those may pass. A receive that is interrupted leaves them to the next, which gets them again. */
  #ticket = -Infinity
  #rate: MessageRate | undefined

  constructor(
    limit: Limit,
    account: (now: number) => MessageRate,
    stream: Middleware.StreamContext,
    next: Pull.Pull<NonEmptyArray<A>, CallError>
  ) {
    super(limit, account, stream)
    this.#counted = stream.recvCount
    const reading = Effect.flatMap(next, (messages) => this.#arrived(messages))
    this.pull = Effect.suspend((): Pull.Pull<NonEmptyArray<A>, CallError> => {
      if (this.refused !== undefined) return Effect.fail(this.refused)
      const now = this.now()
      stream.limitRecv(Math.max(1, account(now).available(now)))
      return reading
    })
  }

  #arrived(messages: NonEmptyArray<A>): Effect.Effect<NonEmptyArray<A>, CallError> {
    const now = this.now()
    const count = this.stream.recvCount - this.#counted
    const rate = count === 0 && this.#rate !== undefined ? this.#rate : this.account(now)
    if (count > 0) {
      this.#counted += count
      this.#rate = rate
      this.#ticket = rate.take(count, now)
    }
    const ticket = this.#ticket
    if (rate.due(ticket, now) === 0) return Effect.succeed(messages)
    return this.refusal(rate, count) ?? Effect.as(this.stream.unlessFailed(rate.wait(ticket, this.now)), messages)
  }
}

type SendMany = (messages: ReadonlyArray<unknown>) => Effect.Effect<void, CallError>

class Sending extends Limited {
  readonly #next: SendMany

  constructor(limit: Limit, account: (now: number) => MessageRate, stream: Middleware.StreamContext, next: SendMany) {
    super(limit, account, stream)
    this.#next = next
  }

  /** As many as may pass now, at least one, then the others. */
  send(messages: ReadonlyArray<unknown>, from: number): Effect.Effect<void, CallError> {
    return Effect.suspend(() => {
      if (this.refused !== undefined) return Effect.fail(this.refused)
      const now = this.now()
      const rate = this.account(now)
      const most = this.limit.waits ? Math.max(1, rate.available(now)) : messages.length
      const to = Math.min(messages.length, from + most)
      const part = from === 0 && to === messages.length ? messages : messages.slice(from, to)
      const sent = this.#whenPaid(rate, part, now)
      return to === messages.length ? sent : Effect.andThen(sent, this.send(messages, to))
    })
  }

  #whenPaid(rate: MessageRate, messages: ReadonlyArray<unknown>, now: number): Effect.Effect<void, CallError> {
    const ticket = rate.take(messages.length, now)
    if (rate.due(ticket, now) === 0) return this.#next(messages)
    const refusal = this.refusal(rate, messages.length)
    if (refusal !== undefined) return refusal
    const paid = Effect.onInterrupt(rate.wait(ticket, this.now), () =>
      Effect.sync(() => rate.giveBack(messages.length))
    )
    return Effect.andThen(this.stream.unlessFailed(paid), this.#next(messages))
  }
}
