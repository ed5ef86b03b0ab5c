import type { CallPolicy } from "@millrace/rpc/CallPolicy"
import { BizStatusError, RpcError, type RpcInfo } from "@millrace/rpc"
import { Clock, Data, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { infoOf } from "./calls.ts"

export class Busy extends Data.TaggedError("Busy")<{}> {}

type Reason = RpcError.RpcError["reason"]

export const rpcError = (reason: Reason, desc: string = reason._tag) => new RpcError.RpcError({ code: 4, desc, reason })

/** How an attempt may end. */
export const failures = {
  timeout: rpcError(new RpcError.RpcTimeout({ millis: 1 }), "rpc timeout: timeout=1ms, to=Shop"),
  connect: rpcError(new RpcError.ConnectTimeout({ millis: 1 })),
  unsent: rpcError(new RpcError.Unavailable({ neverSent: true })),
  lost: rpcError(new RpcError.Unavailable({ neverSent: false })),
  rejected: rpcError(new RpcError.Rejected({ limit: "qps" })),
  forbidden: rpcError(new RpcError.Forbidden()),
  codec: rpcError(new RpcError.CodecError({ kind: "Truncated", path: "" })),
  status: rpcError(new RpcError.Status()),
  biz: new BizStatusError.BizStatusError({ statusCode: 1, statusMessage: "no" }),
  busy: new Busy()
}

export type Failure = keyof typeof failures

export interface Step {
  /** Milliseconds that the attempt takes. */
  readonly takes: number
  readonly ends: Failure | "ok" | "defect" | "interrupt"
}

export interface Seen {
  readonly number: number
  readonly same: boolean
  readonly began: number
  ended: number
  how: Step["ends"] | "cut"
}

export const info = infoOf({
  service: "Shop",
  method: "Price",
  mode: "pingPong",
  protocol: "ttheader-framed",
  path: "/Shop/Price",
  callee: "Shop"
})

/** Runs a policy over attempts that do what the steps say, the last of them again and again. */
export const play = (policy: CallPolicy, steps: ReadonlyArray<Step>, of: RpcInfo.RpcInfo = info) =>
  Effect.gen(function* () {
    const seen: Array<Seen> = []
    const started = yield* Clock.currentTimeMillis
    const since = Effect.map(Clock.currentTimeMillis, (now) => now - started)
    const exit = yield* Effect.exit(
      policy.run((number, same = false) => {
        const step = steps[Math.min(number, steps.length - 1)]!
        return Effect.gen(function* () {
          const it: Seen = { number, same, began: yield* since, ended: -1, how: step.ends }
          seen.push(it)
          if (step.takes > 0) {
            yield* Effect.sleep(step.takes).pipe(
              Effect.onInterrupt(() =>
                Effect.map(since, (now) => {
                  it.ended = now
                  it.how = "cut"
                })
              )
            )
          }
          it.ended = yield* since
          if (step.ends === "ok") return number
          if (step.ends === "defect") return yield* Effect.die("defect")
          if (step.ends === "interrupt") return yield* Effect.interrupt
          return yield* Effect.fail(failures[step.ends])
        })
      }, of)
    )
    return { exit, millis: yield* since, seen }
  })

/** The same, until it has ended, in as much time as it takes. */
export const played = (...args: Parameters<typeof play>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(play(...args), { startImmediately: true })
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.join(fiber)
  })

export const failureOf = (exit: Exit.Exit<unknown, unknown>): unknown => {
  if (Exit.isSuccess(exit)) throw new Error("it succeeded")
  const [reason] = exit.cause.reasons
  return reason?._tag === "Fail" ? reason.error : reason
}
