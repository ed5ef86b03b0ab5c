/**
 * What the parts of a comparison share: where they report to, and the types that are still to be compared.
 *
 * @internal
 */
import type { Change, Place } from "../../Change.ts"
import type * as Program from "../../Program.ts"
import type { Source, Span } from "../../Source.ts"

/**
 * Names values, equal ones alike, whatever constants they came from and in whatever order their entries and members are.
 *
 * @internal
 */
export type ValueName = (value: Program.Value) => string

/** @internal */
export interface Comparison {
  readonly report: (change: Change) => void
  /** Two types that stand in one place: their members are compared later, once for each pair. */
  readonly pair: (before: Program.Struct | Program.Enum, after: Program.Struct | Program.Enum) => void
  readonly valueName: ValueName
}

/** @internal */
export const place = (source: Source, span: Span): Place => ({ source, span: { start: span.start, end: span.end } })

/**
 * Definitions of two versions that are the same one: those of one name, in files of one name where there are several.
 *
 * @internal
 */
export const match = <A extends { readonly name: string; readonly file: Program.File }>(
  before: ReadonlyArray<A>,
  after: ReadonlyArray<A>
): {
  readonly pairs: ReadonlyArray<readonly [before: A, after: A]>
  readonly removed: ReadonlyArray<A>
  readonly added: ReadonlyArray<A>
} => {
  const left = new Map<string, Array<A>>()
  for (const each of after) {
    const known = left.get(each.name)
    if (known === undefined) left.set(each.name, [each])
    else known.push(each)
  }
  const found = new Map<A, A>()
  const take = (each: A, fits: (candidate: A) => boolean) => {
    const candidates = left.get(each.name) ?? []
    const index = candidates.findIndex(fits)
    if (!found.has(each) && index >= 0) found.set(each, candidates.splice(index, 1)[0]!)
  }
  for (const each of before) take(each, ({ file }) => file.prefix === each.file.prefix)
  for (const each of before) take(each, () => true)
  const taken = new Set(found.values())
  return {
    pairs: before.flatMap((each) => (found.has(each) ? [[each, found.get(each)!] as const] : [])),
    removed: before.filter((each) => !found.has(each)),
    added: after.filter((each) => !taken.has(each))
  }
}
