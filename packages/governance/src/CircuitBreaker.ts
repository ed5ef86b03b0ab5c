/**
 * A client that stops calling what fails, and tries again from time to time: Kitex's circuit breakers
 * (`pkg/circuitbreak`), with its windows, defaults, states and texts.
 *
 * There are two levels. That of services has a breaker for each `caller/callee/method`, and is a rule of admission of a
 * client. That of instances has one for each address, counts failed connects alone, and is asked by `Discovery`, which
 * then chooses others.
 *
 * @since 0.1.0
 */
import type { Admission } from "@millrace/rpc/Admission"
import { BizStatusError } from "@millrace/rpc/BizStatusError"
import type { CallEnd } from "@millrace/rpc/CallObserver"
import * as RpcError from "@millrace/rpc/RpcError"
import type { RpcInfo } from "@millrace/rpc/RpcInfo"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { BreakerState } from "./internal/breaker/breaker.ts"
import type { Verdict } from "./internal/breaker/keyBreaker.ts"
import { type BreakerSettings, makePanel } from "./internal/breaker/makePanel.ts"
import type { StateChange } from "./internal/breaker/report.ts"
import { ServiceKeys } from "./internal/breaker/serviceKey.ts"
import type { InstanceBreaker } from "./InstanceBreaker.ts"
import * as Policy from "./Policy.ts"

export type {
  /**
   * Closed: calls run. Open: they are refused. Half-open: one runs from time to time, to see whether others may.
   *
   * @since 0.1.0
   * @category models
   */
  BreakerState as State,
  /**
   * A breaker that opens, tries, or closes, with the numbers that made it.
   *
   * @since 0.1.0
   * @category models
   */
  StateChange,
  /**
   * What a call came to, as a breaker counts it; `ignore` does not count.
   *
   * @since 0.1.0
   * @category models
   */
  Verdict
}

const thresholds = {
  /** False: everything runs, and nothing counts. A breaker that is enabled again is in the state that it was in. Default true. */
  enable: Schema.optionalKey(Schema.Boolean),
  /** The share of failures and timeouts that opens it, from above 0 to 1. Default 0.5. */
  errRate: Schema.optionalKey(
    Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1, exclusiveMinimum: true }))
  ),
  /** The number of calls within ten seconds below which it does not open. Default 200. */
  minSample: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)))
}

/**
 * What makes a breaker open and close: Kitex's `CBConfig`, and the times that Kitex has fixed, with its defaults.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Config = Schema.Struct({
  ...thresholds,
  /** How long it stays open before a call probes. Default 5 seconds. */
  coolingTimeout: Schema.optionalKey(Policy.DurationInput),
  /** The time between two probes. Default 200 milliseconds. */
  detectTimeout: Schema.optionalKey(Policy.DurationInput),
  /** So many successes close it. Default 2. */
  halfOpenSuccesses: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))),
  /** Other thresholds for single keys; what they do not say is as for all. */
  keys: Schema.optionalKey(Schema.Record(Schema.String, Schema.Struct(thresholds)))
}).annotate({ title: "CircuitBreaker.Config" })

/**
 * A value of {@link Config}.
 *
 * @since 0.1.0
 * @category models
 */
export type Config = (typeof Config)["Type"]

/**
 * Options of {@link make} that stay as they are.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** Calls of one key share a breaker. Default: Kitex's `caller/callee/method`. Runs for every call. */
  readonly key?: ((info: RpcInfo) => string) | undefined
  /** What counts. Default: {@link classify}. */
  readonly classify?: ((end: CallEnd) => Verdict) | undefined
  /**
   * When streams count: `creation`, the default and Kitex's way, by whether they could be created; `end`, beyond Kitex,
   * by how they end, so that resets and stalls count too. A breaker that is half-open takes the first answer of a
   * stream as a success. Unary and PingPong calls count when they end.
   */
  readonly countStreams?: "creation" | "end" | undefined
  /**
   * So many keys have a breaker, default 1,000: those of the closed ones that were not used for longest are forgotten
   * first.
   */
  readonly maxKeys?: number | undefined
}

/**
 * The breakers of service level, which clients may share.
 *
 * @since 0.1.0
 * @category services
 */
