import { assert, describe, it } from "@effect/vitest"
import { Thrift } from "@millrace/codec"
import { Cause, Deferred, Effect, Exit, Fiber, Queue, Scope, Stream } from "effect"
import { BizStatusError, Method, RpcError, Service } from "../src/index.ts"
import { clientOf, pass, recorded, settle, told } from "./support/client.ts"
import { Busy, Request, Response } from "./support/echo.ts"
import { Testing, wire } from "./support/over.ts"

const request = (message: string) => new Request({ message })
const response = (message: string) => new Response({ message })
const texts = (messages: ReadonlyArray<{ readonly message?: string }>) => messages.map(({ message }) => message)
const echo = (requests: Stream.Stream<Request, RpcError.RpcError>) =>
  Stream.map(requests, ({ message }) => new Response({ message }))

describe("modes as streams and effects", () => {
  it.effect("bidirectional", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({ Echo: echo })
      const got = yield* Stream.runCollect(client.Echo(Stream.make(request("a"), request("b"), new Request({}))))
      assert.deepStrictEqual(texts(got), ["a", "b", undefined])
      assert.instanceOf(got[0], Response)
    })
  )

  it.effect("client streaming", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({
        EchoClient: (requests) => Effect.map(Stream.runCount(requests), (n) => response(`${n}`))
      })
      assert.strictEqual((yield* client.EchoClient(Stream.make(request("a"), request("b")))).message, "2")
      assert.strictEqual((yield* client.EchoClient(Stream.empty)).message, "0")
      const many = Stream.map(Stream.range(1, 5000), (n) => request(`${n}`))
      assert.strictEqual((yield* client.EchoClient(many)).message, "5000")
    })
  )

  it.effect("server streaming", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({
        EchoServer: ({ message }) => Stream.make(response(`${message}1`), response(`${message}2`))
      })
      const got = yield* Stream.runCollect(client.EchoServer(request("x")))
      assert.deepStrictEqual(texts(got), ["x1", "x2"])
    })
  )

  it.effect("unary", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({ EchoUnary: ({ message }) => Effect.succeed(new Response({ message })) })
      const got = yield* client.EchoUnary(request("u"))
      assert.strictEqual(got.message, "u")
      assert.instanceOf(got, Response)
    })
  )

  it.effect("a stream can be run again, each run is a call", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded({ EchoServer: () => Stream.make(response("a")) })
      const calls = client.EchoServer(request("x"))
      assert.strictEqual(recorder.client.starts.length, 0)
      yield* Stream.runDrain(calls)
      yield* Stream.runDrain(calls)
      assert.strictEqual(recorder.client.starts.length, 2)
    })
  )

  it.effect("order survives in both directions, many messages at a time", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({ Echo: echo })
      const numbers = Array.from({ length: 20_000 }, (_, i) => `${i}`)
      const got = yield* Stream.runCollect(client.Echo(Stream.map(Stream.fromIterable(numbers), request)))
      assert.deepStrictEqual(texts(got), numbers)
    })
  )
})

