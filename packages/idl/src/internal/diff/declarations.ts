/**
 * Compares structs, unions, exceptions and enums.
 *
 * @internal
 */
import type { Kind, Severity } from "../../Change.ts"
import type * as Program from "../../Program.ts"
import type { Span } from "../../Source.ts"
import { type Comparison, place } from "./comparison.ts"
import { compareMembers } from "./members.ts"

type Declaration = Program.Struct | Program.Enum

/**
 * Compares two types by their members and their names.
 *
 * @internal
 */
export const compareDeclarations = (comparison: Comparison, before: Declaration, after: Declaration): void => {
  if (before.name !== after.name) {
    report(comparison, "type-renamed", "warning", before, after, {
      message: `stands where ${before.name} was: nothing changes on the wire, which has no names of types; source code has to follow`
    })
  }
  compareKinds(comparison, before, after)
  if (before.tag === "Enum" && after.tag === "Enum") compareEnums(comparison, before, after)
  if (before.tag === "Struct" && after.tag === "Struct") compareStructs(comparison, before, after)
}

const compareStructs = (comparison: Comparison, before: Program.Struct, after: Program.Struct) =>
  compareMembers(comparison, {
    name: after.name,
    what: "member",
    isUnion: before.kind === "union" || after.kind === "union",
    before: { source: before.file.source, span: before.node.name, fields: before.fields },
    after: { source: after.file.source, span: after.node.name, fields: after.fields }
  })

const report = (
  comparison: Comparison,
  kind: Kind,
  severity: Severity,
  before: Declaration,
  after: Declaration,
  details: {
    readonly message: string
    readonly member?: string
    readonly beforeSpan?: Span | undefined
    readonly afterSpan?: Span | undefined
  }
) =>
  comparison.report({
    kind,
    severity,
    subject: details.member === undefined ? after.name : `${after.name}.${details.member}`,
    message: details.message,
    before: place(before.file.source, details.beforeSpan ?? before.node.name),
    after: place(after.file.source, details.afterSpan ?? after.node.name)
  })

const kindText = (declaration: Declaration): string => {
  const kind = declaration.tag === "Enum" ? "enum" : declaration.kind
  return kind === "enum" || kind === "exception" ? `an ${kind}` : `a ${kind}`
}

const compareKinds = (comparison: Comparison, before: Declaration, after: Declaration) => {
  const is = kindText(after)
  const was = kindText(before)
  if (is === was) return
  const [severity, consequence] = kindChange(is, was)
  report(comparison, "type-kind", severity, before, after, { message: `is ${is}, was ${was}: ${consequence}` })
}

const kindChange = (is: string, was: string): readonly [Severity, string] => {
  if ([is, was].includes("an enum"))
    return ["breaking", "an enum is an i32 on the wire, which readers of a struct skip"]
  return [is, was].includes("a union")
    ? [
        "breaking",
        "readers of the union take a struct without any member for no union, and of several members only the last"
      ]
    : ["warning", "the bytes on the wire are the same; source code has to follow"]
}

const compareEnums = (comparison: Comparison, before: Program.Enum, after: Program.Enum) => {
  const change = (
    kind: "added" | "removed" | "renamed" | "renumbered",
    severity: Severity,
    old: Program.EnumMember | undefined,
    now: Program.EnumMember | undefined,
    message: string
  ) =>
    report(comparison, `enum-member-${kind}`, severity, before, after, {
      member: (now ?? old)!.name,
      message,
      beforeSpan: old?.node.name,
      afterSpan: now?.node.name
    })

  const oldNames = new Map(before.members.map((member) => [member.name, member]))
  const nowNames = new Map(after.members.map((member) => [member.name, member]))
  const newcomers = new Map(
    after.members.flatMap((member) => (oldNames.has(member.name) ? [] : [[member.value, member] as const]))
  )
  for (const old of before.members) {
    const namesake = nowNames.get(old.name)
    const heir = newcomers.get(old.value)
    if (namesake !== undefined) {
      if (namesake.value === old.value) continue
      const consequence = "readers of the other version take it for another member, or for none"
      change("renumbered", "breaking", old, namesake, `is ${namesake.value}, was ${old.value}: ${consequence}`)
    } else if (heir !== undefined) {
      newcomers.delete(old.value)
      const consequence = "nothing changes on the wire; source code and JSON that name it have to follow"
      change("renamed", "warning", old, heir, `was ${old.name}, with the same number ${old.value}: ${consequence}`)
    } else {
      const consequence =
        "enums are open, so new readers keep the number without a name for it; source code that uses it has to follow"
      change("removed", "warning", old, undefined, `was ${old.value} and is gone: ${consequence}`)
    }
  }
  for (const now of newcomers.values()) {
    const consequence = "enums are open, so old readers keep the number without a name for it"
    change("added", "compatible", undefined, now, `is new with number ${now.value}: ${consequence}`)
  }
}
