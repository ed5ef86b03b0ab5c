import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { run, start } from "./programs.ts"

const oneSided = [
  "EchoUnary   sent hello, received hello",
  "EchoServer  received hello 1",
  "EchoServer  received hello 2",
  "EchoServer  received hello 3",
  "EchoClient  sent one, two, three, received onetwothree",
  "EchoPingPong sent hello and miller, received hello miller"
]

const halfDuplex = ["one", "two", "three"].map((word) => `Echo, half  sent ${word}, received you said ${word}`)

const fullDuplex = [
  ...["one", "two", "three"].flatMap((word) => [`Echo, full  sent ${word}`, `Echo, full  received you said ${word}`]),
  ...[0, 1, 2, 3].map((n) => `Echo, full  received news ${n}`)
].toSorted()

describe("thrift-streaming", { timeout: 60_000 }, () => {
  it.live.each(["grpc", "ttheader-streaming"])(
    "two processes over %s, half duplex: every message is answered before the next",
    (transport) =>
      Effect.gen(function* () {
        const server = yield* start("thrift-streaming/server.ts", "--port", "0", "--duplex", "half")
        assert.match(server.address, /^127\.0\.0\.1:[1-9]\d*$/)
        const flags = ["--address", server.address, "--duplex", "half", "--transport", transport]
        const client = yield* run("thrift-streaming/client.ts", ...flags)
        assert.deepStrictEqual(client.lines, [...oneSided, ...halfDuplex])
        assert.strictEqual(client.code, 0)
      }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live.each(["grpc", "ttheader-streaming"])(
    "two processes over %s, full duplex: both sides speak at once",
    (transport) =>
      Effect.gen(function* () {
        const server = yield* start("thrift-streaming/server.ts", "--port", "0")
        const client = yield* run("thrift-streaming/client.ts", "--address", server.address, "--transport", transport)
        assert.deepStrictEqual(client.lines.slice(0, oneSided.length), oneSided)
        assert.deepStrictEqual(client.lines.slice(oneSided.length).toSorted(), fullDuplex)
        assert.strictEqual(client.code, 0)
      }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("one process: without an address the client brings its server, and finds out what it speaks", () =>
    Effect.gen(function* () {
      const client = yield* run("thrift-streaming/client.ts", "--duplex", "half", "--transport", "auto")
      assert.deepStrictEqual(client.lines, [...oneSided, ...halfDuplex])
      assert.strictEqual(client.code, 0)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("a client without a server says so and fails", () =>
    Effect.gen(function* () {
      const client = yield* run("thrift-streaming/client.ts", "--address", "127.0.0.1:1")
      assert.match(client.output, /connection refused/)
      assert.strictEqual(client.code, 1)
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
