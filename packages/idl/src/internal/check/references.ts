/**
 * What an identifier in a value refers to: a constant, or a member of an enum.
 *
 * @internal
 */
import type * as Ast from "../../Ast.ts"
import type * as Program from "../../Program.ts"
import { memberNamed } from "./members.ts"
import {
  bareMember,
  includedAs,
  mayBeLost,
  names,
  related,
  report,
  type Scope,
  shape,
  split,
  useCandidates
} from "./scope.ts"
import { nearest } from "./suggest.ts"
import { quoted } from "./text.ts"

/**
 * @internal
 */
export type Reference =
  | { readonly tag: "Const"; readonly scope: Scope; readonly node: Ast.Const }
  | { readonly tag: "Member"; readonly scope: Scope; readonly enum: Program.Enum; readonly member: Program.EnumMember }

/** The enum of that name in a file, also by a typedef. */
const enumOf = (scope: Scope, name: string): Program.Enum | undefined => {
  const definition = scope.resolved.get(name)
  if (definition?.tag === "Enum") return definition
  if (definition?.tag !== "Typedef") return undefined
  const target = shape(scope.run, definition.type)
  return "tag" in target && target.tag === "Enum" ? target : undefined
}

const member = (scope: Scope, enumName: string, name: string): ReadonlyArray<Reference> => {
  const definition = enumOf(scope, enumName)
  const found = definition && memberNamed(definition, name)
  return definition && found ? [{ tag: "Member", scope, enum: definition, member: found }] : []
}

const constant = (scope: Scope, name: string): ReadonlyArray<Reference> => {
  const node = scope.declared.get(name)
  return node?.tag === "Const" ? [{ tag: "Const", scope, node }] : []
}

/** All that it could mean: `NAME`, `Enum.MEMBER`, `file.NAME`, `file.Enum.MEMBER`. */
const meanings = (scope: Scope, name: string): ReadonlyArray<Reference> => {
  const { prefix, last } = split(name)
  if (prefix === undefined) return constant(scope, last)
  const outer = split(prefix)
  return [
    ...member(scope, prefix, last),
    ...includedAs(scope, prefix).flatMap((other) => constant(other, last)),
    ...includedAs(scope, outer.prefix).flatMap((other) => member(other, outer.last, last))
  ]
}

/** Whether the enum before the last dot is declared, and wrong. That was reported already. */
const isOfBroken = (scope: Scope, name: string): boolean => {
  const { prefix } = split(name)
  if (prefix === undefined) return false
  const outer = split(prefix)
  const scopes = outer.prefix === undefined ? [scope] : includedAs(scope, outer.prefix)
  return scopes.some((each) => each.declared.get(outer.last)?.tag === "Typedef" && !each.resolved.has(outer.last))
}

/**
 * The one meaning of an identifier; undefined where it has none or several, which is reported.
 *
 * @internal
 */
export const resolveReference = (scope: Scope, name: Ast.Name): Reference | undefined => {
  const found = meanings(scope, name.text)
  if (found.length === 0) useCandidates(scope, name.text)
  for (const each of found) if (each.scope !== scope) scope.used.add(each.scope.file)
  if (found.length === 1) return found[0]
  if (found.length > 1) {
    report(
      scope,
      "E_AMBIGUOUS_VALUE",
      name,
      `ambiguous const value ${quoted(name.text)} (${found.length} possible explainations)`,
      {
        related: found.map(({ scope: other, ...each }) =>
          each.tag === "Const"
            ? related(other, each.node.name, "a constant")
            : { source: each.enum.file.source, span: each.member.node.name, message: "a member of an enum" }
        ),
        hint: "rename one of them, or give the included file another name"
      }
    )
  } else if (!mayBeLost(scope, name.text) && !isOfBroken(scope, name.text)) {
    const near = nearest(name.text, valueNames(scope), scope.run.budget) ?? bareMember(scope, name.text)
    report(scope, "E_UNDEFINED", name, `undefined value: ${quoted(name.text)}`, {
      hint: near === undefined ? undefined : `did you mean ${quoted(near)}?`
    })
  }
  return undefined
}

function* valueNames(scope: Scope): Iterable<string> {
  yield* ["true", "false"]
  yield* names(scope, "constant")
  yield* names(scope, "member")
}
