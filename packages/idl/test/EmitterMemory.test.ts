import { assert, describe, it } from "@effect/vitest"
import * as Checker from "../src/Checker.ts"
import * as Emitter from "../src/Emitter.ts"
import * as Loader from "../src/Loader.ts"

const texts = {
  "base.thrift": "namespace go one\nstruct Base { 1: i32 a }\n",
  "api.thrift": 'include "base.thrift"\nnamespace go two\nstruct Request { 1: base.Base base }\n',
  "other.thrift": "namespace go three\nstruct Other { 1: i32 a }\n"
}

const emit = (
  changed: Partial<typeof texts>,
  options: Partial<Emitter.Options> = {},
  memory?: Emitter.Memory
): Map<string, Emitter.OutputFile> => {
  const read = Loader.fromRecord({ ...texts, ...changed })
  const { program } = Checker.compile(["api.thrift", "other.thrift"], { read })
  const { files } = Emitter.emit(program, options, memory)
  return new Map(files.map((file) => [file.path, file]))
}

const paths = ["one/base.ts", "one/base.codec.ts", "two/api.ts", "two/api.codec.ts", "three/other.ts"]

/** Emits the texts, then the changed ones, and gives the paths of what was made again. */
const madeAgain = (changed: Partial<typeof texts>, options: Partial<Emitter.Options> = {}) => {
  const memory = Emitter.memory()
  const before = emit({}, {}, memory)
  const after = emit(changed, options, memory)
  assert.deepStrictEqual(after, emit(changed, options), "the same text as without a memory")
  return paths.filter((path) => before.get(path) !== after.get(path))
}

describe("Emitter.memory", () => {
  it("keeps what nothing has changed for", () => {
    assert.deepStrictEqual(madeAgain({}), [])
  })

  it("makes a changed file again, and those that include it", () => {
    const text = texts["base.thrift"].replace("i32", "i64")
    assert.deepStrictEqual(madeAgain({ "base.thrift": text }), paths.slice(0, 4))
  })

  it("leaves alone what does not include the changed file", () => {
    assert.deepStrictEqual(madeAgain({ "other.thrift": `${texts["other.thrift"]}enum E { A }\n` }), ["three/other.ts"])
  })

  it("makes a file again when another one takes the name of its type", () => {
    const text = "namespace go one\nstruct Base { 1: i32 a }\n"
    const again = madeAgain({ "other.thrift": text })
    assert.includeMembers(again, ["one/base.ts", "two/api.ts"])
  })

  it("makes everything again under other options", () => {
    assert.deepStrictEqual(madeAgain({}, { importExtension: ".ts" }), paths)
  })
})
