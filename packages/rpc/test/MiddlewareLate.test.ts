import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Stream } from "effect"
import { MetaHandler, Middleware, RpcError, RpcTracer } from "../src/index.ts"
import { clientOf, only, pass, recorded, settle } from "./support/client.ts"
import { Request, Response, TestService } from "./support/echo.ts"
import { Testing } from "./support/over.ts"

const refusal = new RpcError.RpcError({ reason: new RpcError.Status({}), code: 7, desc: "no" })
const request = new Request({ message: "m" })
const late = "a middleware ran next when its call had ended already"

/** Answers by itself, and runs `next` ten milliseconds later. */
const later = (fibers: Array<Fiber.Fiber<unknown, unknown>>) =>
  Middleware.client((next) =>
    Effect.gen(function* () {
      fibers.push(yield* Effect.forkDetach(Effect.delay(next, 10)))
      return yield* refusal
    })
  )

const textOf = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "success"

describe("a client middleware that runs next when the call has ended", () => {
  for (const call of ["Echo", "EchoUnary", "EchoPingPong"] as const) {
    it.effect(`dies, and reaches nobody: ${call}`, () =>
      Effect.gen(function* () {
        const fibers: Array<Fiber.Fiber<unknown, unknown>> = []
        const middleware = [later(fibers)]
        const { client, recorder } = yield* recorded({}, { client: { middleware }, pingPong: { middleware } })
        const calls: Readonly<Record<typeof call, Effect.Effect<unknown, unknown>>> = {
          Echo: Effect.scoped(client.Echo.open()),
          EchoUnary: client.EchoUnary(request),
          EchoPingPong: client.EchoPingPong({ req: request })
        }
        assert.isTrue(Exit.isFailure(yield* Effect.exit(calls[call])))
        yield* pass(20)
        assert.include(textOf(yield* Fiber.await(fibers[0]!)), `TestService.${call}: ${late}`)
        assert.deepStrictEqual(
          recorder.client.events.map(({ hook }) => hook),
          ["start", "finish"]
        )
        assert.lengthOf(recorder.server.starts, 0)
      })
    )
  }

  it.effect("a stream that comes when the call has ended is closed at once, and nobody is told of it", () =>
    Effect.gen(function* () {
      const middleware = [
        Middleware.client((next) =>
          Effect.gen(function* () {
            yield* Effect.forkDetach(next, { startImmediately: true })
            return yield* refusal
          })
        )
      ]
      const metaHandlers = [MetaHandler.make({ onConnectStream: (next) => Effect.delay(next, 10) })]
      const { client, recorder } = yield* recorded(
        { Echo: () => Stream.never },
        { client: { middleware, metaHandlers } }
      )
      assert.isTrue(Exit.isFailure(yield* Effect.exit(Effect.scoped(client.Echo.open()))))
      yield* pass(20)
      assert.deepStrictEqual(
        recorder.client.events.map(({ hook }) => hook),
        ["start", "finish"]
      )
      // Its headers may not even have gone out.
      assert.strictEqual(recorder.server.finishes.length, recorder.server.starts.length)
    })
  )
})

describe("a server middleware that runs next when the call has ended", () => {
  for (const call of ["EchoServer", "EchoUnary", "EchoPingPong"] as const) {
    it.effect(`dies, and no handler runs: ${call}`, () =>
      Effect.gen(function* () {
        let fiber: Fiber.Fiber<unknown, unknown> | undefined
        let handled = 0
        const middleware = [
          Middleware.server((next) =>
            Effect.map(Effect.forkDetach(Effect.delay(next, 10)), (forked) => void (fiber = forked))
          )
        ]
        const answer = () => Effect.sync(() => new Response({ message: `${handled++}` }))
        const { client, recorder } = yield* recorded(
          { EchoServer: () => Stream.fromEffect(answer()), EchoUnary: answer, EchoPingPong: answer },
          { server: { middleware } }
        )
        const calls = {
          EchoServer: Stream.runDrain(client.EchoServer(request)),
          EchoUnary: client.EchoUnary(request),
          EchoPingPong: client.EchoPingPong({ req: request })
        }
        yield* Effect.exit(calls[call])
        yield* pass(20)
        assert.include(textOf(yield* Fiber.await(fiber!)), `TestService.${call}: ${late}`)
        assert.strictEqual(handled, 0)
        assert.strictEqual(recorder.server.events.at(-1)!.hook, "finish")
      })
    )
  }

  it.effect("tracers hear nothing of a handler that outlives its call", () =>
    Effect.gen(function* () {
      let ended = false
      const middleware = [
        Middleware.server((next) => Effect.asVoid(Effect.forkDetach(next, { startImmediately: true })))
      ]
      const { client, recorder } = yield* recorded(
        {
          Echo: () =>
            Stream.fromEffect(Effect.as(Effect.sleep(10), new Response({ message: "late" }))).pipe(
              Stream.onExit(() => Effect.sync(() => (ended = true)))
            )
        },
        { server: { middleware } }
      )
      yield* Stream.runDrain(client.Echo(Stream.never))
      yield* pass(20)
      assert.isTrue(ended)
      assert.deepStrictEqual(
        recorder.server.events.map(({ hook }) => hook),
        ["start", "streamStart", "handlerStart", "streamFinish", "finish"]
      )
    })
  )
})

