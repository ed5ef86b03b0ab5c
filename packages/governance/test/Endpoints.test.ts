import { assert, describe, it } from "@effect/vitest"
import { Endpoints } from "@millrace/governance"
import type { RpcInfo } from "@millrace/rpc"
import { Schema } from "effect"

const info: RpcInfo.RpcInfo = {
  side: "client",
  service: "S",
  method: "M",
  mode: "unary",
  protocol: "grpc",
  path: "/S/M",
  address: "",
  caller: "",
  callee: "S",
  logId: undefined,
  bizError: undefined
}
const picks = (weights: ReadonlyArray<number>, count: number): ReadonlyArray<unknown> => {
  const endpoints = Endpoints.weightedRoundRobin(weights.map((weight, i) => ({ hostPort: `${i}`, weight })))
  return Array.from({ length: count }, () => endpoints.pick(info))
}

describe("weightedRoundRobin", () => {
  it("is plain round robin for equal weights", () => {
    assert.deepStrictEqual(picks([10, 10, 10], 7), ["0", "1", "2", "0", "1", "2", "0"])
  })

  it("spreads the heavy ones", () => {
    assert.strictEqual(picks([5, 1, 1], 7).join(""), "0010200")
  })

  it("leaves out what has no weight", () => {
    assert.deepStrictEqual(picks([0, 1, -3, 1], 4), ["1", "3", "1", "3"])
    assert.throws(() => picks([], 1), /no instance/)
    assert.throws(() => picks([0, -1], 1), /no instance/)
  })

  const weight = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 20 }))

  it.prop(
    "gives each address exactly its share in a round, and never more than one pick away from it on the way",
    [Schema.Array(weight).check(Schema.isMinLength(1), Schema.isMaxLength(6))],
    ([weights]) => {
      const total = weights.reduce((a, b) => a + b, 0)
      const counts = weights.map(() => 0)
      picks(weights, total).forEach((picked, i) => {
        counts[Number(picked)]!++
        weights.forEach((w, n) => {
          assert.isAtMost(Math.abs(counts[n]! - ((i + 1) * w) / total), weights.length)
        })
      })
      assert.deepStrictEqual(counts, [...weights])
    }
  )
})
