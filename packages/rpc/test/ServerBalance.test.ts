import { assert, describe, it } from "@effect/vitest"
import { MemoryTransport, TransportError } from "@millrace/transport"
import { Clock, Effect, Fiber, Layer, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Admission, type RpcTracer as Tracer, RpcTracer, Server } from "../src/index.ts"
import { type Asked, begin, serveCalls } from "./support/calls.ts"
import { handlersOf, logged, open, Response, settled, struct, TestService, wrapped } from "./support/echo.ts"
import { wire } from "./support/over.ts"

const cancelled = new TransportError.TransportError({
  reason: new TransportError.Cancelled(),
  code: 1,
  desc: "context canceled"
})

/** What the handler does, as the text of its first request says. */
const behaviours = ["answer", "fail", "die", "throw", "hang", "fork", "slow", "deaf"] as const
const behave = (how: string | undefined): Effect.Effect<Response> => {
  switch (how) {
    case "fail":
      return Effect.fail("no") as never
    case "die":
      return Effect.die("boom")
    case "throw":
      throw new Error("boom")
    case "hang":
      return Effect.never
    case "fork":
      return Effect.andThen(Effect.forkChild(Effect.die("boom")), Effect.never)
    case "slow":
      return Effect.as(Effect.sleep(20), new Response({}))
    case "deaf":
      return Effect.uninterruptible(Effect.as(Effect.sleep(30), new Response({})))
    default:
      return Effect.succeed(new Response({ message: "x" }))
  }
}

const Call = Schema.Struct({
  method: Schema.Literals(["EchoUnary", "EchoClient", "EchoServer", "Echo", "Log", "Nope"]),
  how: Schema.Literals(behaviours),
  messages: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 })),
  close: Schema.Boolean,
  timeoutMillis: Schema.Literals([0, 0, 10]),
  after: Schema.Literals([0, 5, 25]),
  leave: Schema.Boolean
})

const PingPong = Schema.Struct({
  method: Schema.Literals(["EchoPingPong", "Log", "Nope"]),
  how: Schema.Literals(behaviours),
  broken: Schema.Literals([false, false, true]),
  timeoutMillis: Schema.Literals([0, 0, 10]),
  after: Schema.Literals([0, 5, 25]),
  leave: Schema.Boolean
})

const isStream = (method: string): boolean => wire.unary.isStream || (method !== "EchoUnary" && method !== "Log")

describe("whatever clients and handlers do", () => {
  it.effect.prop(
    "each call is started and finished once, admitted and given back once, and nothing of it stays",
    [Schema.Array(Call).check(Schema.isMaxLength(8))],
    ([calls]) =>
      Effect.gen(function* () {
        let admitted = 0
        let running = 0
        const starts: Array<string> = []
        const finishes: Array<Tracer.RpcFinish> = []
        const first = (requests: Stream.Stream<{ readonly message?: string }, any>) =>
          Effect.flatMap(Stream.runHead(requests), (head) =>
            behave(head._tag === "Some" ? head.value.message : "answer")
          )
        const live = Server.layer([TestService], {
          graceTime: 50,
          admission: [
            Admission.make(() => {
              admitted++
              running++
              return () => {
                running--
              }
            })
          ]
        }).pipe(
          Layer.provide(
            TestService.toLayer(
              handlersOf({
                EchoUnary: (request) => behave(request.message),
                EchoClient: first,
                EchoServer: (request) => Stream.fromEffect(behave(request.message)),
                Echo: (requests) => Stream.fromEffect(first(requests)),
                Log: ({ line }) => Effect.asVoid(behave(line))
              })
            )
          ),
          Layer.provideMerge(MemoryTransport.layer),
          Layer.provide(
            RpcTracer.layer({
              start: (info) => Effect.sync(() => void starts.push(info.method)),
              finish: (event) => Effect.sync(() => void finishes.push(event))
            })
          )
        )
        yield* logged(
          Effect.gen(function* () {
            const server = yield* Server.Server
            for (const { after, close, how, leave, messages, method, timeoutMillis } of calls) {
              const opened = yield* open(`/echo.TestService/${method}`, timeoutMillis === 0 ? {} : { timeoutMillis })
              const message = method === "EchoUnary" ? wrapped(how) : struct(how)
              const count = isStream(method) ? messages : Math.min(messages, 1)
              if (count > 0) opened.send(...Array.from({ length: count }, () => message))
              if (close) opened.stream.closeSend()
              yield* settled
              yield* TestClock.adjust(after)
              if (leave) opened.stream.abort("cancel", cancelled)
            }
            yield* settled
            const draining = yield* Effect.forkChild(server.drain, { startImmediately: true })
            yield* TestClock.adjust(50)
            yield* settled
            yield* TestClock.adjust(200)
            yield* Fiber.join(draining)
            assert.strictEqual(running, 0)
            assert.isAtMost(admitted, calls.length)
            assert.deepStrictEqual(finishes.map((event) => event.info.method).toSorted(), starts.toSorted())
            // A unary call that is none of a stream comes with its message.
            const came = calls.filter(({ messages, method }) => messages > 0 || isStream(method))
            assert.strictEqual(starts.length, came.length)
          }).pipe(Effect.provide(live))
        )
      }),
    { arbitrary: { runs: 60 } }
  )

  it.effect.prop(
    "each PingPong call ends once, too",
    [Schema.Array(PingPong).check(Schema.isMaxLength(8))],
    ([calls]) =>
      Effect.gen(function* () {
        let running = 0
        const starts: Array<string> = []
        const finishes: Array<string> = []
        const rule = Admission.make(() => {
          running++
          return () => void running--
        })
        const live = serveCalls(
          {
            EchoPingPong: ({ req }) => behave(req.message),
            Log: ({ line }) => Effect.asVoid(behave(line))
          },
          { graceTime: 50, admission: [rule] }
        ).pipe(
          Layer.provide(
            RpcTracer.layer({
              start: (info) => Effect.sync(() => void starts.push(info.method)),
              finish: ({ info }) => Effect.sync(() => void finishes.push(info.method))
            })
          )
        )
        yield* logged(
          Effect.gen(function* () {
            const server = yield* Server.Server
            const asked: Array<Asked> = []
            for (const { after, broken, how, leave, method, timeoutMillis } of calls) {
              const message = broken ? Uint8Array.of(99) : method === "Log" ? struct(how) : wrapped(how)
              const arrivedAt = yield* Clock.currentTimeMillis
              const call = yield* begin(method, message, { arrivedAt, timeoutMillis })
              asked.push(call)
              yield* settled
              yield* TestClock.adjust(after)
              if (leave) call.leave()
            }
            yield* settled
            const draining = yield* Effect.forkChild(server.drain, { startImmediately: true })
            yield* settled
            yield* TestClock.adjust(50)
            yield* settled
            yield* TestClock.adjust(200)
            yield* Fiber.join(draining)
            assert.deepStrictEqual(
              asked.map(({ ends }) => ends.length),
              asked.map(() => 1)
            )
            assert.strictEqual(running, 0)
            assert.strictEqual(starts.length, calls.length)
            assert.deepStrictEqual(finishes.toSorted(), starts.toSorted())
          }).pipe(Effect.provide(live))
        )
      }),
    { arbitrary: { runs: 60 } }
  )
})
