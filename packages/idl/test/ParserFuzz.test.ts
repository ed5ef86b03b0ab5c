import { assert, describe, it } from "@effect/vitest"
import { cases, generator, parse } from "./parsing.ts"

const pieces = [
  ..."{}()<>[],;:='\"\\#\n\r\t &$-._aé0",
  "/*",
  "*/",
  "//",
  "struct ",
  "enum ",
  "service ",
  "typedef ",
  "const ",
  "\nnamespace ",
  "required ",
  "reqired ",
  "throws ",
  "oneway ",
  "list<",
  "List<",
  "map<",
  "i32",
  "0x",
  "1e5",
  "cpp_type ",
  "xsd_all ",
  "async ",
  "，",
  "\u00a0",
  "\ud800",
  "😀"
]

const texts = [...cases.values()]

const mutate = (random: (limit: number) => number): string => {
  const pick = <A>(items: ReadonlyArray<A>): A => items[random(items.length)]!
  let text = random(3) === 0 ? `${pick(texts)}\n${pick(texts)}` : pick(texts)
  for (let changes = random(4); changes >= 0; changes--) {
    const at = random(text.length + 1)
    const removed = random(2) === 0 ? random(5) : 0
    const other = pick(texts)
    const from = random(other.length + 1)
    const added = random(3) === 0 ? other.slice(from, from + random(12)) : random(2) === 0 ? pick(pieces) : ""
    text = text.slice(0, at) + added + text.slice(at + removed)
  }
  return text
}

const checkSpans = (text: string, options?: { readonly compat: "apache" }): void => {
  for (const { message, span } of parse(text, options).diagnostics) {
    if (span.start < 0 || span.start > span.end || span.end > text.length) {
      assert.fail(`${message}: ${span.start}-${span.end} is outside of ${JSON.stringify(text)}`)
    }
  }
}

const seconds = (run: () => void): number => {
  const start = performance.now()
  run()
  return (performance.now() - start) / 1000
}

describe("any text", () => {
  it("mutations of the cases end in diagnostics within the text", { timeout: 60_000 }, () => {
    const random = generator(2024)
    for (let count = 0; count < 100_000; count++) {
      checkSpans(mutate(random), count % 4 === 0 ? { compat: "apache" } : undefined)
    }
  })

  it("every prefix of a case ends in diagnostics within the text", () => {
    for (const text of texts) for (let end = 0; end <= text.length; end++) checkSpans(text.slice(0, end))
  })

  const million = 1_000_000
  it.each<readonly [string, string]>([
    ["types in types", `struct A { 1: ${"list<".repeat(million)}`],
    ["misspelled types in types", `struct A { 1: ${"List<".repeat(million)}`],
    ["misspelled words before types", `struct A { ${"reqired T a <".repeat(million / 4)}`],
    ["lists in lists", `const T A = ${"[".repeat(million)}`],
    ["maps in maps", `const T A = ${"{1:".repeat(million)}`],
    ["brackets in a broken field", `struct A { 1: $ ${"(".repeat(million)}`],
    ["a comment that is never closed", `/*${"x".repeat(10 * million)}`],
    ["comments in a line", "/**/".repeat(million)],
    ["comments before a field", `struct A { ${"//\r".repeat(million)} 1: i32 a }`],
    ["blank lines in a comment", `/*${"\n".repeat(million)}x*/ struct A {}`],
    ["a long literal", `const string A = "${"\\n".repeat(5 * million)}"`],
    ["a literal that is never closed", `const string A = '${"\\'".repeat(5 * million)}`],
    ["a long name", `struct ${"a".repeat(10 * million)} {}`],
    ["a long integer", `const i64 A = ${"9".repeat(10 * million)}`],
    ["a long double", `const double A = ${"9".repeat(10 * million)}.5`],
    ["zeros", `const i64 A = ${"0".repeat(10 * million)}`],
    ["separators", `struct A { ${",".repeat(million)}`],
    ["braces", "}".repeat(million)],
    ["quotes", `struct A { ${"'\n".repeat(million)} }`],
    ["line ends", "struct A {\n".repeat(million / 2)],
    ["functions without end", `service S { ${"void f(\n".repeat(million / 2)}`],
    ["words", `service S { void f(${"list ".repeat(million / 5)}`],
    ["literals in later lines", `struct A { ${'1: i32 a (b = "\n'.repeat(million / 4)}`],
    ["annotations without end", "struct A { 1: i32 a (".repeat(million / 4)]
  ])("reads quickly: %s", { timeout: 60_000 }, (_, text) => {
    const taken = seconds(() => checkSpans(text))
    assert.ok(taken < 20, `${taken.toFixed(1)} s`)
  })
})
