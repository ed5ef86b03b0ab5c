/** The metrics of our ends under Prometheus' names, beside those of Kitex's own monitor for the same calls. */
import { assert, describe, layer } from "@effect/vitest"
import { Client, StreamClient, Telemetry } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import { Effect, Layer, Metric, Stream } from "effect"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import { InteropService, Request } from "../src/api.ts"
import { CallsService } from "../src/calls.ts"
import { goAvailable } from "./go.ts"
import { serverHere } from "./here.ts"
import { KitexClient, kitexServer } from "./peers.ts"

const asks = [
  ["unary", "hi"],
  ["unary", "plain-error"],
  ["client", "hi"],
  ["call", "hi"],
  ["call", "hi"],
  ["call", "plain-error"],
  ["call", "biz"]
] as const

/**
 * The series of a text of Prometheus with their labels, sorted: how often calls ended in each way, and the buckets by their
 * borders. A server's own name is left out.
 */
const series = (text: string, side: "client" | "server"): ReadonlyArray<string> =>
  text
    .split("\n")
    .flatMap((line) => {
      const match = /^(kitex_\w+)\{(.*)\} (\S+)$/.exec(line)
      if (match === null || !match[1]!.startsWith(`kitex_${side}_`) || match[1]!.endsWith("_sum")) return []
      const labels = Array.from(match[2]!.matchAll(/(\w+)="([^"]*)"/g), ([, key, value]) =>
        // Go writes 1e+06
        key === "le" && value !== "+Inf" ? `le=${Number(value)}` : `${key}=${value}`
      )
      const kept = side === "server" ? labels.filter((label) => !label.startsWith("callee=")) : labels
      const value = match[1]!.endsWith("_bucket") ? "" : ` ${match[3]}`
      return [`${match[1]} ${kept.toSorted().join(" ")}${value}`]
    })
    .toSorted()

describe.skipIf(!goAvailable())("metrics under Prometheus' names", () => {
  const services = Layer.mergeAll(KitexClient.layer, NodeTransport.layerClient)

  layer(services, { excludeTestServices: true, timeout: "5 minutes" })((it) => {
    const kitexAsks = Effect.fnUntraced(function* (address: string, prometheus: boolean) {
      const run = yield* KitexClient
      let metrics = ""
      for (const [mode, word] of asks) {
        const { seen } = yield* run({ scenario: `ask-${mode}`, address, ask: { word, prometheus } })
        if (prometheus) metrics = seen.find(({ op }) => op === "metrics")!["value"] as string
      }
      return metrics
    })

    it.effect("of a server", () =>
      Effect.gen(function* () {
        const kitex = yield* kitexServer("--prometheus")
        yield* kitexAsks(kitex, false)
        const run = yield* KitexClient
        const { seen } = yield* run({ scenario: "ask-call", address: kitex, ask: { word: "metrics" } })
        const want = series(seen.at(-1)!["value"] as string, "server")
        assert.isAbove(want.length, 10)

        yield* kitexAsks(yield* Effect.provide(serverHere(), Telemetry.layer({ naming: "prometheus" })), false)
        assert.deepStrictEqual(series(yield* PrometheusMetrics.format(), "server"), want)
      }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()), Effect.scoped)
    )

    it.effect("of a client", () =>
      Effect.gen(function* () {
        const kitex = yield* kitexServer()
        const want = series(yield* kitexAsks(kitex, true), "client")
        assert.isAbove(want.length, 10)

        const options = { hostPorts: [kitex], callerName: "interop-go-client", destService: "interop" }
        const [streams, calls] = yield* Effect.all([
          StreamClient.make(InteropService, options),
          Client.make(CallsService, options)
        ]).pipe(Effect.provide(Telemetry.layer({ naming: "prometheus" })))
        for (const [mode, message] of asks) {
          const request = new Request({ message })
          const call: Effect.Effect<unknown, unknown> =
            mode === "call"
              ? calls.Call({ req: request })
              : mode === "unary"
                ? streams.Unary(request)
                : streams.Client(Stream.make(request))
          yield* Effect.exit(call)
        }
        assert.deepStrictEqual(series(yield* PrometheusMetrics.format(), "client"), want)
      }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()), Effect.scoped)
    )
  })
})
