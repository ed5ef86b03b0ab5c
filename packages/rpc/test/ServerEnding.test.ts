import { assert, describe, it } from "@effect/vitest"
import { TransportError } from "@millrace/transport"
import { type Context, Deferred, Effect, Exit, Fiber, Layer, Option, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Deadline, Server, ServerCall } from "../src/index.ts"
import {
  call,
  client,
  logged,
  open,
  Request,
  Response,
  serve,
  settled,
  statusOf,
  struct,
  wrapped
} from "./support/echo.ts"
import { clientOf } from "./support/client.ts"
import { wire } from "./support/over.ts"

const cancelled = new TransportError.TransportError({
  reason: new TransportError.Cancelled(),
  code: 1,
  desc: "context canceled"
})

/** A handler that never answers, and who interrupted it in the end. */
const hanging = () => {
  const interruptedBy: Array<string> = []
  const hang = Effect.onExit(Effect.never, (exit) =>
    Effect.sync(() => {
      if (Exit.isFailure(exit)) interruptedBy.push(ServerCall.interruptedBy(exit.cause) ?? "nobody known")
    })
  )
  return {
    interruptedBy,
    handlers: {
      EchoUnary: () => hang,
      EchoClient: () => hang,
      EchoServer: () => Stream.fromEffect(hang),
      Echo: { duplex: () => hang }
    }
  }
}

describe("a client that goes away", () => {
  for (const method of ["EchoUnary", "EchoClient", "EchoServer", "Echo"]) {
    it.effect(`${method}: the handler is interrupted, its finalizers run, nothing is logged`, () =>
      Effect.gen(function* () {
        const { handlers, interruptedBy } = hanging()
        const [, lines] = yield* logged(
          Effect.gen(function* () {
            const opened = yield* open(`/echo.TestService/${method}`)
            opened.send(method === "EchoUnary" ? wrapped("m") : struct("m"))
            yield* settled
            assert.deepStrictEqual(interruptedBy, [])
            opened.stream.abort("cancel", cancelled)
            yield* settled
            assert.deepStrictEqual(interruptedBy, ["clientAbort"])
            // The server lives.
            assert.deepStrictEqual(statusOf(yield* call("/echo.TestService/Nope", [])), [1, "unknown method Nope"])
          }).pipe(Effect.provide(serve(handlers)))
        )
        assert.deepStrictEqual(lines, [])
      })
    )
  }

  it.effect("Stream.take on the client stops the producer", () =>
    Effect.gen(function* () {
      let produced = 0
      let stopped = false
      const live = serve({
        EchoServer: () =>
          Stream.fromEffectRepeat(Effect.sync(() => new Response({ message: `${produced++}` }))).pipe(
            Stream.rechunk(1),
            Stream.tap(() => Effect.yieldNow),
            Stream.ensuring(Effect.sync(() => (stopped = true)))
          )
      })
      yield* Effect.gen(function* () {
        const echo = yield* client
        const two = yield* Stream.runCollect(Stream.take(echo.EchoServer(new Request({})), 2))
        assert.deepStrictEqual(
          two.map((r) => r.message),
          ["0", "1"]
        )
        yield* settled
        assert.isTrue(stopped)
      }).pipe(Effect.scoped, Effect.provide(live))
    })
  )

  it.effect("recv of a handler that catches interruption sees the peer's reset", () =>
    Effect.gen(function* () {
      const seen = yield* Deferred.make<unknown>()
      const live = serve({
        Echo: {
          duplex: (stream) =>
            Effect.uninterruptible(
              Effect.matchEffect(stream.recv, {
                onFailure: (error) => Deferred.succeed(seen, error),
                onSuccess: () => Deferred.succeed(seen, "a message")
              })
            )
        }
      })
      yield* Effect.gen(function* () {
        const opened = yield* open("/echo.TestService/Echo")
        yield* settled
        opened.stream.abort("cancel", cancelled)
        const error = (yield* Deferred.await(seen)) as { readonly message: string }
        assert.strictEqual(`Cancelled: ${error.message}`, wire.streams.left(wire.streams.cancelled))
      }).pipe(Effect.provide(live))
    })
  )
})

