/** The plans that codecs are printed from, against those of the schemas that the same IDL gives. */
import { assert, describe, it } from "@effect/vitest"
import { Plan } from "@millrace/codec"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { shapeOf } from "../../codec/src/internal/describe.ts"
import * as Emitter from "../src/Emitter.ts"
import * as Idl from "../src/Idl.ts"
import { identities } from "../src/internal/emit/identity.ts"
import { plans } from "../src/internal/plan.ts"
import { emptyFolder, programOf, write } from "./emitted.ts"
import { randomIdl } from "./randomIdl.ts"

const hostile = `
  namespace go hostile.names
  enum Kind { name = 1, parse = 2, constructor = 3 }
  typedef i64 Wide (ts.type = "string")
  typedef string Bytes (ts.type = "binary")
  struct Function { 1: i32 constructor, 2: optional Function then, 3: i32 user_id = 3, 4: set<Wide> wides }
  struct bad { 1: Kind kind = Kind.parse, 2: Wide wide = 5, 3: set<Bytes> raw, 4: map<Bytes, i64> by_raw, -7: i8 low }
  union codecUnion { 1: bad value, 2: Bytes _tag, 3: Wide end = 8 }
  exception cursor { 1: string name, 2: i32 message, 3: i64 stack = -9, 4: optional list<cursor> cause = [] }
  struct Empty {}`

const files = {
  "interop.thrift": readFileSync(new URL("./data/interop.thrift", import.meta.url), "utf8"),
  "hostile.thrift": hostile
}

const variants: ReadonlyArray<Partial<Emitter.Options>> = [
  { layout: "flat" },
  { layout: "flat", case: "camel", i64: "number" },
  { layout: "flat", namespaceMap: [["interop", "other.place"]], trim: true }
]

describe.each(variants.map((options, i) => [JSON.stringify(options), i, options] as const))("%s", (_, i, options) => {
  it.each(Object.keys(files) as ReadonlyArray<keyof typeof files>)("%s has the codecs of its schemas", async (name) => {
    const folder = emptyFolder(`plan-${i}`)
    const program = programOf({ [name]: files[name] })
    const { diagnostics, files: made } = Emitter.emit(program, { ...options, importExtension: ".ts" })
    assert.deepStrictEqual(diagnostics, [])
    write(folder, Object.fromEntries(made.map(({ path, text }) => [path, text])))
    const base = name.replace(".thrift", "")
    const types = await import(`${folder}/${base}.ts`)
    const codecs = made.length < 2 ? {} : await import(`${folder}/${base}.codec.ts`)
    for (const [name, codec] of Object.entries<any>(codecs)) {
      const plan = Plan.of(types[name])
      assert.strictEqual(plan.compiled, codec)
      assert.strictEqual(shapeOf(plan), codec.shape, Plan.describe(plan))
    }
    assert.isTrue(options.trim === true || Object.keys(codecs).length > 4)
  })
})

describe("random IDLs", () => {
  it("have the plans of the schemas that they are loaded as", () => {
    let count = 0
    for (let seed = 0; seed < 150; seed++) {
      const text = randomIdl(seed)
      const program = programOf({ "a.thrift": text })
      const { of } = plans({ ...Emitter.defaults, identities: identities(program, Emitter.defaults) })
      const { types } = Effect.runSync(Idl.load({ files: { "a.thrift": text }, entry: "a.thrift" }))
      for (const definition of program.files[0]!.definitions) {
        if (definition.tag !== "Struct") continue
        const loaded = Plan.of(types.get(definition.name)!)
        assert.strictEqual(shapeOf(of(definition)), shapeOf(loaded), `${definition.name} of seed ${seed}\n${text}`)
        count++
      }
    }
    assert.isAbove(count, 500)
  })
})
