import { assert, describe, it } from "@effect/vitest"
import { Transport } from "@millrace/transport"
import { Context, Effect, Exit, Fiber } from "effect"
import {
  BizStatusError,
  Client,
  type ClientOptions,
  Deadline,
  Middleware,
  RpcError,
  RpcTracer
} from "../../src/index.ts"
import { Timers } from "../../src/internal/timers.ts"
import { pass, settle, told } from "../support/client.ts"
import { Busy, Request, Response, wrapped } from "../support/echo.ts"
import { EchoService, ended, FakeCalls } from "../support/fakeCalls.ts"

/** All timers of clients that armed one. */
const timers = new Set<Timers>()
const arm = Timers.prototype.arm
Timers.prototype.arm = function (...args) {
  timers.add(this)
  return arm.apply(this, args)
}
const armed = () => [...timers].reduce((sum, { size }) => sum + size, 0)

const hi = { req: new Request({ message: "hi" }) }
const empty = Uint8Array.of(0)
/** The declared exception of Echo, in its result struct. */
const busy = Uint8Array.of(12, 0, 1, 8, 0, 1, 0, 0, 0, 7, 0, 0)

const refused = new BizStatusError.BizStatusError({ statusCode: 403, statusMessage: "no" })

/** A middleware that writes down when it is entered and left. */
const marked = (log: Array<string>, name: string) =>
  Middleware.client((next) =>
    Effect.suspend(() => {
      log.push(`${name} in`)
      return Effect.onExit(next, (exit) => Effect.sync(() => void log.push(`${name} ${exit._tag}`)))
    })
  )

/** Calls that answer by themselves. */
const answering = (answer: (call: FakeCalls["last"]) => void) => {
  const fake = new FakeCalls()
  fake.onSend = (call) => queueMicrotask(() => answer(call))
  return fake
}
const echoing = () => answering((call) => (call.oneway ? call.sent() : call.reply(wrapped("yo", 0))))

describe("order", () => {
  it.effect("first in the list is outermost, around the choice of an instance", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const fake = echoing()
      const send = fake.onSend!
      fake.onSend = (call) => (log.push(`send ${call.target.address}`), send(call))
      const client = yield* fake
        .client({
          middleware: [
            marked(log, "a"),
            Middleware.builder(() => [marked(log, "b"), Middleware.recvPlain(() => (m) => m)])
          ],
          instanceMiddleware: [
            marked(log, "c"),
            Middleware.client((next, info) => Effect.tap(next, () => Effect.sync(() => log.push(`at ${info.address}`))))
          ],
          endpoints: { pick: ({ info }) => (log.push(`pick ${info.method}`), "b:2") },
          metaHandlers: [
            {
              writeMeta: (_, info) => void log.push(`write ${info.address}`),
              readMeta: (meta) => void log.push(`read ${meta.get("x")}`)
            },
            { writeMeta: () => void log.push("write 2"), readMeta: () => void log.push("read 2") }
          ]
        })
        .pipe(
          Effect.provide(
            RpcTracer.layer({
              start: () => Effect.sync(() => void log.push("start")),
              finish: ({ reason, sendCount, recvCount }) =>
                Effect.sync(() => void log.push(`finish ${reason} ${sendCount}/${recvCount}`))
            })
          )
        )
      fake.onSend = (call) => {
        log.push(`send ${call.target.address}`)
        queueMicrotask(() => call.reply(wrapped("yo", 0), { x: "1" }))
      }
      assert.strictEqual((yield* client.Echo(hi)).message, "yo")
      assert.deepStrictEqual(log, [
        "start",
        "a in",
        "b in",
        "pick Echo",
        "c in",
        "write b:2",
        "write 2",
        "send b:2",
        "read 1",
        "read 2",
        "at b:2",
        "c Success",
        "b Success",
        "a Success",
        "finish eof 1/1"
      ])
    })
  )

  it.effect("a builder runs once, and sees side, service and options", () =>
    Effect.gen(function* () {
      const setups: Array<Middleware.Setup> = []
      const fake = echoing()
      const client = yield* fake.client({
        callerName: "me",
        middleware: [Middleware.builder((setup) => (setups.push(setup), []))]
      })
      yield* client.Echo(hi)
      yield* client.Log({ line: "x" })
      assert.strictEqual(setups.length, 1)
      assert.deepStrictEqual(
        [setups[0]!.side, setups[0]!.services, setups[0]!.options["callerName"]],
        ["client", [EchoService], "me"]
      )
    })
  )
})

