/** Generated codecs of generated schemas, against those compiled at run time and those of the types written by hand. */
import { assert, describe, it } from "@effect/vitest"
import { Codec, CodecError, Plan } from "@millrace/codec"
import type { Schema } from "effect"
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Golden from "../../codec/test/golden.ts"
import { emptyFolder, emitted, type Files, typeErrors, write } from "./emitted.ts"

const text = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8")

const emittedTo = (name: string, files: Files): string => {
  const folder = emptyFolder(name)
  write(folder, emitted(files, { importExtension: ".ts", layout: "flat" }))
  return folder
}

type Types = Readonly<Record<string, any>>

const folder = emittedTo("ahead", { "golden.thrift": text("./data/golden.thrift") })
const types: Types = await import(join(folder, "golden.ts"))
const codecs: Types = await import(join(folder, "golden.codec.ts"))

const cases: {
  readonly encode: ReadonlyArray<{ readonly name: string; readonly type: string; readonly value: any }>
  readonly decode: ReadonlyArray<{ readonly name: string; readonly type: string; readonly hex: string }>
} = JSON.parse(text("../../codec/test/data/codec.json"))

const named = <A extends { readonly name: string }>(all: ReadonlyArray<A>) =>
  all.map((each) => [each.name, each] as const)

const modes = ["auto", "source", "closure"] as const

const attempt = <A>(run: () => A): A | string => {
  try {
    return run()
  } catch (error) {
    assert.instanceOf(error, CodecError.CodecError)
    return String(error)
  }
}

describe("the codecs of golden.thrift", () => {
  it.each(Object.keys(codecs))("that of %s is used: it is made from the plan of its schema", (name) => {
    const plan = Plan.of(types[name])
    assert.strictEqual(plan.compiled, codecs[name])
    assert.strictEqual(Plan.describe(plan), Plan.describe(Plan.of(Golden.types[name]!)))
    // a form that is not that of the text is refused on first use
    assert.notInclude(String(attempt(() => Codec.make(types[name]).encode({} as any))), "millrace gen")
  })

  it.each(named(cases.encode))("%s, written in the same bytes by all", (_, { type, value }) => {
    const input = Golden.fromJson(Plan.of(types[type]), value)
    const written = (schema: Schema.Constraint, mode: (typeof modes)[number]) =>
      attempt(() => Golden.hex(Codec.make(schema, { mode }).encode(input)))
    const expected = written(Golden.types[type]!, "source")
    for (const mode of modes) assert.strictEqual(written(types[type], mode), expected)
  })

  it.each(named(cases.decode))("%s, read as the same value by all", (_, { hex, type }) => {
    const plan = Plan.of(types[type])
    const read = (schema: Schema.Constraint, mode: (typeof modes)[number]) =>
      attempt(() => Golden.toJson(plan, Codec.make(schema, { mode }).decode(Golden.unhex(hex)))) as unknown
    const expected = read(Golden.types[type]!, "source")
    for (const mode of modes) assert.deepStrictEqual(read(types[type], mode), expected)
  })

  it("makes instances of the generated classes", () => {
    const outer: unknown = new types["Outer"]({ points: [new types["Point"]({ x: 1, y: 2 })] })
    const read = Codec.make(types["Outer"]).decode(Codec.make(types["Outer"]).encode(outer)) as any
    assert.isTrue(read instanceof types["Outer"])
    assert.instanceOf(read.points[0], types["Point"])
    const failure = Codec.make(types["Failure"]).decode(Uint8Array.of(0))
    assert.isTrue(failure instanceof types["Failure"])
    assert.instanceOf(failure, Error)
    const { op } = Codec.make(types["Defaults"]).decode(Golden.unhex("0800030000000900")) as any
    assert.deepStrictEqual(op, new types["Point"]({ x: 1, y: 2 }))
    assert.instanceOf(op, types["Point"])
  })
})

