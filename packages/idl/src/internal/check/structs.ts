/**
 * Structs, unions and exceptions, and the defaults of fields.
 *
 * @internal
 */
import type * as Ast from "../../Ast.ts"
import type * as Program from "../../Program.ts"
import { components } from "../components.ts"
import { chainText, circle, shown } from "./cycles.ts"
import { type Open, resolveFields } from "./fields.ts"
import { related, report, type Scope, shape } from "./scope.ts"
import { quoted, short } from "./text.ts"
import { evaluate } from "./values.ts"

/**
 * A struct whose fields are not known yet.
 *
 * @internal
 */
export interface OpenStruct extends Program.Struct {
  readonly fields: Array<Open>
}

/**
 * @internal
 */
export const openStruct = (scope: Scope, node: Ast.Struct): OpenStruct => ({
  tag: "Struct",
  kind: node.kind,
  name: node.name.text,
  file: scope.file,
  fields: [],
  node
})

/**
 * @internal
 */
export const fillStruct = (scope: Scope, struct: OpenStruct): void => {
  const { kind, node } = struct
  for (const field of resolveFields(scope, node.fields, { kind, text: `${kind} ${quoted(struct.name)}` })) {
    struct.fields.push(field)
  }
  if (kind !== "union") return
  const [first, ...others] = node.fields.filter((field) => field.default !== undefined)
  for (const field of others) {
    report(
      scope,
      "E_UNION_DEFAULTS",
      field.default!,
      `field ${quoted(field.name.text)} provides another default value for union ${quoted(struct.name)}`,
      {
        related: [related(scope, first!.default!, "the first default value")],
        hint: "a union holds one member, so at most one can have a default"
      }
    )
  }
}

/**
 * Gives fields their defaults; to be called when all constants are known.
 *
 * @internal
 */
export const fillDefaults = (scope: Scope, fields: ReadonlyArray<Open>, owner: string): void => {
  for (const field of fields) {
    if (field.node.default === undefined) continue
    field.default = evaluate(scope, field.node.default, { type: field.type, what: `${owner}.${field.name}` })
  }
}

/** The fields through which a struct cannot be without another of its file. */
const requiredLinks = (scope: Scope, struct: Program.Struct): ReadonlyArray<readonly [Program.Field, Program.Struct]> =>
  struct.fields.flatMap((field) => {
    if (field.requiredness !== "required") return []
    const target = shape(scope.run, field.type)
    return "tag" in target && target.tag === "Struct" && target.file === scope.file ? [[field, target] as const] : []
  })

/**
 * Circles of required fields: no value of them can ever be built.
 *
 * @internal
 */
export const checkRequiredCircles = (scope: Scope, structs: ReadonlyArray<Program.Struct>): void => {
  const next = (struct: Program.Struct) => requiredLinks(scope, struct).map(([, target]) => target)
  for (const component of components(structs, next)) {
    const first = component.reduce((a, b) => (a.node.start <= b.node.start ? a : b))
    const chain = circle(component, first, next)
    if (chain === undefined) continue
    const fields = chain.map((struct, i) => {
      const target = chain[i + 1] ?? first
      return requiredLinks(scope, struct).find(([, each]) => each === target)![0]
    })
    const text = chainText(chain.map(({ name }, i) => `${short(name)}.${short(fields[i]!.name)}`))
    report(
      scope,
      "E_REQUIRED_CYCLE",
      fields[0]!.node.name,
      `required fields form a circle, so that no value can be built: ${text}`,
      {
        related: shown(fields)
          .slice(1)
          .map(({ node }) => related(scope, node.name, "required here")),
        hint: "make one of them optional"
      }
    )
  }
}
