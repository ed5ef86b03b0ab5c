import { assert, describe, it } from "@effect/vitest"
import type { Encoding, RawServerCall } from "../../src/RawCall.ts"
import { fromHex } from "../http2/raw.ts"
import { decodeHex, encodeBytes, hex, Outcome, outgoing, TestClient, TestServer } from "./support.ts"

const bytes = (text: string) => fromHex(text.replaceAll(/\s/g, ""))
const plain = (text: string) => hex(bytes(text))

const echo = "80010001 00000004 4563686f 00000001 0c00010b0001000000026869 00 00"
const echoed = "80010002 00000004 4563686f 00000001 0c00000b000100000002796f 00 00"
const result = bytes("0c00000b000100000002796f 00 00")
const empty = bytes("00")

interface Vector {
  readonly name: string
  readonly request: string
  readonly encoding: Encoding
  readonly method?: string
  readonly sequenceId?: number
  readonly oneway?: boolean
  readonly service?: string
  readonly timeoutMillis?: number
  readonly strings?: Readonly<Record<string, string>>
  readonly answer?: (call: RawServerCall) => void
  readonly response?: string
}

const reply = (call: RawServerCall) => void call.reply(result, encodeBytes)
const fullHeader = (transport: string) =>
  `01 0001 0003 69736e 000b 4563686f53657276696365 10 0007 ${transport} 0003 0003 636c69 0006 0008 6563686f2d737663
   0009 0004 4563686f 000c 0004 31303030 0014 0000 0016 0001 31`

const vectors: ReadonlyArray<Vector> = [
  { name: "buffered (V02, V04)", request: echo, encoding: "buffered", answer: reply, response: echoed },
  {
    name: "no arguments, no result (V05, V06)",
    request: "80010001 00000004 50696e67 00000002 00",
    encoding: "buffered",
    method: "Ping",
    sequenceId: 2,
    answer: (call) => call.reply(empty, encodeBytes),
    response: "80010002 00000004 50696e67 00000002 00"
  },
  {
    name: "a declared exception (V07)",
    request: echo,
    encoding: "buffered",
    answer: (call) => call.reply(bytes("0c 0001 08 0001 0000002a 0b 0002 00000003 626164 00 00"), encodeBytes),
    response: "80010002 00000004 4563686f 00000001 0c 0001 08 0001 0000002a 0b 0002 00000003 626164 00 00"
  },
  {
    name: "oneway (V08)",
    request: "80010004 00000006 4e6f74696679 00000003 0b 0001 00000001 78 00",
    encoding: "buffered",
    method: "Notify",
    sequenceId: 3,
    oneway: true,
    answer: (call) => call.finish(),
    response: ""
  },
  {
    name: "an exception (V09)",
    request: "80010001 00000004 4e6f7065 00000004 00",
    encoding: "buffered",
    method: "Nope",
    sequenceId: 4,
    answer: (call) => call.exception({ message: "unknown method Nope (service EchoService)", type: 1 }),
    response: `80010003 00000004 4e6f7065 00000004 0b 0001 00000029
      756e6b6e6f776e206d6574686f64204e6f7065202873657276696365204563686f5365727669636529 08 0002 00000001 00`
  },
  {
    name: "framed (V11)",
    request: `0000001e ${echo}`,
    encoding: "framed",
    answer: reply,
    response: `0000001e ${echoed}`
  },
  {
    name: "a mesh header, answered without one (V12)",
    request: `ffaf 0014 0001 0003 69736e 000b 4563686f53657276696365 0000001e ${echo}`,
    encoding: "framed",
    service: "EchoService",
    strings: { isn: "EchoService" },
    answer: reply,
    response: `0000001e ${echoed}`
  },
  {
    name: "the least TTHeader (V13)",
    request: `0000002c 1000 0000 00000001 0001 00 00 0000 ${echo}`,
    encoding: "ttheader",
    answer: reply,
    response: `00000034 1000 0000 00000001 0003 00 00 10 0001 0016 0001 32 00 00 ${echoed}`
  },
  {
    name: "TTHeader, all keys (V14)",
    request: `0000007c 1000 0000 00000001 0015 00 00 ${fullHeader("0001 0008 756e6672616d6564")} 0000 ${echo}`,
    encoding: "ttheader",
    service: "EchoService",
    timeoutMillis: 1000,
    strings: { isn: "EchoService" }
  },
  {
    name: "TTHeader and frame, all keys (V15, V16)",
    request: `0000007c 1000 0000 00000001 0014 00 00 ${fullHeader("0001 0006 6672616d6564")} 0000001e ${echo}`,
    encoding: "ttheader-framed",
    service: "EchoService",
    timeoutMillis: 1000,
    strings: { isn: "EchoService" },
    answer: reply,
    response: `00000038 1000 0000 00000001 0003 00 00 10 0001 0016 0001 32 00 00 0000001e ${echoed}`
  },
  {
    name: "metainfo, answered with some (V17, V18)",
    request: `00000068 1000 0000 00000001 000f 00 00 11 0003 746f6b 01 0002
      0011 5250435f504552534953545f6c6f676964 0005 3132333435 0010 5250435f5452414e5349545f74656d70 0001 76
      0000 0000001e ${echo}`,
    encoding: "ttheader-framed",
    strings: { "RPC_TRANSIT_gdpr-token": "tok", RPC_PERSIST_logid: "12345", RPC_TRANSIT_temp: "v" },
    answer: (call) => void call.reply(result, encodeBytes, [["something-from-server", "v2"]]),
    response: `00000054 1000 0000 00000001 000a 00 00 01 0001 0015 736f6d657468696e672d66726f6d2d736572766572 0002 7632
      10 0001 0016 0001 32 0000001e ${echoed}`
  },
  {
    name: "oneway, framed (V20)",
    request: "0000001b 80010004 00000006 4e6f74696679 00000003 0b 0001 00000001 78 00",
    encoding: "framed",
    method: "Notify",
    sequenceId: 3,
    oneway: true
  },
  {
    name: "a business error (V29)",
    request: `00000030 1000 0000 00000001 0001 00000000 0000001e ${echo}`,
    encoding: "ttheader-framed",
    answer: (call) =>
      call.reply(empty, encodeBytes, [
        ["biz-status", "404"],
        ["biz-message", "not found"],
        ["biz-extra", '{"k":"v"}']
      ]),
    response: `0000006b 1000 0000 00000001 0013 00 00 01 0003 000a 62697a2d737461747573 0003 343034
      000b 62697a2d6d657373616765 0009 6e6f7420666f756e64 0009 62697a2d6578747261 0009 7b226b223a2276227d
      10 0001 0016 0001 32 00000011 80010002 00000004 4563686f 00000001 00`
  },
  {
    name: "a timeout (V30)",
    request: `00000040 1000 0000 00000001 0005 00 00 10 0002 000c 0004 31303030 0011 0003 313030 0000001e ${echo}`,
    encoding: "ttheader-framed",
    timeoutMillis: 1000
  },
  {
    name: "one of several services (V31)",
    request: `00000041 1000 0000 00000006 0005 00 00 01 0001 0003 69736e 0008 5365727669636543
      0000001f 80010001 00000005 4563686f31 00000006 0c00010b0001000000026869 00 00`,
    encoding: "ttheader-framed",
    method: "Echo1",
    sequenceId: 6,
    service: "ServiceC",
    strings: { isn: "ServiceC" }
  }
]

