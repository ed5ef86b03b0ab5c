import { assert, describe, it } from "@effect/vitest"
import * as ChangeReport from "../src/ChangeReport.ts"
import * as Checker from "../src/Checker.ts"
import * as Diff from "../src/Diff.ts"
import * as Loader from "../src/Loader.ts"

const version = (path: string, text: string) =>
  Checker.compile([path], { read: Loader.fromRecord({ [path]: text }) }).program

const changes = Diff.diff(
  version("old.thrift", "struct A { 1: i32 a }\nstruct Gone {}"),
  version("new.thrift", "struct A {\n  1: i64 a\n  2: i32 b\n}")
)

describe("pretty", () => {
  it("shows the new version, or the old one of what is gone, and counts", () => {
    const text = ChangeReport.pretty(changes, { color: false, width: 100 })
    assert.strictEqual(
      text.replaceAll(/(?<=(?:was i32|gone|id 2)): .*/g, ""),
      `new.thrift:2:6 - breaking member-type: A.a is i64, was i32
  |
2 |   1: i64 a
  |      ^^^
  = before: old.thrift:1:15

old.thrift:2:8 - warning type-removed: Gone is gone
  |
2 | struct Gone {}
  |        ^^^^

new.thrift:3:10 - compatible member-added: A.b is new with id 2
  |
3 |   2: i32 b
  |          ^
  = before: old.thrift:1:8

1 breaking, 1 warning, 1 compatible`
    )
  })

  it("colours by severity", () => {
    const text = ChangeReport.pretty(changes, { color: true, width: 100 })
    assert.include(text, "\x1b[31mbreaking member-type\x1b[0m")
    assert.include(text, "\x1b[33mwarning type-removed\x1b[0m")
    assert.include(text, "\x1b[32mcompatible member-added\x1b[0m")
  })

  it("is empty without changes", () => {
    assert.strictEqual(ChangeReport.pretty([], { color: false, width: 100 }), "")
  })
})

describe("json", () => {
  it("has the places in both versions", () => {
    const [first, second] = JSON.parse(ChangeReport.json(changes))
    assert.deepStrictEqual(first.before, {
      file: "old.thrift",
      start: { line: 1, column: 15 },
      end: { line: 1, column: 18 }
    })
    assert.strictEqual(first.after.file, "new.thrift")
    assert.isUndefined(second.after)
  })
})

describe("github", () => {
  it("is a workflow command for each", () => {
    assert.deepStrictEqual(
      ChangeReport.github(changes)
        .split("\n")
        .map((line) => /^::\w+ file=[\w.]+,line=\d+/.exec(line)?.[0]),
      ["::error file=new.thrift,line=2", "::warning file=old.thrift,line=2", "::notice file=new.thrift,line=3"]
    )
  })
})