describe("deadlines", () => {
  it.effect("interrupt the handler and answer 4, without the suffix", () =>
    Effect.gen(function* () {
      for (const method of ["EchoClient", "EchoServer", "Echo"]) {
        const { handlers, interruptedBy } = hanging()
        yield* Effect.gen(function* () {
          const opened = yield* open(`/echo.TestService/${method}`, { timeoutMillis: 50 })
          opened.send(struct("m"))
          yield* settled
          yield* TestClock.adjust(49)
          assert.deepStrictEqual(interruptedBy, [])
          yield* TestClock.adjust(1)
          assert.deepStrictEqual(statusOf(yield* opened.result), [4, wire.streams.ownDeadline(50)])
          assert.deepStrictEqual(interruptedBy, ["deadline"])
        }).pipe(Effect.provide(serve(handlers)))
      }
    })
  )

  it.effect("wait for a handler that may not be interrupted, and beat its answer", () =>
    Effect.gen(function* () {
      const live = serve({
        EchoClient: () => Effect.uninterruptible(Effect.as(Effect.sleep(100), new Response({})))
      })
      yield* Effect.gen(function* () {
        const opened = yield* open("/echo.TestService/EchoClient", { timeoutMillis: 50 })
        opened.send(struct("m"))
        yield* settled
        yield* TestClock.adjust(60)
        assert.isUndefined(opened.stream.end)
        yield* TestClock.adjust(40)
        assert.deepStrictEqual(statusOf(yield* opened.result), [4, wire.streams.ownDeadline(50)])
      }).pipe(Effect.provide(live))
    })
  )

  it.effect("are handed to the calls that the handler makes", () =>
    Effect.gen(function* () {
      const remaining: Array<number | undefined> = []
      const live = serve({
        EchoUnary: () =>
          Effect.map(Deadline.remaining, (left) => {
            remaining.push(left)
            return new Response({})
          })
      })
      yield* Effect.gen(function* () {
        yield* call("/echo.TestService/EchoUnary", [wrapped("m")], { timeoutMillis: 700 })
        yield* call("/echo.TestService/EchoUnary", [wrapped("m")])
      }).pipe(Effect.provide(live))
      assert.deepStrictEqual(remaining, [700, undefined])
    })
  )

  it.effect("of the handler's own recv and send are options", () =>
    Effect.gen(function* () {
      const echo = {
        Echo: (requests: Stream.Stream<Request, any>) =>
          Stream.map(requests, (request) => new Response({ message: request.message }))
      }
      const slow = yield* Effect.gen(function* () {
        const opened = yield* open("/echo.TestService/Echo")
        opened.send(struct("a"))
        yield* settled
        yield* TestClock.adjust(30)
        return yield* opened.result
      }).pipe(Effect.provide(serve(echo, { recvTimeout: 30 })))
      assert.deepStrictEqual(slow.messages, [struct("a")])
      assert.deepStrictEqual(statusOf(slow), wire.streams.status.ofHandler(wire.streams.ownRecvTimeout(30), 17))

      const big = new Response({ message: "x".repeat(1 << 20) })
      const stuck = serve({ EchoServer: () => Stream.forever(Stream.make(big)) }, { sendTimeout: 30 })
      yield* Effect.gen(function* () {
        const opened = yield* open("/echo.TestService/EchoServer")
        // Nobody takes what comes: the window closes.
        opened.stream.listener = undefined
        opened.send(struct("a"))
        opened.stream.closeSend()
        yield* settled
        yield* TestClock.adjust(30)
        // Where its client has no window, the reset stands behind what the client does not read.
        for (let i = 0; i < 10; i++) yield* Effect.andThen(settled, TestClock.adjust(100))
        assert.strictEqual(opened.stream.end?._tag, "Failed")
      }).pipe(Effect.provide(stuck))
    })
  )
})

describe("a stalled stream", () => {
  it.effect("is logged once, with who waits for what", () =>
    Effect.gen(function* () {
      const live = serve({ Echo: { duplex: (stream) => Effect.asVoid(stream.recv) } }, { stallWarning: "1 minute" })
      const [, lines] = yield* logged(
        Effect.gen(function* () {
          const opened = yield* open("/echo.TestService/Echo")
          yield* settled
          yield* TestClock.adjust("5 minutes")
          opened.stream.closeSend()
          yield* opened.result
        }).pipe(Effect.provide(live))
      )
      assert.deepStrictEqual(
        lines.map((line) => [line.level, line.text.trim()]),
        [
          [
            "Warn",
            "stream TestService.Echo with memory stands still on the server: recv has waited 1m0s for a message, and our own sending side is still open"
          ]
        ]
      )
    })
  )
})

