/** Who admits calls, and who is chosen for them, hear of each call once, whatever becomes of it. */
import { assert, describe, it } from "@effect/vitest"
import { MemoryTransport, Transport, TransportError } from "@millrace/transport"
import { Cause, Effect, Exit, Fiber, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import {
  Admission,
  BizStatusError,
  type CallObserver,
  Client,
  type Endpoints,
  Middleware,
  RpcError,
  RpcTracer,
  Server
} from "../src/index.ts"
import { only, pass, settle, told } from "./support/client.ts"
import { Busy, Request, Response, TestService } from "./support/echo.ts"
import { randomOf } from "./support/observers.ts"
import { StreamClient } from "./support/over.ts"

const request = (message: string) => new Request({ message })

const handlers = only({
  Echo: (requests) => Stream.map(requests, ({ message }) => new Response({ message })),
  EchoClient: (requests) => Effect.map(Stream.runCount(requests), (n) => new Response({ message: `${n}` })),
  EchoServer: ({ message }) =>
    message === "fail"
      ? Stream.fail(new BizStatusError.BizStatusError({ statusCode: 1, statusMessage: "no" }))
      : Stream.fromIterable(["a", "b", "c"]).pipe(
          Stream.mapEffect((message) => Effect.delay(Effect.succeed(new Response({ message })), 3))
        ),
  EchoUnary: ({ message }) => {
    if (message === "busy") return Effect.fail(new Busy({}))
    if (message === "die") return Effect.die(new Error("boom"))
    return Effect.delay(Effect.succeed(new Response({ message })), message === "slow" ? 20 : 0)
  },
  EchoPingPong: ({ req }) => {
    if (req.message === "die") return Effect.die(new Error("boom"))
    return Effect.delay(Effect.succeed(new Response({ message: req.message })), req.message === "slow" ? 20 : 0)
  }
})

/** Somebody who hears of calls, and what is wrong with what it heard. */
class Witness {
  handedOut = 0
  ended = 0
  readonly wrong: Array<string> = []
  readonly ends: Array<CallObserver.CallEnd> = []

  admitted(name: string): CallObserver.CallObserver {
    this.handedOut++
    return this.observer(name)
  }

  picked(address: string): Endpoints.Picked {
    let began = 0
    const begins = () => {
      this.handedOut++
      if (++began > 1) this.wrong.push(`${address}: began twice`)
    }
    return { address, began: begins, ...this.observer(address) }
  }

  observer(name: string): CallObserver.CallObserver {
    const heard: Array<string> = []
    const hear = (what: string) => {
      if (heard.includes(what) || heard.includes("ended")) this.wrong.push(`${name}: ${[...heard, what].join(", ")}`)
      heard.push(what)
    }
    return {
      created: () => hear("created"),
      answered: (millis) => {
        if (!heard.includes("created")) this.wrong.push(`${name}: answered before it was created`)
        if (millis < 0) this.wrong.push(`${name}: answered after ${millis} ms`)
        hear("answered")
      },
      ended: (end) => {
        this.ended++
        this.ends.push(end)
        if (heard.includes("created") && !end.created) this.wrong.push(`${name}: created, and its end is not`)
        if (end.millis < 0) this.wrong.push(`${name}: ended after ${end.millis} ms`)
        hear("ended")
      }
    }
  }
}

const failing = (address: string, reason: TransportError.TransportError["reason"]) =>
  new TransportError.TransportError({ reason, code: 14, desc: `no way to ${address}` })

/** The memory transport, where some addresses cannot be reached, at once or after a while. */
const reaching = (dials: Array<string>) =>
  Layer.effect(
    Transport.ClientTransport,
    Effect.map(Transport.ClientTransport, (transport) => {
      const dial = <A>(address: string, otherwise: Effect.Effect<A, TransportError.TransportError>) =>
        Effect.suspend(() => {
          dials.push(address)
          if (address.startsWith("dead")) {
            return Effect.fail(failing(address, new TransportError.ConnectFailed({ address })))
          }
          if (address.startsWith("late")) {
            const late = new TransportError.ConnectTimeout({ address, step: "dial", millis: 4 })
            return Effect.delay(Effect.fail(failing(address, late)), 4)
          }
          return otherwise
        })
      return Transport.ClientTransport.of({
        ...transport,
        tryOpen: (open) => (open.address.startsWith("live") ? transport.tryOpen(open) : undefined),
        open: (open) => dial(open.address, transport.open(open)),
        tryLease: (target) => (target.address.startsWith("live") ? transport.tryLease(target) : undefined),
        lease: (target) => dial(target.address, transport.lease(target))
      })
    })
  )

const connected = (dials: Array<string>) =>
  Server.layer([TestService], { graceTime: 0 }).pipe(
    Layer.provide(TestService.toLayer(handlers)),
    Layer.provideMerge(Layer.provideMerge(reaching(dials), MemoryTransport.layer))
  )

interface Picks {
  readonly addresses: ReadonlyArray<string>
  readonly form: "text" | "now" | "later"
}

const endpointsOf = ({ addresses, form }: Picks, witness: Witness, tried: Array<ReadonlyArray<string>>) => {
  let next = 0
  const pick: Endpoints.Endpoints["pick"] = (placing) => {
    tried.push(placing.tried)
    const left = addresses.filter((address) => !placing.tried.includes(address))
    const address = left[next++ % Math.max(1, left.length)]
    if (address === undefined || form === "text") return address
    if (form === "now") return witness.picked(address)
    return Effect.map(Effect.sleep(2), () => witness.picked(address))
  }
  return { pick }
}

const pass1 = Middleware.client((next) => next)

describe("whoever admits a call or is chosen for it", () => {
  it.effect("hears of it once, over all kinds of calls, failures and interruptions", () =>
    Effect.gen(function* () {
      const seen = new Map<string, number>()
      for (let seed = 1; seed <= 80; seed++) {
        const random = randomOf(seed)
        const oneOf = <A>(...list: ReadonlyArray<A>): A => list[Math.floor(random() * list.length)]!
        const dials: Array<string> = []
        const tried: Array<ReadonlyArray<string>> = []
        const picked = new Witness()
        const admitted = new Witness()
        let refusals = 0
        const rules = Array.from({ length: oneOf(0, 1, 2, 3) }, (_, i) =>
          Admission.make(({ info }) => {
            const observer = admitted.admitted(`rule ${i}`)
            if (random() < 0.1) {
              refusals++
              admitted.handedOut--
              return new RpcError.RpcError({
                reason: new RpcError.Rejected({ limit: info.method }),
                code: 8,
                desc: "no"
              })
            }
            return i === 1 ? observer.ended : observer
          })
        )
        const addresses = Array.from(
          { length: oneOf(1, 2, 3, 9) },
          (_, i) => `${oneOf("live", "live", "dead", "late")}:${i}`
        )
        const options = {
          endpoints: endpointsOf({ addresses, form: oneOf("text", "now", "later") }, picked, tried),
          admission: rules,
          middleware: oneOf([], [pass1]),
          instanceMiddleware: oneOf([], [pass1]),
          connectTimeout: 100
        }
        const tracer = oneOf(
          RpcTracer.layer(),
          RpcTracer.layer({ start: () => Effect.void, finish: () => Effect.void })
        )
        yield* Effect.gen(function* () {
          const streams = yield* StreamClient.make(TestService, options)
          const calls = yield* Client.make(TestService, options)
          const kinds: Record<string, Effect.Effect<unknown, unknown>> = {
            unary: streams.EchoUnary(request(oneOf("a", "busy", "die", "slow")), { timeout: oneOf(10, 60_000) }),
            server: Stream.runDrain(
              Stream.take(streams.EchoServer(request(oneOf("a", "fail")), { timeout: oneOf(5, 60_000) }), oneOf(1, 9))
            ),
            bidirectional: Effect.scoped(
              Effect.gen(function* () {
                const stream = yield* streams.Echo.open()
                yield* stream.send(request("x"))
                yield* stream.recv
              })
            ),
            client: streams.EchoClient(Stream.make(request("x"), request("y"))),
            pingPong: calls.EchoPingPong({ req: request(oneOf("a", "die", "slow")) }, { rpcTimeout: oneOf(10, 60_000) })
          }
          for (let i = 0; i < 4; i++) {
            const kind = oneOf(...Object.keys(kinds))
            const fiber = yield* Effect.forkChild(kinds[kind]!, { startImmediately: true })
            const cut = oneOf(0, 1, 2, 3, 5, 8, 13, 60)
            yield* pass(cut, 1)
            const exit = yield* Fiber.interrupt(fiber).pipe(Effect.andThen(Fiber.await(fiber)))
            const key = `${kind} ${told(exit).split(":")[0]}`
            seen.set(key, (seen.get(key) ?? 0) + 1)
          }
          yield* pass(100, 10)
        }).pipe(Effect.scoped, Effect.provide(connected(dials)), Effect.provide(tracer))
        yield* settle
        assert.deepStrictEqual([...picked.wrong, ...admitted.wrong], [], `seed ${seed}`)
        assert.strictEqual(picked.ended, picked.handedOut, `seed ${seed}: instances`)
        assert.strictEqual(admitted.ended, admitted.handedOut, `seed ${seed}: rules`)
        for (const list of tried) {
          assert.isBelow(list.length, 6)
          assert.strictEqual(new Set(list).size, list.length)
          assert.isFalse(list.some((address) => address.startsWith("live")))
        }
        for (const { created, error, info } of picked.ends) {
          if (/^(dead|late)/.test(info.address)) assert.isFalse(created, `seed ${seed}`)
          if (!created && error !== undefined) assert.notInclude(["BizStatusError"], error._tag)
        }
        if (rules.length === 0) assert.strictEqual(refusals, 0)
      }
      // It is of no use unless all of it happens.
      for (const kind of ["unary", "server", "bidirectional", "client", "pingPong"]) {
        for (const end of ["success", "interrupted", "Rejected", "Unavailable"]) {
          assert.isAbove(seen.get(`${kind} ${end}`) ?? 0, 0, `${kind} ${end}`)
        }
      }
    })
  )
})

const dead = (n: number) => Array.from({ length: n }, (_, i) => `dead:${i}`)

describe("creation at another instance", () => {
  const one = (
    addresses: ReadonlyArray<string>,
    run: (clients: {
      readonly streams: StreamClient.StreamClient<typeof TestService>
      readonly calls: Client.Client<typeof TestService>
    }) => Effect.Effect<unknown, unknown>,
    more = {}
  ) =>
    Effect.gen(function* () {
      const dials: Array<string> = []
      const exit = yield* Effect.gen(function* () {
        const options = { hostPorts: addresses, ...more }
        const clients = {
          streams: yield* StreamClient.make(TestService, options),
          calls: yield* Client.make(TestService, options)
        }
        const fiber = yield* Effect.forkChild(run(clients), { startImmediately: true })
        yield* pass(60, 2)
        return yield* Fiber.await(fiber)
      }).pipe(Effect.scoped, Effect.provide(connected(dials)))
      return { dials, exit }
    })

  const kinds = {
    unary: ({ streams }: { streams: StreamClient.StreamClient<typeof TestService> }) => streams.EchoUnary(request("x")),
    stream: ({ streams }: { streams: StreamClient.StreamClient<typeof TestService> }) =>
      Stream.runCollect(streams.EchoServer(request("x"))),
    call: ({ calls }: { calls: Client.Client<typeof TestService> }) => calls.EchoPingPong({ req: request("x") })
  } as const

  for (const [kind, run] of Object.entries(kinds)) {
    for (const more of [{}, { middleware: [pass1] }, { instanceMiddleware: [pass1] }]) {
      const name = `${kind}${Object.keys(more)
        .map((key) => ` with ${key}`)
        .join("")}`
      it.effect(`${name}: goes on until one takes it`, () =>
        Effect.gen(function* () {
          const { dials, exit } = yield* one(["dead:0", "late:1", "live:2"], run as never, more)
          assert.strictEqual(told(exit), "success")
          assert.deepStrictEqual(dials, ["dead:0", "late:1", "live:2"])
        })
      )
      it.effect(`${name}: ends with the error of the last where there is no other`, () =>
        Effect.gen(function* () {
          const { dials, exit } = yield* one(dead(3), run as never, more)
          assert.strictEqual(
            told(exit),
            "Unavailable: rpc error: code = 14 desc = get connection error: no way to dead:2"
          )
          assert.deepStrictEqual(dials, dead(3))
        })
      )
      it.effect(`${name}: asks six at most`, () =>
        Effect.gen(function* () {
          const { dials, exit } = yield* one([...dead(6), "live:6"], run as never, more)
          assert.strictEqual(
            told(exit),
            "Unavailable: rpc error: code = 14 desc = get connection error: no way to dead:5"
          )
          assert.deepStrictEqual(dials, dead(6))
        })
      )
    }
  }

  it.effect("not of a call that names its instance", () =>
    Effect.gen(function* () {
      const { dials, exit } = yield* one(["live:0", "live:1"], ({ streams }) =>
        streams.EchoUnary(request("x"), { hostPort: "dead:9" })
      )
      assert.strictEqual(told(exit), "Unavailable: rpc error: code = 14 desc = get connection error: no way to dead:9")
      assert.deepStrictEqual(dials, ["dead:9"])
    })
  )

  it.effect("within the deadline of the call", () =>
    Effect.gen(function* () {
      const late = Array.from({ length: 6 }, (_, i) => `late:${i}`)
      const { dials, exit } = yield* one(late, ({ streams }) => streams.EchoUnary(request("x"), { timeout: 10 }))
      assert.strictEqual(told(exit), "DeadlineExceeded: rpc error: code = 4 desc = context deadline exceeded")
      assert.deepStrictEqual(dials, ["late:0", "late:1", "late:2"])
    })
  )

  it.effect("not once the server has the request", () =>
    Effect.gen(function* () {
      const { dials, exit } = yield* one(["live:0", "live:1"], ({ streams }) => streams.EchoUnary(request("die")))
      assert.include(told(exit), "panic")
      assert.deepStrictEqual(dials, ["live:0"])
    })
  )
})

describe("endpoints and rules that throw", () => {
  it.effect("a rule that throws ends its call as a defect; those before it hear of the end", () =>
    Effect.gen(function* () {
      const witness = new Witness()
      const exit = yield* Effect.gen(function* () {
        const client = yield* StreamClient.make(TestService, {
          admission: [
            Admission.make(() => witness.admitted("first")),
            Admission.make(() => {
              throw new Error("mine")
            })
          ]
        })
        return yield* Effect.exit(client.EchoUnary(request("x")))
      }).pipe(Effect.scoped, Effect.provide(connected([])))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      assert.deepStrictEqual([witness.handedOut, witness.ended], [1, 1])
    })
  )

  it.effect("made by an effect once, in the scope of the client", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const made = <A>(name: string, value: A) =>
        Effect.acquireRelease(
          Effect.sync(() => (log.push(`make ${name}`), value)),
          () => Effect.sync(() => void log.push(`release ${name}`))
        )
      yield* Effect.gen(function* () {
        const client = yield* StreamClient.make(TestService, {
          endpoints: made("endpoints", { pick: () => "live:0" }),
          admission: [
            made(
              "rule",
              Admission.make(() => () => {})
            )
          ]
        })
        yield* client.EchoUnary(request("x"))
        yield* client.EchoUnary(request("y"))
        log.push("called")
      }).pipe(Effect.scoped, Effect.provide(connected([])))
      assert.deepStrictEqual(log, ["make endpoints", "make rule", "called", "release rule", "release endpoints"])
    })
  )
})

