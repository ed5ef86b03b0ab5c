/**
 * The server's end of a connection: it takes streams.
 *
 * @internal
 */
import type { MetadataEntries } from "../../Metadata.ts"
import type { CallHeader } from "../../RawCall.ts"
import type { RawStatus } from "../../RawStream.ts"
import type { ConnectionEnd } from "../engine.ts"
import { Bucket } from "../http2/limits.ts"
import { IntKey } from "../ttheader/keys.ts"
import { Turns } from "../turns.ts"
import type * as Api from "./api.ts"
import { Connection } from "./connection.ts"
import { endingInPlaceOf, endingOf, type Sendable } from "./ending.ts"
import { Credit, parseCredit, windowFor } from "./credit.ts"
import { serverLost, tooManyStreams, violation } from "./errors.ts"
import { frameInfo, FrameType } from "./frames.ts"
import { ServerRequest } from "./serverRequest.ts"
import { ServerStream, type ServerStreamOwner } from "./serverStream.ts"
import { drainFields, refusedByDrain } from "./status.ts"

const noEntries: MetadataEntries = []

/** Bytes of a stream that its client may send ahead at least, however many streams there may be. */
const leastWindow = 16 * 1024

/** @internal */
export class ServerConnection
  extends Connection<ServerStream>
  implements Api.StreamingServerConnection, ServerStreamOwner
{
  draining = false
  readonly turns: Turns
  protected readonly carrier: Api.ServerCarrier
  private readonly resets: Bucket
  private readonly tooMany: RawStatus
  /** What we take of a stream whose client asks for credit: all together fill no more than the connection may hold. */
  private readonly window: number
  private refusing = false

  constructor(carrier: Api.ServerCarrier, options: Api.StreamingOptions) {
    super(options, carrier.now())
    this.carrier = carrier
    this.turns = new Turns(options.maxConcurrentStreams, (stream) => carrier.accept(stream))
    this.resets = new Bucket(options.resetBudget)
    const { connectionBufferLimit, maxConcurrentStreams, streamBufferLimit, streamBufferMessages } = options
    const share = Math.max(leastWindow, Math.floor(connectionBufferLimit / maxConcurrentStreams))
    this.tooMany = Object.freeze(tooManyStreams(maxConcurrentStreams))
    this.window = Math.min(share, windowFor(streamBufferLimit, streamBufferMessages))
  }

  protected get side(): "server" {
    return "server"
  }

  protected override onNewHeader(streamId: number, header: CallHeader): void {
    const request = new ServerRequest(header)
    if (this.refusing) {
      const name = request.nameToSend
      const { exception, fields } = refusedByDrain
      return this.sendEnding(streamId, name, { info: frameInfo(FrameType.Trailer, name, fields), exception })
    }
    if (this.streams.size >= this.options.maxConcurrentStreams) {
      return this.refuse(streamId, request, this.tooMany, false)
    }
    const verdict = this.carrier.admit(request, request.metadata, this.peer)
    if (verdict !== undefined && "code" in verdict) return this.refuse(streamId, request, verdict, true)
    const stream = new ServerStream(this, streamId, request, verdict, this.lastReceived)
    this.streams.set(streamId, stream)
    const credit = parseCredit(header.ints.get(IntKey.Credit))
    if (credit === undefined) return
    stream.credit = new Credit(this.window, credit, false)
    this.sendCredit(stream, this.window)
  }

  /** `begins`: with a Header in front, as a server that begins a stream and ends it. */
  private refuse(streamId: number, { nameToSend: name }: ServerRequest, status: RawStatus, begins: boolean): void {
    const wanted = endingOf(name, status, noEntries, false, this.options)
    const ending =
      wanted.refused === undefined ? wanted : endingInPlaceOf(name, status, wanted.refused, false, this.options)
    if (begins) this.send(streamId, frameInfo(FrameType.Header, name))
    this.sendEnding(streamId, name, ending)
  }

  sendEnding(streamId: number, name: string, { exception, info }: Sendable): void {
    if (exception === undefined) this.send(streamId, info)
    else this.sendException(streamId, info, name, exception)
    this.wake()
  }

  onUnanswered(stream: ServerStream): void {
    if (stream.headersSent || this.closed || this.resets.take(this.lastReceived)) return
    this.end(violation("streams are reset before anything was answered, over and over", "resetBudget"))
  }

  drain(): void {
    if (this.draining || this.closed) return
    this.draining = true
    // Kitex reads past frames of streams that it does not know.
    this.send(0, frameInfo(FrameType.Meta, "", drainFields))
    this.wake()
  }

  refuseStreams(): void {
    this.refusing = true
  }

  protected loseAll(cause: ConnectionEnd): void {
    if (this.streams.size === 0) return
    const error = serverLost(this.peer.address, cause, this.options)
    for (const stream of this.streams.values()) stream.onLost(error)
  }
}
