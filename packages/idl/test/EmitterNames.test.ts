import { assert, describe, it } from "@effect/vitest"
import type * as Program from "../src/Program.ts"
import { enumMemberName, exportName, memberName } from "../src/internal/emit/names.ts"
import { programOf, textOf } from "./emitted.ts"

const field = (name: string, type = "i32"): Program.Field => {
  const [struct] = programOf({ "a.thrift": `struct S { 1: ${type} ${name} }` }).files[0]!.definitions
  return (struct as Program.Struct).fields[0]!
}

const keep = { case: "keep" } as const
const camel = (name: string) => memberName("struct", field(name), { case: "camel" })

describe("names in TypeScript", () => {
  it("keep the spelling of the IDL", () => {
    assert.strictEqual(exportName("lower_request"), "lower_request")
    assert.strictEqual(memberName("struct", field("user_id"), keep), "user_id")
    assert.strictEqual(memberName("struct", field("delete"), keep), "delete")
  })

  it("get an underscore where TypeScript or a class cannot carry them", () => {
    for (const name of ["class", "await", "any", "string", "undefined", "then", "globalThis"]) {
      assert.strictEqual(exportName(name), `${name}_`)
    }
    for (const name of ["__proto__", "constructor", "prototype", "toString", "toJSON", "hasOwnProperty", "then"]) {
      for (const owner of ["struct", "union", "exception", "method"] as const) {
        assert.strictEqual(memberName(owner, field(name), keep), `${name}_`)
      }
      assert.strictEqual(enumMemberName(name), `${name}_`)
    }
    for (const name of ["name", "is", "parse", "ast", "make", "annotate", "Type"]) {
      assert.strictEqual(enumMemberName(name), `${name}_`)
    }
    for (const name of ["name", "stack", "cause", "_tag", "pipe"]) {
      assert.strictEqual(memberName("exception", field(name), keep), `${name}_`)
      assert.strictEqual(memberName("struct", field(name), keep), name)
    }
  })

  for (const name of ["as", "infer", "intrinsic", "keyof", "readonly", "unique"]) {
    it(`get an underscore where TypeScript would read ${name} as a part of a type`, () => {
      assert.strictEqual(exportName(name), `${name}_`)
      assert.match(
        textOf(`union ${name} { 1: i32 a }`),
        new RegExp(`^export type ${name}_ = typeof ${name}_.Type$`, "m")
      )
    })
  }

  it("leave the message of an exception alone when it is a text", () => {
    assert.strictEqual(memberName("exception", field("message", "string"), keep), "message")
    assert.strictEqual(memberName("exception", field("message", `string (ts.type = "binary")`), keep), "message_")
    assert.strictEqual(memberName("exception", field("message"), keep), "message_")
  })

  it("are in camel case when it is asked for, members alone", () => {
    const expected: Readonly<Record<string, string>> = {
      user_id: "userId",
      UserName: "userName",
      USER_ID: "userId",
      URL: "url",
      HTTPServer: "httpServer",
      userID: "userID",
      _private: "_private",
      trailing_: "trailing_",
      a__b: "aB",
      to_string: "toString_",
      __proto__: "__proto___",
      _: "_",
      v1_2: "v12"
    }
    for (const [name, text] of Object.entries(expected)) assert.strictEqual(camel(name), text)
    assert.strictEqual(
      textOf(
        `struct my_struct { 1: i32 some_number } union u { 1: my_struct one_case } enum e { SOME_MEMBER }
exception x {} service s { void do_it(1: i32 an_argument) throws (1: x the_failure) } const u C = {"one_case": {"some_number": 1}}`,
        { case: "camel" }
      ),
      `import { Thrift } from "@millrace/codec"
import { Method, Service } from "@millrace/rpc"

export class my_struct extends Thrift.Struct<my_struct>("api.my_struct")({
  someNumber: Thrift.field(1, Thrift.I32, { name: "some_number" })
}) {}

export const u = Thrift.Union("api.u", { oneCase: Thrift.field(1, my_struct, { name: "one_case" }) })
export type u = typeof u.Type

export const e = Thrift.Enum("api.e", { SOME_MEMBER: 0 })
export type e = typeof e.Type

export class x extends Thrift.Exception<x>()("api.x", {}) {}

export class s extends Service.make("s", {
  package: "api",
  methods: [
    Method.pingPong("do_it", {
      arguments: { anArgument: Thrift.field(1, Thrift.I32, { name: "an_argument" }) },
      exceptions: { theFailure: Thrift.field(1, x, { name: "the_failure" }) }
    })
  ]
}) {}

export const C: u = { _tag: "oneCase", value: new my_struct({ someNumber: 1 }) }
`
    )
  })

  it("of members that have another one in the IDL are said beside their defaults", () => {
    const text = textOf(
      `struct S { 1: required i32 then 2: optional string user_id = "x" } union U { 1: i32 constructor }`,
      {
        case: "camel"
      }
    )
    assert.include(text, `then_: Thrift.required(1, Thrift.I32, { name: "then" })`)
    assert.include(text, `userId: Thrift.optional(2, Thrift.String, { name: "user_id", default: () => "x" })`)
    assert.include(text, `{ constructor_: Thrift.field(1, Thrift.I32, { name: "constructor" }) }`)
  })

  it("of libraries and globals make way for those of the IDL", () => {
    assert.strictEqual(
      textOf(`struct Thrift { 1: Map m = {"a": 1} } typedef map<string, i32> Map struct Method {} struct Schema { 1: optional Schema s }
service Service {} const set<i32> Set = [1] const list<binary> Object = ["x"] struct ReadonlyArray {}`),
      `import { Thrift as $Thrift } from "@millrace/codec"
import { Service as $Service } from "@millrace/rpc"
import * as $Schema from "effect/Schema"

export const Map = $Thrift.map($Thrift.String, $Thrift.I32)
export type Map = ReadonlyMap<string, number>

export class Thrift extends $Thrift.Struct<Thrift>("api.Thrift")({
  m: $Thrift.field(1, Map, { default: () => new globalThis.Map([["a", 1]]) })
}) {}

export class Method extends $Thrift.Struct<Method>("api.Method")({}) {}

export class Schema extends $Thrift.Struct<Schema>("api.Schema")({
  s: $Thrift.optional(
    1,
    $Schema.suspend((): $Schema.Codec<Schema, unknown> => Schema)
  )
}) {}

export class Service extends $Service.make("Service", { package: "api", methods: [] }) {}

export const Set: ReadonlySet<number> = new globalThis.Set([1])
export const Object: globalThis.ReadonlyArray<Uint8Array> = globalThis.Object.freeze([new Uint8Array([120])])

export class ReadonlyArray extends $Thrift.Struct<ReadonlyArray>("api.ReadonlyArray")({}) {}
`
    )
  })
})
