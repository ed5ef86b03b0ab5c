/** What is told of the end of a unary call is what its caller gets, and nothing of it stays open. */
import { assert, describe, it } from "@effect/vitest"
import { MemoryTransport, type RawStream, Transport } from "@millrace/transport"
import { Cause, Effect, Exit, Layer, Scheduler } from "effect"
import { Admission, BizStatusError, type Endpoints, RpcError, Server } from "../src/index.ts"
import { only, pass } from "./support/client.ts"
import { Busy, Response, TestService } from "./support/echo.ts"
import { clients, Crowd, randomOf, request, unreachable } from "./support/observers.ts"

/** A transport that has connections at once, later, or none, and all streams that it has opened. */
const watched = (opened: Array<RawStream.RawClientStream>) =>
  Layer.effect(
    Transport.ClientTransport,
    Effect.map(Transport.ClientTransport, (transport) => {
      const keep = (raw: RawStream.RawClientStream) => {
        opened.push(raw)
        return raw
      }
      return Transport.ClientTransport.of({
        ...transport,
        tryOpen: (open) => {
          const raw = open.address.startsWith("live") ? transport.tryOpen(open) : undefined
          return raw && keep(raw)
        },
        open: (open) => {
          if (open.address.startsWith("dead")) return Effect.fail(unreachable(open.address))
          const opening = Effect.map(transport.open(open), keep)
          return open.address.startsWith("late") ? Effect.delay(opening, 6) : Effect.andThen(Effect.yieldNow, opening)
        }
      })
    })
  )

const failures: ReadonlyArray<Effect.Effect<Response, Busy>> = [
  Effect.fail(new Busy({})),
  Effect.fail(new BizStatusError.BizStatusError({ statusCode: 3, statusMessage: "b", extra: {} }) as never),
  Effect.die("bug")
]
const answer = Effect.succeed(new Response({ message: "m" }))

/** What is to be told of an exit. */
const toldOf = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "eof"
  if (Cause.hasInterruptsOnly(exit.cause)) return "interrupted"
  if (Cause.hasDies(exit.cause)) return "error"
  const error = Cause.squash(exit.cause)
  if (error instanceof RpcError.RpcError) return error.reason._tag
  return error instanceof BizStatusError.BizStatusError ? "BizStatusError" : "eof"
}

describe("a unary call", () => {
  it.effect("is told of as it ended, however it was placed, interrupted and broken", () =>
    Effect.gen(function* () {
      const met = new Set<string>()
      for (let seed = 1; seed <= 45; seed++) {
        const random = randomOf(seed)
        const oneOf = <A>(...list: ReadonlyArray<A>): A => list[Math.floor(random() * list.length)]!
        const opened: Array<RawStream.RawClientStream> = []
        const handler = () => Effect.suspend(() => oneOf(answer, Effect.delay(answer, 5), Effect.never, ...failures))
        const live = Server.layer([TestService], { graceTime: 0 }).pipe(
          Layer.provide(TestService.toLayer(only({ EchoUnary: handler }))),
          Layer.provideMerge(MemoryTransport.layer)
        )
        yield* Effect.gen(function* () {
          const admitted = new Crowd()
          const picked = new Crowd()
          const address = oneOf("live:1", "live:2", "dead:1", "late:1", "soon:1")
          const choose = (): Endpoints.Picked => ({ address, ...picked.next() })
          const slowly = oneOf(Effect.yieldNow, Effect.sleep(3))
          const pick = oneOf<Endpoints.Endpoints["pick"]>(
            choose,
            choose,
            () => Effect.andThen(slowly, Effect.sync(choose)),
            () => {
              throw new Error("no choice")
            }
          )
          const { streams } = yield* clients({ endpoints: { pick }, admission: [Admission.make(admitted.next)] })
          for (let i = 0; i < 3; i++) {
            const before = admitted.all.length
            const broken = () => {
              if (random() < 0.3) throw new Error("mine")
            }
            let exit: Exit.Exit<unknown, unknown> | undefined
            const options = { onHeader: broken, onTrailer: broken, timeout: oneOf(4, 8, 1000) }
            const call = Effect.onExit(streams.EchoUnary(request, options), (end) =>
              Effect.sync(() => void (exit = end))
            )
            const inSteps = Effect.provideService(call, Scheduler.MaxOpsBeforeYield, oneOf(2, 3, 5, 2048))
            const fiber = yield* Effect.forkChild(oneOf(Effect.timeout(inSteps, 5), inSteps), {
              startImmediately: true
            })
            for (let step = random() * 20; step > 0; step--) yield* Effect.yieldNow
            if (random() < 0.4) fiber.interruptUnsafe()
            yield* pass(20, 10)
            fiber.interruptUnsafe()
            yield* pass(5)
            const told = admitted.all.slice(before).flatMap(({ tags }) => tags)
            const expected = exit === undefined ? "nothing" : toldOf(exit)
            met.add(expected)
            // Whoever is interrupted behind the end of its call gets no answer, but there was one.
            if (expected === "interrupted") assert.isAtMost(told.length, 1, `seed ${seed}`)
            else assert.deepStrictEqual(told, expected === "nothing" ? [] : [expected], `seed ${seed}`)
          }
          assert.deepStrictEqual([...admitted.wrong, ...picked.wrong], [], `seed ${seed}`)
          for (const raw of opened) assert.isDefined(raw.end, `seed ${seed}`)
        }).pipe(Effect.scoped, Effect.provide(Layer.provideMerge(watched(opened), live)))
      }
      for (const end of ["eof", "interrupted", "error", "DeadlineExceeded", "Unavailable", "BizStatusError"]) {
        assert.isTrue(met.has(end), end)
      }
    })
  )
})
