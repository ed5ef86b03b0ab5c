import { assert, describe, it } from "@effect/vitest"
import * as Checker from "../src/Checker.ts"
import * as Diagnostic from "../src/Diagnostic.ts"
import * as Diff from "../src/Diff.ts"
import * as Loader from "../src/Loader.ts"
import type * as Program from "../src/Program.ts"

const compile = (files: string | Readonly<Record<string, string>>): Program.Program => {
  const record = typeof files === "string" ? { "api.thrift": files } : files
  const { diagnostics, program } = Checker.compile(["api.thrift"], { read: Loader.fromRecord(record) })
  assert.isFalse(Diagnostic.hasErrors(diagnostics), diagnostics.map(({ message }) => message).join("\n"))
  return program
}

type Files = string | Readonly<Record<string, string>>

const changes = (before: Files, after: Files) => Diff.diff(compile(before), compile(after))

const summaries = (before: Files, after: Files) =>
  changes(before, after).map(({ kind, severity, subject }) => `${severity} ${kind} ${subject}`)

type Row = readonly [name: string, before: Files, after: Files, expected: ReadonlyArray<string>]

const rows = (cases: ReadonlyArray<Row>) => {
  for (const [name, before, after, expected] of cases) {
    it(name, () => assert.deepStrictEqual(summaries(before, after), expected))
  }
}

/** Struct `S` with these members. */
const s = (members: string) => `struct Inner { 1: string a } union U { 1: string a } enum E { A = 0, B = 5 }
struct Strict { 1: required string a } exception X { 1: string a }
struct S { ${members} }`

/** Service `V` with these methods. */
const v = (methods: string, more = "") => `namespace go echo
struct Q { 1: string a } struct R { 1: string a } exception X { 1: string a } exception Y { 1: i32 a }
${more}
service V { ${methods} }`

describe("members", () => {
  rows([
    ["nothing", s("1: i32 a"), s("1: i32 a"), []],
    ["another order", s("1: i32 a, 2: string b"), s("2: string b, 1: i32 a"), []],
    ["an optional one comes", s(""), s("1: optional i32 a"), ["compatible member-added S.a"]],
    ["one of default requiredness comes", s(""), s("1: i32 a"), ["compatible member-added S.a"]],
    ["a required one comes", s(""), s("1: required i32 a"), ["breaking member-added S.a"]],
    ["an optional one goes", s("1: optional i32 a"), s(""), ["warning member-removed S.a"]],
    ["one of default requiredness goes", s("1: Inner a"), s(""), ["warning member-removed S.a"]],
    ["a required one goes", s("1: required i32 a"), s(""), ["breaking member-removed S.a"]],
    ["another name", s("1: i32 a"), s("1: i32 b"), ["warning member-renamed S.b"]],
    [
      "another name and a type that is alike",
      s("1: i32 a"),
      s("1: E b"),
      ["warning member-renamed S.b", "compatible member-type S.b"]
    ],
    ["another id", s("1: i32 a"), s("2: i32 a"), ["breaking member-id S.a"]],
    [
      "swapped ids",
      s("1: i32 a, 2: i32 b"),
      s("1: i32 b, 2: i32 a"),
      ["breaking member-id S.a", "breaking member-id S.b"]
    ],
    ["an id for another type", s("1: i32 a"), s("1: string b"), ["breaking member-id-reused S.b"]],
    [
      "an id that is free since its member moved",
      s("1: i32 a"),
      s("2: i32 a, 1: i32 b"),
      ["breaking member-id S.a", "breaking member-id-reused S.b"]
    ],
    [
      "a member takes the id of one that goes",
      s("1: i32 a, 2: i32 b"),
      s("1: i32 b"),
      ["breaking member-id S.b", "warning member-removed S.a"]
    ]
  ])
})

