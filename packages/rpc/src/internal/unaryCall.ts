/**
 * A unary call without a stream, a scope or a generator: one listener, resumed once. Its answer is the message and the
 * status behind it.
 *
 * @internal
 */
import type { Metadata } from "@millrace/transport/Metadata"
import type { RawClientStream } from "@millrace/transport/RawStream"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { BizStatusError } from "../BizStatusError.ts"
import type { CallError } from "../ClientStream.ts"
import type { RpcError } from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import type { Budgets } from "./budgets.ts"
import { ClientInfo } from "./clientInfo.ts"
import * as errors from "./errors.ts"
import type { Counts, Lifecycle } from "./lifecycle.ts"
import { type EndObserver, interruptedOutcome, observedOutcome } from "./observedCall.ts"
import { isUncreated } from "./placement.ts"
import { answerIn, type MethodPlan, type Result } from "./plan.ts"
import type { Timer, Timers } from "./timers.ts"

/** @internal */
export type UnaryError = CallError | object

/** @internal */
export type Resume = (answer: Effect.Effect<unknown, UnaryError>) => void

/** With `whole` it gives the result struct, where declared exceptions are answers. @internal */
export class UnaryCall implements Timer, Counts {
  at = 0
  index = -1
  sendCount = 0
  recvCount = 0
  sendBytes = 0
  recvBytes = 0
  /** Why its stream ended before anything of the call was sent, so that another instance may take it. */
  unsent: RpcError | undefined
  /** 0 is none. */
  protected deadline = 0
  protected info: RpcInfo
  #raw: RawClientStream | undefined
  readonly #plan: MethodPlan
  readonly #timers: Timers
  readonly #budgets: Pick<Budgets, "firstMessage" | "recv">
  readonly #onHeader: ((header: Metadata) => void) | undefined
  readonly #onTrailer: ((trailer: Metadata) => void) | undefined
  readonly #lifecycle: Lifecycle | undefined
  /** Who hears of its end. */
  protected observer: EndObserver | undefined = undefined
  readonly #whole: boolean
  protected resume: Resume | undefined

  constructor(
    info: RpcInfo,
    plan: MethodPlan,
    timers: Timers,
    budgets: Pick<Budgets, "firstMessage" | "recv">,
    onHeader: ((header: Metadata) => void) | undefined,
    onTrailer: ((trailer: Metadata) => void) | undefined,
    lifecycle: Lifecycle | undefined,
    whole: boolean
  ) {
    this.info = info
    this.#plan = plan
    this.#timers = timers
    this.#budgets = budgets
    this.#onHeader = onHeader
    this.#onTrailer = onTrailer
    this.#lifecycle = lifecycle
    this.#whole = whole
  }

  /** There is a stream for it. */
  opened(raw: RawClientStream, info: RpcInfo, deadline: number): void {
    this.unsent = undefined
    this.#raw = raw
    this.info = info
    this.deadline = deadline
    const lifecycle = this.#lifecycle
    if (lifecycle === undefined) return
    lifecycle.counts = this
    lifecycle.streamStart()
  }

