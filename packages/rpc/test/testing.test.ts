import { Codec, Thrift } from "@millrace/codec"
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Context, Effect, Stream } from "effect"
import { Middleware, RpcTracer } from "../src/index.ts"
import { Recorder, StreamScript, ThriftArbitrary } from "../src/testing/index.ts"
import { clientOf, only, pass, recorded, settle, type TestHandlers, told } from "./support/client.ts"
import { Request, Response, TestService } from "./support/echo.ts"
import { Testing } from "./support/over.ts"

class Everything extends Thrift.Struct<Everything>("test.Everything")({
  bool: Thrift.field(1, Thrift.Bool),
  i8: Thrift.field(2, Thrift.I8),
  i32: Thrift.required(3, Thrift.I32),
  i64: Thrift.optional(4, Thrift.I64),
  double: Thrift.field(5, Thrift.Double),
  text: Thrift.optional(6, Thrift.String),
  bytes: Thrift.field(7, Thrift.Binary),
  list: Thrift.field(8, Thrift.list(Thrift.I16)),
  set: Thrift.field(9, Thrift.set(Thrift.String)),
  map: Thrift.field(10, Thrift.map(Thrift.I32, Thrift.list(Thrift.Double))),
  inner: Thrift.optional(11, Request),
  choice: Thrift.optional(
    12,
    Thrift.Union("test.Choice", { number: Thrift.field(1, Thrift.I32), text: Thrift.field(2, Thrift.String) })
  ),
  digits: Thrift.field(13, Thrift.list(Thrift.I64String))
}) {}

describe("ThriftArbitrary", () => {
  const sampling = { count: 2000, seed: 1 }
  it.effect("draws the edges of every type", () =>
    Effect.gen(function* () {
      const seen = (values: ReadonlyArray<unknown>) => (value: unknown) =>
        values.some((other) => Object.is(other, value))
      const doubles = seen(yield* Arbitrary.sampleEffect(ThriftArbitrary.schema(Thrift.Double), sampling))
      for (const edge of [Number.NaN, -0, Infinity, -Infinity]) assert.isTrue(doubles(edge), `${edge}`)
      const bytes = seen(yield* Arbitrary.sampleEffect(ThriftArbitrary.schema(Thrift.I8), sampling))
      for (const edge of [127, -128, 0]) assert.isTrue(bytes(edge), `${edge}`)
      assert.isFalse(bytes(-0))
      const longs = seen(yield* Arbitrary.sampleEffect(ThriftArbitrary.schema(Thrift.I64), sampling))
      for (const edge of [2n ** 63n - 1n, -(2n ** 63n)]) assert.isTrue(longs(edge), `${edge}`)
      const decimals = seen(yield* Arbitrary.sampleEffect(ThriftArbitrary.schema(Thrift.I64String), sampling))
      for (const edge of ["0", "9223372036854775807", "-9223372036854775808"]) assert.isTrue(decimals(edge), edge)
      const texts = seen(yield* Arbitrary.sampleEffect(ThriftArbitrary.schema(Thrift.String), sampling))
      for (const edge of ["", "\u{10ffff}", "\0"]) assert.isTrue(texts(edge), edge)
    })
  )

  const codec = Codec.make(Everything)
  it.prop(
    "draws messages that are valid and survive the codec",
    [ThriftArbitrary.schema(Everything)],
    ([message]) => {
      assert.instanceOf(message, Everything)
      assert.deepStrictEqual(codec.decode(codec.encode(message)), message)
    },
    { arbitrary: { runs: 300 } }
  )
})

