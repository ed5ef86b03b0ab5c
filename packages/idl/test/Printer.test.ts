import { assert, describe, it } from "@effect/vitest"
import * as Printer from "../src/Printer.ts"
import { cases, generator, meaning, parse, right } from "./parsing.ts"

const print = (text: string): string => Printer.print({ path: "test.thrift", text }, right(text))

/** How many braces open and close before each comment. */
const bracesBefore = (text: string): ReadonlyArray<string> => {
  let [opened, closed] = [0, 0]
  const places: Array<string> = []
  for (const [token] of text.matchAll(
    /\/\*[^]*?\*\/|(?:\/\/|#)[^\r\n]*|"(?:\\[^]|[^"\\])*"|'(?:\\[^]|[^'\\])*'|[{}]/g
  )) {
    if (token === "{") opened++
    else if (token === "}") closed++
    else if (/^[/#]/.test(token)) places.push(`${opened} ${closed}`)
  }
  return places
}

const assertStable = (text: string): void => {
  const printed = print(text)
  assert.strictEqual(print(printed), printed, `not stable: ${JSON.stringify(text)}`)
  assert.deepStrictEqual(meaning(right(printed)), meaning(right(text)), JSON.stringify(text))
  assert.deepStrictEqual(bracesBefore(printed), bracesBefore(text), JSON.stringify(text))
  assert.strictEqual(right(printed).comments.length, right(text).comments.length, JSON.stringify(text))
}

const sample = `namespace go a.b
include "x"
struct A {
  1: string a,
  2: required list<map<string, i32>> cpp_type 'x' b = [1, 2; 3, {"a": 4}] (a = 'b', c = "d"; e = 'it"s')
  i32 z ; i32 y
} (x = 'y')
union U {} exception X { 1: string m (a = "b") ; }
enum E { A, B = 2 (x = "y"); C = 0x10 } ( )
const i32 X = 1 ; const string Y = "q'q" typedef map cpp_type "z" < string , set < i32 > > T ( a = "b" )
service S extends base.S {
  R f ( 1 : R r ) throws ( 1 : E e ) ( streaming.mode = "client" ) , oneway void g ( 1: i32 a , 2: i32 b ) ;
  R h () list<i32> k ( ) throws ( )
}
`

/** Where white space and comments may stand in the sample. */
const places = /\s+|(?<=[(){}<>,;:=[\]])|(?=[(){}<>,;:=[\]])/g

const trivia = [
  " /* c */ ",
  " // c\n",
  "\n",
  "\n\n",
  " /** d\n * e\n */ ",
  "/* x\n     y */",
  "# h\r\n",
  "//\n",
  "/**/",
  "/* \n\n */",
  "\r\n",
  "/// s\n",
  "   "
]

describe("Printer.print", () => {
  it("prints the house form", () => {
    assert.strictEqual(
      print(`// licence

namespace   go a.b// x
include 'x'
# A
/* more
 * lines
   */
struct   A{// about
  /** the a */1:string a,// behind a
  2: required list<map<string,i32 /*int*/> /* close */>cpp_type 'x' b=[1,2;3 // three
  , 4] (a='b', c="d\\"e" // last
  )


  // own
  i32 z /* zz */, /* of y */ i32 y
  // the end
} (x='y') // end
enum E{A,B=2 // bee
 C=0x10}
enum Empty{} union Comment { /* nothing */ }
const map<string,list<i32>> LONG = {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa":[1,2,3],"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb":[4,5,6]}
const i32 X = 1 // x
const i32 Y = 2;
typedef i32 T ()
service S extends base.S {

 // f
 R f(1:R r) throws(1:E e)(streaming.mode="client"), void g ( // args
   1: i32 a, // the a
   // before b
   2: i32 b /* bb */)
 oneway void h(1: string aaaaaaaaaaaaaaaaaaaaaaaaaa, 2: string bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, 3: string cccccccccccccccc)

}
// end`),
      `// licence

namespace go a.b // x
include "x"

# A
/* more
 * lines
 */
struct A { // about
  /** the a */
  1: string a // behind a
  2: required list<map<string, i32 /*int*/> /* close */> cpp_type "x" b = [
    1,
    2,
    3, // three
    4
  ] (a = "b", c = 'd"e' /* last */)

  // own
  i32 z /* zz */
  /* of y */
  i32 y
  // the end
} (x = "y") // end

enum E {
  A
  B = 2 // bee
  C = 0x10
}

enum Empty {}

union Comment {
  /* nothing */
}

const map<string, list<i32>> LONG = {
  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": [1, 2, 3],
  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb": [4, 5, 6]
}
const i32 X = 1 // x
const i32 Y = 2
typedef i32 T

service S extends base.S {
  // f
  R f(1: R r) throws (1: E e) (streaming.mode = "client")
  void g( // args
    1: i32 a, // the a
    // before b
    2: i32 b /* bb */
  )
  oneway void h(
    1: string aaaaaaaaaaaaaaaaaaaaaaaaaa,
    2: string bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb,
    3: string cccccccccccccccc
  )
}
// end
`
    )
  })

  it.each([
    ["", ""],
    ["\ufeff", ""],
    ["\n\n// a\n\n\n\n// b\n\n", "// a\n\n// b\n"],
    ["const string A = 'it\\'s'", 'const string A = "it\'s"\n'],
    [`const string A = "\\""`, `const string A = '"'\n`],
    [`const string A = '"\\''`, `const string A = '"\\''\n`],
    ["const list<i32> A = [+1; 017 .5]", "const list<i32> A = [+1, 017, .5]\n"],
    ["struct A { +1: i32 a; 017: i32 b; 0x10: i32 c }", "struct A {\n  1: i32 a\n  17: i32 b\n  0x10: i32 c\n}\n"],
    ["typedef i32 A typedef i32 B\n\n\ntypedef i32 C", "typedef i32 A\ntypedef i32 B\n\ntypedef i32 C\n"],
    ["struct A {\n  1: i32 a // b\n // last words\n}\n", "struct A {\n  1: i32 a // b\n  // last words\n}\n"],
    [
      "struct A {\n  1: i32 a; // b\n\n // last\n // words\n} (a = 'b')",
      'struct A {\n  1: i32 a // b\n\n  // last\n  // words\n} (a = "b")\n'
    ],
    ["enum A { B, // b\n /* last */ /* words */ }", "enum A {\n  B // b\n  /* last */\n  /* words */\n}\n"],
    ["service S {\n void f() /* f */ ; // g\n # last\n}", "service S {\n  void f() /* f */ // g\n  # last\n}\n"],
    ["struct A { // a\n // last\n}", "struct A { // a\n  // last\n}\n"],
    ["struct A {\r\n  1: i32 a // b\r\n}\r\n", "struct A {\n  1: i32 a // b\n}\n"]
  ])("%j", (text, expected) => {
    assert.strictEqual(print(text), expected)
    assertStable(text)
  })

  it("writes what Apache alone reads in the way of Kitex", () => {
    const text = `struct A xsd_all { 1: A & a (deprecated) 2: slist b = -0x1F xsd_optional };`
    const { document } = parse(text, { compat: "apache" })
    assert.strictEqual(
      Printer.print({ path: "test.thrift", text }, document),
      'struct A {\n  1: A a (deprecated = "1")\n  2: string b = -31\n}\n'
    )
  })

  it("keeps a comment in its body behind the `xsd_all` of Apache", () => {
    const text = "struct A xsd_all {\n  // a\n}"
    const { document } = parse(text, { compat: "apache" })
    assert.strictEqual(Printer.print({ path: "test.thrift", text }, document), "struct A {\n  // a\n}\n")
  })

  it("keeps a comment between its braces, at every place", () => {
    for (const { index } of sample.matchAll(places)) {
      for (const comments of [" // a\n // b\n", " /* a */ /* b */ ", "\n # a\n\n # b\n"]) {
        assertStable(sample.slice(0, index) + comments + sample.slice(index))
      }
    }
  })

  it("is stable and keeps the meaning of every case", () => {
    for (const text of cases.values()) if (parse(text).diagnostics.length === 0) assertStable(text)
  })

  it("is stable and keeps the meaning wherever comments and line ends stand", () => {
    const random = generator(7)
    const gaps = [...sample.matchAll(places)].map(({ index }) => index)
    for (let count = 0; count < 400; count++) {
      const places = Array.from({ length: 1 + random(6) }, () => gaps[random(gaps.length)]!).sort((a, b) => b - a)
      let text = sample
      for (const at of places) text = text.slice(0, at) + trivia[random(trivia.length)]! + text.slice(at)
      assertStable(text)
    }
  })
})
