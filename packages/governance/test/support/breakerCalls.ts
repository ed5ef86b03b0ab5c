import type { AdmissionRequest, Admission } from "@millrace/rpc/Admission"
import type { CallEnd, CallObserver } from "@millrace/rpc/CallObserver"
import { RpcError, type RpcInfo } from "@millrace/rpc"
import * as calls from "./calls.ts"

export const infoOf = (over: Partial<RpcInfo.RpcInfo> = {}): RpcInfo.RpcInfo =>
  calls.infoOf({ mode: "pingPong", protocol: "ttheader", caller: "web", ...over })

export const key = "web/search/Find"

export const errorOf = (reason: RpcError.RpcError["reason"], code = 13): RpcError.RpcError =>
  new RpcError.RpcError({ reason, code, desc: reason._tag })

export const failure = errorOf(new RpcError.Status())
export const timeout = errorOf(new RpcError.RpcTimeout({ millis: 100 }))
export const local = errorOf(new RpcError.Cancelled({ by: "local" }))

/** The end of a call without an error, or with one. */
export const endOf = (now: number, over: Partial<CallEnd> = {}): CallEnd =>
  calls.endOf({ info: infoOf(), millis: 0, now, ...over })

export const requestOf = (now: number, info: Partial<RpcInfo.RpcInfo> = {}): AdmissionRequest =>
  calls.requestOf({ info: infoOf(info), now })

/** The observer of a call that was let through; undefined where it was refused. */
export const admitted = (
  admission: Admission,
  now: number,
  info: Partial<RpcInfo.RpcInfo> = {}
): CallObserver | undefined => {
  const answer = admission.admit(requestOf(now, info))
  if (answer instanceof RpcError.RpcError) return undefined
  return typeof answer === "function" ? { ended: answer } : answer
}

/** Runs a call that ends at once; whether it was let through. */
export const runCall = (
  admission: Admission,
  now: number,
  end: Partial<CallEnd> = {},
  info: Partial<RpcInfo.RpcInfo> = {}
): boolean => {
  const observer = admitted(admission, now, info)
  observer?.ended(endOf(now, { info: infoOf(info), ...end }))
  return observer !== undefined
}
