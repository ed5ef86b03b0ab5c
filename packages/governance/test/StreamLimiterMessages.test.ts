/**
 * Limits of messages a second, in virtual time: on the server, on the client, alone and with others of the same key.
 */
import { assert, describe, it } from "@effect/vitest"
import { StreamLimiter } from "@millrace/governance"
import { RpcError } from "@millrace/rpc"
import { Clock, Effect, Exit, Fiber, Stream } from "effect"
import { MessageRate } from "../src/internal/limits/messageRate.ts"
import { pass } from "./support/passing.ts"
import { seeded } from "./support/random.ts"
import { begin, counting, type FlowHandlers, flowing, text, texts } from "./support/flow.ts"
import { wire } from "./support/over.ts"

describe("messages, received", () => {
  it.effect("come at their rate, behind a burst, and none is lost", () => {
    const { at, counted } = counting()
    const Up: FlowHandlers["Up"] = (requests) => Effect.as(counted(requests), text("done"))
    const limit = StreamLimiter.messages({ perSecond: 10, burst: 5, direction: "recv" })
    return flowing({ Up }, { server: [limit] }, (client) =>
      Effect.gen(function* () {
        const answer = yield* begin(client.Up(texts(25)))
        yield* pass(0)
        assert.strictEqual(at.length, 5)
        yield* pass(1000, 50)
        assert.strictEqual(at.length, 15)
        yield* pass(1000, 50)
        yield* Fiber.join(answer)
        assert.deepStrictEqual(
          at,
          Array.from({ length: 25 }, (_, message) => Math.max(0, message - 4) * 100)
        )
      })
    )
  })

  it.effect("stay behind flow control: a sender waits that nobody reads", () => {
    const { at, counted } = counting()
    const Up: FlowHandlers["Up"] = (requests) => Effect.as(counted(requests), text("done"))
    const limit = StreamLimiter.messages({ perSecond: 1, burst: 2, direction: "recv" })
    let sent = 0
    const large = "x".repeat(50_000)
    return flowing({ Up }, { server: [limit] }, (client) =>
      Effect.gen(function* () {
        yield* begin(
          client.Up(
            Stream.tap(
              Stream.map(texts(1000), () => text(large)),
              () => Effect.sync(() => void sent++)
            )
          )
        )
        yield* pass(1000)
        assert.strictEqual(at.length, 3)
        const before = sent
        assert.isBelow(before, 100)
        yield* pass(10_000, 500)
        assert.strictEqual(at.length, 13)
        assert.isAtMost(sent, before + 11)
      })
    )
  })

  it.effect("of streams with one key come at one rate, and each stream gets its turn", () => {
    const counts = new Map<string, number>()
    const Up: FlowHandlers["Up"] = (requests) =>
      Effect.as(
        Stream.runForEach(requests, ({ text = "" }) =>
          Effect.sync(() => void counts.set(text, (counts.get(text) ?? 0) + 1))
        ),
        text("done")
      )
    const limit = StreamLimiter.messages({ perSecond: 20, burst: 1, per: "method", direction: "recv" })
    return flowing({ Up }, { server: [limit] }, (client) =>
      Effect.gen(function* () {
        for (const name of ["a", "b", "c", "d"]) {
          yield* begin(client.Up(Stream.map(texts(1000), () => text(name))))
        }
        yield* pass(10_000, 50)
        const all = [...counts.values()]
        assert.strictEqual(all.length, 4)
        const total = all.reduce((sum, count) => sum + count, 0)
        assert.approximately(total, 201, 1)
        for (const count of all) assert.approximately(count, 50, 2)
      })
    )
  })

  it.effect("that a receive was interrupted for are there for the next", () => {
    const received: Array<string> = []
    const limit = StreamLimiter.messages({ perSecond: 10, burst: 1, direction: "recv" })
    return flowing({ Down: () => texts(30) }, { client: [limit] }, (client) =>
      Effect.gen(function* () {
        const stream = yield* client.Down.open(text("go"))
        const random = seeded(7)
        while (received.length < 30) {
          // Gives up at any time, also while it waits for what it has taken.
          const receiving = yield* begin(Effect.timeoutOption(stream.recv, Math.floor(random() * 130)))
          yield* pass(140, 10)
          const message = yield* Fiber.join(receiving)
          if (message._tag === "Some") received.push(message.value.text!)
        }
        assert.deepStrictEqual(
          received,
          Array.from({ length: 30 }, (_, at) => `${at}`)
        )
        assert.isTrue(Exit.isFailure(yield* Effect.exit(stream.recv)))
      })
    )
  })

  it.effect("over the limit fail the stream where it is told to refuse, with a hint", () => {
    const { at, counted } = counting()
    const Up: FlowHandlers["Up"] = (requests) => Effect.as(counted(requests), text("done"))
    const limit = StreamLimiter.messages({ perSecond: 4, burst: 10, over: "refuse", direction: "recv" })
    return flowing({ Up }, { server: [limit] }, (client) =>
      Effect.gen(function* () {
        assert.strictEqual((yield* client.Up(texts(10))).text, "done")
        const error = yield* Effect.flip(client.Up(texts(11)))
        assert.isTrue(error instanceof RpcError.RpcError)
        if (!(error instanceof RpcError.RpcError)) return
        assert.deepStrictEqual(
          [error.message, { ...error.reason }],
          [
            wire.streams.ofHandler("request over limit: too many messages", 8),
            { ...new RpcError.Rejected({ limit: "too many messages", retryAfterMillis: 250 }) }
          ]
        )
        assert.strictEqual(at.length, 20)
      })
    )
  })

  it.effect("go on failing for a handler that does not take the refusal seriously", () => {
    const seen: Array<string> = []
    const Both: FlowHandlers["Both"] = (requests) =>
      Stream.fromEffect(
        Effect.as(
          Effect.forEach([1, 2, 3], () =>
            Effect.catch(Stream.runDrain(requests), (error) => Effect.sync(() => void seen.push(error.desc)))
          ),
          text("done")
        )
      )
    const limit = StreamLimiter.messages({ perSecond: 1, over: "refuse", direction: "recv" })
    return flowing({ Both }, { server: [limit] }, (client) =>
      Effect.gen(function* () {
        yield* Stream.runDrain(client.Both(texts(10)))
        assert.strictEqual(seen.length, 3)
        assert.deepStrictEqual([...new Set(seen)], ["request over limit: too many messages"])
      })
    )
  })

  it.effect("so many streams may wait; one more is refused", () => {
    const Up: FlowHandlers["Up"] = (requests) => Effect.as(Stream.runDrain(requests), text("done"))
    const limit = StreamLimiter.messages({ perSecond: 1, per: "server", maxWaiting: 2, direction: "recv" })
    return flowing({ Up }, { server: [limit] }, (client) =>
      Effect.gen(function* () {
        yield* client.Up(texts(1))
        const waiting = [yield* begin(Effect.exit(client.Up(texts(1)))), yield* begin(Effect.exit(client.Up(texts(1))))]
        yield* pass(0)
        const refused = yield* Effect.flip(client.Up(texts(1)))
        assert.isTrue(refused instanceof RpcError.RpcError && refused.reason._tag === "Rejected")
        yield* pass(2000, 100)
        for (const each of waiting) assert.isTrue(Exit.isSuccess(yield* Fiber.join(each)))
      })
    )
  })

  it.effect("cost a stream without a key, or without a limit, nothing", () => {
    const { at, counted } = counting()
    const Up: FlowHandlers["Up"] = (requests) => Effect.as(counted(requests), text("done"))
    const none = StreamLimiter.messages({ perSecond: 1, per: () => undefined, direction: "recv" })
    const unlimited = StreamLimiter.messages({ perSecond: 0, direction: "recv" })
    return flowing({ Up }, { server: [none, unlimited] }, (client) =>
      Effect.gen(function* () {
        yield* client.Up(texts(5000))
        assert.strictEqual(at.length, 5000)
      })
    )
  })
})

