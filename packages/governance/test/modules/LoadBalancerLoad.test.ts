import { assert, describe, it } from "@effect/vitest"
import { Instance, LoadBalancer } from "@millrace/governance"
import { BizStatusError, RpcError } from "@millrace/rpc"
import { InstanceNode } from "../../src/internal/discovery/instanceNode.ts"
import { build, chiSquare, chiSquareLimit, countOf, endOf, info, nodesOf, placing } from "../support/balancing.ts"
import { seeded } from "../support/random.ts"

/** Picks, and counts the call at its node, as discovery does. */
const begin = (picker: LoadBalancer.Picker, now = 0): InstanceNode => {
  const node = picker.pick(placing({ now })) as InstanceNode
  node.began(now)
  return node
}

const failure = (reason: RpcError.RpcError["reason"], code = 13): RpcError.RpcError =>
  new RpcError.RpcError({ code, desc: "", reason })

const stream = { ...info, mode: "bidirectional" } as const
const node = (latency?: LoadBalancer.LatencyOptions): InstanceNode => new InstanceNode(Instance.make("i0"), 0, latency)

describe("a node", () => {
  it("counts picks, and what is there until it ends, however it ends", () => {
    const one = node()
    for (let i = 0; i < 4; i++) one.began(0)
    assert.deepStrictEqual([one.picks, one.active], [4, 4])
    one.ended(endOf({}))
    one.ended(endOf({ reason: "interrupted", created: false }))
    one.ended(endOf({ reason: "error", error: failure(new RpcError.ConnectTimeout({ millis: 50 })), created: false }))
    one.ended(endOf({ reason: "error", error: undefined }))
    assert.deepStrictEqual([one.picks, one.active], [4, 0])
  })

  it("takes a slow answer at once, and fast ones as time passes", () => {
    const one = node({ halfLife: "10 seconds" })
    assert.strictEqual(one.latency(0), 0)
    one.ended(endOf({ millis: 10, now: 1000 }))
    assert.strictEqual(one.latency(1000), 10)
    one.ended(endOf({ millis: 400, now: 1001 }))
    assert.strictEqual(one.latency(1001), 400)
    // Half of the old and half of the new.
    one.ended(endOf({ millis: 20, now: 11_001 }))
    assert.closeTo(one.latency(11_001), 210, 1e-9)
    one.ended(endOf({ millis: 20, now: 31_001 }))
    assert.closeTo(one.latency(31_001), 210 / 4 + (20 * 3) / 4, 1e-9)
  })

  it("forgets while nothing is sent there, and begins to do so anew with each pick", () => {
    const one = node({ halfLife: 1000 })
    one.ended(endOf({ millis: 800, now: 0 }))
    assert.closeTo(one.latency(1000), 400, 1e-9)
    assert.closeTo(one.latency(3000), 100, 1e-9)
    one.began(3000)
    assert.closeTo(one.latency(3000), 800, 1e-9)
    assert.closeTo(one.latency(4000), 400, 1e-9)
    // The answer is weighed by the time since the last one.
    one.ended(endOf({ millis: 1, now: 4000 }))
    assert.closeTo(one.latency(4000), 800 / 16 + 15 / 16, 1e-9)
  })

  it("keeps the worst with a half-life that never ends", () => {
    const one = node({ halfLife: "Infinity" })
    assert.strictEqual(one.latency(0), 0)
    for (const millis of [10, 40, 1]) one.ended(endOf({ millis, now: 1000 * millis }))
    assert.strictEqual(one.latency(1e9), 40)
  })

  it("measures the first sign of an answer of a stream, not how long it lasts", () => {
    const one = node()
    one.answered(30, 0)
    one.ended(endOf({ info: stream, millis: 3_600_000, now: 1 }))
    assert.closeTo(one.latency(1), 30, 0.01)
  })

  it("knows a measured nothing from nothing measured", () => {
    const one = node()
    one.ended(endOf({ millis: 0 }))
    assert.isAbove(one.latency(0), 0)
  })

  it("takes a failure of the instance as an answer of a second, or of its own time where that is more", () => {
    const unavailable = failure(new RpcError.Unavailable({ neverSent: true }), 14)
    const fast = node()
    fast.ended(endOf({ reason: "error", error: unavailable, millis: 1 }))
    assert.strictEqual(fast.latency(0), 1000)
    const slow = node()
    slow.ended(endOf({ reason: "error", error: unavailable, millis: 3000 }))
    assert.strictEqual(slow.latency(0), 3000)
    const other = node({ failure: "10 seconds" })
    other.ended(endOf({ reason: "error", error: unavailable, millis: 1 }))
    assert.strictEqual(other.latency(0), 10_000)
    // Where the mean is higher still it goes towards that time.
    const slower = node({ halfLife: 1000 })
    slower.ended(endOf({ millis: 5000, now: 0 }))
    slower.ended(endOf({ reason: "error", error: unavailable, millis: 3000, now: 1000 }))
    assert.closeTo(slower.latency(1000), 4000, 1e-9)
    // How long a stream lasted before it broke is not what one waits for.
    const broken = node()
    broken.ended(endOf({ info: stream, reason: "error", error: unavailable, millis: 3_600_000 }))
    assert.strictEqual(broken.latency(0), 1000)
  })

  it("weighs one failure among many answers as one", () => {
    const one = node({ halfLife: 10_000 })
    for (let now = 0; now < 100_000; now += 10) {
      const error = now % 1000 === 500 ? failure(new RpcError.Unavailable({ neverSent: false }), 14) : undefined
      one.ended(endOf({ millis: 2, now, reason: error === undefined ? "eof" : "error", error }))
    }
    // One of a hundred costs a second: 2 and 1,000 / 100.
    assert.closeTo(one.latency(100_000), 12, 1)
  })

  it("counts a failure where the instance is to blame, and on no account a business error", () => {
    const thrift = { ...info, mode: "pingPong", protocol: "ttheader" } as const
    const status = new RpcError.Status()
    const punished = (error: RpcError.RpcError, of: typeof thrift | typeof info = info): boolean => {
      const one = node()
      one.ended(endOf({ info: of, reason: "error", error, millis: 1 }))
      return one.latency(0) === 1000
    }
    for (const [reason, code] of [
      [new RpcError.ConnectTimeout({ millis: 50 }), 14],
      [new RpcError.FirstMessageTimeout({ millis: 50 }), 4],
      [new RpcError.RecvTimeout({ millis: 50 }), 17],
      [new RpcError.RpcTimeout({ millis: 50 }), 4],
      [new RpcError.DeadlineExceeded(), 4],
      [new RpcError.Unavailable({ neverSent: false }), 14],
      [new RpcError.Rejected({ limit: "qps" }), 8],
      [new RpcError.ProtocolViolation(), 13],
      [new RpcError.CircuitOpen({ level: "instance", key: "i0" }), 13],
      [status, 2],
      [status, 13],
      [status, 12_001]
    ] as const) {
      assert.isTrue(punished(failure(reason, code)), `${reason._tag} ${code}`)
    }
    for (const [reason, code] of [
      [new RpcError.Cancelled({ by: "local" }), 1],
      [new RpcError.InvalidMetadata(), 13],
      [new RpcError.CodecError({ kind: "", path: "" }), 13],
      [new RpcError.Forbidden(), 7],
      [new RpcError.CircuitOpen({ level: "service", key: "a/b/c" }), 13],
      [status, 3],
      [status, 5],
      [status, 12]
    ] as const) {
      assert.isFalse(punished(failure(reason, code)), `${reason._tag} ${code}`)
    }
    assert.isTrue(punished(failure(status, 6), thrift))
    assert.isFalse(punished(failure(status, 1), thrift))
    const business = node()
    const refusal = new BizStatusError.BizStatusError({ statusCode: 404, statusMessage: "" })
    business.ended(endOf({ reason: "error", error: refusal, millis: 7 }))
    assert.strictEqual(business.latency(0), 7)
  })

  it("learns from a call that was interrupted only that it is slow", () => {
    const one = node({ halfLife: 1 })
    one.ended(endOf({ millis: 50, now: 0 }))
    one.began(100_000)
    one.ended(endOf({ reason: "interrupted", millis: 3, now: 100_000 }))
    assert.strictEqual(one.latency(100_000), 50)
    one.ended(endOf({ reason: "interrupted", millis: 90, now: 100_000 }))
    assert.strictEqual(one.latency(100_000), 90)
    const defect = node()
    defect.ended(endOf({ reason: "error", error: undefined, millis: 3 }))
    assert.strictEqual(defect.latency(0), 0)
  })
})

