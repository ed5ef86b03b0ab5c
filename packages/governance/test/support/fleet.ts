/** Servers that restart, and clients that call them in every way meanwhile. */
import { Thrift } from "@millrace/codec"
import { Discovery, type LoadBalancer, Registry } from "@millrace/governance"
import { Client, Method, RpcError, Server, Service } from "@millrace/rpc"
import { MemoryTransport, type RawCall, Transport } from "@millrace/transport"
import { NodeTransport } from "@millrace/transport/node"
import { Context, Effect, Exit, Fiber, Layer, Metric, Scope, Stream } from "effect"
import { byAddress } from "./byAddress.ts"
import { StreamClient } from "./over.ts"

class Note extends Thrift.Struct<Note>("fleet.Note")({ text: Thrift.optional(1, Thrift.String) }) {}
class Fleet extends Service.make("Fleet", {
  package: "fleet",
  methods: [
    Method.unary("Unary", { request: Note, response: Note }),
    Method.serverStreaming("Few", { request: Note, response: Note }),
    Method.serverStreaming("UntilDraining", { request: Note, response: Note }),
    Method.serverStreaming("Endless", { request: Note, response: Note }),
    Method.bidirectional("Both", { request: Note, response: Note }),
    Method.pingPong("Ping", { arguments: {}, response: Thrift.String })
  ]
}) {}

const destService = "fleet.svc"

const tick = "5 millis"
const note = new Note({ text: "hello" })

const handlers = (name: string) => {
  const notes = Stream.map(Stream.tick(tick), () => new Note({ text: name }))
  return Fleet.toLayer({
    Unary: () => Effect.as(Effect.sleep(tick), new Note({ text: name })),
    Ping: () => Effect.as(Effect.sleep(tick), name),
    Few: () => Stream.take(notes, 10),
    UntilDraining: (_, call) => Stream.interruptWhen(notes, call.draining),
    Endless: () => notes,
    Both: (requests) => Stream.map(requests, () => new Note({ text: name }))
  })
}

/** What is there and has to be gone in the end. */
export class Leftovers {
  fibers = 0
  /** As the servers see them. */
  connections = 0
  readonly nodes = new Set<LoadBalancer.Node>()

  readonly fiberCount = Layer.succeed(Metric.FiberRuntimeMetrics, {
    recordFiberStart: () => void this.fibers++,
    recordFiberEnd: () => void this.fibers--
  })

  readonly acceptConnection = () => {
    this.connections++
    return () => void this.connections--
  }

  /** A balancer whose nodes are remembered. */
  watching(balancer: LoadBalancer.LoadBalancer): LoadBalancer.LoadBalancer {
    return {
      ...balancer,
      build: (nodes, options) => {
        for (const node of nodes) this.nodes.add(node)
        return balancer.build(nodes, options)
      }
    }
  }

  get all() {
    const { connections, fibers, nodes } = this
    return { connections, fibers, active: [...nodes].reduce((sum, { active }) => sum + active, 0) }
  }
}

/** Where servers listen, three of them, and where clients find them. */
export interface Sites {
  /** Of the server at a site, each time at the same address. */
  readonly server: (site: number) => Layer.Layer<Transport.ServerTransport>
  /** By which it is registered; undefined: where it listens. */
  readonly address: (site: number) => string | undefined
  readonly listens: (site: number, port: number) => void
  readonly client: Layer.Layer<Transport.ClientTransport>
}

export const overTcp = ({ acceptConnection }: Leftovers) =>
  Effect.sync((): Sites => {
    const ports: Array<number> = []
    return {
      server: (site) => NodeTransport.layerServer({ port: ports[site] ?? 0, host: "127.0.0.1", acceptConnection }),
      address: () => undefined,
      listens: (site, port) => {
        ports[site] = port
      },
      client: NodeTransport.layerClient
    }
  })

export const inMemory = ({ acceptConnection }: Leftovers) =>
  Effect.map(
    Effect.forEach([0, 1, 2], () => MemoryTransport.make({ server: { acceptConnection } })),
    (contexts): Sites => {
      const address = (site: number) => `memory:${site}`
      const clients = new Map(
        contexts.map((context, site) => [address(site), Context.get(context, Transport.ClientTransport)])
      )
      return {
        server: (site) => Layer.succeedContext(contexts[site]!),
        address,
        listens: () => {},
        client: byAddress((address) => clients.get(address))
      }
    }
  )

export interface ServerSetup {
  readonly propagation: number
  readonly graceTime: number
}

