import { assert, describe, it } from "@effect/vitest"
import { following, nextSequenceId } from "../../src/internal/pingpong/sequence.ts"
import type { ServerCall } from "../../src/internal/pingpong/serverCall.ts"
import type { RawClientCall } from "../../src/RawCall.ts"
import { fromHex } from "../http2/raw.ts"
import { encodeBytes, Outcome, outgoing, TestClient, TestServer } from "./support.ts"

const id = (sequenceId: number) => (sequenceId >>> 0).toString(16).padStart(8, "0")
const framed = (sequenceId: number, type = 2) => `00000011 8001000${type} 00000004 4563686f ${id(sequenceId)} 00`
const withHeader = (sequenceId: number, strings = "", thriftId = sequenceId, type = 2) => {
  const blocks = strings === "" ? "00" : strings
  const info = `0000${blocks}`.replaceAll(/\s/g, "")
  const padded = info.padEnd(Math.ceil(info.length / 8) * 8, "0")
  const length = 10 + padded.length / 2 + 21
  const words = (padded.length / 8).toString(16).padStart(4, "0")
  return `${id(length)} 1000 0000 ${id(sequenceId)} ${words} ${padded} ${framed(thriftId, type)}`
}
const crrst = "01 0001 0005 6372727374 0001 31"
const multiplexes = "10 0001 4d52 0001 31"

const sendOn = (client: TestClient, mode: "auto" | "pooled" | "multiplexed", encoding = "ttheader-framed" as const) => {
  const outcome = new Outcome()
  return { outcome, call: client.engine.send(outgoing(outcome), encoding, mode) }
}

describe("sequence ids", () => {
  it("count, wrap, and are never 0", () => {
    assert.strictEqual(following(0), 1)
    assert.strictEqual(following(2 ** 31 - 1), -(2 ** 31))
    assert.strictEqual(following(-1), 1)
    assert.strictEqual(following(nextSequenceId()), nextSequenceId())
  })

  it("are in both headers", () => {
    const client = new TestClient()
    const { call } = sendOn(client, "pooled")
    const sent = client.sent()
    assert.strictEqual(sent.slice(16, 24), id(call.sequenceId))
    assert.strictEqual(sent.split(id(call.sequenceId)).length, 3)
  })
})

describe("flags", () => {
  it("ask whether the server multiplexes, unless the connection is for one call", () => {
    const flags = (["auto", "multiplexed", "pooled", "short"] as const).map((mode) => {
      const client = new TestClient()
      client.engine.send(outgoing(new Outcome()), "ttheader", mode)
      return client.sent().slice(12, 16)
    })
    assert.deepStrictEqual(flags, ["0001", "0001", "0000", "0000"])
  })
})

