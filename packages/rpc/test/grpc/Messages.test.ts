/** What the frames of gRPC do with messages: their limits, and compression. */
import { gunzipSync, gzipSync } from "node:zlib"
import { assert, it } from "@effect/vitest"
import type { Transport } from "@millrace/transport"
import { Effect, Stream } from "effect"
import { clientOf, recorded, told } from "../support/client.ts"
import { Request, Response } from "../support/echo.ts"

const request = (message: string) => new Request({ message })

it.effect("above the limit of the server, and of the client", () =>
  Effect.gen(function* () {
    const client = yield* clientOf(
      { EchoUnary: ({ message }) => Effect.succeed(new Response({ message: `${message}${message}` })) },
      { transport: { server: { maxReceiveMessageSize: 1000 }, client: { maxReceiveMessageSize: 1000 } } }
    )
    assert.match(told(yield* Effect.exit(client.EchoUnary(request("x".repeat(2000))))), /code = 8 /)
    assert.match(told(yield* Effect.exit(client.EchoUnary(request("x".repeat(900))))), /code = 8 /)
    assert.strictEqual((yield* client.EchoUnary(request("x".repeat(100)))).message?.length, 200)
  })
)

it.effect("compression: sizes are those behind it for what is sent, those before it for what comes", () =>
  Effect.gen(function* () {
    const compression: Transport.Compression = {
      gzip: (bytes) => gzipSync(bytes),
      gunzip: (bytes, maxSize) => {
        const inflated = gunzipSync(bytes)
        return inflated.length > maxSize ? undefined : inflated
      }
    }
    const { client, recorder } = yield* recorded(
      {
        Echo: (requests) => Stream.map(requests, ({ message }) => new Response({ message })),
        EchoUnary: ({ message }) => Effect.succeed(new Response({ message }))
      },
      { client: { compressor: "gzip" }, transport: { client: { compression }, server: { compression } } }
    )
    const message = "x".repeat(10_000)
    const got = yield* Stream.runCollect(client.Echo(Stream.make(request(message), request(message))))
    assert.deepStrictEqual(
      got.map(({ message }) => message),
      [message, message]
    )
    assert.strictEqual((yield* client.EchoUnary(request(message))).message, message)
    assert.strictEqual((yield* client.EchoUnary(request(message), { compressor: undefined })).message, message)
    yield* recorder.finished("server", 3)
    for (const side of [recorder.client, recorder.server]) {
      const [stream, unary, plain] = side.finishes
      assert.isBelow(stream!.sendBytes, 200)
      assert.strictEqual(stream!.recvBytes, 20_016)
      assert.isBelow(unary!.sendBytes, 100)
      assert.strictEqual(unary!.recvBytes, 10_012)
      assert.strictEqual(plain!.sendBytes, 10_012)
    }
  })
)

it.effect("a compressor that the transport does not have is an error that names it", () =>
  Effect.gen(function* () {
    const client = yield* clientOf({ EchoUnary: () => Effect.succeed(new Response({})) })
    for (let i = 0; i < 2; i++) {
      assert.strictEqual(
        told(yield* Effect.exit(client.EchoUnary(new Request(), { compressor: "gzip" }))),
        "CodecError: rpc error: code = 13 desc = no kitex compressor registered found for:gzip"
      )
    }
  })
)
