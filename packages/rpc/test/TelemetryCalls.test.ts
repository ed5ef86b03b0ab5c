import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer } from "effect"
import { BizStatusError, RpcError, Telemetry } from "../src/index.ts"
import type { Testing } from "../src/testing/index.ts"
import { clientOf, pass, settle } from "./support/client.ts"
import { Busy, Request, Response } from "./support/echo.ts"
import type { ObservedClient } from "./support/streamScripts.ts"
import { attributesOf, endOf, eventsOf, Observed, observed, timed } from "./support/telemetry.ts"
import { wire } from "./support/over.ts"

const everyNaming: ReadonlyArray<Telemetry.Naming> = ["otel", "kitex", "prometheus"]

/** After 30 ms: an answer of `message`, or how the text says. */
const answer = (message: string | undefined) =>
  Effect.andThen(
    Effect.sleep(30),
    Effect.suspend((): Effect.Effect<Response, unknown> => {
      switch (message) {
        case "error":
          return Effect.fail(new RpcError.RpcError({ reason: new RpcError.Status({}), code: 7, desc: "no" }))
        case "biz":
          return Effect.fail(new BizStatusError.BizStatusError({ statusCode: 404, statusMessage: "not found" }))
        case "busy":
          return Effect.fail(new Busy({}))
        default:
          return Effect.succeed(new Response({ message: message ?? "" }))
      }
    })
  )

const handlers = {
  EchoUnary: ({ message }: Request) => answer(message),
  EchoPingPong: ({ req }: { readonly req: Request }) => answer(req.message),
  Log: () => Effect.sleep(30)
} as never

type Ask = (client: ObservedClient, message: string) => Effect.Effect<unknown, unknown>

const unary: Ask = (client, message) => client.EchoUnary(new Request({ message }))
const pingPong: Ask = (client, message) => client.EchoPingPong({ req: new Request({ message }) })

// `{1: {1: text}}`: what is around the text in arguments and results.
const around = 12

/** A side of one call of 30 ms: its metrics, in all conventions. */
const assertMetrics = (
  told: Observed,
  side: "client" | "server",
  expected: {
    readonly method: string
    readonly protocol: string
    readonly requestSize: number
    readonly responses: ReadonlyArray<number>
    readonly millis: number
    readonly error?: readonly [code: string, type: string]
  }
) => {
  const { error, method, millis, protocol, requestSize, responses } = expected
  assert.deepStrictEqual(told.sum(`rpc.${side}.call.duration`), [1, millis / 1000])
  assert.deepStrictEqual(told.series(`rpc.${side}.call.duration`)[0]!.attributes, {
    unit: "s",
    "rpc.system.name": "kitex",
    "rpc.method": `echo.TestService/${method}`,
    "rpc.response.status_code": error === undefined ? "0" : error[0],
    ...(error !== undefined && { "error.type": error[1] }),
    ...(side === "client" && { "server.address": "memory" })
  })
  const kitex = { "rpc.system": "kitex", "rpc.service": "TestService", "rpc.method": method }
  assert.deepStrictEqual(told.sum(`rpc.${side}.duration`), [1, millis])
  assert.deepStrictEqual(told.series(`rpc.${side}.duration`)[0]!.attributes, {
    ...kitex,
    "request.protocol": protocol,
    "status.code": error === undefined ? "Unset" : "Error"
  })
  assert.deepStrictEqual(told.sum(`rpc.${side}.request.size`), [1, requestSize])
  assert.deepStrictEqual(told.sum(`rpc.${side}.requests_per_rpc`), [1, 1])
  assert.deepStrictEqual(told.sum(`rpc.${side}.response.size`), [responses.length, responses[0] ?? 0])
  assert.deepStrictEqual(told.sum(`rpc.${side}.responses_per_rpc`), [1, responses.length])
  assert.strictEqual(told.count(`kitex_${side}_throughput`), 1)
  assert.deepStrictEqual(told.sum(`kitex_${side}_latency_us`), [1, millis * 1000])
  assert.deepStrictEqual(told.series(`kitex_${side}_latency_us`)[0]!.attributes, {
    caller: "unknown",
    callee: "TestService",
    method,
    status: error === undefined ? "succeed" : "error",
    retry: "0"
  })
}

