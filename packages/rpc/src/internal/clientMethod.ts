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
  /** Of calls that go another way than those of the client mostly do: by address and protocol. */
  readonly #otherwise = new Map<string, RpcInfo>()

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

  /** As its stream is carried, which is not known before where a client tries one protocol after the other. */
  carriedBy(info: RpcInfo, protocol: Protocol): RpcInfo {
    if (info.protocol === protocol) return info
    if (info instanceof ClientInfo) {
      info.protocol = protocol
      return info
    }
    const key = `${protocol} ${info.address}`
    return kept(this.#otherwise, key, () => ({ ...info, protocol }))
  }

  info(address: string): RpcInfo {
    return this.#placed.get(address) ?? kept(this.#placed, address, () => ({ ...this.unplaced, address }))
  }
}

const kept = (infos: Map<string, RpcInfo>, key: string, make: () => RpcInfo): RpcInfo => {
  let info = infos.get(key)
  if (info === undefined) {
    // Addresses come from the outside; thousands of them are a sign of churn, not of reuse.
    if (infos.size >= 4096) infos.clear()
    info = make()
    infos.set(key, info)
  }
  return info
}
