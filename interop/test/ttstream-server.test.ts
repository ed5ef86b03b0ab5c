/** A real Kitex client over TTHeader streaming, which was generated with `-streamx`, against our server. */
import { assert, describe, layer } from "@effect/vitest"
import { Limiter } from "@millrace/governance"
import { Middleware, RpcError } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import { Effect, Layer } from "effect"
import { goAvailable } from "./go.ts"
import { wordsHere } from "./here.ts"
import { KitexClient, kitexServer } from "./peers.ts"
import { countingServer, type Played, type Script, type Step } from "./scripts.ts"

/** What a Kitex client comes to with scripts that run side by side. */
const playAll = Effect.fnUntraced(function* (address: string, scripts: ReadonlyArray<Script>) {
  const run = yield* KitexClient
  const { detail, seen } = yield* run({
    scenario: "scripts",
    address,
    scripts: scripts.map((script, i) => ({ ...script, name: `${i}`, key: `script-${i}`, address }))
  })
  assert.strictEqual(detail, "")
  return (seen as ReadonlyArray<unknown>).map((one) => one as Played)
})

const playOne = (address: string, script: Script) => Effect.map(playAll(address, [script]), ([one]) => one!)

/** What a step gave: its message, its error, or that the stream ended. */
const told = ({ count, end, error, op, value }: Step): unknown =>
  error ?? (end === true ? "end" : (value as { readonly message?: string } | undefined)?.message) ?? count ?? op

const tolds = ({ seen }: Played) => seen.map(told)

const bidi = (...steps: ReadonlyArray<string>): Script => ({ mode: "bidi", steps })

const remote = (text: string) => `[ttstream error, code=12001] [client-side stream] ${text}`

