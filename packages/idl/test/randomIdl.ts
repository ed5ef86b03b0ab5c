/** Random IDLs without errors: definitions of all kinds that refer to each other, in any order. */

/** Numbers from 0 to below `count`, the same for the same seed (mulberry32). */
const randomOf = (seed: number): ((count: number) => number) => {
  let state = seed
  return (count) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % count
  }
}

const bases = ["bool", "i8", "i16", "i32", "i64", "double", "string", "binary"]

export const randomIdl = (seed: number): string => {
  const random = randomOf(seed)
  const pick = <A>(items: ReadonlyArray<A>): A => items[random(items.length)]!
  const count = (least: number, most: number) => least + random(most - least + 1)
  const several = <A>(length: number, make: (i: number) => A) => Array.from({ length }, (_, i) => make(i))

  const structs = several(count(1, 6), (i) => `S${i}`)
  const unions = several(count(0, 3), (i) => `U${i}`)
  const exceptions = several(count(0, 2), (i) => `X${i}`)
  const typedefs = several(count(0, 5), (i) => `T${i}`)

  const type = (depth: number, known: ReadonlyArray<string>): string => {
    const kind = random(depth > 2 ? 2 : 5)
    if (kind === 2) return `list<${type(depth + 1, known)}>`
    if (kind === 3) return `set<${type(depth + 1, known)}>`
    if (kind === 4) return `map<${type(depth + 1, known)}, ${type(depth + 1, known)}>`
    return kind === 0 ? pick(bases) : pick(known)
  }
  const types = ["E", ...structs, ...unions, ...exceptions]
  const all = [...types, ...typedefs, ...typedefs]
  const requiredness = () => pick(["", "optional "])
  const member = (id: number) => `${id}: ${requiredness()}${type(0, all)} m${id}`

  // a value may hold structs whose defaults do not come back to it
  const literals: ReadonlyArray<readonly [type: string, value: (below: number) => string]> = [
    ["i32", () => "N"],
    ["i64", () => pick(["-5", "N"])],
    ["list<i64>", () => pick(["[]", "[1, 2]", "NS"])],
    ["E", () => pick(["E.A", "E.B"])],
    ["map<string, E>", () => pick(["{}", `{"a": E.B}`])],
    ["set<string>", () => `["x", 'y"']`],
    ["binary", () => `"bytes"`],
    ["map<binary, i32>", () => `{"a": 1, "b": N}`],
    ["map<list<E>, set<string>>", () => pick([`{[E.A]: ["x"], []: []}`, "{}"])],
    ["map<string, map<binary, list<i64>>>", () => `{"a": {"b": [1]}, "c": {"d": [N], "e": []}}`]
  ]
  const withDefault = (id: number, below: number) => {
    const [type, value] = pick(literals)
    if (below > 0 && random(3) === 0) {
      const struct = random(below)
      const name = `S${struct}`
      const [type, literal] = pick([
        [name, "{}"],
        [`list<${name}>`, "[{}]"],
        [`map<${name}, list<${name}>>`, "{{}: [{}]}"],
        [name, `C${struct}`]
      ] as const)
      return `${id}: optional ${type} d${id} = ${literal}`
    }
    return `${id}: ${requiredness()}${type} d${id} = ${value(below)}`
  }

  const body = (name: string, index: number): string => {
    const members = several(count(1, 4), (i) => member(i + 1))
    const defaults = name.startsWith("U") ? [] : several(count(0, 2), (i) => withDefault(i + 10, index))
    return `${name} { ${[...members, ...defaults].join(", ")} }`
  }
  const arguments_ = () => several(count(0, 2), (i) => `${i + 1}: ${type(0, all)} a${i}`).join(", ")
  const throws = () => (exceptions.length === 0 ? "" : pick(["", ` throws (1: ${pick(exceptions)} failed)`]))
  const methods = [
    `${type(0, all)} plain(${arguments_()})${throws()}`,
    `void nothing(${arguments_()})${throws()}`,
    `oneway void log(${arguments_()})`,
    ...["bidirectional", "client", "server", "unary"].map(
      (mode) => `${pick(structs)} ${mode}(${count(1, 3)}: ${pick(structs)} req) (streaming.mode="${mode}")`
    )
  ]
  const definitions = [
    "enum E { A, B = 5 }",
    "const i32 N = 3",
    "const list<i64> NS = [N, 4]",
    ...structs.map((name, i) => `struct ${body(name, i)}`),
    ...structs.map((name, i) => `const ${name} C${i} = {}`),
    ...unions.map((name, i) => `union ${body(name, i)}`),
    ...exceptions.map((name) => `exception ${body(name, structs.length)}`),
    ...typedefs.map((name, i) => `typedef ${type(0, [...types, ...typedefs.slice(0, i)])} ${name}`),
    `service Parent { void ping() }`,
    `service Child extends Parent { ${methods.join(", ")} }`
  ]
  for (let i = definitions.length - 1; i > 0; i--) {
    const other = random(i + 1)
    const definition = definitions[i]!
    definitions[i] = definitions[other]!
    definitions[other] = definition
  }
  return definitions.join("\n")
}
