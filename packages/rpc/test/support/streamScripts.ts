import { Cause, Effect, Stream } from "effect"
import { Request, Response } from "./echo.ts"
import type { TestHandlers } from "./client.ts"
import type { observed } from "./telemetry.ts"

export type ObservedClient = Effect.Success<ReturnType<typeof observed>>["client"]

// `{1: text}`: the bytes of a message around its text.
const around = 8
const text = (size: number) => "x".repeat(size - around)
export const request = (size: number) => new Request({ message: text(size) })
export const response = (size: number) => new Response({ message: text(size) })

/** When a message is sent, and its size. */
type Sent = readonly [millis: number, size: number]

/** What both ends of a stream do, by the clock. */
export interface Script {
  readonly method: "Echo" | "EchoClient" | "EchoServer"
  readonly requests: ReadonlyArray<Sent>
  readonly responses: ReadonlyArray<Sent>
  readonly end: number
  readonly handlers: Readonly<Record<string, Partial<TestHandlers>>>
  readonly clients: Readonly<Record<string, (client: ObservedClient) => Effect.Effect<unknown, unknown>>>
}

/** Sends each message after so many milliseconds, and ends after as many. */
const timed = <A>(messages: ReadonlyArray<readonly [wait: number, message: A]>, end: number): Stream.Stream<A> =>
  Stream.fromArray(messages).pipe(
    Stream.mapEffect(([wait, message]) => Effect.as(Effect.sleep(wait), message)),
    Stream.concat(Stream.drain(Stream.fromEffect(Effect.sleep(end))))
  )

const untilDone = <E>(self: Effect.Effect<unknown, E | Cause.Done>): Effect.Effect<void, E> =>
  Effect.catch(Effect.forever(self), (error) => (Cause.isDone(error) ? Effect.void : Effect.fail(error))) as never

const bidirectional: Script = {
  method: "Echo",
  requests: [
    [10, 20],
    [40, 30]
  ],
  responses: [
    [15, 12],
    [45, 44]
  ],
  end: 70,
  handlers: {
    Stream: {
      Echo: (requests) =>
        requests.pipe(
          Stream.mapEffect(({ message }) => Effect.as(Effect.sleep(5), response(message!.length === 12 ? 12 : 44))),
          Stream.concat(Stream.drain(Stream.fromEffect(Effect.sleep(20))))
        )
    },
    handle: {
      Echo: {
        duplex: ({ recv, send }) =>
          Effect.andThen(
            untilDone(
              Effect.flatMap(recv, ({ message }) =>
                Effect.andThen(Effect.sleep(5), send(response(message!.length === 12 ? 12 : 44)))
              )
            ),
            Effect.sleep(20)
          )
      }
    }
  },
  clients: {
    Stream: (client) =>
      Stream.runDrain(
        client.Echo(
          timed(
            [
              [10, request(20)],
              [30, request(30)]
            ],
            10
          )
        )
      ),
    handle: (client) =>
      Effect.scoped(
        Effect.gen(function* () {
          const stream = yield* client.Echo.open()
          yield* Effect.sleep(10)
          yield* stream.send(request(20))
          yield* stream.recv
          yield* Effect.sleep(25)
          yield* stream.send(request(30))
          yield* stream.recv
          yield* Effect.sleep(5)
          yield* stream.closeSend
          yield* untilDone(stream.recv)
        })
      )
  }
}

const clientStreaming: Script = {
  method: "EchoClient",
  requests: [
    [10, 20],
    [40, 30],
    [45, 10]
  ],
  responses: [[70, 25]],
  end: 70,
  handlers: {
    Stream: {
      EchoClient: (requests) =>
        Stream.runDrain(requests).pipe(Effect.andThen(Effect.sleep(20)), Effect.as(response(25)))
    }
  },
  clients: {
    Stream: (client) =>
      client.EchoClient(
        timed(
          [
            [10, request(20)],
            [30, request(30)],
            [5, request(10)]
          ],
          5
        )
      ),
    handle: (client) =>
      Effect.scoped(
        Effect.gen(function* () {
          const stream = yield* client.EchoClient.open()
          yield* Effect.sleep(10)
          yield* stream.send(request(20))
          yield* Effect.sleep(30)
          yield* stream.send(request(30))
          yield* Effect.sleep(5)
          yield* stream.send(request(10))
          yield* Effect.sleep(5)
          yield* stream.closeAndRecv
        })
      )
  }
}

const serverStreaming: Script = {
  method: "EchoServer",
  requests: [[0, 20]],
  responses: [
    [30, 10],
    [50, 20],
    [90, 30]
  ],
  end: 100,
  handlers: {
    Stream: {
      EchoServer: () =>
        timed(
          [
            [30, response(10)],
            [20, response(20)],
            [40, response(30)]
          ],
          10
        )
    }
  },
  clients: {
    Stream: (client) => Stream.runDrain(client.EchoServer(request(20))),
    handle: (client) =>
      Effect.scoped(Effect.flatMap(client.EchoServer.open(request(20)), (stream) => untilDone(stream.recv)))
  }
}

export const scripts: ReadonlyArray<Script> = [bidirectional, clientStreaming, serverStreaming]

/** Each script with each form of handler and client. */
export const runs = scripts.flatMap((script) =>
  Object.entries(script.handlers).flatMap(([handlerForm, handlers]) =>
    Object.entries(script.clients).map(([clientForm, run]) => ({
      title: `${script.method}, the ${clientForm} form${script.method === "Echo" ? ` at the ${handlerForm} form` : ""}`,
      script,
      handlers,
      run
    }))
  )
)