describe("answers", () => {
  it.effect("without the network", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client({
        middleware: [
          Middleware.clientFor(EchoService, "Echo", (_, { req }) =>
            Effect.succeed(new Response({ message: `not ${req.message}` }))
          )
        ]
      })
      assert.deepStrictEqual(yield* client.Echo(hi), new Response({ message: "not hi" }))
      assert.deepStrictEqual([fake.targets.length, fake.leased], [0, 0])
      // The others go on as ever.
      yield* ended(client.Ping({}), () => fake.last.reply(empty))
      yield* ended(client.Log({ line: "x" }), () => fake.last.sent())
      assert.strictEqual(fake.calls.length, 2)
    })
  )

  it.effect("see and change the request and the response", () =>
    Effect.gen(function* () {
      const fake = echoing()
      const seen: Array<unknown> = []
      const append = (what: string) =>
        Middleware.clientFor(EchoService, "Echo", (next, { req }) => {
          seen.push(req.message)
          return Effect.map(
            next({ req: new Request({ message: `${req.message}${what}` }) }),
            (response) => new Response({ message: `${response.message}${what}` })
          )
        })
      const client = yield* fake.client({ middleware: [append("1"), append("2")] })
      assert.strictEqual((yield* client.Echo(hi)).message, "yo21")
      assert.deepStrictEqual(seen, ["hi", "hi1"])
      assert.deepStrictEqual(fake.last.bytes, [...wrapped("hi12")])
    })
  )

  it.effect("each attempt has the request that it was given, also side by side", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client({
        middleware: [
          Middleware.clientFor(EchoService, "Echo", (next) =>
            Effect.map(
              Effect.all(
                ["a", "b"].map((message) => next({ req: new Request({ message }) })),
                { concurrency: 2 }
              ),
              ([one, other]) => new Response({ message: `${one!.message}${other!.message}` })
            )
          ),
          // Looks at the request only later.
          Middleware.client((next) => Effect.andThen(Effect.yieldNow, next)),
          Middleware.clientFor(EchoService, "Echo", (next, { req }) =>
            next({ req: new Request({ message: `${req.message}!` }) })
          )
        ]
      })
      const response = yield* ended(client.Echo(hi), () => {
        fake.calls[0]!.reply(wrapped("1", 0))
        fake.calls[1]!.reply(wrapped("2", 0))
      })
      assert.strictEqual(response.message, "12")
      assert.deepStrictEqual(
        fake.calls.map(({ bytes }) => bytes),
        [[...wrapped("a!")], [...wrapped("b!")]]
      )
    })
  )

  it.effect("a declared exception is an answer for whoever is around, and an error for clientFor and the caller", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const fake = answering((call) => call.reply(busy))
      const client = yield* fake.client({
        middleware: [
          marked(log, "around"),
          Middleware.clientFor(EchoService, "Echo", (next, request) =>
            Effect.tapError(next(request), (error) => Effect.sync(() => void log.push(`for ${error._tag}`)))
          )
        ]
      })
      const error = yield* Effect.flip(client.Echo(hi))
      assert.isTrue(error instanceof Busy && error.retryAfter === 7)
      assert.deepStrictEqual(log, ["around in", "for Busy", "around Success"])
    })
  )

  it.effect("clientFor may fail with a declared exception, or recover from one", () =>
    Effect.gen(function* () {
      const fake = answering((call) => call.reply(busy))
      const log: Array<string> = []
      const throwing = yield* fake.client({
        middleware: [
          marked(log, "around"),
          Middleware.clientFor(EchoService, "Echo", () => Effect.fail(new Busy({ retryAfter: 3 })))
        ]
      })
      const error = yield* Effect.flip(throwing.Echo(hi))
      assert.isTrue(error instanceof Busy && error.retryAfter === 3)
      assert.deepStrictEqual([log, fake.calls.length], [["around in", "around Success"], 0])
      const calm = yield* fake.client({
        middleware: [
          Middleware.clientFor(EchoService, "Echo", (next, request) =>
            Effect.catchTag(next(request), "Busy", ({ retryAfter }) =>
              Effect.succeed(new Response({ message: `in ${retryAfter}` }))
            )
          )
        ]
      })
      assert.strictEqual((yield* calm.Echo(hi)).message, "in 7")
    })
  )

  it.effect("of methods without a result, and oneway", () =>
    Effect.gen(function* () {
      const fake = answering((call) => (call.oneway ? call.sent() : call.reply(empty)))
      const lines: Array<unknown> = []
      const values: Array<unknown> = []
      const client = yield* fake.client({
        missingResult: "fail",
        middleware: [
          Middleware.client((next) => Effect.tap(next, (value) => Effect.sync(() => values.push(value)))),
          Middleware.clientFor(EchoService, "Log", (next, { line }) => {
            lines.push(line)
            return next({ line: `${line}!` })
          })
        ]
      })
      assert.strictEqual(yield* client.Ping({}), undefined)
      assert.strictEqual(yield* client.Log({ line: "x" }), undefined)
      assert.deepStrictEqual(lines, ["x"])
      assert.deepStrictEqual(fake.last.bytes, [11, 0, 1, 0, 0, 0, 2, 120, 33, 0])
      assert.deepStrictEqual(values, [{}, {}])
      // An answer that lacks its result is missing outside of the chain.
      assert.strictEqual(told(yield* Effect.exit(client.Echo(hi))), "Status: rpc error: code = 5 desc = missing result")
      assert.strictEqual(values.length, 3)
    })
  )
})