describe("types", () => {
  const type = (before: string, after: string) => [s(`1: ${before} a`), s(`1: ${after} a`)] as const
  rows([
    ["i32 to i64", ...type("i32", "i64"), ["breaking member-type S.a"]],
    ["bool to i8", ...type("bool", "i8"), ["breaking member-type S.a"]],
    ["byte to i8", ...type("byte", "i8"), []],
    ["i32 to enum", ...type("i32", "E"), ["compatible member-type S.a"]],
    ["enum to i32", ...type("E", "i32"), ["compatible member-type S.a"]],
    ["string to binary", ...type("string", "binary"), ["warning member-type S.a"]],
    ["binary to string in a list", ...type("list<binary>", "list<string>"), ["warning member-type S.a"]],
    ["list to set", ...type("list<i32>", "set<i32>"), ["breaking member-type S.a"]],
    ["elements of a list", ...type("list<i32>", "list<i64>"), ["breaking member-type S.a"]],
    ["elements of a list of lists", ...type("list<list<i32>>", "list<list<E>>"), ["compatible member-type S.a"]],
    ["keys of a map", ...type("map<i32, string>", "map<i64, string>"), ["breaking member-type S.a"]],
    ["the worse of a key and a value", ...type("map<string, i32>", "map<binary, i64>"), ["breaking member-type S.a"]],
    ["struct to string", ...type("Inner", "string"), ["breaking member-type S.a"]],
    ["a typedef of the same", s("1: i32 a"), `typedef i32 Id ${s("1: Id a")}`, []],
    [
      "a typedef changes what it stands for",
      `typedef i32 Id ${s("1: Id a")}`,
      `typedef i64 Id ${s("1: Id a")}`,
      ["breaking member-type S.a"]
    ],
    [
      "a typedef of containers",
      `typedef list<i32> Ids ${s("1: map<string, Ids> a")}`,
      `typedef list<i64> Ids ${s("1: map<string, Ids> a")}`,
      ["breaking member-type S.a"]
    ]
  ])

  it("says which reader breaks and how", () => {
    const [change] = changes(s("1: required i32 a"), s("1: required i64 a"))
    assert.strictEqual(
      change?.message,
      "is i64, was i32: readers skip a value of another wire type without an error, so old readers of new messages and " +
        "new readers of old messages find it absent, which fails for a required member"
    )
  })

  it("shows what a typedef stands for", () => {
    const [change] = changes(`typedef i32 Id ${s("1: Id a")}`, `typedef i64 Id ${s("1: Id a")}`)
    assert.match(change!.message, /^is Id \(i64\), was Id \(i32\): /)
  })
})

describe("requiredness", () => {
  const to = (before: string, after: string, type = "i32") =>
    [s(`1: ${before} ${type} a`), s(`1: ${after} ${type} a`)] as const
  rows([
    ["optional to required", ...to("optional", "required"), ["breaking member-requiredness S.a"]],
    ["default to required", ...to("", "required"), ["warning member-requiredness S.a"]],
    ["default to required, a struct", ...to("", "required", "Inner"), ["breaking member-requiredness S.a"]],
    ["required to optional", ...to("required", "optional"), ["breaking member-requiredness S.a"]],
    ["required to default", ...to("required", ""), ["warning member-requiredness S.a"]],
    ["required to default, a struct", ...to("required", "", "Inner"), ["breaking member-requiredness S.a"]],
    ["default to optional", ...to("", "optional"), ["warning member-requiredness S.a"]],
    ["optional to default", ...to("optional", ""), ["warning member-requiredness S.a"]],
    [
      "default to optional, with a default",
      s("1: i32 a = 1"),
      s("1: optional i32 a = 1"),
      ["compatible member-requiredness S.a"]
    ],
    [
      "optional to default, with a default",
      s("1: optional i32 a = 1"),
      s("1: i32 a = 1"),
      ["compatible member-requiredness S.a"]
    ],
    ["optional to default, a struct", ...to("optional", "", "Inner"), ["warning member-requiredness S.a"]],
    [
      "optional to default, a struct with required members",
      ...to("optional", "", "Strict"),
      ["breaking member-requiredness S.a"]
    ]
  ])
})

