/**
 * Middleware around sending that is an effect: composed once per stream, at the first message.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { CallError } from "../ClientStream.ts"
import type { SendMiddleware, StreamContext } from "../Middleware.ts"
import { functionOf, isCallError, type Plain } from "./messageFunctions.ts"
import { mergeOver } from "./streamContext.ts"
import type { Timers } from "./timers.ts"
import { until } from "./until.ts"

type SendOne = (message: unknown) => Effect.Effect<void, CallError>
type SendMany = (messages: ReadonlyArray<unknown>) => Effect.Effect<void, CallError>

/** The end of a stream that sends. @internal */
export interface SendEnd {
  readonly env: { readonly timers: Timers }
  readonly stream: StreamContext
  readonly sendCount: number
  readonly sendBytes: number
  write(messages: ReadonlyArray<unknown>): Effect.Effect<void, CallError>
  /** Milliseconds for a send, 0 for no limit. */
  readonly sendBudget: number
  /** Fails the end, and gives its error. */
  sendOverdue(): CallError
  secondSend(): Effect.Effect<never>
  tellSend(count: number, bytes: number): void
  /** A failure on its way to the fiber. */
  sendEnded(error: CallError): Effect.Effect<never, CallError>
}

interface Sending {
  readonly one: SendOne
  readonly many: SendMany
}

interface Composed extends Sending {
  readonly inContext: ReturnType<typeof mergeOver>
}

/** @internal */
export class SendChain {
  readonly #end: SendEnd
  readonly #around: ReadonlyArray<SendMiddleware<unknown>>
  /** Who sends. */
  #runner: Fiber.Fiber<unknown, unknown> | undefined
  #composed: Composed | undefined
  /** What tracers have heard of. */
  #toldCount = 0
  #toldBytes = 0

  constructor(end: SendEnd, around: ReadonlyArray<SendMiddleware<unknown>>) {
    this.#end = end
    this.#around = around
  }

  send(message: unknown): Effect.Effect<void, CallError> {
    return Effect.suspend(() => this.#run((chain) => chain.one(message)))
  }

  sendAll(messages: ReadonlyArray<unknown>): Effect.Effect<void, CallError> {
    return Effect.suspend(() => this.#run((chain) => chain.many(messages)))
  }

  #run(send: (chain: Sending) => Effect.Effect<void, CallError>): Effect.Effect<void, CallError> {
    if (this.#runner !== undefined) return this.#end.secondSend()
    const chain = (this.#composed ??= this.#compose())
    // Its exit hook is in place before this runs.
    const begin = Effect.withFiber((fiber) => {
      if (this.#runner !== undefined) return this.#end.secondSend()
      this.#runner = fiber
      return Effect.updateContext(this.#inTime(Effect.suspend(() => send(chain))), chain.inContext)
    })
    return Effect.catch(Effect.onExitPrimitive(begin, this.#ended), (error) => this.#end.sendEnded(error))
  }

  #compose(): Composed {
    const { stream } = this.#end
    return {
      ...compose(this.#around, stream, (messages) => Effect.suspend(() => this.#end.write(messages))),
      inContext: mergeOver(stream.context)
    }
  }

  /** The budget of a send is for all of it, middleware too. */
  #inTime(sending: Effect.Effect<void, CallError>): Effect.Effect<void, CallError> {
    const budget = this.#end.sendBudget
    if (budget === 0) return sending
    const { timers } = this.#end.env
    return until(sending, timers, timers.now() + budget, () => this.#end.sendOverdue())
  }

  readonly #ended = (): undefined => {
    // Interrupted before it began.
    if (this.#runner !== Fiber.getCurrent()) return
    this.#runner = undefined
    this.tell()
  }

  /** Tells tracers of what they have not heard of. */
  tell(): void {
    const { sendBytes, sendCount } = this.#end
    this.#end.tellSend(sendCount - this.#toldCount, sendBytes - this.#toldBytes)
    this.#toldCount = sendCount
    this.#toldBytes = sendBytes
  }
}

const compose = (around: ReadonlyArray<SendMiddleware<unknown>>, stream: StreamContext, write: SendMany): Sending => {
  let sending = fromMany(write)
  for (const each of around.toReversed()) {
    if (each.form === "single") sending = fromOne(each.make(stream, sending.one) as SendOne)
    else if (each.form === "batch") sending = fromMany(each.make(stream, sending.many) as SendMany)
    else sending = functionBefore(functionOf(each, stream), sending)
  }
  return sending
}

const fromOne = (one: SendOne): Sending => ({
  one,
  many: (messages) => Effect.forEach(messages, one, { discard: true })
})

const fromMany = (many: SendMany): Sending => ({ one: (message) => many([message]), many })

/** A function outside of effects: what lies before a refused message is sent. */
const functionBefore = (run: Plain, next: Sending): Sending => ({
  one: (message) =>
    Effect.suspend(() => {
      const result = run(message)
      return isCallError(result) ? Effect.fail(result) : next.one(result)
    }),
  many: (messages) =>
    Effect.suspend(() => {
      const passed: Array<unknown> = []
      for (let i = 0; i < messages.length; i++) {
        const result = run(messages[i])
        if (isCallError(result)) {
          const refused = Effect.fail(result)
          return passed.length === 0 ? refused : Effect.andThen(next.many(passed), refused)
        }
        passed.push(result)
      }
      return next.many(passed)
    })
})
