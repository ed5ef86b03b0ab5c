/**
 * When a refused caller may try again, as text: milliseconds, the same in HTTP/2 and in TTHeaders (gRPC's proposal A6).
 *
 * @internal
 */

/** A peer that says more is taken to say this. */
const maxMillis = 3_600_000

/** Whole milliseconds; undefined for what is no time to wait. @internal */
export const formatPushback = (millis: number | undefined): string | undefined =>
  millis === undefined || !(millis >= 0) ? undefined : `${Math.min(Math.ceil(millis), maxMillis)}`

/** Undefined for what is none; also for a negative one, by which gRPC means that it is not to be tried again. @internal */
export const parsePushback = (text: string | undefined): number | undefined =>
  text !== undefined && /^[0-9]{1,10}$/.test(text) ? Math.min(Number(text), maxMillis) : undefined
