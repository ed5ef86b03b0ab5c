import { assert, describe, it } from "@effect/vitest"
import { MemoryTransport, Transport, TransportError } from "@millrace/transport"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Admission, Server } from "../src/index.ts"
import { Recorder } from "../src/testing/index.ts"
import { ask, begin, exceptionOf, serveCalls } from "./support/calls.ts"
import {
  call,
  handlersOf,
  logged,
  open,
  Response,
  serve,
  settled,
  statusOf,
  struct,
  TestService,
  wrapped
} from "./support/echo.ts"
import { wire } from "./support/over.ts"

const none = Uint8Array.of(0)
const cancelled = new TransportError.TransportError({
  reason: new TransportError.Cancelled(),
  code: 1,
  desc: "context canceled"
})

/** Hangs, and takes 300 ms to be interrupted. */
const slowToEnd = Effect.onInterrupt(Effect.never, () => Effect.sleep(300))

const stopping = Effect.gen(function* () {
  const server = yield* Server.Server
  return yield* Effect.forkChild(server.drain, { startImmediately: true })
})

describe("a stop whose grace time is over", () => {
  it.effect("refuses the calls that come, in place of running them, and ends", () =>
    Effect.gen(function* () {
      const began: Array<string> = []
      const hang = (name: string) => () =>
        Effect.suspend(() => {
          began.push(name)
          return Effect.never
        })
      const recorder = yield* Recorder.make
      const live = serveCalls(
        { Ping: () => slowToEnd, EchoPingPong: hang("EchoPingPong"), Log: hang("Log") },
        { graceTime: 1000 }
      )
      yield* Effect.gen(function* () {
        const first = yield* begin("Ping", none)
        yield* settled
        const stop = yield* stopping
        yield* TestClock.adjust(1000)
        assert.deepStrictEqual(exceptionOf(yield* first.ended), [14, "graceful shutdown"])
        const late = yield* ask("EchoPingPong", wrapped("m"))
        assert.deepStrictEqual([exceptionOf(late), late.close], [[14, "graceful shutdown"], true])
        assert.strictEqual((yield* ask("Log", struct("line"))).how, "abort")
        assert.strictEqual((yield* ask("Nope", none)).exception?.type, 14)
        assert.isUndefined(stop.pollUnsafe())
        yield* TestClock.adjust(300)
        yield* Fiber.join(stop)
        assert.deepStrictEqual(began, [])
        yield* settled
        assert.deepStrictEqual(
          recorder.server.finishes.map(({ exit, info }) => [info.method, Exit.isFailure(exit)]),
          ["EchoPingPong", "Log", "Nope", "Ping"].map((method) => [method, true])
        )
      }).pipe(Effect.provide(live), Effect.provide(recorder.layer))
    })
  )

  it.effect("refuses a call whose message was on its way at the stop, and whose rest comes later", () =>
    Effect.gen(function* () {
      const began: Array<string> = []
      const handlers = handlersOf({
        Ping: () => slowToEnd,
        EchoPingPong: () =>
          Effect.suspend(() => {
            began.push("EchoPingPong")
            return Effect.never
          })
      })
      const scope = yield* Scope.make()
      // A message comes in two pieces, a second each.
      const context = yield* Server.layer([TestService], { graceTime: 300 }).pipe(
        Layer.provide(TestService.toLayer(handlers)),
        Layer.provideMerge(MemoryTransport.layerWith({ toServer: { split: [20], delay: 1000 } })),
        Layer.buildWithScope(scope)
      )
      const transport = Context.get(context, Transport.ClientTransport)
      const send = Effect.fnUntraced(function* (method: string, args: Uint8Array) {
        const lease = yield* transport.lease({ address: "memory", encoding: "framed", connection: "short" })
        const answer = yield* Deferred.make<string>()
        const tell = (text: string) => void Deferred.doneUnsafe(answer, Effect.succeed(text))
        lease.send({
          method,
          oneway: false,
          header: { ints: [], strings: [] },
          args,
          encode: (bytes, out) => {
            out.ensure(bytes.length)
            out.buffer.set(bytes, out.position)
            out.position += bytes.length
          },
          listener: {
            onReply: ({ exception }) => tell(`${exception?.type} ${exception?.message}`),
            onSent: () => tell("sent"),
            onFailed: ({ desc }) => tell(desc)
          }
        })
        return Deferred.await(answer)
      })
      const pass = (millis: number) => Effect.andThen(TestClock.adjust(millis), settled)
      const first = yield* send("Ping", none)
      yield* pass(1000)
      yield* pass(500)
      const second = yield* send("EchoPingPong", struct("m"))
      yield* pass(500)
      yield* pass(500)
      yield* pass(350)
      const stop = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* pass(300)
      assert.strictEqual(yield* first, "14 graceful shutdown")
      assert.isUndefined(stop.pollUnsafe())
      // 3.5 seconds: the rest is there, and the finalizer of the first call still runs.
      yield* pass(350)
      assert.strictEqual(yield* second, "14 graceful shutdown")
      yield* pass(100)
      yield* Fiber.join(stop)
      assert.deepStrictEqual(began, [])
    })
  )

  it.effect("resets a stream whose turn comes then", () =>
    Effect.gen(function* () {
      let began = 0
      const handlers = handlersOf({
        EchoClient: () =>
          Effect.suspend(() => {
            began++
            return slowToEnd
          })
      })
      const scope = yield* Scope.make()
      const context = yield* Server.layer([TestService], { graceTime: 100 }).pipe(
        Layer.provide(TestService.toLayer(handlers)),
        Layer.provideMerge(MemoryTransport.layerWith({ server: { limits: { maxConcurrentStreams: 1 } } })),
        Layer.buildWithScope(scope)
      )
      yield* Effect.gen(function* () {
        const first = yield* open("/echo.TestService/EchoClient")
        first.send(struct("m"))
        yield* settled
        first.stream.abort("cancel", cancelled)
        yield* settled
        const second = yield* open("/echo.TestService/EchoClient")
        second.send(struct("m"))
        yield* settled
        const stop = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
        yield* TestClock.adjust(100)
        yield* settled
        assert.isUndefined(stop.pollUnsafe())
        yield* TestClock.adjust(200)
        const { end } = yield* second.result
        assert.deepStrictEqual(end._tag === "Failed" ? [end.error.code, end.error.desc] : end, [
          14,
          wire.streams.shutdown
        ])
        yield* settled
        yield* TestClock.adjust(100)
        yield* Fiber.join(stop)
        assert.strictEqual(began, 1)
      }).pipe(Effect.provide(context))
    })
  )

  it.effect("waits a second for handlers that may not be interrupted, and says how many it leaves behind", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const live = serveCalls({ Ping: () => Effect.uninterruptible(Deferred.await(gate)) }, { graceTime: 10 })
      const [, lines] = yield* logged(
        Effect.gen(function* () {
          const calls = [yield* begin("Ping", none), yield* begin("Ping", none)]
          yield* settled
          const stop = yield* stopping
          yield* TestClock.adjust(10 + 999)
          assert.isUndefined(stop.pollUnsafe())
          yield* TestClock.adjust(1)
          yield* Fiber.join(stop)
          yield* Deferred.succeed(gate, undefined)
          for (const call of calls) assert.strictEqual(call.ends.length, 1)
        }).pipe(Effect.provide(live))
      )
      assert.deepStrictEqual(
        lines.map(({ level, text }) => [level, text.trim()]),
        [
          [
            "Warn",
            "the server stops, and leaves 2 calls behind that still run 1 second after they were interrupted: their handlers may not be interrupted, or finalizers or tracers take longer"
          ]
        ]
      )
    })
  )
})

