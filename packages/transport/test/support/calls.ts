import { assert } from "@effect/vitest"
import { Effect } from "effect"
import * as net from "node:net"
import * as tls from "node:tls"
import type {
  CallLease,
  CallTarget,
  Encoding,
  OutgoingCall,
  RawClientCall,
  RawReply,
  ReplyListener
} from "../../src/RawCall.ts"
import { ClientTransport } from "../../src/Transport.ts"
import type { TransportError } from "../../src/TransportError.ts"
import { concat } from "../http2/raw.ts"
import { decodeText, encodeText } from "./raw.ts"

/** A request as a Thrift server reads it. */
export interface Request {
  readonly ttheader: boolean
  readonly framed: boolean
  readonly flags: number
  /** Keys and values of the int block, as text. */
  readonly type: number
  readonly method: string
  readonly seq: number
  readonly body: string
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const bytesOf = (string: string) => new TextEncoder().encode(string)
const u32 = (n: number) => Uint8Array.of((n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255)
const u16 = (n: number) => Uint8Array.of((n >>> 8) & 255, n & 255)

/** Cuts whole requests (Framed, TTHeader, both) off the front of what has come. */
export const parseRequests = (bytes: Uint8Array): readonly [Array<Request>, Uint8Array] => {
  const requests: Array<Request> = []
  let at = 0
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  while (bytes.length - at >= 16 && bytes.length - at >= 4 + view.getUint32(at)) {
    const end = at + 4 + view.getUint32(at)
    let message = at + 4
    let flags = 0
    const ttheader = view.getUint16(at + 4) === 0x1000
    if (ttheader) {
      flags = view.getUint16(at + 6)
      message = at + 14 + view.getUint16(at + 12) * 4
    }
    const framed = view.getUint16(message) !== 0x8001
    if (ttheader && framed) message += 4
    const size = view.getUint32(message + 4)
    requests.push({
      ttheader,
      framed: ttheader ? framed : true,
      flags,
      type: view.getUint16(message + 2),
      method: text(bytes.subarray(message + 8, message + 8 + size)),
      seq: view.getInt32(message + 8 + size),
      body: text(bytes.subarray(message + 12 + size, end))
    })
    at = end
  }
  return [requests, bytes.slice(at)]
}

export interface Answer {
  /** Default: the body of the request. */
  readonly body?: string
  readonly seq?: number
  readonly method?: string
  readonly type?: number
  /** Says that calls of a connection are handled side by side. */
  readonly multiplexes?: boolean
  readonly goodbye?: boolean
}

export const exceptionBody = (message: string, type: number): Uint8Array =>
  concat([
    Uint8Array.of(11, 0, 1),
    u32(message.length),
    bytesOf(message),
    Uint8Array.of(8, 0, 2),
    u32(type),
    Uint8Array.of(0)
  ])

/** The answer to a request, in its encoding. */
export const answer = (request: Request, options: Answer = {}): Uint8Array => {
  const method = bytesOf(options.method ?? request.method)
  const seq = u32(options.seq ?? request.seq)
  const body = options.type === 3 ? exceptionBody(options.body ?? "oops", 6) : bytesOf(options.body ?? request.body)
  const message = concat([u16(0x8001), u16(options.type ?? 2), u32(method.length), method, seq, body])
  const payload = request.framed ? concat([u32(message.length), message]) : message
  if (!request.ttheader) return payload
  const ints = options.multiplexes
    ? concat([Uint8Array.of(0x10), u16(1), u16(0x4d52), u16(1), bytesOf("1")])
    : undefined
  const strings = options.goodbye
    ? concat([Uint8Array.of(1), u16(1), u16(5), bytesOf("crrst"), u16(1), bytesOf("1")])
    : undefined
  const info = concat([Uint8Array.of(0, 0), ...(ints ? [ints] : []), ...(strings ? [strings] : [])])
  const padded = concat([info, new Uint8Array((4 - (info.length % 4)) % 4)])
  return concat([
    u32(10 + padded.length + payload.length),
    u16(0x1000),
    u16(0),
    seq,
    u16(padded.length / 4),
    padded,
    payload
  ])
}

/** The frame with which a multiplexing server asks a client to go. */
export const goodbye: Uint8Array = answer(
  { ttheader: true, framed: false, flags: 0, type: 1, method: "none", seq: 0, body: "\0" },
  { goodbye: true }
)

/** One connection as the server has it. */
export class ServerSide {
  readonly socket: net.Socket
  readonly requests: Array<Request> = []
  ended = false
  closed = false
  private kept: Array<Uint8Array> = []
  private size = 0
  private needed = 0
  constructor(socket: net.Socket, onRequest: (request: Request, side: ServerSide) => void) {
    this.socket = socket
    socket.on("error", () => {})
    socket.on("end", () => (this.ended = true))
    socket.on("close", () => (this.closed = true))
    socket.on("data", (chunk: Buffer) => {
      this.kept.push(chunk)
      this.size += chunk.length
      if (this.size < this.needed) return
      const [requests, rest] = parseRequests(concat(this.kept))
      this.kept = [rest]
      this.size = rest.length
      this.needed = rest.length < 4 ? 4 : 4 + new DataView(rest.buffer, rest.byteOffset).getUint32(0)
      for (const request of requests) {
        this.requests.push(request)
        onRequest(request, this)
      }
    })
  }
  answer(request: Request, options?: Answer): void {
    this.socket.write(answer(request, options))
  }
}

/** A Thrift server of a few lines. */
export class ThriftServer {
  readonly sides: Array<ServerSide> = []
  readonly address: string
  readonly server: net.Server
  constructor(server: net.Server) {
    this.server = server
    this.address = `127.0.0.1:${(server.address() as net.AddressInfo).port}`
  }
  get dials() {
    return this.sides.length
  }
  get open() {
    return this.sides.filter((side) => !side.closed).length
  }
  get requests() {
    return this.sides.flatMap((side) => side.requests)
  }
}

export const thriftServer = (
  onRequest: (request: Request, side: ServerSide) => void,
  options?: { readonly tls?: tls.TlsOptions; readonly onConnection?: (side: ServerSide) => void }
) =>
  Effect.acquireRelease(
    Effect.callback<ThriftServer>((resume) => {
      const accept = (socket: net.Socket) => {
        const side = new ServerSide(socket, onRequest)
        made.sides.push(side)
        options?.onConnection?.(side)
      }
      const server =
        options?.tls === undefined ? net.createServer({ noDelay: true }, accept) : tls.createServer(options.tls, accept)
      let made: ThriftServer
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed((made = new ThriftServer(server)))))
    }),
    ({ server, sides }) =>
      Effect.sync(() => {
        for (const { socket } of sides) socket.destroy()
        server.close()
      })
  )

