/** The same IDL before two judges: ours and thriftgo. */
import * as Checker from "@millrace/idl/Checker"
import * as Loader from "@millrace/idl/Loader"
import * as Cases from "../src/idl/cases.ts"
import { ask } from "./idl-programs.ts"

/** An IDL: the file to compile, and the texts of all files by path. */
export interface Idl {
  readonly main: string
  readonly files: Readonly<Record<string, string>>
}

/** What thriftgo says, and where it stopped. */
export interface Verdict {
  readonly stage: "syntax" | "include" | "cycle" | "check" | "resolve" | "streaming" | "ok" | "panic"
  readonly message: string
}

export const theirs = (oracle: string, idls: ReadonlyArray<Idl>) => ask<Verdict>(oracle, idls)

/** What we say. */
export const ours = ({ files, main }: Idl): Checker.Result =>
  Checker.compile([main], { read: Loader.fromRecord(files) })

export const idl = ({ files, seed }: Cases.Case): Idl => ({
  main: "main.thrift",
  files: Object.fromEntries(files.map(({ path, words }) => [path, Cases.text(words, seed)]))
})

const leaveOut = ({ about, files, seed }: Cases.Case, index: number, at: number, length: number): Cases.Case => {
  const { path, words } = files[index]!
  return { about, seed, files: files.with(index, { path, words: words.toSpliced(at, length) }) }
}

/** The cases that leave out `length` words of a file, at any place or, where those would be too many, at every so manieth. */
const without = (the: Cases.Case, length: number): ReadonlyArray<Cases.Case> =>
  the.files.flatMap((file, index) => {
    const step = Math.max(1, length >> 2)
    const places = Array.from({ length: Math.ceil(file.words.length / step) }, (_, i) => i * step)
    return places.map((at) => leaveOut(the, index, at, length))
  })

/** Leaves out words, long runs first, as long as the disagreement stays the same. */
export const shrink = async (
  oracle: string,
  the: Cases.Case,
  disagreement: (idl: Idl, verdict: Verdict) => string | undefined
): Promise<Cases.Case> => {
  const wanted = disagreement(idl(the), (await theirs(oracle, [idl(the)]))[0]!)
  let smallest = the
  let length = Math.max(...the.files.map(({ words }) => words.length))
  while (length > 0) {
    const candidates = without(smallest, length)
    const verdicts = await theirs(oracle, candidates.map(idl))
    const next = candidates.find((each, i) => disagreement(idl(each), verdicts[i]!) === wanted)
    if (next === undefined) length >>= 1
    else smallest = next
  }
  return smallest
}