describe("handles", () => {
  it.effect("bidirectional in half duplex and full duplex", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({ Echo: echo })
      const stream = yield* client.Echo.open()
      for (const text of ["a", "b", "c"]) {
        yield* stream.send(request(text))
        assert.strictEqual((yield* stream.recv).message, text)
      }
      const reader = yield* Effect.forkChild(
        Effect.gen(function* () {
          const got: Array<string | undefined> = []
          for (let i = 0; i < 100; i++) got.push((yield* stream.recv).message)
          return got
        }),
        { startImmediately: true }
      )
      for (let i = 0; i < 100; i++) yield* stream.send(request(`${i}`))
      assert.deepStrictEqual(
        yield* Fiber.join(reader),
        Array.from({ length: 100 }, (_, i) => `${i}`)
      )
      yield* stream.closeSend
      yield* stream.closeSend
      assert.isTrue(Cause.isDone(yield* Effect.flip(stream.recv)))
      assert.isTrue(Cause.isDone(yield* Effect.flip(stream.recv)))
    })
  )

  it.effect("client streaming: the call is finished before closeAndRecv returns", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded({
        EchoClient: (requests) => Effect.map(Stream.runCount(requests), (n) => response(`${n}`))
      })
      const up = yield* client.EchoClient.open()
      yield* up.send(request("a"))
      yield* up.send(request("b"))
      assert.strictEqual((yield* up.closeAndRecv).message, "2")
      assert.strictEqual(recorder.client.finishes.length, 1)
      assert.strictEqual(recorder.client.finishes[0]!.reason, "eof")
    })
  )

  it.effect("server streaming", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({ EchoServer: () => Stream.make(response("a"), response("b")) })
      const down = yield* client.EchoServer.open(request("x"))
      assert.strictEqual((yield* down.recv).message, "a")
      assert.strictEqual((yield* down.recv).message, "b")
      assert.isTrue(Cause.isDone(yield* Effect.flip(down.recv)))
    })
  )

  it.effect("a second recv, and a second send, is a defect that names both", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({ Echo: () => Stream.never }, { client: { stallWarning: "1 hour" } })
      const stream = yield* client.Echo.open()
      yield* Effect.forkChild(stream.recv, { startImmediately: true })
      assert.strictEqual(
        told(yield* Effect.exit(stream.recv)),
        "defect: Error: TestService.Echo: recv was called while another recv of the same stream waits; use one fiber for each direction"
      )
      yield* Effect.forkChild(Effect.forever(stream.send(request("x".repeat(50_000)))), { startImmediately: true })
      // Until neither end takes any more.
      for (let i = 0; i < 20; i++) yield* settle
      assert.strictEqual(
        told(yield* Effect.exit(stream.send(request("x")))),
        "defect: Error: TestService.Echo: send was called while another send of the same stream waits; use one fiber for each direction"
      )
    })
  )
})

describe("the first message", () => {
  it.effect("is on the wire though the second never comes", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({ Echo: echo })
      const requests = Stream.concat(Stream.make(request("first")), Stream.never)
      const got = yield* Stream.runHead(client.Echo(requests))
      assert.strictEqual(
        got.pipe((o) => (o._tag === "Some" ? o.value.message : undefined)),
        "first"
      )
    })
  )

  it.effect("is handed over before anything else runs", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded({
        Echo: echo,
        EchoUnary: () => Effect.succeed(response("connected"))
      })
      yield* client.EchoUnary(request("x"))
      const requests = Stream.concat(Stream.make(request("first")), Stream.never)
      yield* Effect.forkChild(Stream.runDrain(client.Echo(requests)), { startImmediately: true })
      assert.strictEqual(recorder.client.sendCount, 1)
      yield* Effect.forkChild(client.EchoClient(requests), { startImmediately: true })
      assert.strictEqual(recorder.client.sendCount, 2)
    })
  )

  it.effect("of a server comes though the second never does", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({
        EchoServer: () => Stream.concat(Stream.make(response("first")), Stream.never)
      })
      const got = yield* Stream.runCollect(Stream.take(client.EchoServer(request("x")), 1))
      assert.deepStrictEqual(texts(got), ["first"])
    })
  )
})

const endless = (log: Array<string>) =>
  Stream.fromEffectRepeat(Effect.as(Effect.sleep(10), response("tick"))).pipe(
    Stream.onExit((exit) => Effect.sync(() => void log.push(told(exit))))
  )

