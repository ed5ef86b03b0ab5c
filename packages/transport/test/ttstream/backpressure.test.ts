import { assert, describe, it } from "@effect/vitest"
import type { RawEnd } from "../../src/RawStream.ts"
import { Choices, choices } from "../http2/arbitraries.ts"
import { decodeText, encodeBytes, encodeText } from "../support/raw.ts"
import * as Raw from "./raw.ts"
import { cancelled, ClientSide, listen, ok, Pair, ServerSide, takeAll } from "./support.ts"

const kibibyte = "x".repeat(1024)

const limitOf = (end: RawEnd | undefined): string | undefined =>
  end?._tag === "Failed" && end.error.reason._tag === "LimitExceeded" ? end.error.reason.limit : undefined

const one = (stream: { take: (decode: typeof decodeText, max: number, into: Array<string>) => void }): string => {
  const into: Array<string> = []
  stream.take(decodeText, 1, into)
  return into[0]!
}

describe("ttstream backpressure", () => {
  describe("receiving", () => {
    it("stands still while a stream holds more bytes than it may, and goes on when some are taken", () => {
      const side = new ServerSide({ streamBufferLimit: 4096 })
      side.time = 1000
      side.receive(Raw.requestHeader(1))
      const stream = side.accepted[0]!
      for (let i = 0; i < 5; i++) side.receive(Raw.data(kibibyte))
      assert.deepStrictEqual([side.connection.full, side.connection.fullSince, side.fulls], [false, undefined, []])
      side.receive(Raw.data("y"))
      assert.deepStrictEqual([side.connection.full, side.connection.fullSince, side.fulls], [true, 1000, [true]])
      side.time = 1200
      assert.strictEqual(one(stream), kibibyte)
      assert.deepStrictEqual(
        [side.connection.full, side.connection.fullSince, side.fulls],
        [false, undefined, [true, false]]
      )
    })

    it("gives no more time to a reader that takes a little: its neighbours wait", () => {
      const side = new ServerSide({ streamBufferLimit: 4096 })
      side.receive(Raw.requestHeader(1))
      side.receive(Buffer.concat(Array.from({ length: 20 }, () => Raw.data(kibibyte))))
      side.time = 300
      one(side.accepted[0]!)
      assert.deepStrictEqual([side.connection.full, side.connection.fullSince], [true, 0])
      side.time = 500
      side.connection.stalled()
      assert.strictEqual(limitOf(side.accepted[0]!.end), "streamBufferLimit")
      assert.isFalse(side.connection.full)
    })

    it("takes one message that is larger than the bound", () => {
      const side = new ServerSide({ streamBufferLimit: 100 })
      side.receive(Raw.requestHeader(1))
      side.receive(Raw.data(kibibyte))
      assert.isFalse(side.connection.full)
      side.receive(Raw.data("a"))
      assert.isTrue(side.connection.full)
    })

    it("bounds messages too", () => {
      const side = new ServerSide({ streamBufferMessages: 3 })
      side.receive(Raw.requestHeader(1))
      for (let i = 0; i < 3; i++) side.receive(Raw.data("a"))
      assert.isFalse(side.connection.full)
      side.receive(Raw.data("a"))
      assert.isTrue(side.connection.full)
      takeAll(side.accepted[0]!)
      assert.isFalse(side.connection.full)
    })

    for (const role of ["client", "server"] as const) {
      it(`${role}: a stream that stays full is reset with its reason, and its neighbour goes on`, () => {
        const pair = new Pair({ streamBufferLimit: 4096 })
        const [client, server] = pair.open("Slow")
        const neighbours = pair.open("Fast")
        const [stalled, peer] = role === "client" ? [client, server] : [server, client]
        const [side, other] = role === "client" ? [pair.client, pair.server] : [pair.server, pair.client]
        const heard = listen(stalled)
        const heardByPeer = listen(peer)
        peer.write(
          Array.from({ length: 20 }, () => kibibyte),
          0,
          encodeText
        )
        pair.run()
        assert.isTrue(side.connection.full)
        side.time = 500
        side.connection.stalled()
        assert.isFalse(side.connection.full)
        assert.strictEqual(stalled.available, 0)
        assert.strictEqual(limitOf(stalled.end), "streamBufferLimit")
        const frames = Raw.parse(side.taken(true))
        assert.strictEqual(frames.map(({ type }) => type).join(" "), role === "client" ? "Rst Trailer" : "Rst")
        assert.deepStrictEqual(heard.calls.slice(-3), ["abort", "readable", "writable"])
        assert.strictEqual(heard.abort?.reason._tag, "LimitExceeded")
        other.receive(Raw.rst(frames[0]!.sid, { payload: frames[0]!.payload }))
        assert.strictEqual(heardByPeer.abort?.reason._tag, "StreamReset")
        assert.strictEqual(heardByPeer.abort?.code, 12011)
        assert.include(heardByPeer.abort?.desc, "streamBufferLimit (4096 bytes)")
        const [a, b] = neighbours
        a.write(["ping"], 0, encodeText)
        pair.run()
        assert.deepStrictEqual(takeAll(b), ["ping"])
      })
    }

    it("names the messages where they are too many", () => {
      const side = new ServerSide({ streamBufferMessages: 3 })
      side.receive(Raw.requestHeader(1))
      for (let i = 0; i < 4; i++) side.receive(Raw.data("a"))
      side.time = 500
      side.connection.stalled()
      assert.strictEqual(limitOf(side.accepted[0]!.end), "streamBufferMessages")
    })

    it("leaves time to a stream that was below its bound meanwhile", () => {
      const side = new ServerSide({ streamBufferLimit: 4096 })
      const fill = (sid: number) => Array.from({ length: 20 }, () => Raw.data(kibibyte, sid))
      side.receive(Buffer.concat([Raw.requestHeader(1), Raw.requestHeader(2), ...fill(1), ...fill(2)]))
      const [stalled, slow] = side.accepted
      side.time = 400
      takeAll(slow!)
      side.receive(Buffer.concat(fill(2)))
      side.time = 500
      assert.strictEqual(side.connection.fullSince, 0)
      side.connection.stalled()
      assert.strictEqual(limitOf(stalled!.end), "streamBufferLimit")
      assert.isUndefined(slow!.end)
      assert.deepStrictEqual([side.connection.full, side.connection.fullSince], [true, 400])
      side.time = 900
      side.connection.stalled()
      assert.strictEqual(limitOf(slow!.end), "streamBufferLimit")
      assert.isFalse(side.connection.full)
    })

    it("does not stand still for a stream that has ended, whose messages are all delivered", () => {
      const pair = new Pair({ streamBufferLimit: 4096 })
      const [client, server] = pair.open()
      server.write(
        Array.from({ length: 20 }, (_, i) => `${i}`.padEnd(1024)),
        0,
        encodeText
      )
      server.finish(ok, [])
      // One read has it all.
      pair.client.receive(pair.server.taken())
      assert.isFalse(pair.client.connection.full)
      assert.deepStrictEqual(pair.client.fulls, [true, false])
      pair.client.connection.stalled()
      assert.strictEqual(takeAll(client).length, 20)
      assert.deepStrictEqual(client.end, { _tag: "Status", status: ok })
    })

    it("frees what a stream held when it is aborted, finished or given up", () => {
      for (const leave of ["abort", "finish", "rst"] as const) {
        const side = new ServerSide({ streamBufferLimit: 10 })
        side.receive(Raw.requestHeader(1))
        const stream = side.accepted[0]!
        side.receive(Buffer.concat([Raw.data("a".repeat(8)), Raw.data("b".repeat(8)), Raw.data("c")]))
        assert.isTrue(side.connection.full)
        if (leave === "abort") stream.abort("cancel", cancelled)
        else if (leave === "finish") stream.finish(ok, [])
        else side.receive(Raw.rst(1))
        stream.release()
        assert.isFalse(side.connection.full)
        assert.strictEqual((side.connection as any).holdings.bytes, 0)
        assert.strictEqual((side.connection as any).holdings.leftovers.length, 0)
      }
    })

    it("bounds what all streams hold together, and drops the largest", () => {
      const pair = new Pair({ streamBufferLimit: 8192, connectionBufferLimit: 10_000 })
      const streams = [pair.open(), pair.open(), pair.open()] as const
      const sizes = [7, 2, 3]
      streams.forEach(([, server], i) => {
        server.write(
          Array.from({ length: sizes[i]! }, () => kibibyte),
          0,
          encodeText
        )
        if (i === 0) server.finish(ok, [])
      })
      pair.run()
      assert.isTrue(pair.client.connection.full)
      assert.strictEqual(pair.client.connection.fullSince, 0)
      // The largest has come to a good end, of which something would be missing.
      assert.strictEqual(streams[0][0].end?._tag, "Status")
      pair.client.time = 500
      pair.client.connection.stalled()
      assert.strictEqual(limitOf(streams[0][0].end), "connectionBufferLimit")
      assert.strictEqual(streams[0][0].available, 0)
      assert.isFalse(pair.client.connection.full)
      assert.deepStrictEqual([streams[1][0].available, streams[2][0].available], [2, 3])
      for (const [client] of streams) takeAll(client)
      assert.strictEqual((pair.client.connection as any).holdings.bytes, 0)
    })

    it("what a chunk has beyond the bound is still read", () => {
      const side = new ServerSide({ streamBufferLimit: 100 })
      side.receive(Raw.requestHeader(1))
      side.receive(
        Buffer.concat([...Array.from({ length: 10 }, () => Raw.data(kibibyte)), Raw.requestHeader(2), Raw.data("x", 2)])
      )
      assert.isTrue(side.connection.full)
      assert.deepStrictEqual(takeAll(side.accepted[1]!), ["x"])
    })
  })

  describe("sending", () => {
    it("stops at sendBufferLimit until the kernel has taken it, and says so once", () => {
      const side = new ClientSide({ sendBufferLimit: 3000 })
      const stream = side.open()
      const other = side.open()
      side.taken()
      const heard = listen(stream)
      const messages = Array.from({ length: 10 }, () => kibibyte)
      assert.strictEqual(stream.write(messages, 0, encodeText), 3)
      assert.isFalse(stream.writable)
      assert.strictEqual(stream.buffered, 3 * (1024 + 34))
      assert.strictEqual(stream.write(messages, 3, encodeText), 3)
      // The buffer of another stream is its own.
      assert.strictEqual(other.write(["a"], 0, encodeText), 1)
      // Taken out of the outbox, and not by the kernel yet.
      side.taken(true)
      assert.strictEqual(stream.write(messages, 3, encodeText), 3)
      assert.deepStrictEqual(heard.calls, [])
      side.connection.outbox.recycle()
      side.deliver()
      assert.deepStrictEqual(heard.calls, ["writable"])
      assert.isTrue(stream.writable)
      assert.strictEqual(stream.buffered, 0)
      assert.strictEqual(stream.write(messages, 3, encodeText), 6)
      side.taken()
      side.taken()
      assert.deepStrictEqual(heard.calls, ["writable", "writable"])
    })

    it("counts what is written while earlier bytes are on their way to the kernel", () => {
      const side = new ClientSide({ sendBufferLimit: 5000 })
      const stream = side.open()
      side.taken()
      const frame = 1024 + 34
      stream.write([kibibyte, kibibyte], 0, encodeText)
      side.connection.outbox.take()
      stream.write([kibibyte], 0, encodeText)
      assert.strictEqual(stream.buffered, 3 * frame)
      side.connection.outbox.recycle()
      assert.strictEqual(stream.buffered, frame)
      side.taken()
      assert.strictEqual(stream.buffered, 0)
      assert.strictEqual((side.connection as any).senders.length, 0)
    })

    it("sends large binary values by reference, behind the true length", () => {
      const side = new ClientSide()
      const stream = side.open()
      side.taken()
      const large = Buffer.alloc(10_000, 7)
      stream.write([Buffer.from("a"), large, Buffer.from("b")], 0, encodeBytes, true)
      assert.deepStrictEqual([stream.lastWrittenBytes, stream.lastWrittenSize, stream.lastWrittenCount], [10_002, 1, 3])
      const chunks = side.connection.outbox.take()!
      assert.isTrue(chunks.some((chunk) => chunk.buffer === large.buffer))
      const frames = Raw.parse(Buffer.concat(chunks))
      assert.deepStrictEqual(
        frames.map(({ payload, type }) => [type, payload.length]),
        [
          ["Data", 1],
          ["Data", 10_000],
          ["Data", 1],
          ["Trailer", 0]
        ]
      )
    })

    it("remembers a stream that sends once, however often it writes", () => {
      const side = new ClientSide()
      const stream = side.open()
      for (let i = 0; i < 10; i++) stream.write(["a", "b"], 0, encodeText)
      assert.strictEqual((side.connection as any).senders.length, 1)
    })

    it("does not remember a stream for messages that could not be encoded", () => {
      const side = new ClientSide()
      const stream = side.open()
      side.taken()
      for (let i = 0; i < 5; i++) {
        assert.throws(() =>
          stream.write([0], 0, () => {
            throw new Error("no")
          })
        )
      }
      assert.strictEqual((side.connection as any).senders.length, 0)
    })
  })

  describe("credit", () => {
    const credit = { credit: true, streamBufferLimit: 4096, sendBufferLimit: 1 << 20 }

    it("stops a writer whose reader lags, and nobody else", () => {
      const pair = new Pair(credit)
      const [client, server] = pair.open()
      const neighbours = pair.open()
      const messages = Array.from({ length: 100 }, () => kibibyte)
      for (const [writer, reader] of [
        [client, server],
        [server, client]
      ] as const) {
        const heard = listen(writer)
        // 4096 bytes, of which a message costs its own and 64 more.
        assert.strictEqual(writer.write(messages, 0, encodeText), 4)
        assert.isFalse(writer.writable)
        pair.run()
        assert.deepStrictEqual(heard.calls, [])
        assert.strictEqual(writer.write(messages, 4, encodeText), 4)
        one(reader)
        pair.run()
        assert.deepStrictEqual(heard.calls, [])
        one(reader)
        pair.run()
        // Half of it was taken.
        assert.deepStrictEqual(heard.calls, ["writable"])
        assert.strictEqual(writer.write(messages, 4, encodeText), 6)
        pair.run()
        assert.strictEqual(reader.available, 4)
        takeAll(reader)
        pair.run()
      }
      const [a, b] = neighbours
      a.write(["ping"], 0, encodeText)
      pair.run()
      assert.deepStrictEqual(takeAll(b), ["ping"])
      assert.deepStrictEqual([pair.client.fulls, pair.server.fulls], [[], []])
    })

    it("is asked for in the Header, given at once, and by the server's option too", () => {
      const pair = new Pair({ credit: true }, { streamBufferLimit: 100_000 })
      pair.client.open()
      const [request] = Raw.parse(pair.client.connection.outbox.take()![0]!)
      assert.deepStrictEqual(request!.ints, { [0x4d54]: `${512 * 1024}` })
      const small = new ServerSide({ streamBufferLimit: 100_000 })
      small.receive(Raw.requestHeader(3, "Echo", { ints: [[0x4d54, "1000"]] }))
      assert.deepStrictEqual(Raw.parse(small.taken()), [
        { sid: 3, type: "Meta", method: "Echo", ints: { [0x4d54]: "100000" }, strings: {}, payload: Buffer.alloc(0) }
      ])
      // Nobody who does not ask sees any of it.
      small.receive(Raw.requestHeader(5))
      takeAll(small.accepted[1]!)
      assert.strictEqual(small.taken().length, 0)
      const shared = new ServerSide({ connectionBufferLimit: 256 * 20_000 })
      shared.receive(Raw.requestHeader(3, "Echo", { ints: [[0x4d54, "1000"]] }))
      assert.strictEqual(Raw.parse(shared.taken())[0]!.ints[0x4d54], "20000")
      const many = new ServerSide({ maxConcurrentStreams: Infinity })
      many.receive(Raw.requestHeader(3, "Echo", { ints: [[0x4d54, "1000"]] }))
      assert.strictEqual(Raw.parse(many.taken())[0]!.ints[0x4d54], "16384")
    })

    it("is what this end would take until the server gives some, and not there when it gives none: it may be Kitex", () => {
      const side = new ClientSide({ ...credit })
      const stream = side.open()
      const heard = listen(stream)
      side.taken()
      const messages = Array.from({ length: 10 }, () => kibibyte)
      assert.isTrue(side.connection.awaitsCredit)
      assert.strictEqual(stream.write(messages, 0, encodeText), 4)
      side.connection.goWithoutCredit()
      side.deliver()
      assert.isFalse(side.connection.awaitsCredit)
      assert.deepStrictEqual(heard.calls, ["writable"])
      assert.strictEqual(stream.write(messages, 4, encodeText), 10)
      // What was sent until then counts.
      const { sid } = { sid: (stream as any).streamId as number }
      side.receive(Raw.meta(sid, { ints: [[0x4d54, "12000"]] }))
      assert.isTrue(stream.writable)
      assert.strictEqual(stream.write(messages, 0, encodeText), 2)
      // The next stream begins with as much; the first word on it is the same credit, not more.
      const next = side.open()
      side.taken()
      assert.strictEqual(next.write(messages, 0, encodeText), 10)
      const third = side.open()
      assert.strictEqual(
        third.write(
          Array.from({ length: 20 }, () => kibibyte),
          0,
          encodeText
        ),
        12
      )
      side.receive(Raw.meta((third as any).streamId, { ints: [[0x4d54, "12000"]] }))
      assert.isFalse(third.writable)
      side.receive(Raw.meta((third as any).streamId, { ints: [[0x4d54, "5000"]] }))
      assert.isTrue(third.writable)
    })

    it("is not given for what is taken behind the end", () => {
      const pair = new Pair(credit)
      const [client, server] = pair.open()
      client.write(
        Array.from({ length: 3 }, () => kibibyte),
        0,
        encodeText,
        true
      )
      pair.run()
      assert.deepStrictEqual(server.end, { _tag: "HalfClosed" })
      takeAll(server)
      assert.strictEqual(pair.server.taken().length, 0)
    })

    it("ignores credit that is none", () => {
      const side = new ClientSide(credit)
      const stream = side.open()
      side.taken()
      for (const value of ["", "-1", "1e3", "NaN", "99999999999", "x"]) {
        side.receive(Raw.meta((stream as any).streamId, { ints: [[0x4d54, value]] }))
      }
      assert.isTrue(stream.writable)
      assert.isUndefined(side.closed)
    })

    it.prop(
      "keeps every stream within its bound, in any order of calls, and lets all arrive",
      { given: choices },
      ({ given }) => {
        const choose = new Choices(given)
        const pair = new Pair({ credit: true, streamBufferLimit: 2000, streamBufferMessages: 20 })
        const streams = [pair.open(), pair.open()]
        const lanes = streams.flatMap(([client, server]) => [
          { from: client, to: server, sent: 0, messages: [] as Array<string>, got: [] as Array<string> },
          { from: server, to: client, sent: 0, messages: [] as Array<string>, got: [] as Array<string> }
        ])
        for (const lane of lanes) {
          lane.messages = Array.from({ length: 60 }, (_, i) => `${i} `.padEnd(choose.pick([0, 10, 300, 3000]), "x"))
        }
        const step = () => {
          const lane = choose.pick(lanes)
          const what = choose.below(3)
          if (what === 0) lane.sent = lane.from.write(lane.messages, lane.sent, encodeText)
          else if (what === 1) lane.to.take(decodeText, choose.below(10), lane.got)
          else pair.run()
          assert.isFalse(pair.client.connection.full || pair.server.connection.full)
        }
        for (let i = 0; i < 60; i++) step()
        for (let i = 0; i < 300 && lanes.some(({ got, messages }) => got.length < messages.length); i++) {
          for (const lane of lanes) {
            lane.sent = lane.from.write(lane.messages, lane.sent, encodeText)
            pair.run()
            lane.to.take(decodeText, 7, lane.got)
            pair.run()
          }
        }
        for (const { got, messages } of lanes) assert.deepStrictEqual(got, messages)
      }
    )
  })
})
