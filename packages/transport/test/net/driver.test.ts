import { assert, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import { Http2Client } from "../../src/internal/net/http2Client.ts"
import { Http2Server } from "../../src/internal/net/http2Server.ts"
import type { RawServerStream } from "../../src/RawStream.ts"
import { TransportError } from "../../src/TransportError.ts"
import type { ConnectionOptions } from "../../src/TransportOptions.ts"
import { concat, data, describe as show, parse, ping, RawPeer, settings, text, windowUpdate } from "../http2/raw.ts"
import { encodeText } from "../support/raw.ts"
import { FakeSocket, Ticks } from "../support/socket.ts"

const preface = text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
const headers = [":method", "POST", ":scheme", "http", ":path", "/a.B/C", "content-type", "application/grpc+thrift"]

const serving = (onStream: (stream: RawServerStream) => void, options: ConnectionOptions = {}) => {
  const ticks = new Ticks()
  const socket = new FakeSocket()
  const driver = new Http2Server(socket, ticks.options(options), 1000, onStream)
  driver.start()
  socket.events.onData(concat([preface, settings()]))
  ticks.run()
  socket.sent()
  return { ticks, socket, driver, peer: new RawPeer() }
}

const calling = (options: ConnectionOptions = {}) => {
  const ticks = new Ticks()
  const socket = new FakeSocket()
  const driver = new Http2Client("ADDRESS", socket, ticks.options(options), () => {})
  driver.start()
  socket.events.onData(settings())
  ticks.run()
  socket.sent()
  const stream = driver.open({ address: "ADDRESS", path: "/a.B/C", authority: "b" })
  if (stream instanceof TransportError) throw stream
  return { ticks, socket, driver, stream }
}

/** One tick of the watchdog, without its fiber. */
const expire = (driver: Http2Server | Http2Client, ticks: Ticks, millis: number) => {
  ticks.time += millis
  for (const timer of driver.timers()) {
    const since = timer.since()
    if (since !== undefined && since + timer.timeout <= ticks.time) timer.expire()
  }
  ticks.run()
}

describe("the driver", () => {
  it("frees a chunk from the middle of a large message at once, and keeps one that messages stay in", () => {
    const streams: Array<RawServerStream> = []
    const { peer, socket } = serving((stream) => streams.push(stream))
    socket.events.onData(concat([peer.headers(1, headers), data(1, Uint8Array.of(0, 0, 1, 0x86, 0xa0))]))
    const middle = concat([1, 2, 3].map((byte) => data(1, new Uint8Array(16_000).fill(byte))))
    socket.events.onData(middle)
    assert.strictEqual(middle.byteLength, 0)

    socket.events.onData(peer.headers(3, headers))
    const message = concat([Uint8Array.of(0, 0, 0, 0x27, 0x10), new Uint8Array(10_000).fill(4)])
    const whole = concat([1, 2, 3, 4].map(() => data(3, message)))
    socket.events.onData(whole)
    const taken: Array<number> = []
    streams[1]!.take((bytes, start, end) => bytes.subarray(start, end).reduce((sum, byte) => sum + byte, 0), 4, taken)
    assert.deepStrictEqual(taken, [40_000, 40_000, 40_000, 40_000])
  })

  it("announces a stream after the parse, and answers inside the read with one write", () => {
    let available = -1
    const { peer, socket } = serving((stream) => {
      available = stream.available
      stream.write(["x", "y"], 0, encodeText)
      stream.finish({ code: 0, message: "" }, [])
    })
    let writes = 0
    const write = socket.write.bind(socket)
    socket.write = (chunks) => {
      writes++
      return write(chunks)
    }
    socket.events.onData(concat([peer.headers(1, headers), data(1, Uint8Array.of(0, 0, 0, 0, 1, 65), true)]))
    assert.strictEqual(available, 1)
    assert.strictEqual(writes, 1)
    assert.deepStrictEqual(show(parse(socket.sent())), ["Headers(1)", "Data(1) 12", "Headers(1) end"])
  })

  it("writes once for everything a tick produced", () => {
    const { socket, stream, ticks } = calling()
    for (let i = 0; i < 100; i++) stream.write(["m"], 0, encodeText)
    assert.strictEqual(socket.written.length, 0)
    assert.strictEqual(ticks.waiting, 1)
    ticks.run()
    assert.deepStrictEqual(show(parse(socket.sent())), ["Headers(1)", "Data(1) 600"])
  })

  it("tells a listener once a read, whatever it brought", () => {
    const { socket, stream } = calling()
    const events: Array<string> = []
    stream.listener = {
      onReadable: () => events.push(`readable ${stream.available}`),
      onWritable: () => events.push("writable"),
      onAbort: () => events.push("abort")
    }
    const peer = new RawPeer()
    const message = Uint8Array.of(0, 0, 0, 0, 0)
    socket.events.onData(
      concat([
        peer.headers(1, [":status", "200", "content-type", "application/grpc"]),
        data(1, message),
        data(1, message)
      ])
    )
    assert.deepStrictEqual(events, ["readable 2"])
    socket.events.onData(concat([data(1, message), windowUpdate(1, 0)]))
    assert.deepStrictEqual(events, ["readable 2", "abort", "readable 3", "writable"])
  })

  it("keeps bytes while the kernel takes none, and goes on when it does", () => {
    const { socket, stream, ticks } = calling()
    socket.takes = false
    stream.write(["a"], 0, encodeText)
    ticks.run()
    socket.sent()
    stream.write(["b"], 0, encodeText)
    ticks.run()
    assert.strictEqual(socket.written.length, 0)
    socket.takes = true
    socket.events.onDrain()
    assert.deepStrictEqual(show(parse(socket.sent())), ["Data(1) 6"])
  })

  it("reads no more from a peer that does not read", () => {
    const { driver, peer, socket } = serving((stream) => {
      stream.finish({ code: 5, message: "x".repeat(1000) }, [])
      stream.release()
    })
    socket.takes = false
    for (let i = 0; i < 200 && !socket.paused; i++) {
      const streams = Array.from({ length: 10 }, (_, k) => peer.headers(1 + 2 * (i * 10 + k), headers, true))
      socket.events.onData(concat(streams))
    }
    assert.isTrue(socket.paused)
    assert.isFalse(driver.connection.closed)
    assert.isBelow(driver.connection.outbox.length, 1.5 * 1024 * 1024)
    socket.takes = true
    socket.events.onDrain()
    assert.isFalse(socket.paused)
  })

  it("a flood ends the connection with the limit's name", () => {
    const errors: Array<TransportError> = []
    const { peer, socket } = serving((stream) => {
      stream.listener = { onReadable: () => {}, onWritable: () => {}, onAbort: (error) => errors.push(error) }
    })
    socket.events.onData(peer.headers(1, headers))
    socket.events.onData(concat(Array.from({ length: 150 }, () => ping())))
    assert.isTrue(socket.ended)
    assert.deepInclude(errors[0]?.reason, { _tag: "LimitExceeded", limit: "pingBudget", max: 100 })
  })

  it("outlives a listener that throws", () => {
    const { peer, socket, ticks } = serving((stream) => {
      if (stream.method === "C") throw new Error("bug")
      stream.finish({ code: 0, message: "" }, [])
    })
    socket.events.onData(concat([peer.headers(1, headers), peer.headers(3, headers.with(5, "/a.B/D"))]))
    ticks.run()
    assert.strictEqual(String(ticks.defects[0]), "Error: bug")
    assert.include(show(parse(socket.sent())), "Headers(3) end")
  })
})

describe("its windows", () => {
  /** What either side says first, and the SETTINGS_INITIAL_WINDOW_SIZE in it. */
  const greetings = (options: ConnectionOptions) => {
    const ticks = new Ticks()
    const client = new FakeSocket()
    new Http2Client("ADDRESS", client, ticks.options(options), () => {}).start()
    const server = new FakeSocket()
    new Http2Server(server, ticks.options(options), 1000, () => {}).start()
    return [client.sent().subarray(preface.length), server.sent()].map((bytes) => {
      const frames = parse(bytes)
      const { payload } = frames[0]!
      const view = new DataView(payload.buffer, payload.byteOffset, payload.length)
      let initial: number | undefined
      for (let at = 0; at < payload.length; at += 6) if (view.getUint16(at) === 4) initial = view.getUint32(at + 2)
      return { initial, frames: show(frames) }
    })
  }

  it("are announced as the options say", () => {
    const said = { initial: 100_000, frames: ["Settings(0)", `WindowUpdate(0) ${300_000 - 65_535}`] }
    assert.deepStrictEqual(greetings({ connectionWindow: 300_000, initialStreamWindow: 100_000 }), [said, said])
    const first = { initial: 256 * 1024, frames: ["Settings(0)", `WindowUpdate(0) ${16 * 1024 * 1024 - 65_535}`] }
    assert.deepStrictEqual(greetings({}), [first, first])
  })

  it("are neither smaller than HTTP/2's first ones nor larger than its largest", () => {
    const least = { initial: 65_535, frames: ["Settings(0)"] }
    assert.deepStrictEqual(greetings({ connectionWindow: 1, initialStreamWindow: 0 }), [least, least])
    const most = { initial: 2 ** 31 - 1, frames: ["Settings(0)", `WindowUpdate(0) ${2 ** 31 - 1 - 65_535}`] }
    assert.deepStrictEqual(greetings({ connectionWindow: 2 ** 40, initialStreamWindow: Infinity }), [most, most])
  })

  it("of a stream grow up to maxStreamWindow", () => {
    const frames = [1, 2, 3, 4, 5].map(() =>
      data(1, concat([Uint8Array.of(0, 0, 0, 0x33, 0x2e), new Uint8Array(13_102)]))
    )
    const givenBack = (maxStreamWindow: number) => {
      const streams: Array<RawServerStream> = []
      const options = { initialStreamWindow: 65_535, maxStreamWindow }
      const { peer, socket, ticks } = serving((stream) => streams.push(stream), options)
      socket.events.onData(concat([peer.headers(1, headers), ...frames]))
      streams[0]!.take((_, start, end) => end - start, 5, [])
      ticks.run()
      return show(parse(socket.sent()))
    }
    assert.deepStrictEqual(givenBack(100_000), ["WindowUpdate(1) 100000"])
    assert.deepStrictEqual(givenBack(1), ["WindowUpdate(1) 65535"])
  })
})

describe("its timers", () => {
  it("end a connection whose peer takes nothing", () => {
    const { driver, socket, stream, ticks } = calling({ stalledWriteTimeout: 500 })
    socket.takes = false
    stream.write(["a"], 0, encodeText)
    ticks.run()
    expire(driver, ticks, 499)
    assert.isFalse(socket.destroyed)
    expire(driver, ticks, 1)
    assert.isTrue(socket.destroyed)
    assert.strictEqual(stream.end?._tag, "Failed")
  })

  it("ping a silent server, and give up when nothing comes", () => {
    const { driver, socket, stream, ticks } = calling({ keepalive: { time: 100, timeout: 50 } })
    ticks.run()
    socket.sent()
    expire(driver, ticks, 100)
    assert.deepStrictEqual(show(parse(socket.sent())), ["Ping(0)"])
    expire(driver, ticks, 50)
    assert.isTrue(socket.destroyed)
    assert.strictEqual(
      stream.end?._tag === "Failed" ? stream.end.error.desc : "",
      'connection error: desc = "keepalive ping failed to receive ACK within timeout"'
    )
  })

  it("do not ping without streams unless told to", () => {
    const { driver, socket, stream, ticks } = calling({ keepalive: { time: 100, timeout: 50 } })
    stream.abort("cancel", new Error() as never)
    ticks.run()
    socket.sent()
    expire(driver, ticks, 1000)
    assert.strictEqual(socket.written.length, 0)
  })

  it("end what sends no preface, and what stops inside a frame", () => {
    const ticks = new Ticks()
    const socket = new FakeSocket()
    const driver = new Http2Server(socket, ticks.options(), 1000, () => {})
    driver.start()
    expire(driver, ticks, 1000)
    assert.isTrue(socket.destroyed)

    const slow = serving(() => {})
    slow.socket.events.onData(slow.peer.headers(1, headers).subarray(0, 12))
    expire(slow.driver, slow.ticks, 999)
    assert.isFalse(slow.socket.destroyed)
    expire(slow.driver, slow.ticks, 1)
    assert.isTrue(slow.socket.destroyed)
  })

  it("close an idle client, and drain an idle server", () => {
    const client = calling({ idleTimeout: 1000 })
    client.stream.abort("cancel", new Error() as never)
    client.ticks.run()
    expire(client.driver, client.ticks, 1000)
    assert.isTrue(client.socket.ended)

    const server = serving(() => {}, { idleTimeout: 1000 })
    expire(server.driver, server.ticks, 1000)
    assert.deepStrictEqual(show(parse(server.socket.sent())), ["Goaway(0) 2147483647 0", "Ping(0)"])
    expire(server.driver, server.ticks, 1000)
    assert.deepStrictEqual(show(parse(server.socket.sent())), ["Goaway(0) 0 0"])
    assert.isTrue(server.socket.ended)
    expire(server.driver, server.ticks, 1000)
    assert.isTrue(server.socket.destroyed)
  })

  it("count the idle time of a server from its last stream, also when that ended inside its read", () => {
    const { driver, peer, socket, ticks } = serving(
      (stream) => {
        stream.finish({ code: 0, message: "" }, [])
        stream.release()
      },
      { idleTimeout: 1000 }
    )
    expire(driver, ticks, 900)
    socket.events.onData(peer.headers(1, headers, true))
    assert.strictEqual(driver.connection.active, 0)
    socket.sent()
    expire(driver, ticks, 900)
    assert.strictEqual(socket.written.length, 0)
    expire(driver, ticks, 100)
    assert.deepStrictEqual(show(parse(socket.sent())), ["Goaway(0) 2147483647 0", "Ping(0)"])
  })

  it("end an idle connection after 30 minutes, unless told never to", () => {
    const half = 30 * 60 * 1000
    const idle = (options: ConnectionOptions, millis: number) => {
      const client = calling(options)
      client.stream.abort("cancel", new Error() as never)
      client.ticks.run()
      expire(client.driver, client.ticks, millis)
      const server = serving(() => {}, options)
      expire(server.driver, server.ticks, millis)
      return [client.socket.ended, show(parse(server.socket.sent()))]
    }
    assert.deepStrictEqual(idle({}, half - 1), [false, []])
    assert.deepStrictEqual(idle({}, half), [true, ["Goaway(0) 2147483647 0", "Ping(0)"]])
    assert.deepStrictEqual(idle({ idleTimeout: Duration.infinity }, 1000 * half), [false, []])
  })
})
