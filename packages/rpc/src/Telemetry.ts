/**
 * Spans, metrics and log annotations of every call, with one Layer and no code, under the names that dashboards already
 * read.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { install } from "./internal/installedTracers.ts"
import { oneOf } from "./internal/oneOf.ts"
import { kitex, otel, prometheus } from "./internal/telemetry/callMetrics.ts"
import { logs } from "./internal/telemetry/logs.ts"
import { Spans } from "./internal/telemetry/spans.ts"
import { StreamMetrics } from "./internal/telemetry/streamMetrics.ts"
import type { RpcTracer } from "./RpcTracer.ts"

const callMetrics = { otel, kitex, prometheus }
const namings: ReadonlyArray<Naming> = ["otel", "kitex", "prometheus"]

/**
 * A convention of names.
 *
 * - `otel`: the current conventions of OpenTelemetry for RPC: `rpc.client.call.duration` and `rpc.server.call.duration`
 *   in seconds, `rpc.method` with the full name;
 * - `kitex`: those of Kitex's OpenTelemetry suite: `rpc.client.duration` and `rpc.server.duration` in milliseconds, sizes and
 *   counts of messages, `rpc.service` with the name that registries know (`info.callee`), `rpc.method`, `request.protocol`;
 * - `prometheus`: those of Kitex's Prometheus monitor: `kitex_client_throughput`, `kitex_server_latency_us` and so on, with
 *   its labels and buckets. It has no names for spans.
 *
 * @since 0.1.0
 * @category options
 */
export type Naming = "otel" | "kitex" | "prometheus"

/**
 * What is told, and how it is named.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /**
   * One convention, or several side by side. Where two give one attribute of a span different meanings, the first in the
   * list counts. Default `otel`.
   */
  readonly naming?: Naming | ReadonlyArray<Naming> | undefined
  /**
   * A span for each call and side, with the `Tracer` of the fiber. It continues the trace that came in (`traceparent`, plain
   * or as metainfo), and calls carry it on, with `tracestate` and `baggage`. Default true.
   */
  readonly spans?: boolean | undefined
  /** Durations and ends of calls, and the metrics of streams. Default true. */
  readonly metrics?: boolean | undefined
  /** In handlers every line of log carries `rpc.service`, `rpc.method` and `log.id`. Default true. */
  readonly logs?: boolean | undefined
  /**
   * A span event for each message of a stream, not for the first and the last alone: of each direction for the first 61 and
   * the last, so that a span has no more than 128. Default false.
   */
  readonly messageEvents?: boolean | undefined
  /**
   * How this service calls itself towards servers, as Kitex's suite does it: what they show as `peer.service`. Default: not
   * at all.
   */
  readonly service?:
    | { readonly name: string; readonly namespace?: string | undefined; readonly environment?: string | undefined }
    | undefined
}

/**
 * Tells of all clients and servers that it is provided to, of each call and side once: where one layer is provided above
 * another the inner one tells, and of those side by side the last. What comes of it is up to the application: with the modules of
 * `effect/observability` spans, metrics and logs go to an OpenTelemetry collector, or metrics to Prometheus.
 *
 * Streams have metrics of their own, whatever the naming: `kitex.stream.first_message.duration`, `message.gap`, `messages`,
 * `message.size`, `active`, `send_blocked.duration`, `buffered_bytes` and `ends`. Names of methods that a server does not have
 * are one label, and so are addresses and callers past the first few hundred, until one of those was not seen for an hour, and
 * names of more than 128 characters.
 *
 * **Example** (Traces and metrics of a client)
 *
 * ```ts
 * import { Telemetry } from "@millrace/rpc"
 *
 * const Observed = Telemetry.layer({ naming: ["otel", "prometheus"] })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<never> => {
  const naming = (typeof options.naming === "string" ? [options.naming] : (options.naming ?? ["otel"])).map((name) =>
    oneOf("naming of Telemetry.layer", namings, name)
  )
  return install(
    "telemetry",
    Effect.gen(function* () {
      const context = yield* Effect.context<never>()
      const clock = yield* Clock.Clock
      const tracers: Array<RpcTracer> = []
      if (options.spans ?? true) {
        const ofSpans = naming.filter((name) => name !== "prometheus")
        tracers.push(
          new Spans(clock, {
            naming: ofSpans.length === 0 ? ["otel"] : ofSpans,
            messageEvents: options.messageEvents ?? false,
            peer: peer(options.service)
          })
        )
      }
      if (options.logs ?? true) tracers.push(logs)
      if (options.metrics ?? true) {
        for (const name of naming) tracers.push(callMetrics[name](context))
        tracers.push(new StreamMetrics(context, clock))
      }
      return tracers
    })
  )
}

const peer = (service: Options["service"]): ReadonlyArray<readonly [string, string]> =>
  service === undefined
    ? []
    : [
        ["service.name", service.name],
        ...(service.namespace === undefined ? [] : [["service.namespace", service.namespace] as const]),
        ...(service.environment === undefined ? [] : [["deployment.environment", service.environment] as const])
      ]
