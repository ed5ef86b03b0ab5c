import { assert, describe, it } from "@effect/vitest"
import { filesIn, folderOf, read, runIn } from "./command.ts"

const struct = (name: string) => `struct ${name} { 1: optional i64 ${name}_id }\n`

const project = {
  "idl/a.thrift": `namespace go first\n${struct("a")}`,
  "idl/b.thrift": `namespace go second\n${struct("b")}`,
  "deep/er/note": "",
  "millrace.config.json": JSON.stringify({
    entries: [
      { idl: "idl/a.thrift", out: "src/a", layout: "flat", codec: "none", case: "camel" },
      { idl: ["idl/b.thrift"], out: "src/b", layout: "flat", codec: "none", importExt: ".ts", recurse: true }
    ]
  })
}

const generatedIn = (folder: string) => filesIn(folder).filter((path) => path.endsWith(".ts"))

describe("millrace.config.json", () => {
  it("names the IDLs to generate, relative to its folder", async () => {
    const folder = folderOf(project)
    const { code, stdout } = await runIn(folder)
    assert.deepStrictEqual([code, stdout], [0, "create src/a/a.ts\ncreate src/b/b.ts\n"])
    assert.include(read(folder, "src/a/a.ts"), "aId")
  })

  it("is found from a folder below, and gives the same text there", async () => {
    const [above, below] = [folderOf(project), folderOf(project)]
    await runIn(above, "gen")
    const { code, stdout } = await runIn(`${below}/deep/er`, "gen")
    assert.deepStrictEqual([code, stdout], [0, "create ../../src/a/a.ts\ncreate ../../src/b/b.ts\n"])
    assert.strictEqual(read(below, "src/a/a.ts"), read(above, "src/a/a.ts"))
    assert.match(read(below, "src/a/a.ts"), /^\/\/ Code generated from idl\/a\.thrift by/)
  })

  it("gives an IDL that is an entry its options, which flags override", async () => {
    const folder = folderOf(project)
    await runIn(folder, "idl/a.thrift")
    assert.deepStrictEqual(generatedIn(folder), ["src/a/a.ts"])
    await runIn(`${folder}/idl`, "a.thrift", "--case", "keep", "-o", "../other")
    assert.deepStrictEqual(generatedIn(folder), ["other/a.ts", "src/a/a.ts"])
    assert.include(read(folder, "other/a.ts"), "a_id")
  })

  it("is named with --config", async () => {
    const { "millrace.config.json": text, ...files } = project
    const folder = folderOf({ ...files, "configs/mine.json": text.replaceAll("idl/", "../idl/") })
    const { code, stdout } = await runIn(folder, "--config", "configs/mine.json")
    assert.deepStrictEqual([code, stdout], [0, "create configs/src/a/a.ts\ncreate configs/src/b/b.ts\n"])
  })

  it("writes nothing when one entry has errors", async () => {
    const folder = folderOf({ ...project, "idl/b.thrift": "struct {" })
    const { code, stderr, stdout } = await runIn(folder)
    assert.deepStrictEqual([code, stdout], [1, ""])
    assert.include(stderr, "idl/b.thrift:1:")
    assert.deepStrictEqual(generatedIn(folder), [])
  })

  it("may not give two texts for one file", async () => {
    const folder = folderOf({
      ...project,
      "one/api.thrift": struct("a"),
      "two/api.thrift": struct("b"),
      "millrace.config.json": JSON.stringify({ entries: [{ idl: "one/api.thrift" }, { idl: "two/api.thrift" }] })
    })
    const { code, stderr } = await runIn(folder)
    assert.deepStrictEqual(
      [code, stderr],
      [
        2,
        "millrace: one/api.thrift and two/api.thrift both give gen/api/api.ts, with different text: " +
          "compile them in one entry, or give them different output folders\n"
      ]
    )
  })

  it("allows warnings in an entry", async () => {
    const idl = `${struct("a")}service S { a Get(1: a r) (streaming.mode="unary") }\n`
    const config = (...allowWarnings: ReadonlyArray<string>) =>
      JSON.stringify({ entries: [{ idl: "a.thrift", allowWarnings }] })
    const folder = folderOf({
      "a.thrift": idl,
      "millrace.config.json": config("W_STREAM_UNARY"),
      "x.json": config("STREAM_UNARY")
    })
    assert.strictEqual((await runIn(folder, "check", "--warnings-as-errors")).stderr, "")
    assert.deepStrictEqual(await runIn(folder, "check", "--config", "x.json"), {
      code: 2,
      stdout: "",
      stderr:
        "millrace: x.json is wrong:\n" +
        'STREAM_UNARY is not the code of a warning; did you mean W_STREAM_UNARY? at ["entries"][0]\n'
    })
  })

  it("shares an index among its entries", async () => {
    const entries = ["x", "y"].map((name) => ({ idl: `${name}.thrift`, codec: "none" }))
    const folder = folderOf({
      "x.thrift": `namespace go m\n${struct("x")}`,
      "y.thrift": `namespace go m\n${struct("y")}`,
      "millrace.config.json": JSON.stringify({ entries })
    })
    assert.strictEqual((await runIn(folder)).code, 0)
    const index = read(folder, "gen/m/index.ts")
    assert.match(index, /^[^\n]*\nexport \* from "\.\/x\.js"\nexport \* from "\.\/y\.js"\n$/)
    assert.strictEqual((await runIn(folder, "--check-only")).code, 0)
    assert.strictEqual((await runIn(folder, "x.thrift", "--check-only")).code, 0)
  })

  it("keeps --clean of one entry away from what another gives", async () => {
    const entries = ["a", "b"].map((name) => ({ idl: `idl/${name}.thrift`, out: "gen", codec: "none" }))
    const folder = folderOf({ ...project, "millrace.config.json": JSON.stringify({ entries }) })
    await runIn(`${folder}/deep`)
    const before = generatedIn(folder)
    assert.include(before, "gen/first/a.ts")
    const { stdout } = await runIn(folder, "idl/a.thrift", "--clean")
    assert.strictEqual(stdout, "2 files up to date\n")
    assert.deepStrictEqual(generatedIn(folder), before)
  })
})

describe("a namespace", () => {
  it("does not lead out of the output folder", async () => {
    const entry = { idl: "a.thrift", namespaceMap: { "a.b": "../../y" } }
    const folder = folderOf({
      "a.thrift": `namespace go a.b\n${struct("a")}`,
      "c.json": JSON.stringify({ entries: [entry] })
    })
    const problem =
      "../../y cannot stand for a.b: a namespace is letters, digits, _ and -, in parts with dots between them"
    for (const [message, ...args] of [
      [`--namespace-map: ${problem}`, "a.thrift", "--namespace-map", "a.b=../../y"],
      [`c.json is wrong:\n${problem} at ["entries"][0]`, "--config", "c.json"]
    ] as const) {
      assert.deepStrictEqual(await runIn(folder, ...args), { code: 2, stdout: "", stderr: `millrace: ${message}\n` })
    }
    assert.deepStrictEqual(generatedIn(folder), [])
  })

  it("may be mapped to none", async () => {
    const folder = folderOf({ "a.thrift": `namespace go a.b\n${struct("a")}` })
    const { code } = await runIn(folder, "a.thrift", "--namespace-map", "a.b=", "--codec", "none")
    assert.strictEqual(code, 0)
    assert.deepStrictEqual(generatedIn(folder), ["gen/a.ts", "gen/index.ts"])
  })
})
