import { assert, describe, it } from "@effect/vitest"
import { Thrift } from "@millrace/codec"
import { Limiter, Policy } from "@millrace/governance"
import { type Admission, Method, RpcError, Service } from "@millrace/rpc"
import { Effect, Exit, Metric, Schema, SubscriptionRef } from "effect"
import { Accounts } from "../../src/internal/limits/accounts.ts"
import { admit, admits, request } from "../support/admissions.ts"
import { seeded } from "../support/random.ts"

const peer = (address: string, now = 0) => request({}, { peer: address, now })
const caller = (caller: string, now = 0) => request({ caller }, { now })

const refusal = (rule: Admission.Admission, call: Admission.AdmissionRequest) => {
  const answer = admit(rule, call)
  assert.isTrue(answer instanceof RpcError.RpcError)
  const { code, desc, reason } = answer as RpcError.RpcError
  return [code, desc, { ...reason }]
}

describe("concurrency", () => {
  it("admits so many at a time, and refuses with Kitex's text", () => {
    const rule = Limiter.concurrency(2)
    const first = admit(rule, request())
    assert.isTrue(admits(rule, request()))
    assert.deepStrictEqual(refusal(rule, request()), [
      8,
      "request over limit: to many connections",
      { ...new RpcError.Rejected({ limit: "concurrency", retryAfterMillis: 100 }) }
    ])
    if (typeof first === "function") first()
    assert.isTrue(admits(rule, request()))
    assert.isFalse(admits(rule, request()))
  })

  it("has no limit at zero or less, as in Kitex, and counts all the same", () =>
    Effect.gen(function* () {
      const max = yield* SubscriptionRef.make(0)
      const rule = Limiter.concurrency(max)
      for (let calls = 0; calls < 100; calls++) assert.isTrue(admits(rule, request()))
      yield* SubscriptionRef.set(max, 101)
      assert.isTrue(admits(rule, request()))
      assert.isFalse(admits(rule, request()))
      yield* SubscriptionRef.set(max, -1)
      assert.isTrue(admits(rule, request()))
    }).pipe(Effect.runPromise))

  it("does not take a limit that is no number", () => {
    assert.throws(() => Limiter.concurrency(Number.NaN), /^a limit has a bad value: /)
  })

  it("gives the hint that it was told to, or none", () => {
    const hintOf = (retryAfterMillis: number) => {
      const rule = Limiter.concurrency(1, { retryAfterMillis })
      assert.isTrue(admits(rule, request()))
      return refusal(rule, request())[2]
    }
    assert.deepStrictEqual(hintOf(250), {
      ...new RpcError.Rejected({ limit: "concurrency", retryAfterMillis: 250 })
    })
    assert.deepStrictEqual(hintOf(0), { ...new RpcError.Rejected({ limit: "concurrency" }) })
  })

  it("counts by method, by host, by caller, by a key of the request", () => {
    const rules: ReadonlyArray<[Limiter.CallKey, (name: string) => Admission.AdmissionRequest]> = [
      ["method", (name) => request({ path: `/Service/${name}` })],
      ["peer", (name) => peer(`${name}:${Math.ceil(Math.random() * 60_000)}`)],
      ["caller", (name) => caller(name)],
      [({ metadata: _, info }) => info.logId, (name) => request({ logId: name })]
    ]
    for (const [per, call] of rules) {
      const rule = Limiter.concurrency(1, { per })
      const a = admit(rule, call("a"))
      assert.isFalse(admits(rule, call("a")))
      assert.isTrue(admits(rule, call("b")))
      if (typeof a === "function") a()
      assert.isTrue(admits(rule, call("a")))
      assert.isFalse(admits(rule, call("b")))
    }
  })

  it("knows a host by its name, whatever form its address has", () => {
    const rule = Limiter.concurrency(1, { per: "peer" })
    for (const address of ["10.0.0.1:1", "[::1]:1", "[::2]:1", "unix:/run/a", "memory"]) {
      assert.isTrue(admits(rule, peer(address)), address)
    }
    for (const address of ["10.0.0.1:2", "[::1]:2", "[::2]:9", "unix:/run/b", "memory"]) {
      assert.isFalse(admits(rule, peer(address)), address)
    }
  })

  it("does not limit a call without a key", () => {
    const rule = Limiter.concurrency(1, { per: () => undefined })
    for (let calls = 0; calls < 10; calls++) assert.isTrue(admits(rule, request()))
  })

  it("agrees with a plain count, whatever begins and ends", () => {
    for (let seed = 0; seed < 100; seed++) {
      const random = seeded(seed)
      const max = 1 + Math.floor(random() * 5)
      const rule = Limiter.concurrency(max, { per: "caller" })
      const running: Array<{ readonly key: string; readonly end: () => void }> = []
      for (let step = 0; step < 200; step++) {
        if (random() < 0.55) {
          const key = `caller ${Math.floor(random() * 4)}`
          const expected = running.filter((call) => call.key === key).length < max
          const answer = admit(rule, caller(key, step))
          assert.strictEqual(typeof answer === "function", expected, `seed ${seed}, step ${step}`)
          if (typeof answer === "function") running.push({ key, end: () => answer() })
        } else if (running.length > 0) {
          running.splice(Math.floor(random() * running.length), 1)[0]!.end()
        }
      }
    }
  })
})

