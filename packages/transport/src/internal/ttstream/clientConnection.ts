/**
 * The client's end of a connection: it opens streams.
 *
 * @internal
 */
import type { CallHeader } from "../../RawCall.ts"
import type { RawClientStream } from "../../RawStream.ts"
import type { OpenRequest } from "../../Transport.ts"
import type { TransportError } from "../../TransportError.ts"
import type { ConnectionEnd } from "../engine.ts"
import type * as Api from "./api.ts"
import { ClientStream } from "./clientStream.ts"
import { Connection } from "./connection.ts"
import { Credit, windowFor } from "./credit.ts"
import { clientLost, clientNeverSent } from "./errors.ts"
import { FrameType } from "./frames.ts"
import { requestInfo } from "./requestHeader.ts"
import { nextStreamId } from "./streamIds.ts"
import { saysDraining } from "./status.ts"
import type { Stream } from "./stream.ts"

const noHeader = { service: "", method: "", caller: "", fields: { ints: [], strings: [] } }

/** @internal */
export class ClientConnection extends Connection<ClientStream> implements Api.StreamingClientConnection {
  usable = true
  protected readonly carrier: Api.ClientCarrier
  private ending: ConnectionEnd = { _tag: "Local", detail: "the server drains" }
  /** What we take of each stream; undefined without credit. */
  private readonly window: number | undefined
  awaitsCredit: boolean
  /** What the server takes of a stream to begin with; undefined until it has said so. */
  private firstCredit: number | undefined = undefined

  constructor(carrier: Api.ClientCarrier, options: Api.StreamingOptions) {
    super(options, carrier.now())
    this.carrier = carrier
    const { credit, streamBufferLimit, streamBufferMessages } = options
    this.window = credit ? windowFor(streamBufferLimit, streamBufferMessages) : undefined
    this.awaitsCredit = credit
  }

  protected get side(): "client" {
    return "client"
  }

  open(request: OpenRequest): RawClientStream | TransportError {
    if (!this.usable) return clientNeverSent(this.peer.address, this.ending)
    const header = request.header ?? noHeader
    const { info, refused } = requestInfo(request, header, this.window, this.options)
    if (refused !== undefined) return refused
    let streamId = nextStreamId()
    while (this.streams.has(streamId)) streamId = nextStreamId()
    const stream = new ClientStream(this, streamId, header.method, header.caller)
    if (this.window !== undefined) {
      // As much as this end would take, until it is known: the kernel has room for more than any server should hold.
      const first = this.firstCredit ?? (this.awaitsCredit ? this.window : Infinity)
      stream.credit = new Credit(this.window, first, true)
    }
    this.streams.set(streamId, stream)
    this.send(streamId, info)
    this.wake()
    return stream
  }

  override onFrame(
    type: number,
    streamId: number,
    header: CallHeader,
    bytes: Uint8Array,
    start: number,
    end: number
  ): void {
    const ownWord = type === FrameType.Trailer || (type === FrameType.Meta && streamId === 0)
    if (ownWord && saysDraining(header) && this.usable) {
      this.usable = false
      this.carrier.onDraining()
    }
    super.onFrame(type, streamId, header, bytes, start, end)
  }

  protected override onCredit(streamId: number, amount: number): void {
    this.firstCredit ??= amount
    this.awaitsCredit = false
    super.onCredit(streamId, amount)
  }

  goWithoutCredit(): void {
    if (!this.awaitsCredit) return
    this.awaitsCredit = false
    for (const stream of this.streams.values()) stream.onNoCredit()
  }

  override onOver(stream: Stream): void {
    super.onOver(stream)
    this.carrier.onStreamEnded()
  }

  override end(cause: ConnectionEnd): void {
    if (!this.closed) super.end(this.carrier.explain(cause))
  }

  protected loseAll(cause: ConnectionEnd): void {
    this.usable = false
    this.ending = cause
    if (this.streams.size === 0) return
    const { address } = this.peer
    const { taken } = this.outbox
    // Nothing is written any more then, and what was not sent may be sent again elsewhere.
    const gone = cause._tag === "PeerClosed" || cause._tag === "Lost"
    if (gone) this.outbox.discard()
    const lost = clientLost(address, cause, this.options)
    for (const stream of this.streams.values()) {
      stream.onLost(gone && stream.startsAt >= taken ? clientNeverSent(address, cause) : lost)
    }
  }
}
