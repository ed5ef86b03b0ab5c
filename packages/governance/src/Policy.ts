/**
 * Values of policies that may change while they are used, and where they come from: code, effect's `Config`, a file.
 *
 * A policy describes its values by a schema, `CircuitBreaker.Config` for one, whose keys are optional: what is absent is
 * the default of the policy. The same schema is the type of its options in code, and decodes files and configuration.
 *
 * @since 0.1.0
 */
import { Files } from "@millrace/transport/Files"
import * as Config from "effect/Config"
import type * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as policyValue from "./internal/policyValue.ts"

/**
 * A value, or something whose value of the moment counts: changing it changes every policy made with it.
 *
 * @since 0.1.0
 * @category models
 */
export type Policy<A> = A | SubscriptionRef.SubscriptionRef<A> | View<A>

/**
 * What {@link map} makes of a policy that changes: it changes with it.
 *
 * @since 0.1.0
 * @category models
 */
export class View<out A> {
  readonly changes: Stream.Stream<A>
  readonly #read: () => A

  /** @internal */
  constructor(read: () => A, changes: Stream.Stream<A>) {
    this.#read = read
    this.changes = changes
  }

  /** The value of now. */
  get value(): A {
    return this.#read()
  }
}

/**
 * A policy that cannot be read. `desc` says what is wrong, `path` where in the value, and `source` where the value is.
 *
 * @since 0.1.0
 * @category errors
 */
export class PolicyError extends Schema.TaggedError<PolicyError>("@millrace/governance/PolicyError")("PolicyError", {
  source: Schema.String,
  path: Schema.String,
  desc: Schema.String
}) {
  override get message() {
    return `${this.source}: ${policyValue.faultText(this)}`
  }
}

/**
 * Whether a policy may change.
 *
 * @since 0.1.0
 * @category guards
 */
export const isLive = <A>(policy: Policy<A>): policy is SubscriptionRef.SubscriptionRef<A> | View<A> =>
  SubscriptionRef.isSubscriptionRef(policy) || policy instanceof View

/**
 * Reads the value of now: a plain function, for every call.
 *
 * @since 0.1.0
 * @category getters
 */
export const reader = <A>(policy: Policy<A>): (() => A) => (isLive(policy) ? () => policy.value : () => policy as A)

/**
 * The value of now, and each that follows it. Of a plain value there is but one.
 *
 * @since 0.1.0
 * @category getters
 */
export const changes = <A>(policy: Policy<A>): Stream.Stream<A> =>
  SubscriptionRef.isSubscriptionRef(policy)
    ? SubscriptionRef.changes(policy as SubscriptionRef.SubscriptionRef<A>)
    : policy instanceof View
      ? policy.changes
      : Stream.succeed(policy as A)

/**
 * What is made of each value of a policy, a section of a file for one.
 *
 * @since 0.1.0
 * @category combinators
 */
export const map: {
  <A, B>(f: (value: A) => B): (self: SubscriptionRef.SubscriptionRef<A> | View<A>) => View<B>
  <A, B>(self: SubscriptionRef.SubscriptionRef<A> | View<A>, f: (value: A) => B): View<B>
  <A, B>(self: Policy<A>, f: (value: A) => B): Policy<B>
} = dual(2, <A, B>(self: Policy<A>, f: (value: A) => B): Policy<B> =>
  isLive(self) ? new View(onceEach(reader(self), f), Stream.map(changes(self), f)) : f(self as A)
)

/**
 * The function runs when the value is another, not on every use. One for which it throws leaves what was made before in force, except
 * the first.
 */
const onceEach = <A, B>(read: () => A, f: (value: A) => B): (() => B) => {
  let seen: A | undefined
  let made: B | undefined
  let first = true
  return () => {
    const value = read()
    if (first) {
      made = f(value)
      first = false
    } else if (!Object.is(value, seen)) {
      try {
        made = f(value)
      } catch (defect) {
        logged(`a policy keeps its value, nothing can be made of the new one: ${String(defect)}`)
      }
    }
    seen = value
    return made!
  }
}

/**
 * Reads what a policy needs of its value: `settings` runs when the value is another, not on every use, and may fill in
 * defaults and count durations in milliseconds. Throws where the first value is not one of the schema. A later one that is
 * not leaves the one before it in force, and is one line for `warn`: the default logger, unless something else is given. Both call
 * the policy by the `title` of its schema.
 *
 * @since 0.1.0
 * @category getters
 */
