/**
 * Limits of bytes in flight, and what they have in common with those of messages, in virtual time.
 */
import { assert, describe, it } from "@effect/vitest"
import { StreamLimiter } from "@millrace/governance"
import { type Middleware, RpcError } from "@millrace/rpc"
import { Effect, Exit, Fiber, type Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Room } from "../src/internal/limits/room.ts"
import { pass } from "./support/passing.ts"
import { seeded } from "./support/random.ts"
import { begin, type Client, type FlowHandlers, flowing, type Text, text, texts } from "./support/flow.ts"

describe("bytes in flight", () => {
  /** A handler that holds each message for so long, and what all of them hold. */
  const holding = (millis: (text: string) => number) => {
    const held = { bytes: 0, most: 0, done: 0 }
    const hold = ({ text = "" }: Text) =>
      Effect.gen(function* () {
        held.bytes += text.length
        held.most = Math.max(held.most, held.bytes)
        yield* Effect.sleep(millis(text))
        held.bytes -= text.length
        held.done++
      })
    const Up: FlowHandlers["Up"] = (requests) =>
      Effect.as(Stream.runForEach(Stream.rechunk(requests, 1), hold), text("done"))
    return { held, handlers: { Up } }
  }
  /** So large that each comes by itself: what is around the text is a few bytes. */
  const large = (size: number) => text("x".repeat(size))

  it.effect("of all handlers are never more than the limit, and all get through", () => {
    const { handlers, held } = holding(() => 10)
    const limit = StreamLimiter.bytesInFlight({ max: 100_000, per: "method" })
    return flowing(handlers, { server: [limit] }, (client) =>
      Effect.gen(function* () {
        const calls = []
        for (let stream = 0; stream < 20; stream++) {
          calls.push(yield* begin(client.Up(Stream.fromIterable(Array.from({ length: 5 }, () => large(20_000))))))
        }
        yield* pass(1000, 5)
        for (const call of calls) yield* Fiber.join(call)
        assert.strictEqual(held.done, 100)
        assert.isAtMost(held.most, 100_000)
        assert.isAtLeast(held.most, 60_000)
      })
    )
  })

  it.effect("are given back when a handler ends, dies or is interrupted, and when its client leaves", () => {
    const ends: ReadonlyArray<Effect.Effect<Text, RpcError.RpcError>> = [
      Effect.succeed(text("done")),
      Effect.die(new Error("boom")),
      Effect.interrupt,
      Effect.never
    ]
    let next = 0
    const Up: FlowHandlers["Up"] = (requests) =>
      Effect.andThen(
        Stream.runDrain(Stream.take(requests, 1)),
        Effect.suspend(() => ends[next++ % ends.length]!)
      )
    // The first that does not give back leaves no room for the others.
    const limit = StreamLimiter.bytesInFlight({ max: 30_000, per: "server", over: "refuse" })
    return flowing({ Up }, { server: [limit] }, (client) =>
      Effect.gen(function* () {
        for (let calls = 0; calls < 12; calls++) {
          const call = yield* begin(Effect.exit(client.Up(Stream.make(large(20_000)))))
          yield* pass(0)
          if (calls % 4 === 3) yield* Fiber.interrupt(call)
          else {
            const exit = yield* Fiber.join(call)
            if (calls % 4 === 0) assert.isTrue(Exit.isSuccess(exit), `call ${calls}`)
          }
          yield* pass(0)
        }
        assert.strictEqual(next, 12)
      })
    )
  })

  it.effect("over the limit fail the stream where it is told to refuse", () => {
    const { handlers } = holding(() => 1000)
    const limit = StreamLimiter.bytesInFlight({ max: 30_000, per: "server", over: "refuse" })
    return flowing(handlers, { server: [limit] }, (client) =>
      Effect.gen(function* () {
        const first = yield* begin(client.Up(Stream.make(large(20_000))))
        yield* pass(10)
        const error = yield* Effect.flip(client.Up(Stream.make(large(20_000))))
        assert.isTrue(error instanceof RpcError.RpcError)
        assert.deepStrictEqual(error instanceof RpcError.RpcError && { ...error.reason }, {
          ...new RpcError.Rejected({ limit: "too many bytes in flight" })
        })
        yield* pass(1000)
        yield* Fiber.join(first)
      })
    )
  })

  it.effect("let one message through that is larger than the limit, alone", () => {
    const { handlers, held } = holding(() => 10)
    const limit = StreamLimiter.bytesInFlight({ max: 1000, per: "server" })
    return flowing(handlers, { server: [limit] }, (client) =>
      Effect.gen(function* () {
        const calls = []
        for (const size of [5000, 400, 5000, 400]) calls.push(yield* begin(client.Up(Stream.make(large(size)))))
        yield* pass(100, 5)
        for (const call of calls) yield* Fiber.join(call)
        assert.strictEqual(held.done, 4)
        assert.strictEqual(held.most, 5000)
      })
    )
  })

  it.effect("do not stay with a fiber that waits longer than its call", () => {
    const { handlers } = holding(() => 1000)
    const Both: FlowHandlers["Both"] = (requests) => {
      const forgotten = Effect.forkDetach(
        Stream.runForEach(requests, () => Effect.never),
        { startImmediately: true }
      )
      return Stream.fromEffect(Effect.as(Effect.delay(forgotten, 100), text("gone")))
    }
    const limit = StreamLimiter.bytesInFlight({ max: 30_000, per: "server" })
    return flowing({ ...handlers, Both }, { server: [limit] }, (client) =>
      Effect.gen(function* () {
        const first = yield* begin(client.Up(Stream.make(large(20_000))))
        yield* pass(10)
        const gone = yield* begin(Stream.runDrain(client.Both(Stream.make(large(20_000)))))
        yield* pass(990)
        yield* Fiber.join(gone)
        yield* Fiber.join(first)
        const last = yield* begin(client.Up(Stream.make(large(20_000))))
        yield* pass(1000)
        assert.isDefined(last.pollUnsafe())
      })
    )
  })

  it.effect("so many streams may wait; one more is refused", () => {
    const { handlers, held } = holding(() => 1000)
    const limit = StreamLimiter.bytesInFlight({ max: 30_000, per: "server", maxWaiting: 1 })
    return flowing(handlers, { server: [limit] }, (client) =>
      Effect.gen(function* () {
        const first = yield* begin(client.Up(Stream.make(large(20_000))))
        yield* pass(10)
        const waiting = yield* begin(client.Up(Stream.make(large(20_000))))
        yield* pass(10)
        const refused = yield* Effect.flip(client.Up(Stream.make(large(20_000))))
        assert.isTrue(refused instanceof RpcError.RpcError && refused.reason._tag === "Rejected")
        yield* pass(2000, 500)
        yield* Fiber.join(first)
        yield* Fiber.join(waiting)
        assert.strictEqual(held.done, 2)
      })
    )
  })

  it.effect("do not hold up the end of a stream", () => {
    const { handlers } = holding((text) => (text === "" ? 0 : 60_000))
    const limit = StreamLimiter.bytesInFlight({ max: 1000, per: "server" })
    return flowing(handlers, { server: [limit] }, (client) =>
      Effect.gen(function* () {
        yield* begin(client.Up(Stream.make(large(5000))))
        yield* pass(10)
        assert.strictEqual((yield* client.Up(Stream.empty)).text, "done")
      })
    )
  })

  it.effect("do not count a request that the server reads before its middleware", () => {
    const limit = StreamLimiter.bytesInFlight({ max: 1000, per: "server", over: "refuse" })
    const Down: FlowHandlers["Down"] = () => texts(2)
    return flowing({ Down }, { server: [limit], requestInInfo: true }, (client) =>
      Effect.gen(function* () {
        const first = yield* client.Down.open(large(5000))
        assert.strictEqual((yield* first.recv).text, "0")
        assert.strictEqual((yield* Stream.runCollect(client.Down(large(5000)))).length, 2)
      })
    )
  })

  it.effect("of a client are those that its readers have not asked past", () => {
    const limit = StreamLimiter.bytesInFlight({ max: 30_000, per: "server" })
    const Down: FlowHandlers["Down"] = () => Stream.fromIterable([large(20_000), large(20_000)])
    return flowing({ Down }, { client: [limit] }, (client) =>
      Effect.gen(function* () {
        const first = yield* client.Down.open(text("go"))
        const second = yield* client.Down.open(text("go"))
        yield* first.recv
        const waiting = yield* begin(second.recv)
        yield* pass(10)
        assert.isUndefined(waiting.pollUnsafe())
        // An interrupted receive takes nothing with it.
        yield* Fiber.interrupt(waiting)
        const again = yield* begin(second.recv)
        yield* pass(10)
        assert.isUndefined(again.pollUnsafe())
        yield* first.cancel
        yield* pass(10)
        assert.strictEqual((yield* Fiber.join(again)).text?.length, 20_000)
        assert.strictEqual((yield* second.recv).text?.length, 20_000)
      })
    )
  })

  it("agree with a plain model, whoever comes, goes and gives up", () => {
    for (let seed = 0; seed < 100; seed++) {
      const random = seeded(seed)
      const room = new Room(() => 100)
      const waiting: Array<{ readonly size: number; readonly stop: () => void; granted: boolean }> = []
      const held: Array<number> = []
      /** The same in the plainest words: a list, looked at from its head. */
      const model = { inFlight: 0, queue: [] as Array<number> }
      const fits = (size: number) => model.inFlight === 0 || model.inFlight + size <= 100
      const serve = () => {
        while (model.queue.length > 0 && fits(model.queue[0]!)) model.inFlight += model.queue.shift()!
      }
      for (let step = 0; step < 200; step++) {
        const size = 1 + Math.floor(random() * (random() < 0.1 ? 300 : 60))
        const what = random()
        if (what < 0.55) {
          if (model.queue.length === 0 && fits(size)) {
            assert.isTrue(room.take(size))
            model.inFlight += size
            held.push(size)
          } else {
            assert.isFalse(room.take(size))
            model.queue.push(size)
            const waiter = { size, granted: false, stop: () => {} }
            const fiber = Effect.runFork(
              room.wait(size, () => {
                waiter.granted = true
                held.push(size)
              })
            )
            waiter.stop = () => fiber.interruptUnsafe()
            waiting.push(waiter)
          }
        } else if (what < 0.9 && held.length > 0) {
          const [back] = held.splice(Math.floor(random() * held.length), 1)
          model.inFlight -= back!
          serve()
          room.giveBack(back!)
        } else {
          const still = waiting.filter(({ granted }) => !granted)
          if (still.length > 0) {
            const at = Math.floor(random() * still.length)
            model.queue.splice(at, 1)
            serve()
            still[at]!.stop()
            waiting.splice(waiting.indexOf(still[at]!), 1)
          }
        }
        const agrees = room.inFlight === model.inFlight && room.waiting === model.queue.length
        if (!agrees) assert.fail(`seed ${seed}, step ${step}: ${room.inFlight} bytes, not ${model.inFlight}`)
      }
    }
  })
})

