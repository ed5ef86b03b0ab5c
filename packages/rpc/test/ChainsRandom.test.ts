import { assert, it } from "@effect/vitest"
import { Effect, type Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import type { RpcInfo } from "../src/index.ts"
import { FaultPlan } from "../src/testing/index.ts"
import {
  attemptOf,
  callerOf,
  endOf,
  expectedEnd,
  type Got,
  moved,
  movedOf,
  nothing,
  requestsOf,
  setUp,
  sum
} from "./support/chainedCalls.ts"
import type { Told } from "./support/callLog.ts"
import { Chains, Outcome } from "./support/chains.ts"
import { isCall, marksOf, Model, type Result, type Served } from "./support/chainsModel.ts"
import { settle } from "./support/client.ts"

const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const Plan = Schema.Struct({
  mode: Schema.Literals(["bidirectional", "client", "server", "unary", "pingPong", "oneway"]),
  /** By the handle of a stream, and not its Stream form. */
  handle: Schema.Boolean,
  chains: Chains,
  outcomes: Schema.Array(Outcome).check(Schema.isMinLength(1), Schema.isMaxLength(3)),
  messages: int(0, 4),
  faults: FaultPlan.Lossless
})
type Plan = (typeof Plan)["Type"]

/** Lets time pass until the fiber has ended, and then a little longer. */
const ending = Effect.fnUntraced(function* <A, E>(fiber: Fiber.Fiber<A, E>) {
  for (let i = 0; i < 200 && fiber.pollUnsafe() === undefined; i++) {
    yield* settle
    yield* TestClock.adjust(50)
  }
  // Nobody waits for the server of a oneway call, whose bytes take their turns.
  for (let i = 0; i < 60; i++) {
    yield* settle
    yield* TestClock.adjust(i < 40 ? 20 : 500)
  }
  yield* settle
  const exit = fiber.pollUnsafe()
  if (exit === undefined) return assert.fail("the call does not come to an end")
  return exit
})

// --- what has to come of it ------------------------------------------------------------------------------------------------------

/** Bytes of a struct with one text, and of a struct around that one. */
const structSize = (text: string) => text.length + 8
const wrappedSize = (text: string) => structSize(text) + 4

/** The messages of a stream whose handler ran, and what its caller got. */
const checkStream = (
  plan: Plan,
  end: string,
  got: Got,
  client: Told,
  server: Told,
  { ran, requested, result }: Served
): void => {
  const { chains, messages, mode } = plan
  const sent = mode === "server" ? ["m"] : requestsOf(plan).map(({ message }) => message!)
  const onWire = sent.map((text) => text + marksOf(chains.client, "send", "c"))
  const handled = onWire.map((text) => text + marksOf(chains.server, "recv", "s"))
  const answered = result._tag === "ok" || server.log.includes("handlerFinish t0")
  assert.isTrue(answered || !ran)
  assert.deepStrictEqual(server.received, ran ? handled : [])
  const outcome = plan.outcomes[attemptOf(server) % plan.outcomes.length]!
  const responses = !ran
    ? []
    : mode === "bidirectional"
      ? handled
      : mode === "server"
        ? Array.from({ length: messages }, (_, at) => `${handled[0]}.${at}`)
        : outcome === "ok" || outcome === "busy"
          ? [handled.join()]
          : []
  const back = responses.map((text) => text + marksOf(chains.server, "send", "s"))
  const final = back.map((text) => text + marksOf(chains.client, "recv", "c"))
  const requests = sum(onWire, structSize)
  const replies = sum(back, structSize)
  const ok = result._tag === "ok"
  // A good end in place of the one response is none for the caller.
  assert.strictEqual(end, ok && mode === "client" && final.length === 0 ? "13 EOF" : expectedEnd(result))
  assert.deepStrictEqual(got.texts, mode === "client" && !ok ? [] : final)
  const [finish] = client.finishes
  // What nobody reads may not have been sent.
  if (ran) assert.deepStrictEqual(movedOf(finish!), moved(requests, replies))
  const [served] = server.finishes
  if (served !== undefined) {
    assert.deepStrictEqual(movedOf(served), moved(replies, ran || requested ? requests : sum([], structSize)))
  }
}

/** Bytes that answer a call of single messages. */
const answerSize = (mode: RpcInfo.Mode, result: Result<unknown>): number => {
  if (result._tag === "ok") return result.value === "reply" ? wrappedSize("m") : result.value === "busy" ? 12 : 1
  if (mode === "unary") return 0
  // An exception: its text and its type.
  return result._tag === "error" && !result.biz ? result.text.length + 15 : 1
}

const single = (count: number, bytes: number) => ({ count, bytes })

/** What the two ends of calls of single messages have moved. */
const checkSingle = ({ mode }: Plan, model: Model, client: Told, servers: ReadonlyArray<Told>): void => {
  const request = mode === "oneway" ? structSize("m") : wrappedSize("m")
  const answers = [...model.served.values()].map(({ result }) => answerSize(mode, model.told(result)))
  const [finish] = client.finishes
  if (mode === "unary") {
    // The last attempt is the call.
    const last = model.served.get(model.attempts - 1)
    const answer = last === undefined ? 0 : answerSize(mode, model.told(last.result))
    assert.deepStrictEqual(
      movedOf(finish!),
      last === undefined ? nothing : moved(single(1, request), single(answer > 0 ? 1 : 0, answer))
    )
  } else {
    const all = answers.reduce((sum, size) => sum + size, 0)
    const received = mode === "oneway" ? single(0, 0) : single(answers.length, all)
    assert.deepStrictEqual(movedOf(finish!), moved(single(model.attempts, model.attempts * request), received))
  }
  for (const [at, server] of servers.entries()) {
    const [ended] = server.finishes
    const served = model.served.get(mode === "unary" ? attemptOf(server) : at)
    if (ended === undefined || served === undefined) continue
    const { result } = served
    const replied =
      mode !== "oneway" && (result._tag === "ok" || (isCall(mode) && result._tag === "error" && result.biz))
    // A business error goes with an empty result.
    const sent = replied ? single(1, result._tag === "ok" ? answerSize(mode, result) : 1) : single(0, 0)
    assert.deepStrictEqual(movedOf(ended), moved(sent, single(1, request)))
  }
}

it.effect.prop(
  "any chains around any call: the order of all of it, each next as often as its middleware says, each message once",
  [Plan],
  ([plan]) =>
    Effect.scoped(
      Effect.gen(function* () {
        const { calls, client } = yield* setUp(plan)
        const got: Got = { texts: [] }
        const exit = yield* ending(yield* Effect.forkChild(callerOf(client, plan, got)))
        const model = new Model(plan.chains, plan)
        const [told, second] = calls.client.all
        assert.isUndefined(second)
        const end = endOf(exit)
        const { answer, stream } = model
        const [finish] = told!.finishes
        const how =
          end === "ok" || end === "busy" || end === "biz no" ? "ok" : end.startsWith("died") ? "died" : "error"
        assert.deepStrictEqual(told!.log, [...model.log, `finish t1 ${how}`, `finish t0 ${how}`])
        assert.strictEqual(finish!.bizError !== undefined, end === "biz no")
        assert.strictEqual(finish!.info.bizError, finish!.bizError)
        for (const [at, server] of calls.server.all.entries()) {
          const attempt = plan.mode === "pingPong" || plan.mode === "oneway" ? at : attemptOf(server)
          const served = model.served.get(attempt)
          if (served !== undefined) assert.deepStrictEqual(server.log, served.log)
          if (served !== undefined && stream !== undefined) {
            checkStream(plan, end, got, told!, server, { ...served, result: model.told(served.result) })
          }
          if (stream !== undefined)
            for (const each of server.finishes) assert.deepStrictEqual(movedOf(each), server.moved)
        }
        if (answer !== undefined) {
          assert.strictEqual(end, expectedEnd(answer))
          assert.deepStrictEqual(told!.moved, nothing)
          assert.isAtLeast(calls.server.all.length, model.served.size)
          assert.isAtMost(calls.server.all.length, model.attempts)
          checkSingle(plan, model, told!, calls.server.all)
        } else {
          if (stream!._tag !== "ok") assert.strictEqual(end, expectedEnd(stream!))
          else if (stream!.value === "canned") {
            assert.deepStrictEqual([end, got.texts], ["ok", ["canned"]])
          } else assert.isTrue(calls.server.all.some((server) => attemptOf(server) === stream!.value))
          assert.deepStrictEqual(movedOf(finish!), told!.moved)
        }
      })
    ),
  { arbitrary: { runs: 150 }, timeout: 60_000 }
)
