/**
 * The types of random files, and values of them as words of an IDL.
 *
 * @since 0.1.0
 */
import type { Random } from "./random.ts"

export const bases = ["bool", "byte", "i8", "i16", "i32", "i64", "double", "string", "binary"] as const

export type Base = { readonly tag: "base"; readonly name: (typeof bases)[number] }

/** A declared type, with what it takes to write a value of it. */
export type Named =
  | { readonly tag: "struct" | "union"; readonly name: string }
  | { readonly tag: "enum"; readonly name: string; readonly members: ReadonlyArray<string> }
  | { readonly tag: "typedef"; readonly name: string; readonly to: Type }

export type Type =
  | Base
  | { readonly tag: "list"; readonly element: Type }
  | { readonly tag: "set"; readonly element: Type }
  | { readonly tag: "map"; readonly key: Type; readonly value: Type }
  | Named

export const equals = (one: Type, other: Type): boolean => JSON.stringify(one) === JSON.stringify(other)

const qualify = (prefix: string, name: string): string => (name.includes(".") ? name : prefix + name)

/**
 * A declared type of a file as another names it that includes the file. What that file includes itself has no name there, nor have its
 * members.
 */
export const seenFrom = (prefix: string, type: Named): Named => {
  switch (type.tag) {
    case "struct":
    case "union":
      return { ...type, name: qualify(prefix, type.name) }
    case "enum":
      return { ...type, name: qualify(prefix, type.name), members: type.name.includes(".") ? [] : type.members }
    case "typedef":
      return { ...type, name: qualify(prefix, type.name), to: partSeenFrom(prefix, type.to) }
  }
}

const partSeenFrom = (prefix: string, type: Type): Type => {
  switch (type.tag) {
    case "base":
      return type
    case "list":
    case "set":
      return { ...type, element: partSeenFrom(prefix, type.element) }
    case "map":
      return { ...type, key: partSeenFrom(prefix, type.key), value: partSeenFrom(prefix, type.value) }
    default:
      return seenFrom(prefix, type)
  }
}

/** Whether `write` can write a value of a type: not where it has a union, of which it would have to know a member. */
export const isWritable = (type: Type): boolean => {
  switch (type.tag) {
    case "union":
      return false
    case "list":
    case "set":
      return isWritable(type.element)
    case "map":
      return isWritable(type.key) && isWritable(type.value)
    case "typedef":
      return isWritable(type.to)
    default:
      return true
  }
}

/** A text in quotes. */
export const literal = (random: Random, text: string): string => {
  const quote = text.includes('"') ? "'" : random.pick(['"', "'"])
  return quote + text + quote
}

/** An integer in one of the ways to write it. */
export const integer = (random: Random, value: bigint): string => {
  if (value < 0n) return `${value}`
  const digits = value.toString(8)
  return random.pick([`${value}`, `${value}`, `+${value}`, `0x${value.toString(16)}`, `0o${digits}`, `0${digits}`])
}

const bits = { byte: 7n, i8: 7n, i16: 15n, i32: 31n, i64: 63n }

const base = (random: Random, name: Base["name"]): string => {
  switch (name) {
    case "bool":
      return random.pick(["true", "false", "0", "1"])
    case "double":
      return random.pick(["0", "-1", "1.5", ".5", "+2.25", "-1e10", "1E-3", "3.0e+8", "7"])
    case "string":
    case "binary":
      return literal(
        random,
        random.pick([
          "",
          "text",
          "中文",
          "it\\'s",
          "a\\\\tb",
          "line\n",
          "// no comment",
          "a b",
          ...(random.chance(0.05) ? ["\\\\"] : [])
        ])
      )
    default: {
      const limit = 1n << bits[name]
      return integer(random, random.pick([0n, 1n, 9n, limit - 1n, -limit, BigInt(random.integer(100))]))
    }
  }
}

const items = (random: Random, count: number, write: () => ReadonlyArray<string>): ReadonlyArray<string> => {
  const words: Array<string> = []
  for (let i = 0; i < count; i++) words.push(...write(), random.pick([",", ",", ";"]))
  if (random.chance(0.5)) words.pop()
  return words
}

/** A value that fits. Maps have one entry at most, so that no key is there twice. */
export const write = (random: Random, type: Type): ReadonlyArray<string> => {
  switch (type.tag) {
    case "base":
      return [base(random, type.name)]
    case "list":
      return ["[", ...items(random, random.integer(4), () => write(random, type.element)), "]"]
    case "set":
      return ["[", ...items(random, random.integer(2), () => write(random, type.element)), "]"]
    case "map": {
      const entry = () => [...write(random, type.key), ":", ...write(random, type.value)]
      return ["{", ...items(random, random.integer(2), entry), "}"]
    }
    case "struct":
    case "union":
      return ["{", "}"]
    case "enum":
      return type.members.length > 0 && random.chance(0.8) ? [`${type.name}.${random.pick(type.members)}`] : ["0"]
    case "typedef": {
      const { name, to } = type
      const isEnum = to.tag === "enum" && to.members.length > 0 && !to.name.includes(".")
      // a member of an enum by the name of a typedef
      return isEnum && random.chance(0.3) ? [`${name}.${random.pick(to.members)}`] : write(random, to)
    }
  }
}

/** A value that does not fit. */
export const wrong = (random: Random, type: Type): ReadonlyArray<string> => {
  switch (type.tag) {
    case "base":
      if (type.name === "string" || type.name === "binary") return random.pick([["1"], ["[", "]"], ["1.5"]])
      if (type.name === "bool") return random.pick([['"true"'], ["{", "}"]])
      return random.pick([['"1"'], ["[", "1", "]"], ["99999999999999999999"], ["9223372036854775807"]])
    case "typedef":
      return wrong(random, type.to)
    case "struct":
    case "union":
      return random.pick([["{", '"nowhere"', ":", "1", "}"], ["1"], ["{", "1", ":", "1", "}"]])
    default:
      return random.pick([['"text"'], ["1.5"]])
  }
}
