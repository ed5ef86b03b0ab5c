/**
 * What is known of one service: its last good list, the nodes that stand for its instances, and the picker over them. Plain
 * code, without time or effects of its own.
 *
 * @internal
 */
import type { Placing } from "@millrace/rpc/Endpoints"
import * as RpcError from "@millrace/rpc/RpcError"
import * as Instance from "../../Instance.ts"
import type { BuildOptions, LoadBalancer, Picker } from "../../LoadBalancer.ts"
import type { InstanceBreaker } from "../../InstanceBreaker.ts"
import { isWeight } from "../balancer/weights.ts"
import { circuitOpen } from "../breaker/circuitOpen.ts"
import { GuardedNode } from "./guardedNode.ts"
import { InstanceNode } from "./instanceNode.ts"
import type { PickMetrics } from "./pickMetrics.ts"

/** @internal */
export interface Settings {
  /** That of the moment. */
  readonly balancer: () => LoadBalancer
  readonly random: BuildOptions["random"]
  readonly now: () => number
  readonly breaker: InstanceBreaker | undefined
  /** A service has forgotten an instance. */
  readonly forgotten: (address: string) => void
  readonly metrics: PickMetrics
  readonly warn: (line: string) => void
}

/** Before all nodes are looked at in turn: almost always one of so few further picks may be used. */
const furtherPicks = 3

/** @internal */
export class KnownService {
  readonly name: string
  readonly #settings: Settings
  readonly #left: (instance: Instance.Instance) => void
  /** The last good list, each address once; undefined until there was one. */
  #instances: ReadonlyArray<Instance.Instance> | undefined
  /** Those of the list, in its order. */
  #nodes: ReadonlyArray<InstanceNode> = []
  /** Those of the list, and those that are gone from it while streams are still there. */
  readonly #byAddress = new Map<string, InstanceNode>()
  #picker: Picker | undefined
  /** What it was built by. */
  #balancer: LoadBalancer
  /** The last that it was to be built by. */
  #wanted: LoadBalancer
  #emptyAnswers = 0

  /** `left`: told of an instance that is gone from the list, each time our last call there has ended. */
  constructor(name: string, settings: Settings, left: (instance: Instance.Instance) => void) {
    this.name = name
    this.#settings = settings
    this.#left = left
    this.#balancer = this.#wanted = settings.balancer()
  }

  get instances(): ReadonlyArray<Instance.Instance> | undefined {
    return this.#instances
  }

  /** Whether there is something to pick from. */
  get found(): boolean {
    return this.#nodes.length > 0
  }

  /** Whether the source has said that there are none, and is not believed yet. */
  get doubted(): boolean {
    return this.found && this.#emptyAnswers > 0
  }

