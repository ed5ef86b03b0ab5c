/**
 * Structs, unions, exceptions and enums.
 */
import type * as Program from "../../Program.ts"
import { docLines } from "./comments.ts"
import type { Context } from "./context.ts"
import {
  arrow,
  call,
  type Entry,
  maxWidth,
  type Node,
  number,
  object,
  print,
  printBehind,
  printType,
  text
} from "./layout.ts"
import { enumMemberName, exportName, memberName, thriftName } from "./names.ts"
import { values } from "./needs.ts"
import { schema, typeText } from "./types.ts"
import { hasEntries, key, quoted, valueNode } from "./values.ts"

/** An entry with the comment that its node has in the IDL. */
const documented = (doc: string | undefined, indent: number, entry: Entry): Entry => {
  const lines = docLines(doc, indent)
  return lines.length === 0 ? entry : { ...entry, doc: lines }
}

/** A default is made anew for each message, unless it is a constant. */
const defaultNode = (field: Program.Field, value: Program.Value, context: Context): Node => {
  const type = context.isTyped ? typeText(field.type, field, context) : undefined
  return arrow("()", valueNode(value, field.type, field, false, context), type)
}

// where types hold each other, the type of a default cannot be inferred from the class that it is a part of
const isRecursive = (value: Program.Value, { current, order }: Context): boolean =>
  [...values(value)].some((each) => each.kind === "struct" && order.isMutual(each.struct, current))

const isTyped = ({ default: value, type }: Program.Field, context: Context): boolean =>
  value !== undefined && (isRecursive(value, context) || hasEntries(value, type, context))

/**
 * A member of a struct, an argument or a declared exception, by its name in the program:
 * `message: Thrift.optional(1, Thrift.String)`.
 *
 * @internal
 */
export const fieldEntry = (
  name: string,
  field: Program.Field,
  kind: "field" | "optional" | "required",
  context: Context
): Entry => {
  const inner = isTyped(field, context) ? { ...context, isTyped: true } : context
  const args = [text(String(field.id)), schema(field.type, field, inner)]
  const options: Array<Entry> = []
  const inIdl = thriftName(field, name)
  if (inIdl !== undefined) options.push({ key: "name", value: text(quoted(inIdl)) })
  if (field.default !== undefined) options.push({ key: "default", value: defaultNode(field, field.default, inner) })
  if (options.length > 0) args.push(object(options))
  return { key: key(name), value: call(`${context.scope.library("Thrift")}.${kind}`, ...args) }
}

const membersNode = (struct: Program.Struct, context: Context): Node =>
  object(
    struct.fields.map((field) => {
      const kind = struct.kind === "union" || field.requiredness === "default" ? "field" : field.requiredness
      const own = struct.kind === "union" ? { ...field, default: undefined } : field
      const name = memberName(struct.kind, field, context.options)
      return documented(field.node.doc, 2, fieldEntry(name, own, kind, context))
    })
  )

const classText = (name: string, base: Node): string => {
  const head = `export class ${name} extends `
  return `${head}${print(base, 0, head.length, 3)} {}\n`
}

const constText = (name: string, value: Node): string => `${printBehind(`export const ${name} =`, value, 0, 0, 0)}\n`

/** @internal */
export const structText = (struct: Program.Struct, context: Context): string => {
  const { identities, options, scope } = context
  const name = exportName(struct.name)
  const thrift = scope.library("Thrift")
  const identity = text(quoted(identities(struct)))
  const codec =
    options.codec === "aot" ? [object([{ key: "codec", value: text(`${scope.library("codec")}.${name}`) }])] : []
  const members = membersNode(struct, context)
  switch (struct.kind) {
    case "struct":
      return classText(name, call(call(`${thrift}.Struct<${name}>`, identity, ...codec), members))
    case "exception":
      return classText(name, call(call(`${thrift}.Exception<${name}>`), identity, members, ...codec))
    case "union":
      return constText(name, call(`${thrift}.Union`, identity, members, ...codec)) + unionType(struct, context)
  }
}

const unionType = (union: Program.Struct, context: Context): string => {
  const name = exportName(union.name)
  const head = `export type ${name} =`
  // a type that is a part of itself cannot be inferred
  if (!context.suspended.has(union)) return `${head} typeof ${name}.Type\n`
  const printCases = (indent: number, column: number) =>
    union.fields.map((field) => {
      const tag = `readonly _tag: ${quoted(memberName("union", field, context.options))}`
      return printCase(tag, typeText(field.type, field, context), indent, column)
    })
  const line = `${head} ${printCases(0, -Infinity).join(" | ")}`
  if (line.length <= maxWidth) return `${line}\n`
  if (union.fields.length === 1) return `${head} ${printCases(0, head.length + 1)[0]}\n`
  return `${head}\n${printCases(4, 4)
    .map((each) => `  | ${each}\n`)
    .join("")}`
}

const printCase = (tag: string, type: string, indent: number, column: number): string => {
  const line = `{ ${tag}; readonly value: ${type} }`
  if (column + line.length <= maxWidth) return line
  const start = `${" ".repeat(indent + 2)}readonly value: `
  return `{\n${" ".repeat(indent + 2)}${tag}\n${start}${printType(type, indent + 2, start.length, 0)}\n${" ".repeat(indent)}}`
}

/** @internal */
export const enumText = (definition: Program.Enum, context: Context): string => {
  const name = exportName(definition.name)
  const entries = definition.members.map((member) =>
    documented(member.node.doc, 2, { key: key(enumMemberName(member.name)), value: number(String(member.value)) })
  )
  const identity = text(quoted(context.identities(definition)))
  const value = call(`${context.scope.library("Thrift")}.Enum`, identity, object(entries))
  return `${constText(name, value)}export type ${name} = typeof ${name}.Type\n`
}

/** @internal */
export const typedefText = (typedef: Program.Typedef, context: Context): string => {
  const name = exportName(typedef.name)
  const value = schema(typedef.type, typedef, context)
  const head = `export type ${name} = `
  return `${constText(name, value)}${head}${printType(typeText(typedef.type, typedef, context), 0, head.length, 0)}\n`
}

/** @internal */
export const constantText = (constant: Program.Const, context: Context): string => {
  const name = exportName(constant.name)
  const value = valueNode(constant.value, constant.type, undefined, true, context)
  const { kind } = constant.value
  // what is inferred for a container says too little or too much
  const isTyped = kind === "list" || kind === "set" || kind === "map" || (kind === "struct" && value.tag === "object")
  const annotation = isTyped && value.tag !== "text" ? `: ${typeText(constant.type, undefined, context)}` : ""
  return constText(name + annotation, value)
}
