import { assert, describe, it } from "@effect/vitest"
import type { Output } from "@millrace/codec/Output"
import type { CallHeaderFields, RawServerCall } from "../../src/RawCall.ts"
import { fromHex } from "../http2/raw.ts"
import { decodeHex, encodeBytes, noFields, Outcome, outgoing, TestClient, TestServer } from "./support.ts"

const id = (sequenceId: number) => (sequenceId >>> 0).toString(16).padStart(8, "0")
const framed = (sequenceId: number, type = 1) => `000000118001000${type}0000000450696e67${id(sequenceId)}00`
const framedReply = (sequenceId: number) => `00000011800100020000000450696e67${id(sequenceId)}00`
const header = (sequenceId: number, flags = 0, type = 1) =>
  `00000023 1000 000${flags} ${id(sequenceId)} 0001 00000000 ${framed(sequenceId, type)}`
/** That a cancelled call has ended. */
const framedException = (sequenceId: number) =>
  `0000002f800100030000000450696e67${id(sequenceId)}0b000100000010${Buffer.from("context canceled").toString("hex")}0800020000000600`
const cancel = (sequenceId: number) =>
  `0000002d 1000 0001 ${id(sequenceId)} 0003 0000 10 0001 4d53 0001 31 0000 00000013 80010004 00000006 63616e63656c ${id(sequenceId)} 00`

const empty = fromHex("00")
const answer = (call: RawServerCall) => void call.reply(empty, encodeBytes)
const fail = (_: unknown, out: Output): never => {
  encodeBytes(empty, out)
  throw new Error("cannot be encoded")
}

