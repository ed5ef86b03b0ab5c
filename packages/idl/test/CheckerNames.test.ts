import { assert, describe, it } from "@effect/vitest"
import * as Checker from "../src/Checker.ts"
import * as Loader from "../src/Loader.ts"
import * as Parser from "../src/Parser.ts"
import type * as Program from "../src/Program.ts"
import { compile, expectAt } from "./marked.ts"

const codesOf = (text: string, files: Record<string, string> = {}) =>
  compile(text, files).diagnostics.map(({ code }) => code)

describe("names of a file", () => {
  it("has one name for all kinds of declarations", () => {
    const kinds = [
      "typedef i32 A",
      "const i32 A = 1",
      "enum A { X }",
      "struct A {}",
      "union A {}",
      "exception A {}",
      "service A {}"
    ]
    for (const first of kinds) {
      for (const second of kinds) {
        expectAt(`${first}\n${second.replace("A", "«A»")}`, {
          code: "E_DUP_NAME",
          phrase: "duplicated names in global scope: A",
          related: [["A", "first declared here"]]
        })
      }
    }
  })

  it("rejects dots in declared names", () => {
    for (const text of [
      "struct «A.b» {}",
      "typedef i32 «A.b»",
      "const i32 «A.b» = 1",
      "enum E { «A.b» }",
      "struct A { 1: i32 «a.b» }",
      "service «A.b» {}",
      "service S { void «a.b»() }",
      "service S { void f(1: i32 «a.b») }"
    ]) {
      expectAt(text, { code: "E_DOTTED_NAME", phrase: "must not contain a dot" })
    }
  })

  it("rejects two members of an enum with one name", () => {
    expectAt("enum E { A = 1,\n «A» = 2 }", {
      code: "E_DUP_ENUM_NAME",
      phrase: "enum E has duplicated value: A",
      related: [["A", "first declared here"]]
    })
  })

  it("rejects two members of an enum with one number, unless that is allowed", () => {
    const expected = {
      code: "E_DUP_ENUM_VALUE",
      phrase: "enum E: duplicate value 1 between 'A' and 'B'",
      related: [["A", '"A" is declared here']],
      hint: "--allow-enum-alias"
    } as const
    expectAt("enum E { A = 1, B = «1» }", expected)
    expectAt("enum E { A = 1, C = 0, «B» }", expected)
    assert.strictEqual(compile("enum E { A = 1, B = 1 }", {}, { allowEnumAlias: true }).diagnostics.length, 0)
  })

  it("rejects members of an enum outside of 32 bits", () => {
    expectAt("enum E { A = «2147483648» }", {
      code: "E_ENUM_RANGE",
      phrase: "enum overflow: the value 2147483648",
      hint: "const i64"
    })
    expectAt("enum E { A = «-2147483649» }", { code: "E_ENUM_RANGE", phrase: "-2147483649" })
    expectAt("enum E { A = 2147483647, «B» }", { code: "E_ENUM_RANGE", phrase: "2147483648" })
  })

  it("counts members of an enum from the one before", () => {
    const [found] = compile("enum E { A, B, C = 10, D, F = -5, G = 0x20 }").program.entries[0]!.definitions
    assert.deepStrictEqual(
      (found as Program.Enum).members.map(({ value }) => value),
      [0, 1, 10, 11, -5, 32]
    )
  })
})

