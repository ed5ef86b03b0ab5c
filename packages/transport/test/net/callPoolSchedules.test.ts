/**
 * Random schedules of calls, answers, cuts, interruptions and closes, against a model of what every connection owes.
 */
import { assert, describe, it } from "@effect/vitest"
import { type Clock, Effect, Exit, type Fiber, Scope } from "effect"
import { makeCallPool } from "../../src/internal/net/callPool.ts"
import { connectFailed } from "../../src/internal/net/errors.ts"
import type { Platform } from "../../src/internal/net/options.ts"
import type { Dialled } from "../../src/internal/net/socket.ts"
import type { CallLease, CallTarget, ConnectionMode, Encoding, RawClientCall } from "../../src/RawCall.ts"
import type { TransportError } from "../../src/TransportError.ts"
import type { ClientOptions } from "../../src/TransportOptions.ts"
import { Choices } from "../http2/arbitraries.ts"
import { concat } from "../http2/raw.ts"
import { answer, outgoing, parseRequests, type Request, Waiter } from "../support/calls.ts"
import { FakeSocket } from "../support/socket.ts"

/** Chai is too slow for what is checked at each step. */
const must = (holds: boolean, otherwise: string): void => {
  if (!holds) throw new Error(otherwise)
}

/** Whether its answers come in any order and say so; a proxy in front of both kinds says this and that. */
type Server = "ours" | "kitex" | "both"

/** A server's side of a connection: what it was asked and has not answered. */
class Side {
  readonly socket = new FakeSocket()
  readonly owed: Array<Request> = []
  readonly multiplexes: Server
  gone = false
  private kept: Uint8Array = new Uint8Array(0)
  constructor(multiplexes: Server) {
    this.multiplexes = multiplexes
  }
  read(): void {
    if (this.socket.written.length === 0) return
    const [requests, rest] = parseRequests(concat([this.kept, this.socket.sent()]))
    this.kept = rest
    for (const request of requests) if (request.type !== 4) this.owed.push(request)
  }
}

interface Sent {
  readonly call: RawClientCall
  readonly waiter: Waiter
  readonly body: string
  readonly lease: CallLease
  readonly oneway: boolean
  abandoned: boolean
}

interface Asked {
  readonly fiber: Fiber.Fiber<CallLease, TransportError>
  interrupted: boolean
}

class World {
  readonly sides: Array<Side> = []
  readonly dials: Array<(exit: Exit.Exit<Dialled, TransportError>) => void> = []
  readonly ticks: Array<() => void> = []
  readonly asked: Array<Asked> = []
  readonly held: Array<CallLease> = []
  readonly sent: Array<Sent> = []
  /** Leases and calls of a connection that are out. */
  readonly load = new Map<CallLease, number>()
  private readonly scope = Scope.makeUnsafe()
  private readonly pool: {
    readonly tryLease: (target: CallTarget) => CallLease | undefined
    readonly lease: (target: CallTarget) => Effect.Effect<CallLease, TransportError>
    readonly retire: (address: string) => void
  }
  readonly target: CallTarget
  readonly choices: Choices
  readonly exclusive: boolean
  private bodies = 0
  mostShared = 0

  constructor(seed: number, connection: ConnectionMode, encoding: Encoding, ours: Server, options: ClientOptions) {
    this.choices = new Choices([seed])
    this.target = { address: "ADDRESS", encoding, connection }
    this.exclusive =
      connection === "pooled" ||
      connection === "short" ||
      (connection === "auto" && (ours === "kitex" || encoding === "framed"))
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
    this.pool = Effect.runSync(Effect.provideService(makeCallPool(dial, options, platform), Scope.Scope, this.scope))
    this.ours = ours
  }
  private readonly ours: Server

