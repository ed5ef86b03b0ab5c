import { assert, describe, it } from "@effect/vitest"
import { Thrift } from "@millrace/codec"
import { MemoryTransport } from "@millrace/transport"
import { Effect, Exit, Layer, Logger } from "effect"
import {
  Admission,
  type CallPolicy,
  Client,
  Metainfo,
  Method,
  Middleware,
  RpcTracer,
  Server,
  Service
} from "../src/index.ts"
import { StreamClient } from "./support/over.ts"

class Text extends Thrift.Struct<Text>("policy.Text")({ text: Thrift.optional(1, Thrift.String) }) {}
class Echo extends Service.make("Echo", {
  package: "policy",
  methods: [
    Method.unary("Ask", { request: Text, response: Text }),
    Method.pingPong("Say", { arguments: { text: Thrift.field(1, Thrift.String) }, response: Thrift.String })
  ]
}) {}

const world = () => {
  const attempts: Array<number | undefined> = []
  const finished: Array<number | undefined> = []
  const logged: Array<unknown> = []
  const live = Server.layer([Echo], {
    admission: [
      Admission.make(({ info }) => {
        attempts.push(info.attempt)
        return () => {}
      })
    ]
  }).pipe(
    Layer.provide(Echo.toLayer({ Ask: Effect.succeed, Say: ({ text }) => Effect.succeed(text) })),
    Layer.provideMerge(MemoryTransport.layer),
    Layer.provideMerge(
      RpcTracer.layer({
        finish: ({ info }) =>
          Effect.sync(() => {
            if (info.side === "client") finished.push(info.attempt)
          })
      })
    ),
    Layer.provideMerge(Logger.layer([Logger.make(({ message }) => void logged.push(message))]))
  )
  return { attempts, finished, logged, live }
}

const twice: CallPolicy.CallPolicy = { run: (attempt) => Effect.andThen(attempt(0), attempt(1)) }

describe("attempts at the server", () => {
  it.effect("are what the persistent metainfo says, over every transport", () => {
    const { attempts, live } = world()
    return Effect.gen(function* () {
      const streams = yield* StreamClient.make(Echo)
      const calls = yield* Client.make(Echo)
      for (const value of ["1", "7", "999", "0", "-1", "1000", "x", "1e3"]) {
        for (const call of [streams.Ask(new Text({})), calls.Say({ text: "" })]) {
          yield* Metainfo.withPersistentValue(call as Effect.Effect<unknown, Error>, "RetryReq", value)
        }
      }
      assert.deepStrictEqual(
        attempts,
        [1, 7, 999, 1, 1, 1, 1, 1].flatMap((n) => [n, n])
      )
      yield* Metainfo.withValue(calls.Say({ text: "" }), "RetryReq", "3")
      yield* calls.Say({ text: "" })
      assert.deepStrictEqual(attempts.slice(16), [0, 0])
    }).pipe(Effect.scoped, Effect.provide(live))
  })

  it.effect("of a policy are told without a word in the log", () => {
    const { attempts, live, logged } = world()
    return Effect.gen(function* () {
      const streams = yield* StreamClient.make(Echo, { unary: { retry: twice } })
      yield* streams.Ask(new Text({}))
      assert.deepStrictEqual(attempts, [0, 1])
      assert.deepStrictEqual(logged, [])
    }).pipe(Effect.scoped, Effect.provide(live))
  })
})

describe("policies of a user's own", () => {
  it.effect("may look at the request, and at the info that RPCFinish reports", () => {
    const { finished, live } = world()
    const seen: Array<unknown> = []
    const looks: CallPolicy.CallPolicy = {
      run: (attempt, info) => {
        seen.push(info.method, info.request, info.address, info.attempt)
        return Effect.tap(twice.run(attempt, info), () => Effect.sync(() => seen.push(info.address)))
      }
    }
    return Effect.gen(function* () {
      const calls = yield* Client.make(Echo, { retry: looks })
      assert.strictEqual(yield* calls.Say({ text: "a" }), "a")
      assert.deepStrictEqual(seen, ["Say", { text: "a" }, "", undefined, ""])
      assert.deepStrictEqual(finished, [1])
    }).pipe(Effect.scoped, Effect.provide(live))
  })

  it.effect("may answer without an attempt, fail or die: the call is over and reported once", () => {
    const { attempts, finished, live } = world()
    return Effect.gen(function* () {
      const calls = yield* Client.make(Echo)
      const answered = yield* calls.Say({ text: "a" }, { retry: { run: () => Effect.succeed("b") } })
      assert.strictEqual(answered, "b")
      const dead = yield* Effect.exit(
        calls.Say(
          { text: "a" },
          {
            retry: {
              run: () => {
                throw new Error("mine")
              }
            }
          }
        )
      )
      assert.isTrue(Exit.isFailure(dead) && Exit.hasDies(dead))
      assert.deepStrictEqual(attempts, [])
      assert.strictEqual(finished.length, 2)
    }).pipe(Effect.scoped, Effect.provide(live))
  })

  it.effect("a call without policies has no attempt, nor have calls that unset them", () => {
    const { finished, live } = world()
    const infos: Array<boolean> = []
    const noted = Middleware.client((next, info) => {
      infos.push("attempt" in info)
      return next
    })
    return Effect.gen(function* () {
      const streams = yield* StreamClient.make(Echo, { middleware: [noted], unary: { rpcTimeout: "1 second" } })
      const calls = yield* Client.make(Echo, { middleware: [noted], rpcTimeout: "1 second", retry: twice })
      yield* streams.Ask(new Text({}), { rpcTimeout: undefined })
      yield* calls.Say({ text: "" }, { retry: undefined, rpcTimeout: "2 seconds" })
      assert.deepStrictEqual(infos, [false, false])
      assert.deepStrictEqual(finished, [undefined, undefined])
      yield* streams.Ask(new Text({}))
      yield* calls.Say({ text: "" })
      assert.deepStrictEqual(infos, [false, false, true, true, true])
      assert.deepStrictEqual(finished, [undefined, undefined, 0, 1])
    }).pipe(Effect.scoped, Effect.provide(live))
  })
})
