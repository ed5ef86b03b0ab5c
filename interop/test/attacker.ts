/** Peers that break the rules, from both sides, byte by byte. */
import { Effect, type Scope } from "effect"
import * as net from "node:net"
import {
  block,
  concat,
  data,
  decodeHeaders,
  describe,
  type Entry,
  frame,
  parse,
  ping,
  settings,
  settingsAck,
  text,
  uint32
} from "../../packages/transport/test/http2/raw.ts"

export const preface = text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

/** An integer of HPACK with a prefix of 7 bits. */
const length7 = (value: number): Uint8Array => {
  if (value < 127) return Uint8Array.of(value)
  const bytes = [127]
  let rest = value - 127
  for (; rest >= 128; rest >>>= 7) bytes.push((rest & 127) | 128)
  return Uint8Array.of(...bytes, rest)
}

const field = (first: number, name: string, value: string) =>
  concat([Uint8Array.of(first), length7(name.length), text(name), length7(value.length), text(value)])

/** A field that is not put into the table. */
export const literal = (name: string, value: string): Uint8Array => field(0, name, value)
/** A field that is put into the table, where its index is 62 until the next one comes. */
export const indexed = (name: string, value: string): Uint8Array => field(0x40, name, value)

/** The block of a request for a method of `Soak`. */
export const request = (method: string, ...more: ReadonlyArray<Uint8Array>): Uint8Array =>
  concat([
    literal(":method", "POST"),
    literal(":scheme", "http"),
    literal(":path", `/soak.Soak/${method}`),
    literal(":authority", "Soak"),
    literal("content-type", "application/grpc+thrift"),
    literal("te", "trailers"),
    ...more
  ])

/** The prefix of a message and the message. */
export const prefixed = (payload: Uint8Array, flag = 0): Uint8Array =>
  concat([Uint8Array.of(flag), uint32(payload.length), payload])

/** `interop.Request` with a word and a number. */
export const word = (message: string, count: number): Uint8Array =>
  prefixed(
    concat([
      Uint8Array.of(11, 0, 1),
      uint32(message.length),
      text(message),
      Uint8Array.of(8, 0, 2),
      uint32(count),
      Uint8Array.of(0)
    ])
  )

/** HEADERS and the one message of a call of `Produce`. */
export const produce = (id: number, message: string, count: number, endStream = false): Uint8Array =>
  concat([block(id, request("Produce")), data(id, word(message, count), endStream)])

/** Keeps this much of what came. */
const kept = 4 * 1024 * 1024

/** A connection of ours to a server, whatever is sent on it. */
export class Attacker {
  readonly socket: net.Socket
  closed = false
  private readonly chunks: Array<Uint8Array> = []
  private size = 0

  constructor(socket: net.Socket) {
    this.socket = socket
    socket.on("error", () => {})
    socket.on("close", () => {
      this.closed = true
    })
    socket.on("data", (chunk) => {
      if (this.size < kept) this.chunks.push(chunk)
      this.size += chunk.length
    })
  }

