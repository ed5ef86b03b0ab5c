import { assert, describe, it } from "@effect/vitest"
import { Transport, TransportError } from "@millrace/transport"
import { Effect, Fiber, Stream } from "effect"
import { Client } from "../src/index.ts"
import { type clientOf, pass, recorded, told } from "./support/client.ts"
import { hanging, nothingLeft, watchTimers } from "./support/timeouts.ts"
import { noCalls } from "./support/noCalls.ts"
import { Request, TestService } from "./support/echo.ts"
import { StreamClient, type Words, wordsOf } from "./support/over.ts"

watchTimers()

const request = new Request({ message: "x" })
const big = new Request({ message: "x".repeat(10_000) })

type TestClient = Effect.Success<ReturnType<typeof clientOf>>
type Budget = "timeout" | "firstMessageTimeout" | "recvTimeout" | "sendTimeout"

/** A call that comes to its end only by a budget. */
const modes = {
  unary: (client: TestClient, options: object) => client.EchoUnary(request, options),
  server: (client: TestClient, options: object) => Stream.runDrain(client.EchoServer(request, options)),
  client: (client: TestClient, options: object) => client.EchoClient(Stream.make(request), options),
  bidirectional: (client: TestClient, options: object) => Stream.runDrain(client.Echo(Stream.make(request), options)),
  clientFlood: (client: TestClient, options: object) =>
    client.EchoClient(Stream.fromEffectRepeat(Effect.succeed(big)), options),
  bidirectionalFlood: (client: TestClient, options: object) =>
    Stream.runDrain(client.Echo(Stream.fromEffectRepeat(Effect.succeed(big)), options))
} satisfies Record<string, (client: TestClient, options: object) => Effect.Effect<unknown, unknown>>

const answered = ["unary", "server", "client", "bidirectional"] as const

const budgets: ReadonlyArray<{
  readonly budget: Budget
  readonly of: ReadonlyArray<keyof typeof modes>
  readonly error: (words: Words) => string
  /** RPCFinish of the server: its client has left, or its own end of the same deadline. */
  readonly server: (words: Words) => string
}> = [
  {
    budget: "timeout",
    of: [...answered, "clientFlood", "bidirectionalFlood"],
    error: ({ deadlineExceeded }) => `DeadlineExceeded: ${deadlineExceeded(50)}`,
    server: ({ overdue }) => overdue(50)
  },
  {
    budget: "firstMessageTimeout",
    of: answered,
    error: ({ firstMessageTimeout }) => `FirstMessageTimeout: ${firstMessageTimeout(50)}`,
    server: ({ firstMessageTimeout, left }) => left(firstMessageTimeout(50))
  },
  {
    budget: "recvTimeout",
    of: answered,
    error: ({ recvTimeout }) => `RecvTimeout: ${recvTimeout(50)}`,
    server: ({ left, recvTimeout }) => left(recvTimeout(50))
  },
  {
    budget: "sendTimeout",
    of: ["clientFlood", "bidirectionalFlood"],
    error: ({ sendTimeout }) => `SendTimeout: ${sendTimeout(50)}`,
    server: ({ left, sendTimeout }) => left(sendTimeout(50))
  }
]

/** Where a budget of 50 ms is set; a call's own beats the client's. */
const places = {
  client: { client: 50, call: undefined },
  call: { client: undefined, call: 50 },
  both: { client: 5, call: 50 },
  "both, the client's longer": { client: 500, call: 50 }
} as const

describe("a budget that is used up", () => {
  for (const { budget, error, of, server } of budgets) {
    for (const mode of of) {
      for (const [place, millis] of Object.entries(places)) {
        it.effect(
          `${budget} of the ${place}, ${mode}: its error; the handler is interrupted, and nothing is left`,
          () =>
            Effect.gen(function* () {
              const { ends, handlers } = hanging()
              const { client, recorder } = yield* recorded(handlers, {
                // A reset does not wait behind what nobody reads.
                transport: { client: { streamCredit: true } },
                client: millis.client === undefined ? {} : { [budget]: millis.client }
              })
              const call = modes[mode](client, millis.call === undefined ? {} : { [budget]: millis.call })
              const fiber = yield* Effect.forkChild(call, { startImmediately: true })
              yield* pass(49, 7)
              assert.isUndefined(fiber.pollUnsafe())
              assert.deepStrictEqual(ends, [])
              yield* pass(4, 1)
              const words = wordsOf(mode)
              assert.strictEqual(told(yield* Fiber.await(fiber)), error(words))
              assert.deepStrictEqual(ends, ["interrupted"])
              const [finish] = recorder.client.finishes
              assert.deepStrictEqual([finish!.reason, told(finish!.exit)], ["error", error(words)])
              assert.strictEqual(told(recorder.server.finishes[0]!.exit), server(words))
              assert.deepStrictEqual([recorder.client.finishes.length, recorder.server.finishes.length], [1, 1])
              // A server of PingPong calls answers late on purpose, to a client that may still listen.
              if (!words.isStream) yield* pass(100)
              nothingLeft()
            })
        )
      }
    }
  }
})

