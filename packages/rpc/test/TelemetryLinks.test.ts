import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Metric, Stream, Tracer } from "effect"
import { LogId, type ServerCall, Telemetry } from "../src/index.ts"
import { clientOf, settle } from "./support/client.ts"
import { call, logged, Request, Response, serve, struct, wrapped } from "./support/echo.ts"
import { EchoService } from "./support/fakeCalls.ts"
import { attributesOf, Observed, parentOf } from "./support/telemetry.ts"
import { Testing } from "./support/over.ts"

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

describe("strangers", () => {})
