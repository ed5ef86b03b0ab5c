/**
 * Schema → wire plan.
 */
import type * as Schema from "effect/Schema"
import type * as AST from "effect/SchemaAST"
import * as CodecError from "../CodecError.ts"
import {
  CodecKey,
  type FieldAnnotation,
  FieldKey,
  NameKey,
  type SchemaLike,
  type TypeAnnotation,
  TypeKey
} from "./annotations.ts"
import {
  hasZero,
  lastSegment,
  type Member,
  type NamedPlan,
  type Plan,
  prototypeOf,
  type StructPlan,
  type UnionPlan,
  wrapperOf,
  zeroOf
} from "./plan.ts"

// checks carry the annotations that were given after them, the last check first
const annotation = <A>(ast: AST.AST, key: string): A | undefined => {
  const checks = ast.checks
  if (checks !== undefined) {
    for (let i = checks.length - 1; i >= 0; i--) {
      const found = checks[i]!.annotations?.[key]
      if (found !== undefined) return found as A
    }
  }
  return ast.annotations?.[key] as A | undefined
}

const fieldAnnotation = (ast: AST.AST): FieldAnnotation | undefined => {
  const own = ast.context?.annotations?.[FieldKey] as FieldAnnotation | undefined
  if (own !== undefined) return own
  // a transformation that was applied after the id keeps it on the side of the wire
  const last = ast.encoding?.[ast.encoding.length - 1]
  if (last !== undefined && !isClass(ast)) return fieldAnnotation(last.to)
  if (ast._tag === "Union") {
    for (const type of ast.types) {
      const found = fieldAnnotation(type)
      if (found !== undefined) return found
    }
  }
  return undefined
}

// a long chain of structs has long paths
const short = (path: string): string => (path.length <= 200 ? path : `${path.slice(0, 80)}…${path.slice(-80)}`)

const invalid = (path: string, detail: string): CodecError.CodecError => CodecError.make("BadType", short(path), detail)

// a schema with an id or another annotation is another node of the same type: these stay the same objects
const byClass = new WeakMap<object, StructPlan>()
const byUnion = new WeakMap<object, UnionPlan>()
const byAst = new WeakMap<object, Plan>()

// The members of structs and unions wait in a line until what holds them is derived: a long chain of structs needs no deep
// stack, and one that is wrong takes back all that was derived with it.
interface Line {
  readonly waiting: Array<() => void>
  readonly takeBack: Array<() => void>
}

let line: Line | undefined

const inLine = <A>(derive: () => A): A => {
  if (line !== undefined) return derive()
  const { takeBack, waiting } = (line = { waiting: [], takeBack: [] } as Line)
  try {
    const derived = derive()
    // it grows while it is gone through
    for (const complete of waiting) complete()
    return derived
  } catch (error) {
    for (const forget of takeBack) forget()
    throw error
  } finally {
    line = undefined
  }
}

const remember = <K extends object, V>(known: WeakMap<K, V>, key: K, value: V): void => {
  known.set(key, value)
  line!.takeBack.push(() => known.delete(key))
}

/** @internal */
export const planOf = (schema: SchemaLike): Plan => inLine(() => planOfAst(schema.ast as AST.AST, "", 0))

/** A struct or union, the only plans that are messages.
 *
 * @internal
 */
export const messagePlanOf = (schema: SchemaLike): NamedPlan => {
  const plan = planOf(schema)
  if (plan.kind !== "struct" && plan.kind !== "union") throw invalid("", `a message is a struct, not ${plan.kind}`)
  return plan
}

// containers and typedefs, not structs: their members begin anew
const maxTypeNesting = 64

const planOfAst = (ast: AST.AST, path: string, nesting: number): Plan => {
  const known = byAst.get(ast)
  if (known !== undefined) return known
  if (nesting > maxTypeNesting) throw invalid(path, "a container holds itself")
  const plan = derive(ast, path, nesting + 1)
  remember(byAst, ast, plan)
  return plan
}

