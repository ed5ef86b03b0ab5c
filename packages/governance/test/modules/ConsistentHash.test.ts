import { assert, describe, it } from "@effect/vitest"
import { Thrift } from "@millrace/codec"
import { HashKey, Instance, LoadBalancer } from "@millrace/governance"
import { Method, RpcError, Service } from "@millrace/rpc"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { hashText, mix } from "../../src/internal/balancer/hash.ts"
import { HashRing, pointsOf } from "../../src/internal/balancer/hashRing.ts"
import { InstanceNode } from "../../src/internal/discovery/instanceNode.ts"
import { build, nodesOf, placing } from "../support/balancing.ts"
import { seeded } from "../support/random.ts"

class Login extends Thrift.Struct<Login>("auth.Login")({ user: Thrift.required(1, Thrift.String) }) {}
class Sessions extends Service.make("Sessions", {
  methods: [
    Method.unary("Begin", { request: Login, response: Login }),
    Method.bidirectional("Follow", { request: Login, response: Login }),
    Method.pingPong("Drop", {
      arguments: { user: Thrift.field(1, Thrift.String), all: Thrift.field(2, Thrift.Bool) }
    })
  ]
}) {}

const keys = Array.from({ length: 3000 }, (_, index) => `user-${index * 7}`)

const addressOf = (picker: LoadBalancer.Picker, key: string, tried: ReadonlyArray<string> = []): string => {
  const picked = picker.pick(placing({ key, tried }))
  if (picked === undefined || picked instanceof RpcError.RpcError) throw new Error("nothing was picked")
  return picked.address
}

const mapping = (picker: LoadBalancer.Picker): ReadonlyArray<string> => keys.map((key) => addressOf(picker, key))

const moved = (before: ReadonlyArray<string>, after: ReadonlyArray<string>): number =>
  before.filter((address, index) => address !== after[index]).length / before.length

const balancer = LoadBalancer.consistentHash()

const someWeights = (random: () => number): ReadonlyArray<number> =>
  Array.from({ length: 2 + Math.floor(random() * 30) }, () => 1 + Math.floor(random() * 20))

