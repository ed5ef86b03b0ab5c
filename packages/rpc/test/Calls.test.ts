import { assert, describe, it } from "@effect/vitest"
import { Transport, TransportError } from "@millrace/transport"
import { Config, ConfigProvider, Effect, Exit, Fiber, Layer, Option, Schema, Stream } from "effect"
import { BizStatusError, Endpoints, RpcError, type StreamOptions } from "../src/index.ts"
import { clientOf, only, pass, recorded, settle, told } from "./support/client.ts"
import { noCalls } from "./support/noCalls.ts"
import { Request, Response, TestService } from "./support/echo.ts"
import { StreamClient, Testing, wire } from "./support/over.ts"

const request = (message: string) => new Request({ message })
const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const unreachable = new TransportError.TransportError({
  reason: new TransportError.ConnectFailed({ address: "nowhere" }),
  code: 14,
  desc: "nowhere"
})

/** A client whose transport only remembers what was asked of it. */
const asked = Effect.fnUntraced(function* (options: StreamOptions.StreamClientOptions) {
  const requests: Array<Transport.OpenRequest> = []
  const client = yield* StreamClient.make(TestService, options).pipe(
    Effect.provideService(Transport.ClientTransport, {
      ...noCalls,
      tryOpen: () => undefined,
      open: (request) => {
        requests.push(request)
        return Effect.fail(unreachable)
      }
    })
  )
  return { client, requests }
})

describe("where calls go", () => {
  it.effect("hostPorts in turn, those behind one that cannot be reached too, and a call's own alone", () =>
    Effect.gen(function* () {
      const { client, requests } = yield* asked({ hostPorts: ["a:1", "b:2"], destService: "dest" })
      for (let i = 0; i < 3; i++) yield* Effect.exit(client.EchoUnary(request("x")))
      yield* Effect.exit(client.EchoUnary(request("x"), { hostPort: "c:3" }))
      yield* Effect.exit(Stream.runDrain(client.Echo(Stream.empty)))
      yield* Effect.exit(client.EchoClient.open({ hostPort: "d:4" }))
      assert.deepStrictEqual(
        requests.map(({ address }) => address),
        ["a:1", "b:2", "a:1", "b:2", "a:1", "b:2", "c:3", "a:1", "b:2", "d:4"]
      )
      assert.deepInclude(requests[0], {
        authority: "dest",
        path: "/echo.TestService/EchoUnary",
        timeoutMillis: undefined
      })
    })
  )

  it.effect("an instance that takes time to choose, and none at all", () =>
    Effect.gen(function* () {
      const none = new RpcError.RpcError({
        reason: new RpcError.Unavailable({ neverSent: true }),
        code: 14,
        desc: "no instance"
      })
      let calls = 0
      const endpoints: Endpoints.Endpoints = {
        pick: () => (++calls > 2 ? Effect.fail(none) : Effect.as(Effect.sleep(10), `picked:${calls}`))
      }
      const { client, requests } = yield* asked({ endpoints })
      const both = yield* Effect.forkChild(
        Effect.all([Effect.exit(client.EchoUnary(request("x"))), Effect.exit(client.Echo.open())])
      )
      yield* pass(30, 10)
      yield* Fiber.join(both)
      assert.deepStrictEqual(
        requests.map(({ address }) => address),
        ["picked:1", "picked:2"]
      )
      assert.strictEqual(yield* Effect.flip(client.EchoUnary(request("x"))), none)
      assert.strictEqual(yield* Effect.flip(client.Echo.open()), none)
    })
  )

  it("no address at all is a mistake", () => {
    assert.throws(() => Endpoints.fromHostPorts([]), "hostPorts is empty")
  })
})

describe("a client as a service", () => {
  class Echo extends StreamClient.Service<Echo>()("test/Echo", TestService) {}
  const handlers = only({ EchoUnary: ({ message }) => Effect.as(Effect.sleep(50), new Response({ message })) })
  const server = Testing.layer([TestService]).pipe(Layer.provide(TestService.toLayer(handlers)))
  const call = Effect.flatMap(Echo, (echo) => echo.EchoUnary(request("x")))

  it.effect("layer", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(Effect.provide(call, Echo.layer({}).pipe(Layer.provide(server))))
      yield* pass(60, 10)
      assert.strictEqual((yield* Fiber.join(fiber)).message, "x")
    })
  )

  it.effect("layerConfig", () =>
    Effect.gen(function* () {
      const live = Echo.layerConfig({ timeout: Config.Duration("TIMEOUT") }).pipe(
        Layer.provide(server),
        Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ TIMEOUT: "20 millis" })))
      )
      const fiber = yield* Effect.forkChild(Effect.provide(call, live))
      yield* pass(60, 10)
      assert.match(told(yield* Fiber.await(fiber)), /^DeadlineExceeded/)
    })
  )
})

