import { assert, describe, it } from "@effect/vitest"
import { folderOf, read, runIn, write } from "./command.ts"

const files = {
  "idl/base.thrift": "struct Base { 1: optional string logId }\n",
  "idl/api.thrift":
    'include "base.thrift"\nnamespace go echo\nstruct Request { 1: optional base.Base base }\n' +
    "service Api { Request Echo(1: Request request) }\n"
}

const withError = files["idl/api.thrift"].replace("1: Request request", "1: Requst request")

const withWarning = files["idl/api.thrift"].replace("request) }", 'request) (streaming.mode="unary") }')

const pretty = `idl/api.thrift:4:31 - error E_UNDEFINED: undefined type: "Requst"
  |
4 | service Api { Request Echo(1: Requst request) }
  |                               ^^^^^^
  = hint: did you mean "Request"?

1 error, 0 warnings
`

describe("millrace check", () => {
  it("says how many files it checked", async () => {
    const result = await runIn(folderOf(files), "check", "idl/api.thrift")
    assert.deepStrictEqual(result, { code: 0, stdout: "2 files checked\n", stderr: "" })
  })

  it("prints errors on standard error", async () => {
    const result = await runIn(folderOf({ ...files, "idl/api.thrift": withError }), "check", "idl/api.thrift")
    assert.deepStrictEqual(result, { code: 1, stdout: "", stderr: pretty })
  })

  it("names files from the working directory, wherever the configuration is", async () => {
    const folder = folderOf({
      ...files,
      "idl/api.thrift": withError,
      "millrace.config.json": '{"entries":[{"idl":"idl/api.thrift"}]}'
    })
    write(folder, "deep/er/x", "")
    const result = await runIn(`${folder}/deep`, "check")
    assert.deepStrictEqual(result, { code: 1, stdout: "", stderr: pretty.replace("idl/", "../idl/") })
  })

  it("prints errors as JSON, and an empty list when there are none", async () => {
    const folder = folderOf({ ...files, "idl/api.thrift": withError })
    const wrong = await runIn(folder, "check", "idl/api.thrift", "--format", "json")
    const [error] = JSON.parse(wrong.stderr)
    assert.deepStrictEqual([wrong.code, error.code, error.file], [1, "E_UNDEFINED", "idl/api.thrift"])
    const right = await runIn(folder, "check", "idl/base.thrift", "--format", "json")
    assert.deepStrictEqual([right.code, JSON.parse(right.stderr)], [0, []])
  })

  it("prints errors for GitHub", async () => {
    const folder = folderOf({ ...files, "idl/api.thrift": withError })
    const { code, stderr } = await runIn(folder, "check", "idl/api.thrift", "--format", "github")
    assert.strictEqual(code, 1)
    assert.match(stderr, /^::error file=idl\/api\.thrift,line=4,/)
  })

  it("colors when it is told to", async () => {
    const folder = folderOf({ ...files, "idl/api.thrift": withError })
    const { stderr } = await runIn(folder, "check", "idl/api.thrift", "--color", "always")
    assert.include(stderr, "\x1b[31m")
  })

  it("fails for warnings only with --warnings-as-errors, and hides them with --quiet", async () => {
    const folder = folderOf({ ...files, "idl/api.thrift": withWarning })
    const plain = await runIn(folder, "check", "idl/api.thrift")
    assert.strictEqual(plain.code, 0)
    assert.include(plain.stderr, "warning W_STREAM_UNARY")
    const quiet = await runIn(folder, "check", "idl/api.thrift", "-q")
    assert.deepStrictEqual(quiet, { code: 0, stdout: "", stderr: "" })
    const strict = await runIn(folder, "check", "idl/api.thrift", "--warnings-as-errors", "-q")
    assert.deepStrictEqual(strict, { code: 1, stdout: "", stderr: plain.stderr })
  })

  it("--allow-warning neither shows nor counts the warnings of a code", async () => {
    const both = `${withWarning}enum E {}\nservice More { void _Ping() }\n`
    const folder = folderOf({ ...files, "idl/api.thrift": both })
    const one = await runIn(folder, "check", "idl/api.thrift", "--allow-warning", "W_STREAM_UNARY")
    assert.include(one.stderr, "W_UNDERSCORE_METHOD")
    assert.match(one.stderr, /0 errors, 1 warning\n$/)
    const flags = ["--allow-warning", "W_STREAM_UNARY", "--allow-warning", "W_UNDERSCORE_METHOD"]
    assert.deepStrictEqual(await runIn(folder, "check", "idl/api.thrift", ...flags, "--warnings-as-errors"), {
      code: 0,
      stdout: "2 files checked\n",
      stderr: ""
    })
  })

  it("looks for includes in the folders of --include", async () => {
    const folder = folderOf({ "shared/base.thrift": files["idl/base.thrift"], "api.thrift": files["idl/api.thrift"] })
    const without = await runIn(folder, "check", "api.thrift")
    assert.strictEqual(without.code, 1)
    assert.include(without.stderr, "E_INCLUDE")
    for (const flag of ["-I", "-i", "--include"]) {
      assert.strictEqual((await runIn(folder, "check", flag, "shared", "api.thrift")).code, 0)
    }
  })

  it("--compat apache and --allow-enum-alias accept more", async () => {
    const folder = folderOf({
      "apache.thrift": "struct A { 0x10: i32 a }\n",
      "alias.thrift": "enum Level { LOW = 1, SMALL = 1 }\n"
    })
    assert.strictEqual((await runIn(folder, "check", "apache.thrift")).code, 1)
    assert.strictEqual((await runIn(folder, "check", "apache.thrift", "--compat", "apache")).code, 0)
    assert.strictEqual((await runIn(folder, "check", "alias.thrift")).code, 1)
    assert.strictEqual((await runIn(folder, "check", "alias.thrift", "--allow-enum-alias")).code, 0)
  })
})