describe("consistentHash", () => {
  it("moves only the keys of an instance that leaves, and as many to one that comes", () => {
    const random = seeded(1)
    for (let run = 0; run < 15; run++) {
      const weights = someWeights(random)
      const nodes = nodesOf(weights)
      const before = mapping(build(balancer, nodes))
      const gone = Math.floor(random() * weights.length)
      const left = nodes.filter((_, index) => index !== gone)
      const after = mapping(build(balancer, left))
      const strays = before.filter((address, index) => address !== `i${gone}` && after[index] !== address)
      assert.deepStrictEqual(strays, [])
      const share = weights[gone]! / weights.reduce((sum, weight) => sum + weight, 0)
      assert.isAtMost(moved(before, after), share + 0.05, weights.join())
    }
  })

  it("moves at most one nth and five of a hundred of the keys of n alike", () => {
    for (const n of [2, 3, 5, 10, 50, 300]) {
      const nodes = nodesOf(Array.from({ length: n }, () => 10))
      const before = mapping(build(balancer, nodes))
      assert.isAtMost(moved(before, mapping(build(balancer, nodes.slice(1)))), 1 / n + 0.05, String(n))
    }
  })

  it("gives keys by weight", () => {
    const weights = [10, 20, 30, 40]
    const counts = weights.map(
      (_, index) => mapping(build(balancer, nodesOf(weights))).filter((it) => it === `i${index}`).length
    )
    counts.forEach((count, index) => assert.closeTo(count / keys.length, weights[index]! / 100, 0.03))
  })

  it("gives all alike where weights do not count", () => {
    const alike = LoadBalancer.consistentHash({ weighted: false, virtualFactor: 1000 })
    const addresses = mapping(build(alike, nodesOf([1, 20, 300, 4])))
    for (let index = 0; index < 4; index++) {
      assert.closeTo(addresses.filter((address) => address === `i${index}`).length / keys.length, 0.25, 0.03)
    }
  })

  it("maps a thousand within a few of a hundred of their shares", () => {
    const count = 100_000
    const ring = build(balancer, nodesOf(Array.from({ length: 1000 }, () => 10)))
    const counts = new Map<string, number>()
    for (let i = 0; i < count; i++) {
      const address = addressOf(ring, `k${i}`)
      counts.set(address, (counts.get(address) ?? 0) + 1)
    }
    assert.strictEqual(counts.size, 1000)
    const deviation = Math.sqrt([...counts.values()].reduce((sum, each) => sum + (each - 100) ** 2, 0) / 1000)
    // 262 points each: one in the root of that, and what 100 keys vary by themselves.
    assert.isBelow(deviation / 100, 0.15)
  })

  it("depends on addresses and weights alone: not on the order of the list, nor on the numbers of a client", () => {
    const nodes = nodesOf([10, 20, 30, 5])
    const before = mapping(build(balancer, nodes, { random: seeded(1) }))
    assert.deepStrictEqual(mapping(build(balancer, nodes.toReversed(), { random: seeded(2) })), before)
  })

  it("does not change where nothing changes, and its ring is not made again", () => {
    const nodes = nodesOf(Array.from({ length: 1000 }, () => 10))
    const first = build(balancer, nodes)
    const ring = (picker: LoadBalancer.Picker) =>
      (picker as unknown as { readonly keyed: { readonly ring: unknown } }).keyed.ring
    const second = build(balancer, nodes.toReversed(), { previous: first })
    assert.strictEqual(ring(second), ring(first))
    assert.deepStrictEqual(mapping(second), mapping(first))
    const other = nodes.with(3, new InstanceNode(Instance.make("i3", { weight: 11 }), 0))
    assert.notStrictEqual(ring(build(balancer, other, { previous: second })), ring(second))
  })

  it("picks the nodes of the new list, where the ring is that of the old", () => {
    const first = build(balancer, nodesOf([10, 10]))
    const nodes = nodesOf([10, 10])
    const picked = build(balancer, nodes, { previous: first }).pick(placing({ key: "a" }))
    assert.isTrue(nodes.includes(picked as InstanceNode))
  })

  it("maps alike in another process", () => {
    const program = `
      import { hashText } from ${JSON.stringify(new URL("../../src/internal/balancer/hash.ts", import.meta.url).href)}
      import { HashRing } from ${JSON.stringify(new URL("../../src/internal/balancer/hashRing.ts", import.meta.url).href)}
      const ring = new HashRing(["a:1", "b:1", "c:1"], [1000, 1000, 1000])
      console.log(Array.from({ length: 200 }, (_, i) => ring.ownerAt(ring.find(hashText("user-" + i)))).join(""))`
    const there = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
      cwd: fileURLToPath(new URL("../..", import.meta.url)),
      encoding: "utf8"
    })
    const ring = new HashRing(["a:1", "b:1", "c:1"], [1000, 1000, 1000])
    const here = Array.from({ length: 200 }, (_, i) => ring.ownerAt(ring.find(hashText(`user-${i}`)))).join("")
    assert.strictEqual(there.trim(), here)
    // And in another release: keys that services rely on do not move.
    assert.strictEqual(here.slice(0, 30), "200211011000120102001112010202")
  })

  it("sends the keys of an instance that was tried where they go without it", () => {
    const nodes = nodesOf([10, 10, 10, 10, 10])
    const whole = build(balancer, nodes)
    for (const key of keys.slice(0, 40)) {
      const first = addressOf(whole, key)
      const second = addressOf(whole, key, [first])
      const without = nodes.filter(({ address }) => address !== first)
      assert.strictEqual(second, addressOf(build(balancer, without), key))
      const third = addressOf(whole, key, [first, second])
      assert.strictEqual(
        third,
        addressOf(
          build(
            balancer,
            without.filter(({ address }) => address !== second)
          ),
          key
        )
      )
    }
  })

  it("ends where all were tried", () => {
    assert.match(addressOf(build(balancer, nodesOf([10, 10])), "a", ["i0", "i1", "gone"]), /^i[01]$/)
  })

  it("takes the key of the request, then that of the fiber", () => {
    const byUser = LoadBalancer.consistentHash({
      keyOf: (request: { readonly user: string } | undefined) => request?.user
    })
    const picker = build(byUser, nodesOf([10, 10, 10, 10]))
    for (const user of ["a", "b", "c", "d", "e"]) {
      const expected = addressOf(build(balancer, nodesOf([10, 10, 10, 10])), user)
      assert.strictEqual((picker.pick(placing({ request: { user }, key: "other" })) as InstanceNode).address, expected)
      assert.strictEqual((picker.pick(placing({ key: user })) as InstanceNode).address, expected)
    }
  })

  for (const [name, refusing] of [
    ["no key", balancer],
    ["an empty key of the request", LoadBalancer.consistentHash({ keyOf: () => "" })]
  ] as const) {
    it(`refuses a call with ${name}, and says what to do`, () => {
      const refused = build(refusing, nodesOf([10, 10])).pick(placing())
      assert.isTrue(refused instanceof RpcError.RpcError)
      const { code, message, reason } = refused as RpcError.RpcError
      assert.strictEqual(code, 13)
      assert.isTrue(reason._tag === "NoInstance" && reason.why === "noHashKey" && reason.service === "echo")
      assert.include(message, "no more instances to retry: the call of echo has no key to hash")
      assert.include(message, "HashKey.within")
    })
  }

  it("does not take a factor of zero", () => {
    for (const virtualFactor of [0, -1, NaN, Infinity]) {
      assert.throws(() => LoadBalancer.consistentHash({ virtualFactor }), /virtualFactor of consistentHash is/)
    }
  })

  it("bounds the points of absurd weights, and gives everybody one", () => {
    const counts = pointsOf([1e300, 1, 1e300])
    assert.deepStrictEqual(counts, [2 ** 17, 1, 2 ** 17])
    assert.deepStrictEqual(pointsOf([0.2, 1000, 20]), [1, 1000, 20])
    const heavy = build(balancer, nodesOf([1e300, 1e-300]))
    assert.strictEqual(addressOf(heavy, "a"), "i0")
    // A hundred times that is infinite.
    assert.deepStrictEqual(pointsOf([Infinity, 1, Infinity]), [2 ** 17, 1, 2 ** 17])
    assert.strictEqual(addressOf(build(balancer, nodesOf([1e308, 1])), "a"), "i0")
  })
})