describe("leaving early stops the server's handler and runs its finalizers", () => {
  it.effect("Stream.take", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const { client, recorder } = yield* recorded({ EchoServer: () => endless(log) })
      const fiber = yield* Effect.forkChild(Stream.runCollect(Stream.take(client.EchoServer(request("x")), 3)))
      yield* pass(50, 10)
      assert.strictEqual((yield* Fiber.join(fiber)).length, 3)
      assert.deepStrictEqual(log, ["interrupted"])
      assert.strictEqual(recorder.client.finishes[0]!.reason, "earlyEnd")
      assert.isTrue(Exit.isSuccess(recorder.client.finishes[0]!.exit))
    })
  )

  it.effect("Stream.runHead", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const { client, recorder } = yield* recorded({ Echo: () => endless(log) })
      const fiber = yield* Effect.forkChild(Stream.runHead(client.Echo(Stream.never)))
      yield* pass(50, 10)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(log, ["interrupted"])
      assert.strictEqual(recorder.client.finishes[0]!.reason, "earlyEnd")
    })
  )

  it.effect("interruption of the consumer", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const { client, recorder } = yield* recorded({ EchoServer: () => endless(log) })
      const fiber = yield* Effect.forkChild(Stream.runDrain(client.EchoServer(request("x"))))
      yield* pass(50, 10)
      yield* Fiber.interrupt(fiber)
      yield* settle
      assert.deepStrictEqual(log, ["interrupted"])
      assert.strictEqual(recorder.client.finishes[0]!.reason, "interrupted")
      assert.isTrue(Exit.hasInterrupts(recorder.client.finishes[0]!.exit))
    })
  )

  it.effect("closing the scope of a handle", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const { client, recorder } = yield* recorded({ EchoServer: () => endless(log) })
      const fiber = yield* Effect.forkChild(
        Effect.scoped(Effect.flatMap(client.EchoServer.open(request("x")), (down) => down.recv))
      )
      yield* pass(50, 10)
      assert.strictEqual((yield* Fiber.join(fiber)).message, "tick")
      assert.deepStrictEqual(log, ["interrupted"])
      assert.strictEqual(recorder.client.finishes[0]!.reason, "earlyEnd")
    })
  )

  it.effect("closing the scope wakes fibers outside of it that wait at the stream", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded({ Echo: () => Stream.never })
      const scope = yield* Scope.make()
      const stream = yield* Scope.provide(client.Echo.open(), scope)
      const waiting = [
        yield* Effect.forkChild(stream.recv),
        yield* Effect.forkChild(stream.header),
        yield* Effect.forkChild(Effect.forever(stream.send(request("x".repeat(100_000)))))
      ]
      yield* settle
      yield* Scope.close(scope, Exit.void)
      for (const fiber of waiting) {
        assert.strictEqual(
          told(yield* Fiber.await(fiber as Fiber.Fiber<unknown, unknown>)),
          `Cancelled: ${wire.streams.cancelled}`
        )
      }
      assert.deepStrictEqual(
        recorder.client.finishes.map(({ reason }) => reason),
        ["earlyEnd"]
      )
    })
  )

  it.effect("cancel and finish", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const { client, recorder } = yield* recorded({ EchoServer: () => endless(log) })
      const first = yield* client.EchoServer.open(request("x"))
      yield* settle
      yield* first.cancel
      yield* first.cancel
      yield* settle
      assert.deepStrictEqual(log, ["interrupted"])
      assert.strictEqual(told(yield* Effect.exit(first.recv)), `Cancelled: ${wire.streams.cancelled}`)
      const second = yield* client.EchoServer.open(request("x"))
      yield* settle
      yield* second.finish()
      yield* second.finish()
      const third = yield* client.EchoServer.open(request("x"))
      yield* settle
      const reason = new RpcError.RpcError({ reason: new RpcError.Status(), code: 10, desc: "enough" })
      yield* third.finish(reason)
      yield* settle
      assert.deepStrictEqual(log, ["interrupted", "interrupted", "interrupted"])
      assert.deepStrictEqual(
        recorder.client.finishes.map(({ exit, reason }) => [reason, told(exit)]),
        [
          ["explicit", `Cancelled: ${wire.streams.cancelled}`],
          ["explicit", "success"],
          ["explicit", "Status: rpc error: code = 10 desc = enough"]
        ]
      )
      assert.deepStrictEqual(
        recorder.server.finishes.map(({ reason }) => reason),
        ["error", "error", "error"]
      )
    })
  )

  it.effect("a consumer that fails", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const { client, recorder } = yield* recorded({ EchoServer: () => endless(log) })
      const fiber = yield* Effect.forkChild(
        Effect.exit(Stream.runForEach(client.EchoServer(request("x")), () => Effect.fail("no more")))
      )
      yield* pass(50, 10)
      assert.deepStrictEqual(yield* Fiber.join(fiber), Exit.fail("no more"))
      assert.deepStrictEqual(log, ["interrupted"])
      assert.strictEqual(recorder.client.finishes[0]!.reason, "error")
    })
  )
})

