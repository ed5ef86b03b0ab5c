import { assert, describe, it } from "@effect/vitest"
import * as Checker from "../src/Checker.ts"
import * as Emitter from "../src/Emitter.ts"
import * as Loader from "../src/Loader.ts"

const files = Emitter.emit(
  Checker.compile(["b.thrift", "a.thrift"], {
    read: Loader.fromRecord({ "a.thrift": "namespace go x.y struct A {}", "b.thrift": "namespace go x.y struct B {}" })
  }).program
).files

describe("Emitter.indexText", () => {
  it("is the index that emit gives", () => {
    const index = files.find(({ path }) => path === "x/y/index.ts")!
    assert.strictEqual(Emitter.indexText(["x", "y"], ["b", "a"], ".js"), index.text)
  })
})

describe("Emitter.isGenerated", () => {
  it("knows every emitted file by its first line, and nothing that only quotes it", () => {
    for (const { text } of files) {
      assert.isTrue(Emitter.isGenerated(text))
      assert.isTrue(Emitter.isGenerated(text.replaceAll("\n", "\r\n")))
      assert.isFalse(Emitter.isGenerated(`\n${text}`))
      assert.isFalse(Emitter.isGenerated(`// ${text}`))
    }
    assert.isTrue(Emitter.isGenerated("// Code generated from a.thrift by millrace. DO NOT EDIT."))
    for (const text of ["", "// Code generated from a.thrift by another. DO NOT EDIT.\n", "// mine\n"]) {
      assert.isFalse(Emitter.isGenerated(text))
    }
  })
})
