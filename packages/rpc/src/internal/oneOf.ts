/**
 * The value of an option that takes a few words.
 *
 * @internal
 */

/** The compiler knows, but not of plain JavaScript, nor what a `Config` reads. @internal */
export const oneOf = <A extends string>(option: string, allowed: ReadonlyArray<A>, value: A): A => {
  if (allowed.includes(value)) return value
  throw new Error(`${option} "${String(value)}" is none of ${allowed.join(", ")}`)
}
