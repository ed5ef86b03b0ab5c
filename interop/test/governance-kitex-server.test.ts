/** What our clients do when a real Kitex server is slow, gone or failing: budgets, breakers, retries. */
import { assert, describe, layer } from "@effect/vitest"
import { CircuitBreaker, Discovery, Fallback, LoadBalancer, Resolver, Retry } from "@millrace/governance"
import { Client, RpcError, StreamClient } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import { Duration, Effect, Exit, Layer, Logger, Scope, Stream } from "effect"
import { InteropService, Request, Response } from "../src/api.ts"
import { CallsService } from "../src/calls.ts"
import { goAvailable } from "./go.ts"
import { endingKitexServer, Kitex, kitexServer } from "./peers.ts"

const say = (message: string, count?: number, key?: string) => ({ req: new Request({ message, count, key }) })

/** An error as a test names it: reason, code, text. */
const told = (error: unknown): ReadonlyArray<unknown> =>
  error instanceof RpcError.RpcError ? [error.reason._tag, error.code, error.desc] : [error]

/** How the server says that a stream ended. */
const serverSaw = Effect.fnUntraced(function* (address: string, key: string) {
  const client = yield* Client.make(CallsService, { hostPorts: [address] })
  return (yield* client.Call(say("seen", undefined, key))).message
})

const opened = ["CircuitOpen", 13, "forbidden by circuitbreaker: service circuitbreak"]

/** Starts a server at a port that another one had. */
const again = (address: string) => kitexServer("--port", address.split(":")[1]!)

