/** Whoever admits a call or is chosen for it, where things go wrong in unusual ways. */
import { assert, describe, it } from "@effect/vitest"
import { MemoryTransport, Transport, TransportError } from "@millrace/transport"
import { Effect, Fiber, Layer, Stream } from "effect"
import { Admission, type Endpoints, LogId, MetaHandler, Middleware, RpcError, RpcTracer } from "../src/index.ts"
import { pass, told } from "./support/client.ts"
import { FakeCalls } from "./support/fakeCalls.ts"
import {
  type Clients,
  clients,
  Heard,
  named,
  order,
  request,
  server,
  surroundings,
  unreachable
} from "./support/observers.ts"

/** Runs a call for some virtual time. */
const run = (options: object, call: (clients: Clients) => Effect.Effect<unknown, unknown>, millis = 100) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(Effect.flatMap(clients(options), call), { startImmediately: true })
    yield* pass(millis, 10)
    const exit = fiber.pollUnsafe()
    yield* Fiber.interrupt(fiber)
    return exit === undefined ? "it hangs" : told(exit)
  }).pipe(Effect.scoped, Effect.provide(server()))

const kinds: Readonly<Record<string, (clients: Clients) => Effect.Effect<unknown, unknown>>> = {
  unary: ({ streams }: Clients) => streams.EchoUnary(request, { timeout: 30 }),
  stream: ({ streams }: Clients) => Stream.runDrain(streams.EchoServer(request, { timeout: 30 })),
  call: ({ calls }: Clients) => calls.EchoPingPong({ req: request }, { rpcTimeout: 30 })
}
const neverSent = new TransportError.TransportError({
  reason: new TransportError.ConnectionLost({ address: "a:1", neverSent: true }),
  code: 14,
  desc: "gone"
})

describe("the choice of an instance", () => {
  for (const [kind, call] of Object.entries(kinds)) {
    for (const more of surroundings) {
      it.effect(`that never comes ends with the time of the call: ${named(kind, more)}`, () =>
        Effect.gen(function* () {
          const admitted = new Heard()
          const options = {
            ...more,
            endpoints: { pick: () => Effect.never },
            admission: [Admission.make(() => admitted.observer)]
          }
          assert.match(yield* run(options, call), /^(DeadlineExceeded|RpcTimeout): /)
          assert.deepStrictEqual(admitted.words, ["ended"])
          assert.match(admitted.tags[0]!, /^(DeadlineExceeded|RpcTimeout)$/)
        })
      )

      it.effect(`that throws the second time is a defect of the call: ${named(kind, more)}`, () =>
        Effect.gen(function* () {
          const first = new Heard()
          const picked = new Heard()
          const pick = ({ tried }: Endpoints.Placing) => {
            if (tried.length > 0) throw new Error("no more")
            return { address: "dead:1", ...picked.observer }
          }
          const dead = Layer.effect(
            Transport.ClientTransport,
            Effect.map(Transport.ClientTransport, (transport) =>
              Transport.ClientTransport.of({
                ...transport,
                tryOpen: () => undefined,
                tryLease: () => undefined,
                open: ({ address }) => Effect.delay(Effect.fail(unreachable(address)), 5),
                lease: ({ address }) => Effect.delay(Effect.fail(unreachable(address)), 5)
              })
            )
          )
          const options = { ...more, endpoints: { pick }, admission: [Admission.make(() => first.observer)] }
          const exit = yield* Effect.gen(function* () {
            const fiber = yield* Effect.forkChild(Effect.flatMap(clients(options), call), { startImmediately: true })
            yield* pass(20, 5)
            const exit = fiber.pollUnsafe()
            yield* Fiber.interrupt(fiber)
            return exit === undefined ? "it hangs" : told(exit)
          }).pipe(Effect.scoped, Effect.provide(Layer.provideMerge(dead, MemoryTransport.layer)))
          assert.strictEqual(exit, "defect: Error: no more")
          assert.deepStrictEqual([first.words, picked.words], [["ended"], ["ended"]])
        })
      )
    }
  }

  for (const more of surroundings) {
    it.effect(`another one takes a call whose connection was gone before it was sent: ${named("call", more)}`, () =>
      Effect.gen(function* () {
        const fake = new FakeCalls()
        let finished: RpcTracer.RpcFinish | undefined
        fake.dial = Effect.fail(unreachable("a:1"))
        fake.onSend = (sent) => {
          if (sent.target.address === "a:1") {
            fake.warm = false
            queueMicrotask(() => sent.fail(neverSent))
          } else queueMicrotask(() => sent.reply(Uint8Array.of(0)))
        }
        const heard = { "a:1": new Heard(), "b:1": new Heard() }
        const pick = ({ tried }: Endpoints.Placing) => {
          const address = tried.length === 0 ? "a:1" : "b:1"
          if (address === "b:1") fake.warm = true
          return { address, ...heard[address].observer }
        }
        const client = yield* fake
          .client({ ...more, endpoints: { pick } })
          .pipe(Effect.provide(RpcTracer.layer({ finish: (finish) => Effect.sync(() => void (finished = finish)) })))
        const exit = yield* Effect.exit(client.Ping({}))
        assert.strictEqual(told(exit), "success")
        assert.deepStrictEqual(
          fake.calls.map(({ target }) => target.address),
          ["a:1", "b:1"]
        )
        assert.deepStrictEqual(heard["a:1"].tags, ["Unavailable"])
        assert.isFalse(heard["a:1"].ends[0]!.created)
        assert.deepStrictEqual(heard["b:1"].tags, ["eof"])
        assert.isTrue(heard["b:1"].ends[0]!.created)
        assert.strictEqual(finished!.sendCount, 1)
      }).pipe(Effect.scoped)
    )
  }
})

