import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Scope, Stream } from "effect"
import {
  BizStatusError,
  MetaHandler,
  Middleware,
  RpcError,
  type StreamClient,
  type StreamOptions
} from "../src/index.ts"
import { Recorder } from "../src/testing/index.ts"
import { clientOf, pass, settle, type TestHandlers, told } from "./support/client.ts"
import { Request, Response, type TestService } from "./support/echo.ts"
import { spies } from "./support/spies.ts"
import { wire, wordsOf } from "./support/over.ts"

const request = new Request({ message: "x" })
const response = new Response({ message: "y" })

type Client = StreamClient.StreamClient<typeof TestService>
type Made = Effect.Effect<unknown, unknown, Scope.Scope>

const ways: ReadonlyArray<readonly [name: string, call: (client: Client) => Made]> = [
  ["unary", (client) => client.EchoUnary(request)],
  ["bidirectional handle", (client) => client.Echo.open()],
  ["client handle", (client) => client.EchoClient.open()],
  ["server handle", (client) => client.EchoServer.open(request)],
  ["bidirectional", (client) => Stream.runDrain(client.Echo(Stream.never))],
  ["client", (client) => client.EchoClient(Stream.never)],
  ["server", (client) => Stream.runDrain(client.EchoServer(request))]
]

const broken = new Error("broken")
const failed = new RpcError.RpcError({ reason: new RpcError.Status(), code: 5, desc: "sorry" })
const refused = new BizStatusError.BizStatusError({ statusCode: 8, statusMessage: "no" })

/** What a step does in place of its work, and how the call ends. */
const outcomes: ReadonlyArray<
  readonly [name: string, step: () => Effect.Effect<never, RpcError.RpcError | BizStatusError.BizStatusError>]
> = [
  ["fails", () => Effect.fail(failed)],
  ["refuses", () => Effect.fail(refused)],
  ["dies", () => Effect.die(broken)],
  [
    "throws",
    () => {
      throw broken
    }
  ],
  ["is interrupted", () => Effect.never]
]

const steps: ReadonlyArray<
  readonly [
    name: string,
    options: (
      step: () => Effect.Effect<never, RpcError.RpcError | BizStatusError.BizStatusError>
    ) => StreamOptions.StreamClientOptions
  ]
> = [
  ["middleware", (step) => ({ middleware: [Middleware.client(() => step())] })],
  [
    "middleware behind next",
    (step) => ({
      middleware: [
        Middleware.client((next) =>
          Effect.andThen(
            next,
            Effect.suspend(() => step())
          )
        )
      ]
    })
  ],
  [
    "choice",
    (step) => ({ middleware: [Middleware.client((next) => next)], endpoints: { pick: () => step() as never } })
  ],
  ["instance middleware", (step) => ({ instanceMiddleware: [Middleware.client(() => step())] })],
  [
    "instance middleware behind next",
    (step) => ({
      instanceMiddleware: [
        Middleware.client((next) =>
          Effect.andThen(
            next,
            Effect.suspend(() => step())
          )
        )
      ]
    })
  ],
  ["hook", (step) => ({ metaHandlers: [MetaHandler.make({ onConnectStream: () => step() })] })],
  [
    "hook behind next",
    (step) => ({
      metaHandlers: [
        MetaHandler.make({
          onConnectStream: (next) =>
            Effect.andThen(
              next,
              Effect.suspend(() => step())
            )
        })
      ]
    })
  ]
]

/** Handlers that never answer, except unary ones, and count how many of them run. */
const serving = () => {
  const running = { count: 0 }
  const held = Effect.acquireRelease(
    Effect.sync(() => void running.count++),
    () => Effect.sync(() => void running.count--)
  )
  const never = Stream.unwrap(Effect.as(held, Stream.never))
  const handlers: Partial<TestHandlers> = {
    Echo: () => never,
    EchoClient: () => Effect.scoped(Effect.andThen(held, Effect.never)),
    EchoServer: () => never,
    EchoUnary: () => Effect.succeed(response)
  }
  return { handlers, running }
}

