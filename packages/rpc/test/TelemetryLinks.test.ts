import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Metric, Stream, Tracer } from "effect"
import { LogId, type ServerCall, Telemetry } from "../src/index.ts"
import { Testing } from "../src/testing/index.ts"
import { clientOf, settle } from "./support/client.ts"
import { call, logged, Request, Response, serve, struct, wrapped } from "./support/echo.ts"
import { EchoService } from "./support/fakeCalls.ts"
import { attributesOf, Observed, parentOf } from "./support/telemetry.ts"

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736"
const spanId = "00f067aa0ba902b7"
const traceparent = `00-${traceId}-${spanId}-01`

const observing = (told: Observed, options: Telemetry.Options = {}) =>
  Telemetry.layer(options).pipe(
    Layer.provideMerge(
      Layer.merge(Layer.succeed(Tracer.Tracer, told.tracer), Layer.succeed(Metric.MetricRegistry, told.registry))
    )
  )

describe("a trace goes on", () => {
  it.effect("from A over B to C, streams and calls alike, with its state and baggage", () =>
    Effect.gen(function* () {
      const told = new Observed()
      const last: Array<unknown> = []
      const layer = observing(told)
      const calls = yield* Testing.client(EchoService, {
        Ping: () => Effect.void,
        Log: () => Effect.void,
        EchoUnary: () => Effect.never,
        Echo: (_: unknown, { metainfo }: ServerCall.ServerCall) =>
          Effect.sync(() => {
            last.push(
              metainfo.transient.get("traceparent"),
              metainfo.transient.get("tracestate"),
              metainfo.transient.get("baggage")
            )
            return new Response({ message: "c" })
          })
      } as never).pipe(Effect.provide(layer))
      const handlers = {
        EchoUnary: () => Effect.withSpan(calls.Echo({ req: new Request({}) }) as Effect.Effect<Response>, "in B"),
        Echo: () =>
          Stream.fromEffect(
            Effect.map(
              calls.Echo({ req: new Request({}) }) as Effect.Effect<Response>,
              () => new Response({ message: "b" })
            )
          )
      } as never
      const middle = serve(handlers).pipe(Layer.provideMerge(layer))
      const headers = [
        ["traceparent", traceparent],
        ["tracestate", "vendor=1"],
        ["baggage", "user=7"]
      ] as const
      const run = (path: string, message: Uint8Array) =>
        Effect.provide(call(path, [message], { metadata: headers }), middle)
      yield* run("/echo.TestService/EchoUnary", wrapped("x"))
      yield* settle
      const chain = ["B server", "in B", "B client", "C server"].map((_, at) => told.spans[at]!)
      assert.deepStrictEqual(
        chain.map(({ kind }) => kind),
        ["server", "internal", "client", "server"]
      )
      assert.isTrue(chain.every((span) => span.traceId === traceId && span.status._tag === "Ended"))
      assert.deepStrictEqual(
        chain.map((span) => parentOf(span)!.spanId),
        [spanId, chain[0]!.spanId, chain[1]!.spanId, chain[2]!.spanId]
      )
      assert.deepStrictEqual(last, [`00-${traceId}-${chain[2]!.spanId}-01`, "vendor=1", "user=7"])
      yield* run("/echo.TestService/Echo", struct("x"))
      yield* settle
      assert.deepStrictEqual(
        told.spans.slice(4).map(({ kind, traceId }) => [kind, traceId]),
        [
          ["server", traceId],
          ["client", traceId],
          ["server", traceId]
        ]
      )
    })
  )

  it.effect("in the spelling of each transport", () =>
    Effect.gen(function* () {
      const told = new Observed()
      const seen: Array<unknown> = []
      const streams = yield* clientOf({
        EchoUnary: (_: unknown, call: ServerCall.ServerCall) =>
          Effect.sync(() => {
            seen.push(call.metadata.get("traceparent"), call.metainfo.transient.get("TRACEPARENT"))
            return new Response({})
          })
      } as never).pipe(Effect.provide(observing(told)))
      yield* told.run(streams.EchoUnary(new Request({})))
      const sent = told.span("client")
      const expected = `00-${sent.traceId}-${sent.spanId}-01`
      assert.deepStrictEqual(seen, [expected, expected])
      assert.strictEqual(parentOf(told.span("server"))?.spanId, sent.spanId)
    })
  )

  it.effect("from any of the three spellings; one that is none begins another", () =>
    Effect.gen(function* () {
      const told = new Observed()
      const live = serve({ EchoUnary: () => Effect.succeed(new Response({})) }).pipe(
        Layer.provideMerge(observing(told))
      )
      const came = (metadata: ReadonlyArray<readonly [string, string]>) =>
        Effect.gen(function* () {
          yield* call("/echo.TestService/EchoUnary", [wrapped("x")], { metadata })
          yield* settle
          return parentOf(told.spans.at(-1)!)?.spanId
        })
      yield* Effect.gen(function* () {
        assert.strictEqual(yield* came([["traceparent", traceparent]]), spanId)
        assert.strictEqual(yield* came([["rpc-transit-traceparent", traceparent]]), spanId)
        assert.isUndefined(yield* came([["traceparent", "00-junk"]]))
        assert.isUndefined(yield* came([]))
        const unsampled = traceparent.slice(0, -2) + "00"
        assert.strictEqual(yield* came([["traceparent", unsampled]]), spanId)
        assert.isFalse(told.spans.at(-1)!.sampled)
      }).pipe(Effect.provide(live))
    })
  )

  it.effect("with who calls, as Kitex's suite says it", () =>
    Effect.gen(function* () {
      const told = new Observed()
      const calls = yield* Testing.client(EchoService, {
        Ping: () => Effect.void,
        Log: () => Effect.void,
        EchoUnary: () => Effect.never,
        Echo: () => Effect.succeed(new Response({}))
      } as never).pipe(
        Effect.provide(
          observing(told, { naming: "kitex", service: { name: "shop", namespace: "web", environment: "test" } })
        )
      )
      yield* told.run(calls.Echo({ req: new Request({}) }))
      yield* settle
      const attributes = attributesOf(told.span("server"))
      assert.deepStrictEqual(
        ["peer.service", "peer.service.namespace", "peer.deployment.environment"].map((key) => attributes[key]),
        ["shop", "web", "test"]
      )
    })
  )
})

