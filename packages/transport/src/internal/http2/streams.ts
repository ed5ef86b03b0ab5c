/**
 * The streams of one connection: what each is, which are live, and which server slots are taken.
 *
 * @internal
 */
import { ById } from "../byId.ts"
import type { HeaderList, Http2Stream, StreamOwner } from "./api.ts"
import type { Inflow, StreamInflow } from "./flow.ts"
import { ClosedStreams, isClosed, State } from "./states.ts"

/** Payload that waits to be sent. `own`: ours, bytes may be appended up to the end of `bytes`. @internal */
export class Piece {
  readonly bytes: Uint8Array
  readonly own: boolean
  /** Goes back to a pool when everything of it was written. */
  readonly pooled: boolean
  start: number
  end: number
  next: Piece | undefined = undefined

  constructor(bytes: Uint8Array, start: number, end: number, own: boolean, pooled: boolean) {
    this.bytes = bytes
    this.start = start
    this.end = end
    this.own = own
    this.pooled = pooled
  }
}

/** What is queued behind the payload of a stream. @internal */
export const Ending = { None: 0, EndStream: 1, Trailers: 2 } as const

/** @internal */
export class Stream implements Http2Stream {
  readonly id: number
  owner: StreamOwner | undefined
  state: number

  /** Sending. */
  sendWindow: number
  buffered = 0
  first: Piece | undefined = undefined
  last: Piece | undefined = undefined
  ending: number = Ending.None
  trailers: HeaderList | undefined = undefined
  thenReset = false
  /** `buffered` reached the send buffer limit: `onWritable` is owed. */
  full = false
  /** Where it waits for its turn, and its neighbours there. */
  line: Line | undefined = undefined
  ahead: Stream | undefined = undefined
  behind: Stream | undefined = undefined
  /** Something was sent on it: a client that resets it now may have read that. */
  answered = false

  /** Receiving. */
  readonly inflow: StreamInflow
  headersReceived = false
  /** What content-length still promises, or -1. */
  contentLeft = -1
  /** Server: the handler has ended, or there never was one. */
  released = false

  constructor(id: number, sendWindow: number, inflow: StreamInflow) {
    this.id = id
    this.owner = undefined
    this.state = State.Idle
    this.sendWindow = sendWindow
    this.inflow = inflow
  }

  get remoteClosed(): boolean {
    return this.state === State.HalfClosedRemote || isClosed(this.state)
  }

  get localClosed(): boolean {
    return this.ending !== Ending.None || this.state === State.HalfClosedLocal || isClosed(this.state)
  }

  get closed(): boolean {
    return isClosed(this.state)
  }
}

/** Streams that wait for their turn to send. @internal */
export class Line {
  private first: Stream | undefined = undefined
  private last: Stream | undefined = undefined

  push(stream: Stream): void {
    stream.line = this
    stream.ahead = this.last
    if (this.last === undefined) this.first = stream
    else this.last.behind = stream
    this.last = stream
  }

  shift(): Stream | undefined {
    const stream = this.first
    if (stream !== undefined) this.remove(stream)
    return stream
  }

  /** One that is over leaves at once: a line nobody can move must not grow by streams that were reset. */
  remove(stream: Stream): void {
    if (stream.ahead === undefined) this.first = stream.behind
    else stream.ahead.behind = stream.behind
    if (stream.behind === undefined) this.last = stream.ahead
    else stream.behind.ahead = stream.ahead
    stream.line = undefined
    stream.ahead = undefined
    stream.behind = undefined
  }
}

/** Streams that ended and are remembered, per connection. */
const remembered = 512

/** @internal */
export class Streams {
  readonly live = new ById<Stream>()
  /** Server: streams whose handler runs or that are not closed. */
  slots = 0
  private readonly past = new ClosedStreams(remembered)
  private readonly inflow: Inflow
  private readonly ended: () => void

  /** `ended` is called when a stream is closed and what it held is free. */
  constructor(inflow: Inflow, ended: () => void) {
    this.inflow = inflow
    this.ended = ended
  }

  add(stream: Stream): void {
    this.live.set(stream.id, stream)
    this.slots++
  }

  /** How a stream ended that is not live; undefined when it is not remembered. */
  recall(id: number): number | undefined {
    return this.past.recall(id)
  }

  /** A stream that never became one: refused, or ill-formed. */
  forgo(id: number): void {
    this.past.remember(id, State.ResetByUs)
  }

  /** A change of state that the table allowed. The one place where streams end. */
  move(stream: Stream, state: number): void {
    if (stream.state === state) return
    stream.state = state
    if (!isClosed(state)) return
    this.live.delete(stream.id)
    this.past.remember(stream.id, state)
    this.inflow.close(stream.inflow)
    stream.line?.remove(stream)
    stream.first = undefined
    stream.last = undefined
    stream.trailers = undefined
    stream.buffered = 0
    if (stream.released) this.slots--
    this.ended()
  }

  /** The handler of the stream has ended. */
  release(stream: Stream): void {
    if (stream.released) return
    stream.released = true
    if (isClosed(stream.state)) this.slots--
  }
}
