/**
 * `grpc-timeout`: how long the caller still waits, as at most eight digits and a unit, with Kitex's texts for what
 * is no such thing (`nphttp2/grpc/http_util.go`).
 *
 * @internal
 */

const max = 99_999_999

// Nanoseconds of a unit, finest first: the first one that holds the value in eight digits is used.
const units: ReadonlyArray<readonly [unit: string, nanos: number]> = [
  ["n", 1],
  ["u", 1e3],
  ["m", 1e6],
  ["S", 1e9],
  ["M", 60e9],
  ["H", 3600e9]
]

/** @internal */
export const encodeTimeout = (millis: number): string => {
  if (!(millis > 0)) return "0n"
  const nanos = millis * 1e6
  for (const [unit, size] of units) {
    const value = Math.ceil(nanos / size)
    if (value <= max) return `${value}${unit}`
  }
  return `${max}H`
}

/** Go's duration is an int64 of nanoseconds; more hours than that mean forever. */
const maxHours = Math.floor((2 ** 63 - 1) / 3600e9)

/** Milliseconds, or a text that says what is wrong. Zero or less: the deadline has passed. @internal */
export const decodeTimeout = (text: string): number | string => {
  if (text.length < 2) return `transport: timeout string is too short: ${JSON.stringify(text)}`
  if (text.length > 9) return `transport: timeout string is too long: ${JSON.stringify(text)}`
  const unit = units.find((_) => _[0] === text[text.length - 1])
  if (unit === undefined) return `transport: timeout unit is not recognized: ${JSON.stringify(text)}`
  const digits = text.slice(0, -1)
  if (!/^[+-]?[0-9]+$/.test(digits)) {
    return `transport: malformed grpc-timeout: strconv.ParseInt: parsing ${JSON.stringify(digits)}: invalid syntax`
  }
  const value = Number(digits)
  if (unit[0] === "H" && value > maxHours) return Infinity
  return (value * unit[1]) / 1e6
}