describe("leastActive", () => {
  const spread = (nodes: ReadonlyArray<InstanceNode>): number => {
    const active = nodes.map((node) => node.active)
    return Math.max(...active) - Math.min(...active)
  }

  it("keeps long streams within a few of each other, where random choices do not", () => {
    const run = (balancer: LoadBalancer.LoadBalancer): number => {
      const random = seeded(11)
      const nodes = nodesOf(Array.from({ length: 10 }, () => 10))
      const picker = build(balancer, nodes, { random })
      const open: Array<InstanceNode> = []
      let worst = 0
      for (let step = 0; step < 20_000; step++) {
        if (open.length < 500 || random() < 0.5) open.push(begin(picker))
        else {
          const at = Math.floor(random() * open.length)
          open[at]!.ended(endOf({ info: stream }))
          open[at] = open.at(-1)!
          open.pop()
        }
        worst = Math.max(worst, spread(nodes))
      }
      return worst
    }
    assert.isAtMost(run(LoadBalancer.leastActive), 16)
    assert.isAbove(run(LoadBalancer.random), 30)
  })

  it("gives the one of two that has fewer, always", () => {
    const random = seeded(12)
    const nodes = nodesOf([10, 10])
    const picker = build(LoadBalancer.leastActive, nodes, { random })
    for (let i = 0; i < 1000; i++) {
      begin(picker)
      assert.isAtMost(spread(nodes), 1)
    }
  })

  it("fills up an instance that has come", () => {
    const random = seeded(13)
    const nodes = nodesOf(Array.from({ length: 5 }, () => 10))
    for (const node of nodes.slice(1)) for (let i = 0; i < 100; i++) node.began(0)
    const picker = build(LoadBalancer.leastActive, nodes, { random })
    for (let i = 0; i < 500; i++) begin(picker)
    assert.isAtMost(spread(nodes), 4)
  })

  it("counts streams in proportion to weights, and picks by weight at rest", () => {
    const weights = [10, 20, 30, 40]
    const random = seeded(14)
    const nodes = nodesOf(weights)
    const picker = build(LoadBalancer.leastActive, nodes, { random })
    for (let i = 0; i < 1000; i++) begin(picker)
    nodes.forEach((node, index) => assert.closeTo(node.active, weights[index]! * 10, 12))
    const idle = nodesOf(weights)
    const resting = build(LoadBalancer.leastActive, idle, { random })
    const counts = countOf(
      Array.from({ length: 20_000 }, () => {
        const node = begin(resting)
        node.ended(endOf({}))
        return node.address
      })
    )
    assert.isBelow(chiSquare(counts, weights, 20_000), chiSquareLimit(4))
  })
})

