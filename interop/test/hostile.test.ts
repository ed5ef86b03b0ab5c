/**
 * Clients that break the rules against our server with its default limits, over sockets, named after the attack where it has a name. Beside
 * each of them an honest client has a stream on a connection of its own, which must not notice.
 */
import { assert, describe, it as alone, layer } from "@effect/vitest"
import { Context, Effect, Layer, type Scope } from "effect"
import type { NodeTransport } from "@millrace/transport/node"
import type { Socket } from "node:net"
import { connect } from "node:tls"
import { gzipSync } from "node:zlib"
import {
  block,
  concat,
  continuation,
  data,
  frame,
  goaway,
  ping,
  priority,
  rst,
  settings,
  text,
  windowUpdate
} from "../../packages/transport/test/http2/raw.ts"
import { certificate } from "../../packages/transport/test/support/certificate.ts"
import { Request } from "../src/api.ts"
import {
  type Attacker,
  attacker,
  indexed,
  literal,
  preface,
  prefixed,
  produce,
  request,
  silent,
  unknownFrame,
  word
} from "./attacker.ts"
import { type SoakServer, soakClient, soakServer, until, witness } from "./soaking.ts"

const KiB = 1024
const MiB = 1024 * KiB

/** `limits.maxConcurrentStreams`, and the stream of the honest client. */
const mostHandlers = 256 + 1
/** `limits.resetBudget`. */
const budget = { burst: 200, perSecond: 100 }

const handshakeTimeout = 600
const stalledWriteTimeout = 1000
const sendTimeout = 1500

const fresh = soakServer({ transport: { handshakeTimeout, stalledWriteTimeout }, server: { sendTimeout } })

class Victim extends Context.Service<Victim, SoakServer>()("interop/Victim") {
  static readonly layer = Layer.effect(Victim, fresh)
}

/** A connection with TLS on which nothing is said. */
const secured = (address: string, ca: string, protocols: Array<string>) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly socket: Socket }>((resume) => {
      const [host, port] = address.split(":") as [string, string]
      const socket = connect({ host, port: Number(port), ca, ALPNProtocols: protocols })
      socket.resume()
      const done = () => resume(Effect.succeed({ socket }))
      socket.once("secureConnect", done)
      socket.once("error", done)
    }),
    ({ socket }) => Effect.sync(() => socket.destroy())
  )

/** Odd numbers from 1. */
const ids = (count: number): Array<number> => Array.from({ length: count }, (_, i) => 2 * i + 1)

/** The attack beside an honest stream: that one goes on, and in the end the server has what it had before, and no more. */
const attackOn = (
  victim: SoakServer,
  run: (held: number) => Effect.Effect<void, never, Scope.Scope>,
  honest: NodeTransport.ClientOptions = {}
) =>
  Effect.gen(function* () {
    const before = yield* victim.usage
    yield* Effect.scoped(
      Effect.gen(function* () {
        const long = yield* witness(yield* soakClient(victim.address, {}, honest))
        const { held } = yield* victim.usage
        yield* Effect.scoped(run(held))
        const after = yield* until(
          victim.usage,
          (now) => now.handlers.active === 1 && now.sockets === 1 && now.held - held < 4 * MiB,
          5000
        )
        assert.strictEqual(after.handlers.active, 1, "handlers after the attack")
        assert.isAtMost(after.handlers.most, mostHandlers, "handlers at one time")
        assert.isBelow(after.held - held, 4 * MiB, "memory after the attack")
        const { seen } = long
        yield* Effect.sleep(100)
        assert.isAbove(long.seen, seen, "the honest stream goes on")
        assert.isBelow(long.longest, 3000, "its longest gap, in milliseconds")
      })
    )
    const after = yield* until(victim.usage, (now) => now.sockets === before.sockets, 5000)
    assert.strictEqual(after.sockets, before.sockets, "sockets")
    assert.isAtMost(after.descriptors, before.descriptors + 1, "descriptors")
    assert.deepStrictEqual(after.troubles, [])
  })

type Attack = (victim: SoakServer, held: number) => Effect.Effect<void, never, Scope.Scope>

const attack = (run: Attack) => Effect.flatMap(Victim, (victim) => attackOn(victim, (held) => run(victim, held)))

/** The same on a server that was never attacked: the most memory that a process ever had only rises. */
const firstAttack = (run: Attack) => Effect.flatMap(fresh, (victim) => attackOn(victim, (held) => run(victim, held)))

