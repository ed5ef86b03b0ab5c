import { assert, describe, it } from "@effect/vitest"
import { Codec, CodecError } from "@millrace/codec"
import { readFileSync } from "node:fs"
import { planOf } from "../src/internal/fromSchema.ts"
import { canonical, fromJson, hex, toJson, types, unhex } from "./golden.ts"

interface EncodeCase {
  readonly name: string
  readonly type: string
  readonly value: any
  readonly hex?: string
  readonly error?: string
  readonly decoded?: any
}

interface DecodeCase {
  readonly name: string
  readonly type: string
  readonly hex: string
  readonly value?: any
  readonly error?: string
}

const golden: {
  readonly encode: ReadonlyArray<EncodeCase>
  readonly decode: ReadonlyArray<DecodeCase>
  readonly truncated: ReadonlyArray<{ readonly name: string; readonly type: string; readonly hex: string }>
} = JSON.parse(readFileSync(new URL("./data/codec.json", import.meta.url), "utf8"))

const modes = ["source", "closure"] as const

const codec = (type: string, mode: "source" | "closure") =>
  Codec.make(types[type]!, { mode, fieldOrder: "kitex", absentStruct: "empty" })

const failure = (run: () => unknown): CodecError.CodecError => {
  try {
    run()
  } catch (error) {
    assert.instanceOf(error, CodecError.CodecError)
    return error as CodecError.CodecError
  }
  throw new Error("expected a failure")
}

// a string that is not UTF-8 is a `binary` for us
const typeOf = ({ type, value }: { readonly type: string; readonly value?: any }): string =>
  type === "Text" && typeof value?.s === "object" ? "RawText" : type

const rawValue = (type: string, value: any): any =>
  type === "RawText" && typeof value.s === "string"
    ? { ...value, s: { utf8Hex: Buffer.from(value.s).toString("hex") } }
    : value

// JavaScript has one NaN
const nanCases = new Set(["double NaN", "double NaN payload", "double negative NaN", "map-double-nan"])

// Go cuts it to 32 bits without an error
const refused: Record<string, CodecError.Kind> = { "enum beyond i32": "BadValue" }

// duplicates collapse in a Set
const collapsed = new Set(["sets-duplicates"])

// the order of entries is random in Kitex
const hasManyEntries = (type: string, value: any): boolean => {
  const search = (plan: any, item: any): boolean => {
    if (item === undefined || item === null) return false
    if (plan.kind === "map") return item.length > 1 || item.some(([, v]: any) => search(plan.value, v))
    if (plan.kind === "list" || plan.kind === "set") return item.some((x: any) => search(plan.element, x))
    if (plan.kind === "struct") return plan.members.some((m: any) => search(m.plan, item[m.name]))
    return false
  }
  return search(planOf(types[type]!), value)
}

describe.each(modes)("what Kitex writes, with %s", (mode) => {
  it.each(golden.encode.map((x) => [x.name, x] as const))("%s", (name, test) => {
    const type = typeOf(test)
    const plan = planOf(types[type]!)
    const value = fromJson(plan, rawValue(type, test.value))
    if (test.error !== undefined || name in refused) {
      assert.strictEqual(failure(() => codec(type, mode).encode(value)).kind, "BadValue")
      return
    }
    const bytes = codec(type, mode).encode(value)
    const expected = unhex(test.hex!)
    if (nanCases.has(name) || collapsed.has(name) || hasManyEntries(test.type, test.value)) {
      assert.strictEqual(bytes.length, nanCases.has(name) || !collapsed.has(name) ? expected.length : bytes.length)
      const read = (bytes: Uint8Array) => toJson(plan, codec(type, mode).decode(bytes))
      assert.deepStrictEqual(read(bytes), read(expected))
    } else {
      assert.strictEqual(hex(bytes), test.hex)
    }
  })

  it.each(golden.encode.filter((x) => x.hex !== undefined).map((x) => [x.name, x] as const))(
    "%s, read",
    (name, test) => {
      const type = typeOf(test)
      const plan = planOf(types[type]!)
      if (name === "union-null-element") {
        assert.strictEqual(failure(() => codec(type, mode).decode(unhex(test.hex!))).kind, "BadValue")
        return
      }
      const value = name === "union-null-inside" ? { cs: [] } : (test.decoded ?? test.value)
      const nullsRead = ["node-null-kid", "map-struct-value-null"].includes(name)
      const expected = nullsRead ? undefined : canonical(plan, rawValue(type, value))
      const actual = toJson(plan, codec(type, mode).decode(unhex(test.hex!)))
      if (expected !== undefined) assert.deepStrictEqual(actual, expected)
    }
  )
})

// where we are stricter than Kitex's readers, or know less than a union with two members
const differences: Record<string, CodecError.Kind | { readonly value: any }> = {
  "list-i32-with-i64-elements": "BadType",
  "list-i32-with-string-type-but-i32-bytes": "BadType",
  "map-wrong-key-type-byte": "BadType",
  "union-none": "BadValue",
  "union-unknown-member": "BadValue",
  "union-wrong-type": "BadValue",
  "union-two": { value: { text: "t" } },
  "union-inside-none": { value: { cs: [] } },
  "union-inside-two": { value: { c: { flag: true }, cs: [] } },
  "known-nested-100": "DepthLimit"
}

const kindOf = (error: string): ReadonlyArray<CodecError.Kind> => {
  if (/required field .* is not set/.test(error)) return ["MissingRequired"]
  if (/unknown data type|index out of range/.test(error)) return ["BadType"]
  if (/depth limit/.test(error)) return ["DepthLimit"]
  if (/invalid data length/.test(error)) return ["NegativeSize"]
  return ["Truncated", "SizeLimit"]
}

describe.each(modes)("what Kitex reads, with %s", (mode) => {
  it.each(golden.decode.map((x) => [x.name, x] as const))("%s", (name, test) => {
    const type = typeOf(test)
    const plan = planOf(types[type]!)
    const difference = differences[name]
    const decode = () => codec(type, mode).decode(unhex(test.hex))
    if (typeof difference === "string") {
      assert.strictEqual(failure(decode).kind, difference)
    } else if (test.error !== undefined) {
      const error = failure(decode)
      assert.include(kindOf(test.error), error.kind, error.message)
      if (error.kind === "MissingRequired") assert.include(test.error, error.message)
      else if (!test.error.startsWith("panic") && test.error.includes(" skip type ")) {
        assert.include(error.message, test.error.slice(test.error.indexOf("field ")))
      }
    } else {
      const expected = difference === undefined ? test.value : difference.value
      assert.deepStrictEqual(toJson(plan, decode()), canonical(plan, rawValue(type, expected)))
    }
  })

  it.each(golden.truncated.map((x) => [x.name, x] as const))("every prefix of %s is truncated", (_, test) => {
    const whole = unhex(test.hex)
    codec(test.type, mode).decode(whole)
    for (let length = 0; length < whole.length; length++) {
      const error = failure(() => codec(test.type, mode).decode(whole.subarray(0, length)))
      assert.strictEqual(error.kind, "Truncated", `${length} bytes: ${error.message}`)
      assert.isAtMost(error.offset!, length)
    }
  })
})
