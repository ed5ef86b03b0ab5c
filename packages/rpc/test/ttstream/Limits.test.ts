/** Limits of streams over TTHeader as callers and handlers hear of them, and every way to share connections. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { pass, settle, type TestHandlers } from "../support/client.ts"
import { Request, Response } from "../support/echo.ts"
import { clientOf, ended, recorded, text } from "./support.ts"

const request = (message: string) => new Request({ message })
const response = (message: string) => new Response({ message })
const kibibyte = "x".repeat(1024)
const endless = Stream.forever(Stream.fromIterable(Array.from({ length: 16 }, () => response(kibibyte))))

const full = (side: "client" | "server") =>
  text(
    12011,
    side,
    "messages come faster than they are read: streamBufferLimit (65536 bytes) was full for stallTimeout, read faster, raise the limit, or let the client ask for credit (streamCredit)"
  )
const small = { client: { streamBufferLimit: 64 * 1024 }, server: { streamBufferLimit: 64 * 1024 } }

/** The milliseconds that a call beside it takes. */
const neighbour = (echo: Effect.Effect<unknown, unknown>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(echo, { startImmediately: true })
    let waited = 0
    for (yield* settle; fiber.pollUnsafe() === undefined; waited += 50) yield* pass(50)
    yield* Fiber.join(fiber)
    return waited
  })

const handlers: Partial<TestHandlers> = {
  EchoServer: () => endless,
  EchoClient: () => Effect.never,
  Echo: (requests) => Stream.map(requests, ({ message }) => new Response({ message }))
}

describe("a reader that lags", () => {
  it.effect("of a client: is told the limit, its server who ended it; neighbours wait for stallTimeout", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded(handlers, { transport: small })
      const lagging = yield* client.EchoServer.open(request("x"))
      // It takes a little, and less than comes.
      const reader = yield* Effect.forkChild(
        Effect.exit(Effect.forever(Effect.andThen(lagging.recv, Effect.sleep(100)))),
        { startImmediately: true }
      )
      // Until its buffer is full.
      yield* Effect.repeat(settle, { times: 30 })
      const echoes = Stream.runCollect(client.Echo(Stream.make(request("a"), request("b"))))
      const waited = yield* neighbour(echoes)
      assert.isAtLeast(waited, 300)
      assert.isAtMost(waited, 550)
      yield* pass(500, 100)
      assert.deepStrictEqual(ended(yield* Fiber.join(reader)), ["Rejected", full("client")])
      yield* recorder.finished("server", 2)
      const finished = recorder.server.finishes.find(({ info }) => info.method === "EchoServer")!
      assert.deepStrictEqual(ended(finished.exit), ["Cancelled", full("server")])
    })
  )

  it.effect("of a server: its client is told", () =>
    Effect.gen(function* () {
      const client = yield* clientOf(handlers, { transport: small })
      const sending = yield* Effect.forkChild(
        Effect.exit(client.EchoClient(Stream.forever(Stream.make(request(kibibyte))))),
        { startImmediately: true }
      )
      yield* pass(1000, 100)
      assert.deepStrictEqual(ended(yield* Fiber.join(sending)), ["Cancelled", full("client")])
    })
  )

  it.effect("with credit: stops its writer, and nobody waits", () =>
    Effect.gen(function* () {
      const client = yield* clientOf(handlers, {
        transport: { ...small, client: { ...small.client, streamCredit: true } }
      })
      const lagging = yield* client.EchoServer.open(request("x"))
      yield* Effect.repeat(settle, { times: 30 })
      const echoes = Stream.runCollect(client.Echo(Stream.make(request("a"), request("b"))))
      assert.strictEqual(yield* neighbour(echoes), 0)
      yield* pass(5000, 1000)
      for (let i = 0; i < 500; i++) assert.strictEqual((yield* lagging.recv).message, kibibyte)
    })
  )
})

describe("a message above maxReceiveMessageSize", () => {
  const transport = { client: { maxReceiveMessageSize: 1000 }, server: { maxReceiveMessageSize: 1000 } }
  const tooLarge = "received message larger than maxReceiveMessageSize (1000 bytes)"

  it.effect("of the server is refused by its client", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({ EchoServer: () => Stream.make(response(kibibyte)) }, { transport })
      const exit = yield* Effect.exit(Stream.runDrain(client.EchoServer(request("x"))))
      assert.deepStrictEqual(ended(exit), ["Rejected", text(12004, "client", tooLarge)])
    })
  )

  it.effect("of the client is told to its handler, which fails with it", () =>
    Effect.gen(function* () {
      const client = yield* clientOf(handlers, { transport })
      const exit = yield* Effect.exit(Stream.runDrain(client.Echo(Stream.make(request(kibibyte)))))
      assert.deepStrictEqual(ended(exit), [
        "Status",
        text(12001, "client", `biz error: ${text(12004, "server", tooLarge)}`)
      ])
    })
  )
})

describe("connections", () => {
  for (const streamConnections of ["multiplexed", "pooled", "short"] as const) {
    for (const streamCredit of [false, true]) {
      it.effect(`${streamConnections}${streamCredit ? ", with credit" : ""}: calls side by side and in turn`, () =>
        Effect.gen(function* () {
          const client = yield* clientOf(handlers, {
            transport: { client: { streamConnections, streamCredit } }
          })
          const messages = Array.from({ length: 200 }, (_, i) => `${i}`)
          const echo = Stream.runCollect(client.Echo(Stream.fromIterable(messages.map(request))))
          for (let i = 0; i < 2; i++) {
            for (const echoes of yield* Effect.all(
              Array.from({ length: 5 }, () => echo),
              { concurrency: "unbounded" }
            )) {
              assert.deepStrictEqual(
                echoes.map(({ message }) => message),
                messages
              )
            }
          }
        })
      )
    }
  }
})
