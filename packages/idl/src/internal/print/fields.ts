/**
 * Prints fields, lists of them in parentheses, and functions.
 *
 * @internal
 */
import type * as Ast from "../../Ast.ts"
import type { Span } from "../../Source.ts"
import * as Values from "./values.ts"
import * as Writer from "./writer.ts"

const idText = ({ text }: Writer.Writer, { end, start, value }: NonNullable<Ast.Field["id"]>): string =>
  Number.isSafeInteger(value) ? String(value) : text.slice(start, end)

/** Prints a field without a separator. @internal */
export const field = (writer: Writer.Writer, node: Ast.Field, indent: string, column: number): string => {
  const { id, requiredness } = node
  const prefix =
    (id === undefined ? "" : `${Writer.inline(writer, id.start)}${idText(writer, id)}: `) +
    (requiredness === undefined ? "" : `${Writer.inline(writer, requiredness.start)}${requiredness.text} `)
  const declared = `${prefix}${Values.type(writer, node.type)} ${Values.name(writer, node.name)}`
  const assigned =
    node.default === undefined
      ? declared
      : `${declared} = ${Values.value(writer, node.default, indent, column + declared.length + 3)}`
  return assigned + Values.annotations(writer, node) + Writer.inlineBefore(writer, node.end)
}

const inOneLine = (writer: Writer.Writer, fields: ReadonlyArray<Ast.Field>): string =>
  `(${fields.map((node) => field(writer, node, "", -Infinity)).join(", ")})`

const broken = (writer: Writer.Writer, fields: ReadonlyArray<Ast.Field>, span: Span, indent: string): string => {
  const inner: Writer.Writer = { ...writer, lines: ["("], at: span.start + 1 }
  const deeper = `${indent}  `
  Writer.trailing(inner, span.start + 1, indent)
  for (const [index, node] of fields.entries()) {
    const separator = index < fields.length - 1 ? "," : ""
    Writer.item(inner, node.start, deeper, false, () => field(inner, node, deeper, deeper.length) + separator)
    Writer.trailing(inner, node.end, deeper)
  }
  Writer.closing(inner, span.end - 1, deeper)
  writer.next = inner.next
  return [...inner.lines, `${indent})`].join("\n")
}

const list = (writer: Writer.Writer, fields: ReadonlyArray<Ast.Field>, span: Span, indent: string): string =>
  Writer.hasComment(writer, span) ? broken(writer, fields, span, indent) : inOneLine(writer, fields)

const result = (writer: Writer.Writer, node: Ast.Function): string => {
  const oneway = node.oneway === undefined ? "" : "oneway "
  return oneway + (node.result === undefined ? "void" : Values.type(writer, node.result))
}

/** Prints a function; arguments and exceptions that are too long for a line are one a line. @internal */
export const fn = (writer: Writer.Writer, node: Ast.Function, indent: string): string => {
  const { argumentsSpan, throws, throwsSpan } = node
  const name = `${result(writer, node)} ${Values.name(writer, node.name)}`
  const head = name + Writer.inlineBefore(writer, argumentsSpan.start)
  const hasComment = Writer.hasComment(writer, node)
  const arguments_ = list(writer, node.arguments, argumentsSpan, indent)
  const throwsAt = throwsSpan && Writer.tokenAt(writer, throwsSpan.start + "throws".length)
  const thrown =
    throwsSpan === undefined || throwsAt === undefined
      ? ""
      : `${Writer.inlineBefore(writer, throwsAt)} throws ${list(writer, throws, { start: throwsAt, end: throwsSpan.end }, indent)}`
  const tail = thrown + Values.annotations(writer, node) + Writer.inlineBefore(writer, node.end)
  const printed = head + arguments_ + tail
  const isShort = indent.length + printed.length <= Writer.width
  return isShort || hasComment || node.arguments.length === 0
    ? printed
    : head + broken(writer, node.arguments, argumentsSpan, indent) + tail
}