it.effect("rules and the choice of an instance see the log id of a call, whatever stands around it", () =>
  Effect.gen(function* () {
    for (const [kind, call] of Object.entries(kinds)) {
      for (const more of surroundings) {
        const seen: Array<string | undefined> = []
        const rule = Admission.make(({ info }) => {
          seen.push(info.logId)
          return ({ info }) => void seen.push(info.logId)
        })
        const pick = ({ info }: Endpoints.Placing) => (seen.push(info.logId), "memory")
        const all = { ...more, endpoints: { pick }, admission: [rule] }
        yield* run(all, (clients) => LogId.within(call(clients), "mine"))
        yield* run({ ...more, admission: [rule] }, (clients) => LogId.within(call(clients), "mine"))
        assert.deepStrictEqual(seen, ["mine", "mine", "mine", "mine", "mine"], named(kind, more))
      }
    }
  })
)

describe("a rule that admitted a call", () => {
  for (const more of surroundings) {
    it.effect(`hears that there was none where its connection was gone: ${named("call", more)}`, () =>
      Effect.gen(function* () {
        const fake = new FakeCalls()
        const admitted = new Heard()
        fake.dial = Effect.fail(unreachable("a:1"))
        fake.onSend = (sent) => {
          fake.warm = false
          queueMicrotask(() => sent.fail(neverSent))
        }
        const client = yield* fake.client({ ...more, admission: [Admission.make(() => admitted.observer)] })
        assert.include(told(yield* Effect.exit(client.Ping({}))), "Unavailable")
        assert.deepStrictEqual(admitted.words, ["ended"])
        assert.isFalse(admitted.ends[0]!.created)
      }).pipe(Effect.scoped)
    )
  }
})

describe("a chosen instance", () => {
  it.effect("hears each thing once where middleware around it runs next twice", () =>
    Effect.gen(function* () {
      for (const twice of [
        Middleware.client((next) => Effect.andThen(next, next)),
        Middleware.client((next) => Effect.map(Effect.all([next, next], { concurrency: 2 }), ([one]) => one)),
        Middleware.client((next) => Effect.map(Effect.all([next, next], { concurrency: 2 }), ([, two]) => two))
      ]) {
        for (const kind of ["instanceMiddleware", "middleware"] as const) {
          const all: Array<Heard> = []
          const pick = () => {
            const heard = new Heard()
            all.push(heard)
            return { address: "memory", ...heard.observer }
          }
          const admitted = new Heard()
          const options = {
            [kind]: [twice],
            endpoints: { pick },
            admission: [Admission.make(() => admitted.observer)]
          }
          const end = yield* run(options, ({ streams }) =>
            Effect.scoped(
              Effect.gen(function* () {
                const stream = yield* streams.Echo.open()
                yield* stream.send(request)
                yield* stream.recv
              })
            )
          )
          assert.strictEqual(end, "success")
          assert.lengthOf(all, kind === "middleware" ? 2 : 1)
          for (const { words } of all) assert.match(words.join(), order)
          assert.match(admitted.words.join(), order)
        }
      }
    })
  )

  it.effect("has an end where its stream comes when the call is over", () =>
    Effect.gen(function* () {
      const picked = new Heard()
      const refusal = new RpcError.RpcError({ reason: new RpcError.Status({}), code: 7, desc: "no" })
      const options = {
        endpoints: { pick: () => ({ address: "memory", ...picked.observer }) },
        middleware: [
          Middleware.client((next) =>
            Effect.gen(function* () {
              yield* Effect.forkDetach(next, { startImmediately: true })
              return yield* refusal
            })
          )
        ],
        metaHandlers: [MetaHandler.make({ onConnectStream: (next) => Effect.delay(next, 10) })]
      }
      const end = yield* run(options, ({ streams }) => Effect.scoped(streams.Echo.open()))
      assert.include(end, "desc = no")
      assert.match(picked.words.join(), order)
    })
  )

  it.effect("hears that the time of its call ran out", () =>
    Effect.gen(function* () {
      for (const [kind, call] of Object.entries(kinds)) {
        if (kind === "stream") continue
        for (const more of surroundings) {
          for (const unary of [undefined, { rpcTimeout: 30 }]) {
            const picked = new Heard()
            const admitted = new Heard()
            const options = {
              ...more,
              endpoints: { pick: () => ({ address: "memory", ...picked.observer }) },
              admission: [Admission.make(() => admitted.observer)]
            }
            const end = yield* run(options, (clients) =>
              kind === "unary" && unary !== undefined ? clients.streams.EchoUnary(request, unary) : call(clients)
            )
            const name = `${named(kind, more)} ${unary !== undefined}`
            const [tag] = end.split(":")
            assert.match(end, /^(DeadlineExceeded|RpcTimeout): /, name)
            assert.deepStrictEqual([picked.tags, admitted.tags], [[tag], [tag]], name)
          }
        }
      }
    })
  )
})
