import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Layer, Schema, Stream } from "effect"
import { BizStatusError, MetaHandler, Middleware, RpcError, RpcTracer, type Server } from "../src/index.ts"
import { ask, type Ended, serveCalls } from "./support/calls.ts"
import { call, handlersOf, logged, type RawResult, Response, serve, settled, struct, wrapped } from "./support/echo.ts"
import { wire, wordsOf } from "./support/over.ts"

const error = (desc: string) => new RpcError.RpcError({ reason: new RpcError.Status({}), code: 5, desc })
const biz = new BizStatusError.BizStatusError({ statusCode: 7, statusMessage: "no" })

// --- what runs -----------------------------------------------------------------------------------------------------------

const behaviours = ["pass", "skip", "before", "behind", "forgive", "replace", "again", "retry", "die", "meta"] as const
type Behaviour = (typeof behaviours)[number]
const outcomes = ["ok", "fail", "biz", "die"] as const
type Outcome = (typeof outcomes)[number]

type Next = Effect.Effect<void, RpcError.RpcError | BizStatusError.BizStatusError>

/** A middleware; each run of its `next` is told by its name. */
const around =
  (behaviour: Behaviour, name: string, log: Array<string>) =>
  (given: Next): Next => {
    const next = Effect.suspend(() => (log.push(name), given))
    switch (behaviour) {
      case "pass":
      case "meta":
        return next
      case "skip":
        return Effect.void
      case "before":
        return Effect.fail(error(name))
      case "behind":
        return Effect.andThen(next, Effect.fail(error(name)))
      case "forgive":
        return Effect.catch(next, () => Effect.void)
      case "replace":
        return Effect.mapError(next, () => error(name))
      case "again":
        return Effect.andThen(next, next)
      case "retry":
        return Effect.catch(next, () => next)
      case "die":
        return Effect.die(new Error(name))
    }
  }

// --- what has to come of it ----------------------------------------------------------------------------------------------

type Result =
  | { readonly _tag: "ok" }
  | { readonly _tag: "error"; readonly text: string; readonly own: boolean }
  | { readonly _tag: "died"; readonly text: string }

class Model {
  readonly log: Array<string> = []
  readonly #script: ReadonlyArray<Outcome>
  readonly #handled: boolean
  #runs = 0
  constructor(script: ReadonlyArray<Outcome>, errorHandled: boolean) {
    this.#script = script
    this.#handled = errorHandled
  }

