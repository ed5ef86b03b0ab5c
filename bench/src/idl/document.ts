/** IDL files to measure a compiler with: the same for the same size. */

const members = [
  ["required i64", "id"],
  ["optional string", "name"],
  ["i32", "size = 20"],
  ["optional bool", "active = true"],
  ["list<string>", "tags"],
  ["map<string, i64>", "counts"],
  ["optional binary", "payload"],
  ["double", "ratio = 0.5"],
  ["optional set<i32>", "codes"],
  ["i16", "level"]
] as const

const struct = (n: number, before: number | undefined): string => {
  const fields = [...members, [`Kind${n}`, `kind = Kind${n}.FIRST`], ["optional Item" + (before ?? n), "parent"]].map(
    ([type, rest], i) =>
      `  /** The ${rest!.split(" ")[0]} of the item, as it was stored. */\n  ${i + 1}: ${type} ${rest}`
  )
  return `/**
 * Item ${n} of the catalogue, as other services see it.
 * It keeps what was known when it was stored.
 */
struct Item${n} {
${fields.join("\n")}
}

`
}

const enumeration = (n: number): string => `// What kinds of item ${n} there are.
enum Kind${n} {
  FIRST = 0
  SECOND = 1 // comes after the first
  OTHER = ${100 + n}
}

`

const service = (n: number): string => `/** Serves item ${n}. */
service Catalogue${n} {
  /** Everything that changes, as it changes. */
  Item${n} Watch (1: Item${n} request) (streaming.mode="server")
  Item${n} Upload (1: Item${n} request) (streaming.mode="client")
  Item${n} Sync (1: Item${n} request) (streaming.mode="bidirectional")
  Item${n} Find (1: i64 id, 2: string name)
}

`

/** One file of about `size` bytes: enums, structs of 12 members, and a service for every tenth of them, with comments on everything. */
export const document = (size: number): string => {
  const parts: Array<string> = ["namespace go bench.catalogue\n\n"]
  let length = 0
  for (let n = 0; length < size; n++) {
    const part = enumeration(n) + struct(n, n === 0 ? undefined : n - 1) + (n % 10 === 0 ? service(n) : "")
    parts.push(part)
    length += part.length
  }
  return parts.join("")
}

/** A graph of files by path: each includes the two below it and uses their types. `part0.thrift` is the entry. */
export const graph = (files: number): ReadonlyMap<string, string> => {
  const texts = new Map<string, string>()
  for (let n = 0; n < files; n++) {
    const below = [2 * n + 1, 2 * n + 2].filter((each) => each < files)
    const includes = below.map((each) => `include "part${each}.thrift"\n`).join("")
    const uses = below.map((each, i) => `  ${i + 1}: optional part${each}.Item0 of${each}\n`).join("")
    texts.set(
      `part${n}.thrift`,
      `${includes}namespace go bench.part${n}\n\nstruct Uses {\n${uses}}\n\n${enumeration(0)}${struct(0, undefined)}`
    )
  }
  return texts
}
