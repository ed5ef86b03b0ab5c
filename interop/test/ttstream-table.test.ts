/** The table in docs/ttheader-streaming.md says what the tests say: each scenario is there once, and each test that it names is there. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { cancelled, cascades, cuts, resets, rows } from "./ttstream-scripts.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const read = (path: string) => readFileSync(root + path, "utf8")

/** `N-01` to `N-19`, and so on: all that there are. */
const scenarios = [
  ["N", 19],
  ["C", 8],
  ["T", 12],
  ["G", 1],
  ["U", 115],
  ["A", 20]
] as const
const ids = scenarios.flatMap(([letter, n]) =>
  Array.from({ length: n }, (_, i) => `${letter}-${String(i + 1).padStart(2, "0")}`)
)

const idsOf = (text: string): ReadonlyArray<string> => text.match(/\b[NCTGUA]-\d{2,3}\b/g) ?? []

/** The titles in a file of tests, as they are written there. */
const titlesIn = (path: string): ReadonlyArray<string> =>
  Array.from(read(path).matchAll(/(?:it\.effect\(\s*|title: |name: )(["`])(.*?)\1/gs), ([, , title]) => title!)

const withKitex: Record<string, ReadonlyArray<string>> = {
  scripts: [
    ...[...rows, ...cascades, ...cancelled, ...resets, ...cuts].map(({ title }) => title),
    ...titlesIn("interop/test/ttstream-scripts.test.ts")
  ],
  frames: titlesIn("interop/test/ttstream-frames.test.ts"),
  client: titlesIn("interop/test/ttstream-client.test.ts"),
  server: titlesIn("interop/test/ttstream-server.test.ts")
}

const table = read("docs/ttheader-streaming.md")
  .split("\n")
  .map((line) => line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "").trim()))
  .filter(([id = ""]) => idsOf(id).length === 1 && id === idsOf(id)[0])

describe("the table of TTHeader streaming", () => {
  it("has every scenario once, with what, where and a state", () => {
    assert.deepStrictEqual(
      table.map(([id]) => id),
      ids
    )
    for (const row of table) {
      assert.strictEqual(row.length, 4, row.join(" | "))
      for (const cell of row) assert.isNotEmpty(cell, row.join(" | "))
    }
  })

  it("names tests that are there", () => {
    const missing: Array<string> = []
    for (const [id = "", , where = ""] of table) {
      const one = /^`([^`]+\.test\.ts)`: (.+)$/.exec(where)
      if (one !== null) {
        const path = one[1]!.startsWith("interop/") ? one[1]! : `packages/${one[1]}`
        if (!read(path).includes(one[2]!)) missing.push(`${id}: ${one[2]} in ${path}`)
        continue
      }
      for (const name of where.split(", ")) {
        const titles = withKitex[name.replaceAll("`", "")] ?? []
        if (!titles.some((title) => idsOf(title).includes(id))) missing.push(`${id}: a title in ${name}`)
      }
    }
    assert.deepStrictEqual(missing, [])
  })

  it("leaves out none of the tests with a Kitex that have an id", () => {
    const where = new Map(table.map(([id, , cell]) => [id, cell!]))
    const missing = Object.entries(withKitex).flatMap(([name, titles]) =>
      [...new Set(titles.flatMap(idsOf))]
        .filter((id) => where.get(id)?.includes(`\`${name}\``) !== true)
        .map((id) => `${id}: ${name}`)
    )
    assert.deepStrictEqual(missing, [])
  })
})
