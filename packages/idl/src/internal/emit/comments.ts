/**
 * Comments of an IDL as doc comments.
 */
import { maxWidth } from "./layout.ts"

/**
 * The lines of a doc comment, with its leaders; none where there is no comment.
 *
 * @internal
 */
export const docLines = (doc: string | undefined, indent: number): ReadonlyArray<string> => {
  if (doc === undefined || doc.trim() === "") return []
  const lines = doc.replaceAll("*/", "*\\/").split(/\r\n?|[\n\u2028\u2029]/)
  const [only] = lines
  if (lines.length === 1 && indent + only!.trim().length + 7 <= maxWidth) return [`/** ${only!.trim()} */`]
  return ["/**", ...lines.map((line) => ` * ${line}`.trimEnd()), " */"]
}

/**
 * A doc comment above a definition, with its line end.
 *
 * @internal
 */
export const docText = (doc: string | undefined): string =>
  docLines(doc, 0)
    .map((line) => `${line}\n`)
    .join("")
