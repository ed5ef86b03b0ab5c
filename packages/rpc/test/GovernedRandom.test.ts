/** Whoever admits a call or is chosen for it hears each thing once and in order, and always an end. */
import { assert, describe, it } from "@effect/vitest"
import { MemoryTransport, Transport, type TransportError } from "@millrace/transport"
import { Deferred, Effect, Fiber, Layer, Scheduler, Stream } from "effect"
import { Admission, type CallPolicy, type Endpoints, RpcError, RpcTracer, Server } from "../src/index.ts"
import { only, pass, settle } from "./support/client.ts"
import { Response, TestService } from "./support/echo.ts"
import {
  clients,
  Crowd,
  named,
  pass1,
  randomOf,
  request,
  server,
  surroundings,
  unreachable
} from "./support/observers.ts"

const randomPolicy = (oneOf: <A>(...list: ReadonlyArray<A>) => A): CallPolicy.CallPolicy => ({
  run: oneOf<CallPolicy.CallPolicy["run"]>(
    (attempt) => Effect.catch(attempt(0), () => Effect.catch(attempt(1), () => attempt(2))),
    (attempt) => Effect.catch(attempt(0), () => attempt(1, true)),
    (attempt) => Effect.raceFirst(attempt(0), Effect.delay(attempt(1), 5)),
    (attempt) => Effect.race(attempt(0), Effect.delay(attempt(1), 5)),
    (attempt) => Effect.timeoutOrElse(attempt(0), { duration: 8, orElse: () => attempt(1) })
  )
})

const reachable = Layer.effect(
  Transport.ClientTransport,
  Effect.map(Transport.ClientTransport, (transport) => {
    const dial = <A>(address: string, otherwise: Effect.Effect<A, TransportError.TransportError>) =>
      address.startsWith("dead")
        ? Effect.fail(unreachable(address))
        : address.startsWith("late")
          ? Effect.delay(otherwise, 6)
          : otherwise
    return Transport.ClientTransport.of({
      ...transport,
      tryOpen: (open) => (open.address.startsWith("live") ? transport.tryOpen(open) : undefined),
      open: (open) => dial(open.address, transport.open(open)),
      tryLease: (target) => (target.address.startsWith("live") ? transport.tryLease(target) : undefined),
      lease: (target) => dial(target.address, transport.lease(target))
    })
  })
)

describe("attempts", () => {
  it.effect("each has one end for all who hear of it, side by side or one after the other", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 30; seed++) {
        const random = randomOf(seed)
        const oneOf = <A>(...list: ReadonlyArray<A>): A => list[Math.floor(random() * list.length)]!
        const picked = new Crowd()
        const admitted = new Crowd()
        const addresses = Array.from({ length: oneOf(1, 2, 4) }, (_, i) => `${oneOf("live", "dead", "late")}:${i}`)
        const later = oneOf(false, true)
        const pick = ({ tried }: Endpoints.Placing) => {
          const address = oneOf(...addresses.filter((address) => !tried.includes(address)), undefined)
          if (address === undefined) return undefined
          return later
            ? Effect.delay(
                Effect.sync(() => ({ address, ...picked.next() })),
                3
              )
            : { address, ...picked.next() }
        }
        const policies = {
          retry: randomPolicy(oneOf),
          fallback: oneOf(undefined, {
            run: (attempt: CallPolicy.Attempt) => Effect.catch(attempt(0), () => Effect.succeed(new Response({})))
          }),
          rpcTimeout: oneOf(undefined, 10, 1000)
        }
        yield* Effect.gen(function* () {
          const { calls, streams } = yield* clients({
            endpoints: { pick },
            admission: [Admission.make(admitted.next)],
            middleware: oneOf([], [pass1]),
            instanceMiddleware: oneOf([], [pass1])
          })
          for (let i = 0; i < 4; i++) {
            const call: Effect.Effect<unknown, unknown> = oneOf(
              streams.EchoUnary(request, policies),
              calls.EchoPingPong({ req: request }, policies)
            )
            const fiber = yield* Effect.forkChild(call, { startImmediately: true })
            yield* pass(oneOf(1, 4, 7, 12, 80), 2)
            yield* Fiber.interrupt(fiber)
          }
          yield* pass(60, 10)
        }).pipe(
          Effect.scoped,
          Effect.provide(Layer.provideMerge(reachable, server())),
          Effect.provide(oneOf(Layer.empty, RpcTracer.layer({ start: () => Effect.void, finish: () => Effect.void })))
        )
        assert.deepStrictEqual([...picked.wrong, ...admitted.wrong], [], `seed ${seed}`)
        assert.isAbove(admitted.all.length, 0)
      }
    })
  )
})

