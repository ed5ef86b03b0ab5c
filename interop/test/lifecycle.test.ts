/**
 * What users of streams suffer from, each as a test between processes: work that goes on for nobody, calls that hang, deadlines that get lost, stops
 * that cut or never end.
 */
import { assert, describe, it as alone, layer } from "@effect/vitest"
import { Deadline, RpcError } from "@millrace/rpc"
import { Cause, Context, Effect, Exit, Fiber, Layer, Pull, Stream } from "effect"
import * as net from "node:net"
import { windowUpdate } from "../../packages/transport/test/http2/raw.ts"
import { Request } from "../src/api.ts"
import { attacker, produce, silent } from "./attacker.ts"
import { consumer, type SoakServer, soakClient, soakServer, until } from "./soaking.ts"

/** A round trip and 50 ms, on a machine that does much else. */
const soon = 1500

/** How long it takes until no handler runs. */
const untilIdle = (server: SoakServer) =>
  Effect.gen(function* () {
    const from = performance.now()
    const now = yield* until(server.usage, ({ handlers }) => handlers.active === 0, 10_000)
    assert.strictEqual(now.handlers.active, 0, "handlers that still run")
    return performance.now() - from
  })

const running = (server: SoakServer, count = 1) =>
  Effect.gen(function* () {
    const now = yield* until(server.usage, ({ handlers }) => handlers.active === count, 5000)
    assert.strictEqual(now.handlers.active, count, "handlers that run")
  })

/** Three servers, each of which calls the next one. */
class Chain extends Context.Service<
  Chain,
  { readonly a: SoakServer; readonly b: SoakServer; readonly c: SoakServer }
>()("interop/Chain") {
  static readonly layer = Layer.effect(
    Chain,
    Effect.gen(function* () {
      const c = yield* soakServer()
      const b = yield* soakServer({ next: c.address })
      return { a: yield* soakServer({ next: b.address }), b, c }
    })
  )
}

/** A server that others use too, and that none of them stops. */
const shared = Effect.map(Chain, ({ c }) => c)

/** One message, then silence: nothing but an interruption ends that handler. */
const once = new Request({ message: "once" })
const ticks = new Request({ message: "ticks", count: 5 })

/** A proxy whose connections can be cut, or stopped: bytes are taken and go nowhere. */
const proxy = (address: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly server: net.Server; readonly sockets: Set<net.Socket> }>((resume) => {
        const sockets = new Set<net.Socket>()
        const [host, port] = address.split(":") as [string, string]
        const server = net.createServer((left) => {
          const right = net.connect({ host, port: Number(port), noDelay: true })
          for (const [from, to] of [
            [left, right],
            [right, left]
          ] as const) {
            sockets.add(from)
            from.setNoDelay(true)
            from.on("error", () => {})
            from.on("data", (chunk) => void to.write(chunk))
            from.on("close", () => to.destroy())
          }
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed({ server, sockets })))
      }),
      ({ server, sockets }) =>
        Effect.sync(() => {
          for (const socket of sockets) socket.destroy()
          server.close()
        })
    ),
    ({ server, sockets }) => ({
      address: `127.0.0.1:${(server.address() as net.AddressInfo).port}`,
      cut: Effect.sync(() => {
        for (const socket of sockets) socket.resetAndDestroy()
      }),
      stall: Effect.sync(() => {
        for (const socket of sockets) socket.removeAllListeners("data").resume()
      })
    })
  )

const failure = (exit: Exit.Exit<unknown, unknown>): RpcError.RpcError => {
  const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
  if (!(error instanceof RpcError.RpcError)) return assert.fail(`not an RpcError: ${JSON.stringify(exit)}`)
  return error
}

