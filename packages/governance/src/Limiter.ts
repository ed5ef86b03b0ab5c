/**
 * Limits of calls and connections on a server. They are rules of admission, and refuse: a call that waits would hold its
 * stream. For limits of the messages of streams see `StreamLimiter`.
 *
 * Whoever is refused gets code 8, on PingPong calls exception 6, with Kitex's `request over limit: ...` (`pkg/limiter`,
 * `pkg/kerrors`) and the reason `Rejected`, which may say when to try again. Zero or less is no limit, as in Kitex.
 * Refusals are counted by the metric `kitex.limit.refusals`.
 *
 * @since 0.1.0
 */
import * as Admission from "@millrace/rpc/Admission"
import type { RpcInfo } from "@millrace/rpc/RpcInfo"
import type * as Service from "@millrace/rpc/Service"
import type { RawPeer } from "@millrace/transport/RawStream"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { forService, type RequestedName, type RequestOf } from "./internal/forService.ts"
import { Gradient } from "./internal/limits/gradient.ts"
import { accountsOf, hostOf, keyOf, mostKeys, type Per } from "./internal/limits/keys.ts"
import { limitOf } from "./internal/limits/limitOf.ts"
import { OverLimit, reportLimit } from "./internal/limits/overLimit.ts"
import { Slots } from "./internal/limits/slots.ts"
import { TokenBucket } from "./internal/limits/tokenBucket.ts"
import * as Policy from "./Policy.ts"

const few = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const perSecond = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))

/**
 * Limits as they are written in configuration and files. What is absent, or 0, has no limit.
 *
 * **Example** (Limits that follow a policy)
 *
 * ```ts
 * import { Limiter, Policy } from "@millrace/governance"
 * import { Effect, SubscriptionRef } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const limits = yield* SubscriptionRef.make<Limiter.Config>({ concurrency: 1000, qps: 5000 })
 *   return [
 *     Limiter.concurrency(Policy.map(limits, ({ concurrency = 0 }) => concurrency)),
 *     Limiter.qps(Policy.map(limits, ({ qps = 0 }) => qps))
 *   ]
 * })
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export const Config = Schema.Struct({
  /** For {@link concurrency}. */
  concurrency: Schema.optionalKey(few),
  /** For {@link qps}. */
  qps: Schema.optionalKey(perSecond),
  /** For {@link connections}. */
  connections: Schema.optionalKey(few),
  /** For `StreamLimiter.messages`. */
  messagesPerSecond: Schema.optionalKey(perSecond),
  /** For `StreamLimiter.bytesInFlight`. */
  bytesInFlight: Schema.optionalKey(few)
}).annotate({ title: "Limiter.Config" })

/**
 * A value of {@link Config}.
 *
 * @since 0.1.0
 * @category models
 */
export type Config = (typeof Config)["Type"]

/**
 * What a limit of calls counts by: all calls of the servers that list it, or those of one method, of one peer (the host
 * at the other end of the connection), of one caller (the name that it gives itself), or of one key that a function
 * reads. A call without a key, undefined, is not limited.
 *
 * @since 0.1.0
 * @category models
 */
export type CallKey = Per<Admission.AdmissionRequest>

/**
 * The keys of typed requests, for methods by their names; calls of others have none. It needs `requestInInfo` of the
 * server, and dies without it.
 *
 * **Example** (Two calls at a time for each tenant)
 *
 * ```ts
 * import { Thrift } from "@millrace/codec"
 * import { Limiter } from "@millrace/governance"
 * import { Method, Server, Service } from "@millrace/rpc"
 *
 * class Query extends Thrift.Struct<Query>("report.Query")({ tenant: Thrift.required(1, Thrift.String) }) {}
 * class Reports extends Service.make("Reports", {
 *   methods: [Method.unary("Make", { request: Query, response: Query })]
 * }) {}
 *
 * const perTenant = Limiter.concurrency(2, { per: Limiter.keyForService(Reports, { Make: (query) => query.tenant }) })
 * const Limited = Server.layer([Reports], { admission: [perTenant], requestInInfo: true })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const keyForService = <S extends Service.Any>(
  service: S,
  methods: { readonly [N in RequestedName<S>]?: (request: RequestOf<S, N>) => string | undefined }
): ((of: { readonly info: RpcInfo }) => string | undefined) => {
  const find = forService<(request: unknown) => string | undefined>("Limiter.keyForService", service, methods)
  return ({ info }) => {
    const key = find(info)
    if (key === undefined) return undefined
    if (info.request === undefined) {
      throw new Error(`Limiter.keyForService: no request of ${info.service}.${info.method} is known: set requestInInfo`)
    }
    return key(info.request)
  }
}

/**
 * Options of a limit that counts by keys.
 *
 * @since 0.1.0
 * @category options
 */
export interface KeyOptions {
  /** Default `server`. */
  readonly per?: CallKey | undefined
  /**
   * So many keys have an account of their own; all that come when these are in use share one more, with those of more than
   * 1,024 characters. Idle ones are forgotten. Default 10,000.
   */
  readonly maxKeys?: number | undefined
}

/**
 * Options of a limit of calls at a time.
 *
 * @since 0.1.0
 * @category options
 */
export interface CallOptions extends KeyOptions {
  /** After how many milliseconds a refused caller may try again. Default 100; with 0 it is told nothing. */
  readonly retryAfterMillis?: number | undefined
}

