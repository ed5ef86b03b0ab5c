import { assert, describe, it } from "@effect/vitest"
import * as Emitter from "../src/Emitter.ts"
import * as Source from "../src/Source.ts"
import { emitted, type Files, programOf } from "./emitted.ts"

const plain = { codec: "none" } as const

const paths = (files: Files, options?: Partial<Emitter.Options>, entries?: ReadonlyArray<string>) =>
  Object.keys(emitted(files, { ...plain, ...options }, entries))

/** What the emitter says, with the text it points at and the files that are related. */
const said = (files: Files, options: Partial<Emitter.Options> = {}, entries?: ReadonlyArray<string>) => {
  const result = Emitter.emit(programOf(files, entries), { ...plain, ...options })
  assert.strictEqual(result.files.length === 0, result.diagnostics.length > 0)
  return result.diagnostics.map(({ code, message, related, source, span }) => {
    const { column, line } = Source.position(source, span.start)
    const others = related.map((each) => each.source.path).join()
    return [code, `${source.path}:${line}:${column}`, message, others].filter((part) => part !== "").join(" | ")
  })
}

const base = "namespace go company.base struct Base { 1: string id } service Root { void ping() } const i32 ONE = 1"
const api = `namespace go company.api.v1
include "common/base.thrift"
struct Request { 1: base.Base base 2: i32 one = base.ONE }
service Api extends base.Root { base.Base get(1: Request request) }`
const two = { "api.thrift": api, "common/base.thrift": base }

