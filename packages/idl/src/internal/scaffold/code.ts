/**
 * Reads TypeScript as far as it takes to find a bracket and its partner: comments, strings, templates and regular
 * expressions are blanked, everything else stays where it is.
 *
 * @internal
 */

/** @internal */
export interface Code {
  /** As long as the text, with blanks for what is no code; quotes stay. */
  readonly text: string
  /** What stands in quotes. */
  readonly strings: ReadonlyArray<{ readonly start: number; readonly value: string }>
}

const maxTemplateDepth = 50

const beforeRegExp = new Set("(,=:[!&|?{;+-*%~^<>")

const wordsBeforeRegExp = /\b(?:return|typeof|case|in|of|yield|await|void|delete|do|else)$/

/**
 * Where the line ends that names the program a script runs with; 0 when there is none.
 *
 * @internal
 */
export const endOfShebang = (text: string): number => /^#!.*(?:\n|$)/.exec(text)?.[0].length ?? 0

/**
 * Undefined where a string, a comment or a template does not end.
 *
 * @internal
 */
export const read = (text: string): Code | undefined => {
  const strings: Array<{ start: number; value: string }> = []
  const blanks: Array<readonly [start: number, end: number]> = []

  const endOfString = (start: number): number => {
    const quote = text[start]
    for (let at = start + 1; at < text.length && text[at] !== "\n"; at++) {
      if (text[at] === "\\") at++
      else if (text[at] === quote) return at + 1
    }
    return -1
  }

  const endOfRegExp = (start: number): number => {
    let isInClass = false
    for (let at = start + 1; at < text.length && text[at] !== "\n"; at++) {
      if (text[at] === "\\") at++
      else if (text[at] === "[") isInClass = true
      else if (text[at] === "]") isInClass = false
      else if (text[at] === "/" && !isInClass) return at + 1
    }
    return -1
  }

  const endOfTemplate = (start: number, depth: number): number => {
    if (depth > maxTemplateDepth) return -1
    for (let at = start + 1; at < text.length; at++) {
      if (text[at] === "\\") at++
      else if (text[at] === "`") return at + 1
      else if (text.startsWith("${", at)) {
        at = endOfCode(at + 2, depth + 1) - 1
        if (at < 0) return -1
      }
    }
    return -1
  }

  /** The end of what is no code at this place, the place itself where there is code, or -1 where it has no end. */
  const endOfNoCode = (at: number, depth: number, last: number): number => {
    if (text.startsWith("//", at)) {
      const end = text.indexOf("\n", at)
      return end < 0 ? text.length : end
    }
    if (text.startsWith("/*", at)) {
      const end = text.indexOf("*/", at + 2)
      return end < 0 ? -1 : end + 2
    }
    if (text[at] === '"' || text[at] === "'") return endOfString(at)
    if (text[at] === "`") return endOfTemplate(at, depth)
    if (text[at] !== "/") return at
    const isRegExp =
      last < 0 || beforeRegExp.has(text[last]!) || wordsBeforeRegExp.test(text.slice(Math.max(0, last - 10), last + 1))
    return isRegExp ? endOfRegExp(at) : at
  }

  /** Reads to the end of the text, or behind the brace that closes the code of a template. */
  const endOfCode = (start: number, depth: number): number => {
    let braces = 0
    let last = -1
    for (let at = start; at < text.length;) {
      const end = endOfNoCode(at, depth, last)
      if (end < 0) return -1
      if (end === at) {
        if (text[at] === "{") braces++
        else if (text[at] === "}" && --braces < 0 && depth > 0) return at + 1
        if (!/\s/.test(text[at]!)) last = at
        at++
        continue
      }
      const isQuoted = text[at] === '"' || text[at] === "'"
      if (isQuoted && depth === 0) strings.push({ start: at, value: text.slice(at + 1, end - 1) })
      const isComment = text.startsWith("//", at) || text.startsWith("/*", at)
      if (depth === 0) blanks.push(isComment ? [at, end] : [at + 1, end - 1])
      if (!isComment) last = end - 1
      at = end
    }
    return depth === 0 ? text.length : -1
  }

  if (endOfCode(endOfShebang(text), 0) < 0) return undefined
  let code = ""
  let from = 0
  for (const [start, end] of blanks) {
    code += text.slice(from, start) + text.slice(start, end).replace(/[^\n]/g, " ")
    from = end
  }
  return { text: code + text.slice(from), strings }
}

const partners: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" }

/**
 * The place of the bracket that closes the one at `open`, -1 when there is none.
 *
 * @internal
 */
export const closing = ({ text }: Code, open: number): number => {
  const expected: Array<string> = []
  for (let at = open; at < text.length; at++) {
    const partner = partners[text[at]!]
    if (partner !== undefined) expected.push(partner)
    else if (text[at] === ")" || text[at] === "]" || text[at] === "}") {
      if (expected.pop() !== text[at]) return -1
      if (expected.length === 0) return at
    }
  }
  return -1
}

/**
 * The keys of the object literal from `open` to `close`. `isComplete` is false where there may be others: a spread, a
 * computed key, or something that this reader does not understand.
 *
 * @internal
 */
export const keys = (
  code: Code,
  open: number,
  close: number
): { readonly names: ReadonlySet<string>; readonly isComplete: boolean } => {
  const names = new Set<string>()
  let isComplete = true
  for (let at = open + 1; at < close;) {
    const rest = code.text.slice(at, close)
    const start = at + rest.search(/\S|$/)
    if (start >= close) break
    const name = keyAt(code, start, close)
    if (name === undefined) isComplete = false
    else names.add(name)
    at = endOfEntry(code, start, close) + 1
  }
  return { names, isComplete }
}

const keyAt = (code: Code, start: number, close: number): string | undefined => {
  const rest = code.text.slice(start, close)
  const quoted = /^\[?\s*(["'])/.exec(rest)
  if (quoted !== null) {
    const at = start + quoted[0].length - 1
    return code.strings.find((string) => string.start === at)?.value
  }
  return /^(?:async\s+|get\s+|set\s+)?\*?\s*([\w$]+)\s*(?:[:(,]|$)/.exec(rest)?.[1]
}

const endOfEntry = (code: Code, start: number, close: number): number => {
  for (let at = start; at < close; at++) {
    if (code.text[at] === ",") return at
    if (partners[code.text[at]!] === undefined) continue
    const end = closing(code, at)
    if (end < 0) return close
    at = end
  }
  return close
}