describe("a graceful stop", () => {
  const start = (layer: Layer.Layer<any, never>) =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(layer, scope)
      const stop = Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      return { context: context as Context.Context<any>, stop }
    })

  it.effect("of an idle server needs no time", () =>
    Effect.gen(function* () {
      const { context, stop } = yield* start(serve({ EchoUnary: () => Effect.succeed(new Response({})) }))
      yield* Effect.provide(call("/echo.TestService/EchoUnary", [wrapped()]), context)
      yield* Fiber.join(yield* stop)
    })
  )

  it.effect("lets streams end, and tells handlers", () =>
    Effect.gen(function* () {
      const live = serve({
        Echo: (requests, { draining }) =>
          Stream.concat(
            Stream.interruptWhen(
              Stream.map(requests, (r) => new Response({ message: r.message })),
              draining
            ),
            Stream.make(new Response({ message: "bye" }))
          )
      })
      const { context, stop } = yield* start(live)
      yield* Effect.gen(function* () {
        const opened = yield* open("/echo.TestService/Echo")
        opened.send(struct("hi"))
        yield* settled
        const stopping = yield* stop
        const result = yield* opened.result
        assert.deepStrictEqual(
          [result.messages, statusOf(result)],
          [
            [struct("hi"), struct("bye")],
            [0, ""]
          ]
        )
        yield* Fiber.join(stopping)
      }).pipe(Effect.provide(context))
    })
  )

  it.effect("interrupts what still runs after the grace time, and resets its stream with code 1000", () =>
    Effect.gen(function* () {
      const { handlers, interruptedBy } = hanging()
      const { context, stop } = yield* start(serve(handlers, { graceTime: "3 seconds" }))
      yield* Effect.gen(function* () {
        const opened = yield* open("/echo.TestService/Echo")
        yield* settled
        const stopping = yield* stop
        yield* settled
        yield* TestClock.adjust(2999)
        assert.deepStrictEqual([interruptedBy, opened.stream.end], [[], undefined])
        yield* TestClock.adjust(1)
        const { end } = yield* opened.result
        assert.deepStrictEqual(interruptedBy, ["shutdown"])
        assert.deepStrictEqual(end._tag === "Failed" ? [end.error.code, end.error.desc] : end, [
          14,
          wire.streams.shutdown
        ])
        yield* settled
        yield* TestClock.adjust(100)
        yield* Fiber.join(stopping)
      }).pipe(Effect.provide(context))
    })
  )

  it.effect("by Server.drain: done once, and new calls are refused", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const { context, stop } = yield* start(
        serve({ EchoUnary: () => Effect.as(Deferred.await(gate), new Response({})) })
      )
      yield* Effect.gen(function* () {
        const server = yield* Server.Server
        const opened = yield* open("/echo.TestService/EchoUnary")
        opened.send(wrapped("m"))
        yield* settled
        const first = yield* Effect.forkChild(server.drain, { startImmediately: true })
        yield* server.draining
        // Whoever asked first may leave: the stop goes on.
        yield* Fiber.interrupt(first)
        const second = yield* Effect.forkChild(server.drain, { startImmediately: true })
        yield* settled
        assert.isUndefined(second.pollUnsafe())
        yield* Deferred.succeed(gate, undefined)
        assert.deepStrictEqual(statusOf(yield* opened.result), [0, ""])
        yield* Fiber.join(second)
        yield* Fiber.join(yield* stop)
      }).pipe(Effect.provide(context))
    })
  )
})

it.effect("a call in place of one that was given up waits for the handler of that, and is not refused", () =>
  Effect.gen(function* () {
    const gate = yield* Deferred.make<void>()
    const log: Array<string> = []
    const client = yield* clientOf(
      {
        EchoClient: (requests) =>
          Effect.flatMap(Stream.runHead(requests), (request) => {
            const message = Option.getOrThrow(request).message!
            log.push(`${message} starts`)
            return message === "first"
              ? Effect.onInterrupt(Effect.never, () =>
                  Effect.andThen(
                    Deferred.await(gate),
                    Effect.sync(() => log.push("first ends"))
                  )
                )
              : Effect.succeed(new Response({ message }))
          })
      },
      { transport: { server: { limits: { maxConcurrentStreams: 1 } } } }
    )
    const ask = (message: string) => client.EchoClient(Stream.make(new Request({ message })))
    const first = yield* Effect.forkChild(ask("first"))
    yield* settled
    yield* Fiber.interrupt(first)
    const givenUp = yield* Effect.forkChild(ask("given up"))
    yield* settled
    yield* Fiber.interrupt(givenUp)
    const second = yield* Effect.forkChild(ask("second"))
    yield* settled
    assert.deepStrictEqual(log, ["first starts"])
    yield* Deferred.succeed(gate, undefined)
    assert.strictEqual((yield* Fiber.join(second)).message, "second")
    assert.deepStrictEqual(log, ["first starts", "first ends", "second starts"])
  })
)