describe("keys that strangers choose", () => {
  it("are so many at most; those that find no room share one account, and nobody gets more than the limit", () => {
    const rule = Limiter.qps(10, { per: "caller", maxKeys: 3 })
    for (const name of ["a", "b", "c"]) assert.isTrue(admits(rule, caller(name)))
    // One token for all of them together.
    assert.isTrue(admits(rule, caller("d")))
    for (let strangers = 0; strangers < 1000; strangers++) assert.isFalse(admits(rule, caller(`s${strangers}`)))
    for (const name of ["a", "b", "c"]) assert.isFalse(admits(rule, caller(name)))
  })

  it("are forgotten when they are idle, and not before", () => {
    let made = 0
    const accounts = new Accounts(1000, (now) => {
      made++
      return { idle: (at: number) => at - now >= 1000 }
    })
    for (let key = 0; key < 100; key++) accounts.of(`${key}`, 0)
    for (let key = 0; key < 100; key++) accounts.of(`${key}`, 999)
    assert.deepStrictEqual([accounts.size, made], [100, 100])
    // The others go while new ones come, a few at a time.
    for (let key = 100; key < 200; key++) accounts.of(`${key}`, 1000)
    assert.strictEqual(accounts.size, 100)
    assert.strictEqual(made, 200)
  })

  it("do not bring a caller its tokens back", () => {
    const rule = Limiter.qps(10, { per: "caller", maxKeys: 10 })
    assert.isTrue(admits(rule, caller("greedy")))
    for (let strangers = 0; strangers < 10_000; strangers++) admits(rule, caller(`s${strangers}`))
    assert.isFalse(admits(rule, caller("greedy")))
  })

  it("do not bring a caller its token back where there is less than one a second", () => {
    const rule = Limiter.qps(0.5, { per: "caller", maxKeys: 10 })
    assert.isTrue(admits(rule, caller("greedy")))
    for (let strangers = 0; strangers < 100; strangers++) admits(rule, caller(`s${strangers}`))
    assert.isFalse(admits(rule, caller("greedy")))
  })

  it("are not kept where they are very long: those share one account", () => {
    const accounts = new Accounts(1000, () => ({ idle: () => false }))
    const shared = accounts.of("a".repeat(1025), 0)
    assert.strictEqual(accounts.of("b".repeat(50_000), 0), shared)
    assert.notStrictEqual(accounts.of("a".repeat(1024), 0), shared)
    assert.strictEqual(accounts.size, 1)
  })

  it("need a number that bounds them", () => {
    assert.throws(() => Limiter.qps(10, { per: "caller", maxKeys: Number.NaN }), "maxKeys of a limit is NaN")
    assert.throws(() => Limiter.concurrency(10, { per: "peer", maxKeys: -1 }), "give a number from 0 on")
  })
})

describe("qps", () => {
  it("refuses with Kitex's text and the time until the next token", () => {
    const rule = Limiter.qps(20)
    assert.isTrue(admits(rule, request({}, { now: 1000 })))
    assert.isTrue(admits(rule, request({}, { now: 1000 })))
    const refused = (retryAfterMillis: number) => [
      8,
      "request over limit: request too frequent",
      { ...new RpcError.Rejected({ limit: "qps", retryAfterMillis }) }
    ]
    assert.deepStrictEqual(refusal(rule, request({}, { now: 1000 })), refused(100))
    assert.deepStrictEqual(refusal(rule, request({}, { now: 1060 })), refused(40))
    assert.isTrue(admits(rule, request({}, { now: 1100 })))
    assert.isTrue(admits(rule, request({}, { now: 1100 })))
    assert.deepStrictEqual(refusal(rule, request({}, { now: 1199.5 })), refused(1))
  })

  it("is one value for the same hint: a server over its limit makes nothing", () => {
    const rule = Limiter.qps(10)
    assert.isTrue(admits(rule, request()))
    assert.strictEqual(rule.admit(request({}, { now: 3 })), rule.admit(request({}, { now: 3 })))
    assert.notStrictEqual(rule.admit(request({}, { now: 3 })), rule.admit(request({}, { now: 4 })))
  })

  it("follows its policy", () =>
    Effect.gen(function* () {
      const max = yield* SubscriptionRef.make(10)
      const rule = Limiter.qps(max)
      assert.isTrue(admits(rule, request()))
      assert.isFalse(admits(rule, request()))
      yield* SubscriptionRef.set(max, 0)
      for (let calls = 0; calls < 100; calls++) assert.isTrue(admits(rule, request()))
      yield* SubscriptionRef.set(max, 30)
      // What was not there before comes with the next tick.
      assert.isFalse(admits(rule, request()))
      for (let calls = 0; calls < 3; calls++) assert.isTrue(admits(rule, request({}, { now: 100 })))
      assert.isFalse(admits(rule, request({}, { now: 100 })))
    }).pipe(Effect.runPromise))
})