  /** Whether calls are at instances, also at those that have left the list. */
  get busy(): boolean {
    for (const node of this.#byAddress.values()) if (node.active > 0) return true
    return false
  }

  /** Also of what has left the list, while streams are still there. */
  has(address: string): boolean {
    return this.#byAddress.has(address)
  }

  /** Takes the list that the source gives; undefined where it changes nothing. So many empty ones in a row are believed. */
  accept(list: ReadonlyArray<Instance.Instance>, confirmEmpty: number): Instance.Change | undefined {
    this.#emptyAnswers = list.length === 0 ? this.#emptyAnswers + 1 : 0
    if (this.found && list.length === 0 && this.#emptyAnswers < confirmEmpty) return undefined
    const change = Instance.diff(this.#instances ?? [], list)
    if (change === undefined) {
      this.#instances ??= []
      this.#forgetIdle()
      return undefined
    }
    const instances = [...new Map(list.map((instance) => [instance.address, instance])).values()]
    const nodes = instances.map((instance) => this.#nodeOf(instance))
    // First, because a balancer may throw: then all is as it was.
    const picker = nodes.length === 0 ? undefined : this.#build(nodes)
    const before = this.#nodes
    this.#instances = instances
    this.#nodes = nodes
    this.#picker = picker
    for (const node of before) node.onIdle = () => this.#idle(node)
    for (const node of nodes) node.onIdle = undefined
    this.#forgetIdle()
    return change
  }

  /** Forgets everything: nobody asks for the service any more. */
  close(): void {
    for (const [address, node] of this.#byAddress) this.#forget(address, node)
  }

  /** Only where something was found. */
  pick(placing: Placing, now: number): InstanceNode | undefined | RpcError.RpcError {
    const { balancer, breaker } = this.#settings
    if (balancer() !== this.#wanted) this.#rebalance(balancer())
    const { tried } = placing
    let asked = placing
    let picked = this.#picker!.pick(asked)
    if (!(picked instanceof InstanceNode))
      return picked === undefined ? this.#noWeight() : (picked as RpcError.RpcError)
    if (tried.length > 0 || breaker !== undefined) {
      for (let more = furtherPicks; !this.#usable(picked, tried, now); more--) {
        if (more === 0) return this.#search(placing, now)
        // Of a key the next owner, not the same again.
        asked = without(asked, picked.address)
        picked = this.#picker!.pick(asked)
        if (!(picked instanceof InstanceNode)) return this.#search(placing, now)
      }
    }
    return picked
  }

  /** Another balancer has come. Where it cannot be built, that of before stays. */
  #rebalance(balancer: LoadBalancer): void {
    this.#wanted = balancer
    try {
      this.#picker = this.#build(this.#nodes, balancer)
      this.#balancer = balancer
      for (const node of this.#nodes) node.measureBy(balancer.latency)
    } catch (defect) {
      const { name } = this.#balancer
      this.#settings.warn(`discovery: ${this.name} keeps its balancer ${name}, the new one is bad: ${String(defect)}`)
    }
  }

  #usable(node: InstanceNode, tried: ReadonlyArray<string>, now: number): boolean {
    const { address } = node.instance
    return !tried.includes(address) && this.#settings.breaker?.allows(address, now) !== false
  }

  /** From a random one on, so that what others leave over does not all go to one. */
  #search(placing: Placing, now: number): InstanceNode | undefined | RpcError.RpcError {
    const count = this.#nodes.length
    const start = Math.floor(this.#settings.random() * count)
    let open: string | undefined
    for (let i = 0; i < count; i++) {
      const node = this.#nodes[(start + i) % count]!
      const { address, weight } = node.instance
      if (!isWeight(weight) || placing.tried.includes(address)) continue
      if (this.#usable(node, placing.tried, now)) return node
      open = address
    }
    return open === undefined ? undefined : circuitOpen("instance", open, placing.info)
  }

  #nodeOf(instance: Instance.Instance): InstanceNode {
    const { breaker, metrics, now } = this.#settings
    const { latency } = this.#balancer
    const known = this.#byAddress.get(instance.address)
    if (known !== undefined) {
      known.instance = instance
      return known
    }
    const node =
      breaker === undefined
        ? new InstanceNode(instance, now(), latency)
        : new GuardedNode(instance, now(), latency, breaker)
    this.#byAddress.set(instance.address, node)
    metrics.add(node)
    return node
  }

  /** Those that have left the list, and whose last stream has ended. */
  #forgetIdle(): void {
    if (this.#byAddress.size === this.#nodes.length) return
    const listed = new Set(this.#nodes)
    for (const [address, node] of this.#byAddress) {
      if (!listed.has(node) && node.active === 0) this.#forget(address, node)
    }
  }

  /** It has left the list, and so has our last call there: one that was on its way may have made a connection since. */
  #idle(node: InstanceNode): void {
    if (this.#byAddress.get(node.address) === node) this.#forget(node.address, node)
    this.#left(node.instance)
  }

  #forget(address: string, node: InstanceNode): void {
    this.#byAddress.delete(address)
    this.#settings.metrics.remove(node)
    this.#settings.forgotten(address)
  }

  #build(nodes: ReadonlyArray<InstanceNode>, balancer = this.#balancer): Picker {
    const { random } = this.#settings
    return balancer.build(nodes, { service: this.name, random, previous: this.#picker })
  }

  #noWeight(): RpcError.RpcError {
    return new RpcError.RpcError({
      code: 13,
      desc: `no more instances to retry: none of the ${this.#nodes.length} of ${this.name} that are known has a weight above zero`,
      reason: new RpcError.NoInstance({ service: this.name, why: "noWeight" })
    })
  }
}

const without = (placing: Placing, address: string): Placing => ({
  info: placing.info,
  request: placing.request,
  tried: [...placing.tried, address],
  now: placing.now,
  getRef: (key) => placing.getRef(key)
})
