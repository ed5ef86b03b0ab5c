/** A server that counts what it does for a call, in memory and over TCP, and every way to call it. */
import { Thrift } from "@millrace/codec"
import { Client, Method, type Middleware, Server, Service } from "@millrace/rpc"
import { MemoryTransport, type RawCall, Transport, type TransportOptions } from "@millrace/transport"
import { NodeTransport } from "@millrace/transport/node"
import { Effect, Layer, Logger, Metric, Stream } from "effect"
import { StreamClient } from "./over.ts"

class Text extends Thrift.Struct<Text>("limit.Text")({ text: Thrift.optional(1, Thrift.String) }) {}
export class Streams extends Service.make("Streams", {
  methods: [
    Method.unary("Unary", { request: Text, response: Text }),
    Method.bidirectional("Both", { request: Text, response: Text }),
    Method.clientStreaming("Up", { request: Text, response: Text }),
    Method.serverStreaming("Down", { request: Text, response: Text })
  ]
}) {}
export class Calls extends Service.make("Calls", {
  methods: [
    Method.pingPong("Call", { arguments: { text: Thrift.field(1, Thrift.String) }, response: Thrift.String }),
    Method.oneway("Log", { arguments: { line: Thrift.field(1, Thrift.String) } })
  ]
}) {}

export const hello = new Text({ text: "hello" })

/** What carries the calls of a test. */
export interface Wire {
  readonly name: string
  readonly transport: (
    options: TransportOptions.ServerOptions
  ) => Layer.Layer<Transport.ClientTransport | Transport.ServerTransport>
  /** Whether it asks about a stream as soon as its headers are here; a stream is refused by its acceptor otherwise. */
  readonly asksByHeaders: boolean
}

const inMemory = (server: TransportOptions.ServerOptions) => MemoryTransport.layerWith({ server })

export const wires: ReadonlyArray<Wire> = [
  { name: "in memory", transport: inMemory, asksByHeaders: true },
  { name: "in memory, streams first", transport: inMemory, asksByHeaders: false },
  {
    name: "over TCP",
    transport: (options) =>
      Layer.merge(NodeTransport.layerServer({ ...options, port: 0, host: "127.0.0.1" }), NodeTransport.layerClient),
    asksByHeaders: true
  }
]

/** What a server does for the calls that it receives. */
export class Work {
  refusedByHeaders = 0
  /** Streams and calls that came further. */
  received = 0
  taken = 0
  fibers = 0
  handlers = 0
  /** Handlers that have ended. */
  ended = 0

  get all() {
    const { ended, fibers, handlers, received, refusedByHeaders, taken } = this
    return { ended, fibers, handlers, received, refusedByHeaders, taken }
  }

  /** A transport whose streams and calls tell when something is taken from them. */
  readonly transport = (wire: Wire) =>
    Layer.effect(
      Transport.ServerTransport,
      Effect.map(Transport.ServerTransport, ({ listen }) => ({
        listen: (acceptor) => {
          const watching = listen({
            admit: wire.asksByHeaders ? this.#asked(acceptor.admit) : undefined,
            onStream: (raw) => {
              this.received++
              acceptor.onStream(this.#watched(raw))
            },
            onCall: (raw) => {
              this.received++
              acceptor.onCall(this.#watched(raw))
            }
          })
          // Connections have fibers of their own.
          return Effect.provideService(watching, Metric.FiberRuntimeMetrics, undefined)
        }
      }))
    )

  readonly fiberCount = Layer.succeed(Metric.FiberRuntimeMetrics, {
    recordFiberStart: () => void this.fibers++,
    recordFiberEnd: () => {}
  })

  #asked(admit: Transport.Acceptor["admit"]): Transport.Acceptor["admit"] {
    if (admit === undefined) return undefined
    return (...request) => {
      const answer = admit(...request)
      if (answer !== undefined && "code" in answer) this.refusedByHeaders++
      return answer
    }
  }

  #watched<A extends object>(raw: A): A {
    const take = (raw as { take: (...args: Array<unknown>) => unknown }).take
    Object.defineProperty(raw, "take", {
      value: (...args: Array<unknown>) => {
        this.taken++
        return take.apply(raw, args)
      }
    })
    return raw
  }
}

/** A server whose handlers all end as `answer` does. */
export const serving = (
  wire: Wire,
  work: Work,
  options: Server.Options<ReadonlyArray<Middleware.ForServer>>,
  answer: Effect.Effect<void>,
  transport: TransportOptions.ServerOptions = {}
) => {
  const handled = Effect.suspend(() => {
    work.handlers++
    return answer
  }).pipe(Effect.ensuring(Effect.sync(() => void work.ended++)))
  return Server.layer([Streams, Calls], { graceTime: 0, ...options }).pipe(
    Layer.provide(
      Streams.toLayer({
        Unary: (request) => Effect.as(handled, request),
        Both: (requests) => Stream.tap(requests, () => handled),
        Up: (requests) => Effect.andThen(Stream.runDrain(requests), Effect.as(handled, hello)),
        Down: (request) => Stream.fromEffect(Effect.as(handled, request))
      })
    ),
    Layer.provide(Calls.toLayer({ Call: ({ text }) => Effect.as(handled, text), Log: () => handled })),
    Layer.provide(work.fiberCount),
    Layer.provide(work.transport(wire)),
    Layer.provideMerge(wire.transport(transport)),
    Layer.provideMerge(Logger.layer([])),
    Layer.orDie
  )
}

export const encodings: ReadonlyArray<RawCall.Encoding> = ["ttheader-framed", "ttheader", "framed", "buffered"]

/** Where clients find the server. */
export const hostPorts = Effect.map(Server.Server, ({ address: { hostname, port } }) => [`${hostname}:${port}`])

/** Every way to call. */
export const ways = Effect.gen(function* () {
  const common = { hostPorts: yield* hostPorts }
  const streams = yield* StreamClient.make(Streams, common)
  const list: Array<readonly [name: string, call: Effect.Effect<unknown, unknown>]> = [
    ["unary", streams.Unary(hello)],
    ["bidirectional", Stream.runDrain(streams.Both(Stream.make(hello)))],
    ["client streaming", streams.Up(Stream.make(hello))],
    ["server streaming", Stream.runDrain(streams.Down(hello))]
  ]
  for (const transport of encodings) {
    const calls = yield* Client.make(Calls, { ...common, transport })
    list.push([transport, calls.Call({ text: "hello" })])
  }
  return list
})
