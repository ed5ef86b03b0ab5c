/** What middleware of messages knows of its stream: how much came and went, and how it asks for less at a time. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Middleware, RpcError } from "../src/index.ts"
import { only } from "./support/client.ts"
import { Request, Response, TestService } from "./support/echo.ts"
import { fakeEnd } from "./support/fakeEnd.ts"
import { Testing } from "./support/over.ts"

const requests = (count: number) =>
  Stream.fromIterable(Array.from({ length: count }, (_, at) => new Request({ message: `${at}` })))
/** A struct of one string of one byte: type, id, length, byte, stop. */
const size = 9

describe("the context of a stream", () => {
  it.effect("counts messages and bytes of both directions, on both sides", () =>
    Effect.gen(function* () {
      const seen: Record<string, Middleware.StreamContext> = {}
      const see = Middleware.recvBatch((next, stream) => {
        seen[stream.info.side] = stream
        return next
      })
      const options = { middleware: [see] }
      const handlers = only({
        EchoClient: (all) => Effect.map(Stream.runCount(all), (count) => new Response({ message: `${count}` }))
      })
      const client = yield* Testing.client(TestService, handlers, { client: options, server: options })
      assert.strictEqual((yield* client.EchoClient(requests(5))).message, "5")
      const counts = ({ recvBytes, recvCount, sendBytes, sendCount }: Middleware.StreamContext) => [
        [sendCount, sendBytes],
        [recvCount, recvBytes]
      ]
      assert.deepStrictEqual(counts(seen["client"]!), [
        [5, 5 * size],
        [1, size]
      ])
      assert.deepStrictEqual(counts(seen["server"]!), [
        [1, size],
        [5, 5 * size]
      ])
    })
  )

  /** What each pull through a middleware gave that asks for so many at most. */
  const asking = (most: () => number, log: Array<number>) =>
    Middleware.recvBatch((next, stream) =>
      Effect.suspend(() => {
        stream.limitRecv(most())
        return Effect.tap(next, (messages) => Effect.sync(() => void log.push(messages.length)))
      })
    )

  it.effect("takes one where less is asked for: nothing is no answer", () =>
    Effect.gen(function* () {
      for (const most of [0, -1, 0.5, NaN]) {
        const log: Array<number> = []
        const { end, raw } = yield* fakeEnd([asking(() => most, log)])
        raw.arrive("a", "b")
        assert.deepStrictEqual(yield* end.recvAll(), ["a"])
        assert.deepStrictEqual(log, [1])
      }
    })
  )

  it.effect("limits the next receive, the innermost least, and leaves the rest where it is", () =>
    Effect.gen(function* () {
      const log: Array<number> = []
      let inner = 5
      const { end, raw } = yield* fakeEnd([asking(() => 3, log), asking(() => inner, log)])
      raw.arrive(..."abcdefghij")
      assert.deepStrictEqual(yield* end.recvAll(), ["a", "b", "c"])
      assert.strictEqual(raw.queue.length, 7)
      inner = 2
      assert.deepStrictEqual(yield* end.recvAll(), ["d", "e"])
      assert.strictEqual(yield* end.recv(), "f")
      inner = 5
      assert.deepStrictEqual(yield* end.recvAll(), ["g", "h", "i"])
      assert.deepStrictEqual(log, [3, 3, 2, 2, 1, 1, 3, 3])
    })
  )

  it.effect("limits one receive: the next is free again, also behind one that was interrupted", () =>
    Effect.gen(function* () {
      const log: Array<number> = []
      let most = 1
      const { end, raw } = yield* fakeEnd([asking(() => most, log)])
      const waiting = yield* Effect.forkChild(end.recvAll(), { startImmediately: true })
      yield* Fiber.interrupt(waiting)
      raw.arrive(..."abcdef")
      assert.deepStrictEqual(yield* end.recvAll(), ["a"])
      most = Infinity
      assert.deepStrictEqual(yield* end.recvAll(), ["b", "c", "d", "e", "f"])
    })
  )

  it.effect("ends what middleware waits for when the stream fails, and only then", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const slow = Middleware.recvBatch((next, stream) =>
        Effect.tap(next, () =>
          stream.unlessFailed(
            Effect.onInterrupt(Effect.sleep(1000), () => Effect.sync(() => void log.push("interrupted")))
          )
        )
      )
      const { end, raw } = yield* fakeEnd([slow])
      raw.arrive("a", "b")
      const first = yield* Effect.forkChild(end.recv(), { startImmediately: true })
      yield* TestClock.adjust(1000)
      assert.strictEqual(yield* Fiber.join(first), "a")
      const second = yield* Effect.forkChild(Effect.flip(end.recv()), { startImmediately: true })
      yield* TestClock.adjust(500)
      const failure = new RpcError.RpcError({ reason: new RpcError.Status({}), code: 5, desc: "over" })
      end.fail(failure)
      assert.strictEqual(yield* Fiber.join(second), failure)
      assert.deepStrictEqual(log, ["interrupted"])
      assert.strictEqual(yield* Effect.flip(end.recv()), failure)
    })
  )
})