/** How many handlers were started by it, and what the budget allowed in that time. */
const startedBy = (victim: SoakServer, run: Effect.Effect<void>) =>
  Effect.gen(function* () {
    const { handlers } = yield* victim.usage
    const from = performance.now()
    yield* run
    const allowed = budget.burst + (budget.perSecond * (performance.now() - from)) / 1000
    const started = (yield* victim.usage).handlers.started - handlers.started
    return { started, allowed }
  })

/** Sends as long as the server listens. */
const pour = (it: Attacker, pieces: Iterable<Uint8Array>): Effect.Effect<void> =>
  Effect.gen(function* () {
    let batch: Array<Uint8Array> = []
    let size = 0
    for (const piece of pieces) {
      batch.push(piece)
      size += piece.length
      if (size < 64 * KiB) continue
      if (!(yield* it.send(...batch))) return
      batch = []
      size = 0
    }
    yield* it.send(...batch)
  })

/** Batches of streams: opened, seen by the server, then ended in some way; as long as the server listens. */
const inTwoSteps = (
  it: Attacker,
  streams: number,
  open: (id: number) => Uint8Array,
  end: (id: number) => Uint8Array
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const all = ids(streams)
    for (let i = 0; i < all.length; i += 50) {
      const batch = all.slice(i, i + 50)
      yield* it.send(...batch.map(open))
      if (!(yield* it.roundTrip)) return
      yield* it.send(...batch.map(end))
    }
    yield* it.roundTrip
  })

const assertTold = (it: Attacker, code: number) =>
  Effect.gen(function* () {
    assert.isTrue(yield* it.isClosed(5000), "the connection is closed")
    assert.strictEqual(it.goaway, code)
  })

const calm = 11

