import { assert, describe, it } from "@effect/vitest"
import { errors, parse, right } from "./parsing.ts"

/** What is wrong with a text, with the hints. */
const hinted = (text: string): ReadonlyArray<string> => {
  const { diagnostics } = parse(text)
  return errors(text).map((line, index) => `${line.replace(" E_SYNTAX", "")}; ${diagnostics[index]!.hint}`)
}

/** The names of the fields or functions of the first definition. */
const inner = (text: string): ReadonlyArray<string> => {
  const [node] = parse(text).document.definitions
  const items = node?.tag === "Struct" ? node.fields : node?.tag === "Service" ? node.functions : []
  return items.map(({ name }) => name.text)
}

describe("a misspelled word before the type of a field", () => {
  it.each<readonly [string, string, ReadonlyArray<string>]>([
    ["struct A {\n  1: i32 a\n  2: reqired string b\n  3: string c\n}", "3:6 reqired required", ["a", "c"]],
    ["struct A {\n  2: i32 b\n  3: Optional string c\n}", "3:6 Optional optional", ["b"]],
    ["struct A {\n  reqired list<string> b = []\n  3: string c\n}", "2:3 reqired required", ["c"]],
    ["struct A { 1: optinal List<string> b, 3: string c }", "1:15 optinal optional", ["c"]],
    ["exception A { 1: requried base.B b; 3: string c }", "1:18 requried required", ["c"]]
  ])("%j", (text, expected, names) => {
    const [place, found, meant] = expected.split(" ")
    assert.deepStrictEqual(hinted(text), [
      `${place} expected \`required\` or \`optional\`, found \`${found}\`; did you mean \`${meant}\`?`
    ])
    assert.deepStrictEqual(inner(text), names)
  })

  it("is a type where another field begins behind the name", () => {
    const text = "struct A { Required a string b Option c Required d list<i32> e }"
    right(text)
    assert.deepStrictEqual(inner(text), ["a", "b", "c", "d", "e"])
    right("struct A {\n  1: Required a\n  string b\n}")
    const xsd = "struct A { 1: Required a xsd_optional }"
    assert.deepStrictEqual(
      parse(xsd, { compat: "apache" }).diagnostics.map(({ code }) => code),
      ["W_APACHE"]
    )
  })
})

describe("words and characters that were meant in another way", () => {
  it.each<readonly [string, ReadonlyArray<string>]>([
    ["strcut A {}", ["1:1 expected a definition, found `strcut`; did you mean `struct`?"]],
    ["Enum A {}", ["1:1 expected a definition, found `Enum`; did you mean `enum`?"]],
    ["import 'a.thrift'\ninclude 'b.thrift'", ["1:1 expected a definition, found `import`; did you mean `include`?"]],
    [
      "interface A {}",
      [
        "1:1 expected a definition, found `interface`; a definition begins with const, typedef, enum, struct, union, exception or service"
      ]
    ],
    [
      "struct A {\n  1: List<i32> a\n  2: Map<string, Set<i32>> b\n  3: i32 c\n}",
      [
        "2:6 expected a type, found `List<`; did you mean `list<`?",
        "3:6 expected a type, found `Map<`; did you mean `map<`?",
        "3:18 expected a type, found `Set<`; did you mean `set<`?"
      ]
    ],
    ["struct A { 1：string a }", ["1:13 `：` means nothing to Thrift; write `:` in its place"]],
    ["struct A {\n  1: string a，\n  2: i32 b\n}", ["2:14 `，` means nothing to Thrift; write `,` in its place"]],
    ["struct A {\n  1: string a；\n  2: i32 b\n}", ["2:14 `；` means nothing to Thrift; write `;` in its place"]],
    ["enum A {\n  B、\n  C\n}", ["2:4 `、` means nothing to Thrift; write `,` in its place"]],
    ["service S {\n  void f（1: i32 a）\n}", ["2:9 `（` means nothing to Thrift; write `(` in its place"]],
    ["const string A = “a”", ['1:18 `“` means nothing to Thrift; write `"` in its place']],
    ["const string A = ‘a’", ["1:18 `‘` means nothing to Thrift; write `'` in its place"]],
    ["struct A { 1: i32 a (b = ”c”) }", ['1:26 `”` means nothing to Thrift; write `"` in its place']],
    [
      "include base.thrift\nstruct A {}",
      ['1:8 expected the path of the file in quotes, found `base.thrift`; put it in quotes: `include "base.thrift"`']
    ],
    [
      "include ../a-b.thrift // c",
      ['1:8 expected the path of the file in quotes, found `.`; put it in quotes: `include "../a-b.thrift"`']
    ],
    ["include a = 'a.thrift'", ["1:8 expected the path of the file in quotes, found `a`; undefined"]]
  ])("%j", (text, expected) => {
    assert.deepStrictEqual(hinted(text), expected)
  })

  it("reads `List<…>` as what it means", () => {
    assert.deepStrictEqual(inner("struct A { 1: List<i32> a, 2: Map<string, List<i32>> b, 3: i32 c }"), ["a", "b", "c"])
    assert.deepStrictEqual(inner("service S { List<i32> f(), Set<string> g() }"), ["f", "g"])
  })
})

