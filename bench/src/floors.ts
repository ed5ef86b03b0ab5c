import {
  BALANCERS,
  CALL,
  CALL_1M,
  CALL_FRAMED,
  CALL_ONE,
  type Case,
  CLIENT_STREAM,
  CODEC,
  ECHO,
  ECHO_1K,
  ECHO_1M,
  ECHO_64K,
  ECHO_STREAMS,
  EMPTY,
  FIRST_MESSAGE,
  IDL,
  IDLE,
  MAP_EFFECT,
  PICK,
  PING_PONG,
  SERVER_STREAM,
  STALLED,
  STREAM_10K,
  UNARY,
  UNARY_ONE
} from "./cases.ts"

/**
 * What a floor compares: messages a second, CPU of both processes or of the server's a message, the median of a round trip, resident memory a side in KB, KB
 * that JavaScript holds more a side, MiB that it holds at most for a stream that nobody reads, messages a second of the codec alone, or megabytes of IDL a second of the command (from its start to
 * its end) and of the compiler within a process. Of picks `growth` is the CPU of one among 1,000 against among 8, `share` its part of the
 * CPU of an empty unary call.
 */
export type Metric =
  | "rate"
  | "cpu"
  | "serverCpu"
  | "p50"
  | "memory"
  | "heap"
  | "held"
  | "encode"
  | "decode"
  | "command"
  | "compile"
  | "growth"
  | "share"

/** One promise about Millrace: a ratio to a peer measured in the same run or, for memory, a figure of its own or a difference. */
export interface Floor {
  readonly case: Case | typeof IDLE | typeof STALLED | typeof CODEC | typeof IDL | typeof PICK
  readonly metric: Metric
  /** Whose figure it is, where it is a variant of ours. */
  readonly variant?: string
  /** Whom the figure is compared to; absent for memory. */
  readonly peer?: string
  readonly floor: number
  readonly aim: number
  /** Not met reliably: the full run reports it, a check does not hold us to it. */
  readonly open?: true
}

const LOWER: ReadonlySet<Metric> = new Set(["cpu", "serverCpu", "p50", "memory", "heap", "held", "growth", "share"])

/** Rates must reach the floor; everything else must stay below it. */
export const higherIsBetter = (metric: Metric): boolean => !LOWER.has(metric)

export const holds = (floor: Floor, value: number, margin = 1): boolean =>
  higherIsBetter(floor.metric) ? value >= floor.floor * margin : value * margin <= floor.floor

/** Ours, with streams over TTHeader. */
const TTSTREAM = "millrace-ttstream"

