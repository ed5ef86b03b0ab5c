import { assert, describe, it } from "@effect/vitest"
import { CallClient } from "../../src/internal/net/callClient.ts"
import { callPoolOptions } from "../../src/internal/net/options.ts"
import type { PoolOwner } from "../../src/internal/net/pooled.ts"
import type { ConnectionMode, Encoding } from "../../src/RawCall.ts"
import type { ClientOptions } from "../../src/TransportOptions.ts"
import { concat } from "../http2/raw.ts"
import { answer, type Answer, goodbye, outgoing, parseRequests, type Request, Waiter } from "../support/calls.ts"
import { FakeSocket, Ticks } from "../support/socket.ts"

/** A driver whose pool, socket and clock are the test. */
const calling = (
  mode: ConnectionMode = "pooled",
  encoding: Encoding = "ttheader-framed",
  options: ClientOptions = {}
) => {
  const ticks = new Ticks()
  const socket = new FakeSocket()
  const told: Array<string> = []
  const owner: PoolOwner<CallClient> = {
    mode,
    reading: undefined,
    settle: () => told.push("settle"),
    expire: () => told.push("expire"),
    retire: () => told.push("retire"),
    leave: () => told.push("leave")
  }
  const client = new CallClient(socket, callPoolOptions(options, ticks.platform), owner, encoding)
  client.start()
  let kept: Uint8Array = new Uint8Array(0)
  return {
    client,
    owner,
    socket,
    ticks,
    told,
    send: (body: string, more = {}) => {
      const waiter = new Waiter()
      const sent = client.lease().send(outgoing(body, waiter, more))
      return { waiter, sent }
    },
    /** What has come at the server since the last time. */
    requests: (): ReadonlyArray<Request> => {
      ticks.run()
      const [requests, rest] = parseRequests(concat([kept, socket.sent()]))
      kept = rest
      return requests
    },
    answer: (request: Request, more?: Answer) => socket.events.onData(answer(request, more)),
    /** One round of the watchdog, without its fiber. */
    pass: (millis: number) => {
      ticks.time += millis
      for (const timer of client.timers()) {
        const since = timer.since()
        if (since !== undefined && since + timer.timeout <= ticks.time) timer.expire()
      }
      ticks.run()
    }
  }
}

