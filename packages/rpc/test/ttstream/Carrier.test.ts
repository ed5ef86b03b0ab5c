import { assert, describe, it } from "@effect/vitest"
import { MemoryTransport, Transport } from "@millrace/transport"
import { Effect, Exit, Layer, Stream } from "effect"
import { RpcError, Server, StreamClient } from "../../src/index.ts"
import { Recorder } from "../../src/testing/index.ts"
import { only, settle } from "../support/client.ts"
import { Request, Response, TestService } from "../support/echo.ts"
import { ended, text } from "./support.ts"

const request = new Request({ message: "x" })
const failed = new RpcError.RpcError({ code: 5, desc: "nf", reason: new RpcError.Status({}) })
const serving = Server.layer([TestService]).pipe(
  Layer.provide(
    TestService.toLayer(
      only({
        EchoServer: () => Stream.fail(failed),
        EchoUnary: ({ message }) => Effect.succeed(new Response({ message }))
      })
    )
  ),
  Layer.provideMerge(MemoryTransport.layer),
  Layer.orDie
)

/** A transport that has found out what a server speaks. */
const goingOver = (found: "grpc" | "ttheader-streaming") =>
  Effect.map(Transport.ClientTransport, (transport) => {
    const over = (request: Transport.OpenRequest) => {
      assert.strictEqual(request.transport, "auto")
      return { ...request, transport: found }
    }
    return Transport.ClientTransport.of({
      ...transport,
      tryOpen: (request) => transport.tryOpen(over(request)),
      open: (request) => transport.open(over(request))
    })
  })

const errors = {
  grpc: ["Status", "nf [biz error]"],
  "ttheader-streaming": ["Status", text(12001, "client", "biz error: nf")]
}

describe("a client that tries one transport after the other", () => {
  for (const found of ["grpc", "ttheader-streaming"] as const) {
    for (const observed of [false, true]) {
      it.effect(`has the words of what carries the call: ${found}, ${observed ? "watched" : "unwatched"}`, () =>
        Effect.gen(function* () {
          const recorder = yield* Recorder.make
          const transport = yield* goingOver(found)
          const making = StreamClient.make(TestService, { transport: "auto" })
          const client = yield* Effect.provideService(
            observed ? Effect.provide(making, recorder.layer) : making,
            Transport.ClientTransport,
            transport
          )
          for (let i = 0; i < 2; i++) {
            const exit = yield* Effect.exit(Stream.runDrain(client.EchoServer(request)))
            assert.deepStrictEqual(ended(exit), errors[found])
            assert.isTrue(Exit.isSuccess(yield* Effect.exit(client.EchoUnary(request))))
          }
          yield* settle
          const unary = found === "grpc" ? found : "ttheader-framed"
          assert.deepStrictEqual(
            recorder.client.finishes.map(({ info }) => info.protocol),
            observed ? [found, unary, found, unary] : []
          )
        }).pipe(Effect.scoped, Effect.provide(serving))
      )
    }
  }
})
