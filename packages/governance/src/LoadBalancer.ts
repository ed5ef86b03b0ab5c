/**
 * How an instance is chosen for each new stream, or each attempt of a call. A balancer is a value; `Discovery` builds a picker of it
 * for each list of instances, and asks that.
 *
 * @since 0.1.0
 */
import type { Picked, Placing } from "@millrace/rpc/Endpoints"
import type { RpcError } from "@millrace/rpc/RpcError"
import type { RpcInfo } from "@millrace/rpc/RpcInfo"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import type { Instance } from "./Instance.ts"
import { AliasTable } from "./internal/balancer/aliasTable.ts"
import { pointsOf } from "./internal/balancer/hashRing.ts"
import { InterleavedOrder } from "./internal/balancer/interleavedOrder.ts"
import { Keyed } from "./internal/balancer/keyed.ts"
import { Hashed, Ordered, Timed } from "./internal/balancer/pickers.ts"
import { RoundRobin } from "./internal/balancer/roundRobin.ts"
import { SmoothRound } from "./internal/balancer/smoothRound.ts"
import { costsLess, hasFewer, type IsBetter, TwoChoices } from "./internal/balancer/twoChoices.ts"
import { WarmingUp } from "./internal/balancer/warmingUp.ts"
import { areEqual, isWeight, sharesOf } from "./internal/balancer/weights.ts"

/**
 * An instance with what is known of it here. It outlives lists: as long as its address is in them, its numbers stay.
 *
 * @since 0.1.0
 * @category models
 */
export interface Node extends Picked {
  readonly instance: Instance
  /** Streams and calls of this client that are there now. */
  readonly active: number
  /** How often it was picked. */
  readonly picks: number
  /**
   * Peak EWMA of the time until an answer begins, in milliseconds, with its decay up to `now`: a slow answer counts at once, fast
   * ones win back trust over time. 0 until one was measured. See {@link LatencyOptions}.
   */
  readonly latency: (now: number) => number
  /** Milliseconds of the clock when its address came into the list. */
  readonly since: number
}

/**
 * How the latency of an instance is measured. The time of unary and PingPong calls is that of their end, the time of a stream that of
 * its first headers or message.
 *
 * A failure of the instance (it cannot be reached, does not answer in time, is over its limit, breaks off, or answers with a status of
 * a server in trouble) counts as an answer that took `failure`, or its own time where that is more. Otherwise an instance that
 * fails fast would look best. Business errors and declared exceptions are answers. A call that was interrupted, the slower of a hedged one
 * for example, can only raise the latency. What was wrong with the request counts not at all.
 *
 * @since 0.1.0
 * @category options
 */
export interface LatencyOptions {
  /** After this time what was measured counts half. Default 10 seconds. */
  readonly halfLife?: Duration.Input | undefined
  /** Default 1 second. */
  readonly failure?: Duration.Input | undefined
}

/**
 * Chooses among the nodes that it was built with.
 *
 * @since 0.1.0
 * @category models
 */
export interface Picker {
  /** Undefined: none can be chosen, because none has a weight. It need not look at `placing.tried`: who asks does. */
  readonly pick: (placing: Placing) => Node | undefined | RpcError
}

/**
 * A way to choose.
 *
 * **Example** (The first in the list, as long as it is there)
 *
 * ```ts
 * import type { LoadBalancer } from "@millrace/governance"
 *
 * const first: LoadBalancer.LoadBalancer = {
 *   name: "first",
 *   build: (nodes) => ({ pick: () => nodes.find(({ instance }) => instance.weight > 0) })
 * }
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface LoadBalancer {
  /** As Kitex names it, where it has it. */
  readonly name: string
  /** How nodes measure, where the balancer looks at that. */
  readonly latency?: LatencyOptions | undefined
  /** A picker over a new list. `previous` is that of the list before, where there is one. `service` is for errors. */
  readonly build: (nodes: ReadonlyArray<Node>, options: BuildOptions) => Picker
}

/**
 * What a picker is built with, beside its nodes.
 *
 * @since 0.1.0
 * @category options
 */
export interface BuildOptions {
  readonly service: string
  /** A number from 0 up to but not 1. */
  readonly random: () => number
  /** That of the list before. */
  readonly previous: Picker | undefined
}

const nobody: Picker = { pick: () => undefined }