/**
 * At most `max` handlers at a time. A call counts until its handler has ended, also when its client has left. Kitex has
 * the text for it (`to many connections`, spelled so), and no such limit.
 *
 * **Example** (A thousand calls at a time, ten of them from one host)
 *
 * ```ts
 * import { Limiter } from "@millrace/governance"
 * import { Method, Server, Service } from "@millrace/rpc"
 *
 * class TestService extends Service.make("TestService", { methods: [Method.pingPong("Ping", { arguments: {} })] }) {}
 *
 * const Limited = Server.layer([TestService], {
 *   admission: [Limiter.concurrency(1000), Limiter.concurrency(10, { per: "peer", retryAfterMillis: 50 })]
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const concurrency = (max: Policy.Policy<number>, options: CallOptions = {}): Admission.Admission => {
  const { maxKeys = mostKeys, per = "server" } = options
  const retryAfterMillis = hintOf(options)
  const limit = limitOf(max)
  const refusals = new OverLimit("concurrency", "to many connections")
  const key = keyOf(per, peerOf)
  const account = accountsOf(per, maxKeys, () => new Slots())
  return Admission.make((request) => {
    const by = key(request)
    if (by === undefined) return unlimited
    const slots = account(by, request.now)
    return slots.take(limit()) ? slots : refusals.refuse(retryAfterMillis)
  })
}

/**
 * At most `max` calls a second: Kitex's token bucket, which gets a tenth of them each 100 ms and holds those of a
 * second. Below 10 a second it gets one at a time, where Kitex would refuse everything. A refused caller is told when
 * the next one is there.
 *
 * **Example** (A hundred calls a second from each caller)
 *
 * ```ts
 * import { Limiter } from "@millrace/governance"
 *
 * const limited = Limiter.qps(100, { per: "caller" })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const qps = (max: Policy.Policy<number>, options: KeyOptions = {}): Admission.Admission => {
  const { maxKeys = mostKeys, per = "server" } = options
  const limit = limitOf(max)
  const refusals = new OverLimit("qps", "request too frequent")
  const key = keyOf(per, peerOf)
  const account = accountsOf(per, maxKeys, (now) => new TokenBucket(limit(), now))
  return Admission.make((request) => {
    const by = key(request)
    if (by === undefined) return unlimited
    const wait = account(by, request.now).take(limit(), request.now)
    return wait === 0 ? unlimited : refusals.refuse(wait)
  })
}

/**
 * The settings of {@link adaptive}.
 *
 * @since 0.1.0
 * @category schemas
 */
export const AdaptiveConfig = Schema.Struct({
  /** The limit to begin with. Default 20. */
  initial: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0))),
  /** Never below this. Default 20. */
  min: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0))),
  /** Never above this. Default 200. */
  max: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0))),
  /** Calls may take so many times their average over a long time before the limit shrinks. Default 1.5. */
  tolerance: Schema.optionalKey(Schema.Finite.check(Schema.isGreaterThanOrEqualTo(1))),
  /** How often the limit changes; where there are few calls, more seldom. Default 1 second. */
  window: Schema.optionalKey(Policy.DurationInput)
}).annotate({ title: "Limiter.AdaptiveConfig" })

/**
 * A value of {@link AdaptiveConfig}.
 *
 * @since 0.1.0
 * @category models
 */
export type AdaptiveConfig = (typeof AdaptiveConfig)["Type"]

/**
 * As many calls at a time as the server turns out to bear: Netflix's Gradient2 (concurrency-limits), from how long
 * unary and PingPong calls take. Streams take a place, and are no measure. Of all calls of a server the limit is in the
 * metric `kitex.limit.adaptive`.
 *
 * **Example** (From 10 to 500 calls at a time)
 *
 * ```ts
 * import { Limiter } from "@millrace/governance"
 *
 * const limited = Limiter.adaptive({ initial: 50, min: 10, max: 500 })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const adaptive = (
  config: Policy.Policy<AdaptiveConfig> = {},
  options: CallOptions = {}
): Admission.Admission => {
  const { maxKeys = mostKeys, per = "server" } = options
  const retryAfterMillis = hintOf(options)
  const settings = Policy.settingsOf(
    config,
    AdaptiveConfig,
    ({ initial = 20, max = 200, min = 20, tolerance = 1.5, window = "1 second" }) => ({
      initial,
      max,
      min,
      tolerance,
      windowMillis: Duration.toMillis(window)
    })
  )
  const refusals = new OverLimit("adaptive", "server overloaded")
  const key = keyOf(per, peerOf)
  const changed = per === "server" ? reportLimit : () => {}
  const account = accountsOf(per, maxKeys, (now) => new Gradient(settings, now, changed))
  return Admission.make((request) => {
    const by = key(request)
    if (by === undefined) return unlimited
    const gradient = account(by, request.now)
    return gradient.take(request.now) ? gradient : refusals.refuse(retryAfterMillis)
  })
}

const peerOf = ({ peer }: Admission.AdmissionRequest): string => peer

const unlimited = (): void => {}

const hintOf = ({ retryAfterMillis = 100 }: CallOptions): number | undefined =>
  retryAfterMillis > 0 ? retryAfterMillis : undefined

/**
 * At most `max` connections, for `acceptConnection` of a server's transport: more are closed at once, as Kitex's
 * connection limiter does (`WithLimit`).
 *
 * @since 0.1.0
 * @category constructors
 */
export const connections = (
  max: Policy.Policy<number>,
  options: {
    /** All connections, or those of one host. Default `server`. */
    readonly per?: "server" | "peer" | undefined
  } = {}
): ((peer: RawPeer) => (() => void) | undefined) => {
  const { per = "server" } = options
  const limit = limitOf(max)
  const refusals = new OverLimit("connections", "to many connections")
  const account = accountsOf(per, mostKeys, () => new Slots())
  return ({ address }) => {
    const slots = account(hostOf(address), 0)
    if (slots.take(limit())) return () => slots.ended()
    refusals.refuse()
    return undefined
  }
}
