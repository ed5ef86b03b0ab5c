import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Stream } from "effect"
import * as Scheduler from "effect/Scheduler"
import { Middleware, RpcError } from "../src/index.ts"
import { only } from "./support/client.ts"
import { Request, Response, TestService } from "./support/echo.ts"
import { fakeEnd } from "./support/fakeEnd.ts"
import { Testing } from "./support/over.ts"

const plain = Middleware.recvPlain(() => (message) => message)
const single = Middleware.recv((next) => Effect.map(next, (message) => message))
const batch = Middleware.recvBatch((next) => Effect.tap(next, () => Effect.void))

const refusal = new RpcError.RpcError({ reason: new RpcError.Status({}), code: 7, desc: "refused" })
const refusing = Middleware.recvPlain(() => (message) => ((message as unknown) === "c" ? refusal : message))

const lists = {
  single: [single],
  batch: [batch],
  mixed: [plain, batch, single, batch],
  "a function around effects": [refusing, batch]
}

/** Every step at which a fiber may give way to others, and be interrupted there. */
const steps = Array.from({ length: 70 }, (_, at) => at + 2)

/** Starts an effect that gives way after so many steps, and interrupts it there. */
const interruptedAt = <A, E>(step: number, self: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const limited = Effect.provideService(self, Scheduler.MaxOpsBeforeYield, step)
    const fiber = yield* Effect.forkChild(limited, { startImmediately: true })
    yield* Fiber.interrupt(fiber)
    return yield* Fiber.await(fiber)
  })

const messages = (exit: Exit.Exit<unknown, unknown>): ReadonlyArray<unknown> =>
  Exit.isFailure(exit) ? [] : Array.isArray(exit.value) ? exit.value : [exit.value]

describe("a recv through effects that is interrupted between any two steps", () => {
  for (const [name, list] of Object.entries(lists)) {
    it.effect(`loses no message, and the stream lives on: ${name}`, () =>
      Effect.gen(function* () {
        let interrupted = 0
        for (const step of steps) {
          for (const operation of ["recv", "recvAll"] as const) {
            const { end, raw } = yield* fakeEnd(list)
            raw.arrive("a", "b", "c", "d")
            const first = yield* interruptedAt(step, end[operation]())
            if (Exit.isFailure(first)) interrupted++
            const seen = [...messages(first)]
            for (let left = 8; left > 0 && seen.length < (list[0] === refusing ? 3 : 4); left--) {
              seen.push(...messages(yield* Effect.exit(end.recv())))
            }
            const all = ["a", "b", "c", "d"].filter((message) => list[0] !== refusing || message !== "c")
            assert.deepStrictEqual(seen, all, `${operation} ${step}`)
          }
        }
        assert.isAbove(interrupted, 20)
      })
    )
  }
})

it.effect("a send through effects that is interrupted between any two steps: the stream lives on", () =>
  Effect.gen(function* () {
    const list = [Middleware.send((next) => (message) => Effect.andThen(Effect.void, next(message)))]
    let interrupted = 0
    for (const step of steps) {
      const { end, raw } = yield* fakeEnd([], list)
      const first = yield* interruptedAt(step, end.send("a"))
      if (Exit.isFailure(first)) interrupted++
      else assert.deepStrictEqual(raw.written, ["a"])
      yield* end.send("b")
      assert.strictEqual(raw.written.at(-1), "b", String(step))
    }
    assert.isAbove(interrupted, 3)
  })
)

class Tenant extends Context.Service<Tenant, string>()("test/Tenant") {}

it.effect("send middleware finds what server middleware provides, also where the request is read before it", () =>
  Effect.gen(function* () {
    const seen: Array<unknown> = []
    const client = yield* Testing.client(
      TestService,
      only({ EchoServer: ({ message }) => Stream.make(new Response({ message })) }),
      {
        server: {
          requestInInfo: true,
          middleware: [
            Middleware.server((next) => Effect.provideService(next, Tenant, "one")),
            plain,
            Middleware.sendPlain(({ context }) => {
              seen.push(Context.getOrUndefined(context, Tenant))
              return (message) => message
            })
          ]
        }
      }
    )
    yield* Stream.runDrain(client.EchoServer(new Request({ message: "m" })))
    assert.deepStrictEqual(seen, ["one"])
  })
)
