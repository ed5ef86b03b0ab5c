/**
 * Admission decides whether a call may run, before a message of it is decoded or a fiber started for it. A rule that has to
 * look at the request asks for `requestInInfo` of the server.
 *
 * @since 0.1.0
 */
import type { Metadata } from "./Metadata.ts"
import type { RpcError } from "./RpcError.ts"
import type { RpcInfo } from "./RpcInfo.ts"

/**
 * What admission may look at: everything that came with the request headers. With `requestInInfo` of the server also the
 * request, as `info.request`, of calls that have one: it is then decoded, and that of a stream read in the fiber of the call.
 *
 * @since 0.1.0
 * @category models
 */
export interface AdmissionRequest {
  readonly info: RpcInfo
  readonly metadata: Metadata
}

/**
 * A rule of admission: refuse with an error, or admit and hand back what to run when the call has ended.
 *
 * @since 0.1.0
 * @category models
 */
export interface Admission {
  readonly admit: (request: AdmissionRequest) => RpcError | (() => void)
}

/**
 * Makes a rule out of a plain function. It runs for every call: no effects, and nothing slow.
 *
 * **Example** (Refusing one method)
 *
 * ```ts
 * import { Admission, RpcError } from "@millrace/rpc"
 *
 * const closed = Admission.make(({ info }) =>
 *   info.method === "Legacy"
 *     ? new RpcError.RpcError({ code: 12, desc: "Legacy is gone", reason: new RpcError.Rejected({ limit: "Legacy" }) })
 *     : () => {}
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (admit: Admission["admit"]): Admission => ({ admit })
