/**
 * A method as its client calls it.
 *
 * @internal
 */
import type * as Method from "../Method.ts"
import type { Protocol, RpcInfo } from "../RpcInfo.ts"
import type * as Service from "../Service.ts"
import * as callContext from "./callContext.ts"
import { ClientInfo } from "./clientInfo.ts"
import * as plans from "./plan.ts"

/** Calls of one address share one `RpcInfo`, unless somebody looks at single calls. @internal */
export class ClientMethod {
  readonly plan: plans.MethodPlan
  /** Before an instance was chosen. */
  readonly unplaced: RpcInfo
  readonly #placed = new Map<string, RpcInfo>()

  constructor(service: Service.Any, method: Method.Any, protocol: Protocol, caller = "", callee = service.name_) {
    this.plan = plans.make(service, method)
    this.unplaced = {
      side: "client",
      service: service.name_,
      method: method.name,
      mode: method.mode,
      path: this.plan.path,
      protocol,
      address: "",
      caller,
      callee,
      logId: undefined,
      bizError: undefined
    }
  }

  /** Where a call goes, and with which log id, as is known when its instance is. */
  placed(info: RpcInfo, address: string, fiber: callContext.Reader): RpcInfo {
    if (!(info instanceof ClientInfo)) return this.info(address)
    info.address = address
    info.logId = callContext.logId(fiber)
    return info
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
