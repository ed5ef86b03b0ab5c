/**
 * The programs of this folder as processes of their own. Whatever ends the scope ends them.
 */
import { Deferred, Effect, Fiber, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { fileURLToPath } from "node:url"

/** A program that has not started yet; `file` is relative to this folder. */
export const program = (file: string, ...args: ReadonlyArray<string>) =>
  ChildProcess.make(process.execPath, [fileURLToPath(new URL(file, import.meta.url)), ...args], {
    forceKillAfter: "5 seconds"
  })

/** Starts a server and waits until it listens. `onLine` gets what it prints; `stop` stops it as Ctrl-C does. */
export const startServer = <R>(
  file: string,
  args: ReadonlyArray<string>,
  onLine: (line: string) => Effect.Effect<void, never, R>
) =>
  Effect.gen(function* () {
    const server = yield* program(file, ...args)
    const listening = yield* Deferred.make<string>()
    const output = yield* server.all.pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.runForEach((line) => {
        const address = /^listening on (.*)$/.exec(line)?.[1]
        return Effect.andThen(address === undefined ? Effect.void : Deferred.succeed(listening, address), onLine(line))
      }),
      Effect.forkScoped
    )
    const address = yield* Effect.raceFirst(
      Deferred.await(listening),
      Effect.andThen(Fiber.await(output), Effect.fail(new Error(`${file} ended before it listened`)))
    )
    return { address, stop: Effect.andThen(server.kill(), Fiber.join(output)) }
  })
