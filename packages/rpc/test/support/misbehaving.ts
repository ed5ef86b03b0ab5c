/** Servers that do what ours and Kitex's would not. */
import { MemoryTransport, type RawStream, Transport } from "@millrace/transport"
import { Effect, Layer } from "effect"
import { Recorder } from "../../src/testing/index.ts"
import { TestService } from "./echo.ts"
import { StreamClient, wire } from "./over.ts"

export const write = (stream: RawStream.RawStream, ...messages: ReadonlyArray<Uint8Array>) =>
  void stream.write(messages, 0, (message, out) => {
    out.ensure(message.length)
    out.buffer.set(message, out.position)
    out.position += message.length
  })

export const ok: RawStream.RawStatus = { code: 0, message: "" }

/** A server that answers streams when the client has half-closed. */
export const misbehaving = Effect.fnUntraced(function* (answer: (stream: RawStream.RawServerStream) => void) {
  const recorder = yield* Recorder.make
  const context = yield* Layer.build(MemoryTransport.layer)
  const streams: Array<RawStream.RawServerStream> = []
  yield* Effect.provide(
    Effect.flatMap(Transport.ServerTransport, (transport) =>
      transport.listen({
        onCall: () => {},
        onStream: (stream) => {
          streams.push(stream)
          const look = () => {
            if (stream.end === undefined) return
            stream.listener = undefined
            answer(stream)
            stream.release()
          }
          stream.listener = { onReadable: look, onWritable: () => {}, onAbort: () => {} }
          look()
        }
      })
    ),
    context
  )
  const client = yield* StreamClient.make(TestService).pipe(Effect.provide(context), Effect.provide(recorder.layer))
  return { client, recorder, streams }
})

const violation =
  "ProtocolViolation: rpc error: code = 13 desc = KITEX: grpc client streaming protocol violation: get <nil>, want <EOF>"

/** Answers of a stream that may have one message alone, and what its client is told. */
export const answers: ReadonlyArray<
  readonly [name: string, answer: (s: RawStream.RawServerStream, message: Uint8Array) => void, told: string]
> = [
  ["a message and OK", (s, m) => (write(s, m), s.finish(ok, [])), "success"],
  [
    "a message and an error",
    (s, m) => (write(s, m), s.finish({ code: 5, message: "nf" }, [])),
    `Status: ${wire.streams.ofMiddleware("nf", 5)}`
  ],
  [
    "a message and a business error",
    (s, m) => (write(s, m), s.finish({ code: 13, message: "no", biz: { code: 404, extra: {} } }, [])),
    "BizStatusError: biz error: code=404, msg=no"
  ],
  ["two messages", (s, m) => (write(s, m, m), s.finish(ok, [])), violation],
  ["two messages and no end", (s, m) => write(s, m, m), violation],
  ["no message and OK", (s) => s.finish(ok, []), "ProtocolViolation: rpc error: code = 13 desc = EOF"],
  [
    "no message and an error",
    (s) => s.finish({ code: 14, message: "gone" }, []),
    `Unavailable: ${wire.streams.ofMiddleware("gone", 14)}`
  ]
]