  /** Sends the request and resumes once; gives what to do when the fiber is interrupted meanwhile. */
  run(request: unknown, resume: Resume): Effect.Effect<void> | undefined {
    this.resume = resume
    const raw = this.#raw!
    raw.listener = this
    try {
      raw.write([request], 0, this.#plan.encodeRequest, true)
    } catch (thrown) {
      raw.abort("cancel", errors.localCancel)
      this.#settle(errors.fromCodec(this.info, thrown))
      return undefined
    }
    // It may be somewhere else by now.
    if (this.#raw !== raw) return this.cancel
    this.sendCount = 1
    this.sendBytes = raw.lastWrittenBytes
    const wait = this.#budgets.firstMessage || this.#budgets.recv
    if (wait > 0) {
      const due = this.#timers.now() + wait
      this.#timers.arm(this, this.deadline > 0 ? Math.min(due, this.deadline) : due)
    } else if (this.deadline > 0) this.#timers.arm(this, this.deadline)
    // The stream may have failed between its creation and now.
    this.onReadable()
    return this.cancel
  }

  readonly cancel: Effect.Effect<void> = Effect.suspend(() => {
    this.resume = undefined
    this.#timers.disarm(this)
    this.#raw?.abort("cancel", errors.localCancel)
    return this.cancelled()
  })

  protected cancelled(): Effect.Effect<void> {
    this.observer?.ended(interruptedOutcome(this.#lifecycle?.overdue))
    return Effect.void
  }

  onReadable(): void {
    const raw = this.#raw
    if (raw === undefined) return
    if (this.#lifecycle !== undefined) this.#tell(this.#lifecycle, raw)
    // A second message breaks the rule of one response, whether or not the end ever comes.
    const { available, end } = raw
    if (end !== undefined || available > 1) this.#settle()
  }

  #tell(lifecycle: Lifecycle, { end, header, trailer }: RawClientStream): void {
    if (header !== undefined) lifecycle.streamRecvHeader(header)
    // Behind a stream that failed there may come another.
    if (end !== undefined && end._tag !== "Failed") lifecycle.streamFinish(trailer)
  }

  onWritable(): void {}

  onAbort(): void {}

  fire(now: number): undefined {
    this.#raw!.abort("cancel", errors.localCancel)
    this.#settle(this.#overdue(now))
  }

  #overdue(now: number): CallError {
    const { firstMessage, recv } = this.#budgets
    if (this.deadline > 0 && now >= this.deadline) return errors.deadlineExceeded(this.info)
    return firstMessage > 0 ? errors.firstMessageTimeout(this.info, firstMessage) : errors.recvTimeout(this.info, recv)
  }

  /**
   * By the failure, else by what the stream has brought. The observer hears of it here and not in the fiber, which may be
   * interrupted before it runs on: to be sure of its exit takes a frame around every call.
   */
  #settle(failure?: CallError): void {
    if (this.resume === undefined) return
    this.#timers.disarm(this)
    const exit = failure === undefined ? this.#exit() : Exit.fail(failure)
    const { unsent } = this
    if (unsent !== undefined) {
      this.#raw = undefined
      if (this.again(unsent)) return
    }
    this.finish(exit)
  }

  /** Whether the call goes on elsewhere: it is run again then, with the same `resume`, or finished. */
  protected again(_unsent: RpcError): boolean {
    return false
  }

  protected finish(exit: Exit.Exit<unknown, UnaryError>): void {
    const resume = this.resume
    if (resume === undefined) return
    this.resume = undefined
    this.observer?.ended(observedOutcome(exit, this.#lifecycle?.overdue))
    resume(exit)
  }

  /** What its callbacks throw breaks the call, and not the connection. */
  #exit(): Exit.Exit<unknown, UnaryError> {
    try {
      return this.#answer()
    } catch (defect) {
      return Exit.die(defect)
    }
  }

  #notSent(error: RpcError): void {
    this.unsent = error
    this.sendCount = 0
    this.sendBytes = 0
  }

  #answer(): Exit.Exit<unknown, UnaryError> {
    const raw = this.#raw!
    const end = raw.end
    const results: Array<unknown> = []
    if (raw.available > 0) {
      try {
        raw.take(this.#plan.decodeResponse, 2, results)
      } catch (thrown) {
        raw.abort("cancel", errors.localCancel)
        return Exit.fail(errors.fromCodec(this.info, thrown))
      }
      this.recvCount = results.length
      this.recvBytes = raw.lastTakenBytes
    }
    if (raw.header !== undefined) this.#onHeader?.(raw.header)
    if (results.length > 1) {
      raw.abort("cancel", errors.localCancel)
      return Exit.fail(errors.secondResponse(this.info))
    }
    if (end === undefined || end._tag === "HalfClosed") return Exit.fail(errors.streamDone(this.info))
    if (end._tag === "Failed") {
      if (end.error.code === 1 && this.deadline > 0 && this.#timers.now() >= this.deadline) {
        return Exit.fail(errors.deadlineExceeded(this.info))
      }
      const error = errors.fromTransport(this.info, end.error)
      if (isUncreated(error)) this.#notSent(error)
      return Exit.fail(error)
    }
    if (raw.trailer !== undefined) this.#onTrailer?.(raw.trailer)
    const error = errors.fromStatus(this.info, end.status)
    if (error instanceof BizStatusError && this.info instanceof ClientInfo) this.info.bizError = error
    if (error !== undefined) return Exit.fail(error)
    if (results.length === 0) return Exit.fail(errors.noMessage(this.info))
    const result = results[0] as Result
    return this.#whole ? Exit.succeed(result) : answerIn(this.#plan.exceptions, result)
  }
}
