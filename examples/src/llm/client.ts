/**
 * The token client: `node examples/src/llm/client.ts --address 127.0.0.1:8888 --transport ttheader-streaming`.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { StreamClient } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import { Console, Effect, Layer, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { address, print, transport } from "../program.ts"
import { Llm, Prompt, type Token } from "./api.ts"
import { CallCounter, count, millis, row, time } from "./report.ts"

class Client extends StreamClient.Service<Client>()("examples/Llm", Llm) {}

const width = 76

/** Writes tokens as they arrive, in lines of a terminal's width, and hands them on. */
const display = <E, R>(tokens: Stream.Stream<Token, E, R>) =>
  Stream.suspend(() => {
    let column = 0
    return tokens.pipe(
      Stream.tap(({ text }) => {
        const start = column === 0 ? "  " : column + text.length > width ? "\n  " : ""
        column = start === "" ? column + text.length : 2 + text.length
        return print(start + text)
      }),
      Stream.ensuring(print("\n"))
    )
  })

/** A pause between two parts, in which the server's lines can be read. */
const section = (title: string) => Effect.andThen(Effect.sleep("200 millis"), Console.log(`\n${title}`))

const stream = Effect.gen(function* () {
  const llm = yield* Client
  const prompt = new Prompt({ text: "How does a mill work?" })
  const { count } = yield* llm.CountTokens(prompt)
  yield* section(`Server streaming: tokens as they come, for a prompt of ${count} words`)
  return yield* llm.Generate(prompt).pipe(display, time)
})

const stop = (tokens: number) =>
  Effect.gen(function* () {
    const llm = yield* Client
    yield* section(`Stop: Stream.take(${tokens}) of 1,000, and the server's producer is interrupted`)
    yield* llm
      .Generate(new Prompt({ text: "Tell me everything.", maxTokens: 1000 }))
      .pipe(Stream.take(tokens), display, Stream.runDrain)
  })

const deadline = Effect.gen(function* () {
  const llm = yield* Client
  yield* section("Deadline: 500 ms for an answer that takes longer")
  yield* llm.Generate(new Prompt({ text: "Hurry.", maxTokens: 1000 }), { timeout: "500 millis" }).pipe(
    display,
    Stream.runDrain,
    Effect.catchTag("RpcError", (error) => Console.log(`  ${error.reason._tag}, code ${error.code}`))
  )
})

const chat = Effect.gen(function* () {
  const llm = yield* Client
  yield* section("Bidirectional: a chat on one stream")
  const stream = yield* llm.Chat.open()
  const answer = Stream.fromPull(Effect.succeed(Effect.map(stream.recv, (token) => [token] as const))).pipe(
    Stream.takeUntil((token) => token.last),
    display
  )
  for (const text of ["Is the water high?", "And tomorrow?"]) {
    yield* Console.log(`  > ${text}`)
    yield* stream.send(new Prompt({ text, maxTokens: 10 }))
    yield* Stream.runDrain(answer)
  }
  yield* stream.closeSend
  // the end of the stream, so that it ends by agreement and not by our leaving
  yield* stream.trailer
}).pipe(Effect.scoped)

/** As fast as the model can; the second of two answers, when both programs have compiled what they run. */
const flatOut = Effect.gen(function* () {
  const llm = yield* Client
  const answer = llm.Generate(new Prompt({ text: "All of it.", maxTokens: 200_000, tokensPerSecond: 0 }))
  yield* Stream.runDrain(answer)
  return yield* time(answer)
})

Command.make(
  "client",
  {
    address,
    transport,
    stopAfter: Flag.Int("stop-after").pipe(
      Flag.withDefault(12),
      Flag.withDescription("tokens to take before stopping the server")
    )
  },
  ({ address, stopAfter, transport }) => {
    const calls = new CallCounter()
    return Effect.gen(function* () {
      const paced = yield* stream
      yield* stop(stopAfter)
      yield* deadline
      yield* chat
      const fast = yield* flatOut
      yield* section("In numbers")
      yield* Console.log(row("", "this model", "no pauses"))
      yield* Console.log(row("first token", millis(paced.firstMillis), millis(fast.firstMillis)))
      yield* Console.log(row("gap between tokens, p99", millis(paced.gapP99Millis), millis(fast.gapP99Millis)))
      yield* Console.log(row("messages a second", count(paced.perSecond), count(fast.perSecond)))
      yield* Console.log(calls.row("client"))
    }).pipe(
      Effect.provide(
        Client.layer({ hostPorts: [address], transport }).pipe(
          Layer.provide(NodeTransport.layerClient),
          Layer.provide(calls.layer)
        )
      )
    )
  }
).pipe(Command.run({ version: "0.1.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)
