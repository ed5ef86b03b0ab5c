/**
 * `pnpm demo`: the server and the client of this folder as two processes, and what both of them say. The server's lines
 * wait until the client has finished a line of its own. Whatever ends the demo ends both processes.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Deferred, Effect, Fiber, Stdio, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { fileURLToPath } from "node:url"

const program = (file: string, ...args: ReadonlyArray<string>) =>
  ChildProcess.make(process.execPath, [fileURLToPath(new URL(file, import.meta.url)), ...args], {
    stderr: "inherit",
    forceKillAfter: "3 seconds"
  })

/** Standard output, shared: the text of one program as it comes, the lines of the other where they do not cut it. */
const makeScreen = Effect.map(Stdio.Stdio, (stdio) => {
  const write = (text: string) => Stream.run(Stream.succeed(text), stdio.stdout({ endOnDone: false }))
  let lineStarts = true
  let waiting = ""
  return {
    text: (text: string) => {
      lineStarts = text.endsWith("\n")
      const lines = lineStarts ? waiting : ""
      if (lineStarts) waiting = ""
      return write(text + lines)
    },
    line: (line: string) => {
      if (lineStarts) return write(`${line}\n`)
      waiting += `${line}\n`
      return Effect.void
    }
  }
})

const demo = Effect.gen(function* () {
  const screen = yield* makeScreen
  const server = yield* program("./server.ts", "--port", "0", "--stop-with-input")
  const listening = yield* Deferred.make<string>()
  let clientRuns = true
  const serverLines = yield* server.stdout.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runForEach((line) => {
      const address = /^listening on (.*)$/.exec(line)?.[1]
      return Effect.andThen(
        address === undefined ? Effect.void : Deferred.succeed(listening, address),
        // what the server says last is a row of the client's table
        screen.line(clientRuns ? `  [server] ${line}` : line)
      )
    }),
    Effect.forkScoped
  )
  const address = yield* Effect.raceFirst(
    Deferred.await(listening),
    Effect.andThen(Fiber.await(serverLines), Effect.fail(new Error("the server ended before it listened")))
  )
  const client = yield* program("./client.ts", "--address", address)
  yield* client.stdout.pipe(Stream.decodeText(), Stream.runForEach(screen.text))
  clientRuns = false
  const code = yield* client.exitCode
  yield* server.kill()
  yield* Fiber.join(serverLines)
  if (code !== 0) return yield* Effect.fail(new Error(`the client ended with exit code ${code}`))
}).pipe(Effect.scoped)

demo.pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
