/**
 * Business errors between the string keys of a TTHeader: `biz-status`, `biz-message` and `biz-extra`.
 *
 * @since 0.1.0
 */
import { cut, formatExtra, parseExtra, parseInt32 } from "./internal/bizStatus.ts"
import type { CallEntries } from "./RawCall.ts"

/**
 * A business error as the wire has it.
 *
 * @since 0.1.0
 * @category models
 */
export interface BizStatus {
  readonly code: number
  readonly message: string
  readonly extra: Readonly<Record<string, string>>
}

/**
 * The business error of an answer; undefined when it has none, which is also what Kitex makes of a status that is 0 or no
 * int32. An extra that is no JSON object of strings counts as empty.
 *
 * @since 0.1.0
 * @category decoding
 */
export const fromStrings = (strings: ReadonlyMap<string, string>): BizStatus | undefined => {
  const status = strings.get("biz-status")
  if (status === undefined) return undefined
  const code = parseInt32(status)
  if (code === undefined || code === 0) return undefined
  const extra = strings.get("biz-extra")
  return { code, message: strings.get("biz-message") ?? "", extra: (extra && parseExtra(extra)) || {} }
}

/**
 * The keys of a business error, in Kitex's order; no `biz-extra` when there is none.
 *
 * @since 0.1.0
 * @category encoding
 */
export const toEntries = ({ code, extra, message }: BizStatus): CallEntries => {
  const entries: Array<readonly [string, string]> = [
    ["biz-status", `${code}`],
    ["biz-message", message]
  ]
  if (Object.keys(extra).length > 0) entries.push(["biz-extra", formatExtra(extra)])
  return entries
}

/**
 * What is left of a business error that is too large for a header: the number, the beginning of the message, and a note.
 *
 * @since 0.1.0
 * @category encoding
 */
export const shortened = ({ code, message }: BizStatus, note: string): BizStatus => ({
  code,
  message: cut(message, note),
  extra: {}
})
