import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { Encoding, RawServerCall } from "../../src/RawCall.ts"
import { concat, fromHex, text, uint32 } from "../http2/raw.ts"
import { MessageReader } from "../../src/internal/pingpong/reader.ts"
import {
  decodeBytes,
  decodeHex,
  drain,
  encodeBytes,
  encodings,
  hex,
  options,
  Outcome,
  outgoing,
  TestClient,
  TestServer
} from "./support.ts"

const u16 = (value: number) => Uint8Array.of(value >> 8, value & 255)

interface Made {
  readonly encoding?: Encoding | "mesh"
  readonly type?: number
  readonly method?: string
  readonly sequenceId?: number
  readonly body?: Uint8Array
  /** Bytes behind the body that the lengths count. */
  readonly tail?: Uint8Array
  readonly info?: Uint8Array
  /** In place of the right ones. */
  readonly length?: number
  readonly frameLength?: number
  readonly nameLength?: number
  readonly words?: number
}

const stop = Uint8Array.of(0)
const leastInfo = Uint8Array.of(0, 0, 0, 0)

/** A message, however wrong. */
const make = (made: Made): Uint8Array => {
  const { body = stop, encoding = "framed", info = leastInfo, method = "Echo", sequenceId = 1, type = 1 } = made
  const name = text(method)
  const message = concat([
    u16(0x8001),
    u16(type),
    uint32(made.nameLength ?? name.length),
    name,
    uint32(sequenceId),
    body,
    made.tail ?? new Uint8Array(0)
  ])
  const framed = encoding !== "buffered" && encoding !== "ttheader"
  const payload = framed ? concat([uint32(made.frameLength ?? message.length), message]) : message
  if (encoding === "mesh") return concat([fromHex("ffaf00080001000161000162"), payload])
  if (encoding === "buffered" || encoding === "framed") return payload
  const head = concat([u16(0x1000), u16(0), uint32(sequenceId), u16(made.words ?? info.length / 4), info, payload])
  return concat([uint32(made.length ?? head.length), head])
}

/** A struct of strings, lists, maps and structs. */
const body = (size: number): Uint8Array =>
  concat([
    fromHex("0b0001"),
    uint32(size),
    text("x".repeat(size)),
    fromHex(
      "0f0002080000000200000001000000020d00030b0c00000001000000016b0800010000000500 0c000400 0e0005".replaceAll(" ", "")
    ),
    fromHex("0b00000000"),
    stop
  ])

/** What a server saw of a call. */
const seen = (call: RawServerCall) => ({
  encoding: call.encoding,
  method: call.method,
  sequenceId: call.sequenceId,
  oneway: call.oneway,
  strings: [...(call.header?.strings ?? [])],
  body: call.take(decodeHex)
})

const shapes = [...encodings, "mesh"] as const
const Case = Schema.Struct({
  messages: Schema.Array(
    Schema.Struct({
      encoding: Schema.Literals(shapes),
      oneway: Schema.Boolean,
      size: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 60 })),
      tail: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 })),
      header: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 }))
    })
  ),
  cuts: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 50 })))
})

const infos = ["", "abc", "x".repeat(40), "y"].map((value) => {
  const info = concat([fromHex("0000010001000369736e"), u16(value.length), text(value)])
  return concat([info, new Uint8Array((4 - (info.length % 4)) % 4)])
})

/** Cuts bytes into pieces of these sizes, again and again; each has a buffer of its own. */
const cut = (bytes: Uint8Array, sizes: ReadonlyArray<number>): Array<Uint8Array> => {
  if (sizes.length === 0) return [bytes.slice()]
  const pieces: Array<Uint8Array> = []
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!
    pieces.push(bytes.slice(at, at + size))
    at += size
  }
  return pieces
}