describe("Recorder", () => {
  it.effect("counts calls, messages and bytes on both sides", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded({
        Echo: (requests) => Stream.map(requests, ({ message }) => new Response({ message }))
      })
      yield* Stream.runDrain(client.Echo(Stream.make(new Request({ message: "abc" }), new Request({ message: "" }))))
      const [finish] = yield* recorder.finished("server", 1)
      assert.strictEqual(finish!.reason, "eof")
      for (const side of [recorder.client, recorder.server]) {
        assert.strictEqual(side.starts.length, 1)
        assert.strictEqual(side.finishes.length, 1)
        assert.deepStrictEqual(
          [side.sendCount, side.sendBytes, side.recvCount, side.recvBytes],
          // A struct with one string of n bytes is n + 8.
          [2, 19, 2, 19]
        )
        const { recvBytes, recvCount, sendBytes, sendCount } = side.finishes[0]!
        assert.deepStrictEqual([sendCount, sendBytes, recvCount, recvBytes], [2, 19, 2, 19])
      }
    })
  )

  it.effect("a tracer that fails or dies does not touch the call", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make
      const bad = { start: () => Effect.die("start"), finish: () => Effect.die("finish") }
      const client = yield* Effect.provide(
        clientOf({ EchoUnary: ({ message }) => Effect.succeed(new Response({ message })) }),
        RpcTracer.layer(bad, recorder.tracer, bad)
      )
      assert.strictEqual((yield* client.EchoUnary(new Request({ message: "a" }))).message, "a")
      yield* settle
      assert.strictEqual(recorder.client.finishes.length, 1)
      assert.strictEqual(recorder.server.finishes.length, 1)
    })
  )
})

describe("StreamScript", () => {
  it.effect("gives what each step came to", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({
        Echo: (requests) => Stream.map(requests, ({ message }) => new Response({ message })),
        EchoClient: (requests) => Effect.map(Stream.runCount(requests), (n) => new Response({ message: `${n}` }))
      })
      const message = new Request({ message: "a" })
      const script: StreamScript.StreamScript<Request> = [
        { _tag: "Send", message },
        { _tag: "Recv" },
        { _tag: "CloseSend" },
        { _tag: "Recv" },
        { _tag: "Send", message },
        { _tag: "Finish" },
        { _tag: "Cancel" }
      ]
      const got = yield* StreamScript.run(yield* client.Echo.open(), script)
      assert.deepStrictEqual(
        got.map(({ _tag }) => _tag),
        ["Done", "Received", "Done", "Ended", "Failed", "Done", "Done"]
      )
      const up = yield* StreamScript.run(yield* client.EchoClient.open(), script.slice(0, 2))
      assert.deepStrictEqual(up[1], { _tag: "Received", message: new Response({ message: "1" }) })
    })
  )
})

describe("Testing", () => {
  const say = (message: string) => ({ EchoUnary: () => Effect.succeed(new Response({ message })) })

  it.effect("clients side by side have servers of their own", () =>
    Effect.gen(function* () {
      const [a, b] = [yield* clientOf(say("a")), yield* clientOf(say("b"))]
      const both = yield* Effect.all([a.EchoUnary(new Request()), b.EchoUnary(new Request())], { concurrency: 2 })
      assert.deepStrictEqual(
        both.map(({ message }) => message),
        ["a", "b"]
      )
    })
  )

  it.effect("options of the server, and what its middleware requires", () =>
    Effect.gen(function* () {
      class Name extends Context.Service<Name, string>()("test/Name") {}
      const seen: Array<string> = []
      const named = Middleware.server((next, { method }) =>
        Effect.flatMap(Name, (name) => {
          seen.push(`${name} ${method}`)
          return next
        })
      )
      const client = yield* Testing.client(TestService, only(say("a")), { server: { middleware: [named] } }).pipe(
        Effect.provideService(Name, "n")
      )
      yield* client.EchoUnary(new Request())
      assert.deepStrictEqual(seen, ["n EchoUnary"])
    })
  )

  it.effect("a test ends though a handler still runs and a connection stands still", () =>
    Effect.gen(function* () {
      const ends: Array<string> = []
      const handler = () => Stream.onExit(Stream.never, (exit) => Effect.sync(() => ends.push(told(exit))))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const client = yield* clientOf(
            { EchoServer: handler },
            { faults: { toServer: { delay: 5, stallAt: 600 }, toClient: { delay: 5 } } }
          )
          yield* Effect.forkChild(client.EchoServer.open(new Request()))
          yield* pass(100, 5)
        })
      )
      assert.deepStrictEqual(ends, ["interrupted"])
    })
  )

  it.effect("handlers may be built by an effect, whose failure is that of the client", () =>
    Effect.gen(function* () {
      const client = yield* Testing.client(TestService, Effect.succeed(only(say("built"))))
      assert.strictEqual((yield* client.EchoUnary(new Request())).message, "built")
      const failing: Effect.Effect<TestHandlers, string> = Effect.fail("no handlers")
      assert.strictEqual(yield* Effect.flip(Testing.client(TestService, failing)), "no handlers")
    })
  )
})
