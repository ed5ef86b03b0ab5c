/** Metainfo, log ids and names of callers in the headers of HTTP/2, from hop to hop. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { LogId, Metainfo, type RpcError } from "../../src/index.ts"
import { both, golden, node, values } from "../support/hops.ts"

describe("from hop to hop", () => {
  it.effect("http2: they go on where the client is told so", () =>
    Effect.gen(function* () {
      const d = yield* node("service-D", Effect.void, { propagation: "legacy" })
      const c = yield* node("service-C", d.unary, { propagation: "legacy" })
      const b = yield* node("service-B", c.unary, { propagation: "legacy" })
      yield* both(b.unary)
      assert.deepStrictEqual([...b.headers(), ...c.headers()], golden.http2)
      assert.deepStrictEqual(d.headers(), [golden.http2[1]!])
      assert.deepStrictEqual(values(c.seen[0]!.values), { persistent: { P: "2" }, transient: { T: "1" } })
    })
  )

  it.effect("http2: by default they end", () =>
    Effect.gen(function* () {
      const c = yield* node("service-C", Effect.void)
      const b = yield* node("service-B", c.unary)
      yield* both(b.unary)
      assert.deepStrictEqual(b.headers(), [golden.http2[0]!])
      assert.deepStrictEqual(values(b.seen[0]!.values), { persistent: { P: "2" }, transient: { T: "1" } })
      assert.deepStrictEqual(c.headers(), [{ "rpc-persist-p": "2" }])
    })
  )

  it.effect("http2: the value that was set anew goes on, not the one that came", () =>
    Effect.gen(function* () {
      for (const propagation of ["singleHop", "legacy"] as const) {
        const c = yield* node("service-C", Effect.void, { propagation })
        const b = yield* node("service-B", Metainfo.withValue(c.unary, "T", "new"), { propagation })
        yield* both(b.unary)
        assert.deepStrictEqual(c.headers(), [{ "rpc-transit-t": "new", "rpc-persist-p": "2" }])
      }
    })
  )

  it.effect("that no header holds goes on in a TTHeader alone, and is refused where it is set", () =>
    Effect.gen(function* () {
      const c = yield* node("c", Effect.void)
      const b = yield* node("b", Effect.andThen(c.unary, c.echo))
      yield* LogId.within(b.echo, "a\r\nb: c")
      assert.deepStrictEqual(
        c.seen.map(({ call }) => call.info.logId),
        [undefined, "a\r\nb: c"]
      )
      const error = yield* Effect.flip(LogId.within(c.unary, "a\r\nb: c"))
      assert.strictEqual((error as RpcError.RpcError).reason._tag, "InvalidMetadata")
    })
  )

  describe("who calls", () => {
    it.effect("is in the headers of a stream where the client has a name", () =>
      Effect.gen(function* () {
        const c = yield* node("dest-c", Effect.void, { callerName: "me" })
        const b = yield* node("dest-b", c.unary, { callerName: "me" })
        yield* b.unary
        const names = ["destination-service", "destination-method", "source-service", "source-method"]
        assert.deepStrictEqual(
          names.map((name) => b.seen[0]!.strings[name]),
          ["dest-b", "Unary", "me", ""]
        )
        assert.deepStrictEqual(
          names.map((name) => c.seen[0]!.strings[name]),
          ["dest-c", "Unary", "me", "Unary"]
        )
        assert.strictEqual(c.seen[0]!.call.info.caller, "me")
      })
    )

    it.effect("is nowhere where it has none", () =>
      Effect.gen(function* () {
        const b = yield* node("dest-b", Effect.void)
        yield* b.unary
        assert.deepStrictEqual(Object.keys(b.seen[0]!.strings).sort(), [":authority", "content-type", "user-agent"])
        assert.strictEqual(b.seen[0]!.call.info.caller, "")
      })
    )
  })
})
