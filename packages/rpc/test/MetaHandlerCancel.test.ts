/** A cancel that a hook puts into the context of a stream, and a call with a timeout around `recv` that uses it. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Deferred, Effect, Exit, Fiber, Option } from "effect"
import type * as Pull from "effect/Pull"
import { MetaHandler, Middleware, RpcError } from "../src/index.ts"
import type { CallError } from "../src/ClientStream.ts"
import { clientOf, pass, told } from "./support/client.ts"
import { Request, Response } from "./support/echo.ts"
import { wire } from "./support/over.ts"

const cancelled = new RpcError.RpcError({
  reason: new RpcError.Cancelled({ by: "local" }),
  code: 1,
  desc: "context canceled"
})
const timedOut = new RpcError.RpcError({ reason: new RpcError.Status({}), code: 13, desc: "timeout in business code" })

class Cancel extends Context.Service<Cancel, Deferred.Deferred<never, RpcError.RpcError>>()("test/Cancel") {}

const withCancel = <A, E>(next: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.flatMap(Deferred.make<never, RpcError.RpcError>(), (cancel) => Effect.provideService(next, Cancel, cancel))

/** Cancels a `recv` that takes longer, and tells of its end. */
const recvWithTimeout = <A>(
  recv: Pull.Pull<A, CallError>,
  cancel: Deferred.Deferred<never, RpcError.RpcError>,
  millis: number,
  ended: (exit: string) => void
): Pull.Pull<A, CallError> =>
  Effect.gen(function* () {
    const inner = yield* Effect.forkChild(Effect.raceFirst(recv, Deferred.await(cancel)), { startImmediately: true })
    const exit = yield* Effect.timeoutOption(Fiber.await(inner), millis)
    if (Option.isSome(exit)) return yield* exit.value
    yield* Deferred.fail(cancel, cancelled)
    ended(told(yield* Fiber.await(inner)))
    return yield* Effect.fail(timedOut)
  })

const millis = Effect.clockWith((clock) => Effect.sync(() => clock.currentTimeMillisUnsafe()))

describe("a cancel in the context of a stream", () => {
  it.effect("onConnectStream puts it there, recv middleware of the client uses it", () =>
    Effect.gen(function* () {
      const inner: Array<string> = []
      let interruptedAt: number | undefined
      const client = yield* clientOf(
        {
          Echo: {
            duplex: ({ recv, send }) =>
              Effect.flatMap(recv, ({ message }) =>
                Effect.andThen(Effect.sleep(message === "slow" ? 100 : 20), send(new Response({ message })))
              ).pipe(
                Effect.forever,
                Effect.onInterrupt(() => Effect.map(millis, (now) => void (interruptedAt = now)))
              )
          }
        },
        {
          client: {
            metaHandlers: [MetaHandler.make({ onConnectStream: withCancel })],
            middleware: [
              Middleware.recv((next, { context }) =>
                recvWithTimeout(next, Context.getUnsafe(context, Cancel), 50, (exit) => void inner.push(exit))
              )
            ]
          }
        }
      )
      const call = Effect.scoped(
        Effect.gen(function* () {
          const stream = yield* client.Echo.open()
          yield* stream.send(new Request({ message: "quick" }))
          assert.strictEqual((yield* stream.recv).message, "quick")
          yield* stream.send(new Request({ message: "slow" }))
          const error = yield* Effect.flip(stream.recv)
          return [Cause.isDone(error) ? "end" : error.message, yield* millis] as const
        })
      )
      const fiber = yield* Effect.forkChild(call, { startImmediately: true })
      yield* pass(200, 10)
      assert.deepStrictEqual(yield* Fiber.join(fiber), ["rpc error: code = 13 desc = timeout in business code", 70])
      assert.deepStrictEqual(inner, ["Cancelled: rpc error: code = 1 desc = context canceled"])
      // The stream has ended with it.
      assert.strictEqual(interruptedAt, 70)
    })
  )

  it.effect("onReadStream puts it there, the handler uses it", () =>
    Effect.gen(function* () {
      const inner: Array<string> = []
      const client = yield* clientOf(
        {
          Echo: {
            duplex: ({ recv, send }) =>
              Effect.flatMap(Effect.serviceOption(Cancel), (cancel) =>
                recvWithTimeout(recv, Option.getOrThrow(cancel), 50, (exit) => void inner.push(exit)).pipe(
                  Effect.flatMap(({ message }) => send(new Response({ message }))),
                  Effect.forever
                )
              )
          }
        },
        { server: { metaHandlers: [MetaHandler.make({ onReadStream: withCancel })] } }
      )
      const call = Effect.scoped(
        Effect.gen(function* () {
          const stream = yield* client.Echo.open()
          yield* Effect.sleep(20)
          yield* stream.send(new Request({ message: "hi" }))
          assert.strictEqual((yield* stream.recv).message, "hi")
          return [yield* Effect.exit(stream.recv), yield* millis] as const
        })
      )
      const fiber = yield* Effect.forkChild(call, { startImmediately: true })
      yield* pass(200, 10)
      const [exit, at] = yield* Fiber.join(fiber)
      assert.isTrue(Exit.isFailure(exit))
      assert.deepStrictEqual(
        [told(exit), at],
        [`Status: ${wire.streams.ofHandler("timeout in business code", 13)}`, 70]
      )
      assert.deepStrictEqual(inner, ["Cancelled: rpc error: code = 1 desc = context canceled"])
    })
  )
})