describe("calls of one connection", () => {
  it("are answered in the order of the answers", () => {
    const server = new TestServer()
    server.receive(framed(1) + framed(2) + framed(3))
    assert.strictEqual(server.engine.active, 3)
    for (const i of [2, 0, 1]) answer(server.calls[i]!)
    assert.strictEqual(server.sent(), framedReply(3) + framedReply(1) + framedReply(2))
    assert.strictEqual(server.engine.active, 0)
    assert.isAbove(server.wakes, 0)
  })

  it("with the same sequence id are both answered", () => {
    const server = new TestServer()
    server.receive(framed(1) + framed(1))
    for (const call of server.calls) answer(call)
    assert.strictEqual(server.sent(), framedReply(1) + framedReply(1))
  })

  it("beyond the limit wait, with all behind them", () => {
    const server = new TestServer(undefined, { maxConcurrentCalls: 2 })
    server.receive(framed(1) + framed(2) + framed(3) + framed(4) + framed(5).slice(0, 20))
    assert.strictEqual(server.calls.length, 2)
    assert.isTrue(server.engine.full)
    assert.isTrue(server.chunkKept)
    assert.isFalse(server.engine.midMessage)
    // A read that was under way
    server.receive(framed(5).slice(20) + framed(6))
    server.engine.resume(2000)
    assert.strictEqual(server.calls.length, 2)
    assert.strictEqual(server.rooms, 0)

    answer(server.calls[1]!)
    assert.strictEqual(server.rooms, 1)
    assert.isFalse(server.engine.full)
    assert.strictEqual(server.calls.length, 2)
    server.engine.resume(2000)
    assert.strictEqual(server.calls.length, 3)
    assert.isTrue(server.engine.full)

    // Calls that end at once are followed by the next in the same read.
    server.handle = answer
    answer(server.calls[0]!)
    assert.strictEqual(server.rooms, 2)
    server.engine.resume(3000)
    assert.deepStrictEqual(
      server.calls.map((call) => call.sequenceId),
      [1, 2, 3, 4, 5, 6]
    )
    assert.strictEqual(server.rooms, 2)
    assert.strictEqual(server.engine.lastReceived, 3000)
    // The time in which they waited counts.
    assert.strictEqual(server.calls[5]!.arrivedAt, 1000)
    assert.isUndefined(server.ended)
  })

  it("beyond the limit of their bytes wait, headers included; one alone may have more", () => {
    const size = framed(1).length / 2
    const server = new TestServer(undefined, { connectionBufferLimit: 2 * size })
    server.receive(framed(1) + framed(2) + framed(3))
    assert.strictEqual(server.calls.length, 2)
    assert.isTrue(server.engine.full)
    server.calls[0]!.finish()
    assert.strictEqual(server.rooms, 1)
    server.engine.resume(1)
    assert.strictEqual(server.calls.length, 3)
    assert.isTrue(server.engine.full)
    for (const call of server.calls) call.finish()
    assert.isFalse(server.engine.full)

    const headers = new TestServer(undefined, { connectionBufferLimit: size + 1 })
    headers.receive(header(1) + header(2))
    assert.strictEqual(headers.calls.length, 1)
    headers.calls[0]!.finish()
    headers.engine.resume(1)
    assert.strictEqual(headers.calls.length, 2)
  })

  it("beyond 4 MiB of what waits behind them end the connection", () => {
    const server = new TestServer(undefined, { maxConcurrentCalls: 2 })
    server.receive(framed(1) + framed(2) + framed(3))
    const mib = 1024 * 1024
    for (let i = 0; i < 3; i++) server.receive(new Uint8Array(mib))
    server.receive(new Uint8Array(mib - (server.engine.kept % mib)))
    assert.strictEqual(server.engine.kept, 4 * mib)
    assert.isUndefined(server.ended)
    server.receive("00")
    assert.deepStrictEqual(server.ended, {
      _tag: "Error",
      code: 13,
      detail: "more than 4 MiB came behind 2 calls that do not end"
    })
    assert.strictEqual(server.aborts.length, 2)
    assert.strictEqual(server.engine.kept, 0)
  })

  it("a large header and a long name are not kept behind their call, nor taken for those of the next", () => {
    const server = new TestServer(answer)
    const client = new TestClient()
    const fields = (size: number): CallHeaderFields => ({
      ints: [],
      strings: [
        ["isn", "S"],
        ["k", "x".repeat(size)]
      ]
    })
    const send = (size: number, method = "Echo") => {
      client.engine.send(outgoing(new Outcome(), { header: fields(size), method }), "ttheader-framed", "multiplexed")
      server.receive(client.sent())
    }
    const kept = (engine: object) => {
      const { header, reader } = engine as unknown as { header: unknown; reader: { header: unknown; method: string } }
      return [header !== undefined, reader.header !== undefined, reader.method]
    }
    send(100)
    assert.deepStrictEqual(kept(server.engine), [true, true, "Echo"])
    send(2000, "x".repeat(2000))
    assert.deepStrictEqual(kept(server.engine), [false, false, ""])
    server.receive(framed(9))
    assert.deepStrictEqual(
      server.calls.map(({ service }) => service),
      ["S", "S", ""]
    )
    assert.strictEqual(server.calls[1]!.method.length, 2000)
    assert.strictEqual(server.calls[1]!.header?.strings.get("isn"), "S")
  })

  it("a chunk that comes while as many run as may is not read", () => {
    const server = new TestServer(undefined, { maxConcurrentCalls: 1 })
    server.receive(framed(1))
    server.receive(framed(2))
    assert.strictEqual(server.calls.length, 1)
    server.calls[0]!.finish()
    server.engine.resume(1)
    assert.strictEqual(server.calls.length, 2)
  })

  it("one that stops inside a message while as many run as may is not to blame", () => {
    const server = new TestServer(undefined, { maxConcurrentCalls: 1 })
    server.receive(framed(1).slice(0, 10))
    assert.isTrue(server.engine.midMessage)
    server.receive(framed(1).slice(10) + framed(2).slice(0, 10))
    assert.isFalse(server.engine.midMessage)
    server.calls[0]!.finish()
    server.engine.resume(1)
    assert.isTrue(server.engine.midMessage)
  })

  it("are read inside onCall only", () => {
    const server = new TestServer((call) => void call.take(decodeHex))
    server.receive(framed(1))
    assert.throws(() => server.calls[0]!.take(decodeHex), /inside onCall only/)
  })

  it("end once", () => {
    const server = new TestServer()
    server.receive(framed(1))
    const call = server.calls[0]!
    answer(call)
    assert.strictEqual(call.reply(empty, encodeBytes), 0)
    call.exception({ message: "", type: 6 })
    call.finish()
    call.abort()
    assert.strictEqual(server.sent(), framedReply(1))
    assert.strictEqual(server.engine.active, 0)
    assert.isUndefined(server.ended)
  })

  it("whose result cannot be encoded have not ended", () => {
    const server = new TestServer()
    server.receive(header(1))
    const call = server.calls[0]!
    assert.throws(() => call.reply(empty, fail), "cannot be encoded")
    assert.throws(() => call.reply(empty, encodeBytes, [["k", "x".repeat(70_000)]]), /max size/)
    assert.strictEqual(server.engine.active, 1)
    assert.strictEqual(server.engine.outbox.length, 0)
    call.exception({ message: "no", type: 6 })
    assert.strictEqual(server.engine.active, 0)
    assert.isAbove(server.sent().length, 0)
  })

  it("a type for streams is answered with sequence id 0", () => {
    const server = new TestServer(answer)
    server.receive(framed(7, 5))
    assert.strictEqual(server.calls[0]!.sequenceId, 7)
    assert.strictEqual(server.sent(), framedReply(0))
  })

  it("a type that is no request ends the connection without an answer", () => {
    for (const type of [0, 2, 3, 6]) {
      const server = new TestServer(answer)
      server.receive(framed(1) + framed(2, type) + framed(3))
      assert.strictEqual(server.sent(), framedReply(1))
      assert.deepStrictEqual(server.ended, {
        _tag: "Error",
        code: 13,
        detail: `server side, invalid message type ${type}`
      })
    }
  })

  it("have a timeout where the header has one", () => {
    const cases: ReadonlyArray<readonly [text: string, millis: number | undefined]> = [
      ["1000", 1000],
      ["+5", 5],
      ["0", undefined],
      ["-1", undefined],
      ["", undefined],
      ["1.5", undefined],
      ["0x10", undefined],
      ["1e3", undefined],
      [" 7", undefined],
      ["99999999999999999999", undefined]
    ]
    for (const [text, millis] of cases) {
      const client = new TestClient()
      const fields: CallHeaderFields = { ints: [[12, text]], strings: [] }
      client.engine.send(outgoing(new Outcome(), { header: fields }), "ttheader", "pooled")
      const server = new TestServer()
      // The next has another header, and none of that.
      server.receive(client.sent() + header(1) + framed(2))
      assert.deepStrictEqual(
        server.calls.map((call) => call.timeoutMillis),
        [millis, undefined, undefined],
        text
      )
    }
  })
})

