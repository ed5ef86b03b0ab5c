import { Thrift } from "@millrace/codec"
import { assert, describe, it } from "@effect/vitest"
import { MemoryTransport } from "@millrace/transport"
import { Cause, Effect, Fiber, Layer, Stream } from "effect"
import { BizStatusError, Method, RpcTracer, Service } from "../src/index.ts"
import { Recorder } from "../src/testing/index.ts"
import { clientOf, pass, recorded, settle, told } from "./support/client.ts"
import { answers, misbehaving, ok, write } from "./support/misbehaving.ts"
import { Request, Response, struct, TestService } from "./support/echo.ts"
import { StreamClient, Testing, wire } from "./support/over.ts"

const request = (message: string) => new Request({ message })
const response = (message: string) => new Response({ message })

describe("one response means one", () => {
  for (const [name, answer, expected] of answers) {
    it.effect(`client streaming: ${name}`, () =>
      Effect.gen(function* () {
        const { client, recorder } = yield* misbehaving((stream) => answer(stream, struct("a")))
        assert.strictEqual(told(yield* Effect.exit(client.EchoClient(Stream.make(request("x"))))), expected)
        const up = yield* client.EchoClient.open()
        assert.strictEqual(told(yield* Effect.exit(up.closeAndRecv)), expected)
        assert.strictEqual(recorder.client.finishes.length, 2)
      })
    )
  }

  it.effect("a message and nothing behind it waits for the deadline", () =>
    Effect.gen(function* () {
      const { client } = yield* misbehaving((stream) => write(stream, struct("a")))
      const up = yield* Effect.forkChild(client.EchoClient(Stream.empty, { timeout: 50 }))
      yield* pass(60)
      assert.strictEqual(told(yield* Fiber.await(up)), `DeadlineExceeded: ${wire.streams.deadlineExceeded(50)}`)
    })
  )

  it.effect("closeAndRecv that was interrupted before the end has not lost the response", () =>
    Effect.gen(function* () {
      const { client, streams } = yield* misbehaving((stream) => write(stream, struct("one")))
      const up = yield* client.EchoClient.open()
      const waiting = yield* Effect.forkChild(up.closeAndRecv)
      yield* settle
      yield* Fiber.interrupt(waiting)
      const again = yield* Effect.forkChild(up.closeAndRecv)
      yield* settle
      streams[0]!.finish(ok, [])
      assert.strictEqual((yield* Fiber.join(again)).message, "one")
    })
  )
})

