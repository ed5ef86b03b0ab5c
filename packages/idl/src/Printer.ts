/**
 * The canonical text of an IDL, with all its comments.
 *
 * - Two spaces of indentation; one field, member or function a line, without separators; `, ` between arguments,
 *   annotations and the items of constants. What is longer than 100 columns is broken to one item a line: arguments
 *   and constants, nothing else.
 * - Double quotes, unless the text holds one. Numbers stay as written.
 * - A blank line around each struct, union, exception, enum and service, and between headers and definitions.
 *   Elsewhere blank lines stay, but never more than one, and none at the edge of a body.
 * - A comment stays before, behind or within what it was; `//` within a line becomes a block comment.
 * - Empty annotations and separators go; what Apache Thrift alone reads is written in the way of Kitex.
 *
 * Printing what is printed changes nothing, and the printed text means the same.
 *
 * @since 0.1.0
 */
import type * as Ast from "./Ast.ts"
import { field, fn } from "./internal/print/fields.ts"
import * as Values from "./internal/print/values.ts"
import * as Writer from "./internal/print/writer.ts"
import type { Source } from "./Source.ts"

const indent = "  "

interface Items<A> {
  readonly items: ReadonlyArray<A>
  readonly print: (writer: Writer.Writer, item: A) => string
}

/** From ` {` to `}`; what stands before the brace ends at `headEnd`. */
const body = <A extends Ast.Field | Ast.EnumMember | Ast.Function>(
  writer: Writer.Writer,
  headEnd: number,
  { items, print }: Items<A>
): string => {
  let open = Writer.tokenAt(writer, headEnd)
  // over the `xsd_all` of Apache
  while (open < writer.text.length && writer.text.charAt(open) !== "{") open = Writer.tokenAt(writer, open + 1)
  const head = `${Writer.inlineBefore(writer, open)} {`
  const inner: Writer.Writer = { ...writer, lines: [], at: open + 1 }
  const first: Writer.Writer = { ...inner, lines: [head] }
  Writer.trailing(first, open + 1, "")
  inner.next = first.next
  inner.at = first.at
  for (const each of items) {
    Writer.item(inner, each.start, indent, false, () => print(inner, each))
    Writer.trailing(inner, each.end, indent)
  }
  Writer.closing(inner, Writer.tokenAt(inner, inner.at), indent)
  writer.next = inner.next
  const lines = [...first.lines, ...inner.lines]
  return lines.length === 1 && lines[0] === head ? `${head}}` : [...lines, "}"].join("\n")
}

const structBody = (writer: Writer.Writer, node: Ast.Struct): string =>
  body(writer, node.name.end, {
    items: node.fields,
    print: (inner, each) => field(inner, each, indent, indent.length)
  })

const member = (writer: Writer.Writer, node: Ast.EnumMember): string => {
  const value = node.value === undefined ? "" : ` = ${Values.integer(writer, node.value)}`
  return Values.name(writer, node.name) + value + Values.annotations(writer, node)
}

const service = (writer: Writer.Writer, node: Ast.Service): string => {
  const name = `service ${Values.name(writer, node.name)}`
  const base = node.extends === undefined ? "" : ` extends ${Values.name(writer, node.extends)}`
  const functions = {
    items: node.functions,
    print: (inner: Writer.Writer, each: Ast.Function) => fn(inner, each, indent)
  }
  return name + base + body(writer, (node.extends ?? node.name).end, functions)
}

const constant = (writer: Writer.Writer, node: Ast.Const): string => {
  const declared = `const ${Values.type(writer, node.type)} ${Values.name(writer, node.name)} = `
  return declared + Values.value(writer, node.value, "", declared.length)
}

const definition = (writer: Writer.Writer, node: Ast.Definition): string => {
  switch (node.tag) {
    case "Const":
      return constant(writer, node)
    case "Typedef":
      return `typedef ${Values.type(writer, node.type)} ${Values.name(writer, node.name)}`
    case "Enum":
      return `enum ${Values.name(writer, node.name)}${body(writer, node.name.end, { items: node.members, print: member })}`
    case "Struct":
      return `${node.kind} ${Values.name(writer, node.name)}${structBody(writer, node)}`
    case "Service":
      return service(writer, node)
  }
}

const header = (writer: Writer.Writer, node: Ast.Include | Ast.Namespace): string => {
  if (node.tag === "Include") return `${node.isCpp ? "cpp_include" : "include"} ${Values.literal(writer, node.path)}`
  return `namespace ${Values.name(writer, node.scope)} ${Values.name(writer, node.name)}${Values.annotations(writer, node)}`
}

const hasBody = ({ tag }: Ast.Definition): boolean => tag === "Enum" || tag === "Struct" || tag === "Service"

/** Whether a blank line must be before a definition. */
const isApart = (node: Ast.Definition, previous: Ast.Definition | undefined): boolean =>
  previous === undefined || hasBody(node) || hasBody(previous)

/**
 * Prints a file that was parsed without errors.
 *
 * **Example**
 *
 * ```ts
 * import { Parser, Printer } from "@millrace/idl"
 *
 * const source = { path: "api.thrift", text: "struct A{1:string a;2:i32 b}" }
 * console.log(Printer.print(source, Parser.parse(source).document))
 * ```
 *
 * @since 0.1.0
 * @category printing
 */
export const print = (source: Source, document: Ast.Document): string => {
  const writer = Writer.make(source.text, document)
  for (const node of document.headers) {
    Writer.item(writer, node.start, "", false, () => header(writer, node))
    Writer.trailing(writer, node.end, "")
  }
  let previous: Ast.Definition | undefined
  for (const node of document.definitions) {
    const printed = (): string => {
      const text = definition(writer, node) + Values.annotations(writer, node)
      return text + Writer.inlineBefore(writer, node.end)
    }
    Writer.item(writer, node.start, "", isApart(node, previous), printed)
    Writer.trailing(writer, node.end, "")
    previous = node
  }
  Writer.closing(writer, source.text.length, "")
  return writer.lines.map((line) => `${line}\n`).join("")
}
