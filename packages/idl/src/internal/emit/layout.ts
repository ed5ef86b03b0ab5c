/**
 * Expressions as text of at most 120 columns, broken as Prettier breaks them, so that generated files are format-clean.
 */

/** @internal */
export const maxWidth = 120

/**
 * An expression. `flat` is its text on one line; undefined where it cannot be on one.
 *
 * @internal
 */
export type Node = Text | Call | Object_ | Array_ | Arrow

interface Text {
  readonly tag: "text"
  readonly flat: string
  readonly isNumber: boolean
}

interface Call {
  readonly tag: "call"
  readonly flat: string | undefined
  readonly callee: Node
  readonly arguments: ReadonlyArray<Node>
}

interface Object_ {
  readonly tag: "object"
  readonly flat: string | undefined
  readonly entries: ReadonlyArray<Entry>
}

/** @internal */
export interface Entry {
  /** A doc comment, with its leaders, as its lines. */
  readonly doc?: ReadonlyArray<string>
  readonly key: string
  readonly value: Node
}

interface Array_ {
  readonly tag: "array"
  readonly flat: string | undefined
  readonly items: ReadonlyArray<Item>
}

/** @internal */
export interface Item {
  readonly doc?: ReadonlyArray<string>
  readonly value: Node
}

interface Arrow {
  readonly tag: "arrow"
  readonly flat: string | undefined
  /** Its parameters. */
  readonly head: string
  readonly body: Node
  /** What it returns, where that is said. */
  readonly type: string | undefined
}

// what is longer than a line is not kept, so that the texts of nested nodes do not add up
const onOneLine = (
  open: string,
  parts: ReadonlyArray<string | undefined>,
  separator: string,
  close: string
): string | undefined => {
  let text = open
  for (const [i, part] of parts.entries()) {
    if (part === undefined) return undefined
    text += i === 0 ? part : separator + part
    if (text.length > maxWidth) return undefined
  }
  return text + close
}

/** @internal */
export const text = (flat: string): Node => ({ tag: "text", flat, isNumber: false })

/** @internal */
export const number = (flat: string): Node => ({ tag: "text", flat, isNumber: true })

/** @internal */
export const call = (callee: Node | string, ...args: ReadonlyArray<Node>): Node => {
  const target = typeof callee === "string" ? text(callee) : callee
  const flat = isComposition(args) ? undefined : flatArguments(args)
  const isFlat = target.flat !== undefined && flat !== undefined
  return { tag: "call", flat: isFlat ? `${target.flat}(${flat}` : undefined, callee: target, arguments: args }
}

const flatArguments = (args: ReadonlyArray<Node>): string | undefined =>
  onOneLine(
    "",
    args.map((each) => each.flat),
    ", ",
    ")"
  )

// Prettier breaks calls that look like a composition of functions
const isComposition = (args: ReadonlyArray<Node>): boolean =>
  args.length > 1 && args.some((each) => each.tag === "call" && each.arguments.some(({ tag }) => tag === "arrow"))

/** @internal */
export const object = (entries: ReadonlyArray<Entry>): Node => {
  const parts = entries.map(({ doc, key, value }) =>
    doc !== undefined || value.flat === undefined ? undefined : `${key}: ${value.flat}`
  )
  return { tag: "object", flat: entries.length === 0 ? "{}" : onOneLine("{ ", parts, ", ", " }"), entries }
}

/** @internal */
export const array = (items: ReadonlyArray<Item>): Node => {
  const parts = items.map(({ doc, value }) => (doc === undefined ? value.flat : undefined))
  return { tag: "array", flat: isMatrix(items) ? undefined : onOneLine("[", parts, ", ", "]"), items }
}

const size = (node: Node): number =>
  node.tag === "object" ? node.entries.length : node.tag === "array" ? node.items.length : 0

const isMatrix = (items: ReadonlyArray<Item>): boolean =>
  items.length > 1 && items.every(({ value }) => value.tag === items[0]!.value.tag && size(value) > 1)

/** @internal */
export const arrow = (head: string, body: Node, type?: string): Node => {
  const flat = body.tag === "object" && body.flat !== undefined ? `(${body.flat})` : body.flat
  const start = type === undefined ? `${head} => ` : `${head}: ${type} => `
  return { tag: "arrow", flat: onOneLine(start, [flat], "", ""), head, body, type }
}

const spaces = (count: number): string => " ".repeat(count)

/** The width of the first and of the last line of a text that starts in some column. */
const firstWidth = (printed: string, column: number): number => {
  const end = printed.indexOf("\n")
  return column + (end < 0 ? printed.length : end)
}

const lastWidth = (printed: string, column: number): number => {
  const start = printed.lastIndexOf("\n")
  return start < 0 ? column + printed.length : printed.length - start - 1
}

/**
 * The text of an expression that starts in `column` of a line with the indentation `indent`, and has `tail` columns of
 * other text behind its last line.
 *
 * @internal
 */
export const print = (node: Node, indent: number, column: number, tail: number): string => {
  if (node.flat !== undefined && column + node.flat.length + tail <= maxWidth) return node.flat
  switch (node.tag) {
    case "text":
      return node.flat
    case "call":
      return printCall(node, indent, column, tail)
    case "object":
    case "array":
      return printBroken(node, indent)
    case "arrow":
      return printArrow(node, indent, column, tail)
  }
}

