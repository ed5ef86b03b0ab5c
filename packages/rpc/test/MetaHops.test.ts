import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Thrift } from "@millrace/codec"
import { MemoryTransport, type RawCall, Transport } from "@millrace/transport"
import { Context, Effect, Fiber, Layer } from "effect"
import {
  Client,
  LogId,
  Metainfo,
  Method,
  type RpcError,
  Server,
  type ServerCall,
  Service,
  StreamClient
} from "../src/index.ts"
import { Request, Response } from "./support/echo.ts"

class GoldenService extends Service.make("GoldenService", {
  package: "wire",
  methods: [
    Method.pingPong("Echo", { arguments: { req: Thrift.field(1, Request) }, response: Response }),
    Method.unary("Unary", { request: Request, response: Response })
  ]
}) {}

type Strings = Readonly<Record<string, string>>
type Hop = { readonly strings: Strings; readonly ints: Strings }

/** What Kitex sends. */
const golden: {
  readonly "pingpong-forward": ReadonlyArray<Hop>
  readonly "pingpong-refresh": ReadonlyArray<Hop>
  readonly http2: ReadonlyArray<Strings>
} = JSON.parse(readFileSync(new URL("data/metainfo-hops.json", import.meta.url), "utf8"))

/** Notes the int keys of what is sent. */
const noting = (lease: RawCall.CallLease, ints: Array<Strings>): RawCall.CallLease => ({
  peer: lease.peer,
  send: (call) => {
    ints.push(Object.fromEntries(call.header.ints))
    return lease.send(call)
  },
  release: () => lease.release()
})

interface Options {
  readonly callerName?: string
  readonly propagation?: "singleHop" | "legacy"
}

/** A server in memory, and clients of it. Its handlers run `next`. */
const node = (destService: string, next: Effect.Effect<unknown, unknown>, options: Options = {}) =>
  Effect.gen(function* () {
    const seen: Array<{ strings: Strings; call: ServerCall.ServerCall; values: Metainfo.Metainfo }> = []
    const ints: Array<Strings> = []
    const handle = (_: unknown, call: ServerCall.ServerCall) =>
      Effect.gen(function* () {
        const strings = Object.fromEntries(Array.from(call.metadata.keys(), (key) => [key, call.metadata.get(key)!]))
        seen.push({ strings, call, values: yield* Metainfo.current })
        yield* Effect.orDie(next)
        return new Response({})
      })
    const context = yield* Layer.build(
      Server.layer([GoldenService], { graceTime: 0 }).pipe(
        Layer.provide(GoldenService.toLayer({ Echo: handle, Unary: handle })),
        Layer.provideMerge(MemoryTransport.layer),
        Layer.orDie
      )
    )
    const transport = Context.get(context, Transport.ClientTransport)
    const noted = Transport.ClientTransport.of({
      ...transport,
      tryLease: (target) => {
        const lease = transport.tryLease(target)
        return lease && noting(lease, ints)
      },
      lease: (target) => Effect.map(transport.lease(target), (lease) => noting(lease, ints))
    })
    const { callerName, propagation } = options
    const calls = yield* Client.make(GoldenService, { callerName, destService }).pipe(
      Effect.provideService(Transport.ClientTransport, noted)
    )
    const streams = yield* StreamClient.make(GoldenService, { callerName, destService, propagation }).pipe(
      Effect.provide(context)
    )
    const req = new Request({ message: "x" })
    const hops = () => seen.map(({ strings }, i) => ({ strings, ints: ints[i]! }))
    /** Metainfo as headers have it. */
    const headers = () =>
      seen.map(({ strings }) => Object.fromEntries(Object.entries(strings).filter(([key]) => key.startsWith("rpc-"))))
    return { seen, hops, headers, echo: calls.Echo({ req }), unary: streams.Unary(req) }
  })

const values = ({ persistent, transient }: Metainfo.Metainfo) => ({
  persistent: Object.fromEntries(persistent),
  transient: Object.fromEntries(transient)
})

const both = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  self.pipe(Metainfo.withValue("t", "1"), Metainfo.withPersistentValue("p", "2"))

describe("metainfo from hop to hop is Kitex's", () => {
  for (const [name, change] of [
    ["pingpong-forward", (self: Effect.Effect<unknown, unknown>) => self],
    ["pingpong-refresh", Metainfo.withValue("t", "new")]
  ] as const) {
    it.effect(`${name}: transient values end, unless they are set anew`, () =>
      Effect.gen(function* () {
        const c = yield* node("service-C", Effect.void, { callerName: "service-B" })
        const b = yield* node("service-B", change(c.echo), { callerName: "service-A" })
        yield* both(b.echo)
        assert.deepStrictEqual([...b.hops(), ...c.hops()], golden[name])
        assert.deepStrictEqual(values(b.seen[0]!.values), { persistent: { p: "2" }, transient: { t: "1" } })
        const sent = name === "pingpong-refresh" ? { t: "new" } : {}
        assert.deepStrictEqual(values(c.seen[0]!.values), { persistent: { p: "2" }, transient: sent })
        assert.deepStrictEqual(
          [b, c].map(({ seen }) => seen[0]!.call.info.caller),
          ["service-A", "service-B"]
        )
      })
    )
  }

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
})

