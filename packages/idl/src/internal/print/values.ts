/**
 * Prints names, types, values and annotations.
 *
 * @internal
 */
import type * as Ast from "../../Ast.ts"
import * as Writer from "./writer.ts"

/** @internal */
export const name = (writer: Writer.Writer, { start, text }: Ast.Name): string => Writer.inline(writer, start) + text

/** Double quotes, unless the text holds one. With both kinds of quotes in it, it stays as it is written. @internal */
export const literal = (writer: Writer.Writer, { end, start, text }: Ast.Literal): string => {
  const before = Writer.inline(writer, start)
  if (!text.includes('"')) return `${before}"${text}"`
  if (!text.includes("'")) return `${before}'${text}'`
  return before + writer.text.slice(start, end)
}

/** ` (a = "b", c = "d")`, or nothing. @internal */
export const annotations = (
  writer: Writer.Writer,
  node: Pick<Ast.Typedef, "annotations" | "annotationsSpan">
): string => {
  if (node.annotationsSpan === undefined) return ""
  const items = node.annotations.map(({ key, value }) => `${name(writer, key)} = ${literal(writer, value)}`)
  const inner = items.join(", ") + Writer.inlineBefore(writer, node.annotationsSpan.end - 1)
  return inner === "" ? "" : ` (${inner.trimStart()})`
}

const cppType = (writer: Writer.Writer, node: Ast.Literal | undefined): string =>
  node === undefined ? "" : ` cpp_type ${literal(writer, node)}`

/** The closing `>`, with the comments before it. */
const close = (writer: Writer.Writer, last: Ast.Type): string =>
  `${Writer.inlineBefore(writer, Writer.tokenAt(writer, last.end))}>`

const bareType = (writer: Writer.Writer, node: Ast.Type): string => {
  switch (node.tag) {
    case "BaseType":
      return node.name
    case "NamedType":
      return node.name.text
    case "ListType":
      return `list<${type(writer, node.element)}${close(writer, node.element)}${cppType(writer, node.cppType)}`
    case "SetType":
      return `set${cppType(writer, node.cppType)}<${type(writer, node.element)}${close(writer, node.element)}`
    case "MapType": {
      const key = `map${cppType(writer, node.cppType)}<${type(writer, node.key)}`
      return `${key}, ${type(writer, node.value)}${close(writer, node.value)}`
    }
  }
}

/** @internal */
export const type = (writer: Writer.Writer, node: Ast.Type): string =>
  Writer.inline(writer, node.start) + bareType(writer, node) + annotations(writer, node)

/** As written; where Apache alone reads it so, in the way that Kitex does. @internal */
export const integer = (writer: Writer.Writer, { end, start, value }: Ast.IntValue): string => {
  const written = writer.text.slice(start, end)
  return Writer.inline(writer, start) + (/^[+-]0x/.test(written) ? String(value) : written)
}

const items = (node: Ast.ListValue | Ast.MapValue): ReadonlyArray<Ast.Value | Ast.MapValue["entries"][number]> =>
  node.tag === "ListValue" ? node.items : node.entries

const item = (
  writer: Writer.Writer,
  node: Ast.Value | Ast.MapValue["entries"][number],
  indent: string,
  column: number
): string => {
  if (!("key" in node)) return value(writer, node, indent, column)
  const key = `${value(writer, node.key, indent, column)}: `
  return key + value(writer, node.value, indent, column + key.length)
}

/** In one line; undefined when it is too long for that. */
const flat = (writer: Writer.Writer, node: Ast.ListValue | Ast.MapValue, room: number): string | undefined => {
  const [open, close] = node.tag === "ListValue" ? "[]" : "{}"
  let printed = open!
  for (const each of items(node)) {
    if (printed.length > room) return undefined
    printed += `${printed.length > 1 ? ", " : ""}${item(writer, each, "", -Infinity)}`
  }
  return printed.length < room ? printed + close : undefined
}

/** One item a line. */
const broken = (writer: Writer.Writer, node: Ast.ListValue | Ast.MapValue, indent: string): string => {
  const [open, close] = node.tag === "ListValue" ? "[]" : "{}"
  const inner: Writer.Writer = { ...writer, lines: [], at: node.start }
  const deeper = `${indent}  `
  const all = items(node)
  for (const [index, each] of all.entries()) {
    const start = "key" in each ? each.key.start : each.start
    const end = "key" in each ? each.value.end : each.end
    const separator = index < all.length - 1 ? "," : ""
    Writer.item(inner, start, deeper, false, () => item(inner, each, deeper, deeper.length) + separator)
    Writer.trailing(inner, end, deeper)
  }
  Writer.closing(inner, node.end - 1, deeper)
  writer.next = inner.next
  return [open, ...inner.lines, indent + close].join("\n")
}

/** Prints a value from a column on. @internal */
export const value = (writer: Writer.Writer, node: Ast.Value, indent: string, column: number): string => {
  const before = Writer.inline(writer, node.start)
  switch (node.tag) {
    case "IntValue":
      return before + integer(writer, node)
    case "DoubleValue":
      return before + writer.text.slice(node.start, node.end)
    case "Literal":
      return before + literal(writer, node)
    case "NameValue":
      return before + name(writer, node.name)
    case "ListValue":
    case "MapValue": {
      const inOneLine = Writer.hasComment(writer, node) ? undefined : flat(writer, node, Writer.width - column)
      return before + (inOneLine ?? broken(writer, node, indent))
    }
  }
}
