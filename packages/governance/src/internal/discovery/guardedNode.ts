/**
 * A node that a circuit breaker hears of.
 *
 * @internal
 */
import type { CallEnd } from "@millrace/rpc/CallObserver"
import type { Instance } from "../../Instance.ts"
import type { InstanceBreaker } from "../../InstanceBreaker.ts"
import type { LatencyOptions } from "../../LoadBalancer.ts"
import { InstanceNode } from "./instanceNode.ts"

/** @internal */
export class GuardedNode extends InstanceNode {
  readonly #breaker: InstanceBreaker

  constructor(instance: Instance, since: number, latency: LatencyOptions | undefined, breaker: InstanceBreaker) {
    super(instance, since, latency)
    this.#breaker = breaker
  }

  created(now: number): void {
    this.#breaker.created?.(this.address, now)
  }

  override ended(end: CallEnd): void {
    // First, because what is known of one that has left is forgotten with its last call.
    this.#breaker.ended(this.address, end)
    super.ended(end)
  }
}