/** A balancer over nodes that have a weight. */
const make = (
  name: string,
  build: (nodes: ReadonlyArray<Node>, weights: ReadonlyArray<number>, options: BuildOptions) => Picker,
  latency?: LatencyOptions
): LoadBalancer => ({
  name,
  latency,
  build: (all, options) => {
    const nodes = all.filter(({ instance }) => isWeight(instance.weight))
    if (nodes.length === 0) return nobody
    return build(
      nodes,
      nodes.map(({ instance }) => instance.weight),
      options
    )
  }
})

/** In turns; those of one service begin at another place in each client. */
const inTurns = (
  name: string,
  order: (shares: ReadonlyArray<number>) => { readonly next: () => number }
): LoadBalancer =>
  make(name, (nodes, weights, { random }) => {
    const start = Math.floor(random() * nodes.length)
    if (areEqual(weights)) return new Ordered(nodes, new RoundRobin(nodes.length, start))
    const rotate = <A>(list: ReadonlyArray<A>) => [...list.slice(start), ...list.slice(0, start)]
    return new Ordered(rotate(nodes), order(sharesOf(rotate(weights))))
  })

/**
 * Weighted round robin, smooth: an instance of weight 3 beside one of weight 1 gets three of four calls, and they are spread. The default,
 * as in Kitex. It begins at a random place, so that many clients do not all begin at one instance.
 *
 * Kitex: `loadbalance.NewWeightedRoundRobinBalancer`.
 *
 * @since 0.1.0
 * @category balancers
 */
export const weightedRoundRobin: LoadBalancer = inTurns("weight_round_robin", (shares) => new SmoothRound(shares))

/**
 * Weighted round robin by turns that run out: less spread than {@link weightedRoundRobin}, because the end of a round belongs to the
 * heaviest alone, and free of its search.
 *
 * Kitex: `loadbalance.NewInterleavedWeightedRoundRobinBalancer`.
 *
 * @since 0.1.0
 * @category balancers
 */
export const interleaved: LoadBalancer = inTurns(
  "interleaved_weighted_round_robin",
  (shares) => new InterleavedOrder(shares)
)

/**
 * At random, all alike: weights do not count, but for those of zero and less. Not in Kitex.
 *
 * @since 0.1.0
 * @category balancers
 */
export const random: LoadBalancer = make("random", (nodes, _weights, { random }) => {
  const count = nodes.length
  return new Ordered(nodes, { next: () => Math.floor(random() * count) })
})

const byWeight = (name: string): LoadBalancer =>
  make(name, (nodes, weights, { random }) => new Ordered(nodes, new AliasTable(weights, random)))

/**
 * At random by weight.
 *
 * Kitex: `loadbalance.NewWeightedRandomBalancer`, whose picks take longer the more instances there are; ours is {@link alias} under this name.
 *
 * @since 0.1.0
 * @category balancers
 */
export const weightedRandom: LoadBalancer = byWeight("weight_random")

/**
 * At random by weight, in constant time: Vose's alias method.
 *
 * Kitex: `loadbalance.NewWeightedRandomWithAliasMethodBalancer`.
 *
 * @since 0.1.0
 * @category balancers
 */
export const alias: LoadBalancer = byWeight("weight_random_with_alias_method")

/**
 * How long an instance is new, and what it gets then.
 *
 * @since 0.1.0
 * @category options
 */
export interface WarmUpOptions {
  /** From then on it has its whole weight. Default 30 seconds. */
  readonly duration?: Duration.Input | undefined
  /** The part of its weight that it begins with, from 0.01 to 1. Default 0.1. */
  readonly start?: number | undefined
}

/**
 * At random by weight, where the weight of an instance grows from a part of it to the whole, in a straight line from when its address
 * came into the list: a cold process is not flooded. Where all are new, as for a client that has just begun, all get their shares.
 * Throws where `start` is not from 0.01 to 1. Not in Kitex.
 *
 * @since 0.1.0
 * @category balancers
 */
export const warmUp = (options: WarmUpOptions = {}): LoadBalancer => {
  const duration = Duration.toMillis(options.duration ?? "30 seconds")
  const start = options.start ?? 0.1
  if (!(start >= 0.01 && start <= 1)) {
    throw new Error(
      `start of warmUp is ${start}: give the part of its weight that an instance begins with, from 0.01 to 1`
    )
  }
  return make("weight_random_with_warm_up", (nodes, weights, { random }) => {
    const warming = new WarmingUp(
      nodes.map(({ since }, index) => ({ since, weight: weights[index]! })),
      duration,
      start,
      random
    )
    return new Timed({ next: (now) => nodes[warming.next(now)]! })
  })
}

