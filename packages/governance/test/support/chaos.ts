/** Instances that misbehave, in memory and over TCP, and a client that has all of governance to get along with them. */
import { Thrift } from "@millrace/codec"
import { CircuitBreaker, Discovery, type LoadBalancer, Resolver, Retry } from "@millrace/governance"
import { Client, Method, RpcError, Server, Service } from "@millrace/rpc"
import { MemoryTransport, Transport } from "@millrace/transport"
import { NodeTransport } from "@millrace/transport/node"
import { Clock, Context, Effect, Layer, Stream } from "effect"
import * as net from "node:net"
import { byAddress } from "./byAddress.ts"
import { StreamClient, wire } from "./over.ts"

class Note extends Thrift.Struct<Note>("chaos.Note")({
  text: Thrift.optional(1, Thrift.String),
  bytes: Thrift.optional(2, Thrift.Binary)
}) {}
class Chaos extends Service.make("Chaos", {
  package: "chaos",
  methods: [
    Method.unary("Unary", { request: Note, response: Note }),
    Method.serverStreaming("Few", { request: Note, response: Note }),
    Method.bidirectional("Both", { request: Note, response: Note }),
    Method.pingPong("Ping", { arguments: {}, response: Thrift.String })
  ]
}) {}

/**
 * What is wrong with an instance: it accepts and says nothing; it falls silent in the middle, without an end; nobody listens; everything
 * takes its time; connections break in the middle.
 */
export type Fault = "none" | "stalled" | "halfOpen" | "refusing" | "slow" | "resetting"
export const faults: ReadonlyArray<Fault> = ["stalled", "halfOpen", "refusing", "slow", "resetting"]

/** Milliseconds of one piece of a slow instance. */
const slowness = 15

/** Milliseconds of each wait. */
interface Budgets {
  readonly connectTimeout: number
  readonly firstMessageTimeout: number
  readonly recvTimeout: number
  readonly sendTimeout: number
  readonly timeout: number
  readonly rpcTimeout: number
  /** Of breakers. */
  readonly coolingTimeout: number
  /** Of a connection: nobody tells that one is half-open, or always slow. */
  readonly age: number
}

export const budgetsOf = (scale: number): Budgets => ({
  connectTimeout: 40 * scale,
  firstMessageTimeout: 80 * scale,
  recvTimeout: 60 * scale,
  sendTimeout: 50 * scale,
  timeout: 400 * scale,
  rpcTimeout: 100 * scale,
  coolingTimeout: 300 * scale,
  age: 200 * scale
})

/** Bytes behind which the others misbehave: a conversation has begun. */
const middle = 400

interface Instance {
  readonly address: string
  /** Calls that its handlers took. */
  readonly taken: () => number
  /** Connections that a client has not closed. */
  readonly connections: () => number
  readonly set: (fault: Fault) => Effect.Effect<void>
}

const serve = (name: string, taken: () => void) => {
  const note = new Note({ text: name })
  const counted = Effect.sync(taken)
  return Server.layer([Chaos], { graceTime: 0 }).pipe(
    Layer.provide(
      Chaos.toLayer({
        Unary: () => Effect.as(counted, note),
        Ping: () => Effect.as(counted, name),
        Few: () =>
          Stream.drain(Stream.fromEffect(counted)).pipe(
            Stream.concat(
              Stream.take(
                Stream.map(Stream.tick(10), () => note),
                4
              )
            )
          ),
        Both: (requests) =>
          Stream.drain(Stream.fromEffect(counted)).pipe(Stream.concat(Stream.map(requests, () => note)))
      })
    )
  )
}

type Transports = Context.Context<Transport.ClientTransport | Transport.ServerTransport>

/** Instances with a memory transport for each. What is wrong with one is so for its new connections. */
export const inMemory = Effect.fnUntraced(function* (count: number, { age }: Budgets) {
  const clients = new Map<string, { readonly transport: Transport.ClientTransport["Service"]; refusing: boolean }>()
  const instances: Array<Instance> = []
  for (let i = 0; i < count; i++) {
    const address = `memory:${i}`
    const toServer: { -readonly [K in keyof MemoryTransport.Faults]: MemoryTransport.Faults[K] } = {}
    const toClient = { ...toServer }
    let taken = 0
    let connections = 0
    const acceptConnection = () => {
      connections++
      return () => void connections--
    }
    const transports: Transports = yield* MemoryTransport.make({
      toServer,
      toClient,
      client: { maxConnectionAge: age },
      server: { acceptConnection }
    })
    yield* Layer.build(
      Layer.provide(
        serve(address, () => taken++),
        Layer.succeedContext(transports)
      )
    )
    const client = { transport: Context.get(transports, Transport.ClientTransport), refusing: false }
    clients.set(address, client)
    const set = (fault: Fault) =>
      Effect.sync(() => {
        client.refusing = fault === "refusing"
        toClient.stallAt = fault === "stalled" ? 0 : fault === "halfOpen" ? middle : undefined
        toServer.stallAt = fault === "halfOpen" ? middle : undefined
        toServer.cutAt = fault === "resetting" ? middle : undefined
        toClient.delay = fault === "slow" ? slowness : undefined
      })
    instances.push({ address, taken: () => taken, connections: () => connections, set })
  }
  const of = (address: string) => {
    const client = clients.get(address)!
    return client.refusing ? undefined : client.transport
  }
  return { instances, layer: byAddress(of) }
})

