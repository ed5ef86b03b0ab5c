import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Stream } from "effect"
import { TestClock } from "effect/testing"
import { MetaHandler, Middleware } from "../src/index.ts"
import { Recorder } from "../src/testing/index.ts"
import { only, settle, told } from "./support/client.ts"
import { Request, Response, TestService } from "./support/echo.ts"
import { Testing } from "./support/over.ts"

const request = (message: string) => new Request({ message })
/** The bytes of a message on the wire. */
const sizeOf = (text: string) => text.length + 8

describe("what random chains have found", () => {
  it.effect("a good end in place of the one response is an error for tracers as it is for the caller", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make
      const silent = Middleware.server(() => Effect.void)
      const client = yield* Effect.provide(
        Testing.client(TestService, only({}), { server: { middleware: [silent] } }),
        recorder.layer
      )
      const ends = [
        yield* Effect.exit(client.EchoClient(Stream.make(request("a")))),
        yield* Effect.exit(Effect.scoped(Effect.flatMap(client.EchoClient.open(), (stream) => stream.closeAndRecv)))
      ]
      for (const [at, end] of ends.entries()) {
        assert.match(told(end), /^ProtocolViolation: .*EOF$/)
        const { exit, reason } = recorder.client.finishes[at]!
        assert.deepStrictEqual([reason, told(exit)], ["error", told(end)])
      }
      assert.strictEqual(recorder.client.finishes.length, 2)
    })
  )

  it.effect("a request that comes too late for its answer is no error", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make
      const slow = Middleware.send((next) => (message) => Effect.delay(next(message), 10))
      // Outside of the handler, which would have waited for the request.
      const quick = MetaHandler.make({ onReadStream: () => Effect.void })
      const client = yield* Effect.provide(
        Testing.client(TestService, only({}), { client: { middleware: [slow] }, server: { metaHandlers: [quick] } }),
        recorder.layer
      )
      const calls: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
        Stream.runCollect(client.EchoServer(request("a"))),
        Effect.scoped(Effect.flatMap(client.EchoServer.open(request("a")), (stream) => Effect.flip(stream.recv)))
      ]
      for (const call of calls) {
        const fiber = yield* Effect.forkChild(Effect.exit(call))
        yield* settle
        yield* TestClock.adjust(10)
        yield* settle
        const exit = fiber.pollUnsafe()
        assert.isTrue(exit !== undefined && Exit.isSuccess(exit) && Exit.isSuccess(exit.value), told(exit!))
        const { recvCount, reason, sendCount } = recorder.client.finishes.at(-1)!
        assert.deepStrictEqual([reason, sendCount, recvCount], ["eof", 0, 0])
      }
    })
  )

  it.effect("a message that middleware dies of has come all the same", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make
      const dying = Middleware.recvPlain(() => (message) => {
        if ((message as { readonly message?: string }).message === "bb") throw new Error("bb")
        return message
      })
      const client = yield* Effect.provide(
        Testing.client(
          TestService,
          only({ EchoClient: (requests) => Effect.as(Stream.runDrain(requests), new Response({})) }),
          { server: { middleware: [dying] } }
        ),
        recorder.layer
      )
      yield* Effect.exit(client.EchoClient(Stream.make(request("a"), request("bb"))))
      const [finish] = yield* recorder.finished("server", 1)
      const bytes = sizeOf("a") + sizeOf("bb")
      assert.deepInclude(finish, { recvCount: 2, recvBytes: bytes })
      assert.deepStrictEqual([recorder.server.recvCount, recorder.server.recvBytes], [2, bytes])
    })
  )
})
