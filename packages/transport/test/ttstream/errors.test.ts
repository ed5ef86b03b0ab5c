import { assert, describe, it } from "@effect/vitest"
import type { ConnectionEnd } from "../../src/internal/engine.ts"
import * as errors from "../../src/internal/ttstream/errors.ts"
import { readExceptionPayload } from "../../src/internal/ttstream/frames.ts"
import type { TransportError } from "../../src/TransportError.ts"
import { golden, isFrame, readFrame, split, worked } from "./vectors.ts"
import { defaults as streamingOptions } from "./support.ts"

const userText =
  "user code invoking stream RPC with context processed by context.WithCancel or context.WithTimeout, then invoking cancel() actively"

/** The error of an Rst frame. */
const resetBy = (side: errors.Side, hex: string): TransportError => {
  const { header, payload } = readFrame(hex)
  const exception = payload.length === 0 ? undefined : readExceptionPayload(payload, 0, payload.length)
  return errors.resetByPeer(side, exception, header.strings.get("ttscp"))
}

const reasonOf = ({ reason }: TransportError): unknown => ({ ...reason })

const same = (error: TransportError, code: number, desc: string, reason: Record<string, unknown>) => {
  assert.strictEqual(error.code, code)
  assert.strictEqual(error.desc, desc)
  assert.deepStrictEqual(reasonOf(error), reason)
}

