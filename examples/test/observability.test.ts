import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  hasCollector,
  hasPrometheus,
  holds,
  metricsOf,
  spansOf,
  startCollector,
  startPrometheus
} from "./collectors.ts"
import { run, start } from "./programs.ts"

/** By transport, how a deadline that has passed is told. */
const deadlines = {
  grpc: { code: "4", text: "rpc error: code = 4 desc = context deadline exceeded" },
  "ttheader-streaming": {
    code: "12015",
    text:
      "rpc error: code = 12015 desc = [ttstream error, code=12015] [client-side stream] stream timeout, " +
      "no explicit timeout set in stream ctx"
  }
}

type Transport = keyof typeof deadlines
const transports: ReadonlyArray<Transport> = ["grpc", "ttheader-streaming"]

const startServer = (...args: ReadonlyArray<string>) =>
  start("observability/server.ts", "--port", "0", "--metrics-port", "0", ...args)

/** `HOST:PORT` of the page, which is there before the server listens. */
const pageOf = (lines: ReadonlyArray<string>) => /^metrics on http:\/\/(.*)\/metrics$/.exec(lines[0]!)![1]!

const visit = (address: string, transport: Transport, ...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const client = yield* run("observability/client.ts", "--address", address, "--transport", transport, ...args)
    assert.deepStrictEqual(client.lines, [
      "EchoUnary    hello",
      "EchoServer   3 messages",
      "EchoPingPong hello hello",
      `EchoServer   ${deadlines[transport].text}`
    ])
    assert.strictEqual(client.code, 0)
  })

const service = "echo.TestService"

/** Labels, as they were sent or with what Prometheus adds to them. */
const calls = (method: string) => ({ caller: "web", callee: "TestService", method, status: "succeed", retry: "0" })

describe("observability", { timeout: 90_000 }, () => {
  it.live.each(transports)("the page of the server has Kitex's names, labels and buckets, over %s", (transport) =>
    Effect.gen(function* () {
      const server = yield* startServer()
      yield* visit(server.address, transport)
      const page = yield* Effect.promise(async () => (await fetch(`http://${pageOf(server.lines)}/metrics`)).text())
      const labels = `caller="web",callee="TestService",method="EchoUnary",status="succeed",retry="0"`
      assert.include(page, `# TYPE kitex_server_throughput counter\n`)
      assert.include(page, `kitex_server_throughput{${labels}} 1\n`)
      const buckets = Array.from(page.matchAll(/^kitex_server_latency_us_bucket\{.*method="EchoUnary".*le="(.*)"\}/gm))
      assert.deepStrictEqual(
        buckets.map(([, le]) => le),
        ["5000", "10000", "25000", "50000", "100000", "250000", "500000", "1000000", "+Inf"]
      )
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live.skipIf(!hasPrometheus)("Prometheus reads it", () =>
    Effect.gen(function* () {
      const server = yield* startServer()
      const page = pageOf(server.lines)
      const prometheus = yield* startPrometheus(page)
      yield* visit(server.address, "grpc")
      yield* holds(prometheus.query("sort_desc(kitex_server_throughput)"), (samples) =>
        assert.deepStrictEqual(
          samples.map(({ metric, value }) => [metric, value[1]]),
          ["EchoPingPong", "EchoServer", "EchoUnary"].map((method) => [
            { __name__: "kitex_server_throughput", ...calls(method), instance: page, job: "echo" },
            "1"
          ])
        )
      )
      const quantile = `histogram_quantile(0.99, sum by (le) (kitex_server_latency_us_bucket)) < 1e9`
      yield* holds(prometheus.query(quantile), (samples) => assert.lengthOf(samples, 1))
      yield* holds(prometheus.query(`kitex_stream_messages{side="server"}`), (samples) =>
        assert.deepStrictEqual(
          samples.map(({ metric, value }) => [metric["rpc_method"], metric["direction"], value[1]]).toSorted(),
          [
            [`${service}/EchoServer`, "received", "1"],
            [`${service}/EchoServer`, "sent", "3"]
          ]
        )
      )
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  describe.skipIf(!hasCollector)("an OpenTelemetry collector", () => {
    it.live.each(transports)("gets one trace through both processes, and metrics, over %s", (transport) =>
      Effect.gen(function* () {
        const collector = yield* startCollector
        const server = yield* startServer("--otlp", collector.url)
        yield* visit(server.address, transport, "--otlp", collector.url)
        yield* server.stop

        yield* holds(collector.received("traces"), (requests) => {
          const spans = spansOf(requests)
          assert.strictEqual(new Set(spans.map(({ traceId }) => traceId)).size, 1)
          const nameOf = (spanId: string | undefined) => {
            const span = spans.find((span) => span.spanId === spanId)
            return span === undefined ? "" : `${span.process} ${span.name}`
          }
          assert.deepStrictEqual(
            spans.map((span) => [nameOf(span.parentSpanId), nameOf(span.spanId), span.kind, span.error]).toSorted(),
            [
              ["", "web visit", "internal", ""],
              [`web ${service}/EchoPingPong`, `echo ${service}/EchoPingPong`, "server", ""],
              [`web ${service}/EchoServer`, `echo ${service}/EchoServer`, "server", ""],
              [`web ${service}/EchoUnary`, `echo ${service}/EchoUnary`, "server", ""],
              ["web visit", `web ${service}/EchoPingPong`, "client", ""],
              ["web visit", `web ${service}/EchoServer`, "client", ""],
              ["web visit", `web ${service}/EchoServer`, "client", "DeadlineExceeded"],
              ["web visit", `web ${service}/EchoUnary`, "client", ""]
            ]
          )
          for (const { attributes, error, name } of spans.filter(({ kind }) => kind !== "internal")) {
            assert.deepInclude(attributes, {
              "rpc.system.name": "kitex",
              "rpc.method": name,
              "rpc.response.status_code": error === "" ? "0" : deadlines[transport].code,
              "network.peer.address": "127.0.0.1"
            })
          }
        })

        yield* holds(collector.received("metrics"), (requests) => {
          const metrics = metricsOf(requests)
          const valueOf = (process: string, name: string, labels: Readonly<Record<string, string>>) =>
            metrics.find(
              (metric) =>
                metric.process === process &&
                metric.name === name &&
                Object.entries(labels).every(([key, value]) => metric.attributes[key] === value)
            )?.value
          const method = { "rpc.method": `${service}/EchoServer` }
          assert.strictEqual(valueOf("echo", "rpc.server.call.duration", method), 1)
          assert.strictEqual(
            valueOf("web", "rpc.client.call.duration", { ...method, "error.type": "DeadlineExceeded" }),
            1
          )
          assert.strictEqual(valueOf("web", "kitex_client_throughput", calls("EchoPingPong")), 1)
          for (const [process, sent, received] of [
            ["web", 1, 3],
            ["echo", 3, 1]
          ] as const) {
            assert.strictEqual(valueOf(process, "kitex.stream.messages", { ...method, direction: "sent" }), sent)
            assert.strictEqual(
              valueOf(process, "kitex.stream.messages", { ...method, direction: "received" }),
              received
            )
            assert.strictEqual(valueOf(process, "kitex.stream.active", method), 0)
            assert.strictEqual(valueOf(process, "kitex.stream.ends", { ...method, reason: "eof" }), 1)
          }
        })
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
    )
  })
})
