/** IDLs from people who wish us ill: an error, in time and in memory that are bounded. */
import { assert, describe, it } from "@effect/vitest"
import { Codec, Plan } from "@millrace/codec"
import { Idl, ToIdl } from "@millrace/idl"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { random } from "./randomService.ts"

const load = (text: string, options: Partial<Idl.Options> = {}) =>
  Idl.load({ files: { "a.thrift": text }, entry: "a.thrift", ...options })

const lines = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join("\n")

const refused = (name: string, text: () => string, message: string, options: Partial<Idl.Options> = {}) =>
  it.effect(name, () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(load(text(), options))
      assert.strictEqual(error.findings[0]!.code, "E_LIMIT")
      assert.include(error.findings[0]!.message, message)
    })
  )

const accepted = (name: string, text: () => string) => it.effect(name, () => Effect.asVoid(load(text())))

describe("limits", () => {
  const long = (length: number) => "x".repeat(length)
  accepted("a name of 512 characters", () => `struct ${long(512)} { 1: i32 ${long(512)} }`)
  refused("a longer name of a type", () => `struct ${long(513)} {}`, "512")
  refused("a longer name of a member", () => `struct S { 1: i32 ${long(513)} }`, "512")
  refused("a longer name of a member of an enum", () => `enum E { ${long(513)} }`, "512")
  refused("a longer name of a method", () => `service S { void ${long(513)}() }`, "512")

  const members = (count: number) => lines(count, (i) => `${i + 1}: i32 m${i}`)
  accepted("4096 members", () => `struct S { ${members(4096)} }`)
  refused("4097 members", () => `struct S { ${members(4097)} }`, "4096")
  refused("4097 arguments", () => `service S { void f(${members(4097)}) }`, "4096")

  const nested = (depth: number) => `${"list<".repeat(depth)}i32${">".repeat(depth)}`
  accepted("containers in each other", () => `struct S { 1: ${nested(60)} x }`)
  refused(
    "typedefs that nest containers",
    () => `${lines(70, (i) => `typedef list<${i === 0 ? "i32" : `T${i - 1}`}> T${i}`)}\nstruct S { 1: T69 x }`,
    "nests"
  )
  refused("a chain of typedefs", () => lines(20_000, (i) => `typedef ${i === 0 ? "i32" : `T${i - 1}`} T${i}`), "nests")
  refused(
    "types that double",
    () =>
      `${lines(40, (i) => `typedef map<${i === 0 ? "i32, i32" : `T${i - 1}, T${i - 1}`}> T${i}`)}\nstruct S { 1: T39 x }`,
    "parts"
  )
  refused(
    "constants that double",
    () => lines(40, (i) => `const ${nested(i + 1)} C${i} = [${i === 0 ? "1, 1" : `C${i - 1}, C${i - 1}`}]`),
    "parts"
  )
  refused(
    "defaults that double when structs are made",
    () => lines(25, (i) => `struct S${i} { 1: S${i + 1} x = {} 2: S${i + 1} y = {} }`) + "\nstruct S25 {}",
    "parts"
  )
  refused("a default that holds itself", () => "struct S { 1: optional S x = {} }", "nests")
  refused(
    "a chain of services",
    () => lines(100, (i) => `service S${i} ${i === 0 ? "" : `extends S${i - 1}`} {}`),
    "64"
  )
  refused("a text that is too long", () => `struct S {}\n//${" ".repeat(1000)}`, "characters", {
    limits: { characters: 1000 }
  })
  refused("a text of 20 MB", () => " ".repeat(20 * 1024 * 1024), "characters")
})

