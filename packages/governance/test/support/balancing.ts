/** Pickers over nodes, with a clock of their own. */
import { HashKey, Instance, type LoadBalancer } from "@millrace/governance"
import type { CallObserver, Endpoints, RpcInfo } from "@millrace/rpc"
import type { Context } from "effect"
import { InstanceNode } from "../../src/internal/discovery/instanceNode.ts"
import * as calls from "./calls.ts"

export const info = calls.infoOf({ service: "Echo", method: "Say", path: "/balance.Echo/Say", callee: "echo" })

export interface Call {
  readonly info?: RpcInfo.RpcInfo
  readonly key?: string
  readonly request?: unknown
  readonly tried?: ReadonlyArray<string>
  readonly now?: number
}

export const placing = ({ key, ...call }: Call = {}): Endpoints.Placing =>
  calls.placingOf({
    info,
    getRef: <A>(reference: Context.Reference<A>): A =>
      (reference as unknown) === HashKey.HashKey && key !== undefined ? (key as A) : reference.defaultValue(),
    ...call
  })

/** `i0`, `i1` and so on, with these weights, all in the list since 0. */
export const nodesOf = (
  weights: ReadonlyArray<number>,
  balancer?: LoadBalancer.LoadBalancer,
  since: (index: number) => number = () => 0
): ReadonlyArray<InstanceNode> =>
  weights.map(
    (weight, index) => new InstanceNode(Instance.make(`i${index}`, { weight }), since(index), balancer?.latency)
  )

export const build = (
  balancer: LoadBalancer.LoadBalancer,
  nodes: ReadonlyArray<LoadBalancer.Node>,
  options: { readonly random?: () => number; readonly previous?: LoadBalancer.Picker } = {}
): LoadBalancer.Picker =>
  balancer.build(nodes, {
    service: "echo",
    random: options.random ?? (() => 0),
    previous: options.previous
  })

/** The addresses that are picked in so many calls. */
export const picks = (picker: LoadBalancer.Picker, count: number, call: Call = {}): ReadonlyArray<string> =>
  Array.from({ length: count }, () => {
    const node = picker.pick(placing(call))
    if (node === undefined || !("instance" in node)) throw new Error("nothing was picked")
    return node.instance.address
  })

export const countOf = (addresses: ReadonlyArray<string>): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const address of addresses) counts.set(address, (counts.get(address) ?? 0) + 1)
  return counts
}

/** The statistic of the chi-square test: how far counts are from what weights make one expect. */
export const chiSquare = (
  counts: ReadonlyMap<string, number>,
  weights: ReadonlyArray<number>,
  total: number
): number => {
  const sum = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.reduce((statistic, weight, index) => {
    const expected = (total * weight) / sum
    return statistic + ((counts.get(`i${index}`) ?? 0) - expected) ** 2 / expected
  }, 0)
}

/** What fewer than one in a million random counts of so many kinds exceed (Wilson and Hilferty's approximation). */
export const chiSquareLimit = (kinds: number): number => {
  const freedom = kinds - 1
  const spread = 2 / (9 * freedom)
  return freedom * (1 - spread + 4.76 * Math.sqrt(spread)) ** 3
}

export const endOf = (end: Partial<CallObserver.CallEnd>): CallObserver.CallEnd => calls.endOf({ info, ...end })