describe("the server ends first", () => {
  it.effect("well, while the client still sends", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded({
        Echo: (requests) => Stream.take(echo(requests), 2),
        EchoClient: () => Effect.succeed(response("early"))
      })
      const requests = Stream.concat(Stream.make(request("a"), request("b")), Stream.never)
      const got = yield* Stream.runCollect(client.Echo(requests))
      assert.deepStrictEqual(texts(got), ["a", "b"])
      assert.strictEqual((yield* client.EchoClient(Stream.never)).message, "early")
      const flood = Stream.map(Stream.range(1, 10_000), () => request("x".repeat(5000)))
      assert.strictEqual((yield* client.EchoClient(flood)).message, "early")
      assert.deepStrictEqual(
        recorder.client.finishes.map(({ reason }) => reason),
        ["eof", "eof", "eof"]
      )
    })
  )

  it.effect("its error is that of the call, not what it did to the sender", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({
        Echo: () =>
          Stream.concat(
            Stream.make(response("a")),
            Stream.fail(new BizStatusError.BizStatusError({ statusCode: 404, statusMessage: "no such" }))
          )
      })
      const flood = Stream.map(Stream.range(1, 1000), () => request("x".repeat(10_000)))
      const slow = Stream.runForEach(client.Echo(flood), () => Effect.sleep(100))
      const fiber = yield* Effect.forkChild(slow)
      yield* pass(200, 20)
      assert.strictEqual(told(yield* Fiber.await(fiber)), "BizStatusError: biz error: code=404, msg=no such")
    })
  )

  it.effect("sends behind the end have the texts of Kitex", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({
        Echo: { duplex: (stream) => Effect.asVoid(stream.recv) },
        EchoClient: () => Effect.fail(new BizStatusError.BizStatusError({ statusCode: 404, statusMessage: "no such" }))
      })
      const good = yield* client.Echo.open()
      yield* good.send(request("a"))
      assert.isTrue(Cause.isDone(yield* Effect.flip(good.recv)))
      const done = `Status: ${wire.streams.streamDone}`
      assert.strictEqual(told(yield* Effect.exit(good.send(request("b")))), done)
      yield* good.closeSend

      const closed = yield* client.Echo.open()
      yield* closed.closeSend
      assert.strictEqual(told(yield* Effect.exit(closed.send(request("b")))), done)

      const bad = yield* client.EchoClient.open()
      yield* settle
      assert.strictEqual(
        told(yield* Effect.exit(bad.send(request("b")))),
        `Status: ${wire.streams.bizDone(404, "no such")}`
      )
      const error = yield* Effect.flip(bad.closeAndRecv)
      assert.instanceOf(error, BizStatusError.BizStatusError)
      assert.strictEqual(error.message, "biz error: code=404, msg=no such")
      assert.strictEqual(yield* Effect.flip(bad.closeAndRecv), error)
    })
  )
})

describe("a request stream that fails", () => {
  it.effect("surfaces its own cause and cancels the call", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const { client, recorder } = yield* recorded({
        Echo: (requests) => Stream.onExit(echo(requests), (exit) => Effect.sync(() => void log.push(told(exit)))),
        EchoClient: (requests) => Effect.as(Stream.runDrain(requests), response("all"))
      })
      const requests = Stream.concat(
        Stream.make(request("a")),
        Stream.fromEffect(Effect.andThen(settle, Effect.fail("broken" as const)))
      )
      assert.strictEqual(yield* Effect.flip(Stream.runDrain(client.Echo(requests))), "broken")
      assert.strictEqual(yield* Effect.flip(client.EchoClient(requests)), "broken")
      assert.strictEqual(told(yield* Effect.exit(client.EchoClient(Stream.die("boom")))), "defect: boom")
      yield* settle
      assert.deepStrictEqual(log, ["interrupted"])
      assert.deepStrictEqual(
        recorder.client.finishes.map(({ exit, reason }) => [reason, told(exit)]),
        Array.from({ length: 3 }, () => ["explicit", `Cancelled: ${wire.streams.cancelled}`])
      )
    })
  )

  it.effect("or interrupts itself", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({ EchoClient: () => Effect.never })
      const exit = yield* Effect.exit(client.EchoClient(Stream.fromEffect(Effect.interrupt)))
      assert.isTrue(Exit.hasInterrupts(exit))
    })
  )

  it.effect("keeps its requirements and its interruption", () =>
    Effect.gen(function* () {
      const stopped = yield* Deferred.make<void>()
      const client = yield* clientOf({ Echo: () => Stream.make(response("a")) })
      const requests = Stream.never.pipe(Stream.onExit(() => Deferred.succeed(stopped, undefined)))
      yield* Stream.runDrain(client.Echo(requests))
      yield* Deferred.await(stopped)
    })
  )
})