describe("what waits for a limit", () => {
  const waits: ReadonlyArray<
    readonly [
      string,
      ReadonlyArray<Middleware.ForClient>,
      (client: Client) => Effect.Effect<unknown, unknown, Scope.Scope>
    ]
  > = [
    [
      "for messages to receive",
      [StreamLimiter.messages({ perSecond: 0.001, burst: 1, direction: "recv" })],
      (client) => Stream.runDrain(client.Down(text("go"), { timeout: 1000 }))
    ],
    [
      "for messages to send",
      [StreamLimiter.messages({ perSecond: 0.001, burst: 1, direction: "send" })],
      (client) => client.Up(texts(2), { timeout: 1000 })
    ],
    [
      "for room",
      [StreamLimiter.bytesInFlight({ max: 10, per: "server" })],
      (client) =>
        Effect.gen(function* () {
          const holds = yield* client.Down.open(text("go"))
          yield* holds.recv
          return yield* Stream.runDrain(client.Down(text("go"), { timeout: 1000 }))
        })
    ]
  ]
  for (const [name, middleware, call] of waits) {
    it.effect(`${name} ends with the deadline of the stream`, () =>
      flowing(
        { Down: () => Stream.concat(texts(10), Stream.never), Up: () => Effect.never },
        { client: middleware },
        (client) =>
          Effect.gen(function* () {
            const calling = yield* begin(Effect.flip(call(client)))
            yield* pass(999, 333)
            assert.isUndefined(calling.pollUnsafe())
            yield* pass(1)
            const error = yield* Fiber.join(calling)
            assert.isTrue(error instanceof RpcError.RpcError && error.reason._tag === "DeadlineExceeded", String(error))
          })
      )
    )
  }
})

