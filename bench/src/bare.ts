/**
 * Empty calls by the transport alone, which costs a client least: what a server does for a call can be seen. Whether it answers or
 * refuses, the client does the same.
 */
import type { RawReply, ReplyListener } from "@millrace/transport/RawCall"
import type { Encode, RawClientStream, RawListener } from "@millrace/transport/RawStream"
import type { ClientTransport } from "@millrace/transport/Transport"
import * as Effect from "effect/Effect"
import type { Case } from "./cases.ts"
import type { Meter } from "./peer.ts"

type Transport = ClientTransport["Service"]

/** Arguments whose one member is an empty struct. */
const empty = Uint8Array.of(12, 0, 1, 0, 0)
const encodeEmpty: Encode<undefined> = (_, out) => {
  out.ensure(empty.length)
  out.buffer.set(empty, out.position)
  out.position += empty.length
}
const decodeNothing = (): undefined => undefined
const request = [undefined]

/** `code` of a status or type of an exception, 0 for an answer. */
type Ended = (code: number) => void

const stream = (transport: Transport, address: string, ended: Ended): void => {
  const opened = transport.tryOpen({ address, path: "/echo.TestService/EchoUnary", authority: "TestService" })
  if (opened === undefined) throw new Error("the connection is gone")
  opened.listener = new StreamEnd(opened, ended)
  opened.write(request, 0, encodeEmpty, true)
}

class StreamEnd implements RawListener {
  private readonly stream: RawClientStream
  private readonly ended: Ended
  constructor(stream: RawClientStream, ended: Ended) {
    this.stream = stream
    this.ended = ended
  }
  onReadable(): void {
    const { available, end } = this.stream
    if (available > 0) this.stream.take(decodeNothing, available, [])
    if (end === undefined) return
    if (end._tag !== "Status") throw new Error(`a stream ended with ${end._tag}`)
    this.ended(end.status.code)
  }
  onWritable(): void {}
  onAbort(): void {}
}

const call = (transport: Transport, address: string, encoding: NonNullable<Case["encoding"]>, ended: Ended): void => {
  const lease = transport.tryLease({ address, encoding, connection: "multiplexed" })
  if (lease === undefined) throw new Error("the connection is gone")
  const listener = new CallEnd(ended)
  lease.send({ method: "EchoPingPong", oneway: false, header, args: undefined, encode: encodeEmpty, listener })
}

const header = { ints: [], strings: [["isn", "TestService"]] } as const

class CallEnd implements ReplyListener {
  private readonly ended: Ended
  constructor(ended: Ended) {
    this.ended = ended
  }
  onReply(reply: RawReply): void {
    this.ended(reply.exception?.type ?? 0)
  }
  onSent(): void {}
  onFailed(error: Error): void {
    throw error
  }
}

/** Runs empty calls until the meter is stopped. Each is answered or, where `code` is not 0, refused with it. */
export const bare = (transport: Transport, address: string, the: Case, meter: Meter, code: number) => {
  const { encoding, inflight } = the
  const loop = Effect.callback<void, Error>((resume) => {
    let left = inflight
    const ended: Ended = (got) => {
      if (got !== code && got !== 0)
        return resume(Effect.fail(new Error(`a call ended with ${got} in place of ${code}`)))
      meter.count++
      if (!meter.stopped) start()
      else if (--left === 0) resume(Effect.void)
    }
    const start =
      encoding === undefined ? () => stream(transport, address, ended) : () => call(transport, address, encoding, ended)
    for (let i = 0; i < inflight; i++) start()
  })
  return Effect.andThen(connected(transport, address, the), loop)
}

/** A connection is there from here on. */
const connected = (transport: Transport, address: string, { encoding }: Case) =>
  encoding === undefined
    ? Effect.map(transport.open({ address, path: "/echo.TestService/Echo", authority: "TestService" }), (stream) =>
        stream.closeSend()
      )
    : Effect.map(transport.lease({ address, encoding, connection: "multiplexed" }), (lease) => lease.release())
