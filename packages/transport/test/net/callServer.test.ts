import { assert, describe, it } from "@effect/vitest"
import type { ServerCarrier } from "../../src/internal/pingpong/api.ts"
import { CallServer } from "../../src/internal/net/callServer.ts"
import { callOptions } from "../../src/internal/net/options.ts"
import { ServerConnection } from "../../src/internal/pingpong/serverConnection.ts"
import type { RawServerCall } from "../../src/RawCall.ts"
import type { ConnectionOptions } from "../../src/TransportOptions.ts"
import { concat, text, uint32 } from "../http2/raw.ts"
import { decodeBytes, encodeBytes } from "../support/raw.ts"
import { FakeSocket, Ticks } from "../support/socket.ts"
import { buffered, framed, ttheader, ttheaderFramed, withHeader, withText } from "../support/thrift.ts"

const handshakeTimeout = 1000

/** A server's connection whose peer, clock and ticks are the test's. */
const serving = (onCall: (call: RawServerCall) => void, options: ConnectionOptions = {}) => {
  const ticks = new Ticks()
  const socket = new FakeSocket()
  const later: Array<() => void> = []
  const driver = new CallServer(
    socket,
    {
      ...ticks.options(options),
      handshakeTimeout,
      connectionBufferLimit: callOptions(options).connectionBufferLimit,
      log: (message) => ticks.logged.push(message),
      later: (run) => later.push(run)
    },
    (carrier: ServerCarrier) => new ServerConnection(carrier, callOptions(options)),
    onCall
  )
  driver.start()
  const timers = driver.timers()
  /** Time passes, a look at the timers each second at most, as the watchdog's. */
  const wait = (millis: number) => {
    for (let left = millis; left > 0;) {
      const step = Math.min(left, 100)
      left -= step
      ticks.time += step
      for (const timer of timers) {
        const since = timer.since()
        if (since !== undefined && since + timer.timeout <= ticks.time) timer.expire()
      }
      ticks.run()
    }
  }
  const receive = (...messages: Array<Uint8Array>) => socket.events.onData(concat(messages))
  /** What the peer had sent has arrived. */
  const arrive = () => {
    for (const run of later.splice(0)) run()
    ticks.run()
  }
  return { arrive, driver, later, logged: ticks.logged, receive, socket, ticks, wait }
}

const empty = Uint8Array.of(0)
const answer = (call: RawServerCall) => call.reply(empty, encodeBytes)
const echo = (call: RawServerCall) => call.reply(call.take(decodeBytes), encodeBytes)

/** Calls that are answered later. */
const collecting = (options: ConnectionOptions = {}) => {
  const calls: Array<RawServerCall> = []
  return { calls, ...serving((call) => calls.push(call), options) }
}

/** Sequence ids of framed answers. */
const answers = (bytes: Uint8Array): Array<number> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const found: Array<number> = []
  for (let at = 0; at < bytes.length; at += 4 + view.getUint32(at)) {
    found.push(view.getInt32(at + 12 + view.getUint32(at + 8)))
  }
  return found
}

const call = (sequenceId: number) => framed({ sequenceId })
const saysReset = (bytes: Uint8Array) => Buffer.from(bytes).includes("crrst")