layer(Chain.layer, { excludeTestServices: true })((it) => {
  describe("the consumer leaves, the producer stops", () => {
    it.effect("killed process", () =>
      Effect.gen(function* () {
        const server = yield* shared
        const child = yield* consumer(server.address)
        yield* running(server)
        child.kill("SIGKILL")
        assert.isBelow(yield* untilIdle(server), soon)
      })
    )

    it.effect("socket cut", () =>
      Effect.gen(function* () {
        const server = yield* shared
        const between = yield* proxy(server.address)
        const client = yield* soakClient(between.address)
        const stream = yield* client.Produce.open(once)
        yield* stream.recv
        yield* running(server)
        yield* between.cut
        assert.isBelow(yield* untilIdle(server), soon)
        const error = failure(yield* Effect.exit(Effect.forever(stream.recv)))
        assert.strictEqual(error.reason._tag, "Unavailable")
        assert.strictEqual(error.code, 14)
        assert.include(error.desc, `remoteAddress=${between.address}`)
      })
    )

    it.effect("a host that falls silent: keepalive of the server", () =>
      Effect.gen(function* () {
        const server = yield* soakServer({ transport: { keepalive: { time: 200, timeout: 300 } } })
        const between = yield* proxy(server.address)
        const client = yield* soakClient(between.address)
        const stream = yield* client.Echo.open()
        yield* stream.send(ticks)
        yield* stream.recv
        yield* running(server)
        yield* between.stall
        assert.isBelow(yield* untilIdle(server), soon + 500)
      })
    )

    const ways: ReadonlyArray<
      readonly [
        string,
        (server: SoakServer, client: Effect.Success<ReturnType<typeof soakClient>>) => Effect.Effect<void>
      ]
    > = [
      ["Stream.take", (_, client) => Effect.orDie(Stream.runDrain(Stream.take(client.Produce(once), 1)))],
      [
        "cancel",
        (server, client) =>
          Effect.scoped(
            Effect.gen(function* () {
              const stream = yield* client.Produce.open(once)
              yield* stream.recv
              yield* running(server)
              yield* stream.cancel
              assert.isBelow(yield* untilIdle(server), soon)
            })
          ).pipe(Effect.orDie)
      ],
      [
        "scope closed",
        (server, client) =>
          Effect.scoped(
            Effect.gen(function* () {
              const stream = yield* client.Echo.open()
              yield* stream.send(ticks)
              yield* stream.recv
              yield* running(server)
            })
          ).pipe(Effect.orDie)
      ],
      [
        "fiber interrupted",
        (server, client) =>
          Effect.gen(function* () {
            const fiber = yield* Effect.forkChild(client.Unary(new Request({ message: "never" })))
            yield* running(server)
            yield* Fiber.interrupt(fiber)
          })
      ],
      [
        "deadline",
        (_, client) =>
          Effect.map(Effect.exit(client.Unary(new Request({ message: "never" }), { timeout: 200 })), (exit) =>
            assert.strictEqual(failure(exit).message, "rpc error: code = 4 desc = context deadline exceeded")
          )
      ]
    ]
    for (const [name, leave] of ways) {
      it.effect(name, () =>
        Effect.gen(function* () {
          const server = yield* shared
          const { handlers } = yield* server.usage
          yield* leave(server, yield* soakClient(server.address))
          assert.isBelow(yield* untilIdle(server), soon)
          assert.strictEqual((yield* server.usage).handlers.started, handlers.started + 1)
        })
      )
    }

    it.effect("chained: A calls B calls C, and C stops", () =>
      Effect.gen(function* () {
        const { a, b, c } = yield* Chain
        const client = yield* soakClient(a.address)
        // Through A and B the word stays "next"; C produces what `key` says.
        const stream = yield* client.Produce.open(new Request({ message: "next", key: "once" }))
        yield* stream.recv
        for (const server of [a, b, c]) yield* running(server)
        yield* stream.cancel
        assert.isBelow(yield* untilIdle(c), soon)
        assert.isBelow(yield* untilIdle(b), soon)
        assert.isBelow(yield* untilIdle(a), soon)
      })
    )

    it.effect("chained: a consumer that is killed stops C", () =>
      Effect.gen(function* () {
        const { b, c } = yield* Chain
        const child = yield* consumer(b.address, "next")
        yield* running(c)
        child.kill("SIGKILL")
        assert.isBelow(yield* untilIdle(c), soon)
        yield* untilIdle(b)
      })
    )
  })

  describe("calls that hang", () => {
    it.effect("a server that falls silent: keepalive of the client", () =>
      Effect.gen(function* () {
        const server = yield* shared
        const between = yield* proxy(server.address)
        const client = yield* soakClient(between.address, {}, { keepalive: { time: 200, timeout: 300 } })
        const stream = yield* client.Echo.open()
        yield* stream.send(ticks)
        yield* stream.recv
        yield* between.stall
        const from = performance.now()
        const error = failure(yield* Effect.exit(stream.recv))
        assert.isBelow(performance.now() - from, 500 + soon)
        assert.strictEqual(error.code, 14)
        assert.match(error.desc, /keepalive ping failed to receive ACK within timeout/)
      })
    )

    const budgets = [
      ["firstMessageTimeout", "FirstMessageTimeout", 17],
      ["recvTimeout", "RecvTimeout", 17],
      ["timeout", "DeadlineExceeded", 4]
    ] as const
    for (const [option, reason, code] of budgets) {
      it.effect(`a handler that never answers: ${option}`, () =>
        Effect.gen(function* () {
          const server = yield* shared
          const client = yield* soakClient(server.address, { [option]: 200 })
          const stream = yield* client.Park.open()
          const from = performance.now()
          const error = failure(yield* Effect.exit(stream.recv))
          assert.isBelow(performance.now() - from, 200 + soon)
          assert.strictEqual(error.reason._tag, reason)
          assert.strictEqual(error.code, code)
          assert.isBelow(yield* untilIdle(server), soon)
        })
      )
    }

    it.effect("a handler that never reads: sendTimeout", () =>
      Effect.gen(function* () {
        const server = yield* shared
        const client = yield* soakClient(server.address, { sendTimeout: 300 })
        const stream = yield* client.Park.open()
        const message = new Request({ blob: new Uint8Array(64 * 1024) })
        const error = failure(yield* Effect.exit(Effect.forever(stream.send(message))))
        assert.strictEqual(error.reason._tag, "SendTimeout")
        assert.isBelow(yield* untilIdle(server), soon)
      })
    )

    it.effect("both sides send more than their windows before they read", () =>
      Effect.gen(function* () {
        const server = yield* shared
        const client = yield* soakClient(server.address)
        const stream = yield* client.Echo.open()
        const blob = new Uint8Array(64 * 1024)
        const count = 200
        // The echo stops reading when its own sends wait; a client that only sends would wait for ever, one that reads on the side does not.
        const sending = yield* Effect.forkChild(
          Effect.forEach(Array.from(Array(count).keys()), (i) => stream.send(new Request({ blob, count: i })), {
            discard: true
          })
        )
        yield* Effect.sleep(300)
        assert.isUndefined(sending.pollUnsafe(), "the client waits: nobody reads")
        // Meanwhile the connection works.
        assert.strictEqual((yield* client.Unary(new Request({ message: "beside" }))).message, "beside")
        for (let i = 0; i < count; i++) assert.strictEqual((yield* stream.recv).count, i)
        yield* Fiber.join(sending)
        yield* stream.closeSend
        yield* Pull.catchDone(stream.recv, () => Effect.void)
      })
    )

    it.effect("what a finished stream left unread does not shut the connection", () =>
      Effect.gen(function* () {
        const server = yield* shared
        const client = yield* soakClient(server.address)
        const flood = new Request({ message: "flood", count: 64 * 1024 })
        for (let i = 0; i < 200; i++) yield* Stream.runHead(client.Produce(flood))
        const blob = new Uint8Array(2 * 1024 * 1024)
        assert.strictEqual((yield* client.Unary(new Request({ blob }))).blob?.length, blob.length)
      })
    )
  })

  describe("deadlines", () => {
    /** What is left at the last server of a chain, in milliseconds. */
    const left = (message: string, own: number) => new Request({ message, key: "remaining", count: own })

    it.effect("go on over a hop, less what has passed", () =>
      Effect.gen(function* () {
        const { b } = yield* Chain
        const client = yield* soakClient(b.address)
        const inherited = (yield* client.Unary(left("next", 0), { timeout: 20_000 })).count!
        assert.isBelow(inherited, 20_000)
        assert.isAbove(inherited, 15_000)
      })
    )

    it.effect("the earlier of one's own and the inherited one counts", () =>
      Effect.gen(function* () {
        const { b } = yield* Chain
        const client = yield* soakClient(b.address)
        const own = (yield* client.Unary(left("next", 10_000), { timeout: 60_000 })).count!
        assert.isAtMost(own, 10_000)
        assert.isAbove(own, 5000)
        const inherited = (yield* client.Unary(left("next", 60_000), { timeout: 10_000 })).count!
        assert.isAtMost(inherited, 10_000)
        assert.isAbove(inherited, 5000)
        const none = (yield* client.Unary(left("next", 0))).count!
        assert.strictEqual(none, -1)
      })
    )

    it.effect("that have passed send nothing", () =>
      Effect.gen(function* () {
        const server = yield* shared
        const client = yield* soakClient(server.address)
        yield* client.Unary(new Request({}))
        const { handlers } = yield* server.usage
        const call = client.Unary(new Request({}))
        const exits = [
          yield* Effect.exit(client.Unary(new Request({}), { timeout: 0 })),
          yield* Effect.exit(Effect.andThen(Effect.sleep(20), call).pipe(Deadline.within(1))),
          yield* Effect.exit(Stream.runDrain(client.Produce(ticks, { timeout: 0 })))
        ]
        for (const exit of exits) assert.strictEqual(failure(exit).reason._tag, "DeadlineExceeded")
        assert.strictEqual((yield* server.usage).handlers.started, handlers.started)
      })
    )
  })
})

