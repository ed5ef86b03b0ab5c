import { assert, describe, it } from "@effect/vitest"
import { fromHex } from "../http2/raw.ts"
import { encodeBytes } from "../support/raw.ts"
import { cancelled, ClientSide, entriesOf, listen, ok, Pair, ServerSide, takeAll } from "./support.ts"
import { readFrame, renumber, split, worked } from "./vectors.ts"

/** What an engine wrote, with the stream id of the worked frame. */
const hexOf = (bytes: Uint8Array, streamId: number): ReadonlyArray<string> => {
  const all = Buffer.from(renumber(bytes, () => streamId)).toString("hex")
  // The id is inside an exception too, behind the method's name.
  return split(all).map((frame) => {
    const at = frame.indexOf("80010003")
    if (at < 0) return frame
    const place = at + 16 + parseInt(frame.slice(at + 8, at + 16), 16) * 2
    return frame.slice(0, place) + streamId.toString(16).padStart(8, "0") + frame.slice(place + 8)
  })
}

const ping = fromHex("0b00010000000470696e6700")

const open = (side: ClientSide, method: string, strings: ReadonlyArray<readonly [string, string]> = [], caller = "") =>
  side.open(method, { header: { service: "EchoService", method, caller, fields: { ints: [], strings } } })

describe("ttstream worked frames", () => {
  it("an exchange in both directions is written as worked out, byte for byte", () => {
    const pair = new Pair()
    const client = open(pair.client, "EchoBidi", [
      ["RPC_PERSIST_k1", "v1"],
      ["RPC_TRANSIT_k2", "v2"]
    ])
    client.write([ping], 0, encodeBytes)
    client.closeSend()
    const up = pair.client.taken()
    assert.deepStrictEqual(hexOf(up, 1), [worked.header, worked.data, worked.halfClose])
    pair.server.receive(up)
    const server = pair.server.accepted[0]!
    server.pendingHeaders = [["hk", "hv"]]
    server.write([ping], 0, encodeBytes)
    server.finish(ok, [["tk", "tv"]])
    assert.deepStrictEqual(hexOf(pair.server.taken(), 1), [worked.responseHeader, worked.data, worked.trailer])
  })

  it("errors in trailers", () => {
    for (const [status, method, streamId, frame] of [
      [{ code: 13, message: "biz error: boom" }, "Fail", 3, worked.exception],
      [{ code: 13, message: "not found", biz: { code: 404, extra: { k: "v" } } }, "Biz", 4, worked.bizError]
    ] as const) {
      const pair = new Pair()
      open(pair.client, method)
      pair.run()
      pair.server.accepted[0]!.finish(status, [])
      assert.strictEqual(hexOf(pair.server.taken(), streamId)[1], frame)
    }
  })

  it("a cancellation, and the token of an access list", () => {
    const side = new ClientSide()
    const stream = open(side, "Slow", [], "cli.svc")
    side.taken()
    stream.abort("cancel", cancelled)
    assert.deepStrictEqual(hexOf(side.taken(), 5), [worked.rst, worked.afterRst])
    open(side, "EchoBidi", [["RPC_TRANSIT_gdpr-token", "tok"]])
    assert.deepStrictEqual(hexOf(side.taken(), 6), [worked.token])
  })

  it("are read as Kitex reads them", () => {
    const server = new ServerSide()
    server.receive(fromHex(worked.header + worked.data + worked.halfClose))
    const stream = server.accepted[0]!
    assert.deepStrictEqual(
      [stream.service, stream.method, stream.header!.strings.get("RPC_PERSIST_k1"), takeAll(stream).length, stream.end],
      ["EchoService", "EchoBidi", "v1", 1, { _tag: "HalfClosed" }]
    )
    const texts: Array<string> = []
    for (const hex of [worked.exception, worked.bizError, worked.proxyRst]) {
      const side = new ClientSide()
      const client = open(side, "Any")
      const { streamId } = readFrame(side.taken().toString("hex"))
      const heard = listen(client)
      side.receive(renumber(fromHex(hex), () => streamId))
      texts.push(heard.abort?.desc ?? JSON.stringify(client.end))
    }
    assert.deepStrictEqual(texts, [
      `{"_tag":"Status","status":{"code":13,"message":"biz error: boom"}}`,
      `{"_tag":"Status","status":{"code":13,"message":"not found","biz":{"code":404,"extra":{"k":"v"}}}}`,
      "[ttstream error, code=1204] [client-side stream] [canceled path: Egress] Egress canceled"
    ])
    const client = new ClientSide()
    const opened = open(client, "EchoBidi")
    const { streamId } = readFrame(client.taken().toString("hex"))
    client.receive(renumber(fromHex(worked.responseHeader + worked.data + worked.trailer), () => streamId))
    assert.deepStrictEqual(entriesOf(opened.header), [["hk", ["hv"]]])
    assert.deepStrictEqual(entriesOf(opened.trailer), [["tk", ["tv"]]])
  })
})
