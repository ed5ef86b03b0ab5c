/** What etcd knows of a service, at once and as it changes; and what becomes of a watch that etcd ends. */
import { assert, describe, it } from "@effect/vitest"
import { type Instance, Resolver } from "@millrace/governance"
import { Context, Effect, Fiber, Layer, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as Etcd from "../../src/registries/Etcd.ts"
import { FakeEtcd, logged } from "../support/etcd.ts"

const resolverIn = (etcd: FakeEtcd, options: Partial<Etcd.ResolverOptions> = {}) =>
  Effect.map(
    Layer.build(Layer.fresh(Etcd.layerResolver({ endpoints: ["a:2379"], ...options })).pipe(Layer.provide(etcd.layer))),
    (context) => Context.get(context, Resolver.Resolver)
  )

const keyOf = (address: string, service = "echo") => `kitex/registry-etcd/${service}/${address}`
const valueOf = (address: string, weight: number) => JSON.stringify({ network: "tcp", address, weight, tags: null })

/** Puts an instance, as somebody else would. */
const put = (etcd: FakeEtcd, address: string, weight = 10) => etcd.put(keyOf(address), valueOf(address, weight))

/** `ADDRESS*WEIGHT` of each. */
const shown = (instances: ReadonlyArray<Instance.Instance>) =>
  instances.map(({ address, weight }) => `${address}*${weight}`).join(" ")

/** Collects what a watch says. */
const watching = Effect.fnUntraced(function* (resolver: Resolver.Source, service = "echo") {
  const lists: Array<string> = []
  const fiber = yield* Effect.forkChild(
    Effect.exit(Stream.runForEach(resolver.watch!(service), (list) => Effect.sync(() => void lists.push(shown(list))))),
    { startImmediately: true }
  )
  yield* settle
  return { lists, fiber }
})

const settle = Effect.repeat(TestClock.adjust(0), { times: 5 })

describe("a list", () => {
  it.effect("has the instances of the service and no others, each with its weight and tags", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const resolver = yield* resolverIn(etcd)
      put(etcd, "10.0.0.1:1", 3)
      etcd.put(keyOf("10.0.0.2:1"), `{"network":"tcp","address":"10.0.0.2:1","weight":0,"tags":{"az":"b"}}`)
      etcd.put(keyOf("10.0.0.3:1", "echo2"), valueOf("10.0.0.3:1", 1))
      etcd.put(keyOf("10.0.0.4:1", "ech"), valueOf("10.0.0.4:1", 1))
      assert.deepStrictEqual(yield* resolver.resolve("echo"), {
        instances: [
          { address: "10.0.0.1:1", weight: 3, tags: {} },
          { address: "10.0.0.2:1", weight: 10, tags: { az: "b" } }
        ]
      })
      assert.deepStrictEqual(yield* resolver.resolve("nobody"), { instances: [] })
    })
  )

  it.effect("leaves out what registry-etcd did not write, and says so", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const resolver = yield* resolverIn(etcd)
      put(etcd, "10.0.0.1:1")
      etcd.put(keyOf("x"), "not json")
      const { lines, value } = yield* logged(resolver.resolve("echo"))
      assert.strictEqual(shown(value.instances), "10.0.0.1:1*10")
      assert.deepStrictEqual(lines, [
        `Warn etcd: the value of key kitex/registry-etcd/echo/x is left out, because it is no JSON object: registry-etcd writes {"network","address","weight","tags"}`
      ])
    })
  )

  it.effect("has the default weight and the prefix of the options", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const resolver = yield* resolverIn(etcd, { prefix: "", defaultWeight: 7 })
      etcd.put("/echo/10.0.0.1:1", `{"network":"tcp","address":"10.0.0.1:1"}`)
      assert.strictEqual(shown((yield* resolver.resolve("echo")).instances), "10.0.0.1:1*7")
    })
  )

  it.effect("of a name that no service can have is an error that asking again does not help", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const resolver = yield* resolverIn(etcd)
      for (const error of [
        yield* Effect.flip(resolver.resolve("a/b")),
        yield* Effect.flip(Stream.runDrain(resolver.watch!("a/b")))
      ]) {
        assert.deepStrictEqual([error.resolver, error.service, error.retryable], ["etcd", "a/b", false])
        assert.match(error.message, /^etcd: the service "a\/b" has a "\/" in its name/)
      }
      assert.lengthOf(etcd.requests, 0)
    })
  )

  it.effect("fails where etcd is down, and is there when etcd is", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const resolver = yield* resolverIn(etcd)
      etcd.down.add("a:2379")
      const error = yield* Effect.flip(resolver.resolve("echo"))
      assert.isTrue(error.retryable)
      assert.match(error.desc, /^http:\/\/a:2379 cannot be asked \(connect ECONNREFUSED\): is etcd there/)
      etcd.down.clear()
      assert.deepStrictEqual(yield* resolver.resolve("echo"), { instances: [] })
    })
  )

  it.effect("that the user may not see says what to do", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const resolver = yield* resolverIn(etcd)
      etcd.answerAlways(403, `{"code":7,"message":"etcdserver: permission denied","details":[]}`)
      const error = yield* Effect.flip(resolver.resolve("echo"))
      assert.isFalse(error.retryable)
      assert.strictEqual(
        error.desc,
        "etcd at http://a:2379 refuses: etcdserver: permission denied (code 7): give the user a role that may read and write these keys"
      )
    })
  )
})

