/** A client that sends what it likes over a socket. */
import { Effect, type Scope } from "effect"
import * as net from "node:net"
import * as tls from "node:tls"
import { concat } from "../http2/raw.ts"

export class Wire {
  private readonly chunks: Array<Uint8Array> = []
  /** Bytes received. */
  length = 0
  ended = false
  closed = false
  /** What went wrong. */
  error: string | undefined = undefined
  private waiters: Array<() => void> = []
  readonly socket: net.Socket

  constructor(socket: net.Socket) {
    this.socket = socket
    socket.on("data", (chunk) => {
      this.chunks.push(chunk as Buffer)
      this.length += chunk.length
      this.wake()
    })
    socket.on("end", () => {
      this.ended = true
      this.wake()
    })
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? error.message
      this.wake()
    })
    socket.on("close", () => {
      this.closed = true
      this.wake()
    })
  }

  private wake() {
    for (const waiter of this.waiters.splice(0)) waiter()
  }

  get received(): Uint8Array {
    return concat(this.chunks)
  }

  readonly send = (bytes: Uint8Array): Effect.Effect<void> =>
    Effect.callback((resume) => {
      if (this.socket.destroyed) return resume(Effect.void)
      this.socket.write(bytes, () => resume(Effect.void))
    })

  /** Sends each byte for itself. */
  readonly trickle = (bytes: Uint8Array): Effect.Effect<void> =>
    Effect.forEach(bytes, (_, at) => Effect.andThen(this.send(bytes.slice(at, at + 1)), Effect.yieldNow), {
      discard: true
    })

  readonly until = (condition: () => boolean): Effect.Effect<void> =>
    Effect.callback((resume) => {
      const check = () => {
        if (condition()) resume(Effect.void)
        else this.waiters.push(check)
      }
      check()
    })

  readonly untilClosed: Effect.Effect<void> = this.until(() => this.closed)

  /** Waits for so many bytes in all, or for the end. */
  readonly read = (length: number): Effect.Effect<Uint8Array> =>
    Effect.map(
      this.until(() => this.length >= length || this.closed),
      () => this.received
    )
}

/** Connects, over TLS where options for it are given. The socket goes with the scope. */
export const wire = (
  port: number,
  secure?: tls.ConnectionOptions,
  host = "127.0.0.1"
): Effect.Effect<Wire, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Wire>((resume) => {
      const socket = secure === undefined ? net.connect(port, host) : tls.connect({ port, host, ...secure })
      const made = new Wire(socket)
      socket.setNoDelay(true)
      const done = () => resume(Effect.succeed(made))
      socket.once(secure === undefined ? "connect" : "secureConnect", done)
      socket.once("close", done)
    }),
    (made) => Effect.sync(() => made.socket.destroy())
  )
