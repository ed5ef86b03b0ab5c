/**
 * Kitex's key of a service breaker, `caller/callee/method` (`RPCInfo2Key`), without making it for each call.
 *
 * @internal
 */
import type { RpcInfo } from "@millrace/rpc/RpcInfo"

interface Known {
  readonly caller: string
  readonly callee: string
  readonly key: string
}

/** So many methods are remembered. */
const mostPaths = 1000

/** @internal */
export class ServiceKeys {
  readonly #byPath = new Map<string, Known>()

  /**
   * Its method makes one key for the clients of a name and the service that they call: the last of a path is
   * remembered.
   */
  of(info: RpcInfo): string {
    const { callee, caller, path } = info
    const known = this.#byPath.get(path)
    if (known !== undefined && known.caller === caller && known.callee === callee) return known.key
    if (known === undefined && this.#byPath.size >= mostPaths) this.#byPath.clear()
    const key = `${caller}/${callee}/${info.method}`
    this.#byPath.set(path, { caller, callee, key })
    return key
  }
}
