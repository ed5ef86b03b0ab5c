/**
 * Random cases for a compiler: an IDL with what it includes, a third of them plain, a third with a mistake in what they say, a third
 * with words lost, doubled, swapped or changed.
 *
 * @since 0.1.0
 */
import { dirname } from "node:path/posix"
import * as Documents from "./documents.ts"
import * as Random from "./random.ts"
import type { Scope } from "./scope.ts"

/** A file as its words; what is between them carries no meaning. */
export interface File {
  readonly path: string
  readonly words: ReadonlyArray<string>
}

export interface Case {
  readonly seed: number
  /** What was done to it on purpose. */
  readonly about: string
  /** The last is the one to compile. */
  readonly files: ReadonlyArray<File>
}

const paths = ["base.thrift", "a.b.thrift", "sub/base.thrift", "sub/x.y.z.thrift", "_types.thrift"]

const prefixOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1, path.lastIndexOf("."))

const isWord = (character: string | undefined): boolean => character !== undefined && /[\w.+-]/.test(character)

const gaps = [" ", " ", " ", "\n", "\n  ", "\t", "\r\n", " // a comment\n", " # another\n", " /* a\n * third */ "]

/** The text of a file. The same words and seed give the same text. */
export const text = (words: ReadonlyArray<string>, seed: number): string => {
  const random = Random.make(seed)
  let out = random.chance(0.01) ? "\uFEFF" : ""
  for (const word of words) {
    const touching = isWord(out.at(-1)) && isWord(word[0])
    if (touching || random.chance(0.7)) out += random.chance(0.8) ? random.pick(gaps.slice(0, 5)) : random.pick(gaps)
    out += word
  }
  return `${out}\n`
}

const strangers = [
  "{",
  "}",
  "(",
  ")",
  "<",
  ">",
  "[",
  "]",
  ",",
  ";",
  ":",
  "=",
  "1",
  "-1",
  "0x1F",
  "1.",
  "$",
  "-",
  "required",
  "optional",
  "struct",
  "void",
  "map",
  "x",
  '"s"',
  "'",
  "é",
  "\\",
  "/*",
  "//",
  "*"
]

/** Breaks a list of words in one place or two. */
const breakWords = (random: Random.Random, words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const out = words.length === 0 ? ["x"] : [...words]
  for (let i = 1 + random.integer(2); i > 0; i--) {
    const at = random.integer(out.length)
    switch (random.integer(5)) {
      case 0:
        out.splice(at, 1)
        break
      case 1:
        out.splice(at, 0, out[at]!)
        break
      case 2:
        out.splice(at, 2, ...out.slice(at, at + 2).toReversed())
        break
      case 3:
        out.splice(at, 1, random.pick(strangers))
        break
      default: {
        const word = out[at] ?? ""
        const cut = random.integer(word.length + 1)
        out.splice(at, 1, word.slice(0, cut) + random.pick([".", "x", "9", " ", '"', "$", "_"]) + word.slice(cut))
      }
    }
  }
  return out
}

/** A path that leads from one file to another, as an include. */
const relative = (from: string, to: string): string => {
  const folder = dirname(from)
  return to.startsWith(`${folder}/`) ? to.slice(folder.length + 1) : to
}

/** The case of a seed. */
export const make = (seed: number): Case => {
  const random = Random.make(seed)
  const kind = random.pick(["plain", "mistake", "broken"] as const)
  const mistake = kind === "mistake" ? random.pick(Documents.mistakes) : undefined
  const known: Array<{ readonly path: string; readonly scope: Scope }> = []
  const files: Array<File> = []
  const unused = paths.filter(() => random.chance(0.25))
  for (const path of [...unused, "main.thrift"]) {
    const isMain = path === "main.thrift"
    const includes = known
      .filter(() => isMain || random.chance(0.5))
      .map((each) => ({ path: relative(path, each.path), prefix: prefixOf(each.path), scope: each.scope }))
    const { scope, words } = Documents.make(random, includes, isMain ? mistake : undefined)
    known.push({ path, scope })
    files.push({ path, words })
  }
  if (kind === "mistake" && files.length > 1 && random.chance(0.1)) {
    const [first, ...rest] = files as [File, ...ReadonlyArray<File>]
    const words = ["include", '"main.thrift"', ...first.words]
    return { seed, about: "mistake: include cycle", files: [{ ...first, words }, ...rest] }
  }
  if (kind !== "broken") return { seed, about: mistake === undefined ? kind : `mistake: ${mistake}`, files }
  const target = random.pick([...files.keys()].filter((i) => files[i]!.words.length > 0 || i === files.length - 1))
  const { path, words } = files[target]!
  return { seed, about: kind, files: files.with(target, { path, words: breakWords(random, words) }) }
}
