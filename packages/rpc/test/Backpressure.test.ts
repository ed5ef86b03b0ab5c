import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { clientOf, pass, settle, told } from "./support/client.ts"
import { logged, Request, Response } from "./support/echo.ts"

const request = (message: string) => new Request({ message })
const response = (message: string) => new Response({ message })

/** Each stream has flow control of its own: HTTP/2 always, TTHeader streaming where it is asked for. */
const controlled = { transport: { client: { streamCredit: true } } }

describe("backpressure", () => {
  it.effect("a producer is suspended while nobody reads, on either side", () =>
    Effect.gen(function* () {
      let produced = 0
      let consumed = 0
      const big = "x".repeat(1000)
      const endless = <A>(make: () => A) => Stream.fromEffectRepeat(Effect.sync(() => (produced++, make())))
      const client = yield* clientOf(
        {
          EchoServer: () => endless(() => response(big)),
          EchoClient: (requests) =>
            Effect.andThen(Effect.sleep("1 hour"), Effect.as(Stream.runDrain(requests), response("")))
        },
        controlled
      )
      const down = yield* client.EchoServer.open(request("x"))
      yield* pass(1000, 100)
      const first = produced
      assert.isAtLeast(first, 60)
      assert.isAtMost(first, 2000)
      yield* pass(1000, 100)
      assert.strictEqual(produced, first)
      for (; consumed < first; consumed++) yield* down.recv
      yield* settle
      assert.isAbove(produced, first)
      yield* down.cancel

      produced = 0
      yield* Effect.forkChild(client.EchoClient(endless(() => request(big))))
      yield* pass(1000, 100)
      assert.isAtLeast(produced, 60)
      assert.isAtMost(produced, 10_000)
      const stopped = produced
      yield* pass(1000, 100)
      assert.strictEqual(produced, stopped)
    })
  )
})

describe("deadlock: both ends send more than fits before they read", () => {
  const flood = (n: number) => Array.from({ length: n }, () => "x".repeat(10_000))

  it.effect("is broken by sendTimeout", () =>
    Effect.gen(function* () {
      const client = yield* clientOf(
        {
          Echo: {
            duplex: (stream) =>
              Effect.andThen(
                Effect.forEach(flood(500), (text) => stream.send(response(text)), { discard: true }),
                Effect.forever(stream.recv)
              )
          }
        },
        { ...controlled, client: { sendTimeout: "10 seconds" } }
      )
      const stream = yield* client.Echo.open()
      const fiber = yield* Effect.forkChild(
        Effect.forEach(flood(500), (text) => stream.send(request(text)), { discard: true })
      )
      yield* pass(11_000, 1000)
      assert.include(told(yield* Fiber.await(fiber)), "SendTimeout")
    })
  )

  it.effect("is told by stallWarning, on both ends", () =>
    Effect.gen(function* () {
      const [, lines] = yield* logged(
        Effect.gen(function* () {
          const client = yield* clientOf(
            {
              Echo: {
                duplex: (stream) => Effect.forEach(flood(500), (text) => stream.send(response(text)), { discard: true })
              }
            },
            controlled
          )
          const stream = yield* client.Echo.open()
          yield* Effect.forkChild(Effect.forEach(flood(500), (text) => stream.send(request(text)), { discard: true }))
          yield* pass(120_000, 5000)
          yield* stream.cancel
        })
      )
      const texts = lines.map(({ text }) => text)
      assert.strictEqual(texts.filter((text) => text.includes("stands still on the client: send has waited")).length, 1)
      assert.strictEqual(texts.filter((text) => text.includes("stands still on the server: send has waited")).length, 1)
    })
  )
})
