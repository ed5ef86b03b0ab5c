/**
 * Random schedules of streams, ends, cuts, dials and interruptions, against a model of which stream has which connection.
 */
import { assert, describe, it } from "@effect/vitest"
import { type Clock, Effect, Exit, type Fiber, Scope } from "effect"
import { connectFailed } from "../../src/internal/net/errors.ts"
import type { Platform } from "../../src/internal/net/options.ts"
import type { Dialled } from "../../src/internal/net/socket.ts"
import { makeStreamingPool } from "../../src/internal/net/ttstreamPool.ts"
import type { RawClientStream } from "../../src/RawStream.ts"
import { Cancelled, TransportError } from "../../src/TransportError.ts"
import type { ClientOptions } from "../../src/TransportOptions.ts"
import { Choices } from "../http2/arbitraries.ts"
import { encodeText, requestTo } from "../support/raw.ts"
import { FakeSocket } from "../support/socket.ts"
import { streamData, streamTrailer } from "../support/thrift.ts"

const must = (holds: boolean, otherwise: string): void => {
  if (!holds) throw new Error(otherwise)
}

const cancelled = new TransportError({ reason: new Cancelled(), code: 1, desc: "cancelled by the test" })

/** A server's side of a connection: the streams that its client has begun, and not ended. */
class Side {
  readonly socket = new FakeSocket()
  readonly live = new Set<number>()
  /** Streams that this side has ended. */
  readonly ended = new Set<number>()
  begun = 0
  mostLive = 0
  gone = false

  read(): void {
    const bytes = Buffer.from(this.socket.sent())
    for (let at = 0; at < bytes.length;) {
      const end = at + 4 + bytes.readUInt32BE(at)
      const frame = bytes.subarray(at, end)
      const key = frame.indexOf(Buffer.from([0, 27, 0, 1]))
      const streamId = frame.readInt32BE(8)
      const type = frame.toString("latin1", key + 4, key + 5)
      if (type === "2") {
        this.begun++
        this.live.add(streamId)
        this.mostLive = Math.max(this.mostLive, this.live.size)
      }
      // An Rst, or the echo of the Trailer that ended it.
      if (type === "5" || (type === "4" && this.ended.has(streamId))) this.live.delete(streamId)
      at = end
    }
  }
}

type Mode = NonNullable<ClientOptions["streamConnections"]>

interface Asked {
  readonly fiber: Fiber.Fiber<RawClientStream, TransportError>
  interrupted: boolean
}

class World {
  readonly sides: Array<Side> = []
  readonly dials: Array<(exit: Exit.Exit<Dialled, TransportError>) => void> = []
  readonly ticks: Array<() => void> = []
  readonly asked: Array<Asked> = []
  readonly open: Array<RawClientStream> = []
  readonly choices: Choices
  readonly mode: Mode
  ended = 0
  refused = 0
  private readonly scope = Scope.makeUnsafe()
  private readonly pool
  private readonly request = requestTo("ADDRESS", { transport: "ttheader-streaming" })

  constructor(seed: number, mode: Mode) {
    this.choices = new Choices([seed])
    this.mode = mode
    const platform: Platform = {
      clock: { currentTimeMillisUnsafe: () => 1000 } as Clock.Clock,
      random: { nextDoubleUnsafe: () => 0.5, nextIntUnsafe: () => 0 },
      defer: (run) => this.ticks.push(run),
      compression: undefined,
      onDefect: (cause) => {
        throw cause
      },
      log: () => {},
      arrival: Effect.void
    } as Platform
    const dial = () =>
      Effect.callback<Dialled, TransportError>((resume) => {
        const done = (exit: Exit.Exit<Dialled, TransportError>) => resume(exit)
        this.dials.push(done)
        return Effect.sync(() => void this.dials.splice(this.dials.indexOf(done), 1))
      })
    const options: ClientOptions = {
      streamConnections: mode,
      pool: { maxIdlePerAddress: 2, maxPerAddress: 5 },
      limits: { maxConcurrentStreams: 3 },
      maxConnectionsPerAddress: 4,
      connectionsPerAddress: 2
    }
    this.pool = Effect.runSync(
      Effect.provideService(
        makeStreamingPool(dial, options, platform, () => {}),
        Scope.Scope,
        this.scope
      )
    )
  }

