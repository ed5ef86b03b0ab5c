/**
 * Changes between two versions as text: for people, for programs, and for the checks of GitHub.
 *
 * @since 0.1.0
 */
import type { Change, Place, Severity } from "./Change.ts"
import { block, type Paint, painted, placeText, plain, range, workflowCommand } from "./internal/report/finding.ts"

/**
 * How changes are shown.
 *
 * @since 0.1.0
 * @category models
 */
export interface PrettyOptions {
  /** Whether to colour with ANSI escapes. */
  readonly color: boolean
  /** Columns of the terminal. */
  readonly width: number
}

const colors = { breaking: "red", warning: "yellow", compatible: "green" } as const

/** In the new version, where it is there. */
const main = (change: Change): Place => (change.after ?? change.before)!

const before = ({ after, before }: Change): ReadonlyArray<string> =>
  after === undefined || before === undefined ? [] : [`before: ${placeText(before.source, before.span)}`]

const one = (change: Change, paint: Paint, width: number): string =>
  block(
    {
      ...main(change),
      color: colors[change.severity],
      title: `${change.severity} ${change.kind}`,
      message: `${change.subject} ${change.message}`,
      notes: before(change)
    },
    paint,
    width
  )

const count = (changes: ReadonlyArray<Change>, severity: Severity): string => {
  const number = changes.filter((change) => change.severity === severity).length
  return `${number} ${severity}${severity === "warning" && number !== 1 ? "s" : ""}`
}

/**
 * For people: each with its line of code, and how many there are of each severity. Empty where there are none.
 *
 * @since 0.1.0
 * @category formatting
 */
export const pretty = (changes: ReadonlyArray<Change>, options: PrettyOptions): string => {
  if (changes.length === 0) return ""
  const paint = options.color ? painted : plain
  const counts = (["breaking", "warning", "compatible"] as const).map((severity) => count(changes, severity))
  return [...changes.map((change) => one(change, paint, options.width)), counts.join(", ")].join("\n\n")
}

const placeJson = (place: Place | undefined) => (place === undefined ? undefined : range(place.source, place.span))

/**
 * For programs: an array of `{ kind, severity, subject, message, before, after }`, places as `{ file, start, end }` with
 * `{ line, column }` from 1.
 *
 * @since 0.1.0
 * @category formatting
 */
export const json = (changes: ReadonlyArray<Change>): string =>
  JSON.stringify(
    changes.map((change) => ({ ...change, before: placeJson(change.before), after: placeJson(change.after) })),
    undefined,
    2
  )

const levels = { breaking: "error", warning: "warning", compatible: "notice" } as const

/**
 * For GitHub Actions: one workflow command a line, which shows it beside the code.
 *
 * @since 0.1.0
 * @category formatting
 */
export const github = (changes: ReadonlyArray<Change>): string =>
  changes
    .map((change) =>
      workflowCommand({
        ...main(change),
        level: levels[change.severity],
        title: change.kind,
        text: [`${change.subject} ${change.message}`, ...before(change)].join("\n")
      })
    )
    .join("\n")
