import { assert, describe, it } from "@effect/vitest"
import { rmSync, statSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { filesIn, folderOf, read, runIn, write } from "./command.ts"

const idls = {
  "idl/base.thrift": "namespace go base\nstruct Base { 1: optional string log_id }\n",
  "idl/api.thrift":
    'include "base.thrift"\nnamespace go echo.v1\n' +
    "struct Request { 1: optional base.Base base, 2: optional i64 user_id }\nstruct Spare { 1: i32 x }\n" +
    "service Api { Request Echo(1: Request request) }\n"
}

const manifest = "gen/.millrace-manifest.json"

const generated = [
  "gen/base/base.codec.ts",
  "gen/base/base.ts",
  "gen/base/index.ts",
  "gen/echo/v1/api.codec.ts",
  "gen/echo/v1/api.ts",
  "gen/echo/v1/index.ts"
]

const listing = (word: string, files: ReadonlyArray<string>): string =>
  files.map((file) => `${word} ${file}\n`).join("")

const generatedIn = (folder: string, out = "gen") => filesIn(join(folder, out)).filter((path) => path.endsWith(".ts"))

describe("millrace gen", () => {
  it("writes files and lists them; the second time there is nothing to do", async () => {
    const folder = folderOf(idls)
    const first = await runIn(folder, "gen", "idl/api.thrift")
    assert.deepStrictEqual(first, { code: 0, stdout: listing("create", generated), stderr: "" })
    assert.deepStrictEqual(filesIn(join(folder, "gen")), [
      ".millrace-manifest.json",
      ...generated.map((path) => path.slice(4))
    ])
    assert.match(
      read(folder, "gen/echo/v1/api.ts"),
      /^\/\/ Code generated from idl\/api\.thrift by millrace\. DO NOT EDIT\.\n/
    )

    const times = [...generated, manifest].map((path) => statSync(join(folder, path)).mtimeMs)
    const second = await runIn(folder, "gen", "idl/api.thrift")
    assert.deepStrictEqual(second, { code: 0, stdout: "6 files up to date\n", stderr: "" })
    assert.deepStrictEqual(
      [...generated, manifest].map((path) => statSync(join(folder, path)).mtimeMs),
      times
    )
  })

  it("is the default command", async () => {
    const folder = folderOf({ "idl/base.thrift": idls["idl/base.thrift"], "api.thrift": idls["idl/api.thrift"] })
    const { code } = await runIn(folder, "-I", "idl", "api.thrift")
    assert.strictEqual(code, 0)
    assert.deepStrictEqual(
      generatedIn(folder),
      generated.map((path) => path.slice(4))
    )
  })

  it("updates only what changed", async () => {
    const folder = folderOf(idls)
    await runIn(folder, "idl/api.thrift")
    write(folder, "idl/api.thrift", idls["idl/api.thrift"].replace("service Api", "service Renamed"))
    const { stdout } = await runIn(folder, "idl/api.thrift")
    assert.strictEqual(stdout, "update gen/echo/v1/api.ts\n")
    assert.include(read(folder, "gen/echo/v1/api.ts"), "Renamed")
  })

  it("gives nothing when there are errors, and leaves what was there", async () => {
    const folder = folderOf(idls)
    await runIn(folder, "idl/api.thrift")
    const before = read(folder, "gen/echo/v1/api.ts")
    write(folder, "idl/api.thrift", "struct {")
    const { code, stderr, stdout } = await runIn(folder, "idl/api.thrift")
    assert.deepStrictEqual([code, stdout], [1, ""])
    assert.include(stderr, "idl/api.thrift:1:")
    assert.strictEqual(read(folder, "gen/echo/v1/api.ts"), before)
  })

  it("--dry-run lists and writes nothing", async () => {
    const folder = folderOf(idls)
    const { code, stdout } = await runIn(folder, "idl/api.thrift", "--dry-run")
    assert.deepStrictEqual([code, stdout], [0, listing("create", generated)])
    assert.deepStrictEqual(filesIn(folder), Object.keys(idls).sort())
    await runIn(folder, "idl/api.thrift")
    write(folder, "gen/base/index.ts", `${read(folder, "gen/base/index.ts")}// more\n`)
    const again = await runIn(folder, "idl/api.thrift", "--dry-run")
    assert.strictEqual(
      again.stdout,
      generated
        .map((path) => (path === "gen/base/index.ts" ? `update ${path} (was edited)\n` : `unchanged ${path}\n`))
        .join("")
    )
  })

  it("--check-only fails when files are stale or missing", async () => {
    const folder = folderOf(idls)
    await runIn(folder, "idl/api.thrift")
    const fresh = await runIn(folder, "idl/api.thrift", "--check-only")
    assert.deepStrictEqual(fresh, { code: 0, stdout: "6 files up to date\n", stderr: "" })
    write(folder, "gen/base/base.ts", `${read(folder, "gen/base/base.ts")}// edited\n`)
    rmSync(join(folder, "gen/echo/v1/index.ts"))
    assert.deepStrictEqual(await runIn(folder, "idl/api.thrift", "--check-only"), {
      code: 1,
      stdout: "stale gen/base/base.ts (was edited)\nmissing gen/echo/v1/index.ts\n",
      stderr: "millrace: 2 files out of date: run millrace gen\n"
    })
    assert.include(read(folder, "gen/base/base.ts"), "// edited")
  })

  it("--clean removes what is no longer generated, and nothing that a person wrote", async () => {
    const folder = folderOf(idls)
    await runIn(folder, "idl/api.thrift")
    write(folder, "gen/base/mine.ts", "export const mine = 1\n")
    write(folder, "gen/base/base.ts", `${read(folder, "gen/base/base.ts")}// edited\n`)
    write(folder, "idl/api.thrift", "namespace go echo.v1\nstruct Request { 1: optional i64 user_id }\n")
    const kept = "millrace: gen/base/base.ts is obsolete and was edited: it stays\n"
    assert.deepInclude(await runIn(folder, "idl/api.thrift"), {
      code: 0,
      stderr: `millrace: 2 obsolete files are still there: run millrace gen --clean\n${kept}`
    })
    assert.include(generatedIn(folder), "base/base.codec.ts")

    assert.deepStrictEqual(await runIn(folder, "idl/api.thrift", "--check-only"), {
      code: 1,
      stdout: "obsolete gen/base/base.codec.ts\nobsolete gen/base/index.ts\n",
      stderr: `${kept}millrace: 2 files out of date: run millrace gen --clean\n`
    })
    assert.deepStrictEqual(await runIn(folder, "idl/api.thrift", "--clean"), {
      code: 0,
      stdout: "remove gen/base/base.codec.ts\nremove gen/base/index.ts\n",
      stderr: kept
    })
    // until a person removes it
    assert.strictEqual((await runIn(folder, "idl/api.thrift", "--clean")).stderr, kept)
    assert.strictEqual((await runIn(folder, "idl/api.thrift")).stderr, kept)
    assert.deepStrictEqual(generatedIn(folder), [
      "base/base.ts",
      "base/mine.ts",
      "echo/v1/api.codec.ts",
      "echo/v1/api.ts",
      "echo/v1/index.ts"
    ])
  })

  it("says that it has overwritten what a person edited", async () => {
    const folder = folderOf(idls)
    await runIn(folder, "idl/api.thrift")
    write(folder, "gen/base/base.ts", `${read(folder, "gen/base/base.ts")}// edited\n`)
    assert.strictEqual((await runIn(folder, "idl/api.thrift")).stdout, "update gen/base/base.ts (was edited)\n")
  })

  it("says which options about namespaces match nothing", async () => {
    const flags = ["--namespace-map", "acme=a", "--namespace-map", "echo=e", "--namespace-scope", "py"]
    const { stderr } = await runIn(folderOf(idls), "idl/api.thrift", ...flags.slice(0, 4))
    assert.strictEqual(
      stderr,
      "millrace: the namespace map names acme, which is neither a namespace here nor the path of an IDL\n"
    )
    const scoped = await runIn(folderOf(idls), "idl/api.thrift", ...flags.slice(4))
    assert.strictEqual(scoped.stderr, "millrace: no IDL has a namespace of the scope py\n")
  })

  it("-q prints nothing, -v what was read and what is unchanged", async () => {
    const folder = folderOf(idls)
    assert.strictEqual((await runIn(folder, "idl/api.thrift", "-q")).stdout, "")
    const { stdout } = await runIn(folder, "idl/api.thrift", "-v")
    assert.include(stdout, "read idl/base.thrift\n")
    assert.include(stdout, "unchanged gen/echo/v1/api.ts\n")
  })

  it("refuses to overwrite what a person wrote", async () => {
    const folder = folderOf({ ...idls, "gen/base/base.ts": "export const mine = 1\n" })
    const { code, stderr } = await runIn(folder, "idl/api.thrift")
    assert.strictEqual(code, 2)
    assert.match(stderr, /^millrace: gen\/base\/base\.ts was not generated by millrace/)
    assert.deepStrictEqual(generatedIn(folder), ["base/base.ts"])
  })
})

describe("an index of a namespace", () => {
  const struct = (name: string, namespace = "m") => `namespace go ${namespace}\nstruct ${name} { 1: optional i32 a }\n`

  const two = { "x.thrift": struct("X"), "y.thrift": struct("Y") }

  const index = (folder: string, namespace = "m") =>
    read(folder, `gen/${namespace}/index.ts`)
      .split("\n")
      .slice(1, -1)
      .map((line) => /^export \* from "\.\/(.*)\.js"$/.exec(line)?.[1])

  const gen = async (folder: string, ...args: ReadonlyArray<string>) => {
    const { code, stderr, stdout } = await runIn(folder, "gen", ...args, "--codec", "none")
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    return stdout
  }

  it("exports what other runs gave to it", async () => {
    const folder = folderOf(two)
    await gen(folder, "x.thrift")
    assert.strictEqual(await gen(folder, "y.thrift", "--dry-run"), "update gen/m/index.ts\ncreate gen/m/y.ts\n")
    await gen(folder, "y.thrift")
    assert.deepStrictEqual(index(folder), ["x", "y"])
    for (const idls of [["x.thrift"], ["y.thrift"], ["x.thrift", "y.thrift"]]) {
      await gen(folder, ...idls, "--check-only")
      assert.include(await gen(folder, ...idls, "--clean"), "up to date")
    }
  })

  it("loses what is gone", async () => {
    const folder = folderOf(two)
    await gen(folder, "x.thrift")
    await gen(folder, "y.thrift")
    rmSync(join(folder, "x.thrift"))
    assert.strictEqual(await gen(folder, "y.thrift", "--clean"), "update gen/m/index.ts\nremove gen/m/x.ts\n")
    assert.deepStrictEqual(index(folder), ["y"])
    await gen(folder, "y.thrift", "--check-only", "--clean")
  })

  it("loses what has moved to another namespace, and is gone with the last", async () => {
    const folder = folderOf(two)
    await gen(folder, "x.thrift")
    await gen(folder, "y.thrift")
    write(folder, "x.thrift", struct("X", "n"))
    await gen(folder, "x.thrift", "--clean")
    assert.deepStrictEqual([index(folder), index(folder, "n")], [["y"], ["x"]])
    await gen(folder, "x.thrift", "--check-only", "--clean")
    write(folder, "y.thrift", struct("Y", "n"))
    await gen(folder, "y.thrift", "--clean")
    assert.deepStrictEqual(index(folder, "n"), ["x", "y"])
    await gen(folder, "x.thrift", "--clean")
    assert.deepStrictEqual(generatedIn(folder), ["n/index.ts", "n/x.ts", "n/y.ts"])
  })
})

describe("a file with several paths", () => {
  it("is generated once", async () => {
    const folder = folderOf({ "b.thrift": "struct B {}\n", "idl/x": "" })
    symlinkSync("..", join(folder, "idl/link"))
    write(
      folder,
      "api.thrift",
      `include "b.thrift"\ninclude "${folder}/b.thrift"\ninclude "idl/link/b.thrift"\nstruct A { 1: b.B b }\n`
    )
    const { code, stderr, stdout } = await runIn(folder, "api.thrift", "--codec", "none")
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    assert.strictEqual(
      stdout,
      listing("create", ["gen/api/api.ts", "gen/api/index.ts", "gen/b/b.ts", "gen/b/index.ts"])
    )
    assert.match(read(folder, "gen/b/b.ts"), /^\/\/ Code generated from b\.thrift by/)
  })

  it("is another one where a link names it otherwise, as its types are named by it", async () => {
    const folder = folderOf({ "b.thrift": "struct B {}\n" })
    symlinkSync("b.thrift", join(folder, "c.thrift"))
    write(folder, "api.thrift", 'include "b.thrift"\ninclude "c.thrift"\nstruct A { 1: b.B b, 2: c.B c }\n')
    const { code, stderr } = await runIn(folder, "api.thrift", "--codec", "none")
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    assert.includeMembers([...generatedIn(folder)], ["b/b.ts", "c/c.ts"])
  })
})

describe("flags of millrace gen", () => {
  const flat = ["--layout", "flat", "-o", "out"]

  const apiWith = async (...flags: ReadonlyArray<string>): Promise<string> => {
    const folder = folderOf(idls)
    const { code, stderr } = await runIn(folder, "idl/api.thrift", ...flat, ...flags)
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    return read(folder, "out/api.ts")
  }

  it("--out with the namespace of the IDL", async () => {
    const folder = folderOf(idls)
    await runIn(folder, "idl/api.thrift", "idl/base.thrift", "-o", "x/{namespace}/y")
    assert.includeMembers([...generatedIn(folder, "x")], ["echo/v1/y/api.ts", "base/y/base.ts"])
    await runIn(folder, "idl/api.thrift", "-o", "z/{namespaceUnderscore}")
    assert.deepStrictEqual(generatedIn(folder, "z"), [
      "echo_v1/api.codec.ts",
      "echo_v1/api.ts",
      "echo_v1/base.codec.ts",
      "echo_v1/base.ts"
    ])
  })

  it("--out with the namespace of the IDL, with --clean after the namespace has changed", async () => {
    const folder = folderOf({ "a.thrift": "namespace go one.two\nstruct A {}\n" })
    const flags = ["a.thrift", "-o", "x/{namespace}", "--codec", "none", "--clean"]
    await runIn(folder, ...flags)
    assert.deepStrictEqual(filesIn(join(folder, "x")), [".millrace-manifest.json", "one/two/a.ts"])
    write(folder, "a.thrift", "namespace go three\nstruct A {}\n")
    const { stdout } = await runIn(folder, ...flags)
    assert.strictEqual(stdout, "create x/three/a.ts\nremove x/one/two/a.ts\n")
    assert.deepStrictEqual(filesIn(join(folder, "x")), [".millrace-manifest.json", "three/a.ts"])
    await runIn(folder, "a.thrift", "-o", "y/{namespace}", "--codec", "none", "--layout", "namespace")
    assert.deepStrictEqual(generatedIn(folder, "y"), ["three/three/a.ts", "three/three/index.ts"])
  })

  it("--no-recurse leaves included files out", async () => {
    const folder = folderOf(idls)
    await runIn(folder, "idl/api.thrift", ...flat, "--no-recurse")
    assert.deepStrictEqual(generatedIn(folder, "out"), ["api.codec.ts", "api.ts"])
    await runIn(folder, "idl/api.thrift", ...flat, "-r")
    assert.include(generatedIn(folder, "out"), "base.ts")
  })

  it("--namespace-scope and --namespace-map", async () => {
    const folder = folderOf({ "a.thrift": "namespace go one.two\nnamespace java three\nstruct A { 1: i32 a }\n" })
    await runIn(folder, "a.thrift", "-o", "x", "--namespace-scope", "java,go", "--codec", "none")
    await runIn(folder, "a.thrift", "-o", "y", "--namespace-map", "one=first", "--codec", "none")
    assert.deepStrictEqual(generatedIn(folder, "x"), ["three/a.ts", "three/index.ts"])
    assert.deepStrictEqual(generatedIn(folder, "y"), ["first/two/a.ts", "first/two/index.ts"])
  })

  it("--import-ext", async () => {
    assert.include(await apiWith(), '"./base.js"')
    assert.include(await apiWith("--import-ext", ".ts"), '"./base.ts"')
    assert.include(await apiWith("--import-ext", "none"), '"./base"')
  })

  it("--case", async () => {
    assert.include(await apiWith(), "user_id")
    assert.include(await apiWith("--case", "camel"), "userId")
  })

  it("--i64", async () => {
    assert.notStrictEqual(await apiWith("--i64", "number"), await apiWith())
  })

  it("--trim", async () => {
    assert.include(await apiWith(), "Spare")
    assert.notInclude(await apiWith("--trim"), "Spare")
  })

  it("--codec none", async () => {
    const folder = folderOf(idls)
    await runIn(folder, "idl/api.thrift", ...flat, "--codec", "none")
    assert.deepStrictEqual(generatedIn(folder, "out"), ["api.ts", "base.ts"])
  })
})