describe("both limits together", () => {
  it.effect("lose, double and reorder nothing, whoever gives up whenever", () =>
    Effect.gen(function* () {
      for (let seed = 0; seed < 8; seed++) {
        const random = seeded(seed)
        const any = (most: number) => Math.floor(random() * most)
        const streams = 1 + any(3)
        const received = Array.from({ length: streams }, (): Array<string> => [])
        const limits = [
          StreamLimiter.messages({ perSecond: 20 + any(100), burst: 1 + any(5), per: "server", direction: "recv" }),
          StreamLimiter.bytesInFlight({ max: 20 + any(300), per: "server" }),
          StreamLimiter.messages({ perSecond: 200, burst: 1 + any(50), direction: "recv" })
        ]
        yield* flowing({ Down: () => texts(40) }, { client: limits.slice(any(3)) }, (client) =>
          Effect.gen(function* () {
            const reader = Effect.fnUntraced(function* (into: Array<string>) {
              const stream = yield* client.Down.open(text("go"))
              for (;;) {
                const wait = Math.floor(random() * 60)
                const result = yield* Effect.exit(Effect.timeoutOption(stream.recv, wait))
                if (Exit.isFailure(result)) return
                if (result.value._tag === "Some") into.push(result.value.value.text!)
                if (random() < 0.2) yield* Effect.sleep(Math.floor(random() * 50))
              }
            })
            const reading = yield* begin(
              Effect.forEach(received, (into) => Effect.scoped(reader(into)), { concurrency: "unbounded" })
            )
            for (let at = 0; at < 2000 && reading.pollUnsafe() === undefined; at++) yield* TestClock.adjust(20)
            yield* Fiber.join(reading)
          })
        )
        const all = Array.from({ length: 40 }, (_, at) => `${at}`)
        assert.deepStrictEqual(
          received,
          received.map(() => all),
          `seed ${seed}`
        )
      }
    })
  )
})
