import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { Breaker, type Limits } from "../../src/internal/breaker/breaker.ts"
import { SteadyTime } from "../../src/internal/breaker/steadyTime.ts"
import { Window } from "../../src/internal/breaker/window.ts"

const defaults: Limits = { errRate: 0.5, minSample: 200, coolingMillis: 5000, detectMillis: 200, halfOpenSuccesses: 2 }

/** A breaker that writes down how it changes. */
const watched = () => {
  const log: Array<string> = []
  const breaker = new Breaker((from, to, { failures, successes, timeouts }) =>
    log.push(`${from} ${to} ${successes}/${failures}/${timeouts}`)
  )
  return { breaker, log }
}

/** Open since a time, after one failure. */
const opened = (now: number) => {
  const { breaker, log } = watched()
  breaker.failure(now, { ...defaults, minSample: 1 })
  return { breaker, log }
}

describe("the window", () => {
  const sums = ({ failures, samples, successes, timeouts }: Window) => [successes, failures, timeouts, samples]

  it("counts each kind, and the share of errors", () => {
    const window = new Window()
    assert.deepStrictEqual([sums(window), window.errorRate], [[0, 0, 0, 0], 0])
    window.failure(0)
    window.timeout(0)
    window.failure(0)
    window.timeout(0)
    assert.deepStrictEqual([sums(window), window.errorRate], [[0, 2, 2, 4], 1])
    window.success(0)
    assert.deepStrictEqual([sums(window), window.errorRate], [[1, 2, 2, 5], 0.8])
  })

  it("holds a sample for a hundred buckets, that of the sample included", () => {
    for (const [at, until] of [
      [0, 10_000],
      [99, 10_000],
      [100, 10_100],
      [1_700_000_000_050, 1_700_000_010_000]
    ] as const) {
      const window = new Window()
      window.success(at)
      window.advance(until - 1)
      assert.deepStrictEqual(sums(window), [1, 0, 0, 1], `${at}`)
      window.advance(until)
      assert.deepStrictEqual(sums(window), [0, 0, 0, 0], `${at}`)
    }
  })

  it("loses the oldest bucket alone, also after many turns", () => {
    const window = new Window()
    for (let now = 0; now < 50_000; now += 50) window.failure(now)
    // The buckets 400 to 499, with two each.
    assert.deepStrictEqual(sums(window), [0, 200, 0, 200])
    window.advance(50_000)
    assert.deepStrictEqual(sums(window), [0, 198, 0, 198])
    window.advance(54_999)
    assert.deepStrictEqual(sums(window), [0, 100, 0, 100])
  })

  it("has nothing after a long silence or a reset, and counts on", () => {
    const window = new Window()
    window.success(0)
    window.timeout(1_000_000_000_000)
    assert.deepStrictEqual(sums(window), [0, 0, 1, 1])
    window.reset()
    window.failure(1_000_000_000_100)
    assert.deepStrictEqual(sums(window), [0, 1, 0, 1])
    window.advance(1_000_000_010_100)
    assert.deepStrictEqual(sums(window), [0, 0, 0, 0])
  })
})

describe("steady time", () => {
  it("is the clock while that goes on, and stays where calls overtake each other", () => {
    const time = new SteadyTime()
    assert.deepStrictEqual(
      [10, 12, 11, 12, 13].map((now) => time.at(now)),
      [10, 12, 12, 12, 13]
    )
  })

  it("does not run faster for calls that overtake each other", () => {
    const time = new SteadyTime()
    for (let now = 0; now < 10_000; now++) {
      time.at(now + 5)
      time.at(now)
    }
    assert.strictEqual(time.at(10_005), 10_005)
  })

  it("goes on from where it was when the clock is set back", () => {
    const time = new SteadyTime()
    const hour = 3_600_000
    assert.deepStrictEqual(
      [hour, 0, 500, 5000].map((now) => time.at(now)),
      [hour, hour, hour + 500, hour + 5000]
    )
    // And again.
    assert.deepStrictEqual(
      [1000, 1300].map((now) => time.at(now)),
      [hour + 5000, hour + 5300]
    )
  })
})