describe("defaults", () => {
  rows([
    ["another", s("1: i32 a = 1"), s("1: i32 a = 2"), ["warning member-default S.a"]],
    ["one comes", s("1: string a"), s('1: string a = "x"'), ["warning member-default S.a"]],
    ["one goes", s("1: optional i32 a = 1"), s("1: optional i32 a"), ["warning member-default S.a"]],
    ["the zero of a member that is always there", s("1: i32 a"), s("1: i32 a = 0"), []],
    [
      "the zero of an optional member",
      s("1: optional i32 a"),
      s("1: optional i32 a = 0"),
      ["warning member-default S.a"]
    ],
    ["of a required member", s("1: required i32 a = 1"), s("1: required i32 a = 2"), ["compatible member-default S.a"]],
    ["by a constant", s("1: i32 a = 1"), `const i32 ONE = 1 ${s("1: i32 a = ONE")}`, []],
    [
      "a constant changes",
      `const i32 C = 1 ${s("1: i32 a = C")}`,
      `const i32 C = 2 ${s("1: i32 a = C")}`,
      ["warning member-default S.a"]
    ],
    [
      "containers and structs, equal",
      s('1: list<map<string, Inner>> a = [{"k": {"a": "b"}}]'),
      s("1: list<map<string, Inner>> a = [{'k': {'a': 'b'}}]"),
      []
    ],
    [
      "containers and structs, other",
      s('1: list<map<string, Inner>> a = [{"k": {"a": "b"}}]'),
      s("1: list<map<string, Inner>> a = [{'k': {'a': 'c'}}]"),
      ["warning member-default S.a"]
    ],
    ["an enum by name and number", s("1: E a = E.B"), s("1: E a = 5"), []]
  ])

  const two = (type: string, before: string, after: string) =>
    [
      `struct P { 1: optional i32 a, 2: optional i32 b } struct S { 1: ${type} v = ${before} }`,
      `struct P { 1: optional i32 a, 2: optional i32 b } struct S { 1: ${type} v = ${after} }`
    ] as const
  rows([
    ["members in another order", ...two("P", '{"a": 1, "b": 2}', '{"b": 2, "a": 1}'), []],
    ["members of other values", ...two("P", '{"a": 1, "b": 2}', '{"b": 1, "a": 2}'), ["warning member-default S.v"]],
    ["a map in another order", ...two("map<string, i32>", '{"a": 1, "b": 2}', '{"b": 2, "a": 1}'), []],
    ["a set in another order", ...two("set<string>", '["a", "b"]', '["b", "a"]'), []],
    ["a list in another order", ...two("list<i32>", "[1, 2]", "[2, 1]"), ["warning member-default S.v"]],
    ["maps in a list", ...two("list<map<i32, i32>>", "[{1: 1, 2: 2}, {}]", "[{2: 2, 1: 1}, {}]"), []],
    ["texts that look like numbers", ...two("list<string>", '["1"]', '["2"]'), ["warning member-default S.v"]],
    ["an empty set comes", `struct S { 1: set<i32> v }`, "struct S { 1: set<i32> v = [] }", []],
    ["an empty map comes", `struct S { 1: map<i32, i32> v }`, "struct S { 1: map<i32, i32> v = {} }", []],
    ["an empty list comes", `struct S { 1: list<i32> v }`, "struct S { 1: list<i32> v = [] }", []]
  ])

  it("tells of values that are left out", () => {
    assert.match(
      changes(s("1: optional i32 a = 1"), s("1: optional i32 a = 2"))[0]!.message,
      /changes? on the way|another one on the way/
    )
    assert.notMatch(changes(s("1: i32 a = 1"), s("1: i32 a = 2"))[0]!.message, /on the way/)
  })
})

