import { assert, describe, it } from "@effect/vitest"
import { Fallback, Retry } from "@millrace/governance"
import {
  Admission,
  type CallObserver,
  Client,
  Deadline,
  type Endpoints,
  Metainfo,
  Middleware,
  RpcError,
  type RpcInfo,
  RpcTracer,
  Telemetry
} from "@millrace/rpc"
import { Effect, Fiber, Layer, Metric } from "effect"
import { pass } from "./support/passing.ts"
import { caller, inWorld, Message, Shop, World } from "./support/shop.ts"
import { StreamClient } from "./support/over.ts"

const timeouts = () => Retry.failure({ maxRetries: 2 })

for (const kind of ["unary", "pingPong"] as const) {
  describe(kind, () => {
    it.effect("each attempt has its own rpcTimeout, and the server knows which it is", () =>
      inWorld((world) =>
        Effect.gen(function* () {
          world.steps = ["stall", "stall", "ok"]
          const call = yield* caller(kind, { retry: timeouts(), rpcTimeout: 100 })
          const fiber = yield* Effect.forkChild(call(), { startImmediately: true })
          yield* pass(99)
          assert.strictEqual(world.calls.length, 1)
          yield* pass(1)
          assert.strictEqual(world.calls.length, 2)
          yield* pass(100)
          assert.strictEqual(yield* Fiber.join(fiber), "2")
          assert.deepStrictEqual(world.attempts, [0, 1, 2])
          assert.deepStrictEqual(world.keys, [undefined, "1", "2"])
          yield* pass(1000)
          assert.deepStrictEqual(world.calls, ["interrupted", "interrupted", "ok"])
        })
      )
    )

    it.effect("one RPCStart and one RPCFinish, of the attempt that counted", () =>
      inWorld((world) =>
        Effect.gen(function* () {
          world.steps = ["stall", "ok"]
          const call = yield* caller(kind, { retry: timeouts(), rpcTimeout: 100 })
          const fiber = yield* Effect.forkChild(call(), { startImmediately: true })
          yield* pass(100)
          yield* Fiber.join(fiber)
          assert.strictEqual(world.starts, 1)
          assert.deepStrictEqual(world.finished, [
            { attempt: 1, address: "memory", reason: "eof", biz: false, sent: 1 }
          ])
        })
      )
    )

    it.effect("the text of a timeout is Kitex's, and says where it was", () =>
      inWorld((world) =>
        Effect.gen(function* () {
          world.steps = ["stall"]
          const call = yield* caller(kind, { rpcTimeout: 50 })
          const fiber = yield* Effect.forkChild(Effect.flip(call()), { startImmediately: true })
          yield* pass(50)
          const error = yield* Fiber.join(fiber)
          const method = kind === "unary" ? "Unary" : "Ping"
          assert.strictEqual(
            error.message,
            `rpc error: code = 4 desc = rpc timeout: timeout=50ms, to=Shop, method=${method}, location=kitex.rpcTimeoutMW, remote=memory`
          )
          assert.isTrue(error._tag === "RpcError" && error.reason._tag === "RpcTimeout")
        })
      )
    )

    it.effect("a time of zero has passed already", () =>
      inWorld((world) =>
        Effect.gen(function* () {
          const call = yield* caller(kind, { rpcTimeout: 0 })
          const error = yield* Effect.flip(call())
          assert.isTrue(
            error._tag === "RpcError" && error.reason._tag === "RpcTimeout" && error.reason.neverSent === true
          )
          assert.strictEqual(world.calls.length, 0)
        })
      )
    )

    it.effect("the options of a call win over those of its client, an explicit undefined unsets", () =>
      inWorld((world) =>
        Effect.gen(function* () {
          world.steps = ["reject"]
          const call = yield* caller(kind, { retry: Retry.failure({ maxRetries: 1 }) })
          yield* Effect.flip(call())
          assert.strictEqual(world.calls.splice(0).length, 2)
          yield* Effect.flip(call({ retry: Retry.failure({ maxRetries: 3 }) }))
          assert.strictEqual(world.calls.splice(0).length, 4)
          yield* Effect.flip(call({ retry: undefined }))
          assert.strictEqual(world.calls.splice(0).length, 1)
          assert.strictEqual(
            yield* call({
              fallback: Fallback.make({
                onFailure: () => Effect.succeed(kind === "unary" ? new Message({ text: "f" }) : "f")
              })
            }),
            "f"
          )
          const plain = yield* caller(kind, {})
          yield* Effect.flip(plain({ retry: Retry.failure() }))
          assert.strictEqual(world.calls.splice(0).length, 5)
        })
      )
    )

    it.effect("business errors and declared exceptions are not retried, unless asked", () =>
      inWorld((world) =>
        Effect.gen(function* () {
          for (const step of ["biz", "busy", "status"] as const) {
            world.steps = [step, "ok"]
            const call = yield* caller(kind, { retry: Retry.failure() })
            const error = yield* Effect.flip(call())
            assert.strictEqual(error._tag, { biz: "BizStatusError", busy: "Busy", status: "RpcError" }[step])
            assert.strictEqual(world.calls.splice(0).length, 1)
            const asked = yield* caller(kind, { retry: Retry.failure({}, { retryable: () => true }) })
            assert.strictEqual(yield* asked(), "1")
            assert.strictEqual(world.calls.splice(0).length, 2)
          }
          assert.deepStrictEqual(
            world.finished.map(({ attempt, biz, reason }) => [attempt, biz, reason]),
            [
              [0, true, "error"],
              [1, false, "eof"],
              [0, false, "eof"],
              [1, false, "eof"],
              [0, false, "error"],
              [1, false, "eof"]
            ]
          )
        })
      )
    )

    it.effect("hedged attempts run side by side, the losers' handlers are interrupted", () =>
      inWorld((world) =>
        Effect.gen(function* () {
          world.steps = ["stall", "stall", "ok"]
          const call = yield* caller(kind, { retry: Retry.backup({ delay: 20, maxRetries: 2 }) })
          const fiber = yield* Effect.forkChild(call(), { startImmediately: true })
          yield* pass(19)
          assert.deepStrictEqual(world.calls, ["runs"])
          yield* pass(1)
          assert.deepStrictEqual(world.calls, ["runs", "runs"])
          yield* pass(20)
          assert.strictEqual(yield* Fiber.join(fiber), "2")
          yield* pass(1000)
          assert.deepStrictEqual(world.calls, ["interrupted", "interrupted", "ok"])
          assert.deepStrictEqual(world.attempts, [0, 1, 2])
          assert.strictEqual(world.starts, 1)
          assert.deepStrictEqual(world.finished, [
            { attempt: 2, address: "memory", reason: "eof", biz: false, sent: 1 }
          ])
        })
      )
    )

    it.effect("an interruption of the caller interrupts all attempts, and is reported once", () =>
      inWorld((world) =>
        Effect.gen(function* () {
          world.steps = ["stall"]
          const call = yield* caller(kind, { retry: Retry.backup({ delay: 20, maxRetries: 2 }) })
          const fiber = yield* Effect.forkChild(call(), { startImmediately: true })
          yield* pass(25)
          yield* Fiber.interrupt(fiber)
          yield* pass(1000)
          assert.deepStrictEqual(world.calls, ["interrupted", "interrupted"])
          assert.deepStrictEqual(
            world.finished.map(({ attempt, reason }) => [attempt, reason]),
            [[1, "interrupted"]]
          )
        })
      )
    )

    it.effect("every attempt is admitted, goes through middleware, and has an info of its own", () =>
      inWorld((world) =>
        Effect.gen(function* () {
          world.steps = ["reject", "reject", "ok"]
          const admitted: Array<number | undefined> = []
          const ends: Array<string> = []
          const infos: Array<unknown> = []
          const seen: Array<unknown> = []
          const call = yield* caller(kind, {
            retry: timeouts(),
            admission: [
              Admission.make(({ info }) => {
                admitted.push(info.attempt)
                return (end: CallObserver.CallEnd) => void ends.push(end.reason)
              })
            ],
            middleware: [
              Middleware.client((next, info) => {
                infos.push(info)
                seen.push(info.attempt)
                return next
              })
            ]
          })
          assert.strictEqual(yield* call(), "2")
          assert.deepStrictEqual(admitted, [0, 1, 2])
          assert.deepStrictEqual(ends, ["error", "error", "eof"])
          assert.deepStrictEqual(seen, [0, 1, 2])
          assert.strictEqual(new Set(infos).size, 3)
        })
      )
    )

    it.effect("goes to an instance that it has not been to, or else to those that there are", () =>
      inWorld((world) =>
        Effect.gen(function* () {
          world.steps = ["reject"]
          const asked: Array<ReadonlyArray<string>> = []
          const addresses: Array<string> = []
          const endpoints: Endpoints.Endpoints = {
            pick: ({ tried }) => {
              asked.push(tried)
              const address = ["a:1", "b:2"].find((address) => !tried.includes(address))
              if (address !== undefined) addresses.push(address)
              return address
            }
          }
          const call = yield* caller(kind, { endpoints, retry: Retry.failure({ maxRetries: 2 }) })
          yield* Effect.flip(call())
          assert.deepStrictEqual(asked, [[], ["a:1"], ["a:1", "b:2"], []])
          assert.deepStrictEqual(addresses, ["a:1", "b:2", "a:1"])
          // The same where the choice takes an effect.
          addresses.length = 0
          const later = yield* caller(kind, {
            endpoints: { pick: (placing) => Effect.suspend(() => Effect.succeed(endpoints.pick(placing) as string)) },
            retry: Retry.failure({ maxRetries: 2 })
          })
          yield* Effect.flip(later())
          assert.deepStrictEqual(addresses, ["a:1", "b:2", "a:1"])
          assert.deepStrictEqual(
            world.finished.map(({ address }) => address),
            ["a:1", "a:1"]
          )
        })
      )
    )

    it.effect("a hedged attempt goes elsewhere than those that run", () =>
      inWorld((world) =>
        Effect.gen(function* () {
          world.steps = ["stall", "ok"]
          const asked: Array<ReadonlyArray<string>> = []
          const endpoints: Endpoints.Endpoints = {
            pick: ({ tried }) => {
              asked.push(tried)
              return tried.includes("a:1") ? "b:2" : "a:1"
            }
          }
          const call = yield* caller(kind, { endpoints, retry: Retry.backup({ delay: 10 }) })
          const fiber = yield* Effect.forkChild(call(), { startImmediately: true })
          yield* pass(10)
          assert.strictEqual(yield* Fiber.join(fiber), "1")
          assert.deepStrictEqual(asked, [[], ["a:1"]])
          assert.deepStrictEqual(
            world.finished.map(({ address }) => address),
            ["b:2"]
          )
        })
      )
    )

    it.effect("rather where it has been than to one whose breaker is open", () =>
      inWorld((world) =>
        Effect.gen(function* () {
          world.steps = ["reject", "ok"]
          const open = new RpcError.RpcError({
            reason: new RpcError.CircuitOpen({ level: "instance", key: "b:2" }),
            code: 13,
            desc: "forbidden by circuitbreaker: instance circuitbreak"
          })
          const call = yield* caller(kind, {
            endpoints: { pick: ({ tried }) => (tried.length === 0 ? "a:1" : Effect.fail(open)) },
            retry: timeouts()
          })
          assert.strictEqual(yield* call(), "1")
        })
      )
    )

    it.effect("goes to the same instance where it is told to", () =>
      inWorld((world) =>
        Effect.gen(function* () {
          world.steps = ["reject"]
          let picks = 0
          const endpoints: Endpoints.Endpoints = { pick: () => `host:${++picks}` }
          const addresses: Array<string> = []
          const noted = Middleware.client((next, info) =>
            Effect.onExit(next, () => Effect.sync(() => addresses.push(info.address)))
          )
          const call = yield* caller(kind, {
            endpoints,
            middleware: [noted],
            retry: Retry.failure({ maxRetries: 2, sameInstance: true })
          })
          yield* Effect.flip(call())
          assert.deepStrictEqual(addresses, ["host:1", "host:1", "host:1"])
        })
      )
    )

    it.effect("no attempt begins when the deadline of all has no room, which the rpcTimeout of each may not pass", () =>
      inWorld((world) =>
        Effect.gen(function* () {
          world.steps = ["stall"]
          const call = yield* caller(kind, { retry: Retry.failure({ maxRetries: 5 }), rpcTimeout: 40 })
          const fiber = yield* Effect.forkChild(Effect.flip(Deadline.within(call(), 100)), { startImmediately: true })
          yield* pass(99)
          assert.isUndefined(fiber.pollUnsafe())
          yield* pass(1)
          const error = yield* Fiber.join(fiber)
          assert.isTrue(error._tag === "RpcError" && error.reason._tag === "DeadlineExceeded", error.message)
          assert.strictEqual(world.calls.length, 3)
        })
      )
    )

    it.effect("a fallback answers in place of the failure, which RPCFinish reports", () =>
      inWorld((world) =>
        Effect.gen(function* () {
          world.steps = ["status"]
          const requests: Array<unknown> = []
          const answer = kind === "unary" ? new Message({ text: "cached" }) : "cached"
          const handlers: Fallback.Handlers = {
            onFailure: (_failure, { request }) => {
              requests.push(request)
              return Effect.succeed(answer)
            }
          }
          const reported = yield* caller(kind, { fallback: Fallback.make(handlers) })
          assert.strictEqual(yield* reported(), "cached")
          const hidden = yield* caller(kind, { fallback: Fallback.make(handlers, { reportsAnswer: true }) })
          assert.strictEqual(yield* hidden(), "cached")
          assert.deepStrictEqual(
            world.finished.map(({ reason }) => reason),
            ["error", "eof"]
          )
          assert.strictEqual(world.starts, 2)
          // A business error is reported, whatever stands in for it.
          world.steps = ["biz"]
          assert.strictEqual(yield* hidden(), "cached")
          assert.deepStrictEqual(
            world.finished.slice(2).map(({ biz, reason }) => [biz, reason]),
            [[true, "error"]]
          )
          requests.pop()
          const request = kind === "unary" ? new Message({ text: "hi" }) : { text: "hi" }
          assert.deepStrictEqual(requests, [request, request])
        })
      )
    )

    it.effect("a fallback is a part of the call, and its own calls are not", () =>
      inWorld((world) =>
        Effect.gen(function* () {
          world.steps = ["status", "ok"]
          const call = yield* caller(kind, {})
          const fallback = Fallback.make({
            onFailure: () =>
              Effect.map(
                Effect.tap(call(), () => Effect.sync(() => assert.strictEqual(world.finished.length, 1))),
                (text) => (kind === "unary" ? new Message({ text }) : text)
              )
          })
          assert.strictEqual(yield* call({ fallback }), "1")
          assert.deepStrictEqual(
            world.finished.map(({ reason }) => reason),
            ["eof", "error"]
          )
        })
      )
    )

    it.effect("a handler that serves a retry does not retry its own calls", () =>
      inWorld((world) =>
        Effect.gen(function* () {
          world.steps = ["reject"]
          const call = yield* caller(kind, { retry: timeouts() })
          const error = yield* Effect.flip(Metainfo.withPersistentValue(call(), "RetryReq", "1"))
          assert.strictEqual(world.calls.length, 1)
          assert.isTrue(error._tag === "RpcError" && error.desc.includes("[chain stop retry]"), error.message)
        })
      )
    )

    it.effect("the number of retries is the label of Kitex's Prometheus monitor", () =>
      Effect.gen(function* () {
        const world = new World()
        world.steps = ["reject", "ok"]
        const labels = yield* Effect.gen(function* () {
          const call = yield* caller(kind, { retry: timeouts() })
          yield* call()
          yield* call()
          const snapshot = yield* Metric.snapshot
          return snapshot
            .filter(({ id }) => id === "kitex_client_throughput" || id === "kitex_server_throughput")
            .map(({ attributes, id }) => `${id} ${attributes?.["retry"]}`)
            .sort()
        }).pipe(
          Effect.scoped,
          Effect.provide(Layer.provideMerge(world.live, Telemetry.layer({ naming: ["prometheus"] }))),
          Effect.provideService(Metric.MetricRegistry, new Map())
        )
        assert.deepStrictEqual(labels, [
          "kitex_client_throughput 0",
          "kitex_client_throughput 1",
          // Of the success and of the failures.
          "kitex_server_throughput 0",
          "kitex_server_throughput 0"
        ])
      })
    )
  })
}

