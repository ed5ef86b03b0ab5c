import { assert, describe, it } from "@effect/vitest"
import type { ConnectionEnd, Engine } from "../../src/internal/engine.ts"
import { Detection } from "../../src/internal/net/detect.ts"
import { Driver } from "../../src/internal/net/driver.ts"
import type { Protocol } from "../../src/internal/net/socket.ts"
import { concat, fromHex, text, uint32 } from "../http2/raw.ts"
import { FakeSocket, Ticks } from "../support/socket.ts"
import { buffered, framed, streamHeader, ttheader, ttheaderFramed } from "../support/thrift.ts"

/** An engine that only keeps what it receives. */
class Receiver implements Engine {
  readonly outbox = { length: 0, take: () => undefined, recycle: () => {} }
  closed = false
  readonly active = 1
  readonly chunks: Array<Uint8Array> = []
  receive(chunk: Uint8Array) {
    this.chunks.push(chunk.slice())
  }
  end(_cause: ConnectionEnd) {
    this.closed = true
  }
  pump() {}
}

class Recording extends Driver {
  readonly connection = new Receiver()
  readonly drains: Array<string> = []
  drain(debug: string) {
    this.drains.push(`${debug} behind ${this.received.length}`)
  }
  protected onAged() {}
  get received() {
    return concat(this.connection.chunks)
  }
}

const timeout = 10_000

const accepted = (protocol: Protocol = undefined) => {
  const ticks = new Ticks()
  const socket = new FakeSocket()
  socket.protocol = protocol
  const made: Array<{ readonly protocol: string; readonly driver: Recording }> = []
  const later: Array<() => void> = []
  const detection = new Detection(socket, {
    timeout,
    now: () => ticks.time,
    log: (message) => ticks.logged.push(message),
    later: (run) => later.push(run),
    make: (protocol, socket) => {
      const driver = new Recording(socket, ticks.options())
      made.push({ protocol, driver })
      return driver
    }
  })
  detection.start()
  const wait = (millis: number) => {
    ticks.time += millis
    for (const timer of detection.timers()) {
      const since = timer.since()
      if (since !== undefined && since + timer.timeout <= ticks.time) timer.expire()
    }
  }
  return { detection, later, logged: ticks.logged, made, socket, wait }
}

const oneByOne = (socket: FakeSocket, bytes: Uint8Array) => {
  for (let i = 0; i < bytes.length; i++) socket.events.onData(bytes.slice(i, i + 1))
}

const preface = text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
const mesh = concat([fromHex("ffaf001400010003"), text("isn"), fromHex("000b"), text("EchoService"), framed({})])

const served: ReadonlyArray<readonly [name: string, protocol: string, bytes: Uint8Array]> = [
  ["HTTP/2", "http2", preface],
  ["Buffered", "pingpong", buffered({ method: "EchoWithALongName" })],
  ["Framed", "pingpong", framed({ method: "EchoWithALongName" })],
  ["TTHeader", "pingpong", ttheader({})],
  ["TTHeader of a multiplexing client", "pingpong", ttheader({}, { flags: 1 })],
  ["TTHeader+Framed", "pingpong", ttheaderFramed({})],
  ["a mesh header", "pingpong", mesh],
  ["TTHeader streaming", "ttstream", streamHeader(7)]
]

