/**
 * Drivers of TTHeader streaming, whose socket, clock and ticks are the test's.
 */
import { assert, describe, it } from "@effect/vitest"
import { streamingDriverOptions, streamingPoolOptions } from "../../src/internal/net/options.ts"
import { StreamingClient } from "../../src/internal/net/ttstreamClient.ts"
import { StreamingServer } from "../../src/internal/net/ttstreamServer.ts"
import type { Timer } from "../../src/internal/net/watchdog.ts"
import type { RawClientStream, RawServerStream } from "../../src/RawStream.ts"
import { Cancelled, TransportError } from "../../src/TransportError.ts"
import type { ClientOptions, ConnectionOptions } from "../../src/TransportOptions.ts"
import { concat } from "../http2/raw.ts"
import { decodeBytes, decodeText, encodeBytes, encodeText, recorderOf, requestTo } from "../support/raw.ts"
import { FakeSocket, Ticks } from "../support/socket.ts"
import { streamData, streamHeader, streamTrailer } from "../support/thrift.ts"

const handshakeTimeout = 1000
const cancelled = new TransportError({ reason: new Cancelled(), code: 1, desc: "cancelled by the test" })

/** What is to run later. */
class Later {
  private readonly waiting: Array<{ readonly at: number; readonly run: () => void }> = []
  private readonly ticks: Ticks
  constructor(ticks: Ticks) {
    this.ticks = ticks
  }
  readonly after = (millis: number, run: () => void) => void this.waiting.push({ at: this.ticks.time + millis, run })
  look() {
    const due = this.waiting.filter(({ at }) => at <= this.ticks.time)
    for (const each of due) this.waiting.splice(this.waiting.indexOf(each), 1)
    for (const { run } of due) run()
  }
}

/** Time passes, with a look at the timers in small steps. */
const waiting = (ticks: Ticks, timers: ReadonlyArray<Timer>, later: Later) => (millis: number) => {
  for (let left = millis; left > 0; left -= 10) {
    ticks.time += Math.min(left, 10)
    for (const timer of timers) {
      const since = timer.since()
      if (since !== undefined && since + timer.timeout <= ticks.time) timer.expire()
    }
    later.look()
    ticks.run()
  }
}

const serving = (options: ConnectionOptions = {}, onStream: (stream: RawServerStream) => void = () => {}) => {
  const ticks = new Ticks()
  const socket = new FakeSocket()
  const arriving: Array<() => void> = []
  const later = new Later(ticks)
  const streams: Array<RawServerStream> = []
  const driver = new StreamingServer(
    socket,
    {
      ...streamingDriverOptions(options, ticks.platform, later.after, 7200_000),
      handshakeTimeout,
      log: (message) => ticks.logged.push(message),
      later: (run) => arriving.push(run)
    },
    {
      onStream: (stream) => {
        streams.push(stream)
        onStream(stream)
      }
    }
  )
  driver.start()
  const receive = (...frames: Array<Uint8Array>) => socket.events.onData(concat(frames))
  const arrive = () => {
    for (const run of arriving.splice(0)) run()
    ticks.run()
  }
  return {
    arrive,
    driver,
    logged: ticks.logged,
    receive,
    socket,
    streams,
    ticks,
    wait: waiting(ticks, driver.timers(), later)
  }
}

const calling = (options: ClientOptions = {}) => {
  const ticks = new Ticks()
  const socket = new FakeSocket()
  const later = new Later(ticks)
  const told: Array<string> = []
  let unheard = 0
  const owner = {
    mode: "multiplexed" as const,
    reading: undefined,
    settle: () => void told.push("settle"),
    expire: () => void told.push("expire"),
    retire: () => void told.push("retire"),
    leave: () => void told.push("leave")
  }
  const driver = new StreamingClient(
    socket,
    streamingPoolOptions(options, ticks.platform, later.after),
    owner,
    () => unheard++
  )
  driver.start()
  const open = (): RawClientStream => {
    const stream = driver.lease().open(requestTo("ADDRESS"))
    if (stream instanceof TransportError) throw stream
    recorderOf(stream)
    ticks.run()
    return stream
  }
  const receive = (...frames: Array<Uint8Array>) => socket.events.onData(concat(frames))
  return {
    driver,
    open,
    receive,
    socket,
    ticks,
    told,
    unheard: () => unheard,
    wait: waiting(ticks, driver.timers(), later)
  }
}

