/**
 * The streams that the middleware around one call has created: each run of `next` is an attempt. The one that is handed
 * out is the call, and its end is the end of the call; the others end with it.
 *
 * @internal
 */
import type * as Metadata from "@millrace/transport/Metadata"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type * as ClientStream from "../ClientStream.ts"
import type { ClientCall } from "./clientCall.ts"
import { cancelled } from "./errors.ts"
import { Lifecycle, type Observer } from "./lifecycle.ts"
import { failed, type Outcome } from "./outcome.ts"
import type { Timers } from "./timers.ts"
import { finishUnopened } from "./unopened.ts"

/** What an attempt tells is told of the call if it is the call. */
class Attempt extends Lifecycle {
  call: ClientCall | undefined
  handle: ClientStream.Any | undefined
  outcome: Outcome | undefined
  trailer: Metadata.Metadata | undefined
  readonly #call: Lifecycle
  readonly #attempts: StreamAttempts
  #answered = false

  constructor(call: Lifecycle, timers: Timers, attempts: StreamAttempts, observer: Observer | undefined) {
    super([], timers, call.info)
    this.observer = observer
    this.#call = call
    this.#attempts = attempts
  }

  override streamStart(): void {
    this.observer?.created()
    this.#call.streamStart()
  }

  override streamRecvHeader(header: Metadata.Metadata): void {
    if (!this.#answered) this.observer?.answered()
    this.#answered = true
    if (this.#attempts.last === this) this.#call.streamRecvHeader(header)
  }

  override streamFinish(trailer: Metadata.Metadata): void {
    this.trailer ??= trailer
    if (this.#attempts.handedOut === this) this.#call.streamFinish(trailer)
  }

  override finish(outcome: Outcome): Effect.Effect<void> {
    return Effect.uninterruptible(
      Effect.suspend(() => {
        if (this.finished) return Effect.void
        this.counts.tellRest?.()
        this.finished = true
        this.outcome = outcome
        this.observer?.ended(outcome)
        return this.#attempts.ended(this)
      })
    )
  }
}

/** A decorated handle still has something of the one that it was made of. */
const isMadeOf = (handle: ClientStream.Any, of: ClientStream.Any | undefined): boolean =>
  of !== undefined && (Object.keys(of) as Array<keyof ClientStream.Any>).some((name) => handle[name] === of[name])

/** What middleware made of a stream. @internal */
export type HandedOut =
  | {
      readonly handle: ClientStream.Any
      readonly call: ClientCall
      /** Nobody stands between the two. */
      readonly own: true
    }
  | {
      readonly handle: ClientStream.Any
      /** The call beneath it, as far as is known: the last whose operations it has, or else the last. */
      readonly call: ClientCall | undefined
      readonly own: false
    }

/** @internal */
export class StreamAttempts {
  /** Of what middleware leaves behind: closes when the call ends, right before its RPCFinish. */
  readonly scope: Scope.Closeable
  readonly #lifecycle: Lifecycle
  readonly #timers: Timers
  readonly #all: Array<Attempt> = []
  #released = false
  handedOut: Attempt | undefined

  constructor(lifecycle: Lifecycle, timers: Timers, scope: Scope.Scope) {
    this.scope = Scope.forkUnsafe(scope)
    this.#lifecycle = lifecycle
    this.#timers = timers
  }

  get last(): Attempt | undefined {
    return this.handedOut ?? this.#all[this.#all.length - 1]
  }

  /** An attempt has a stream. */
  add(
    makeCall: (lifecycle: Lifecycle) => ClientCall,
    handleOf: (call: ClientCall) => ClientStream.Any,
    observer: Observer | undefined
  ): ClientStream.Any {
    const attempt = new Attempt(this.#lifecycle, this.#timers, this, observer)
    this.#all.push(attempt)
    attempt.call = makeCall(attempt)
    if (this.#released) {
      // Its stream came when the call had ended already.
      const error = cancelled(attempt.call.info)
      attempt.call.fail(error)
      attempt.end(failed(error))
    }
    return (attempt.handle = handleOf(attempt.call))
  }

  /** The chain has come out with a handle. */
  handOut(handle: ClientStream.Any): Effect.Effect<HandedOut> {
    return Effect.suspend(() => {
      const own = this.#all.find((attempt) => attempt.handle === handle)
      const attempt = own ?? this.#all.findLast((attempt) => isMadeOf(handle, attempt.handle)) ?? this.last
      const result: HandedOut =
        own?.call === undefined ? { handle, call: attempt?.call, own: false } : { handle, call: own.call, own: true }
      if (attempt === undefined) return Effect.succeed(result)
      this.handedOut = attempt
      if (attempt.trailer !== undefined) this.#lifecycle.streamFinish(attempt.trailer)
      // It may have ended before anybody could use it.
      return Effect.as(attempt.outcome === undefined ? Effect.void : this.ended(attempt), result)
    })
  }

  /** An attempt has ended. */
  ended(attempt: Attempt): Effect.Effect<void> {
    const outcome = attempt.outcome
    if (this.handedOut !== attempt || outcome === undefined) return Effect.void
    this.#lifecycle.counts = attempt.counts
    return Effect.ensuring(
      this.#release(outcome.exit),
      Effect.suspend(() => this.#lifecycle.finish(outcome))
    )
  }

  /** The chain has failed, or the scope of the call has closed. */
  readonly close = (exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> =>
    Effect.suspend(() =>
      this.handedOut === undefined
        ? Effect.ensuring(this.#release(exit), finishUnopened(this.#lifecycle, exit))
        : this.handedOut.call!.close(exit)
    )

  #release(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    this.#released = true
    const others = this.#all.filter((attempt) => attempt !== this.handedOut)
    return Effect.andThen(
      Effect.forEach(others, (attempt) => attempt.call?.close(exit) ?? Effect.void, { discard: true }),
      Scope.close(this.scope, exit)
    )
  }
}
