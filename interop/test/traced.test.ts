/**
 * What tracers hear, of both sides at once: our client at a Kitex server beside a Kitex client there, and a Kitex client at our server. The
 * numbers are those of kitex-tests' `thrift_tracing_test` (R1 to R28); the sizes are those of Kitex's own tracer.
 */
import { assert, describe, layer } from "@effect/vitest"
import { type ClientStream, Metainfo, Middleware, RpcError, RpcTracer, StreamClient } from "@millrace/rpc"
import type { CallError } from "@millrace/rpc/ClientStream"
import type { CallOptions } from "@millrace/rpc/StreamOptions"
import { NodeTransport } from "@millrace/transport/node"
import { Effect, Exit, Fiber, Layer, type Scope, Stream } from "effect"
import * as Pull from "effect/Pull"
import { InteropService, Request } from "../src/api.ts"
import { goAvailable } from "./go.ts"
import { serverHere } from "./here.ts"
import { Kitex, KitexClient, kitexServer, ourServer } from "./peers.ts"

/** What one side reported of all its calls together. */
class Reports {
  starts = 0
  sends = 0
  recvs = 0
  sendBytes = 0
  recvBytes = 0
  readonly order: Array<string> = []
  readonly finishes: Array<RpcTracer.RpcFinish> = []
}

/** A failed operation is one event, a batch as many as it has messages. */
const events = ({ count, error }: RpcTracer.MessageEvent) => (error === undefined ? count : 1)

const tracer = () => {
  const sides = { client: new Reports(), server: new Reports() }
  const layerOf = RpcTracer.layer({
    start: ({ side }) =>
      Effect.sync(() => {
        sides[side].starts++
        sides[side].order.push("start")
      }),
    streamStart: ({ side }) => void sides[side].order.push("streamStart"),
    streamRecvHeader: ({ side }) => void sides[side].order.push("recvHeader"),
    streamFinish: ({ side }) => void sides[side].order.push("streamFinish"),
    streamSend: (event) => {
      sides[event.info.side].sends += events(event)
      sides[event.info.side].sendBytes += event.bytes
    },
    streamRecv: (event) => {
      sides[event.info.side].recvs += events(event)
      sides[event.info.side].recvBytes += event.bytes
    },
    finish: (event) =>
      Effect.sync(() => {
        sides[event.info.side].finishes.push(event)
        sides[event.info.side].order.push("finish")
      })
  })
  return { ...sides, layer: layerOf }
}

type Interop = StreamClient.StreamClient<typeof InteropService>

const say = (message: string, count?: number) => new Request({ message, count })

/** One row: what the client does, and how many messages it sends and receives. */
interface Row {
  readonly name: string
  readonly run: (client: Interop) => Effect.Effect<unknown, unknown, Scope.Scope>
  readonly client: readonly [sends: number, recvs: number]
  readonly server: readonly [sends: number, recvs: number]
}

const fine: ReadonlyArray<Row> = [
  { name: "unary", run: (client) => client.Unary(say("hi")), client: [0, 0], server: [0, 0] },
  {
    name: "bidi",
    run: Effect.fnUntraced(function* (client) {
      const stream = yield* client.Bidi.open()
      for (let i = 0; i < 3; i++) {
        yield* stream.send(say(`traced ${i}`))
        yield* stream.recv
      }
      yield* stream.closeSend
      yield* Pull.catchDone(stream.recv, () => Effect.void)
    }),
    client: [3, 3],
    server: [3, 3]
  },
  { name: "server", run: (client) => Stream.runDrain(client.Server(say("traced", 3))), client: [1, 3], server: [3, 1] },
  {
    name: "client",
    run: (client) => client.Client(Stream.range(1, 3).pipe(Stream.map(() => say("traced")))),
    client: [3, 1],
    server: [1, 3]
  },
  { name: "status", run: (client) => Stream.runDrain(client.Server(say("one", 1))), client: [1, 1], server: [1, 1] }
]

/** The four modes when the handler ends the call before it receives anything, whatever it does. */
const ending = (word: string, options?: CallOptions): ReadonlyArray<Row> => {
  const told = Metainfo.withValue("OUTCOME", word)
  return [
    { name: `unary-${word}`, run: (client) => told(client.Unary(say("hi"), options)), client: [0, 0], server: [0, 0] },
    {
      name: `server-${word}`,
      run: (client) => told(Stream.runDrain(client.Server(say("hi"), options))),
      client: [1, 1],
      server: [0, 1]
    },
    {
      name: `client-${word}`,
      run: (client) => told(Effect.flatMap(client.Client.open(options), (stream) => stream.closeAndRecv)),
      client: [0, 1],
      server: [0, 0]
    },
    {
      name: `bidi-${word}`,
      run: (client) =>
        told(
          Effect.flatMap(client.Bidi.open(options), (stream) =>
            Effect.andThen(
              stream.closeSend,
              Pull.catchDone(stream.recv, () => Effect.void)
            )
          )
        ),
      client: [0, 1],
      server: [0, 0]
    }
  ]
}