const printBroken = (node: Object_ | Array_, indent: number): string => {
  const inner = indent + 2
  const lines: Array<string> = []
  if (node.tag === "array" && isNumbers(node.items)) {
    lines.push(...fill(node.items, inner))
  } else {
    const entries: ReadonlyArray<Item & { readonly key?: string }> = node.tag === "object" ? node.entries : node.items
    for (const [i, { doc, key, value }] of entries.entries()) {
      const comma = i < entries.length - 1 ? "," : ""
      for (const line of doc ?? []) lines.push(spaces(inner) + line)
      const head = key === undefined ? "" : `${key}:`
      lines.push(spaces(inner) + printBehind(head, value, inner, inner, comma.length) + comma)
    }
  }
  const [open, close] = node.tag === "object" ? "{}" : "[]"
  return `${open}\n${lines.join("\n")}\n${spaces(indent)}${close}`
}

/** Number lists are filled, the only thing of which a line holds several. */
const isNumbers = (items: ReadonlyArray<Item>): boolean =>
  items.length > 1 && items.every(({ value }) => value.tag === "text" && value.isNumber)

const fill = (items: ReadonlyArray<Item>, indent: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = ""
  for (const [i, { value }] of items.entries()) {
    const item = value.flat! + (i < items.length - 1 ? "," : "")
    if (line !== "" && indent + line.length + 1 + item.length > maxWidth) {
      lines.push(spaces(indent) + line)
      line = item
    } else line = line === "" ? item : `${line} ${item}`
  }
  lines.push(spaces(indent) + line)
  return lines
}

/**
 * A value behind `key:`, `name =` or nothing. What cannot be broken goes to a line of its own when it is too long.
 *
 * @internal
 */
export const printBehind = (head: string, value: Node, indent: number, column: number, tail: number): string => {
  const start = head === "" ? "" : `${head} `
  const at = column + start.length
  const printed = print(value, indent, at, tail)
  const end = printed.includes("\n") ? 0 : tail
  if (start === "" || value.tag === "object" || value.tag === "array" || firstWidth(printed, at) + end <= maxWidth) {
    return start + printed
  }
  const inner = indent + 2
  return `${head}\n${spaces(inner)}${print(value, inner, inner, tail)}`
}

const printArrow = ({ head, body, type }: Arrow, indent: number, column: number, tail: number): string => {
  const opening = body.tag === "object" ? " => ({" : body.tag === "array" ? " => [" : " =>"
  const start =
    type === undefined ? head : `${head}: ${printType(type, indent, column + head.length + 2, opening.length)}`
  const at = lastWidth(start, column)
  if (body.tag === "object") return `${start} => (${print(body, indent, at + 5, tail + 1)})`
  if (body.tag === "array") return `${start} => ${print(body, indent, at + 4, tail)}`
  return `${start} =>\n${spaces(indent + 2)}${print(body, indent + 2, indent + 2, tail)}`
}

const printCall = (node: Call, indent: number, column: number, tail: number): string => {
  const callee = print(node.callee, indent, column, 2)
  const at = lastWidth(callee, column) + 1
  const args = node.arguments
  const flat = isComposition(args) ? undefined : flatArguments(args)
  if (flat !== undefined && at + flat.length + tail <= maxWidth) return `${callee}(${flat}`
  const hugged = isComposition(args) ? undefined : printHugged(args, indent, at)
  if (hugged !== undefined) return `${callee}(${hugged})`
  const inner = indent + 2
  const lines = args.map((each, i) => {
    const comma = i < args.length - 1 ? "," : ""
    return spaces(inner) + print(each, inner, inner, comma.length) + comma
  })
  return `${callee}(\n${lines.join("\n")}\n${spaces(indent)})`
}

/** All arguments on the line of the call, and the last one broken: for an object or an array. */
const printHugged = (args: ReadonlyArray<Node>, indent: number, column: number): string | undefined => {
  const last = args.at(-1)!
  if (!(last.tag === "object" || last.tag === "array") || size(last) === 0) return undefined
  if (args.length > 1 && (args.at(-2)!.tag === last.tag || (last.tag === "array" && isNumbers(last.items)))) {
    return undefined
  }
  let head = ""
  for (const each of args.slice(0, -1)) {
    if (each.flat === undefined) return undefined
    head += `${each.flat}, `
  }
  return column + head.length + 1 > maxWidth ? undefined : head + printBroken(last, indent)
}

const splitArguments = (list: string): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let depth = 0
  let start = 0
  for (let i = 0; i < list.length; i++) {
    if (list[i] === "<" || list[i] === "[") depth++
    else if (list[i] === ">" || list[i] === "]") depth--
    else if (list[i] === "," && depth === 0) {
      parts.push(list.slice(start, i))
      start = i + 2
    }
  }
  return [...parts, list.slice(start)]
}

/**
 * A type of TypeScript that starts in `column`; where it is too long, its arguments or elements are on lines of
 * their own.
 *
 * @internal
 */
export const printType = (type: string, indent: number, column: number, tail: number): string => {
  const open = type.search(/[<[]/)
  if (column + type.length + tail <= maxWidth || open < 0) return type
  const args = splitArguments(type.slice(open + 1, -1))
  // a name alone stays where it is
  if (args.length === 1 && !/[<[]/.test(args[0]!)) return type
  const inner = indent + 2
  const lines = args.map((each, i) => {
    const comma = i < args.length - 1 ? "," : ""
    return spaces(inner) + printType(each, inner, inner, comma.length) + comma
  })
  return `${type.slice(0, open + 1)}\n${lines.join("\n")}\n${spaces(indent)}${type.at(-1)}`
}
