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
  let found = holder === undefined ? undefined : said(kind, holder.node)
  for (let at = type; found === undefined;) {
    found = said(kind, at.node)
    if (found !== undefined || at.kind !== "reference") break
    const typedef = at.to as Program.Typedef
    found = said(kind, typedef.node)
    at = typedef.type
  }
  return found ?? (kind === "i64" && options.i64 === "number" ? "i64number" : kind)
}
