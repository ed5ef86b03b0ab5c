import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Schema, Stream } from "effect"
import { FaultPlan } from "../src/testing/index.ts"
import { clientOf, pass } from "./support/client.ts"
import { Request, Response } from "./support/echo.ts"

const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

it.effect.prop(
  "no message is lost or overtaken, whatever the pieces, the buffers and the pauses of producer and consumer",
  [
    FaultPlan.Lossless,
    Schema.Struct({
      sizes: Schema.Array(int(0, 3000)),
      sendBufferLimit: int(1, 5000),
      sendPause: int(0, 3),
      recvPause: int(0, 3)
    })
  ],
  ([faults, { recvPause, sendBufferLimit, sendPause, sizes }]) =>
    Effect.gen(function* () {
      const client = yield* clientOf(
        { Echo: (requests) => Stream.map(requests, ({ message }) => new Response({ message })) },
        {
          faults,
          transport: {
            client: { sendBufferLimit, settingsTimeout: Infinity },
            server: { sendBufferLimit, handshakeTimeout: Infinity }
          },
          client: { stallWarning: Infinity }
        }
      )
      const pause = (millis: number) => (millis === 0 ? Effect.void : Effect.sleep(millis))
      const sent = sizes.map((size, i) => `${i}:`.padEnd(size, "x"))
      const requests = Stream.fromIterable(sent).pipe(
        Stream.mapEffect((message) => Effect.as(pause(sendPause), new Request({ message })))
      )
      const fiber = yield* Effect.forkChild(
        client.Echo(requests).pipe(
          Stream.mapEffect(({ message }) => Effect.as(pause(recvPause), message)),
          Stream.runCollect
        )
      )
      // Split into single bytes, every byte takes a step of its own.
      for (let i = 0; i < 1000 && fiber.pollUnsafe() === undefined; i++) yield* pass(10_000)
      assert.isDefined(fiber.pollUnsafe(), "stands still")
      assert.deepStrictEqual(yield* Fiber.join(fiber), sent)
    }).pipe(Effect.scoped),
  { arbitrary: { runs: 100 }, timeout: 60_000 }
)