describe("a step that", () => {
  for (const [outcome, step] of outcomes) {
    it.effect(outcome, () =>
      Effect.gen(function* () {
        for (const [where, options] of steps) {
          if (outcome === "refuses" && where === "choice") continue
          spies.connections.clear()
          const recorder = yield* Recorder.make
          const { handlers, running } = serving()
          const client = yield* Effect.provide(clientOf(handlers, { client: options(step) }), recorder.layer)
          for (const [way, call] of ways) {
            const at = `${where}, ${way}`
            // A scope that lives on: what failed must not wait for it.
            const scope = yield* Scope.make()
            const fiber = yield* Effect.forkChild(Scope.provide(call(client), scope))
            yield* settle
            if (outcome === "is interrupted") yield* Fiber.interrupt(fiber)
            const exit = yield* Fiber.await(fiber)
            yield* settle
            const [finish] = recorder.client.finishes.slice(-1)
            switch (outcome) {
              case "fails":
                assert.strictEqual(
                  told(exit),
                  `Status: rpc error: code = 5 desc = ${where.startsWith("hook") ? "remote or network error: " : ""}sorry`,
                  at
                )
                assert.strictEqual(finish!.reason, "error", at)
                assert.strictEqual(told(finish!.exit), told(exit), at)
                break
              case "refuses":
                if (where.startsWith("hook")) {
                  assert.include(told(exit), "remote or network error: biz error: code=8, msg=no", at)
                } else {
                  assert.strictEqual(told(exit), "BizStatusError: biz error: code=8, msg=no", at)
                  assert.isTrue(Exit.isSuccess(finish!.exit), at)
                  assert.strictEqual(finish!.bizError, refused, at)
                  assert.strictEqual(finish!.info.bizError, refused, at)
                }
                assert.strictEqual(finish!.reason, "error", at)
                break
              case "is interrupted":
                assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause), at)
                assert.strictEqual(finish!.reason, "interrupted", at)
                break
              default:
                assert.strictEqual(told(exit), "defect: Error: broken", at)
                assert.strictEqual(told(finish!.exit), told(exit), at)
                assert.strictEqual(finish!.reason, "error", at)
            }
            assert.strictEqual(running.count, 0, at)
            for (const connection of spies.connections) assert.strictEqual(connection.active, 0, at)
            yield* Scope.close(scope, Exit.void)
          }
          assert.strictEqual(recorder.client.starts.length, ways.length, where)
          assert.strictEqual(recorder.client.finishes.length, ways.length, where)
        }
      })
    )
  }

  it.effect("only passes an error on does not put its words before it", () =>
    Effect.gen(function* () {
      const hook = MetaHandler.make({ onConnectStream: (next) => Effect.catch(next, Effect.fail) })
      const other = MetaHandler.make({ onConnectStream: (next) => Effect.catch(next, () => Effect.fail(failed)) })
      for (const [metaHandlers, desc] of [
        [[hook, hook], (way: string) => wordsOf(way).deadlineExceeded(0)],
        [[hook, other], () => "remote or network error: sorry"],
        [[other, hook], () => "remote or network error: sorry"]
      ] as const) {
        const client = yield* clientOf(serving().handlers, { client: { metaHandlers, timeout: 0 } })
        for (const [way, call] of ways) {
          const error = yield* Effect.flip(Effect.scoped(call(client)))
          assert.isTrue((error as RpcError.RpcError).message.endsWith(desc(way)), way)
        }
      }
    })
  )

  it.effect("handles an error and throws is a defect of the call", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make
      const client = yield* Effect.provide(
        clientOf(serving().handlers, {
          client: {
            metaHandlers: [MetaHandler.make({ onConnectStream: () => Effect.fail(failed) })],
            errorHandler: () => {
              throw broken
            }
          }
        }),
        recorder.layer
      )
      for (const [, call] of ways) {
        const scope = yield* Scope.make()
        assert.strictEqual(told(yield* Effect.exit(Scope.provide(call(client), scope))), "defect: Error: broken")
      }
      assert.deepStrictEqual(
        recorder.client.finishes.map(({ reason }) => reason),
        ways.map(() => "error")
      )
    })
  )
})

