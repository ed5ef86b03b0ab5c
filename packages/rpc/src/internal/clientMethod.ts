/**
 * A method as its client calls it.
 *
 * @internal
 */
import type * as Method from "../Method.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import type * as Service from "../Service.ts"
import * as plans from "./plan.ts"

/** Calls of one address share one `RpcInfo`. @internal */
export class ClientMethod {
  readonly plan: plans.MethodPlan
  /** Before an instance was chosen. */
  readonly unplaced: RpcInfo
  readonly #placed = new Map<string, RpcInfo>()

  constructor(service: Service.Any, method: Method.Any) {
    this.plan = plans.make(service, method)
    this.unplaced = {
      side: "client",
      service: service.name_,
      method: method.name,
      mode: method.mode,
      path: this.plan.path,
      address: ""
    }
  }

  info(address: string): RpcInfo {
    let info = this.#placed.get(address)
    if (info === undefined) {
      // Addresses come from the outside; thousands of them are a sign of churn, not of reuse.
      if (this.#placed.size >= 4096) this.#placed.clear()
      info = { ...this.unplaced, address }
      this.#placed.set(address, info)
    }
    return info
  }
}
