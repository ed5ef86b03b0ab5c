import { assert, describe, it } from "@effect/vitest"
import { encodeText as encode } from "../support/raw.ts"
import { cancelled, ClientSide, entriesOf, listen, ok, Pair, takeAll } from "./support.ts"

describe("ttstream exchange", () => {
  it("carries messages both ways, headers and trailers", () => {
    const pair = new Pair()
    const fields = { ints: [], strings: [["Trace-Id", "7"] as const] }
    const header = { service: "EchoService", method: "EchoBidi", caller: "", fields }
    const [client, server] = pair.open("EchoBidi", { header, timeoutMillis: 250 })
    assert.strictEqual(server.service, "EchoService")
    assert.strictEqual(server.method, "EchoBidi")
    assert.strictEqual(server.path, "/EchoService/EchoBidi")
    assert.strictEqual(server.timeoutMillis, 250)
    assert.deepStrictEqual(entriesOf(server.metadata), [["Trace-Id", ["7"]]])
    const atServer = listen(server)
    const atClient = listen(client)
    assert.strictEqual(client.write(["a", "bc"], 0, encode), 2)
    assert.strictEqual(client.lastWrittenBytes, 3)
    assert.strictEqual(client.lastWrittenSize, 2)
    assert.strictEqual(client.lastWrittenCount, 2)
    pair.run()
    assert.deepStrictEqual(atServer.calls, ["readable"])
    assert.strictEqual(server.available, 2)
    assert.deepStrictEqual(takeAll(server), ["a", "bc"])
    assert.strictEqual(server.lastTakenBytes, 3)
    server.pendingHeaders = [["hk", "hv"]]
    server.write(["x"], 0, encode)
    pair.run()
    assert.deepStrictEqual(entriesOf(client.header), [["hk", ["hv"]]])
    assert.deepStrictEqual(takeAll(client), ["x"])
    client.closeSend()
    assert.strictEqual(client.writeEnded, "closed")
    pair.run()
    assert.deepStrictEqual(server.end, { _tag: "HalfClosed" })
    server.write(["last"], 0, encode)
    assert.isUndefined(server.finish(ok, [["tk", "tv"]]))
    server.release()
    pair.run()
    assert.strictEqual(client.available, 1)
    assert.deepStrictEqual(takeAll(client), ["last"])
    assert.deepStrictEqual(client.end, { _tag: "Status", status: ok })
    assert.deepStrictEqual(entriesOf(client.trailer), [["tk", ["tv"]]])
    assert.isTrue(atClient.calls.every((call) => call !== "abort"))
    assert.strictEqual(pair.client.connection.active, 0)
    assert.strictEqual(pair.server.connection.active, 0)
    assert.strictEqual(pair.client.streamsEnded, 1)
  })

  it("tells both ends of a reset", () => {
    const pair = new Pair()
    const [client, server] = pair.open()
    const heard = listen(server)
    client.abort("cancel", cancelled)
    assert.strictEqual(client.end?._tag, "Failed")
    pair.run()
    assert.deepStrictEqual(heard.calls, ["abort", "readable", "writable"])
    assert.strictEqual(heard.abort?.reason._tag, "StreamReset")
    assert.strictEqual(heard.abort?.code, 12007)
    assert.strictEqual(pair.server.connection.active, 0)
  })

  it("writes nothing where an encoder throws, and goes on", () => {
    const client = new ClientSide()
    const stream = client.open()
    client.taken()
    const refuse = (text: string, out: any) => {
      encode(text, out)
      if (text === "bad") throw new Error("no")
    }
    assert.throws(() => stream.write(["good", "bad", "never"], 0, refuse), "no")
    assert.strictEqual(stream.lastWrittenCount, 1)
    assert.include(client.taken().toString("latin1"), "good")
    assert.strictEqual(stream.write(["next"], 0, encode), 1)
    const bytes = client.taken().toString("latin1")
    assert.include(bytes, "next")
    assert.notInclude(bytes, "bad")
  })
})
