/** What limits of calls see, without a server around them. */
import { type Admission, type CallObserver, RpcError, type RpcInfo } from "@millrace/rpc"
import { endOf, infoOf, requestOf } from "./calls.ts"

/** A call as a rule sees it. */
export const request = (
  info: Partial<RpcInfo.RpcInfo> = {},
  { now = 0, peer = "10.0.0.1:5000" }: { readonly now?: number; readonly peer?: string } = {}
): Admission.AdmissionRequest =>
  requestOf({
    info: infoOf({ side: "server", method: "Method", path: "/Service/Method", address: peer, ...info }),
    peer,
    now
  })

/** Runs a call through a rule: the error that refuses it, or what is to be called when it ends. */
export const admit = (
  rule: Admission.Admission,
  call: Admission.AdmissionRequest
): RpcError.RpcError | ((end?: Partial<CallObserver.CallEnd>) => void) => {
  const answer = rule.admit(call)
  if (answer instanceof RpcError.RpcError) return answer
  return (end) => {
    if (typeof answer === "function") answer(endOf({ info: call.info, now: call.now, ...end }))
    else answer.ended(endOf({ info: call.info, now: call.now, ...end }))
  }
}

/** Whether a rule admits a call, which then runs for ever. */
export const admits = (rule: Admission.Admission, call: Admission.AdmissionRequest): boolean =>
  typeof admit(rule, call) === "function"