describe("codecs of files that include each other's types", () => {
  const files = {
    "base.thrift": `
      namespace go base
      enum Level { LOW = 1, HIGH = 2 }
      struct Point { 1: required i32 x = 3, 2: optional i64 y (ts.type = "string") }
      union Shape { 1: Point point, 2: list<Shape> many, 3: binary raw }
      exception Broken { 1: string message, 2: Point at }`,
    "sub/api.thrift": `
      include "../base.thrift"
      namespace go api
      const base.Point ORIGIN = { "x": 0 }
      typedef map<base.Point, base.Shape> Shapes
      struct Map {
        1: base.Point at = ORIGIN
        2: Shapes shapes
        3: set<base.Level> levels = [base.Level.HIGH]
        4: optional Map next
        5: list<base.Broken> errors
        6: i64 id = 7 (ts.type = "number")
        7: optional i64 big = -5 (ts.type = "string")
        8: optional base.Level level = base.Level.LOW
        9: base.Shape shape = { "point": { "x": 8 } }
        10: optional string text = 'a "quoted" \\'text\\''
      }
      service Api { base.Shape draw(1: Map map) throws (1: base.Broken broken) }`
  }
  const folder = emptyFolder("ahead-two")
  write(folder, emitted(files, { importExtension: ".ts" }))

  it("type-check, with no any but in private functions", () => {
    assert.strictEqual(typeErrors(folder), "")
  })

  it("give the same bytes and values as at run time, also where code generation is forbidden", async () => {
    const { Map: Api }: Types = await import(join(folder, "api/api.ts"))
    const base: Types = await import(join(folder, "base/base.ts"))
    const shape = { _tag: "many", value: [{ _tag: "raw", value: Uint8Array.of(1, 2) }] }
    const value = new Api({
      shapes: [[new base["Point"]({ x: 4, y: "-9223372036854775808" }), shape]],
      next: new Api({ levels: new Set([9]) }),
      errors: [new base["Broken"]({ message: "no", at: new base["Point"]() })],
      big: "12345678901234567"
    })
    const [ahead, source, closure] = modes.map((mode) => Codec.make(Api, { mode }))
    const bytes = ahead!.encode(value)
    assert.deepStrictEqual(bytes, source!.encode(value))
    assert.deepStrictEqual(bytes, closure!.encode(value))
    for (const codec of [ahead, source, closure]) {
      const read = codec!.decode(bytes) as any
      assert.deepStrictEqual(read, value)
      assert.instanceOf(read.errors[0], base["Broken"])
      assert.deepStrictEqual(codec!.decode(Uint8Array.of(0)), new Api())
      assert.isTrue(codec!.keepsBytes)
    }
    const script = `
      import { Codec } from "@millrace/codec"
      const { Map: Api, Api: Service } = await import(${JSON.stringify(join(folder, "api/api.ts"))})
      const bytes = Buffer.from(process.argv[1], "hex")
      const args = Codec.args("Api.draw", Service.methods[0].args)
      const inside = args.encode({ map: Codec.make(Api).decode(bytes) })
      let isForbidden = false
      try { new Function("") } catch { isForbidden = true }
      console.log(isForbidden, Buffer.from(inside).toString("hex"))`
    const flags = ["--disallow-code-generation-from-strings", "--no-warnings", "--input-type=module", "-e", script]
    const output = execFileSync(process.execPath, [...flags, Golden.hex(bytes)], {
      encoding: "utf8",
      cwd: import.meta.dirname
    })
    assert.strictEqual(output, `true 0c0001${Golden.hex(bytes)}00\n`)
  })
})

describe("a generated schema that was changed by hand", () => {
  it("is refused on first use, and does without its codec", async () => {
    const idl = { "api.thrift": "struct Point { 1: i32 x, 2: i32 y }" }
    const files = emitted(idl, { importExtension: ".ts", layout: "flat" })
    const folder = emptyFolder("ahead-drift")
    write(folder, { ...files, "api.ts": files["api.ts"]!.replace("field(2,", "field(3,") })
    const { Point }: Types = await import(join(folder, "api.ts"))
    const error = attempt(() => Codec.make(Point).encode(new Point()))
    assert.include(String(error), "run `millrace gen` again, or take its option `codec` away")
    write(folder, { "plain.ts": files["api.ts"]!.replace("field(2,", "field(3,").replace(/, \{ codec: .*? \}/, "") })
    const { Point: Plain }: Types = await import(join(folder, "plain.ts"))
    assert.strictEqual(Golden.hex(Codec.make(Plain).encode(new Plain())), "080001000000000800030000000000")
  })
})