/** What was written as frames: type, stream. */
const framesIn = (
  bytes: Uint8Array
): Array<{ readonly type: string; readonly streamId: number; readonly text: string }> => {
  const frames = []
  const buffer = Buffer.from(bytes)
  for (let at = 0; at < buffer.length;) {
    const end = at + 4 + buffer.readUInt32BE(at)
    const frame = buffer.subarray(at, end)
    const key = frame.indexOf(Buffer.from([0, 27, 0, 1]))
    const type = { 1: "meta", 2: "header", 3: "data", 4: "trailer", 5: "rst" }[
      Number(frame.toString("latin1", key + 4, key + 5))
    ]!
    frames.push({ type, streamId: frame.readInt32BE(8), text: frame.toString("latin1") })
    at = end
  }
  return frames
}

const kinds = (socket: FakeSocket) => framesIn(socket.sent()).map(({ streamId, type }) => `${type} ${streamId}`)

const kib = (size: number) => new Uint8Array(size * 1024)

describe("a server's connection of streams", () => {
  it("answers inside a read with one write", () => {
    const { receive, socket, streams } = serving({}, (stream) => {
      const into: Array<Uint8Array> = []
      stream.take(decodeBytes, 10, into)
      stream.write(into, 0, encodeBytes)
      stream.finish({ code: 0, message: "" }, [])
      stream.release()
    })
    receive(streamHeader(1), streamData(1, kib(1)), streamData(1, kib(0)), streamTrailer(1), streamHeader(2))
    assert.lengthOf(streams, 2)
    assert.lengthOf(socket.written, 1)
    assert.deepStrictEqual(kinds(socket), ["header 1", "data 1", "data 1", "trailer 1", "header 2", "trailer 2"])
  })

  it("stands still while a stream that nobody reads is full, and goes on as soon as something is taken", () => {
    const { receive, socket, streams, wait } = serving({ streamBufferLimit: 64 * 1024, stallTimeout: 500 })
    receive(streamHeader(1))
    for (let i = 0; i < 5; i++) receive(streamData(1, kib(20)))
    assert.isTrue(socket.paused)
    wait(490)
    const into: Array<Uint8Array> = []
    streams[0]!.take(decodeBytes, 2, into)
    assert.isFalse(socket.paused)
    receive(streamData(1, kib(20)), streamData(1, kib(20)))
    assert.isTrue(socket.paused)
    // It was below its bound: it begins anew.
    wait(490)
    assert.isUndefined(streams[0]!.end)
    assert.deepStrictEqual(kinds(socket), [])
    wait(20)
    assert.isFalse(socket.paused)
    const { end } = streams[0]!
    assert.deepStrictEqual(
      end?._tag === "Failed" &&
        end.error.reason._tag === "LimitExceeded" && [end.error.reason.limit, end.error.reason.max],
      ["streamBufferLimit", 64 * 1024]
    )
    assert.deepStrictEqual(kinds(socket), ["rst 1"])
    assert.strictEqual(streams[0]!.available, 0)
    // What still comes of it is nobody's.
    receive(streamData(1, kib(200)), streamData(1, kib(200)), streamHeader(2))
    assert.isFalse(socket.paused)
    assert.lengthOf(streams, 2)
  })

  it("stands still for stallTimeout, no longer, for a reader that takes a little at a time", () => {
    const { receive, socket, streams, wait } = serving({ streamBufferMessages: 100, stallTimeout: 500 })
    receive(streamHeader(1), ...Array.from({ length: 1000 }, () => streamData(1, kib(0))))
    assert.isTrue(socket.paused)
    for (let i = 0; i < 4; i++) {
      wait(110)
      streams[0]!.take(decodeBytes, 1, [])
      assert.isTrue(socket.paused)
      assert.isUndefined(streams[0]!.end)
    }
    wait(70)
    assert.isFalse(socket.paused)
    const { end } = streams[0]!
    assert.deepStrictEqual(
      end?._tag === "Failed" && end.error.reason._tag === "LimitExceeded" && end.error.reason.limit,
      "streamBufferMessages"
    )
  })

  it("reads on while its own answers wait: two ends that wait for each other would wait for ever", () => {
    const { receive, socket, streams } = serving({ sendBufferLimit: 4 * 1024 * 1024 })
    receive(streamHeader(1))
    socket.takes = false
    streams[0]!.write([kib(1024), kib(1024), kib(512)], 0, encodeBytes)
    receive(streamData(1, kib(1)))
    streams[0]!.write([kib(1)], 0, encodeBytes)
    receive(streamData(1, kib(1)))
    assert.isFalse(socket.paused)
    assert.strictEqual(streams[0]!.available, 2)
  })

  it("is closed when a frame comes too slowly, whatever its bytes do, and not when frames come", () => {
    for (const [bytes, every] of [
      [streamHeader(1), 100],
      [streamData(1, kib(100)), 1]
    ] as const) {
      const { logged, receive, socket, wait } = serving()
      receive(streamHeader(7))
      for (let i = 0; i < 40; i++) {
        if (i % every === 0 || i < 4) receive(bytes.slice(i, i + 1))
        wait(100)
      }
      assert.isTrue(socket.destroyed)
      assert.deepStrictEqual(logged, [
        "TTHeader streaming connection of ADDRESS closed: less than 16 KiB of a frame came in 1000ms (handshakeTimeout)"
      ])
    }
  })

  it("is not closed while 16 KiB of a frame come in each handshakeTimeout, or whole frames", () => {
    const { logged, receive, socket, wait } = serving()
    receive(streamHeader(7))
    const large = streamData(7, kib(400))
    for (let at = 0; at < large.length; at += 4096) {
      receive(large.slice(at, at + 4096))
      wait(100)
    }
    const small = streamData(7, kib(0))
    receive(small.slice(0, 10))
    for (let i = 0; i < 30; i++) {
      wait(100)
      receive(small.slice(10), small.slice(0, 10))
    }
    assert.isFalse(socket.destroyed)
    assert.deepStrictEqual(logged, [])
  })

  it("is not closed as slow while nothing is read of it", () => {
    const { receive, socket, wait } = serving({ streamBufferLimit: 64 * 1024, stallTimeout: 60_000 })
    receive(
      streamHeader(1),
      ...Array.from({ length: 6 }, () => streamData(1, kib(20))),
      streamData(1, kib(20)).slice(0, 100)
    )
    assert.isTrue(socket.paused)
    wait(20_000)
    assert.isFalse(socket.destroyed)
  })

  it("is over with a broken frame, which is told", () => {
    const { logged, receive, socket, streams } = serving()
    receive(streamHeader(1))
    receive(new Uint8Array(20))
    assert.isTrue(socket.ended)
    assert.lengthOf(logged, 1)
    assert.match(logged[0]!, /^TTHeader streaming connection of ADDRESS closed: /)
    const { end } = streams[0]!
    assert.strictEqual(end?._tag === "Failed" && end.error.code, 12013)
  })

  it("that drains tells its client, takes what is on its way, refuses what comes later, and closes when nothing comes", () => {
    const { arrive, driver, receive, socket, streams, ticks } = serving()
    receive(streamHeader(1))
    driver.drain()
    ticks.run()
    assert.deepStrictEqual(kinds(socket), ["meta 0"])
    receive(streamHeader(5))
    assert.lengthOf(streams, 2)
    arrive()
    assert.isFalse(socket.ended)
    receive(streamHeader(2))
    const [refused] = framesIn(socket.sent())
    assert.deepStrictEqual([refused?.type, refused?.streamId], ["trailer", 2])
    assert.include(refused!.text, "graceful shutdown")
    assert.lengthOf(streams, 2)
    for (const stream of streams) {
      stream.finish({ code: 0, message: "" }, [])
      stream.release()
    }
    driver.wake()
    receive(streamTrailer(1))
    assert.isFalse(socket.ended)
    // Another was on its way.
    receive(streamHeader(3))
    arrive()
    assert.isFalse(socket.ended)
    arrive()
    assert.isTrue(socket.ended)
  })

  it("that drains does not wait for ever for a client that goes on", () => {
    const { arrive, driver, receive, socket, wait } = serving()
    driver.drain()
    arrive()
    for (let i = 0; i < 12 && !socket.ended; i++) {
      receive(streamHeader(i + 1))
      arrive()
      wait(100)
    }
    assert.isTrue(socket.ended)
  })

  it("drains when it is idle for too long, or too old", () => {
    for (const [options, after] of [
      [{ idleTimeout: 2000 }, 2000],
      [{ maxConnectionAge: 3000 }, 3000]
    ] as const) {
      const { arrive, receive, socket, streams, wait } = serving(options)
      receive(streamHeader(1), streamTrailer(1))
      wait(after - 500)
      streams[0]!.finish({ code: 0, message: "" }, [])
      streams[0]!.release()
      wait("idleTimeout" in options ? after - 20 : 480)
      arrive()
      assert.isFalse(socket.ended)
      wait(40)
      arrive()
      assert.isTrue(socket.ended)
    }
  })

  it("is dead when the client takes nothing for too long", () => {
    const { receive, socket, streams, ticks, wait } = serving({ stalledWriteTimeout: 3000 })
    receive(streamHeader(1))
    socket.takes = false
    const stream = streams[0]!
    const many = Array.from({ length: 100 }, () => kib(10))
    assert.isBelow(stream.write(many, 0, encodeBytes), 8)
    ticks.run()
    assert.isFalse(stream.writable)
    assert.strictEqual(stream.write(many, 0, encodeBytes), 0)
    wait(3000)
    assert.isTrue(socket.destroyed)
    assert.strictEqual(stream.end?._tag, "Failed")
  })
})

