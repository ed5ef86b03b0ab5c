import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { StreamClient } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import { Effect, Layer, Option, Schedule, Stream } from "effect"
import { connect } from "node:net"
import { Llm, Prompt, type Token } from "../src/llm/api.ts"
import { program } from "../src/processes.ts"
import { run, start } from "./programs.ts"

const client = (address: string) => StreamClient.make(Llm, { hostPorts: [address] })

const platform = Layer.merge(NodeServices.layer, NodeTransport.layerClient)

const connects = (port: number) =>
  Effect.callback<void, "refused">((resume) => {
    const socket = connect({ host: "127.0.0.1", port })
    socket.on("connect", () => {
      socket.destroy()
      resume(Effect.void)
    })
    socket.on("error", () => resume(Effect.fail("refused")))
  })

const text = (tokens: ReadonlyArray<Token>) => tokens.map((token) => token.text).join("")

/** By transport, the code of a deadline. */
const deadlines = { grpc: 4, "ttheader-streaming": 12015 }

const prompt = new Prompt({ text: "hello", maxTokens: 8 })

describe("llm", { timeout: 60_000 }, () => {
  it.live.each(["grpc", "ttheader-streaming"] as const)(
    "the demo over %s: tokens one by one, a stop, a deadline, a chat, and every call started and finished on both sides",
    (transport) =>
      Effect.gen(function* () {
        const demo = yield* run("llm/demo.ts", "--transport", transport)
        assert.strictEqual(demo.code, 0, demo.output)

        const firstAnswer = demo.output.slice(
          demo.output.indexOf("Server streaming"),
          demo.output.indexOf("producer done")
        )
        const words = firstAnswer.split("\n").slice(1, -1).join(" ").trim().split(/\s+/)
        assert.strictEqual(words.length, 40)
        const perWord = demo.chunks.filter(({ text }) => /^\s*[a-z]+ $/.test(text))
        assert.isAbove(perWord.length, 40, "tokens came in chunks of their own")
        assert.isAbove(perWord[29]!.at - perWord[0]!.at, 500, "tokens came over time")

        assert.match(demo.output, /\[server\] Generate: producer interrupted after 12 tokens/)
        assert.include(demo.output, `  DeadlineExceeded, code ${deadlines[transport]}\n`)
        assert.match(demo.output, /\[server\] Chat: producer done after 20 tokens/)
        assert.match(demo.output, /first token +[\d.]+ ms +[\d.]+ ms/)
        assert.match(demo.output, /gap between tokens, p99 +[\d.]+ ms +[\d.]+ ms/)
        assert.match(demo.output, /messages a second +\d+ +[\d,]+/)
        assert.match(demo.output, /client: RPCStart, RPCFinish +7 +7\n/)
        assert.match(demo.output, /server: RPCStart, RPCFinish +7 +7\n/)

        assert.isEmpty(demo.lines.filter((line) => line.length > 80))
        assert.notMatch(demo.output, /[\x00-\x09\x0b-\x1f\x7f]/, "no control characters when it is no terminal")
      }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live.each(["SIGINT", "SIGKILL"] as const)("a demo that ends by %s leaves no server behind", (signal) =>
    Effect.gen(function* () {
      const demo = yield* program("llm/demo.ts")
      const line = yield* demo.stdout.pipe(
        Stream.decodeText(),
        Stream.splitLines,
        Stream.filter((line) => line.includes("listening on")),
        Stream.runHead
      )
      const port = Number(Option.getOrThrow(line).split(":").at(-1))
      yield* connects(port)
      process.kill(demo.pid, signal)
      yield* Effect.flip(connects(port)).pipe(Effect.retry({ schedule: Schedule.spaced("100 millis"), times: 100 }))
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("one seed gives one text, another seed another", () =>
    Effect.gen(function* () {
      const answers: Array<string> = []
      for (const seed of ["a", "a", "b"]) {
        const server = yield* start("llm/server.ts", "--port", "0", "--seed", seed, "--tokens-per-second", "0")
        const llm = yield* client(server.address)
        answers.push(text(yield* Stream.runCollect(llm.Generate(prompt))))
        yield* server.stop
      }
      assert.strictEqual(answers[0], answers[1])
      assert.notStrictEqual(answers[0], answers[2])
    }).pipe(Effect.provide(platform))
  )

  it.live("a failing model is a business error, and the server tells of both on its way out", () =>
    Effect.gen(function* () {
      const server = yield* start("llm/server.ts", "--port", "0", "--failure-rate", "1", "--tokens-per-second", "1000")
      const llm = yield* client(server.address)
      const error = yield* Effect.flip(Stream.runDrain(llm.Generate(prompt)))
      assert.strictEqual(error.message, "biz error: code=10001, msg=the model failed at token 0")
      const { count } = yield* llm.CountTokens(new Prompt({ text: " two  words " }))
      assert.strictEqual(count, 2)
      const lines = yield* server.stop
      assert.include(lines, "Generate: producer failed after 0 tokens")
      assert.match(lines.at(-1)!, /^ *server: RPCStart, RPCFinish +2 +2$/)
    }).pipe(Effect.provide(platform))
  )
})
