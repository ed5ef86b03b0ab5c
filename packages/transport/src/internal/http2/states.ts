/**
 * The states of a stream (RFC 9113 5.1) as one table, and the memory of streams that are over.
 *
 * There is no `reserved` state: nobody pushes (PUSH_PROMISE is an error for us). `closed` is three states, as what may
 * still arrive depends on who closed the stream, and how.
 *
 * @internal
 */

/** @internal */
export const State = {
  Idle: 0,
  Open: 1,
  /** We sent END_STREAM. */
  HalfClosedLocal: 2,
  /** The peer sent END_STREAM. */
  HalfClosedRemote: 3,
  /** Both sent END_STREAM. */
  Ended: 4,
  /** The peer sent RST_STREAM. */
  ResetByPeer: 5,
  /** We sent RST_STREAM: the peer may send anything until it reads that. */
  ResetByUs: 6
} as const

/** @internal */
export const Event = {
  SendHeaders: 0,
  SendData: 1,
  SendEnd: 2,
  SendReset: 3,
  ReceiveHeaders: 4,
  ReceiveData: 5,
  ReceiveEnd: 6,
  ReceiveReset: 7,
  ReceiveWindowUpdate: 8,
  ReceivePriority: 9
} as const

/** What the table says when the event has no next state. @internal */
export const Verdict = {
  /** Nothing happens: frames in flight. */
  Ignore: -1,
  /** RST_STREAM(STREAM_CLOSED). */
  StreamClosed: -2,
  /** GOAWAY(STREAM_CLOSED). */
  ConnectionStreamClosed: -3,
  /** GOAWAY(PROTOCOL_ERROR). */
  ConnectionProtocolError: -4
} as const

const { Ended, HalfClosedLocal, HalfClosedRemote, Idle, Open, ResetByPeer, ResetByUs } = State
const { ConnectionProtocolError: Protocol, ConnectionStreamClosed: Dead, Ignore, StreamClosed: Gone } = Verdict

/** Rows are states, columns events, in the order of their numbers. */
// oxfmt-ignore
const table: ReadonlyArray<ReadonlyArray<number>> = [
  //                  send headers      data              end               reset      receive headers   data              end               reset        window update     priority
  /* idle          */ [Open,            Ignore,           Ignore,           Ignore,    Open,             Protocol,         Protocol,         Protocol,    Protocol,         Idle],
  /* open          */ [Open,            Open,             HalfClosedLocal,  ResetByUs, Open,             Open,             HalfClosedRemote, ResetByPeer, Open,             Open],
  /* half l.       */ [Ignore,          Ignore,           Ignore,           ResetByUs, HalfClosedLocal,  HalfClosedLocal,  Ended,            ResetByPeer, HalfClosedLocal,  HalfClosedLocal],
  /* half r.       */ [HalfClosedRemote,HalfClosedRemote, Ended,            ResetByUs, Gone,             Gone,             Gone,             ResetByPeer, HalfClosedRemote, HalfClosedRemote],
  /* ended         */ [Ignore,          Ignore,           Ignore,           Ignore,    Dead,             Dead,             Dead,             Ignore,      Ignore,           Ended],
  /* reset by peer */ [Ignore,          Ignore,           Ignore,           Ignore,    Gone,             Gone,             Gone,             Ignore,      Ignore,           ResetByPeer],
  /* reset by us   */ [Ignore,          Ignore,           Ignore,           Ignore,    Ignore,           Ignore,           Ignore,           Ignore,      Ignore,           ResetByUs]
]

const events = table[0]!.length
const transitions = Int8Array.from(table.flat())

/** The next state, or a negative {@link Verdict}. @internal */
export const next = (state: number, event: number): number => transitions[state * events + event]!

/** @internal */
export const isClosed = (state: number): boolean => state >= State.Ended

/**
 * How recent streams ended, in bounded memory: ids rise, so a slot for `id mod size` always holds the latest of its
 * class. What is forgotten counts as reset by us long ago: silence harms no honest peer.
 *
 * @internal
 */
export class ClosedStreams {
  private readonly size: number
  private ids: Int32Array | undefined
  private states: Uint8Array | undefined

  constructor(size: number) {
    this.size = size
  }

  remember(id: number, state: number): void {
    this.ids ??= new Int32Array(this.size)
    this.states ??= new Uint8Array(this.size)
    const slot = (id >>> 1) % this.size
    this.ids[slot] = id
    this.states[slot] = state
  }

  /** Undefined when the stream is not remembered. */
  recall(id: number): number | undefined {
    if (this.ids === undefined || this.states === undefined) return undefined
    const slot = (id >>> 1) % this.size
    return this.ids[slot] === id ? this.states[slot] : undefined
  }
}
