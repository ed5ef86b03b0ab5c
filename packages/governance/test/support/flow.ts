/**
 * Streams of texts between a client and a server in memory.
 */
import { Thrift } from "@millrace/codec"
import { type Handlers, Method, type Middleware, type RpcError, Server, Service } from "@millrace/rpc"
import { MemoryTransport } from "@millrace/transport"
import { Clock, Effect, Layer, type Scope, Stream } from "effect"
import { StreamClient } from "./over.ts"

export class Text extends Thrift.Struct<Text>("limit.Text")({ text: Thrift.optional(1, Thrift.String) }) {}
export class Flow extends Service.make("Flow", {
  methods: [
    Method.bidirectional("Both", { request: Text, response: Text }),
    Method.clientStreaming("Up", { request: Text, response: Text }),
    Method.serverStreaming("Down", { request: Text, response: Text })
  ]
}) {}
export type FlowHandlers = Handlers.Handlers<(typeof Flow)["methods"], never>

export const text = (text: string) => new Text({ text })
export const texts = (count: number) => Stream.fromIterable(Array.from({ length: count }, (_, at) => text(`${at}`)))

export type Client = StreamClient.StreamClient<typeof Flow>

export interface Around {
  readonly server?: ReadonlyArray<Middleware.ForServer>
  readonly client?: ReadonlyArray<Middleware.ForClient>
  /** The server reads the request of server streaming before its middleware. */
  readonly requestInInfo?: boolean
}

/** Runs with a client of a server in memory, of which each stream has its own flow control, whatever the transport. */
export const flowing = <A, E>(
  handlers: Partial<FlowHandlers>,
  { client = [], server = [], requestInInfo = false }: Around,
  run: (client: Client) => Effect.Effect<A, E, Scope.Scope>
): Effect.Effect<A, E> => {
  const live = Server.layer([Flow], { middleware: server, graceTime: 0, requestInInfo }).pipe(
    Layer.provide(
      Flow.toLayer({
        Both: () => Stream.empty,
        Up: () => Effect.die("up"),
        Down: () => Stream.empty,
        ...handlers
      } as FlowHandlers)
    ),
    Layer.provideMerge(MemoryTransport.layerWith({ client: { streamCredit: true } }))
  )
  return Effect.flatMap(StreamClient.make(Flow, { middleware: client }), run).pipe(
    Effect.scoped,
    Effect.provide(Layer.orDie(live))
  )
}

export const begin = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkChild(effect, { startImmediately: true })

/** Counts what a handler receives, and when. */
export const counting = () => {
  const at: Array<number> = []
  const counted = (requests: Stream.Stream<Text, RpcError.RpcError>) =>
    Stream.runForEach(requests, () => Effect.map(Clock.currentTimeMillis, (now) => void at.push(now)))
  return { at, counted }
}
