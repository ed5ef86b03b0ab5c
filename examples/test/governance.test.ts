import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { run } from "./programs.ts"

/** By transport, how a limit refuses a unary call. */
const refusals = {
  grpc: "code = 8 desc = request over limit: to many connections; again in 50 ms",
  "ttheader-streaming": "request over limit: to many connections; again in 50 ms"
}

describe("governance", { timeout: 60_000 }, () => {
  it.live.each(["grpc", "ttheader-streaming"] as const)(
    "the picture over %s: where calls and streams go, a breaker, a limit, a rolling restart without a failed call",
    (transport) =>
      Effect.gen(function* () {
        const demo = yield* run("governance/demo.ts", "--transport", transport)
        assert.strictEqual(demo.code, 0, demo.output)
        const scenes = demo.output.split("\n\n").map((scene) => scene.trim().split("\n"))
        assert.deepStrictEqual(
          scenes.map(([title]) => title!.split(":")[0]),
          [
            "240 calls, eight at a time, weight_round_robin",
            "240 calls, eight at a time, peak_ewma",
            "24 streams that stay, least_active",
            "A breaker",
            "A limit",
            "A rolling restart under load"
          ]
        )
        const [turns, ewma, streams, breaker, limit, restart] = scenes as [
          Array<string>,
          Array<string>,
          Array<string>,
          Array<string>,
          Array<string>,
          Array<string>
        ]
        const numberIn = (line: string | undefined, pattern: RegExp): number => {
          const found = pattern.exec(line ?? "")?.[1]
          assert.isDefined(found, `${line} has no ${pattern}`)
          return Number(found)
        }
        const counts = (scene: ReadonlyArray<string>, unit: string) =>
          scene.slice(1, 4).map((line) => numberIn(line, new RegExp(`(\\d+) ${unit}$`)))

        // By turns every server gets its share, whatever it does with it.
        assert.deepStrictEqual(counts(turns, "calls"), [80, 80, 80])
        assert.match(turns[4]!, /^ *80 failed$/)
        // By latency the quick one gets most, and neither being slow nor failing fast attracts.
        const [steady, slow, failing] = counts(ewma, "calls") as [number, number, number]
        assert.strictEqual(steady + slow + failing, 240)
        assert.isAbove(steady, Math.max(slow, failing))
        assert.isBelow(failing, 80)
        assert.match(ewma[4]!, new RegExp(`^ *${failing} failed$`))
        const held = counts(streams, "streams")
        assert.strictEqual(held[0]! + held[1]! + held[2]!, 24)
        assert.isAtMost(Math.max(...held) - Math.min(...held), 3)

        // Ten failures open it; then only probes go through, until two of them are answered.
        const calls = Array.from(/^ *calls +(\S+)$/.exec(breaker[1]!)![1]!)
        assert.lengthOf(calls, 60)
        assert.strictEqual(calls.slice(0, 11).join(""), "✗✗✗✗✗✗✗✗✗✗·")
        assert.match(calls.join(""), /^✗{10}·+(✗·+)*✓·*✓+$/)
        assert.strictEqual(
          numberIn(breaker.at(-1), /has seen (\d+) of 60 calls/),
          calls.filter((sign) => sign !== "·").length
        )
        const states = breaker.flatMap((line) => /the breaker is (.*)$/.exec(line)?.[1] ?? [])
        assert.strictEqual(states[0], "open: 10 of 10 calls failed")
        assert.strictEqual(states.at(-1), "closed")

        // Of twelve at once as many as the limit says, and the others are told when to come again.
        assert.strictEqual(
          limit
            .slice(1, 3)
            .map((line) => line.match(/✓/g)!.length)
            .join(),
          "4,12"
        )
        assert.strictEqual(limit[1]!.match(/×/g)!.length, 8)
        assert.include(limit[3], refusals[transport])

        for (const [index, name] of ["steady", "slow", "failing"].entries()) {
          assert.isAbove(numberIn(restart[index + 1], / (\d+) answers$/), 5)
          const moved = /was at (\S+), and is at (\S+)$/.exec(restart[index + 4]!)!
          assert.notStrictEqual(moved[1], moved[2], name)
        }
        assert.isAbove(numberIn(restart.at(-1), /(\d+) calls, 0 failed$/), 50)

        assert.isEmpty(demo.lines.filter((line) => line.length > 130))
        assert.notMatch(demo.output, /[\x00-\x09\x0b-\x1f\x7f]/, "no control characters when it is no terminal")
      }).pipe(Effect.provide(NodeServices.layer))
  )
})