export const settingsOf = <A, B>(
  policy: Policy<A>,
  schema: Schema.Codec<A, unknown>,
  settings: (value: A) => B,
  warn: (line: string) => void = logged
): (() => B) => {
  const read = reader(policy)
  const check = policyValue.checker(schema)
  let seen = read()
  const fault = check(seen)
  const name = Schema.resolveAnnotations(schema)?.title ?? "a policy"
  if (fault !== undefined) throw new Error(`${name} has a bad value: ${policyValue.faultText(fault)}`)
  let current = settings(seen)
  if (!isLive(policy)) return () => current
  return () => {
    const value = read()
    if (Object.is(value, seen)) return current
    seen = value
    const fault = check(value)
    if (fault === undefined) current = settings(value)
    else warn(`${name} keeps its value, the new one is bad: ${policyValue.faultText(fault)}`)
    return current
  }
}

/**
 * The same policy without its bad values, as {@link settingsOf} leaves them out: for a place that does not look, the option
 * `timeouts` of clients.
 *
 * @since 0.1.0
 * @category combinators
 */
export const checked = <A>(policy: Policy<A>, schema: Schema.Codec<A, unknown>): View<A> => {
  const read = settingsOf(policy, schema, (value) => value)
  return new View(
    read,
    Stream.map(changes(policy), () => read())
  )
}

// Rules that run as plain code know no logger but the default one.
const logged = (line: string): void => {
  Effect.runFork(Effect.logWarning(line))
}

/**
 * A duration as it is written in code and in files: milliseconds, or text such as `"5 seconds"`; not below zero.
 *
 * @since 0.1.0
 * @category schemas
 */
export type DurationInput = number | `${number} ${Duration.Unit}` | "Infinity" | Duration.Duration

// Not all that effect takes: of NaN, and of an object with misspelt keys, it makes zero.
const isDuration = (u: unknown): u is DurationInput =>
  (typeof u === "number" ? !Number.isNaN(u) : typeof u === "string" || Duration.isDuration(u)) &&
  Option.exists(Duration.fromInput(u as DurationInput), (duration) => Duration.toMillis(duration) >= 0)

/**
 * The schema of durations.
 *
 * @since 0.1.0
 * @category schemas
 */
export const DurationInput: Schema.Codec<DurationInput> = Schema.declare(isDuration, {
  expected: `a duration, milliseconds or text such as "5 seconds"`,
  toCodecJson: () =>
    Schema.link<DurationInput>()(
      Schema.Union([Schema.Finite, Schema.String]),
      SchemaTransformation.transform({
        decode: (written) => written as DurationInput,
        encode: (input) => Duration.toMillis(Duration.fromInputUnsafe(input))
      })
    )
})

/**
 * A policy from effect's `Config`: environment variables, or whatever its provider reads. Where nothing is said of it, it has its
 * defaults.
 *
 * **Example** (A breaker from the environment)
 *
 * ```ts
 * import { Policy } from "@millrace/governance"
 * import { ConfigProvider, Effect, Schema } from "effect"
 *
 * const Backoff = Schema.Struct({
 *   attempts: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 }))),
 *   delay: Schema.optionalKey(Policy.DurationInput)
 * })
 *
 * // BACKOFF_ATTEMPTS=3 and BACKOFF_DELAY="20 millis"
 * const program = Effect.gen(function* () {
 *   const backoff = yield* Policy.config(Backoff, "backoff")
 *   return backoff.attempts ?? 2
 * }).pipe(Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.constantCase(ConfigProvider.fromEnv())))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const config = <A>(schema: Schema.Codec<A, unknown>, path?: string | ConfigProvider.Path): Config.Config<A> => {
  const said = Config.schema(schema, path)
  const defaults = policyValue.decoder(schema)({})
  return Result.isSuccess(defaults) ? Config.withDefault(said, defaults.success) : said
}

/**
 * Where the values of a policy come from.
 *
 * @since 0.1.0
 * @category options
 */
export interface SourceOptions {
  /** Its name in errors and logs. */
  readonly source: string
}

