/**
 * A server's connections: accepted, supervised, drained in the two steps of RFC 9113 6.8, with Kitex's PING between
 * them.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import type { RawServerStream } from "../../RawStream.ts"
import type { Listening } from "../../Transport.ts"
import type { TransportError } from "../../TransportError.ts"
import type { ServerOptions } from "../../TransportOptions.ts"
import { requestHead } from "../grpc/requestHeaders.ts"
import { ServerStream } from "../grpc/serverStream.ts"
import { Turns } from "../grpc/turns.ts"
import { ResetCode } from "../grpc/status.ts"
import type { Connection, HeaderList, Http2Stream } from "../http2/api.ts"
import { Http2Connection } from "../http2/connection.ts"
import { Driver, type DriverOptions } from "./driver.ts"
import { driverOptions, handshakeTimeout, type Platform } from "./options.ts"
import { run } from "./run.ts"
import type { Bind, Socket } from "./socket.ts"
import type { Timer } from "./watchdog.ts"

const drainPing = Uint8Array.of(1, 6, 1, 8, 0, 3, 3, 9)
const everyStream = 2 ** 31 - 1
/** Silence of a client before it is pinged, as in Kitex. */
const keepaliveMillis = 2 * 3600 * 1000
/** How long the ACK of the drain's PING may take: streams that were on their way are lost after it. */
const drainPingMillis = 1000

/** @internal */
export class ServerDriver extends Driver {
  readonly connection: Connection
  private readonly turns: Turns
  private readonly handshakeTimeout: number
  private handshakeSince: number | undefined
  private drainSince: number | undefined = undefined
  private drainDebug: string | undefined = undefined

  constructor(
    socket: Socket,
    options: DriverOptions,
    handshakeTimeout: number,
    accept: (stream: RawServerStream) => void
  ) {
    super(socket, options)
    this.turns = new Turns(options.stream.limits.maxConcurrentStreams, accept)
    this.handshakeTimeout = handshakeTimeout
    this.handshakeSince = options.now()
    this.connection = new Http2Connection(
      "server",
      {
        limits: options.stream.limits,
        sendBufferLimit: options.stream.sendBufferLimit,
        flow: options.flow,
        now: options.now()
      },
      this
    )
  }

  onStream(stream: Http2Stream, headers: HeaderList, endStream: boolean): void {
    const head = requestHead(headers)
    if (typeof head === "string") {
      this.connection.reset(stream, ResetCode.InternalError)
      this.connection.release(stream)
      return
    }
    stream.owner = new ServerStream(this, stream, headers, head, endStream, this.turns)
  }

  onSettings(): void {
    this.handshakeSince = undefined
  }

  onGoaway(): void {}

  override onPong(payload: Uint8Array): void {
    super.onPong(payload)
    if (payload.every((byte, i) => byte === drainPing[i])) this.finishDrain()
  }

  /** GOAWAY for every stream and PING; what was sent before its ACK is still served. */
  drain(debug: string): void {
    if (this.drainDebug !== undefined || this.connection.closed) return
    this.drainDebug = debug
    this.drainSince = this.now()
    this.connection.goaway(everyStream, 0, debug)
    this.connection.ping(drainPing)
    this.wake()
  }

  private finishDrain(): void {
    if (this.drainSince === undefined) return
    this.drainSince = undefined
    this.closeWhenIdle = true
    this.connection.goaway(this.connection.lastPeerStreamId, 0, this.drainDebug!)
    this.wake()
  }

  protected override onIdle(): void {
    this.drain("idleTimeout")
  }

  override timers(): Array<Timer> {
    return [
      ...super.timers(),
      {
        timeout: this.handshakeTimeout,
        since: () => this.handshakeSince,
        expire: () => {
          this.handshakeSince = undefined
          this.destroy("no HTTP/2 preface in time")
        }
      },
      {
        timeout: this.handshakeTimeout,
        since: () => (this.connection.midFrame && !this.connection.closed ? this.connection.lastReceived : undefined),
        expire: () => this.destroy("the client stopped inside a frame")
      },
      { timeout: drainPingMillis, since: () => this.drainSince, expire: () => this.finishDrain() }
    ]
  }
}

/** `listen` of the server transport. @internal */
export const makeListen = (bind: Bind, options: ServerOptions, platform: Platform) =>
  Effect.fnUntraced(function* (
    onStream: (stream: RawServerStream) => void
  ): Effect.fn.Return<Listening, TransportError, Scope.Scope> {
    const settings = driverOptions(options, platform, keepaliveMillis)
    const timeout = handshakeTimeout(options)
    const drivers = new Set<ServerDriver>()
    const fibers = yield* FiberSet.make<void>()
    const fork = yield* FiberSet.runtime(fibers)()
    let draining = false
    const bound = yield* bind((socket) => {
      const driver = new ServerDriver(socket, settings, timeout, onStream)
      drivers.add(driver)
      fork(
        Effect.ensuring(
          run(driver),
          Effect.sync(() => drivers.delete(driver))
        )
      )
      driver.start()
      if (draining) driver.drain("graceful shutdown")
    })
    const drain = Effect.suspend(() => {
      draining = true
      for (const driver of drivers) driver.drain("graceful shutdown")
      return Effect.andThen(bound.stop, FiberSet.awaitEmpty(fibers))
    })
    return { address: bound.address, drain }
  })