describe("the end of a connection", () => {
  it("by the client aborts what runs, in order; what a peer calls oneway is no exception", () => {
    const server = new TestServer()
    server.receive(framed(1) + framed(2, 4) + framed(3))
    const order: Array<number> = []
    for (const call of server.calls) call.onAbort = () => void order.push(call.sequenceId)
    server.engine.end({ _tag: "PeerClosed" })
    assert.deepStrictEqual(order, [1, 2, 3])
    assert.isTrue(server.engine.closed)
    assert.deepStrictEqual(server.ended, { _tag: "PeerClosed" })
    // Their ends are still awaited, and their answers dropped.
    assert.strictEqual(server.engine.active, 3)
    for (const call of server.calls) assert.strictEqual(call.reply(empty, fail), 0)
    assert.strictEqual(server.engine.active, 0)
    assert.strictEqual(server.sent(), "")
    assert.strictEqual(server.rooms, 0)
  })

  it("says why", () => {
    const ends = [
      [{ _tag: "PeerClosed" }, "ConnectionLost", 1, "the client closed the connection"],
      [{ _tag: "Lost", detail: "ECONNRESET" }, "ConnectionLost", 1, "the connection was lost: ECONNRESET"],
      [{ _tag: "Local", detail: "stopped" }, "ConnectionLost", 14, "connection closed: stopped"],
      [{ _tag: "Error", code: 13, detail: "bad" }, "ProtocolViolation", 13, "bad"],
      [{ _tag: "Error", code: 8, detail: "large", limit: "maxCallSize" }, "LimitExceeded", 8, "large"]
    ] as const
    for (const [end, reason, code, desc] of ends) {
      const server = new TestServer()
      server.receive(framed(1))
      server.engine.end(end)
      const [error] = server.aborts
      assert.strictEqual(error?.reason._tag, reason)
      assert.strictEqual(error?.code, code)
      assert.strictEqual(error?.desc, desc)
    }
  })

  it("a call that another one ends while they are aborted is not aborted", () => {
    const server = new TestServer()
    server.receive(framed(1) + framed(2) + framed(3))
    server.calls[0]!.onAbort = () => {
      for (const call of server.calls) call.finish()
    }
    server.engine.end({ _tag: "PeerClosed" })
    assert.strictEqual(server.aborts.length, 0)
    assert.strictEqual(server.engine.active, 0)
  })

  it("behind an exception waits for the calls that run, and reads nothing else", () => {
    const server = new TestServer()
    server.receive(header(1) + header(2) + framed(3).slice(0, 8))
    assert.isTrue(server.engine.midMessage)
    server.calls[1]!.exception({ message: "x", type: 20 }, undefined, true)
    assert.isFalse(server.engine.midMessage)
    assert.isFalse(server.engine.closed)
    server.receive(framed(4))
    assert.strictEqual(server.calls.length, 2)
    answer(server.calls[0]!)
    assert.strictEqual(server.ended?._tag, "Local")
    assert.include(server.sent(), "6372727374")
  })

  it("may come from inside onCall: nothing else is read", () => {
    for (const end of [
      (server: TestServer) => server.engine.end({ _tag: "Local", detail: "stop" }),
      (server: TestServer) => server.calls[0]!.abort(),
      (server: TestServer) => server.calls[0]!.exception({ message: "", type: 1 }, undefined, true)
    ]) {
      const server: TestServer = new TestServer(() => end(server))
      server.receive(framed(1) + framed(2))
      assert.strictEqual(server.calls.length, 1)
      assert.isTrue(server.engine.closed)
      server.receive(framed(3))
      assert.strictEqual(server.calls.length, 1)
    }
  })

  it("by an aborted call aborts the others", () => {
    const server = new TestServer()
    server.receive(framed(1) + framed(2))
    server.calls[0]!.abort()
    assert.strictEqual(server.aborts.length, 1)
    assert.strictEqual(server.ended?._tag, "Local")
  })

  it("is for no bad call of a multiplexed connection, unless it drains", () => {
    const server = new TestServer()
    server.receive(header(1, 1) + header(2, 1) + header(3, 1) + header(4, 1))
    server.calls[1]!.exception({ message: "x", type: 7 }, undefined, true)
    server.calls[2]!.abort()
    assert.isFalse(server.engine.closed)
    assert.notInclude(server.sent(), "6372727374")
    server.receive(header(5, 1))
    assert.strictEqual(server.calls.length, 5)
    server.engine.drain()
    server.calls[4]!.exception({ message: "x", type: 7 }, undefined, true)
    answer(server.calls[0]!)
    answer(server.calls[3]!)
    assert.strictEqual(server.ended?._tag, "Local")
  })

  it("drops what waited for room", () => {
    const server = new TestServer(undefined, { maxConcurrentCalls: 1 })
    server.receive(framed(1) + framed(2))
    server.engine.end({ _tag: "PeerClosed" })
    server.calls[0]!.finish()
    server.engine.resume(1)
    assert.strictEqual(server.calls.length, 1)
  })
})