const rows: ReadonlyArray<Row> = [
  ...fine,
  ...ending("plain-error"),
  ...ending("biz-grpc"),
  ...ending("sleep", { timeout: 150 })
]

/** One start, one finish, and as many messages and bytes in events as in the end. */
const consistent = (side: Reports, [sends, recvs]: readonly [number, number]) => {
  assert.deepStrictEqual([side.starts, side.finishes.length], [1, 1])
  assert.deepStrictEqual([side.sends, side.recvs], [sends, recvs])
  const [finish] = side.finishes
  if (finish!.info.mode === "unary") return finish!
  assert.deepStrictEqual([side.sendBytes, side.recvBytes], [finish!.sendBytes, finish!.recvBytes])
  return finish!
}

/** Runs a row with a tracer of its own; what its client side reported. */
const traced = Effect.fnUntraced(function* (
  address: string,
  run: Row["run"],
  middleware: ReadonlyArray<Middleware.ForClient> = []
) {
  const recorder = tracer()
  const exit = yield* Effect.exit(
    Effect.scoped(
      Effect.flatMap(
        Effect.provide(StreamClient.make(InteropService, { hostPorts: [address], middleware }), recorder.layer),
        run
      )
    )
  )
  return [recorder.client, exit] as const
})

/** What Kitex's tracer counted on a Kitex client. */
interface Counted {
  readonly sends: number
  readonly recvs: number
  readonly sendBytes: number
  readonly recvBytes: number
}

const kitexTraced = Effect.fnUntraced(function* (scenario: string, address: string) {
  const run = yield* KitexClient
  const result = yield* run({ scenario, address })
  assert.deepStrictEqual([result.ok, result.detail], [true, ""], JSON.stringify(result.seen))
  return result.seen.at(-1)!["value"] as Counted
})

/** Waits for the server, which may end after its client. */
const finished = (side: Reports, tries = 1000): Effect.Effect<void> => {
  if (side.finishes.length > 0) return Effect.void
  if (tries === 0) return Effect.die(new Error(`no finish of ${side.starts} starts: ${side.order.join(", ")}`))
  return Effect.delay(
    Effect.suspend(() => finished(side, tries - 1)),
    5
  )
}