describe("calls of a connection", () => {
  it("are answered inside their read with one write, in the encoding of each", () => {
    const { receive, socket } = serving(echo)
    const body = withText("hi")
    const forms = [buffered, framed, ttheader, ttheaderFramed].map((form, i) => ({ form, sequenceId: i + 1 }))
    receive(...forms.map(({ form, sequenceId }) => form({ body, sequenceId })))
    assert.lengthOf(socket.written, 1)
    assert.deepStrictEqual(
      socket.sent(),
      concat(
        forms.map(({ form, sequenceId }) => {
          const header = { ints: [[22, "2"]] as const }
          return form({ body, sequenceId, type: 2 }, header)
        })
      )
    )
  })

  it("that are answered later leave with one write a tick", () => {
    const { calls, receive, socket, ticks } = collecting()
    receive(call(1), call(2), call(3))
    assert.lengthOf(socket.written, 0)
    for (const each of calls.toReversed()) answer(each)
    assert.lengthOf(socket.written, 0)
    ticks.run()
    assert.lengthOf(socket.written, 1)
    assert.deepStrictEqual(answers(socket.sent()), [3, 2, 1])
    assert.strictEqual(ticks.waiting, 0)
  })

  it("end with their peer", () => {
    const { calls, receive, socket } = collecting()
    receive(call(1), framed({ sequenceId: 2, type: 4 }), call(3))
    const aborted: Array<string> = []
    for (const each of calls) each.onAbort = (error) => aborted.push(`${each.sequenceId}: ${error.desc}`)
    socket.events.onEnd()
    assert.deepStrictEqual(
      aborted,
      [1, 2, 3].map((id) => `${id}: the client closed the connection`)
    )
    assert.isTrue(socket.ended)
    for (const each of calls) answer(each)
    assert.lengthOf(socket.written, 0)
  })

  it("outlive an acceptor that throws", () => {
    const { receive, socket, ticks } = serving((each) => {
      if (each.sequenceId === 1) throw new Error("bug")
      answer(each)
    })
    receive(call(1), call(2))
    assert.deepStrictEqual(ticks.defects.map(String), ["Error: bug"])
    assert.deepStrictEqual(answers(socket.sent()), [2])
  })

  it("may end their connection behind an answer, with everything that was written", () => {
    const { calls, receive, socket, ticks } = collecting()
    receive(call(1), call(2))
    answer(calls[1]!)
    calls[0]!.exception({ type: 6, message: "no" }, [], true)
    ticks.run()
    assert.deepStrictEqual(answers(socket.sent()), [2, 1])
    assert.isTrue(socket.ended)
    assert.isFalse(socket.destroyed)
  })
})

