/**
 * A call that a client sent, and the answer to it.
 *
 * @internal
 */
import type { ApplicationException } from "@millrace/codec/Message"
import type { CallHeader, Encoding, RawClientCall, RawReply, ReplyListener } from "../../RawCall.ts"
import type { Decode, RawPeer } from "../../RawStream.ts"
import type { MessageReader } from "./reader.ts"

/** @internal */
export interface ClientCallOwner {
  abandon(call: ClientCall): void
}

/** @internal */
export class ClientCall implements RawClientCall {
  readonly peer: RawPeer
  readonly sequenceId: number
  readonly method: string
  readonly oneway: boolean
  /** Other calls may be on the connection. */
  readonly shared: boolean
  readonly encoding: Encoding
  readonly listener: ReplyListener
  sentBytes = 0
  /** Its bytes among all that the connection sends. */
  startsAt = 0
  endsAt = 0
  ended = false
  private readonly owner: ClientCallOwner

  constructor(
    owner: ClientCallOwner,
    peer: RawPeer,
    sequenceId: number,
    method: string,
    oneway: boolean,
    shared: boolean,
    encoding: Encoding,
    listener: ReplyListener
  ) {
    this.owner = owner
    this.peer = peer
    this.sequenceId = sequenceId
    this.method = method
    this.oneway = oneway
    this.shared = shared
    this.encoding = encoding
    this.listener = listener
  }

  abandon(): void {
    if (!this.ended) this.owner.abandon(this)
  }
}

/** The answer that is in the reader; one object serves all answers of a connection. @internal */
export class Reply implements RawReply {
  exception: ApplicationException | undefined = undefined
  private readonly reader: MessageReader
  private readonly onRefused: () => void

  /** `onRefused`: the decoder of a result threw. */
  constructor(reader: MessageReader, onRefused: () => void) {
    this.reader = reader
    this.onRefused = onRefused
  }

  get header(): CallHeader | undefined {
    return this.reader.header
  }

  get size(): number {
    return this.reader.size
  }

  take<A>(decode: Decode<A>): A {
    try {
      return this.reader.take(decode)
    } catch (error) {
      // At once: whoever is told of the failure may want to send the next call.
      this.onRefused()
      throw error
    }
  }
}
