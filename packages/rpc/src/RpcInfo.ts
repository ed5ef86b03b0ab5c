/**
 * What is known of a call: which method of which service, in which mode, on which side, between whom. Middleware,
 * admission and tracers see it.
 *
 * @since 0.1.0
 */
import type { Metadata } from "@millrace/transport/Metadata"
import type { Metainfo } from "@millrace/transport/Metainfo"
import type { Encoding } from "@millrace/transport/RawCall"
import type { StreamProtocol } from "@millrace/transport/RawStream"
import type { BizStatusError } from "./BizStatusError.ts"

/**
 * The mode of a method, as `streaming.mode` and Thrift have it.
 *
 * @since 0.1.0
 * @category models
 */
export type Mode = "bidirectional" | "client" | "server" | "unary" | "pingPong" | "oneway"

/**
 * How a call travels: a stream of gRPC over HTTP/2 or of TTHeader streaming, or one of the encodings of a PingPong call (Kitex's
 * `PurePayload`, `Framed`, `TTHeader`, `TTHeaderFramed`). Unary calls of a client of TTHeader streaming are `ttheader-framed`.
 *
 * @since 0.1.0
 * @category models
 */
export type Protocol = StreamProtocol | Encoding

/**
 * One call. It is alive: what becomes known during the call (`address`, `bizError`) is there from then on.
 *
 * @since 0.1.0
 * @category models
 */
export interface RpcInfo {
  readonly side: "client" | "server"
  /** The IDL name of the service, without its package. */
  readonly service: string
  readonly method: string
  readonly mode: Mode
  /** On a client the option `transport` of a PingPong call; on a server what the request came in. */
  readonly protocol: Protocol
  /** True on a server that does not have this method: its names are then what a stranger said. */
  readonly unknown?: boolean
  /** `/package.Service/Method`. */
  readonly path: string
  /**
   * The other end: `HOST:PORT`, `unix:PATH` or `memory`. Empty on a client until an instance was chosen.
   *
   * On the server of a PingPong call it is what the caller or a proxy says in the key `rip` of the TTHeader, where that looks
   * like an address: it can be forged. `call.peer.address` is the socket's.
   */
  readonly address: string
  /** The name of the calling service: the option `callerName`; what the caller says of itself. Empty when unknown. */
  readonly caller: string
  /** The name of the called service, as registries know it: the option `destService`; on a server its own name. */
  readonly callee: string
  /** The log id that this call carries (`LogId`); undefined when it has none. */
  readonly logId: string | undefined
  /**
   * Which attempt of its call this is, counted from 0: above that a retry policy has called again. On a server what the caller
   * says (Kitex's `RetryReq`). Absent is 0.
   */
  readonly attempt?: number
  /**
   * The request of a method that has one, with the option `requestInInfo`: a message, or the arguments of a PingPong call by
   * name. Beyond Kitex for streams. Where a retry or a fallback stands around the call, tracers and those two see it anyway.
   */
  readonly request?: unknown
  /** The business error that the call ended with, which middleware around messages sees as the end of the stream. */
  readonly bizError: BizStatusError | undefined
}

/**
 * One call on its server: what came with it.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServerInfo extends RpcInfo {
  readonly side: "server"
  /** Request headers; of a PingPong call the string keys of its TTHeader, where it has one. */
  readonly metadata: Metadata
  /** Kitex metainfo that came with the request. */
  readonly metainfo: Metainfo
}

/**
 * Whether a call is a stream: for others, unary ones among them, there is one answer at most.
 *
 * @since 0.1.0
 * @category guards
 */
export const isStream = ({ mode }: RpcInfo): boolean =>
  mode === "bidirectional" || mode === "client" || mode === "server"
