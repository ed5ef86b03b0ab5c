/** Chains of calls over three programs, Kitex's and ours mixed: what goes on from hop to hop, and what does not. */
import { assert, describe, layer } from "@effect/vitest"
import { Client, Deadline, LogId, Metainfo, StreamClient } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import { Effect, Layer, Stream } from "effect"
import { InteropService, Request } from "../src/api.ts"
import { CallsService } from "../src/calls.ts"
import type { Hop } from "../src/chain.ts"
import { goAvailable } from "./go.ts"
import { serverHere } from "./here.ts"
import { type Ask, Kitex, KitexClient } from "./peers.ts"

const modes = ["unary", "bidi", "call"] as const
type Mode = (typeof modes)[number]

const asking: Omit<Ask, "word"> = {
  transient: { t: "1" },
  persistent: { p: "2" },
  logId: "log-1",
  millis: 5000,
  caller: true
}

/** A Kitex client asks the first of the servers; what each of them sees. */
const kitexAsks = Effect.fnUntraced(function* (mode: Mode, servers: ReadonlyArray<string>, more?: Partial<Ask>) {
  const run = yield* KitexClient
  const [address, ...rest] = servers
  const { seen } = yield* run({
    scenario: `ask-${mode}`,
    address: address!,
    ask: { word: "chain", key: rest.join(","), ...asking, ...more }
  })
  return hopsOf(seen.at(-1)!["value"], seen)
})

/** Our client does the same. */
const weAsk = Effect.fnUntraced(function* (mode: Mode, servers: ReadonlyArray<string>, count = 1) {
  const [hostPort, ...rest] = servers
  const request = new Request({ message: "chain", key: rest.join(","), count })
  const options = { callerName: "interop-ts-test" }
  const streams = yield* StreamClient.make(InteropService, options)
  const calls = yield* Client.make(CallsService, options)
  const call =
    mode === "call"
      ? calls.Call({ req: request }, { hostPort })
      : mode === "unary"
        ? streams.Unary(request, { hostPort })
        : Effect.flatMap(Stream.runCollect(streams.Bidi(Stream.make(request), { hostPort })), ([first]) =>
            Effect.succeed(first!)
          )
  const response = yield* call.pipe(
    Metainfo.withValue("t", "1"),
    Metainfo.withPersistentValue("p", "2"),
    LogId.within("log-1"),
    Deadline.within(5000)
  )
  return hopsOf(response.message, response)
}, Effect.scoped)

const hopsOf = (text: unknown, seen: unknown): readonly [Hop, Hop] => {
  assert.isString(text, JSON.stringify(seen))
  const hops: ReadonlyArray<Hop> = JSON.parse(text as string)
  assert.strictEqual(hops.length, 2)
  return [hops[0]!, hops[1]!]
}

const persistent = (mode: Mode) => (mode === "call" ? { p: "2" } : { P: "2" })
const transient = (mode: Mode) => (mode === "call" ? { t: "1" } : { T: "1" })

/** The first server sees everything, the second what is persistent, and what is transient where that goes on. */
const assertMetainfo = (mode: Mode, [b, c]: readonly [Hop, Hop], goesOn: boolean) => {
  assert.deepStrictEqual([b.transient, b.persistent], [transient(mode), persistent(mode)])
  assert.deepStrictEqual([c.transient ?? {}, c.persistent], [goesOn ? transient(mode) : {}, persistent(mode)])
}

const assertDeadlines = ([b, c]: readonly [Hop, Hop]) => {
  assert.isTrue(b.left > 3000 && b.left <= 5000, `${b.left}`)
  assert.isTrue(c.left > 3000 && c.left <= b.left, `${c.left} behind ${b.left}`)
}

describe.skipIf(!goAvailable())("chains of calls", () => {
  const services = Layer.mergeAll(KitexClient.layer, Kitex.layer, NodeTransport.layerClient)

  layer(services, { excludeTestServices: true, timeout: "5 minutes" })((it) => {
    for (const mode of modes) {
      it.effect(`${mode}: Kitex, ours, Kitex`, () =>
        Effect.gen(function* () {
          const hops = yield* kitexAsks(mode, [yield* serverHere(), yield* Kitex])
          assertMetainfo(mode, hops, false)
          assertDeadlines(hops)
          assert.deepStrictEqual([hops[0].caller, hops[1].caller], ["interop-go-client", "interop-ts"])
          // Kitex's calls carry no log id
          if (mode !== "call") assert.deepStrictEqual([hops[0].logId, hops[1].logId], ["log-1", "log-1"])
        }).pipe(Effect.scoped)
      )

      it.effect(`${mode}: ours, Kitex, ours`, () =>
        Effect.gen(function* () {
          const hops = yield* weAsk(mode, [yield* Kitex, yield* serverHere()])
          // Kitex's streams let transient values go on
          assertMetainfo(mode, hops, mode !== "call")
          assert.deepStrictEqual([hops[0].caller, hops[1].caller], ["interop-ts-test", "interop-go"])
          if (mode === "call") {
            // a Kitex handler has the timeout of its caller and does not hand it on
            assert.strictEqual(hops[1].left, 0)
          } else {
            assertDeadlines(hops)
            assert.deepStrictEqual([hops[0].logId, hops[1].logId], ["log-1", "log-1"])
          }
        }).pipe(Effect.scoped)
      )

      it.effect(`${mode}: ours, ours, Kitex`, () =>
        Effect.gen(function* () {
          const hops = yield* weAsk(mode, [yield* serverHere(), yield* Kitex])
          assertMetainfo(mode, hops, false)
          assertDeadlines(hops)
          assert.deepStrictEqual([hops[0].caller, hops[1].caller], ["interop-ts-test", "interop-ts"])
          // no Kitex handler reads the log id of a TTHeader
          assert.deepStrictEqual([hops[0].logId, hops[1].logId], ["log-1", mode === "call" ? "" : "log-1"])
        }).pipe(Effect.scoped)
      )
    }

    it.effect("call: ours alone: the log id goes on", () =>
      Effect.gen(function* () {
        const hops = yield* weAsk("call", [yield* serverHere(), yield* serverHere()])
        assertMetainfo("call", hops, false)
        assertDeadlines(hops)
        assert.deepStrictEqual([hops[0].logId, hops[1].logId], ["log-1", "log-1"])
      }).pipe(Effect.scoped)
    )

    it.effect("keys that objects have of their own go through as any other", () =>
      Effect.gen(function* () {
        const persistent = JSON.parse('{"__proto__": "1", "constructor": "2", "toString": "3"}')
        const [b, c] = yield* kitexAsks("call", [yield* serverHere(), yield* Kitex], { persistent })
        assert.deepStrictEqual([b.persistent, c.persistent], [persistent, persistent])
      }).pipe(Effect.scoped)
    )

    for (const mode of ["unary", "bidi"] as const) {
      it.effect(`${mode}: transient values go on where that is asked for`, () =>
        Effect.gen(function* () {
          const ours = yield* serverHere()
          assertMetainfo(mode, yield* kitexAsks(mode, [ours, yield* Kitex], { count: 2 }), true)
          assertMetainfo(mode, yield* weAsk(mode, [ours, yield* Kitex], 2), true)
          // as it is among Kitex's own
          assertMetainfo(mode, yield* kitexAsks(mode, [yield* Kitex, yield* Kitex]), true)
        }).pipe(Effect.scoped)
      )
    }
  })
})
