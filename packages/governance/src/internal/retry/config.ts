/**
 * The settings of retries, as they are written in code, configuration and files.
 *
 * @internal
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Policy from "../../Policy.ts"

const aboveZero = Policy.DurationInput.check(
  Schema.makeFilter((input) => {
    const millis = Duration.toMillis(input)
    return millis > 0 && millis < Infinity ? undefined : "must be a finite duration above zero"
  })
)

const range = Schema.Struct({ type: Schema.Literal("random"), min: Policy.DurationInput, max: aboveZero }).check(
  Schema.makeFilter(({ max, min }) =>
    Duration.toMillis(max) > Duration.toMillis(min) ? undefined : "max must be above min"
  )
)

/** @internal */
export const Backoff = Schema.Union([
  Schema.Struct({ type: Schema.Literal("none") }),
  Schema.Struct({ type: Schema.Literal("fixed"), delay: aboveZero }),
  range,
  Schema.Struct({
    type: Schema.Literal("exponential"),
    initial: aboveZero,
    factor: Schema.optionalKey(Schema.Finite.check(Schema.isGreaterThanOrEqualTo(1))),
    max: Schema.optionalKey(aboveZero)
  })
])

const retries = (maximum: number) => Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum })))

const common = {
  /** Retries go to the instance of the attempt before. Default false: to another, where there is one. */
  sameInstance: Schema.optionalKey(Schema.Boolean),
  /** Whether a handler whose own call is a retry does without retries. Default true. */
  chainStop: Schema.optionalKey(Schema.Boolean),
  /** Above 0, up to 0.3: no retries as long as this share of attempts fails. Default 0.1. */
  errorRate: Schema.optionalKey(Schema.Finite.check(Schema.isGreaterThan(0), Schema.isLessThanOrEqualTo(0.3)))
}

const afterFailures = {
  /** No retry begins later than this after the first attempt. Default: whenever. */
  maxDuration: Schema.optionalKey(aboveZero),
  /** Default: none. */
  backoff: Schema.optionalKey(Backoff),
  /** Whether attempts that timed out count: their server may have done what they asked for. Default true. */
  retryTimeouts: Schema.optionalKey(Schema.Boolean)
}

/** After which time without an answer another attempt begins: the 99th percentile of the method's latency is a good start. */
const delay = aboveZero

/** @internal */
export const Failure = Schema.Struct({
  /** Attempts after the first, 0 to 5. Default 2. */
  maxRetries: retries(5),
  ...afterFailures,
  ...common
}).annotate({ title: "Retry.FailureConfig" })

/** @internal */
export const Backup = Schema.Struct({
  delay,
  /** Attempts after the first, 0 to 2. Default 1. */
  maxRetries: retries(2),
  ...common
}).annotate({ title: "Retry.BackupConfig" })

/** @internal */
export const Mixed = Schema.Struct({
  delay,
  /** Attempts after the first, 0 to 3. Default 1. */
  maxRetries: retries(3),
  ...afterFailures,
  ...common
}).annotate({ title: "Retry.MixedConfig" })

/** @internal */
export const Any = Schema.Union([
  Schema.Struct({ type: Schema.Literal("none") }),
  Schema.Struct({ type: Schema.Literal("failure"), ...Failure.fields }),
  Schema.Struct({ type: Schema.Literal("backup"), ...Backup.fields }),
  Schema.Struct({ type: Schema.Literal("mixed"), ...Mixed.fields })
]).annotate({ title: "Retry.Config" })
