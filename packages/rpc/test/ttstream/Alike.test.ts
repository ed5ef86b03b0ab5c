/** One event is one reason, and one call says one thing, whatever carries it. */
import { assert, describe, it } from "@effect/vitest"
import type { Transport } from "@millrace/transport"
import { Effect, Exit, Fiber, Layer, Scope, Stream } from "effect"
import { LogId, type Metadata, Metainfo, StreamClient } from "../../src/index.ts"
import { Testing } from "../../src/testing/index.ts"
import { only, pass, settle } from "../support/client.ts"
import { Request, Response, TestService } from "../support/echo.ts"
import { ended } from "./support.ts"

const request = new Request({ message: "x" })

describe("a stream whose client closes its own transport", () => {
  for (const transport of ["grpc", "ttheader-streaming"] as const) {
    it.effect(`is cancelled: ${transport}`, () =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const live = Testing.layer([TestService]).pipe(
          Layer.provide(TestService.toLayer(only({ EchoServer: () => Stream.never })))
        )
        const context = yield* Layer.buildWithScope(live, scope)
        const client = yield* Effect.provide(StreamClient.make(TestService, { transport }), context)
        const fiber = yield* Effect.forkChild(Stream.runDrain(client.EchoServer(request)), { startImmediately: true })
        yield* settle
        yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
        yield* pass(100, 50)
        const [reason, desc] = ended(yield* Fiber.await(fiber))
        assert.strictEqual(reason, "Cancelled")
        assert.include(desc, "the transport was closed")
      })
    )
  }
})

describe("a client that tries one transport after the other", () => {
  /** What handlers of a stream and of a unary call see beside the request. */
  const seen = (transport: Transport.StreamTransport) =>
    Effect.gen(function* () {
      const met: Array<ReadonlyArray<unknown>> = []
      const note = (call: { readonly metadata: Metadata.Metadata }) =>
        Effect.map(Metainfo.current, ({ persistent, transient }) => {
          const { metadata } = call
          met.push([[...metadata.keys()].map((key) => [key, metadata.getAll(key)]), [...persistent], [...transient]])
        })
      const client = yield* Testing.client(
        TestService,
        only({
          EchoServer: (_, call) => Stream.drain(Stream.fromEffect(note(call))),
          EchoUnary: (_, call) => Effect.as(note(call), new Response({}))
        }),
        { client: { transport, callerName: "me" } }
      )
      const options = { metadata: { "Trace-Id": ["7", "8"] } }
      const calls = Effect.andThen(
        Stream.runDrain(client.EchoServer(request, options)),
        client.EchoUnary(request, options)
      ).pipe(Metainfo.withPersistentValue("P", "1"), Metainfo.withValue("T", "2"), LogId.within("L"))
      const fiber = yield* Effect.forkChild(calls, { startImmediately: true })
      // A first contact waits for an answer, for a while.
      yield* pass(400, 100)
      yield* Fiber.join(fiber)
      return met
    }).pipe(Effect.scoped)

  it.effect("says over TTHeader what one that has no other says", () =>
    Effect.gen(function* () {
      const [stream, unary] = yield* seen("auto")
      assert.deepStrictEqual([stream, unary], yield* seen("ttheader-streaming"))
      assert.deepStrictEqual(stream, [[["Trace-Id", ["7", "8"]]], [["P", "1"]], [["T", "2"]]])
    })
  )
})
