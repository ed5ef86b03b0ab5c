/**
 * What a person may have meant by a word or a character that the grammar has no place for.
 *
 * @internal
 */
import { nearest } from "../check/suggest.ts"

const requirednesses = ["required", "optional"] as const

const definitionWords = [
  "const",
  "typedef",
  "enum",
  "struct",
  "union",
  "exception",
  "service",
  "namespace",
  "include"
] as const

const containers = ["list", "map", "set"] as const

const among = <A extends string>(word: string, words: ReadonlyArray<A>): A | undefined =>
  nearest(word, words, { comparisons: words.length }) as A | undefined

/** The word before the type of a field. @internal */
export const requiredness = (word: string): "required" | "optional" | undefined => among(word, requirednesses)

/** The word that a definition or a header begins with. @internal */
export const definitionWord = (word: string): string | undefined =>
  word === "import" ? "include" : among(word, definitionWords)

/** `List`, as other languages have it. @internal */
export const container = (word: string): "list" | "map" | "set" | undefined =>
  containers.find((name) => name !== word && name === word.toLowerCase())

/** How far the full-width forms are from the characters that they are forms of. */
const fullWidth = 0xfee0

const lookalikes: Readonly<Record<string, string>> = {
  "\u201c": '"',
  "\u201d": '"',
  "\u2018": "'",
  "\u2019": "'",
  "\u3001": ",",
  "\u3002": "."
}

/** The ASCII character for one that an input method puts in its place, as full-width forms and curly quotes. @internal */
export const asciiOf = (character: string): string | undefined => {
  const ascii = String.fromCharCode(character.charCodeAt(0) - fullWidth)
  return /^[!-/:-@[-`{-~]$/.test(ascii) ? ascii : lookalikes[character]
}
