/** Traces and names in the headers and paths of HTTP/2. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Metric, Tracer } from "effect"
import { type ServerCall, Telemetry } from "../../src/index.ts"
import { clientOf, settle } from "../support/client.ts"
import { call, Request, Response, serve, wrapped } from "../support/echo.ts"
import { attributesOf, Observed, parentOf } from "../support/telemetry.ts"

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736"
const spanId = "00f067aa0ba902b7"
const traceparent = `00-${traceId}-${spanId}-01`

const observing = (told: Observed, options: Telemetry.Options = {}) =>
  Telemetry.layer(options).pipe(
    Layer.provideMerge(
      Layer.merge(Layer.succeed(Tracer.Tracer, told.tracer), Layer.succeed(Metric.MetricRegistry, told.registry))
    )
  )

describe("headers of HTTP/2", () => {
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
