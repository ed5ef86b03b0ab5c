/**
 * Where the streams of a client go: implementations of rpc's `Endpoints`.
 *
 * @since 0.1.0
 */
import type * as Endpoints from "@millrace/rpc/Endpoints"

/**
 * An address (`HOST:PORT` or `unix:PATH`) and its share of the streams, relative to the weights of the others. Kitex's
 * default weight is 10; zero or less takes no streams.
 *
 * @since 0.1.0
 * @category models
 */
export interface Weighted {
  readonly hostPort: string
  readonly weight: number
}

/**
 * Smooth weighted round robin over a fixed list, as Kitex's default balancer picks: in any run of picks each address
 * has its share, and the heavy ones are not picked in bursts. Equal weights are plain round robin in the order of the
 * list. Throws when no address has a weight above zero.
 *
 * **Example** (Three of four streams to the first)
 *
 * ```ts
 * import { Endpoints } from "@millrace/governance"
 *
 * const endpoints = Endpoints.weightedRoundRobin([
 *   { hostPort: "10.0.0.1:8888", weight: 30 },
 *   { hostPort: "10.0.0.2:8888", weight: 10 }
 * ])
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const weightedRoundRobin = (instances: ReadonlyArray<Weighted>): Endpoints.Endpoints => {
  const nodes = instances
    .filter(({ weight }) => weight > 0)
    .map(({ hostPort, weight }) => ({ hostPort, weight, current: 0 }))
  if (nodes.length === 0)
    throw new Error("no instance has a weight above zero: name at least one that may take streams")
  const total = nodes.reduce((sum, { weight }) => sum + weight, 0)
  return {
    pick: () => {
      let best = nodes[0]!
      for (const node of nodes) {
        node.current += node.weight
        if (node.current > best.current) best = node
      }
      best.current -= total
      return best.hostPort
    }
  }
}
