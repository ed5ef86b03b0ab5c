/**
 * Durations in Go's notation, as Kitex's texts have them.
 *
 * @internal
 */

/** 1.5µs, 50ms, 1.5s, 1m30s: in nanoseconds, as Go counts. @internal */
export const goDuration = (millis: number): string => {
  const nanos = Math.round(millis * 1e6)
  if (nanos === 0) return "0s"
  if (nanos < 1e3) return `${nanos}ns`
  if (nanos < 1e6) return `${nanos / 1e3}µs`
  if (nanos < 1e9) return `${nanos / 1e6}ms`
  const hours = Math.floor(nanos / 3.6e12)
  const minutes = Math.floor((nanos % 3.6e12) / 6e10)
  const seconds = (nanos % 6e10) / 1e9
  return `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${seconds}s`
}
