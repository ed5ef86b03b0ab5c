/**
 * Enums and the values of their members.
 *
 * @internal
 */
import type * as Ast from "../../Ast.ts"
import type * as Program from "../../Program.ts"
import { enumMemberName } from "../emit/names.ts"
import { checkName } from "./names.ts"
import { related, report, type Scope } from "./scope.ts"
import { quoted, short } from "./text.ts"

/**
 * @internal
 */
export const resolveEnum = (scope: Scope, node: Ast.Enum): Program.Enum => {
  const members: Array<Program.EnumMember> = []
  const names = new Map<string, Ast.Name>()
  const values = new Map<bigint, Ast.Name>()
  let previous = -1n
  for (const member of node.members) {
    const { name } = member
    const value = member.value?.value ?? previous + 1n
    previous = value
    checkName(scope, name, enumMemberName(name.text))
    const sameName = names.get(name.text)
    const sameValue = values.get(value)
    if (sameName !== undefined) {
      report(
        scope,
        "E_DUP_ENUM_NAME",
        name,
        `enum ${short(node.name.text)} has duplicated value: ${short(name.text)}`,
        {
          related: [related(scope, sameName, "first declared here")]
        }
      )
      continue
    }
    names.set(name.text, name)
    if (sameValue !== undefined && !scope.run.allowEnumAlias) {
      report(
        scope,
        "E_DUP_ENUM_VALUE",
        member.value ?? name,
        `enum ${short(node.name.text)}: duplicate value ${short(`${value}`)} between '${short(sameValue.text)}' and '${short(name.text)}'`,
        {
          related: [related(scope, sameValue, `${quoted(sameValue.text)} is declared here`)],
          hint: "Apache Thrift allows two names for one number; allow it here with --allow-enum-alias"
        }
      )
    }
    if (sameValue === undefined) values.set(value, name)
    if (value < -0x8000_0000n || value > 0x7fff_ffffn) {
      report(
        scope,
        "E_ENUM_RANGE",
        member.value ?? name,
        `enum overflow: the value ${short(`${value}`)} of ${quoted(name.text)} does not fit into 32 bits`,
        {
          hint: "for a big number declare a constant: const i64"
        }
      )
    }
    members.push({ name: name.text, value: Number(value), node: member })
  }
  return { tag: "Enum", name: node.name.text, file: scope.file, members, node }
}