describe("a handler", () => {
  it.effect("can leave values out of its own calls", () =>
    Effect.gen(function* () {
      const c = yield* node("c", Effect.void, { propagation: "legacy" })
      const calls = c.unary.pipe(
        Effect.andThen(Metainfo.withoutPersistent(c.unary, "P")),
        Effect.andThen(Metainfo.without(c.unary, "T")),
        Effect.andThen(c.unary.pipe(Metainfo.without("T"), Metainfo.withValue("T", "gone"))),
        Effect.andThen(c.unary.pipe(Metainfo.without("nothing"), Metainfo.withoutPersistent("nothing")))
      )
      const b = yield* node("b", calls)
      yield* both(b.unary)
      const all = { "rpc-transit-t": "1", "rpc-persist-p": "2" }
      assert.deepStrictEqual(c.headers(), [
        all,
        { "rpc-transit-t": "1" },
        { "rpc-persist-p": "2" },
        { "rpc-persist-p": "2" },
        all
      ])
    })
  )

  it.effect("reads what was set and what came", () =>
    Effect.gen(function* () {
      const read: Array<unknown> = []
      const look = Effect.gen(function* () {
        read.push([yield* Metainfo.value("T"), yield* Metainfo.persistentValue("P"), values(yield* Metainfo.current)])
      })
      const b = yield* node("b", Effect.andThen(look, Metainfo.withValues(look, { T: "new", U: "3" })))
      yield* both(b.unary)
      assert.deepStrictEqual(read, [
        ["1", "2", { transient: { T: "1" }, persistent: { P: "2" } }],
        ["new", "2", { transient: { T: "new", U: "3" }, persistent: { P: "2" } }]
      ])
    })
  )

  it.effect("has what came in the fibers that it forks, and each call its own", () =>
    Effect.gen(function* () {
      const c = yield* node("c", Effect.void)
      const b = yield* node(
        "b",
        Effect.flatMap(Effect.forkChild(c.unary), (fiber) => Effect.andThen(c.echo, Fiber.join(fiber)))
      )
      const one = (p: string) =>
        b.unary.pipe(Metainfo.withPersistentValue("P", p), LogId.within(`log-${p}`), Effect.andThen(b.echo))
      yield* Effect.forEach(["1", "2", "3"], one, { concurrency: "unbounded" })
      const seen = c.seen.map(({ call, values }) => `${call.info.logId} ${values.persistent.get("P")}`)
      assert.deepStrictEqual(seen.sort(), [
        "log-1 1",
        "log-1 1",
        "log-2 2",
        "log-2 2",
        "log-3 3",
        "log-3 3",
        ...Array.from({ length: 6 }, () => "undefined undefined")
      ])
    })
  )

  it.effect("does not see what was set around another call or around its server", () =>
    Effect.gen(function* () {
      const c = yield* node("c", Effect.void)
      const b = yield* node("b", c.unary).pipe(both, LogId.within("of the server"))
      yield* b.unary
      yield* both(LogId.within(b.unary, "of the call"))
      assert.deepStrictEqual(c.headers(), [{}, { "rpc-persist-p": "2" }])
      assert.deepStrictEqual(
        c.seen.map(({ call }) => call.info.logId),
        [undefined, "of the call"]
      )
    })
  )
})

describe("the log id", () => {
  it.effect("goes down the chain, over both protocols and between them", () =>
    Effect.gen(function* () {
      const e = yield* node("e", Effect.void)
      const d = yield* node("d", e.echo)
      const c = yield* node("c", d.unary)
      const b = yield* node("b", c.echo)
      yield* LogId.within(b.unary, "20261126-中")
      yield* b.unary
      const chain = [b, c, d, e].map(({ seen }) => seen.map(({ call }) => call.info.logId))
      assert.deepStrictEqual(
        chain,
        Array.from({ length: 4 }, () => ["20261126-中", undefined])
      )
      assert.strictEqual(b.seen[0]!.strings["stream-log-id"], "20261126-中")
      assert.deepStrictEqual(
        [c, e].map(({ hops }) => hops()[0]!.ints["2"]),
        ["20261126-中", "20261126-中"]
      )
      assert.isFalse("2" in e.hops()[1]!.ints)
    })
  )

  it.effect("is that of the fiber, and another one inside", () =>
    Effect.gen(function* () {
      const read: Array<string | undefined> = []
      const look = Effect.map(LogId.current, (logId) => void read.push(logId))
      const c = yield* node("c", look)
      const b = yield* node(
        "b",
        look.pipe(Effect.andThen(c.unary), Effect.andThen(LogId.within(Effect.andThen(look, c.echo), "own")))
      )
      yield* look
      yield* LogId.within(b.echo, "came")
      assert.deepStrictEqual(read, [undefined, "came", "came", "own", "own"])
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
})

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
