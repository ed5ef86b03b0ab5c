import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { LogId, Metainfo } from "../src/index.ts"
import { both, golden, node, values } from "./support/hops.ts"

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
})

/** Keys that every transport leaves as they are. */
const upper = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  self.pipe(Metainfo.withValue("T", "1"), Metainfo.withPersistentValue("P", "2"))

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
      yield* upper(b.unary)
      const [none, transient, persistent] = [{}, { T: "1" }, { P: "2" }]
      assert.deepStrictEqual(c.metainfo(), [
        { persistent, transient },
        { persistent: none, transient },
        { persistent, transient: none },
        { persistent, transient: none },
        { persistent, transient }
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
      yield* upper(b.unary)
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
      const b = yield* node("b", c.unary).pipe(upper, LogId.within("of the server"))
      yield* b.unary
      yield* upper(LogId.within(b.unary, "of the call"))
      assert.deepStrictEqual(c.metainfo(), [
        { persistent: {}, transient: {} },
        { persistent: { P: "2" }, transient: {} }
      ])
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
})