describe("requests and answers", () => {
  for (const vector of vectors) {
    it(vector.name, () => {
      const server = new TestServer((call) => {
        assert.strictEqual(call.take(decodeHex).length, call.size * 2)
        vector.answer?.(call)
      })
      server.receive(vector.request)
      assert.strictEqual(server.calls.length, 1)
      const call = server.calls[0]!
      assert.strictEqual(call.encoding, vector.encoding)
      assert.strictEqual(call.method, vector.method ?? "Echo")
      assert.strictEqual(call.sequenceId, vector.sequenceId ?? 1)
      assert.strictEqual(call.oneway, vector.oneway ?? false)
      assert.strictEqual(call.service, vector.service ?? "")
      assert.strictEqual(call.timeoutMillis, vector.timeoutMillis)
      assert.deepStrictEqual(Object.fromEntries(call.header?.strings ?? []), vector.strings ?? {})
      if (vector.response !== undefined) assert.strictEqual(server.sent(), plain(vector.response))
      assert.isUndefined(server.ended)
    })
  }

  it("an unknown method, the connection closed behind its answer (V23)", () => {
    const server = new TestServer((call) =>
      call.exception({ message: "unknown method Nope (service EchoService)", type: 1 }, undefined, true)
    )
    const request = "00000023 1000 0000 00000004 0001 00000000 00000011 80010001 00000004 4e6f7065 00000004 00"
    server.receive(request + request)
    assert.strictEqual(server.calls.length, 1)
    assert.strictEqual(
      server.sent(),
      plain(`0000006e 1000 0000 00000004 0006 00 00 01 0001 0005 6372727374 0001 31 10 0001 0016 0001 33 00
        00000048 80010003 00000004 4e6f7065 00000004 0b 0001 00000029
        756e6b6e6f776e206d6574686f64204e6f7065202873657276696365204563686f5365727669636529 08 0002 00000001 00`)
    )
    assert.strictEqual(server.ended?._tag, "Local")
  })

  it("exceptions with Kitex's texts (V24 to V28, V32)", () => {
    const exceptions: ReadonlyArray<readonly [method: string, sequenceId: number, type: number, message: string]> = [
      ["4563686f", 1, 6, "biz error: boom"],
      ["4563686f", 1, 6, "request over limit: request too frequent"],
      ["4e6f7065", 4, 20, "unknown service , method Nope"],
      ["4563686f", 1, 1000, "retry [biz error]"],
      ["4563686f32", 5, 20, "unknown service ServiceB, method Echo2"]
    ]
    for (const [method, sequenceId, type, message] of exceptions) {
      const server = new TestServer((call) => call.exception({ message, type }))
      const envelope = `0000000${method.length / 2} ${method} 0000000${sequenceId}`
      server.receive(`80010001 ${envelope} 00`)
      const text = hex(new TextEncoder().encode(message))
      const size = (text.length / 2).toString(16).padStart(8, "0")
      const number = type.toString(16).padStart(8, "0")
      assert.strictEqual(server.sent(), plain(`80010003 ${envelope} 0b0001 ${size} ${text} 080002 ${number} 00`))
    }
  })

  it("the old header is refused (V03)", () => {
    const server = new TestServer()
    server.receive("00000004 4563686f 01 00000001 0c00010b0001000000026869 00 00")
    assert.deepStrictEqual(server.ended, {
      _tag: "Error",
      code: 13,
      detail: "invalid payload (first4Bytes=0x4, second4Bytes=0x4563686f)"
    })
    assert.strictEqual(server.sent(), "")
  })

  it("a reply with another sequence id (V19)", () => {
    const client = new TestClient()
    const outcome = new Outcome()
    const { sequenceId } = client.engine.send(outgoing(outcome), "buffered", "pooled")
    client.sent()
    const other = (sequenceId + 8).toString(16).padStart(8, "0")
    client.receive(`80010002 00000004 4563686f ${other} 0c00000b000100000002796f 00 00`)
    assert.strictEqual(
      outcome.failed?.desc,
      `method[Echo] out of order sequence response, expect[${sequenceId}], receive[${sequenceId + 8}]`
    )
    assert.strictEqual(outcome.failed?.code, 4)
    assert.isFalse(client.engine.usable)
  })

  it("a multiplexing client hears that it may (V21)", () => {
    const server = new TestServer(reply)
    server.receive(`00000030 1000 0001 00000001 0001 00000000 0000001e ${echo}`)
    assert.isTrue(server.engine.multiplexed)
    assert.strictEqual(
      server.sent(),
      plain(`0000003c 1000 0000 00000001 0004 0000 10 0002 0016 0001 32 4d52 0001 31 00 0000001e ${echoed}`)
    )
  })

  it("a goodbye (V22)", () => {
    const goodbye =
      "0000002b 1000 0000 00000000 0004 00 00 01 0001 0005 6372727374 0001 31 00 80010002 00000004 6e6f6e65 00000000 00"
    const server = new TestServer()
    server.engine.sayGoodbye()
    assert.strictEqual(server.sent(), plain(goodbye))

    const client = new TestClient()
    const outcome = new Outcome()
    const { sequenceId } = client.engine.send(outgoing(outcome), "ttheader-framed", "multiplexed")
    client.sent()
    client.receive(goodbye)
    assert.isFalse(client.engine.usable)
    assert.isUndefined(client.ended)
    const id = sequenceId.toString(16).padStart(8, "0")
    client.receive(`80010002 00000004 4563686f ${id} 00`)
    assert.strictEqual(outcome.result, "00")
  })

  it("an idle client that is asked to go has gone", () => {
    const client = new TestClient()
    const server = new TestServer()
    server.engine.sayGoodbye()
    client.receive(server.sent())
    assert.strictEqual(client.ended?._tag, "Local")
  })

  it("a checksum (V33)", () => {
    const request = `00000044 1000 0000 00000001 0006 00 00 01 0001 0006 637263333263 0008 3730326234613335 00
      0000001e ${echo}`
    const server = new TestServer(reply, { checksum: true })
    server.receive(request)
    assert.strictEqual(server.calls.length, 1)
    server.receive(request.replace("6869", "6868"))
    assert.deepStrictEqual(server.ended, {
      _tag: "Error",
      code: 13,
      detail: "payload validation error: validation failed, err=702b4a35"
    })
    // It is a peer's text.
    const hostile = `0000008c 1000 0000 00000001 0018 00 00 01 0001 0006 637263333263 0050 0a${"78".repeat(79)} 00
      0000001e ${echo}`
    const checking = new TestServer(reply, { checksum: true })
    checking.receive(hostile)
    assert.include(checking.ended, { detail: "payload validation error: validation failed, err=\\nxxxxxxx..." })
    const lax = new TestServer()
    lax.receive(request.replace("6869", "6868"))
    assert.strictEqual(lax.calls.length, 1)

    const client = new TestClient({ checksum: true })
    const outcome = new Outcome()
    client.engine.send(outgoing(outcome), "ttheader-framed", "pooled")
    const sent = client.sent()
    assert.strictEqual(sent.length, plain(request).length)
    // What one side writes the other accepts.
    const other = new TestServer(reply, { checksum: true })
    other.receive(sent)
    assert.strictEqual(other.calls[0]!.header!.strings.get("crc32c")?.length, 8)
    client.receive(other.sent())
    assert.strictEqual(outcome.replies, 1)
  })
})
