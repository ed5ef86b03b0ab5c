import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Files } from "../src/Files.ts"
import { NodeTransport } from "../src/node/index.ts"

const inDirectory = <A, E>(body: (files: Files["Service"], directory: string) => Effect.Effect<A, E>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => fs.mkdtempSync(join(tmpdir(), "millrace-files-"))),
    (directory) => Effect.flatMap(Files, (files) => body(files, directory)),
    (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true }))
  ).pipe(Effect.provide(NodeTransport.layerFiles))

describe("files of Node", () => {
  it.live("are read up to so many bytes", () =>
    inDirectory(
      Effect.fnUntraced(function* (files, directory) {
        const file = join(directory, "text")
        fs.writeFileSync(file, "grüße")
        assert.strictEqual(yield* files.read(file, 7), "grüße")
        const tooLarge = yield* Effect.flip(files.read(file, 6))
        assert.strictEqual(tooLarge.kind, "tooLarge")
        assert.strictEqual(tooLarge.message, `${file}: it has more than 6 bytes`)
        // Has no end, and no size.
        assert.strictEqual((yield* Effect.flip(files.read("/dev/zero", 1000))).kind, "tooLarge")
        fs.writeFileSync(file, "")
        assert.strictEqual(yield* files.read(file, 10), "")
      })
    )
  )

  it.live("that cannot be read fail, typed", () =>
    inDirectory(
      Effect.fnUntraced(function* (files, directory) {
        const missing = yield* Effect.flip(files.read(join(directory, "none"), 10))
        assert.deepInclude(missing, { kind: "notFound", desc: "there is no such file" })
        const failed = yield* Effect.flip(files.read(directory, 10))
        assert.strictEqual(failed.kind, "failed")
        assert.match(failed.desc, /^the system refuses: EISDIR/)
        const nowhere = yield* Effect.flip(Stream.runDrain(files.changes(join(directory, "none", "file"))))
        assert.deepInclude(nowhere, { path: join(directory, "none"), kind: "notFound" })
      })
    )
  )

  it.live("tell of a link beside them that changes, as in a mounted ConfigMap", () =>
    inDirectory(
      Effect.fnUntraced(function* (files, directory) {
        const of = (version: string) => join(directory, version)
        for (const version of ["v1", "v2"]) {
          fs.mkdirSync(of(version))
          fs.writeFileSync(join(of(version), "file"), version)
        }
        fs.symlinkSync("v1", of("data"))
        fs.symlinkSync(join("data", "file"), of("file"))
        assert.strictEqual(yield* files.read(of("file"), 10), "v1")
        const told = yield* Effect.forkChild(Stream.runDrain(Stream.take(files.changes(of("file")), 1)), {
          startImmediately: true
        })
        fs.symlinkSync("v2", of("data.new"))
        fs.renameSync(of("data.new"), of("data"))
        yield* Fiber.join(told)
        assert.strictEqual(yield* files.read(of("file"), 10), "v2")
      })
    )
  )
})
