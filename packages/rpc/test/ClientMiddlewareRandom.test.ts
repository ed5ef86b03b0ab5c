import { assert, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Schema, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Middleware, RpcError, type StreamClient } from "../src/index.ts"
import { FaultPlan, Recorder } from "../src/testing/index.ts"
import { clientOf, settle, type TestHandlers } from "./support/client.ts"
import { Request, Response, type TestService } from "./support/echo.ts"
import { nobodysHandle } from "./support/nobodysHandle.ts"

/** What a middleware does with `next`. */
const Doing = Schema.Literals([
  "pass",
  "hold",
  "decorate",
  "delay",
  "retry",
  "twice",
  "cancel the first",
  "fail at first",
  "fail",
  "answer"
])
type Doing = (typeof Doing)["Type"]

const Plan = Schema.Struct({
  middleware: Schema.Array(Doing).check(Schema.isMaxLength(4)),
  instance: Schema.Array(Doing).check(Schema.isMaxLength(2)),
  way: Schema.Literals(["bidirectional", "client", "server", "handle"])
})
type Plan = (typeof Plan)["Type"]

const failure = new RpcError.RpcError({ reason: new RpcError.Status(), code: 5, desc: "planned" })
const request = new Request({ message: "x" })
const response = new Response({ message: "y" })

interface Noted {
  readonly log: Array<string>
  held: number
  released: number
}

const middlewareOf = (doing: Doing, name: string, noted: Noted) => {
  let runs = 0
  return Middleware.stream((next) => {
    const act = (): typeof next => {
      switch (doing) {
        case "pass":
          return next
        case "hold":
          return Effect.andThen(
            Effect.acquireRelease(
              Effect.sync(() => void noted.held++),
              () => Effect.sync(() => void noted.released++)
            ),
            next
          )
        case "decorate":
          return Effect.map(next, (handle) => ({ ...handle }))
        case "delay":
          return Effect.delay(next, 10)
        case "retry":
          return Effect.catch(next, () => next)
        case "twice":
          return Effect.andThen(next, next)
        case "cancel the first":
          return Effect.flatMap(next, (first) => Effect.andThen(first.cancel, next))
        case "fail at first":
          return Effect.suspend(() => (runs++ === 0 ? Effect.fail(failure) : next))
        case "fail":
          return Effect.fail(failure)
        case "answer":
          return Effect.sync(() => nobodysHandle(response))
      }
    }
    return Effect.suspend(() => {
      noted.log.push(`${name} >`)
      return Effect.onExit(act(), (exit) => Effect.sync(() => void noted.log.push(`< ${name} ${exit._tag}`)))
    })
  })
}

/** The same without streams: whether it comes out well, and what it writes. */
const modelOf = (
  plan: Plan
): { readonly log: ReadonlyArray<string>; readonly ok: boolean; readonly opened: boolean } => {
  const log: Array<string> = []
  let opened = false
  const failedOnce = new Set<string>()
  const layer = (doing: Doing, name: string, next: () => boolean) => (): boolean => {
    log.push(`${name} >`)
    const ok = (() => {
      switch (doing) {
        case "retry":
          return next() || next()
        case "twice":
        case "cancel the first":
          return next() && next()
        case "fail at first": {
          const again = failedOnce.has(name)
          failedOnce.add(name)
          return again && next()
        }
        case "fail":
          return false
        case "answer":
          return true
        default:
          return next()
      }
    })()
    log.push(`< ${name} ${ok ? "Success" : "Failure"}`)
    return ok
  }
  const around = (list: ReadonlyArray<Doing>, kind: string, next: () => boolean): (() => boolean) =>
    list.reduceRight((inner, doing, at) => layer(doing, `${kind} ${at}`, inner), next)
  const open = (): boolean => {
    log.push("open")
    return (opened = true)
  }
  const instance = around(plan.instance, "instance", open)
  const pick = (): boolean => {
    log.push("pick")
    return instance()
  }
  const ok = around(plan.middleware, "middleware", pick)()
  return { log, ok, opened }
}

