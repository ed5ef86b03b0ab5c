/**
 * What a call gets that a circuit breaker does not let through, in Kitex's words (`pkg/kerrors`).
 *
 * @internal
 */
import * as RpcError from "@millrace/rpc/RpcError"
import type { RpcInfo } from "@millrace/rpc/RpcInfo"

/** @internal */
export const circuitOpen = (
  level: RpcError.CircuitOpen["level"],
  key: string,
  { method, service }: RpcInfo
): RpcError.RpcError =>
  new RpcError.RpcError({
    code: 13,
    desc: `forbidden by circuitbreaker: ${level} circuitbreak`,
    reason: new RpcError.CircuitOpen({ level, key }),
    method: `${service}.${method}`
  })