describe("Emitter: files", () => {
  it("has a folder for each namespace, with an index", () => {
    const files = emitted(two, { ...plain, importExtension: ".ts" })
    assert.deepStrictEqual(Object.keys(files).sort(), [
      "company/api/v1/api.ts",
      "company/api/v1/index.ts",
      "company/base/base.ts",
      "company/base/index.ts"
    ])
    assert.strictEqual(
      files["company/api/v1/api.ts"],
      `// Code generated from api.thrift by millrace. DO NOT EDIT.
import { Thrift } from "@millrace/codec"
import { Method, Service } from "@millrace/rpc"
import * as $base from "../../base/base.ts"

export class Request extends Thrift.Struct<Request>("company.api.v1.Request")({
  base: Thrift.field(1, $base.Base),
  one: Thrift.field(2, Thrift.I32, { default: () => $base.ONE })
}) {}

export class Api extends Service.make("Api", {
  package: "v1",
  extends: $base.Root,
  methods: [Method.pingPong("get", { arguments: { request: Thrift.field(1, Request) }, response: $base.Base })]
}) {}
`.replaceAll("$base", "base")
    )
    assert.strictEqual(
      files["company/api/v1/index.ts"],
      `// Code generated from namespace company.api.v1 by millrace. DO NOT EDIT.
export * from "./api.ts"
`
    )
  })

  it("has all files in one folder when it is flat", () => {
    const files = emitted(two, { layout: "flat" })
    assert.deepStrictEqual(Object.keys(files), ["base.ts", "base.codec.ts", "api.ts", "api.codec.ts"])
    assert.include(files["api.ts"], `import * as base from "./base.js"\n`)
    assert.include(files["api.ts"], `import * as codec from "./api.codec.js"\n`)
  })

  it("ends imports as it is told", () => {
    const imports = (importExtension: ".js" | ".ts" | "") =>
      [...emitted(two, { importExtension })["company/api/v1/api.ts"]!.matchAll(/from "(\..*)"/g)].map(
        (match) => match[1]
      )
    assert.deepStrictEqual(imports(".js"), ["./api.codec.js", "../../base/base.js"])
    assert.deepStrictEqual(imports(".ts"), ["./api.codec.ts", "../../base/base.ts"])
    assert.deepStrictEqual(imports(""), ["./api.codec", "../../base/base"])
    assert.include(emitted(two, { importExtension: "" })["company/base/index.ts"], `from "./base"\n`)
  })

  it("takes the namespace of the first scope that a file declares, else its name", () => {
    const idl = "namespace go a.go namespace * a.star namespace ts a.ts namespace js a.js"
    assert.strictEqual(paths({ "X.thrift": idl })[0], "a/ts/X.ts")
    assert.strictEqual(paths({ "X.thrift": idl }, { namespaceScopes: ["py", "go", "ts"] })[0], "a/go/X.ts")
    assert.strictEqual(paths({ "Some.Name.thrift": "" })[0], "some/name/Some.Name.ts")
    assert.strictEqual(paths({ "x.thrift": "namespace go a...b." })[0], "a/b/x.ts")
  })

  it("maps namespaces by their longest prefix, and single files", () => {
    const map = (...namespaceMap: ReadonlyArray<readonly [string, string]>) => paths(two, { namespaceMap }).sort()[0]
    assert.strictEqual(map(["company", "org.x"]), "org/x/api/v1/api.ts")
    assert.strictEqual(map(["company", "org"], ["company.api", "apis"]), "apis/v1/api.ts")
    assert.strictEqual(map(["company", ""]), "api/v1/api.ts")
    assert.strictEqual(map(["company.ap", "x"]), "company/api/v1/api.ts")
    assert.strictEqual(map(["company.api.v1", "x"], ["common/base.thrift", "aa"]), "aa/base.ts")
    assert.strictEqual(map(["common/base.thrift", "../../out"]), "_/_out/base.ts")
    const files = emitted(two, { ...plain, namespaceMap: [["company", "org"]] })
    assert.include(files["org/base/base.ts"], `("org.base.Base")`)
  })

  it("emits the entries alone when it is told, with imports of what is not emitted", () => {
    const files = emitted(two, { ...plain, recurse: false }, ["api.thrift"])
    assert.deepStrictEqual(Object.keys(files), ["company/api/v1/api.ts", "company/api/v1/index.ts"])
    assert.include(files["company/api/v1/api.ts"], `import * as base from "../../base/base.js"\n`)
  })

  it("leaves out what no service and no constant of the entries leads to", () => {
    const files = emitted(
      {
        "a.thrift": `include "b.thrift" include "unused.thrift" const b.Used C = {"x": b.N}
typedef i32 Gone struct Request { 1: Id id 2: Kind kind = Kind.A } typedef i64 Id enum Kind { A }
struct Unused { 1: Request request } service S extends b.Parent { void go(1: Request r) throws (1: Failed f) }
exception Failed { 1: list<b.Item> items = b.ITEMS } union Loose {}`,
        "b.thrift": `struct Used { 1: i32 x } struct Item {} const i32 N = 1 const i32 M = 2 const list<Item> ITEMS = [{}]
service Parent {} service Other {}`,
        "unused.thrift": "struct Nothing {}"
      },
      { ...plain, trim: true, layout: "flat" },
      ["a.thrift"]
    )
    assert.deepStrictEqual(Object.keys(files), ["b.ts", "a.ts"])
    const names = (text: string) =>
      [...text.matchAll(/^export (?:const|class) (\w+)/gm)].map((match) => match[1]).sort()
    assert.deepStrictEqual(names(files["a.ts"]!), ["C", "Failed", "Id", "Kind", "Request", "S"])
    assert.deepStrictEqual(names(files["b.ts"]!), ["ITEMS", "Item", "N", "Parent", "Used"])
  })

  it("gives types names that are unique in the program", () => {
    const files = emitted(
      {
        "x/a.thrift": "namespace go same struct A {} struct Only {} enum E {}",
        "x/b.thrift": "namespace go same struct A {} union E { 1: i32 x }",
        "x/c.thrift": "namespace go same.a struct A {}"
      },
      { ...plain, layout: "flat" }
    )
    const names = (path: string) => [...files[path]!.matchAll(/"(same\.[\w.]+)"/g)].map((match) => match[1])
    assert.deepStrictEqual(names("a.ts"), ["same.a_.A", "same.Only", "same.a.E"])
    assert.deepStrictEqual(names("b.ts"), ["same.b.A", "same.b.E"])
    assert.deepStrictEqual(names("c.ts"), ["same.a.A"])
  })

  it("tells files of one prefix apart", () => {
    const files = emitted(
      {
        "api.thrift": `include "x/base.thrift" include "y/base.thrift" struct base { 1: base.X x 2: base.Y y }`,
        "x/base.thrift": "namespace go x struct X {}",
        "y/base.thrift": "namespace go y struct Y {}"
      },
      plain,
      ["api.thrift"]
    )
    assert.include(
      files["api/api.ts"],
      `import * as $base from "../x/base.js"
import * as $base2 from "../y/base.js"

export class base extends Thrift.Struct<base>("api.base")({
  x: Thrift.field(1, $base.X),
  y: Thrift.field(2, $base2.Y)
}) {}
`
    )
  })

  it("has room for an index in the IDL", () => {
    assert.deepStrictEqual(paths({ "index.thrift": "namespace go a" }), ["a/index_.ts", "a/index.ts"])
    assert.deepStrictEqual(paths({ "index.thrift": "namespace go a" }, { layout: "flat" }), ["index.ts"])
    assert.deepStrictEqual(paths({ "Index.thrift": "namespace go a" }), ["a/Index_.ts", "a/index.ts"])
  })

  it("names modules so that imports of them are URLs", () => {
    const idls = { "x#y.thrift": "struct A {}", "q?r.thrift": "struct B {}", "p%41.thrift": "struct C {}" }
    const files = emitted({ ...idls, "a-b.c_d.thrift": "struct D {}" }, { layout: "flat" })
    assert.deepStrictEqual(
      Object.keys(files),
      ["x_y", "q_r", "p_41", "a-b.c_d"].flatMap((base) => [`${base}.ts`, `${base}.codec.ts`])
    )
    assert.include(files["x_y.ts"], `from "./x_y.codec.js"`)
    const [, index] = Object.entries(emitted({ "p%41.thrift": "namespace go n" })).at(-1)!
    assert.include(index, `export * from "./p_41.js"`)
  })
})

