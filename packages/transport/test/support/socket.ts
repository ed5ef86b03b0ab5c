import { type Clock, Effect } from "effect"
import type { Http2Options } from "../../src/internal/net/http2Driver.ts"
import { http2Options, type Platform } from "../../src/internal/net/options.ts"
import type { Protocol, Socket, SocketEvents } from "../../src/internal/net/socket.ts"
import { gzip } from "../../src/node/gzip.ts"
import type { ConnectionOptions } from "../../src/TransportOptions.ts"
import { concat } from "../http2/raw.ts"

/** A socket whose peer is the test. */
export class FakeSocket implements Socket {
  readonly peer = { address: "ADDRESS" }
  secure = false
  protocol: Protocol = undefined
  events!: SocketEvents
  written: Array<Uint8Array> = []
  /** What `write` answers: false is a kernel whose buffers are full. */
  takes = true
  paused = false
  ended = false
  destroyed = false
  get alive() {
    return !this.ended && !this.destroyed
  }
  start(events: SocketEvents) {
    this.events = events
  }
  write(chunks: Array<Uint8Array>) {
    for (const chunk of chunks) this.written.push(new Uint8Array(chunk))
    return this.takes
  }
  pause() {
    this.paused = true
  }
  resume() {
    this.paused = false
  }
  end() {
    this.ended = true
  }
  destroy() {
    this.destroyed = true
  }
  /** Everything written since the last call. */
  sent(): Uint8Array {
    const bytes = concat(this.written)
    this.written = []
    return bytes
  }
}

/** Options of a driver whose clock and ticks the test moves. */
export class Ticks {
  time = 1000
  private queue: Array<() => void> = []
  readonly defects: Array<unknown> = []
  readonly logged: Array<string> = []
  run() {
    while (this.queue.length > 0) this.queue.shift()!()
  }
  get waiting() {
    return this.queue.length
  }
  readonly platform: Platform = {
    random: { nextDoubleUnsafe: () => 0.5, nextIntUnsafe: () => 0 },
    clock: { currentTimeMillisUnsafe: () => this.time } as Clock.Clock,
    defer: (run: () => void) => this.queue.push(run),
    compression: gzip,
    onDefect: (cause: unknown) => this.defects.push(cause),
    log: (message: string) => this.logged.push(message),
    arrival: Effect.void
  }
  options(options: ConnectionOptions = {}): Http2Options {
    return http2Options(options, this.platform, Infinity)
  }
}