describe("pingPong", () => {
  it.effect("without a TTHeader the server does not know of retries, which take place all the same", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        world.steps = ["reject", "ok"]
        const client = yield* Client.make(Shop, { transport: "framed", retry: timeouts() })
        assert.strictEqual(yield* client.Ping({ text: "hi" }), "1")
        assert.deepStrictEqual(world.attempts, [0, 0])
      })
    )
  )
})

describe("unary", () => {
  it.effect("tracers hear of one stream, that of the attempt that counted", () =>
    Effect.gen(function* () {
      const world = new World()
      world.steps = ["stall", "ok"]
      const events: Array<string> = []
      const heard = (event: string) => (info: RpcInfo.RpcInfo) => {
        if (info.side === "client") events.push(`${event} ${info.address}`)
      }
      const tracer = RpcTracer.layer({
        streamStart: heard("start"),
        streamRecvHeader: heard("header"),
        streamFinish: heard("finish")
      })
      let picks = 0
      yield* Effect.gen(function* () {
        const client = yield* StreamClient.make(Shop, {
          endpoints: { pick: () => `host:${++picks}` },
          unary: { retry: timeouts(), rpcTimeout: 20 }
        })
        const fiber = yield* Effect.forkChild(client.Unary(new Message({})), { startImmediately: true })
        yield* pass(20)
        yield* Fiber.join(fiber)
      }).pipe(Effect.scoped, Effect.provide(Layer.provideMerge(world.live, tracer)))
      assert.deepStrictEqual(events, ["start host:1", "header host:2", "finish host:2"])
    })
  )

  it.effect("timeout bounds all attempts together", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        world.steps = ["stall"]
        const client = yield* StreamClient.make(Shop, {
          timeout: 100,
          unary: { rpcTimeout: 40, retry: Retry.failure() }
        })
        const call = client.Unary(new Message({}))
        const fiber = yield* Effect.forkChild(Effect.flip(call), { startImmediately: true })
        yield* pass(100)
        const error = yield* Fiber.join(fiber)
        assert.isTrue(error._tag === "RpcError" && error.reason._tag === "DeadlineExceeded")
        assert.strictEqual(world.calls.length, 3)
      })
    )
  )

  it.effect("the time of an attempt covers its middleware", () =>
    inWorld(() =>
      Effect.gen(function* () {
        const slow = Middleware.client((next) => Effect.andThen(Effect.sleep(60), next))
        const client = yield* StreamClient.make(Shop, { middleware: [slow], unary: { rpcTimeout: 50 } })
        const fiber = yield* Effect.forkChild(Effect.flip(client.Unary(new Message({}))), { startImmediately: true })
        yield* pass(50)
        const error = yield* Fiber.join(fiber)
        assert.isTrue(
          error._tag === "RpcError" && error.reason._tag === "RpcTimeout" && error.reason.neverSent === true
        )
      })
    )
  )

  it.effect("the smaller of rpcTimeout and what is left is sent", () =>
    inWorld(() =>
      Effect.gen(function* () {
        const sent: Array<number | undefined> = []
        const noted = Middleware.client((next) =>
          Effect.andThen(
            Effect.map(Deadline.remaining, (left) => void sent.push(left)),
            next
          )
        )
        const client = yield* StreamClient.make(Shop, { middleware: [noted], unary: { rpcTimeout: 50 } })
        yield* client.Unary(new Message({}))
        yield* client.Unary(new Message({}), { timeout: 20 })
        yield* client.Unary(new Message({}), { rpcTimeout: 70 })
        assert.deepStrictEqual(sent, [50, 20, 70])
      })
    )
  )
})