describe("draining", () => {
  it("tells clients with a TTHeader", () => {
    const server = new TestServer(answer)
    server.engine.drain()
    server.receive(header(1) + framed(2))
    assert.strictEqual(
      server.sent(),
      `0000003710000000000000010006000001000100056372727374000131100001001600013200${framedReply(1)}${framedReply(2)}`
    )
  })
})

describe("a cancel frame", () => {
  it("aborts its call, and no other; it is answered when it ends", () => {
    const server = new TestServer()
    server.receive(header(1, 1) + header(2, 1) + header(3, 1))
    assert.isTrue(server.engine.multiplexed)
    server.receive(cancel(2))
    assert.strictEqual(server.calls.length, 3)
    assert.strictEqual(server.aborts.length, 1)
    assert.strictEqual(server.aborts[0]!.reason._tag, "Cancelled")
    assert.strictEqual(server.aborts[0]!.code, 1)
    // Its place is taken until it ends.
    assert.strictEqual(server.engine.active, 3)
    answer(server.calls[1]!)
    assert.strictEqual(server.engine.active, 2)
    const reply = framedException(2)
    assert.strictEqual(
      server.sent(),
      `0000004d100000000000000200040000 100002 0016 0001 33 4d52 0001 31 00 ${reply}`.replaceAll(" ", "")
    )
    answer(server.calls[1]!)
    assert.strictEqual(server.sent(), "")
    // Again, for what has ended, and for what never was
    server.receive(cancel(2) + cancel(99))
    assert.strictEqual(server.aborts.length, 1)
    server.engine.end({ _tag: "PeerClosed" })
    assert.strictEqual(server.aborts.length, 3)
  })

  it("its call is answered whatever ends it, unless it is oneway or the connection has ended", () => {
    for (const end of [
      (call: RawServerCall) => call.exception({ message: "x", type: 1 }),
      (call: RawServerCall) => call.finish(),
      (call: RawServerCall) => call.abort()
    ]) {
      const server = new TestServer()
      server.receive(header(1, 1) + cancel(1))
      end(server.calls[0]!)
      assert.include(server.sent(), framedException(1))
      assert.isFalse(server.engine.closed)
    }
    // Inside the frame's read
    const prompt = new TestServer()
    prompt.receive(header(1, 1))
    prompt.calls[0]!.onAbort = () => prompt.calls[0]!.finish()
    prompt.receive(cancel(1))
    assert.include(prompt.sent(), framedException(1))

    const oneway = new TestServer()
    oneway.receive(header(1, 1, 4) + cancel(1))
    oneway.calls[0]!.finish()
    assert.strictEqual(oneway.sent(), "")

    const gone = new TestServer()
    gone.receive(header(1, 1) + cancel(1))
    gone.engine.end({ _tag: "PeerClosed" })
    gone.calls[0]!.finish()
    assert.strictEqual(gone.sent(), "")
  })

  it("a cancelled call is not aborted again", () => {
    const server = new TestServer()
    server.receive(header(1, 1) + cancel(1) + cancel(1))
    server.engine.end({ _tag: "PeerClosed" })
    assert.strictEqual(server.aborts.length, 1)
  })

  it("of our client is understood, in both encodings that have it", () => {
    for (const encoding of ["ttheader", "ttheader-framed"] as const) {
      const server = new TestServer()
      const client = new TestClient()
      const outcomes = [new Outcome(), new Outcome()]
      client.engine.send(outgoing(outcomes[0]!), encoding, "auto")
      server.receive(client.sent())
      answer(server.calls[0]!)
      client.receive(server.sent())
      assert.isTrue(client.engine.learned)
      const call = client.engine.send(outgoing(outcomes[1]!, { header: noFields }), encoding, "auto")
      call.abandon()
      server.receive(client.sent())
      assert.strictEqual(server.aborts.length, 1)
      assert.isUndefined(server.ended)
      assert.isUndefined(client.ended)
      assert.strictEqual(outcomes[1]!.ends, 0)
    }
  })
})

describe("shapes", () => {
  it("each request is answered in its own", () => {
    const server = new TestServer(answer)
    const bare = framed(1).slice(8)
    const unframed = `0000001f 1000 0000 ${id(1)} 0001 00000000 ${bare}`
    const texts = [bare, framed(1), unframed, header(1)]
    const replies = texts.map((text) => {
      server.receive(text)
      return server.sent()
    })
    const reply = framedReply(1)
    const info = "10000000000000010003000010000100160001320000"
    assert.deepStrictEqual(replies, [
      reply.slice(8),
      reply,
      `00000027${info}${reply.slice(8)}`,
      `0000002b${info}${reply}`
    ])
  })
})
