/**
 * Runs example programs as a user would: as processes of their own.
 */
import { Effect, Stream } from "effect"
import { program, startServer } from "../src/processes.ts"

/** Starts a server; `stop` gives what it printed, `lines` what it printed so far. */
export const start = (file: string, ...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const server = yield* startServer(file, args, (line) => Effect.sync(() => void lines.push(line)))
    return { address: server.address, lines, stop: Effect.as(server.stop, lines) }
  })

/** Runs a program to its end: its exit code, and what it printed as it came. */
export const run = (file: string, ...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const client = yield* program(file, ...args)
    const chunks: Array<{ readonly at: number; readonly text: string }> = []
    yield* client.all.pipe(
      Stream.decodeText(),
      Stream.runForEach((text) => Effect.sync(() => void chunks.push({ at: performance.now(), text })))
    )
    const output = chunks.map(({ text }) => text).join("")
    return { code: Number(yield* client.exitCode), output, lines: output.trimEnd().split("\n"), chunks }
  })