describe("rpcTimeout that is used up", () => {
  for (const transport of ["ttheader-framed", "ttheader", "framed", "buffered"] as const) {
    for (const [place, millis] of Object.entries(places)) {
      it.effect(`of the ${place}, ${transport}: its error; the handler is interrupted, and nothing is left`, () =>
        Effect.gen(function* () {
          const { ends, handlers } = hanging()
          const { client, recorder } = yield* recorded(handlers, {
            pingPong: { transport, ...(millis.client === undefined ? undefined : { rpcTimeout: millis.client }) }
          })
          const options = millis.call === undefined ? {} : { rpcTimeout: millis.call }
          const fiber = yield* Effect.forkChild(client.Ping({}, options), { startImmediately: true })
          yield* pass(49, 7)
          assert.isUndefined(fiber.pollUnsafe())
          assert.deepStrictEqual(ends, [])
          yield* pass(4, 1)
          const error =
            "RpcTimeout: rpc error: code = 4 desc = rpc timeout: timeout=50ms, to=TestService, method=Ping, location=kitex.rpcTimeoutMW, remote=memory"
          assert.strictEqual(told(yield* Fiber.await(fiber)), error)
          // The connection has ended, which is all that a server without a TTHeader hears.
          assert.deepStrictEqual(ends, ["interrupted"])
          assert.deepStrictEqual(
            recorder.client.finishes.map(({ exit, reason }) => [reason, told(exit)]),
            [["error", error]]
          )
          assert.lengthOf(recorder.server.finishes, 1)
          // The server answers late on purpose, to a client that may still listen.
          yield* pass(100)
          nothingLeft()
        })
      )
    }
  }
})

describe("connectTimeout that is used up", () => {
  /** A transport whose dials take for ever. */
  const dialling = () => {
    const limits: Array<number | undefined> = []
    const dial = ({
      address,
      connectTimeoutMillis: millis
    }: {
      address: string
      connectTimeoutMillis?: number | undefined
    }) =>
      Effect.suspend(() => {
        limits.push(millis)
        return Effect.timeoutOrElse(Effect.never, {
          duration: millis ?? Infinity,
          orElse: () =>
            Effect.fail(
              new TransportError.TransportError({
                reason: new TransportError.ConnectTimeout({ address, step: "dial", millis: millis ?? 0 }),
                code: 14,
                desc: `cannot connect to ${address} within ${millis}ms`
              })
            )
        })
      })
    const transport = Transport.ClientTransport.of({
      ...noCalls,
      tryOpen: () => undefined,
      open: dial,
      tryLease: () => undefined,
      lease: dial
    } as never)
    return { limits, transport }
  }

  for (const [place, millis] of Object.entries(places)) {
    it.effect(`of the ${place}: its error, of every kind of call`, () =>
      Effect.gen(function* () {
        const { limits, transport } = dialling()
        const options = millis.client === undefined ? {} : { connectTimeout: millis.client }
        const of = millis.call === undefined ? {} : { connectTimeout: millis.call }
        const [streams, calls] = yield* Effect.zip(
          StreamClient.make(TestService, options),
          Client.make(TestService, options)
        ).pipe(Effect.provideService(Transport.ClientTransport, transport))
        const all: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
          streams.EchoUnary(request, of),
          Stream.runDrain(streams.EchoServer(request, of)),
          streams.EchoClient(Stream.make(request), of),
          Stream.runDrain(streams.Echo(Stream.make(request), of)),
          calls.Ping({}, of)
        ]
        for (const call of all) {
          const fiber = yield* Effect.forkChild(call, { startImmediately: true })
          yield* pass(49)
          assert.isUndefined(fiber.pollUnsafe())
          yield* pass(1)
          assert.strictEqual(
            told(yield* Fiber.await(fiber)),
            "ConnectTimeout: rpc error: code = 14 desc = get connection error: cannot connect to memory within 50ms"
          )
        }
        // The last was sent nowhere else: one address, one dial each.
        assert.deepStrictEqual(limits, [50, 50, 50, 50, 50])
      })
    )
  }
})