describe("names", () => {
  const words = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf", "toJSON", "then"]

  it.effect("of members never reach a prototype", () =>
    Effect.gen(function* () {
      const idl = yield* load(
        `struct S { ${words.map((word, i) => `${i + 1}: optional string ${word}`).join("\n")} }
         union U { ${words.map((word, i) => `${i + 1}: string ${word}`).join("\n")} }
         enum E { ${words.join(" ")} }
         exception X { ${words.map((word, i) => `${i + 1}: string ${word}`).join("\n")} }
         service V { void f(${words.map((word, i) => `${i + 1}: string ${word}`).join(", ")}) }`
      )
      const S = idl.types.get("S") as any
      const value = Object.fromEntries(words.map((word) => [`${word}_`, word]))
      const bytes = Codec.make(S).encode(new S(value))
      assert.deepStrictEqual({ ...(Codec.make(S).decode(bytes) as object) }, value)
      for (const [i, word] of words.entries()) {
        const union = { _tag: `${word}_`, value: "x" }
        assert.deepStrictEqual(
          Codec.make(idl.types.get("U")!).decode(Codec.make(idl.types.get("U")!).encode(union)),
          union
        )
        assert.strictEqual((idl.types.get("E") as any)[`${word}_`], i)
      }
      const [method] = idl.services.get("V")!.methods
      assert.deepStrictEqual(
        Object.keys(method!.args),
        words.map((word) => `${word}_`)
      )
      assert.strictEqual(Object.getPrototypeOf(method!.args), Object.prototype)
      const X = idl.types.get("X") as any
      assert.instanceOf(new X(value), Error)
    })
  )

  it.effect("of definitions never reach a prototype", () =>
    Effect.gen(function* () {
      const idl = yield* load(
        `${words.map((word) => `struct ${word} {}`).join("\n")}
         service S { ${words.map((word) => `void ${word}()`).join("\n")} }`
      )
      assert.deepStrictEqual([...idl.types.keys()], words)
      assert.isUndefined(idl.services.get("__proto__"))
      assert.isUndefined(idl.constants.get("constructor"))
      assert.deepStrictEqual(
        idl.services.get("S")!.methods.map(({ name }) => name),
        words
      )
    })
  )

  it.effect("of files never reach a prototype", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(load('include "__proto__"\ninclude "constructor"'))
      assert.deepStrictEqual(
        error.findings.map(({ code }) => code),
        ["E_INCLUDE", "E_INCLUDE"]
      )
    })
  )
})

describe("mutated texts", () => {
  const original = readFileSync(new URL("data/interop.thrift", import.meta.url), "utf8")
  const pieces = original.split(/(\b|\s+)/)

  /** The text with some of its words put elsewhere, doubled or left out. */
  const mutated = (seed: number): string => {
    const next = random(seed)
    const words = [...pieces]
    for (let i = 0; i <= next(3); i++) {
      const at = next(words.length)
      words.splice(at, next(3), words[next(words.length)]!)
    }
    return words.join("")
  }

  it("give errors, or types and services that can be used", () => {
    let loaded = 0
    for (let seed = 0; seed < 300; seed++) {
      const result = Effect.runSync(Effect.result(load(mutated(seed))))
      if (result._tag === "Failure") {
        assert.instanceOf(result.failure, Idl.IdlError)
        continue
      }
      loaded++
      for (const schema of result.success.types.values()) Plan.ofType(schema)
      for (const service of result.success.services.values()) ToIdl.toIdl(service)
      void [...result.success.constants.values()]
    }
    assert.isAbove(loaded, 20)
  })
})

describe("large", () => {
  it.effect("a long chain of structs is built without recursion", () =>
    Effect.gen(function* () {
      const { types } = yield* load(
        lines(4000, (i) => `struct S${i} { 1: optional S${i + 1} x }`) + "\nstruct S4000 {}"
      )
      assert.isDefined(types.get("S0"))
    })
  )

  it.effect("a struct of many members has a codec", () =>
    Effect.gen(function* () {
      const { types } = yield* load(
        `struct S { ${lines(1000, (i) => `${i + 1}: optional list<map<i32, string>> m${i}`)} }`
      )
      const codec = Codec.make(types.get("S")!)
      const value = codec.decode(codec.encode({ m999: [new Map([[1, "x"]])] })) as any
      assert.strictEqual(value.m999[0].get(1), "x")
    })
  )
})