describe("a connection for one call", () => {
  it("is free again after an answer", () => {
    const client = new TestClient()
    const { call, outcome } = sendOn(client, "pooled")
    assert.strictEqual(client.engine.active, 1)
    assert.strictEqual(client.wakes, 1)
    client.sent()
    client.receive(framed(call.sequenceId))
    assert.strictEqual(outcome.result, "00")
    assert.deepStrictEqual(client.usable, [true])
    assert.strictEqual(client.engine.active, 0)
    call.abandon()
    assert.isUndefined(client.ended)
  })

  it("is not after an exception, whatever its sequence id", () => {
    for (const sequenceId of [0, 12345]) {
      const client = new TestClient()
      const { outcome } = sendOn(client, "pooled")
      client.sent()
      client.receive(framed(sequenceId, 3))
      assert.strictEqual(outcome.exception?.type, 0)
      assert.deepStrictEqual(client.usable, [false])
      // The pool closes it.
      assert.isUndefined(client.ended)
    }
  })

  it("an exception that cannot be read fails the call", () => {
    const client = new TestClient()
    const { call, outcome } = sendOn(client, "pooled")
    client.sent()
    client.receive(`00000014 80010003 00000004 4563686f ${id(call.sequenceId)} 0b0001ff`)
    assert.match(outcome.failed!.desc, /^thrift unmarshal Exception failed: /)
    assert.strictEqual(outcome.failed!.reason._tag, "ProtocolViolation")
    assert.deepStrictEqual(client.usable, [false])
  })

  it("is not after a result that could not be read", () => {
    const client = new TestClient()
    const { call, outcome } = sendOn(client, "pooled")
    outcome.decode = () => {
      throw new Error("bad")
    }
    // Known to whoever wants to send the next call at once
    outcome.whenEnded = () => assert.isFalse(client.engine.usable)
    client.sent()
    client.receive(framed(call.sequenceId))
    assert.match(String(outcome.decodeError), /bad/)
    assert.deepStrictEqual(client.usable, [false])
  })

  it("is not when the server says that it resets it", () => {
    const client = new TestClient()
    const { call, outcome } = sendOn(client, "pooled")
    client.sent()
    client.receive(withHeader(call.sequenceId, crrst))
    assert.strictEqual(outcome.result, "00")
    assert.deepStrictEqual(client.usable, [false])
  })

  it("ends when something came behind the answer", () => {
    for (const more of [framed(1), framed(1, 3), "00"]) {
      const client = new TestClient()
      const { call, outcome } = sendOn(client, "pooled")
      client.sent()
      client.receive(framed(call.sequenceId) + more)
      assert.strictEqual(outcome.result, "00")
      // Before anybody could send the next call on it
      assert.deepStrictEqual(client.usable, [false])
      assert.strictEqual(client.ended?._tag, "Error")
    }
  })

  it("ends when an answer comes that no call waits for", () => {
    for (const used of [false, true]) {
      const client = new TestClient()
      if (used) {
        const { call } = sendOn(client, "pooled")
        client.sent()
        client.receive(framed(call.sequenceId))
      }
      client.receive(framed(1))
      assert.strictEqual(client.ended?._tag, "Error")
      assert.isFalse(client.engine.usable)
    }
  })

  it("ends when its call is abandoned, and the call hears nothing", () => {
    const client = new TestClient()
    const { call, outcome } = sendOn(client, "pooled")
    call.abandon()
    call.abandon()
    assert.strictEqual(outcome.ends, 0)
    assert.strictEqual(client.ended?._tag, "Local")
    assert.strictEqual(client.callsEnded, 1)
    assert.strictEqual(client.engine.active, 0)
    // What was not sent is not.
    assert.strictEqual(client.sent(), "")
  })
})

