/**
 * Which scalar a use of a base type is in TypeScript. An i64 and a string have several forms; annotations choose.
 */
import * as Program from "../Program.ts"

/** @internal */
export type Scalar = Program.Base["kind"] | "i64number" | "i64string"

/** @internal */
export interface ScalarOptions {
  /** What an i64 is where no annotation says it. */
  readonly i64: "bigint" | "number"
}

type Annotated = Parameters<typeof Program.annotation>[0]

/**
 * The member or typedef whose own type it is, which may say its form.
 *
 * @internal
 */
export type Holder = Pick<Program.Field | Program.Typedef, "node">

const i64Forms: Readonly<Record<string, Scalar>> = { bigint: "i64", number: "i64number", string: "i64string" }

/** What one node says by its annotations; the last one counts. */
const said = (kind: Program.Base["kind"], node: Annotated): Scalar | undefined => {
  if (node.annotations.length === 0) return undefined
  const name = Program.annotation(node, "ts.type").at(-1)
  if (kind === "string") return name === "binary" ? "binary" : undefined
  if (kind !== "i64") return undefined
  if (name !== undefined && Object.hasOwn(i64Forms, name)) return i64Forms[name]
  // what Kitex's generic JSON writes as a string
  const converted = Program.annotation(node, "api.js_conv").at(-1)
  return converted !== undefined && converted !== "false" ? "i64string" : undefined
}

const saidByTypedefs = new WeakMap<Program.Typedef, Scalar | "nothing">()

/** What a typedef says, or else what it stands for. Chains of typedefs can be long, so each is walked once. */
const saidBy = (kind: Program.Base["kind"], typedef: Program.Typedef): Scalar | undefined => {
  const chain: Array<Program.Typedef> = []
  let found: Scalar | "nothing" | undefined
  for (let at = typedef; found === undefined;) {
    found = saidByTypedefs.get(at)
    if (found !== undefined) break
    chain.push(at)
    found = said(kind, at.node) ?? said(kind, at.type.node)
    if (at.type.kind === "reference") at = at.type.to as Program.Typedef
    else found ??= "nothing"
  }
  for (const each of chain) saidByTypedefs.set(each, found)
  return found === "nothing" ? undefined : found
}

/**
 * The scalar of a use of a base type, or of a typedef of one; undefined for every other type. What is said nearest to
 * the use counts: by the member or typedef whose type this is, by the use, by the typedef that is used.
 *
 * @internal
 */
export const scalarOf = (
  type: Program.Type,
  holder: Holder | undefined,
  options: ScalarOptions
): Scalar | undefined => {
  const base = Program.target(type)
  if ("tag" in base || base.kind === "list" || base.kind === "set" || base.kind === "map") return undefined
  const { kind } = base
  const found =
    (holder && said(kind, holder.node)) ??
    said(kind, type.node) ??
    (type.kind === "reference" ? saidBy(kind, type.to as Program.Typedef) : undefined)
  return found ?? (kind === "i64" && options.i64 === "number" ? "i64number" : kind)
}

/**
 * Whether values of a type are compared by what they are: the elements of a Set, the keys of a Map.
 *
 * @internal
 */
export const isComparable = (type: Program.Type, options: ScalarOptions): boolean => {
  const target = Program.target(type)
  if ("tag" in target) return target.tag === "Enum"
  const scalar = scalarOf(type, undefined, options)
  return scalar !== undefined && scalar !== "binary"
}