describe.skipIf(!goAvailable())("our client, Kitex server: governance", () => {
  layer(Layer.mergeAll(Kitex.layer, NodeTransport.layerClient, Logger.layer([])), {
    excludeTestServices: true,
    timeout: "5 minutes"
  })((it) => {
    it.effect("a server that stands still: connecting ends within its budget, and another one is taken", () =>
      Effect.gen(function* () {
        const good = yield* Kitex
        const still = yield* endingKitexServer()
        yield* still.signal("SIGSTOP")
        // the kernel takes connections for it, so the dial succeeds, and its SETTINGS do not come
        const alone = yield* StreamClient.make(InteropService, { hostPorts: [still.address] })
        const [took, error] = yield* Effect.timed(Effect.flip(alone.Unary(new Request({ message: "hi" }))))
        assert.deepStrictEqual(told(error).slice(0, 2), ["ConnectTimeout", 14], String(error))
        assert.isBelow(Duration.toMillis(took), 2000)
        // the budget of a call is for all of connecting
        const hurried = yield* StreamClient.make(InteropService, { hostPorts: [still.address], connectTimeout: 50 })
        const late = yield* Effect.flip(hurried.Unary(new Request({ message: "hi" })))
        assert.include(String(late), "50ms")
        const both = yield* StreamClient.make(InteropService, { hostPorts: [still.address, good] })
        for (let i = 0; i < 4; i++) {
          const answer = yield* Stream.runHead(both.Bidi(Stream.make(new Request({ message: "where" }))))
          assert.strictEqual(answer._tag === "Some" && answer.value.message, good)
        }
        // a call has a connection, and waits for an answer that does not come
        const calls = yield* Client.make(CallsService, { hostPorts: [still.address], rpcTimeout: 200 })
        assert.deepStrictEqual(told(yield* Effect.flip(calls.Call(say("hi")))).slice(0, 1), ["RpcTimeout"])
      }).pipe(Effect.provide(NodeTransport.layerClientWith({ settingsTimeout: 200 })))
    )

    it.effect("a deadline ends the stream on both sides", () =>
      Effect.gen(function* () {
        const address = yield* Kitex
        const client = yield* StreamClient.make(InteropService, { hostPorts: [address] })
        const key = `deadline-${process.pid}`
        const error = yield* Effect.flip(
          Stream.runDrain(
            client.Bidi(Stream.concat(Stream.make(new Request({ message: "wait", key })), Stream.never), {
              timeout: 150
            })
          )
        )
        assert.deepStrictEqual(told(error).slice(0, 2), ["DeadlineExceeded", 4])
        // its own clock, or our reset
        assert.match(
          String(yield* serverSaw(address, key)),
          /context deadline exceeded|^rpc error: code = 1 desc = transport/
        )
      })
    )

    it.effect("one message that is late ends the stream, and the server hears of it", () =>
      Effect.gen(function* () {
        const address = yield* Kitex
        const client = yield* StreamClient.make(InteropService, { hostPorts: [address] })
        const key = `recv-${process.pid}`
        const stream = yield* client.Bidi.open({ recvTimeout: 100 })
        yield* stream.send(new Request({ message: "wait", key }))
        assert.deepStrictEqual(told(yield* Effect.flip(stream.recv)).slice(0, 2), ["RecvTimeout", 17])
        assert.match(String(yield* serverSaw(address, key)), /cancel/i)
      })
    )

    it.effect("or ends nothing, and comes later", () =>
      Effect.gen(function* () {
        const client = yield* StreamClient.make(InteropService, { hostPorts: [yield* Kitex] })
        const stream = yield* client.Bidi.open({ recvTimeout: 100, recvTimeoutCancels: false })
        yield* stream.send(new Request({ message: "sleep", count: 250 }))
        assert.deepStrictEqual(told(yield* Effect.flip(stream.recv)).slice(0, 2), ["RecvTimeout", 17])
        assert.deepStrictEqual(told(yield* Effect.flip(stream.recv)).slice(0, 2), ["RecvTimeout", 17])
        yield* Effect.sleep("100 millis")
        assert.strictEqual((yield* stream.recv)?.message, "sleep")
        yield* stream.send(new Request({ message: "hi" }))
        assert.strictEqual((yield* stream.recv)?.message, "hi")
      })
    )

    it.effect("a breaker opens when the server is gone, and closes when it is back: calls and streams", () =>
      Effect.gen(function* () {
        const life = yield* Scope.make()
        const address = yield* Scope.provide(kitexServer(), life)
        const breaker = yield* CircuitBreaker.make({ minSample: 10, coolingTimeout: "300 millis", detectTimeout: 20 })
        const states: Array<string> = []
        yield* Effect.forkScoped(
          Stream.runForEach(breaker.states, ({ key, to }) => Effect.sync(() => void states.push(`${key} ${to}`))),
          { startImmediately: true }
        )
        const options = { hostPorts: [address], callerName: "us", admission: [breaker.admission] }
        const calls = yield* Client.make(CallsService, options)
        const streams = yield* StreamClient.make(InteropService, options)
        const call = Effect.asVoid(calls.Call(say("hi")))
        const stream = Stream.runDrain(streams.Bidi(Stream.make(new Request({ message: "hi" }))))
        for (const attempt of [call, stream]) yield* attempt
        yield* Scope.close(life, Exit.void)
        for (const attempt of [call, stream]) {
          // the one that was well counts too
          for (let i = 0; i < 9; i++) {
            assert.deepStrictEqual(told(yield* Effect.flip(attempt)).slice(0, 2), ["Unavailable", 14], `${i}`)
          }
          assert.deepStrictEqual(told(yield* Effect.flip(attempt)), opened)
        }
        yield* again(address)
        assert.deepStrictEqual(told(yield* Effect.flip(call)), opened)
        yield* Effect.sleep("320 millis")
        for (const attempt of [call, stream]) {
          yield* attempt
          yield* Effect.sleep("30 millis")
          yield* attempt
          for (let i = 0; i < 5; i++) yield* attempt
        }
        yield* Effect.sleep("20 millis")
        const call3 = ["open", "halfOpen", "closed"].map((state) => `us/CallsService/Call ${state}`)
        const stream3 = ["open", "halfOpen", "closed"].map((state) => `us/InteropService/Bidi ${state}`)
        assert.sameMembers(states, [...call3, ...stream3])
      })
    )

    it.effect("a breaker of instances: one that is gone is asked no more, and no call fails", () =>
      Effect.gen(function* () {
        const good = yield* Kitex
        const life = yield* Scope.make()
        const gone = yield* Scope.provide(kitexServer(), life)
        yield* Scope.close(life, Exit.void)
        const breakers = yield* CircuitBreaker.instances({ minSample: 5 })
        const client = yield* StreamClient.make(InteropService, {
          destService: "interop",
          endpoints: Discovery.endpoints({
            balancer: LoadBalancer.weightedRoundRobin,
            instanceBreaker: breakers
          })
        }).pipe(Effect.provide(Resolver.layerStatic({ interop: [good, gone] })))
        for (let i = 0; i < 20; i++) {
          assert.strictEqual((yield* client.Unary(new Request({ message: "where" }))).message, good)
        }
        assert.strictEqual(breakers.state(gone), "open")
        assert.strictEqual(breakers.state(good), "closed")
      })
    )

    it.effect("a server that fails twice is called three times, and told so", () =>
      Effect.gen(function* () {
        const address = yield* Kitex
        const retry = Retry.failure(
          { maxRetries: 2 },
          { retryable: (failure) => failure instanceof RpcError.RpcError && failure.code === 1000 }
        )
        const calls = yield* Client.make(CallsService, { hostPorts: [address], retry })
        const { message } = yield* calls.Call(say("fail-first", 2, `call-${process.pid}`))
        assert.strictEqual(message, "attempt 3, a retry: true")
        const error = yield* Effect.flip(calls.Call(say("fail-first", 3, `more-${process.pid}`)))
        assert.deepStrictEqual(told(error).slice(1), [1000, "retry [biz error]"])
        const streams = yield* StreamClient.make(InteropService, { hostPorts: [address], unary: { retry } })
        const answer = yield* streams.Unary(new Request({ message: "fail-first", count: 2, key: `u-${process.pid}` }))
        // HTTP/2 has no capitals in names, and Kitex looks for `RetryReq`: it does not know retries of its own there either
        assert.strictEqual(answer.message, "attempt 3, a retry: false")
      })
    )

    it.effect("a server that is slow once: called again after a timeout, or beside the first call", () =>
      Effect.gen(function* () {
        const hostPorts = [yield* Kitex]
        const later = yield* Client.make(CallsService, { hostPorts, rpcTimeout: 150, retry: Retry.failure() })
        const key = (name: string) => `${name}-slow-${process.pid}`
        assert.strictEqual((yield* later.Call(say("sleep-first", 1, key("call")))).message, "attempt 2, a retry: true")
        const unary = yield* StreamClient.make(InteropService, {
          hostPorts,
          unary: { rpcTimeout: 150, retry: Retry.failure() }
        })
        assert.strictEqual(
          (yield* unary.Unary(new Request({ message: "sleep-first", count: 1, key: key("unary") }))).message,
          "attempt 2, a retry: false"
        )
        const beside = yield* Client.make(CallsService, { hostPorts, retry: Retry.backup({ delay: "50 millis" }) })
        const [took, answer] = yield* Effect.timed(beside.Call(say("sleep-first", 1, key("backup"))))
        assert.strictEqual(answer.message, "attempt 2, a retry: true")
        assert.isBelow(Duration.toMillis(took), 390)
      })
    )

    it.effect("a fallback answers in place of a server that is slow, and of nothing else", () =>
      Effect.gen(function* () {
        const fallback = Fallback.forService(CallsService, {
          Call: {
            onFailure: (failure, { request }) =>
              failure._tag === "RpcError"
                ? Effect.succeed(new Response({ message: `${request.req.message} of before` }))
                : undefined
          }
        })
        const client = yield* Client.make(CallsService, { hostPorts: [yield* Kitex], rpcTimeout: 100, fallback })
        assert.strictEqual((yield* client.Call(say("sleep", 300))).message, "sleep of before")
        assert.strictEqual((yield* client.Call(say("hi"))).message, "hi")
        const refused = yield* Effect.flip(client.Call(say("biz")))
        assert.strictEqual(refused._tag, "BizStatusError")
      })
    )
  })
})