describe("reading stops", () => {
  it("behind as many calls as may run, and goes on in the tick in which one ends, not inside its end", () => {
    const { calls, receive, socket, ticks } = collecting({ limits: { maxConcurrentStreams: 2 } })
    receive(...[1, 2, 3, 4, 5].map(call))
    assert.lengthOf(calls, 2)
    assert.isTrue(socket.paused)
    answer(calls[0]!)
    assert.lengthOf(calls, 2)
    ticks.run()
    assert.lengthOf(calls, 3)
    assert.isTrue(socket.paused)
    assert.deepStrictEqual(answers(socket.sent()), [1])
    answer(calls[1]!)
    answer(calls[2]!)
    ticks.run()
    assert.lengthOf(calls, 5)
    assert.isTrue(socket.paused)
    answer(calls[3]!)
    ticks.run()
    assert.isFalse(socket.paused)
    answer(calls[4]!)
    receive(call(6))
    assert.deepStrictEqual(answers(socket.sent()), [2, 3, 4, 5])
    assert.lengthOf(calls, 6)
  })

  it("for no call that is answered inside its read", () => {
    const { receive, socket } = serving(answer, { limits: { maxConcurrentStreams: 1 } })
    receive(...[1, 2, 3].map(call))
    assert.deepStrictEqual(answers(socket.sent()), [1, 2, 3])
    assert.isFalse(socket.paused)
  })

  it("at a peer that does not read, whose answers stay within bounds, until it reads or its time is over", () => {
    const large = concat([new Uint8Array(64 * 1024), empty])
    const { driver, receive, socket, wait } = serving((each) => each.reply(large, encodeBytes), {
      stalledWriteTimeout: 500
    })
    socket.takes = false
    let read = 0
    for (; read < 1000 && !socket.paused; read++) receive(call(read))
    assert.isTrue(socket.paused)
    assert.isBelow(driver.connection.outbox.length, 1.2 * 1024 * 1024)
    assert.isBelow(read, 20)

    socket.takes = true
    socket.events.onDrain()
    assert.isFalse(socket.paused)
    assert.lengthOf(answers(socket.sent()), read)

    socket.takes = false
    receive(call(1))
    wait(499)
    assert.isFalse(socket.destroyed)
    wait(1)
    assert.isTrue(socket.destroyed)
  })

  it("within a chunk of a thousand calls when their answers are too much for a peer that does not read", () => {
    const large = concat([new Uint8Array(64 * 1024), empty])
    const pipelined = Array.from({ length: 1000 }, (_, i) => call(i))
    for (const inside of [true, false]) {
      let begun = 0
      const waiting: Array<RawServerCall> = []
      const { driver, receive, socket, ticks } = serving((each) => {
        begun++
        if (inside) each.reply(large, encodeBytes)
        else waiting.push(each)
      })
      const settle = () => {
        do {
          for (const each of waiting.splice(0)) each.reply(large, encodeBytes)
          ticks.run()
        } while (waiting.length > 0)
      }
      socket.takes = false
      receive(...pipelined)
      settle()
      // The kernel has what was there first; calls that ran may still answer.
      const running = inside ? 0 : 256
      assert.isBelow(begun, running + 40)
      assert.isBelow(driver.connection.outbox.length, (running * 65 + 1100) * 1024)
      assert.isTrue(socket.paused)

      let got = socket.sent()
      for (let turns = 0; socket.paused; turns++) {
        assert.isBelow(turns, 200)
        socket.events.onDrain()
        settle()
        got = concat([got, socket.sent()])
      }
      assert.deepStrictEqual(
        answers(got),
        pipelined.map((_, i) => i)
      )
      assert.isFalse(socket.paused)
      assert.strictEqual(driver.connection.outbox.length, 0)
    }
  })

  it("for each of the two reasons, until both are gone", () => {
    const large = new Uint8Array(1100 * 1024)
    const { calls, receive, socket, ticks } = collecting({ limits: { maxConcurrentStreams: 2 } })
    /** Answers that wait, and as many calls as may run. */
    const begin = () => {
      socket.takes = false
      receive(call(1))
      receive(call(2), call(3))
      const [first, ...running] = calls.splice(0)
      first!.reply(large, encodeBytes)
      assert.lengthOf(running, 1)
      ticks.run()
      return running
    }
    const running = begin()
    assert.isTrue(socket.paused)
    for (const each of running) answer(each)
    ticks.run()
    assert.isTrue(socket.paused)
    socket.takes = true
    socket.events.onDrain()
    ticks.run()
    assert.isFalse(socket.paused)
    for (const each of calls.splice(0)) answer(each)
    ticks.run()

    const others = begin()
    assert.isTrue(socket.paused)
    socket.takes = true
    socket.events.onDrain()
    ticks.run()
    assert.isTrue(socket.paused)
    for (const each of others) answer(each)
    ticks.run()
    assert.isFalse(socket.paused)
  })

  it("at running calls whose bytes are too many, until one has ended", () => {
    const large = (sequenceId: number) => framed({ sequenceId, body: concat([new Uint8Array(600), empty]) })
    const { calls, receive, socket, ticks } = collecting({ connectionBufferLimit: 1000 })
    receive(large(1), large(2), large(3))
    assert.lengthOf(calls, 2)
    assert.isTrue(socket.paused)
    answer(calls[0]!)
    ticks.run()
    assert.lengthOf(calls, 3)
    assert.isTrue(socket.paused)
    answer(calls[1]!)
    answer(calls[2]!)
    ticks.run()
    assert.isFalse(socket.paused)
  })

  it("but one chunk is let in each second, behind which the end of a peer may be", () => {
    const { calls, logged, receive, socket, ticks, wait } = collecting({ limits: { maxConcurrentStreams: 2 } })
    receive(call(1), call(2), call(3))
    assert.isTrue(socket.paused)
    wait(900)
    assert.isTrue(socket.paused)
    wait(200)
    assert.isFalse(socket.paused)
    receive(call(4))
    assert.isTrue(socket.paused)
    assert.lengthOf(calls, 2)
    // All calls end before the chunk comes: reading goes on, and the chunk does not stop it.
    wait(1000)
    for (const each of calls.slice()) answer(each)
    ticks.run()
    assert.lengthOf(calls, 4)
    for (const each of calls.slice()) answer(each)
    ticks.run()
    assert.isFalse(socket.paused)
    receive(call(5))
    assert.isFalse(socket.paused)

    receive(call(6))
    const aborted: Array<number> = []
    for (const each of calls.slice(4)) each.onAbort = () => aborted.push(each.sequenceId)
    wait(1100)
    socket.events.onEnd()
    assert.deepStrictEqual(aborted, [5, 6])
    assert.deepStrictEqual(logged, [])
  })

  it("for good when nothing ends while 4 MiB come, not while calls end", () => {
    for (const ends of [false, true]) {
      const { calls, driver, logged, receive, socket, ticks, wait } = collecting({
        limits: { maxConcurrentStreams: 1 }
      })
      receive(...Array.from({ length: 300 }, (_, i) => call(i)))
      for (let i = 0; i < 250 && !socket.ended; i++) {
        wait(1000)
        if (ends) answer(calls.at(-1)!)
        ticks.run()
        if (!socket.paused) receive(new Uint8Array(64 * 1024))
      }
      assert.strictEqual(driver.connection.closed, !ends)
      assert.deepStrictEqual(
        logged,
        ends ? [] : ["PingPong connection of ADDRESS closed: more than 4 MiB came behind 1 calls that do not end"]
      )
    }
  })

  it("no longer than the connection: its end is read", () => {
    const { calls, receive, socket } = collecting({ limits: { maxConcurrentStreams: 1 } })
    receive(call(1))
    assert.isTrue(socket.paused)
    calls[0]!.abort()
    assert.isFalse(socket.paused)
  })
})