describe("business errors", () => {
  const strings = { "biz-status": "404", "biz-message": "not found" }

  it.effect("fail next, and are in info.bizError", () =>
    Effect.gen(function* () {
      const fake = answering((call) => call.reply(empty, strings))
      const seen: Array<unknown> = []
      const client = yield* fake.client({
        middleware: [
          Middleware.client((next, info) =>
            Effect.tapError(next, (error) => Effect.sync(() => void seen.push(error, info.bizError)))
          )
        ]
      })
      const error = yield* Effect.flip(client.Echo(hi))
      assert.isTrue(error instanceof BizStatusError.BizStatusError && error.statusCode === 404)
      assert.deepStrictEqual(
        seen.map((each) => each === error),
        [true, true]
      )
    })
  )

  it.effect("of middleware too; one that was recovered from is none", () =>
    Effect.gen(function* () {
      const fake = answering((call) => call.reply(empty, strings))
      const ends: Array<readonly [RpcTracer.RpcFinish, unknown]> = []
      const recording = RpcTracer.layer({
        finish: (event) => Effect.sync(() => void ends.push([event, event.info.bizError]))
      })
      const refusing = yield* Effect.provide(
        fake.client({ middleware: [Middleware.client(() => Effect.fail(refused))] }),
        recording
      )
      assert.strictEqual(yield* Effect.flip(refusing.Echo(hi)), refused)
      const calm = yield* Effect.provide(
        fake.client({
          middleware: [
            Middleware.clientFor(EchoService, "Echo", (next, request) =>
              Effect.catchTag(next(request), "BizStatusError", () => Effect.succeed(new Response({})))
            )
          ]
        }),
        recording
      )
      yield* calm.Echo(hi)
      assert.deepStrictEqual(
        ends.map(([event, biz]) => [event.reason, Exit.isSuccess(event.exit), event.bizError, biz]),
        [
          ["error", true, refused, refused],
          ["eof", true, undefined, undefined]
        ]
      )
    })
  )
})

