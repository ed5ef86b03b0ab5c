import { assert, describe, it } from "@effect/vitest"
import type { RawEnd, RawStatus } from "../../src/RawStream.ts"
import { encodeText } from "../support/raw.ts"
import { Choices, choices } from "../http2/arbitraries.ts"
import * as Raw from "./raw.ts"
import { ClientSide, entriesOf, listen, ok, Pair, reasonOf, ServerSide, takeAll } from "./support.ts"

const Key = { Credit: 0x4d54, Beat: 0x4d55, Draining: 0x4d56, StatusCode: 0x4d57 } as const

const failed = (end: RawEnd | undefined) => {
  assert.strictEqual(end?._tag, "Failed")
  return (end as Extract<RawEnd, { _tag: "Failed" }>).error
}

/** The limit for which a connection was ended. */
const limitOf = ({ closed }: ServerSide): string | undefined => (closed?._tag === "Error" ? closed.limit : undefined)

const statusOf = (end: RawEnd | undefined): RawStatus => {
  assert.strictEqual(end?._tag, "Status")
  return (end as Extract<RawEnd, { _tag: "Status" }>).status
}

/** Bytes of arrays and of the buffers behind them, of all that is reachable. */
const reachable = (root: unknown): number => {
  const seen = new Set<unknown>()
  const todo: Array<unknown> = [root]
  let size = 0
  while (todo.length > 0) {
    const value = todo.pop()
    if (typeof value === "string") size += value.length
    if (value === null || typeof value !== "object" || seen.has(value)) continue
    seen.add(value)
    size += 16
    if (ArrayBuffer.isView(value)) {
      if (!seen.has(value.buffer)) size += value.buffer.byteLength
      seen.add(value.buffer)
    } else if (value instanceof Map || value instanceof Set) {
      for (const entry of value) todo.push(entry)
    } else for (const key of Reflect.ownKeys(value)) todo.push((value as any)[key])
  }
  return size
}