describe("one error for one mistake", () => {
  it.each<readonly [string, ReadonlyArray<string>]>([
    ["struct A { required 1: string a }", ["1:21 the field id comes before `required`; write it as in `1: required`"]],
    ["const i32 Y = \nconst i32 Z = 1", ["1:14 expected a value, found `const`; undefined"]],
    [
      "namespace go a/b\nnamespace py c\nstruct A {}",
      ["1:15 `/` cannot be part of a name; names are of A-Z, a-z, 0-9, _ and ."]
    ],
    [
      "struct {}\nnamespace py c",
      [
        "1:7 expected the name of the struct, found `{`; undefined",
        "2:1 includes and namespaces come before all definitions; move it to the head of the file"
      ]
    ]
  ])("%j", (text, expected) => {
    assert.deepStrictEqual(hinted(text), expected)
  })

  it("reads on behind a value that is missing, and behind an id in the wrong place", () => {
    const { definitions } = parse("const i32 Y =\nconst i32 Z = 1\nstruct A { required 1: string a }").document
    assert.deepStrictEqual(
      definitions.map(({ name }) => name.text),
      ["Z", "A"]
    )
    const [, struct] = definitions
    assert.deepStrictEqual(struct?.tag === "Struct" && struct.fields.map(({ id }) => id?.value), [1])
  })

  it.each<readonly [string, string, ReadonlyArray<string>]>([
    ["the next one in quotes is another's", '  R g() (b = "client")\n  R h()\n}', ["f", "g", "h"]],
    ["the next one in quotes has words", '  R g() (b = "one, (two)")\n  R h()\n}', ["f", "g", "h"]],
    ["the next one in quotes looks like an annotation", '  R g() (b = "x=1, y=2")\n  R h()\n}', ["f", "g", "h"]],
    ["the next one in quotes is empty", '  R g() (b = "")\n  R h()\n}', ["f", "g", "h"]],
    ["a comment has quotes", '  // a "good" one\n  R h()\n}', ["f", "h"]],
    ["no quote follows", "  R h()\n}\nstruct A { 1: i32 a }", ["f", "h"]]
  ])("a string in annotations that is not closed: %s", (_, rest, names) => {
    const text = `service S {\n  R f(1: R r) (streaming.mode="server)\n${rest}`
    assert.deepStrictEqual(hinted(text), ['2:31 unterminated string; close it with "'])
    assert.deepStrictEqual(inner(text), names)
  })

  it("a string in annotations may still span lines", () => {
    for (const behind of ["", ", ", " ; ", " // c\n", ' c = "d"', "c='d'", ' c /* = */ = "d"', " # c\n c = 'd'"]) {
      right(`struct A { 1: i32 a (b = "x\ny"${behind}) }`)
      right(`struct A { 1: i32 a (\n  b = 'x\n\n"y"'${behind}\n)\n  2: i32 b (c = "d")\n}`)
    }
    assert.strictEqual(parse(`struct A { 1: i32 a (b = "x\ny" c, d) }`, { compat: "apache" }).diagnostics.length, 2)
  })
})