describe("unions, exceptions and enums", () => {
  rows([
    ["a union member comes", "union U { 1: i32 a }", "union U { 1: i32 a 2: i32 b }", ["warning member-added U.b"]],
    ["a union member goes", "union U { 1: i32 a 2: i32 b }", "union U { 1: i32 a }", ["breaking member-removed U.b"]],
    ["a struct becomes a union", "struct U { 1: i32 a }", "union U { 1: i32 a }", ["breaking type-kind U"]],
    ["an exception becomes a struct", "exception X { 1: i32 a }", "struct X { 1: i32 a }", ["warning type-kind X"]],
    ["an enum becomes a struct", "enum X { A }", "struct X { 1: i32 a }", ["breaking type-kind X"]],
    ["a member of an exception", "exception X { 1: i32 a }", "exception X { 1: i64 a }", ["breaking member-type X.a"]],
    ["an enum member comes", "enum E { A }", "enum E { A, B }", ["compatible enum-member-added E.B"]],
    ["an enum member goes", "enum E { A, B }", "enum E { A }", ["warning enum-member-removed E.B"]],
    [
      "an enum member has another number",
      "enum E { A = 1 }",
      "enum E { A = 2 }",
      ["breaking enum-member-renumbered E.A"]
    ],
    ["an enum member has another name", "enum E { A = 1 }", "enum E { B = 1 }", ["warning enum-member-renamed E.B"]],
    [
      "an enum member comes in between",
      "enum E { A, B }",
      "enum E { A, C, B }",
      ["breaking enum-member-renumbered E.B", "compatible enum-member-added E.C"]
    ],
    ["a type goes", "struct A {} struct B {}", "struct A {}", ["warning type-removed B"]],
    ["a type comes", "enum A { X }", "enum A { X } enum B { Y }", ["compatible type-added B"]],
    [
      "a type moves to an included file",
      "struct A { 1: i32 a } struct B { 1: A a }",
      { "api.thrift": 'include "base.thrift" struct B { 1: base.A a }', "base.thrift": "struct A { 1: i32 a }" },
      []
    ],
    [
      "a type has another name where it is used",
      "struct A { 1: i32 a } struct B { 1: A a }",
      "struct C { 1: i32 a } struct B { 1: C a }",
      ["warning type-renamed C"]
    ],
    [
      "a member has another type whose members differ",
      "struct A { 1: i32 a } struct C { 1: i64 a } struct B { 1: A a }",
      "struct A { 1: i32 a } struct C { 1: i64 a } struct B { 1: C a }",
      ["breaking member-type C.a", "warning type-renamed C"]
    ],
    [
      "recursion",
      "struct A { 1: optional B b } struct B { 1: list<A> a 2: i32 x }",
      "struct A { 1: optional B b } struct B { 1: list<A> a 2: i64 x }",
      ["breaking member-type B.x"]
    ]
  ])
})

describe("methods", () => {
  it("promises no default of an argument, since it is ignored", () => {
    const message = changes(v("void M()"), v("void M(1: i32 a = 3)"))[0]!.message
    assert.match(message, /new servers have the zero of i32 for it/)
    const gone = changes(v("void M(1: i32 a = 3)"), v("void M()"))[0]!.message
    assert.match(gone, /old servers have the zero of i32 for it/)
  })

  rows([
    ["one comes", v(""), v("void M()"), ["compatible method-added V.M"]],
    ["one goes", v("void M()"), v(""), ["breaking method-removed V.M"]],
    [
      "another mode",
      v('R M(1: Q q) (streaming.mode="server")'),
      v('R M(1: Q q) (streaming.mode="bidirectional")'),
      ["breaking method-mode V.M"]
    ],
    ["to a stream", v("R M(1: Q q)"), v('R M(1: Q q) (streaming.mode="unary")'), ["breaking method-mode V.M"]],
    ["to oneway", v("void M()"), v("oneway void M()"), ["breaking method-mode V.M"]],
    ["an argument comes", v("void M(1: i32 a)"), v("void M(1: i32 a, 2: i32 b)"), ["warning argument-added V.M.b"]],
    ["an argument goes", v("void M(1: i32 a)"), v("void M()"), ["warning argument-removed V.M.a"]],
    ["an argument has another type", v("void M(1: i32 a)"), v("void M(1: i64 a)"), ["breaking argument-type V.M.a"]],
    ["an argument has another id", v("void M(1: i32 a)"), v("void M(2: i32 a)"), ["breaking argument-id V.M.a"]],
    ["an argument has another name", v("void M(1: i32 a)"), v("void M(1: i32 b)"), ["warning argument-renamed V.M.b"]],
    [
      "the argument of a stream has another id and name, which are not on the wire",
      v('R M(1: Q q) (streaming.mode="client")'),
      v('R M(7: Q request) (streaming.mode="client")'),
      []
    ],
    [
      "the argument of a unary method has another id",
      v('R M(1: Q q) (streaming.mode="unary")'),
      v('R M(7: Q q) (streaming.mode="unary")'),
      ["breaking argument-id V.M.q"]
    ],
    [
      "a stream has another request",
      v('R M(1: Q q) (streaming.mode="client")'),
      v('R M(1: Z q) (streaming.mode="client")', "struct Z { 1: i32 a }"),
      ["breaking member-type Z.a", "warning type-renamed Z"]
    ],
    ["another result", v("i32 M()"), v("i64 M()"), ["breaking response-type V.M"]],
    ["a result comes", v("void M()"), v("i64 M()"), ["breaking response-type V.M"]],
    ["a result goes", v("i32 M()"), v("void M()"), ["breaking response-type V.M"]],
    ["an exception comes", v("void M()"), v("void M() throws (1: X x)"), ["warning exception-added V.M.x"]],
    ["an exception goes", v("void M() throws (1: X x)"), v("void M()"), ["warning exception-removed V.M.x"]],
    [
      "an exception has another id",
      v("void M() throws (1: X x)"),
      v("void M() throws (2: X x)"),
      ["breaking exception-id V.M.x"]
    ],
    [
      "an exception is another one",
      v("void M() throws (1: X x)"),
      v("void M() throws (1: Y x)"),
      ["breaking member-type Y.a", "warning type-renamed Y"]
    ],
    [
      "one moves to the base",
      v("void M()", "service Base {}").replace("service V {", "service V extends Base {"),
      v("", "service Base { void M() }").replace("service V {", "service V extends Base {"),
      ["compatible method-added Base.M", "compatible method-moved V.M"]
    ],
    [
      "an inherited one of another file",
      {
        "api.thrift": 'include "base.thrift" service V extends base.Base {}',
        "base.thrift": "service Base { void M(1: i32 a) }"
      },
      {
        "api.thrift": 'include "base.thrift" service V extends base.Base {}',
        "base.thrift": "service Base { void M(1: i64 a) }"
      },
      ["breaking argument-type V.M.a"]
    ]
  ])
})