describe("failures", () => {
  it.effect("forget a business error that middleware has not answered with", () =>
    Effect.gen(function* () {
      const fake = answering((call) => call.reply(empty, { "biz-status": "404" }))
      const ends: Array<unknown> = []
      const client = yield* fake
        .client({
          rpcTimeout: "1 second",
          middleware: [Middleware.client((next) => Effect.catchTag(next, "BizStatusError", () => Effect.never))]
        })
        .pipe(
          Effect.provide(
            RpcTracer.layer({
              finish: ({ bizError, info }) => Effect.sync(() => void ends.push(bizError, info.bizError))
            })
          )
        )
      const fiber = yield* Effect.forkChild(Effect.exit(client.Echo(hi)), { startImmediately: true })
      yield* pass(1000)
      assert.match(told(yield* Fiber.join(fiber)), /^RpcTimeout/)
      assert.deepStrictEqual(ends, [undefined, undefined])
    })
  )

  const boom = new RpcError.RpcError({
    reason: new RpcError.Rejected({ limit: "mine" }),
    code: 8,
    desc: "too many",
    method: "EchoService.Echo"
  })
  const failing = (middleware: Middleware.ClientMiddleware) =>
    Effect.gen(function* () {
      const fake = echoing()
      const ends: Array<string> = []
      const log: Array<string> = []
      const client = yield* fake.client({ middleware: [marked(log, "outer"), middleware] }).pipe(
        Effect.provide(
          RpcTracer.layer({
            finish: ({ exit, reason }) => Effect.sync(() => void ends.push(`${reason} ${told(exit)}`))
          })
        )
      )
      const exit = yield* Effect.exit(client.Echo(hi))
      return { exit: told(exit), ends, log, calls: fake.calls.length }
    })

  it.effect("an error is the error of the call", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* failing(Middleware.client(() => Effect.fail(boom))), {
        exit: "Rejected: rpc error: code = 8 desc = too many",
        ends: ["error Rejected: rpc error: code = 8 desc = too many"],
        log: ["outer in", "outer Failure"],
        calls: 0
      })
    })
  )

  it.effect("a defect and a throw are defects of the call", () =>
    Effect.gen(function* () {
      const expected = (calls: number) => ({
        exit: "defect: Error: mine",
        ends: ["error defect: Error: mine"],
        log: ["outer in", "outer Failure"],
        calls
      })
      const thrower = Middleware.client(() => {
        throw new Error("mine")
      })
      assert.deepStrictEqual(yield* failing(thrower), expected(0))
      assert.deepStrictEqual(yield* failing(Middleware.client(() => Effect.die(new Error("mine")))), expected(0))
      const behind = Middleware.client((next) => Effect.andThen(next, Effect.die(new Error("mine"))))
      assert.deepStrictEqual(yield* failing(behind), expected(1))
      const forOne = Middleware.clientFor(EchoService, "Echo", () => {
        throw new Error("mine")
      })
      assert.deepStrictEqual(yield* failing(forOne), expected(0))
    })
  )

  it.effect("an interruption in each step leaves nothing behind", () =>
    Effect.gen(function* () {
      for (const where of ["before", "call", "behind", "instance", "pick"]) {
        const fake = new FakeCalls()
        const log: Array<string> = []
        const held = (step: string) => (where === step ? Effect.never : Effect.void)
        const client = yield* fake.client({
          endpoints: { pick: () => Effect.as(held("pick"), "a:1") },
          rpcTimeout: "1 minute",
          middleware: [
            marked(log, "m"),
            Middleware.client((next) =>
              held("before").pipe(
                Effect.andThen(next),
                Effect.tap(() => held("behind")),
                Effect.onInterrupt(() => Effect.sync(() => void log.push("interrupted")))
              )
            )
          ],
          instanceMiddleware: [Middleware.client((next) => Effect.andThen(held("instance"), next))]
        })
        const fiber = yield* Effect.forkChild(client.Echo(hi), { startImmediately: true })
        yield* settle
        if (where === "behind") fake.last.reply(wrapped("yo", 0))
        yield* settle
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(told(yield* Fiber.await(fiber)), "interrupted", where)
        assert.deepStrictEqual(log, ["m in", "interrupted", "m Failure"], where)
        assert.deepStrictEqual(
          fake.calls.map(({ abandoned }) => abandoned),
          where === "call" ? [1] : where === "behind" ? [0] : [],
          where
        )
        assert.strictEqual(armed(), 0, where)
      }
    })
  )
})

