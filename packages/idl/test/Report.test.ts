import { assert, describe, it } from "@effect/vitest"
import * as Checker from "../src/Checker.ts"
import * as Diagnostic from "../src/Diagnostic.ts"
import * as Loader from "../src/Loader.ts"
import * as Report from "../src/Report.ts"

const diagnose = (files: Readonly<Record<string, string>>) =>
  Checker.compile(["main.thrift"], { read: Loader.fromRecord(files) }).diagnostics

const lines = (...all: ReadonlyArray<string>): string => all.join("\n")

/** The frame of a span that is marked with « and ». */
const frameOf = (marked: string, width = 60): ReadonlyArray<string> => {
  const start = marked.indexOf("«")
  const end = marked.indexOf("»") - 1
  const source = { path: "a.thrift", text: marked.replaceAll(/[«»]/g, "") }
  const text = Report.pretty([Diagnostic.make("E_SYNTAX", source, { start, end }, "no")], { color: false, width })
  return text.split("\n").slice(2, 4)
}

describe("Report.pretty", () => {
  it("shows the line, carets, other places and a hint, and counts", () => {
    const diagnostics = diagnose({
      "main.thrift":
        'include "base.thrift"\n\n\n\n\n\n\n\n\nservice Echo {\n  base.Response Echo (1: base.Request req) (streaming.mode="bidi"),\n  void f(1: i32 a, 1: i32 b)\n}\n',
      "base.thrift": "struct Request {}\nstruct Response { string a }\n"
    })
    assert.strictEqual(
      Report.pretty(diagnostics, { color: false, width: 100 }),
      lines(
        'base.thrift:2:26 - warning W_IMPLICIT_ID: field "a" has no id: it gets 1 here and in Kitex, and another one in Apache Thrift',
        "  |",
        "2 | struct Response { string a }",
        "  |                          ^",
        "  = included from main.thrift:1:9",
        "  = hint: write 1: before it",
        "",
        "main.thrift:11:60 - error E_STREAM_MODE: invalid value (bidi) for annotation streaming.mode",
        "   |",
        '11 |   base.Response Echo (1: base.Request req) (streaming.mode="bidi"),',
        "   |                                                            ^^^^^^",
        '   = hint: it is one of bidirectional, client, server, unary; did you mean "bidirectional"?',
        "",
        'main.thrift:12:20 - error E_DUP_FIELD_ID: duplicated field ID 1 in the arguments of "f"',
        "   |",
        "12 |   void f(1: i32 a, 1: i32 b)",
        "   |                    ^",
        "   = first declared here: main.thrift:12:17",
        "",
        "2 errors, 1 warning"
      )
    )
  })

  it("is empty where nothing was found", () => assert.strictEqual(Report.pretty([], { color: true, width: 80 }), ""))

  it("has no line for a file that is missing", () => {
    assert.strictEqual(
      Report.pretty(Checker.compile(["gone.thrift"], { read: Loader.fromRecord({}) }).diagnostics, {
        color: false,
        width: 80
      }),
      lines("gone.thrift - error E_INCLUDE: gone.thrift is not found", "", "1 error, 0 warnings")
    )
  })

  it("colours with ANSI", () => {
    assert.strictEqual(
      Report.pretty(diagnose({ "main.thrift": "struct A { 1: B b }" }), { color: true, width: 80 }),
      lines(
        '\x1b[36mmain.thrift:1:15\x1b[0m - \x1b[31merror E_UNDEFINED\x1b[0m: undefined type: "B"',
        "\x1b[34m  |\x1b[0m",
        "\x1b[34m1 |\x1b[0m struct A { 1: B b }",
        "\x1b[34m  |\x1b[0m               \x1b[31m^\x1b[0m",
        "",
        "1 error, 0 warnings"
      )
    )
  })

  it("keeps tabs before the carets", () => {
    assert.deepStrictEqual(frameOf("\tstruct\t«B» x"), ["1 | \tstruct\tB x", "  | \t      \t^"])
  })

  it("counts wide characters as two columns, and marks as none", () => {
    assert.deepStrictEqual(frameOf('a = "中文é" «名字» x'), ['1 | a = "中文é" 名字 x', "  |             ^^^^"])
    assert.deepStrictEqual(frameOf('"e\u0301😀" «x»'), ['1 | "e\u0301😀" x', "  |       ^"])
  })

  it("shows the first line of a span of many, without its end", () => {
    assert.deepStrictEqual(frameOf("x «struct A {\r\n 1: i32 a\r\n}» y"), ["1 | x struct A {", "  |   ^^^^^^^^^^"])
  })

  it("points behind the last character where a span is empty or at the end", () => {
    assert.deepStrictEqual(frameOf("struct A«»\nx"), ["1 | struct A", "  |         ^"])
    assert.deepStrictEqual(frameOf("struct A«\n»x"), ["1 | struct A", "  |         ^"])
  })

  it("cuts a long line around the span to the width", () => {
    const line = `${"a".repeat(100)} «here» ${"b".repeat(100)}`
    const [text, carets] = frameOf(line, 60)
    assert.strictEqual(text!.length, 60)
    assert.strictEqual(text, `1 | …${"a".repeat(17)} here ${"b".repeat(31)}…`)
    assert.strictEqual(carets, `  | ${" ".repeat(19)}^^^^`)
    assert.deepStrictEqual(frameOf(`«here» ${"b".repeat(100)}`, 30), ["1 | here bbbbbbbbbbbbbbbbbbb…", "  | ^^^^"])
    assert.deepStrictEqual(frameOf(`${"b".repeat(100)} «here»`, 30), [
      "1 | …bbbbbbbbbbbbbbbbbbb here",
      `  | ${" ".repeat(21)}^^^^`
    ])
    const [wide] = frameOf(`${"中".repeat(100)}«x»${"文".repeat(100)}`, 40)
    assert.isAtMost(
      [...wide!].reduce((sum, character) => sum + (character > "\u2fff" ? 2 : 1), 0),
      40
    )
  })

  it("never sends controls of a text to the terminal", () => {
    assert.deepStrictEqual(frameOf("\x1b[31mred «x»\u202e"), ["1 | \ufffd[31mred x\ufffd", "  |          ^"])
    const message = Report.pretty(
      diagnose({ "main.thrift": 'struct R {} service S { R f(1: R r) (streaming.mode="a\n\x1bb") }' }),
      {
        color: false,
        width: 200
      }
    )
    assert.notInclude(message, "\x1b")
    assert.include(message, "invalid value (a\ufffd\ufffdb) for")
  })

  it("takes little time for a very long line with many findings", () => {
    const text = `struct A { ${Array.from({ length: 5000 }, (_, i) => `1: B${i} b, `).join("")} }`
    const diagnostics = diagnose({ "main.thrift": text })
    assert.isAbove(diagnostics.length, 5000)
    assert.include(Report.pretty(diagnostics, { color: false, width: 80 }), `${diagnostics.length} errors`)
  })
})

