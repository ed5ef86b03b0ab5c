import { assert, describe, it } from "@effect/vitest"
import type * as Program from "../src/Program.ts"
import { compile, expectAt } from "./marked.ts"

/** The value of the constant `V`, without what it refers to. */
const valueOf = (text: string, files: Record<string, string> = {}): unknown => {
  const { diagnostics, program } = compile(text, files)
  assert.deepStrictEqual(diagnostics, [])
  const found = program.entries[0]!.definitions.find(({ name }) => name === "V") as Program.Const
  return plain(found.value)
}

const plain = (value: Program.Value): unknown => {
  switch (value.kind) {
    case "list":
    case "set":
      return value.items.map(plain)
    case "map":
      return value.entries.map((entry) => entry.map(plain))
    case "struct":
      return Object.fromEntries(value.fields.map(([field, each]) => [field.name, plain(each)]))
    case "enum":
      return `${value.enum.name}.${value.member?.name ?? value.value}`
    default:
      return value.value
  }
}

describe("values", () => {
  it("brings scalars to their type as Kitex does", () => {
    assert.strictEqual(valueOf("const bool V = true"), true)
    assert.strictEqual(valueOf("const bool V = 2"), true)
    assert.strictEqual(valueOf("const bool V = -1"), false)
    assert.strictEqual(valueOf("const bool V = 0.5"), true)
    assert.strictEqual(valueOf("const i32 V = true"), 1n)
    assert.strictEqual(valueOf("const i8 V = false"), 0n)
    assert.strictEqual(valueOf("const i64 V = 9223372036854775807"), 2n ** 63n - 1n)
    assert.strictEqual(valueOf("const double V = 3"), 3)
    assert.strictEqual(valueOf("const double V = true"), 1)
    assert.strictEqual(valueOf("enum E { A = 1 } const E V = 1"), "E.A")
    assert.strictEqual(valueOf("enum E { A = 1 } const E V = 7"), "E.7")
    assert.strictEqual(valueOf("enum E { A = 5 } const i8 V = E.A"), 5n)
  })

  it("interprets the escapes of Go", () => {
    assert.strictEqual(
      valueOf(String.raw`const string V = "\a\b\f\n\r\t\v\\\'\"\x41\101\u4e2d\U0001F600"`),
      "\x07\b\f\n\r\t\v\\'\"AA中😀"
    )
    assert.strictEqual(valueOf(String.raw`const string V = '"\'中'`), "\"'中")
    assert.strictEqual(valueOf(String.raw`const string V = "\xe4\xb8\xad"`), "中")
    assert.deepStrictEqual(
      valueOf(String.raw`const binary V = "a\xff\377中"`),
      Uint8Array.of(0x61, 0xff, 0xff, 0xe4, 0xb8, 0xad)
    )
    assert.strictEqual(valueOf('const string V = "a\nb"'), "a\nb")
  })

  it("rejects escapes that Go does not know", () => {
    expectAt(String.raw`const string V = "a«\q»b"`, {
      code: "E_VALUE_TYPE",
      phrase: String.raw`unknown escape sequence \q`,
      hint: String.raw`\\`
    })
    expectAt(String.raw`const string V = "«\x»4"`.replace("4", "g"), { code: "E_VALUE_TYPE", phrase: "unknown escape" })
    expectAt(String.raw`const string V = "«\ud800»"`, { code: "E_VALUE_TYPE", phrase: String.raw`\ud800` })
  })

  it("reads containers and structs", () => {
    assert.deepStrictEqual(valueOf("const list<i32> V = [1, 2; 3 4]"), [1n, 2n, 3n, 4n])
    assert.deepStrictEqual(valueOf('const set<string> V = ["a"]'), ["a"])
    assert.deepStrictEqual(valueOf('const map<string, list<i8>> V = {"a": [1], "b": []}'), [
      ["a", [1n]],
      ["b", []]
    ])
    const zeros =
      "struct P { 1: required i32 x, 2: double y, 3: required E e, 4: required list<i8> l, 5: i8 z = 3, 6: optional string s = 'a' }"
    const given = { y: 1, x: 0n, e: "E.A", l: [], z: 0n, s: "" }
    assert.deepStrictEqual(valueOf(`enum E { A } ${zeros} const P V = {"y": 1}`), given)
    assert.deepStrictEqual(
      valueOf('struct P { 1: i32 x } struct Q { 1: list<P> p } const Q V = {"p": [{"x": 1}, {}]}'),
      { p: [{ x: 1n }, {}] }
    )
    assert.deepStrictEqual(valueOf('union U { 1: i32 a, 2: string b } const U V = {"b": "x"}'), { b: "x" })
    assert.deepStrictEqual(valueOf("const list<i32> V = {}"), [])
    assert.deepStrictEqual(valueOf("const map<i32, i32> V = []"), [])
  })

  it("reads names: constants before and behind, members of enums, by typedefs and includes", () => {
    const files = { "o.thrift": "enum E { A = 3 }\ntypedef E T\nconst i32 C = 7\nconst list<i32> L = [1]" }
    assert.strictEqual(valueOf("const i32 V = B\nconst i32 B = C\nconst i32 C = 4"), 4n)
    assert.strictEqual(valueOf("enum E { A } typedef E T typedef T U const U V = U.A"), "E.A")
    assert.strictEqual(valueOf('include "o.thrift"\nconst i32 V = o.C', files), 7n)
    assert.strictEqual(valueOf('include "o.thrift"\nconst o.E V = o.E.A', files), "E.A")
    assert.strictEqual(valueOf('include "o.thrift"\nconst o.E V = o.T.A', files), "E.A")
    assert.strictEqual(valueOf('include "o.thrift"\ntypedef o.T X\nconst X V = X.A', files), "E.A")
    assert.deepStrictEqual(valueOf('include "o.thrift"\ntypedef i32 N\nconst list<N> V = o.L', files), [1n])
  })

  it("coerces constants of other scalar types", () => {
    assert.strictEqual(valueOf("const i32 A = 2 const bool V = A"), true)
    assert.strictEqual(valueOf("const i32 A = 2 const double V = A"), 2)
    assert.strictEqual(valueOf("const i32 A = 2 const i8 V = A"), 2n)
    assert.deepStrictEqual(valueOf('const string A = "x" const binary V = A'), Uint8Array.of(0x78))
    expectAt("const i32 A = 300\nconst i8 V = «A»", {
      code: "E_VALUE_TYPE",
      phrase: "'V' was declared as type i8, and 300 does not fit"
    })
  })

  it("keeps which constant a value comes from", () => {
    const { program } = compile("const i32 A = 1\nconst list<i32> B = [A, 2]\nstruct S { 1: list<i32> b = B }")
    const [a, b, s] = program.entries[0]!.definitions as [Program.Const, Program.Const, Program.Struct]
    const items = (b.value as Extract<Program.Value, { kind: "list" }>).items
    assert.strictEqual(items[0]!.from, a)
    assert.isUndefined(items[1]!.from)
    assert.strictEqual(s.fields[0]!.default!.from, b)
  })

  it("rejects what is not of the type", () => {
    for (const [type, value, got] of [
      ["i32", '"x"', 'the string "x"'],
      ["i32", "1.5", "the number 1.5"],
      ["i32", "[]", "a list"],
      ["bool", '"true"', "the string"],
      ["double", '"1"', "the string"],
      ["string", "1", "the integer 1"],
      ["string", "true", "true"],
      ["binary", "{}", "a map"],
      ["list<i32>", "1", "the integer 1"],
      ["list<i32>", "{1: 2}", "a map"],
      ["set<i32>", '"a"', "the string"],
      ["map<i32, i32>", "[1]", "a list"],
      ["map<i32, i32>", "5", "the integer 5"],
      ["E", "1.5", "the number 1.5"],
      ["E", "true", "true"],
      ["E", "2147483648", "the integer 2147483648"],
      ["P", "[]", "a list"],
      ["P", "1", "the integer 1"],
      ["i32", "L", "the constant L of type list<i32>"],
      ["list<i64>", "L", "the constant L of type list<i32>"],
      ["P", "Q", "the constant Q of type PP"],
      ["bool", "E.A", "a member of the enum E"],
      ["F", "E.A", "a member of the enum E"]
    ]) {
      expectAt(
        `const ${type} V = «${value}»\nenum E { A } enum F { A } struct P { 1: i32 x } struct PP {} const list<i32> L = [] const PP Q = {}`,
        { code: "E_VALUE_TYPE", phrase: `type error: 'V' was declared as type ${type}, but got ${got}` }
      )
    }
  })

  it("rejects what is wrong inside of a value, each at its place", () => {
    expectAt("const list<i32> V = [1, «true2»]", {
      code: "E_UNDEFINED",
      phrase: 'undefined value: "true2"',
      hint: '"true"'
    })
    expectAt('const list<i32> V = [1, «"a"»]', {
      code: "E_VALUE_TYPE",
      phrase: "'element of V' was declared as type i32"
    })
    expectAt('const map<string, i8> V = {"a": «200»}', {
      code: "E_VALUE_TYPE",
      phrase: "'value of V' was declared as type i8, and 200 does not fit"
    })
    expectAt('const map<i32, i32> V = {«"a"»: 1}', { code: "E_VALUE_TYPE", phrase: "'key of V'" })
    expectAt('struct P { 1: i32 x }\nconst P V = {"x": «"a"»}', {
      code: "E_VALUE_TYPE",
      phrase: "'P.x' was declared as type i32"
    })
    expectAt('struct P { 1: i32 count }\nconst P V = {«"cuont"»: 1}', {
      code: "E_VALUE_TYPE",
      phrase: 'field "cuont" not found in "P"',
      hint: '"count"',
      related: [["P", "declared here"]]
    })
    expectAt("struct N {}\nstruct P { 1: required N n }\nconst P V = «{}»", {
      code: "E_VALUE_TYPE",
      phrase: 'the required member "n" of "P" is missing'
    })
    expectAt("struct P { 1: i32 x }\nconst P V = {«x»: 1}", {
      code: "E_VALUE_TYPE",
      phrase: "expect literals as keys in default value of struct type 'P'"
    })
    expectAt('struct P { 1: i32 x }\nconst P V = {"x": 1, «"x"»: 2}', {
      code: "E_VALUE_TYPE",
      phrase: "given twice",
      related: [['"x"', "first here"]]
    })
    expectAt('const map<string, i32> V = {"x": 1, «"x"»: 2}', {
      code: "E_VALUE_TYPE",
      phrase: "twice a key",
      related: [['"x"', "first here"]]
    })
    expectAt('union U { 1: i32 a, 2: i32 b }\nconst U V = «{"a": 1, "b": 2}»', {
      code: "E_VALUE_TYPE",
      phrase: "has exactly one member, this has 2"
    })
    expectAt("union U { 1: i32 a }\nconst U V = «{}»", {
      code: "E_VALUE_TYPE",
      phrase: "has exactly one member, this has 0"
    })
  })

  it("rejects numbers that do not fit", () => {
    for (const [type, value] of [
      ["i8", "128"],
      ["byte", "-129"],
      ["i16", "32768"],
      ["i32", "99999999999"],
      ["i32", "-2147483649"]
    ]) {
      expectAt(`const ${type} V = «${value}»`, {
        code: "E_VALUE_TYPE",
        phrase: `'V' was declared as type ${type}, and ${value} does not fit`
      })
    }
    assert.strictEqual(valueOf("const i8 V = -128"), -128n)
  })

  it("checks the defaults of members and of arguments", () => {
    expectAt("struct A { 1: i8 a = «300» }", { code: "E_VALUE_TYPE", phrase: "'A.a' was declared as type i8" })
    expectAt("service S { void f(1: i8 a = «B») }", { code: "E_UNDEFINED", phrase: 'undefined value: "B"' })
    const { program } = compile("service S { void f(1: i32 a = C) }\nconst i32 C = 3")
    const service = program.entries[0]!.definitions[0] as Program.Service
    assert.deepStrictEqual(plain(service.methods[0]!.arguments[0]!.default!), 3n)
  })

  it("says which value is near", () => {
    expectAt("enum E { APPLE }\nconst E V = «APPLE»", {
      code: "E_UNDEFINED",
      phrase: 'undefined value: "APPLE"',
      hint: 'did you mean "E.APPLE"?'
    })
    expectAt("enum E { APPLE }\nconst E V = «E.APPEL»", { code: "E_UNDEFINED", phrase: "E.APPEL", hint: '"E.APPLE"' })
    expectAt('include "o.thrift"\nconst i32 V = «o.LIMT»', {
      code: "E_UNDEFINED",
      phrase: "o.LIMT",
      hint: '"o.LIMIT"',
      files: { "o.thrift": "const i32 LIMIT = 1" }
    })
  })

  it("rejects a name with two meanings", () => {
    expectAt('include "E.thrift"\nenum E { A }\nconst i32 V = «E.A»', {
      code: "E_AMBIGUOUS_VALUE",
      phrase: 'ambiguous const value "E.A" (2 possible explainations)',
      related: [
        ["A", "a member of an enum"],
        ["A", "a constant"]
      ],
      files: { "E.thrift": "const i32 A = 1" }
    })
  })

  it("rejects constants that are made of themselves, and says so once", () => {
    expectAt("const i32 «A» = A", { code: "E_CONST_CYCLE", phrase: "A -> A" })
    expectAt("const list<i32> «A» = [1, B]\nconst i32 B = C\nconst i32 C = A\nconst i32 D = B", {
      code: "E_CONST_CYCLE",
      phrase: "A -> B -> C -> A",
      related: [
        ["B", "declared here"],
        ["C", "declared here"]
      ]
    })
  })

  it("does not repeat what is wrong with a constant, a member or an enum where it is used", () => {
    expectAt("const i8 A = «300»\nconst i8 B = A\nstruct S { 1: i8 a = A }", { code: "E_VALUE_TYPE", phrase: "300" })
    expectAt('struct P { 1: «Gone» g }\nconst P V = {"g": 1}', { code: "E_UNDEFINED", phrase: "Gone" })
    expectAt("typedef «Gone» T\nconst i32 V = T.A", { code: "E_UNDEFINED", phrase: "Gone" })
  })
})
