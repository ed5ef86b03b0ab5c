/**
 * Calls again: after a failure, or beside an attempt that takes long (a backup request), or both. For PingPong calls and unary
 * methods; what becomes of streams that break is `Resumable`. Kinds, defaults, ranges and rules of stopping are Kitex's
 * (`pkg/retry`).
 *
 * An attempt is the whole of a call, with admission, middleware and a `rpcTimeout` of its own, at another instance than those
 * before it where there is one. Worth another attempt is what never reached a server (`ConnectTimeout`,
 * `Unavailable` with `neverSent`, `Rejected` when its hint of time has passed) and what timed out (`RpcTimeout`, `RecvTimeout`,
 * `FirstMessageTimeout`); whatever else {@link Rules} say. Never again: `Forbidden`, `CodecError`, `InvalidMetadata`, a
 * service's open circuit breaker, interruption, a defect.
 *
 * No retry begins: beyond `maxRetries`; later than `maxDuration`, or than the deadline of the caller; while, over ten seconds and at
 * least ten attempts, `errorRate` of them failed; when a shared {@link Budget} is used up; in a handler whose own call was a retry
 * (`chainStop`), because retries of retries multiply. The call then fails with the failure of its last attempt.
 *
 * @since 0.1.0
 */
import type { CallPolicy } from "@millrace/rpc/CallPolicy"
import type { RpcInfo } from "@millrace/rpc/RpcInfo"
import type * as Service from "@millrace/rpc/Service"
import type * as Effect from "effect/Effect"
import { type AnsweredName, type AnswerOf, type FailureOf, forService as byMethod } from "./internal/forService.ts"
import * as budgets from "./internal/retry/budget.ts"
import * as config from "./internal/retry/config.ts"
import * as plans from "./internal/retry/plan.ts"
import * as policies from "./internal/retry/policy.ts"
import * as Policy from "./Policy.ts"

/**
 * How long to wait before a retry: not at all; a fixed time; a random one from `min` up to `max`; or one that grows by `factor`
 * (default 2) from `initial` to `max` (default 10 seconds), of which the second half is random.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Backoff = config.Backoff

/**
 * A value of {@link Backoff}.
 *
 * @since 0.1.0
 * @category models
 */
export type Backoff = (typeof Backoff)["Type"]

/**
 * Settings of {@link failure}.
 *
 * @since 0.1.0
 * @category schemas
 */
export const FailureConfig = config.Failure

/**
 * A value of {@link FailureConfig}.
 *
 * @since 0.1.0
 * @category models
 */
export type FailureConfig = (typeof FailureConfig)["Type"]

/**
 * Settings of {@link backup}.
 *
 * @since 0.1.0
 * @category schemas
 */
export const BackupConfig = config.Backup

/**
 * A value of {@link BackupConfig}.
 *
 * @since 0.1.0
 * @category models
 */
export type BackupConfig = (typeof BackupConfig)["Type"]

/**
 * Settings of {@link mixed}.
 *
 * @since 0.1.0
 * @category schemas
 */
export const MixedConfig = config.Mixed

/**
 * A value of {@link MixedConfig}.
 *
 * @since 0.1.0
 * @category models
 */
export type MixedConfig = (typeof MixedConfig)["Type"]

/**
 * Settings of any kind: what a file says of retries, see {@link make}.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Config = config.Any

/**
 * A value of {@link Config}.
 *
 * @since 0.1.0
 * @category models
 */
export type Config = (typeof Config)["Type"]

/**
 * What else is worth another attempt, and out of which budget. They are asked only of what is not retried anyway.
 *
 * @since 0.1.0
 * @category models
 */
export interface Rules<Failure = unknown, Result = unknown> {
  /**
   * Of other failures: an `RpcError` that is not retried by itself, a `BizStatusError`, a declared exception. Kitex's
   * `ErrorRetryWithCtx`.
   */
  readonly retryable?: ((failure: Failure, info: RpcInfo) => boolean) | undefined
  /** Of answers. Kitex's `RespRetryWithCtx`. */
  readonly retryableResult?: ((result: Result, info: RpcInfo) => boolean) | undefined
  /** Default: none. */
  readonly budget?: Budget | undefined
}

declare const BudgetTypeId: unique symbol

/**
 * How many retries the calls of all policies with this budget may have together.
 *
 * @since 0.1.0
 * @category models
 */
export interface Budget {
  readonly [BudgetTypeId]: typeof BudgetTypeId
}

/**
 * Retries for at most `percent` of calls, and `burst` more (default 10), which may be taken at once and are saved up again. Kitex's
 * `NewRetryContainerWithPercentageLimit`, without a window: so many calls never have more than so many retries.
 *
 * @since 0.1.0
 * @category constructors
 */
export const budget = ({
  burst = 10,
  percent
}: {
  readonly percent: number
  readonly burst?: number | undefined
}): Budget => {
  if (!(percent >= 0 && percent <= 100)) {
    throw new Error(`percent of Retry.budget is ${percent}: give a number from 0 to 100`)
  }
  if (!(burst >= 1 && burst < Infinity)) throw new Error(`burst of Retry.budget is ${burst}: give a number from 1 on`)
  return new budgets.Budget(percent, burst) as unknown as Budget
}