describe("a connection of calls", () => {
  it("writes what was sent in a tick at once, and hands answers over inside the read", () => {
    const { answer, requests, send, socket } = calling("multiplexed")
    const calls = ["a", "b", "c"].map((body) => send(body))
    assert.strictEqual(socket.written.length, 0)
    const asked = requests()
    assert.deepStrictEqual(
      asked.map(({ body, flags }) => [body, flags]),
      [
        ["a", 1],
        ["b", 1],
        ["c", 1]
      ]
    )
    for (const request of [asked[2]!, asked[0]!, asked[1]!]) answer(request)
    assert.deepStrictEqual(
      calls.map(({ waiter }) => waiter.body),
      ["a", "b", "c"]
    )
  })

  it("a call that a listener sends leaves with the read that answered the last one", () => {
    const { client, requests, answer, socket } = calling()
    const second = new Waiter()
    client.lease().send(outgoing("first", new Waiter(() => client.lease().send(outgoing("second", second)))))
    answer(requests()[0]!)
    assert.strictEqual(parseRequests(socket.sent())[0][0]!.body, "second")
  })

  it("a call that cannot be encoded leaves nothing behind", () => {
    const { client, requests, told, send } = calling()
    const encode = () => {
      throw new Error("not encodable")
    }
    const waiter = new Waiter()
    assert.throws(() => client.lease().send(outgoing("x", waiter, { encode })), "not encodable")
    assert.strictEqual(waiter.calls, 0)
    assert.strictEqual(client.load, 0)
    assert.deepStrictEqual(told, ["settle"])
    send("y")
    assert.deepStrictEqual(
      requests().map(({ body }) => body),
      ["y"]
    )
  })

  it("bytes that nobody asked for end it", () => {
    const { client, socket, told } = calling()
    socket.events.onData(
      answer({ ttheader: false, framed: true, flags: 0, type: 1, method: "Echo", seq: 7, body: "unasked" })
    )
    assert.isFalse(client.fit)
    assert.isTrue(socket.ended)
    assert.include(told, "leave")
  })

  it("so does the beginning of a message that nobody asked for, but not on a connection where it may be late", () => {
    const bytes = answer({ ttheader: false, framed: true, flags: 0, type: 1, method: "Echo", seq: 7, body: "unasked" })
    for (const mode of ["pooled", "short", "auto"] as const) {
      const { client, socket } = calling(mode)
      client.lease()
      socket.events.onData(bytes.slice(0, 5))
      assert.isTrue(socket.ended)
    }
    const { client, requests, send, socket } = calling("multiplexed", "framed")
    send("x").sent.abandon()
    const late = answer(requests()[0]!)
    socket.events.onData(late.slice(0, 5))
    assert.isTrue(client.fit)
    socket.events.onData(late.slice(5))
    assert.strictEqual(client.connection.lateReplies, 1)
    assert.isTrue(client.fit)
  })

  it("a listener that throws ends its connection, and nothing else", () => {
    const { answer, client, requests, send, socket, ticks } = calling("multiplexed")
    const oops = new Error("oops")
    const throwing = new Waiter(() => {
      throw oops
    })
    client.lease().send(outgoing("a", throwing))
    const { waiter } = send("b")
    answer(requests()[0]!)
    assert.deepStrictEqual(ticks.defects, [oops])
    assert.isTrue(socket.destroyed)
    assert.strictEqual(waiter.error?.reason._tag, "ConnectionLost")
  })

  it("closes at a goodbye, behind the calls that are out", () => {
    const idle = calling("multiplexed")
    idle.socket.events.onData(goodbye)
    assert.isTrue(idle.socket.ended)
    assert.include(idle.told, "leave")

    const { answer, client, requests, send, socket, told } = calling("multiplexed")
    const { waiter } = send("x")
    const [request] = requests()
    socket.events.onData(goodbye)
    assert.isFalse(client.fit)
    assert.isFalse(socket.ended)
    assert.deepStrictEqual(told, ["settle"])
    answer(request!)
    assert.strictEqual(waiter.body, "x")
  })

  it("leaves at the server's FIN", () => {
    const { client, socket, told } = calling()
    socket.events.onEnd()
    assert.deepStrictEqual(told, ["leave"])
    assert.isFalse(client.fit)
    assert.isTrue(socket.ended)
  })

  it("fails its calls at the end: with neverSent where nothing was given to the kernel", () => {
    const { requests, send, socket } = calling("multiplexed")
    const sent = send("sent")
    requests()
    const unsent = send("unsent")
    socket.events.onError("ECONNRESET")
    assert.deepInclude(sent.waiter.error?.reason, { _tag: "ConnectionLost" })
    assert.notProperty(sent.waiter.error?.reason, "neverSent")
    assert.deepInclude(unsent.waiter.error?.reason, { _tag: "ConnectionLost", neverSent: true })
    assert.strictEqual(requests().length, 0)
    assert.strictEqual(sent.waiter.calls + unsent.waiter.calls, 2)
  })

  it("gives nothing to a socket that is dead, and says that nothing was sent", () => {
    const { client, requests, send, socket } = calling()
    const { waiter } = send("x")
    socket.destroy()
    assert.isFalse(client.fit)
    assert.strictEqual(requests().length, 0)
    socket.events.onClosed()
    assert.deepInclude(waiter.error?.reason, { _tag: "ConnectionLost", neverSent: true })
    const late = send("y")
    assert.deepInclude(late.waiter.error?.reason, { _tag: "ConnectionLost", neverSent: true })
  })

  it("a lease that outlived its connection fails the call and is over", () => {
    const { client, send, socket, told } = calling("multiplexed")
    client.lease()
    socket.events.onData(goodbye)
    told.length = 0
    const { waiter } = send("x")
    assert.deepInclude(waiter.error?.reason, { _tag: "ConnectionLost", neverSent: true })
    assert.include(told, "settle")
    assert.strictEqual(client.load, 1)
    client.release()
    client.release()
    assert.strictEqual(client.load, 0)
  })

  it("closes behind the bytes of a oneway call", () => {
    const { client, requests, send, socket, owner } = calling()
    owner.settle = (client) => {
      if (!client.fit) client.finish()
    }
    const { waiter } = send("x", { oneway: true })
    assert.isFalse(socket.ended)
    assert.strictEqual(requests()[0]!.type, 4)
    assert.isTrue(waiter.sent)
    assert.isTrue(socket.ended)
    assert.isFalse(client.fit)
  })

  it("an abandoned call ends a connection that is its own, and leaves a shared one", () => {
    const own = calling("pooled")
    const first = own.send("x")
    own.requests()
    first.sent.abandon()
    first.sent.abandon()
    own.ticks.run()
    assert.isTrue(own.socket.ended)
    assert.strictEqual(first.waiter.calls, 0)

    const shared = calling("multiplexed")
    const [a, b] = [shared.send("a"), shared.send("b")]
    const asked = shared.requests()
    a.sent.abandon()
    for (const request of asked) shared.answer(request)
    assert.strictEqual(a.waiter.calls, 0)
    assert.strictEqual(b.waiter.body, "b")
    assert.strictEqual(shared.client.connection.lateReplies, 1)
    assert.isFalse(shared.socket.ended)
  })

  it("asks whether it may be shared, and tells that it is once it knows", () => {
    const { answer, client, requests, send } = calling("auto")
    send("a")
    const [first] = requests()
    assert.strictEqual(first!.flags, 1)
    assert.isUndefined(client.connection.learned)
    answer(first!, { multiplexes: true })
    assert.isTrue(client.connection.learned)
    const { sent } = send("b")
    requests()
    // A frame that cancels the call in place of the end of the connection.
    sent.abandon()
    assert.deepStrictEqual(
      requests().map(({ method }) => method),
      ["cancel"]
    )
    assert.isTrue(client.fit)
  })

  it("is full while more than 1 MiB waits behind a server that does not read", () => {
    const { client, send, socket, ticks } = calling("multiplexed")
    socket.takes = false
    send("x".repeat(900_000))
    assert.isFalse(client.full)
    send("x".repeat(200_000))
    assert.isTrue(client.full)
    ticks.run()
    assert.isTrue(client.full)
    socket.takes = true
    socket.events.onDrain()
    assert.isFalse(client.full)
  })
})