const derive = (ast: AST.AST, path: string, nesting: number): Plan => {
  const type = annotation<TypeAnnotation>(ast, TypeKey)
  if (type !== undefined) return annotated(type, path, nesting)
  if (ast.encoding !== undefined && !isClass(ast)) return transformed(ast.encoding, path, nesting)
  switch (ast._tag) {
    case "String":
      return { kind: "string" }
    case "Boolean":
      return { kind: "bool" }
    case "BigInt":
      return { kind: "i64" }
    case "Number":
      throw invalid(path, "a number has no wire type: use Thrift.I32, Thrift.I64Number or Thrift.Double")
    case "Suspend":
      return planOfAst(ast.thunk(), path, nesting)
    case "Arrays": {
      if (ast.elements.length !== 0 || ast.rest.length !== 1) throw invalid(path, "a tuple has no wire type")
      return { kind: "list", element: planOfAst(ast.rest[0]!, `${path}[]`, nesting), collection: "array" }
    }
    case "Union": {
      const present = ast.types.filter((type) => type._tag !== "Undefined")
      if (present.length === 1 && present.length < ast.types.length) return planOfAst(present[0]!, path, nesting)
      throw invalid(path, "a union has no wire type: use Thrift.Union")
    }
    case "Objects":
      return struct(ast, ast, undefined, path)
    case "Declaration":
      return declaration(ast, path, nesting)
    default:
      throw invalid(path, `${ast._tag} has no wire type`)
  }
}

const annotated = (type: TypeAnnotation, path: string, nesting: number): Plan => {
  switch (type.kind) {
    case "list":
    case "set": {
      const element = planOfAst(type.element.ast as AST.AST, `${path}[]`, nesting)
      return { kind: type.kind, element, collection: type.collection }
    }
    case "map": {
      const key = planOfAst(type.key.ast as AST.AST, `${path}{key}`, nesting)
      const value = planOfAst(type.value.ast as AST.AST, `${path}{value}`, nesting)
      return { kind: "map", key, value, collection: type.collection }
    }
    case "union":
      return byUnion.get(type) ?? union(type, path)
    case "enum":
      return { kind: "enum", name: type.name, members: Object.entries(type.members) }
    default:
      return { kind: type.kind }
  }
}

const union = (type: TypeAnnotation & { readonly kind: "union" }, path: string): UnionPlan => {
  const label = lastSegment(type.name)
  const plan: UnionPlan = { kind: "union", name: type.name, label, cases: [], compiled: type.codec }
  remember(byUnion, type, plan)
  line!.waiting.push(() => {
    const ids = new Map<number, string>()
    plan.cases = Object.entries(type.cases).map(([tag, { id, schema, thriftName }]) => {
      checkMember(ids, id, tag, path || label)
      return { id, tag, thriftName, plan: planOfAst(schema.ast as AST.AST, `${path || label}.${tag}`, 0) }
    })
  })
  return plan
}

const isClass = (ast: AST.AST): boolean =>
  ast._tag === "Declaration" &&
  ast.encoding?.length === 1 &&
  ast.encoding[0].to._tag === "Objects" &&
  ast.typeParameters[0]?._tag === "Objects"

const pure = (getter: any, path: string): ((value: any) => unknown) => {
  if (getter?._tag === "Passthrough") return (value) => value
  if (getter?._tag === "Transform") return (value) => getter.transform(value)
  throw invalid(
    path,
    "only total, synchronous transformations are compiled: decode the encoded side and transform it after"
  )
}

const transformed = (encoding: AST.Encoding, path: string, nesting: number): Plan => {
  // each link leads one step closer to the wire
  let plan = planOfAst(encoding[encoding.length - 1]!.to, path, nesting)
  for (let i = encoding.length - 1; i >= 0; i--) {
    const transformation: any = encoding[i]!.transformation
    const decode = pure(transformation.decode, path)
    plan = { kind: "transform", inner: plan, decode, encode: pure(transformation.encode, path) }
  }
  return plan
}

const declaration = (ast: AST.Declaration, path: string, nesting: number): Plan => {
  const representation = ast.annotations?.["representation"] as { readonly id?: string } | undefined
  const [first, second] = ast.typeParameters
  switch (representation?.id) {
    case "effect/schema/Uint8Array":
      return { kind: "binary" }
    case "effect/schema/ReadonlySet":
      return { kind: "set", element: planOfAst(first!, `${path}[]`, nesting), collection: "set" }
    case "effect/schema/ReadonlyMap":
      return {
        kind: "map",
        key: planOfAst(first!, `${path}{key}`, nesting),
        value: planOfAst(second!, `${path}{value}`, nesting),
        collection: "map"
      }
  }
  const link = ast.encoding?.length === 1 ? ast.encoding[0] : undefined
  const decode: any = link?.transformation._tag === "Transformation" ? link.transformation.decode : undefined
  if (link?.to._tag === "Objects" && decode?._tag === "Transform") {
    return byClass.get(link.transformation) ?? struct(ast, link.to, link, path)
  }
  throw invalid(path, "a declaration without a wire type")
}