describe("ttstream limits", () => {
  describe("streams of a server", () => {
    it("refuses more than may be open, with a Trailer that names the limit", () => {
      const pair = new Pair({ maxConcurrentStreams: 2 })
      pair.open()
      const [, server] = pair.open()
      const third = pair.client.open()
      pair.run()
      const { code, message } = statusOf(third.end)
      assert.strictEqual(code, 14)
      assert.match(message, /maxConcurrentStreams/)
      assert.strictEqual(pair.server.accepted.length, 2)
      server.finish(ok, [])
      server.release()
      pair.run()
      pair.open()
    })

    it("starts a handler in place of one whose stream was reset only when that has ended", () => {
      const side = new ServerSide({ maxConcurrentStreams: 2 })
      side.receive(Buffer.concat([Raw.requestHeader(1), Raw.requestHeader(2)]))
      side.receive(Buffer.concat([Raw.rst(1), Raw.requestHeader(3), Raw.data("x", 3)]))
      assert.strictEqual(side.accepted.length, 2)
      assert.strictEqual(side.connection.active, 2)
      side.accepted[0]!.release()
      assert.strictEqual(side.accepted.length, 3)
      assert.deepStrictEqual(takeAll(side.accepted[2]!), ["x"])
      // Twice gives one place.
      side.accepted[0]!.release()
      side.receive(Buffer.concat([Raw.rst(2), Raw.requestHeader(4)]))
      assert.strictEqual(side.accepted.length, 3)
    })

    it("a stream that is opened and reset in one read is seen by nobody", () => {
      const side = new ServerSide()
      let gone = 0
      side.verdict = () => ({ gone: () => gone++ })
      side.receive(Buffer.concat([Raw.requestHeader(1), Raw.rst(1)]))
      assert.deepStrictEqual([side.accepted.length, gone, side.connection.active], [0, 1, 0])
    })

    it("asks who admits, with what the Header says, and answers a refusal at once", () => {
      const side = new ServerSide()
      const asked: Array<unknown> = []
      const refusal: RawStatus = Object.freeze({ code: 20, message: "unknown service Nope" })
      side.verdict = (request, metadata) => {
        const { header, method, package: name, path, protocol, service, thrift, timeoutMillis } = request
        asked.push([
          protocol,
          name,
          service,
          method,
          path,
          timeoutMillis,
          thrift,
          header?.strings.get("isn"),
          entriesOf(metadata)
        ])
        return service === "Nope" ? refusal : undefined
      }
      for (const sid of [1, 2]) {
        const strings = { isn: "Nope", RPC_PERSIST_a: "1", RPC_TRANSIT_b: "2", own: "3" }
        side.receive(
          Buffer.concat([
            Raw.requestHeader(sid, "M", { strings, ints: [[12, "-5"]] }),
            Raw.data("x", sid),
            Raw.trailer(sid)
          ])
        )
      }
      const each = ["ttheader-streaming", "", "Nope", "M", "/Nope/M", -5, true, "Nope", [["own", ["3"]]]]
      assert.deepStrictEqual(asked, [each, each])
      const frames = Raw.parse(side.taken())
      assert.deepStrictEqual(
        frames.map(({ sid, type }) => [sid, type]),
        [
          [1, "Header"],
          [1, "Trailer"],
          [2, "Header"],
          [2, "Trailer"]
        ]
      )
      assert.deepStrictEqual(frames[1]!.payload, Raw.exception("unknown service Nope", 20, "M", 1))
      assert.strictEqual(side.connection.active, 0)
      side.receive(Raw.requestHeader(3))
      assert.strictEqual(side.accepted.length, 1)
    })

    it("a refusal that no header holds goes out shortened", () => {
      const side = new ServerSide()
      side.verdict = () => ({ code: 13, message: "n".repeat(70_000), biz: { code: 9, extra: {} } })
      side.receive(Raw.requestHeader(1))
      const frames = Raw.parse(side.taken())
      assert.deepStrictEqual(
        frames.map(({ type }) => type),
        ["Header", "Trailer"]
      )
      assert.strictEqual(frames[1]!.strings["biz-status"], "9")
      assert.match(frames[1]!.strings["biz-message"]!, /^n{1024}\.\.\. \(cut: /)
      assert.isUndefined(side.closed)
    })

    for (const text of ["", "abc", "1.5", "9007199254740993"]) {
      it(`a timeout that is none: ${JSON.stringify(text)}`, () => {
        const side = new ServerSide()
        side.receive(Raw.requestHeader(1, "M", { ints: [[12, text]] }))
        assert.isUndefined(side.accepted[0]!.timeoutMillis)
      })
    }

    it("ends a connection that resets before anything was answered, over and over", () => {
      const side = new ServerSide({ resetBudget: { burst: 10, perSecond: 0 } })
      side.onStream = (stream) => stream.release()
      for (let sid = 1; sid <= 10; sid++) side.receive(Buffer.concat([Raw.requestHeader(sid), Raw.rst(sid)]))
      assert.isUndefined(side.closed)
      side.receive(Raw.requestHeader(11))
      side.receive(Buffer.concat([Raw.requestHeader(12), Raw.rst(12)]))
      assert.strictEqual(limitOf(side), "resetBudget")
      assert.deepStrictEqual(reasonOf(failed(side.accepted.at(-1)?.end)), {
        _tag: "LimitExceeded",
        limit: "resetBudget",
        max: 10
      })
    })

    it("does not mind resets of streams that were answered, or an id that is opened twice now and then", () => {
      const side = new ServerSide({ resetBudget: { burst: 1, perSecond: 0 } })
      side.onStream = (stream) => {
        stream.sendHeaders([])
        stream.release()
      }
      for (let sid = 1; sid <= 100; sid++) {
        side.receive(Raw.requestHeader(sid))
        side.receive(Raw.rst(sid))
        side.taken()
      }
      assert.isUndefined(side.closed)
      side.onStream = (stream) => stream.release()
      side.receive(Buffer.concat([Raw.requestHeader(1), Raw.requestHeader(1)]))
      assert.isUndefined(side.closed)
      side.receive(Buffer.concat([Raw.requestHeader(2), Raw.requestHeader(2)]))
      assert.strictEqual(limitOf(side), "resetBudget")
    })

    it("a million streams, opened and reset, leave nothing behind", () => {
      const side = new ServerSide({ resetBudget: { burst: 1e9, perSecond: 0 } })
      side.onStream = (stream) => stream.release()
      let sid = 0
      const storm = (count: number) => {
        for (let i = 0; i < count; i++) {
          const frames: Array<Buffer> = []
          for (let k = 0; k < 50; k++) {
            sid++
            frames.push(Raw.requestHeader(sid), Raw.data("x", sid))
            if (k % 2 === 0) frames.push(Raw.rst(sid))
          }
          side.receive(Buffer.concat(frames))
          side.receive(Buffer.concat(Array.from({ length: 25 }, (_, k) => Raw.rst(sid - 48 + 2 * k))))
          side.accepted.length = 0
          side.taken()
        }
      }
      storm(2)
      const before = reachable(side)
      storm(40)
      assert.strictEqual(side.connection.active, 0)
      assert.isAtMost(reachable(side) - before, 2048)
    })
  })

  describe("a peer that does not read", () => {
    it("is cut off when too many answers wait, of whatever kind", () => {
      for (const frames of [
        (sid: number) => Raw.requestHeader(sid),
        (sid: number) => Raw.requestHeader(sid, "Echo", { ints: [[Key.Credit, "1000"]] })
      ]) {
        const side = new ServerSide({ maxOutboxBytes: 10_000, maxConcurrentStreams: 1 })
        let sid = 1
        for (; sid < 1000 && side.closed === undefined; sid++) side.receive(frames(sid))
        assert.isBelow(sid, 200)
        assert.strictEqual(limitOf(side), "maxOutboxBytes")
        assert.isBelow(side.connection.outbox.length, 20_000)
      }
    })

    it("that reads is never cut off, however much it asks", () => {
      const side = new ServerSide({ maxOutboxBytes: 1000, maxConcurrentStreams: 1 })
      for (let sid = 1; sid < 200; sid++) {
        side.receive(Raw.requestHeader(sid))
        side.taken()
      }
      assert.isUndefined(side.closed)
    })

    it("may let messages wait, up to the buffers of their streams", () => {
      const pair = new Pair({}, { maxOutboxBytes: 1000, sendBufferLimit: 50_000 })
      const [, server] = pair.open()
      server.write(
        Array.from({ length: 100 }, () => "x".repeat(1000)),
        0,
        encodeText
      )
      pair.server.receive(Raw.meta(0))
      assert.isUndefined(pair.server.closed)
    })

    it("gets one answer to all beats of a read", () => {
      const side = new ServerSide()
      side.receive(Buffer.concat(Array.from({ length: 100 }, () => Raw.meta(0, { ints: [[Key.Beat, "1"]] }))))
      assert.deepStrictEqual(
        Raw.parse(side.taken()).map(({ ints, sid }) => [sid, ints]),
        [[0, { [Key.Beat]: "2" }]]
      )
    })
  })

  describe("beats", () => {
    it("are answered by both ends, and known to be", () => {
      const pair = new Pair()
      assert.deepStrictEqual([pair.client.connection.beats, pair.server.connection.beats], [false, false])
      pair.client.connection.beat()
      pair.run()
      assert.deepStrictEqual([pair.client.connection.beats, pair.server.connection.beats], [true, true])
      pair.server.connection.beat()
      const asked = Raw.parse(pair.server.taken())
      assert.deepStrictEqual(
        asked.map(({ ints, sid, type }) => [sid, type, ints]),
        [[0, "Meta", { [Key.Beat]: "1" }]]
      )
      pair.client.receive(Raw.meta(0, { ints: [[Key.Beat, "1"]] }))
      assert.deepStrictEqual(Raw.parse(pair.client.taken())[0]!.ints, { [Key.Beat]: "2" })
    })

    it("an answer asks for no other", () => {
      const side = new ClientSide()
      side.receive(Raw.meta(0, { ints: [[Key.Beat, "2"]] }))
      assert.isTrue(side.connection.beats)
      assert.strictEqual(side.taken().length, 0)
    })

    it("other Meta frames are nobody's", () => {
      for (const side of [new ClientSide(), new ServerSide()]) {
        side.receive(
          Buffer.concat([Raw.meta(0, { strings: { rip: "1" }, payload: "x" }), Raw.meta(7, { ints: [[3, "y"]] })])
        )
        assert.isFalse(side.connection.beats)
        assert.strictEqual(side.taken().length, 0)
        assert.isUndefined(side.closed)
      }
    })
  })

  describe("drain", () => {
    it("tells the client to go, takes what is on its way, and lets all end", () => {
      const pair = new Pair()
      const [client, server] = pair.open()
      pair.server.connection.drain()
      const late = pair.client.open()
      pair.run()
      assert.deepStrictEqual([pair.client.connection.usable, pair.client.drainings], [false, 1])
      assert.isUndefined(late.end)
      assert.strictEqual(pair.server.accepted.length, 2)
      pair.server.accepted[1]!.finish(ok, [])
      pair.run()
      assert.deepStrictEqual(statusOf(late.end), ok)
      server.write(["last"], 0, encodeText)
      server.finish({ code: 5, message: "not found" }, [["tk", "tv"]])
      pair.run()
      assert.deepStrictEqual(takeAll(client), ["last"])
      assert.deepStrictEqual(statusOf(client.end), { code: 5, message: "not found" })
      assert.deepStrictEqual(entriesOf(client.trailer), [["tk", ["tv"]]])
      assert.strictEqual(pair.client.drainings, 1)
      assert.strictEqual(pair.server.connection.active, 0)
    })

    it("refuses new streams in the end, so that they are tried elsewhere", () => {
      const pair = new Pair()
      pair.open()
      pair.server.connection.refuseStreams()
      const late = pair.client.open()
      pair.run()
      assert.strictEqual(failed(late.end).reason._tag, "Draining")
      assert.deepStrictEqual([pair.client.connection.usable, pair.client.drainings], [false, 1])
      assert.strictEqual(pair.server.accepted.length, 1)
    })

    it("a good end tells the client to go too", () => {
      const pair = new Pair()
      const [client, server] = pair.open()
      pair.server.connection.drain()
      // What a proxy may have dropped.
      pair.server.taken()
      server.finish(ok, [])
      pair.run()
      assert.deepStrictEqual(statusOf(client.end), ok)
      assert.isFalse(pair.client.connection.usable)
    })

    it("is said once, in a frame of no stream", () => {
      const side = new ServerSide()
      side.receive(Raw.requestHeader(1))
      side.connection.drain()
      side.connection.drain()
      assert.deepStrictEqual(
        Raw.parse(side.taken()).map(({ ints, sid, type }) => [sid, type, ints]),
        [[0, "Meta", { [Key.Draining]: "1" }]]
      )
      const client = new ClientSide()
      client.receive(Raw.meta(0, { ints: [[Key.Draining, "1"]] }))
      assert.deepStrictEqual([client.connection.usable, client.drainings], [false, 1])
    })

    it("a Kitex client hears an exception", () => {
      const side = new ServerSide()
      side.connection.refuseStreams()
      side.receive(Raw.requestHeader(1))
      const [trailer, ...rest] = Raw.parse(side.taken())
      assert.deepStrictEqual(rest, [])
      assert.strictEqual(trailer!.type, "Trailer")
      assert.deepStrictEqual(trailer!.payload, Raw.exception("graceful shutdown", 6))
    })
  })

  describe("hostile bytes", () => {
    it.prop("never throw, and end the connection with a typed error or not at all", { given: choices }, ({ given }) => {
      const choose = new Choices(given)
      const side = choose.pick([new ClientSide({ credit: true }), new ServerSide()])
      const ids = [1, 2, 3]
      if (side instanceof ClientSide) {
        for (let i = 0; i < 3; i++) side.open().write(["a"], 0, encodeText)
        ids.splice(0, 3, ...new Set(Raw.parse(side.taken()).map(({ sid }) => sid)))
      } else {
        side.onStream = (stream) => {
          listen(stream)
          if (choose.below(2) === 0) stream.finish(ok, [])
          stream.release()
        }
      }
      const frames = Array.from({ length: 12 }, () => {
        const sid = choose.pick([...ids, 0, -1])
        const payload = choose.pick([
          "",
          "x",
          Raw.exception("boom", choose.below(100_000)),
          Buffer.from("80010003ffffffff", "hex")
        ])
        const strings = choose.pick<Record<string, string>>([
          {},
          { isn: "S" },
          { "biz-status": "7", "biz-extra": "{" },
          JSON.parse('{"__proto__":"1","constructor":"2"}'),
          { ttscp: ",,," },
          { "x-bin": "===" }
        ])
        const ints = choose.pick<Array<[number, string]>>([
          [],
          [[Key.Credit, "9"]],
          [[Key.StatusCode, "zero"]],
          [[0x4d58, "%%"]],
          [[Key.Draining, ""]],
          [[Key.Beat, "1"]]
        ])
        return Raw.frame({ type: 1 + choose.below(5), sid, payload, strings, ints })
      })
      const bytes = Buffer.concat(frames)
      for (let i = 0; i < choose.below(6); i++) bytes[choose.below(bytes.length)] = choose.below(256)
      for (const piece of Raw.cut(bytes, () => 1 + choose.below(200))) {
        side.receive(piece)
        side.taken()
      }
      const closed = side.closed as { readonly _tag: string; readonly detail: string } | undefined
      if (closed !== undefined) assert.strictEqual(closed._tag, "Error")
      assert.deepStrictEqual(side.defects, [])
    })

    it("every prefix of a frame, then silence: it is seen that the peer stopped inside", () => {
      const bytes = Raw.requestHeader(1)
      for (let size = 0; size < bytes.length; size++) {
        const side = new ServerSide()
        side.receive(bytes.subarray(0, size))
        assert.strictEqual(side.connection.midFrame, size > 0)
        assert.strictEqual(side.connection.frames, 0)
        side.receive(bytes.subarray(size))
        assert.isFalse(side.connection.midFrame)
        assert.strictEqual(side.connection.frames, 1)
        assert.strictEqual(side.connection.received, bytes.length)
      }
    })

    it("one byte at a time costs no more than its frame", () => {
      const side = new ServerSide()
      side.receive(Raw.requestHeader(1))
      const before = reachable(side.connection)
      const bytes = Buffer.concat(Array.from({ length: 1000 }, () => Raw.data("x")))
      for (const piece of Raw.cut(bytes, () => 1)) side.receive(piece)
      assert.strictEqual(side.accepted[0]!.available, 1000)
      assert.isAtMost(reachable(side.connection) - before, 1000 * 4 + 4096)
    })

    it("streams that fill their buffers hold no more than four times what they may", () => {
      for (const size of [1, 100, 10_000]) {
        const side = new ServerSide({ streamBufferLimit: 64 * 1024, streamBufferMessages: 4096 })
        side.receive(Raw.requestHeader(1))
        const before = reachable(side.connection)
        const chunk = Buffer.concat(
          Array.from({ length: Math.ceil(60_000 / (size + 34)) }, () => Raw.data("x".repeat(size)))
        )
        while (!side.connection.full) side.receive(Uint8Array.from(chunk))
        const held = (side.connection as any).holdings.bytes as number
        assert.isAtMost(held, 64 * 1024 + 60_000)
        assert.isAtMost(reachable(side.connection) - before, held * 4 + 8192)
      }
    })

    it("metainfo keys that are names of an object's own are keys like others", () => {
      const side = new ServerSide()
      side.receive(
        Raw.requestHeader(1, "M", { strings: JSON.parse('{"__proto__":"1","constructor":"2","a":"x\\r\\ny: z"}') })
      )
      assert.deepStrictEqual(entriesOf(side.accepted[0]!.metadata), [
        ["__proto__", ["1"]],
        ["constructor", ["2"]],
        ["a", ["x\r\ny: z"]]
      ])
    })

    it("a method's name that grows when it is read breaks nothing", () => {
      const side = new ServerSide({ maxTTHeaderSize: 200_000 })
      const name = Buffer.alloc(60_000, 0xff)
      const blocks = Buffer.concat([
        Buffer.from([0x10, 0, 2, 0, 9, 60_000 >>> 8, 60_000 & 255]),
        name,
        Buffer.from([0, 27, 0, 1, 0x32])
      ])
      side.receive(Raw.frame({ sid: 1, blocks }))
      const stream = side.accepted[0]!
      assert.strictEqual(stream.method.length, 60_000)
      stream.write(["a"], 0, encodeText)
      stream.finish({ code: 13, message: "no" }, [])
      assert.strictEqual(Raw.types(side.taken()), "Header Data Trailer")
    })

    it("frames for streams that are not there cost nothing", () => {
      for (const side of [new ServerSide(), new ClientSide()]) {
        const before = reachable(side.connection)
        for (let sid = 1; sid < 500; sid++) {
          side.receive(
            Buffer.concat([
              Raw.data("x", sid),
              Raw.trailer(sid),
              Raw.rst(sid),
              Raw.meta(sid, { ints: [[Key.Credit, "5"]] })
            ])
          )
        }
        assert.strictEqual(side.connection.active, 0)
        assert.strictEqual(side.taken().length, 0)
        assert.isAtMost(reachable(side.connection) - before, 2048)
      }
    })

    it("what comes behind the end of a connection is not read", () => {
      const side = new ServerSide()
      side.receive(Buffer.from("junk that is no frame at all"))
      side.receive(Raw.requestHeader(1))
      assert.strictEqual(side.accepted.length, 0)
    })
  })
})