describe("Emitter: collisions", () => {
  it("two files of one path", () => {
    assert.deepStrictEqual(said({ "x/a.thrift": "namespace go n", "y/A.thrift": "\nnamespace go n" }), [
      "E_OUTPUT_CONFLICT | y/A.thrift:2:1 | y/A.thrift and x/a.thrift both generate n/a.ts | x/a.thrift"
    ])
    assert.deepStrictEqual(said({ "x/a.thrift": "namespace go n", "y/a.thrift": "namespace go m" }), [])
    assert.deepStrictEqual(said({ "x/a.thrift": "namespace go n", "y/a.thrift": "" }, { layout: "flat" }), [
      "E_OUTPUT_CONFLICT | y/a.thrift:1:1 | y/a.thrift and x/a.thrift both generate a.ts | x/a.thrift"
    ])
    const files = { "a.thrift": "struct A {}", "a.codec.thrift": "namespace go a" }
    assert.deepStrictEqual(said(files, { codec: "aot", layout: "flat" }), [
      "E_OUTPUT_CONFLICT | a.codec.thrift:1:1 | a.codec.thrift and a.thrift both generate a.codec.ts | a.thrift"
    ])
    assert.deepStrictEqual(said(files, { layout: "flat" }), [])
    assert.deepStrictEqual(said({ "a#b.thrift": "", "a_b.thrift": "" }, { layout: "flat" }), [
      "E_OUTPUT_CONFLICT | a_b.thrift:1:1 | a_b.thrift and a#b.thrift both generate a_b.ts | a#b.thrift"
    ])
  })

  it("two indexes of one path where upper and lower case are the same", () => {
    const files = { "a.thrift": "namespace go n struct A {}", "b.thrift": "namespace go N struct B {}" }
    assert.deepStrictEqual(said(files), [
      "E_OUTPUT_CONFLICT | b.thrift:1:1 | b.thrift and a.thrift both generate n/index.ts | a.thrift"
    ])
    assert.deepStrictEqual(said(files, { layout: "flat" }), [])
    assert.deepStrictEqual(said({ ...files, "b.thrift": "namespace go n struct B {}" }), [])
  })

  it("one name in two files of a namespace", () => {
    const files = {
      "a.thrift": "namespace go n struct A {}",
      "b.thrift": "namespace go n\nconst i32 A = 1 struct B {}"
    }
    assert.deepStrictEqual(said(files), [
      "E_OUTPUT_CONFLICT | b.thrift:2:11 | A is declared in a.thrift too, which has the same namespace | a.thrift"
    ])
    assert.deepStrictEqual(said(files, { layout: "flat" }), [])
  })

  it("names that become the same", () => {
    const same = (name: string) => `this name becomes ${name} in TypeScript, as another one does`
    assert.deepStrictEqual(
      said({
        "a.thrift": `struct class {}
enum class_ { name name_ }
struct S { 1: i32 then 2: i32 then_ }
service T { void f(1: i32 constructor, 2: i32 constructor_) throws (1: X toString, 2: X toString_) }
exception X { 1: i32 message 2: i32 message_ }`
      }),
      [
        `E_OUTPUT_CONFLICT | a.thrift:2:6 | ${same("class_")} | a.thrift`,
        `E_OUTPUT_CONFLICT | a.thrift:2:20 | ${same("name_")} | a.thrift`,
        `E_OUTPUT_CONFLICT | a.thrift:3:31 | ${same("then_")} | a.thrift`,
        `E_OUTPUT_CONFLICT | a.thrift:4:47 | ${same("constructor_")} | a.thrift`,
        `E_OUTPUT_CONFLICT | a.thrift:4:89 | ${same("toString_")} | a.thrift`,
        `E_OUTPUT_CONFLICT | a.thrift:5:37 | ${same("message_")} | a.thrift`
      ]
    )
    const files = { "a.thrift": "struct S { 1: i32 user_id 2: i32 userId }" }
    assert.deepStrictEqual(said(files, { case: "camel" }), [
      `E_OUTPUT_CONFLICT | a.thrift:1:34 | ${same("userId")} | a.thrift`
    ])
    assert.deepStrictEqual(said(files), [])
  })

  it("integers that are no numbers", () => {
    const idl = `const i64 FINE = 9007199254740991
const i64 BIG = 9007199254740992
const map<i64, list<i64>> DEEP = {1: [BIG]}
struct S { 1: i64 a = 9007199254740993 (ts.type = "string") 2: i64 b = BIG (ts.type = "number") }`
    const message = (value: string) => `${value} is not a safe integer, and this i64 is a number`
    assert.deepStrictEqual(said({ "a.thrift": idl }), [`E_VALUE_TYPE | a.thrift:4:72 | ${message("9007199254740992")}`])
    assert.deepStrictEqual(said({ "a.thrift": idl }, { i64: "number" }), [
      `E_VALUE_TYPE | a.thrift:2:17 | ${message("9007199254740992")}`,
      `E_VALUE_TYPE | a.thrift:3:34 | ${message("9007199254740992")}`,
      `E_VALUE_TYPE | a.thrift:4:72 | ${message("9007199254740992")}`
    ])
  })

  it("defaults that lead to themselves", () => {
    const message = "this default is a part of itself, so it never ends"
    assert.deepStrictEqual(said({ "a.thrift": "struct A { 1: optional A next = {} }" }), [
      `E_CONST_CYCLE | a.thrift:1:33 | ${message}`
    ])
    const through =
      "struct A { 1: list<B> b = [{}] } struct B { 1: optional A a = D 2: i32 x = 1 } const A D = {'b': [{}]}"
    assert.deepStrictEqual(said({ "a.thrift": through }), [`E_CONST_CYCLE | a.thrift:1:63 | ${message}`])
    assert.deepStrictEqual(
      said({ "a.thrift": "struct A { 1: optional B b = {} } struct B { 1: optional A a } const B C = {}" }),
      []
    )
  })

  it("constants that are far larger than their text, and deeper", () => {
    const lines = ["typedef i64 T0", `typedef i64 N0 (ts.type = "number")`, "const T0 C0 = 1"]
    for (let i = 1; i < 40; i++) {
      lines.push(
        `typedef list<T${i - 1}> T${i} typedef list<N${i - 1}> N${i} const T${i} C${i} = [C${i - 1}, C${i - 1}]`
      )
    }
    const wide = said({ "a.thrift": `${lines.join("\n")} struct S { 1: N39 a = C39 }` })
    assert.deepStrictEqual(wide, [
      "E_LIMIT | a.thrift:21:61 | constants that are parts of values come to more than 1000000 values"
    ])
    const chain = Array.from({ length: 2000 }, (_, i) => `const S C${i + 1} = {"s": C${i}}`)
    const deep = said({ "a.thrift": `struct S { 1: optional S s } const S C0 = {}\n${chain.join("\n")}` })
    assert.deepStrictEqual(deep, ["E_LIMIT | a.thrift:257:16 | this value is more than 256 levels deep"])
  })

  it("long chains of types and typedefs that double are no trouble", () => {
    const chain = Array.from({ length: 10_000 }, (_, i) => `struct C${i} { 1: C${i + 1} next }`)
    const files = emitted({ "a.thrift": `${chain.join("\n")} struct C10000 {}` }, { layout: "flat" })
    assert.match(files["a.ts"]!, /^(.*\n){4}export class C10000 /)
    const doubling = Array.from({ length: 60 }, (_, i) => `typedef map<T${i}, T${i}> T${i + 1}`)
    const idl = `struct T0 { 1: T60 all } ${doubling.join("\n")}`
    assert.isBelow(emitted({ "a.thrift": idl }, { ...plain, layout: "flat" })["a.ts"]!.length, 20_000)
  })
})