describe("running next", () => {
  it.effect("twice makes two calls, each with its choice of an instance", () =>
    Effect.gen(function* () {
      let sent = 0
      const fake = answering((call) => (sent++ === 0 ? call.exception(6, "try again") : call.reply(wrapped("yo", 0))))
      const addresses: Array<string> = []
      const ends: Array<RpcTracer.RpcFinish> = []
      const client = yield* fake
        .client({
          hostPorts: ["a:1", "b:2"],
          middleware: [
            Middleware.client((next, info) =>
              Effect.retry(
                Effect.onExit(next, () => Effect.sync(() => void addresses.push(info.address))),
                { times: 3 }
              )
            )
          ]
        })
        .pipe(Effect.provide(RpcTracer.layer({ finish: (event) => Effect.sync(() => void ends.push(event)) })))
      assert.strictEqual((yield* client.Echo(hi)).message, "yo")
      assert.deepStrictEqual(addresses, ["a:1", "b:2"])
      assert.deepStrictEqual(
        fake.calls.map(({ target }) => target.address),
        ["a:1", "b:2"]
      )
      const { recvBytes, recvCount, sendBytes, sendCount } = ends[0]!
      const size = wrapped("hi").length
      assert.deepStrictEqual(
        [ends.length, sendCount, recvCount, sendBytes, recvBytes],
        [1, 2, 2, 2 * size, 20 + wrapped("yo", 0).length]
      )
    })
  )

  it.effect("again after a business error forgets that one", () =>
    Effect.gen(function* () {
      let sent = 0
      const fake = answering((call) =>
        sent++ === 0 ? call.reply(empty, { "biz-status": "1" }) : call.reply(wrapped("yo", 0))
      )
      const seen: Array<unknown> = []
      const client = yield* fake.client({
        middleware: [
          Middleware.client((next, info) =>
            Effect.tap(Effect.retry(next, { times: 1 }), () => Effect.sync(() => void seen.push(info.bizError)))
          )
        ]
      })
      yield* client.Echo(hi)
      assert.deepStrictEqual(seen, [undefined])
    })
  )

  it.effect("the loser of a race is abandoned", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client({ middleware: [Middleware.client((next) => Effect.race(next, next))] })
      const response = yield* ended(client.Echo(hi), () => fake.calls[1]!.reply(wrapped("second", 0)))
      assert.strictEqual(response.message, "second")
      assert.deepStrictEqual(
        fake.calls.map(({ abandoned }) => abandoned),
        [1, 0]
      )
    })
  )

  it.effect("a finalizer of the scope runs when the call is over", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const fake = echoing()
      const client = yield* fake.client({
        middleware: [
          marked(log, "outer"),
          Middleware.client((next) =>
            Effect.andThen(
              Effect.addFinalizer((exit) => Effect.sync(() => void log.push(`closed ${exit._tag}`))),
              next
            )
          )
        ]
      })
      yield* client.Echo(hi)
      assert.deepStrictEqual(log, ["outer in", "outer Success", "closed Success"])
    })
  )
})

class Tenant extends Context.Service<Tenant, { readonly name: string }>()("test/Tenant") {}