describe("what comes from the peer", () => {
  it.effect("messages before an error are delivered before it, and the error stays", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* misbehaving((stream) => {
        write(stream, struct("a"), struct("b"))
        stream.finish({ code: 9, message: "später" }, [])
      })
      const down = yield* client.EchoServer.open(request("x"))
      yield* settle
      assert.strictEqual((yield* down.recv).message, "a")
      assert.strictEqual((yield* down.recv).message, "b")
      const error = yield* Effect.flip(down.recv)
      assert.isFalse(Cause.isDone(error))
      assert.strictEqual((error as Error).message, wire.streams.ofMiddleware("später", 9))
      assert.strictEqual(yield* Effect.flip(down.recv), error)
      assert.deepInclude(error, { method: "TestService.EchoServer", address: "memory" })
      assert.strictEqual(recorder.client.finishes[0]!.recvCount, 2)
    })
  )

  it.effect("a connection that breaks is told to all of its streams, after their messages", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded(
        {
          EchoServer: () => Stream.concat(Stream.make(response("a".repeat(500))), Stream.never),
          EchoClient: () => Effect.never
        },
        { faults: { toServer: {}, toClient: { cutAt: 900 } } }
      )
      const first = yield* client.EchoServer.open(request("x"))
      const up = yield* Effect.forkChild(client.EchoClient(Stream.never))
      yield* settle
      const second = yield* client.EchoServer.open(request("x"))
      yield* settle
      assert.strictEqual((yield* first.recv).message?.length, 500)
      for (const lost of [Effect.exit(first.recv), Effect.exit(second.recv), Fiber.await(up)]) {
        const exit = yield* lost as Effect.Effect<never>
        assert.match(told(exit), /^Unavailable: /)
      }
      yield* settle
      assert.strictEqual(recorder.server.finishes.length, 3)
      assert.deepStrictEqual(
        recorder.client.finishes.map(({ reason }) => reason),
        ["error", "error", "error"]
      )
      // The next call dials again.
      const third = yield* client.EchoServer.open(request("x"))
      assert.strictEqual((yield* third.recv).message?.length, 500)
    })
  )

  it.effect("a message that cannot be decoded ends the stream with the path in the text", () =>
    Effect.gen(function* () {
      const bad = Uint8Array.of(11, 0, 1, 0, 0, 0, 200, 65, 0)
      const { client, recorder, streams } = yield* misbehaving((stream) => {
        write(stream, struct("good"), bad, struct("never seen"))
      })
      const down = yield* client.EchoServer.open(request("x"))
      assert.strictEqual((yield* down.recv).message, "good")
      const text = told(yield* Effect.exit(down.recv))
      assert.match(text, /^CodecError: rpc error: code = 7 desc = .*Response\.message/)
      assert.strictEqual(told(yield* Effect.exit(down.recv)), text)
      yield* settle
      assert.strictEqual(streams[0]!.writeEnded !== undefined, true, "reset")
      const got: Array<string | undefined> = []
      const exit = yield* Effect.exit(
        Stream.runForEach(client.EchoServer(request("x")), ({ message }) => Effect.sync(() => got.push(message)))
      )
      assert.deepStrictEqual(got, ["good"])
      assert.strictEqual(told(exit), text)
      for (const { exit, reason } of recorder.client.finishes) {
        assert.strictEqual(reason, "error")
        assert.match(told(exit), /^CodecError/)
      }
    })
  )
})

class Numbers extends Thrift.Struct<Numbers>("test.Numbers")({
  items: Thrift.field(1, Thrift.list(Thrift.I32)),
  name: Thrift.required(2, Thrift.String)
}) {}
class Strict extends Service.make("Strict", {
  methods: [
    Method.bidirectional("Both", { request: Numbers, response: Numbers }),
    Method.clientStreaming("Up", { request: Numbers, response: Numbers }),
    Method.serverStreaming("Down", { request: Numbers, response: Numbers }),
    Method.unary("One", { request: Numbers, response: Numbers })
  ]
}) {}

describe("a message that cannot be encoded", () => {
  const bad = Object.assign(Object.create(Numbers.prototype) as Numbers, { items: [1, "two"], name: "n" })
  const good = new Numbers({ items: [1], name: "n" })
  const text = /^CodecError: rpc error: code = \d+ desc = .*\.items\[1\]: expected i32, got string/

  it.effect("is refused by send, which leaves the stream usable, and ends every other call", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make
      const client = yield* Effect.provide(
        Testing.client(Strict, {
          Both: (requests) => requests,
          Up: (requests) => Effect.as(Stream.runDrain(requests), good),
          Down: () => Stream.never,
          One: () => Effect.never
        }),
        recorder.layer
      )
      const both = yield* client.Both.open()
      assert.match(told(yield* Effect.exit(both.send(bad))), text)
      yield* both.send(good)
      assert.deepStrictEqual((yield* both.recv).items, [1])
      yield* both.closeSend
      assert.isTrue(Cause.isDone(yield* Effect.flip(both.recv)))

      assert.match(told(yield* Effect.exit(client.One(bad))), text)
      assert.match(told(yield* Effect.exit(client.Up(Stream.make(good, bad)))), text)
      assert.match(told(yield* Effect.exit(Stream.runDrain(client.Down(bad)))), text)
      assert.match(told(yield* Effect.exit(client.Down.open(bad))), text)
      yield* settle
      assert.strictEqual(recorder.client.finishes.length, 5)
      assert.strictEqual(recorder.server.finishes.length, recorder.server.starts.length)
    })
  )

  it.effect("in a response is the server's failure", () =>
    Effect.gen(function* () {
      const client = yield* Testing.client(Strict, {
        Both: (requests) => Stream.map(requests, () => bad),
        Up: () => Effect.succeed(bad),
        Down: () => Stream.make(good, bad),
        One: () => Effect.succeed(bad)
      })
      const down = yield* client.Down.open(good)
      assert.deepStrictEqual((yield* down.recv).items, [1])
      for (const effect of [
        down.recv,
        client.One(good),
        client.Up(Stream.empty),
        Stream.runDrain(client.Both(Stream.make(good)))
      ]) {
        assert.match(told(yield* Effect.exit<unknown, unknown, never>(effect)), /code = \d+ desc = .*items\[1\]/)
      }
    })
  )
})