export const echo = (request: Request, side: ServerSide) => side.answer(request)

// --- client

const header = { ints: [], strings: [] }

/** What became of a call. */
export class Waiter implements ReplyListener {
  body: string | undefined = undefined
  exception: string | undefined = undefined
  sent = false
  error: TransportError | undefined = undefined
  calls = 0
  private readonly onEnd: ((waiter: Waiter) => void) | undefined
  constructor(onEnd?: (waiter: Waiter) => void) {
    this.onEnd = onEnd
  }
  get done() {
    return this.calls > 0
  }
  onReply(reply: RawReply) {
    this.calls++
    if (reply.exception !== undefined) this.exception = reply.exception.message
    else this.body = reply.take(decodeText)
    this.onEnd?.(this)
  }
  onSent() {
    this.calls++
    this.sent = true
    this.onEnd?.(this)
  }
  onFailed(error: TransportError) {
    this.calls++
    this.error = error
    this.onEnd?.(this)
  }
}

export const outgoing = (
  body: string,
  listener: ReplyListener,
  more: Partial<OutgoingCall<string>> = {}
): OutgoingCall<string> => ({
  method: "Echo",
  oneway: false,
  header,
  args: body,
  encode: encodeText,
  listener,
  ...more
})

/** Sends on a lease and waits. */
export const sendOn = (lease: CallLease, body: string, more: Partial<OutgoingCall<string>> = {}) =>
  Effect.callback<string, TransportError>((resume) => {
    let sent: RawClientCall | undefined = undefined
    const listener = new Waiter(({ body, error, exception }) =>
      resume(error === undefined ? Effect.succeed(body ?? exception ?? "sent") : Effect.fail(error))
    )
    sent = lease.send(outgoing(body, listener, more))
    return Effect.sync(() => sent.abandon())
  })

export const target = (address: string, more: Partial<CallTarget> = {}): CallTarget => ({
  address,
  encoding: "framed" satisfies Encoding,
  connection: "pooled",
  ...more
})

/** A call as the layer above makes it. */
export const call = (to: CallTarget, body: string, more: Partial<OutgoingCall<string>> = {}) =>
  Effect.flatMap(ClientTransport, (client) => {
    const ready = client.tryLease(to)
    return ready !== undefined
      ? sendOn(ready, body, more)
      : Effect.flatMap(client.lease(to), (lease) => sendOn(lease, body, more))
  })

/** Real sockets take their time. */
export const until = (condition: () => boolean) =>
  Effect.gen(function* () {
    while (!condition()) yield* Effect.sleep(1)
  })

export const calls = (to: CallTarget, count: number, concurrency: number | "unbounded" = "unbounded") => {
  const bodies = Array.from({ length: count }, (_, i) => `${i}`)
  return Effect.map(
    Effect.forEach(bodies, (body) => call(to, body), { concurrency }),
    (answers) => assert.deepStrictEqual(answers, bodies)
  )
}

/** A server that answers once so many requests are there, all of them. */
export const together = (count: number, more: Answer = {}) => {
  const waiting: Array<readonly [Request, ServerSide]> = []
  return (request: Request, side: ServerSide) => {
    waiting.push([request, side])
    if (waiting.length < count) return
    for (const [request, side] of waiting.splice(0)) side.answer(request, more)
  }
}

/** How many requests each of its connections had. */
export const requestsOf = (server: ThriftServer) => server.sides.map(({ requests }) => requests.length)

export const lease = (to: CallTarget) => Effect.flatMap(ClientTransport, (transport) => transport.lease(to))
