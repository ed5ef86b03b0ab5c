/**
 * When a caller that was refused may try again, among the string keys of a TTHeader: `retry-pushback-ms`. Beyond Kitex, which
 * ignores it. Over HTTP/2 it is `retryAfterMillis` of a status, gRPC's trailer `grpc-retry-pushback-ms`.
 *
 * @since 0.1.0
 */
import { formatPushback, parsePushback } from "./internal/pushback.ts"
import type { CallEntries } from "./RawCall.ts"

/**
 * Its key.
 *
 * @since 0.1.0
 * @category constants
 */
export const stringKey = "retry-pushback-ms"

/**
 * The time of an answer in milliseconds; undefined when it has none, or nonsense. An hour at most.
 *
 * @since 0.1.0
 * @category decoding
 */
export const fromStrings = (strings: ReadonlyMap<string, string>): number | undefined =>
  parsePushback(strings.get(stringKey))

/**
 * The key of a time in milliseconds, which is rounded up; undefined for no time, a negative one or none that is a number.
 *
 * @since 0.1.0
 * @category encoding
 */
export const toEntries = (millis: number | undefined): CallEntries | undefined => {
  const text = formatPushback(millis)
  return text === undefined ? undefined : [[stringKey, text]]
}
