/**
 * A Kitex double in a test: the program under test is a client of a service that a Kitex server has in production. In the test
 * handlers take its place, which answer with the same codes and texts, and one can say when.
 */
import { assert, describe, it } from "@effect/vitest"
import { BizStatusError, Server, StreamClient } from "@millrace/rpc"
import { Testing } from "@millrace/rpc/testing"
import { NodeTransport } from "@millrace/transport/node"
import { Deferred, Effect, Fiber, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Request, Response, TestService } from "../src/thrift-streaming/api.ts"

class Echo extends StreamClient.Service<Echo>()("test/Echo", TestService) {}

/** The program under test: the first line of an answer, or why there is none. */
const firstLine = (question: string) =>
  Effect.gen(function* () {
    const echo = yield* Echo
    const answer = echo.EchoServer(new Request({ message: question }), { timeout: "2 seconds" })
    return yield* answer.pipe(
      Stream.takeUntil((response) => response.message?.endsWith("\n") ?? false),
      Stream.runFold(
        () => "",
        (line, response) => line + (response.message ?? "")
      ),
      Effect.catchTag("BizStatusError", (error) => Effect.succeed(`refused: ${error.statusMessage}`)),
      Effect.catchReason("RpcError", "DeadlineExceeded", () => Effect.succeed("too late"))
    )
  })

/** What the double knows of its calls, for assertions. */
const makeDouble = Effect.gen(function* () {
  const left = yield* Deferred.make<void>()
  const questions: Array<string | undefined> = []
  const say = (...messages: ReadonlyArray<string>) =>
    Stream.fromIterable(messages).pipe(Stream.map((message) => new Response({ message })))
  const handlers = TestService.toLayer({
    EchoServer: ({ message }) => {
      questions.push(message)
      switch (message) {
        case "secret":
          return Stream.fail(new BizStatusError.BizStatusError({ statusCode: 403, statusMessage: "not for you" }))
        case "hang":
          return Stream.never
        default:
          return Stream.concat(say("water ", "runs\n"), Stream.never).pipe(
            Stream.ensuring(Deferred.succeed(left, undefined))
          )
      }
    },
    Echo: () => Stream.empty,
    EchoClient: () => Effect.succeed(new Response({})),
    EchoUnary: () => Effect.succeed(new Response({})),
    EchoPingPong: () => Effect.succeed(new Response({}))
  })
  return { handlers, questions, left: Deferred.await(left) }
})

describe("a program against a double of its Kitex service", () => {
  it.effect("in memory, in virtual time: an answer, a refusal, a deadline", () =>
    Effect.gen(function* () {
      const double = yield* makeDouble
      yield* Effect.gen(function* () {
        assert.strictEqual(yield* firstLine("hello"), "water runs\n")
        // the program has left the stream, so the double's handler was interrupted
        yield* double.left
        assert.strictEqual(yield* firstLine("secret"), "refused: not for you")

        const hanging = yield* Effect.forkChild(firstLine("hang"), { startImmediately: true })
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual(yield* Fiber.join(hanging), "too late")
        assert.deepStrictEqual(double.questions, ["hello", "secret", "hang"])
      }).pipe(
        Effect.provide(Echo.layer({}).pipe(Layer.provide(Testing.layer([TestService])), Layer.provide(double.handlers)))
      )
    })
  )

  it.live("on a socket, for programs that are told an address", () =>
    Effect.gen(function* () {
      const double = yield* makeDouble
      const ServerLive = Server.layer([TestService]).pipe(
        Layer.provide(double.handlers),
        Layer.provide(NodeTransport.layerServer({ host: "127.0.0.1", port: 0 }))
      )
      yield* Effect.gen(function* () {
        const { address } = yield* Server.Server
        const line = yield* firstLine("hello").pipe(
          Effect.provide(Echo.layer({ hostPorts: [`127.0.0.1:${address.port}`] }))
        )
        assert.strictEqual(line, "water runs\n")
        yield* double.left
      }).pipe(Effect.provide([ServerLive, NodeTransport.layerClient]))
    })
  )
})
