import { assert, describe, it } from "@effect/vitest"
import type * as Ast from "../src/Ast.ts"
import { errors, right } from "./parsing.ts"

const only = (text: string): Ast.Definition => {
  const { definitions } = right(text)
  assert.strictEqual(definitions.length, 1)
  return definitions[0]!
}

const fields = (text: string): ReadonlyArray<Ast.Field> => {
  const definition = only(`struct A { ${text} }`)
  assert.ok(definition.tag === "Struct")
  return definition.fields
}

const constant = (text: string): Ast.Value => {
  const definition = only(`const T X = ${text}`)
  assert.ok(definition.tag === "Const")
  return definition.value
}

/** A type or a value in short. */
const brief = (node: Ast.Type | Ast.Value): string => {
  switch (node.tag) {
    case "BaseType":
      return node.name
    case "NamedType":
      return `:${node.name.text}`
    case "ListType":
      return `list<${brief(node.element)}>`
    case "SetType":
      return `set<${brief(node.element)}>`
    case "MapType":
      return `map<${brief(node.key)}, ${brief(node.value)}>`
    case "IntValue":
      return `${node.value}n`
    case "DoubleValue":
      return `${node.value}`
    case "Literal":
      return JSON.stringify(node.text)
    case "NameValue":
      return node.name.text
    case "ListValue":
      return `[${node.items.map(brief).join(" ")}]`
    case "MapValue":
      return `{${node.entries.map(({ key, value }) => `${brief(key)}: ${brief(value)}`).join(" ")}}`
  }
}

