import { assert, describe, it } from "@effect/vitest"
import { errors, parse } from "./parsing.ts"

/** The names of what was read in spite of the errors. */
const names = (text: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const node of parse(text).document.definitions) {
    found.push(node.name.text)
    const inner =
      node.tag === "Struct"
        ? node.fields
        : node.tag === "Enum"
          ? node.members
          : node.tag === "Service"
            ? node.functions
            : []
    for (const { name } of inner) found.push(`.${name.text}`)
  }
  return found
}

describe("errors of the parser", () => {
  it.each<readonly [string, ReadonlyArray<string>]>([
    ["struct A {\n  1: string\n  2: i32 b\n}", ["2:12 expected a field name, found `2`"]],
    ["struct A { 1 string a }", ["1:13 expected `:` behind the field id, found `string`"]],
    ["struct A { 1: }", ["1:14 expected the type of the field, found `}`"]],
    ["struct A { 1: i32 a = }", ["1:22 expected a default value, found `}`"]],
    ["struct A { a: string }", ["1:13 expected a field name, found `:`"]],
    ["struct A {", ["1:10 this brace is never closed"]],
    ["struct A { 1: list<i32 a }", ["1:23 expected `>`, found `a`"]],
    ["struct A { 1: map<i32> a }", ["1:22 expected `,` and the type of the values, found `>`"]],
    ["struct A { 1: i32.x a }", ["1:15 a name cannot begin with `i32.`, the name of a base type"]],
    ["struct A { 1: i32 a,, }", ["1:21 expected a field before this separator"]],
    ["struct A { 1: i32 a (b = 1) }", ["1:25 expected a string, the value of this annotation, found `1`"]],
    ["struct A { 1: i32 a (b : 'c') }", ["1:23 expected `=` and the value of this annotation, found `:`"]],
    ["struct {}", ["1:7 expected the name of the struct, found `{`"]],
    ["struct A extends B {}", ["1:10 a struct cannot extend another"]],
    ["struct A$ {}", ["1:9 `$` cannot be part of a name"]],
    ["struct A-b {}", ["1:9 `-` cannot be part of a name"]],
    ["struct 中文 {}", ["1:8 `中` cannot be part of a name"]],
    ["struct A { 1: i32 größe }", ["1:21 `ö` cannot be part of a name"]],
    ["struct\u00a0A {}", ["1:7 a no-break space is no white space in Thrift"]],
    ["struct A {}\f", ["1:12 a form feed is no white space in Thrift"]],
    ["struct A { 1: i32 😀 }", ["1:19 expected a field name, found `😀`"]],
    ["strcut A {}", ["1:1 expected a definition, found `strcut`"]],
    ["struct A {}}", ["1:12 `}` has no place between definitions"]],
    ["include a", ["1:8 expected the path of the file in quotes, found `a`"]],
    ["include b = 'b.thrift'", ["1:8 expected the path of the file in quotes, found `b`"]],
    ["namespace go\nstruct A {}", ["1:13 expected the name of the namespace, found `struct`"]],
    ["struct A {}\ninclude 'a'\ninclude 'b'", ["2:1 includes and namespaces come before all definitions"]],
    ["typedef i32", ["1:12 expected the new name of the type, found the end of the file"]],
    ["const i32 A 1", ["1:12 expected `=` and a value, found `1`"]],
    ["const i32 A = 1.", ["1:16 expected a digit behind the point, found `.`"]],
    ["const i32 A = 0b1", ["1:16 a number ends before `b1`"]],
    ["const i32 A = 09", ["1:15 `09` is not an octal number, as a leading 0 makes it"]],
    ["const i32 A = 0xfg", ["1:15 `0xfg` is not a hexadecimal number"]],
    ["const i64 A = 9223372036854775808", ["1:15 the integer does not fit in 64 bits"]],
    ["const i64 A = -9223372036854775809", ["1:15 the integer does not fit in 64 bits"]],
    ["const i64 A = 0x8000000000000000", ["1:15 the integer does not fit in 64 bits"]],
    [`const i64 A = 1${"0".repeat(1000)}`, ["1:15 the integer does not fit in 64 bits"]],
    ["const string A = 'abc\nstruct B {}", ["1:18 unterminated string"]],
    ["const map<i32,i32> A = {1: 2, 3}", ["1:32 expected `:` and the value of this key, found `}`"]],
    ["enum E { A = B }", ["1:13 expected an integer, found `B`"]],
    ["enum E { A = 1.5, B }", ["1:15 expected an integer, found `.`"]],
    ["service S { f(1: i32 a) }", ["1:13 expected a result type before the function name"]],
    ["service S { void f(1: i32) }", ["1:26 expected a field name, found `)`"]],
    ["service S { void f }", ["1:19 expected `(`, found `}`"]],
    ["service S { void f() throws 1: E e }", ["1:28 expected `(`, found `1`"]],
    ["service S { void f(1: i32 a }", ["1:19 this parenthesis is never closed"]],
    ["service S extends {}", ["1:18 expected the name of the service that this one extends, found `{`"]],
    ["/* a", ["1:1 this comment is never closed"]],
    [
      "struct A {}; /* a",
      [
        "1:12 a separator behind a struct is Apache Thrift's syntax, which Kitex rejects",
        "1:14 this comment is never closed"
      ]
    ]
  ])("%j", (text, expected) => {
    assert.deepStrictEqual(
      errors(text),
      expected.map((line) => line.replace(" ", " E_SYNTAX "))
    )
  })

  it("has hints where a fix is evident", () => {
    const hint = (text: string) => parse(text).diagnostics[0]?.hint
    assert.strictEqual(hint("struct A { a: string }"), "the type comes before the name: `1: string name`")
    assert.strictEqual(hint("const i32 A = 1."), "write `1.0` for `1.`")
    assert.strictEqual(hint("typedef i32 A;"), "remove it, or use --compat apache")
  })

  it("marks a brace that is never closed, and a place between tokens by no width", () => {
    const span = (text: string) => parse(text).diagnostics[0]?.span
    assert.deepStrictEqual(span("struct A {"), { start: 9, end: 10 })
    assert.deepStrictEqual(span("struct A { 1: string\n }"), { start: 20, end: 20 })
  })

  it("shortens long words in messages", () => {
    const [message] = errors(`const i32 A ${"a".repeat(1000)}`)
    assert.ok(message!.length < 120)
  })
})

