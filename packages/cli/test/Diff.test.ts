import { assert, describe, it } from "vitest"
import { join } from "node:path"
import { folderOf, runIn } from "./command.ts"

const old = "struct Request {\n  1: optional string message\n}\n"
const safe = "struct Request {\n  1: optional string message\n  2: optional i32 count\n}\n"
const wrong = "struct Request {\n  1: optional i32 message\n}\n"

const files = { "old.thrift": old, "safe.thrift": safe, "wrong.thrift": wrong }

describe("millrace diff", () => {
  it("shows what is safe, and ends well", async () => {
    const result = await runIn(folderOf(files), "diff", "old.thrift", "safe.thrift")
    assert.deepStrictEqual(result, {
      code: 0,
      stdout: `safe.thrift:3:19 - compatible member-added: Request.count is new with id 2: old readers skip it, and new readers of old messages have nothing
  |
3 |   2: optional i32 count
  |                   ^^^^^
  = before: old.thrift:1:8

0 breaking, 0 warnings, 1 compatible
`,
      stderr: ""
    })
  })

  it("fails for what breaks", async () => {
    const result = await runIn(folderOf(files), "diff", "old.thrift", "wrong.thrift")
    assert.strictEqual(result.code, 1)
    assert.strictEqual(result.stderr, "")
    assert.match(result.stdout, /^wrong\.thrift:2:15 - breaking member-type: Request\.message is i32, was string: /)
    assert.match(result.stdout, /\n1 breaking, 0 warnings, 0 compatible\n$/)
  })

  it("says that there are no changes", async () => {
    const folder = folderOf(files)
    assert.deepStrictEqual(await runIn(folder, "diff", "old.thrift", "old.thrift"), {
      code: 0,
      stdout: "no changes\n",
      stderr: ""
    })
    assert.deepStrictEqual(await runIn(folder, "diff", "-q", "old.thrift", "safe.thrift"), {
      code: 0,
      stdout: "",
      stderr: ""
    })
  })

  it("prints JSON for programs", async () => {
    const folder = folderOf(files)
    const { code, stdout } = await runIn(folder, "diff", "--format", "json", "wrong.thrift", "old.thrift")
    const [change] = JSON.parse(stdout)
    assert.strictEqual(code, 1)
    assert.deepStrictEqual(
      { ...change, message: "" },
      {
        kind: "member-type",
        severity: "breaking",
        subject: "Request.message",
        message: "",
        before: { file: "wrong.thrift", start: { line: 2, column: 15 }, end: { line: 2, column: 18 } },
        after: { file: "old.thrift", start: { line: 2, column: 15 }, end: { line: 2, column: 21 } }
      }
    )
    assert.strictEqual((await runIn(folder, "diff", "--format", "json", "old.thrift", "old.thrift")).stdout, "[]\n")
  })

  it("prints workflow commands for GitHub", async () => {
    const { stdout } = await runIn(folderOf(files), "diff", "--format", "github", "old.thrift", "wrong.thrift")
    assert.match(
      stdout,
      /^::error file=wrong\.thrift,line=2,col=15,endLine=2,endColumn=18,title=member-type::Request\.message is i32, was string: .*%0Abefore: old\.thrift:2:15\n$/
    )
  })

  it("looks for includes of both versions", async () => {
    const folder = folderOf({
      "old/api.thrift": 'include "base.thrift" struct S { 1: base.B b }',
      "old/base.thrift": "struct B { 1: i32 x }",
      "new/api.thrift": 'include "base.thrift" struct S { 1: base.B b }',
      "new/base.thrift": "struct B { 1: i64 x }"
    })
    const { code, stdout } = await runIn(folder, "diff", "old/api.thrift", "new/api.thrift")
    assert.strictEqual(code, 1)
    assert.include(stdout, "new/base.thrift:1:15 - breaking member-type: B.x is i64, was i32")
  })

  it("reads each version from its own tree, though the working directory is that of one", async () => {
    const api = 'include "idl/base.thrift" struct S { 1: base.B b }'
    const folder = folderOf({
      "old/idl/api.thrift": api,
      "old/idl/base.thrift": "struct B { 1: i32 x }",
      "idl/api.thrift": api,
      "idl/base.thrift": "struct B { 1: i64 x }"
    })
    const { code, stderr, stdout } = await runIn(folder, "diff", "old/idl/api.thrift", "idl/api.thrift")
    assert.deepStrictEqual([code, stderr], [1, ""])
    assert.include(stdout, "idl/base.thrift:1:15 - breaking member-type: B.x is i64, was i32")
    const inOld = await runIn(join(folder, "old"), "diff", "idl/api.thrift", "../idl/api.thrift")
    assert.deepStrictEqual([inOld.code, inOld.stderr], [1, ""])
    const inOther = await runIn(folder, "diff", "idl/api.thrift", "old/idl/api.thrift")
    assert.deepStrictEqual([inOther.code, inOther.stderr], [1, ""])
  })

  it("looks for includes of one version in the folders of --old-include and --new-include", async () => {
    const api = 'include "base.thrift" struct S { 1: base.B b }'
    const folder = folderOf({
      "old/api.thrift": api,
      "old-base/base.thrift": "struct B { 1: i32 x }",
      "new/api.thrift": api,
      "new-base/base.thrift": "struct B { 1: i64 x }"
    })
    const flags = ["--old-include", "old-base", "--new-include", "new-base"]
    const { code, stdout } = await runIn(folder, "diff", "old/api.thrift", "new/api.thrift", ...flags)
    assert.strictEqual(code, 1)
    assert.include(stdout, "new-base/base.thrift:1:15 - breaking member-type: B.x is i64, was i32")
  })

  it("says which file both versions read", async () => {
    const api = 'include "base.thrift" struct S { 1: base.B b }'
    const folder = folderOf({ "old/api.thrift": api, "new/api.thrift": api, "base.thrift": "struct B { 1: i32 x }" })
    assert.deepStrictEqual(await runIn(folder, "diff", "old/api.thrift", "new/api.thrift"), {
      code: 0,
      stdout: "no changes\n",
      stderr:
        "millrace: both versions read base.thrift, so that nothing in it differs: name their own with --old-include and --new-include\n"
    })
  })

  it("shows errors of either version in place of changes", async () => {
    const folder = folderOf({ ...files, "broken.thrift": "struct Request { 1: Mesage message }" })
    const { code, stderr, stdout } = await runIn(folder, "diff", "old.thrift", "broken.thrift")
    assert.strictEqual(code, 1)
    assert.strictEqual(stdout, "")
    assert.match(stderr, /^broken\.thrift:1:21 - error E_UNDEFINED/)
  })

  it("says what is wrong with the command line", async () => {
    const folder = folderOf(files)
    assert.deepInclude(await runIn(folder, "diff", "old.thrift"), { code: 2, stdout: "" })
    const missing = await runIn(folder, "diff", "old.thrift", "none.thrift")
    assert.deepStrictEqual(missing, { code: 2, stdout: "", stderr: "millrace: none.thrift does not exist\n" })
  })
})
