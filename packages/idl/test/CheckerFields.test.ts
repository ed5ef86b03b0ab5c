import { assert, describe, it } from "@effect/vitest"
import type * as Program from "../src/Program.ts"
import { compile, expectAt } from "./marked.ts"

const fieldsOf = (text: string): ReadonlyArray<Program.Field> =>
  (compile(text).program.entries[0]!.definitions[0] as Program.Struct).fields

const idsOf = (text: string): ReadonlyArray<number> => fieldsOf(text).map(({ id }) => id)

describe("ids of fields", () => {
  it("takes what is written", () =>
    assert.deepStrictEqual(idsOf("struct A { 7: i32 a, +1: i32 b, 32767: i32 c }"), [7, 1, 32767]))

  it("gives an omitted one the next number", () => {
    assert.deepStrictEqual(idsOf("struct A { i32 a, i32 b, 5: i32 c, i32 d }"), [1, 2, 5, 6])
    expectAt("struct A { 3: i32 a\n i32 «b» }", {
      code: "W_IMPLICIT_ID",
      phrase: '"b" has no id: it gets 4',
      hint: "write 4:"
    })
  })

  it("rejects an omitted one that clashes", () => {
    expectAt("struct A { string a, string b,\n «1»: string c }", {
      code: "E_DUP_FIELD_ID",
      phrase: 'duplicated field ID 1 in struct "A"',
      related: [["a", "first declared here"]],
      codes: ["W_IMPLICIT_ID", "W_IMPLICIT_ID", "E_DUP_FIELD_ID"]
    })
  })

  it("warns of ids below 1", () => {
    expectAt("struct A {\n «-1»: string a }", {
      code: "W_NON_POSITIVE_ID",
      phrase: 'non-positive ID -1 of field "a" in struct "A"'
    })
    expectAt("struct A { «0»: string a }", { code: "W_NON_POSITIVE_ID", phrase: "non-positive ID 0" })
    assert.deepStrictEqual(idsOf("struct A { -1: i32 a, i32 b }"), [-1, 0])
  })

  it("rejects other bases", () => {
    expectAt("struct A { «0x10»: string a, 1: i32 b }", {
      code: "E_FIELD_ID",
      phrase: "0x10 is not a decimal number, Kitex would read it as 0"
    })
    expectAt("struct A { «0o7»: string a }", { code: "E_FIELD_ID", phrase: "0o7" })
  })

  it("reads a leading zero as decimal and warns", () => {
    expectAt("struct A { «017»: string a }", { code: "W_LEADING_ZERO_ID", phrase: "017 is the decimal 17" })
    assert.deepStrictEqual(idsOf("struct A { 017: i32 a }"), [17])
  })

  it("rejects what does not fit into 16 bits", () => {
    expectAt("struct A {\n\t«32768»: string a }", {
      code: "E_FIELD_ID_RANGE",
      phrase: "the id 32768 does not fit into the 16 bits"
    })
    expectAt("struct A { «99999999999»: string a }", { code: "E_FIELD_ID_RANGE", phrase: "99999999999" })
    expectAt("struct A { «-32769»: string a }", { code: "E_FIELD_ID_RANGE", phrase: "-32769" })
    expectAt("struct A { 32767: i32 a, i32 «b» }", {
      code: "E_FIELD_ID_RANGE",
      phrase: "32768",
      codes: ["W_IMPLICIT_ID", "E_FIELD_ID_RANGE"]
    })
  })

  it("rejects duplicates in structs, unions and exceptions", () => {
    for (const kind of ["struct", "union", "exception"]) {
      expectAt(`${kind} A { 1: i32 a\n «1»: i32 b }`, {
        code: "E_DUP_FIELD_ID",
        phrase: `duplicated field ID 1 in ${kind} "A"`,
        related: [["a", "first declared here"]]
      })
    }
  })

  it("rejects duplicates in arguments and throws", () => {
    expectAt("service S { void f(1: i32 a, «1»: i32 b) }", {
      code: "E_DUP_FIELD_ID",
      phrase: 'in the arguments of "f"'
    })
    expectAt("exception E {} service S { void f() throws (1: E a, «1»: E b) }", {
      code: "E_DUP_FIELD_ID",
      phrase: 'in the exceptions of "f"'
    })
  })

  it("keeps the id and the name of the result", () => {
    expectAt("exception E {} service S { i32 f() throws («0»: E a) }", {
      code: "E_DUP_FIELD_ID",
      phrase: "duplicated field ID 0",
      related: [["i32", "taken by the result"]],
      codes: ["W_NON_POSITIVE_ID", "E_DUP_FIELD_ID"]
    })
    expectAt("exception E {} service S { i32 f() throws (1: E «success») }", {
      code: "E_DUP_FIELD_NAME",
      phrase: '"success"'
    })
    assert.strictEqual(compile("exception E {} service S { void f() throws (1: E success) }").diagnostics.length, 0)
  })
})

