/**
 * Construction of messages without the machinery of `Schema.Class`, which costs more than writing them on the wire. It
 * serves the plain case: every member is of its type. Anything else (a wrong value, a plain object for a struct, a
 * default to fill in, a check of the user's) is left to the constructor of the schema, which knows what to say.
 */
import type * as AST from "effect/SchemaAST"
import { FieldKey, type ScalarKind, type SchemaLike, type TypeAnnotation, TypeKey } from "./annotations.ts"
import { isI64String } from "./bytes.ts"
import { prototypeOf } from "./plan.ts"
import { isAllowed } from "./source.ts"

/** Builds an instance of `target`, or answers undefined where the schema's constructor has to. */
type Construct = (target: Function, props: unknown) => object | undefined

/** A value is of its type: text of an expression over `v`, and what it refers to. */
interface Test {
  readonly text: string
  readonly refers: unknown
}

// of these, only an i64 as text refers to something, to isI64String
const scalars: { readonly [K in ScalarKind | "enum"]: string } = {
  bool: `typeof v === "boolean"`,
  i8: "v << 24 >> 24 === v",
  i16: "v << 16 >> 16 === v",
  i32: "(v | 0) === v",
  enum: "(v | 0) === v",
  i64: `typeof v === "bigint" && BigInt.asIntN(64, v) === v`,
  i64string: "refers(v)",
  i64number: "Number.isSafeInteger(v)",
  double: `typeof v === "number"`,
  string: `typeof v === "string"`,
  binary: "v instanceof Uint8Array"
}

// Checks of the user's come behind the type's own, which carry its annotation.
const typeOf = (ast: AST.AST): TypeAnnotation | undefined => {
  const { checks } = ast
  const carrier = checks === undefined ? ast.annotations : checks[checks.length - 1]!.annotations
  return carrier?.[TypeKey] as TypeAnnotation | undefined
}

const testOf = (ast: AST.AST): Test | undefined => {
  const type = typeOf(ast)
  if (type !== undefined && type.kind in scalars) {
    return { text: scalars[type.kind as keyof typeof scalars], refers: isI64String }
  }
  if (type !== undefined || ast.checks !== undefined || ast._tag !== "Declaration") return undefined
  const link: any = ast.encoding?.length === 1 ? ast.encoding[0] : undefined
  const make = link?.to._tag === "Objects" ? link.transformation.decode?.transform : undefined
  return make === undefined ? undefined : { text: "v instanceof refers", refers: prototypeOf(make).constructor }
}

interface Member {
  readonly name: string
  readonly optional: boolean
  readonly test: Test
}

const membersOf = (fields: Readonly<Record<string, SchemaLike>>): ReadonlyArray<Member> | undefined => {
  const members: Array<Member> = []
  for (const name of Object.keys(fields)) {
    const ast = fields[name]!.ast as AST.AST
    const { context } = ast
    const test = context?.annotations?.[FieldKey] === undefined ? undefined : testOf(ast)
    if (test === undefined || name === "__proto__") return undefined
    members.push({ name, optional: context!.isOptional && context!.constructorDefault === undefined, test })
  }
  return members
}

const never: Construct = () => undefined

/** The construction of a class with these fields. */
const construct = (fields: Readonly<Record<string, SchemaLike>>): Construct => {
  if (!isAllowed()) return never
  const members = membersOf(fields)
  if (members === undefined) return never
  const at = (name: string) => `[${JSON.stringify(name)}]`
  const params = members.map((_, i) => `m${i}`).join(", ")
  const assign = members.map(({ name, optional }, i) =>
    optional ? `if (m${i} !== undefined) this${at(name)} = m${i}` : `this${at(name)} = m${i}`
  )
  const read = members.map(({ name, optional, test }, i) => {
    const fits = test.text.replaceAll(/\bv\b/g, `m${i}`).replace("refers", `refers[${i}]`)
    return `const m${i} = props${at(name)}; if (${optional ? `m${i} !== undefined && ` : ""}!(${fits})) return`
  })
  const text = `"use strict"
const makers = new WeakMap()
let last, Make
const makerOf = (target) => {
  let made = makers.get(target)
  if (made === undefined) {
    made = function (${params}) { ${assign.join("; ")} }
    made.prototype = target.prototype
    makers.set(target, made)
  }
  return made
}
return (target, props) => {
  if (typeof props !== "object" || props === null) return
  ${read.join("\n  ")}
  if (target !== last) { Make = makerOf(target); last = target }
  return new Make(${params})
}`
  // oxlint-disable-next-line no-new-func -- names are quoted and the rest is of this file
  return new Function("refers", text)(members.map(({ test }) => test.refers)) as Construct
}

// copies only where a member is undefined, so that `{ message: undefined }` builds the same as `{}`
const dropUndefined = (props: any): any => {
  for (const key in props) {
    if (props[key] !== undefined) continue
    const present: any = {}
    for (const key in props) if (props[key] !== undefined) present[key] = props[key]
    return present
  }
  return props
}

/** The class with a constructor that takes an explicit `undefined` for a member that may be absent; where there are
 * fields, instances are built without the schema where that can be.
 *
 * @internal
 */
export const loose = (Base: any, fields?: Readonly<Record<string, SchemaLike>>): any => {
  // compiled for the first message: most classes are defined long before one is built, and some refer to each other
  let fast: Construct | undefined = fields === undefined ? never : undefined
  // The schema of a class is memoised for the first class that asks, so the base must never be asked: no `.annotate`
  // here.
  return class extends Base {
    constructor(props?: any, options?: any) {
      const built = options === undefined ? (fast ??= construct(fields!))(new.target, props) : undefined
      if (built !== undefined) return built
      super(dropUndefined(props), options)
    }
  }
}