describe("messages", () => {
  it.prop(
    "of a client are the same for any split, in any mix of encodings",
    [Case],
    ([{ cuts, messages }]) => {
      const wire = messages.map(({ encoding, header, oneway, size, tail }, i) =>
        make({
          encoding,
          type: oneway ? 4 : 1,
          method: `Method${size}`,
          sequenceId: i - 2,
          body: body(size),
          tail: new Uint8Array(encoding === "buffered" ? 0 : tail),
          info: infos[header]!
        })
      )
      const expected = messages.map(({ encoding, header, oneway, size, tail }, i) => ({
        encoding: encoding === "mesh" ? "framed" : encoding,
        method: `Method${size}`,
        sequenceId: i - 2,
        oneway,
        strings: encoding.startsWith("tt")
          ? [["isn", ["", "abc", "x".repeat(40), "y"][header]]]
          : encoding === "mesh"
            ? [["a", "b"]]
            : [],
        body: hex(body(size)) + "00".repeat(encoding === "buffered" ? 0 : tail)
      }))
      const got: Array<unknown> = []
      const server = new TestServer((call) => {
        got.push(seen(call))
        call.finish()
      })
      for (const piece of cut(concat(wire), cuts)) server.receive(piece)
      assert.isUndefined(server.ended)
      assert.deepStrictEqual(got, expected)
      assert.isFalse(server.engine.midMessage)
      assert.strictEqual(server.engine.received, concat(wire).length)
    },
    { arbitrary: { runs: 300 } }
  )

  it.prop(
    "of a server are the same for any split, in any order and mix of encodings",
    [Case],
    ([{ cuts, messages }]) => {
      const client = new TestClient()
      const server = new TestServer((call) => call.take(decodeBytes))
      const outcomes = messages.map(({ encoding, size }) => {
        const outcome = new Outcome()
        const used = encoding === "mesh" ? "framed" : encoding
        client.engine.send(outgoing(outcome, { args: body(size) }), used, "multiplexed")
        return outcome
      })
      server.receive(drain(client.engine))
      const calls = server.calls.map((call, i) => ({ call, i, key: (i * 7919) % 13 }))
      for (const { call, i } of calls.sort((a, b) => a.key - b.key)) {
        if (messages[i]!.oneway) call.exception({ message: `no ${i}`, type: i })
        else call.reply(body(i), encodeBytes, [["n", "v".repeat(messages[i]!.header)]])
      }
      for (const piece of cut(drain(server.engine), cuts)) client.receive(piece)
      for (const [i, outcome] of outcomes.entries()) {
        assert.strictEqual(outcome.ends, 1)
        if (messages[i]!.oneway) assert.deepStrictEqual(outcome.exception, { message: `no ${i}`, type: i })
        else assert.strictEqual(outcome.result, hex(body(i)))
      }
      assert.strictEqual(client.engine.active, 0)
      assert.isUndefined(client.ended)
      assert.isFalse(client.engine.midMessage)
    },
    { arbitrary: { runs: 200 } }
  )

  it("that lie in one chunk are read where they are", () => {
    const chunk = concat(shapes.map((encoding) => make({ encoding })))
    const inPlace: Array<boolean> = []
    const server = new TestServer((call) => call.take((bytes) => inPlace.push(bytes === chunk)))
    server.receive(chunk)
    assert.deepStrictEqual(inPlace, [true, true, true, true, true])
  })

  it("keep their chunk only where a decoder keeps bytes of it", () => {
    const server = new TestServer((call) => call.take(decodeBytes))
    server.receive(make({}))
    assert.isFalse(server.chunkKept)
    server.handle = (call) => call.take((bytes) => bytes)
    server.receive(make({}))
    assert.isTrue(server.chunkKept)
    // What was gathered is its own.
    const bytes = make({})
    server.receive(bytes.subarray(0, 9))
    server.receive(bytes.subarray(9))
    assert.strictEqual(server.calls.length, 3)
    assert.isFalse(server.chunkKept)
  })

  it("gathered for a decoder that keeps nothing share a buffer; kept ones stay as they are", () => {
    const big = (fill: number) =>
      make({ body: concat([fromHex("0b0001000f4240"), new Uint8Array(1e6).fill(fill), stop]) })
    const buffers: Array<ArrayBufferLike> = []
    const kept: Array<Uint8Array> = []
    const look = (bytes: Uint8Array) => void buffers.push(bytes.buffer)
    const server = new TestServer((call) => {
      if (kept.length < 2) kept.push(call.take((bytes, start, end) => bytes.subarray(start, end)))
      else call.take(Object.assign(look, { keepsBytes: false }))
      call.finish()
    })
    for (let i = 1; i <= 5; i++) for (const piece of cut(big(i), [65_536])) server.receive(piece)
    assert.strictEqual(buffers.length, 3)
    assert.strictEqual(new Set(buffers).size, 1)
    assert.deepStrictEqual(
      kept.map((bytes) => new Set(bytes.subarray(7, -1)).size),
      [1, 1]
    )
    assert.deepStrictEqual(
      kept.map((bytes) => bytes[100]),
      [1, 2]
    )
  })

  it("a peer that stops inside one is noticed, wherever it stops", () => {
    for (const encoding of shapes) {
      const whole = make({ encoding, body: body(10) })
      for (let size = 0; size < whole.length; size++) {
        const server = new TestServer()
        server.receive(whole.subarray(0, size))
        assert.strictEqual(server.engine.midMessage, size > 0)
        assert.isUndefined(server.ended)
        assert.strictEqual(server.calls.length, 0)
        server.receive(whole.subarray(size))
        assert.strictEqual(server.calls.length, 1)
        assert.isFalse(server.engine.midMessage)
      }
    }
  })
})

