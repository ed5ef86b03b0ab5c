import { assert, describe, it } from "@effect/vitest"
import { Codec, CodecError, CodecText, Plan, Thrift } from "@millrace/codec"
import { execFileSync, spawnSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { fromPlan } from "../src/internal/fromPlan.ts"
import { messagePlanOf, planOf } from "../src/internal/fromSchema.ts"
import { fromJson, hex, toJson, types, unhex } from "./golden.ts"
import { folder, generated, goldenTypes, withCodecs } from "./support/generated.ts"
import { verdict } from "./support/verdict.ts"

const golden: {
  readonly encode: ReadonlyArray<{ readonly name: string; readonly type: string; readonly value: any }>
  readonly decode: ReadonlyArray<{ readonly name: string; readonly type: string; readonly hex: string }>
  readonly truncated: ReadonlyArray<{ readonly name: string; readonly type: string; readonly hex: string }>
} = JSON.parse(readFileSync(new URL("./data/codec.json", import.meta.url), "utf8"))

const whole = await generated("golden", goldenTypes)
// each type in the module of its parity, so that types hold those of another module
const half = (odd: boolean) => goldenTypes.filter((_, i) => i % 2 === (odd ? 1 : 0))
const split = {
  ...(await (async () => {
    writeFileSync(new URL("odd.codec.ts", folder), CodecText.print(half(true), { imported: importedBy("./even") }))
    return generated("even", half(false), "./odd.codec.ts")
  })()),
  ...(await import(new URL("odd.codec.ts", folder).href))
}

function importedBy(module: string) {
  return (plan: Plan.NamedPlan): CodecText.Imported => ({ from: `${module}.codec.ts`, name: plan.label })
}

const ahead = Object.entries({ "one module": whole, "two modules": split }).map(
  ([name, codecs]) => [name, (type: string) => fromPlan<any>(() => withCodecs(types[type]!, codecs))] as const
)

// what a value or a failure looks like; the plan says what is in it
const shown = (type: string, result: unknown): unknown =>
  result instanceof CodecError.CodecError
    ? [result.kind, result.path, result.message, result.offset]
    : result instanceof Uint8Array
      ? hex(result)
      : toJson(planOf(types[type]!), result)

describe.each(ahead)("codecs made ahead of time, in %s", (_, codecOf) => {
  const modes = ["source", "closure"] as const

  it.each(golden.encode.map((x) => [x.name, x] as const))("%s, written as at run time", (_, { type, value }) => {
    const input = fromJson(planOf(types[type]!), value)
    const written = verdict(() => codecOf(type).encode(input))
    for (const mode of modes) {
      const expected = verdict(() => Codec.make(types[type]!, { mode }).encode(input))
      assert.deepStrictEqual(shown(type, written), shown(type, expected))
    }
  })

  it.each(golden.decode.map((x) => [x.name, x] as const))("%s, read as at run time", (_, { hex, type }) => {
    const codec = codecOf(type)
    const read = verdict(() => codec.decode(unhex(hex)))
    for (const mode of modes) {
      const other = Codec.make(types[type]!, { mode })
      const expected = verdict(() => other.decode(unhex(hex)))
      assert.deepStrictEqual(shown(type, read), shown(type, expected))
      assert.deepStrictEqual(Object.getPrototypeOf(read), Object.getPrototypeOf(expected))
      assert.strictEqual(codec.keepsBytes, other.keepsBytes)
    }
  })

  it.each(golden.truncated.map((x) => [x.name, x] as const))("every prefix of %s is truncated", (_, { hex, type }) => {
    const bytes = unhex(hex)
    for (let length = 0; length < bytes.length; length++) {
      const error = verdict(() => codecOf(type).decode(bytes.subarray(0, length)))
      assert.strictEqual((error as CodecError.CodecError).kind, "Truncated")
    }
  })
})

const root = fileURLToPath(new URL("../../../", import.meta.url))
// the last two import each other, as no files of an IDL do
const files = ["golden", "odd", "even"].map((base) => fileURLToPath(new URL(`${base}.codec.ts`, folder)))

// the text of a run that must go well
const run = (tool: string, ...options: ReadonlyArray<string>): void => {
  const { status, stderr, stdout } = spawnSync(`${root}node_modules/.bin/${tool}`, options, {
    cwd: fileURLToPath(folder),
    encoding: "utf8"
  })
  assert.strictEqual(status, 0, stdout + stderr)
}

describe("the text of a module", () => {
  it("is of TypeScript in its strictest form", () => {
    const compilerOptions = {
      rootDir: root,
      noEmit: true,
      declarationMap: false,
      composite: false,
      incremental: false,
      allowImportingTsExtensions: true,
      rewriteRelativeImportExtensions: false,
      noUncheckedIndexedAccess: true,
      noPropertyAccessFromIndexSignature: true,
      noImplicitReturns: true
    }
    writeFileSync(
      new URL("tsconfig.json", folder),
      JSON.stringify({ extends: `${root}tsconfig.base.json`, files, compilerOptions })
    )
    run("tsc", "-p", ".")
  })

  it("is clean for the linter and the formatter", () => {
    run("oxlint", "--config", `${root}.oxlintrc.json`, "--no-ignore", "--deny-warnings", files[0]!)
    for (const file of files) {
      const text = readFileSync(file, "utf8")
      const formatted = execFileSync(
        `${root}node_modules/.bin/oxfmt`,
        ["--config", `${root}.oxfmtrc.json`, "--stdin-filepath", file],
        { input: text, encoding: "utf8" }
      )
      assert.strictEqual(text, formatted)
    }
  })

  it("says nothing of any in the types of its exports", () => {
    for (const file of files) {
      for (const [, type] of readFileSync(file, "utf8").matchAll(/^const codec\w+?(:.*)? = \{$/gm)) {
        assert.strictEqual(type, ": Compiled")
      }
    }
  })

  it("keeps names of the language, of helpers and with odd members apart", async () => {
    class Map_ extends Thrift.Struct<Map_>("odd.Map")({
      b: Thrift.field(1, Thrift.map(Thrift.String, Thrift.I32)),
      ["a-b"]: Thrift.optional(2, Thrift.String, { default: () => `"'quoted'" \u2028 \\` }),
      constructor_: Thrift.required(3, Thrift.I64String)
    }) {}
    class bad extends Thrift.Struct<bad>("odd.bad")({ cursor: Thrift.optional(1, Map_) }) {}
    const codecs = await generated("names", [
      { name: "Map", plan: Plan.of(Map_) },
      { name: "bad", plan: Plan.of(bad) },
      { name: "Uint8Array", plan: Plan.of(Map_) }
    ])
    assert.sameMembers(Object.keys(codecs), ["Map", "bad", "Uint8Array"])
  })
})

describe("the printing of text", () => {
  it("loads nothing of effect, so that a command that prints starts fast", () => {
    const script = `
      import { registerHooks } from "node:module"
      const loaded = []
      registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
      await import("@millrace/codec/CodecText")
      console.log(JSON.stringify(loaded.filter((url) => !url.includes("/packages/codec/"))))`
    const output = execFileSync(process.execPath, ["--no-warnings", "--input-type=module", "-e", script], {
      cwd: import.meta.dirname,
      encoding: "utf8"
    })
    assert.strictEqual(output, "[]\n")
  })
})

describe("where code generation is forbidden", () => {
  it("codecs made ahead of time serve, also inside of arguments and results", () => {
    const script = fileURLToPath(new URL("./support/forbiddenAhead.ts", import.meta.url))
    const flags = ["--disallow-code-generation-from-strings", "--experimental-strip-types", "--no-warnings"]
    const answer = JSON.parse(execFileSync(process.execPath, [...flags, script], { encoding: "utf8" }))
    assert.deepStrictEqual(answer, {
      isForbidden: true,
      count: golden.truncated.length,
      calls: { encode: 2, decode: 2 },
      args: "0c000108000100000005080002000000060000",
      result: "0c000008000100000005080002000000060000"
    })
  })
})

describe("a type with other members than its generated codec", () => {
  const forms = {
    id: { x: Thrift.field(1, Thrift.I32), y: Thrift.field(3, Thrift.I32) },
    name: { x: Thrift.field(1, Thrift.I32), z: Thrift.field(2, Thrift.I32) },
    type: { x: Thrift.field(1, Thrift.I32), y: Thrift.field(2, Thrift.I64Number) },
    requiredness: { x: Thrift.field(1, Thrift.I32), y: Thrift.optional(2, Thrift.I32) },
    default: { x: Thrift.field(1, Thrift.I32), y: Thrift.field(2, Thrift.I32, { default: () => 1 }) },
    order: { y: Thrift.field(2, Thrift.I32), x: Thrift.field(1, Thrift.I32) }
  }

  it.each(Object.entries(forms))("is refused on first use: another %s", (_, fields: any) => {
    class Point extends Thrift.Struct<any>("millrace.golden.codec.Point", { codec: whole["Point"] })(fields) {}
    const error = verdict(() => Codec.make(Point).encode({ x: 1, y: 2, z: 3 }))
    assert.instanceOf(error, CodecError.CodecError)
    assert.strictEqual(
      (error as CodecError.CodecError).message,
      "Point: the generated codec is not of this form of millrace.golden.codec.Point: run `millrace gen` again, or " +
        "take its option `codec` away"
    )
    assert.isNotNull(Codec.make(Point, { mode: "source" }).encode({ x: 1, y: 2, z: 3 }))
  })

  it("is refused when a type that it holds has another name", () => {
    class Point extends Thrift.Struct<Point>("other.Point", { codec: whole["Point"] })({
      x: Thrift.field(1, Thrift.I32),
      y: Thrift.field(2, Thrift.I32)
    }) {}
    const error = verdict(() => Codec.make(Point).encode(new Point()))
    assert.include((error as CodecError.CodecError).message, "other.Point")
  })
})

describe("a type with a codec that holds one without", () => {
  it("is compiled at run time", () => {
    const codecs = { ...whole }
    delete codecs["Point"]
    const plan = withCodecs(types["Outer"]!, codecs)
    assert.notStrictEqual(plan, messagePlanOf(types["Outer"]!))
    const codec = fromPlan<any>(() => plan)
    const value = fromJson(plan, { points: [{ x: 1, y: 2 }] })
    assert.deepStrictEqual(codec.encode(value), Codec.make(types["Outer"]!).encode(value))
    assert.strictEqual(
      Object.getPrototypeOf(codec.decode(codec.encode(value)).points[0]),
      (types["Point"] as any).prototype
    )
  })
})
