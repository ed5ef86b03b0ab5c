import { assert, describe, it } from "@effect/vitest"
import { Metadata, type Metainfo } from "@millrace/transport"
import { Context, Effect, Option, Tracer } from "effect"
import * as traceContext from "../../src/internal/telemetry/traceContext.ts"
import { Metadata as CallMetadata, Metainfo as CallMetainfo } from "../../src/index.ts"
import type { CallContext } from "../../src/internal/callContext.ts"
import type { RpcInfo, ServerInfo, Mode, Protocol } from "../../src/RpcInfo.ts"

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736"
const spanId = "00f067aa0ba902b7"
const valid = `00-${traceId}-${spanId}-01`

const protocolOf = (mode: Mode): Protocol => (mode === "pingPong" || mode === "oneway" ? "ttheader-framed" : "grpc")

const came = (
  mode: Mode,
  headers: Readonly<Record<string, string>>,
  transient: Readonly<Record<string, string>> = {},
  protocol = protocolOf(mode)
): ServerInfo =>
  ({
    side: "server",
    mode,
    protocol,
    metadata: Metadata.fromStrings(new Map(Object.entries(headers)), new Set()),
    metainfo: {
      transient: new Map(Object.entries(transient)),
      persistent: new Map()
    } as Metainfo.Metainfo
  }) as unknown as ServerInfo

describe("traceparent", () => {
  it("is read as it is written", () => {
    const span = traceContext.parse(valid)!
    assert.deepStrictEqual([span.traceId, span.spanId, span.sampled], [traceId, spanId, true])
    assert.isFalse(traceContext.parse(`00-${traceId}-${spanId}-00`)!.sampled)
    // Other bits of the flags are somebody else's.
    assert.isFalse(traceContext.parse(`00-${traceId}-${spanId}-fe`)!.sampled)
    // A later version may say more behind.
    assert.isDefined(traceContext.parse(`cc-${traceId}-${spanId}-01-what-will-be`))
  })

  it("that is none is ignored", () => {
    for (const text of [
      "",
      "00",
      valid.toUpperCase(),
      ` ${valid}`,
      `${valid} `,
      `${valid}-more`,
      `ff-${traceId}-${spanId}-01`,
      `00-${"0".repeat(32)}-${spanId}-01`,
      `00-${traceId}-${"0".repeat(16)}-01`,
      `00-${traceId.slice(1)}-${spanId}-01`,
      `00-${traceId}-${spanId}-1`,
      `00-${traceId}-${spanId}-0x`,
      `cc-${traceId}-${spanId}-01.`,
      `00-${traceId}-${spanId}-01\n`,
      `cc-${traceId}-${spanId}-01-${"x".repeat(10_000)}`,
      "__proto__"
    ]) {
      assert.isUndefined(traceContext.parse(text), text)
    }
  })

  it("comes in three spellings; over HTTP/2 the plain one goes first, in a TTHeader the metainfo", () => {
    const other = `00-${traceId.replace("4", "5")}-${spanId}-01`
    const read = (info: ServerInfo) => traceContext.incoming(info)?.span.traceId
    assert.strictEqual(read(came("bidirectional", { traceparent: valid })), traceId)
    assert.strictEqual(read(came("bidirectional", {}, { TRACEPARENT: valid })), traceId)
    assert.strictEqual(read(came("pingPong", {}, { traceparent: valid })), traceId)
    assert.strictEqual(read(came("server", { traceparent: valid }, { TRACEPARENT: other })), traceId)
    assert.strictEqual(read(came("pingPong", { traceparent: other }, { traceparent: valid })), traceId)
    // One that is none stands not in the way of the other.
    assert.strictEqual(read(came("unary", { traceparent: "junk" }, { TRACEPARENT: valid })), traceId)
    assert.isUndefined(read(came("unary", {})))
  })

  it("brings its state along, where a header can carry it", () => {
    const carried = (tracestate: string, baggage: string) => {
      const { carried } = traceContext.incoming(came("oneway", {}, { traceparent: valid, tracestate, baggage }))!
      return [carried?.tracestate, carried?.baggage]
    }
    assert.deepStrictEqual(carried("a=1,b=2", "user=7"), ["a=1,b=2", "user=7"])
    assert.deepStrictEqual(carried("a=1\r\nx: y", "é"), [undefined, undefined])
    assert.deepStrictEqual(carried("x".repeat(513), "x".repeat(8193)), [undefined, undefined])
    assert.deepStrictEqual(carried("x".repeat(512), ""), ["x".repeat(512), undefined])
  })
})

