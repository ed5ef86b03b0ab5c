/**
 * The numbers that limits are.
 *
 * @internal
 */
import * as Schema from "effect/Schema"
import * as Policy from "../../Policy.ts"

const Limit = Schema.Number.check(
  Schema.makeFilter((limit) => !Number.isNaN(limit), { expected: "a number" })
).annotate({
  title: "a limit"
})

/** Reads a limit, which may change. @internal */
export const limitOf = (limit: Policy.Policy<number>): (() => number) =>
  Policy.settingsOf(limit, Limit, (limit) => limit)
