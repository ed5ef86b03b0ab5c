import { assert, it } from "@effect/vitest"
import { type RawCall, Transport } from "@millrace/transport"
import { Context, Effect, Exit, Fiber, Layer, Logger, Metric, Schema, Scope } from "effect"
import { TestClock } from "effect/testing"
import { BizStatusError, Client, type Handlers, RpcError } from "../../src/index.ts"
import { Timers } from "../../src/internal/timers.ts"
import { FaultPlan, Recorder } from "../../src/testing/index.ts"
import { settle, told } from "../support/client.ts"
import { Busy, Request, Response } from "../support/echo.ts"
import { EchoService } from "../support/fakeCalls.ts"
import { Testing } from "../support/over.ts"

const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** One call: when it is made, what its handler does and when, and what ends it early. */
const Call = Schema.Struct({
  at: int(0, 100),
  handler: Schema.Literals(["echo", "echo", "large", "busy", "biz", "fail", "die", "never", "log"]),
  takes: int(0, 60),
  rpcTimeout: Schema.optionalKey(int(1, 120)),
  interruptAfter: Schema.optionalKey(int(0, 80))
})
type Call = (typeof Call)["Type"]

const Plan = Schema.Struct({
  transport: Schema.Literals(["buffered", "framed", "ttheader", "ttheader-framed"]),
  connection: Schema.Literals(["auto", "auto", "pooled", "short", "multiplexed"]),
  calls: Schema.Array(Call).check(Schema.isMinLength(2), Schema.isMaxLength(12)),
  faults: FaultPlan.FaultPlan,
  /** Connections that break or fall silent are the minority. */
  whole: Schema.Boolean
})

type EchoHandlers = Handlers.Handlers<(typeof EchoService)["methods"], never>

/** Does what the text of the request says, and marks the answer with its number. */
const handlersOf = (running: { count: number }): EchoHandlers => ({
  Ping: () => Effect.void,
  Log: ({ line }) => act(running, line),
  Echo: ({ req }) => act(running, req.message!),
  EchoUnary: () => Effect.never
})

const act = (running: { count: number }, text: string): Effect.Effect<Response, never> => {
  const [id, handler, takes] = text.split(" ") as [string, Call["handler"], string]
  const outcome = (): Effect.Effect<Response, unknown> => {
    switch (handler) {
      case "echo":
      case "log":
        return Effect.succeed(new Response({ message: id }))
      case "large":
        return Effect.succeed(new Response({ message: `${id} ${"x".repeat(3000)}` }))
      case "busy":
        return Effect.fail(new Busy({ retryAfter: Number(id) }))
      case "biz":
        return Effect.fail(new BizStatusError.BizStatusError({ statusCode: 7, statusMessage: `of ${id}` }))
      case "fail":
        return Effect.fail(new RpcError.RpcError({ reason: new RpcError.Status(), code: 5, desc: `of ${id}` }))
      case "die":
        return Effect.die(`of ${id}`)
      case "never":
        return Effect.never
    }
  }
  return Effect.suspend(() => {
    running.count++
    return Effect.ensuring(
      Effect.andThen(Effect.sleep(Number(takes)), Effect.suspend(outcome)),
      Effect.sync(() => void running.count--)
    )
  }) as never
}

/** What a call that was answered must have come to. */
const expected = (id: number, { handler }: Call, header: boolean): string => {
  switch (handler) {
    case "echo":
      return `${id}`
    case "large":
      return `${id} ${"x".repeat(3000)}`
    case "busy":
      return `Busy of ${id}`
    case "biz":
      return header ? `BizStatusError: biz error: code=7, msg=of ${id}` : "nothing"
    case "fail":
      return `Status: rpc error: code = 5 desc = of ${id} [biz error]`
    case "die":
      return `Status: rpc error: code = 6 desc = panic: [happened in biz handler, method=EchoService.Echo, please check the panic at the server side] of ${id}`
    case "never":
      return "no answer"
    case "log":
      return "nothing"
  }
}

const seen = (exit: Exit.Exit<Response | void, unknown>): string => {
  if (Exit.isSuccess(exit)) return exit.value?.message ?? "nothing"
  const reason = exit.cause.reasons[0]!
  return reason._tag === "Fail" && reason.error instanceof Busy ? `Busy of ${reason.error.retryAfter}` : told(exit)
}

/** A client's transport that counts what becomes of leases, and refuses a second end of one. */
const counted = (transport: Transport.ClientTransport["Service"]) => {
  const counts = { leased: 0, ended: 0 }
  const wrap = (lease: RawCall.CallLease): RawCall.CallLease => {
    counts.leased++
    let used = false
    const use = () => {
      assert.isFalse(used, "a lease is used once")
      used = true
      counts.ended++
    }
    return {
      peer: lease.peer,
      release: () => {
        use()
        lease.release()
      },
      send: (call) => {
        use()
        return lease.send(call)
      }
    }
  }
  const wrapped = Transport.ClientTransport.of({
    ...transport,
    tryLease: (target) => {
      const lease = transport.tryLease(target)
      return lease === undefined ? undefined : wrap(lease)
    },
    lease: (target) => Effect.map(transport.lease(target), wrap)
  })
  return { counts, wrapped }
}

