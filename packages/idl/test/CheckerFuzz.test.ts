import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import * as Checker from "../src/Checker.ts"
import * as Diagnostic from "../src/Diagnostic.ts"
import * as Loader from "../src/Loader.ts"
import * as Report from "../src/Report.ts"

const folder = new URL("data/cases/", import.meta.url)
const cases = readdirSync(folder)
  .filter((name) => name.endsWith(".thrift"))
  .map((name) => readFileSync(new URL(name, folder), "utf8"))

/** Numbers that look random and are the same in each run. */
const generator = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const tokens = (
  "struct union exception enum service typedef const include namespace extends throws oneway void required optional " +
  'map set list bool i8 i16 i32 i64 double string binary A B C o.T o.C o.E.X E.X x f 0 1 -1 07 0x1F 32768 1.5 "a" "\\q" ' +
  '"o.thrift" "main.thrift" "gone.thrift" true false { } ( ) [ ] < > , ; : = . & streaming.mode "client" "unary" // # /* */ \n'
).split(" ")

const soup = (random: (below: number) => number): string =>
  Array.from({ length: 1 + random(40) }, () => tokens[random(tokens.length)]).join(" ")

/** A wrong IDL that is nearly right: declarations that refer to each other at random. */
const nearly = (random: (below: number) => number): string => {
  const name = () => "ABCDEF"[random(6)]!
  const type = (): string =>
    [name, () => "i32", () => "string", () => `list<${type()}>`, () => `map<${type()}, ${name()}>`][random(5)]!()
  const value = (): string =>
    [name, () => "1", () => '"a"', () => `[${value()}]`, () => `{"a": ${value()}}`, () => "E.X", () => "300"][
      random(7)
    ]!()
  const field = () =>
    `${random(3)}: ${["required ", "optional ", ""][random(3)]}${type()} ${["a", "b"][random(2)]}${random(3) === 0 ? ` = ${value()}` : ""}`
  const definition = [
    () => `typedef ${type()} ${name()}`,
    () => `const ${type()} ${name()} = ${value()}`,
    () => `enum ${name()} { X, Y = ${random(2)} }`,
    () => `${["struct", "union", "exception"][random(3)]} ${name()} { ${field()}, ${field()} }`,
    () =>
      `service ${name()} extends ${name()} { ${["", "oneway "][random(2)]}${["void", type()][random(2)]} f(${field()}) throws (${field()}) ` +
      `(${["", 'streaming.mode="client"', 'streaming.mode="unary", streaming.mode="x"'][random(3)]}) }`
  ]
  return Array.from({ length: 1 + random(8) }, () => definition[random(definition.length)]!()).join("\n")
}

const mutated = (random: (below: number) => number): string => {
  let text = cases[random(cases.length)]!
  for (let times = 1 + random(3); times > 0; times--) {
    const at = random(text.length + 1)
    const piece = [
      tokens[random(tokens.length)]!,
      "",
      String.fromCharCode(random(0x180)),
      text.slice(at, at + random(20))
    ][random(4)]!
    text = text.slice(0, at) + piece + text.slice(at + random(4))
  }
  return text
}

const other = "struct T {}\nconst i32 C = 1\nenum E { X }\n"

const check = (text: string): Checker.Result => {
  const result = Checker.compile(["main.thrift"], {
    read: Loader.fromRecord({ "main.thrift": text, "o.thrift": other })
  })
  for (const diagnostic of result.diagnostics) {
    const { code, severity, source, span } = diagnostic
    // a call of assert costs more than the compilation
    if (
      severity === Diagnostic.codes[code] &&
      0 <= span.start &&
      span.start <= span.end &&
      span.end <= source.text.length
    )
      continue
    assert.fail(`${code} at ${span.start}-${span.end} in ${text}`)
  }
  return result
}

describe("random texts", () => {
  for (const [name, make, count] of [
    ["soups of tokens", soup, 22_000],
    ["declarations that are nearly right", nearly, 6000],
    ["changed cases", mutated, 22_000]
  ] as const) {
    it(`gives diagnostics and nothing else for ${name}`, () => {
      const random = generator(4)
      let wrong = 0
      for (let i = 0; i < count; i++) {
        const text = make(random)
        const { diagnostics } = check(text)
        if (Diagnostic.hasErrors(diagnostics)) wrong++
        if (i % 50 === 0) assert.isString(Report.pretty(diagnostics, { color: false, width: 40 }))
      }
      assert.isTrue(wrong > count / 10)
    })
  }
})

