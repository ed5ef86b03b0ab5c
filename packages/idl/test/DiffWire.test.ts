/**
 * What the comparison says, held against the codecs: a value is written by one version and read by the other.
 */
import { assert, describe, it } from "@effect/vitest"
import { Codec } from "@millrace/codec"
import { Effect, Exit } from "effect"
import * as Checker from "../src/Checker.ts"
import * as Diff from "../src/Diff.ts"
import * as Idl from "../src/Idl.ts"
import * as Loader from "../src/Loader.ts"

const schema = (text: string) =>
  Idl.load({ files: { "a.thrift": text }, entry: "a.thrift" }).pipe(
    Effect.map((idl) => idl.types.get("S")!),
    Effect.orDie
  )

const program = (text: string) =>
  Checker.compile(["a.thrift"], { read: Loader.fromRecord({ "a.thrift": text }) }).program

/** What a reader of one version has of a message of the other: its value, or `fails`. */
const read = (writer: string, reader: string, value: unknown) =>
  Effect.gen(function* () {
    const bytes = Codec.make(yield* schema(writer)).encode(value as never)
    const readerCodec = Codec.make(yield* schema(reader))
    const exit = yield* Effect.exit(Effect.sync(() => readerCodec.decode(bytes)))
    return Exit.isSuccess(exit) ? { ...(exit.value as object) } : "fails"
  })

interface Claim {
  readonly name: string
  readonly before: string
  readonly after: string
  /** An old message and what new readers have of it. */
  readonly old: readonly [value: object, read: unknown]
  /** A new message and what old readers have of it. */
  readonly now: readonly [value: object, read: unknown]
  readonly isBreaking: boolean
}