const untidy = "struct   A{1:optional string   b // why\n}\n"

describe("millrace fmt", () => {
  it("rewrites what is not in canonical form, and is content the second time", async () => {
    const folder = folderOf({ "a.thrift": untidy })
    assert.deepStrictEqual(await runIn(folder, "fmt", "a.thrift"), { code: 0, stdout: "update a.thrift\n", stderr: "" })
    const text = read(folder, "a.thrift")
    assert.notStrictEqual(text, untidy)
    assert.include(text, "// why")
    assert.deepStrictEqual(await runIn(folder, "fmt", "a.thrift"), { code: 0, stdout: "", stderr: "" })
    assert.deepStrictEqual(await runIn(folder, "fmt", "--check", "a.thrift"), { code: 0, stdout: "", stderr: "" })
    assert.strictEqual(read(folder, "a.thrift"), text)
  })

  it("--check fails and writes nothing", async () => {
    const folder = folderOf({ "a.thrift": untidy })
    assert.deepStrictEqual(await runIn(folder, "fmt", "--check", "a.thrift"), {
      code: 1,
      stdout: "update a.thrift\n",
      stderr: "millrace: 1 file is not in canonical form: run millrace fmt\n"
    })
    assert.strictEqual(read(folder, "a.thrift"), untidy)
  })

  it("rewrites no file when one cannot be parsed", async () => {
    const folder = folderOf({ "a.thrift": untidy, "b.thrift": "struct {" })
    const { code, stderr, stdout } = await runIn(folder, "fmt", "a.thrift", "b.thrift")
    assert.deepStrictEqual([code, stdout], [1, ""])
    assert.include(stderr, "b.thrift:1:")
    assert.strictEqual(read(folder, "a.thrift"), untidy)
  })
})

describe("millrace print", () => {
  it("prints the syntax tree without --as", async () => {
    const folder = folderOf({ "api.thrift": "struct A {}\n" })
    const { stdout } = await runIn(folder, "print", "api.thrift")
    assert.strictEqual(stdout, (await runIn(folder, "print", "--as", "json", "api.thrift")).stdout)
    assert.strictEqual(JSON.parse(stdout).path, "api.thrift")
  })

  it("--as idl prints the canonical text", async () => {
    const folder = folderOf({ "a.thrift": untidy })
    const { code, stdout } = await runIn(folder, "print", "--as", "idl", "a.thrift")
    await runIn(folder, "fmt", "a.thrift")
    assert.deepStrictEqual([code, stdout], [0, read(folder, "a.thrift")])
  })

  it("--as json prints the syntax tree", async () => {
    const folder = folderOf({ "a.thrift": "const i64 BIG = 9223372036854775807\nconst i64 SMALL = 1\n" })
    const { code, stdout } = await runIn(folder, "print", "--as", "json", "a.thrift")
    const { document, path } = JSON.parse(stdout)
    assert.deepStrictEqual(
      [
        code,
        path,
        document.definitions.map((each: { readonly value: { readonly value: unknown } }) => each.value.value)
      ],
      [0, "a.thrift", ["9223372036854775807", 1]]
    )
  })

  it("--as plan prints what is on the wire", async () => {
    const idl = `
      namespace go shop
      typedef list<Level> Levels
      enum Level { LOW = 1, HIGH }
      struct Request { 1: required Levels levels, 2: map<string, Request> more, 3: optional i64 count = 7 }
      exception Denied { 1: string reason }
      service Base { oneway void Ping() }
      service Api extends Base {
        Request Echo(1: Request request) throws (1: Denied denied)
        Request Talk(1: Request request) (streaming.mode="bidirectional")
      }`
    const folder = folderOf({ "a.thrift": idl })
    const { code, stderr, stdout } = await runIn(folder, "print", "--as", "plan", "a.thrift")
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    assert.strictEqual(
      stdout,
      `service Base
  Ping: oneway
service Api
  Ping: oneway
  Echo: pingPong
  Talk: bidirectional shop.Request -> shop.Request
struct Base.Ping_args
struct Api.Ping_args
struct Api.Echo_args
  1: default shop.Request request
result Api.Echo_result
  0: optional shop.Request success
  1: optional shop.Denied denied
struct shop.Request
  1: required list<enum shop.Level> levels
  2: default map<string, shop.Request> more
  3: optional i64 count = 7
exception shop.Denied
  _tag is "Denied"
  1: default string reason
enum shop.Level
  LOW = 1
  HIGH = 2
`
    )
  })
})
