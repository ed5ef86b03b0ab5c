/** Unary calls are streams over HTTP/2 alone: what else than one message may come in them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Exit, Fiber, Stream } from "effect"
import { pass, recorded, settle, told } from "../support/client.ts"
import { Request, Response, wrapped } from "../support/echo.ts"
import { answers, misbehaving, ok, write } from "../support/misbehaving.ts"

const request = (message: string) => new Request({ message })

describe("one response means one", () => {
  for (const [name, answer, expected] of answers) {
    it.effect(`unary: ${name}`, () =>
      Effect.gen(function* () {
        const { client, recorder } = yield* misbehaving((stream) => answer(stream, wrapped("a", 0)))
        assert.strictEqual(told(yield* Effect.exit(client.EchoUnary(request("x")))), expected)
        assert.strictEqual(recorder.client.finishes.length, 1)
        const tag = recorder.client.finishes[0]!.bizError?._tag
        assert.strictEqual(tag, expected.startsWith("Biz") ? "BizStatusError" : undefined)
      })
    )
  }

  it.effect("a message and nothing behind it waits for the deadline", () =>
    Effect.gen(function* () {
      const { client } = yield* misbehaving((stream) => write(stream, wrapped("a", 0)))
      const unary = yield* Effect.forkChild(client.EchoUnary(request("x"), { timeout: 50 }))
      yield* pass(60)
      assert.strictEqual(
        told(yield* Fiber.await(unary)),
        "DeadlineExceeded: rpc error: code = 4 desc = context deadline exceeded"
      )
    })
  )
})

it.effect("a message that cannot be decoded is an error with the path in its text", () =>
  Effect.gen(function* () {
    const bad = Uint8Array.of(11, 0, 1, 0, 0, 0, 200, 65, 0)
    const { client, recorder } = yield* misbehaving((stream) => {
      write(stream, Uint8Array.of(12, 0, 0, ...bad, 0))
      stream.finish(ok, [])
    })
    const text = told(yield* Effect.exit(client.EchoUnary(request("x"))))
    assert.match(text, /^CodecError: rpc error: code = 7 desc = .*success\.message/)
    const [finish] = recorder.client.finishes
    assert.deepStrictEqual([finish!.reason, told(finish!.exit)], ["error", text])
  })
)

it.effect("a connection that breaks is told to a unary call, as to the streams beside it", () =>
  Effect.gen(function* () {
    const { client, recorder } = yield* recorded(
      {
        EchoServer: () => Stream.concat(Stream.make(new Response({ message: "a".repeat(500) })), Stream.never),
        EchoUnary: () => Effect.never
      },
      { faults: { toServer: {}, toClient: { cutAt: 900 } } }
    )
    const unary = yield* Effect.forkChild(client.EchoUnary(request("x")))
    const first = yield* client.EchoServer.open(request("x"))
    yield* settle
    yield* client.EchoServer.open(request("x"))
    yield* settle
    assert.strictEqual((yield* first.recv).message?.length, 500)
    for (const exit of [yield* Effect.exit(first.recv), yield* Fiber.await(unary)]) {
      assert.match(told(exit as Exit.Exit<unknown, unknown>), /^Unavailable: rpc error: code = 14 desc = /)
    }
    yield* settle
    assert.strictEqual(recorder.server.finishes.length, 3)
  })
)