describe("unary", () => {
  it.effect("void, when there is no response", () =>
    Effect.gen(function* () {
      const methods = [Method.unary("Done", { request: Request, exceptions: { busy: Thrift.field(1, Busy) } })]
      class Tasks extends Service.make("Tasks", { methods }) {}
      const seen: Array<string | undefined> = []
      const client = yield* Testing.client(Tasks, {
        Done: ({ message }) =>
          message === "busy" ? Effect.fail(new Busy({})) : Effect.sync(() => void seen.push(message))
      })
      const done: void = yield* client.Done(request("x"))
      assert.isUndefined(done)
      assert.deepStrictEqual(seen, ["x"])
      assert.instanceOf(yield* Effect.flip(client.Done(request("busy"))), Busy)
    })
  )

  it.effect("errors: declared, undeclared, business, defects", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded({
        EchoUnary: ({ message }) =>
          message === "busy"
            ? Effect.fail(new Busy({ retryAfter: 5 }))
            : message === "biz"
              ? Effect.fail(
                  new BizStatusError.BizStatusError({ statusCode: 7, statusMessage: "no", extra: { k: "v" } })
                )
              : message === "rpc"
                ? Effect.fail(new RpcError.RpcError({ reason: new RpcError.Status(), code: 5, desc: "nf" }))
                : Effect.die(new Error("boom"))
      })
      const busy = yield* Effect.flip(client.EchoUnary(request("busy")))
      assert.instanceOf(busy, Busy)
      assert.strictEqual((busy as Busy).retryAfter, 5)
      const biz = yield* Effect.flip(client.EchoUnary(request("biz")))
      assert.instanceOf(biz, BizStatusError.BizStatusError)
      assert.deepStrictEqual({ ...(biz as BizStatusError.BizStatusError).extra }, { k: "v" })
      assert.strictEqual(
        told(yield* Effect.exit(client.EchoUnary(request("rpc")))),
        `Status: ${wire.unary.ofHandler("nf", 5)}`
      )
      assert.strictEqual(
        told(yield* Effect.exit(client.EchoUnary(request("die")))),
        `Status: ${wire.unary.panic("TestService.EchoUnary", "boom")}`
      )
      assert.deepStrictEqual(
        recorder.client.finishes.map(({ bizError, exit, reason }) => [
          reason,
          Exit.isSuccess(exit),
          bizError?.statusCode
        ]),
        [
          ["eof", true, undefined],
          ["error", true, 7],
          ["error", false, undefined],
          ["error", false, undefined]
        ]
      )
    })
  )

  it.effect("interruption cancels the handler", () =>
    Effect.gen(function* () {
      const ends = yield* Queue.unbounded<string>()
      const { client, recorder } = yield* recorded({
        EchoUnary: () => Effect.onExit(Effect.never, (exit) => Queue.offer(ends, told(exit)))
      })
      // The second runs on a connection that is there: the other way to open a stream.
      for (let i = 0; i < 2; i++) {
        const fiber = yield* Effect.forkChild(client.EchoUnary(request("x")))
        yield* settle
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(yield* Queue.take(ends), "interrupted")
      }
      assert.deepStrictEqual(
        recorder.client.finishes.map(({ reason }) => reason),
        ["interrupted", "interrupted"]
      )
    })
  )
})
