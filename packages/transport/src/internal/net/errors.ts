/**
 * Why there is no connection, or no stream on one: what is said before a protocol begins.
 *
 * @internal
 */
import { ConnectFailed, ConnectTimeout, LimitExceeded, TransportError } from "../../TransportError.ts"
import { Code } from "../grpc/status.ts"

/** @internal */
export const connectFailed = (address: string, why: string): TransportError =>
  new TransportError({
    reason: new ConnectFailed({ address }),
    code: Code.Unavailable,
    desc: `cannot connect to ${address}: ${why}`
  })

/** @internal */
export const listenFailed = (address: string, why: string): TransportError =>
  new TransportError({
    reason: new ConnectFailed({ address }),
    code: Code.Unavailable,
    desc: `cannot listen on ${address}: ${why}`
  })

/** What to ask of a server that closes a connection and has said nothing. @internal */
export const speaksThrift = "does it speak Thrift, and TLS only where this client does?"

/** The same of a server that streams are opened on. @internal */
export const speaksStreaming = "does it speak TTHeader streaming, and TLS only where this client does?"

const advice = {
  dial: "the host did not answer; is the address right, or connectTimeout too short?",
  tls: "the TLS handshake did not finish; does the server speak TLS?",
  settings: "the server sent no HTTP/2 SETTINGS; does it speak HTTP/2 (h2c with prior knowledge, or ALPN h2)?"
} as const

/** @internal */
export const connectTimeout = (address: string, step: "dial" | "tls" | "settings", millis: number): TransportError =>
  new TransportError({
    reason: new ConnectTimeout({ address, step, millis }),
    code: Code.Unavailable,
    desc: `cannot connect to ${address} within ${millis}ms: ${advice[step]}`
  })

/** @internal */
export const noStreams = (address: string): TransportError =>
  new TransportError({
    reason: new LimitExceeded({ limit: "MAX_CONCURRENT_STREAMS", max: 0 }),
    code: Code.Unavailable,
    desc: `${address} allows no streams on a new connection`
  })

/** @internal */
export const tooManyConnections = (address: string, max: number): TransportError =>
  new TransportError({
    reason: new LimitExceeded({ limit: "maxConnectionsPerAddress", max }),
    code: Code.ResourceExhausted,
    desc: `every stream of ${max} connections to ${address} is in use (maxConnectionsPerAddress)`
  })

/** @internal */
export const poolExhausted = (address: string, max: number): TransportError =>
  new TransportError({
    reason: new LimitExceeded({ limit: "pool.maxPerAddress", max }),
    code: Code.ResourceExhausted,
    desc:
      `all ${max} connections to ${address} are in use; make fewer calls at once, multiplex them, ` +
      "or raise pool.maxPerAddress"
  })
