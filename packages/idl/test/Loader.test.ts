import { assert, describe, it } from "@effect/vitest"
import * as Loader from "../src/Loader.ts"
import * as Source from "../src/Source.ts"

const load = (
  files: Readonly<Record<string, string>>,
  options: Omit<Loader.Options, "read"> = {},
  entries: ReadonlyArray<string> = ["main.thrift"]
): Loader.Loaded => Loader.load(entries, { ...options, read: Loader.fromRecord(files) })

const paths = ({ files }: Loader.Loaded): ReadonlyArray<string> => files.map(({ source }) => source.path)

/** `file:line:column code message`. */
const found = ({ diagnostics }: Loader.Loaded): ReadonlyArray<string> =>
  diagnostics.map(({ code, message, source, span }) => {
    const { line, column } = Source.position(source, span.start)
    return `${source.path}:${line}:${column} ${code} ${message}`
  })

describe("Loader", () => {
  it("gives included files first, each once", () => {
    const loaded = load({
      "main.thrift": 'include "a.thrift"\ninclude "b.thrift"',
      "a.thrift": 'include "c.thrift"',
      "b.thrift": 'include "c.thrift"',
      "c.thrift": ""
    })
    assert.deepStrictEqual(found(loaded), [])
    assert.deepStrictEqual(paths(loaded), ["c.thrift", "a.thrift", "b.thrift", "main.thrift"])
    assert.deepStrictEqual(
      loaded.files.map(({ isEntry }) => isEntry),
      [false, false, false, true]
    )
    assert.strictEqual(loaded.files[1]!.includes[0]!.file, loaded.files[0])
    assert.strictEqual(loaded.files[1]!.includes[0]!.node.path.text, "c.thrift")
  })

  it("looks in the working directory, beside the including file, then in each folder in its order", () => {
    const main = { "x/main.thrift": 'include "b.thrift"' }
    const places = ["b.thrift", "x/b.thrift", "i1/b.thrift", "i2/b.thrift"]
    for (const [i, place] of places.entries()) {
      const files = Object.fromEntries(places.slice(i).map((path) => [path, ""]))
      const loaded = load({ ...main, ...files }, { includeDirs: ["i1", "i2"] }, ["x/main.thrift"])
      assert.deepStrictEqual(paths(loaded), [place, "x/main.thrift"])
    }
  })

  it("looks first in the folders that the including file is said to have", () => {
    const files = { "x/main.thrift": 'include "b.thrift"', "b.thrift": "", "own/b.thrift": "" }
    const firstDirs = (path: string) => (path === "x/main.thrift" ? ["none", "own"] : [])
    assert.deepStrictEqual(paths(load(files, { firstDirs }, ["x/main.thrift"])), ["own/b.thrift", "x/main.thrift"])
  })

  it("says where a missing file was looked for, at the include", () => {
    const loaded = load(
      { "x/main.thrift": '\ninclude "b/../b.thrift"\nstruct A {}' },
      { includeDirs: ["./i1", "/abs/"] },
      ["x/main.thrift"]
    )
    assert.deepStrictEqual(found(loaded), [
      "x/main.thrift:2:9 E_INCLUDE b/../b.thrift is not found, looked for b.thrift, x/b.thrift, i1/b.thrift, /abs/b.thrift"
    ])
    assert.include(loaded.diagnostics[0]!.hint, "--include")
    assert.strictEqual(loaded.files[0]!.document.definitions.length, 1)
  })

  it("takes an absolute path as it is", () => {
    const loaded = load({ "main.thrift": 'include "/abs/b.thrift"', "/abs/b.thrift": "" }, { includeDirs: ["i"] })
    assert.deepStrictEqual(paths(loaded), ["/abs/b.thrift", "main.thrift"])
    assert.deepStrictEqual(found(load({ "main.thrift": 'include "/gone.thrift"' }, { includeDirs: ["i"] })), [
      "main.thrift:1:9 E_INCLUDE /gone.thrift is not found, looked for /gone.thrift"
    ])
  })

  it("passes by what cannot be read, and says so when no file is found", () => {
    const files = Loader.fromRecord({ "x/main.thrift": 'include "b.thrift"', "i/b.thrift": "" })
    const read: Loader.Reader = (path) =>
      path === "b.thrift" || path === "x/b.thrift" ? { _tag: "Failed", reason: `${path} is a folder` } : files(path)
    const loaded = Loader.load(["x/main.thrift"], { read, includeDirs: ["i"] })
    assert.deepStrictEqual(paths(loaded), ["i/b.thrift", "x/main.thrift"])
    assert.deepStrictEqual(found(loaded), [])
    assert.deepStrictEqual(found(Loader.load(["x/main.thrift"], { read, includeDirs: ["j"] })), [
      "x/main.thrift:1:9 E_INCLUDE cannot read b.thrift: b.thrift is a folder"
    ])
  })

  it("says why a file cannot be read", () => {
    const read: Loader.Reader = (path) =>
      path === "main.thrift"
        ? { _tag: "Text", text: 'include "b.thrift"' }
        : { _tag: "Failed", reason: "permission denied" }
    assert.deepStrictEqual(found(Loader.load(["main.thrift", "c.thrift"], { read })), [
      "main.thrift:1:9 E_INCLUDE cannot read b.thrift: permission denied",
      "c.thrift:1:1 E_INCLUDE cannot read c.thrift: permission denied"
    ])
  })

  it("says which entry is missing, and loads the others", () => {
    const loaded = load({ "main.thrift": "" }, {}, ["./gone.thrift", "main.thrift"])
    assert.deepStrictEqual(found(loaded), ["./gone.thrift:1:1 E_INCLUDE ./gone.thrift is not found"])
    assert.strictEqual(loaded.diagnostics[0]!.source.text, "")
    assert.deepStrictEqual(paths(loaded), ["main.thrift"])
  })

  it("loads two spellings of one path once", () => {
    const loaded = load(
      { "x/main.thrift": 'include "./b.thrift"\ninclude "../x/b.thrift"\ninclude "b.thrift"', "x/b.thrift": "" },
      {},
      ["x/main.thrift", "./x//main.thrift", "x/y/../b.thrift"]
    )
    assert.deepStrictEqual(found(loaded), [])
    assert.deepStrictEqual(paths(loaded), ["x/b.thrift", "x/main.thrift"])
    assert.deepStrictEqual(
      loaded.files.map(({ isEntry }) => isEntry),
      [true, true]
    )
    assert.strictEqual(loaded.files[1]!.includes.length, 1)
  })

  it("loads a file once that has several paths, under the one that an entry names", () => {
    const files = Loader.fromRecord({
      "main.thrift": 'include "/link/b.thrift"\ninclude "b.thrift"\ninclude "link/c.thrift"\ninclude "/link/c.thrift"',
      "b.thrift": 'include "link/c.thrift"',
      "c.thrift": 'include "/link/b.thrift"'
    })
    const read: Loader.Reader = (path) => {
      const canonical = path.replace(/^\/?link\//, "")
      const result = files(canonical)
      return result._tag === "Text" ? { ...result, canonical } : result
    }
    const loaded = Loader.load(["main.thrift", "b.thrift", "link/b.thrift"], { read })
    assert.deepStrictEqual(paths(loaded), ["link/c.thrift", "b.thrift", "main.thrift"])
    assert.deepStrictEqual(
      loaded.files.map(({ isEntry }) => isEntry),
      [false, true, true]
    )
    assert.strictEqual(loaded.files[2]!.includes.length, 2)
    assert.deepStrictEqual(found(loaded), [
      "link/c.thrift:1:9 E_INCLUDE_CYCLE found include circle: b.thrift -> link/c.thrift -> b.thrift"
    ])
  })

  it("ignores cpp_include", () => {
    assert.deepStrictEqual(found(load({ "main.thrift": 'cpp_include "<vector>"' })), [])
  })

  it("reports a circle at the include that closes it, with its links", () => {
    const loaded = load({
      "main.thrift": 'include "a.thrift"',
      "a.thrift": 'include "b.thrift"',
      "b.thrift": 'namespace go x\ninclude "c.thrift"',
      "c.thrift": ' include "a.thrift"\nstruct C {}'
    })
    assert.deepStrictEqual(found(loaded), [
      "c.thrift:1:10 E_INCLUDE_CYCLE found include circle: a.thrift -> b.thrift -> c.thrift -> a.thrift"
    ])
    assert.deepStrictEqual(
      loaded.diagnostics[0]!.related.map(({ message, source, span }) => [
        message,
        source.text.slice(span.start, span.end)
      ]),
      [
        ["a.thrift includes b.thrift here", '"b.thrift"'],
        ["b.thrift includes c.thrift here", '"c.thrift"']
      ]
    )
    assert.deepStrictEqual(paths(loaded), ["c.thrift", "b.thrift", "a.thrift", "main.thrift"])
    assert.deepStrictEqual(found(load({ "main.thrift": 'include "main.thrift"' })), [
      "main.thrift:1:9 E_INCLUDE_CYCLE found include circle: main.thrift -> main.thrift"
    ])
  })

  it("stops at its limits", () => {
    const chain: Loader.Reader = (path) => ({
      _tag: "Text",
      text: `include "a${Number.parseInt(path.slice(1), 10) + 1}.thrift"`
    })
    const deep = Loader.load(["a0.thrift"], { read: chain })
    assert.strictEqual(deep.files.length, 128)
    assert.deepStrictEqual(found(deep), [
      "a127.thrift:1:9 E_LIMIT a128.thrift is not read: includes nest deeper than 128"
    ])

    const wide = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`f${i}.thrift`, ""]))
    const main = Object.keys(wide)
      .map((path) => `include "${path}"\n`)
      .join("")
    const many = load({ ...wide, "main.thrift": main }, { limits: { files: 9 } })
    assert.deepStrictEqual(found(many), [
      "main.thrift:9:9 E_LIMIT f8.thrift is not read: more than 9 files",
      "main.thrift:10:9 E_LIMIT f9.thrift is not read: more than 9 files"
    ])

    const long = load({ "main.thrift": "struct A {}" }, { limits: { characters: 10 } })
    assert.deepStrictEqual(found(long), [
      "main.thrift:1:1 E_LIMIT main.thrift is not read: more than 10 characters in all"
    ])
  })

  it("passes the grammar on to the parser", () => {
    const files = { "main.thrift": "struct A {};" }
    assert.strictEqual(load(files).diagnostics[0]?.code, "E_SYNTAX")
    assert.strictEqual(load(files, { compat: "apache" }).diagnostics[0]?.code, "W_APACHE")
  })
})
