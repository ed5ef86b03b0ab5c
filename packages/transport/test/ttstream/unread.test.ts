/** A client that reads nothing of what it is sent, and what must not pile up for it. */
import { assert, describe, it } from "@effect/vitest"
import { encodeBytes, encodeText } from "../support/raw.ts"
import * as Raw from "./raw.ts"
import { ClientSide, ok, Pair, ServerSide, takeAll } from "./support.ts"

const size = 60 * 1024
const message = new Uint8Array(size)

/** Answers each stream at once, with one large message. */
const answering = (maxConcurrentStreams: number): ServerSide => {
  const side = new ServerSide({ maxConcurrentStreams })
  side.onStream = (stream) => {
    stream.write([message], 0, encodeBytes)
    stream.finish(ok, [])
    stream.release()
  }
  return side
}

const request = (sid: number): Buffer => Buffer.concat([Raw.requestHeader(sid), Raw.trailer(sid)])

describe("ttstream unread", () => {
  it("streams whose answers wait for the kernel keep their turns: no more handlers write for a client that reads nothing", () => {
    const side = answering(4)
    for (let sid = 1; sid <= 100; sid++) side.receive(request(sid))
    // Four were answered, four wait for their turn, and the others were refused.
    assert.strictEqual(side.accepted.length, 4)
    assert.strictEqual(side.connection.active, 4)
    assert.isAtLeast(side.connection.outbox.length, 4 * size)
    assert.isAtMost(side.connection.outbox.length, 5 * size)
  })

  it("the same where the client resets what was answered", () => {
    const side = answering(4)
    for (let sid = 1; sid <= 100; sid++) side.receive(Buffer.concat([Raw.requestHeader(sid), Raw.rst(sid)]))
    for (let sid = 101; sid <= 104; sid++) side.receive(request(sid))
    for (let sid = 201; sid <= 300; sid++) {
      side.receive(request(sid))
      side.receive(Raw.rst(sid))
    }
    assert.isAtMost(side.connection.outbox.length, 5 * size)
  })

  it("the turns come back with the bytes: the kernel's own word for it counts, not that they left the outbox", () => {
    const side = answering(2)
    for (let sid = 1; sid <= 2; sid++) side.receive(request(sid))
    side.taken(true)
    side.receive(request(3))
    assert.strictEqual(side.accepted.length, 2)
    side.connection.outbox.recycle()
    side.deliver()
    assert.strictEqual(side.accepted.length, 3)
    // What it wrote is gone in the end, whatever came in between.
    side.taken()
    for (let sid = 4; sid <= 50; sid++) {
      side.receive(request(sid))
      side.taken()
    }
    assert.strictEqual(side.accepted.length, 50)
    assert.strictEqual(side.connection.active, 0)
  })

  it("a stream that wrote nothing gives its turn back at once", () => {
    const side = new ServerSide({ maxConcurrentStreams: 1 })
    side.receive(Buffer.concat([Raw.requestHeader(1), Raw.trailer(1)]))
    side.accepted[0]!.finish(ok, [])
    side.accepted[0]!.release()
    side.receive(request(2))
    assert.strictEqual(side.accepted.length, 2)
  })

  it("what was written before a message that cannot be encoded is sent", () => {
    const pair = new Pair()
    const [client, server] = pair.open()
    pair.client.woken = false
    const refuse = new Error("not this one")
    const encode = (text: string, out: Parameters<typeof encodeText>[1]): void => {
      encodeText(text, out)
      if (text === "bad") throw refuse
    }
    assert.throws(() => client.write(["good", "bad"], 0, encode), refuse)
    assert.strictEqual(client.lastWrittenCount, 1)
    assert.isTrue(pair.client.woken)
    pair.run()
    assert.deepStrictEqual(takeAll(server), ["good"])
  })

  it("a stream that ends for a message that is too large ends in the middle of it, whole chunk or in pieces", () => {
    for (const split of [5000, 20]) {
      const side = new ClientSide({ maxReceiveMessageSize: 100 })
      const inside: Array<boolean> = []
      side.onStreamEnded = () => inside.push(side.connection.midFrame)
      side.open()
      const [{ sid }] = Raw.parse(side.taken()) as [Raw.Sent]
      const frame = Raw.data("x".repeat(10_000), sid)
      side.receive(frame.subarray(0, split))
      side.receive(frame.subarray(split, 5000))
      // Nobody may have the connection to himself now.
      assert.deepStrictEqual(inside, [true])
      side.receive(frame.subarray(5000))
      assert.isFalse(side.connection.midFrame)
    }
  })
})
