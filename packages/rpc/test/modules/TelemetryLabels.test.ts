import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Effect, Exit, Metric, References } from "effect"
import type { RpcInfo, RpcTracer } from "../../src/index.ts"
import type { DirectTracer } from "../../src/internal/tracing.ts"
import { otel, prometheus } from "../../src/internal/telemetry/callMetrics.ts"
import { logs } from "../../src/internal/telemetry/logs.ts"

class Metrics {
  millis = 0
  readonly context: Context.Context<never>
  readonly #tracer: DirectTracer

  constructor(make: (context: Context.Context<never>) => DirectTracer) {
    this.context = Context.make(Metric.MetricRegistry, new Map()).pipe(
      Context.add(Clock.Clock, { currentTimeMillisUnsafe: () => this.millis } as Clock.Clock)
    ) as Context.Context<never>
    this.#tracer = make(this.context)
  }

  finish(info: Partial<RpcInfo.RpcInfo>): void {
    const event = {
      info: {
        side: "server",
        path: "/S/M",
        service: "S",
        method: "M",
        caller: "",
        callee: "S",
        address: "",
        ...info
      },
      exit: Exit.void,
      durationMillis: 1
    } as unknown as RpcTracer.RpcFinish
    this.#tracer.end!(event)
  }

  labels(id: string, label: string): ReadonlyArray<string | undefined> {
    return Metric.snapshotUnsafe(this.context)
      .filter((metric) => metric.id === id)
      .map(({ attributes }) => attributes?.[label])
  }

  get callers() {
    return this.labels("kitex_server_throughput", "caller")
  }
}

const hour = 60 * 60 * 1000

describe("labels that the outside gives", () => {
  it("of more than 128 characters are one", () => {
    const metrics = new Metrics(prometheus)
    for (const caller of ["x".repeat(128), "x".repeat(129), `y${"x".repeat(60_000)}`]) metrics.finish({ caller })
    assert.deepStrictEqual(metrics.callers, ["x".repeat(128), "_OTHER"])
  })

  it("count for methods that are known", () => {
    const metrics = new Metrics(prometheus)
    for (const caller of ["a", "b"]) metrics.finish({ caller, unknown: true })
    assert.deepStrictEqual(metrics.callers, ["unknown"])
  })

  it("that were not seen for an hour make room for new ones", () => {
    const metrics = new Metrics(prometheus)
    metrics.finish({ caller: "steady" })
    for (let i = 0; i < 200; i++) metrics.finish({ caller: `made-up-${i}` })
    assert.strictEqual(metrics.callers.length, 129)
    metrics.finish({ caller: "late" })
    assert.notInclude(metrics.callers, "late")
    // In the first look all were in use; in the second only one is.
    for (let at = 0; at < 2; at++) {
      metrics.millis += hour
      metrics.finish({ caller: "late" })
      metrics.finish({ caller: "steady" })
    }
    assert.deepStrictEqual([...metrics.callers].sort(), ["_OTHER", "late", "steady"])
    const latencies = metrics.labels("kitex_server_latency_us", "caller")
    assert.deepStrictEqual([...latencies].sort(), ["_OTHER", "late", "steady"])
    // The counter of who stayed has gone on.
    const counts = Metric.snapshotUnsafe(metrics.context).filter(
      ({ attributes }) => attributes?.["caller"] === "steady"
    )
    assert.deepStrictEqual(
      counts.map(({ state }) => ("count" in state ? state.count : undefined)),
      [3, 3]
    )
  })

  it("are given back no sooner, however many come", () => {
    const metrics = new Metrics(prometheus)
    for (let i = 0; i < 128; i++) metrics.finish({ caller: `c${i}` })
    for (let i = 0; i < 1000; i++) {
      metrics.millis += hour / 1000 - 1
      metrics.finish({ caller: `d${i}` })
    }
    assert.deepStrictEqual([metrics.callers.length, metrics.callers[0]], [129, "c0"])
  })

  it("are addresses of instances too", () => {
    const metrics = new Metrics(otel)
    const addresses = () => metrics.labels("rpc.client.call.duration", "server.address")
    for (let i = 0; i < 300; i++) metrics.finish({ side: "client", address: `10.0.${i >> 8}.${i & 255}:1` })
    assert.strictEqual(addresses().length, 257)
    for (let at = 0; at < 2; at++) {
      metrics.millis += hour
      metrics.finish({ side: "client", address: "11.0.0.1:1" })
    }
    assert.deepStrictEqual([...addresses()].sort(), ["11.0.0.1", "_OTHER"])
  })
})

describe("the log id of log lines", () => {
  it.effect("has no control characters, and an end", () =>
    Effect.gen(function* () {
      const annotated = (logId: string) =>
        Effect.sync(() => {
          const info = {
            side: "server",
            service: "S",
            method: "M",
            path: "/S/M",
            logId
          } as RpcInfo.RpcInfo
          return Context.get(logs.begin!(info, Context.empty()), References.CurrentLogAnnotations)
        })
      const forged = yield* annotated("id\nlevel=ERROR message=forged\u001b[31m\u2028")
      assert.strictEqual(forged["log.id"], "id?level=ERROR message=forged?[31m?")
      const long = yield* annotated("x".repeat(60_000))
      assert.strictEqual(long["log.id"], "x".repeat(256))
    })
  )
})