describe("texts of TTHeader streaming", () => {
  it("have a code, a side, a path and a text", () => {
    assert.strictEqual(errors.format(12004, undefined, undefined, "x"), "[ttstream error, code=12004] x")
    assert.strictEqual(
      errors.format(12012, "server", undefined, "canceled by business handler returning"),
      "[ttstream error, code=12012] [server-side stream] canceled by business handler returning"
    )
    assert.strictEqual(
      errors.format(12007, "client", ["A", "B"], "x"),
      "[ttstream error, code=12007] [client-side stream] [canceled path: A -> B] x"
    )
  })

  for (const [path, shown] of [
    ["A", "A"],
    ["A,B", "A -> B"],
    ["A,B,", "A -> B -> "],
    ["A,B,,,", "A -> B ->  ->  -> "]
  ] as const) {
    it(`the path ${path}`, () => {
      same(
        errors.resetByPeer("client", { type: 1111, message: "x" }, path),
        1111,
        `[ttstream error, code=1111] [client-side stream] [canceled path: ${shown}] x`,
        { _tag: "StreamReset", resetCode: 1111, byPeer: true, text: "x", path: path.split(",") }
      )
    })
  }

  it("an Rst without a path", () => {
    for (const path of [undefined, ""]) {
      same(
        errors.resetByPeer("client", { type: 1111, message: "gone" }, path),
        1111,
        "[ttstream error, code=1111] [client-side stream] gone",
        { _tag: "StreamReset", resetCode: 1111, byPeer: true, text: "gone" }
      )
    }
  })

  it("an Rst of a user", () => {
    same(
      resetBy("server", worked.rst),
      12007,
      `[ttstream error, code=12007] [server-side stream] [canceled path: cli.svc] ${userText}`,
      { _tag: "StreamReset", resetCode: 12007, byPeer: true, text: userText, path: ["cli.svc"] }
    )
  })

  it("an Rst of a proxy", () => {
    same(
      resetBy("client", worked.proxyRst),
      1204,
      "[ttstream error, code=1204] [client-side stream] [canceled path: Egress] Egress canceled",
      { _tag: "StreamReset", resetCode: 1204, byPeer: true, text: "Egress canceled", path: ["Egress"] }
    )
  })

  it("an Rst without an exception that can be read", () => {
    for (const exception of [undefined, "ReadMessageBegin: bad version"]) {
      same(
        errors.resetByPeer("server", exception, undefined),
        13,
        "[ttstream error, code=13] [server-side stream] rst",
        { _tag: "StreamReset", resetCode: 13, byPeer: true, text: "rst" }
      )
    }
  })

  it("a stream that a user cancels", () => {
    same(errors.cancelled("client"), 12007, `[ttstream error, code=12007] [client-side stream] ${userText}`, {
      _tag: "Cancelled"
    })
  })

  it("where a cancellation came through", () => {
    assert.strictEqual(errors.cancelPath([], "A"), "A")
    assert.strictEqual(errors.cancelPath(["A"], "B"), "A,B")
    assert.strictEqual(errors.cancelPath(["A"], ""), "A,")
    assert.strictEqual(errors.cancelPath([], ""), undefined)
    const names = Array.from({ length: 10_000 }, (_, i) => `service-${i}`)
    const path = errors.cancelPath(names, "me")!
    assert.isBelow(path.length, 4097)
    assert.isTrue(path.endsWith("service-9998,service-9999,me"), path.slice(-100))
    assert.strictEqual(errors.cancelPath(["x".repeat(70_000)], "me"), "me")
    assert.isBelow(errors.cancelPath([], "x".repeat(70_000))!.length, 4097)
  })

  it("faults of one stream say the same to the peer", () => {
    const { error, rst } = errors.duplicateHeader(75)
    same(error, 12002, "[ttstream error, code=12002] [client-side stream] stream[75] already set header", {
      _tag: "ProtocolViolation"
    })
    for (const { error, rst } of [
      errors.duplicateHeader(1),
      errors.messageTooLarge("client", 100),
      errors.bufferFull("server", "streamBufferLimit", 100)
    ]) {
      assert.strictEqual(rst.type, error.code)
      assert.isTrue(error.desc.endsWith(`stream] ${rst.message}`), error.desc)
    }
    assert.strictEqual(rst.type, 12002)
  })

  it("limits have their names and numbers", () => {
    same(
      errors.messageTooLarge("server", 100).error,
      12004,
      "[ttstream error, code=12004] [server-side stream] received message larger than maxReceiveMessageSize (100 bytes)",
      { _tag: "LimitExceeded", limit: "maxReceiveMessageSize", max: 100 }
    )
    for (const limit of ["streamBufferLimit", "streamBufferMessages", "connectionBufferLimit"] as const) {
      const full = errors.bufferFull("client", limit, 7).error
      const { code, desc } = full
      assert.strictEqual(code, 12011)
      assert.include(desc, `${limit} (7 ${limit === "streamBufferMessages" ? "messages" : "bytes"})`)
      assert.deepStrictEqual(reasonOf(full), { _tag: "LimitExceeded", limit, max: 7 })
    }
    const large = errors.headerTooLarge("client", "maxSentTTHeaderSize", 10, 20)
    assert.include(large.desc, "the TTHeader has 20 bytes, more than the 10 that may be sent (maxSentTTHeaderSize)")
    assert.deepStrictEqual(reasonOf(large), { _tag: "LimitExceeded", limit: "maxSentTTHeaderSize", max: 10 })
    const { code, message } = errors.tooManyStreams(5)
    assert.strictEqual(code, 14)
    assert.include(message, "5")
    assert.include(message, "maxConcurrentStreams")
  })

  it("a server that drains", () => {
    same(errors.draining(), 12001, "[ttstream error, code=12001] [client-side stream] graceful shutdown", {
      _tag: "Draining"
    })
  })

  it("a client that ends its messages with an error", () => {
    same(
      errors.failedByClient({ code: 13, message: "sorry" }),
      12001,
      "[ttstream error, code=12001] [server-side stream] sorry",
      { _tag: "StreamReset", resetCode: 12001, byPeer: true, text: "sorry" }
    )
    assert.strictEqual(
      errors.failedByClient({ code: 13, message: "m", biz: { code: 7, extra: {} } }).desc,
      "biz error: code=7, msg=m"
    )
  })

  it("keys that no TTHeader holds", () => {
    same(
      errors.headerRefused("client", "invalid header length[262144]"),
      12004,
      "[ttstream error, code=12004] [client-side stream] invalid header length[262144]",
      { _tag: "InvalidMetadata" }
    )
  })
})

