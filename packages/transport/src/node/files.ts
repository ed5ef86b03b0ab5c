/**
 * Files as Node knows them.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { createReadStream, watch } from "node:fs"
import { dirname } from "node:path"
import { Files, FilesError } from "../Files.ts"

const failed = (path: string, thrown: unknown): FilesError => {
  const { code, message } = thrown as NodeJS.ErrnoException
  return code === "ENOENT"
    ? new FilesError({ path, kind: "notFound", desc: "there is no such file" })
    : new FilesError({ path, kind: "failed", desc: `the system refuses: ${message}` })
}

/** Undefined where there are more bytes than that: not every file says how many it has. */
const readAtMost = async (path: string, maxBytes: number, signal: AbortSignal): Promise<string | undefined> => {
  const parts: Array<Buffer> = []
  let length = 0
  for await (const part of createReadStream(path, { end: maxBytes, signal })) {
    parts.push(part as Buffer)
    length += (part as Buffer).length
  }
  return length > maxBytes ? undefined : Buffer.concat(parts).toString("utf8")
}

const read = (path: string, maxBytes: number): Effect.Effect<string, FilesError> =>
  Effect.flatMap(
    Effect.tryPromise({
      try: (signal) => readAtMost(path, maxBytes, signal),
      catch: (thrown) => failed(path, thrown)
    }),
    (text) =>
      text === undefined
        ? Effect.fail(new FilesError({ path, kind: "tooLarge", desc: `it has more than ${maxBytes} bytes` }))
        : Effect.succeed(text)
  )

/**
 * Watches the directory, and tells of whatever changes there: a file that is replaced is another one, and of a mounted
 * ConfigMap only a link beside it changes.
 */
const changes = (path: string): Stream.Stream<void, FilesError> => {
  const directory = dirname(path)
  return Stream.callback<void, FilesError>(
    (queue) =>
      Effect.acquireRelease(
        Effect.try({
          try: () => {
            const watcher = watch(directory, { persistent: false })
            watcher.on("change", () => Queue.offerUnsafe(queue, undefined))
            watcher.on("error", (thrown) => Queue.failCauseUnsafe(queue, Cause.fail(failed(directory, thrown))))
            return watcher
          },
          catch: (thrown) => failed(directory, thrown)
        }),
        (watcher) => Effect.sync(() => watcher.close())
      ),
    { bufferSize: 1, strategy: "dropping" }
  )
}

/** The files of this host. @internal */
export const files: Files["Service"] = Files.of({ read, changes })
