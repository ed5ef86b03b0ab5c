/** Calls as rules, observers and pickers see them, without a client or a server around them. */
import type { Admission, CallObserver, Endpoints, RpcInfo } from "@millrace/rpc"
import { Metadata } from "@millrace/transport"

export const infoOf = (over: Partial<RpcInfo.RpcInfo> = {}): RpcInfo.RpcInfo => ({
  side: "client",
  service: "Search",
  method: "Find",
  mode: "unary",
  protocol: "grpc",
  path: "/search.Search/Find",
  address: "",
  caller: "",
  callee: "search",
  logId: undefined,
  bizError: undefined,
  ...over
})

/** The end of a call without an error, or with one. */
export const endOf = (over: Partial<CallObserver.CallEnd> = {}): CallObserver.CallEnd => ({
  info: infoOf(),
  reason: over.error === undefined ? "eof" : "error",
  error: undefined,
  created: true,
  millis: 1,
  now: 0,
  ...over
})

export const requestOf = (over: Partial<Admission.AdmissionRequest> = {}): Admission.AdmissionRequest => ({
  info: infoOf(),
  metadata: Metadata.empty,
  peer: "",
  now: 0,
  ...over
})

export const placingOf = (over: Partial<Endpoints.Placing> = {}): Endpoints.Placing => ({
  info: infoOf(),
  request: undefined,
  tried: [],
  now: 0,
  getRef: (key) => key.defaultValue(),
  ...over
})