describe("services", () => {
  rows([
    ["one comes", "service A {}", "service A {} service B {}", ["compatible service-added B"]],
    ["one goes", "service A {} service B {}", "service A {}", ["breaking service-removed B"]],
    ["another name", v("void M()"), v("void M()").replace("service V", "service W"), ["breaking service-renamed W"]],
    [
      "another name, and a method changes",
      v("i32 M()"),
      v("i64 M()").replace("service V", "service W"),
      ["breaking service-renamed W", "breaking response-type W.M"]
    ],
    [
      "one for another",
      "service A { void A() }",
      "service B { void B() }",
      ["breaking service-removed A", "compatible service-added B"]
    ],
    ["another package", v(""), v("").replace("go echo", "go echo2"), ["warning package-changed V"]],
    ["another namespace whose last part is the same", v(""), v("").replace("go echo", "go a.b.Echo"), []],
    ["a namespace of another language", v(""), `namespace ts other ${v("")}`, []]
  ])
})

describe("places", () => {
  it("are the changed words in both versions", () => {
    const before = "struct S {\n  1: i32 a\n}"
    const after = "struct S {\n\n  1: optional i64 a\n}"
    const words = changes(before, after).map(({ after, before, kind }) => [
      kind,
      before?.source.text.slice(before.span.start, before.span.end),
      after?.source.text.slice(after.span.start, after.span.end)
    ])
    assert.deepStrictEqual(words, [
      ["member-type", "i32", "i64"],
      ["member-requiredness", "a", "optional"]
    ])
  })

  it("are the owner where a version does not have it", () => {
    const [change] = changes("struct Owner {}", "struct Owner { 1: i32 a }")
    const { source, span } = change!.before!
    assert.strictEqual(source.text.slice(span.start, span.end), "Owner")
  })
})