const betterOfTwo = (name: string, isBetter: IsBetter, latency?: LatencyOptions): LoadBalancer =>
  make(
    name,
    (nodes, weights, { random }) =>
      new Timed(new TwoChoices(nodes, weights, isBetter, new AliasTable(weights, random), random)),
    latency
  )

/**
 * The one with fewer streams and calls of this client, in proportion to weights, of two random ones: for streams that last, whose number at an
 * instance says more than how many began there. At rest it is random by weight. Not in Kitex.
 *
 * @since 0.1.0
 * @category balancers
 */
export const leastActive: LoadBalancer = betterOfTwo("least_active", hasFewer)

/**
 * The one that would answer sooner, of two random ones: its latency times the streams and calls that it would then have. It finds
 * instances that are slow or fail, and comes back to them as what was measured fades. Throws where `halfLife` is not above zero, or
 * `failure` below. Not in Kitex; Finagle's `p2cPeakEwma`.
 *
 * @since 0.1.0
 * @category balancers
 */
export const peakEwma = (options: LatencyOptions = {}): LoadBalancer => {
  const { failure = 0, halfLife = 1 } = options
  if (!(Duration.toMillis(halfLife) > 0 && Duration.toMillis(failure) >= 0)) {
    throw new Error(
      `peakEwma: halfLife is ${String(halfLife)}, failure ${String(failure)}: give durations, halfLife above zero`
    )
  }
  return betterOfTwo("peak_ewma", costsLess, options)
}

/**
 * How keys are mapped to instances.
 *
 * @since 0.1.0
 * @category options
 */
export interface ConsistentHashOptions<in Request> {
  /**
   * The key of a call: by its request, which is undefined for streams that have none when they are created. Undefined: the `HashKey` of
   * the fiber counts, as without this option.
   */
  readonly keyOf?: ((request: Request, info: RpcInfo) => string | undefined) | undefined
  /**
   * So many points an instance has on the ring for each unit of its weight: more are a better balance, and more memory.
   * Default 100, as in Kitex. Beyond 262,144 points in all, each instance has fewer in proportion.
   */
  readonly virtualFactor?: number | undefined
  /** False: instances have `virtualFactor` points each, whatever their weight. Default true. */
  readonly weighted?: boolean | undefined
}

/**
 * The same instance for the same key, in all processes that know the same instances. Where one leaves or comes, only its share of the keys
 * moves. A call without a key is refused with the reason `NoInstance`, whose `why` is `noHashKey`. An instance that cannot be
 * reached is stood in for by those that would have its keys without it. Throws where `virtualFactor` is not a number above 0.
 *
 * Kitex: `loadbalance.NewConsistBalancer`, whose mapping is another in each process.
 *
 * **Example** (The sessions of a user at one instance)
 *
 * ```ts
 * import { LoadBalancer } from "@millrace/governance"
 *
 * const byUser = LoadBalancer.consistentHash({
 *   keyOf: (request: { readonly user: string } | undefined) => request?.user
 * })
 * ```
 *
 * @since 0.1.0
 * @category balancers
 */
export const consistentHash = <Request = unknown>(options: ConsistentHashOptions<Request> = {}): LoadBalancer => {
  const { keyOf, virtualFactor = 100, weighted = true } = options
  if (!isWeight(virtualFactor)) {
    throw new Error(`virtualFactor of consistentHash is ${virtualFactor}: give a number above 0, Kitex's is 100`)
  }
  return make("consist", (nodes, weights, { previous, service }) => {
    const counts = pointsOf(weights.map((weight) => (weighted ? weight : 1) * virtualFactor))
    const known = previous instanceof Hashed ? (previous as Hashed<Node>).keyed : undefined
    return new Hashed(new Keyed(nodes, counts, known), keyOf, service)
  })
}

const usual = {
  weight_round_robin: weightedRoundRobin,
  interleaved_weighted_round_robin: interleaved,
  random,
  weight_random: weightedRandom,
  weight_random_with_alias_method: alias,
  weight_random_with_warm_up: warmUp(),
  consist: consistentHash(),
  least_active: leastActive,
  peak_ewma: peakEwma()
} satisfies Readonly<Record<string, LoadBalancer>>

/**
 * The names of balancers, for configuration: Kitex's, and ours.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Name = Schema.Literals(Object.keys(usual) as Array<keyof typeof usual>)

/**
 * A name of {@link Name}.
 *
 * @since 0.1.0
 * @category models
 */
export type Name = (typeof Name)["Type"]

/**
 * The balancer of a name, with its usual options.
 *
 * @since 0.1.0
 * @category balancers
 */
export const named = (name: Name): LoadBalancer => usual[name]