describe("context", () => {
  const named = (names: Array<string>) =>
    Middleware.client((next) =>
      Effect.flatMap(Tenant, ({ name }) => {
        names.push(name)
        return next
      })
    )

  it.effect("is that of the client's making behind that of the fiber", () =>
    Effect.gen(function* () {
      const names: Array<string> = []
      const fake = echoing()
      const client = yield* Client.make(EchoService, { hostPorts: ["a:1"], middleware: [named(names)] }).pipe(
        Effect.provideService(Transport.ClientTransport, fake.transport),
        Effect.provideService(Tenant, { name: "maker" })
      )
      yield* client.Echo(hi)
      yield* Effect.provideService(client.Echo(hi), Tenant, { name: "caller" })
      yield* Effect.provideService(client.Echo(hi, { rpcTimeout: "1 second" }), Tenant, { name: "in time" })
      assert.deepStrictEqual(names, ["maker", "caller", "in time"])
    })
  )

  it.effect("of a tracer's start is in force for middleware", () =>
    Effect.gen(function* () {
      const names: Array<string> = []
      const fake = echoing()
      const client = yield* Client.make(EchoService, { hostPorts: ["a:1"], middleware: [named(names)] }).pipe(
        Effect.provideService(Transport.ClientTransport, fake.transport),
        Effect.provideService(Tenant, { name: "maker" }),
        Effect.provide(RpcTracer.layer({ start: () => Effect.succeed(Context.make(Tenant, { name: "tracer" })) }))
      )
      yield* client.Echo(hi)
      assert.deepStrictEqual(names, ["tracer"])
    })
  )
})

