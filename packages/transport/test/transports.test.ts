import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { MemoryTransport } from "../src/index.ts"
import { NodeTransport } from "../src/node/index.ts"
import type { ClientTransport, ServerTransport } from "../src/Transport.ts"
import { echo, ended, encodeText, openStream, readTexts, serve, writeAll } from "./support/raw.ts"

const transports: ReadonlyArray<readonly [string, Layer.Layer<ClientTransport | ServerTransport>]> = [
  ["memory", MemoryTransport.layer],
  ["TCP", Layer.merge(NodeTransport.layerServer({ port: 0, host: "127.0.0.1" }), NodeTransport.layerClient)]
]

for (const [name, layer] of transports) {
  describe(name, () => {
    it.live("carries messages both ways, headers and trailers", () =>
      Effect.gen(function* () {
        const { address, streams } = yield* serve((stream) => {
          stream.pendingHeaders = [["x-header", "h"]]
          return echo(stream)
        })
        const stream = yield* openStream(address, { metadata: [["x-request", "r"]] })
        yield* writeAll(stream, ["a", "b", "c"], encodeText)
        assert.deepStrictEqual(yield* readTexts(stream, 3), ["a", "b", "c"])
        stream.closeSend()
        assert.deepStrictEqual(yield* ended(stream), { _tag: "Status", status: { code: 0, message: "" } })
        assert.strictEqual(stream.header?.get("x-header"), "h")
        assert.strictEqual(stream.trailer?.get("x-trailer"), "t")
        assert.strictEqual(streams[0]!.metadata.get("x-request"), "r")
        assert.strictEqual(streams[0]!.service, "TestService")
        assert.strictEqual(streams[0]!.method, "Echo")
        assert.strictEqual(streams[0]!.package, "echo")
      }).pipe(Effect.scoped, Effect.provide(layer))
    )
  })
}
