/** What is loaded at run time is what generated code holds: the same names, types, defaults, constants and services. */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, type Schema } from "effect"
import * as Fs from "node:fs"
import { inspect } from "node:util"
import * as Idl from "../src/Idl.ts"
import { exportName } from "../src/internal/emit/names.ts"
import { serviceText, typeText } from "./described.ts"
import { emitted, emptyFolder, write } from "./emitted.ts"
import { randomIdl } from "./randomIdl.ts"

const data = new URL("data/", import.meta.url)

const fileText = (name: string): string => Fs.readFileSync(new URL(name, data), "utf8")

const cases = Fs.readdirSync(new URL("cases/", data)).filter((name) => name.endsWith(".thrift"))

const odd = `
  namespace go a.B.odd
  namespace ts typed.space
  typedef i64 Count (ts.type = "number")
  typedef i64 (ts.type = "string") Text
  typedef Count Again
  enum class { name, is, constructor, RED = -1 }
  const class DEFAULT = class.RED
  const i64 BIG = 9223372036854775807
  const Count SMALL = 5
  const list<map<string, list<i64>>> NESTED = [{"a": [BIG]}]
  const map<Struct, i32> KEYED = { {"then": "x"}: 1 }
  struct Struct {
    1: optional string then, 2: Count count, 3: Text text = 7, 4: Again again = SMALL, 5: i64 plain (ts.type = "number"),
    6: list<Count> counts, 7: set<Text> texts, 8: map<Again, binary> byCount, 9: string bytes = "é" (ts.type = "binary"),
    10: i64 converted (api.js_conv = ""), 11: required class kind = class.is, 12: double ratio = 3, 13: bool yes = 1
  }
  union union_ { 1: string constructor, 2: Struct value, 3: list<union_> more }
  exception Error { 1: string message, 2: i32 name, 3: optional Error cause }
  exception Other { 1: i32 message }
  service Map { Struct then(1: Struct a, 2: i64 __proto__ (ts.type = "number")) throws (1: Error e, 3: Other constructor) }
  service Set extends Map { union_ up(4: Struct it) (streaming.mode = "unary"), oneway void gone() }
`

const accepted = (name: string, text: string): boolean =>
  Effect.runSync(Effect.match(load(name, text), { onFailure: () => false, onSuccess: () => true }))

const load = (name: string, text: string) => Idl.load({ files: { [name]: text }, entry: name })

const idls: ReadonlyArray<readonly [name: string, text: string]> = [
  ["golden.thrift", fileText("golden.thrift")],
  ["interop.thrift", fileText("interop.thrift")],
  ["odd.thrift", odd],
  ...Array.from({ length: 20 }, (_, seed) => [`random${seed}.thrift`, randomIdl(seed)] as const),
  ...cases.map((name) => [name, fileText(`cases/${name}`)] as const).filter(([name, text]) => accepted(name, text))
]

// instances of two classes are never equal; they show their class and all that they hold
const shown = (value: unknown): string => inspect(value, { depth: Infinity })

// a union of no members has no plan
const attempt = (run: () => string): string => {
  try {
    return run()
  } catch (error) {
    return `${error}`
  }
}

const folder = emptyFolder("loaded")
const baseOf = (name: string) => name.replace(/\.thrift$/, "")

describe("loaded as generated", () => {
  beforeAll(() => {
    for (const [name, text] of idls) {
      write(
        `${folder}/${baseOf(name)}`,
        emitted({ [name]: text }, { layout: "flat", codec: "none", importExtension: ".ts" })
      )
    }
  })

  it("has enough to compare", () => {
    assert.isAbove(idls.length, 100)
  })

  it.each(idls)("%s", async (name, text) => {
    const generated = await import(`${folder}/${baseOf(name)}/${baseOf(name)}.ts`)
    const idl = Effect.runSync(load(name, text))
    for (const [name, schema] of idl.types) {
      const text = (schema: Schema.Top) => attempt(() => typeText(schema))
      assert.strictEqual(text(schema), text(generated[exportName(name)]), name)
    }
    for (const [name, service] of idl.services) {
      assert.deepStrictEqual(serviceText(service), serviceText(generated[exportName(name)]))
    }
    for (const [name, value] of idl.constants) {
      assert.strictEqual(shown(value), shown(generated[exportName(name)]))
    }
  })
})
