/**
 * Which failures speak against the instance that they come from, rather than against the call.
 *
 * @internal
 */
import type { RpcError } from "@millrace/rpc/RpcError"
import type { RpcInfo } from "@millrace/rpc/RpcInfo"

/**
 * Codes of a server in trouble; the others are about the request. Of gRPC: unknown, deadline exceeded, resource exhausted, internal,
 * unavailable, data loss. Of Thrift: unknown, missing result, internal error. Kitex's own are above them all.
 */
const grpcTrouble: ReadonlySet<number> = new Set([2, 4, 8, 13, 14, 15])
const thriftTrouble: ReadonlySet<number> = new Set([0, 5, 6])
const lastStandardCode = 16

/** @internal */
export const isFault = ({ code, reason }: RpcError, { protocol }: RpcInfo): boolean => {
  switch (reason._tag) {
    case "Status":
      return code > lastStandardCode || (protocol === "grpc" ? grpcTrouble : thriftTrouble).has(code)
    case "Cancelled":
    case "CodecError":
    case "DiscoveryFailed":
    case "Forbidden":
    case "InvalidMetadata":
    case "NoInstance":
      return false
    case "CircuitOpen":
      return reason.level === "instance"
    default:
      return true
  }
}