describe("a server that seems to be none", () => {
  const ascii = (text: string) => new TextEncoder().encode(text)
  const servers: ReadonlyArray<readonly [what: string, bytes: Uint8Array, desc: string]> = [
    [
      "HTTP/1",
      ascii("HTTP/1.1 400 Bad Request\r\n"),
      "invalid payload (first4Bytes=0x48545450, second4Bytes=0x2f312e31); the server speaks HTTP/1"
    ],
    [
      "HTTP/2",
      Uint8Array.of(0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0),
      "invalid payload (first4Bytes=0x604, second4Bytes=0x0); the server speaks HTTP/2 (gRPC): is it another port?"
    ],
    [
      "SSH",
      ascii("SSH-2.0-OpenSSH_9.2\r\n"),
      "invalid payload (first4Bytes=0x5353482d, second4Bytes=0x322e302d); the server speaks SSH"
    ],
    [
      "Thrift's compact protocol",
      Uint8Array.of(0, 0, 0, 30, 0x82, 0x41, 1, 4, 69, 99, 104, 111),
      "invalid payload (first4Bytes=0x1e, second4Bytes=0x82410104); the server speaks Thrift's compact protocol"
    ],
    ["nothing known", ascii("what is this"), "invalid payload (first4Bytes=0x77686174, second4Bytes=0x20697320)"]
  ]
  for (const [what, bytes, desc] of servers)
    it(`but speaks ${what}`, () => {
      const { client, requests, send, socket } = calling()
      const { waiter } = send("x")
      requests()
      socket.events.onData(bytes)
      assert.strictEqual(waiter.error?.desc, desc)
      assert.strictEqual(waiter.error?.reason._tag, "ProtocolViolation")
      const late = send("y")
      assert.strictEqual(late.waiter.error?.desc, `connection closed: ${desc}`)
      assert.isFalse(client.fit)
    })

  it("but alerts over TLS in less than the bytes of any message", () => {
    for (const secure of [false, true]) {
      const { requests, send, socket } = calling()
      socket.secure = secure
      const { waiter } = send("x")
      requests()
      socket.events.onData(Uint8Array.of(0x15, 3, 1, 0, 2, 2, 70))
      socket.events.onEnd()
      const hint = secure ? "" : "; the server speaks TLS: does the client lack tls?"
      assert.strictEqual(waiter.error?.desc, `EOF wait read${hint}`)
    }
  })

  it("and closes within an answer that has no frame, whose head looks like a frame of old Thrift", () => {
    const { requests, send, socket } = calling("pooled", "buffered")
    const { waiter } = send("x")
    requests()
    socket.events.onData(Uint8Array.of(0x80, 1, 0, 2, 0, 0, 0, 4, 69, 99, 104, 111))
    socket.events.onEnd()
    assert.strictEqual(waiter.error?.desc, "EOF wait read")
  })

  it("and closes within an answer whose first chunk was freed behind its read", () => {
    const { requests, send, socket } = calling()
    const { waiter } = send("x")
    requests()
    // As Node reads: a Buffer that has its memory to itself.
    const chunk = Buffer.alloc(64 * 1024)
    chunk.set([0, 2, 0, 0, 0x80, 1, 0, 2, 0, 0, 0, 4, 69, 99, 104, 111])
    socket.events.onData(chunk)
    assert.strictEqual(chunk.byteLength, 0)
    socket.events.onEnd()
    assert.strictEqual(waiter.error?.desc, "EOF wait read")
  })

  it("but closes without a byte", () => {
    const text = "default codec read failed"
    const hint = "; does it speak Thrift, and TLS only where this client does?"
    for (const [end, desc] of [
      [(socket: FakeSocket) => socket.events.onEnd(), `${text}: EOF peer close${hint}`],
      [(socket: FakeSocket) => socket.events.onError("ECONNRESET"), `${text}: ECONNRESET${hint}`],
      [(socket: FakeSocket) => socket.events.onError("ETIMEDOUT"), `${text}: ETIMEDOUT`]
    ] as const) {
      const fresh = calling()
      const { waiter } = fresh.send("x")
      fresh.requests()
      end(fresh.socket)
      assert.strictEqual(waiter.error?.desc, desc)
      assert.strictEqual(waiter.error?.reason._tag, "ConnectionLost")

      // One that has answered speaks Thrift.
      const { answer, requests, send, socket } = calling()
      send("a")
      answer(requests()[0]!)
      const later = send("b")
      requests()
      end(socket)
      assert.strictEqual(later.waiter.error?.desc, desc.replace(hint, ""))
    }
  })
})

