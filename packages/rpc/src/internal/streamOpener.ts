/**
 * How the raw stream of a call comes to be: its deadline, its instance, its headers.
 *
 * @internal
 */
import type { RawClientStream } from "@millrace/transport/RawStream"
import type { ClientTransport, OpenRequest, StreamTransport } from "@millrace/transport/Transport"
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"
import * as Deadline from "../Deadline.ts"
import type { CallError } from "../ClientStream.ts"
import type { RpcError } from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import type { CallOptions } from "../StreamOptions.ts"
import { type AnyOptions, type StreamCallSettings, noOptions, settingsOf } from "./streamSettings.ts"
import type { Reader } from "./callContext.ts"
import type { ClientMethod } from "./clientMethod.ts"
import { atInstances, type Placement } from "./placement.ts"
import * as errors from "./errors.ts"
import { LiveSettings } from "./liveSettings.ts"
import { oneOf } from "./oneOf.ts"
import { OutgoingHeaders, type OutgoingOptions } from "./outgoing.ts"
import { StreamHeaders } from "./streamHeaders.ts"
import type { Timers } from "./timers.ts"

/** What is made of a raw stream, in the step that opens it; a deadline of 0 is none. @internal */
export type Start<A> = (raw: RawClientStream, info: RpcInfo, deadline: number) => A

/** What is made of a raw stream without waiting. @internal */
export interface Openable {
  readonly opened: (...args: Parameters<Start<void>>) => void
}

const transports: ReadonlyArray<StreamTransport> = ["grpc", "ttheader-streaming", "auto"]

/** The deadline of a call that has not passed, as budgets have it. */
const due = (deadline: number): number => (deadline === Infinity ? 0 : deadline)

/** @internal */
export class StreamOpener {
  readonly #settings: LiveSettings<AnyOptions | CallOptions, StreamCallSettings>
  readonly #transport: ClientTransport["Service"]
  readonly #timers: Timers
  /** What carries streams here. */
  readonly #carrier: StreamTransport
  readonly #outgoing: OutgoingOptions
  readonly #http2: OutgoingHeaders
  readonly #ttheader: StreamHeaders
  #warnedOfCompressor = false

  constructor(options: AnyOptions, transport: ClientTransport["Service"], timers: Timers, outgoing: OutgoingOptions) {
    this.#settings = new LiveSettings<AnyOptions | CallOptions, StreamCallSettings>(options, settingsOf)
    this.#transport = transport
    this.#timers = timers
    this.#carrier = oneOf("transport", transports, options.transport ?? "grpc")
    this.#outgoing = outgoing
    this.#http2 = new OutgoingHeaders(outgoing)
    this.#ttheader = new StreamHeaders(outgoing)
  }

  settings(options: CallOptions): StreamCallSettings {
    return options === noOptions ? this.#settings.own : this.#settings.of(options)
  }

  /** The absolute deadline of a call, infinite for none. */
  deadline(fiber: Reader, options: CallOptions): number {
    const inherited = fiber.getRef(Deadline.Current) ?? Infinity
    const timeout = "timeout" in options ? settingsOf(options).timeout : this.#settings.own.timeout
    return timeout === Infinity ? inherited : Math.min(this.#timers.now() + timeout, inherited)
  }

  /** Opens without waiting, where that is possible. */
  openNow(
    fiber: Reader,
    method: ClientMethod,
    unplaced: RpcInfo,
    options: CallOptions,
    address: string,
    call: Openable
  ): boolean {
    const deadline = this.deadline(fiber, options)
    const now = deadline < Infinity ? this.#timers.now() : 0
    if (deadline <= now) return false
    const info = method.placed(unplaced, address, fiber)
    const request = this.#request(fiber, method, options, address, deadline, now)
    const raw = typeof request === "string" ? undefined : this.#transport.tryOpen(request)
    if (raw === undefined) return false
    call.opened(raw, method.carriedBy(info, raw.protocol), due(deadline))
    return true
  }

  /** Opens at the instance of the placement, or at the next. */
  open<A>(
    fiber: Reader,
    method: ClientMethod,
    options: CallOptions,
    start: Start<A>,
    placement: Placement,
    first: string | Effect.Effect<string, RpcError>,
    deadline = this.deadline(fiber, options)
  ): Effect.Effect<A, CallError> {
    const { info } = placement
    return atInstances(
      placement,
      (address) => this.openAt(fiber, method, info, options, address, deadline, start),
      (choosing) => this.inTime(choosing, deadline, info),
      first
    )
  }

  /** What a call waits for before it has a stream, no longer than until its deadline. */
  inTime<A>(waiting: Effect.Effect<A, RpcError>, deadline: number, info: RpcInfo): Effect.Effect<A, RpcError> {
    if (deadline === Infinity) return waiting
    const millis = Math.max(0, deadline - this.#timers.now())
    return Effect.timeoutOrElse(waiting, {
      duration: millis,
      orElse: () => Effect.fail(errors.deadlineExceeded(info, millis))
    })
  }

  openAt<A>(
    fiber: Reader,
    method: ClientMethod,
    unplaced: RpcInfo,
    options: CallOptions,
    address: string,
    deadline: number,
    start: Start<A>
  ): Effect.Effect<A, RpcError> {
    const info = method.placed(unplaced, address, fiber)
    const now = this.#timers.now()
    // A call whose time is over must not touch the network.
    if (deadline <= now) return Effect.fail(errors.deadlineExceeded(info))
    const request = this.#request(fiber, method, options, address, deadline, now)
    if (typeof request === "string") return Effect.fail(errors.invalidMetadata(info, request))
    const started = (raw: RawClientStream): A => start(raw, method.carriedBy(info, raw.protocol), due(deadline))
    const raw = this.#transport.tryOpen(request)
    if (raw !== undefined) return Effect.succeed(started(raw))
    // Nothing comes between the step that opens the raw stream and the one that makes something of it: an interruption
    // there would leave it open. So the fiber gives way only where it waits.
    const opened = Effect.provideService(
      Effect.interruptible(this.#transport.open(request)),
      Scheduler.PreventSchedulerYield,
      true
    )
    const opening = Effect.uninterruptible(
      Effect.matchEffect(opened, {
        onFailure: (error) => Effect.fail(errors.fromTransport(info, error)),
        onSuccess: (raw) => Effect.succeed(started(raw))
      })
    )
    return this.inTime(opening, deadline, info)
  }

  #request(
    fiber: Reader,
    method: ClientMethod,
    options: CallOptions,
    address: string,
    deadline: number,
    now: number
  ): OpenRequest | string {
    const { compressor, connectTimeoutMillis } = this.settings(options)
    const overHttp2 = this.#carrier !== "ttheader-streaming"
    if (compressor !== undefined && !overHttp2) this.#warnOfCompressor()
    const header = this.#carrier === "grpc" ? undefined : this.#ttheader.get(fiber, method.plan, options.metadata)
    if (typeof header === "string") return header
    return {
      address,
      path: method.plan.path,
      authority: this.#outgoing.destService,
      timeoutMillis: deadline < Infinity ? deadline - now : undefined,
      metadata: overHttp2 ? this.#http2.get(fiber, method.unplaced.method, options.metadata) : undefined,
      compressor,
      connectTimeoutMillis,
      transport: this.#carrier,
      header,
      unary: method.unplaced.mode === "unary"
    }
  }

  #warnOfCompressor(): void {
    if (this.#warnedOfCompressor) return
    this.#warnedOfCompressor = true
    this.#outgoing.warn(
      "The option compressor is for streams over HTTP/2: over TTHeader streaming messages go out as they are. This client says so once."
    )
  }
}
