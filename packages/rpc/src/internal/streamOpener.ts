/**
 * How the raw stream of a call comes to be: its deadline, its instance, its headers.
 *
 * @internal
 */
import type { RawClientStream } from "@millrace/transport/RawStream"
import type { ClientTransport, OpenRequest } from "@millrace/transport/Transport"
import * as Effect from "effect/Effect"
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
import type { OutgoingHeaders } from "./outgoing.ts"
import type { Timers } from "./timers.ts"

/** What is made of a raw stream, in the step that opens it; a deadline of 0 is none. @internal */
export type Start<A> = (raw: RawClientStream, info: RpcInfo, deadline: number) => A

/** The deadline of a call that has not passed, as budgets have it. */
const due = (deadline: number): number => (deadline === Infinity ? 0 : deadline)

/** @internal */
export class StreamOpener {
  readonly #settings: LiveSettings<AnyOptions | CallOptions, StreamCallSettings>
  readonly #transport: ClientTransport["Service"]
  readonly #timers: Timers
  readonly #outgoing: OutgoingHeaders
  readonly #authority: string

  constructor(
    authority: string,
    options: AnyOptions,
    transport: ClientTransport["Service"],
    timers: Timers,
    outgoing: OutgoingHeaders
  ) {
    this.#settings = new LiveSettings<AnyOptions | CallOptions, StreamCallSettings>(options, settingsOf)
    this.#transport = transport
    this.#timers = timers
    this.#outgoing = outgoing
    this.#authority = authority
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

  /** Opens without waiting, where that is possible; undefined where it is not. */
  openNow<A>(
    fiber: Reader,
    method: ClientMethod,
    unplaced: RpcInfo,
    options: CallOptions,
    address: string,
    start: Start<A>
  ): A | undefined {
    const deadline = this.deadline(fiber, options)
    const now = deadline < Infinity ? this.#timers.now() : 0
    if (deadline <= now) return undefined
    const info = method.placed(unplaced, address, fiber)
    const raw = this.#transport.tryOpen(this.#request(fiber, method, options, address, deadline, now))
    return raw === undefined ? undefined : start(raw, info, due(deadline))
  }

  /** Opens at the instance of the placement, or at the next. */
  open<A>(
    fiber: Reader,
    method: ClientMethod,
    options: CallOptions,
    start: Start<A>,
    placement: Placement,
    first: string | Effect.Effect<string, RpcError>
  ): Effect.Effect<A, CallError> {
    const { info } = placement
    const deadline = this.deadline(fiber, options)
    return atInstances(
      placement,
      (address) => this.openAt(fiber, method, info, options, address, deadline, start),
      (choosing) => this.inTime(choosing, deadline, info),
      first
    )
  }

  /** What a call waits for before it has a stream, no longer than until its deadline. */
  inTime<A>(waiting: Effect.Effect<A, RpcError>, deadline: number, info: RpcInfo): Effect.Effect<A, RpcError> {
    return deadline === Infinity
      ? waiting
      : Effect.timeoutOrElse(waiting, {
          duration: Math.max(0, deadline - this.#timers.now()),
          orElse: () => Effect.fail(errors.deadlineExceeded(info))
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
    const raw = this.#transport.tryOpen(request)
    if (raw !== undefined) return Effect.succeed(start(raw, info, due(deadline)))
    // The step that opens the raw stream is also the one that makes something of it: an interruption between the two
    // would leave it open.
    const opening = Effect.uninterruptible(
      Effect.matchEffect(Effect.interruptible(this.#transport.open(request)), {
        onFailure: (error) => Effect.fail(errors.fromTransport(info, error)),
        onSuccess: (raw) => Effect.succeed(start(raw, info, due(deadline)))
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
  ): OpenRequest {
    const { compressor, connectTimeoutMillis } = this.settings(options)
    return {
      address,
      path: method.plan.path,
      authority: this.#authority,
      timeoutMillis: deadline < Infinity ? deadline - now : undefined,
      metadata: this.#outgoing.get(fiber, method.unplaced.method, options.metadata),
      compressor,
      connectTimeoutMillis
    }
  }
}