const timers = new Set<Timers>()
const arm = Timers.prototype.arm
Timers.prototype.arm = function (...args) {
  timers.add(this)
  return arm.apply(this, args)
}

it.effect.prop(
  "any schedule of calls under any faults: each gets its own answer or a typed error, one start and one finish, and nothing is left",
  [Plan],
  ([{ calls, connection, faults, transport, whole }]) =>
    Effect.gen(function* () {
      timers.clear()
      const { split: inPieces = [4000], delay: inDelay = 0 } = faults.toServer
      const { split: outPieces = [4000], delay: outDelay = 0 } = faults.toClient
      const lossless = {
        toServer: { split: inPieces, delay: inDelay },
        toClient: { split: outPieces, delay: outDelay }
      }
      const running = { count: 0 }
      const fibers = { count: 0 }
      const recorder = yield* Recorder.make
      const scope = yield* Scope.make()
      const run = Effect.gen(function* () {
        const everything = Testing.layer([EchoService], { faults: whole ? lossless : faults }).pipe(
          Layer.provide(EchoService.toLayer(handlersOf(running))),
          Layer.provide(recorder.layer)
        )
        const context = yield* Layer.buildWithScope(everything, scope)
        const { counts, wrapped } = counted(Context.get(context, Transport.ClientTransport))
        const client = yield* Client.make(EchoService, { transport, connection }).pipe(
          Effect.provideService(Transport.ClientTransport, wrapped),
          Effect.provideService(Scope.Scope, scope),
          Effect.provide(recorder.layer)
        )
        const one = Effect.fnUntraced(function* (call: Call, id: number) {
          yield* Effect.sleep(call.at)
          const text = `${id} ${call.handler} ${call.takes}`
          const options = call.rpcTimeout === undefined ? {} : { rpcTimeout: call.rpcTimeout }
          const fiber = yield* Effect.forkChild(
            call.handler === "log"
              ? client.Log({ line: text }, options)
              : client.Echo({ req: new Request({ message: text }) }, options),
            { startImmediately: true }
          )
          if (call.interruptAfter !== undefined) {
            yield* Effect.sleep(call.interruptAfter)
            yield* Fiber.interrupt(fiber)
          }
          return seen(yield* Fiber.await(fiber))
        })
        const all = yield* Effect.forEach(calls, (call, id) => Effect.forkChild(one(call, id)))
        for (let i = 0; i < 60; i++) {
          yield* settle
          yield* TestClock.adjust(5)
        }
        // Nothing ends a call without a timeout whose connection is silent.
        yield* TestClock.adjust("1 minute")
        yield* settle
        for (const [id, fiber] of all.entries()) {
          const call = calls[id]!
          const where = `call ${id}, ${call.handler}`
          const exit = fiber.pollUnsafe()
          if (exit === undefined) {
            assert.isTrue(call.handler === "never" || !whole, `${where} does not end`)
            assert.isUndefined(call.rpcTimeout, where)
            assert.isUndefined(call.interruptAfter, where)
            yield* Fiber.interrupt(fiber)
            continue
          }
          const outcome = Exit.isSuccess(exit) ? exit.value : assert.fail(told(exit))
          if (outcome === expected(id, call, transport.startsWith("ttheader"))) continue
          if (outcome === "interrupted") assert.isDefined(call.interruptAfter, where)
          else if (outcome.startsWith("RpcTimeout")) assert.isDefined(call.rpcTimeout, where)
          else {
            assert.isFalse(whole, `${where}: ${outcome}`)
            assert.match(outcome, /^Unavailable: /, where)
          }
        }
        yield* TestClock.adjust("10 minutes")
        yield* settle
        assert.strictEqual(recorder.client.starts.length, calls.length)
        assert.strictEqual(recorder.client.finishes.length, calls.length)
        assert.strictEqual(counts.ended, counts.leased, "leases that are held")
        for (const { size } of timers) if (whole) assert.strictEqual(size, 0, "timers")
        // On a connection that is shared, as `auto` comes to do, a server may never hear that nobody waits.
        const heard =
          connection === "pooled" || connection === "short" || calls.every(({ handler }) => handler !== "never")
        if (whole && heard) {
          assert.strictEqual(recorder.server.finishes.length, recorder.server.starts.length)
          assert.strictEqual(running.count, 0, "handlers that still run")
        }
        yield* Scope.close(scope, Exit.void)
        yield* settle
      }).pipe(
        Effect.provideService(Metric.FiberRuntimeMetrics, {
          recordFiberStart: () => void fibers.count++,
          recordFiberEnd: () => void fibers.count--
        } as Metric.FiberRuntimeMetricsService),
        // The defects of handlers are logged, which is right and not of interest here.
        Effect.provide(Logger.layer([]))
      )
      yield* run
      assert.strictEqual(recorder.server.finishes.length, recorder.server.starts.length)
      assert.strictEqual(running.count, 0)
      assert.strictEqual(fibers.count, 0, "fibers")
    }),
  { arbitrary: { runs: 120 }, timeout: 60_000 }
)
