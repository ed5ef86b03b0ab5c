/**
 * `pnpm demo`: the server and the client of this folder as two processes, and what both of them say; with `--transport
 * ttheader-streaming` over the other transport. The server's lines wait until the client has finished a line of its own.
 * Whatever ends the demo ends both processes.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, Stream } from "effect"
import { Command } from "effect/cli"
import { program, startServer } from "../processes.ts"
import { print, transport } from "../program.ts"

/** Standard output, shared: the text of one program as it comes, the lines of the other where they do not cut it. */
const makeScreen = Effect.sync(() => {
  let lineStarts = true
  let waiting = ""
  return {
    text: (text: string) => {
      lineStarts = text.endsWith("\n")
      const lines = lineStarts ? waiting : ""
      if (lineStarts) waiting = ""
      return print(text + lines)
    },
    line: (line: string) => {
      if (lineStarts) return print(`${line}\n`)
      waiting += `${line}\n`
      return Effect.void
    }
  }
})

const demo = Effect.fnUntraced(function* (transport: string) {
  const screen = yield* makeScreen
  let clientRuns = true
  const server = yield* startServer("llm/server.ts", ["--port", "0", "--stop-with-input"], (line) =>
    // what the server says last is a row of the client's table
    screen.line(clientRuns ? `  [server] ${line}` : line)
  )
  const client = yield* program("llm/client.ts", "--address", server.address, "--transport", transport)
  yield* client.all.pipe(Stream.decodeText(), Stream.runForEach(screen.text))
  clientRuns = false
  const code = yield* client.exitCode
  yield* server.stop
  if (code !== 0) return yield* Effect.fail(new Error(`the client ended with exit code ${code}`))
}, Effect.scoped)

Command.make("demo", { transport }, ({ transport }) => demo(transport)).pipe(
  Command.run({ version: "0.1.0" }),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain
)