describe("timers of a connection of calls", () => {
  it("a server that takes nothing", () => {
    const { pass, send, socket, ticks } = calling("pooled", "framed", { stalledWriteTimeout: "5 seconds" })
    socket.takes = false
    const { waiter } = send("x")
    ticks.run()
    pass(4999)
    assert.isFalse(socket.destroyed)
    pass(1)
    assert.isTrue(socket.destroyed)
    assert.include(waiter.error?.desc, "took nothing for 5000ms")
  })

  it("a server that does not close its side", () => {
    const { client, pass, socket } = calling()
    client.finish()
    assert.isTrue(socket.ended)
    pass(999)
    assert.isFalse(socket.destroyed)
    pass(1)
    assert.isTrue(socket.destroyed)
  })

  it("no calls for idleTimeout", () => {
    const { answer, pass, requests, send, socket } = calling("multiplexed", "framed", { idleTimeout: "1 minute" })
    pass(40_000)
    send("x")
    const [request] = requests()
    pass(80_000)
    assert.isFalse(socket.ended)
    answer(request!)
    pass(59_999)
    assert.isFalse(socket.ended)
    pass(1)
    assert.isTrue(socket.ended)
  })

  it("maxIdleTime in the pool, again and again", () => {
    const { client, pass, told } = calling("pooled", "framed", { pool: { maxIdleTime: "10 seconds" } })
    pass(20_000)
    assert.deepStrictEqual(told, [])
    client.place = "idle"
    pass(0)
    assert.deepStrictEqual(told, ["expire"])
    pass(9999)
    assert.deepStrictEqual(told, ["expire"])
    pass(1)
    assert.deepStrictEqual(told, ["expire", "expire"])
  })
})