const setUp = (plan: Plan, faults?: FaultPlan.FaultPlan) =>
  Effect.gen(function* () {
    const noted: Noted = { log: [], held: 0, released: 0 }
    const running = { count: 0 }
    const counted = Effect.acquireRelease(
      Effect.sync(() => void running.count++),
      () => Effect.sync(() => void running.count--)
    )
    const handlers: Partial<TestHandlers> = {
      Echo: (requests) =>
        Stream.unwrap(
          Effect.as(
            counted,
            Stream.map(requests, () => response)
          )
        ),
      EchoClient: (requests) => Effect.scoped(Effect.andThen(counted, Effect.as(Stream.runDrain(requests), response))),
      EchoServer: () => Stream.unwrap(Effect.as(counted, Stream.make(response)))
    }
    const recorder = yield* Recorder.make
    const client = yield* Effect.provide(
      clientOf(handlers, {
        faults,
        client: {
          endpoints: {
            pick: () => {
              noted.log.push("pick")
              return "memory"
            }
          },
          middleware: plan.middleware.map((doing, at) => middlewareOf(doing, `middleware ${at}`, noted)),
          instanceMiddleware: plan.instance.map((doing, at) => middlewareOf(doing, `instance ${at}`, noted)),
          metaHandlers: [
            {
              onConnectStream: (next) =>
                Effect.suspend(() => {
                  noted.log.push("open")
                  return next
                })
            }
          ]
        }
      }),
      recorder.layer
    )
    return { client, noted, recorder, running }
  })

/** A peer that falls silent keeps its handlers. */
const passing = ({ stallAt: _, ...direction }: FaultPlan.Direction): FaultPlan.Direction => direction

const behave = (client: StreamClient.StreamClient<typeof TestService>, way: Plan["way"]) => {
  switch (way) {
    case "bidirectional":
      return Stream.runDrain(client.Echo(Stream.make(request)))
    case "client":
      return client.EchoClient(Stream.make(request))
    case "server":
      return Stream.runDrain(client.EchoServer(request))
    case "handle":
      return Effect.scoped(
        Effect.gen(function* () {
          const stream = yield* client.Echo.open()
          yield* stream.send(request)
          yield* stream.recv
          yield* stream.closeSend
          assert.isTrue(Cause.isDone(yield* Effect.flip(stream.recv)))
        })
      )
  }
}

it.effect.prop(
  "any chain runs in order, each next as often as its middleware says, with one start and one finish",
  [Plan],
  ([plan]) =>
    Effect.scoped(
      Effect.gen(function* () {
        const { client, noted, recorder, running } = yield* setUp(plan)
        const model = modelOf(plan)
        const fiber = yield* Effect.forkChild(behave(client, plan.way))
        for (let i = 0; i < 100 && fiber.pollUnsafe() === undefined; i++) {
          yield* settle
          yield* TestClock.adjust(10)
        }
        const exit = fiber.pollUnsafe()!
        assert.deepStrictEqual(noted.log, model.log)
        assert.strictEqual(exit._tag, model.ok ? "Success" : "Failure")
        assert.strictEqual(noted.released, noted.held)
        assert.strictEqual(recorder.client.starts.length, 1)
        const [finish, second] = recorder.client.finishes
        assert.isUndefined(second)
        if (!model.ok) assert.deepStrictEqual([finish!.reason, finish!.exit], ["error", Exit.fail(failure)])
        else if (finish!.sendCount + finish!.recvCount > 0) {
          // One of its streams is the call, and went to its end.
          assert.isTrue(model.opened)
          assert.deepStrictEqual([finish!.reason, finish!.sendCount, finish!.recvCount], ["eof", 1, 1])
        }
        // Streams that nobody got are closed with the call.
        yield* settle
        assert.strictEqual(running.count, 0)
      })
    ),
  { arbitrary: { runs: 100 } }
)

it.effect.prop(
  "any chain, interrupted at any moment or on a connection that breaks: one start, one finish, nothing left",
  [Plan, FaultPlan.FaultPlan, Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 60 }))],
  ([plan, faults, interruptAt]) =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { client, noted, recorder, running } = yield* Scope.provide(
        setUp(plan, { toServer: passing(faults.toServer), toClient: passing(faults.toClient) }),
        scope
      )
      const fiber = yield* Effect.forkChild(behave(client, plan.way))
      yield* settle
      yield* TestClock.adjust(interruptAt)
      yield* settle
      yield* Fiber.interrupt(fiber)
      const exit = yield* Fiber.await(fiber)
      yield* settle
      yield* TestClock.adjust("1 minute")
      yield* settle
      assert.strictEqual(recorder.client.starts.length, 1)
      assert.strictEqual(recorder.client.finishes.length, 1)
      if (Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)) {
        assert.include(["interrupted", "explicit", "eof"], recorder.client.finishes[0]!.reason)
      }
      assert.strictEqual(noted.released, noted.held)
      assert.strictEqual(running.count, 0)
      yield* Scope.close(scope, Exit.void)
    }),
  { arbitrary: { runs: 80 } }
)
