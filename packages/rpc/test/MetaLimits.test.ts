import { assert, describe, it } from "@effect/vitest"
import { MemoryTransport } from "@millrace/transport"
import type { ClientOptions } from "@millrace/transport/TransportOptions"
import { Effect, Fiber, Layer } from "effect"
import { Client, Metainfo, type RpcInfo, Server, type ServerCall } from "../src/index.ts"
import { CurrentCall, type HandledCall } from "../src/internal/currentCall.ts"
import { Hops } from "../src/internal/hops.ts"
import { OutgoingHeaders, strings } from "../src/internal/outgoing.ts"
import { only, told } from "./support/client.ts"
import { logged, Request, Response, TestService } from "./support/echo.ts"
import { StreamClient } from "./support/over.ts"

const values = (count: number, value = "v") =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`K${i}`, value]))

const request = new Request({ message: "x" })

/** A server in memory, its clients, and the calls that it has seen. */
const node = (next: Effect.Effect<unknown, unknown> = Effect.void, client: ClientOptions = {}) =>
  Effect.gen(function* () {
    const seen: Array<ServerCall.ServerCall> = []
    const handle = (_: unknown, call: ServerCall.ServerCall) => {
      seen.push(call)
      return Effect.as(Effect.orDie(next), new Response({}))
    }
    const context = yield* Layer.build(
      Server.layer([TestService], { graceTime: 0 }).pipe(
        Layer.provide(TestService.toLayer(only({ EchoPingPong: handle, EchoUnary: handle }))),
        Layer.provideMerge(MemoryTransport.layerWith({ client })),
        Layer.orDie
      )
    )
    const calls = yield* Client.make(TestService, { callerName: "me", connection: "multiplexed" }).pipe(
      Effect.provide(context)
    )
    const streams = yield* StreamClient.make(TestService, { callerName: "me" }).pipe(Effect.provide(context))
    return { seen, pingPong: calls.EchoPingPong({ req: request }), unary: streams.EchoUnary(request) }
  })

const transports = ["pingPong", "unary"] as const

describe("metainfo above what servers take", () => {
  for (const transport of transports) {
    it.effect(`${transport}: fails that call, typed, and no other on the connection`, () =>
      Effect.gen(function* () {
        const hold = yield* node(Effect.sleep(50))
        const other = yield* Effect.forkChild(hold[transport], { startImmediately: true })
        yield* Effect.yieldNow
        const error = yield* Effect.exit(Metainfo.withValues(hold[transport], values(257)))
        assert.match(told(error), /^Rejected: .*more than the 256 that may be sent \(maxSentHeaderFields\)/)
        assert.isUndefined(other.pollUnsafe())
        yield* Fiber.interrupt(other)
      })
    )
  }

  it.effect("bytes of a TTHeader", () =>
    Effect.gen(function* () {
      const { pingPong, seen } = yield* node()
      const error = yield* Effect.exit(Metainfo.withValues(pingPong, values(3, "v".repeat(50_000))))
      assert.match(told(error), /^Rejected: .*more than the 131072 that may be sent \(maxSentTTHeaderSize\)/)
      yield* Metainfo.withValues(pingPong, values(2, "v".repeat(50_000)))
      assert.strictEqual(seen.length, 1)
    })
  )
})