describe("a shared connection", () => {
  it("gives each call its answer, in any order", () => {
    const client = new TestClient()
    const sent = [1, 2, 3].map(() => sendOn(client, "multiplexed"))
    client.sent()
    for (const i of [2, 0, 1]) client.receive(withHeader(sent[i]!.call.sequenceId))
    assert.deepStrictEqual(
      sent.map(({ outcome }) => outcome.result),
      ["00", "00", "00"]
    )
    assert.deepStrictEqual(client.usable, [true, true, true])
  })

  it("finds the call of an exception by either sequence id, and stays usable", () => {
    const client = new TestClient()
    const sent = [1, 2].map(() => sendOn(client, "multiplexed"))
    client.sent()
    client.receive(withHeader(77, "", sent[0]!.call.sequenceId, 3))
    client.receive(withHeader(sent[1]!.call.sequenceId, "", 0, 3))
    for (const { outcome } of sent) assert.isDefined(outcome.exception)
    assert.deepStrictEqual(client.usable, [true, true])
  })

  it("gives an answer to the call that its header names, and checks the other sequence id", () => {
    const client = new TestClient()
    const [first, second] = [sendOn(client, "multiplexed"), sendOn(client, "multiplexed")]
    sendOn(client, "multiplexed").call.abandon()
    client.sent()
    client.receive(withHeader(first.call.sequenceId, "", second.call.sequenceId))
    assert.strictEqual(first.outcome.failed?.code, 4)
    assert.include(first.outcome.failed?.desc, "out of order sequence response")
    assert.strictEqual(second.outcome.ends, 0)
    // And where the header names none it is late, whatever else it says.
    client.receive(withHeader(9999, "", second.call.sequenceId))
    assert.strictEqual(second.outcome.ends, 0)
    assert.strictEqual(client.engine.lateReplies, 1)
  })

  it("is not used again after an answer with crrst; what runs goes on", () => {
    const client = new TestClient()
    const [first, second] = [sendOn(client, "multiplexed"), sendOn(client, "multiplexed")]
    client.sent()
    client.receive(withHeader(first.call.sequenceId, crrst, first.call.sequenceId, 3))
    assert.isFalse(client.engine.usable)
    const refused = sendOn(client, "multiplexed")
    assert.isTrue(refused.outcome.failed?.reason._tag === "ConnectionLost" && refused.outcome.failed.reason.neverSent)
    assert.strictEqual(client.sent(), "")
    client.receive(withHeader(second.call.sequenceId))
    assert.strictEqual(second.outcome.result, "00")
  })

  it("a wrong answer fails its call alone", () => {
    const wrong: ReadonlyArray<readonly [(call: RawClientCall) => string, string, number]> = [
      [(call) => framed(call.sequenceId, 1), "client side, invalid message type 1", 2],
      [
        (call) => framed(call.sequenceId).replace("4563686f", "45636870"),
        "wrong method name, expect=Echo, actual=Echp",
        13
      ]
    ]
    for (const [answer, desc, code] of wrong) {
      const client = new TestClient()
      const [first, second] = [sendOn(client, "multiplexed"), sendOn(client, "multiplexed")]
      client.sent()
      client.receive(answer(first.call) + framed(second.call.sequenceId))
      assert.strictEqual(first.outcome.failed?.desc, desc)
      assert.strictEqual(first.outcome.failed?.code, code)
      assert.strictEqual(second.outcome.result, "00")
      assert.isFalse(client.engine.usable)
    }
  })

  it("drops and counts answers that come too late", () => {
    const client = new TestClient()
    const [first, second] = [sendOn(client, "multiplexed"), sendOn(client, "multiplexed")]
    client.sent()
    first.call.abandon()
    // The server has not said that it understands a cancel frame.
    assert.strictEqual(client.sent(), "")
    assert.strictEqual(client.engine.active, 1)
    assert.strictEqual(client.engine.owed, 1)
    client.receive(withHeader(first.call.sequenceId) + withHeader(second.call.sequenceId))
    assert.strictEqual(client.engine.lateReplies, 1)
    assert.strictEqual(client.engine.owed, 0)
    assert.strictEqual(client.rooms, 1)
    assert.strictEqual(first.outcome.ends, 0)
    assert.strictEqual(second.outcome.result, "00")
    assert.isUndefined(client.ended)
  })

  it("ends at more late answers than are owed for abandoned and oneway calls", () => {
    const client = new TestClient()
    const [first, waiting] = [sendOn(client, "multiplexed"), sendOn(client, "multiplexed")]
    const oneway = new Outcome()
    client.engine.send(outgoing(oneway, { oneway: true }), "ttheader", "multiplexed")
    client.sent()
    first.call.abandon()
    client.receive(withHeader(9998) + withHeader(9999, "", 9999, 3))
    assert.strictEqual(client.engine.lateReplies, 2)
    assert.isFalse(client.engine.closed)
    client.receive(withHeader(9997))
    assert.strictEqual(waiting.outcome.failed?.desc, "an answer came that no call waits for")
    assert.strictEqual(client.ended?._tag, "Error")
  })

  it("keeps no large header behind an answer", () => {
    const client = new TestClient()
    const strings = (size: number) =>
      `01 0001 0001 6b ${size.toString(16).padStart(4, "0")} ${"78".repeat(size)}`.replaceAll(" ", "")
    for (const [size, kept] of [
      [100, true],
      [2000, false]
    ] as const) {
      const { call, outcome } = sendOn(client, "multiplexed")
      client.sent()
      client.receive(withHeader(call.sequenceId, strings(size)))
      assert.strictEqual(outcome.header?.strings.get("k")?.length, size)
      const { header, reader } = client.engine as unknown as { header: unknown; reader: { header: unknown } }
      assert.deepStrictEqual([header !== undefined, reader.header !== undefined], [kept, kept])
    }
  })

  it("shows no more of a wrong name than its beginning, in one line", () => {
    const client = new TestClient()
    const { call, outcome } = sendOn(client, "multiplexed")
    client.sent()
    client.receive(`${id(1013)} 80010002 ${id(1000)} 0a${"78".repeat(999)} ${id(call.sequenceId)} 00`)
    const desc = `wrong method name, expect=Echo, actual=\\n${"x".repeat(255)}...`
    assert.strictEqual(outcome.failed?.desc, desc)
  })

  it("cancels where the server has said that it multiplexes", () => {
    const client = new TestClient()
    const { call } = sendOn(client, "auto")
    client.sent()
    assert.isUndefined(client.engine.learned)
    client.receive(withHeader(call.sequenceId, multiplexes))
    assert.isTrue(client.engine.learned)
    const second = sendOn(client, "auto")
    client.sent()
    second.call.abandon()
    const sequenceId = id(second.call.sequenceId)
    assert.strictEqual(
      client.sent(),
      `0000002d10000001${sequenceId}000300001000014d53000131000000000013800100040000000663616e63656c${sequenceId}00`.replace(
        " ",
        ""
      )
    )
    assert.isUndefined(client.ended)
    assert.strictEqual(second.outcome.ends, 0)
  })

  it("cancels what was abandoned before the first answer once that says that the server multiplexes", () => {
    const server = new TestServer()
    const client = new TestClient()
    const [first, second, third] = [
      sendOn(client, "multiplexed"),
      sendOn(client, "multiplexed"),
      sendOn(client, "multiplexed")
    ]
    server.receive(client.sent())
    first.call.abandon()
    third.call.abandon()
    assert.strictEqual(client.sent(), "")
    server.calls[1]!.reply(fromHex("00"), encodeBytes)
    client.receive(server.sent())
    assert.strictEqual(second.outcome.result, "00")
    server.receive(client.sent())
    assert.deepStrictEqual(
      server.aborts.map(({ desc }) => desc),
      ["the client cancelled the call", "the client cancelled the call"]
    )
    assert.deepStrictEqual(
      server.calls.map((call) => server.engine.isLost(call as ServerCall)),
      [true, false, true]
    )
    // Once.
    const fourth = sendOn(client, "multiplexed")
    server.receive(client.sent())
    server.calls[3]!.reply(fromHex("00"), encodeBytes)
    client.receive(server.sent())
    assert.strictEqual(fourth.outcome.result, "00")
    assert.strictEqual(client.sent(), "")
  })

  it("forgets what was abandoned before an answer that says that the server does not multiplex", () => {
    const client = new TestClient()
    const [first, second] = [sendOn(client, "multiplexed"), sendOn(client, "multiplexed")]
    client.sent()
    first.call.abandon()
    client.receive(withHeader(second.call.sequenceId))
    const third = sendOn(client, "multiplexed")
    client.sent()
    client.receive(withHeader(third.call.sequenceId, multiplexes))
    assert.isTrue(client.engine.learned)
    assert.strictEqual(client.sent(), "")
  })

  it("remembers the last 1,024 calls that were abandoned before the first answer", () => {
    const client = new TestClient()
    const calls = Array.from({ length: 1030 }, () => sendOn(client, "multiplexed").call)
    const last = sendOn(client, "multiplexed").call
    client.sent()
    for (const call of calls) call.abandon()
    client.receive(withHeader(last.sequenceId, multiplexes))
    const cancelled = [...client.sent().matchAll(/63616e63656c(.{8})/g)].map(([, sequenceId]) => sequenceId)
    assert.deepStrictEqual(
      cancelled,
      calls.slice(-1024).map(({ sequenceId }) => id(sequenceId))
    )
  })

  it("matches by the Thrift sequence id where there is no TTHeader", () => {
    for (const encoding of ["framed", "buffered"] as const) {
      const client = new TestClient()
      const outcomes = [new Outcome(), new Outcome()]
      const calls = outcomes.map((outcome) => client.engine.send(outgoing(outcome), encoding, "multiplexed"))
      client.sent()
      client.receive(framed(calls[1]!.sequenceId) + framed(calls[0]!.sequenceId))
      assert.deepStrictEqual(
        outcomes.map(({ result }) => result),
        ["00", "00"]
      )
      assert.isUndefined(client.engine.learned)
    }
  })
})