describe("a watch", () => {
  it.effect("begins with the list of now, and tells of each change behind it, none missed", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const resolver = yield* resolverIn(etcd)
      put(etcd, "10.0.0.2:1")
      const { revision } = etcd
      const { lists } = yield* watching(resolver)
      assert.strictEqual([...etcd.watchers][0]!.range.start_revision, String(revision + 1))
      put(etcd, "10.0.0.1:1")
      yield* settle
      put(etcd, "10.0.0.2:1", 3)
      yield* settle
      etcd.delete(keyOf("10.0.0.1:1"))
      yield* settle
      etcd.delete(keyOf("10.0.0.2:1"))
      yield* settle
      etcd.put(keyOf("10.0.0.2:1", "echo2"), valueOf("10.0.0.2:1", 1))
      yield* settle
      assert.deepStrictEqual(lists, [
        "10.0.0.2:1*10",
        "10.0.0.1:1*10 10.0.0.2:1*10",
        "10.0.0.1:1*10 10.0.0.2:1*3",
        "10.0.0.2:1*3",
        ""
      ])
    })
  )

  it.effect("says nothing where nothing changed, and drops an instance whose value is one no longer", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const resolver = yield* resolverIn(etcd)
      put(etcd, "10.0.0.1:1")
      const { lines } = yield* logged(
        Effect.gen(function* () {
          const { lists } = yield* watching(resolver)
          put(etcd, "10.0.0.1:1")
          yield* settle
          assert.deepStrictEqual(lists, ["10.0.0.1:1*10"])
          etcd.put(keyOf("10.0.0.1:1"), "{}")
          yield* settle
          assert.deepStrictEqual(lists, ["10.0.0.1:1*10", ""])
        })
      )
      assert.lengthOf(lines, 1)
    })
  )

  it.effect("that etcd cannot go on with, because it has forgotten the past, begins anew", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const resolver = yield* resolverIn(etcd)
      put(etcd, "10.0.0.1:1")
      const { fiber, lists } = yield* watching(resolver)
      put(etcd, "10.0.0.2:1")
      yield* settle
      etcd.endWatches(`{"result":{"header":{},"canceled":true,"compact_revision":"9"}}\n`)
      put(etcd, "10.0.0.3:1")
      yield* TestClock.adjust("100 millis")
      assert.isUndefined(fiber.pollUnsafe())
      put(etcd, "10.0.0.4:1")
      yield* settle
      assert.deepStrictEqual(lists.slice(2), [
        "10.0.0.1:1*10 10.0.0.2:1*10 10.0.0.3:1*10",
        "10.0.0.1:1*10 10.0.0.2:1*10 10.0.0.3:1*10 10.0.0.4:1*10"
      ])
    })
  )

  it.effect("of an etcd that forgets all the time asks ten times a second, no more", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const resolver = yield* resolverIn(etcd)
      etcd.alwaysCompacted = true
      yield* watching(resolver)
      yield* TestClock.adjust("10 seconds")
      assert.isAtMost(etcd.requests.filter((request) => request.endsWith("watch")).length, 101)
      assert.isAtLeast(etcd.requests.filter((request) => request.endsWith("watch")).length, 50)
    })
  )

  const endings: ReadonlyArray<readonly [why: string, line: string, desc: RegExp, retryable: boolean]> = [
    ["without a word", "", /^etcd ended the watch$/, true],
    [
      "because the user may not",
      `{"result":{"header":{},"canceled":true,"cancel_reason":"etcdserver: permission denied"}}\n`,
      /^etcd at http:\/\/a:2379 refuses: the watch is over: etcdserver: permission denied/,
      false
    ],
    [
      "because it stops",
      `{"error":{"code":14,"message":"error reading from server: EOF"}}\n`,
      /^etcd at http:\/\/a:2379 refuses: error reading from server: EOF \(code 14\)/,
      true
    ],
    ["with something else", `<html>\n`, /^http:\/\/a:2379 answers with something that is no JSON/, true],
    ["with events that are none", `{"result":{"events":[7]}}\n`, /^http:\/\/a:2379 answers with JSON that is not/, true]
  ]
  for (const [why, line, desc, retryable] of endings) {
    it.effect(`that etcd ends ${why} fails`, () =>
      Effect.gen(function* () {
        const etcd = new FakeEtcd()
        const resolver = yield* resolverIn(etcd)
        put(etcd, "10.0.0.1:1")
        const watch = yield* Effect.forkChild(Effect.flip(Stream.runDrain(resolver.watch!("echo"))), {
          startImmediately: true
        })
        yield* settle
        etcd.endWatches(line)
        const error = yield* Fiber.join(watch)
        assert.match(error.desc, desc)
        assert.strictEqual(error.retryable, retryable)
        assert.strictEqual(etcd.watchers.size, 0)
      })
    )
  }

  it.effect("that has been silent is begun anew, and what was missed is seen", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const resolver = yield* resolverIn(etcd, { silence: "10 seconds" })
      put(etcd, "10.0.0.1:1")
      const { lists } = yield* watching(resolver)
      // the other end is gone, and the connection does not say so
      etcd.watchers.clear()
      put(etcd, "10.0.0.2:1")
      yield* TestClock.adjust(9999)
      assert.lengthOf(lists, 1)
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(lists, ["10.0.0.1:1*10", "10.0.0.1:1*10 10.0.0.2:1*10"])
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(lists, 2)
      assert.strictEqual(etcd.watchers.size, 1)
      put(etcd, "10.0.0.3:1")
      yield* settle
      assert.lengthOf(lists, 3)
    })
  )

  it.effect("that is left ends its request", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const resolver = yield* resolverIn(etcd)
      const { fiber } = yield* watching(resolver)
      assert.strictEqual(etcd.watchers.size, 1)
      assert.isFalse(etcd.lastSignal!.aborted)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(etcd.watchers.size, 0)
      assert.isTrue(etcd.lastSignal!.aborted)
    })
  )

  it.effect("fails where nobody answers, so that it is begun again elsewhere", () =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const resolver = yield* resolverIn(etcd, { endpoints: ["a:2379", "b:2379"] })
      etcd.down.add("a:2379")
      const { lists } = yield* watching(resolver)
      assert.deepStrictEqual(lists, [""])
      assert.deepStrictEqual(etcd.requests, ["a:2379 /v3/kv/range", "b:2379 /v3/kv/range", "b:2379 /v3/watch"])
    })
  )
})