describe("a graceful stop", () => {
  alone.live("of an idle server, with a connection, takes no time", () =>
    Effect.gen(function* () {
      const server = yield* soakServer({ server: { graceTime: 30_000 } })
      const client = yield* soakClient(server.address)
      yield* client.Unary(new Request({}))
      assert.isBelow(yield* server.drain, soon)
    })
  )

  alone.live("cuts no unary answer", () =>
    Effect.gen(function* () {
      const server = yield* soakServer({ server: { graceTime: 10_000 } })
      const client = yield* soakClient(server.address)
      const slow = new Request({ message: "sleep", count: 400 })
      const answers = yield* Effect.forkChild(
        Effect.forEach(Array.from(Array(100).keys()), () => client.Unary(slow), { concurrency: "unbounded" })
      )
      yield* running(server, 100)
      const millis = yield* server.drain
      assert.isBelow(millis, 400 + soon)
      const all = yield* Fiber.join(answers)
      assert.strictEqual(all.length, 100)
      for (const { message } of all) assert.strictEqual(message, "slept")
      const error = failure(yield* Effect.exit(client.Unary(new Request({}))))
      assert.strictEqual(error.reason._tag, "Unavailable")
    })
  )

  alone.live("cuts no unary answer while calls keep coming", () =>
    Effect.gen(function* () {
      const server = yield* soakServer({ server: { graceTime: 10_000 } })
      const client = yield* soakClient(server.address)
      let answered = 0
      const call = Effect.tap(client.Unary(new Request({ message: "sleep", count: 10 })), () =>
        Effect.sync(() => answered++)
      )
      const callers = yield* Effect.forkChild(
        Effect.forEach(Array.from(Array(20).keys()), () => Effect.exit(Effect.forever(call)), {
          concurrency: "unbounded"
        })
      )
      yield* Effect.sleep(300)
      yield* server.drain
      for (const exit of yield* Fiber.join(callers)) {
        const error = failure(exit)
        assert.strictEqual(error.reason._tag, "Unavailable", error.message)
        assert.deepInclude(error.reason, { neverSent: true }, error.message)
      }
      assert.isAbove(answered, 20)
      assert.strictEqual((yield* server.usage).handlers.started, answered)
    })
  )

  alone.live("has an end: streams that stay are interrupted after the grace time", () =>
    Effect.gen(function* () {
      const server = yield* soakServer({ server: { graceTime: 300 } })
      const client = yield* soakClient(server.address)
      const stream = yield* client.Produce.open(ticks)
      yield* stream.recv
      const millis = yield* server.drain
      assert.isAtLeast(millis, 290)
      assert.isBelow(millis, 300 + soon)
      const error = failure(yield* Effect.exit(Effect.forever(stream.recv)))
      assert.strictEqual(error.message, "rpc error: code = 14 desc = graceful shutdown")
      assert.strictEqual((yield* server.usage).handlers.active, 0)
    })
  )

  alone.live("has an end, with a client that reads nothing", () =>
    Effect.gen(function* () {
      const server = yield* soakServer({ server: { graceTime: 300 } })
      const client = yield* soakClient(server.address)
      const stream = yield* client.Produce.open(new Request({ message: "flood", count: 64 * 1024 }))
      yield* stream.recv
      yield* Effect.sleep(100)
      const millis = yield* server.drain
      assert.isBelow(millis, 300 + soon)
    })
  )

  const rude: ReadonlyArray<readonly [string, (address: string) => ReturnType<typeof attacker>]> = [
    ["does not answer", (address) => attacker(address)],
    ["says nothing at all", (address) => silent(address)],
    [
      "takes no bytes",
      (address) =>
        Effect.tap(attacker(address, [4, 2 ** 31 - 1]), (peer) => {
          peer.socket.pause()
          return peer.send(windowUpdate(0, 2 ** 30), produce(1, "flood", 64 * 1024))
        })
    ]
  ]
  for (const [name, connect] of rude) {
    alone.live(`has an end, with a client that ${name}`, () =>
      Effect.gen(function* () {
        const server = yield* soakServer({ server: { graceTime: 1500 } })
        yield* connect(server.address)
        yield* Effect.sleep(200)
        assert.isBelow(yield* server.drain, 1500 + soon)
      })
    )
  }
})