const struct = (ast: AST.AST, objects: AST.Objects, link: AST.Link | undefined, path: string): StructPlan => {
  const name = annotation<string>(ast, NameKey) ?? annotation<string>(ast, "identifier") ?? "Struct"
  const label = path || lastSegment(name)
  const make = link === undefined ? undefined : (link.transformation as any).decode.transform
  const plan: StructPlan = {
    kind: "struct",
    name,
    label: lastSegment(name) || "Struct",
    members: [],
    constants: [],
    make,
    isException: make !== undefined && prototypeOf(make) instanceof Error,
    isResult: false,
    compiled: annotation(ast, CodecKey)
  }
  if (link !== undefined) remember(byClass, link.transformation, plan)
  if (objects.indexSignatures.length !== 0) throw invalid(label, "a struct has no index signatures")
  line!.waiting.push(() => fill(plan, objects, label))
  return plan
}

const fill = (plan: StructPlan, objects: AST.Objects, label: string): void => {
  const members: Array<Member> = []
  const constants: Array<readonly [string, unknown]> = []
  const ids = new Map<number, string>()
  for (const { name: key, type } of objects.propertySignatures) {
    if (typeof key === "symbol") throw invalid(label, "a member needs a name")
    const field = fieldAnnotation(type)
    if (field === undefined && type._tag === "Literal") {
      constants.push([key.toString(), type.literal])
      continue
    }
    const memberPath = `${label}.${key.toString()}`
    if (field === undefined) throw invalid(memberPath, "a member needs an id")
    checkMember(ids, field.id, key.toString(), label)
    members.push({
      id: field.id,
      name: key.toString(),
      thriftName: field.thriftName,
      plan: planOfAst(type, memberPath, 0),
      requiredness: field.requiredness,
      default: field.default
    })
  }
  plan.members = members
  plan.constants = constants
}

const checkMember = (ids: Map<number, string>, id: number, name: string, path: string): void => {
  if (name === "__proto__") throw invalid(`${path}.${name}`, "a member may not have this name")
  if (!Number.isInteger(id) || id < -0x8000 || id > 0x7fff) {
    throw invalid(`${path}.${name}`, `the id ${id} is not an i16`)
  }
  const other = ids.get(id)
  if (other !== undefined) throw invalid(`${path}.${name}`, `the id ${id} is that of ${other} too`)
  ids.set(id, name)
}

/** The plan of a struct that no class stands for: the arguments or the result of a method.
 *
 * @internal
 */
export const wrapper = (
  label: string,
  isResult: boolean,
  fields: ReadonlyArray<Pick<Member, "id" | "name" | "thriftName"> & { readonly schema: SchemaLike }>
): StructPlan => {
  const ids = new Map<number, string>()
  const members = inLine(() =>
    fields.map(({ id, name, schema, thriftName }) => {
      checkMember(ids, id, name, label)
      return { id, name, thriftName, plan: planOfAst(schema.ast as AST.AST, `${label}.${name}`, 0) }
    })
  )
  return wrapperOf(label, isResult, members)
}

/** Whether values are compared by what they are, so that they can be keys and elements of a Map and a Set.
 *
 * @internal
 */
export const isScalar = (schema: SchemaLike): boolean => {
  const ast = schema.ast as AST.AST
  const kind = annotation<TypeAnnotation>(ast, TypeKey)?.kind ?? ast._tag
  return (
    ["bool", "i8", "i16", "i32", "enum", "i64", "i64number", "i64string", "double", "string"].includes(kind) ||
    kind === "String" ||
    kind === "Boolean" ||
    kind === "BigInt"
  )
}

/** How the zero of a type is made; a struct has none.
 *
 * @internal
 */
export const zero = (schema: Schema.Top): (() => unknown) | undefined => {
  const ast = schema.ast as AST.AST
  // named types are not looked into here: what they hold may not be defined yet
  const type = annotation<TypeAnnotation>(ast, TypeKey)
  if (type?.kind === "union" || ast._tag === "Suspend") return undefined
  if (type !== undefined) return () => zeroOf(type)
  if (ast._tag === "Objects" || isClass(ast)) return undefined
  const plan = planOf(schema)
  return hasZero(plan) ? () => zeroOf(plan) : undefined
}