describe("peakEwma", () => {
  it("does not take durations that are none", () => {
    for (const options of [{ halfLife: 0 }, { halfLife: Number.NaN }, { halfLife: -5 }, { failure: -1 }]) {
      assert.throws(() => LoadBalancer.peakEwma(options), "give durations, halfLife above zero")
    }
    LoadBalancer.peakEwma({ failure: 0, halfLife: "Infinity" })
  })

  interface Share {
    readonly picks: number
    readonly share: number
  }

  /** Calls arrive every other millisecond and take what their instance takes then; picks from `from` on. */
  const simulate = (
    millisOf: (index: number, now: number) => number | RpcError.RpcError,
    length: number,
    windows: ReadonlyArray<readonly [from: number, to: number]>,
    count = 5
  ): ReadonlyArray<ReadonlyArray<Share>> => {
    const balancer = LoadBalancer.peakEwma({ halfLife: "2 seconds" })
    const random = seeded(21)
    const nodes = nodesOf(
      Array.from({ length: count }, () => 10),
      balancer
    )
    const picker = build(balancer, nodes, { random })
    const ends = new Map<number, Array<() => void>>()
    const picked = windows.map(() => nodes.map(() => 0))
    for (let now = 0; now < length; now++) {
      for (const end of ends.get(now) ?? []) end()
      ends.delete(now)
      if (now % 2 !== 0) continue
      const node = begin(picker, now)
      const index = nodes.indexOf(node)
      windows.forEach(([from, to], at) => {
        if (now >= from && now < to) picked[at]![index]!++
      })
      const answer = millisOf(index, now)
      const millis = typeof answer === "number" ? answer : 1
      const end = () =>
        node.ended(
          endOf(
            typeof answer === "number"
              ? { millis, now: now + millis }
              : { millis, now: now + millis, reason: "error", error: answer }
          )
        )
      ends.set(now + millis, [...(ends.get(now + millis) ?? []), end])
    }
    return picked.map((counts) => {
      const total = counts.reduce((sum, each) => sum + each, 0)
      return counts.map((picks) => ({ picks, share: picks / total }))
    })
  }

  it("gives a slow instance little, and all of its share back when it is fast again", () => {
    const [slow, again] = simulate(
      (index, now) => (index === 0 && now < 20_000 ? 300 : 8 + ((now + index) % 5)),
      60_000,
      [
        [1000, 20_000],
        [45_000, 60_000]
      ]
    )
    assert.isBelow(slow![0]!.share, 0.02)
    // It is tried again from time to time, not never.
    assert.isAbove(slow![0]!.picks, 2)
    assert.isAbove(again![0]!.share, 0.1)
  })

  it("does not run to an instance that fails fast", () => {
    const refused = failure(new RpcError.Unavailable({ neverSent: false }), 14)
    const [failing] = simulate((index) => (index === 0 ? refused : 10), 20_000, [[1000, 20_000]])
    assert.isBelow(failing![0]!.share, 0.01)
  })

  it("does not flood an instance that it knows nothing of, nor one that was slow long ago", () => {
    const balancer = LoadBalancer.peakEwma({ halfLife: 1000 })
    for (const measured of [false, true]) {
      const nodes = nodesOf([10, 10, 10, 10], balancer)
      for (const node of nodes.slice(measured ? 0 : 1))
        node.ended(endOf({ millis: node === nodes[0] ? 5000 : 10, now: 0 }))
      for (const node of nodes) node.active = 0
      const now = 30_000
      for (const node of nodes.slice(1)) node.ended(endOf({ millis: 10, now }))
      for (const node of nodes) node.active = 0
      const picker = build(balancer, nodes, { random: seeded(22) })
      // None of these answers.
      for (let i = 0; i < 400; i++) begin(picker, now)
      assert.isAbove(nodes[0]!.active, 0)
      assert.isAtMost(nodes[0]!.active, 110, String(measured))
    }
  })

  it("counts streams in proportion to weights where all are as fast", () => {
    const weights = [10, 20, 30, 40]
    const nodes = nodesOf(weights)
    for (const node of nodes) {
      node.began(0)
      node.ended(endOf({ millis: 5 }))
    }
    const picker = build(LoadBalancer.peakEwma(), nodes, { random: seeded(24) })
    for (let i = 0; i < 1000; i++) begin(picker)
    nodes.forEach((node, index) => assert.closeTo(node.active, weights[index]! * 10, 12))
  })

  it("picks by weight where all are alike and at rest, within what two choices allow", () => {
    const balancer = LoadBalancer.peakEwma()
    const nodes = nodesOf([10, 20, 30, 40], balancer)
    const picker = build(balancer, nodes, { random: seeded(23) })
    const counts = countOf(
      Array.from({ length: 20_000 }, () => {
        const node = begin(picker)
        node.ended(endOf({ millis: 5 }))
        return node.address
      })
    )
    assert.isBelow(chiSquare(counts, [10, 20, 30, 40], 20_000), chiSquareLimit(4) + 40)
  })
})