describe("a client's connection of streams", () => {
  it("sends the header with the first message in one write, and no more while the socket lags", () => {
    const { open, socket, ticks } = calling()
    const stream = open()
    stream.write(["a", "b"], 0, encodeText)
    ticks.run()
    assert.lengthOf(socket.written, 2)
    const { streamId } = framesIn(socket.sent())[0]!
    socket.takes = false
    stream.write(["c"], 0, encodeText)
    ticks.run()
    stream.write(["d"], 0, encodeText)
    ticks.run()
    assert.deepStrictEqual(kinds(socket), [`data ${streamId}`])
    socket.takes = true
    socket.events.onDrain()
    assert.deepStrictEqual(kinds(socket), [`data ${streamId}`])
  })

  it("tells its pool of each end, of a server that drains, and that it is over", () => {
    const { driver, open, receive, socket, told } = calling()
    const stream = open()
    const { streamId } = framesIn(socket.sent())[0]!
    assert.strictEqual(driver.load, 1)
    receive(streamTrailer(streamId))
    assert.deepStrictEqual([told, driver.load, driver.fit, driver.spoilt], [["settle"], 0, true, false])
    assert.strictEqual(stream.end?._tag, "Status")
    receive(streamTrailer(5).slice(0, 20))
    assert.isTrue(driver.spoilt)
    socket.events.onEnd()
    assert.deepStrictEqual(told, ["settle", "leave"])
    assert.isFalse(driver.fit)
  })

  it("is full while a server that reads nothing leaves too much of ended streams behind, and not when it reads again", () => {
    const { driver, open, socket, ticks } = calling({ limits: { maxOutboxBytes: 256 * 1024 } })
    socket.takes = false
    for (let i = 0; i < 8; i++) {
      assert.strictEqual(driver.full, i > 4)
      const stream = open()
      stream.write([kib(60)], 0, encodeBytes)
      stream.abort("cancel", cancelled)
      ticks.run()
    }
    socket.takes = true
    socket.events.onDrain()
    assert.isFalse(driver.full)
  })

  it("says what a server may be that is none of ours", () => {
    const settings = Uint8Array.of(0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100)
    const ends = (bytes: Uint8Array | undefined) => {
      const { open, receive, socket, unheard } = calling()
      const stream = open()
      if (bytes !== undefined) receive(bytes)
      socket.events.onEnd()
      const { end } = stream
      return [end?._tag === "Failed" ? end.error.desc : "", unheard()] as const
    }
    assert.match(ends(settings)[0], /the server speaks HTTP\/2 \(gRPC\): is it another port\?$/)
    const [silent, unheard] = ends(undefined)
    assert.include(silent, "connection closed by peer")
    assert.include(silent, "does it speak TTHeader streaming")
    assert.strictEqual(unheard, 1)
    assert.strictEqual(ends(streamData(1, kib(0)))[1], 0)
  })

  it("asks a silent server for beats only where it answered one", () => {
    const keepalive = { time: 1000, timeout: 500 }
    const kitex = calling({ keepalive })
    kitex.open()
    assert.deepStrictEqual(
      kinds(kitex.socket).map((kind) => kind.split(" ")[0]),
      ["meta", "header"]
    )
    kitex.wait(10_000)
    assert.deepStrictEqual(kinds(kitex.socket), [])
    assert.isFalse(kitex.socket.destroyed)

    const client = calling({ keepalive })
    const server = serving()
    const carry = () => {
      server.receive(client.socket.sent())
      server.ticks.run()
      client.receive(server.socket.sent())
      client.ticks.run()
    }
    carry()
    client.wait(5000)
    // Nothing runs on it.
    assert.deepStrictEqual(kinds(client.socket), [])
    const stream = client.open()
    carry()
    client.wait(990)
    assert.deepStrictEqual(kinds(client.socket), [])
    client.wait(20)
    assert.lengthOf(client.socket.written, 1)
    carry()
    client.wait(1010)
    assert.deepStrictEqual(kinds(client.socket), ["meta 0"])
    client.wait(480)
    assert.isFalse(client.socket.destroyed)
    client.wait(20)
    assert.isTrue(client.socket.destroyed)
    assert.strictEqual(stream.end?._tag === "Failed" && stream.end.error.reason._tag, "ConnectionLost")
  })

  it("is asked by a server only where it asked itself", () => {
    const keepalive = { time: 1000, timeout: 500, permitWithoutStream: true }
    const silent = serving({ keepalive })
    silent.receive(streamHeader(1))
    silent.wait(5000)
    assert.lengthOf(silent.socket.written, 0)
    const client = calling({ keepalive: { time: 100_000 } })
    const server = serving({ keepalive })
    server.receive(client.socket.sent())
    server.ticks.run()
    assert.deepStrictEqual(kinds(server.socket), ["meta 0"])
    server.wait(1010)
    assert.deepStrictEqual(kinds(server.socket), ["meta 0"])
    server.wait(500)
    assert.isTrue(server.socket.destroyed)
  })

  it("is not dead while nothing is read of it", () => {
    const client = calling({
      keepalive: { time: 1000, timeout: 500 },
      streamBufferLimit: 64 * 1024,
      stallTimeout: 60_000
    })
    const server = serving()
    const stream = client.open()
    server.receive(client.socket.sent())
    server.ticks.run()
    server.streams[0]!.write([kib(30)], 0, encodeBytes)
    server.ticks.run()
    client.receive(server.socket.sent())
    const { streamId } = framesIn(streamData(1, kib(0)))[0]!
    assert.strictEqual(streamId, 1)
    client.wait(1010)
    for (let i = 0; i < 3; i++) {
      server.streams[0]!.write([kib(30)], 0, encodeBytes)
      server.ticks.run()
      client.receive(server.socket.sent())
    }
    assert.isTrue(client.socket.paused)
    client.wait(5000)
    assert.isFalse(client.socket.destroyed)
    const into: Array<Uint8Array> = []
    stream.take(decodeBytes, 100, into)
    assert.lengthOf(into, 4)
    assert.isFalse(client.socket.paused)
  })

  it("sends no more than it would take itself until the server gives credit, or was silent for a while", () => {
    const { open, socket, ticks, wait } = calling({ streamCredit: true, streamBufferLimit: 64 * 1024 })
    const stream = open()
    const many = Array.from({ length: 200 }, () => kib(1))
    const written = stream.write(many, 0, encodeBytes)
    ticks.run()
    assert.isBelow(written, 64)
    assert.isFalse(stream.writable)
    wait(190)
    assert.isFalse(stream.writable)
    wait(10)
    assert.isTrue(stream.writable)
    // What a server says later counts all the same.
    const server = serving()
    server.receive(socket.sent())
    server.ticks.run()
    socket.events.onData(server.socket.sent())
    assert.isTrue(stream.writable)
  })

  it("hears of a server that drains, and opens nothing more on it", () => {
    const client = calling()
    const server = serving()
    const carry = () => {
      server.receive(client.socket.sent())
      server.ticks.run()
      client.receive(server.socket.sent())
      client.ticks.run()
    }
    const stream = client.open()
    carry()
    server.driver.drain()
    carry()
    assert.isFalse(client.driver.fit)
    assert.deepStrictEqual(client.told, ["settle"])
    // What runs goes on.
    server.streams[0]!.write(["still here"], 0, encodeText)
    server.ticks.run()
    client.receive(server.socket.sent())
    const into: Array<string> = []
    stream.take(decodeText, 1, into)
    assert.deepStrictEqual(into, ["still here"])
    const refused = client.driver.lease().open(requestTo("ADDRESS"))
    assert.isTrue(refused instanceof TransportError)
    stream.abort("cancel", cancelled)
    assert.deepStrictEqual(client.told.slice(1), ["settle"])
    client.driver.finish()
    client.ticks.run()
    assert.isTrue(client.socket.ended)
  })
})