const assertSpan = (
  told: Observed,
  side: "client" | "server",
  method: string,
  protocol: string,
  attributes: Readonly<Record<string, unknown>>
) => {
  const span = told.span(side)
  assert.strictEqual(span.name, `echo.TestService/${method}`)
  assert.deepStrictEqual(attributesOf(span), {
    "rpc.system": "kitex",
    "rpc.system.name": "kitex",
    "rpc.service": "TestService",
    "rpc.method": `echo.TestService/${method}`,
    "request.protocol": protocol,
    "network.peer.address": "memory",
    ...(side === "client" && { "server.address": "memory" }),
    ...attributes
  })
  assert.deepStrictEqual(
    eventsOf(span).filter(([name]) => name !== "rpc.header"),
    side === "client"
      ? []
      : [
          ["server_handle_start", 0, { "event.status": 1 }],
          ["server_handle_finish", 30, { "event.status": 1 }]
        ]
  )
}

for (const [method, ask, protocol, transport] of [
  ["EchoUnary", unary, wire.unary.kitexName, undefined],
  ["EchoPingPong", pingPong, "TTHeader|Framed", undefined],
  ["EchoPingPong", pingPong, "TTHeader", "ttheader"],
  ["EchoPingPong", pingPong, "Framed", "framed"],
  ["EchoPingPong", pingPong, "PurePayload", "buffered"]
] as const) {
  const pingPongOptions: Testing.Options = transport === undefined ? {} : { pingPong: { transport } }
  describe(`${method} over ${protocol}, in virtual time`, () => {
    it.effect("a success: every metric and span attribute, on both sides", () =>
      Effect.gen(function* () {
        const { client, told } = yield* observed(handlers, { naming: everyNaming }, pingPongOptions)
        assert.isTrue(Exit.isSuccess(yield* timed(told, ask(client, "abc"))))
        const size = around + 3
        const expected = { method, protocol, requestSize: size, responses: [size], millis: 30 }
        for (const side of ["client", "server"] as const) {
          assertMetrics(told, side, expected)
          assertSpan(told, side, method, protocol, {
            "rpc.response.status_code": "0",
            "kitex.recv_size": size,
            "kitex.send_size": size
          })
          assert.deepStrictEqual(endOf(told.span(side)), ["Success", 30])
        }
        assert.isFalse([...told.registry.values()].some(({ id }) => id.startsWith("kitex.stream.")))
      })
    )

    // Neither goes without a header, and only one of the methods declares an exception.
    const successes = transport !== undefined ? [] : method === "EchoUnary" ? ["biz", "busy"] : ["biz"]
    for (const [name, message] of [
      ["a business error is a success with attributes", "biz"],
      ["a declared exception is one", "busy"]
    ] as const) {
      if (!successes.includes(message)) continue
      it.effect(name, () =>
        Effect.gen(function* () {
          const { client, told } = yield* observed(handlers, { naming: everyNaming })
          yield* timed(told, Effect.flip(ask(client, message)))
          for (const side of ["client", "server"] as const) {
            const labels = { "rpc.response.status_code": "0" }
            assert.deepStrictEqual(told.sum(`rpc.${side}.call.duration`, labels), [1, 0.03])
            assert.strictEqual(told.count(`kitex_${side}_throughput`, { status: "succeed" }), 1)
            const span = told.span(side)
            assert.deepStrictEqual(endOf(span), ["Success", 30])
            const { "kitex.biz.status_code": code, "kitex.biz.status_message": text } = attributesOf(span)
            assert.deepStrictEqual([code, text], message === "biz" ? [404, "not found"] : [undefined, undefined])
          }
        })
      )
    }

    it.effect("an error", () =>
      Effect.gen(function* () {
        const { client, told } = yield* observed(handlers, { naming: everyNaming }, pingPongOptions)
        yield* timed(told, Effect.flip(ask(client, "error")))
        for (const side of ["client", "server"] as const) {
          assert.deepStrictEqual(told.sum(`rpc.${side}.call.duration`), [1, 0.03])
          assert.deepStrictEqual(told.sum(`rpc.${side}.duration`, { "status.code": "Error" }), [1, 30])
          const { attributes } = told.series(`rpc.${side}.call.duration`)[0]!
          assert.deepStrictEqual([attributes!["rpc.response.status_code"], attributes!["error.type"]], ["7", "Status"])
          assert.strictEqual(attributesOf(told.span(side))["error.type"], "Status")
          assert.deepStrictEqual(endOf(told.span(side)), ["Failure", 30])
          assert.strictEqual(told.count(`kitex_${side}_throughput`, { status: "error" }), 1)
        }
      })
    )
  })
}

it.effect("a oneway call ends on its client when it is sent, on its server with the handler", () =>
  Effect.gen(function* () {
    const { client, told } = yield* observed(handlers, { naming: everyNaming })
    yield* timed(told, client.Log({ line: "abc" }))
    const expected = { method: "Log", protocol: "TTHeader|Framed", requestSize: 11, responses: [] }
    assertMetrics(told, "client", { ...expected, millis: 0 })
    assertMetrics(told, "server", { ...expected, millis: 30 })
  })
)