describe("the states", () => {
  it("opens with the failure that makes enough samples and a share that is high enough", () => {
    const { breaker, log } = watched()
    for (let i = 0; i < 100; i++) breaker.success(0, defaults)
    for (let i = 0; i < 50; i++) {
      breaker.failure(0, defaults)
      breaker.timeout(1, defaults)
      assert.strictEqual(breaker.state, i < 49 ? "closed" : "open")
    }
    assert.deepStrictEqual(log, ["closed open 100/50/50"])
  })

  it("does not open by a success, nor below the share", () => {
    const { breaker } = watched()
    for (let i = 0; i < 199; i++) breaker.failure(0, defaults)
    for (let i = 0; i < 200; i++) breaker.success(0, defaults)
    assert.strictEqual(breaker.state, "closed")
    // 200 of 399 are failures now.
    breaker.failure(0, defaults)
    assert.strictEqual(breaker.state, "open")
  })

  it("counts the last ten seconds", () => {
    const { breaker } = watched()
    for (let i = 0; i < 199; i++) breaker.failure(0, defaults)
    breaker.failure(10_000, defaults)
    assert.strictEqual(breaker.state, "closed")
    const other = watched().breaker
    for (let i = 0; i < 199; i++) other.failure(0, defaults)
    other.failure(9_999, defaults)
    assert.strictEqual(other.state, "open")
  })

  it("is open for the cooling time, and then lets one probe through each interval", () => {
    const { breaker, log } = opened(1000)
    const allowed = (now: number) => breaker.allows(now, defaults)
    assert.deepStrictEqual([1000, 5999, 6000, 6000, 6199, 6200, 6399, 6400, 60_000].map(allowed), [
      false,
      false,
      true,
      false,
      false,
      true,
      false,
      true,
      true
    ])
    assert.deepStrictEqual(log, ["closed open 0/1/0", "open halfOpen 0/1/0"])
  })

  it("closes after two successes, with an empty window", () => {
    const { breaker, log } = opened(0)
    assert.isTrue(breaker.allows(5000, defaults))
    breaker.success(5001, defaults)
    assert.strictEqual(breaker.state, "halfOpen")
    assert.isFalse(breaker.allows(5199, defaults))
    assert.isTrue(breaker.allows(5200, defaults))
    breaker.success(5201, defaults)
    assert.strictEqual(breaker.state, "closed")
    assert.strictEqual(breaker.window.samples, 0)
    assert.deepStrictEqual(log.slice(1), ["open halfOpen 0/1/0", "halfOpen closed 0/1/0"])
  })

  it("opens again by one failure, for the whole cooling time, and the successes begin anew", () => {
    const { breaker, log } = opened(0)
    breaker.allows(5000, defaults)
    breaker.success(5001, defaults)
    breaker.timeout(5002, defaults)
    assert.deepStrictEqual(log.at(-1), "halfOpen open 0/1/1")
    assert.isFalse(breaker.allows(10_001, defaults))
    assert.isTrue(breaker.allows(10_002, defaults))
    breaker.success(10_003, defaults)
    assert.strictEqual(breaker.state, "halfOpen")
    breaker.success(10_003, defaults)
    assert.strictEqual(breaker.state, "closed")
  })

  it("counts failures, and no successes, of what ends while it is open", () => {
    const { breaker, log } = opened(0)
    breaker.success(1, defaults)
    breaker.failure(2, defaults)
    assert.strictEqual(breaker.state, "open")
    breaker.allows(5000, defaults)
    assert.strictEqual(log.at(-1), "open halfOpen 0/2/0")
    // The first of them has not made the cooling time longer.
    assert.strictEqual(log.length, 2)
  })

  it("probes again when nothing was heard of a probe", () => {
    const { breaker } = opened(0)
    assert.isTrue(breaker.allows(5000, defaults))
    assert.isTrue(breaker.allows(5200, defaults))
    assert.strictEqual(breaker.state, "halfOpen")
  })

  it("follows limits that change", () => {
    const { breaker } = opened(0)
    assert.isFalse(breaker.allows(1000, defaults))
    const quick = { ...defaults, coolingMillis: 1000, detectMillis: 10, halfOpenSuccesses: 1 }
    assert.isTrue(breaker.allows(1000, quick))
    assert.isFalse(breaker.allows(1010, defaults))
    assert.isTrue(breaker.allows(1010, quick))
    breaker.success(1010, quick)
    assert.strictEqual(breaker.state, "closed")
    breaker.success(1010, defaults)
    breaker.success(1010, defaults)
    breaker.failure(1010, { ...defaults, minSample: 3, errRate: 0.34 })
    assert.strictEqual(breaker.state, "closed")
    breaker.failure(1010, { ...defaults, minSample: 4, errRate: 0.5 })
    assert.strictEqual(breaker.state, "open")
  })

  it("is asked again by whoever hears of a change, and has made it", () => {
    const heard: Array<unknown> = []
    const breaker: Breaker = new Breaker((_, to) => {
      heard.push([to, breaker.state, breaker.allows(5000, defaults), breaker.window.samples])
      if (to === "closed") breaker.success(5000, defaults)
    })
    breaker.failure(0, { ...defaults, minSample: 1 })
    breaker.allows(5000, defaults)
    breaker.success(5000, defaults)
    breaker.success(5000, defaults)
    assert.deepStrictEqual(heard, [
      // Heard while that of the next line was heard: the question there made it half-open.
      ["halfOpen", "halfOpen", false, 1],
      ["open", "open", true, 1],
      ["closed", "closed", true, 0]
    ])
    assert.strictEqual(breaker.window.samples, 1)
  })

  it("refuses fifty that ask at once while a probe runs", () => {
    const { breaker } = opened(0)
    const answers = Array.from({ length: 50 }, () => breaker.allows(5000, defaults))
    assert.deepStrictEqual(answers, [true, ...Array.from({ length: 49 }, () => false)])
  })
})

describe("Kitex's breaker", () => {
  interface Run {
    readonly errRate: number
    readonly minSample: number
    readonly steps: string
  }
  const { runs } = JSON.parse(readFileSync(new URL("../data/gopkg-breaker.json", import.meta.url), "utf8")) as {
    readonly runs: ReadonlyArray<Run>
  }
  const letters = { closed: "C", halfOpen: "H", open: "O" } as const

  for (const { errRate, minSample, steps } of runs) {
    it(`does the same with calls as they came, at ${errRate} of ${minSample}`, () => {
      const limits = { errRate, minSample, coolingMillis: 50, detectMillis: 20, halfOpenSuccesses: 2 }
      const breaker = new Breaker(() => {})
      const done = steps.split(" ").map((step) => {
        const [, millis, call] = /^(\d+)([asft])/.exec(step)!
        const now = Number(millis)
        const said = call === "a" ? (breaker.allows(now, limits) ? "1" : "0") : ""
        if (call === "s") breaker.success(now, limits)
        if (call === "f") breaker.failure(now, limits)
        if (call === "t") breaker.timeout(now, limits)
        const { failures, successes, timeouts } = breaker.window
        return `${now}${call}${said}${letters[breaker.state]}${successes}/${failures}/${timeouts}`
      })
      assert.strictEqual(done.length, 150)
      assert.strictEqual(done.join(" "), steps)
    })
  }
})
