import * as Cases from "./cases.ts"
import { type Floor, MET } from "./floors.ts"

/** A case with those who run it beside us. */
export interface RowPlan {
  readonly case: Floor["case"]
  readonly peers: ReadonlyArray<string>
}

/** What `--check` measures: the cases that have floors, with the peers that the floors name. */
export const floorRows = (): ReadonlyArray<RowPlan> => {
  const peers = new Map<Floor["case"], Set<string>>()
  for (const floor of MET) {
    const named = peers.get(floor.case) ?? new Set()
    if (floor.peer !== undefined) named.add(floor.peer)
    if (floor.variant !== undefined) named.add(floor.variant)
    peers.set(floor.case, named)
  }
  return [...peers].map(([the, named]) => ({ case: the, peers: [...named] }))
}

const GRPC = ["http2", "grpc-js", "grpc-go", "kitex"]
const STREAMS = ["millrace-ttstream", ...GRPC, "kitex-ttstream"]

/** Everything that is measured. */
export const ALL_ROWS: ReadonlyArray<RowPlan> = [
  { case: Cases.ECHO, peers: ["millrace-plain", "millrace-traced", "millrace-effectful", "net", ...STREAMS] },
  { case: Cases.ECHO_STREAMS, peers: STREAMS },
  { case: Cases.ECHO_1K, peers: ["net", ...STREAMS] },
  { case: Cases.SERVER_STREAM, peers: STREAMS },
  { case: Cases.FIRST_MESSAGE, peers: STREAMS },
  { case: Cases.STREAM_10K, peers: ["millrace-governed"] },
  { case: Cases.CLIENT_STREAM, peers: STREAMS },
  { case: Cases.MAP_EFFECT, peers: ["grpc-js"] },
  { case: Cases.PING_PONG, peers: ["net", ...STREAMS] },
  { case: Cases.UNARY, peers: ["millrace-spans", "millrace-governed", "millrace-ttstream", ...GRPC] },
  { case: Cases.UNARY_ONE, peers: ["net", ...GRPC] },
  { case: Cases.ECHO_64K, peers: ["millrace-ttstream", "net", "http2", "grpc-js", "kitex-ttstream"] },
  { case: Cases.ECHO_1M, peers: ["millrace-ttstream", "net", "http2", "grpc-js", "kitex-ttstream"] },
  { case: Cases.BINARY_64K, peers: ["millrace-ttstream", "net"] },
  { case: Cases.BINARY_1M, peers: ["millrace-ttstream", "net"] },
  { case: Cases.EMPTY, peers: ["millrace-refusing"] },
  { case: Cases.EMPTY_CALL, peers: ["millrace-refusing"] },
  { case: Cases.CALL, peers: ["grpc-js", "thrift", "kitex", "kitex-mux"] },
  { case: Cases.CALL_ONE, peers: ["net", "grpc-js", "thrift", "kitex"] },
  { case: Cases.CALL_FRAMED, peers: ["thrift", "kitex"] },
  { case: Cases.CALL_1M, peers: ["net", "thrift"] },
  { case: Cases.IDLE, peers: ["millrace-traced", "millrace-spans", ...STREAMS] },
  { case: Cases.STALLED, peers: ["millrace-ttstream", "millrace-credit"] },
  { case: Cases.CODEC, peers: ["protobufjs", "millrace-own-bytes"] },
  { case: Cases.IDL, peers: ["thriftgo"] },
  { case: Cases.PICK, peers: Cases.BALANCERS }
]
