/**
 * The states of a stream as one table, for both ends (Kitex `pkg/remote/trans/ttstream/stream_client.go`, `stream_server.go`).
 *
 * A client half-closes with its Trailer, the server ends the stream with its own; Rst ends it at once. What still arrives for a stream
 * that is over belongs to none.
 *
 * @internal
 */

/** @internal */
export const State = {
  /** Client: no Header of the server's yet. */
  ClientOpening: 0,
  ClientOpen: 1,
  /** Client: half-closed before the server's Header. */
  ClientClosing: 2,
  ClientHalfClosed: 3,
  ServerOpen: 4,
  /** Server: the client has half-closed. */
  ServerHalfClosed: 5,
  /** Over: nothing is sent, what is received is ignored. */
  Inactive: 6
} as const

/** @internal */
export const Event = {
  SendTrailer: 0,
  SendRst: 1,
  ReceiveHeader: 2,
  ReceiveData: 3,
  ReceiveTrailer: 4,
  ReceiveRst: 5
} as const

/** What the table says when the event has no next state. @internal */
export const Verdict = {
  /** Nothing happens: frames in flight. */
  Ignore: -1,
  /** A second Header: the stream ends with an Rst. */
  Duplicate: -2
} as const

const { ClientClosing, ClientHalfClosed, ClientOpen, ClientOpening, Inactive, ServerHalfClosed, ServerOpen } = State
const { Duplicate, Ignore } = Verdict

/** Rows are states, columns events, in the order of their numbers. */
// oxfmt-ignore
const table: ReadonlyArray<ReadonlyArray<number>> = [
  //                      send Trailer      Rst        receive Header    Data              Trailer           Rst
  /* client opening  */ [ClientClosing,     Inactive,  ClientOpen,       ClientOpening,    Inactive,         Inactive],
  /* client open     */ [ClientHalfClosed,  Inactive,  Duplicate,        ClientOpen,       Inactive,         Inactive],
  /* client closing  */ [Ignore,            Inactive,  ClientHalfClosed, ClientClosing,    Inactive,         Inactive],
  /* client half c.  */ [Ignore,            Inactive,  Duplicate,        ClientHalfClosed, Inactive,         Inactive],
  /* server open     */ [Inactive,          Inactive,  Duplicate,        ServerOpen,       ServerHalfClosed, Inactive],
  /* server half c.  */ [Inactive,          Inactive,  Duplicate,        Ignore,           Ignore,           Inactive],
  /* inactive        */ [Ignore,            Ignore,    Ignore,           Ignore,           Ignore,           Ignore]
]

const events = table[0]!.length
const transitions = Int8Array.from(table.flat())

/** The next state, or a negative {@link Verdict}. @internal */
export const next = (state: number, event: number): number => transitions[state * events + event]!

/** A client that has not half-closed. @internal */
export const isClientSending = (state: number): boolean => state === ClientOpening || state === ClientOpen