describe("lengths", () => {
  const bodies = (bytes: Uint8Array): Array<string> => {
    const got: Array<string> = []
    const server = new TestServer((call) => got.push(call.take(decodeHex)))
    for (const piece of cut(bytes, [7])) server.receive(piece)
    assert.isUndefined(server.ended)
    const whole = new TestServer((call) => got.push(call.take(decodeHex)))
    whole.receive(bytes)
    assert.deepStrictEqual(got.slice(0, got.length / 2), got.slice(got.length / 2))
    return got.slice(0, got.length / 2)
  }

  it("a frame longer than its message is read to its end", () => {
    const bytes = concat([make({ tail: fromHex("01020304") }), make({})])
    assert.deepStrictEqual(bodies(bytes), ["0001020304", "00"])
  })

  it("a frame length that does not reach the body counts for nothing", () => {
    for (const frameLength of [0, 1, 12, 16]) {
      for (const encoding of ["framed", "ttheader-framed"] as const) {
        const bytes = concat([make({ encoding, frameLength, body: body(3) }), make({})])
        assert.deepStrictEqual(bodies(bytes), [hex(body(3)), "00"])
      }
    }
  })

  it("of a TTHeader without a frame is the end of the message, if it reaches the body", () => {
    const bytes = concat([make({ encoding: "ttheader", tail: fromHex("0506") }), make({})])
    assert.deepStrictEqual(bodies(bytes), ["000506", "00"])
    for (const length of [0, 10, 14, 30]) {
      const short = concat([make({ encoding: "ttheader", length, body: body(3) }), make({})])
      assert.deepStrictEqual(bodies(short), [hex(body(3)), "00"])
    }
  })

  it("of a TTHeader with a frame does not count", () => {
    for (const length of [0, 1, 0xffff, 0x3fffffff]) {
      const bytes = concat([make({ encoding: "ttheader-framed", length, body: body(3) }), make({})])
      assert.deepStrictEqual(bodies(bytes), [hex(body(3)), "00"])
    }
  })

  const limits = { maxCallSize: 1000, maxTTHeaderSize: 400, maxHeaderFields: 3 }
  const refused: ReadonlyArray<readonly [name: string, bytes: Uint8Array, detail: string, limit?: string]> = [
    [
      "a frame above the limit",
      make({ frameLength: 1001 }),
      "invalid data: payload size(1001) larger than the limit(1000)",
      "maxCallSize"
    ],
    [
      "the largest frame",
      make({ encoding: "ttheader-framed", frameLength: 0xffffffff }),
      "invalid data: payload size(4294967295) larger than the limit(1000)",
      "maxCallSize"
    ],
    [
      "a TTHeader with a payload above the limit",
      make({ encoding: "ttheader", length: 1015 }),
      "invalid data: payload size(1001) larger than the limit(1000)",
      "maxCallSize"
    ],
    [
      "the largest TTHeader",
      make({ encoding: "ttheader", length: 0xffffffff }),
      "invalid data: LENGTH(4294967295) larger than the limit(1073741823)"
    ],
    [
      "a header above the limit",
      make({ encoding: "ttheader", words: 101 }),
      "invalid header: size(404) larger than the limit(400)",
      "maxTTHeaderSize"
    ],
    [
      "a mesh header above the limit",
      fromHex("ffaf019000010001"),
      "invalid header: size(404) larger than the limit(400)",
      "maxTTHeaderSize"
    ],
    [
      "a header of many entries",
      make({
        encoding: "ttheader",
        info: fromHex("0000 10 0002 0001 0000 0002 0000 01 0002 0001 61 0000 0001 62 0000 0000".replaceAll(" ", ""))
      }),
      "ttHeader read kv info failed, 2 entries are more than the 1 that may come (maxHeaderFields), " +
        "headerInfo=0x00001000020001000000020000010002000161000000016200000000",
      "maxHeaderFields"
    ],
    [
      "a mesh header of many entries",
      fromHex("ffaf001600040001610000000162000000016300000001640000"),
      "meshHeader read kv info failed, 4 entries are more than the 3 that may come (maxHeaderFields)",
      "maxHeaderFields"
    ],
    ["a header of no size", make({ encoding: "ttheader", words: 0 }), "invalid header length[0]"],
    ["an unknown protocol", make({ encoding: "ttheader", info: fromHex("02000000") }), "unsupported ProtocolID[2]"],
    [
      "an unknown block",
      make({ encoding: "ttheader", info: fromHex("00002f00") }),
      "ttHeader read kv info failed, invalid infoIDType[0x2f], headerInfo=0x00002f00"
    ],
    [
      "missing transforms",
      make({ encoding: "ttheader", info: fromHex("000500aa") }),
      "need read 5 transformIDs, but not enough"
    ],
    [
      "a name above the limit",
      make({ encoding: "buffered", nameLength: 989 }),
      "invalid data: payload size(1001) larger than the limit(1000)",
      "maxCallSize"
    ],
    ["a name of negative length", make({ nameLength: 0x80000000 }), "invalid data length"],
    ["a name of no length", make({ method: "" }), "method name that receive is empty"],
    [
      "a buffered message above the limit",
      make({ encoding: "buffered", body: body(990) }),
      "invalid data: payload size(1006) larger than the limit(1000)",
      "maxCallSize"
    ],
    ["a value of no type", make({ encoding: "buffered", body: fromHex("090001") }), "unknown data type 9"],
    ["an unsigned type", make({ encoding: "buffered", body: fromHex("800001") }), "unknown data type 128"],
    ["a negative length", make({ encoding: "buffered", body: fromHex("0b0001ffffffff") }), "invalid data length"],
    ["depth", make({ encoding: "buffered", body: fromHex("0c0001".repeat(64)) }), "depth limit exceeded"],
    ["HTTP/1", text("GET / HTTP/1.1\r\n"), "invalid payload (first4Bytes=0x47455420, second4Bytes=0x2f204854)"],
    ["HTTP/2", text("PRI * HTTP/2.0\r\n"), "invalid payload (first4Bytes=0x50524920, second4Bytes=0x2a204854)"],
    ["TLS", fromHex("160301020001000100"), "invalid payload (first4Bytes=0x16030102, second4Bytes=0x10001)"]
  ]
  for (const [name, bytes, detail, limit] of refused) {
    it(`${name}: refused by both sides, wherever it is cut`, () => {
      const expected = { _tag: "Error", code: limit === undefined ? 13 : 8, detail, ...(limit && { limit }) }
      for (const sizes of [[], [1], [3], [8]]) {
        const server = new TestServer(undefined, limits)
        for (const piece of cut(concat([bytes, make({})]), sizes)) server.receive(piece)
        const { ended } = server
        // How much of a body was looked at when it was too large depends on the cuts.
        if (ended?._tag === "Error" && name.startsWith("a buffered")) {
          assert.match(ended.detail, /payload size\(\d+\) larger than the limit\(1000\)/)
          assert.strictEqual(ended.limit, limit)
        } else assert.deepStrictEqual(ended as unknown, expected)
        assert.strictEqual(server.calls.length, 0)
        // Whose call was over a limit is known where there is a TTHeader.
        const told = limit !== undefined && bytes[4] === 0x10 && bytes[5] === 0
        const sent = Buffer.from(server.sent(), "hex").toString("latin1")
        if (told) assert.include(sent, `${limit} is ${limits[limit as keyof typeof limits]}; the connection ends`)
        else assert.strictEqual(sent, "")

        const client = new TestClient(limits)
        const outcome = new Outcome()
        client.engine.send(outgoing(outcome), "framed", "pooled")
        client.sent()
        for (const piece of cut(bytes, sizes)) client.receive(piece)
        assert.strictEqual(outcome.failed?.reason._tag, limit === undefined ? "ProtocolViolation" : "LimitExceeded")
        if (outcome.failed?.reason._tag === "LimitExceeded") {
          assert.strictEqual(outcome.failed.reason.limit, limit)
          assert.strictEqual(outcome.failed.reason.max, limits[limit as keyof typeof limits])
        }
        assert.strictEqual(client.ended?._tag, "Error")
      }
    })
  }

  it("a message of exactly the limit passes", () => {
    for (const encoding of encodings) {
      for (const more of [0, 1]) {
        const server = new TestServer(undefined, { maxCallSize: 1000 })
        server.receive(make({ encoding, body: body(1000 - 16 - body(0).length + more) }))
        assert.strictEqual(server.calls.length, 1 - more)
      }
    }
  })

  it("that are claimed and not sent cost little", () => {
    const before = process.memoryUsage().arrayBuffers
    const servers: Array<TestServer> = []
    for (const encoding of ["framed", "ttheader", "ttheader-framed"] as const) {
      const claim = 64 * 1024 * 1024
      const server = new TestServer(undefined, { maxCallSize: claim })
      server.receive(make({ encoding, frameLength: claim, length: encoding === "ttheader" ? claim : 100 }))
      assert.isTrue(server.engine.midMessage)
      servers.push(server)
    }
    // A buffered list that says it has 60 million elements
    const server = new TestServer(undefined, { maxCallSize: 64 * 1024 * 1024 })
    server.receive(make({ encoding: "buffered", body: fromHex("0f000103039387000000") }))
    assert.isTrue(server.engine.midMessage)
    assert.isBelow(process.memoryUsage().arrayBuffers - before, 4 * 1.1 * 1024 * 1024)
    assert.strictEqual(servers.length, 3)
  })

  it("header keys are data", () => {
    const keys = ["__proto__", "constructor", "a\r\nb"]
    const entry = (value: string) => concat([u16(value.length), text(value)])
    const parts = concat([fromHex("0000010003"), ...keys.flatMap((key) => [entry(key), entry(`${key}\r\n`)])])
    const info = concat([parts, new Uint8Array(4 - (parts.length % 4))])
    const server = new TestServer((call) => call.reply(stop, encodeBytes, [["__proto__", "x\r\ny"]]))
    server.receive(make({ encoding: "ttheader", info }))
    assert.deepStrictEqual(
      [...server.calls[0]!.header!.strings],
      keys.map((key) => [key, `${key}\r\n`])
    )
    const client = new TestClient()
    const outcome = new Outcome()
    const { sequenceId } = client.engine.send(outgoing(outcome), "ttheader", "pooled")
    client.sent()
    const answer = fromHex(server.sent())
    for (const at of [8, answer.length - 5]) answer.set(uint32(sequenceId), at)
    client.receive(answer)
    assert.deepStrictEqual([...outcome.header!.strings], [["__proto__", "x\r\ny"]])
  })
})