describe("hostile texts", () => {
  const lines = (count: number, line: (i: number) => string): string =>
    Array.from({ length: count }, (_, i) => line(i)).join("\n")
  const codesOf = (text: string): ReadonlyArray<string> => [...new Set(check(text).diagnostics.map(({ code }) => code))]

  it("takes long chains and circles of every kind", () => {
    const many = 10_000
    const last = many - 1
    const next = (i: number) => (i + 1) % many
    assert.deepStrictEqual(codesOf(lines(last, (i) => `typedef T${i + 1} T${i}`) + `\ntypedef i32 T${last}`), [])
    assert.deepStrictEqual(codesOf(lines(many, (i) => `typedef T${next(i)} T${i}`)), ["E_TYPEDEF_CYCLE"])
    assert.deepStrictEqual(codesOf(lines(last, (i) => `const i32 C${i} = C${i + 1}`) + `\nconst i32 C${last} = 1`), [])
    assert.deepStrictEqual(codesOf(lines(many, (i) => `const i32 C${i} = C${next(i)}`)), ["E_CONST_CYCLE"])
    assert.deepStrictEqual(codesOf(lines(many, (i) => `struct S${i} { 1: required S${next(i)} s }`)), [
      "E_REQUIRED_CYCLE"
    ])
    assert.deepStrictEqual(codesOf(lines(many, (i) => `service S${i} extends S${next(i)} {}`)), ["E_SERVICE_CYCLE"])
    assert.deepStrictEqual(
      codesOf(lines(last, (i) => `service S${i} extends S${i + 1} { void f${i}() }`) + `\nservice S${last} {}`),
      []
    )
  })

  it("takes types that share parts, and constants that hold each other twice", () => {
    const doubled = (name: string) => lines(60, (i) => `typedef map<${name}${i}, ${name}${i}> ${name}${i + 1}`)
    const text = `typedef i32 A0\ntypedef i32 B0\n${doubled("A")}\n${doubled("B")}\nconst A60 C = {}\nconst B60 D = C`
    assert.deepStrictEqual(codesOf(text), ["W_COMPLEX_KEY"])
    const held = lines(30, (i) => `typedef list<L${i}> L${i + 1}\nconst L${i + 1} C${i + 1} = [C${i}, C${i}]`)
    assert.deepStrictEqual(codesOf(`typedef i32 L0\nconst i32 C0 = 1\n${held}`), [])
  })

  it("takes many declarations and many mistakes", () => {
    assert.deepStrictEqual(codesOf(lines(100_000, (i) => `struct S${i} { 1: i32 a }`)), [])
    assert.deepStrictEqual(codesOf(`struct S { ${lines(30_000, (i) => `${i + 1}: i32 f${i}`)} }`), [])
    assert.deepStrictEqual(codesOf(lines(30_000, (i) => `struct Name${i} { 1: Mane${i} a }`)), ["E_UNDEFINED"])
    assert.deepStrictEqual(codesOf(lines(30_000, () => "struct S {}")), ["E_DUP_NAME"])
  })

  it("takes many unknown names, and few of their kind among many others", () => {
    const many = 10_000
    const enumeration = `enum E { ${lines(many, (i) => `M${i}`)} }`
    const other = `const i32 C = 1\n${enumeration}`
    const constants = lines(many, (i) => `const i32 C${i} = 1`)
    const structs = lines(many, (i) => `struct S${i} {}`)
    for (const text of [
      lines(many, (i) => `const i32 C${i} = D${i}`),
      `${structs}\n${lines(many, (i) => `const i32 C${i} = D${i}`)}`,
      `${constants}\nstruct S { ${lines(many, (i) => `${i + 1}: Unknown${i} a${i}`)} }`,
      `${constants}\n${lines(many, (i) => `service S${i} extends Unknown${i} {}`)}`,
      `${enumeration}\n${lines(many, (i) => `const i32 C${i} = N${i}`)}`,
      `${enumeration}\n${lines(many, (i) => `const E C${i} = Q.M${i}`)}`,
      `${other}\n${lines(many, (i) => `const i32 D${i} = o.Q${i}`)}`
    ]) {
      assert.deepStrictEqual(codesOf(text), ["E_UNDEFINED"])
    }
  }, 10_000)

  it("takes many values of a large enum, and of a large struct", () => {
    const many = 20_000
    const enumeration = `enum E { ${lines(many, (i) => `M${i}`)} }`
    assert.deepStrictEqual(codesOf(`${enumeration}\n${lines(many, (i) => `const E C${i} = ${i}`)}`), [])
    const fields = lines(many, (i) => `${i + 1}: i32 f${i}`)
    const values = lines(many, (i) => `"g${i}": 1`)
    assert.deepStrictEqual(codesOf(`struct S { ${fields} }\nconst S C = {${values}}`), ["E_VALUE_TYPE"])
  }, 10_000)

  it("cuts names that are too long for a message", () => {
    const long = "x".repeat(1_000_000)
    const { diagnostics } = check(`struct A { 1: ${long} a }\nconst i32 C = ${long}.${long}`)
    for (const { message } of diagnostics) assert.isBelow(message.length, 500)
    assert.strictEqual(diagnostics.length, 2)
  })
})