describe("metadata", () => {
  it.effect("goes both ways, to handles and to callbacks", () =>
    Effect.gen(function* () {
      const seen: Array<string | undefined> = []
      const client = yield* clientOf({
        Echo: (requests, call) =>
          Stream.unwrap(
            Effect.gen(function* () {
              seen.push(call.metadata.get("x-token"))
              yield* call.setHeader("x-header", "h")
              yield* call.sendHeader
              yield* call.setTrailer("x-trailer", "t")
              return Stream.map(requests, ({ message }) => new Response({ message }))
            })
          ),
        EchoUnary: (_, call) =>
          Effect.gen(function* () {
            seen.push(call.metadata.get("x-token"))
            yield* call.setHeader("x-header", "h")
            yield* call.setTrailer("x-trailer", "t")
            return response("u")
          })
      })
      const stream = yield* client.Echo.open({ metadata: { "X-Token": "secret" } })
      assert.strictEqual((yield* stream.header).get("x-header"), "h")
      const trailer = yield* Effect.forkChild(stream.trailer, { startImmediately: true })
      yield* stream.closeSend
      assert.isTrue(Cause.isDone(yield* Effect.flip(stream.recv)))
      assert.strictEqual((yield* Fiber.join(trailer)).get("x-trailer"), "t")
      const events: Array<string> = []
      const options = {
        metadata: { "x-token": "other" },
        onHeader: (header: { get: (key: string) => string | undefined }) =>
          events.push(`header ${header.get("x-header")}`),
        onTrailer: (trailer: { get: (key: string) => string | undefined }) =>
          events.push(`trailer ${trailer.get("x-trailer")}`)
      }
      yield* client
        .Echo(Stream.make(request("a"), request("b")), options)
        .pipe(Stream.runForEach(({ message }) => Effect.sync(() => events.push(`${message}`))))
      yield* client.EchoUnary(request("u"), options)
      assert.deepStrictEqual(events, ["header h", "a", "b", "trailer t", "header h", "trailer t"])
      assert.deepStrictEqual(seen, ["secret", "other", "other"])
    })
  )

  it.effect("has several values a key, and bytes where the key ends in -bin", () =>
    Effect.gen(function* () {
      const bytes = Uint8Array.of(0, 255, 10)
      const seen: Array<unknown> = []
      const client = yield* clientOf({
        EchoClient: (_, call) =>
          Effect.gen(function* () {
            seen.push(call.metadata.getAll("k"), call.metadata.getAll("k-bin"), call.metadata.getAll("raw-bin"))
            yield* call.setHeader("h-bin", bytes)
            yield* call.setTrailer("t-bin", bytes)
            yield* call.setTrailer("t-bin", "text")
            return response("u")
          })
      })
      yield* client.EchoClient(Stream.empty, {
        metadata: { K: ["1", "2"], "k-bin": [bytes, "text"], "raw-bin": bytes },
        onHeader: (header) => seen.push(header.getAll("h-bin")),
        onTrailer: (trailer) => seen.push(trailer.getAll("t-bin"))
      })
      const text = new TextEncoder().encode("text")
      assert.deepStrictEqual(seen, [["1", "2"], [bytes, text], [bytes], [bytes], [bytes, text]])
      const refused = yield* Effect.flip(client.EchoClient(Stream.empty, { metadata: { k: bytes } }))
      assert.match((refused as Error).message, /"k".*: bytes need a key in -bin/)
    })
  )

  it.effect("an error without headers: header is empty, trailers are there", () =>
    Effect.gen(function* () {
      const events: Array<string> = []
      const client = yield* clientOf({
        EchoServer: (_, call) =>
          Stream.fromEffect(
            Effect.andThen(
              call.setTrailer("x-why", "because"),
              Effect.fail(new BizStatusError.BizStatusError({ statusCode: 1, statusMessage: "no" }))
            )
          )
      })
      const down = yield* client.EchoServer.open(request("x"), {
        onHeader: (header) => events.push(`header ${[...header.keys()].join()}`),
        onTrailer: (trailer) => events.push(`trailer ${trailer.get("x-why")}`)
      })
      assert.deepStrictEqual([...(yield* down.header).keys()], [])
      assert.strictEqual((yield* down.trailer).get("x-why"), "because")
      assert.strictEqual(told(yield* Effect.exit(down.recv)), "BizStatusError: biz error: code=1, msg=no")
      assert.deepStrictEqual(events, ["header ", "trailer because"])
    })
  )

  it.effect("waiting for header is interruptible and fails with the stream", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({ Echo: () => Stream.never })
      const stream = yield* client.Echo.open()
      const waiting = yield* Effect.forkChild(stream.header, { startImmediately: true })
      const interrupted = yield* Effect.forkChild(stream.trailer, { startImmediately: true })
      yield* Fiber.interrupt(interrupted)
      yield* stream.cancel
      assert.strictEqual(told(yield* Fiber.await(waiting)), `Cancelled: ${wire.streams.cancelled}`)
    })
  )
})

