import { assert, describe, it } from "@effect/vitest"
import * as Emitter from "../src/Emitter.ts"
import { emitted, programOf, textOf } from "./emitted.ts"

const streaming = `namespace go echo

struct Request {
    1: optional string message,
}

struct Response {
    1: optional string message,
}

service TestService {
    Response Echo (1: Request req) (streaming.mode="bidirectional"),
    Response EchoClient (1: Request req) (streaming.mode="client"),
    Response EchoServer (1: Request req) (streaming.mode="server"),
    Response EchoUnary (1: Request req) (streaming.mode="unary"),

    Response EchoPingPong (1: Request req1, 2: Request req2) throws (1: Busy busy),
}

exception Busy { 1: optional i64 retryAfter }
`

describe("Emitter", () => {
  it("writes the text of a person for the IDL of Kitex's streaming document", () => {
    const files = emitted({ "api.thrift": streaming }, { codec: "none" })
    assert.deepStrictEqual(Object.keys(files), ["echo/api.ts", "echo/index.ts"])
    assert.strictEqual(
      files["echo/api.ts"],
      `// Code generated from api.thrift by millrace. DO NOT EDIT.
import { Thrift } from "@millrace/codec"
import { Method, Service } from "@millrace/rpc"

export class Request extends Thrift.Struct<Request>("echo.Request")({ message: Thrift.optional(1, Thrift.String) }) {}

export class Response extends Thrift.Struct<Response>("echo.Response")({
  message: Thrift.optional(1, Thrift.String)
}) {}

export class Busy extends Thrift.Exception<Busy>()("echo.Busy", { retryAfter: Thrift.optional(1, Thrift.I64) }) {}

export class TestService extends Service.make("TestService", {
  package: "echo",
  methods: [
    Method.bidirectional("Echo", { request: Request, response: Response }),
    Method.clientStreaming("EchoClient", { request: Request, response: Response }),
    Method.serverStreaming("EchoServer", { request: Request, response: Response }),
    Method.unary("EchoUnary", { request: Request, response: Response }),
    Method.pingPong("EchoPingPong", {
      arguments: { req1: Thrift.field(1, Request), req2: Thrift.field(2, Request) },
      response: Response,
      exceptions: { busy: Thrift.field(1, Busy) }
    })
  ]
}) {}
`
    )
  })

  it("names the generated codec of each type", () => {
    const files = emitted(
      { "api.thrift": "namespace go echo struct A { 1: i32 x } union U { 1: i32 x } exception X {}" },
      { importExtension: ".ts" }
    )
    assert.deepStrictEqual(Object.keys(files), ["echo/api.ts", "echo/api.codec.ts", "echo/index.ts"])
    assert.strictEqual(
      files["echo/api.ts"],
      `// Code generated from api.thrift by millrace. DO NOT EDIT.
import { Thrift } from "@millrace/codec"
import * as codec from "./api.codec.ts"

export class A extends Thrift.Struct<A>("echo.A", { codec: codec.A })({ x: Thrift.field(1, Thrift.I32) }) {}

export const U = Thrift.Union("echo.U", { x: Thrift.field(1, Thrift.I32) }, { codec: codec.U })
export type U = typeof U.Type

export class X extends Thrift.Exception<X>()("echo.X", {}, { codec: codec.X }) {}
`
    )
    assert.match(files["echo/api.codec.ts"]!, /^\/\/ Code generated from api\.thrift by millrace\. DO NOT EDIT\.\n/)
    for (const name of ["A", "U", "X"]) assert.match(files["echo/api.codec.ts"]!, new RegExp(`export .*\\b${name}\\b`))
  })

  it("writes base types, containers and requiredness", () => {
    const types = ["bool", "byte", "i8", "i16", "i32", "i64", "double", "string", "binary"]
    const idl = `struct All { ${types.map((type, i) => `${i + 1}: ${type} ${type}`).join(" ")}
  10: required list<i32> list 11: optional set<string> set 12: map<i32, list<binary>> map -1: string negative }`
    assert.strictEqual(
      textOf(idl),
      `import { Thrift } from "@millrace/codec"

export class All extends Thrift.Struct<All>("api.All")({
  bool: Thrift.field(1, Thrift.Bool),
  byte: Thrift.field(2, Thrift.I8),
  i8: Thrift.field(3, Thrift.I8),
  i16: Thrift.field(4, Thrift.I16),
  i32: Thrift.field(5, Thrift.I32),
  i64: Thrift.field(6, Thrift.I64),
  double: Thrift.field(7, Thrift.Double),
  string: Thrift.field(8, Thrift.String),
  binary: Thrift.field(9, Thrift.Binary),
  list: Thrift.required(10, Thrift.list(Thrift.I32)),
  set: Thrift.optional(11, Thrift.set(Thrift.String)),
  map: Thrift.field(12, Thrift.map(Thrift.I32, Thrift.list(Thrift.Binary))),
  negative: Thrift.field(-1, Thrift.String)
}) {}
`
    )
  })

  it("writes enums with their type", () => {
    assert.strictEqual(
      textOf("enum Color { RED GREEN = 5 /** the last one */ BLUE, NEGATIVE = -3 } enum None {}"),
      `import { Thrift } from "@millrace/codec"

export const Color = Thrift.Enum("api.Color", {
  RED: 0,
  GREEN: 5,
  /** the last one */
  BLUE: 6,
  NEGATIVE: -3
})
export type Color = typeof Color.Type

export const None = Thrift.Enum("api.None", {})
export type None = typeof None.Type
`
    )
  })

  it("writes typedefs with their type", () => {
    assert.strictEqual(
      textOf(`typedef i64 Timestamp typedef Timestamp Time typedef list<Point> Path typedef map<Timestamp, set<binary>> Blobs
typedef map<Point, Path> Paths typedef set<Time> Times typedef Point Place
struct Point { 1: Time at 2: Place other }`),
      `import { Thrift } from "@millrace/codec"
import * as Schema from "effect/Schema"

export const Timestamp = Thrift.I64
export type Timestamp = bigint

export const Time = Timestamp
export type Time = Timestamp

export class Point extends Thrift.Struct<Point>("api.Point")({
  at: Thrift.field(1, Time),
  other: Thrift.field(
    2,
    Schema.suspend((): Schema.Codec<Point, unknown> => Point)
  )
}) {}

export const Path = Thrift.list(Point)
export type Path = ReadonlyArray<Point>

export const Blobs = Thrift.map(Timestamp, Thrift.set(Thrift.Binary))
export type Blobs = ReadonlyMap<Timestamp, ReadonlyArray<Uint8Array>>

export const Paths = Thrift.map(Point, Path)
export type Paths = ReadonlyArray<readonly [Point, Path]>

export const Times = Thrift.set(Time)
export type Times = ReadonlySet<Time>

export const Place = Point
export type Place = Point
`
    )
  })

  it("writes constants behind what they are made of, frozen, and by reference", () => {
    assert.strictEqual(
      textOf(`const Point ORIGIN = {"x": ZERO}
const i32 ZERO = 0
const i64 BIG = -9223372036854775808
const double HALF = 0.5
const double TINY = -1e-300
const bool YES = true
const string TEXT = "a \\"b\\" 'c'\\n"
const string QUOTES = '"x"'
const binary BYTES = "hé"
const Color RED = Color.RED
const Color OTHER = 7
const list<i32> PRIMES = [2, ZERO]
const list<list<i64>> MATRIX = [[1, 2], [BIG]]
const list<i32> SAME = PRIMES
const set<string> WORDS = ["a"]
const map<string, Point> POINTS = {"o": ORIGIN, "p": {}}
const map<Point, i32> BY_POINT = {{"x": 1}: 1}
const Choice CHOICE = {"text": "x"}
const map<string, i32> NOTHING = {}
enum Color { RED = 1 }
struct Point { 1: i32 x 2: i32 y }
union Choice { 1: string text }`),
      `import { Thrift } from "@millrace/codec"

export class Point extends Thrift.Struct<Point>("api.Point")({
  x: Thrift.field(1, Thrift.I32),
  y: Thrift.field(2, Thrift.I32)
}) {}

export const ZERO = 0
export const ORIGIN = new Point({ x: ZERO })
export const BIG = -9223372036854775808n
export const HALF = 0.5
export const TINY = -1e-300
export const YES = true
export const TEXT = "a \\"b\\" 'c'\\n"
export const QUOTES = '"x"'
export const BYTES = new Uint8Array([104, 195, 169])

export const Color = Thrift.Enum("api.Color", { RED: 1 })
export type Color = typeof Color.Type

export const RED = Color.RED
export const OTHER = 7
export const PRIMES: ReadonlyArray<number> = Object.freeze([2, ZERO])

export const MATRIX: ReadonlyArray<ReadonlyArray<bigint>> = Object.freeze([
  Object.freeze([1n, 2n]),
  Object.freeze([BIG])
])

export const SAME = PRIMES
export const WORDS: ReadonlySet<string> = new Set(["a"])

export const POINTS: ReadonlyMap<string, Point> = new Map([
  ["o", ORIGIN],
  ["p", new Point({})]
])

export const BY_POINT: ReadonlyArray<readonly [Point, number]> = Object.freeze([[new Point({ x: 1 }), 1]])

export const Choice = Thrift.Union("api.Choice", { text: Thrift.field(1, Thrift.String) })
export type Choice = typeof Choice.Type

export const CHOICE: Choice = { _tag: "text", value: "x" }
export const NOTHING: ReadonlyMap<string, number> = new Map()
`
    )
  })

  it("writes defaults that are made anew, and constants by name where the form is the same", () => {
    assert.strictEqual(
      textOf(`const i64 N = 5
struct A {
  1: i64 a = N
  2: optional i64 b = N (ts.type = "number")
  3: required list<i64> c = [N]
  4: list<i64> d = L
  5: list<i64 (ts.type = "number")> e = L
  6: B f = {"e": E.X}
  7: i32 g = E.X
}
const list<i64> L = [1]
enum E { X }
struct B { 1: E e }`),
      `import { Thrift } from "@millrace/codec"

export const N = 5n

export const E = Thrift.Enum("api.E", { X: 0 })
export type E = typeof E.Type

export class B extends Thrift.Struct<B>("api.B")({ e: Thrift.field(1, E) }) {}

export class A extends Thrift.Struct<A>("api.A")({
  a: Thrift.field(1, Thrift.I64, { default: () => N }),
  b: Thrift.optional(2, Thrift.I64Number, { default: () => 5 }),
  c: Thrift.required(3, Thrift.list(Thrift.I64), { default: () => [N] }),
  d: Thrift.field(4, Thrift.list(Thrift.I64), { default: () => L }),
  e: Thrift.field(5, Thrift.list(Thrift.I64Number), { default: () => [1] }),
  f: Thrift.field(6, B, { default: () => new B({ e: E.X }) }),
  g: Thrift.field(7, Thrift.I32, { default: () => 0 })
}) {}

export const L: ReadonlyArray<bigint> = Object.freeze([1n])
`
    )
  })

  it("chooses the form of an i64 and of a string by annotations: the member's, the use's, the typedef's", () => {
    const idl = `typedef i64 (ts.type = "string") Id
typedef i64 Count (ts.type = "number")
typedef Count Other
struct A {
  1: i64 a (ts.type = "number")
  2: i64 b (ts.type = "string")
  3: list<i64 (ts.type = "number")> c
  4: Id d
  5: Id e (ts.type = "bigint")
  6: Count f
  7: list<Count (ts.type = "string")> g
  8: string h (ts.type = "binary")
  9: i64 i (api.js_conv = "")
  10: list<i64> j (ts.type = "number")
  11: i32 k (ts.type = "string")
}`
    const members = (text: string) => text.slice(text.indexOf("export const Id"))
    assert.strictEqual(
      members(textOf(idl)),
      `export const Id = Thrift.I64String
export type Id = string

export const Count = Thrift.I64Number
export type Count = number

export const Other = Count
export type Other = Count

export class A extends Thrift.Struct<A>("api.A")({
  a: Thrift.field(1, Thrift.I64Number),
  b: Thrift.field(2, Thrift.I64String),
  c: Thrift.field(3, Thrift.list(Thrift.I64Number)),
  d: Thrift.field(4, Id),
  e: Thrift.field(5, Thrift.I64),
  f: Thrift.field(6, Count),
  g: Thrift.field(7, Thrift.list(Thrift.I64String)),
  h: Thrift.field(8, Thrift.Binary),
  i: Thrift.field(9, Thrift.I64String),
  j: Thrift.field(10, Thrift.list(Thrift.I64)),
  k: Thrift.field(11, Thrift.I32)
}) {}
`
    )
    assert.match(textOf("struct A { 1: i64 a }", { i64: "number" }), /a: Thrift\.field\(1, Thrift\.I64Number\)/)
  })

  it("carries comments over, and none of them ends early", () => {
    const idl = `/* All rights
 * reserved */

// What a thing is
struct Thing {
  /** its name */
  1: string name
  2: i32 size /* in bytes */
  /**
   * Several
   *   lines
   */
  3: bool flag
}
# ends here: *\\/ and */
typedef i32 Size
// a service
service Things {
  // a method
  void go()
}
`.replace("*\\/", "*/")
    assert.strictEqual(
      textOf(idl),
      `
/**
 * All rights
 * reserved
 */

import { Thrift } from "@millrace/codec"
import { Method, Service } from "@millrace/rpc"

/** What a thing is */
export class Thing extends Thrift.Struct<Thing>("api.Thing")({
  /** its name */
  name: Thrift.field(1, Thrift.String),
  /** in bytes */
  size: Thrift.field(2, Thrift.I32),
  /**
   * Several
   *   lines
   */
  flag: Thrift.field(3, Thrift.Bool)
}) {}

/** ends here: *\\/ and *\\/ */
export const Size = Thrift.I32
export type Size = number

/** a service */
export class Things extends Service.make("Things", {
  package: "api",
  methods: [
    /** a method */
    Method.pingPong("go", { arguments: {} })
  ]
}) {}
`
    )
  })

  it("writes every kind of method", () => {
    const idl = `struct M {} exception X {}
service Base { void ping() }
service S extends Base {
  string text(1: i32 a = 3, 4: optional M b) throws (1: X x, 2: X y)
  oneway void log(1: string line)
  M unary(7: M request) throws (1: X x) (streaming.mode="unary")
  void done(1: M request) (streaming.mode="unary")
}`
    const text = textOf(idl)
    assert.strictEqual(
      text.slice(text.indexOf("export class Base")),
      `export class Base extends Service.make("Base", {
  package: "api",
  methods: [Method.pingPong("ping", { arguments: {} })]
}) {}

export class S extends Service.make("S", {
  package: "api",
  extends: Base,
  methods: [
    Method.pingPong("text", {
      arguments: { a: Thrift.field(1, Thrift.I32), b: Thrift.field(4, M) },
      response: Thrift.String,
      exceptions: { x: Thrift.field(1, X), y: Thrift.field(2, X) }
    }),
    Method.oneway("log", { arguments: { line: Thrift.field(1, Thrift.String) } }),
    Method.unary("unary", { request: M, response: M, exceptions: { x: Thrift.field(1, X) }, argumentId: 7 }),
    Method.unary("done", { request: M })
  ]
}) {}
`
    )
  })

  it("has no defaults of arguments, which are zeros where they are absent, as in Kitex", () => {
    const idl = `const i64 C = 9007199254740992 struct M { 1: optional M next }
service S {
  void plain(1: i64 a = C (ts.type = "number"), 2: M b = {"next": {}})
  void unary(1: M request = {}) (streaming.mode = "unary")
}`
    const text = textOf(idl)
    assert.notInclude(text, "default")
    assert.include(text, `Method.unary("unary", { request: M })`)
    assert.include(text, "a: Thrift.field(1, Thrift.I64Number), b: Thrift.field(2, M)")
    const trimmed = { trim: true, codec: "none", layout: "flat" } as const
    const included = {
      "c.thrift": "const i32 C = 1",
      "s.thrift": `include "c.thrift" service S { void f(1: i32 a = c.C) }`
    }
    assert.deepStrictEqual(Object.keys(emitted(included, trimmed, ["s.thrift"])), ["s.ts"])
  })

  it("says the package of a service as Kitex does", () => {
    const packageOf = (idl: string, path = "My.Api.thrift") =>
      /package: "(.*)"/.exec(
        Object.values(emitted({ [path]: `${idl} service S {}` }, { layout: "flat", codec: "none" }))[0]!
      )![1]
    assert.strictEqual(packageOf("namespace go a.b.Echo"), "echo")
    assert.strictEqual(packageOf("namespace * first namespace ts x namespace * last"), "last")
    assert.strictEqual(packageOf("namespace * all namespace go mine namespace go other"), "mine")
    assert.strictEqual(packageOf(""), "api")
    assert.strictEqual(packageOf("", "folder/Echo.thrift"), "echo")
  })

  it("suspends what is written below, and writes out the type of a union that holds itself", () => {
    const idl = `typedef list<Tree> Trees
struct Tree { 1: Trees children 2: map<string, Leaf> leaves 3: optional Value value }
struct Leaf { 1: Tree parent 2: set<Leaf> others }
union Value { 1: list<Value> values 2: Failure failure 3: i64 number }
exception Failure { 1: Value value }`
    assert.strictEqual(
      textOf(idl),
      `import { Thrift } from "@millrace/codec"
import * as Schema from "effect/Schema"

export class Failure extends Thrift.Exception<Failure>()("api.Failure", {
  value: Thrift.field(
    1,
    Schema.suspend((): Schema.Codec<Value, unknown> => Value)
  )
}) {}

export const Value = Thrift.Union("api.Value", {
  values: Thrift.field(1, Thrift.list(Schema.suspend((): Schema.Codec<Value, unknown> => Value))),
  failure: Thrift.field(2, Failure),
  number: Thrift.field(3, Thrift.I64)
})
export type Value =
  | { readonly _tag: "values"; readonly value: ReadonlyArray<Value> }
  | { readonly _tag: "failure"; readonly value: Failure }
  | { readonly _tag: "number"; readonly value: bigint }

export const Trees = Thrift.list(Schema.suspend((): Schema.Codec<Tree, unknown> => Tree))
export type Trees = ReadonlyArray<Tree>

export class Leaf extends Thrift.Struct<Leaf>("api.Leaf")({
  parent: Thrift.field(
    1,
    Schema.suspend((): Schema.Codec<Tree, unknown> => Tree)
  ),
  others: Thrift.field(2, Thrift.set(Schema.suspend((): Schema.Codec<Leaf, unknown> => Leaf)))
}) {}

export class Tree extends Thrift.Struct<Tree>("api.Tree")({
  children: Thrift.field(1, Trees),
  leaves: Thrift.field(2, Thrift.map(Thrift.String, Leaf)),
  value: Thrift.optional(3, Value)
}) {}
`
    )
  })

  it("is a module where the IDL has nothing, and keeps the path on the first line", () => {
    assert.strictEqual(textOf(""), "\nexport {}\n")
    const files = emitted({ "a\nb.thrift": "" }, { layout: "flat" })
    assert.strictEqual(
      Object.values(files)[0],
      "// Code generated from a b.thrift by millrace. DO NOT EDIT.\n\nexport {}\n"
    )
  })

  it("takes an option that is undefined for one that is not given", () => {
    const program = programOf({ "api.thrift": streaming })
    const options = { layout: undefined, importExtension: undefined, case: undefined, trim: undefined }
    assert.deepStrictEqual(Emitter.emit(program, options), Emitter.emit(program))
  })

  it("walks long chains of typedefs once", () => {
    const typedefs = Array.from({ length: 20_000 }, (_, i) => `typedef T${i + 1} T${i}`)
    const members = Array.from({ length: 5000 }, (_, i) => `${i + 1}: T0 f${i}`)
    const last = 'typedef i64 T20000 (ts.type = "string")'
    const text = textOf(`${typedefs.join(" ")} ${last} struct S { ${members.join(" ")} }`)
    assert.include(text, "export const T20000 = Thrift.I64String\n")
    assert.include(text, "  f0: Thrift.field(1, T0),\n")
  }, 10_000)

  it("gives the same text every time", () => {
    assert.deepStrictEqual(emitted({ "api.thrift": streaming }), emitted({ "api.thrift": streaming }))
  })
})
