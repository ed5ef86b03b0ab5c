/**
 * What an IDL from anyone may ask for: names, members, nesting and what its types and values grow to once typedefs and
 * constants are put in their places. A few lines can say a type of 2^64 parts; here that is an error at the line.
 */
import * as Diagnostic from "../../Diagnostic.ts"
import type * as Program from "../../Program.ts"
import type { Span } from "../../Source.ts"
import { parts as valueParts } from "../emit/needs.ts"

const maxNameLength = 512
const maxMembers = 4096
const maxNesting = 64
const maxParts = 1_000_000

/** How deep something nests and of how many parts it is. */
interface Measure {
  readonly nesting: number
  readonly parts: number
}

const boundless: Measure = { nesting: Infinity, parts: Infinity }

// Each node is measured once. What is too deep is not followed further, so the stack is bounded too, and a circle is
// nothing but too deep.
const measurer = <Node extends object>(children: (node: Node) => ReadonlyArray<Node>) => {
  const known = new WeakMap<Node, Measure>()
  const measure = (node: Node, depth: number): Measure => {
    if (depth > maxNesting) return boundless
    const found = known.get(node)
    if (found !== undefined) return found
    let nesting = 0
    let parts = 1
    for (const child of children(node)) {
      const inner = measure(child, depth + 1)
      nesting = Math.max(nesting, inner.nesting + 1)
      parts += inner.parts
    }
    const measured = { nesting, parts }
    known.set(node, measured)
    return measured
  }
  return (node: Node): Measure => measure(node, 0)
}

const partsOfType = (type: Program.Type): ReadonlyArray<Program.Type> => {
  switch (type.kind) {
    case "list":
    case "set":
      return [type.element]
    case "map":
      return [type.key, type.value]
    case "reference":
      return type.to.tag === "Typedef" ? [type.to.type] : []
    default:
      return []
  }
}

const partsOfValue = (value: Program.Value): ReadonlyArray<Program.Value> => {
  if (value.kind !== "struct") return valueParts(value)
  // members that are not given get their defaults when the struct is made
  const given = new Map(value.fields)
  return value.struct.fields.flatMap((field) => given.get(field) ?? field.default ?? [])
}

const inheritance = (service: Program.Service): number => {
  let depth = 0
  for (let base = service.extends; base !== undefined && depth <= maxNesting; base = base.extends) depth++
  return depth
}

/** The first limit that a program exceeds.
 *
 * @internal
 */
export const exceeded = (program: Program.Program): Diagnostic.Diagnostic | undefined => {
  const measureType = measurer(partsOfType)
  const measureValue = measurer(partsOfValue)
  let parts = 0

  const inFile = (file: Program.File): Diagnostic.Diagnostic | undefined => {
    const fail = (span: Span, message: string) => Diagnostic.make("E_LIMIT", file.source, span, message)

    const name = (named: { readonly name: string; readonly node: { readonly name: Span } }) =>
      named.name.length > maxNameLength
        ? fail(named.node.name, `a name has at most ${maxNameLength} characters, and this one ${named.name.length}`)
        : undefined

    const grown = (what: string, span: Span, measured: Measure) => {
      if (measured.nesting > maxNesting) return fail(span, `${what} nests more than ${maxNesting} levels deep`)
      parts += measured.parts
      return parts > maxParts ? fail(span, `with ${what}, this IDL is of more than ${maxParts} parts`) : undefined
    }

    const fields = (what: string, fields: ReadonlyArray<Program.Field>) => {
      if (fields.length > maxMembers) {
        return fail(
          fields[maxMembers]!.node.name,
          `${what} has at most ${maxMembers} members, and here ${fields.length}`
        )
      }
      return first(
        fields,
        (field) =>
          name(field) ??
          grown(`the type of "${field.name}"`, field.node.type, measureType(field.type)) ??
          (field.default === undefined
            ? undefined
            : grown(`the default of "${field.name}"`, field.node.name, measureValue(field.default)))
      )
    }

    const method = (method: Program.Method) =>
      name(method) ??
      (method.result === undefined
        ? undefined
        : grown(`the result of "${method.name}"`, method.result.node, measureType(method.result))) ??
      fields(`the list of arguments of "${method.name}"`, method.arguments) ??
      fields(`the list of exceptions of "${method.name}"`, method.throws)

    return first(file.definitions, (definition) => {
      const found = name(definition)
      if (found !== undefined) return found
      const what = `"${definition.name}"`
      switch (definition.tag) {
        case "Const":
          return (
            grown(`the type of ${what}`, definition.node.type, measureType(definition.type)) ??
            grown(what, definition.node.name, measureValue(definition.value))
          )
        case "Typedef":
          return grown(what, definition.node.name, measureType(definition.type))
        case "Enum":
          return first(definition.members, name)
        case "Struct":
          return fields(what, definition.fields)
        case "Service":
          return inheritance(definition) > maxNesting
            ? fail(definition.node.name, `${what} inherits through more than ${maxNesting} services`)
            : first(definition.methods, method)
      }
    })
  }

  return first(program.files, inFile)
}

const first = <A, B>(items: ReadonlyArray<A>, find: (item: A) => B | undefined): B | undefined => {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}
