/**
 * The values of `biz-status` and `biz-extra` as text, the same in HTTP/2 and in TTHeaders (Kitex `pkg/transmeta`).
 *
 * @internal
 */

const escapes: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
  "\u007f": "\\u007f"
}

/** As Go's encoding/json writes it: the characters that matter in HTML are escaped, other text stays. @internal */
export const formatExtra = (extra: Readonly<Record<string, string>>): string =>
  JSON.stringify(extra).replace(/[<>&\u2028\u2029\u007f]/g, (char) => escapes[char]!)

/** A JSON object of strings; undefined when it is none. @internal */
export const parseExtra = (text: string): Readonly<Record<string, string>> | undefined => {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return undefined
  }
  if (parsed === null) return {}
  if (typeof parsed !== "object" || Array.isArray(parsed)) return undefined
  const extra: Record<string, string> = Object.create(null)
  for (const [key, value] of Object.entries(parsed)) {
    if (typeof value !== "string") return undefined
    extra[key] = value
  }
  return extra
}

/** A decimal int32 as Go's Atoi takes it. @internal */
export const parseInt32 = (text: string): number | undefined => {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined
  const value = Number(text)
  return value >= -(2 ** 31) && value < 2 ** 31 ? value : undefined
}

/** The beginning of a message that is too long for the headers of an answer, and a note that says so. @internal */
export const cut = (message: string, note: string, longest = 1024): string => {
  if (message.length <= longest) return message === "" ? `(${note})` : `${message} (${note})`
  // Not between the halves of a character.
  const end = /[\ud800-\udbff]/.test(message.charAt(longest - 1)) ? longest - 1 : longest
  return `${message.slice(0, end)}... (${note})`
}
