/**
 * Members of structs, arguments and entries of `throws`: their ids, names and types.
 *
 * @internal
 */
import type * as Ast from "../../Ast.ts"
import type * as Program from "../../Program.ts"
import { memberName } from "../emit/names.ts"
import { checkName } from "./names.ts"
import { related, report, type Scope } from "./scope.ts"
import { quoted, short } from "./text.ts"
import { resolveType } from "./types.ts"

/**
 * Whose fields they are.
 *
 * @internal
 */
export interface Owner {
  readonly kind: Ast.Struct["kind"] | "arguments" | "throws"
  /** As a message says it, `struct "A"`. */
  readonly text: string
  /** The type of a result, which takes the id 0 and the name `success` beside the entries of `throws`. */
  readonly result?: Ast.Type | undefined
}

/**
 * A field whose default is not known yet.
 *
 * @internal
 */
export type Open = { -readonly [K in keyof Program.Field]: Program.Field[K] }

/**
 * The fields with a known type. What is wrong with the others is reported.
 *
 * @internal
 */
export const resolveFields = (scope: Scope, nodes: ReadonlyArray<Ast.Field>, owner: Owner): Array<Open> => {
  const fields: Array<Open> = []
  const ids = new Map<number, Ast.Type | Ast.Name>()
  const names = new Map<string, Ast.Type | Ast.Name>()
  if (owner.result !== undefined) {
    ids.set(0, owner.result)
    names.set("success", owner.result)
  }
  let previous = 0
  for (const node of nodes) {
    const { name } = node
    const { id, isValid } = fieldId(scope, node, previous, owner)
    previous = id
    const sameId = ids.get(id)
    if (isValid && sameId !== undefined) {
      report(scope, "E_DUP_FIELD_ID", node.id ?? name, `duplicated field ID ${id} in ${owner.text}`, {
        related: [first(scope, sameId, owner)]
      })
    }
    if (isValid && sameId === undefined) ids.set(id, name)
    const sameName = names.get(name.text)
    if (sameName === undefined) names.set(name.text, name)
    else {
      report(scope, "E_DUP_FIELD_NAME", name, `duplicated field name ${quoted(name.text)} in ${owner.text}`, {
        related: [first(scope, sameName, owner)]
      })
    }
    const type = resolveType(scope, node.type)
    const requiredness = requirednessOf(scope, node, owner)
    if (type === undefined) {
      checkName(scope, name, name.text)
      continue
    }
    const field: Open = { id, name: name.text, requiredness, type, default: undefined, node }
    checkName(scope, name, memberName(nameOwner(owner), field, { case: "keep" }))
    fields.push(field)
  }
  return fields
}

const nameOwner = ({ kind }: Owner) => (kind === "arguments" || kind === "throws" ? "method" : kind)

const first = (scope: Scope, place: Ast.Type | Ast.Name, owner: Owner) =>
  related(scope, place, place === owner.result ? "taken by the result, as 0: success" : "first declared here")

const fieldId = (
  scope: Scope,
  { id, name }: Ast.Field,
  previous: number,
  owner: Owner
): { readonly id: number; readonly isValid: boolean } => {
  const next = previous + 1
  if (id === undefined) {
    report(
      scope,
      "W_IMPLICIT_ID",
      name,
      `field ${quoted(name.text)} has no id: it gets ${next} here and in Kitex, and another one in Apache Thrift`,
      {
        hint: `write ${next}: before it`
      }
    )
    return { id: next, isValid: checkRange(scope, next, name) }
  }
  const text = scope.file.source.text.slice(id.start, id.end)
  if (Number.isNaN(id.value)) {
    report(scope, "E_FIELD_ID", id, `the id ${short(text)} is not a decimal number, Kitex would read it as 0`)
    return { id: next, isValid: false }
  }
  if (!checkRange(scope, id.value, id)) return { id: next, isValid: false }
  if (/^[+-]?0[0-9]/.test(text)) {
    report(scope, "W_LEADING_ZERO_ID", id, `the id ${short(text)} is the decimal ${id.value}, not an octal number`)
  }
  if (id.value <= 0) {
    report(scope, "W_NON_POSITIVE_ID", id, `non-positive ID ${id.value} of field ${quoted(name.text)} in ${owner.text}`)
  }
  return { id: id.value, isValid: true }
}

const checkRange = (scope: Scope, id: number, span: Ast.Field["id"] | Ast.Name): boolean => {
  if (id >= -32768 && id <= 32767) return true
  report(scope, "E_FIELD_ID_RANGE", span!, `the id ${id} does not fit into the 16 bits that it has on the wire`, {
    hint: "ids go from 1 to 32767"
  })
  return false
}

const requirednessOf = (scope: Scope, node: Ast.Field, owner: Owner): Program.Field["requiredness"] => {
  const { requiredness, name } = node
  const written = requiredness?.text ?? "default"
  switch (owner.kind) {
    case "union":
      if (written === "required") {
        report(
          scope,
          "W_UNION_REQ",
          requiredness!,
          `field ${quoted(name.text)} in ${owner.text}: union members must be optional, ignoring specified requiredness`
        )
      }
      return "optional"
    case "throws":
      if (written === "required") {
        report(
          scope,
          "W_THROW_REQ",
          requiredness!,
          `exception ${quoted(name.text)} in ${owner.text}: throw field must be optional, ignoring specified requiredness`
        )
      }
      return "optional"
    case "arguments":
      if (written === "optional") {
        report(
          scope,
          "W_ARG_OPTIONAL",
          requiredness!,
          `argument ${quoted(name.text)}: optional keyword is ignored in argument lists`
        )
      }
      return "default"
    default:
      return written
  }
}