/** Starts a server; gives what makes it leave the registry, wait until clients know, drain, and be gone. */
export const start = Effect.fnUntraced(function* (
  name: string,
  site: number,
  { graceTime, propagation }: ServerSetup,
  sites: Sites
) {
  const registry = yield* Effect.context<Registry.Registry>()
  const scope = yield* Scope.fork(yield* Scope.Scope)
  const context = yield* Registry.layer({ service: destService, propagation, address: sites.address(site) }).pipe(
    Layer.provideMerge(Server.layer([Fleet], { graceTime })),
    Layer.provide(handlers(name)),
    Layer.provide(sites.server(site)),
    Layer.provide(NodeTransport.layerNetwork),
    Layer.provide(Layer.succeedContext(registry)),
    Layer.build,
    Scope.provide(scope)
  )
  sites.listens(site, Context.get(context, Server.Server).address.port)
  return Scope.close(scope, Exit.void)
})

/** What became of the calls of one kind. */
export class Tally {
  succeeded = 0
  /** The names of the servers that answered. */
  readonly servers = new Set<string>()
  readonly errors = new Map<string, number>()
  /** Each that failed, with all that is known of why. */
  readonly lost: Array<string> = []

  failed(error: unknown): void {
    const text = told(error)
    this.errors.set(text, (this.errors.get(text) ?? 0) + 1)
    this.lost.push(inFull(error))
  }
}

const told = (error: unknown): string =>
  error instanceof RpcError.RpcError
    ? `${error.reason._tag}${error.reason._tag === "Unavailable" && error.reason.draining ? ", draining" : ""}: ${error.desc}`
    : String(error)

const inFull = (error: unknown): string => {
  if (!(error instanceof RpcError.RpcError)) return String(error)
  const { address = "no address", code, desc, method, reason } = error
  return `${method} at ${address}: ${JSON.stringify(reason)} (${code}): ${desc}`
}

const last = <E>(notes: Stream.Stream<Note, E>) =>
  Effect.map(Stream.runLast(notes), (note) => (note._tag === "Some" ? note.value.text! : "nobody"))

/** All ways to call: each gives the name of the server that answered. */
export const waysOf = Effect.fnUntraced(function* (balancer: LoadBalancer.LoadBalancer) {
  const discovery = yield* Discovery.make({ balancer, config: { refreshInterval: "1 second", jitter: 0 } })
  const common = { destService, endpoints: discovery.endpoints }
  const client = yield* StreamClient.make(Fleet, common)
  const ping = (options: { readonly connection?: RawCall.ConnectionMode; readonly transport?: RawCall.Encoding }) =>
    Effect.map(Client.make(Fleet, { ...common, ...options }), (client) => client.Ping({}))
  const conversation = Effect.scoped(
    Effect.gen(function* () {
      const stream = yield* client.Both.open()
      let name = "nobody"
      for (let i = 0; i < 10; i++) {
        yield* stream.send(note)
        name = (yield* stream.recv).text!
        yield* Effect.sleep(tick)
      }
      yield* stream.closeSend
      return name
    })
  )
  return {
    /** End by themselves. */
    calls: {
      unary: Effect.map(client.Unary(note), ({ text }) => text!),
      auto: yield* ping({ connection: "auto" }),
      pooled: yield* ping({ connection: "pooled" }),
      multiplexed: yield* ping({ connection: "multiplexed" }),
      short: yield* ping({ connection: "short" })
    },
    /** A server cannot tell these clients that it goes. */
    untold: {
      framed: yield* ping({ transport: "framed" }),
      buffered: yield* ping({ transport: "buffered" })
    },
    streams: {
      few: last(client.Few(note)),
      untilDraining: last(client.UntilDraining(note)),
      both: conversation
    },
    endless: { endless: last(client.Endless(note)) }
  }
})

/** Calls without a pause, a number of them at once, until it is told to stop. */
export const load = Effect.fnUntraced(function* <const Name extends string>(
  ways: Readonly<Record<Name, Effect.Effect<string, unknown>>>,
  atOnce: number
) {
  const tallies = {} as Record<Name, Tally>
  const fibers: Array<Fiber.Fiber<void>> = []
  let over = false
  for (const name of Object.keys(ways) as Array<Name>) {
    const tally = (tallies[name] = new Tally())
    const once = Effect.matchEager(ways[name], {
      onSuccess: (server) => {
        tally.succeeded++
        tally.servers.add(server)
      },
      onFailure: (error) => tally.failed(error)
    })
    const loop = Effect.whileLoop({ while: () => !over, body: () => once, step: () => {} })
    for (let i = 0; i < atOnce; i++) fibers.push(yield* Effect.forkChild(loop))
  }
  return {
    tallies,
    stop: Effect.sync(() => {
      over = true
    }),
    ended: Effect.forEach(fibers, Fiber.join, { discard: true })
  }
})
