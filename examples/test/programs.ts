/**
 * Runs example programs as a user would: as processes of their own.
 */
import { Deferred, Effect, Fiber, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { fileURLToPath } from "node:url"

export const command = (file: string, args: ReadonlyArray<string>) =>
  ChildProcess.make(process.execPath, [fileURLToPath(new URL(`../src/${file}`, import.meta.url)), ...args], {
    forceKillAfter: "5 seconds"
  })

/** Starts a server and waits until it listens; it is killed when the scope closes. */
export const start = (file: string, ...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const server = yield* command(file, args)
    const listening = yield* Deferred.make<string>()
    const lines: Array<string> = []
    const output = yield* server.all.pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.runForEach((line) => {
        lines.push(line)
        const address = /^listening on (.*)$/.exec(line)?.[1]
        return address === undefined ? Effect.void : Deferred.succeed(listening, address)
      }),
      Effect.forkScoped
    )
    const address = yield* Effect.raceFirst(
      Deferred.await(listening),
      Effect.andThen(
        Fiber.await(output),
        Effect.suspend(() => Effect.fail(new Error(`${file} ended:\n${lines.join("\n")}`)))
      )
    )
    /** What the server printed, all of it: stops it as Ctrl-C does. */
    const stop = server.kill().pipe(
      Effect.andThen(Fiber.join(output)),
      Effect.map(() => lines)
    )
    return { address, stop }
  })

export interface Chunk {
  readonly at: number
  readonly text: string
}

/** Runs a program to its end: its exit code, and what it printed as it came. */
export const run = (file: string, ...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const client = yield* command(file, args)
    const chunks: Array<Chunk> = []
    yield* client.all.pipe(
      Stream.decodeText(),
      Stream.runForEach((text) => Effect.sync(() => void chunks.push({ at: performance.now(), text })))
    )
    const output = chunks.map(({ text }) => text).join("")
    return { code: Number(yield* client.exitCode), output, lines: output.trimEnd().split("\n"), chunks }
  })
