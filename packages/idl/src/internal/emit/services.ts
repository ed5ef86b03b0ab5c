/**
 * Services and their methods.
 */
import * as Program from "../../Program.ts"
import { docLines } from "./comments.ts"
import type { Context } from "./context.ts"
import { array, call, type Entry, type Item, type Node, object, print, text } from "./layout.ts"
import { exportName, memberName } from "./names.ts"
import { fieldEntry } from "./structs.ts"
import { schema } from "./types.ts"
import { quoted } from "./values.ts"

const constructors = {
  pingPong: "pingPong",
  oneway: "oneway",
  unary: "unary",
  client: "clientStreaming",
  server: "serverStreaming",
  bidirectional: "bidirectional"
} as const satisfies Readonly<Record<Program.Method["mode"], string>>

/** Without defaults, which Kitex ignores too: an absent argument is the zero of its type. */
const argumentsOf = (method: Program.Method): ReadonlyArray<Program.Field> =>
  method.arguments.map((each) => ({ ...each, default: undefined }))

const fieldsNode = (fields: ReadonlyArray<Program.Field>, context: Context): Node =>
  object(fields.map((field) => fieldEntry(memberName("method", field, context.options), field, "field", context)))

const exceptions = (method: Program.Method, context: Context): ReadonlyArray<Entry> =>
  method.throws.length === 0 ? [] : [{ key: "exceptions", value: fieldsNode(method.throws, context) }]

const result = (method: Program.Method, context: Context): ReadonlyArray<Entry> =>
  method.result === undefined ? [] : [{ key: "response", value: schema(method.result, undefined, context) }]

const optionsOf = (method: Program.Method, context: Context): ReadonlyArray<Entry> => {
  switch (method.mode) {
    case "oneway":
      return [{ key: "arguments", value: fieldsNode(argumentsOf(method), context) }]
    case "pingPong":
      return [
        { key: "arguments", value: fieldsNode(argumentsOf(method), context) },
        ...result(method, context),
        ...exceptions(method, context)
      ]
    default: {
      const [argument] = argumentsOf(method)
      const request =
        argument === undefined ? [] : [{ key: "request", value: schema(argument.type, argument, context) }]
      const messages = [...request, ...result(method, context)]
      if (method.mode !== "unary") return messages
      const id =
        argument === undefined || argument.id === 1 ? [] : [{ key: "argumentId", value: text(`${argument.id}`) }]
      return [...messages, ...exceptions(method, context), ...id]
    }
  }
}

const methodItem = (method: Program.Method, context: Context): Item => {
  const constructor = `${context.scope.library("Method")}.${constructors[method.mode]}`
  const value = call(constructor, text(quoted(method.name)), object(optionsOf(method, context)))
  const doc = docLines(method.node.doc, 4)
  return doc.length === 0 ? { value } : { doc, value }
}

/** @internal */
export const serviceText = (service: Program.Service, context: Context): string => {
  const name = exportName(service.name)
  const options: Array<Entry> = [{ key: "package", value: text(quoted(Program.packageName(service.file))) }]
  if (service.extends !== undefined) {
    options.push({ key: "extends", value: text(context.scope.definition(service.extends)) })
  }
  options.push({ key: "methods", value: array(service.methods.map((method) => methodItem(method, context))) })
  const base = call(`${context.scope.library("Service")}.make`, text(quoted(service.name)), object(options))
  const head = `export class ${name} extends `
  return `${head}${print(base, 0, head.length, 3)} {}\n`
}
