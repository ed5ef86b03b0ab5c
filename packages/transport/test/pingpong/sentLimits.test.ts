import { assert, describe, it } from "@effect/vitest"
import { TransportError } from "../../src/TransportError.ts"
import { fromHex } from "../http2/raw.ts"
import { Outcome, outgoing, TestClient, TestServer } from "./support.ts"

const entries = (count: number, value = "v") =>
  Array.from({ length: count }, (_, i) => [`k${i}`, value] as readonly [string, string])

const refusal = (run: () => unknown): TransportError => {
  try {
    run()
  } catch (error) {
    assert.instanceOf(error, TransportError)
    return error as TransportError
  }
  return assert.fail("it was sent")
}

const send = (client: TestClient, strings: ReadonlyArray<readonly [string, string]>) =>
  client.engine.send(outgoing(new Outcome(), { header: { ints: [[1, "x"]], strings } }), "ttheader", "multiplexed")

describe("a TTHeader above what peers take", () => {
  for (const [limit, strings, max, text] of [
    ["maxSentHeaderFields", entries(256), 256, "the TTHeader has 257 entries, more than the 256 that may be sent"],
    [
      "maxSentTTHeaderSize",
      entries(4, "v".repeat(300)),
      1000,
      /^the TTHeader has 1\d\d\d bytes, more than the 1000 that/
    ]
  ] as const) {
    it(`${limit}: the call is refused before a byte of it is written, and its neighbours live`, () => {
      const client = new TestClient({ maxSentTTHeaderSize: 1000, maxSentHeaderFields: 256 })
      if (limit === "maxSentTTHeaderSize") send(client, entries(3, "v".repeat(300)))
      else send(new TestClient(), entries(255))
      client.sent()
      const { active } = client.engine
      const error = refusal(() => send(client, strings))
      assert.deepInclude(error.reason, { _tag: "LimitExceeded", limit, max })
      assert.strictEqual(error.code, 8)
      if (typeof text === "string") assert.include(error.desc, text)
      else assert.match(error.desc, text)
      assert.strictEqual(client.sent(), "")
      assert.deepStrictEqual([client.engine.usable, client.engine.active, client.ended], [true, active, undefined])
    })
  }

  it("counts the checksum, and nothing where there is no TTHeader", () => {
    const client = new TestClient({ checksum: true })
    refusal(() => send(client, entries(255)))
    const header = { ints: [], strings: entries(300) }
    client.engine.send(outgoing(new Outcome(), { header }), "framed", "multiplexed")
    assert.notStrictEqual(client.sent(), "")
  })

  it("is no answer: the call has not ended, and can be answered otherwise", () => {
    const client = new TestClient()
    client.engine.send(outgoing(new Outcome()), "ttheader", "multiplexed")
    const server = new TestServer()
    server.receive(fromHex(client.sent()))
    const call = server.calls[0]!
    refusal(() => call.reply(undefined, () => {}, entries(300)))
    assert.deepStrictEqual([server.sent(), server.engine.active], ["", 1])
    call.exception({ type: 6, message: "too much" })
    assert.notStrictEqual(server.sent(), "")
  })
})