describe("properties", () => {
  it("an IDL does not differ from itself", () => {
    const everything = v(
      'R A(1: Q q) (streaming.mode="unary"), R B(1: Q q) throws (1: X x), list<map<string, T>> C(), void D(1: optional i32 x = 5)',
      "typedef list<T> Ts struct T { 1: optional Ts ts, 2: required double d = 0.5, 3: set<binary> b } union U { 1: T t, 2: U u }"
    )
    assert.deepStrictEqual(changes(everything, everything), [])
  })

  it("optional members never break anything", () => {
    const types = [
      "bool",
      "byte",
      "i16",
      "i32",
      "i64",
      "double",
      "string",
      "binary",
      "list<T>",
      "map<i32, T>",
      "set<E>",
      "T",
      "E",
      "U"
    ]
    const idl = (members: string) => `enum E { A } union U { 1: T t 2: i32 n } struct T { 1: required i32 x ${members} }
service V { T M(1: T t), T N(1: T t) (streaming.mode="bidirectional") }`
    const members = types.map((type, i) => `${i + 2}: optional ${type} m${i}`)
    for (let from = 0; from < types.length; from++) {
      const found = changes(idl(members.slice(0, from).join(" ")), idl(members.join(" ")))
      assert.lengthOf(found, types.length - from)
      assert.isFalse(Diff.isBreaking(found))
    }
  })

  it("is bounded for typedefs that stand for exponentially many types", () => {
    const idl = (base: string) =>
      `typedef ${base} T0 ${Array.from({ length: 60 }, (_, i) => `typedef map<T${i}, T${i}> T${i + 1}`).join(" ")} struct S { 1: T60 a }`
    assert.deepStrictEqual(summaries(idl("i32"), idl("i64")), ["breaking member-type S.a"])
  })

  it("is bounded for constants that hold each other twice, or in a long chain", () => {
    const doubled = (first: string) => {
      const lines = Array.from(
        { length: 40 },
        (_, i) => `typedef list<L${i}> L${i + 1} const L${i + 1} C${i + 1} = [C${i}, C${i}]`
      )
      return `typedef i32 L0 const i32 C0 = ${first} ${lines.join(" ")} struct S { 1: L40 a = C40 }`
    }
    assert.deepStrictEqual(summaries(doubled("1"), doubled("1")), [])
    assert.deepStrictEqual(summaries(doubled("1"), doubled("2")), ["warning member-default S.a"])
    const chain = (first: string) => {
      const lines = Array.from({ length: 20_000 }, (_, i) => `const S C${i + 1} = {"s": C${i}}`)
      return `struct S { 1: optional S s 2: optional i32 i } const S C0 = ${first} ${lines.join(" ")} struct T { 1: S s = C20000 }`
    }
    assert.deepStrictEqual(summaries(chain("{}"), chain("{}")), [])
    assert.deepStrictEqual(summaries(chain("{}"), chain('{"i": 1}')), ["warning member-default T.s"])
  }, 10_000)

  it("is bounded for long chains of services", () => {
    const chain = (first: string) => {
      const services = Array.from({ length: 3000 }, (_, i) => `service S${i + 1} extends S${i} { void f${i + 1}() }`)
      return `${first} service S0 { void m() } ${services.join(" ")}`
    }
    assert.deepStrictEqual(summaries(chain(""), chain("")), [])
    const changed = summaries(chain(""), chain("").replace("void m()", "i32 m()"))
    assert.lengthOf(changed, 3001)
    assert.strictEqual(changed[3000], "breaking response-type S3000.m")
    const inserted = chain("service X {}").replace(
      "service S9 extends S8",
      "service Y extends S8 {} service S9 extends Y"
    )
    assert.deepStrictEqual(summaries(chain("service X {}"), inserted), ["compatible service-added Y"])
  }, 10_000)

  it("is bounded for typedefs of typedefs", () => {
    const typedefs = Array.from({ length: 20_000 }, (_, i) => `typedef T${i + 1} T${i}`)
    const members = Array.from({ length: 10_000 }, (_, i) => `${i + 1}: T0 f${i}`)
    const text = `${typedefs.join(" ")} typedef i32 T20000 struct S { ${members.join(" ")} }`
    assert.deepStrictEqual(summaries(text, text), [])
    assert.lengthOf(summaries(text, text.replace("typedef i32 T20000", "typedef i64 T20000")), 10_000)
  }, 10_000)

  it("is bounded for large circles", () => {
    const size = 3000
    const idl = (type: string) =>
      Array.from(
        { length: size },
        (_, i) => `struct S${i} { 1: optional S${(i + 1) % size} next 2: optional ${type} x }`
      ).join("\n")
    assert.lengthOf(changes(idl("i32"), idl("i64")), size)
  })
})