describe("learning", () => {
  it("an answer in a TTHeader without the key unlearns; one without a TTHeader says nothing", () => {
    const client = new TestClient()
    const steps: Array<boolean | undefined> = []
    for (const answer of [
      (call: RawClientCall) => withHeader(call.sequenceId),
      (call: RawClientCall) => withHeader(call.sequenceId, multiplexes),
      (call: RawClientCall) => framed(call.sequenceId),
      (call: RawClientCall) => withHeader(call.sequenceId, multiplexes),
      (call: RawClientCall) => withHeader(call.sequenceId)
    ]) {
      const { call } = sendOn(client, "auto")
      client.sent()
      client.receive(answer(call))
      steps.push(client.engine.learned)
    }
    assert.deepStrictEqual(steps, [false, true, true, true, false])
    assert.isTrue(client.engine.usable)
  })

  it("is there before the answer is told, so that the next call may share the connection", () => {
    const client = new TestClient()
    const { call, outcome } = sendOn(client, "auto")
    let learned: boolean | undefined
    outcome.whenEnded = () => void (learned = client.engine.learned)
    client.sent()
    client.receive(withHeader(call.sequenceId, multiplexes))
    assert.isTrue(learned)
  })

  it("a server may take it back while an abandoned call may be answered", () => {
    const client = new TestClient()
    const first = sendOn(client, "auto")
    client.sent()
    client.receive(withHeader(first.call.sequenceId, multiplexes))
    const [second, third] = [sendOn(client, "auto"), sendOn(client, "auto")]
    client.sent()
    second.call.abandon()
    client.receive(withHeader(third.call.sequenceId))
    assert.strictEqual(third.outcome.result, "00")
    assert.isFalse(client.engine.learned)
    assert.isTrue(client.engine.mayBeLate)
    // The one that came may be of another call.
    client.receive(withHeader(second.call.sequenceId))
    assert.isTrue(client.engine.mayBeLate)
  })
})