describe("a connection ends", () => {
  it("when it is silent for too long, counted from its last call", () => {
    for (const handler of [answer, (each: RawServerCall) => each.finish()]) {
      const { arrive, receive, socket, wait } = serving(handler, { idleTimeout: 10_000 })
      wait(9000)
      receive(call(1))
      wait(9900)
      arrive()
      assert.isFalse(socket.ended)
      wait(100)
      arrive()
      assert.isTrue(socket.ended)
    }
  })

  it("when it is silent for too long behind a call that ended without an answer", () => {
    const { arrive, calls, receive, socket, ticks, wait } = collecting({ idleTimeout: 500 })
    receive(framed({ type: 4 }))
    wait(5000)
    calls[0]!.finish()
    ticks.run()
    wait(500)
    arrive()
    assert.isTrue(socket.ended)
  })

  it("by silence neither while a call runs nor inside a message", () => {
    const { arrive, calls, receive, socket, ticks, wait } = collecting({ idleTimeout: 500 })
    receive(call(1))
    wait(5000)
    arrive()
    assert.isFalse(socket.ended)
    receive(call(2).slice(0, 20))
    answer(calls[0]!)
    ticks.run()
    wait(900)
    arrive()
    assert.isFalse(socket.ended)
    receive(call(2).slice(20))
    assert.lengthOf(calls, 2)
  })

  it("when a message comes slower than 16 KiB in handshakeTimeout, and says so", () => {
    const { driver, logged, receive, socket, wait } = collecting()
    const bytes = call(1)
    let at = 0
    for (; at < bytes.length && !socket.destroyed; at++) {
      receive(bytes.slice(at, at + 1))
      wait(100)
    }
    assert.isTrue(socket.destroyed)
    assert.isTrue(driver.connection.closed)
    assert.isAtMost(at, 12)
    assert.deepStrictEqual(logged, [
      "PingPong connection of ADDRESS closed: less than 16 KiB of a message came in 1000ms (handshakeTimeout)"
    ])
  })

  it("not while large messages come fast enough, or small ones come to their end", () => {
    const { calls, receive, socket, wait } = collecting()
    const large = framed({ body: concat([new Uint8Array(200 * 1024), empty]) })
    for (let at = 0; at < large.length; at += 20 * 1024) {
      receive(large.slice(at, at + 20 * 1024))
      wait(900)
    }
    assert.lengthOf(calls, 1)
    // Every chunk ends inside a message.
    const small = concat(Array.from({ length: 100 }, (_, i) => call(i)))
    const size = call(1).length
    for (let at = 0; at < small.length; at += size) {
      receive(small.slice(at === 0 ? 0 : at - 3, at + size - 3))
      wait(300)
    }
    assert.lengthOf(calls, 100)
    assert.isFalse(socket.destroyed)
    wait(1000)
    assert.isTrue(socket.destroyed)
  })

  it("when a peer takes nothing for a second of more answers than connectionBufferLimit, and not while it takes some", () => {
    const large = concat([new Uint8Array(700 * 1024), empty])
    const { calls, driver, logged, receive, socket, ticks, wait } = collecting({
      connectionBufferLimit: 8 * 1024 * 1024
    })
    receive(...Array.from({ length: 20 }, (_, i) => call(i)))
    const errors: Array<unknown> = []
    calls[19]!.onAbort = (error) => errors.push(error.reason)
    socket.takes = false
    for (const each of calls.slice(0, 19)) each.reply(large, encodeBytes)
    ticks.run()
    // 13 MiB, of which 5 are taken slowly
    for (let i = 0; i < 5; i++) {
      wait(900)
      assert.isFalse(socket.destroyed)
      socket.events.onDrain()
      ticks.run()
    }
    wait(2000)
    assert.isFalse(socket.destroyed)
    calls[19]!.reply(concat([large, large]), encodeBytes)
    ticks.run()
    wait(1000)
    assert.isTrue(socket.destroyed)
    assert.isTrue(driver.connection.closed)
    assert.lengthOf(logged, 1)
    assert.match(
      logged[0]!,
      /the client does not read \d+ bytes of answers, more than connectionBufferLimit \(8388608\)/
    )
  })

  it("not by a stalled write while a large answer is taken piece by piece", () => {
    const large = concat([new Uint8Array(10 * 1024 * 1024), empty])
    const { receive, socket, wait } = serving((each) => each.reply(large, encodeBytes), { stalledWriteTimeout: 500 })
    socket.takes = false
    receive(call(1))
    const got: Array<number> = []
    for (let i = 0; i < 9; i++) {
      got.push(socket.sent().length)
      wait(400)
      assert.isFalse(socket.destroyed)
      socket.events.onDrain()
    }
    assert.isAtMost(Math.max(...got), 1024 * 1024)
    const whole = serving((each) => each.reply(large.subarray(0, 1024 * 1024), encodeBytes))
    let writes = 0
    whole.socket.write = () => ++writes > 0
    whole.receive(call(1))
    assert.strictEqual(writes, 1)
    wait(400)
    assert.isFalse(socket.destroyed)
    wait(100)
    assert.isTrue(socket.destroyed)
  })

  it("not while we do not read the rest of a message", () => {
    const { calls, receive, socket, ticks, wait } = collecting({ limits: { maxConcurrentStreams: 1 } })
    receive(call(1), call(2).slice(0, 20))
    receive(new Uint8Array(0))
    wait(5000)
    assert.isFalse(socket.destroyed)
    answer(calls[0]!)
    ticks.run()
    wait(900)
    assert.isFalse(socket.destroyed)
    wait(200)
    assert.isTrue(socket.destroyed)
  })

  it("when the peer breaks the protocol or a limit, with one warning; what was answered before goes out", () => {
    const broken = (bytes: Uint8Array, options: ConnectionOptions = {}) => {
      const { logged, receive, socket } = serving(answer, options)
      receive(call(1), bytes)
      receive(bytes)
      assert.deepStrictEqual(answers(socket.sent()), [1])
      assert.isTrue(socket.ended)
      assert.isFalse(socket.destroyed)
      assert.lengthOf(logged, 1)
      return logged[0]!.replace("PingPong connection of ADDRESS closed: ", "")
    }
    assert.strictEqual(
      broken(text("GET / HTTP/1.1\r\n")),
      "invalid payload (first4Bytes=0x47455420, second4Bytes=0x2f204854)"
    )
    assert.strictEqual(
      broken(concat([uint32(2000), call(1).slice(4)]), { maxCallSize: 1000 }),
      "invalid data: payload size(2000) larger than the limit(1000)"
    )
    assert.strictEqual(broken(framed({ type: 2 })), "server side, invalid message type 2")
  })

  it("behind an exception that names the limit, where a TTHeader says whose call is over it", () => {
    const refused = (bytes: Uint8Array, options: ConnectionOptions = {}) => {
      const { driver, logged, receive, socket } = serving(answer, options)
      receive(bytes)
      assert.isTrue(socket.ended)
      assert.strictEqual(driver.connection.active, 0)
      const sent = socket.sent()
      assert.strictEqual(new DataView(sent.buffer, sent.byteOffset).getInt32(8), 77)
      assert.isTrue(saysReset(sent))
      const [told] = /the call is over a limit of the server: .*; the connection ends/.exec(
        Buffer.from(sent).toString("latin1")
      )!
      return [logged[0]!.replace("PingPong connection of ADDRESS closed: ", ""), told]
    }
    const text = (limit: string) => `the call is over a limit of the server: ${limit}; the connection ends`
    const value = "x".repeat(44_000)
    const strings = [0, 1, 2].map((i) => [`${i}`, value] as const)
    assert.deepStrictEqual(refused(ttheader({ sequenceId: 77 }, { strings })), [
      "invalid header: size(132020) larger than the limit(131072)",
      text("maxTTHeaderSize is 131072")
    ])
    const ints = Array.from({ length: 257 }, (_, i) => [i, ""] as const)
    const [logged, told] = refused(ttheader({ sequenceId: 77 }, { ints }))
    assert.include(logged, "257 entries are more than the 256 that may come (maxHeaderFields)")
    assert.strictEqual(told, text("maxHeaderFields is 256"))
    const body = withText("x".repeat(2000))
    for (const form of [ttheader, ttheaderFramed]) {
      const [, told] = refused(form({ sequenceId: 77, body }), { maxCallSize: 1000 })
      assert.strictEqual(told, text("maxCallSize is 1000"))
    }
  })

  it("one second after its own FIN, when the peer keeps its side open", () => {
    const { receive, socket, wait } = serving(answer)
    receive(new Uint8Array(20).fill(0xee))
    assert.isTrue(socket.ended)
    wait(900)
    assert.isFalse(socket.destroyed)
    wait(100)
    assert.isTrue(socket.destroyed)
  })

  it("by any length in a header or a frame that cannot be, without memory for what it claims", () => {
    const lengths = [0, 1, 9, 10, 0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000, 0xffffffff]
    const before = process.memoryUsage().arrayBuffers
    const kept: Array<CallServer> = []
    for (const form of [framed, ttheader, ttheaderFramed]) {
      for (const length of lengths) {
        for (const at of [0, 28]) {
          const bytes = form({ body: withText("hello") })
          if (form === framed && at > 0) continue
          new DataView(bytes.buffer).setUint32(at, length)
          const { driver, receive, socket, wait } = serving(echo)
          receive(bytes)
          wait(2500)
          // It was refused, awaited in vain, or it agreed with what is there.
          if (!socket.destroyed) assert.isFalse(driver.connection.midMessage)
          kept.push(driver)
        }
      }
    }
    assert.isBelow(process.memoryUsage().arrayBuffers - before, 64 * 1024 * 1024)
    assert.isAbove(kept.length, 40)
  })
})

