/**
 * The handlers of the service. `Echo` has two forms: a function from one Stream to another, or `duplex`, which receives and
 * sends in an order of its own.
 */
import type { RpcError, ServerStream } from "@millrace/rpc"
import { Effect, Schedule, Stream } from "effect"
import { type Request, Response, TestService } from "./api.ts"

/** Half duplex: receive one, answer it, receive the next. Ends when the client has half-closed. */
const halfDuplex = {
  duplex: (stream: ServerStream.Bidirectional<Request, Response>) =>
    Effect.forever(
      Effect.flatMap(stream.recv, (request) => stream.send(new Response({ message: `you said ${request.message}` })))
    )
}

/** Full duplex: answers go out as requests come in, and between them what the server has to say by itself. */
const fullDuplex = (requests: Stream.Stream<Request, RpcError.RpcError>) =>
  Stream.merge(
    Stream.map(requests, (request) => new Response({ message: `you said ${request.message}` })),
    Stream.fromSchedule(Schedule.spaced("15 millis")).pipe(
      Stream.take(4),
      Stream.map((n) => new Response({ message: `news ${n}` }))
    )
  )

export const layer = (duplex: "half" | "full") =>
  TestService.toLayer({
    Echo: duplex === "half" ? halfDuplex : fullDuplex,
    EchoClient: (requests) =>
      Stream.runFold(
        requests,
        () => "",
        (text, request) => `${text}${request.message}`
      ).pipe(Effect.map((message) => new Response({ message }))),
    EchoServer: (request) =>
      Stream.range(1, 3).pipe(Stream.map((n) => new Response({ message: `${request.message} ${n}` }))),
    EchoUnary: (request) => Effect.succeed(new Response({ message: request.message })),
    EchoPingPong: ({ req1, req2 }) => Effect.succeed(new Response({ message: `${req1.message} ${req2.message}` }))
  })