describe.skipIf(!goAvailable())("tracers of both sides", () => {
  const services = Layer.mergeAll(KitexClient.layer, Kitex.layer, NodeTransport.layerClient)

  layer(services, { excludeTestServices: true, timeout: "5 minutes" })((it) => {
    for (const { client, name, run, server } of rows) {
      it.effect(`${name}: our client, beside Kitex's`, () =>
        Effect.gen(function* () {
          const address = yield* Kitex
          const [side, exit] = yield* traced(address, run)
          const { bizError, exit: ended, recvBytes, sendBytes } = consistent(side, client)
          const theirs = yield* kitexTraced(`traced-${name}`, address)
          assert.deepStrictEqual({ sendBytes, recvBytes }, { sendBytes: theirs.sendBytes, recvBytes: theirs.recvBytes })
          assert.strictEqual(Exit.isFailure(exit), name.includes("-"))
          // a business error is no error of the call
          assert.strictEqual(Exit.isFailure(ended), name.endsWith("error") || name.endsWith("sleep"))
          assert.strictEqual(bizError?.statusCode, name.endsWith("biz-grpc") ? 100 : undefined)
        })
      )

      it.effect(`${name}: our server, of a Kitex client`, () =>
        Effect.gen(function* () {
          const recorder = tracer()
          const address = yield* Effect.provide(serverHere(), recorder.layer)
          const theirs = yield* kitexTraced(`traced-${name}`, address)
          yield* finished(recorder.server)
          const finish = consistent(recorder.server, server)
          assert.deepStrictEqual(recorder.server.order, ["start", "streamStart", "streamFinish", "finish"])
          if (client[0] > 0 || client[1] > 0) assert.strictEqual(finish.recvBytes, theirs.sendBytes)
          if (name === "unary") assert.isAbove(Math.min(finish.recvBytes, finish.sendBytes), 0)
          assert.strictEqual(finish.sendBytes, theirs.recvBytes)
        }).pipe(Effect.scoped)
      )
    }

    it.effect("the order of events (R1, R2)", () =>
      Effect.gen(function* () {
        for (const { run } of fine) {
          const [{ order }] = yield* traced(yield* Kitex, run)
          assert.deepStrictEqual(order.slice(0, 3), ["start", "streamStart", "recvHeader"])
          assert.deepStrictEqual(order.slice(3).toSorted(), ["finish", "streamFinish"])
        }
      })
    )

    for (const { client, name, run } of ending("exit")) {
      it.effect(`${name}: the server process exits (R22 to R25)`, () =>
        Effect.gen(function* () {
          const [side, exit] = yield* traced(yield* kitexServer(), run)
          assert.isTrue(Exit.isFailure(exit))
          assert.isTrue(Exit.isFailure(consistent(side, client).exit))
        }).pipe(Effect.scoped)
      )
    }

    it.effect("our server process exits, as a Kitex client counts it", () =>
      Effect.gen(function* () {
        const names = ending("exit").map(({ name }) => name)
        const addresses = yield* Effect.forEach(names, () => ourServer(), { concurrency: "unbounded" })
        for (const [i, name] of names.entries()) yield* kitexTraced(`traced-${name}`, addresses[i]!)
      }).pipe(Effect.scoped)
    )

    it.effect("a Kitex client that finishes a stream of our server, and one that opens none (R27, R28)", () =>
      Effect.gen(function* () {
        const recorder = tracer()
        const address = yield* Effect.provide(serverHere(), recorder.layer)
        yield* kitexTraced("traced-finish", address)
        yield* kitexTraced("traced-injected", address)
        yield* finished(recorder.server)
        assert.deepStrictEqual([recorder.server.starts, recorder.server.finishes.length], [1, 1])
      }).pipe(Effect.scoped)
    )

    const three = Effect.fnUntraced(function* (client: Interop) {
      const stream = yield* client.Client.open()
      for (let i = 0; i < 3; i++) yield* stream.send(say("traced"))
      return yield* stream.closeAndRecv
    })

    it.effect("a middleware that replaces the stream (R6, R7)", () =>
      Effect.gen(function* () {
        const uses: Array<string> = []
        const decorated = Middleware.stream((next) =>
          Effect.map(next, (handle): ClientStream.Any => ({
            ...handle,
            send: (message) => {
              uses.push("send")
              return handle.send!(message)
            }
          }))
        )
        const [side, exit] = yield* traced(yield* Kitex, three, [decorated])
        assert.isTrue(Exit.isSuccess(exit))
        assert.deepStrictEqual(uses, ["send", "send", "send"])
        consistent(side, [3, 1])
      })
    )

    it.effect("a send behind the half close (R9)", () =>
      Effect.gen(function* () {
        const [side, exit] = yield* traced(yield* Kitex, (client) =>
          Effect.flatMap(client.Bidi.open(), (stream) => Effect.andThen(stream.closeSend, stream.send(say("late"))))
        )
        assert.isTrue(Exit.isFailure(exit))
        assert.isTrue(Exit.isFailure(consistent(side, [1, 0]).exit))
      })
    )

    it.effect("client streaming: a send behind the half close that closeAndRecv makes (R8)", () =>
      Effect.gen(function* () {
        const [side, exit] = yield* traced(yield* Kitex, (client) =>
          Effect.gen(function* () {
            const stream = yield* client.Client.open()
            const response = yield* Effect.forkChild(stream.closeAndRecv, { startImmediately: true })
            const late = yield* Effect.flip(stream.send(say("late")))
            yield* Fiber.join(response)
            return late.message
          })
        )
        assert.deepStrictEqual(exit, Exit.succeed("rpc error: code = 13 desc = the stream is done"))
        assert.strictEqual(consistent(side, [1, 1]).reason, "eof")
      })
    )

    it.effect("finish by agreement is over at once (R27)", () =>
      Effect.gen(function* () {
        const recorder = tracer()
        const client = yield* Effect.provide(
          StreamClient.make(InteropService, { hostPorts: [yield* Kitex] }),
          recorder.layer
        )
        const stream = yield* client.Server.open(say("many", 3))
        yield* stream.recv
        yield* stream.finish()
        assert.strictEqual(recorder.client.finishes.length, 1)
        assert.strictEqual(recorder.client.finishes[0]!.reason, "explicit")
      }).pipe(Effect.scoped)
    )

    it.effect("a middleware that fails the creation (R28)", () =>
      Effect.gen(function* () {
        const injected = new RpcError.RpcError({ reason: new RpcError.Status({}), code: 13, desc: "injected error" })
        const [side, exit] = yield* traced(yield* Kitex, (client) => client.Bidi.open(), [
          Middleware.client(() => Effect.fail<CallError>(injected))
        ])
        assert.deepStrictEqual(exit, Exit.fail(injected))
        assert.deepStrictEqual([side.starts, side.finishes.length], [1, 1])
        assert.deepStrictEqual(side.finishes[0]!.exit, Exit.fail(injected))
      })
    )
  })
})