const claims: ReadonlyArray<Claim> = [
  {
    name: "i32 to i64: the member is absent",
    before: "struct S { 1: optional i32 a }",
    after: "struct S { 1: optional i64 a }",
    old: [{ a: 1 }, {}],
    now: [{ a: 1n }, {}],
    isBreaking: true
  },
  {
    name: "i32 to i64, required: readers fail",
    before: "struct S { 1: required i32 a }",
    after: "struct S { 1: required i64 a }",
    old: [{ a: 1 }, "fails"],
    now: [{ a: 1n }, "fails"],
    isBreaking: true
  },
  {
    name: "i32 to enum",
    before: "struct S { 1: i32 a }",
    after: "enum E { A = 1 } struct S { 1: E a }",
    old: [{ a: 7 }, { a: 7 }],
    now: [{ a: 1 }, { a: 1 }],
    isBreaking: false
  },
  {
    name: "string to binary: the same bytes, U+FFFD where they are no UTF-8",
    before: "struct S { 1: string a }",
    after: "struct S { 1: binary a }",
    old: [{ a: "hi" }, { a: new Uint8Array([104, 105]) }],
    now: [{ a: new Uint8Array([0xff]) }, { a: "\ufffd" }],
    isBreaking: false
  },
  {
    name: "list to set: the member is absent",
    before: "struct S { 1: optional list<i32> a }",
    after: "struct S { 1: optional set<i32> a }",
    old: [{ a: [1] }, {}],
    now: [{ a: new Set([1]) }, {}],
    isBreaking: true
  },
  {
    name: "another type of elements: readers fail",
    before: "struct S { 1: optional list<i32> a }",
    after: "struct S { 1: optional list<i64> a }",
    old: [{ a: [1] }, "fails"],
    now: [{ a: [1n] }, "fails"],
    isBreaking: true
  },
  {
    name: "another struct with the same members",
    before: "struct A { 1: i32 x } struct S { 1: A a }",
    after: "struct B { 1: i32 x } struct S { 1: B a }",
    old: [{ a: { x: 1 } }, { a: { x: 1 } }],
    now: [{ a: { x: 2 } }, { a: { x: 2 } }],
    isBreaking: false
  },
  {
    name: "a required member comes: new readers of old messages fail",
    before: "struct S { 1: i32 a }",
    after: "struct S { 1: i32 a, 2: required i32 b }",
    old: [{ a: 1 }, "fails"],
    now: [{ a: 1, b: 2 }, { a: 1 }],
    isBreaking: true
  },
  {
    name: "a required member goes: old readers of new messages fail",
    before: "struct S { 1: i32 a, 2: required i32 b }",
    after: "struct S { 1: i32 a }",
    old: [{ a: 1, b: 2 }, { a: 1 }],
    now: [{ a: 1 }, "fails"],
    isBreaking: true
  },
  {
    name: "members of default requiredness come: zeros, and no struct",
    before: "struct S {}",
    after: "struct T {} struct S { 1: i32 a, 2: T t, 3: optional i32 c }",
    old: [{}, { a: 0 }],
    now: [{ a: 1 }, {}],
    isBreaking: false
  },
  {
    name: "another id: the member is absent on both sides",
    before: "struct S { 1: optional i32 a }",
    after: "struct S { 2: optional i32 a }",
    old: [{ a: 1 }, {}],
    now: [{ a: 1 }, {}],
    isBreaking: true
  },
  {
    name: "swapped ids: the values are swapped",
    before: "struct S { 1: i32 a, 2: i32 b }",
    after: "struct S { 2: i32 a, 1: i32 b }",
    old: [
      { a: 1, b: 2 },
      { a: 2, b: 1 }
    ],
    now: [
      { a: 1, b: 2 },
      { a: 2, b: 1 }
    ],
    isBreaking: true
  },
  {
    name: "optional to required: an absent one fails",
    before: "struct S { 1: optional i32 a }",
    after: "struct S { 1: required i32 a }",
    old: [{}, "fails"],
    now: [{ a: 1 }, { a: 1 }],
    isBreaking: true
  },
  {
    name: "default to required: it was always written",
    before: "struct S { 1: i32 a }",
    after: "struct S { 1: required i32 a }",
    old: [{ a: 0 }, { a: 0 }],
    now: [{ a: 1 }, { a: 1 }],
    isBreaking: false
  },
  {
    name: "default to required, a struct: an absent one was left out",
    before: "struct T {} struct S { 1: T a }",
    after: "struct T {} struct S { 1: required T a }",
    old: [{}, "fails"],
    now: [{ a: {} }, { a: {} }],
    isBreaking: true
  },
  {
    name: "required to optional: old readers fail for an absent one",
    before: "struct S { 1: required i32 a }",
    after: "struct S { 1: optional i32 a }",
    old: [{ a: 1 }, { a: 1 }],
    now: [{}, "fails"],
    isBreaking: true
  },
  {
    name: "default to optional: old readers have the zero",
    before: "struct S { 1: i32 a }",
    after: "struct S { 1: optional i32 a }",
    old: [{ a: 0 }, { a: 0 }],
    now: [{}, { a: 0 }],
    isBreaking: false
  },
  {
    name: "another default of an optional member: a value changes on the way",
    before: "struct S { 1: optional i32 a = 1 }",
    after: "struct S { 1: optional i32 a = 2 }",
    old: [{ a: 1 }, { a: 2 }],
    now: [{ a: 2 }, { a: 1 }],
    isBreaking: false
  },
  {
    name: "another default of a member that is always written",
    before: "struct S { 1: i32 a = 1 }",
    after: "struct S { 1: i32 a = 2 }",
    old: [{ a: 1 }, { a: 1 }],
    now: [{ a: 2 }, { a: 2 }],
    isBreaking: false
  },
  {
    name: "a union member goes: readers know no member",
    before: "union U { 1: i32 a, 2: i32 b } struct S { 1: optional U u }",
    after: "union U { 1: i32 a } struct S { 1: optional U u }",
    old: [{ u: { _tag: "b", value: 1 } }, "fails"],
    now: [{ u: { _tag: "a", value: 1 } }, { u: { _tag: "a", value: 1 } }],
    isBreaking: true
  },
  {
    name: "a struct becomes a union: of two members only the last is read",
    before: "struct U { 1: optional i32 a, 2: optional i32 b } struct S { 1: optional U u }",
    after: "union U { 1: i32 a, 2: i32 b } struct S { 1: optional U u }",
    old: [{ u: { a: 1, b: 2 } }, { u: { _tag: "b", value: 2 } }],
    now: [{ u: { _tag: "a", value: 1 } }, { u: { a: 1 } }],
    isBreaking: true
  },
  {
    name: "a struct becomes a union: one without members is no union",
    before: "struct U { 1: optional i32 a } struct S { 1: optional U u }",
    after: "union U { 1: i32 a } struct S { 1: optional U u }",
    old: [{ u: {} }, {}],
    now: [{}, {}],
    isBreaking: true
  },
  {
    name: "an enum member has another number: the number stays",
    before: "enum E { A = 1 } struct S { 1: E a }",
    after: "enum E { A = 2 } struct S { 1: E a }",
    old: [{ a: 1 }, { a: 1 }],
    now: [{ a: 2 }, { a: 2 }],
    isBreaking: true
  }
]

/** Instances of classes as plain objects. */
const plain = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) === Object.prototype) return value
  return value instanceof Uint8Array || value instanceof Set ? value : { ...value }
}

const members = (value: unknown): unknown =>
  typeof value === "string"
    ? value
    : Object.fromEntries(Object.entries(value as object).map(([name, member]) => [name, plain(member)]))

describe("between versions", () => {
  for (const { after, before, isBreaking, name, now, old } of claims) {
    it.effect(name, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(members(yield* read(before, after, old[0])), old[1])
        assert.deepStrictEqual(members(yield* read(after, before, now[0])), now[1])
        assert.strictEqual(Diff.isBreaking(Diff.diff(program(before), program(after))), isBreaking)
      })
    )
  }
})
