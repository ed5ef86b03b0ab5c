import { assert, describe, it } from "@effect/vitest"
import { LoadBalancer } from "@millrace/governance"
import { Schema } from "effect"
import { SmoothOrder } from "../../src/internal/balancer/smoothOrder.ts"
import { build, countOf, nodesOf, picks, placing } from "../support/balancing.ts"
import { seeded } from "../support/random.ts"

const all: ReadonlyArray<LoadBalancer.LoadBalancer> = [
  LoadBalancer.weightedRoundRobin,
  LoadBalancer.interleaved,
  LoadBalancer.random,
  LoadBalancer.weightedRandom,
  LoadBalancer.alias,
  LoadBalancer.warmUp(),
  LoadBalancer.consistentHash({ keyOf: () => "key" }),
  LoadBalancer.leastActive,
  LoadBalancer.peakEwma()
]

/** Smooth weighted round robin as nginx and Kitex compute it: a pass over all for each pick. */
const smooth = (weights: ReadonlyArray<number>, count: number): ReadonlyArray<number> => {
  const sum = weights.reduce((sum, weight) => sum + weight, 0)
  const current = weights.map(() => 0)
  return Array.from({ length: count }, () => {
    let best = 0
    for (let i = 0; i < weights.length; i++) {
      current[i]! += weights[i]!
      if (current[i]! > current[best]!) best = i
    }
    current[best]! -= sum
    return best
  })
}

const divisorOf = (weights: ReadonlyArray<number>): number => {
  let divisor = Math.min(...weights)
  while (weights.some((weight) => weight % divisor !== 0)) divisor--
  return divisor
}

/** Kitex's two queues. */
const interleaved = (weights: ReadonlyArray<number>, count: number): ReadonlyArray<number> => {
  const divisor = divisorOf(weights)
  let current = weights.map((weight, index) => ({ index, left: weight }))
  let later: typeof current = []
  return Array.from({ length: count }, () => {
    if (current.length === 0) [current, later] = [later, current]
    const item = current.shift()!
    item.left -= divisor
    if (item.left > 0) current.push(item)
    else later.push({ index: item.index, left: weights[item.index]! })
    return item.index
  })
}

const named = (indices: ReadonlyArray<number>): ReadonlyArray<string> => indices.map((index) => `i${index}`)

const someWeights = (random: () => number, most: number): ReadonlyArray<number> =>
  Array.from({ length: 1 + Math.floor(random() * 40) }, () => 1 + Math.floor(random() * most))

const sum = (weights: ReadonlyArray<number>): number => weights.reduce((sum, weight) => sum + weight, 0)

describe("all balancers", () => {
  for (const balancer of all) {
    it(`${balancer.name}: nobody is picked where nobody has a weight`, () => {
      assert.strictEqual(build(balancer, []).pick(placing()), undefined)
      assert.strictEqual(build(balancer, nodesOf([0, -10, NaN, Infinity])).pick(placing()), undefined)
    })

    it(`${balancer.name}: those without a weight are left out, and the only one with one gets all`, () => {
      const picker = build(balancer, nodesOf([0, 10, -1]), { random: seeded(1) })
      assert.deepStrictEqual([...new Set(picks(picker, 100))], ["i1"])
    })

    it(`${balancer.name}: one of a thousand is picked whatever the random number`, () => {
      const weights = Array.from({ length: 1000 }, (_, index) => 1 + (index % 7))
      const nodes = nodesOf(weights)
      for (const random of [() => 0, () => 1 - 2 ** -53, seeded(2)]) {
        const picker = build(balancer, nodes, { random })
        for (const address of picks(picker, 200)) assert.match(address, /^i\d+$/)
      }
    })
  }

  it("are there by their names, and by no others", () => {
    for (const { name } of all)
      assert.strictEqual(LoadBalancer.named(Schema.decodeUnknownSync(LoadBalancer.Name)(name)).name, name)
    assert.throws(() => Schema.decodeUnknownSync(LoadBalancer.Name)("round_robin"), /Expected "weight_round_robin" \|/)
  })

  it("are named as Kitex names them", () => {
    assert.deepStrictEqual(
      all.map(({ name }) => name),
      [
        "weight_round_robin",
        "interleaved_weighted_round_robin",
        "random",
        "weight_random",
        "weight_random_with_alias_method",
        "weight_random_with_warm_up",
        "consist",
        "least_active",
        "peak_ewma"
      ]
    )
  })
})

