import { assert, it } from "@effect/vitest"
import { Effect, Metric, Schema } from "effect"
import { BizStatusError, Middleware, RpcTracer } from "../../src/index.ts"
import { settle, told } from "../support/client.ts"
import { Request, wrapped } from "../support/echo.ts"
import { EchoService, FakeCalls, type SentCall } from "../support/fakeCalls.ts"

const kinds = ["pass", "change", "again", "retry", "recover", "answer", "refuse", "fail", "die"] as const
type Kind = (typeof kinds)[number]

const answers = ["reply", "busy", "exception", "biz"] as const
type Answer = (typeof answers)[number]

/** What a call comes to: an answer, a failure or a defect. */
type End = Answer | "refused" | "dead"

const isFailure = (end: End): boolean => end === "exception" || end === "biz" || end === "refused"

const boom = new Error("mine")
const refused = new BizStatusError.BizStatusError({ statusCode: 403, statusMessage: "refused" })

const middleware = (kind: Kind, at: number, log: Array<string>): Middleware.ClientMiddleware => {
  if (kind === "change") {
    return Middleware.clientFor(EchoService, "Echo", (next, { req }) => {
      log.push(`${at} ${kind}`)
      return next({ req: new Request({ message: `${req.message}${at}` }) })
    })
  }
  if (kind === "recover") {
    return Middleware.clientFor(EchoService, "Echo", (next, request) => {
      log.push(`${at} ${kind}`)
      return Effect.catchTag(next(request), "Busy", () => Effect.succeed(request.req))
    })
  }
  if (kind === "answer") {
    return Middleware.clientFor(EchoService, "Echo", (_, { req }) => {
      log.push(`${at} ${kind}`)
      return Effect.succeed(req)
    })
  }
  return Middleware.client((next) => {
    log.push(`${at} ${kind}`)
    switch (kind) {
      case "again":
        return Effect.andThen(next, next)
      case "retry":
        return Effect.retry(next, { times: 1 })
      case "refuse":
        return Effect.fail(refused)
      case "fail":
        return Effect.andThen(next, Effect.fail(refused))
      case "die":
        return Effect.die(boom)
      default:
        return next
    }
  })
}

/** The same chain, told what each attempt comes to. */
const model = (chain: ReadonlyArray<Kind>, script: ReadonlyArray<Answer>) => {
  const log: Array<string> = []
  const messages: Array<string> = []
  const run = (at: number, message: string): End => {
    const kind = chain[at]
    if (kind === undefined) {
      messages.push(message)
      return script[(messages.length - 1) % script.length]!
    }
    log.push(`${at} ${kind}`)
    const next = (changed = message) => run(at + 1, changed)
    const goesOn = (end: End): boolean => !isFailure(end) && end !== "dead"
    switch (kind) {
      case "change":
        return next(`${message}${at}`)
      case "again": {
        const end = next()
        return goesOn(end) ? next() : end
      }
      case "retry": {
        const end = next()
        return isFailure(end) ? next() : end
      }
      case "recover": {
        const end = next()
        return end === "busy" ? "reply" : end
      }
      case "answer":
        return "reply"
      case "refuse":
        return "refused"
      case "fail": {
        const end = next()
        return goesOn(end) ? "refused" : end
      }
      case "die":
        return "dead"
      default:
        return next()
    }
  }
  return { end: run(0, "m"), log, messages }
}

const texts: Record<End, string> = {
  reply: "success",
  busy: 'Busy: Busy({"retryAfter":7})',
  exception: "Status: rpc error: code = 6 desc = boom",
  biz: "BizStatusError: biz error: code=1, msg=",
  refused: "BizStatusError: biz error: code=403, msg=refused",
  dead: "defect: Error: mine"
}

const busy = Uint8Array.of(12, 0, 1, 8, 0, 1, 0, 0, 0, 7, 0, 0)

const answer = (call: SentCall, how: Answer): void => {
  if (how === "reply") call.reply(wrapped("yo", 0))
  else if (how === "busy") call.reply(busy)
  else if (how === "biz") call.reply(Uint8Array.of(0), { "biz-status": "1" })
  else call.exception(6, "boom")
}

/** A chain, what its calls come to, and how. */
const Plan = Schema.Struct({
  chain: Schema.Array(Schema.Literals(kinds)).check(Schema.isMaxLength(6)),
  script: Schema.Array(Schema.Literals(answers)).check(Schema.isMinLength(1), Schema.isMaxLength(5)),
  asynchronous: Schema.Boolean,
  timed: Schema.Boolean
})

it.effect.prop(
  "random chains run each next as often as their middleware says, around one start and one finish",
  { plan: Plan },
  ({ plan: { asynchronous, chain, script, timed } }) =>
    Effect.gen(function* () {
      const fibers = { count: 0 }
      const fake = new FakeCalls()
      let answered = 0
      fake.onSend = (call) => {
        const how = script[answered++ % script.length]!
        if (asynchronous) queueMicrotask(() => answer(call, how))
        else answer(call, how)
      }
      const log: Array<string> = []
      const starts: Array<string> = []
      const finishes: Array<RpcTracer.RpcFinish> = []
      const tracer = RpcTracer.layer({
        start: (info) => Effect.sync(() => void starts.push(info.method)),
        finish: (event) => Effect.sync(() => void finishes.push(event))
      })
      const client = yield* Effect.provide(
        fake.client({
          middleware: chain.map((kind, at) => middleware(kind, at, log)),
          ...(timed && { rpcTimeout: "1 second" as const })
        }),
        tracer
      )
      const exit = yield* Effect.exit(client.Echo({ req: new Request({ message: "m" }) })).pipe(
        Effect.provideService(Metric.FiberRuntimeMetrics, {
          recordFiberStart: () => void fibers.count++,
          recordFiberEnd: () => void fibers.count--
        } as Metric.FiberRuntimeMetricsService)
      )
      const expected = model(chain, script)
      assert.strictEqual(told(exit), texts[expected.end])
      assert.deepStrictEqual(log, expected.log)
      assert.deepStrictEqual(
        fake.calls.map(({ bytes }) => bytes),
        expected.messages.map((message) => [...wrapped(message)])
      )
      assert.deepStrictEqual([starts.length, finishes.length], [1, 1])
      const { bizError, info, recvCount, sendBytes, sendCount } = finishes[0]!
      const sent = expected.messages.reduce((sum, message) => sum + wrapped(message).length, 0)
      assert.deepStrictEqual([sendCount, recvCount, sendBytes], [fake.calls.length, fake.calls.length, sent])
      assert.strictEqual(bizError !== undefined, expected.end === "biz" || expected.end === "refused")
      assert.strictEqual(info.bizError, bizError)
      yield* settle
      assert.strictEqual(fibers.count, 0)
      assert.strictEqual(
        fake.calls.reduce((sum, { abandoned }) => sum + abandoned, 0),
        0
      )
    }),
  { arbitrary: { runs: 120 } }
)