describe("RPCStart and RPCFinish (effect-guide 2.10)", () => {
  it.effect("creation that fails is a start and a finish on the client alone", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make
      const context = yield* Layer.build(MemoryTransport.layer)
      const client = yield* StreamClient.make(TestService).pipe(Effect.provide(context), Effect.provide(recorder.layer))
      yield* Effect.exit(client.EchoClient(Stream.empty))
      yield* Effect.exit(client.EchoUnary(request("x")))
      // The scope of the test lives on.
      yield* Effect.exit(client.Echo.open())
      assert.strictEqual(recorder.client.starts.length, 3)
      assert.deepStrictEqual(
        recorder.client.finishes.map(({ exit, reason }) => [reason, told(exit).split(":")[0]]),
        Array.from({ length: 3 }, () => ["error", "Unavailable"])
      )
    })
  )

  it.effect("sizes and counts, duration, address, order of tracers", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const tracer = (name: string): RpcTracer.RpcTracer => ({
        start: (info) => Effect.sync(() => void (info.side === "client" && order.push(`start ${name}`))),
        finish: ({ info }) => Effect.sync(() => void (info.side === "client" && order.push(`finish ${name}`)))
      })
      const recorder = yield* Recorder.make
      const client = yield* Effect.provide(
        clientOf({ EchoUnary: ({ message }) => Effect.as(Effect.sleep(30), new Response({ message })) }),
        RpcTracer.layer(tracer("a"), recorder.tracer, tracer("b"))
      )
      const fiber = yield* Effect.forkChild(client.EchoUnary(request("abc")))
      yield* pass(30)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(order, ["start a", "start b", "finish b", "finish a"])
      yield* recorder.finished("server", 1)
      for (const side of ["client", "server"] as const) {
        const { durationMillis, info, recvBytes, recvCount, sendBytes, sendCount } = recorder[side].finishes[0]!
        // {1:"abc"} is 11 bytes, the wrapper of unary methods 4 more.
        assert.deepStrictEqual([sendCount, sendBytes, recvCount, recvBytes], [1, 15, 1, 15])
        assert.strictEqual(durationMillis, 30)
        assert.deepInclude(info, {
          side,
          service: "TestService",
          method: "EchoUnary",
          mode: "unary",
          address: "memory"
        })
        // No events for messages of unary calls.
        assert.strictEqual(recorder[side].sendCount, 0)
      }
    })
  )
})