describe("uses of types", () => {
  it("rejects an unknown type once, and says what is near", () => {
    expectAt("struct A { 1: «Mesage» m }\nstruct Message {}", {
      code: "E_UNDEFINED",
      phrase: 'undefined type: "Mesage"',
      hint: 'did you mean "Message"?'
    })
    expectAt("struct A { 1: «float» a }", { code: "E_UNDEFINED", phrase: 'undefined type: "float"', hint: '"double"' })
    expectAt("struct A { 1: «u32» a }", { code: "E_UNDEFINED", phrase: 'undefined type: "u32"', hint: '"i32"' })
    expectAt("struct A { 1: map<string, list<«Quux»>> a }", {
      code: "E_UNDEFINED",
      phrase: '"Quux"',
      hint: undefined as never
    })
  })

  it("does not repeat what is wrong with a typedef where it is used", () => {
    expectAt(
      "typedef «Gone» T\nstruct A { 1: T t, 2: list<T> u }\nconst T C = 1\ntypedef T U\nservice S { T f(1: U u) }",
      { code: "E_UNDEFINED", phrase: '"Gone"' }
    )
  })

  it("rejects a service and a constant as a type", () => {
    expectAt("service S {}\nstruct A { 1: «S» s }", {
      code: "E_UNDEFINED",
      phrase: "unexpected type category 'Service' of type 'S'",
      related: [["S", "declared here"]]
    })
    expectAt("const i32 C = 1\nstruct A { 1: «C» s }", {
      code: "E_UNDEFINED",
      phrase: "unexpected type category 'Constant' of type 'C'"
    })
  })

  it("rejects typedefs that are made of themselves", () => {
    expectAt("typedef A «A»", { code: "E_TYPEDEF_CYCLE", phrase: "typedefs can not be resolved: A -> A", related: [] })
    expectAt("typedef B «A»\ntypedef B2 B\ntypedef A B2", {
      code: "E_TYPEDEF_CYCLE",
      phrase: "typedefs can not be resolved: A -> B -> B2 -> A",
      related: [
        ["B", "declared here"],
        ["B2", "declared here"]
      ]
    })
    expectAt("typedef list<T> «T»", { code: "E_TYPEDEF_CYCLE", phrase: "T -> T" })
    expectAt("typedef map<string, set<U>> «T»\ntypedef T U", { code: "E_TYPEDEF_CYCLE", phrase: "T -> U -> T" })
  })

  it("rejects typedefs that nest too many containers", () => {
    const chain = Array.from({ length: 70 }, (_, i) => `typedef list<T${i}> T${i + 1}`).join("\n")
    assert.deepStrictEqual(codesOf(`typedef i32 T0\n${chain}`), ["E_LIMIT"])
  })

  it("warns of keys that Kitex or JSON cannot have", () => {
    expectAt("struct K {}\nstruct A { 1: map<«K», i32> a }", {
      code: "W_COMPLEX_KEY",
      phrase: "a struct as key of a map"
    })
    expectAt("union K {}\ntypedef K L\nstruct A { 1: map<«L», i32> a }", {
      code: "W_COMPLEX_KEY",
      phrase: "a union as key of a map"
    })
    expectAt("struct A { 1: map<«list<i32>», i32> a }", { code: "W_COMPLEX_KEY", phrase: "does not compile" })
    assert.deepStrictEqual(
      codesOf("enum E { A } struct A { 1: map<E, i32> a, 2: map<binary, i32> b, 3: set<A> c }"),
      []
    )
  })

  it("rejects structs that require each other", () => {
    expectAt("struct A { 1: i32 x, 2: required B «b» }\nstruct B { 1: required A a }", {
      code: "E_REQUIRED_CYCLE",
      phrase: "A.b -> B.a -> A",
      related: [["a", "required here"]]
    })
    expectAt("typedef A T\nstruct A { 1: required T «t» }", { code: "E_REQUIRED_CYCLE", phrase: "A.t -> A" })
    assert.deepStrictEqual(codesOf("struct A { 1: required list<A> a, 2: optional A b, 3: A c }"), [])
    assert.deepStrictEqual(codesOf("union U { 1: A a }\nstruct A { 1: required U u }"), [])
  })
})