  step(): void {
    switch (this.choices.below(14)) {
      case 0:
      case 1:
      case 2:
        return this.ask()
      case 3:
      case 4:
        return this.dialled()
      case 5:
        return this.interrupt()
      case 6:
        return this.write()
      case 7:
        return this.abort()
      case 8:
      case 9:
        return this.serve()
      case 10:
        return this.misbehave()
      case 11:
        if (this.choices.below(5) === 0) this.pool.retire("ADDRESS")
        return
      default:
        return this.tick()
    }
  }

  private pick<A>(list: ReadonlyArray<A>): A | undefined {
    return list.length === 0 ? undefined : list[this.choices.below(list.length)]!
  }

  private take<A>(list: Array<A>): A | undefined {
    return list.length === 0 ? undefined : list.splice(this.choices.below(list.length), 1)[0]
  }

  private began(stream: RawClientStream): void {
    this.open.push(stream)
    stream.listener = {
      onWritable: () => {},
      onAbort: () => {},
      onReadable: () => {
        if (stream.end === undefined) return
        // The next streams begin inside the read that ended this one.
        for (let more = this.choices.below(3); more > 0; more--) this.ask()
      }
    }
  }

  private ask(): void {
    const ready = this.pool.tryOpen(this.request)
    if (ready !== undefined) return this.began(ready)
    const asked: Asked = { fiber: Effect.runFork(this.pool.open(this.request)), interrupted: false }
    this.asked.push(asked)
    asked.fiber.addObserver((exit) => {
      this.asked.splice(this.asked.indexOf(asked), 1)
      if (Exit.isSuccess(exit)) {
        must(!asked.interrupted, "a stream for nobody")
        this.began(exit.value)
      } else this.refused++
    })
  }

  dialled(): void {
    const done = this.take(this.dials)
    if (done === undefined) return
    if (this.choices.below(6) === 0) return done(Exit.fail(connectFailed("ADDRESS", "refused")))
    const side = new Side()
    this.sides.push(side)
    done(Exit.succeed({ secure: Effect.succeed(side.socket), destroy: () => side.socket.destroy() }))
  }

  private interrupt(): void {
    const asked = this.pick(this.asked)
    if (asked === undefined) return
    asked.interrupted = true
    asked.fiber.interruptUnsafe()
  }

  private write(): void {
    const stream = this.pick(this.open)
    if (stream === undefined) return
    stream.write(["message"], 0, encodeText, this.choices.below(3) === 0)
  }

  abort(): void {
    this.pick(this.open)?.abort("cancel", cancelled)
  }

  /** A message of the server, or its end. */
  serve(): void {
    const side = this.pick(this.sides.filter(({ gone, live }) => !gone && live.size > 0))
    if (side === undefined) return
    const streamId = this.pick([...side.live])!
    const ends = this.choices.below(2) === 0
    const bytes = ends ? streamTrailer(streamId) : streamData(streamId, new Uint8Array(100))
    if (ends) {
      side.ended.add(streamId)
      side.live.delete(streamId)
    }
    const cut = this.choices.below(bytes.length)
    side.socket.events.onData(bytes.slice(0, cut))
    if (this.choices.below(8) === 0 && ends) {
      // It stops there, for good.
      side.gone = true
      return
    }
    if (cut < bytes.length) side.socket.events.onData(bytes.slice(cut))
  }

