import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Stream } from "effect"
import { MetaHandler, RpcTracer } from "../src/index.ts"
import type { DirectTracer } from "../src/internal/tracing.ts"
import { clientOf } from "./support/client.ts"
import { Request, Response } from "./support/echo.ts"
import { wire } from "./support/over.ts"

const Word = Context.Reference<string>("test/Word", { defaultValue: () => "" })

/** Says in the context of a call which side it is on, behind what was there. */
const side: DirectTracer = {
  begin: ({ side }, context) => Context.add(context, Word, Context.get(context, Word) + side)
}

const echoing = {
  EchoUnary: () => Effect.map(Word, (message) => new Response({ message })),
  EchoPingPong: () => Effect.map(Word, (message) => new Response({ message })),
  EchoServer: () => Stream.fromEffect(Effect.map(Word, (message) => new Response({ message })))
}

const request = new Request({ message: "" })

describe("the context that tracers without effects give", () => {
  it.effect("is that of the handler, and of the hooks of a connection", () =>
    Effect.gen(function* () {
      const hooked: Array<string> = []
      const metaHandlers = [
        MetaHandler.make({
          onReadStream: (next) =>
            Effect.andThen(
              Effect.map(Word, (word) => void hooked.push(word)),
              Effect.provideService(next, Word, "hook ")
            )
        })
      ]
      for (const server of [{}, { metaHandlers }]) {
        const client = yield* clientOf(echoing, { server }).pipe(Effect.provide(RpcTracer.layer(side)))
        const word = "metaHandlers" in server ? "hook server" : "server"
        assert.strictEqual((yield* client.EchoUnary(request)).message, wire.unary.isStream ? word : "server")
        assert.deepStrictEqual(
          (yield* Stream.runCollect(client.EchoServer(request))).map(({ message }) => message),
          [word]
        )
        // Hooks of streams are not for calls of PingPong.
        assert.strictEqual((yield* client.EchoPingPong({ req: request })).message, "server")
      }
      assert.deepStrictEqual(hooked, wire.unary.isStream ? ["", ""] : [""])
    })
  )

  it.effect("is that of a choice of an instance which takes an effect", () =>
    Effect.gen(function* () {
      const chosen: Array<string> = []
      const pick = () => Effect.map(Word, (word) => (chosen.push(word), "memory"))
      const client = yield* clientOf(echoing, {
        client: { endpoints: { pick } },
        pingPong: { endpoints: { pick } }
      }).pipe(Effect.provide(RpcTracer.layer(side)))
      yield* Effect.provideService(
        Effect.gen(function* () {
          yield* client.EchoUnary(request)
          yield* client.EchoPingPong({ req: request })
          assert.strictEqual(yield* Word, "mine ")
        }),
        Word,
        "mine "
      )
      assert.deepStrictEqual(chosen, ["mine client", "mine client"])
    })
  )
})