describe("a drain", () => {
  it("closes a silent connection, and answers a call that was on its way", () => {
    const silent = serving(answer)
    silent.driver.drain()
    assert.isFalse(silent.socket.ended)
    silent.arrive()
    assert.isTrue(silent.socket.ended)
    assert.strictEqual(silent.driver.ended?._tag, "Local")

    const late = serving(answer)
    late.driver.drain()
    late.receive(ttheader({}))
    assert.isTrue(saysReset(late.socket.sent()))
    late.arrive()
    assert.isFalse(late.socket.ended)
    late.arrive()
    assert.isTrue(late.socket.ended)
    assert.deepStrictEqual(late.logged, [])
  })

  it("waits for running calls, lets a message come to its end, and closes behind the last answer", () => {
    const { arrive, calls, driver, later, receive, socket, ticks } = collecting()
    receive(call(1), call(2).slice(0, 20))
    driver.drain()
    arrive()
    assert.isFalse(socket.ended)
    answer(calls[0]!)
    ticks.run()
    arrive()
    assert.isFalse(socket.ended)
    receive(call(2).slice(20))
    arrive()
    assert.isFalse(socket.ended)
    assert.lengthOf(later, 0)
    answer(calls[1]!)
    ticks.run()
    assert.deepStrictEqual(answers(socket.sent()), [1, 2])
    arrive()
    assert.isTrue(socket.ended)
  })

  it("waits for oneway calls that run as for others", () => {
    for (const flags of [0, 1]) {
      const { arrive, calls, driver, receive, socket, ticks, wait } = collecting()
      receive(ttheader({ type: 4 }, { flags }))
      driver.drain()
      arrive()
      wait(5000)
      assert.isFalse(socket.ended)
      calls[0]!.finish()
      ticks.run()
      assert.isTrue(socket.ended)
    }
  })

  it("asks a multiplexing client to go, and closes a second later when it does not", () => {
    const flags = { flags: 1 }
    const { arrive, calls, driver, receive, socket, ticks, wait } = collecting()
    receive(ttheader({ sequenceId: 1 }, flags))
    driver.drain()
    ticks.run()
    assert.deepStrictEqual(
      socket.sent(),
      withHeader(buffered({ method: "none", sequenceId: 0, type: 2 }), 0, { strings: [["crrst", "1"]] })
    )
    answer(calls[0]!)
    ticks.run()
    assert.isTrue(saysReset(socket.sent()))
    arrive()
    assert.isFalse(socket.ended)
    wait(999)
    assert.isFalse(socket.ended)
    wait(1)
    assert.isTrue(socket.ended)

    const late = collecting()
    late.driver.drain()
    late.receive(ttheader({ sequenceId: 1 }, flags))
    late.ticks.run()
    assert.isTrue(saysReset(late.socket.sent()))
  })

  it("cuts a client off behind an answer that cannot be told to go, and goes on, a second later", () => {
    const { arrive, calls, driver, receive, socket, ticks, wait } = collecting()
    driver.drain()
    for (let i = 0; i < 10; i++) {
      receive(call(i))
      wait(90)
      answer(calls[i]!)
      ticks.run()
      receive(call(i + 100).slice(0, 10))
      arrive()
      receive(call(i + 100).slice(10))
      answer(calls.pop()!)
      ticks.run()
    }
    assert.isFalse(socket.ended)
    receive(call(50))
    wait(100)
    assert.isFalse(socket.ended)
    answer(calls.at(-1)!)
    ticks.run()
    assert.isTrue(socket.ended)
  })
})
