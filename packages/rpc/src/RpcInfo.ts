/**
 * What is known of a call before its first message: which method of which service, in which mode, on which side.
 *
 * @since 0.1.0
 */

/**
 * The mode of a method, as `streaming.mode` and Thrift have it.
 *
 * @since 0.1.0
 * @category models
 */
export type Mode = "bidirectional" | "client" | "server" | "unary" | "pingPong" | "oneway"

/**
 * One call as middleware, admission and tracers see it.
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
  /** `/package.Service/Method`. */
  readonly path: string
  /**
   * The other end: `HOST:PORT`, `unix:PATH` or `memory`. Empty on a client until an instance was chosen.
   *
   * On the server of a PingPong call it is what the caller or a proxy says in the key `rip` of the TTHeader, where that looks
   * like an address: it can be forged. `call.peer.address` is the socket's.
   */
  readonly address: string
}