describe("a fresh connection", () => {
  for (const [name, protocol, bytes] of served) {
    it(`of ${name} is told by its first eight bytes, in one chunk and one by one`, () => {
      const whole = accepted()
      whole.socket.events.onData(bytes.slice(0, 24))
      const pieces = accepted()
      oneByOne(pieces.socket, bytes.slice(0, 7))
      assert.lengthOf(pieces.made, 0)
      oneByOne(pieces.socket, bytes.slice(7, 24))
      for (const { detection, logged, made, socket } of [whole, pieces]) {
        assert.deepStrictEqual(
          made.map((each) => each.protocol),
          [protocol]
        )
        assert.deepStrictEqual(made[0]!.driver.received, bytes.slice(0, 24))
        assert.strictEqual(socket.events, made[0]!.driver)
        assert.isTrue(detection.over)
        assert.deepStrictEqual(logged, [])
      }
      assert.lengthOf(whole.made[0]!.driver.connection.chunks, 1)
    })
  }

  it("that agreed on h2 is HTTP/2 before its first byte", () => {
    const { detection, made } = accepted("h2")
    assert.deepStrictEqual(
      made.map((each) => each.protocol),
      ["http2"]
    )
    assert.lengthOf(made[0]!.driver.connection.chunks, 0)
    assert.isTrue(detection.over)
  })

  it("of anything else is closed, with a warning that shows what came and says what it may be", () => {
    const hello = fromHex("160301020001fc0303aabbccddeeff00112233")
    const unknown = (bytes: Uint8Array, secure = false) => {
      const { logged, made, socket, wait } = accepted()
      socket.secure = secure
      socket.events.onData(bytes)
      socket.events.onData(bytes)
      const answer = socket.sent()
      if (answer.length > 0) assert.strictEqual(String(Buffer.from(answer)), "this server has no TLS\n")
      assert.strictEqual(answer.length > 0, bytes === hello && !secure)
      assert.isTrue(answer.length > 0 ? socket.ended : socket.destroyed)
      // It lingers so that the answer arrives.
      wait(999)
      assert.strictEqual(socket.destroyed, answer.length === 0)
      wait(1)
      assert.isTrue(socket.destroyed)
      assert.lengthOf(made, 0)
      assert.lengthOf(logged, 1)
      const [, shown] = /^unknown protocol: connection of ADDRESS closed, its first bytes are (.*)$/.exec(logged[0]!)!
      return shown
    }
    assert.strictEqual(unknown(hello), "160301020001fc0303aabbccddeeff00 (a TLS client, but this server has no tls)")
    assert.strictEqual(unknown(hello, true), "160301020001fc0303aabbccddeeff00 (TLS inside of TLS)")
    assert.strictEqual(unknown(text("GET / HTTP/1.1\r\n")), "474554202f20485454502f312e310d0a (an HTTP/1 request)")
    assert.match(unknown(text("OPTIONS * HTTP/1.1\r\n"))!, /an HTTP\/1 request/)
    assert.strictEqual(unknown(fromHex("000000044563686f")), "000000044563686f (an old (non-strict) Thrift client)")
    assert.match(
      unknown(concat([uint32(20), uint32(4), text("Echo"), Uint8Array.of(1, 0, 0, 0)]))!,
      /old \(non-strict\)/
    )
    assert.match(unknown(fromHex("0000001e82210104"))!, /compact/)
    assert.match(unknown(fromHex("0000001e90010001"))!, /Protobuf/)
    assert.strictEqual(unknown(text("SSH-2.0-OpenSSH_9.2\r\n")), "5353482d322e302d4f70656e5353485f")
    assert.strictEqual(unknown(new Uint8Array(9)), "000000000000000000")
  })

  it("has so long in all until its protocol is known, however the bytes trickle", () => {
    for (const bytes of [preface.slice(0, 7), streamHeader(1).slice(0, 7), new Uint8Array(0)]) {
      const { detection, logged, made, socket, wait } = accepted()
      for (const byte of bytes) {
        wait(900)
        socket.events.onData(Uint8Array.of(byte))
      }
      wait(timeout - 1 - bytes.length * 900)
      assert.isFalse(socket.destroyed)
      wait(1)
      assert.isTrue(socket.destroyed)
      socket.events.onClosed()
      assert.isTrue(detection.over)
      assert.lengthOf(made, 0)
      assert.deepStrictEqual(logged, [])
    }
  })

  it("that closes or fails leaves nothing", () => {
    for (const leave of ["onEnd", "onError", "onClosed"] as const) {
      for (const bytes of [new Uint8Array(0), preface.slice(0, 7), streamHeader(1).slice(0, 7)]) {
        const { detection, made, socket, wait } = accepted()
        let told = 0
        detection.onOver = () => told++
        socket.events.onData(bytes)
        socket.events[leave]("ECONNRESET")
        if (leave !== "onClosed") {
          assert.isTrue(socket.destroyed)
          socket.events.onClosed()
        }
        assert.isTrue(detection.over)
        assert.strictEqual(told, 1)
        wait(timeout)
        assert.lengthOf(made, 0)
      }
    }
  })

  it("is closed by a drain once it is silent, and drains as its protocol does when that is known by then", () => {
    const silent = accepted()
    silent.detection.drain("graceful shutdown")
    for (let look = 1; look < 20; look++) silent.later.shift()!()
    // A call of its client may be on its way.
    assert.isFalse(silent.socket.destroyed)
    silent.later.shift()!()
    assert.isTrue(silent.socket.destroyed)
    assert.lengthOf(silent.later, 0)

    const late = accepted()
    late.detection.drain("graceful shutdown")
    late.socket.events.onData(preface.slice(0, 3))
    late.later.shift()!()
    assert.isFalse(late.socket.destroyed)
    late.socket.events.onData(preface.slice(3))
    late.later.shift()!()
    assert.isFalse(late.socket.destroyed)
    assert.deepStrictEqual(late.made[0]!.driver.drains, ["graceful shutdown behind 0"])

    const known = accepted()
    known.socket.events.onData(preface)
    known.detection.drain("graceful shutdown")
    assert.lengthOf(known.later, 0)
    assert.deepStrictEqual(known.made[0]!.driver.drains, [`graceful shutdown behind ${preface.length}`])
  })
})