describe("log lines of a handler", () => {
  it.effect("say which method and which request", () =>
    Effect.gen(function* () {
      const told = new Observed()
      const client = yield* clientOf({
        EchoUnary: () => Effect.as(Effect.logInfo("here"), new Response({}))
      } as never).pipe(Effect.provide(observing(told)), logged)
      const [streams, lines] = client
      yield* streams.EchoUnary(new Request({})).pipe(LogId.within("20261126-1"))
      yield* streams.EchoUnary(new Request({}))
      assert.deepStrictEqual(
        lines.map(({ annotations }) => annotations),
        [
          { "rpc.service": "TestService", "rpc.method": "EchoUnary", "log.id": "20261126-1" },
          { "rpc.service": "TestService", "rpc.method": "EchoUnary" }
        ]
      )
    })
  )
})

describe("strangers", () => {
  it.effect("make no series with names that a server does not have, nor with packages, nor past so many callers", () =>
    Effect.gen(function* () {
      const told = new Observed()
      const live = serve({ EchoUnary: () => Effect.succeed(new Response({})) }).pipe(
        Layer.provideMerge(observing(told, { naming: ["otel", "kitex", "prometheus"] }))
      )
      yield* Effect.gen(function* () {
        for (let at = 0; at < 200; at++) {
          yield* call(`/echo.TestService/Unknown${at}`, [wrapped("x")])
          yield* call(`/echo.Unknown${at}/EchoUnary`, [wrapped("x")])
          yield* call(`/package${at}.TestService/EchoUnary`, [wrapped("x")], {
            metadata: [["source-service", `caller${at}`]]
          })
        }
        yield* settle
      }).pipe(Effect.provide(live))
      const methods = (id: string, label: string) =>
        [...new Set(told.series(id).map(({ attributes }) => attributes![label]))].sort()
      assert.deepStrictEqual(methods("rpc.server.call.duration", "rpc.method"), [
        "_OTHER",
        "echo.TestService/EchoUnary"
      ])
      assert.deepStrictEqual(methods("rpc.server.duration", "rpc.service"), ["TestService", "_OTHER"])
      assert.deepStrictEqual(methods("kitex_server_throughput", "method"), ["EchoUnary", "unknown"])
      assert.deepStrictEqual(methods("kitex.stream.ends", "rpc.method"), ["_OTHER"])
      assert.isAtMost(told.registry.size, 400)
      assert.strictEqual(told.count("kitex_server_throughput", { caller: "_OTHER", status: "succeed" }), 72)
      const names = new Set(told.spans.map(({ name }) => name))
      assert.deepStrictEqual([...names].sort(), ["_OTHER", "echo.TestService/EchoUnary"])
      assert.strictEqual(attributesOf(told.span("server"))["rpc.method_original"], "echo.TestService/Unknown0")
    })
  )
})