describe.skipIf(!goAvailable())("TTHeader streaming: Kitex client, our server", () => {
  layer(Layer.merge(KitexClient.layer, NodeTransport.layerClient), {
    excludeTestServices: true,
    timeout: "5 minutes"
  })((it) => {
    it.effect("N-03 N-04 N-18: unary calls in every encoding, with a timeout and middleware of their own", () =>
      Effect.gen(function* () {
        const { address } = yield* countingServer
        for (const encoding of ["framed", "ttheader-framed", "buffered"] as const) {
          const unary = (word: string, count?: number): Script => ({
            mode: "unary",
            word,
            ...(count === undefined ? undefined : { count }),
            encoding,
            unaryMillis: 200,
            steps: []
          })
          const [echo, late, failed, biz] = yield* playAll(address, [
            unary("hi"),
            unary("sleep", 500),
            unary("plain-error"),
            unary("biz-extra")
          ])
          assert.deepStrictEqual(tolds(echo!), ["hi"])
          assert.deepStrictEqual(echo!.counts.middleware, { unary: 1 })
          assert.deepStrictEqual(echo!.counts.mode, "none")
          assert.strictEqual(late!.seen[0]!.kind, "rpc timeout")
          assert.match(String(told(failed!.seen[0]!)), /boom \[biz error\]/)
          // only a TTHeader has a place for a business status
          if (encoding === "ttheader-framed") {
            assert.deepInclude(biz!.seen[0]!.biz, { code: 404, message: "not found" })
          }
        }
      }).pipe(Effect.scoped)
    )

    it.effect("every mode, and sixty streams at the same time on one connection", () =>
      Effect.gen(function* () {
        const run = yield* KitexClient
        const { address } = yield* countingServer
        for (const n of [0, 1, 3, 1000]) {
          const { detail, ok } = yield* run({ scenario: "ttstream", address, n })
          assert.deepStrictEqual([ok, detail], [true, ""])
        }
      }).pipe(Effect.scoped)
    )

    it.effect(
      "N-01 U-08: what a hook of the client writes into the Header frame is the caller, the log id and the deadline",
      () =>
        Effect.gen(function* () {
          const { address } = yield* countingServer
          const [named, logged, timed, none] = yield* playAll(address, [
            { ...bidi("send:caller", "recv"), ints: { 3: "svc-a" } },
            { ...bidi("send:log-id", "recv"), ints: { 2: "log-7" } },
            { ...bidi("send:deadline", "recv"), ints: { 12: "5000" } },
            bidi("send:deadline", "recv")
          ])
          assert.strictEqual(told(named!.seen[1]!), "svc-a/")
          assert.strictEqual(told(logged!.seen[1]!), "log-7")
          assert.strictEqual(told(timed!.seen[1]!), "left")
          assert.strictEqual(told(none!.seen[1]!), "none")
        }).pipe(Effect.scoped)
    )

    it.effect("A-18: unknown methods and services are answered", () =>
      Effect.gen(function* () {
        const { address } = yield* countingServer
        const [method, service] = yield* playAll(address, [
          { mode: "missing-method", steps: ["send:hi", "recv"] },
          { mode: "missing-service", steps: ["send:hi", "recv"] }
        ])
        assert.strictEqual(told(method!.seen.at(-1)!), remote("unknown method MissingBidi"))
        // one service alone has a method Bidi, and it takes the stream, as in Kitex
        assert.deepStrictEqual(service!.seen.at(-1)!.error, undefined)
      }).pipe(Effect.scoped)
    )

    it.effect("U-53 U-54 U-55: what middleware, admission and rules refuse a stream with", () =>
      Effect.gen(function* () {
        const rejected = new RpcError.RpcError({
          reason: new RpcError.Rejected({ limit: "requests" }),
          code: 8,
          desc: "request over limit: request too frequent"
        })
        const refusing = yield* wordsHere({ middleware: [Middleware.server(() => Effect.fail(rejected))] })
        const dying = yield* wordsHere({ middleware: [Middleware.server(() => Effect.die("mw-kaboom"))] })
        const once = bidi("send:hi", "recv")
        const { seen } = yield* playOne(refusing.address, once)
        assert.strictEqual(told(seen.at(-1)!), remote("request over limit: request too frequent"))
        // where a client of Kitex's server would wait for ever
        assert.include(String(told((yield* playOne(dying.address, once)).seen.at(-1)!)), "mw-kaboom")
        const limited = yield* wordsHere({ admission: [Limiter.concurrency(1)] })
        const two = yield* playOne(limited.address, bidi("send:one", "recv", "open", "send:two", "recv"))
        assert.strictEqual(told(two.seen.at(-1)!), remote("request over limit: to many connections"))
      }).pipe(Effect.scoped)
    )

    it.effect("a handler that does not read, of a client without an end: bounded, reset, and told", () =>
      Effect.gen(function* () {
        const { address } = yield* countingServer
        const held = () => process.memoryUsage().arrayBuffers + process.memoryUsage().external
        const before = held()
        let most = 0
        const watching = yield* Effect.forkScoped(
          Effect.forever(
            Effect.andThen(
              Effect.sync(() => (most = Math.max(most, held() - before))),
              Effect.sleep(20)
            )
          ),
          { startImmediately: true }
        )
        const { seen } = yield* playOne(address, { mode: "client", steps: ["send:stall:3000", "flood:1024"] })
        watching.interruptUnsafe()
        const { error = "" } = seen.at(-1)!
        assert.match(error, /\[client-side stream\] .*(streamBufferLimit|is full|not read|buffer)/)
        assert.isBelow(most, 8 << 20)
      }).pipe(Effect.scoped)
    )

    it.effect("a server that stops: streams end in time, new ones are refused, the rest is reset", () =>
      Effect.gen(function* () {
        const { address, drain } = yield* wordsHere({ graceTime: 500 })
        yield* Effect.forkScoped(Effect.delay(drain, 200))
        const played = yield* playAll(address, [
          bidi("send:one", "recv", "sleep:350", "send:two", "recv", "close", "recv"),
          bidi("send:one", "recv", "sleep:350", "open", "send:late", "recv"),
          bidi("send:one", "recv", "send:wait", "recv", "send:late")
        ])
        assert.deepStrictEqual(tolds(played[0]!), ["send:one", "one", "send:two", "two", "close", "end"])
        assert.strictEqual(told(played[1]!.seen.at(-1)!), remote("graceful shutdown"))
        const shutdown = "[ttstream error, code=14] [client-side stream] graceful shutdown"
        assert.deepStrictEqual(tolds(played[2]!).slice(-2), [shutdown, shutdown])
      }).pipe(Effect.scoped)
    )

    it.effect(
      "U-47: metainfo over two hops, and the method that calls: what is persistent goes on, what is transient ends here",
      () =>
        Effect.gen(function* () {
          const { address } = yield* countingServer
          const next = yield* kitexServer("--services", "streamx")
          const run = yield* KitexClient
          const there = Effect.fnUntraced(function* (word: string) {
            const script = {
              ...bidi(`send:${word}`, "recv"),
              transient: { t: "1" },
              persistent: { p: "2" },
              name: "hops",
              key: "",
              address,
              next
            }
            const { seen } = yield* run({ scenario: "scripts", address, scripts: [script] })
            return String(told((seen[0] as unknown as Played).seen[1]!)).replaceAll(/persistent NEXT=[^;]*; /g, "")
          })
          assert.strictEqual(yield* there("down-metainfo"), "persistent p=2; transient t=1 | persistent p=2")
          const frame = JSON.parse((yield* there("down-hook")).split(" | ")[1]!)
          assert.deepInclude(frame, { "3": "interop-ts", "6": "InteropService", "20": "Bidi", RPC_PERSIST_p: "2" })
        }).pipe(Effect.scoped)
    )
  })
})