  step(): void {
    switch (this.choices.below(15)) {
      case 0:
      case 1:
        return this.ask()
      case 2:
        return this.dialled()
      case 3:
        return this.interrupt()
      case 4:
      case 5:
      case 6:
        return this.send()
      case 7:
        return this.release()
      case 8:
        return this.abandon()
      case 9:
      case 10:
        return this.answer()
      case 11:
        return this.misbehave()
      case 12:
        return this.retire()
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

  private hold(lease: CallLease): void {
    const load = (this.load.get(lease) ?? 0) + 1
    this.load.set(lease, load)
    this.mostShared = Math.max(this.mostShared, load)
    if (this.exclusive) must(load === 1, "a connection was leased twice")
    this.held.push(lease)
  }

  private drop(lease: CallLease): void {
    this.load.set(lease, this.load.get(lease)! - 1)
  }

  private ask(): void {
    const ready = this.pool.tryLease(this.target)
    if (ready !== undefined) return this.hold(ready)
    const asked: Asked = { fiber: Effect.runFork(this.pool.lease(this.target)), interrupted: false }
    this.asked.push(asked)
    asked.fiber.addObserver((exit) => {
      this.asked.splice(this.asked.indexOf(asked), 1)
      if (Exit.isSuccess(exit)) {
        must(!asked.interrupted, "a lease for nobody")
        this.hold(exit.value)
      }
    })
  }

  dialled(): void {
    const done = this.take(this.dials)
    if (done === undefined) return
    if (this.choices.below(8) === 0) return done(Exit.fail(connectFailed("ADDRESS", "refused")))
    const side = new Side(this.ours)
    this.sides.push(side)
    done(Exit.succeed({ secure: Effect.succeed(side.socket), destroy: () => side.socket.destroy() }))
  }

  private interrupt(): void {
    const asked = this.pick(this.asked)
    if (asked === undefined) return
    asked.interrupted = true
    asked.fiber.interruptUnsafe()
  }

  send(): void {
    const lease = this.take(this.held)
    if (lease === undefined) return
    const body = `${++this.bodies}`
    const oneway = this.choices.below(8) === 0
    const waiter = new Waiter(() => {
      this.drop(lease)
      // The next calls begin inside the read that answered this one.
      for (let more = this.choices.below(3); more > 0; more--) this.ask()
    })
    if (this.choices.below(10) === 0) {
      const encode = () => {
        throw new Error("not encodable")
      }
      try {
        lease.send(outgoing(body, waiter, { encode }))
        // The connection had ended: nothing was encoded.
        return assert.strictEqual(waiter.error?.reason._tag, "ConnectionLost")
      } catch (cause) {
        assert.strictEqual((cause as Error).message, "not encodable")
        return this.drop(lease)
      }
    }
    const call = lease.send(outgoing(body, waiter, { oneway }))
    this.sent.push({ call, waiter, body, lease, oneway, abandoned: false })
  }

  private release(): void {
    const lease = this.take(this.held)
    if (lease === undefined) return
    this.drop(lease)
    lease.release()
  }

  private abandon(): void {
    const sent = this.pick(this.sent.filter((sent) => !sent.waiter.done && !sent.abandoned))
    if (sent === undefined) return
    sent.abandoned = true
    this.drop(sent.lease)
    sent.call.abandon()
  }

  answer(): void {
    const side = this.pick(this.sides.filter((side) => !side.gone && side.owed.length > 0))
    if (side === undefined) return
    const request = side.multiplexes === "ours" ? this.take(side.owed)! : side.owed.shift()!
    const says = side.multiplexes === "ours" || (side.multiplexes === "both" && this.choices.below(2) === 0)
    const kind = this.choices.below(12)
    const bytes = answer(request, {
      multiplexes: says && (request.flags & 1) === 1,
      ...(kind === 0 ? { type: 3, body: `no ${request.body}` } : {}),
      ...(kind === 1 ? { goodbye: true } : {}),
      ...(kind === 2 ? { method: "Other" } : {})
    })
    const cut = this.choices.below(bytes.length)
    if (this.choices.below(3) === 0 && cut > 0) {
      side.socket.events.onData(bytes.slice(0, cut))
      side.socket.events.onData(bytes.slice(cut))
    } else side.socket.events.onData(bytes)
  }

  /** Of what nobody has and nobody waits for, nothing is left. */
  private retire(): void {
    if (this.choices.below(4) > 0) return
    this.pool.retire("ADDRESS")
    const busy = this.held.length + this.asked.length + this.sent.filter(({ waiter }) => !waiter.done).length
    must(this.pool.tryLease(this.target) === undefined, "a retired connection was leased")
    if (busy > 0) return
    for (const { socket } of this.sides) must(socket.ended || socket.destroyed, "a retired connection stays open")
  }

  private misbehave(): void {
    const side = this.pick(this.sides.filter((side) => !side.gone))
    if (side === undefined) return
    const { events } = side.socket
    switch (this.choices.below(4)) {
      case 0:
        side.gone = true
        return events.onEnd()
      case 1:
        side.gone = true
        events.onError("ECONNRESET")
        return events.onClosed()
      case 2:
        side.gone = true
        side.socket.destroy()
        return
      default: {
        const nobody = { ttheader: false, framed: true, flags: 0, type: 1, method: "Echo", seq: 123456789, body: "x" }
        events.onData(answer(nobody))
      }
    }
  }

  tick(): void {
    while (this.ticks.length > 0) this.ticks.shift()!()
    for (const side of this.sides) {
      side.read()
      if (this.exclusive) must(side.owed.length <= 1, "a request went out before the answer to the last one")
    }
  }

  check(): void {
    for (const { abandoned, body, oneway, waiter } of this.sent) {
      must(waiter.calls <= (abandoned ? 0 : 1), `call ${body} ended again`)
      must(waiter.body === undefined || waiter.body === body, `call ${body} was answered with ${waiter.body}`)
      must(waiter.exception === undefined || waiter.exception === `no ${body}`, `call ${body}: ${waiter.exception}`)
      must(!waiter.sent || oneway, `call ${body} is not oneway`)
    }
  }

  /** Everything that is under way comes to its end. */
  settle(): void {
    for (let i = 0; i < 200; i++) {
      while (this.dials.length > 0) this.dialled()
      while (this.held.length > 0) this.send()
      this.tick()
      this.answer()
    }
  }

  close(): void {
    const closing = Effect.runFork(Scope.close(this.scope, Exit.void))
    while (this.ticks.length > 0) this.ticks.shift()!()
    for (const { socket } of this.sides) {
      must(socket.destroyed || socket.ended, "a socket stays open")
      socket.events.onClosed()
    }
    must(closing.pollUnsafe() !== undefined, "a fiber goes on")
    this.check()
    for (const { abandoned, body, waiter } of this.sent)
      must(abandoned || waiter.calls === 1, `call ${body} was left alone`)
    assert.strictEqual(this.asked.length, 0)
    assert.strictEqual(this.dials.length, 0)
    assert.isUndefined(this.pool.tryLease(this.target))
    const late = Effect.runSyncExit(Effect.flip(this.pool.lease(this.target)))
    assert.isTrue(Exit.isSuccess(late) && late.value.desc.includes("the transport is closed"))
  }
}

const modes: ReadonlyArray<readonly [ConnectionMode, Encoding, Server]> = [
  ["pooled", "framed", "kitex"],
  ["short", "framed", "kitex"],
  ["multiplexed", "framed", "ours"],
  ["pooled", "ttheader-framed", "ours"],
  ["multiplexed", "ttheader", "ours"],
  ["multiplexed", "ttheader-framed", "kitex"],
  ["auto", "ttheader-framed", "ours"],
  ["auto", "ttheader", "kitex"],
  ["auto", "ttheader", "both"],
  ["auto", "framed", "ours"]
]

describe("random schedules", () => {
  for (const [mode, encoding, ours] of modes)
    it(`${mode}, ${encoding}, ${ours}`, () => {
      let answered = 0
      let mostShared = 0
      for (let seed = 1; seed <= 200; seed++) {
        const options = { pool: { maxIdlePerAddress: 3, maxPerAddress: 6 }, callsPerConnection: 4 }
        const world = new World(seed, mode, encoding, ours, options)
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
        answered += world.sent.filter(({ waiter }) => waiter.body !== undefined).length
        mostShared = Math.max(mostShared, world.mostShared)
      }
      assert.isAbove(answered, 500)
      const shares = mode === "multiplexed" || (mode === "auto" && ours !== "kitex" && encoding !== "framed")
      assert.strictEqual(mostShared, shares ? 4 : 1)
    })
})
