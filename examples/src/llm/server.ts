/**
 * The token server: `node examples/src/llm/server.ts --port 8888 --tokens-per-second 25 --jitter 0.5 --seed mill`.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Server } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import { Cause, Console, Effect, Exit, Layer, Stdio, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { announce, host, port } from "../flags.ts"
import { Llm, type Token, TokenCount } from "./api.ts"
import * as Model from "./model.ts"
import { CallCounter } from "./report.ts"

/** Says how many tokens the producer made and why it stopped. */
const logEnd =
  (method: string) =>
  <E>(tokens: Stream.Stream<Token, E>): Stream.Stream<Token, E> =>
    Stream.suspend(() => {
      let count = 0
      return tokens.pipe(
        Stream.mapArray((produced) => {
          count += produced.length
          return produced
        }),
        Stream.onExit((exit) => Console.log(`${method}: producer ${howItEnded(exit)} after ${count} tokens`))
      )
    })

const howItEnded = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "done"
  return Cause.hasInterruptsOnly(exit.cause) ? "interrupted" : "failed"
}

const HandlersLive = Llm.toLayer(
  Effect.gen(function* () {
    const model = yield* Model.Model
    return {
      Generate: (prompt) => model.answer(prompt).pipe(logEnd("Generate")),
      Chat: (prompts) => prompts.pipe(Stream.flatMap(model.answer), logEnd("Chat")),
      CountTokens: (prompt) => Effect.succeed(new TokenCount({ count: model.countTokens(prompt.text) }))
    }
  })
)

/** Done when standard input ends: a server that a program started stops with it, however that program ended. */
const inputEnded = Effect.flatMap(Stdio.Stdio, (stdio) => Stream.runDrain(stdio.stdin))

Command.make(
  "server",
  {
    host,
    port,
    tokensPerSecond: Flag.Finite("tokens-per-second").pipe(
      Flag.withDefault(25),
      Flag.withDescription("the speed of the model, 0 is as fast as it can")
    ),
    jitter: Flag.Finite("jitter").pipe(
      Flag.withDefault(0.5),
      Flag.withDescription("how uneven its pauses are, from 0 to 1")
    ),
    failureRate: Flag.Finite("failure-rate").pipe(
      Flag.withDefault(0),
      Flag.withDescription("the chance that it fails in place of a token, from 0 to 1")
    ),
    seed: Flag.String("seed").pipe(Flag.withDefault("mill"), Flag.withDescription("one seed, one text")),
    stopWithInput: Flag.Boolean("stop-with-input").pipe(
      Flag.withDefault(false),
      Flag.withDescription("stop when standard input ends")
    )
  },
  ({ host, port, stopWithInput, ...model }) => {
    const calls = new CallCounter()
    const server = Layer.effectDiscard(announce).pipe(
      Layer.provide(Server.layer([Llm])),
      Layer.provide(HandlersLive),
      Layer.provide(Model.layer(model)),
      Layer.provide(NodeTransport.layerServer({ host, port })),
      Layer.provide(calls.layer),
      Layer.launch
    )
    return (stopWithInput ? Effect.raceFirst(server, inputEnded) : server).pipe(
      Effect.ensuring(Effect.suspend(() => Console.log(calls.row("server"))))
    )
  }
).pipe(Command.run({ version: "0.1.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)