describe("names and requiredness of fields", () => {
  it("rejects a name that is there twice", () => {
    expectAt("struct A { 1: string a, 2: string «a» }", {
      code: "E_DUP_FIELD_NAME",
      phrase: 'duplicated field name "a" in struct "A"',
      related: [["a", "first declared here"]]
    })
    expectAt("service S { void f(1: i32 a, 2: i32 «a») }", {
      code: "E_DUP_FIELD_NAME",
      phrase: 'in the arguments of "f"'
    })
  })

  it("tells names by case", () =>
    assert.strictEqual(compile("struct A { 1: i32 ab, 2: i32 aB }").diagnostics.length, 0))

  it("ignores what unions, throws and arguments cannot have", () => {
    expectAt("union U { 1: «required» i32 a }", {
      code: "W_UNION_REQ",
      phrase: "union members must be optional, ignoring specified requiredness"
    })
    expectAt("exception E {} service S { void f() throws (1: «required» E e) }", {
      code: "W_THROW_REQ",
      phrase: "throw field must be optional, ignoring specified requiredness"
    })
    expectAt("service S { void f(1: «optional» i32 a) }", {
      code: "W_ARG_OPTIONAL",
      phrase: "optional keyword is ignored in argument lists"
    })
    assert.deepStrictEqual(
      fieldsOf("union U { 1: required i32 a, 2: i32 b }").map(({ requiredness }) => requiredness),
      ["optional", "optional"]
    )
    const { program } = compile(
      "exception E {} service S { void f(1: optional i32 a, 2: required i32 b) throws (1: E e) }"
    )
    const [method] = (program.entries[0]!.definitions[1] as Program.Service).methods
    assert.deepStrictEqual(
      method!.arguments.map(({ requiredness }) => requiredness),
      ["default", "default"]
    )
    assert.deepStrictEqual(
      method!.throws.map(({ requiredness }) => requiredness),
      ["optional"]
    )
  })

  it("keeps the requiredness of members", () => {
    const fields = fieldsOf("struct A { 1: required i32 a, 2: optional i32 b, 3: i32 c }")
    assert.deepStrictEqual(
      fields.map(({ requiredness }) => requiredness),
      ["required", "optional", "default"]
    )
  })

  it("rejects a second default in a union", () => {
    expectAt('union U { 1: string a = "x", 2: i32 b = «1» }', {
      code: "E_UNION_DEFAULTS",
      phrase: 'field "b" provides another default value for union "U"',
      related: [['"x"', "first default"]]
    })
    assert.strictEqual(compile('union U { 1: string a = "x", 2: i32 b }').diagnostics.length, 0)
  })

  it("warns of names that are emitted otherwise", () => {
    expectAt("struct A { 1: i32 «constructor» }", { code: "W_RESERVED_WORD", phrase: 'emitted as "constructor_"' })
    expectAt("exception E { 1: string «name» }", { code: "W_RESERVED_WORD", phrase: 'emitted as "name_"' })
    expectAt("struct «class» {}", { code: "W_RESERVED_WORD", phrase: 'emitted as "class_"' })
    expectAt("enum E { «name» }", { code: "W_RESERVED_WORD", phrase: 'emitted as "name_"' })
    assert.strictEqual(compile("struct A { 1: string name }").diagnostics.length, 0)
  })
})