describe("messages, sent", () => {
  it.effect("go out at their rate, also out of one large batch", () => {
    const received: Array<number> = []
    const limit = StreamLimiter.messages({ perSecond: 10, burst: 5, direction: "send" })
    return flowing({ Down: () => texts(25) }, { server: [limit] }, (client) =>
      Effect.gen(function* () {
        const reading = yield* begin(
          Stream.runForEach(client.Down(text("go")), () =>
            Effect.map(Clock.currentTimeMillis, (now) => void received.push(now))
          )
        )
        yield* pass(2100, 50)
        yield* Fiber.join(reading)
        assert.deepStrictEqual(
          received,
          Array.from({ length: 25 }, (_, message) => Math.max(0, message - 4) * 100)
        )
      })
    )
  })

  it.effect("over the limit fail where it is told to refuse", () => {
    const limit = StreamLimiter.messages({ perSecond: 5, over: "refuse", direction: "send" })
    return flowing({ Down: ({ text = "" }) => texts(Number(text)) }, { server: [limit] }, (client) =>
      Effect.gen(function* () {
        assert.strictEqual(yield* Stream.runCount(client.Down(text("5"))), 5)
        const error = yield* Effect.flip(Stream.runCount(client.Down(text("6"))))
        assert.isTrue(error instanceof RpcError.RpcError && error.reason._tag === "Rejected")
      })
    )
  })

  it.effect("of a client wait before they are encoded", () => {
    const { at, counted } = counting()
    const Up: FlowHandlers["Up"] = (requests) => Effect.as(counted(requests), text("done"))
    const limit = StreamLimiter.messages({ perSecond: 100, burst: 1, direction: "send" })
    return flowing({ Up }, { client: [limit] }, (client) =>
      Effect.gen(function* () {
        const answer = yield* begin(client.Up(texts(11)))
        yield* pass(100, 10)
        yield* Fiber.join(answer)
        assert.deepStrictEqual(
          at,
          Array.from({ length: 11 }, (_, message) => message * 10)
        )
      })
    )
  })
})

