import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import * as Manifest from "../src/manifest.ts"
import { folderOf, write } from "./command.ts"

const name = ".millrace-manifest.json"

/** What a run of one IDL gives. */
const recorded = (folder: string, idl: string, files: Readonly<Record<string, string>>): Manifest.Manifest =>
  Manifest.record(
    folder,
    new Map([[join(folder, idl), Object.entries(files).map(([path, text]) => ({ path: join(folder, path), text }))]])
  )

const sorted = (manifest: Manifest.Manifest) =>
  Array.from(manifest, ([idl, files]) => [idl, Array.from(files.keys())] as const)

describe("Manifest", () => {
  it.effect("is the same after a way through its file", () =>
    Effect.gen(function* () {
      const folder = folderOf({})
      const manifest = recorded(folder, "../idl/api.thrift", { "b.ts": "b", "a.ts": "a" })
      const file = Manifest.toFile(folder, manifest)
      write(folder, name, file.text)
      const back = yield* Manifest.read(folder)
      assert.strictEqual(Manifest.toFile(folder, back).text, file.text)
      assert.deepStrictEqual(sorted(back), [["../idl/api.thrift", ["a.ts", "b.ts"]]])
    })
  )

  for (const text of ["{", "[]", `{"a":1}`, `{"a":{"x.ts":1}}`, `{"a":{"../x.ts":"00"}}`, `{"a":{"/x.ts":"00"}}`]) {
    it.effect(`refuses ${text}`, () =>
      Effect.gen(function* () {
        const folder = folderOf({ [name]: text })
        process.chdir(folder)
        const failure = yield* Effect.flip(Manifest.read(folder))
        assert.strictEqual(failure.message, `${name} is not a manifest of millrace: remove it and run again`)
      })
    )
  }

  it("keeps what an IDL gave before, until it is cleaned away", () => {
    const folder = folderOf({})
    const merged = Manifest.merge(
      recorded(folder, "a.thrift", { "old.ts": "1" }),
      recorded(folder, "a.thrift", { "new.ts": "2" })
    )
    assert.deepStrictEqual(sorted(merged), [["a.thrift", ["old.ts", "new.ts"]]])
  })
})

describe("Manifest.clean", () => {
  it.effect("removes what the run no longer gives", () =>
    Effect.gen(function* () {
      const folder = folderOf({ "a.thrift": "", "old.ts": "1", "new.ts": "2", "foreign.ts": "1" })
      const old = recorded(folder, "a.thrift", { "old.ts": "1" })
      const run = recorded(folder, "a.thrift", { "new.ts": "2" })
      const cleaning = yield* Manifest.clean(folder, old, run)
      assert.deepStrictEqual(cleaning.remove, [join(folder, "old.ts")])
      assert.deepStrictEqual(cleaning.edited, [])
      assert.deepStrictEqual(sorted(cleaning.manifest), [["a.thrift", ["new.ts"]]])
    })
  )

  it.effect("leaves files that a person edited, and says which", () =>
    Effect.gen(function* () {
      const folder = folderOf({ "a.thrift": "", "old.ts": "1 and more" })
      const old = recorded(folder, "a.thrift", { "old.ts": "1" })
      const cleaning = yield* Manifest.clean(folder, old, recorded(folder, "a.thrift", {}))
      assert.deepStrictEqual(cleaning.remove, [])
      assert.deepStrictEqual(cleaning.edited, [join(folder, "old.ts")])
    })
  )

  it.effect("leaves what another IDL gives, as long as that IDL is there", () =>
    Effect.gen(function* () {
      const folder = folderOf({ "a.thrift": "", "b.thrift": "", "base.ts": "1", "gone.ts": "2" })
      const old = new Map([
        ...recorded(folder, "a.thrift", { "base.ts": "1" }),
        ...recorded(folder, "b.thrift", { "base.ts": "1" }),
        ...recorded(folder, "gone.thrift", { "gone.ts": "2" })
      ])
      const cleaning = yield* Manifest.clean(folder, old, recorded(folder, "a.thrift", {}))
      assert.deepStrictEqual(cleaning.remove, [join(folder, "gone.ts")])
      assert.deepStrictEqual(
        sorted(cleaning.manifest).map(([idl]) => idl),
        ["a.thrift", "b.thrift"]
      )
    })
  )
})
