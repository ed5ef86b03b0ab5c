import { assert, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Layer, Logger, Metric, Scheduler, Schema, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { BizStatusError, RpcError } from "../src/index.ts"
import { FaultPlan, Recorder, StreamScript } from "../src/testing/index.ts"
import { clientOf, settle, type TestHandlers, told } from "./support/client.ts"
import { Request, Response, TestService } from "./support/echo.ts"
import { spies } from "./support/spies.ts"
import { StreamClient, Testing } from "./support/over.ts"

const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** What a handler does, whatever its mode. */
const Behaviour = Schema.Literals(["echo", "never", "endless", "fail", "biz", "die", "early", "fork"])
type Behaviour = (typeof Behaviour)["Type"]

const refusal = new BizStatusError.BizStatusError({ statusCode: 7, statusMessage: "no" })
const failure = new RpcError.RpcError({ reason: new RpcError.Status(), code: 5, desc: "nf" })
const tick = new Response({ message: "tick" })

const handlersOf = (behaviour: Behaviour, running: { count: number }): TestHandlers => {
  const counted = <A, E, R>(stream: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
    Stream.unwrap(
      Effect.sync(() => {
        running.count++
        return Stream.onExit(stream, () => Effect.sync(() => void running.count--))
      })
    )
  const stream = (requests: Stream.Stream<Request, RpcError.RpcError>): Stream.Stream<Response, never> => {
    switch (behaviour) {
      case "echo":
        return Stream.map(requests, ({ message }) => new Response({ message })) as never
      case "never":
        return Stream.never
      case "endless":
        return Stream.fromEffectRepeat(Effect.as(Effect.sleep(7), tick))
      case "fail":
        return Stream.concat(Stream.make(tick), Stream.fail(failure)) as never
      case "biz":
        return Stream.fail(refusal) as never
      case "die":
        return Stream.concat(Stream.make(tick), Stream.die("boom"))
      case "early":
        return Stream.make(tick, tick)
      case "fork":
        return Stream.fromEffect(Effect.andThen(Effect.forkChild(Effect.never), Effect.as(Effect.sleep(30), tick)))
    }
  }
  const first = (requests: Stream.Stream<Request, RpcError.RpcError>): Effect.Effect<Response, never> =>
    Effect.map(Stream.runHead(counted(stream(requests))), (head) => (head._tag === "Some" ? head.value : tick))
  return {
    ...({} as TestHandlers),
    Echo: (requests) => counted(stream(requests)),
    EchoClient: first,
    EchoServer: (request) => counted(stream(Stream.make(request))),
    EchoUnary: (request) => first(Stream.make(request)),
    EchoPingPong: () => Effect.never,
    Ping: () => Effect.never,
    Log: () => Effect.never
  }
}

const Plan = Schema.Struct({
  mode: Schema.Literals(["bidirectional", "client", "server", "unary", "streams", "take"]),
  behaviour: Behaviour,
  faults: FaultPlan.FaultPlan,
  ending: Schema.Literals(["end", "end", "interrupt", "fail"]),
  interruptAt: int(0, 200),
  timeout: Schema.optionalKey(int(0, 200)),
  recvTimeout: Schema.optionalKey(int(1, 100)),
  sendTimeout: Schema.optionalKey(int(1, 100)),
  sendBufferLimit: int(1, 3000),
  /** How many do it at once, on one connection. */
  clients: int(1, 3),
  /** Whether the server may see the stream before the client goes on. */
  patient: Schema.Boolean
})
type Plan = (typeof Plan)["Type"]

type Script = StreamScript.StreamScript<Request>

const [echo] = TestService.methods

/** One client that behaves as the plan says. */
const behave = (
  client: StreamClient.StreamClient<typeof TestService>,
  plan: Plan,
  script: Script
): Effect.Effect<unknown, unknown> => {
  const { recvTimeout, sendTimeout, timeout } = plan
  const options = { recvTimeout, sendTimeout, ...(timeout === undefined ? undefined : { timeout }) }
  const request = new Request({ message: "x" })
  const requests = Stream.fromIterable(script).pipe(
    Stream.mapEffect((action) =>
      action._tag === "Sleep" ? Effect.as(Effect.sleep(action.millis), request) : Effect.succeed(request)
    )
  )
  const scripted = (handle: StreamScript.Handle<Request, Response>) =>
    Effect.gen(function* () {
      if (plan.patient) yield* settle
      yield* StreamScript.run(handle, script)
      if (plan.ending === "fail") return yield* Effect.fail("enough")
    })
  switch (plan.mode) {
    case "bidirectional":
      return Effect.scoped(Effect.flatMap(client.Echo.open(options), scripted))
    case "client":
      return Effect.scoped(Effect.flatMap(client.EchoClient.open(options), scripted))
    case "server":
      return Effect.scoped(Effect.flatMap(client.EchoServer.open(request, options), scripted))
    case "unary":
      return client.EchoUnary(request, options)
    case "streams":
      return client.EchoClient(
        plan.ending === "fail" ? Stream.concat(requests, Stream.fail("enough")) : requests,
        options
      )
    case "take":
      return Stream.runDrain(Stream.take(client.Echo(requests, options), 2))
  }
}

it.effect.prop(
  "any script under any faults: one start and one finish a side, and nothing is left",
  [Plan, StreamScript.schema(echo!)],
  ([plan, script]) =>
    Effect.gen(function* () {
      spies.connections.clear()
      spies.timers.clear()
      const running = { count: 0 }
      const fibers = { count: 0 }
      const recorder = yield* Recorder.make
      const scope = yield* Scope.make()
      const everything = Testing.layer([TestService], {
        faults: plan.faults,
        transport: {
          client: { sendBufferLimit: plan.sendBufferLimit, settingsTimeout: "1 second" },
          server: { sendBufferLimit: plan.sendBufferLimit }
        }
      }).pipe(Layer.provide(TestService.toLayer(handlersOf(plan.behaviour, running))), Layer.provide(recorder.layer))
      const run = Effect.gen(function* () {
        const context = yield* Layer.buildWithScope(everything, scope)
        const client = yield* StreamClient.make(TestService).pipe(
          Effect.provide(Context.merge(context, Context.make(Scope.Scope, scope))),
          Effect.provide(recorder.layer)
        )
        const fiber = yield* Effect.forkChild(
          Effect.forEach(Array.from({ length: plan.clients }), () => Effect.exit(behave(client, plan, script)), {
            concurrency: "unbounded"
          }),
          { startImmediately: true }
        )
        if (plan.ending === "interrupt") {
          yield* settle
          yield* TestClock.adjust(plan.interruptAt)
          yield* Fiber.interrupt(fiber)
        } else if (plan.mode !== "bidirectional" && plan.mode !== "client" && plan.mode !== "server") {
          // These wait for the server as long as it likes.
          yield* settle
          yield* TestClock.adjust("10 minutes")
          yield* Fiber.interrupt(fiber)
        }
        for (let i = 0; i < 20 && fiber.pollUnsafe() === undefined; i++) {
          yield* settle
          yield* TestClock.adjust("1 minute")
        }
        const exit = fiber.pollUnsafe()
        assert.isDefined(exit, "the client does not come to an end")
        if (exit !== undefined && Exit.isSuccess(exit)) {
          for (const one of exit.value) assert.notMatch(told(one), /^defect/)
        }
        yield* settle
        assert.strictEqual(recorder.client.starts.length, plan.clients)
        assert.strictEqual(recorder.client.finishes.length, plan.clients)
        yield* TestClock.adjust("10 minutes")
        yield* settle
        assert.strictEqual(recorder.client.finishes.length, plan.clients)
        const whole = plan.faults.toServer.stallAt === undefined
        if (whole) {
          assert.strictEqual(recorder.server.finishes.length, recorder.server.starts.length)
          assert.strictEqual(running.count, 0, "handlers that still run")
        }
        for (const connection of spies.connections) {
          if (whole || connection.role === "client") assert.strictEqual(connection.active, 0, "active streams")
        }
        for (const timers of spies.timers) if (whole) assert.strictEqual(timers.size, 0, "timers")
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
      assert.isAtMost(recorder.server.starts.length, plan.clients)
      assert.strictEqual(recorder.server.finishes.length, recorder.server.starts.length)
      assert.strictEqual(running.count, 0)
      assert.strictEqual(fibers.count, 0, "fibers")
    }),
  { arbitrary: { runs: 300 }, timeout: 60_000 }
)

it.effect("a call that has ended keeps no timer, though its scope is open and its deadline far", () =>
  Effect.gen(function* () {
    spies.timers.clear()
    const client = yield* clientOf(
      {
        Echo: (requests) => Stream.map(requests, ({ message }) => new Response({ message })),
        EchoUnary: () => Effect.succeed(tick),
        EchoServer: () => Stream.fail(refusal)
      },
      { client: { timeout: "1 hour", recvTimeout: "1 minute" } }
    )
    const sizes = () => [...spies.timers].map(({ size }) => size)
    yield* client.EchoUnary(new Request())
    yield* settle
    assert.deepStrictEqual(sizes(), [0, 0])
    const stream = yield* client.Echo.open()
    assert.deepStrictEqual(sizes(), [1, 0])
    yield* stream.closeSend
    yield* Effect.flip(stream.recv)
    yield* Effect.flip((yield* client.EchoServer.open(new Request())).recv)
    yield* (yield* client.Echo.open()).cancel
    yield* settle
    assert.deepStrictEqual(sizes(), [0, 0])
  })
)

it.effect("a call that is interrupted between any two of its steps leaves no stream open", () =>
  Effect.gen(function* () {
    for (const warm of [true, false]) {
      for (const mode of ["unary", "open"] as const) {
        // On until it has come all the way a few times.
        let arrived = 0
        for (let round = 0; arrived < 36; round++) {
          // Each number of steps with each place to give way.
          const steps = Math.floor(round / 3)
          assert.isBelow(steps, 1000)
          spies.connections.clear()
          const recorder = yield* Recorder.make
          yield* Effect.gen(function* () {
            const client = yield* clientOf({
              Echo: () => Stream.never,
              EchoClient: () => Effect.succeed(tick),
              EchoUnary: () => Effect.never
            })
            if (warm) yield* client.EchoClient(Stream.empty)
            // In the scope of this test: only what the interrupted call itself has cleaned up counts.
            const scope = yield* Scope.make()
            const call =
              mode === "unary"
                ? client.EchoUnary(new Request())
                : Effect.scoped(Effect.andThen(client.Echo.open(), Effect.never))
            const fiber = yield* Effect.forkChild(
              Effect.provideService(
                Effect.provideService(call, Scope.Scope, scope),
                Scheduler.MaxOpsBeforeYield,
                3 + (round % 3)
              )
            )
            for (let i = 0; i < steps; i++) yield* Effect.yieldNow
            if (recorder.server.starts.length === (warm ? 2 : 1)) arrived++
            yield* Fiber.interrupt(fiber)
            yield* settle
            for (const connection of spies.connections) {
              assert.strictEqual(
                connection.active,
                0,
                `${connection.role}, ${mode}, ${warm ? "warm" : "cold"}, step ${steps}`
              )
            }
            assert.strictEqual(recorder.client.finishes.length, recorder.client.starts.length)
            // The next call does not wait for what the interrupted one has begun.
            yield* client.EchoClient(Stream.empty)
          }).pipe(Effect.scoped, Effect.provide(recorder.layer))
        }
      }
    }
  })
)
