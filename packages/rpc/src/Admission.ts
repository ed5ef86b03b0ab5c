/**
 * Admission decides whether a call may run. On a server it does so before a message of the call is decoded or a fiber started
 * for it; on a client before middleware runs and an instance is chosen. A rule that has to look at the request asks for
 * `requestInInfo` of the server.
 *
 * @since 0.1.0
 */
import type { CallEnd, CallObserver } from "./CallObserver.ts"
import type { Metadata } from "./Metadata.ts"
import type { RpcError } from "./RpcError.ts"
import type { RpcInfo } from "./RpcInfo.ts"

/**
 * What admission may look at. On a server everything that came with the request headers; with `requestInInfo` of the server also
 * the request, as `info.request`, of calls that have one: it is then decoded, and that of a stream read in the fiber of the call.
 *
 * @since 0.1.0
 * @category models
 */
export interface AdmissionRequest {
  readonly info: RpcInfo
  /** Request headers of a call on its server; empty on a client. */
  readonly metadata: Metadata
  /** Server: the other end of the connection, which cannot be forged; empty on a client. */
  readonly peer: string
  /** Milliseconds of the clock. */
  readonly now: number
}

/**
 * A rule of admission: refuse with an error, or admit, and hand back who hears of the end of the call. A rule that has admitted
 * a call which another rule refuses hears of an end with that error, which is not `created`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Admission {
  readonly admit: (request: AdmissionRequest) => RpcError | CallObserver | ((end: CallEnd) => void)
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
