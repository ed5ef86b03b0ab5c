/**
 * Uses of types, and typedefs.
 *
 * @internal
 */
import type * as Ast from "../../Ast.ts"
import type * as Program from "../../Program.ts"
import { components } from "../components.ts"
import { chainText, circle, shown } from "./cycles.ts"
import { find, mayBeLost, names, related, report, type Scope, shape } from "./scope.ts"
import { nearest } from "./suggest.ts"
import { quoted, short } from "./text.ts"

const baseTypes = ["bool", "byte", "i8", "i16", "i32", "i64", "double", "string", "binary"]

/** What other languages call a base type. */
const synonyms: Readonly<Record<string, string>> = {
  boolean: "bool",
  bytes: "binary",
  float: "double",
  float32: "double",
  float64: "double",
  int: "i32",
  int8: "i8",
  int16: "i16",
  int32: "i32",
  int64: "i64",
  long: "i64",
  short: "i16",
  slist: "string",
  str: "string"
}

/** How deep containers nest when typedefs are looked through. */
const deepest = 64

const isType = (node: Ast.Definition): node is Ast.Typedef | Ast.Enum | Ast.Struct =>
  node.tag === "Typedef" || node.tag === "Enum" || node.tag === "Struct"

const named = (scope: Scope, node: Ast.NamedType): Program.Type | undefined => {
  const name = node.name.text
  const found = find(scope, name, isType)
  if (found === undefined) {
    if (!mayBeLost(scope, name)) reportUndefined(scope, node.name)
    return undefined
  }
  if (!isType(found.node)) {
    const category = found.node.tag === "Service" ? "Service" : "Constant"
    report(scope, "E_UNDEFINED", node.name, `unexpected type category '${category}' of type '${short(name)}'`, {
      related: [related(found.scope, found.node.name, "declared here")],
      hint: `a ${category.toLowerCase()} is not a type`
    })
    return undefined
  }
  const to = found.scope.resolved.get(found.node.name.text)
  return to === undefined ? undefined : { kind: "reference", to: to as Program.Reference["to"], node }
}

function* typeNames(scope: Scope): Iterable<string> {
  yield* baseTypes
  yield* names(scope, "type")
}

const reportUndefined = (scope: Scope, name: Ast.Name): void => {
  const synonym = Object.hasOwn(synonyms, name.text) ? synonyms[name.text] : undefined
  const near = synonym ?? nearest(name.text, typeNames(scope), scope.run.budget)
  report(scope, "E_UNDEFINED", name, `undefined type: ${quoted(name.text)}`, {
    hint: near === undefined ? undefined : `did you mean ${quoted(near)}?`
  })
}

/**
 * The type that is meant; undefined where it is wrong, which is reported.
 *
 * @internal
 */
export const resolveType = (scope: Scope, node: Ast.Type): Program.Type | undefined => {
  switch (node.tag) {
    case "BaseType":
      return { kind: node.name === "byte" ? "i8" : node.name, node }
    case "NamedType":
      return named(scope, node)
    case "ListType":
    case "SetType": {
      const element = resolveType(scope, node.element)
      return element && { kind: node.tag === "ListType" ? "list" : "set", element, node }
    }
    case "MapType": {
      const key = resolveType(scope, node.key)
      const value = resolveType(scope, node.value)
      if (key !== undefined) checkKey(scope, key, node.key)
      return key && value && { kind: "map", key, value, node }
    }
  }
}

const checkKey = (scope: Scope, key: Program.Type, node: Ast.Type): void => {
  const found = shape(scope.run, key)
  const kind = "tag" in found ? (found.tag === "Enum" ? undefined : found.kind) : found.kind
  if (kind === "list" || kind === "set" || kind === "map") {
    report(scope, "W_COMPLEX_KEY", node, `a ${kind} as key of a map: Kitex generates Go for it that does not compile`)
  } else if (kind === "struct" || kind === "union" || kind === "exception") {
    report(scope, "W_COMPLEX_KEY", node, `a ${kind} as key of a map: JSON of generic calls cannot express it`)
  }
}

/** The names in a type that may be typedefs of the same file. */
const localNames = (type: Ast.Type, into: Array<string> = []): ReadonlyArray<string> => {
  if (type.tag === "NamedType") into.push(type.name.text)
  else if (type.tag === "MapType") {
    localNames(type.key, into)
    localNames(type.value, into)
  } else if (type.tag !== "BaseType") localNames(type.element, into)
  return into
}

const depth = (known: ReadonlyMap<Program.Typedef, number>, type: Program.Type): number => {
  switch (type.kind) {
    case "list":
    case "set":
      return 1 + depth(known, type.element)
    case "map":
      return 1 + Math.max(depth(known, type.key), depth(known, type.value))
    case "reference":
      return type.to.tag === "Typedef" ? (known.get(type.to) ?? 0) : 0
    default:
      return 0
  }
}

/**
 * Resolves the typedefs of a file, each behind those that it is made of.
 *
 * @internal
 */
export const resolveTypedefs = (scope: Scope, nodes: ReadonlyArray<Ast.Typedef>): ReadonlyArray<Program.Typedef> => {
  const next = (node: Ast.Typedef): ReadonlyArray<Ast.Typedef> =>
    localNames(node.type).flatMap((name) => {
      const found = scope.declared.get(name)
      return found?.tag === "Typedef" ? [found] : []
    })
  const depths = scope.run.depths
  const typedefs: Array<Program.Typedef> = []
  for (const component of components(nodes, next)) {
    const first = component.reduce((a, b) => (a.start <= b.start ? a : b))
    const chain = circle(component, first, next)
    if (chain !== undefined) {
      reportCircle(scope, chain)
      continue
    }
    const type = resolveType(scope, first.type)
    if (type === undefined) continue
    const nesting = depth(depths, type)
    if (nesting > deepest) {
      report(scope, "E_LIMIT", first.name, `${quoted(first.name.text)} nests more than ${deepest} containers`)
      continue
    }
    const typedef: Program.Typedef = { tag: "Typedef", name: first.name.text, file: scope.file, type, node: first }
    depths.set(typedef, nesting)
    scope.run.shapes.set(typedef, shape(scope.run, type))
    typedefs.push(typedef)
    if (scope.declared.get(typedef.name) === first) scope.resolved.set(typedef.name, typedef)
  }
  return typedefs
}

const reportCircle = (scope: Scope, chain: ReadonlyArray<Ast.Typedef>): void => {
  const text = chainText(chain.map(({ name }) => short(name.text)))
  report(scope, "E_TYPEDEF_CYCLE", chain[0]!.name, `typedefs can not be resolved: ${text}`, {
    related: shown(chain)
      .slice(1)
      .map(({ name }) => related(scope, name, `${quoted(name.text)} is declared here`)),
    hint: "a typedef cannot be made of itself; a struct can"
  })
}