const Change = Schema.Struct({
  does: Schema.Literals(["put", "delete", "junk", "compact", "silence", "other service"]),
  address: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 4 })),
  weight: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 }))
})

it.effect.prop(
  "after any changes the last list of a watch is the one that is there",
  [Schema.Array(Change)],
  ([changes]) =>
    Effect.gen(function* () {
      const etcd = new FakeEtcd()
      const resolver = yield* resolverIn(etcd, { silence: "10 seconds" })
      const { lists } = yield* watching(resolver)
      const model = new Map<string, number>()
      for (const { address, does, weight } of changes) {
        const name = `10.0.0.${address}:1`
        switch (does) {
          case "put":
            put(etcd, name, weight)
            model.set(name, weight === 0 ? 10 : weight)
            break
          case "delete":
            etcd.delete(keyOf(name))
            model.delete(name)
            break
          case "junk":
            etcd.put(keyOf(name), "junk")
            model.delete(name)
            break
          case "compact":
            etcd.endWatches(`{"result":{"header":{},"canceled":true,"compact_revision":"9"}}\n`)
            break
          case "silence":
            yield* TestClock.adjust("10 seconds")
            break
          case "other service":
            etcd.put(keyOf(name, "other"), valueOf(name, 1))
        }
        if (weight > 1) yield* settle
      }
      yield* TestClock.adjust("1 second")
      // one that lags is as many turns behind as there were changes
      for (const _ of changes) yield* settle
      const expected = Array.from(model, ([address, weight]) => `${address}*${weight}`).toSorted()
      assert.deepStrictEqual(
        lists
          .at(-1)!
          .split(" ")
          .filter((one) => one !== "")
          .toSorted(),
        expected
      )
    }).pipe(logged, Effect.scoped),
  { arbitrary: { runs: 60 } }
)