describe("connections", () => {
  it("lets so many in, all or of each host, and those that are gone make room", () => {
    const accept = Limiter.connections(2)
    const first = accept({ address: "10.0.0.1:1" })
    assert.isDefined(accept({ address: "10.0.0.2:1" }))
    assert.isUndefined(accept({ address: "10.0.0.3:1" }))
    first!()
    assert.isDefined(accept({ address: "10.0.0.3:1" }))
    assert.isUndefined(accept({ address: "10.0.0.3:2" }))

    const each = Limiter.connections(1, { per: "peer" })
    assert.isDefined(each({ address: "10.0.0.1:1" }))
    assert.isUndefined(each({ address: "10.0.0.1:2" }))
    assert.isDefined(each({ address: "10.0.0.2:1" }))
  })
})

describe("keyForService", () => {
  class Query extends Thrift.Struct<Query>("limit.Query")({ tenant: Thrift.required(1, Thrift.String) }) {}
  class Reports extends Service.make("Reports", {
    methods: [
      Method.unary("Make", { request: Query, response: Query }),
      Method.pingPong("Count", { arguments: { tenant: Thrift.field(1, Thrift.String) }, response: Thrift.I32 }),
      Method.bidirectional("Talk", { request: Query, response: Query })
    ]
  }) {}
  const call = (method: string, tenant: unknown, service = "Reports") =>
    request({ service, method, request: tenant === undefined ? undefined : { tenant } })

  it("reads the keys of the requests of its methods", () => {
    const make = Limiter.concurrency(1, { per: Limiter.keyForService(Reports, { Make: ({ tenant }) => tenant }) })
    assert.isTrue(admits(make, call("Make", "a")))
    assert.isFalse(admits(make, call("Make", "a")))
    assert.isTrue(admits(make, call("Make", "b")))
    for (let calls = 0; calls < 3; calls++) {
      assert.isTrue(admits(make, call("Count", "a")))
      assert.isTrue(admits(make, call("Make", "a", "Others")))
    }
    const count = Limiter.concurrency(1, { per: Limiter.keyForService(Reports, { Count: ({ tenant }) => tenant }) })
    assert.isTrue(admits(count, call("Count", "a")))
    assert.isFalse(admits(count, call("Count", "a")))
  })

  it("says what is missing", () => {
    const rule = Limiter.concurrency(1, { per: Limiter.keyForService(Reports, { Make: ({ tenant }) => tenant }) })
    assert.throws(
      () => admits(rule, call("Make", undefined)),
      /no request of Reports\.Make is known: set requestInInfo/
    )
    assert.throws(() => Limiter.keyForService(Reports, { Mak: () => "" } as {}), /Reports has no method Mak/)
  })

  it("is not for methods that have no request when they begin", () => {
    // @ts-expect-error a stream of requests has no request
    Limiter.keyForService(Reports, { Talk: () => "" })
    // @ts-expect-error its request has no such member
    Limiter.keyForService(Reports, { Make: ({ nobody }) => nobody })
  })
})

describe("the config", () => {
  const read = Schema.decodeUnknownExit(Limiter.Config)

  it("is what a person writes; a bad value says where it is", () => {
    const limits = { concurrency: 10, qps: 2.5, connections: 0, messagesPerSecond: 100, bytesInFlight: 1024 }
    assert.deepStrictEqual(read(limits), Exit.succeed(limits))
    assert.deepStrictEqual(read({}), Exit.succeed({}))
    for (const bad of [{ concurrency: -1 }, { concurrency: 1.5 }, { qps: "10" }, { bytesInFlight: Number.NaN }]) {
      assert.include(String(read(bad)), Object.keys(bad)[0]!)
    }
  })

  it("changes limits while they are used", () =>
    Effect.gen(function* () {
      const limits = yield* SubscriptionRef.make<Limiter.Config>({ concurrency: 1 })
      const rule = Limiter.concurrency(Policy.map(limits, ({ concurrency = 0 }) => concurrency))
      assert.isTrue(admits(rule, request()))
      assert.isFalse(admits(rule, request()))
      yield* SubscriptionRef.set(limits, {})
      assert.isTrue(admits(rule, request()))
    }).pipe(Effect.runPromise))
})

describe("metrics", () => {
  it("count what was refused, by limit", () => {
    const counted = (limit: string) =>
      Effect.runSync(
        Effect.map(
          Metric.value(
            Metric.counter("kitex.limit.refusals", {
              description: "Calls, connections and messages that a limit refused",
              attributes: { unit: "1", limit },
              incremental: true
            })
          ),
          ({ count }) => count
        )
      )
    const before = ["concurrency", "qps", "connections"].map(counted)
    const concurrency = Limiter.concurrency(1)
    const qps = Limiter.qps(10)
    const connections = Limiter.connections(1)
    for (let calls = 0; calls < 5; calls++) {
      admits(concurrency, request())
      if (calls < 4) admits(qps, request())
      if (calls < 3) connections({ address: "a:1" })
    }
    const after = ["concurrency", "qps", "connections"].map(counted)
    assert.deepStrictEqual(
      after.map((count, at) => count - before[at]!),
      [4, 3, 2]
    )
  })
})