export const FLOORS: ReadonlyArray<Floor> = [
  { case: ECHO, metric: "rate", peer: "grpc-js", floor: 10, aim: 25 },
  { case: ECHO, metric: "cpu", peer: "grpc-go", floor: 0.5, aim: 0.2 },
  { case: ECHO, metric: "cpu", peer: "kitex", floor: 0.5, aim: 0.2 },
  { case: ECHO, metric: "cpu", peer: "net", floor: 7, aim: 4 },
  { case: ECHO, metric: "cpu", variant: "millrace-traced", peer: "millrace", floor: 1.25, aim: 1.1 },
  { case: ECHO, metric: "rate", variant: TTSTREAM, peer: "grpc-js", floor: 10, aim: 25 },
  { case: ECHO, metric: "cpu", variant: TTSTREAM, peer: "kitex-ttstream", floor: 0.15, aim: 0.05 },
  { case: ECHO, metric: "cpu", variant: TTSTREAM, peer: "millrace", floor: 1.5, aim: 1.1 },
  { case: ECHO_STREAMS, metric: "rate", peer: "grpc-js", floor: 6, aim: 12 },
  { case: ECHO_STREAMS, metric: "rate", variant: TTSTREAM, peer: "grpc-js", floor: 6, aim: 12 },
  { case: ECHO_1K, metric: "rate", peer: "grpc-js", floor: 3, aim: 8 },
  { case: ECHO_1K, metric: "rate", variant: TTSTREAM, peer: "grpc-js", floor: 3, aim: 8 },
  { case: SERVER_STREAM, metric: "rate", peer: "grpc-js", floor: 12, aim: 40 },
  { case: SERVER_STREAM, metric: "rate", variant: TTSTREAM, peer: "grpc-js", floor: 12, aim: 40 },
  { case: FIRST_MESSAGE, metric: "p50", variant: TTSTREAM, peer: "millrace", floor: 1.1, aim: 0.9 },
  { case: STREAM_10K, metric: "cpu", variant: "millrace-governed", peer: "millrace", floor: 1.05, aim: 1 },
  { case: CLIENT_STREAM, metric: "rate", peer: "grpc-js", floor: 12, aim: 40 },
  { case: MAP_EFFECT, metric: "rate", peer: "grpc-js", floor: 5, aim: 12 },
  { case: PING_PONG, metric: "p50", peer: "net", floor: 1.5, aim: 1.15 },
  { case: UNARY, metric: "rate", peer: "grpc-js", floor: 8, aim: 18 },
  { case: UNARY, metric: "cpu", peer: "grpc-go", floor: 0.8, aim: 0.4 },
  { case: UNARY, metric: "cpu", peer: "kitex", floor: 0.8, aim: 0.4 },
  { case: UNARY, metric: "rate", variant: "millrace-spans", peer: "millrace", floor: 0.45, aim: 0.6 },
  { case: UNARY, metric: "rate", variant: "millrace-governed", peer: "millrace", floor: 0.85, aim: 0.95 },
  { case: UNARY_ONE, metric: "p50", peer: "net", floor: 1.8, aim: 1.25 },
  { case: ECHO_64K, metric: "rate", peer: "net", floor: 0.4, aim: 0.75 },
  { case: ECHO_64K, metric: "rate", variant: TTSTREAM, peer: "net", floor: 0.4, aim: 0.75 },
  { case: ECHO_1M, metric: "rate", peer: "net", floor: 0.4, aim: 0.75, open: true },
  { case: ECHO_1M, metric: "rate", variant: TTSTREAM, peer: "net", floor: 0.4, aim: 0.75 },
  { case: EMPTY, metric: "serverCpu", variant: "millrace-refusing", peer: "millrace", floor: 0.3, aim: 0.15 },
  { case: CALL, metric: "rate", peer: "grpc-js", floor: 10, aim: 25 },
  { case: CALL, metric: "rate", peer: "thrift", floor: 3, aim: 6 },
  { case: CALL, metric: "cpu", peer: "kitex-mux", floor: 0.8, aim: 0.4 },
  { case: CALL_ONE, metric: "p50", peer: "net", floor: 1.8, aim: 1.25 },
  { case: CALL_FRAMED, metric: "rate", peer: "thrift", floor: 3, aim: 8 },
  { case: CALL_1M, metric: "rate", peer: "thrift", floor: 1.5, aim: 4, open: true },
  { case: IDLE, metric: "memory", floor: 14, aim: 8 },
  { case: IDLE, metric: "heap", variant: "millrace-traced", peer: "millrace", floor: 2, aim: 1 },
  { case: IDLE, metric: "heap", variant: "millrace-spans", peer: "millrace", floor: 2, aim: 1 },
  { case: STALLED, metric: "held", variant: TTSTREAM, floor: 8, aim: 1 },
  { case: STALLED, metric: "held", variant: "millrace-credit", floor: 8, aim: 1 },
  { case: CODEC, metric: "encode", peer: "protobufjs", floor: 2, aim: 2.7 },
  { case: CODEC, metric: "decode", peer: "protobufjs", floor: 1.2, aim: 1.5 },
  { case: IDL, metric: "command", peer: "thriftgo", floor: 1, aim: 2 },
  { case: IDL, metric: "compile", peer: "thriftgo", floor: 3, aim: 6 },
  ...BALANCERS.flatMap((variant): ReadonlyArray<Floor> => [
    { case: PICK, metric: "growth", variant, floor: 2, aim: 1.3 },
    { case: PICK, metric: "share", variant, peer: "millrace", floor: 0.05, aim: 0.01 }
  ])
]

/** What a check holds us to. */
export const MET: ReadonlyArray<Floor> = FLOORS.filter((floor) => floor.open !== true)