describe("what a client is told", () => {
  it.effect("the name of the service that registries know is Kitex's rpc.service; a call has its own transport", () =>
    Effect.gen(function* () {
      const names = { destService: "shop.orders", callerName: "web" }
      const { client, told } = yield* observed(handlers, { naming: everyNaming }, { client: names, pingPong: names })
      yield* timed(told, unary(client, "abc"))
      yield* timed(told, client.EchoPingPong({ req: new Request({}) }, { transport: "framed" }))
      for (const [at, protocol] of [wire.unary.kitexName, "Framed"].entries()) {
        const attributes = attributesOf(told.span("client", at))
        assert.deepStrictEqual([attributes["rpc.service"], attributes["request.protocol"]], ["shop.orders", protocol])
        assert.strictEqual(attributesOf(told.span("server", at))["rpc.service"], "TestService")
        const labels = { "rpc.service": "shop.orders", "request.protocol": protocol }
        assert.deepStrictEqual(told.sum("rpc.client.duration", labels), [1, 30])
        assert.deepStrictEqual(told.sum("rpc.server.duration", { ...labels, "rpc.service": "TestService" }), [1, 30])
      }
      assert.strictEqual(told.count("kitex_client_throughput", { callee: "shop.orders", method: "EchoUnary" }), 1)
      assert.strictEqual(told.count("kitex_server_throughput", { caller: "web", method: "EchoUnary" }), 1)
    })
  )
})

it.effect("durations have fractions of a millisecond", () =>
  Effect.gen(function* () {
    const { client, told } = yield* observed(
      { EchoUnary: () => Effect.as(Effect.sleep(0.25), new Response({})) },
      { naming: everyNaming }
    )
    const call = yield* Effect.forkChild(told.run(client.EchoUnary(new Request({}))), { startImmediately: true })
    yield* pass(0.25)
    yield* Fiber.join(call)
    for (const side of ["client", "server"] as const) {
      assert.deepStrictEqual(told.sum(`rpc.${side}.call.duration`), [1, 0.00025])
      assert.deepStrictEqual(told.sum(`rpc.${side}.duration`), [1, 0.25])
      assert.deepStrictEqual(told.sum(`kitex_${side}_latency_us`), [1, 250])
    }
  })
)

describe("what is not asked for is not told", () => {
  it.effect("spans, metrics", () =>
    Effect.gen(function* () {
      const none = yield* observed(handlers, { spans: false, metrics: false, logs: false })
      yield* timed(none.told, none.client.EchoUnary(new Request({})))
      assert.deepStrictEqual([none.told.spans.length, none.told.registry.size], [0, 0])
      const metrics = yield* observed(handlers, { spans: false, naming: "prometheus" })
      yield* timed(metrics.told, metrics.client.EchoUnary(new Request({})))
      yield* settle
      assert.strictEqual(metrics.told.spans.length, 0)
      assert.deepStrictEqual([...metrics.told.registry.values()].map(({ id }) => id).sort(), [
        "kitex_client_latency_us",
        "kitex_client_throughput",
        "kitex_server_latency_us",
        "kitex_server_throughput"
      ])
    })
  )
})

describe("the layer", () => {
  it.effect("provided twice tells of a call once: the inner one does, and the last of those side by side", () =>
    Effect.gen(function* () {
      const ask = (layer: Layer.Layer<never>, outer: Layer.Layer<never>) =>
        Effect.gen(function* () {
          const told = new Observed()
          const client = yield* told.run(clientOf(handlers).pipe(Effect.provide(layer), Effect.provide(outer)))
          yield* timed(told, client.EchoUnary(new Request({ message: "m" })))
          return [told.spans.length, told.sum("rpc.server.call.duration")?.[0], told.sum("rpc.server.duration")?.[0]]
        })
      const [otel, kitex] = [Telemetry.layer(), Telemetry.layer({ naming: "kitex" })]
      assert.deepStrictEqual(yield* ask(Telemetry.layer(), otel), [2, 1, undefined])
      assert.deepStrictEqual(yield* ask(kitex, otel), [2, undefined, 1])
      assert.deepStrictEqual(yield* ask(otel, kitex), [2, 1, undefined])
      assert.deepStrictEqual(yield* ask(Layer.merge(otel, kitex), Layer.empty), [2, undefined, 1])
    })
  )

  it("says which namings there are", () => {
    assert.throws(
      () => Telemetry.layer({ naming: "Otel" as never }),
      'naming of Telemetry.layer "Otel" is none of otel, kitex, prometheus'
    )
    assert.throws(() => Telemetry.layer({ naming: ["otel", "toString" as never] }), '"toString" is none of')
  })
})