describe("oneway", () => {
  const sendOneway = (client: TestClient, mode: "pooled" | "multiplexed") => {
    const outcome = new Outcome()
    const call = client.engine.send(outgoing(outcome, { oneway: true, method: "Notify" }), "ttheader", mode)
    return { outcome, call }
  }

  it("is sent when the kernel took its bytes", () => {
    const client = new TestClient()
    const [first, second] = [sendOneway(client, "multiplexed"), sendOneway(client, "multiplexed")]
    client.engine.outbox.take()
    const third = sendOneway(client, "multiplexed")
    assert.strictEqual(first.outcome.sent, 0)
    client.engine.outbox.recycle()
    assert.deepStrictEqual(
      [first, second, third].map(({ outcome }) => outcome.sent),
      [1, 1, 0]
    )
    assert.strictEqual(client.engine.active, 1)
    client.engine.outbox.take()
    client.engine.outbox.recycle()
    assert.strictEqual(third.outcome.sent, 1)
    assert.deepStrictEqual(client.usable, [true, true, true])
  })

  it("leaves a connection for one call unusable, as it may be answered", () => {
    const client = new TestClient()
    const { outcome } = sendOneway(client, "pooled")
    client.sent()
    assert.strictEqual(outcome.sent, 1)
    assert.deepStrictEqual(client.usable, [false])
  })

  it("an answer to it on a shared connection is dropped and counted", () => {
    const client = new TestClient()
    const { call } = sendOneway(client, "multiplexed")
    client.sent()
    client.receive(withHeader(call.sequenceId, "", call.sequenceId, 3))
    assert.strictEqual(client.engine.lateReplies, 1)
    assert.isUndefined(client.ended)
  })

  it("that is abandoned before it was sent hears nothing", () => {
    const client = new TestClient()
    const [first, second] = [sendOneway(client, "multiplexed"), sendOneway(client, "multiplexed")]
    first.call.abandon()
    client.sent()
    assert.strictEqual(first.outcome.ends, 0)
    assert.strictEqual(second.outcome.sent, 1)
    assert.strictEqual(client.engine.active, 0)
  })
})

describe("the end of a connection", () => {
  it("fails every call; one of which no byte was taken may be sent again, and is not sent here", () => {
    const client = new TestClient()
    const [first, second] = [sendOn(client, "multiplexed"), sendOn(client, "multiplexed")]
    client.sent()
    const third = sendOn(client, "multiplexed")
    const oneway = new Outcome()
    client.engine.send(outgoing(oneway, { oneway: true }), "ttheader", "multiplexed")
    client.engine.end({ _tag: "PeerClosed" })
    const failures = [first.outcome, second.outcome, third.outcome, oneway].map(({ failed }) => failed!)
    assert.deepStrictEqual(
      failures.map(({ reason }) => reason._tag === "ConnectionLost" && reason.neverSent === true),
      [false, false, true, true]
    )
    for (const failure of failures) {
      assert.strictEqual(failure.code, 14)
      assert.strictEqual(failure.desc, "default codec read failed: EOF peer close")
    }
    assert.strictEqual(client.sent(), "")
    assert.strictEqual(client.callsEnded, 4)
    assert.isFalse(client.engine.usable)
    assert.strictEqual(client.engine.active, 0)
    const late = sendOn(client, "multiplexed")
    assert.isTrue(late.outcome.failed?.reason._tag === "ConnectionLost" && late.outcome.failed.reason.neverSent)
  })

  it("says why", () => {
    const texts = [
      [{ _tag: "PeerClosed" }, "00000011", "ConnectionLost", 14, "EOF wait read"],
      [{ _tag: "Lost", detail: "ECONNRESET" }, "", "ConnectionLost", 14, "default codec read failed: ECONNRESET"],
      [{ _tag: "Local", detail: "closed" }, "", "ConnectionLost", 14, "connection closed: closed"],
      [{ _tag: "Error", code: 13, detail: "bad" }, "", "ProtocolViolation", 13, "bad"]
    ] as const
    for (const [end, bytes, reason, code, desc] of texts) {
      const client = new TestClient()
      const { outcome } = sendOn(client, "pooled")
      client.sent()
      client.receive(bytes)
      client.engine.end(end)
      assert.strictEqual(outcome.failed?.reason._tag, reason)
      assert.strictEqual(outcome.failed?.code, code)
      assert.strictEqual(outcome.failed?.desc, desc)
    }
  })

  it("bytes after it are not read", () => {
    const client = new TestClient()
    const { call, outcome } = sendOn(client, "pooled")
    client.sent()
    client.engine.end({ _tag: "PeerClosed" })
    client.receive(framed(call.sequenceId))
    assert.strictEqual(outcome.replies, 0)
  })
})