export class CircuitBreaker extends Context.Service<
  CircuitBreaker,
  {
    /** Refuses with the reason `CircuitOpen`, code 13 and Kitex's text. */
    readonly admission: Admission
    /** Changes from now on, until the scope closes. A reader that is 256 of them behind loses the oldest. */
    readonly states: Stream.Stream<StateChange>
    /** As the last call left it: an open breaker becomes half-open with the call that probes. */
    readonly state: (key: string) => BreakerState
  }
>()("@millrace/governance/CircuitBreaker") {}

/**
 * The breakers of instances, by address.
 *
 * @since 0.1.0
 * @category models
 */
export interface Instances extends InstanceBreaker {
  /** Changes from now on, until the scope closes. A reader that is 256 of them behind loses the oldest. */
  readonly states: Stream.Stream<StateChange>
  /** As the last pick or call left it. */
  readonly state: (address: string) => BreakerState
}

/**
 * What counts for a service, as in Kitex (`ErrorTypeOnServiceLevel`):
 *
 * - success: an answer, a declared exception and a business error too; a stream that its reader had enough of;
 * - timeout: budgets that ran out, except connecting;
 * - failure: all other errors, a connect timeout and what the server refuses among them;
 * - ignore: what says nothing about the service. Interrupted or cancelled here; refused on this side: circuit breakers,
 *   discovery, no instance, limits, metadata that cannot be sent; ACL; a defect; and, beyond Kitex, a server that shuts
 *   down.
 *
 * **Example** (A status that is an answer)
 *
 * ```ts
 * import { CircuitBreaker } from "@millrace/governance"
 *
 * const notFound = 5
 *
 * const Breaker = CircuitBreaker.layer({}, {
 *   classify: (end) =>
 *     end.error?._tag === "RpcError" && end.error.code === notFound ? "success" : CircuitBreaker.classify(end)
 * })
 * ```
 *
 * @since 0.1.0
 * @category getters
 */
export const classify = ({ created, error, reason }: CallEnd): Verdict => {
  if (reason === "eof" || reason === "earlyEnd" || error instanceof BizStatusError) return "success"
  if (reason !== "error" || error === undefined) return "ignore"
  switch (error.reason._tag) {
    case "RpcTimeout":
    case "DeadlineExceeded":
    case "FirstMessageTimeout":
    case "RecvTimeout":
    case "SendTimeout":
      return "timeout"
    case "Cancelled":
      return error.reason.by === "local" ? "ignore" : "failure"
    case "Unavailable":
      return error.reason.draining ? "ignore" : "failure"
    case "Rejected":
      return created ? "failure" : "ignore"
    case "Forbidden":
    case "CircuitOpen":
    case "DiscoveryFailed":
    case "NoInstance":
    case "InvalidMetadata":
      return "ignore"
    default:
      return "failure"
  }
}

/**
 * What counts for an instance, as in Kitex (`ErrorTypeOnInstanceLevel`): a connect that failed is a failure, a call
 * that had a connection a success, whatever became of it.
 *
 * @since 0.1.0
 * @category getters
 */
export const classifyConnect = ({ created, error }: CallEnd): Verdict => {
  if (created) return "success"
  if (!(error instanceof RpcError.RpcError)) return "ignore"
  const { reason } = error
  const failed =
    reason._tag === "ConnectTimeout" || (reason._tag === "Unavailable" && reason.neverSent && !reason.draining)
  return failed ? "failure" : "ignore"
}

const ignored = (): void => {}