describe("Parser.parse", () => {
  describe("headers", () => {
    it("reads includes and namespaces in their order", () => {
      const { headers } = right(`include "a.thrift" cpp_include 'b' namespace go a.b (x = "y") namespace * c`)
      assert.deepStrictEqual(
        headers.map((header) =>
          header.tag === "Include"
            ? [header.path.text, header.isCpp]
            : [header.scope.text, header.name.text, header.annotations.length]
        ),
        [
          ["a.thrift", false],
          ["b", true],
          ["go", "a.b", 1],
          ["*", "c", 0]
        ]
      )
    })

    it.each(["", "\ufeff", " \t\v\r\n", "// x", "/* x */", "# x"])("accepts a file of nothing: %j", (text) => {
      const document = right(text)
      assert.deepStrictEqual(document.definitions, [])
      assert.strictEqual(document.end, text.length)
    })
  })

  describe("types", () => {
    it.each([
      ["i8", "i8"],
      ["byte", "byte"],
      ["list<map<string, set<i64>>>", "list<map<string, set<i64>>>"],
      ["list < map < binary , double > >", "list<map<binary, double>>"],
      ["map cpp_type 'x' <bool, i16>", "map<bool, i16>"],
      ['set cpp_type "x" <i32>', "set<i32>"],
      ["list<i32> cpp_type 'y'", "list<i32>"],
      ["list", ":list"],
      ["map", ":map"],
      ["cpp_type", ":cpp_type"],
      ["listOf", ":listOf"],
      ["stringy", ":stringy"],
      ["list.x", ":list.x"],
      ["base.Request", ":base.Request"],
      ["requiredFoo", ":requiredFoo"],
      ["optional_", ":optional_"],
      ["uuid", ":uuid"],
      ["slist", ":slist"]
    ])("%s", (written, expected) => {
      assert.strictEqual(brief(fields(`1: ${written} a`)[0]!.type), expected)
    })

    it("keeps cpp_type and annotations of each use", () => {
      const [field] = fields(`1: list<string (a = "b")> cpp_type "c" (d = "e") x (f = "g", f = "h")`)
      const type = field!.type
      assert.ok(type.tag === "ListType")
      assert.strictEqual(type.cppType?.text, "c")
      const pairs = (node: Pick<Ast.Field, "annotations">) =>
        node.annotations.map(({ key, value }) => `${key.text}=${value.text}`)
      assert.deepStrictEqual([type.element, type, field!].map(pairs), [["a=b"], ["d=e"], ["f=g", "f=h"]])
    })

    it.each(["i32.x", "string.A", "list<>", "map<i32>", "set<i32", "list cpp_type 'x' <i32>"])(
      "rejects %s",
      (written) => {
        assert.strictEqual(errors(`struct A { 1: ${written} a }`).length, 1)
      }
    )
  })

  describe("fields", () => {
    it.each([
      ["1: string a", 1],
      ["-1: string a", -1],
      ["+1: string a", 1],
      ["017: string a", 17],
      ["0: string a", 0],
      ["32768: string a", 32768],
      ["0x10: string a", Number.NaN],
      ["0o17: string a", Number.NaN],
      ["string a", undefined]
    ])("the id of %s", (text, id) => {
      assert.deepStrictEqual(fields(text)[0]!.id?.value, id)
    })

    it("takes separators or none, words of the language as names, and defaults", () => {
      const found = fields(
        "1: string string, 2: i32 list; 3: bool required 4: required i32 struct optional service x = 1 i32 optional"
      )
      assert.deepStrictEqual(
        found.map(({ default: value, name, requiredness, type }) => [
          requiredness?.text,
          brief(type),
          name.text,
          value && brief(value)
        ]),
        [
          [undefined, "string", "string", undefined],
          [undefined, "i32", "list", undefined],
          [undefined, "bool", "required", undefined],
          ["required", "i32", "struct", undefined],
          ["optional", ":service", "x", "1n"],
          [undefined, "i32", "optional", undefined]
        ]
      )
    })

    it("ends a number where thriftgo does", () => {
      assert.deepStrictEqual(
        fields("1: i32 a = 0b c").map(({ name, type }) => [brief(type), name.text]),
        [
          ["i32", "a"],
          [":b", "c"]
        ]
      )
    })
  })

  describe("values", () => {
    it.each([
      ["0", "0n"],
      ["-1", "-1n"],
      ["+5", "5n"],
      ["0x1F", "31n"],
      ["0xff", "255n"],
      ["0o17", "15n"],
      ["017", "15n"],
      ["-017", "-15n"],
      ["00", "0n"],
      ["9223372036854775807", "9223372036854775807n"],
      ["-9223372036854775808", "-9223372036854775808n"],
      ["9007199254740993", "9007199254740993n"],
      ["0x7fffffffffffffff", "9223372036854775807n"],
      ["1.5", "1.5"],
      [".5", "0.5"],
      ["-.5", "-0.5"],
      ["+1.25", "1.25"],
      ["1e10", "10000000000"],
      ["1.5E-3", "0.0015"],
      ["1e+2", "100"],
      ["''", '""'],
      ["[]", "[]"],
      ["[1, 2; 3 4]", "[1n 2n 3n 4n]"],
      ["[1e]", "[1n e]"],
      ["[0b1]", "[0n b1]"],
      ["[0o17.1.5]", "[15n 0.1 0.5]"],
      ["{}", "{}"],
      ["{'a': 1, \"b\": [A]; 3: {x: y} 4: true}", '{"a": 1n "b": [A] 3n: {x: y} 4n: true}'],
      ["a.b.C", "a.b.C"]
    ])("%s", (written, expected) => {
      assert.strictEqual(brief(constant(written)), expected)
    })

    it.each([
      [`"a'b"`, "a'b"],
      [`'a"b'`, 'a"b'],
      [String.raw`"a\"b"`, 'a"b'],
      [String.raw`'a\'b'`, "a'b"],
      [String.raw`"a\'b"`, String.raw`a\'b`],
      [String.raw`"a\n\t\\"`, String.raw`a\n\t\\`],
      [String.raw`"\\\""`, String.raw`\\"`],
      [`"a\r\nb"`, "a\r\nb"],
      ['"中文 😀"', "中文 😀"],
      ['"// no # comment /*"', "// no # comment /*"]
    ])("the text of %s", (written, text) => {
      const value = constant(written)
      assert.ok(value.tag === "Literal")
      assert.strictEqual(value.text, text)
      assert.strictEqual(value.quote, written[0])
    })
  })

  describe("definitions", () => {
    it("reads every kind", () => {
      const { definitions } = right(`
        typedef i32 T (a = "b")
        const i32 C = 1;
        enum E { A, B = 2 (x = "y"); C = -5 D = 0xFF E } ()
        struct S { 1: i32 a } union U {} exception X {}
        service A {} service B extends base.A { oneway void f(), i32 g(1: i32 a) throws (1: X x) (k = "v") void void() }
      `)
      assert.deepStrictEqual(
        definitions.map((node) => `${node.tag === "Struct" ? node.kind : node.tag} ${node.name.text}`),
        ["Typedef T", "Const C", "Enum E", "struct S", "union U", "exception X", "Service A", "Service B"]
      )
    })

    it("reads enums", () => {
      const definition = only(`enum E { A, B = 2 (x = "y"); C = -5 D = 0xFF E = 1e5 } (z = "")`)
      assert.ok(definition.tag === "Enum")
      assert.deepStrictEqual(
        definition.members.map(({ annotations, name, value }) => [name.text, value?.value, annotations.length]),
        [
          ["A", undefined, 0],
          ["B", 2n, 1],
          ["C", -5n, 0],
          ["D", 255n, 0],
          ["E", 1n, 0],
          ["e5", undefined, 0]
        ]
      )
      assert.strictEqual(definition.annotations.length, 1)
    })

    it("reads functions", () => {
      const definition = only(
        `service S extends a.b.S { oneway void f(); R (x = "y") g(R r = 1, 2: optional i32 b) throws (1: E e) (m = "") ` +
          "void h() throws () void i() throws j() }"
      )
      assert.ok(definition.tag === "Service")
      assert.strictEqual(definition.extends?.text, "a.b.S")
      assert.deepStrictEqual(
        definition.functions.map((node) => [
          node.oneway !== undefined,
          node.result && brief(node.result),
          node.name.text,
          node.arguments.length,
          node.throwsSpan && node.throws.length,
          node.annotations.length
        ]),
        [
          [true, undefined, "f", 0, undefined, 0],
          [false, ":R", "g", 2, 1, 1],
          [false, undefined, "h", 0, 0, 0],
          [false, undefined, "i", 0, undefined, 0],
          [false, ":throws", "j", 0, undefined, 0]
        ]
      )
    })

    it.each(["struct struct {}", "enum enum { enum }", "service service { void void() }", "typedef typedef typedef"])(
      "reserves no word: %s",
      (text) => {
        assert.strictEqual(right(text).definitions.length, 1)
      }
    )
  })

  it("gives every node its place", () => {
    const text = `namespace go a\nstruct A { 1: required list<i32> b = [1] (c = "d"), } (e = "f")\nservice S { oneway void f (1: i32 a) throws (1: E e); }`
    const { definitions, headers } = right(text)
    const [struct, service] = definitions
    assert.ok(struct?.tag === "Struct" && service?.tag === "Service")
    const [field] = struct.fields
    const [function_] = service.functions
    const places = [
      headers[0],
      struct,
      struct.name,
      struct.annotationsSpan,
      field,
      field?.id,
      field?.requiredness,
      field?.type,
      field?.name,
      field?.default,
      field?.annotations[0],
      field?.annotations[0]?.value,
      function_,
      function_?.oneway,
      function_?.argumentsSpan,
      function_?.throwsSpan
    ]
    assert.deepStrictEqual(
      places.map((node) => text.slice(node?.start, node?.end)),
      [
        "namespace go a",
        `struct A { 1: required list<i32> b = [1] (c = "d"), } (e = "f")`,
        "A",
        `(e = "f")`,
        `1: required list<i32> b = [1] (c = "d")`,
        "1",
        "required",
        "list<i32>",
        "b",
        "[1]",
        `c = "d"`,
        `"d"`,
        "oneway void f (1: i32 a) throws (1: E e)",
        "oneway",
        "(1: i32 a)",
        "throws (1: E e)"
      ]
    )
  })

  describe("comments", () => {
    it("keeps all of them in their order", () => {
      const text = "# a\n/* b */ struct /* c */ A // d\n{ // e\n 1: /* f */ i32 a /* g */ , // h\n} // i\n// j"
      const { comments } = right(text)
      assert.deepStrictEqual(
        comments.map(({ end, start }) => text.slice(start, end)),
        ["# a", "/* b */", "/* c */", "// d", "// e", "/* f */", "/* g */", "// h", "// i", "// j"]
      )
    })

    const docs = (text: string): ReadonlyArray<readonly [string, string | undefined]> =>
      right(text).definitions.flatMap((node): ReadonlyArray<readonly [string, string | undefined]> => {
        const inner: ReadonlyArray<{ readonly name: Ast.Name; readonly doc: string | undefined }> =
          node.tag === "Struct"
            ? node.fields
            : node.tag === "Enum"
              ? node.members
              : node.tag === "Service"
                ? node.functions
                : []
        return [node, ...inner].map(({ doc, name }) => [name.text, doc])
      })

    it.each<readonly [string, string, ReadonlyArray<readonly [string, string | undefined]>]>([
      ["before", "// a\nstruct A {}", [["A", "a"]]],
      ["in the same line", "/** a */ struct A {}", [["A", "a"]]],
      ["several", "# a\n/* b\n * c */\n// d\nstruct A {}", [["A", "a\nb\nc\nd"]]],
      ["not over a blank line", "// a\n\n// b\nstruct A {}", [["A", "b"]]],
      ["not behind one", "// a\n\nstruct A {}", [["A", undefined]]],
      ["indentation", "/**\n * a\n *   b\n *\n * c\n */\nstruct A {}", [["A", "a\n  b\n\nc"]]],
      ["without stars", "/*\n   a\n     b\n*/\nstruct A {}", [["A", "a\n  b"]]],
      ["lines together", "// a\n//   b\nstruct A {}", [["A", "a\n  b"]]],
      ["CRLF", "/**\r\n * a\r\n * b\r\n */\r\nstruct A {}", [["A", "a\nb"]]],
      ["empty", "/***/ struct A {}", [["A", undefined]]],
      [
        "behind a member",
        "enum E {\n A, // a\n /* b */ B // not b\n C /* c */, D\n // e\n E }",
        [
          ["E", undefined],
          ["A", "a"],
          ["B", "b"],
          ["C", "c"],
          ["D", undefined],
          ["E", "e"]
        ]
      ],
      [
        "between members in one line",
        "struct A { 1: i32 a, /* b */ 2: i32 b, 3: i32 c /* c */ }",
        [
          ["A", undefined],
          ["a", undefined],
          ["b", "b"],
          ["c", "c"]
        ]
      ],
      [
        "behind the brace",
        "struct A { // not a\n 1: i32 a\n}",
        [
          ["A", undefined],
          ["a", undefined]
        ]
      ],
      [
        "two behind",
        "const i32 A = 1 /* a */ // b\nconst i32 B = 2",
        [
          ["A", "a\nb"],
          ["B", undefined]
        ]
      ],
      [
        "functions",
        "service S {\n // f\n void f()\n void g() // g\n}",
        [
          ["S", undefined],
          ["f", "f"],
          ["g", "g"]
        ]
      ]
    ])("documents: %s", (_, text, expected) => {
      assert.deepStrictEqual(docs(text), expected)
    })

    it.each([
      ["// licence\n// two\n\nnamespace go a", "licence\ntwo"],
      ["/* about */\n\n// a\nstruct A {}", "about"],
      ["// a\nnamespace go a", undefined],
      ["namespace go a\n// a\n\nstruct A {}", undefined]
    ])("the doc of the file: %j", (text, doc) => {
      assert.strictEqual(right(text).doc, doc)
    })
  })
})