describe("what goes out", () => {
  const span = Tracer.externalSpan({ traceId, spanId, sampled: true })
  const said = (
    mode: Mode,
    extra: ReadonlyArray<readonly [string, string]> = [],
    of: Tracer.AnySpan = span,
    protocol = protocolOf(mode)
  ) =>
    Effect.withFiber((fiber) =>
      Effect.succeed(traceContext.outgoing(fiber.context, { side: "client", mode, protocol } as RpcInfo, of, extra))
    )
  const shown = (context: CallContext | undefined) => ({
    metadata: context?.metadata,
    transient: Object.fromEntries(context?.metainfo?.transient ?? [])
  })

  it.effect("over HTTP/2 both spellings, in a TTHeader metainfo alone", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(shown(yield* said("client")), {
        metadata: [
          ["traceparent", valid],
          ["rpc-transit-traceparent", valid]
        ],
        transient: {}
      })
      assert.deepStrictEqual(shown(yield* said("pingPong", [["service.name", "shop"]])), {
        metadata: [],
        transient: { traceparent: valid, "service.name": "shop" }
      })
      const unsampled = Tracer.externalSpan({ traceId, spanId, sampled: false })
      assert.deepStrictEqual(shown(yield* said("oneway", [], unsampled)).transient, {
        traceparent: `00-${traceId}-${spanId}-00`
      })
    })
  )

  it.effect("in the TTHeader of a stream metainfo too, in place of an older trace", () =>
    Effect.gen(function* () {
      const context = yield* said("client", [], span, "ttheader-streaming").pipe(
        CallMetadata.append({ Traceparent: "old", who: "me" }),
        CallMetainfo.withValue("traceparent", "old")
      )
      assert.deepStrictEqual(shown(context), { metadata: [["who", "me"]], transient: { traceparent: valid } })
      const both = came("client", { traceparent: "old" }, { traceparent: valid }, "ttheader-streaming")
      assert.strictEqual(traceContext.incoming(both)?.span.traceId, traceId)
    })
  )

  it.effect("beside what the fiber says already, in place of an older trace", () =>
    Effect.gen(function* () {
      const context = yield* said("unary").pipe(
        CallMetadata.append({ traceparent: "old", Tracestate: "old", who: "me" }),
        CallMetainfo.withValue("traceparent", "old"),
        CallMetainfo.withValue("TENANT", "acme"),
        CallMetainfo.withPersistentValue("REGION", "eu")
      )
      assert.deepStrictEqual(shown(context), {
        metadata: [
          ["who", "me"],
          ["traceparent", valid],
          ["rpc-transit-traceparent", valid]
        ],
        transient: { TENANT: "acme" }
      })
      assert.deepStrictEqual([...context!.metainfo!.persistent], [["REGION", "eu"]])
    })
  )

  it.effect("the state of its own trace, and baggage of any", () =>
    Effect.gen(function* () {
      const within = (trace: string) =>
        Effect.provideService(said("pingPong"), traceContext.Carried, {
          traceId: trace,
          tracestate: "a=1",
          baggage: "user=7"
        })
      const same = shown(yield* within(traceId)).transient
      assert.deepStrictEqual(same, { traceparent: valid, tracestate: "a=1", baggage: "user=7" })
      const another = shown(yield* within("5".repeat(32))).transient
      assert.deepStrictEqual(another, { traceparent: valid, baggage: "user=7" })
    })
  )

  it.effect("no span that is not to be told of: the one above it", () =>
    Effect.gen(function* () {
      const hidden = (parent: Option.Option<Tracer.AnySpan>) =>
        new Tracer.NativeSpan({
          name: "hidden",
          parent,
          annotations: Context.make(Tracer.DisablePropagation, true),
          links: [],
          startTime: 0n,
          kind: "internal",
          sampled: true
        })
      assert.deepStrictEqual(shown(yield* said("oneway", [], hidden(Option.some(span)))).transient, {
        traceparent: valid
      })
      assert.isUndefined(yield* said("oneway", [], hidden(Option.none())))
      assert.isUndefined(yield* said("oneway", [], Tracer.externalSpan({ traceId: "noop", spanId: "noop" })))
    })
  )
})
