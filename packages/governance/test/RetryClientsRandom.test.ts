import { assert, it } from "@effect/vitest"
import { Retry } from "@millrace/governance"
import { Effect, Exit, Fiber } from "effect"
import { seededBelow } from "./support/random.ts"
import { pass } from "./support/passing.ts"
import { caller, inWorld, type Step } from "./support/shop.ts"

const rounds = 60

const steps: ReadonlyArray<Step> = ["ok", "stall", "stall", "reject", "busy", "status"]

/** What the server may have said last for each way that a call fails. */
const said: Record<string, ReadonlyArray<string>> = {
  Busy: ["failed"],
  Status: ["failed"],
  Rejected: ["refused"],
  RpcTimeout: ["interrupted"]
}

for (const kind of ["unary", "pingPong"] as const) {
  it.effect(`${kind}: one start and one finish, no attempt too many, and nothing left, whatever happens`, () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const below = seededBelow(kind.length)
        for (let round = 0; round < rounds; round++) {
          const most = 1 + below(2)
          const delay = 5 + below(30)
          const policy = [
            () => Retry.failure({ maxRetries: most, backoff: { type: "fixed", delay } }),
            () => Retry.backup({ maxRetries: most, delay }),
            () => Retry.mixed({ maxRetries: most, delay })
          ][below(3)]!()
          world.calls.length = world.finished.length = world.starts = 0
          world.steps = Array.from({ length: most + 1 }, () => steps[below(steps.length)]!)
          const interruptedAt = below(4) === 0 ? below(8) : Infinity
          const call = yield* caller(kind, { retry: policy, rpcTimeout: 20 + below(40) })
          const fiber = yield* Effect.forkChild(Effect.exit(call()), { startImmediately: true })
          let turns = 0
          for (; fiber.pollUnsafe() === undefined && turns < 60; turns++) {
            if (turns === interruptedAt) yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
            yield* pass(5)
          }
          const context = JSON.stringify({ round, most, delay, steps: world.steps, calls: world.calls, turns })
          const ended = yield* Fiber.await(fiber)
          // Those that lost are told, wherever they are.
          yield* pass(0)
          assert.strictEqual(world.starts, 1, context)
          assert.strictEqual(world.finished.length, 1, context)
          assert.isTrue(world.calls.length <= most + 1, context)
          assert.notInclude(world.calls, "runs", context)
          const [finish] = world.finished
          if (Exit.isFailure(ended)) {
            // One that was on its way has not come.
            assert.isTrue(finish!.attempt! >= world.calls.length - 1, context)
            assert.strictEqual(finish!.reason, "interrupted", context)
            continue
          }
          assert.strictEqual(finish!.attempt, world.calls.length - 1, context)
          if (Exit.isSuccess(ended.value)) {
            assert.strictEqual(world.calls[Number(ended.value.value)], "ok", context)
            assert.strictEqual(finish!.reason, "eof", context)
          } else {
            const error = yield* Effect.flip(ended.value)
            const name = error._tag === "RpcError" ? error.reason._tag : error._tag
            assert.isTrue(
              world.calls.some((call) => said[name]!.includes(call)),
              `${name} ${context}`
            )
            assert.strictEqual(finish!.reason, name === "Busy" ? "eof" : "error", context)
          }
          // The windows of ten seconds are empty again.
          yield* pass(11_000)
        }
      })
    )
  )
}
