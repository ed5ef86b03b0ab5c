/** The windows of HTTP/2: what a handler has sent waits in its server. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Pull, Stream } from "effect"
import { Request, Response } from "../support/echo.ts"
import { clientOf, pass, settle, told } from "../support/client.ts"

/** More than the window of a stream, and less than the local buffer of this server. */
const responses = Array.from({ length: 50 }, () => new Response({ message: "x".repeat(60_000) }))

const unread = (server: { readonly sendTimeout?: number }) =>
  Effect.gen(function* () {
    let ended = false
    const client = yield* clientOf(
      {
        EchoServer: () =>
          Stream.ensuring(
            Stream.fromIterable(responses),
            Effect.sync(() => (ended = true))
          )
      },
      { server, transport: { server: { sendBufferLimit: 8 * 1024 * 1024 } } }
    )
    const stream = yield* client.EchoServer.open(new Request({}))
    yield* settle
    assert.isTrue(ended, "the handler has ended")
    return stream
  })

describe("what a handler has sent and its client does not read", () => {
  it.effect("stays for ever without sendTimeout", () =>
    Effect.gen(function* () {
      const stream = yield* unread({})
      yield* pass(3_600_000)
      for (const _ of responses) yield* stream.recv
      assert.strictEqual(yield* Pull.catchDone(stream.recv, () => Effect.succeed("the end")), "the end")
    })
  )

  it.effect("stays as long as sendTimeout", () =>
    Effect.gen(function* () {
      const late = yield* unread({ sendTimeout: 1000 })
      yield* pass(999)
      for (const _ of responses) yield* late.recv
      yield* pass(1000)
      assert.strictEqual(yield* Pull.catchDone(late.recv, () => Effect.succeed("the end")), "the end")

      const stream = yield* unread({ sendTimeout: 1000 })
      yield* pass(1000)
      const exit = yield* Effect.exit(Effect.forever(stream.recv))
      assert.match(told(exit), /^Cancelled: .*RST_STREAM with error code: CANCEL$/)
    })
  )
})