describe("finalizers of middleware", () => {
  const held = (log: Array<string>) =>
    Middleware.client((next, info) =>
      Effect.andThen(
        Effect.addFinalizer((exit) => Effect.sync(() => void log.push(`${info.mode} ${exit._tag}`))),
        next
      )
    )

  it.effect("run when the stream ends, whoever owns its scope, in front of RPCFinish", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const recorder = yield* Recorder.make
      const client = yield* Effect.provide(
        clientOf(
          {
            EchoServer: () => Stream.make(response),
            EchoUnary: () => Effect.succeed(response),
            EchoClient: () => Effect.fail(failed) as never,
            Echo: () => Stream.never
          },
          { client: { middleware: [held(log)] } }
        ),
        recorder.layer
      )
      const scope = yield* Scope.make()
      const down = yield* Scope.provide(client.EchoServer.open(request), scope)
      yield* down.recv
      assert.deepStrictEqual(log, [])
      assert.isTrue(Cause.isDone(yield* Effect.flip(down.recv)))
      assert.deepStrictEqual(log, ["server Success"])
      // The end can be asked for again.
      assert.isTrue(Cause.isDone(yield* Effect.flip(down.recv)))

      const up = yield* Scope.provide(client.EchoClient.open(), scope)
      yield* Effect.flip(up.closeAndRecv)
      assert.deepStrictEqual(log, ["server Success", "client Failure"])

      const both = yield* Scope.provide(client.Echo.open(), scope)
      yield* both.finish()
      assert.deepStrictEqual(log, ["server Success", "client Failure", "bidirectional Success"])

      yield* client.EchoUnary(request)
      assert.deepStrictEqual(log.slice(3), ["unary Success"])

      yield* Scope.provide(client.Echo.open(), scope)
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(log.slice(4), ["bidirectional Success"])
      assert.strictEqual(recorder.client.finishes.length, 5)
    })
  )

  it.effect("run when the call could not be made, with its failure", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const client = yield* clientOf(serving().handlers, {
        client: { middleware: [held(log), Middleware.client(() => Effect.fail(failed))] }
      })
      for (const [, call] of ways) {
        const scope = yield* Scope.make()
        yield* Effect.exit(Scope.provide(call(client), scope))
      }
      assert.deepStrictEqual(
        log,
        ["unary", "bidirectional", "client", "server", "bidirectional", "client", "server"].map(
          (mode) => `${mode} Failure`
        )
      )
    })
  )

  it.effect("that die do not keep RPCFinish from being told", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make
      const client = yield* Effect.provide(
        clientOf(
          { EchoServer: () => Stream.make(response), EchoUnary: () => Effect.succeed(response) },
          {
            client: {
              middleware: [
                Middleware.client((next) =>
                  Effect.andThen(
                    Effect.addFinalizer(() => Effect.die(broken)),
                    next
                  )
                )
              ]
            }
          }
        ),
        recorder.layer
      )
      assert.include(told(yield* Effect.exit(Stream.runDrain(client.EchoServer(request)))), "broken")
      assert.include(told(yield* Effect.exit(client.EchoUnary(request))), "broken")
      assert.strictEqual(recorder.client.finishes.length, 2)
    })
  )
})

describe("time", () => {
  it.effect("counts from the start of the call, what is around it included", () =>
    Effect.gen(function* () {
      const client = yield* clientOf(
        {
          EchoUnary: () => Effect.succeed(response),
          EchoServer: () => Stream.make(response)
        },
        {
          client: {
            timeout: "100 millis",
            middleware: [Middleware.client((next) => Effect.delay(next, "150 millis"))]
          }
        }
      )
      for (const [call, words] of [
        [client.EchoUnary(request), wire.unary],
        [Stream.runDrain(client.EchoServer(request)), wire.streams]
      ] as const) {
        const fiber = yield* Effect.forkChild(Effect.exit<unknown, unknown, never>(call))
        yield* settle
        yield* pass(150)
        assert.strictEqual(told(yield* Fiber.join(fiber)), `DeadlineExceeded: ${words.deadlineExceeded(-50)}`)
      }
    })
  )
})