/**
 * Calls again after failures.
 *
 * **Example** (Also when the service says that it is busy)
 *
 * ```ts
 * import { Thrift } from "@millrace/codec"
 * import { Retry } from "@millrace/governance"
 * import { Client, Method, Service } from "@millrace/rpc"
 *
 * class Busy extends Thrift.Exception<Busy>()("shop.Busy", { queue: Thrift.optional(1, Thrift.I32) }) {}
 * class Shop extends Service.make("Shop", {
 *   methods: [
 *     Method.pingPong("Price", {
 *       arguments: { item: Thrift.field(1, Thrift.String) },
 *       response: Thrift.I64,
 *       exceptions: { busy: Thrift.field(1, Busy) }
 *     })
 *   ]
 * }) {}
 *
 * const client = Client.make(Shop, {
 *   hostPorts: ["10.0.0.1:8888", "10.0.0.2:8888"],
 *   rpcTimeout: "100 millis",
 *   retry: Retry.failure(
 *     { maxRetries: 3, backoff: { type: "exponential", initial: "10 millis" } },
 *     { retryable: (failure) => failure instanceof Busy, budget: Retry.budget({ percent: 10 }) }
 *   )
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const failure = (settings: Policy.Policy<FailureConfig> = {}, rules: Rules = {}): CallPolicy =>
  policyOf(
    Policy.settingsOf(settings, FailureConfig, (value) => plans.make("failure", value)),
    rules
  )

/**
 * Calls again, elsewhere, when there is no answer within `delay`: whichever attempt ends first, with whatever outcome, is the
 * call, and the others are interrupted. One that a circuit breaker or discovery refuses here does not end those that run. Only for
 * methods that may be done twice.
 *
 * @since 0.1.0
 * @category constructors
 */
export const backup = (settings: Policy.Policy<BackupConfig>, rules: Pick<Rules, "budget"> = {}): CallPolicy =>
  policyOf(
    Policy.settingsOf(settings, BackupConfig, (value) => plans.make("backup", value)),
    rules
  )

/**
 * Calls again when there is no answer within `delay`, and after a failure too: the first outcome that is not worth another attempt
 * is the call, or the last of all.
 *
 * @since 0.1.0
 * @category constructors
 */
export const mixed = (settings: Policy.Policy<MixedConfig>, rules: Rules = {}): CallPolicy =>
  policyOf(
    Policy.settingsOf(settings, MixedConfig, (value) => plans.make("mixed", value)),
    rules
  )

/**
 * A policy of the kind that its settings say, which may change too.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (settings: Policy.Policy<Config>, rules: Rules = {}): CallPolicy =>
  policyOf(
    Policy.settingsOf(settings, Config, (value) => (value.type === "none" ? undefined : plans.make(value.type, value))),
    rules
  )

/**
 * No retries: for one method of a client that has a policy, or one call.
 *
 * @since 0.1.0
 * @category constructors
 */
export const none: CallPolicy = { run: (attempt) => attempt(0) }

/**
 * A policy for methods of a service by their names, and one for all others (default {@link none}). Kitex's
 * `WithRetryMethodPolicies`. A method that the service does not have does not compile, so that none is retried unseen.
 *
 * **Example** (What may not be done twice is not retried)
 *
 * ```ts
 * import { Thrift } from "@millrace/codec"
 * import { Retry } from "@millrace/governance"
 * import { Client, Method, Service } from "@millrace/rpc"
 *
 * class Store extends Service.make("Store", {
 *   methods: [
 *     Method.pingPong("Get", { arguments: { key: Thrift.field(1, Thrift.String) }, response: Thrift.String }),
 *     Method.pingPong("Put", { arguments: { key: Thrift.field(1, Thrift.String) } })
 *   ]
 * }) {}
 *
 * const client = Client.make(Store, {
 *   hostPorts: ["10.0.0.1:8888"],
 *   retry: Retry.forService(Store, { Put: Retry.none }, Retry.failure())
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const forService = <S extends Service.Any>(
  service: S,
  methods: { readonly [N in AnsweredName<S>]?: CallPolicy },
  otherwise: CallPolicy = none
): CallPolicy => {
  const find = byMethod<CallPolicy>("Retry.forService", service, methods)
  return { run: (attempt, info) => (find(info) ?? otherwise).run(attempt, info) }
}

/**
 * {@link Rules} for methods of a service by their names, which know their failures and answers; of others they say no.
 *
 * **Example** (An answer that is worth another attempt)
 *
 * ```ts
 * import { Thrift } from "@millrace/codec"
 * import { Retry } from "@millrace/governance"
 * import { Method, Service } from "@millrace/rpc"
 *
 * class Search extends Service.make("Search", {
 *   methods: [Method.pingPong("Count", { arguments: { text: Thrift.field(1, Thrift.String) }, response: Thrift.I32 })]
 * }) {}
 *
 * const rules = Retry.rulesForService(Search, { Count: { retryableResult: (count) => count < 0 } })
 * const policy = Retry.failure({}, { ...rules, budget: Retry.budget({ percent: 10 }) })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const rulesForService = <S extends Service.Any>(
  service: S,
  methods: { readonly [N in AnsweredName<S>]?: Omit<Rules<FailureOf<S, N>, AnswerOf<S, N>>, "budget"> }
): Rules => {
  const rulesOf = byMethod<Rules>("Retry.rulesForService", service, methods)
  return {
    retryable: (failure, info) => rulesOf(info)?.retryable?.(failure, info) === true,
    retryableResult: (result, info) => rulesOf(info)?.retryableResult?.(result, info) === true
  }
}

/**
 * Whether the call that this fiber handles is a retry, of whoever called or before: Kitex's `IsRemoteRetryRequest`.
 *
 * @since 0.1.0
 * @category getters
 */
export const isRetry: Effect.Effect<boolean> = policies.isRetry

const policyOf = (read: () => plans.Plan | undefined, { budget, ...rules }: Rules): CallPolicy =>
  policies.policyOf(read, rules, budget as budgets.Budget | undefined)