/**
 * Makes the breakers of service level. Its rule is for the option `admission` of clients, outermost. Changes of the
 * policy apply to all breakers from the next call on.
 *
 * Kitex forgets a breaker that had no sample for ten seconds, also one that is open, whose probes hang for one. This one
 * stays open until probes succeed.
 *
 * **Example** (A client with a breaker of its own)
 *
 * ```ts
 * import { CircuitBreaker } from "@millrace/governance"
 * import { Client, Method, Service } from "@millrace/rpc"
 * import { Effect } from "effect"
 *
 * class Search extends Service.make("Search", { methods: [Method.pingPong("Ping", { arguments: {} })] }) {}
 *
 * const breaker = CircuitBreaker.make({ errRate: 0.3, minSample: 50 })
 *
 * const client = Client.make(Search, {
 *   callerName: "web",
 *   hostPorts: ["127.0.0.1:8888"],
 *   admission: [Effect.map(breaker, ({ admission }) => admission)]
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  policy: Policy.Policy<Config> = {},
  options: Options = {}
): Effect.Effect<CircuitBreaker["Service"], never, Scope.Scope> =>
  Effect.map(
    makePanel("service", () => Policy.settingsOf(policy, Config, settingsOf), {
      classify: options.classify ?? classify,
      streamsCountAtEnd: options.countStreams === "end",
      maxKeys: options.maxKeys ?? 1000
    }),
    ({ panel, states }) => {
      const keys = new ServiceKeys()
      const keyOf = options.key ?? ((info) => keys.of(info))
      return {
        admission: {
          admit: ({ info, now }) => {
            const breaker = panel.enabled(keyOf(info))
            if (breaker === undefined) return ignored
            return breaker.allows(now) ? breaker : breaker.refusal(info)
          }
        },
        states,
        state: (key) => panel.state(key)
      }
    }
  )

/**
 * Breakers of service level as a Layer: its clients share them.
 *
 * **Example** (Clients that share breakers)
 *
 * ```ts
 * import { CircuitBreaker } from "@millrace/governance"
 * import { Client, Method, Service } from "@millrace/rpc"
 * import { Layer } from "effect"
 *
 * class Search extends Service.make("Search", { methods: [Method.pingPong("Ping", { arguments: {} })] }) {}
 *
 * class SearchClient extends Client.Service<SearchClient>()("app/SearchClient", Search) {}
 *
 * const SearchLive = SearchClient.layer({
 *   hostPorts: ["127.0.0.1:8888"],
 *   admission: [CircuitBreaker.admission]
 * }).pipe(Layer.provide(CircuitBreaker.layer()))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (policy: Policy.Policy<Config> = {}, options: Options = {}): Layer.Layer<CircuitBreaker> =>
  Layer.effect(CircuitBreaker, make(policy, options))

/**
 * The rule of the breakers that are provided.
 *
 * @since 0.1.0
 * @category getters
 */
export const admission: Effect.Effect<Admission, never, CircuitBreaker> = CircuitBreaker.useSync(
  ({ admission }) => admission
)

/**
 * Makes the breakers of instances, for the option `instanceBreaker` of `Discovery.endpoints`. `classify` is
 * {@link classifyConnect} by default, `maxKeys` 10,000.
 *
 * @since 0.1.0
 * @category constructors
 */
export const instances = (
  policy: Policy.Policy<Config> = {},
  options: Pick<Options, "classify" | "maxKeys"> = {}
): Effect.Effect<Instances, never, Scope.Scope> =>
  Effect.map(
    makePanel("instance", () => Policy.settingsOf(policy, Config, settingsOf), {
      classify: options.classify ?? classifyConnect,
      streamsCountAtEnd: false,
      maxKeys: options.maxKeys ?? 10_000
    }),
    ({ panel, states }): Instances => ({
      allows: (address, now) => panel.enabled(address)?.allows(now) ?? true,
      created: (address, now) => panel.get(address)?.created(now),
      ended: (address, end) => panel.get(address)?.ended(end),
      forget: (address) => panel.forget(address),
      states,
      state: (address) => panel.state(address)
    })
  )

const settingsOf = (config: Config): BreakerSettings => {
  const forAll = {
    enable: config.enable ?? true,
    errRate: config.errRate ?? 0.5,
    minSample: config.minSample ?? 200,
    coolingMillis: Duration.toMillis(config.coolingTimeout ?? "5 seconds"),
    detectMillis: Duration.toMillis(config.detectTimeout ?? "200 millis"),
    halfOpenSuccesses: config.halfOpenSuccesses ?? 2
  }
  const byKey = Object.entries(config.keys ?? {}).map(([key, own]) => [key, { ...forAll, ...own }] as const)
  return { forAll, byKey: new Map(byKey) }
}