describe("a connection that ends", () => {
  const ends: ReadonlyArray<readonly [string, ConnectionEnd, client: string, server: string]> = [
    ["by the peer", { _tag: "PeerClosed" }, "connection closed by peer", "canceled by connection closed"],
    [
      "by the peer, with a hint",
      { _tag: "PeerClosed", hint: "is it a server of TTHeader?" },
      "connection closed by peer; is it a server of TTHeader?",
      "canceled by connection closed"
    ],
    ["lost", { _tag: "Lost", detail: "read ECONNRESET" }, "read ECONNRESET", "read ECONNRESET"],
    [
      "here",
      { _tag: "Local", detail: "the client is closed" },
      "connection closed: the client is closed",
      "connection closed: the client is closed"
    ]
  ]
  for (const [name, end, client, server] of ends) {
    it(name, () => {
      const lost = { _tag: "ConnectionLost", address: "A:1" }
      // Who closes its own end has cancelled its streams.
      const own = end._tag === "Local" ? { _tag: "Cancelled" } : lost
      same(errors.clientLost("A:1", end, streamingOptions), 12006, `[ttstream error, code=12006] ${client}`, own)
      same(errors.clientNeverSent("A:1", end), 12006, `[ttstream error, code=12006] ${client}`, {
        ...lost,
        neverSent: true
      })
      same(errors.serverLost("A:1", end, streamingOptions), 12013, `[ttstream error, code=12013] ${server}`, lost)
    })
  }

  it("by a frame that is none", () => {
    const end = errors.violation("unexpected frame type: 9")
    const violation = { _tag: "ProtocolViolation" }
    same(
      errors.clientLost("A:1", end, streamingOptions),
      12004,
      "[ttstream error, code=12004] unexpected frame type: 9",
      violation
    )
    same(
      errors.serverLost("A:1", end, streamingOptions),
      12013,
      "[ttstream error, code=12013] [ttstream error, code=12004] unexpected frame type: 9",
      violation
    )
  })

  it("by a limit", () => {
    const large = errors.clientLost("A:1", errors.violation("too large", "maxTTHeaderSize"), streamingOptions)
    assert.deepStrictEqual(reasonOf(large), {
      _tag: "LimitExceeded",
      limit: "maxTTHeaderSize",
      max: streamingOptions.maxTTHeaderSize
    })
    const resets = errors.serverLost("A:1", errors.violation("too many", "resetBudget"), streamingOptions)
    assert.deepStrictEqual(reasonOf(resets), {
      _tag: "LimitExceeded",
      limit: "resetBudget",
      max: streamingOptions.resetBudget.burst
    })
  })
})

describe("texts that Kitex printed", () => {
  // What the handler saw of the Rst that its transcript has.
  const cancelled = golden.transcripts.filter(
    ({ frames, handlerSaw }) => handlerSaw !== undefined && frames.some((frame) => isFrame(frame) && frame.type === 5)
  )
  it("are there", () => {
    assert.isAbove(cancelled.length, 6)
  })
  for (const { frames, handlerSaw, name } of cancelled) {
    it(`${name}: the handler's`, () => {
      const rst = frames.filter(isFrame).find(({ type }) => type === 5)!
      assert.deepStrictEqual(handlerSaw, [`context: ${resetBy("server", rst.hex).desc}`])
    })
    it(`${name}: in the Trailer behind it`, () => {
      const rst = frames.filter(isFrame).find(({ type }) => type === 5)!
      const trailer = frames.filter(isFrame).find(({ exception, type }) => type === 4 && exception !== undefined)!
      assert.deepStrictEqual(trailer.exception, [`biz error: ${resetBy("server", rst.hex).desc}`, 6])
    })
  }

  for (const { handlerSaw = [], name, send } of golden.probes.filter(({ name }) => name.startsWith("rst"))) {
    it(`probe ${name}`, () => {
      const rst = split(send).find((hex) => readFrame(hex).header.ints.get(27) === "5")!
      assert.deepStrictEqual(handlerSaw, [`context: ${resetBy("server", rst).desc}`])
    })
  }

  it("of a cascade: each hop adds its name", () => {
    const rsts = golden.chains
      .filter(({ name }) => name.startsWith("cascade-cancel"))
      .map(({ frames }) => frames.filter(isFrame).find(({ type }) => type === 5)!)
    assert.deepStrictEqual(
      rsts.map(({ hex }) => resetBy("server", hex).desc),
      [
        `[ttstream error, code=12007] [server-side stream] [canceled path: service-A] ${userText}`,
        `[ttstream error, code=12007] [server-side stream] [canceled path: service-A -> service-B] ${userText}`
      ]
    )
    const { strings } = readFrame(rsts[1]!.hex).header
    assert.strictEqual(strings.get("ttscp"), errors.cancelPath(["service-A"], "service-B"))
  })
})