describe("what is to be done before a server stops", () => {
  const stopping = (before: Effect.Effect<void>, log: Array<string>) =>
    Effect.gen(function* () {
      const server = yield* Server.Server
      yield* server.beforeDrain(before)
      yield* Effect.forkChild(
        Effect.andThen(
          server.draining,
          Effect.sync(() => log.push("draining"))
        ),
        {
          startImmediately: true
        }
      )
      yield* Effect.forkChild(
        Effect.andThen(
          server.drain,
          Effect.sync(() => log.push("stopped"))
        ),
        {
          startImmediately: true
        }
      )
      yield* settle
      log.push("---")
      yield* TestClock.adjust(1000)
      yield* settle
      log.push("---")
      yield* TestClock.adjust(4000)
      yield* settle
    }).pipe(Effect.scoped, Effect.provide(connected([])))

  it.effect("is waited for", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      yield* stopping(
        Effect.delay(
          Effect.sync(() => void log.push("left")),
          1000
        ),
        log
      )
      assert.deepStrictEqual(log, ["---", "left", "draining", "stopped", "---"])
    })
  )

  it.effect("does not keep a server from stopping", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      yield* stopping(Effect.never, log)
      assert.deepStrictEqual(log, ["---", "---", "draining", "stopped"])
    })
  )

  it.effect("and one that dies neither", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      yield* stopping(Effect.die(new Error("mine")), log)
      assert.deepStrictEqual(log.slice(0, 3), ["draining", "---", "stopped"])
    })
  )
})