describe("large messages", () => {
  const large = "x".repeat(3 * 1024 * 1024)

  it.effect("in every mode, larger than every window", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({
        Echo: (requests) => Stream.map(requests, ({ message }) => new Response({ message })),
        EchoServer: ({ message }) => Stream.make(new Response({ message }), new Response({ message })),
        EchoUnary: ({ message }) => Effect.succeed(new Response({ message })),
        EchoClient: (requests) =>
          Effect.map(Stream.runCollect(requests), (all) => new Response({ message: all.at(-1)!.message }))
      })
      const lengths = (responses: ReadonlyArray<Response>) => responses.map(({ message }) => message?.length)
      const twice = Stream.make(request(large), request(large))
      assert.deepStrictEqual(lengths(yield* Stream.runCollect(client.Echo(twice))), [large.length, large.length])
      assert.deepStrictEqual(lengths(yield* Stream.runCollect(client.EchoServer(request(large)))), [
        large.length,
        large.length
      ])
      assert.deepStrictEqual(lengths([yield* client.EchoUnary(request(large))]), [large.length])
      assert.deepStrictEqual(lengths([yield* client.EchoClient(twice)]), [large.length])
    })
  )
})

it.effect("a business error of a stream is a success of the RPC", () =>
  Effect.gen(function* () {
    const { client, recorder } = yield* recorded({
      EchoServer: () =>
        Stream.concat(
          Stream.make(new Response({ message: "a" })),
          Stream.fail(new BizStatusError.BizStatusError({ statusCode: 3, statusMessage: "no more", extra: { k: "v" } }))
        )
    })
    const got: Array<string | undefined> = []
    const exit = yield* Effect.exit(
      Stream.runForEach(client.EchoServer(request("x")), ({ message }) => Effect.sync(() => got.push(message)))
    )
    assert.strictEqual(told(exit), "BizStatusError: biz error: code=3, msg=no more")
    assert.deepStrictEqual(got, ["a"])
    yield* settle
    for (const { bizError, exit, reason } of [recorder.client.finishes[0]!, recorder.server.finishes[0]!]) {
      assert.strictEqual(reason, "error")
      assert.isTrue(Exit.isSuccess(exit))
      assert.strictEqual(bizError?.statusCode, 3)
    }
  })
)

it.effect("a consumer that dies is reported with its defect, and the handler stops", () =>
  Effect.gen(function* () {
    const { client, recorder } = yield* recorded({
      EchoServer: () => Stream.concat(Stream.make(new Response({})), Stream.never)
    })
    const consuming = Stream.runForEach(client.EchoServer(request("x")), () => Effect.die("consumer"))
    assert.strictEqual(told(yield* Effect.exit(consuming)), "defect: consumer")
    yield* settle
    assert.strictEqual(told(recorder.client.finishes[0]!.exit), "defect: consumer")
    assert.strictEqual(recorder.client.finishes[0]!.reason, "error")
    assert.strictEqual(told(recorder.server.finishes[0]!.exit), wire.streams.left(wire.streams.cancelled))
  })
)

it.effect.prop(
  "recv under any timeouts loses no message, also where both fall on one moment",
  [Schema.Array(int(0, 6)), Schema.NonEmptyArray(int(0, 6))],
  ([gaps, patience]) =>
    Effect.gen(function* () {
      const sent = gaps.map((_, i) => `${i}`)
      const client = yield* clientOf({
        EchoServer: () =>
          Stream.fromIterable(gaps).pipe(
            Stream.mapEffect((gap, i) => Effect.as(Effect.sleep(gap), new Response({ message: `${i}` })))
          )
      })
      const got: Array<string | undefined> = []
      const down = yield* client.EchoServer.open(request("x"))
      const reading = Effect.gen(function* () {
        for (let turn = 0; ; turn++) {
          const millis = patience[turn % patience.length]!
          // A patience of zero alone would never let time pass.
          if (millis === 0) yield* Effect.sleep(1)
          const next = yield* Effect.timeoutOption(down.recv, millis)
          if (Option.isSome(next)) got.push(next.value.message)
        }
      })
      const fiber = yield* Effect.forkChild(Effect.exit(reading), { startImmediately: true })
      for (let i = 0; i < 100 && fiber.pollUnsafe() === undefined; i++) yield* pass(20, 1)
      assert.isDefined(fiber.pollUnsafe())
      assert.deepStrictEqual(got, sent)
    }).pipe(Effect.scoped),
  { arbitrary: { runs: 100 }, timeout: 60_000 }
)