describe("the rate of messages", () => {
  it("agrees with a plain bucket: never more than the burst and what the time brought, and all of that", () => {
    for (let seed = 0; seed < 100; seed++) {
      const random = seeded(seed)
      const perSecond = 1 + Math.floor(random() * 1000)
      const burst = 1 + Math.floor(random() * 50)
      const rate = new MessageRate(() => ({ perSecond, burst }))
      let now = 1_700_000_000_000
      let tokens = burst
      for (let step = 0; step < 300; step++) {
        const millis = Math.floor(random() * 100)
        now += millis
        tokens = Math.min(burst, tokens + (millis * perSecond) / 1000)
        const available = rate.available(now)
        const right = available <= tokens + 0.01 && available > tokens - 1.01
        if (!right) assert.fail(`seed ${seed}, step ${step}: ${available} of ${tokens}`)
        const count = Math.floor(random() * 20)
        if (count === 0) continue
        const passAt = now + rate.due(rate.take(count, now), now)
        tokens -= count
        const due = tokens >= -1e-6 ? now : now + Math.ceil((-tokens * 1000) / perSecond - 1e-3)
        if (Math.abs(passAt - due) > 1) assert.fail(`seed ${seed}, step ${step}: ${passAt}, not ${due}`)
        if (random() < 0.2) {
          rate.giveBack(count)
          tokens += count
        }
      }
    }
  })

  it("that is another counts for what waits already", () => {
    let perSecond = 0.01
    const rate = new MessageRate(() => ({ perSecond, burst: 1 }))
    rate.take(1, 0)
    const ticket = rate.take(2, 0)
    assert.strictEqual(rate.due(ticket, 1000), 199_000)
    perSecond = 10
    assert.strictEqual(rate.due(ticket, 1000), 199)
    assert.strictEqual(rate.available(1199), 0)
    assert.strictEqual(rate.due(ticket, 1199), 0)
    perSecond = 0
    assert.strictEqual(rate.due(rate.take(1000, 1200), 1200), 0)
  })
})