// A generator of its own, so that a failure comes back.
const random = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 0x1_0000_0000) * below)
  }
}

describe("any bytes", () => {
  const seeds = [
    ...shapes.map((encoding) => make({ encoding, body: body(4) })),
    make({
      encoding: "ttheader",
      info: infos[2]!,
      type: 3,
      body: fromHex("0b00010000000178080002000000060800630000000100")
    }),
    make({ encoding: "ttheader-framed", sequenceId: 0, type: 2, info: fromHex("0000010001000563727273740001310000") })
  ]

  const mutated = (next: (below: number) => number): Array<Uint8Array> => {
    const bytes = concat([seeds[next(seeds.length)]!, seeds[next(seeds.length)]!])
    for (let i = next(6); i > 0; i--) {
      const at = next(bytes.length)
      bytes[at] = next(2) === 0 ? next(256) : bytes[at]! ^ (1 << next(8))
    }
    const wire = bytes.subarray(0, next(4) === 0 ? next(bytes.length) : bytes.length)
    return cut(wire, next(2) === 0 ? [] : [1 + next(30), 1 + next(5)])
  }

  it("are messages or one violation: 100,000 mutations", () => {
    const next = random(1)
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    let messages = 0
    let violations = 0
    for (let run = 0; run < 100_000; run++) {
      let violated = false
      const reader: MessageReader = new MessageReader(
        {
          chunkKept: false,
          onMessage: () => {
            messages++
            if (violated || reader.take((_, start, end) => end - start) !== reader.size) throw new Error("bad message")
            return true
          },
          onViolation: (detail) => {
            if (violated || detail === "") throw new Error("told twice")
            violated = true
            violations++
          }
        },
        { ...options, maxCallSize: 10_000 }
      )
      for (const piece of mutated(next)) {
        if (reader.read(piece, 0, piece.length) !== piece.length && !violated) throw new Error("stopped")
      }
    }
    Error.stackTraceLimit = stackTraceLimit
    assert.isAbove(messages, 50_000)
    assert.isAbove(violations, 30_000)
  })

  it("end every call exactly once, in both roles", () => {
    const next = random(2)
    for (let run = 0; run < 2000; run++) {
      const pieces = mutated(next)
      const server = new TestServer(
        (call) => {
          if (next(2) === 0) call.take(decodeHex)
          call.reply(stop, encodeBytes)
        },
        { maxCallSize: 10_000 }
      )
      const client = new TestClient({ maxCallSize: 10_000 })
      const outcomes = [new Outcome(), new Outcome()]
      const mode = next(2) === 0 ? "multiplexed" : "pooled"
      client.engine.send(outgoing(outcomes[0]!), "framed", mode)
      if (mode === "multiplexed") client.engine.send(outgoing(outcomes[1]!), "ttheader", mode)
      drain(client.engine)
      for (const piece of pieces) {
        server.receive(piece)
        client.receive(piece)
      }
      drain(server.engine)
      server.engine.end({ _tag: "PeerClosed" })
      client.engine.end({ _tag: "PeerClosed" })
      assert.isDefined(server.ended)
      assert.strictEqual(server.engine.active, 0)
      assert.strictEqual(client.engine.active, 0)
      assert.strictEqual(outcomes[0]!.ends, 1)
      assert.strictEqual(outcomes[1]!.ends, mode === "multiplexed" ? 1 : 0)
      assert.strictEqual(client.callsEnded, mode === "multiplexed" ? 2 : 1)
    }
  })
})
