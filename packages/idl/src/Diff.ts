/**
 * Whether programs of two versions of an IDL understand each other.
 *
 * **Example** (A required member was added)
 *
 * ```ts
 * import { Checker, Diff } from "@millrace/idl"
 *
 * const version = (text: string) =>
 *   Checker.compile(["api.thrift"], { read: () => ({ _tag: "Text", text }) }).program
 *
 * const changes = Diff.diff(
 *   version("struct Request { 1: optional string message }"),
 *   version("struct Request { 1: optional string message, 2: required i32 count }")
 * )
 * changes.map(({ kind, severity, subject }) => `${severity} ${kind} ${subject}`)
 * // ["breaking member-added Request.count"]
 * ```
 *
 * @since 0.1.0
 */
import type { Change, Severity } from "./Change.ts"
import { type Comparison, match, place } from "./internal/diff/comparison.ts"
import { compareDeclarations } from "./internal/diff/declarations.ts"
import { compareServices } from "./internal/diff/services.ts"
import { valueNames } from "./internal/diff/values.ts"
import type * as Program from "./Program.ts"

type Declaration = Program.Struct | Program.Enum

const order: Record<Severity, number> = { breaking: 0, warning: 1, compatible: 2 }

const declarationsOf = ({ files }: Program.Program): ReadonlyArray<Declaration> =>
  files.flatMap(({ definitions }) => definitions.filter((each) => each.tag === "Struct" || each.tag === "Enum"))

/**
 * The changes between two versions as the Thrift Binary protocol, Kitex and Millrace see them, the worst first. Types
 * are compared where methods use them, whatever their names are, and then those of one name. What leaves no trace on
 * the wire, such as the order of members, typedefs and comments, is no change.
 *
 * @since 0.1.0
 * @category comparisons
 */
export const diff = (before: Program.Program, after: Program.Program): ReadonlyArray<Change> => {
  const changes: Array<Change> = []
  // recursive types come back to pairs that are known
  const pairs = new Map<Declaration, Set<Declaration>>()
  const heirs = new Set<Declaration>()
  const queue: Array<readonly [Declaration, Declaration]> = []
  const comparison: Comparison = {
    report: (change) => void changes.push(change),
    pair: (old, now) => {
      const known = pairs.get(old)
      if (known?.has(now)) return
      if (known === undefined) pairs.set(old, new Set([now]))
      else known.add(now)
      heirs.add(now)
      queue.push([old, now])
    },
    valueName: valueNames()
  }
  let compared = 0
  const comparePairs = () => {
    while (compared < queue.length) compareDeclarations(comparison, ...queue[compared++]!)
  }

  compareServices(comparison, before, after)
  comparePairs()
  const { pairs: namesakes, removed, added } = match(declarationsOf(before), declarationsOf(after))
  for (const [old, now] of namesakes) comparison.pair(old, now)
  comparePairs()

  for (const old of removed) if (!pairs.has(old)) changes.push(gone(old))
  for (const now of added) if (!heirs.has(now)) changes.push(fresh(now))
  return changes.toSorted((one, other) => order[one.severity] - order[other.severity])
}

const gone = (old: Declaration): Change => ({
  kind: "type-removed",
  severity: "warning",
  subject: old.name,
  message: "is gone: source code that uses it has to follow",
  before: place(old.file.source, old.node.name),
  after: undefined
})

const fresh = (now: Declaration): Change => ({
  kind: "type-added",
  severity: "compatible",
  subject: now.name,
  message: "is new: nothing of the old version uses it",
  before: undefined,
  after: place(now.file.source, now.node.name)
})

/**
 * Whether one of the changes is breaking.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isBreaking = (changes: ReadonlyArray<Change>): boolean =>
  changes.some(({ severity }) => severity === "breaking")