  /** The bytes that came, as far as they are whole frames. */
  private get whole(): Uint8Array {
    const bytes = concat(this.chunks)
    let at = 0
    while (at + 9 <= bytes.length) {
      const next = at + 9 + ((bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!)
      if (next > bytes.length) break
      at = next
    }
    return bytes.subarray(0, at)
  }

  /** The frames that came, as short texts. */
  get frames(): Array<string> {
    return describe(parse(this.whole))
  }

  /** The error code of the server's GOAWAY. */
  get goaway(): number | undefined {
    const last = this.frames.findLast((one) => one.startsWith("Goaway"))
    return last === undefined ? undefined : Number(last.split(" ").at(-1))
  }

  /** A field of the last header block that came. */
  field(name: string): string | undefined {
    const list = decodeHeaders(parse(this.whole)).at(-1) ?? []
    const at = list.indexOf(name)
    return at < 0 ? undefined : list[at + 1]
  }

  /** Waits until the kernel has taken it, the connection is closed or nothing moves for a while; false in the last two cases. */
  send(...bytes: ReadonlyArray<Uint8Array>): Effect.Effect<boolean> {
    return Effect.callback<boolean>((resume) => {
      const { socket } = this
      if (this.closed || socket.write(concat(bytes))) return resume(Effect.succeed(!this.closed))
      const done = (moved: boolean) => {
        clearTimeout(timer)
        socket.off("drain", drained)
        socket.off("close", gone)
        resume(Effect.succeed(moved))
      }
      const drained = () => done(true)
      const gone = () => done(false)
      const timer = setTimeout(gone, 500)
      socket.once("drain", drained)
      socket.once("close", gone)
    })
  }

  /** A PING and its answer: what was sent before has been seen by the server. False when the connection closes first. */
  readonly roundTrip: Effect.Effect<boolean> = Effect.suspend(() => {
    const answers = () => this.frames.filter((one) => one === "Ping(0) ack").length
    const before = answers()
    return Effect.andThen(
      this.send(ping()),
      this.until(() => answers() > before, 5000)
    )
  })

  /** True when it became so while the connection was open. */
  until(right: () => boolean, millis: number): Effect.Effect<boolean> {
    const from = performance.now()
    const again: Effect.Effect<boolean> = Effect.suspend(() => {
      if (right()) return Effect.succeed(true)
      if (this.closed || performance.now() - from > millis) return Effect.succeed(false)
      return Effect.delay(again, 2)
    })
    return again
  }

  /** Waits for the end of the connection. */
  isClosed(millis: number): Effect.Effect<boolean> {
    return Effect.map(
      this.until(() => false, millis),
      () => this.closed
    )
  }
}

/** A connection on which nothing was said. */
export const silent = (address: string): Effect.Effect<Attacker, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Attacker>((resume) => {
      const [host, port] = address.split(":") as [string, string]
      const socket = net.connect({ host, port: Number(port), noDelay: true })
      const attacker = new Attacker(socket)
      socket.once("connect", () => resume(Effect.succeed(attacker)))
      socket.once("error", (error) => resume(Effect.die(error)))
    }),
    ({ socket }) => Effect.sync(() => socket.destroy())
  )

/** A connection that began as it should, with these SETTINGS. */
export const attacker = (
  address: string,
  ...entries: ReadonlyArray<Entry>
): Effect.Effect<Attacker, never, Scope.Scope> =>
  Effect.tap(silent(address), (it) => it.send(preface, settings(...entries), settingsAck))

/** A server that does what `serve` does with every connection. */
export const fakeServer = (serve: (socket: net.Socket) => void): Effect.Effect<string, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly server: net.Server; readonly sockets: Set<net.Socket> }>((resume) => {
        const sockets = new Set<net.Socket>()
        const server = net.createServer((socket) => {
          sockets.add(socket)
          socket.on("error", () => {})
          socket.once("close", () => sockets.delete(socket))
          serve(socket)
          socket.resume()
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed({ server, sockets })))
      }),
      ({ server, sockets }) =>
        Effect.sync(() => {
          for (const socket of sockets) socket.destroy()
          server.close()
        })
    ),
    ({ server }) => `127.0.0.1:${(server.address() as net.AddressInfo).port}`
  )

const HEADERS = 1

/** Calls `answer` with the id of each request that comes. */
export const onRequest = (socket: net.Socket, answer: (id: number) => void): void => {
  let bytes = new Uint8Array(0)
  let begun = false
  socket.on("data", (chunk) => {
    bytes = concat([bytes, chunk]) as Uint8Array<ArrayBuffer>
    if (!begun) {
      if (bytes.length < preface.length) return
      begun = true
      bytes = bytes.subarray(preface.length)
    }
    while (bytes.length >= 9) {
      const end = 9 + ((bytes[0]! << 16) | (bytes[1]! << 8) | bytes[2]!)
      if (bytes.length < end) return
      if (bytes[3] === HEADERS) answer((bytes[5]! << 24) | (bytes[6]! << 16) | (bytes[7]! << 8) | bytes[8]!)
      bytes = bytes.subarray(end)
    }
  })
}

/** Serves as it should up to the first request, and then sends these bytes. */
export const answering =
  (answer: (id: number) => ReadonlyArray<Uint8Array>) =>
  (socket: net.Socket): void => {
    socket.write(concat([settings(), settingsAck]))
    onRequest(socket, (id) => socket.write(concat(answer(id))))
  }

/** Junk of a type that nobody knows. */
export const unknownFrame = frame(0xfa, 0, 0, new Uint8Array(4))
