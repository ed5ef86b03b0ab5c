/**
 * What is particular to streams: how long the first message takes, the gaps behind it, what waits and what is held back.
 *
 * @internal
 */
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import { isStream, type RpcInfo } from "../../RpcInfo.ts"
import type { MessageEvent, RpcFinish } from "../../RpcTracer.ts"
import type { DirectTracer } from "../tracing.ts"
import { type MethodNames, PerMethod } from "./methods.ts"
import { type StreamEnd, streamEnd } from "./outcome.ts"
import { type Sizes, sizes } from "./sizes.ts"

const seconds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

class MethodMetrics {
  readonly active: Metric.Gauge<number>
  readonly firstMessage: Metric.Histogram<number>
  readonly gap: Metric.Histogram<number>
  readonly sent: Metric.Counter<number>
  readonly received: Metric.Counter<number>
  readonly sentSize: Sizes
  readonly receivedSize: Sizes
  readonly blocked: Metric.Histogram<number>
  readonly buffered: Sizes
  readonly #ends = new Map<StreamEnd, Metric.Counter<number>>()
  readonly #attributes: Readonly<Record<string, string>>

  constructor({ fullName, side }: MethodNames, context: Context.Context<never>) {
    const labels = { "rpc.method": fullName, side }
    this.#attributes = { unit: "{stream}", ...labels }
    const duration = (name: string, description: string) =>
      Metric.histogram(`kitex.stream.${name}`, {
        description,
        attributes: { unit: "s", ...labels },
        boundaries: seconds
      })
    const messages = (direction: string) =>
      Metric.counter("kitex.stream.messages", {
        description: "Messages of streams",
        attributes: { unit: "{message}", ...labels, direction },
        incremental: true
      })
    const size = (direction: string) =>
      sizes(context, "kitex.stream.message.size", "Payload size of messages of streams", {
        ...labels,
        direction
      })
    this.active = Metric.gauge("kitex.stream.active", {
      description: "Streams that are open",
      attributes: this.#attributes
    })
    this.firstMessage = duration("first_message.duration", "Time until the first message was received")
    this.gap = duration("message.gap", "Time between two receives that gave messages")
    this.sent = messages("sent")
    this.received = messages("received")
    this.sentSize = size("sent")
    this.receivedSize = size("received")
    this.blocked = duration("send_blocked.duration", "Time that a send waited for room in the local buffer")
    this.buffered = sizes(
      context,
      "kitex.stream.buffered_bytes",
      "Bytes that flow control held back in the local buffer, behind a send",
      labels
    )
  }

  end(reason: StreamEnd): Metric.Counter<number> {
    let counter = this.#ends.get(reason)
    if (counter === undefined) {
      counter = Metric.counter("kitex.stream.ends", {
        description: "Streams that have ended, by what ended them",
        attributes: { ...this.#attributes, reason },
        incremental: true
      })
      this.#ends.set(reason, counter)
    }
    return counter
  }
}

/** A stream that is open. */
interface Open {
  readonly metrics: MethodMetrics
  /** When it began, until the first message; then when the last one came. In nanoseconds. */
  since: number
  received: boolean
}

/** @internal */
export class StreamMetrics implements DirectTracer {
  readonly #context: Context.Context<never>
  readonly #clock: Clock.Clock
  readonly #methods = new PerMethod((names) => new MethodMetrics(names, this.#context))
  readonly #open = new WeakMap<RpcInfo, Open>()

  constructor(context: Context.Context<never>, clock: Clock.Clock) {
    this.#context = context
    this.#clock = clock
  }

  #now(): number {
    return Number(this.#clock.monotonicTimeNanosUnsafe())
  }

  streamStart(info: RpcInfo): void {
    if (!isStream(info)) return
    const metrics = this.#methods.get(info)
    this.#open.set(info, { metrics, since: this.#now(), received: false })
    metrics.active.modifyUnsafe(1, this.#context)
  }

  streamRecv(event: MessageEvent): void {
    const open = this.#open.get(event.info)
    if (open === undefined || event.count === 0) return
    const { metrics } = open
    const now = this.#now()
    const waited = open.received ? metrics.gap : metrics.firstMessage
    waited.updateUnsafe((now - open.since) / 1e9, this.#context)
    open.since = now
    open.received = true
    metrics.received.updateUnsafe(event.count, this.#context)
    metrics.receivedSize.add(event.count, event.bytes)
  }

  streamSend(event: MessageEvent): void {
    const open = this.#open.get(event.info)
    if (open === undefined || event.count === 0) return
    const { metrics } = open
    metrics.sent.updateUnsafe(event.count, this.#context)
    metrics.sentSize.add(event.count, event.bytes)
    metrics.buffered.add(1, event.buffered)
  }

  sendBlocked(info: RpcInfo, millis: number): void {
    this.#open.get(info)?.metrics.blocked.updateUnsafe(millis / 1000, this.#context)
  }

  end(event: RpcFinish): void {
    const { info } = event
    if (!isStream(info)) return
    const open = this.#open.get(info)
    if (open !== undefined) {
      this.#open.delete(info)
      open.metrics.active.modifyUnsafe(-1, this.#context)
    }
    // Also of one that never came to be.
    this.#methods.get(info).end(streamEnd(event)).updateUnsafe(1, this.#context)
  }
}