describe("tracers whose start takes its time on a server", () => {
  for (const call of ["Echo", "EchoPingPong"] as const) {
    it.effect(`all start, and all finish, whatever interrupts the call: ${call}`, () =>
      Effect.gen(function* () {
        const log: Array<string> = []
        const tell = (line: string) => Effect.sync(() => void log.push(line))
        const tracers = RpcTracer.layer(
          {
            start: ({ side }) => (side === "client" ? Effect.void : Effect.delay(tell("one starts"), 100)),
            finish: ({ info }) => (info.side === "client" ? Effect.void : tell("one finishes"))
          },
          {
            start: ({ side }) => (side === "client" ? Effect.void : tell("two starts")),
            finish: ({ info }) => (info.side === "client" ? Effect.void : tell("two finishes"))
          }
        )
        const client = yield* Effect.provide(
          clientOf({ Echo: () => Stream.never, EchoPingPong: () => Effect.never }, { pingPong: { rpcTimeout: 20 } }),
          tracers
        )
        const calls = {
          Echo: Effect.scoped(
            Effect.flatMap(client.Echo.open(), (stream) => Effect.andThen(Effect.sleep(20), stream.cancel))
          ),
          EchoPingPong: Effect.asVoid(Effect.exit(client.EchoPingPong({ req: request })))
        }
        const fiber = yield* Effect.forkChild(calls[call], { startImmediately: true })
        yield* pass(300, 10)
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(log, ["one starts", "two starts", "two finishes", "one finishes"])
      })
    )
  }
})

describe("the one request of server streaming", () => {
  const operations = ["recv", "cancel", "finish", "header", "trailer"] as const
  const opened = (middleware: ReadonlyArray<Middleware.ClientMiddleware>) =>
    Effect.gen(function* () {
      const client = yield* Testing.client(
        TestService,
        only({ EchoServer: ({ message }) => Stream.make(new Response({ message })) }),
        { client: { middleware } }
      )
      const fiber = yield* Effect.forkChild(Stream.runCollect(client.EchoServer(request)), { startImmediately: true })
      yield* settle
      const exit = fiber.pollUnsafe()
      return exit !== undefined && Exit.isSuccess(exit) ? exit.value.map(({ message }) => message) : []
    })

  for (const kept of operations) {
    it.effect(`goes to the stream that the handle is made of, of which it has ${kept}`, () =>
      Effect.gen(function* () {
        const decorated = Middleware.stream((next) =>
          Effect.gen(function* () {
            const first = yield* next
            yield* next
            const again = <A, E>(self: Effect.Effect<A, E>) => Effect.andThen(Effect.void, self)
            return {
              ...first,
              ...(kept !== "recv" && { recv: again(first.recv!) }),
              ...(kept !== "cancel" && { cancel: again(first.cancel) }),
              ...(kept !== "finish" && { finish: (error?: RpcError.RpcError) => again(first.finish(error)) }),
              ...(kept !== "header" && { header: again(first.header) }),
              ...(kept !== "trailer" && { trailer: again(first.trailer) })
            }
          })
        )
        assert.deepStrictEqual(yield* opened([decorated]), ["m"])
      })
    )
  }

  it.effect("goes to the last stream for a handle that has nothing of any", () =>
    Effect.gen(function* () {
      const decorated = Middleware.stream((next) =>
        Effect.gen(function* () {
          yield* next
          const { cancel, finish, header, recv, trailer } = yield* next
          const again = <A, E>(self: Effect.Effect<A, E>) => Effect.andThen(Effect.void, self)
          return {
            recv: again(recv!),
            cancel: again(cancel),
            finish: (error?: RpcError.RpcError) => again(finish(error)),
            header: again(header),
            trailer: again(trailer)
          }
        })
      )
      assert.deepStrictEqual(yield* opened([decorated]), ["m"])
    })
  )
})