  handler(once: boolean): Result {
    if (once && this.#runs > 0) return { _tag: "died", text: "runs once" }
    const outcome = this.#script[this.#runs++ % this.#script.length]!
    this.log.push("handler")
    if (outcome === "ok") return { _tag: "ok" }
    if (outcome === "die") return { _tag: "died", text: "handler" }
    if (outcome === "biz") return { _tag: "error", text: "no", own: true }
    return this.#handled
      ? { _tag: "error", text: "handled: biz error: handler", own: false }
      : { _tag: "error", text: "handler", own: true }
  }

  run(chain: ReadonlyArray<Behaviour>, at: number, once: boolean): Result {
    if (at === chain.length) return this.handler(once)
    const name = `m${at}`
    const next = (): Result => (this.log.push(name), this.run(chain, at + 1, once))
    const mine: Result = { _tag: "error", text: name, own: false }
    switch (chain[at]!) {
      case "pass":
      case "meta":
        return next()
      case "skip":
        return { _tag: "ok" }
      case "before":
        return mine
      case "die":
        return { _tag: "died", text: name }
      case "behind": {
        const result = next()
        return result._tag === "ok" ? mine : result
      }
      case "forgive": {
        const result = next()
        return result._tag === "error" ? { _tag: "ok" } : result
      }
      case "replace": {
        const result = next()
        return result._tag === "error" ? mine : result
      }
      case "again": {
        const result = next()
        return result._tag === "ok" ? next() : result
      }
      case "retry": {
        const result = next()
        return result._tag === "error" ? next() : result
      }
    }
  }
}

// --- the same call on each transport ---------------------------------------------------------------------------------------

const scripted = (script: ReadonlyArray<Outcome>, log: Array<string>) => {
  let runs = 0
  const handle = Effect.suspend(() => {
    log.push("handler")
    const outcome = script[runs++ % script.length]!
    if (outcome === "ok") return Effect.succeed(new Response({}))
    if (outcome === "die") return Effect.die(new Error("handler"))
    return Effect.fail(outcome === "biz" ? biz : error("handler"))
  })
  return handlersOf({
    EchoUnary: () => handle,
    EchoPingPong: () => handle,
    Echo: () => Stream.fromEffect(handle)
  })
}

const toldByStatus = ({ status }: RawResult): string =>
  status === undefined
    ? "nothing"
    : status.biz === undefined
      ? `${status.code} ${status.message}`
      : `biz ${status.message}`

const toldByAnswer = ({ exception, how, strings }: Ended): string =>
  exception !== undefined
    ? `${exception.type} ${exception.message}`
    : strings?.some(([key]) => key === "biz-status") === true
      ? "biz no"
      : how

const expected = (result: Result, method: string, pingPong: boolean): string => {
  const { status } = wordsOf(method)
  if (result._tag === "ok") return pingPong ? "reply" : "0 "
  if (result._tag === "died") return `${status.panic("", "")[0]} panic in ${method}: ${result.text}`
  if (result.own && result.text === "no") return "biz no"
  return (result.own ? status.ofHandler : status.ofMiddleware)(result.text, 5).join(" ")
}

/** The text of a panic, cut to what matters. */
const short = (told: string): string =>
  told.replace(
    /panic: \[happened in biz handler, method=TestService\.(\w+), please check the panic at the server side\] (.*)/,
    (_, method, text) => `panic in ${method}: ${text.includes("runs once") ? "runs once" : text}`
  )

const Case = Schema.Struct({
  chain: Schema.Array(Schema.Literals(behaviours)).check(Schema.isMaxLength(6)),
  script: Schema.Array(Schema.Literals(outcomes)).check(Schema.isMinLength(1), Schema.isMaxLength(3)),
  errorHandler: Schema.Boolean
})

describe("any middleware around any handler", () => {
  it.effect.prop(
    "each next runs as often as its middleware says, and the answer is what comes of it; one start, one finish",
    [Case],
    ([{ chain, errorHandler, script }]) =>
      Effect.gen(function* () {
        for (const method of ["EchoUnary", "Echo", "EchoPingPong"] as const) {
          const pingPong = method === "EchoPingPong"
          const noStream = pingPong || (method === "EchoUnary" && !wire.unary.isStream)
          const log: Array<string> = []
          const heard: Array<string> = []
          // Hooks of meta handlers are outermost: they come first in the chain, and PingPong calls have none.
          const sorted = [
            ...(noStream ? [] : chain.filter((each) => each === "meta")),
            ...chain.filter((each) => each !== "meta")
          ]
          const options: Server.Options<ReadonlyArray<Middleware.ForServer>> = {
            metaHandlers: sorted.flatMap((each, at) =>
              each === "meta" ? [MetaHandler.make({ onReadStream: around(each, `m${at}`, log) })] : []
            ),
            middleware: sorted.flatMap((each, at) =>
              each === "meta" ? [] : [Middleware.server(around(each, `m${at}`, log))]
            ),
            errorHandler: errorHandler ? ({ desc }) => error(`handled: ${desc}`) : undefined
          }
          const tracer = RpcTracer.layer({
            start: () => Effect.sync(() => void heard.push("start")),
            handlerStart: () => void heard.push("handlerStart"),
            handlerFinish: () => void heard.push("handlerFinish"),
            finish: ({ exit, info, bizError }) =>
              Effect.sync(() => {
                assert.strictEqual(info.bizError, bizError)
                heard.push(`finish ${Exit.isSuccess(exit) ? "ok" : Cause.hasDies(exit.cause) ? "died" : "error"}`)
              })
          })
          const [told] = yield* logged(
            pingPong
              ? Effect.map(Effect.tap(ask(method, wrapped("m"), { strings: {} }), settled), toldByAnswer).pipe(
                  Effect.provide(serveCalls(scripted(script, log), options).pipe(Layer.provide(tracer)))
                )
              : Effect.map(
                  Effect.tap(
                    call(`/echo.TestService/${method}`, [method === "Echo" ? struct("m") : wrapped("m")]),
                    settled
                  ),
                  toldByStatus
                ).pipe(Effect.provide(serve(scripted(script, log), options).pipe(Layer.provide(tracer))))
          )
          const model = new Model(script, errorHandler)
          const result = model.run(sorted, 0, method === "Echo")
          const answer = expected(result, method, pingPong)
          assert.strictEqual(short(told), answer)
          assert.deepStrictEqual(log, model.log)
          const runs = log.filter((each) => each === "handler").length
          assert.deepStrictEqual(heard, [
            "start",
            ...Array.from({ length: runs }, () => ["handlerStart", "handlerFinish"]).flat(),
            `finish ${result._tag === "error" && answer === "biz no" ? "ok" : result._tag}`
          ])
        }
      }),
    { arbitrary: { runs: 60 } }
  )
})