describe("recovery", () => {
  it("goes on with the next field, member, function and definition", () => {
    const text = `struct A {
  1: string
  2: map<string i32> b,
  3: list<i32 c;
  4: $ d
  5: string e (x=1, y="2"), 6: i32 f = [1, :, 2]
  -: i32 g
  7: i32 h
}
enum E {
  A,
  B =
  C
  3D
  E
}
service S {
  void f(1: i32 a, 2: ),
  R g(1: i32 a
  R h(1: i32 a))
  void i()
}
struct $ { 1: i32 a }
typedef i32
const i32 X = 1
`
    assert.deepStrictEqual(
      errors(text).map((line) => line.split(" ")[0]),
      "2:12 3:16 4:14 5:6 6:18 6:43 7:3 12:6 14:3 18:22 19:6 20:16 23:8 24:12".split(" ")
    )
    assert.deepStrictEqual(names(text), ["A", ".e", ".f", ".h", "E", ".A", ".C", ".E", "S", ".h", ".i", "X"])
  })

  it.each([
    "struct A {\n  1: string a\n\nstruct B {\n  1: i32 b\n}\n",
    "struct A {\n  1: string a\n\nservice B {\n  void b()\n}\n",
    "  struct A {\n  1: string a\n\n  enum B {\n  b\n}\n",
    "struct A {\n  1: string a\n/*\nstruct C {\n*/\nunion B { 1: i32 b }",
    "enum A {\n  a\n\nexception B { 1: i32 b }",
    "service A {\n  void a()\n\nstruct B { 1: i32 b }",
    "struct A {\n  1: string a\n\nservice B extends C { void b() }"
  ])("one unclosed brace is one error: %j", (text) => {
    const found = errors(text)
    assert.strictEqual(found.length, 1)
    assert.match(found[0]!, /this brace is never closed/)
    assert.deepStrictEqual(names(text), ["A", ".a", "B", ".b"])
  })

  it("an unclosed bracket of a constant is one error", () => {
    const text = "const list<i32> A = [1, 2\nconst i32 B = 1\nstruct C {}"
    assert.deepStrictEqual(errors(text), ["1:21 E_SYNTAX this bracket is never closed"])
    assert.deepStrictEqual(names(text), ["B", "C"])
  })

  it("an unclosed parenthesis is one error", () => {
    const text = "service S {\n  void f(1: i32 a,\n  oneway void g(1: i32 a)\n  void h()\n}"
    assert.deepStrictEqual(errors(text), ["2:9 E_SYNTAX this parenthesis is never closed"])
    assert.deepStrictEqual(names(text), ["S", ".g", ".h"])
  })

  it("keeps the first hundred errors, then says so and stops", () => {
    const { diagnostics, document } = parse("struct A { 1: }\n".repeat(200))
    assert.strictEqual(diagnostics.length, 101)
    assert.strictEqual(diagnostics[100]!.code, "E_LIMIT")
    assert.match(diagnostics[100]!.message, /more than 100 syntax errors/)
    assert.ok(document.definitions.length <= 102)
  })
})

describe("limits", () => {
  const nested = (open: string, inner: string, close: string, depth: number) =>
    open.repeat(depth) + inner + close.repeat(depth)

  it("types are nested 64 deep at most", () => {
    assert.deepStrictEqual(errors(`struct A { 1: ${nested("list<", "i32", ">", 64)} a }`), [])
    const found = errors(`struct A { 1: ${nested("list<", "i32", ">", 65)} a\n 2: i32 }`)
    assert.deepStrictEqual(
      found.map((line) => line.replace(/^\S+ /, "")),
      ["E_LIMIT types are nested more than 64 deep", "E_SYNTAX expected a field name, found `}`"]
    )
  })

  it("values are nested 64 deep at most", () => {
    assert.deepStrictEqual(errors(`const T A = ${nested("[", "1", "]", 64)}`), [])
    assert.match(errors(`const T A = ${nested("[", "1", "]", 65)}`)[0]!, /E_LIMIT values are nested more than 64 deep/)
    assert.match(
      errors(`const T A = ${nested("{1:", "1", "}", 65)}`)[0]!,
      /E_LIMIT values are nested more than 64 deep/
    )
  })

  it("a file that is too long is not read", () => {
    const { diagnostics, document } = parse(" ".repeat(2 ** 27 + 1))
    assert.deepStrictEqual(
      diagnostics.map(({ code }) => code),
      ["E_LIMIT"]
    )
    assert.strictEqual(document.definitions.length, 0)
  })
})