  private misbehave(): void {
    if (this.choices.below(3) > 0) return
    const side = this.pick(this.sides.filter((side) => !side.gone))
    if (side === undefined) return
    const { events } = side.socket
    side.gone = true
    switch (this.choices.below(4)) {
      case 0:
        return events.onEnd()
      case 1:
        events.onError("ECONNRESET")
        return events.onClosed()
      case 2:
        // It takes nothing any more.
        side.socket.takes = false
        return
      default:
        events.onData(new Uint8Array(30))
    }
  }

  tick(): void {
    while (this.ticks.length > 0) this.ticks.shift()!()
    for (const side of this.sides) side.read()
  }

  check(): void {
    const over = this.open.filter((stream) => stream.end !== undefined)
    this.ended += over.length
    for (const stream of over) this.open.splice(this.open.indexOf(stream), 1)
    for (const side of this.sides) {
      if (this.mode !== "multiplexed") must(side.mostLive <= 1, "a connection had two streams at once")
      if (this.mode === "short") must(side.begun <= 1, "a connection had a second stream")
      if (this.mode === "multiplexed") must(side.mostLive <= 3, "a connection had more streams than it may")
    }
    const made = this.sides.filter(({ socket }) => !socket.ended && !socket.destroyed).length + this.dials.length
    must(this.open.length <= made * 3, "streams without connections")
  }

  /** Whatever runs ends, and nobody waits. */
  settle(): void {
    for (let i = 0; i < 100; i++) {
      while (this.dials.length > 0) this.dialled()
      this.abort()
      this.tick()
      this.check()
    }
    while (this.asked.length > 0) {
      this.asked[0]!.interrupted = true
      this.asked[0]!.fiber.interruptUnsafe()
    }
    while (this.dials.length > 0) this.dialled()
    this.tick()
    const standing = this.sides.filter(({ socket }) => !socket.ended && !socket.destroyed)
    const most = { multiplexed: 4, pooled: 2, short: 0 }[this.mode]
    // One that takes nothing closes when it does, or in its time.
    must(standing.filter(({ socket }) => socket.takes).length <= most, `${standing.length} connections for nobody`)
    must(this.open.length === 0, "a stream goes on")
  }

  close(): void {
    const closing = Effect.runFork(Scope.close(this.scope, Exit.void))
    while (this.ticks.length > 0) this.ticks.shift()!()
    for (const { socket } of this.sides) {
      must(socket.destroyed || socket.ended, "a socket stays open")
      socket.events.onClosed()
    }
    must(closing.pollUnsafe() !== undefined, "a fiber goes on")
    assert.deepStrictEqual([this.asked.length, this.dials.length], [0, 0])
    assert.isUndefined(this.pool.tryOpen(this.request))
    const late = Effect.runSyncExit(Effect.flip(this.pool.open(this.request)))
    assert.isTrue(Exit.isSuccess(late) && late.value.desc.includes("the transport is closed"))
  }
}

describe("random schedules of streams", () => {
  for (const mode of ["multiplexed", "pooled", "short"] as const) {
    it(mode, () => {
      let ended = 0
      let begun = 0
      let connections = 0
      let mostLive = 0
      for (let seed = 1; seed <= 80; seed++) {
        const world = new World(seed, mode)
        try {
          for (let i = 0; i < 80; i++) {
            world.step()
            world.check()
          }
          world.settle()
          world.close()
        } catch (cause) {
          throw new Error(`seed ${seed}: ${(cause as Error).message}`, { cause })
        }
        ended += world.ended
        for (const side of world.sides) {
          begun += side.begun
          connections += side.begun > 0 ? 1 : 0
          mostLive = Math.max(mostLive, side.mostLive)
        }
      }
      assert.isAbove(ended, 400)
      assert.strictEqual(mostLive, mode === "multiplexed" ? 3 : 1)
      // Connections are used again, but for short ones.
      if (mode === "short") assert.strictEqual(begun, connections)
      else assert.isAbove(begun, connections * 1.3)
    })
  }
})
