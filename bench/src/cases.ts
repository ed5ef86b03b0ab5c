/** What is measured, in the names that RESULTS.md uses. A case says nothing of who runs it: every peer runs the same closed loops. */

export type Kind = "echo" | "pingPong" | "serverStream" | "firstMessage" | "clientStream" | "unary" | "call" | "empty"

/** One closed loop. */
export interface Case {
  readonly name: string
  readonly kind: Kind
  /** Streams that are open at a time, on one connection. */
  readonly streams: number
  /** Messages a stream (or calls, for unary and call) that wait for their answer at a time. */
  readonly inflight: number
  /** Characters of the message's text; on the wire the message is `THRIFT_OVERHEAD` bytes longer. */
  readonly size: number
  /** Messages in one call of `serverStream` and `clientStream`; the next call starts when one ends. */
  readonly batch: number
  /** Our consumer runs a plain effect for each message. */
  readonly effectPerMessage?: boolean
  /** Interleaved runs, where a small difference is to be seen. Default: those of the pace. */
  readonly rounds?: number
  /** Our message holds `binary` in place of `string`. */
  readonly binary?: boolean
  /** How the messages of `call` lie on the wire, at peers that speak Thrift's PingPong; the others answer a unary call. */
  readonly encoding?: "framed" | "ttheader-framed"
}

/** What Thrift Binary adds to a string that is the only member of a struct: type, id, length and the stop byte. */
export const THRIFT_OVERHEAD = 8

/** The prefix of a message in gRPC. */
export const GRPC_PREFIX = 5

const define = (name: string, kind: Kind, size: number, more: Partial<Case> = {}): Case => ({
  name,
  kind,
  size,
  streams: 1,
  inflight: 1,
  batch: 1,
  ...more
})

export const ECHO = define("echo 32 B, 1 stream", "echo", 32, { inflight: 256 })
export const ECHO_STREAMS = define("echo 32 B, 64 streams", "echo", 32, { streams: 64, inflight: 16 })
export const ECHO_1K = define("echo 1 KiB, 1 stream", "echo", 1024, { inflight: 256 })
export const SERVER_STREAM = define("server stream 32 B", "serverStream", 32, { batch: 20_000 })
/** A server stream of one message after the other, timed from its beginning to its message. */
export const FIRST_MESSAGE = define("first message of a new stream", "firstMessage", 32)
export const STREAM_10K = define("server stream of 10,000 messages", "serverStream", 32, {
  batch: 10_000,
  rounds: 9
})
export const CLIENT_STREAM = define("client stream 32 B", "clientStream", 32, { batch: 4_000 })
export const MAP_EFFECT = define("server stream 32 B, mapEffect", "serverStream", 32, {
  batch: 20_000,
  effectPerMessage: true
})
export const PING_PONG = define("send, recv on an open stream", "pingPong", 32)
export const UNARY = define("unary, 64 in flight", "unary", 32, { inflight: 64, rounds: 9 })
export const UNARY_ONE = define("unary, 1 in flight", "unary", 32)
export const ECHO_64K = define("echo 64 KiB, 4 in flight", "echo", 64 * 1024, { inflight: 4 })
export const ECHO_1M = define("echo 1 MiB, 4 in flight", "echo", 1024 * 1024, { inflight: 4 })
export const BINARY_64K = define("echo 64 KiB of binary, 4 in flight", "echo", 64 * 1024, { inflight: 4, binary: true })
export const BINARY_1M = define("echo 1 MiB of binary, 4 in flight", "echo", 1024 * 1024, { inflight: 4, binary: true })
export const CALL = define("TTHeader call, 64 in flight", "call", 32, { inflight: 64, encoding: "ttheader-framed" })
export const CALL_ONE = define("TTHeader call, 1 in flight", "call", 32, { encoding: "ttheader-framed" })
export const CALL_FRAMED = define("Framed call, 64 in flight", "call", 32, { inflight: 64, encoding: "framed" })
export const CALL_1M = define("Framed call with 1 MiB of binary, 4 in flight", "call", 1024 * 1024, {
  inflight: 4,
  binary: true,
  encoding: "framed"
})

export const EMPTY = define("empty unary, 256 in flight", "empty", 0, { inflight: 256 })
export const EMPTY_CALL = define("empty TTHeader call, 100 in flight", "empty", 0, {
  // Below `callsPerConnection`: all are on one connection.
  inflight: 100,
  encoding: "ttheader-framed"
})

export const UNARY_EMPTY = define("unary, empty text", "unary", 0, { inflight: 64 })

/** Memory of streams, the codec, the compiler and picks are measured in other ways; their rows carry these names. */
export const IDLE = "idle stream"
export const STALLED = "stalled reader, producer without end"
export const CODEC = "codec, medium message"
export const IDL = "compiler, IDL of 1 MB"
export const PICK = "pick of an instance"

/** The balancers that pick, by their names. */
export const BALANCERS = [
  "weight_round_robin",
  "interleaved_weighted_round_robin",
  "random",
  "weight_random",
  "weight_random_with_alias_method",
  "weight_random_with_warm_up",
  "consist",
  "least_active",
  "peak_ewma"
]