describe("a call that is interrupted between any two of its steps", () => {
  for (const more of surroundings) {
    for (const later of [false, true]) {
      it.effect(`has one end for all who hear of it: ${named(later ? "chosen later" : "chosen at once", more)}`, () =>
        Effect.gen(function* () {
          const slowly = Effect.andThen(Effect.yieldNow, Effect.yieldNow)
          for (const kind of ["unary", "stream", "open", "call", "retried"] as const) {
            let arrived = 0
            for (let round = 0; arrived < 5; round++) {
              assert.isBelow(round, 1000)
              const picked = new Crowd()
              const admitted = new Crowd()
              const pick = () => {
                const choose = () => ({ address: "live:1", ...picked.next() })
                return later ? Effect.flatMap(slowly, () => Effect.sync(choose)) : choose()
              }
              yield* Effect.gen(function* () {
                const { calls, streams } = yield* clients({
                  ...more,
                  endpoints: { pick },
                  admission: [Admission.make(admitted.next)]
                })
                const retry = randomPolicy((...list) => list[2 % list.length]!)
                const call: Effect.Effect<unknown, unknown> = {
                  unary: streams.EchoUnary(request, { timeout: 1000 }),
                  stream: Stream.runDrain(streams.EchoServer(request)),
                  open: Effect.scoped(Effect.andThen(streams.Echo.open({ timeout: 1000 }), Effect.never)),
                  call: calls.EchoPingPong({ req: request }, { rpcTimeout: 1000 }),
                  retried: streams.EchoUnary(request, { retry, rpcTimeout: 1000 })
                }[kind]
                const fiber = yield* Effect.forkChild(
                  Effect.provideService(call, Scheduler.MaxOpsBeforeYield, 2 + (round % 4))
                )
                for (let i = 0; i < round / 4; i++) yield* Effect.yieldNow
                if (picked.all.length > 0) arrived++
                yield* Fiber.interrupt(fiber)
              }).pipe(Effect.scoped, Effect.provide(Layer.provideMerge(reachable, server())))
              assert.deepStrictEqual([...picked.wrong, ...admitted.wrong], [], `${kind}, round ${round}`)
            }
          }
        })
      )
    }
  }
})

describe("admission on a server", () => {
  it.effect("each that was admitted has one end, whatever its client, its handler and its server do", () =>
    Effect.gen(function* () {
      let handled = 0
      let total = 0
      for (let seed = 1; seed <= 25; seed++) {
        const random = randomOf(seed)
        const oneOf = <A>(...list: ReadonlyArray<A>): A => list[Math.floor(random() * list.length)]!
        const admitted = [new Crowd(), new Crowd()]
        const rules = admitted.map((crowd, i) =>
          Admission.make(() => {
            if (random() < 0.1) throw new Error("a rule that throws")
            if (random() < 0.1 * i) {
              return new RpcError.RpcError({ reason: new RpcError.Rejected({ limit: "x" }), code: 8, desc: "no" })
            }
            const observer = crowd.next()
            return oneOf<ReturnType<Admission.Admission["admit"]>>(observer, observer.ended)
          })
        )
        const never = yield* Deferred.make<void>()
        const answer = Effect.suspend(() => {
          handled++
          const waits = Effect.delay(Effect.void, oneOf(0, 3, 20))
          return Effect.as(
            oneOf(waits, Effect.uninterruptible(waits), Deferred.await(never), Effect.die("boom")),
            new Response({ message: "m" })
          )
        })
        const handlers = only({
          Echo: (requests) => Stream.mapEffect(requests, () => answer),
          EchoServer: () => Stream.fromEffect(answer),
          EchoUnary: () => answer,
          EchoPingPong: () => answer
        })
        const live = Server.layer([TestService], {
          graceTime: oneOf(0, 10),
          requestInInfo: oneOf(true, false),
          admission: rules
        }).pipe(
          Layer.provide(TestService.toLayer(handlers)),
          Layer.provideMerge(
            MemoryTransport.layerWith({ server: { limits: { maxConcurrentStreams: oneOf(1, 2, 100) } } })
          )
        )
        yield* Effect.gen(function* () {
          const { calls, streams } = yield* clients({})
          const { drain } = yield* Server.Server
          const kinds: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
            streams.EchoUnary(request, { timeout: oneOf(2, 1000) }),
            Stream.runDrain(streams.EchoServer(request)),
            Stream.runDrain(streams.Echo(Stream.make(request, request))),
            Effect.scoped(streams.Echo.open()),
            calls.EchoPingPong({ req: request }, { rpcTimeout: oneOf(2, 1000) })
          ]
          for (let i = 0; i < 5; i++) {
            const fiber = yield* Effect.forkChild(oneOf(...kinds), { startImmediately: true })
            if (random() < 0.1) yield* Effect.forkChild(drain, { startImmediately: true })
            if (random() < 0.8) yield* pass(oneOf(1, 4, 30), 2)
            if (random() < 0.5) yield* Fiber.interrupt(fiber)
          }
          yield* pass(40, 10)
          yield* Effect.forkChild(drain, { startImmediately: true })
          yield* pass(60, 10)
        }).pipe(Effect.scoped, Effect.provide(live))
        yield* settle
        total += admitted[0]!.all.length
        assert.deepStrictEqual(
          admitted.flatMap(({ wrong }) => wrong),
          [],
          `seed ${seed}`
        )
      }
      assert.isAbove(handled, 25)
      assert.isAbove(total, handled)
    })
  )
})