describe("100,000 connections with random first bytes", () => {
  /** The rules, told another way. */
  const expected = (bytes: Uint8Array): string => {
    const [a, b, c, d] = [0, 2, 4, 6].map((at) => (bytes[at]! << 8) | bytes[at + 1]!)
    if (a === 0x5052 && b === 0x4920 && c === 0x2a20 && d === 0x4854) return "http2"
    if (c === 0x1000) return (d! & 2) === 0 ? "pingpong" : "ttstream"
    return a === 0xffaf || a === 0x8001 || c === 0x8001 ? "pingpong" : "unknown"
  }
  let state = 12345
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const seeds = served.map(([, , bytes]) => bytes.slice(0, 24))

  it("are told as the rules say, whatever the chunks", () => {
    const counts: Record<string, number> = {}
    for (let run = 0; run < 100_000; run++) {
      const seed = seeds[random(seeds.length)]!
      const bytes = random(3) === 0 ? Uint8Array.from({ length: 24 }, () => random(256)) : seed.slice()
      for (let changes = random(3); changes > 0; changes--) bytes[random(8)] = random(256)
      const sent = bytes.slice(0, 8 + random(bytes.length - 7))
      const { logged, made, socket } = accepted()
      const chunks: Array<Uint8Array> = []
      for (let at = 0; at < sent.length;) {
        const next = at + 1 + random(sent.length - at)
        chunks.push(sent.slice(at, next))
        at = next
      }
      // A chunk is its reader's.
      for (const chunk of chunks) socket.events.onData(chunk.slice())
      const found = made[0]?.protocol ?? (logged.length === 0 ? "waiting" : "unknown")
      if (found !== expected(sent)) assert.fail(`${Buffer.from(sent).toString("hex")} is ${found}`)
      if (made.length > 0) assert.deepStrictEqual(made[0]!.driver.received, sent)
      assert.strictEqual(logged.length, made.length > 0 ? 0 : 1)
      assert.strictEqual(socket.ended || socket.destroyed, logged.length > 0)
      counts[found] = (counts[found] ?? 0) + 1
    }
    for (const kind of ["http2", "pingpong", "ttstream", "unknown"]) assert.isAbove(counts[kind] ?? 0, 100)
  })
})