describe("an admission that dies when it gets back what it gave out", () => {
  const rules = () => {
    const log: Array<string> = []
    return {
      log,
      admission: [
        Admission.make(() => () => void log.push("before")),
        Admission.make(() => () => {
          throw new Error("broken release")
        }),
        Admission.make(() => () => void log.push("behind"))
      ]
    }
  }
  const onlyDefects = (lines: ReadonlyArray<{ readonly level: string; readonly text: string }>, count: number) => {
    assert.deepStrictEqual(
      lines.map(({ level }) => level),
      Array.from({ length: count }, () => "Error")
    )
    for (const { text } of lines) assert.include(text, "broken release")
  }

  it.effect("is logged; the other rules get theirs, and the server stops", () =>
    Effect.gen(function* () {
      const { admission, log } = rules()
      const [, lines] = yield* logged(
        Effect.gen(function* () {
          assert.strictEqual((yield* ask("Ping", none)).how, "reply")
          assert.deepStrictEqual(log.splice(0), ["before", "behind"])
          assert.strictEqual(exceptionOf(yield* ask("EchoPingPong", Uint8Array.of(99)))?.[0], 7)
          assert.deepStrictEqual(log, ["before", "behind"])
          yield* settled
          yield* Fiber.join(yield* stopping)
        }).pipe(Effect.provide(serveCalls({ Ping: () => Effect.void }, { admission })))
      )
      onlyDefects(lines, 2)
    })
  )

  it.effect("does not keep a refusal of the next rule from its call", () =>
    Effect.gen(function* () {
      const { admission, log } = rules()
      const refuses = Admission.make(() => {
        throw new Error("broken rule")
      })
      const live = serveCalls({}, { admission: [...admission, refuses] })
      const [end] = yield* logged(Effect.provide(ask("Ping", none), live))
      assert.include(end.exception?.message, "broken rule")
      assert.deepStrictEqual(log, ["before", "behind"])
    })
  )

  it.effect("is the same on a stream", () =>
    Effect.gen(function* () {
      const { admission, log } = rules()
      const [, lines] = yield* logged(
        Effect.gen(function* () {
          const result = yield* call("/echo.TestService/EchoUnary", [wrapped("m")])
          assert.deepStrictEqual(statusOf(result), [0, ""])
          assert.deepStrictEqual(log, ["before", "behind"])
          yield* settled
          yield* Fiber.join(yield* stopping)
        }).pipe(Effect.provide(serve({ EchoUnary: () => Effect.succeed(new Response({})) }, { admission })))
      )
      onlyDefects(lines, 1)
    })
  )
})
