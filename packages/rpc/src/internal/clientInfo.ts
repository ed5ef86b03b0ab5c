/**
 * One call on its client, as whoever looks at a single call sees it: middleware, tracers, hooks. Made only where there is
 * one of them; all other calls share an `RpcInfo` (clientMethod.ts).
 *
 * @internal
 */
import type { BizStatusError } from "../BizStatusError.ts"
import type { Mode, Protocol, RpcInfo } from "../RpcInfo.ts"

/** Alive: what becomes known during the call is written into it. @internal */
export class ClientInfo implements RpcInfo {
  readonly side = "client"
  readonly service: string
  readonly method: string
  readonly mode: Mode
  readonly path: string
  readonly caller: string
  readonly callee: string
  protocol: Protocol
  address = ""
  logId: string | undefined
  bizError: BizStatusError | undefined = undefined
  /** Not there at all without `requestInInfo`. */
  declare request?: unknown
  /** Only where the call may have several. */
  declare attempt?: number
  /** Where attempts before this one went: it goes elsewhere, if it can. */
  declare earlier?: ReadonlyArray<string>

  constructor(shared: RpcInfo, logId: string | undefined) {
    this.service = shared.service
    this.method = shared.method
    this.mode = shared.mode
    this.path = shared.path
    this.caller = shared.caller
    this.callee = shared.callee
    this.protocol = shared.protocol
    this.logId = logId
  }
}
