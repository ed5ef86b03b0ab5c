/**
 * Compares the members of a struct, the arguments of a method, or its exceptions. Their identity on the wire is the id.
 *
 * @internal
 */
import type * as Program from "../../Program.ts"
import type { Source, Span } from "../../Source.ts"
import { type Comparison, place } from "./comparison.ts"
import { addition, defaultChange, removal, requirednessChange, spelled, type Verdict } from "./presence.ts"
import { compareTypes, typeText } from "./types.ts"
import { meaningOfAbsence } from "./values.ts"

type MemberChange = "added" | "removed" | "renamed" | "id" | "id-reused" | "type" | "requiredness" | "default"

/**
 * The members of one version.
 *
 * @internal
 */
export interface Members {
  readonly source: Source
  /** Where they are declared, the place of a member that this version does not have. */
  readonly span: Span
  readonly fields: ReadonlyArray<Program.Field>
}

/** @internal */
export interface Owner {
  readonly name: string
  readonly what: "member" | "argument" | "exception"
  /** Whether exactly one of the members is set. */
  readonly isUnion: boolean
  readonly before: Members
  readonly after: Members
}

const defaultText = ({ source }: Members, field: Program.Field): string =>
  field.default === undefined
    ? "no default"
    : `the default ${source.text.slice(field.node.default!.start, field.node.default!.end)}`

/** Compared without a report, to tell a member of a new name from another member. */
const typeChange = (old: Program.Field, now: Program.Field) => compareTypes({ pair: () => {} }, old.type, now.type)

const isRequired = (...fields: ReadonlyArray<Program.Field>) =>
  fields.some(({ requiredness }) => requiredness === "required")

const byId = (fields: ReadonlyArray<Program.Field>) => new Map(fields.map((field) => [field.id, field]))

const byName = (fields: ReadonlyArray<Program.Field>) => new Map(fields.map((field) => [field.name, field]))

/** @internal */
export const compareMembers = (comparison: Comparison, owner: Owner): void => {
  const { before, after, what, isUnion } = owner
  const { valueName } = comparison

  const report = (
    change: MemberChange,
    [severity, message]: Verdict,
    old: Program.Field | undefined,
    now: Program.Field | undefined,
    spans: { readonly before?: Span | undefined; readonly after?: Span | undefined } = {}
  ) =>
    comparison.report({
      kind: `${what}-${change}`,
      severity,
      subject: `${owner.name}.${(now ?? old)!.name}`,
      message,
      before: place(before.source, spans.before ?? old?.node.name ?? before.span),
      after: place(after.source, spans.after ?? now?.node.name ?? after.span)
    })

  const type = (old: Program.Field, now: Program.Field) => {
    const change = compareTypes(comparison, old.type, now.type)
    if (change === undefined) return
    const failure = change.isSkipped && isRequired(old, now) ? `, which fails for a required member` : ""
    report(
      "type",
      [change.severity, `is ${typeText(now.type)}, was ${typeText(old.type)}: ${change.consequence}${failure}`],
      old,
      now,
      { before: old.type.node, after: now.type.node }
    )
  }

  const requiredness = (old: Program.Field, now: Program.Field) => {
    if (old.requiredness === now.requiredness) return
    const [severity, consequence] = requirednessChange(old, now)
    const spans = { before: old.node.requiredness, after: now.node.requiredness }
    report("requiredness", [severity, `is ${spelled(now)}, was ${spelled(old)}: ${consequence}`], old, now, spans)
  }

  const defaults = (old: Program.Field, now: Program.Field) => {
    if (old.default === undefined && now.default === undefined) return
    if (meaningOfAbsence(valueName, old) === meaningOfAbsence(valueName, now)) return
    const [severity, consequence] = defaultChange(old, now)
    const sides = `has ${defaultText(after, now)}, had ${defaultText(before, old)}`
    const spans = { before: old.node.default, after: now.node.default }
    report("default", [severity, `${sides}: ${consequence}`], old, now, spans)
  }

  const same = (old: Program.Field, now: Program.Field) => {
    type(old, now)
    if (isUnion || what !== "member") return
    requiredness(old, now)
    defaults(old, now)
  }

  const removed = (old: Program.Field) => {
    const [severity, consequence] = removal(owner, old)
    report("removed", [severity, `had id ${old.id} and is gone: ${consequence}`], old, undefined)
  }

  const added = (now: Program.Field) => {
    const [severity, consequence] = addition(owner, now)
    report("added", [severity, `is new with id ${now.id}: ${consequence}`], undefined, now)
  }

  const renamed = (old: Program.Field, now: Program.Field) => {
    const consequence = "nothing changes on the wire; source code and JSON that name it have to follow"
    report("renamed", ["warning", `was ${old.name}, with the same id ${now.id}: ${consequence}`], old, now)
    same(old, now)
  }

  const moved = (old: Program.Field, now: Program.Field) => {
    const consequence =
      "old readers do not find it in new messages, nor new readers in old ones; they take what has the id they know for it, or skip that"
    report("id", ["breaking", `has id ${now.id}, had ${old.id}: ${consequence}`], old, now)
  }

  const reused = (old: Program.Field, now: Program.Field) => {
    const consequence =
      typeChange(old, now)?.isSkipped === true
        ? `readers of the other version skip the value without an error${isRequired(old, now) ? ", and fail where it is required" : ""}`
        : "readers of the other version take the value of one for that of the other"
    const message = `has id ${now.id}, which was that of ${typeText(old.type)} ${old.name}: ${consequence}; give it an id that was never used`
    report("id-reused", ["breaking", message], old, now)
  }

  const oldIds = byId(before.fields)
  const oldNames = byName(before.fields)
  const nowIds = byId(after.fields)
  const nowNames = byName(after.fields)

  for (const old of before.fields) {
    const now = nowIds.get(old.id)
    const namesake = nowNames.get(old.name)
    if (namesake !== undefined && namesake.id !== old.id) moved(old, namesake)
    else if (now === namesake && now !== undefined) same(old, now)
    // a member that had another id before has taken its id: that is said of the other one
    else if (now === undefined || oldNames.has(now.name)) removed(old)
    else if (typeChange(old, now)?.severity === "breaking") reused(old, now)
    else renamed(old, now)
  }
  for (const now of after.fields) {
    if (oldNames.has(now.name)) continue
    const old = oldIds.get(now.id)
    if (old === undefined) added(now)
    else if (nowNames.has(old.name)) reused(old, now)
  }
}
