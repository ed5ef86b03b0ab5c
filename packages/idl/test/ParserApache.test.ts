import { assert, describe, it } from "@effect/vitest"
import { errors, parse } from "./parsing.ts"

const apache = { compat: "apache" } as const

describe("Apache Thrift's syntax", () => {
  it.each([
    ["typedef i32 A;", "1:14 a separator behind a typedef"],
    ["typedef i32 A,", "1:14 a separator behind a typedef"],
    ["struct A {};", "1:12 a separator behind a struct"],
    ["union A {},", "1:11 a separator behind a union"],
    ["enum A {};", "1:10 a separator behind an enum"],
    ["service A {};", "1:13 a separator behind a service"],
    ["namespace py a-b.c-d", "1:14 a namespace with a hyphen"],
    ['namespace go "a"', "1:14 a namespace in quotes"],
    ["struct A xsd_all {}", "1:10 `xsd_all`"],
    ["struct A { 1: i32 a xsd_optional }", "1:21 `xsd_optional`"],
    ["struct A { 1: i32 a xsd_attrs { 1: i32 b } }", "1:21 `xsd_attrs`"],
    ["struct A { 1: A & a }", "1:17 a reference field (`&`)"],
    ["struct A { 1: i32 a (deprecated) }", "1:22 an annotation without a value"],
    ["struct A { 1: list cpp_type 'x' <i32> a }", "1:29 cpp_type before the element of a list"],
    ["const i32 A = -0x1F", "1:15 a hexadecimal number with a sign"],
    ["service S { async void f() }", "1:13 `async`"]
  ])("%s", (text, what) => {
    const [place, ...words] = what.split(" ")
    const sentence = `${words.join(" ")} is Apache Thrift's syntax, which Kitex rejects`
    assert.deepStrictEqual(errors(text), [`${place} E_SYNTAX ${sentence}`])
    assert.deepStrictEqual(errors(text, apache), [`${place} W_APACHE ${sentence}`])
    assert.match(parse(text).diagnostics[0]!.hint!, /, or use --compat apache$/)
    assert.notMatch(parse(text, apache).diagnostics[0]!.hint!, /--compat/)
  })

  it("means what Apache means by it", () => {
    const { document } = parse(
      `namespace py "a-b" struct A { 0x10: slist a (deprecated, b = "c") 2: i32 b = -0x1F } service S { async void f() }`,
      apache
    )
    const [struct, service] = document.definitions
    const [namespace] = document.headers
    assert.ok(namespace?.tag === "Namespace" && struct?.tag === "Struct" && service?.tag === "Service")
    assert.strictEqual(namespace.name.text, "a-b")
    const [first, second] = struct.fields
    assert.strictEqual(first?.id?.value, 16)
    assert.strictEqual(first?.type.tag === "BaseType" && first.type.name, "string")
    assert.deepStrictEqual(
      first?.annotations.map(({ key, value }) => [key.text, value.text]),
      [
        ["deprecated", "1"],
        ["b", "c"]
      ]
    )
    assert.strictEqual(second?.default?.tag === "IntValue" && second.default.value, -31n)
    assert.ok(service.functions[0]?.oneway !== undefined)
  })

  it("hexadecimal ids and slist warn too; to Kitex they are no errors of syntax", () => {
    const text = "struct A { 0x10: slist a }"
    assert.deepStrictEqual(errors(text), [])
    assert.deepStrictEqual(errors(text, apache), [
      "1:12 W_APACHE a hexadecimal field id is Apache Thrift's syntax, which Kitex rejects",
      "1:18 W_APACHE `slist` is Apache Thrift's syntax, which Kitex rejects"
    ])
  })

  it("words of Apache stay names for Kitex", () => {
    assert.deepStrictEqual(errors("struct A { 1: i32 a xsd_optional b } service S { async f() }"), [])
  })

  it("senum means nothing to either", () => {
    for (const options of [undefined, apache]) {
      assert.match(errors('senum E { "a" }\nstruct A {}', options).join(), /^1:1 E_SYNTAX `senum` is Apache Thrift's/)
    }
  })

  it("shows a hundred places, and reads on", () => {
    const { diagnostics, document } = parse("typedef i32 A;\n".repeat(150), apache)
    assert.strictEqual(diagnostics.length, 101)
    assert.ok(diagnostics.every(({ code }) => code === "W_APACHE"))
    assert.strictEqual(document.definitions.length, 150)
  })
})