describe("rpcTimeout", () => {
  it.effect("covers middleware, before and behind the call", () =>
    Effect.gen(function* () {
      for (const where of ["before", "behind"]) {
        const fake = echoing()
        const log: Array<string> = []
        const slow = Effect.sleep("10 seconds")
        const ends: Array<string> = []
        const options: ClientOptions.ClientOptions = {
          rpcTimeout: "1 second",
          middleware: [
            marked(log, "m"),
            Middleware.client((next) =>
              where === "before" ? Effect.andThen(slow, next) : Effect.tap(next, () => slow)
            )
          ]
        }
        const client = yield* Effect.provide(
          fake.client(options),
          RpcTracer.layer({
            finish: ({ exit, reason }) => Effect.sync(() => void ends.push(`${reason} ${told(exit)}`))
          })
        )
        const fiber = yield* Effect.forkChild(Effect.exit(client.Echo(hi)), { startImmediately: true })
        yield* pass(999)
        assert.strictEqual(fiber.pollUnsafe(), undefined, where)
        yield* pass(1)
        const outcome = told(yield* Fiber.join(fiber))
        assert.strictEqual(
          outcome,
          where === "before"
            ? "RpcTimeout: rpc error: code = 4 desc = rpc timeout: timeout=1s, to=EchoService, method=Echo, location=kitex.rpcTimeoutMW, before a connection was there"
            : "RpcTimeout: rpc error: code = 4 desc = rpc timeout: timeout=1s, to=EchoService, method=Echo, location=kitex.rpcTimeoutMW, remote=a:1"
        )
        // Middleware is interrupted, and cannot turn the end of the time into an answer.
        assert.deepStrictEqual(log, ["m in", "m Failure"], where)
        assert.deepStrictEqual(ends, [`error ${outcome}`])
        assert.strictEqual(fake.calls.length, where === "before" ? 0 : 1)
      }
    })
  )

  it.effect("is one for all attempts, and is told to the server as it was set", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client({
        rpcTimeout: "1 second",
        middleware: [Middleware.client((next) => Effect.retry(next, { times: 10 }))]
      })
      const fiber = yield* Effect.forkChild(Effect.exit(client.Echo(hi)), { startImmediately: true })
      yield* pass(600)
      fake.last.exception(6, "again")
      yield* settle
      assert.deepStrictEqual(
        fake.calls.map(({ ints }) => ints[12]),
        ["1000", "1000"]
      )
      yield* pass(399)
      assert.strictEqual(fiber.pollUnsafe(), undefined)
      yield* pass(1)
      assert.match(told(yield* Fiber.join(fiber)), /^RpcTimeout: .*timeout=1s.*remote=a:1$/)
      assert.deepStrictEqual([fake.calls.length, fake.last.abandoned], [2, 1])
    })
  )

  it.effect("is not for middleware to answer, also when calls end in one moment", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client({
        rpcTimeout: "1 second",
        middleware: [
          Middleware.clientFor(EchoService, "Echo", (next, request) =>
            Effect.catchTag(next(request), "RpcError", () => Effect.succeed(new Response({ message: "recovered" })))
          )
        ]
      })
      const calls = Effect.all(
        [1, 2, 3].map(() => Effect.exit(client.Echo(hi))),
        { concurrency: 3 }
      )
      const fiber = yield* Effect.forkChild(calls, { startImmediately: true })
      yield* pass(1000)
      for (const exit of yield* Fiber.join(fiber)) assert.match(told(exit), /^RpcTimeout/)
    })
  )

  it.effect("is told as it was set where it ends before the deadline, also late in the call", () =>
    Effect.gen(function* () {
      const fake = echoing()
      const client = yield* fake.client({
        rpcTimeout: "1 second",
        middleware: [Middleware.client((next) => Effect.delay(next, "400 millis"))]
      })
      const call = client.Echo(hi).pipe(Deadline.within("1200 millis"))
      const fiber = yield* Effect.forkChild(call, { startImmediately: true })
      yield* pass(400)
      yield* Fiber.join(fiber)
      assert.strictEqual(fake.last.ints[12], "1000")
      assert.strictEqual(armed(), 0)
    })
  )

  it.effect("leaves an interruption of middleware's own what it is", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client({
        rpcTimeout: "1 second",
        middleware: [Middleware.client(() => Effect.interrupt)]
      })
      assert.strictEqual(told(yield* Effect.exit(client.Echo(hi))), "interrupted")
      assert.strictEqual(armed(), 0)
    })
  )

  it.effect("waits for the finalizers of middleware", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const log: Array<string> = []
      const client = yield* fake.client({
        rpcTimeout: "1 second",
        middleware: [
          Middleware.client((next) =>
            Effect.ensuring(
              next,
              Effect.andThen(
                Effect.sleep("50 millis"),
                Effect.sync(() => void log.push("cleaned"))
              )
            )
          )
        ]
      })
      const fiber = yield* Effect.forkChild(Effect.exit(client.Echo(hi)), { startImmediately: true })
      yield* pass(1000)
      assert.strictEqual(fiber.pollUnsafe(), undefined)
      yield* pass(50)
      assert.match(told(yield* Fiber.join(fiber)), /^RpcTimeout/)
      assert.deepStrictEqual(log, ["cleaned"])
    })
  )

  it.effect("a deadline covers middleware too, and one that middleware sets covers the attempt", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const client = yield* fake.client({
        middleware: [
          Middleware.client((next) =>
            next.pipe(
              Deadline.within("100 millis"),
              Effect.catchTag("RpcError", () => Effect.never)
            )
          )
        ]
      })
      const call = client.Echo(hi).pipe(Deadline.within("1 second"))
      const fiber = yield* Effect.forkChild(Effect.exit(call), { startImmediately: true })
      yield* pass(100)
      assert.deepStrictEqual([fake.last.abandoned, fake.last.ints[12]], [1, "100"])
      assert.strictEqual(fiber.pollUnsafe(), undefined)
      yield* pass(900)
      assert.strictEqual(
        told(yield* Fiber.join(fiber)),
        "DeadlineExceeded: rpc error: code = 4 desc = context deadline exceeded"
      )
    })
  )

  it.effect("that has passed runs no middleware", () =>
    Effect.gen(function* () {
      const fake = new FakeCalls()
      const log: Array<string> = []
      const client = yield* fake.client({ rpcTimeout: 0, middleware: [marked(log, "m")] })
      assert.match(told(yield* Effect.exit(client.Echo(hi))), /^RpcTimeout/)
      assert.deepStrictEqual([log, fake.targets], [[], []])
    })
  )
})
