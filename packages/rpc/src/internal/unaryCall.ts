/**
 * A unary call without a stream, a scope or a generator: one listener, resumed once. Its answer is the message and the
 * status behind it.
 *
 * @internal
 */
import type { Metadata } from "@millrace/transport/Metadata"
import type { RawClientStream } from "@millrace/transport/RawStream"
import * as Effect from "effect/Effect"
import { BizStatusError } from "../BizStatusError.ts"
import type { CallError } from "../ClientStream.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import type { Budgets } from "./budgets.ts"
import { ClientInfo } from "./clientInfo.ts"
import * as errors from "./errors.ts"
import type { Counts, Lifecycle } from "./lifecycle.ts"
import { answerIn, type MethodPlan, type Result } from "./plan.ts"
import type { Timer, Timers } from "./timers.ts"

/** @internal */
export type UnaryError = CallError | object

/** With `whole` it gives the result struct, where declared exceptions are answers. @internal */
export class UnaryCall implements Timer, Counts {
  at = 0
  index = -1
  sendCount = 0
  recvCount = 0
  sendBytes = 0
  recvBytes = 0
  readonly #info: RpcInfo
  readonly #raw: RawClientStream
  readonly #plan: MethodPlan
  readonly #timers: Timers
  readonly #deadline: number
  readonly #budgets: Pick<Budgets, "firstMessage" | "recv">
  readonly #onHeader: ((header: Metadata) => void) | undefined
  readonly #onTrailer: ((trailer: Metadata) => void) | undefined
  readonly #lifecycle: Lifecycle | undefined
  readonly #whole: boolean
  #resume: ((effect: Effect.Effect<unknown, UnaryError>) => void) | undefined

  constructor(
    info: RpcInfo,
    raw: RawClientStream,
    plan: MethodPlan,
    timers: Timers,
    deadline: number,
    budgets: Pick<Budgets, "firstMessage" | "recv">,
    onHeader: ((header: Metadata) => void) | undefined,
    onTrailer: ((trailer: Metadata) => void) | undefined,
    lifecycle: Lifecycle | undefined,
    whole: boolean
  ) {
    this.#info = info
    this.#raw = raw
    this.#plan = plan
    this.#timers = timers
    this.#deadline = deadline
    this.#budgets = budgets
    this.#onHeader = onHeader
    this.#onTrailer = onTrailer
    this.#lifecycle = lifecycle
    this.#whole = whole
    if (lifecycle !== undefined) {
      lifecycle.counts = this
      lifecycle.streamStart()
    }
  }

  /** Sends the request and resumes once; gives what to do when the fiber is interrupted meanwhile. */
  run(request: unknown, resume: (effect: Effect.Effect<unknown, UnaryError>) => void): Effect.Effect<void> | undefined {
    this.#resume = resume
    const raw = this.#raw
    raw.listener = this
    try {
      raw.write([request], 0, this.#plan.encodeRequest, true)
    } catch (thrown) {
      raw.abort("cancel", errors.localCancel)
      this.#settle(Effect.suspend(() => Effect.fail(errors.fromCodec(this.#info, thrown))))
      return undefined
    }
    this.sendCount = 1
    this.sendBytes = raw.lastWrittenBytes
    const wait = this.#budgets.firstMessage || this.#budgets.recv
    if (wait > 0) {
      const due = this.#timers.now() + wait
      this.#timers.arm(this, this.#deadline > 0 ? Math.min(due, this.#deadline) : due)
    } else if (this.#deadline > 0) this.#timers.arm(this, this.#deadline)
    // The stream may have failed between its creation and now.
    this.onReadable()
    return this.cancel
  }

  readonly cancel: Effect.Effect<void> = Effect.sync(() => {
    this.#resume = undefined
    this.#timers.disarm(this)
    this.#raw.abort("cancel", errors.localCancel)
  })

  onReadable(): void {
    if (this.#lifecycle !== undefined) this.#tell(this.#lifecycle)
    // A second message breaks the rule of one response, whether or not the end ever comes.
    const { available, end } = this.#raw
    if (end !== undefined || available > 1) this.#settle(Effect.suspend(() => this.#outcome()))
  }

  #tell(lifecycle: Lifecycle): void {
    const { end, header, trailer } = this.#raw
    if (header !== undefined) lifecycle.streamRecvHeader(header)
    if (end !== undefined) lifecycle.streamFinish(trailer)
  }

  onWritable(): void {}

  onAbort(): void {}

  fire(now: number): undefined {
    this.#raw.abort("cancel", errors.localCancel)
    this.#settle(Effect.fail(this.#overdue(now)))
  }

  #overdue(now: number): CallError {
    const { firstMessage, recv } = this.#budgets
    if (this.#deadline > 0 && now >= this.#deadline) return errors.deadlineExceeded(this.#info)
    return firstMessage > 0
      ? errors.firstMessageTimeout(this.#info, firstMessage)
      : errors.recvTimeout(this.#info, recv)
  }

  #settle(outcome: Effect.Effect<unknown, UnaryError>): void {
    const resume = this.#resume
    if (resume === undefined) return
    this.#resume = undefined
    this.#timers.disarm(this)
    resume(outcome)
  }

  #outcome(): Effect.Effect<unknown, UnaryError> {
    const raw = this.#raw
    const end = raw.end
    const results: Array<unknown> = []
    if (raw.available > 0) {
      try {
        raw.take(this.#plan.decodeResponse, 2, results)
      } catch (thrown) {
        raw.abort("cancel", errors.localCancel)
        return Effect.fail(errors.fromCodec(this.#info, thrown))
      }
      this.recvCount = results.length
      this.recvBytes = raw.lastTakenBytes
    }
    if (raw.header !== undefined) this.#onHeader?.(raw.header)
    if (results.length > 1) {
      raw.abort("cancel", errors.localCancel)
      return Effect.fail(errors.secondResponse(this.#info))
    }
    if (end === undefined || end._tag === "HalfClosed") return Effect.fail(errors.streamDone(this.#info))
    if (end._tag === "Failed") {
      return Effect.fail(
        end.error.code === 1 && this.#deadline > 0 && this.#timers.now() >= this.#deadline
          ? errors.deadlineExceeded(this.#info)
          : errors.fromTransport(this.#info, end.error)
      )
    }
    if (raw.trailer !== undefined) this.#onTrailer?.(raw.trailer)
    const error = errors.fromStatus(this.#info, end.status)
    if (error instanceof BizStatusError && this.#info instanceof ClientInfo) this.#info.bizError = error
    if (error !== undefined) return Effect.fail(error)
    if (results.length === 0) return Effect.fail(errors.noMessage(this.#info))
    const result = results[0] as Result
    return this.#whole ? Effect.succeed(result) : answerIn(this.#plan.exceptions, result)
  }
}