describe("a call that cannot be encoded", () => {
  it("throws, and leaves nothing", () => {
    const client = new TestClient()
    const encode = () => {
      throw new Error("no")
    }
    assert.throws(() => client.engine.send(outgoing(new Outcome(), { encode }), "framed", "pooled"), "no")
    assert.strictEqual(client.engine.active, 0)
    assert.strictEqual(client.callsEnded, 0)
    assert.strictEqual(client.sent(), "")
    assert.isTrue(client.engine.usable)
  })
})

describe("listeners", () => {
  it("may send the next call, abandon others, or end the connection", () => {
    const client = new TestClient()
    const [first, second, third] = [1, 2, 3].map(() => sendOn(client, "multiplexed")) as [
      ReturnType<typeof sendOn>,
      ReturnType<typeof sendOn>,
      ReturnType<typeof sendOn>
    ]
    client.sent()
    let next: ReturnType<typeof sendOn> | undefined
    first.outcome.whenEnded = () => {
      next = sendOn(client, "multiplexed")
      second.call.abandon()
    }
    third.outcome.whenEnded = () => client.engine.end({ _tag: "Local", detail: "enough" })
    const answers = [first, second, third, first].map(({ call }) => framed(call.sequenceId)).join("")
    client.receive(answers)
    assert.strictEqual(second.outcome.ends, 0)
    assert.strictEqual(third.outcome.result, "00")
    assert.strictEqual(client.engine.lateReplies, 1)
    assert.isTrue(next!.outcome.failed?.reason._tag === "ConnectionLost")
    assert.strictEqual(next!.outcome.ends, 1)
    assert.strictEqual(client.ended?._tag, "Local")
    assert.strictEqual(client.engine.active, 0)
  })

  it("may abandon the others while they fail", () => {
    const client = new TestClient()
    const learning = sendOn(client, "auto")
    client.sent()
    client.receive(withHeader(learning.call.sequenceId, multiplexes))
    const [first, second] = [sendOn(client, "multiplexed"), sendOn(client, "multiplexed")]
    first.outcome.whenEnded = () => {
      second.call.abandon()
      client.engine.end({ _tag: "PeerClosed" })
    }
    client.sent()
    client.engine.end({ _tag: "PeerClosed" })
    assert.strictEqual(first.outcome.ends, 1)
    assert.strictEqual(second.outcome.ends, 0)
    assert.strictEqual(client.engine.active, 0)
    assert.strictEqual(client.callsEnded, 3)
    // Nor is anything written that cancels it.
    assert.strictEqual(client.sent(), "")
  })
})

describe("both ends", () => {
  it("a checksum that is wrong ends the client's connection", () => {
    const client = new TestClient({ checksum: true })
    const server = new TestServer((call) => void call.reply(fromHex("00"), encodeBytes), { checksum: true })
    const { call, outcome } = sendOn(client, "pooled")
    server.receive(client.sent())
    const answer = fromHex(server.sent())
    answer[answer.length - 1] = 1
    client.receive(answer)
    assert.match(outcome.failed!.desc, /^payload validation error: validation failed, err=[0-9a-f]{8}$/)
    assert.strictEqual(call.sentBytes, 14)
  })
})