describe("HashRing", () => {
  it("finds the first point behind each hash, as a search in a sorted list does", () => {
    const addresses = ["a", "b", "c"]
    for (const counts of [
      [1, 0, 0],
      [1, 1, 1],
      [3, 700, 40],
      [2000, 1, 5000]
    ]) {
      const ring = new HashRing(addresses, counts)
      const points = addresses
        .flatMap((address, owner) =>
          Array.from({ length: counts[owner]! }, (_, index) => ({
            hash: mix((hashText(address) + Math.imul(index, hashText(address, 0x9e3779b9) | 1)) | 0),
            owner
          }))
        )
        .sort((a, b) => a.hash - b.hash)
      const hashes = [0, 2 ** 32 - 1, ...points.slice(0, 200).map(({ hash }) => hash)]
      for (let hash = 1; hash < 2 ** 32; hash += 2 ** 21 + 12_345) hashes.push(hash)
      for (const hash of hashes) {
        const expected = points.find((point) => point.hash > hash) ?? points[0]!
        assert.strictEqual(ring.ownerAt(ring.find(hash)), expected.owner)
      }
      let place = ring.find(2 ** 32 - 1)
      const walked = points.map(() => {
        const owner = ring.ownerAt(place)
        place = ring.following(place)
        return owner
      })
      assert.deepStrictEqual(
        walked,
        points.map(({ owner }) => owner)
      )
    }
  })
})

describe("hashText", () => {
  it("changes half of the bits with any character", () => {
    let changed = 0
    for (let i = 0; i < 2000; i++) {
      let bits = hashText(`key-${i}-a`) ^ hashText(`key-${i}-b`)
      for (; bits !== 0; bits &= bits - 1) changed++
    }
    assert.closeTo(changed / 2000, 16, 0.3)
  })
})

describe("HashKey", () => {
  it.effect("is empty, or that of the nearest within", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* HashKey.HashKey, "")
      const inner = Effect.gen(function* () {
        return yield* HashKey.HashKey
      }).pipe(HashKey.within("inner"), HashKey.within("outer"))
      assert.strictEqual(yield* inner, "inner")
    })
  )

  it("of a request is found by its method, and that of others is the fiber's", () => {
    const keyOf = HashKey.forService(Sessions, {
      Begin: ({ user }) => user,
      Drop: ({ user, all }) => (all ? undefined : user)
    })
    const picker = build(LoadBalancer.consistentHash({ keyOf }), nodesOf([10, 10, 10, 10]))
    const picked = (method: string, request: unknown, service = "Sessions") =>
      (picker.pick(placing({ info: { ...placing().info, service, method }, request, key: "fiber" })) as InstanceNode)
        .address
    const plain = build(balancer, nodesOf([10, 10, 10, 10]))
    for (const user of ["a", "b", "c", "d", "e"]) {
      assert.strictEqual(picked("Begin", new Login({ user })), addressOf(plain, user))
      assert.strictEqual(picked("Drop", { user, all: false }), addressOf(plain, user))
      assert.strictEqual(picked("Drop", { user, all: true }), addressOf(plain, "fiber"))
      assert.strictEqual(picked("Follow", undefined), addressOf(plain, "fiber"))
      assert.strictEqual(picked("Begin", new Login({ user }), "Other"), addressOf(plain, "fiber"))
    }
    // @ts-expect-error: its request is not there when the stream is created
    HashKey.forService(Sessions, { Follow: () => "key" })
  })
})