/** What stands between a client and a server, and does to their bytes what it is told. */
class Proxy {
  readonly #target: number
  #listener: net.Server | undefined
  #port = 0
  #fault: Fault = "none"
  /** Of clients that have not closed them. */
  readonly open = new Set<net.Socket>()
  readonly #sockets = new Set<net.Socket>()

  constructor(target: number) {
    this.#target = target
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`
  }

  readonly listen: Effect.Effect<void> = Effect.callback((resume) => {
    const listener = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#connected(socket))
    this.#listener = listener
    listener.listen(this.#port, "127.0.0.1", () => {
      this.#port = (listener.address() as net.AddressInfo).port
      resume(Effect.void)
    })
  })

  set(fault: Fault): Effect.Effect<void> {
    return Effect.suspend(() => {
      const closed = this.#fault === "refusing"
      this.#fault = fault
      if (fault === "refusing") this.close()
      return closed && fault !== "refusing" ? this.listen : Effect.void
    })
  }

  close(): void {
    this.#listener?.close()
    this.#listener = undefined
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  #connected(client: net.Socket): void {
    const server = net.connect({ port: this.#target, host: "127.0.0.1", allowHalfOpen: true, noDelay: true })
    const pair = { dead: false, bytes: 0 }
    this.open.add(client)
    const gone = () => void this.open.delete(client)
    client.on("end", gone)
    for (const [from, to] of [
      [client, server],
      [server, client]
    ] as const) {
      this.#sockets.add(from)
      from.on("error", () => {})
      from.on("close", () => {
        this.#sockets.delete(from)
        if (from === client) gone()
        // A half-open peer tells of nothing.
        if (!pair.dead || from === client) to.destroy()
      })
      from.on("end", () => {
        if (!pair.dead) to.end()
      })
      from.on("data", (chunk) => {
        if (this.#fault === "stalled" || this.#fault === "halfOpen") pair.dead = true
        if (pair.dead) return
        pair.bytes += chunk.length
        if (this.#fault === "resetting" && pair.bytes > 2 * middle) return void client.resetAndDestroy()
        to.write(chunk)
        if (this.#fault !== "slow") return
        from.pause()
        setTimeout(() => from.resume(), slowness)
      })
    }
  }
}

/** Instances over TCP, behind proxies that misbehave, on connections that are there too. */
export const overTcp = Effect.fnUntraced(function* (count: number, { age }: Budgets) {
  const instances: Array<Instance> = []
  for (let i = 0; i < count; i++) {
    let taken = 0
    const context = yield* Layer.build(
      Layer.provide(
        serve(`${i}`, () => taken++),
        NodeTransport.layerServer({ port: 0, host: "127.0.0.1" })
      )
    )
    const proxy = new Proxy(Context.get(context, Server.Server).address.port)
    yield* Effect.acquireRelease(proxy.listen, () => Effect.sync(() => proxy.close()))
    instances.push({
      address: proxy.address,
      taken: () => taken,
      connections: () => proxy.open.size,
      set: (fault) => proxy.set(fault)
    })
  }
  return { instances, layer: NodeTransport.layerClientWith({ maxConnectionAge: age }) }
})

export interface World {
  readonly instances: ReadonlyArray<Instance>
  readonly layer: Layer.Layer<Transport.ClientTransport>
}

const maxRetries = 2

export const kinds = ["unary", "ping", "few", "both", "large"] as const
type Kind = (typeof kinds)[number]

/** One wait of a client: how long it took, and why it failed. */
interface Wait {
  readonly kind: string
  readonly millis: number
  readonly error: unknown
}

const note = new Note({ text: "hello" })
const large = new Note({ bytes: new Uint8Array(48 * 1024) })

/** A client with discovery, breakers of both levels, retries and all budgets, and everything that it waited for. */
export const governed = Effect.fnUntraced(function* (
  { instances }: World,
  { age: _, coolingTimeout, rpcTimeout, ...ofStreams }: Budgets,
  balancer: LoadBalancer.LoadBalancer
) {
  const waits: Array<Wait> = []
  const wait = <A, E, R>(kind: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Clock.currentTimeMillis, (began) =>
      Effect.onExit(effect, (exit) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const reason = exit._tag === "Failure" ? exit.cause.reasons[0] : undefined
          const error = reason?._tag === "Fail" ? reason.error : reason?._tag === "Interrupt" ? "interrupted" : reason
          waits.push({ kind, millis: now - began, error })
        })
      )
    )
  const breaking: CircuitBreaker.Config = { minSample: 5, coolingTimeout, detectTimeout: coolingTimeout / 6 }
  // Streams count by their creation, and where nobody shakes hands that goes well with a server that never answers.
  const errRate = wire.streams.handshake ? 0.5 : 0.25
  const instanceBreaker = yield* CircuitBreaker.instances(
    { ...breaking, errRate },
    { classify: CircuitBreaker.classify }
  )
  const serviceBreaker = yield* CircuitBreaker.make({ ...breaking, minSample: 20 })
  const endpoints = yield* Effect.provideService(
    Discovery.endpoints({ balancer, instanceBreaker }),
    Resolver.Resolver,
    Resolver.fromInstances(instances.map(({ address }) => address))
  )
  const retry = Retry.failure({ maxRetries, errorRate: 0.3 })
  const common = { endpoints, admission: [serviceBreaker.admission] }
  const streams = yield* StreamClient.make(Chaos, { ...common, ...ofStreams, unary: { rpcTimeout, retry } })
  const { connectTimeout } = ofStreams
  const calls = yield* Client.make(Chaos, { ...common, connectTimeout, rpcTimeout, retry })

  const few: Effect.Effect<string, unknown> = Effect.scoped(
    Effect.gen(function* () {
      const stream = yield* wait("open", streams.Few.open(note))
      let name = (yield* wait("first", stream.recv)).text!
      for (let i = 0; i < 3; i++) name = (yield* wait("recv", stream.recv)).text!
      return name
    })
  )
  /** Talks, so many messages of its own at once. */
  const talk = (message: Note, turns: number, messages: number): Effect.Effect<string, unknown> =>
    Effect.scoped(
      Effect.gen(function* () {
        const stream = yield* wait("open", streams.Both.open())
        let name = ""
        for (let turn = 0; turn < turns; turn++) {
          for (let i = 0; i < messages; i++) yield* wait("send", stream.send(message))
          for (let i = 0; i < messages; i++) name = (yield* wait(turn + i === 0 ? "first" : "recv", stream.recv)).text!
        }
        return name
      })
    )
  const ways = {
    unary: Effect.map(streams.Unary(note), ({ text }) => text!),
    ping: calls.Ping({}),
    few,
    both: talk(note, 4, 1),
    large: talk(large, 1, 12)
  } satisfies Record<Kind, Effect.Effect<string, unknown>>
  const call = (kind: Kind): Effect.Effect<string, unknown> => wait(kind, ways[kind])
  return { waits, call, instanceBreaker }
})

/** What a wait may take at most where there are so many instances, and what it may fail with. */
export const allowed = (
  kind: string,
  instances: number,
  budgets: Budgets
): { readonly millis: number; readonly tags: string } => {
  const { connectTimeout, firstMessageTimeout, recvTimeout, rpcTimeout, sendTimeout, timeout } = budgets
  const always = "ok interrupted Unavailable"
  const creation = "ConnectTimeout CircuitOpen"
  switch (kind) {
    case "open":
      return { millis: connectTimeout * instances, tags: `${always} ${creation}` }
    case "first":
      return { millis: firstMessageTimeout, tags: `${always} FirstMessageTimeout DeadlineExceeded` }
    case "recv":
      return { millis: recvTimeout, tags: `${always} RecvTimeout DeadlineExceeded` }
    case "send":
      return { millis: sendTimeout, tags: `${always} SendTimeout DeadlineExceeded` }
    case "unary":
    case "ping":
      return { millis: (maxRetries + 1) * rpcTimeout, tags: `${always} ${creation} RpcTimeout FirstMessageTimeout` }
    default:
      return {
        millis: timeout,
        tags: `${always} ${creation} FirstMessageTimeout RecvTimeout SendTimeout DeadlineExceeded`
      }
  }
}

export const tagOf = (error: unknown): string =>
  error === undefined ? "ok" : error instanceof RpcError.RpcError ? error.reason._tag : String(error)