describe("Report.json", () => {
  it("has places from 1 and other places", () => {
    assert.deepStrictEqual(
      JSON.parse(Report.json(diagnose({ "main.thrift": "struct A {}\nstruct A { 1: Foo b }\nstruct Fo {}" }))),
      [
        {
          code: "E_DUP_NAME",
          severity: "error",
          message: "duplicated names in global scope: A",
          file: "main.thrift",
          start: { line: 2, column: 8 },
          end: { line: 2, column: 9 },
          related: [
            {
              message: "first declared here",
              file: "main.thrift",
              start: { line: 1, column: 8 },
              end: { line: 1, column: 9 }
            }
          ]
        },
        {
          code: "E_UNDEFINED",
          severity: "error",
          message: 'undefined type: "Foo"',
          file: "main.thrift",
          start: { line: 2, column: 15 },
          end: { line: 2, column: 18 },
          related: [],
          hint: 'did you mean "Fo"?'
        }
      ]
    )
  })

  it("is an empty array where nothing was found", () => assert.strictEqual(Report.json([]), "[]"))
})

describe("Report.github", () => {
  it("is one workflow command a line", () => {
    assert.strictEqual(
      Report.github(diagnose({ "main.thrift": "struct A {}\nstruct A { i32 b }" })),
      lines(
        "::error file=main.thrift,line=2,col=8,endLine=2,endColumn=9,title=E_DUP_NAME::duplicated names in global scope: A%0Afirst declared here: main.thrift:1:8",
        '::warning file=main.thrift,line=2,col=16,endLine=2,endColumn=17,title=W_IMPLICIT_ID::field "b" has no id: it gets 1 here and in Kitex, and another one in Apache Thrift%0Ahint: write 1: before it'
      )
    )
  })

  it("escapes what would end a property or the line", () => {
    const source = { path: "a,b:c%\n.thrift", text: "x" }
    assert.strictEqual(
      Report.github([Diagnostic.make("E_SYNTAX", source, { start: 0, end: 1 }, "50%\r\n::stop")]),
      "::error file=a%2Cb%3Ac%25%0A.thrift,line=1,col=1,endLine=1,endColumn=2,title=E_SYNTAX::50%25%0D%0A::stop"
    )
  })
})