describe("metainfo that came, above what fits beside the handler's own", () => {
  for (const transport of transports) {
    it.effect(`${transport}: is not sent on, and one warning says so; own values go`, () =>
      Effect.gen(function* () {
        const [c, lines] = yield* logged(
          Effect.gen(function* () {
            const c = yield* node()
            const own = Metainfo.withPersistentValues(c[transport], { K0: "own", MINE: "1" })
            const b = yield* node(own)
            yield* Effect.forEach([1, 2], () => Metainfo.withPersistentValues(b[transport], values(240)))
            return c
          })
        )
        assert.strictEqual(c.seen.length, 2)
        for (const { metainfo } of c.seen) {
          const { persistent } = metainfo
          assert.deepStrictEqual([persistent.get("K0"), persistent.get("MINE")], ["own", "1"])
          assert.strictEqual(persistent.size, 256 - 32)
        }
        assert.deepStrictEqual(
          lines.map(({ level, text }) => [level, text.slice(0, 58)]),
          [["Warn", "17 metainfo values that came with a call are not sent on: "]]
        )
      })
    )
  }

  it.effect("is all sent on where both sides are told to take more", () =>
    Effect.gen(function* () {
      const c = yield* node(Effect.void, { maxSentHeaderFields: 300 })
      const b = yield* node(Effect.exit(c.pingPong))
      yield* Metainfo.withPersistentValues(b.pingPong, values(240))
      const { persistent } = c.seen[0]!.metainfo
      assert.strictEqual(persistent.size, 240)
    })
  )

  const warnings: Array<string> = []
  const hops = new Hops(undefined, (text) => warnings.push(text))
  const received = (persistent: ReadonlyMap<string, string>, info: Partial<RpcInfo.RpcInfo> = {}): HandledCall =>
    ({ info: { method: "M", ...info }, metainfo: { persistent, transient: new Map() } }) as unknown as HandledCall

  it("is measured in bytes of UTF-8", () => {
    for (const [value, kept] of [
      ["v".repeat(40_000), 2],
      ["中".repeat(20_000), 1],
      ["v", 3]
    ] as const) {
      const persistent = new Map(Object.entries(values(3, value)))
      const given = { persistent, transient: new Map<string, string>(), upstream: new Map<string, string>() }
      assert.strictEqual(hops.entries(given, received(persistent)).length, kept)
      // Of one's own all go, and are refused by the transport.
      const own = hops.entries(given, undefined)
      assert.strictEqual(own.length, 3)
      assert.strictEqual(hops.entries(given, undefined), own)
    }
  })

  it("yields to the bytes of the handler's metadata", () => {
    const persistent = new Map(Object.entries(values(4, "v".repeat(10_000))))
    const given = { persistent, transient: new Map<string, string>(), upstream: new Map<string, string>() }
    for (const [value, kept] of [
      ["v", 4],
      ["v".repeat(20_000), 2],
      [new Uint8Array(22_000), 1]
    ] as const) {
      const fitting = hops.headers(given, received(persistent), [["own-bin", value]], false)
      assert.strictEqual(fitting.persistent.size, kept)
    }
  })

  it("with legacy propagation the transient values that came are among them", () => {
    const upstream = new Map(Object.entries(values(300)))
    const given = { persistent: new Map<string, string>(), transient: new Map([["T", "1"]]), upstream }
    const own = Array.from({ length: 23 }, (_, i) => [`own-${i}`, "v"] as const)
    assert.strictEqual(hops.headers(given, received(new Map()), own, true).upstream.size, 200)
    assert.strictEqual(hops.headers(given, received(new Map()), own, false), given)
  })
})

describe("the method that a handler's calls come from", () => {
  const warn = (text: string) => assert.fail(text)
  const headers = new OutgoingHeaders({ destService: "d", callerName: "me", warn, hops: new Hops(undefined, warn) })
  const sent = (info: Partial<RpcInfo.RpcInfo>) =>
    Effect.sync(() => {
      const fiber = Fiber.getCurrent()!
      const list = headers.get(fiber, "M", undefined)!
      const said = strings(fiber, fiber.getRef(CurrentCall), new Hops(undefined, warn))
      return [list.find(([key]) => key === "source-method")![1], said?.logId]
    }).pipe(
      Effect.provideService(CurrentCall, {
        info,
        metainfo: { persistent: new Map(), transient: new Map() }
      } as unknown as HandledCall)
    )

  it.effect("is empty where a stranger made it up, where it is long, and where it cannot be sent", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* sent({ method: "Known" }), ["Known", undefined])
      assert.deepStrictEqual(yield* sent({ method: "Unknown", unknown: true }), ["", undefined])
      assert.deepStrictEqual(yield* sent({ method: "bad\r\nx: 1" }), ["", undefined])
      assert.deepStrictEqual(yield* sent({ method: "x".repeat(257) }), ["", undefined])
    })
  )

  it.effect("a log id that came goes on, unless it is no id by its length", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* sent({ method: "M", logId: "id" }), ["M", "id"])
      assert.deepStrictEqual(yield* sent({ method: "M", logId: "x".repeat(1025) }), ["M", undefined])
    })
  )
})
