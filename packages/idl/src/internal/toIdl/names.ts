/**
 * Names that types get in an IDL: the last segment of their own, made different where two would be the same.
 */
import * as CodecError from "@millrace/codec/CodecError"

const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/

// in the place of a type these are something else
const words =
  "bool byte i8 i16 i32 i64 double string binary list set map void required optional oneway true false".split(" ")

/** A name that stands on the wire or in programs, so that it cannot be changed here.
 *
 * @internal
 */
export const checked = (what: string, name: string): string => {
  if (identifier.test(name)) return name
  throw CodecError.make("BadType", what, `${JSON.stringify(name)} is no name in an IDL: use letters, digits and _`)
}

/** Gives out names, each once.
 *
 * @internal
 */
export const unique = (taken: ReadonlyArray<string>): ((wanted: string) => string) => {
  const used = new Set([...words, ...taken])
  return (wanted) => {
    const plain = wanted.replaceAll(/[^A-Za-z0-9_]/g, "_").replace(/^(?![A-Za-z_])/, "_")
    let name = plain
    for (let i = 2; used.has(name); i++) name = `${plain}${i}`
    used.add(name)
    return name
  }
}
