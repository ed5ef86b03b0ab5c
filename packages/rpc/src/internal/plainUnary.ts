/**
 * A unary call with nothing around it, from its admission to its answer. Where nothing of it was sent it goes on to the next
 * instance.
 *
 * @internal
 */
import type { RawClientStream } from "@millrace/transport/RawStream"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { CallError } from "../ClientStream.ts"
import { RpcError } from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import type { CallOptions } from "../StreamOptions.ts"
import type { Reader } from "./callContext.ts"
import type { ClientGovernance } from "./clientGovernance.ts"
import type { ClientMethod } from "./clientMethod.ts"
import * as errors from "./errors.ts"
import type { Lifecycle } from "./lifecycle.ts"
import { broken } from "./outcome.ts"
import type { Placement } from "./placement.ts"
import type { Start, StreamOpener } from "./streamOpener.ts"
import type { Timers } from "./timers.ts"
import { type Resume, UnaryCall } from "./unaryCall.ts"

/** @internal */
export class PlainUnary extends UnaryCall {
  readonly #opener: StreamOpener
  readonly #governance: ClientGovernance
  readonly #context: Context.Context<never>
  readonly #reader: Reader
  readonly #method: ClientMethod
  readonly #request: unknown
  readonly #options: CallOptions
  /** Undefined where its address is known and nobody hears of it. */
  declare protected observer: Placement | undefined
  #waiting: Fiber.Fiber<void> | undefined

  /** It waits in `context`, where it has to wait. */
  constructor(
    opener: StreamOpener,
    governance: ClientGovernance,
    timers: Timers,
    context: Context.Context<never>,
    reader: Reader,
    method: ClientMethod,
    info: RpcInfo,
    request: unknown,
    options: CallOptions,
    lifecycle: Lifecycle | undefined
  ) {
    const { onHeader, onTrailer } = options
    super(info, method.plan, timers, opener.settings(options), onHeader, onTrailer, lifecycle, false)
    this.#opener = opener
    this.#governance = governance
    this.#context = context
    this.#reader = reader
    this.#method = method
    this.#request = request
    this.#options = options
  }

  override opened(raw: RawClientStream, info: RpcInfo, deadline: number): void {
    super.opened(raw, info, deadline)
    const placement = this.observer
    if (placement === undefined) return
    placement.info = info
    placement.connected()
  }

  /** Resumes once; gives what to do when the fiber is interrupted meanwhile. */
  begin(resume: Resume): Effect.Effect<void> | undefined {
    const governance = this.#governance
    const address = governance.address(this.#options)
    if (address !== undefined) return this.#openAt(address, resume)
    const admitted = governance.admit(this.info)
    if (admitted instanceof RpcError) {
      resume(Effect.fail(admitted))
      return undefined
    }
    const placement = governance.placement(this.info, this.#request, this.#reader, this.#options, admitted)
    this.observer = placement
    try {
      return this.#openAt(placement.choose(), resume)
    } catch (defect) {
      placement.ended(broken(Cause.die(defect)))
      throw defect
    }
  }

  #openAt(address: string | Effect.Effect<string, RpcError>, resume: Resume): Effect.Effect<void> | undefined {
    const opener = this.#opener
    if (
      typeof address === "string" &&
      opener.openNow(this.#reader, this.#method, this.info, this.#options, address, this)
    ) {
      return this.run(this.#request, resume)
    }
    this.resume = resume
    this.#wait(address, opener.deadline(this.#reader, this.#options))
    return this.cancel
  }

  protected override again(unsent: RpcError): boolean {
    const placement = this.observer
    if (placement === undefined) return false
    placement.disconnected()
    if (!placement.failed(unsent)) return false
    try {
      this.#wait(placement.choose(), this.deadline === 0 ? Infinity : this.deadline)
    } catch (defect) {
      this.finish(Exit.die(defect))
    }
    return true
  }

  /**
   * For a stream, in a fiber of its own: that of the call may be interrupted before it runs on, and a frame that stands ready for
   * that would cost the calls that need not wait. The step that ends the wait uses the stream or ends it.
   */
  #wait(address: string | Effect.Effect<string, RpcError>, deadline: number): void {
    let raw: RawClientStream | undefined
    const opened = (stream: RawClientStream, info: RpcInfo, deadline: number): void => {
      raw = stream
      this.opened(stream, info, deadline)
    }
    const opening = Effect.suspend(() => this.#open(address, deadline, opened))
    const waited = Effect.map(Effect.exit(Effect.interruptible(opening)), (exit) => {
      this.#waiting = undefined
      const { resume } = this
      if (resume !== undefined && Exit.isSuccess(exit)) return void this.run(this.#request, resume)
      raw?.abort("cancel", errors.localCancel)
      if (Exit.isFailure(exit)) this.finish(exit)
    })
    const fiber = Effect.runForkWith(this.#context)(waited, { uninterruptible: true })
    if (fiber.pollUnsafe() === undefined) this.#waiting = fiber
  }

  #open(
    address: string | Effect.Effect<string, RpcError>,
    deadline: number,
    start: Start<void>
  ): Effect.Effect<void, CallError> {
    const placement = this.observer
    return placement === undefined
      ? this.#opener.openAt(this.#reader, this.#method, this.info, this.#options, address as string, deadline, start)
      : this.#opener.open(this.#reader, this.#method, this.#options, start, placement, address, deadline)
  }

  /** Who chooses an instance may do so until it is interrupted: the end is told behind that. */
  protected override cancelled(): Effect.Effect<void> {
    const waiting = this.#waiting
    return waiting === undefined ? super.cancelled() : Effect.flatMap(Fiber.interrupt(waiting), () => super.cancelled())
  }
}