describe("included names", () => {
  const files = {
    "base.thrift": "struct Request {}\nservice Base {}\ntypedef Request Req",
    "sub/a.b.thrift": "struct T {}"
  }

  it("finds a type by the prefix of its file, split at the last dot", () => {
    const { diagnostics, program } = compile(
      'include "base.thrift"\ninclude "sub/a.b.thrift"\nstruct A { 1: base.Req r, 2: a.b.T t }',
      files
    )
    assert.strictEqual(diagnostics.length, 0)
    const [request, t] = (program.entries[0]!.definitions[0] as Program.Struct).fields.map(
      ({ type }) => type as Program.Reference
    )
    assert.strictEqual(request!.to.tag, "Typedef")
    assert.strictEqual(t!.to.file.source.path, "sub/a.b.thrift")
    assert.strictEqual(t!.to.file.prefix, "a.b")
  })

  it("says what is near in included files", () => {
    expectAt('include "base.thrift"\nstruct A { 1: «base.Reqest» r, 2: base.Request s }', {
      code: "E_UNDEFINED",
      phrase: 'undefined type: "base.Reqest"',
      hint: 'did you mean "base.Request"?',
      files
    })
  })

  it("does not look into what an included file includes", () => {
    expectAt('include "mid.thrift"\nstruct A { 1: «base.Request» r, 2: mid.M m }', {
      code: "E_UNDEFINED",
      phrase: '"base.Request"',
      files: { ...files, "mid.thrift": 'include "base.thrift"\nstruct M { 1: base.Request r }' }
    })
  })

  it("takes the first of two files with one prefix that declares the name, and warns", () => {
    const text = 'include "base.thrift"\ninclude «"x/base.thrift"»\nstruct A { 1: base.Only o, 2: base.Request r }'
    const { program } = expectAt(text, {
      code: "W_INCLUDE_PREFIX",
      phrase: "both called base",
      related: [['"base.thrift"', "the other include"]],
      files: { ...files, "x/base.thrift": "struct Only {}\nstruct Request {}" }
    })
    const paths = (program.entries[0]!.definitions[0] as Program.Struct).fields.map(
      ({ type }) => (type as Program.Reference).to.file.source.path
    )
    assert.deepStrictEqual(paths, ["x/base.thrift", "base.thrift"])
  })

  it("warns of an include that nothing refers to", () => {
    expectAt('include «"base.thrift"»\nstruct A {}', {
      code: "W_UNUSED_INCLUDE",
      phrase: "nothing refers to base",
      files
    })
  })

  it("takes a type, a base service, a constant and a member of an enum as a reference", () => {
    const other = "struct T {}\nconst i32 C = 1\nenum E { A }\nservice B {}"
    for (const text of [
      "struct A { 1: o.T t }",
      "const i32 A = o.C",
      "const i32 A = o.E.A",
      "service S extends o.B {}"
    ]) {
      assert.deepStrictEqual(codesOf(`include "o.thrift"\n${text}`, { "o.thrift": other }), [])
    }
  })

  it("does not report names of an include that is missing", () => {
    assert.deepStrictEqual(
      codesOf('include "gone.thrift"\nstruct A { 1: gone.T t }\nconst i32 C = gone.E.X\nservice S extends gone.S {}'),
      ["E_INCLUDE"]
    )
  })

  it("does not report names that may be in what could not be read", () => {
    assert.deepStrictEqual(codesOf("struct A { 1: B b }\nstrct B {}"), ["E_SYNTAX"])
    assert.deepStrictEqual(codesOf('include "o.thrift"\nstruct A { 1: o.B b, 2: C c }', { "o.thrift": "strct B {}" }), [
      "E_SYNTAX",
      "E_UNDEFINED"
    ])
  })

  it("says from where a file with a mistake is included", () => {
    const { diagnostics } = compile('include "mid.thrift"\nstruct A { 1: mid.M m }', {
      "mid.thrift": 'include "low.thrift"\nstruct M { 1: low.L l }',
      "low.thrift": "struct L { 1: Gone g }"
    })
    assert.deepStrictEqual(
      diagnostics.map(({ related, source }) =>
        [source.path].concat(related.map((each) => `${each.message}: ${each.source.path}`))
      ),
      [["low.thrift", "included from here: mid.thrift", "included from here: main.thrift"]]
    )
  })
})

describe("the whole run", () => {
  it("reports everything, by file and place", () => {
    const { diagnostics } = compile(
      'include "o.thrift"\nstruct A { 1: Gone g, 1: o.Gone h }\nservice S extends T {}\nstruct A {}',
      {
        "o.thrift": "const i8 C = 300\nenum E { A, A }"
      }
    )
    assert.deepStrictEqual(
      diagnostics.map(({ code, source }) => `${source.path} ${code}`),
      [
        "o.thrift E_VALUE_TYPE",
        "o.thrift E_DUP_ENUM_NAME",
        "main.thrift E_UNDEFINED",
        "main.thrift E_DUP_FIELD_ID",
        "main.thrift E_UNDEFINED",
        "main.thrift E_UNDEFINED",
        "main.thrift E_DUP_NAME"
      ]
    )
  })

  it("takes parsed files that were kept from a load before", () => {
    const kept = new Map<string, Parser.Result>()
    const parse: typeof Parser.parse = (source, options) => {
      const result = kept.get(source.text) ?? Parser.parse(source, options)
      kept.set(source.text, result)
      return result
    }
    const read = Loader.fromRecord({
      "main.thrift": 'include "o.thrift"\nstruct A { 1: o.B b }',
      "o.thrift": "strct B {}"
    })
    const first = Checker.compile(["main.thrift"], { read, parse })
    const second = Checker.compile(["main.thrift"], { read, parse })
    assert.deepStrictEqual(
      second.diagnostics.map(({ code }) => code),
      ["E_SYNTAX"]
    )
    assert.deepStrictEqual(second.diagnostics, first.diagnostics)
  })

  it("gives definitions in the order of the text, and files behind those that they include", () => {
    const { program } = compile(
      'include "o.thrift"\nservice S {}\nconst i32 C = 1\nstruct A { 1: o.T t }\ntypedef A B\nenum E {}',
      { "o.thrift": "struct T {}" }
    )
    assert.deepStrictEqual(
      program.files.map(({ source }) => source.path),
      ["o.thrift", "main.thrift"]
    )
    assert.deepStrictEqual(
      program.entries.map(({ source }) => source.path),
      ["main.thrift"]
    )
    assert.deepStrictEqual(
      program.entries[0]!.definitions.map(({ name }) => name),
      ["S", "C", "A", "B", "E"]
    )
    assert.strictEqual(program.entries[0]!.includes[0]!.file, program.files[0])
  })
})