describe("hostile clients", () => {
  layer(Victim.layer, { excludeTestServices: true })((it) => {
    describe("resets", () => {
      it.effect("CVE-2023-44487 rapid reset, in one write: no handler runs", () =>
        attack((victim) =>
          Effect.gen(function* () {
            const peer = yield* attacker(victim.address)
            const { started } = yield* startedBy(
              victim,
              pour(
                peer,
                ids(20_000).map((id) => concat([produce(id, "ticks", 5), rst(id, 8)]))
              )
            )
            yield* assertTold(peer, calm)
            assert.strictEqual(started, 0)
          })
        )
      )

      it.effect("CVE-2023-44487 rapid reset, after the handler began: as many handlers as the budget allows", () =>
        attack((victim) =>
          Effect.gen(function* () {
            const peer = yield* attacker(victim.address)
            const { allowed, started } = yield* startedBy(
              victim,
              inTwoSteps(
                peer,
                20_000,
                (id) => block(id, request("Park")),
                (id) => rst(id, 8)
              )
            )
            yield* assertTold(peer, calm)
            assert.isAbove(started, 0)
            assert.isAtMost(started, allowed + 50)
          })
        )
      )

      it.effect("CVE-2023-44487 with handlers that do not stop: never more than maxConcurrentStreams", () =>
        attack((victim) =>
          Effect.gen(function* () {
            const peer = yield* attacker(victim.address)
            // The first message was sent when they are reset, which costs no budget.
            yield* inTwoSteps(
              peer,
              1000,
              (id) => produce(id, "stubborn", 1000),
              (id) => rst(id, 8)
            )
            const { handlers } = yield* victim.usage
            assert.isAbove(handlers.most, 100)
            assert.isAtMost(handlers.most, mostHandlers)
          })
        )
      )

      it.effect("CVE-2019-9514 reset flood by bad requests", () =>
        attack((victim) =>
          Effect.gen(function* () {
            const peer = yield* attacker(victim.address)
            const bad = request("Park", literal("UPPER", "case"))
            const { started } = yield* startedBy(
              victim,
              pour(
                peer,
                ids(5000).map((id) => block(id, bad))
              )
            )
            yield* assertTold(peer, calm)
            assert.strictEqual(started, 0)
          })
        )
      )

      const message = word("stubborn", 500)
      const primitives: ReadonlyArray<readonly [string, boolean, (id: number) => Uint8Array]> = [
        ["WINDOW_UPDATE of 0", false, (id) => windowUpdate(id, 0)],
        ["WINDOW_UPDATE that overflows", false, (id) => windowUpdate(id, 2 ** 31 - 1)],
        ["PRIORITY of a wrong length", false, (id) => frame(2, 0, id, new Uint8Array(4))],
        ["PRIORITY on itself", false, (id) => priority(id, id)],
        ["HEADERS on a half-closed stream", true, (id) => block(id, request("Produce"))],
        ["DATA on a half-closed stream", true, (id) => data(id, message)]
      ]
      for (const [what, endStream, provoke] of primitives) {
        it.effect(`CVE-2025-8671 MadeYouReset by ${what}`, () =>
          attack((victim) =>
            Effect.gen(function* () {
              const peer = yield* attacker(victim.address)
              const { allowed, started } = yield* startedBy(
                victim,
                inTwoSteps(
                  peer,
                  2000,
                  (id) => concat([block(id, request("Produce")), data(id, message, endStream)]),
                  provoke
                )
              )
              yield* assertTold(peer, calm)
              assert.isAbove(started, 0)
              assert.isAtMost(started, allowed + 50)
            })
          )
        )
      }
    })

    describe("floods", () => {
      const repeat = (count: number, piece: Uint8Array) => Array.from({ length: count }, () => piece)
      const unfinished = block(1, request("Park"), false, false)
      const floods: ReadonlyArray<readonly [string, () => ReadonlyArray<Uint8Array>]> = [
        ["CVE-2019-9512 ping flood", () => repeat(100_000, ping())],
        ["CVE-2019-9515 SETTINGS flood", () => repeat(20_000, settings([4, 65_535]))],
        [
          "CVE-2019-9515 SETTINGS of 2,000 entries",
          () => [settings(...repeat(2000, text("")).map(() => [4, 1] as const))]
        ],
        ["CVE-2019-9518 empty DATA", () => [block(1, request("Park")), ...repeat(20_000, data(1, new Uint8Array(0)))]],
        [
          "CVE-2024-27316 CONTINUATION flood",
          () => [unfinished, ...repeat(1000, continuation(1, literal("x", "y".repeat(10_000)), false))]
        ],
        [
          "CVE-2024-27316 CONTINUATION flood, empty",
          () => [unfinished, ...repeat(20_000, continuation(1, new Uint8Array(0), false))]
        ]
      ]
      for (const [name, pieces] of floods) {
        it.effect(name, () =>
          attack((victim) =>
            Effect.gen(function* () {
              const peer = yield* attacker(victim.address)
              yield* pour(peer, pieces())
              yield* assertTold(peer, calm)
            })
          )
        )
        it.effect(`${name}, by a peer that does not read`, () =>
          attack((victim, held) =>
            Effect.gen(function* () {
              const peer = yield* attacker(victim.address)
              peer.socket.pause()
              yield* pour(peer, pieces())
              const now = yield* until(victim.usage, ({ sockets }) => sockets === 1, 5000)
              assert.strictEqual(now.sockets, 1, "closed")
              assert.isBelow(now.held - held, 4 * MiB)
            })
          )
        )
      }

      it.effect("CVE-2019-9512 pings between the frames of a stream, by a peer that does not read", () =>
        attack((victim, held) =>
          Effect.gen(function* () {
            const peer = yield* attacker(victim.address)
            peer.socket.pause()
            yield* peer.send(block(1, request("Park")))
            yield* pour(peer, repeat(500_000, concat([data(1, new Uint8Array(1)), ping()])))
            const now = yield* until(victim.usage, ({ sockets }) => sockets === 1, 8000)
            assert.strictEqual(now.sockets, 1, "closed")
            assert.isBelow(now.held - held, 8 * MiB)
          })
        )
      )

      it.effect("CVE-2019-9513 priority shuffling and frames of unknown types cost little", () =>
        attack((victim) =>
          Effect.gen(function* () {
            const peer = yield* attacker(victim.address)
            yield* peer.send(block(1, request("Park")), block(3, request("Park")))
            const { cpu } = yield* victim.usage
            yield* pour(peer, repeat(50_000, concat([priority(1, 3), priority(3, 1), unknownFrame])))
            assert.isTrue(yield* peer.roundTrip, "the connection goes on")
            assert.isBelow((yield* victim.usage).cpu - cpu, 2000, "processor time of 150,000 frames, in milliseconds")
          })
        )
      )

      it.effect("CVE-2019-9516 header fields without a name", () =>
        attack((victim) =>
          Effect.gen(function* () {
            const peer = yield* attacker(victim.address)
            const fields = concat(repeat(4000, literal("", "")))
            const { started } = yield* startedBy(victim, peer.send(block(1, concat([request("Park"), fields]))))
            assert.isTrue(yield* peer.until(() => peer.frames.some((one) => one.startsWith("RstStream(1)")), 5000))
            assert.strictEqual(started, 0)
          })
        )
      )

      it.effect("CVE-2016-6581 HPACK bomb: one large field referred to many times", () =>
        attack((victim, held) =>
          Effect.gen(function* () {
            const peer = yield* attacker(victim.address)
            const bomb = concat([request("Park"), indexed("x", "y".repeat(4000)), new Uint8Array(15_000).fill(0xbe)])
            const { started } = yield* startedBy(
              victim,
              pour(
                peer,
                ids(150).map((id) =>
                  block(id, id === 1 ? bomb : concat([request("Park"), new Uint8Array(15_000).fill(0xbe)]))
                )
              )
            )
            const now = yield* victim.usage
            assert.strictEqual(started, 0)
            assert.isBelow(now.held - held, 4 * MiB)
          })
        )
      )

      it.effect("CVE-2024-27983 the client leaves inside a header block", () =>
        attack((victim) =>
          Effect.forEach(
            ids(50),
            () =>
              Effect.scoped(
                Effect.gen(function* () {
                  const peer = yield* attacker(victim.address)
                  yield* peer.send(unfinished, continuation(1, literal("x", "y"), false))
                  peer.socket.resetAndDestroy()
                })
              ),
            { discard: true }
          )
        )
      )
    })

    describe("memory", () => {
      it.effect("CVE-2019-9511 data dribble: large replies through windows of one byte", () =>
        attack((victim, held) =>
          Effect.gen(function* () {
            const peer = yield* attacker(victim.address, [4, 1])
            const streams = ids(50)
            yield* peer.send(...streams.map((id) => produce(id, "flood", 100_000)))
            yield* peer.roundTrip
            let most = 0
            const from = performance.now()
            const ended = () => peer.frames.filter((one) => one.startsWith("RstStream")).length
            while (ended() < streams.length && performance.now() - from < 15_000) {
              yield* peer.send(...streams.map((id) => windowUpdate(id, 1)))
              most = Math.max(most, (yield* victim.usage).held)
            }
            assert.strictEqual(ended(), streams.length, "streams that sendTimeout ended")
            assert.isBelow(most - held, 50 * 512 * KiB)
          })
        )
      )

      it.effect("CVE-2019-9517 internal buffering: open windows, and nothing is read", () =>
        attack((victim, held) =>
          Effect.gen(function* () {
            const peer = yield* attacker(victim.address, [4, 2 ** 31 - 1])
            peer.socket.pause()
            yield* peer.send(windowUpdate(0, 2 ** 31 - 1 - 65_535))
            yield* peer.send(...ids(100).map((id) => produce(id, "flood", 64 * KiB)))
            let most = 0
            const now = yield* until(
              Effect.tap(victim.usage, (now) => Effect.sync(() => (most = Math.max(most, now.held)))),
              ({ sockets }) => sockets === 1,
              10_000
            )
            assert.strictEqual(now.sockets, 1, "closed by stalledWriteTimeout")
            assert.isBelow(most - held, 48 * MiB)
          })
        )
      )

      it.effect("CVE-2026-49975 HTTP/2 bomb: cheap indexed fields, pinned by a shut window", () =>
        attack((victim, held) =>
          Effect.gen(function* () {
            const peer = yield* attacker(victim.address, [4, 0])
            const cheap = (count: number) => concat([request("Produce"), new Uint8Array(count).fill(0xbe)])
            yield* peer.send(
              block(1, concat([request("Produce"), indexed("x", "y".repeat(4000))])),
              data(1, word("flood", 1000))
            )
            // As much as the limits allow, and then more.
            yield* peer.send(
              ...ids(90)
                .slice(1)
                .map((id) => concat([block(id, cheap(15)), data(id, word("flood", 100_000))]))
            )
            yield* peer.send(
              ...ids(180)
                .slice(90)
                .map((id) => block(id, cheap(4000)))
            )
            yield* peer.roundTrip
            const pinned = yield* victim.usage
            assert.isBelow(pinned.held - held, 90 * 256 * KiB)
            assert.strictEqual(pinned.handlers.active, 91)
            assert.isTrue(
              yield* peer.until(() => peer.frames.filter((one) => one.startsWith("RstStream")).length === 180, 15_000),
              "90 refused, 90 ended by sendTimeout"
            )
          })
        )
      )

      it.effect("a reply that is finished and that nobody reads does not stay", () =>
        attack((victim) =>
          Effect.gen(function* () {
            const peer = yield* attacker(victim.address, [4, 0])
            yield* peer.send(...ids(90).map((id) => produce(id, "numbers", 100, true)))
            const ended = () => peer.frames.filter((one) => one.startsWith("RstStream")).length
            assert.isTrue(yield* peer.until(() => ended() === 90, 10_000), `streams that were ended: ${ended()}`)
          })
        )
      )

      it.effect("CVE-2026-84304 tiny DATA frames that nobody reads: at most four times the payload", () =>
        attack((victim, held) =>
          Effect.gen(function* () {
            const peer = yield* attacker(victim.address)
            const streams = ids(16)
            const each = 60_000
            // Half of the streams send one message, the others empty ones.
            yield* peer.send(
              ...streams.map((id, i) =>
                concat([block(id, request("Park")), ...(i % 2 === 0 ? [data(id, Uint8Array.of(0, 0, 1, 0, 0))] : [])])
              )
            )
            for (const id of streams) {
              const tiny = data(id, new Uint8Array(1))
              yield* pour(
                peer,
                Array.from({ length: each }, () => tiny)
              )
            }
            assert.isTrue(yield* peer.roundTrip)
            const grown = (yield* victim.usage).held - held
            assert.isAtMost(grown, 4 * streams.length * each + MiB)
          })
        )
      )

      it.effect("250 claims of large messages are believed as their bytes arrive", () =>
        firstAttack((victim) =>
          Effect.gen(function* () {
            const { peak } = yield* victim.usage
            const peer = yield* attacker(victim.address)
            const claim = Uint8Array.of(0, 0, 16, 0, 0, 1, 2, 3)
            yield* peer.send(...ids(250).map((id) => concat([block(id, request("Park")), data(id, claim)])))
            assert.isTrue(yield* peer.roundTrip)
            const now = yield* victim.usage
            assert.strictEqual(now.handlers.active, 251)
            assert.isBelow(now.peak - peak, 96 * MiB)
          })
        )
      )

      const zeros = gzipSync(new Uint8Array(MiB))
      const large: ReadonlyArray<readonly [string, () => Uint8Array, string]> = [
        [
          "CVE-2024-37168 a message above the limit is refused on its prefix",
          () => concat([Uint8Array.of(0, 255, 255, 255, 255)]),
          "8"
        ],
        [
          "CVE-2024-37168 a message that inflates beyond the limit",
          () => prefixed(concat(Array(512).fill(zeros)), 1),
          "8"
        ]
      ]
      for (const [name, bytes, status] of large) {
        it.effect(name, () =>
          firstAttack((victim) =>
            Effect.gen(function* () {
              const { peak } = yield* victim.usage
              const peer = yield* attacker(victim.address)
              yield* peer.send(block(1, request("Echo", literal("grpc-encoding", "gzip"))))
              const whole = bytes()
              for (let at = 0; at < whole.length; at += 16 * KiB)
                yield* peer.send(data(1, whole.subarray(at, at + 16 * KiB)))
              assert.isTrue(yield* peer.until(() => peer.field("grpc-status") !== undefined, 5000))
              assert.strictEqual(peer.field("grpc-status"), status)
              assert.match(peer.field("grpc-message")!, /larger than maxReceiveMessageSize/)
              assert.isBelow((yield* victim.usage).peak - peak, 96 * MiB)
            })
          )
        )
      }

      it.effect("a slow reader does not stall its neighbours on the connection", () =>
        attack((victim, held) =>
          Effect.gen(function* () {
            const client = yield* soakClient(victim.address)
            const slow = yield* client.Produce.open(new Request({ message: "flood", count: 64 * KiB }))
            yield* slow.recv
            const from = performance.now()
            for (let i = 0; i < 100; i++) yield* client.Unary(new Request({ message: "word", count: i }))
            assert.isBelow(performance.now() - from, 3000)
            assert.isBelow((yield* victim.usage).held - held, 4 * MiB)
          }).pipe(Effect.orDie)
        )
      )
    })

    describe("what is not HTTP/2, or stops", () => {
      const hello = Uint8Array.from(Buffer.from("16030100c2010000be0303", "hex"))
      let seed = 7
      const junk = Uint8Array.from({ length: 5000 }, () => (seed = (seed * 75 + 74) % 65_537) & 255)
      const begin = concat([preface, settings()])
      const cases: ReadonlyArray<readonly [string, Uint8Array, "at once" | "in time"]> = [
        ["nothing", new Uint8Array(0), "in time"],
        ["half a preface", preface.subarray(0, 10), "in time"],
        ["a preface without SETTINGS", preface, "in time"],
        ["half a frame header", concat([begin, data(1, text("abc")).subarray(0, 5)]), "in time"],
        ["half a HEADERS frame", concat([begin, block(1, request("Park")).subarray(0, 40)]), "in time"],
        ["half a header block", concat([begin, block(1, request("Park"), false, false)]), "in time"],
        [
          "half a DATA frame",
          concat([begin, block(1, request("Park")), data(1, new Uint8Array(1000)).subarray(0, 500)]),
          "in time"
        ],
        ["junk", junk, "at once"],
        ["junk behind the preface", concat([preface, junk]), "at once"],
        ["junk behind SETTINGS", concat([begin, Uint8Array.of(255, 255, 255), junk]), "at once"],
        ["HTTP/1", text("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), "at once"],
        ["TLS", hello, "at once"]
      ]
      for (const [name, bytes, when] of cases) {
        it.effect(name, () =>
          attack((victim) =>
            Effect.gen(function* () {
              const peer = yield* silent(victim.address)
              const from = performance.now()
              yield* peer.send(bytes)
              assert.isTrue(yield* peer.isClosed(handshakeTimeout + 5000), "the connection is closed")
              if (when === "in time") assert.isAtLeast(performance.now() - from, handshakeTimeout - 50)
            })
          )
        )
      }
    })

    it.effect("400 connections with one bad frame each give their descriptors back", () =>
      attack((victim) =>
        Effect.gen(function* () {
          const bad = [
            priority(1, 1),
            frame(2, 0, 1, new Uint8Array(3)),
            concat([block(1, request("Park"), true), data(1, text("late"))]),
            settings(...ids(100).map((id) => [id, 1] as const)),
            data(0, text("nowhere")),
            block(1, Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff)),
            frame(0, 0, 1, new Uint8Array(17 * KiB)),
            // CVE-2026-21714
            windowUpdate(0, 2 ** 31 - 1),
            goaway(0, 0),
            rst(1, 8)
          ]
          const before = yield* victim.usage
          const one = (i: number) =>
            Effect.scoped(
              Effect.gen(function* () {
                const peer = yield* attacker(victim.address)
                yield* peer.send(bad[i % bad.length]!)
                // Half of them leave, the others wait for the server to end it.
                if (i % 20 < 10) yield* peer.until(() => peer.goaway !== undefined, 200)
              })
            )
          yield* Effect.forEach(Array.from(Array(400).keys()), one, { concurrency: 20, discard: true })
          const after = yield* until(victim.usage, (now) => now.descriptors <= before.descriptors, 5000)
          assert.isAtMost(after.descriptors, before.descriptors)
        })
      )
    )
  })
})

describe("hostile clients of a server with TLS", () => {
  alone.live("what is not TLS, stops, or is TLS for something else is closed", () =>
    Effect.gen(function* () {
      const tls = certificate
      const victim = yield* soakServer({ transport: { handshakeTimeout, tls } })
      const hello = Uint8Array.from(Buffer.from("16030100c2010000be0303", "hex"))
      const kinds: ReadonlyArray<Effect.Effect<{ readonly socket: Socket }, never, Scope.Scope>> = [
        silent(victim.address),
        Effect.tap(silent(victim.address), (peer) => peer.send(hello)),
        Effect.tap(silent(victim.address), (peer) => peer.send(new Uint8Array(100).fill(0xee))),
        Effect.tap(silent(victim.address), (peer) => peer.send(text("GET / HTTP/1.1\r\n\r\n"))),
        Effect.tap(silent(victim.address), (peer) => peer.send(preface, settings())),
        secured(victim.address, tls.cert, []),
        secured(victim.address, tls.cert, ["http/1.1"]),
        secured(victim.address, tls.cert, ["h2"])
      ]
      yield* attackOn(
        victim,
        () =>
          Effect.gen(function* () {
            const peers = yield* Effect.all(kinds.flatMap((kind) => [kind, kind, kind]))
            const open = () => peers.filter(({ socket }) => !socket.destroyed).length
            assert.strictEqual(
              yield* until(Effect.sync(open), (n) => n === 0, handshakeTimeout + 5000),
              0,
              "connections that are open"
            )
          }),
        { tls: { ca: tls.cert } }
      )
    })
  )
})