describe("weightedRoundRobin", () => {
  it("picks in the order of nginx's and Kitex's example", () => {
    const picker = build(LoadBalancer.weightedRoundRobin, nodesOf([5, 1, 1]))
    assert.deepStrictEqual(picks(picker, 7), ["i0", "i0", "i1", "i0", "i2", "i0", "i0"])
  })

  it("gives exact shares, in rounds of the sum over the common divisor", () => {
    const picker = build(LoadBalancer.weightedRoundRobin, nodesOf([10, 20, 30]))
    const round = picks(picker, 6)
    assert.deepStrictEqual([...countOf(round)].sort(), [
      ["i0", 1],
      ["i1", 2],
      ["i2", 3]
    ])
    for (let i = 0; i < 50; i++) assert.deepStrictEqual(picks(picker, 6), round)
  })

  it("is the literal algorithm, for two rounds of any weights", () => {
    const random = seeded(3)
    for (let run = 0; run < 100; run++) {
      const weights = someWeights(random, run % 3 === 0 ? 4 : 60)
      const count = 2 * sum(weights)
      assert.deepStrictEqual(
        picks(build(LoadBalancer.weightedRoundRobin, nodesOf(weights)), count),
        named(smooth(weights, count)),
        weights.join()
      )
    }
  })

  it("begins at a random place, and is the literal algorithm from there on", () => {
    const weights = [3, 1, 4, 1, 5]
    const picker = build(LoadBalancer.weightedRoundRobin, nodesOf(weights), { random: () => 0.5 })
    const order = [2, 3, 4, 0, 1]
    const expected = smooth(
      order.map((index) => weights[index]!),
      28
    ).map((at) => order[at]!)
    assert.deepStrictEqual(picks(picker, 28), named(expected))
  })

  it("takes turns from a random place on where all weights are equal", () => {
    const picker = build(LoadBalancer.weightedRoundRobin, nodesOf([10, 10, 10, 10]), { random: () => 0.6 })
    assert.deepStrictEqual(picks(picker, 9), ["i2", "i3", "i0", "i1", "i2", "i3", "i0", "i1", "i2"])
  })

  it("stays the literal algorithm where a round is too long to be kept", () => {
    const weights = [70_001, 1_000_003, 350_000]
    const nodes = nodesOf(weights)
    const count = 20_000
    assert.deepStrictEqual(picks(build(LoadBalancer.weightedRoundRobin, nodes), count), named(smooth(weights, count)))
  })

  it("takes weights that are no whole numbers, or too large, in parts of the heaviest", () => {
    const shares = (weights: ReadonlyArray<number>, count: number) => [
      ...countOf(picks(build(LoadBalancer.weightedRoundRobin, nodesOf(weights)), count)).values()
    ]
    assert.deepStrictEqual(shares([0.5, 1.5], 4), [3, 1])
    assert.deepStrictEqual(shares([1e300, 2e300], 3000), [2000, 1000])
    assert.deepStrictEqual(shares([1e300, 1], 841), [840, 1])
  })
})

describe("SmoothOrder", () => {
  it("ends a round as it began it, also for a thousand different weights", () => {
    const weights = Array.from({ length: 1000 }, (_, index) => ((index * 7919) % 997) + 1)
    const order = new SmoothOrder(weights)
    const count = 3000
    assert.deepStrictEqual(
      Array.from({ length: count }, () => order.next()),
      smooth(weights, count)
    )
    for (let left = order.round - count; left > 0; left--) order.next()
    assert.deepStrictEqual(
      Array.from({ length: count }, () => order.next()),
      smooth(weights, count)
    )
  })
})

describe("interleaved", () => {
  it("is the literal algorithm, for rounds of any weights", () => {
    const random = seeded(4)
    for (let run = 0; run < 200; run++) {
      const weights = someWeights(random, 30)
      const count = 2 * sum(weights)
      assert.deepStrictEqual(
        picks(build(LoadBalancer.interleaved, nodesOf(weights)), count),
        named(interleaved(weights, count)),
        weights.join()
      )
    }
  })

  it("gives the end of a round to the heaviest", () => {
    const picker = build(LoadBalancer.interleaved, nodesOf([10, 20, 50]))
    assert.deepStrictEqual(picks(picker, 8), ["i0", "i1", "i2", "i1", "i2", "i2", "i2", "i2"])
  })
})