/**
 * A policy whose values are pushed, by a configuration centre for one. The first has to be good; of the later ones one
 * that is bad is a line in the log, and the value before it stays in force, as it does when the stream ends.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromStream: <A, E, R>(
  first: unknown,
  later: Stream.Stream<unknown, E, R>,
  schema: Schema.Codec<A, unknown>,
  options: SourceOptions
) => Effect.Effect<SubscriptionRef.SubscriptionRef<A>, PolicyError, R | Scope.Scope> = Effect.fnUntraced(function* (
  first,
  later,
  schema,
  { source }
) {
  const decode = policyValue.decoder(schema)
  const decoded = (input: unknown) =>
    Effect.mapError(Effect.fromResult(decode(input)), (fault) => new PolicyError({ source, ...fault }))
  return yield* follow(yield* decoded(first), Stream.map(later, decoded), source)
})

/**
 * How a file is watched.
 *
 * @since 0.1.0
 * @category options
 */
export interface FileOptions {
  /** Between two looks at the file, whether it was said to change or not: some file systems say nothing. Default 5 seconds. */
  readonly interval?: Duration.Input | undefined
  /** Before a file that has changed is read, so that whoever writes it comes to an end. Default 100 milliseconds. */
  readonly settle?: Duration.Input | undefined
}

const maxFileBytes = 1024 * 1024

/**
 * A policy in a JSON file, which is read again when it changes. A file that is missing, or bad, fails when it is read
 * first; later on that is one line in the log which says what is wrong and where, and the value before it stays in force.
 *
 * **Example** (Two policies of one file)
 *
 * ```ts
 * import { Policy } from "@millrace/governance"
 * import { NodeTransport } from "@millrace/transport/node"
 * import { Effect, Schema } from "effect"
 *
 * const File = Schema.Struct({
 *   callsPerSecond: Schema.Int,
 *   patience: Policy.DurationInput
 * })
 *
 * const program = Effect.gen(function* () {
 *   const file = yield* Policy.fromFile("policies.json", File)
 *   const callsPerSecond = Policy.map(file, (values) => values.callsPerSecond)
 *   return Policy.reader(callsPerSecond)()
 * }).pipe(Effect.scoped, Effect.provide(NodeTransport.layerFiles))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromFile: <A>(
  path: string,
  schema: Schema.Codec<A, unknown>,
  options?: FileOptions
) => Effect.Effect<SubscriptionRef.SubscriptionRef<A>, PolicyError, Files | Scope.Scope> = Effect.fnUntraced(function* (
  path,
  schema,
  options = {}
) {
  const files = yield* Files
  const decode = policyValue.decoder(Schema.fromJsonString(schema))
  const failed = ({ desc, path: at }: policyValue.Fault) => new PolicyError({ source: path, path: at, desc })
  const look = Effect.match(files.read(path, maxFileBytes), {
    onFailure: ({ desc }) => ({ seen: desc, value: Effect.fail(failed({ path: "", desc })) }),
    onSuccess: (text) => ({ seen: text, value: Effect.mapError(Effect.fromResult(decode(text)), failed) })
  })
  const first = yield* look
  // A file system that cannot watch is one that only the interval looks at.
  const signals = Stream.merge(
    Stream.catch(files.changes(path), () => Stream.never),
    Stream.tick(options.interval ?? "5 seconds")
  )
  const later = Stream.mapEffect(signals, () => Effect.delay(look, options.settle ?? "100 millis"))
  const others = Stream.concat(Stream.succeed(first), later).pipe(
    Stream.changesWith((one, other) => one.seen === other.seen),
    Stream.drop(1),
    Stream.map(({ value }) => value)
  )
  return yield* follow(yield* first.value, others, path)
})

const follow = Effect.fnUntraced(function* <A, E, R>(
  first: A,
  later: Stream.Stream<Effect.Effect<A, PolicyError>, E, R>,
  source: string
) {
  const policy = yield* SubscriptionRef.make(first)
  yield* Stream.runForEach(later, (value) =>
    Effect.matchEffect(value, {
      onFailure: ({ message }) => Effect.logWarning(`${message}; the values of before stay in force`),
      onSuccess: (value) =>
        Effect.andThen(SubscriptionRef.set(policy, value), Effect.logInfo(`${source}: new values are in force`))
    })
  ).pipe(
    Effect.tapCause((cause) =>
      Effect.logWarning(`${source}: no more values come, those of before stay in force`, cause)
    ),
    Effect.ignoreCause,
    Effect.forkScoped
  )
  return policy
})
