import { assert, describe, it } from "@effect/vitest"
import { LoadBalancer } from "@millrace/governance"
import { build, chiSquare, chiSquareLimit, countOf, nodesOf, picks } from "../support/balancing.ts"
import { seeded } from "../support/random.ts"

/** Evenly spread numbers in place of random ones: counts are then what one expects, but for the edges. */
const even = (count: number): (() => number) => {
  let next = 0
  return () => (next++ + 0.5) / count
}

const weighted = [LoadBalancer.weightedRandom, LoadBalancer.alias]

const weightsOf: Readonly<Record<string, ReadonlyArray<number>>> = {
  "Kitex's example": [10, 20, 50],
  "all equal": Array.from({ length: 9 }, () => 10),
  "far apart": [1, 1000, 3, 20],
  fractions: [0.5, 0.25, 7.25],
  "a thousand": Array.from({ length: 1000 }, (_, index) => 1 + (index % 13))
}

const sum = (weights: ReadonlyArray<number>): number => weights.reduce((sum, weight) => sum + weight, 0)

describe("random", () => {
  it("gives all the same, whatever their weight", () => {
    const picker = build(LoadBalancer.random, nodesOf([1, 100, 7, 50]), { random: seeded(1) })
    const statistic = chiSquare(countOf(picks(picker, 40_000)), [1, 1, 1, 1], 40_000)
    assert.isBelow(statistic, chiSquareLimit(4))
  })
})

for (const balancer of weighted) {
  describe(balancer.name, () => {
    for (const [name, weights] of Object.entries(weightsOf)) {
      it(`gives shares by weight: ${name}`, () => {
        const count = 100_000
        const spread = build(balancer, nodesOf(weights), { random: even(count) })
        const counts = countOf(picks(spread, count))
        // Each column of the table has two edges, and each instance may own parts of many.
        weights.forEach((weight, index) => {
          const expected = (count * weight) / sum(weights)
          assert.isBelow(Math.abs((counts.get(`i${index}`) ?? 0) - expected), 3 + weights.length / 50, `i${index}`)
        })
        const random = build(balancer, nodesOf(weights), { random: seeded(7) })
        const statistic = chiSquare(countOf(picks(random, count)), weights, count)
        assert.isBelow(statistic, chiSquareLimit(weights.length))
      })
    }
  })
}

describe("warmUp", () => {
  const weights = [10, 20, 10, 40, 5]
  const since = [-100_000, 0, 10_000, 20_000, 20_000]
  const balancer = LoadBalancer.warmUp({ duration: "20 seconds", start: 0.25 })
  const nodes = nodesOf(weights, balancer, (index) => since[index]!)

  /** The weight at a time, by its definition. */
  const weightAt = (index: number, now: number): number =>
    weights[index]! * (0.25 + 0.75 * Math.min(1, Math.max(0, (now - since[index]!) / 20_000)))

  it("raises weights in a straight line from when the address came into the list", () => {
    for (const now of [20_000, 21_000, 25_000, 29_999, 30_000, 33_333, 39_999, 40_000, 1_000_000]) {
      const random = seeded(now)
      const count = 100_000
      const counts = countOf(picks(build(balancer, nodes, { random }), count, { now }))
      const effective = weights.map((_, index) => weightAt(index, now))
      assert.isBelow(chiSquare(counts, effective, count), chiSquareLimit(5), String(now))
      effective.forEach((weight, index) => {
        assert.closeTo((counts.get(`i${index}`) ?? 0) / count, weight / sum(effective), 0.006, `i${index} at ${now}`)
      })
    }
  })

  it("ends soon whatever the random number", () => {
    const slow = LoadBalancer.warmUp({ start: 0.01 })
    const mixed = nodesOf([1, 1e9], slow, (index) => index * 100_000)
    for (const random of [() => 0, () => 0.5, () => 1 - 2 ** -53]) {
      assert.strictEqual(picks(build(slow, mixed, { random }), 10, { now: 100_000 }).length, 10)
    }
  })

  it("keeps to it as one picker goes through time", () => {
    const random = seeded(5)
    const picker = build(balancer, nodes, { random })
    for (let now = 20_000; now <= 42_000; now += 2000) {
      const counts = countOf(picks(picker, 20_000, { now }))
      const effective = weights.map((_, index) => weightAt(index, now))
      assert.isBelow(chiSquare(counts, effective, 20_000), chiSquareLimit(5), String(now))
    }
  })

  it("gives all their shares where all are new, at once", () => {
    const random = seeded(8)
    let drawn = 0
    const counting = () => {
      drawn++
      return random()
    }
    const fresh = nodesOf(weights, balancer, () => 50_000)
    const counts = countOf(picks(build(balancer, fresh, { random: counting }), 20_000, { now: 50_000 }))
    assert.isBelow(chiSquare(counts, weights, 20_000), chiSquareLimit(5))
    assert.isAtMost(drawn, 2 * 20_000)
  })

  it("takes those for warm that came before the clock was set back", () => {
    const counts = countOf(picks(build(balancer, nodes, { random: seeded(6) }), 20_000, { now: 5000 }))
    const expected = weights.map((weight, index) => (since[index]! > 5000 ? weight : weightAt(index, 5000)))
    assert.deepStrictEqual(expected, [10, 20 * 0.4375, 10, 40, 5])
    assert.isBelow(chiSquare(counts, expected, 20_000), chiSquareLimit(5))
  })

  it("has the whole weight at once without a duration", () => {
    const at = LoadBalancer.warmUp({ duration: 0 })
    const counts = countOf(picks(build(at, nodes, { random: even(8500) }), 8500, { now: 20_000 }))
    assert.strictEqual(counts.get("i4"), 500)
  })

  it("does not take a start that is no part", () => {
    for (const start of [0, -1, 0.009, 1.5, NaN])
      assert.throws(() => LoadBalancer.warmUp({ start }), /start of warmUp is/)
  })
})
