import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { LogId, Metadata, Metainfo, type RpcInfo } from "../../src/index.ts"
import { CurrentCall, type HandledCall } from "../../src/internal/currentCall.ts"
import { Hops } from "../../src/internal/hops.ts"
import { OutgoingHeaders, strings } from "../../src/internal/outgoing.ts"

const warn = (message: string) => assert.fail(message)
const hops = new Hops(undefined, warn)
const plain = new OutgoingHeaders({ destService: "d", hops, warn })
const named = new OutgoingHeaders({ destService: "d", callerName: "me", hops, warn })

/** What a client sends, with the fiber as it is inside. */
const headersOf = (headers: OutgoingHeaders, metadata?: Metadata.MetadataRecord) =>
  Effect.sync(() => headers.get(Fiber.getCurrent()!, "M", metadata))

const stringsOf = Effect.sync(() => {
  const fiber = Fiber.getCurrent()!
  return strings(fiber, fiber.getRef(CurrentCall), hops)
})

/** Runs in a fiber that handles a call. */
const handling = (method: string, metainfo: Metainfo.Metainfo) =>
  Effect.provideService(CurrentCall, {
    info: { method, logId: undefined } as RpcInfo.RpcInfo,
    metainfo,
    fiber: undefined,
    nested: false,
    cancellation: undefined,
    forkedFailed: () => {},
    sendBackwardValue: () => {}
  } satisfies HandledCall)

const nothing: Metainfo.Metainfo = { transient: new Map(), persistent: new Map() }

describe("what goes out beside the messages", () => {
  it.effect("is nothing, and nothing is made, where nobody says anything", () =>
    Effect.gen(function* () {
      const outside = [yield* headersOf(plain), yield* stringsOf]
      const inside = yield* handling("H", nothing)(Effect.all([headersOf(plain), stringsOf]))
      assert.deepStrictEqual(
        [outside, inside],
        [
          [undefined, undefined],
          [undefined, undefined]
        ]
      )
    })
  )

  it.effect("is one frozen list for all calls of a method that say who calls, and no more", () =>
    Effect.gen(function* () {
      const first = yield* headersOf(named)
      assert.isTrue(Object.isFrozen(first))
      assert.strictEqual(yield* headersOf(named), first)
      const handled = yield* handling("H", nothing)(headersOf(named))
      assert.deepStrictEqual(handled, [...first!.slice(0, 3), ["source-method", "H"]])
      assert.strictEqual(yield* handling("H", nothing)(headersOf(named)), handled)
    })
  )

  it.effect("says nothing of keys that are known in both spellings", () =>
    Effect.gen(function* () {
      const values = { RetryReq: "1", traceparent: "t", tracestate: "s", baggage: "b" }
      const headers = yield* headersOf(plain).pipe(Metainfo.withValues(values))
      assert.deepStrictEqual(headers?.length, 4)
    })
  )

  it.effect("does not keep what peers make up", () =>
    Effect.gen(function* () {
      const first = yield* headersOf(named)
      for (let i = 0; i < 300; i++) yield* handling(`H${i}`, nothing)(headersOf(named))
      const again = yield* headersOf(named)
      assert.deepStrictEqual(again, first)
      assert.notStrictEqual(again, first)
    })
  )

  it.effect("is in the order: the call's metadata, the fiber's, metainfo, the log id, who calls", () =>
    Effect.gen(function* () {
      const headers = yield* headersOf(named, { x: "1", "rpc-persist-p": "mine", "Source-Service": "mine" }).pipe(
        Metadata.append({ y: ["2", "3"], "stream-log-id": "mine" }),
        Metainfo.withPersistentValue("P", "p"),
        Metainfo.withValue("T", "t"),
        LogId.within("log")
      )
      assert.deepStrictEqual(headers, [
        ["x", "1"],
        ["y", "2"],
        ["y", "3"],
        ["rpc-transit-t", "t"],
        ["rpc-persist-p", "p"],
        ["stream-log-id", "log"],
        ["destination-service", "d"],
        ["destination-method", "M"],
        ["source-service", "me"],
        ["source-method", ""]
      ])
    })
  )

  it.effect("is one list of strings for calls that say the same", () =>
    Effect.gen(function* () {
      const [one, two] = yield* Effect.all([stringsOf, stringsOf]).pipe(
        Metainfo.withValue("t", "1"),
        LogId.within("log")
      )
      assert.deepStrictEqual(one, { logId: "log", strings: [["RPC_TRANSIT_t", "1"]] })
      assert.strictEqual(one!.strings, two!.strings)
      assert.deepStrictEqual(yield* LogId.within(stringsOf, "log"), { logId: "log", strings: [] })
    })
  )

  it.effect("is of what came only what goes on", () =>
    Effect.gen(function* () {
      const came = { transient: new Map([["T", "1"]]), persistent: new Map([["P", "2"]]) }
      const legacy = new OutgoingHeaders({ destService: "d", propagation: "legacy", hops, warn })
      const inside = handling("H", came)
      assert.deepStrictEqual(yield* inside(headersOf(plain)), [["rpc-persist-p", "2"]])
      assert.deepStrictEqual(yield* inside(headersOf(legacy)), [
        ["rpc-transit-t", "1"],
        ["rpc-persist-p", "2"]
      ])
      assert.deepStrictEqual((yield* inside(stringsOf))!.strings, [["RPC_PERSIST_P", "2"]])
    })
  )
})
