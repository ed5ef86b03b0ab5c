/**
 * Ours, at both ends, as an application would write it: by the public entry points, every message built by its constructor and its field
 * read. The larger payload rows also run with a `binary` member. What is put around calls and messages is an argument: the peers
 * `millrace-…` are this one with more of it.
 */
import { Thrift } from "@millrace/codec"
import { type Admission, Client, Method, Middleware, Server, Service, StreamClient } from "@millrace/rpc"
import { CircuitBreaker, Discovery, Limiter, Resolver } from "@millrace/governance"
import { NodeTransport } from "@millrace/transport/node"
import { ClientTransport, type StreamTransport } from "@millrace/transport/Transport"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { bare } from "./bare.ts"
import type { Case } from "./cases.ts"
import type { Meter, Peer } from "./peer.ts"

class Request extends Thrift.Struct<Request>("echo.Request")({ message: Thrift.optional(1, Thrift.String) }) {}
class Response extends Thrift.Struct<Response>("echo.Response")({ message: Thrift.optional(1, Thrift.String) }) {}
class Blob extends Thrift.Struct<Blob>("echo.Blob")({ bytes: Thrift.optional(1, Thrift.Binary) }) {}

class TestService extends Service.make("TestService", {
  package: "echo",
  methods: [
    Method.bidirectional("Echo", { request: Request, response: Response }),
    Method.bidirectional("EchoBlob", { request: Blob, response: Blob }),
    Method.clientStreaming("EchoClient", { request: Request, response: Response }),
    Method.serverStreaming("EchoServer", { request: Request, response: Response }),
    Method.unary("EchoUnary", { request: Request, response: Response }),
    Method.pingPong("EchoPingPong", { arguments: { req: Thrift.field(1, Request) }, response: Response }),
    Method.pingPong("PutBlob", { arguments: { req: Thrift.field(1, Blob) }, response: Response })
  ]
}) {}

const Handlers = TestService.toLayer({
  Echo: (requests) => requests.pipe(Stream.map((r) => new Response({ message: r.message }))),
  EchoBlob: (requests) => requests.pipe(Stream.map((r) => new Blob({ bytes: r.bytes }))),
  EchoClient: (requests) =>
    requests.pipe(
      Stream.runFold(
        () => 0,
        (length, r) => length + r.message!.length
      ),
      Effect.map((length) => new Response({ message: `${length}` }))
    ),
  EchoServer: (request) => {
    const [messages, size] = request.message!.split(":").map(Number) as [number, number]
    const message = "x".repeat(size)
    return Stream.range(1, messages).pipe(Stream.map(() => new Response({ message })))
  },
  EchoUnary: (request) => Effect.succeed(new Response({ message: request.message })),
  EchoPingPong: ({ req }) => Effect.succeed(new Response({ message: req.message })),
  PutBlob: ({ req }) => Effect.succeed(new Response({ message: `${req.bytes!.length}` }))
})

// The memory rows hold thousands of streams on one connection, as the other peers do.
const LIMITS = { maxConcurrentStreams: 10_000 }

/** What stands around calls and messages, at both ends. */
export interface Around {
  readonly middleware?: ReadonlyArray<Middleware.RecvMiddleware | Middleware.SendMiddleware>
  readonly tracers?: Layer.Layer<never>
  /** Of the server, which refuses every call by it. */
  readonly admission?: Admission.Admission
  /** Resolver, balancer, breakers and limiter at work, none of which refuses. */
  readonly governed?: true
  /** What carries streams. Default: HTTP/2. */
  readonly transport?: StreamTransport
  /** Streams over TTHeader have credit. */
  readonly credit?: true
}

/** Middleware of messages that gives each on, in the plain form. */
export const plain = [
  Middleware.recvPlain(() => (message) => message),
  Middleware.sendPlain(() => (message) => message)
]

const limits = [Limiter.concurrency(1_000_000), Limiter.qps(1_000_000)]

const serverLayer = ({ admission, governed, middleware, tracers = Layer.empty }: Around) =>
  Server.layer([TestService], { middleware, admission: governed ? limits : admission && [admission] }).pipe(
    Layer.provide([Handlers, NodeTransport.layerServer({ port: 0, limits: LIMITS }), tracers])
  )

type TestClient = StreamClient.StreamClient<typeof TestService>
type CallClient = Client.Client<typeof TestService>

/** Both clients of the service, that of calls by the encoding of the case. */
interface Clients {
  readonly streams: TestClient
  readonly calls: Readonly<Record<NonNullable<Case["encoding"]>, CallClient>>
  readonly transport: ClientTransport["Service"]
  readonly address: string
  /** The server refuses every call. */
  readonly refuses: boolean
}

/**
 * A stream of requests with a window: `inflight` at once, then one for each response, in arrays as large as the responses came in. It ends
 * when the meter is stopped and everything was answered.
 */
const windowed = <A>(the: Case, meter: Meter, make: () => A) => {
  let due = the.inflight
  let outstanding = 0
  let resume: ((effect: Effect.Effect<readonly [A, ...Array<A>], Cause.Done>) => void) | undefined
  const ended = (): boolean => meter.stopped && outstanding === 0
  const next = (): Effect.Effect<readonly [A, ...Array<A>], Cause.Done> => {
    if (ended()) return Cause.done()
    const batch = Array.from({ length: due }, make) as unknown as readonly [A, ...Array<A>]
    outstanding += due
    due = 0
    return Effect.succeed(batch)
  }
  const requests = Stream.fromPull(
    Effect.succeed(
      Effect.suspend(() =>
        due > 0 || ended()
          ? next()
          : Effect.callback<readonly [A, ...Array<A>], Cause.Done>((wake) => {
              resume = wake
            })
      )
    )
  )
  const answered = (messages: number): void => {
    meter.count += messages
    outstanding -= messages
    if (!meter.stopped) due += messages
    if (resume === undefined || (due === 0 && !ended())) return
    const wake = resume
    resume = undefined
    wake(next())
  }
  return { requests, answered }
}

const echo = (client: TestClient, the: Case, meter: Meter) => {
  const message = "x".repeat(the.size)
  const { requests, answered } = windowed(the, meter, () => new Request({ message }))
  return client.Echo(requests).pipe(
    Stream.runForEachArray((responses) =>
      Effect.sync(() => {
        for (const response of responses) if (response.message!.length !== the.size) throw new Error("a wrong answer")
        answered(responses.length)
      })
    )
  )
}

const echoBlob = (client: TestClient, the: Case, meter: Meter) => {
  const bytes = new Uint8Array(the.size)
  const { requests, answered } = windowed(the, meter, () => new Blob({ bytes }))
  return client.EchoBlob(requests).pipe(
    Stream.runForEachArray((responses) =>
      Effect.sync(() => {
        for (const response of responses) if (response.bytes!.length !== the.size) throw new Error("a wrong answer")
        answered(responses.length)
      })
    )
  )
}

const pingPong = (client: TestClient, the: Case, meter: Meter) =>
  Effect.scoped(
    Effect.gen(function* () {
      const message = "x".repeat(the.size)
      const stream = yield* client.Echo.open()
      while (!meter.stopped) {
        const startedAt = performance.now()
        yield* stream.send(new Request({ message }))
        const response = yield* stream.recv
        if (response.message!.length === the.size) meter.count++
        meter.roundTrip(startedAt)
      }
      yield* stream.closeSend
    })
  )

const serverStream = (client: TestClient, the: Case, meter: Meter) => {
  const responses = client.EchoServer(new Request({ message: `${the.batch}:${the.size}` }))
  if (the.effectPerMessage === true) {
    return responses.pipe(
      Stream.mapEffect((response) =>
        Effect.sync(() => {
          if (response.message!.length === the.size) meter.count++
        })
      ),
      Stream.runDrain
    )
  }
  return responses.pipe(
    Stream.runForEachArray((array) =>
      Effect.sync(() => {
        for (const response of array) if (response.message!.length === the.size) meter.count++
      })
    )
  )
}

const firstMessage = (client: TestClient, the: Case, meter: Meter) =>
  Effect.suspend(() => {
    const startedAt = performance.now()
    return client.EchoServer(new Request({ message: `1:${the.size}` })).pipe(
      Stream.runForEachArray(([response]) =>
        Effect.sync(() => {
          meter.roundTrip(startedAt)
          if (response.message!.length === the.size) meter.count++
        })
      )
    )
  })

const clientStream = (client: TestClient, the: Case, meter: Meter) => {
  const message = "x".repeat(the.size)
  return client.EchoClient(Stream.range(1, the.batch).pipe(Stream.map(() => new Request({ message })))).pipe(
    Effect.map((response) => {
      if (response.message !== `${the.batch * the.size}`) throw new Error("a wrong answer")
      meter.count += the.batch
    })
  )
}

const unary = (client: TestClient, the: Case, meter: Meter) =>
  Effect.gen(function* () {
    const message = "x".repeat(the.size)
    while (!meter.stopped) {
      const startedAt = performance.now()
      const response = yield* client.EchoUnary(new Request({ message }))
      if (response.message!.length === the.size) meter.count++
      if (the.inflight === 1) meter.roundTrip(startedAt)
    }
  })

const call = (client: CallClient, the: Case, meter: Meter) =>
  Effect.gen(function* () {
    const message = "x".repeat(the.size)
    while (!meter.stopped) {
      const startedAt = performance.now()
      const response = yield* client.EchoPingPong({ req: new Request({ message }) })
      if (response.message!.length === the.size) meter.count++
      if (the.inflight === 1) meter.roundTrip(startedAt)
    }
  })

const putBlob = (client: CallClient, the: Case, meter: Meter) =>
  Effect.gen(function* () {
    const bytes = new Uint8Array(the.size)
    while (!meter.stopped) {
      const response = yield* client.PutBlob({ req: new Blob({ bytes }) })
      if (response.message !== `${the.size}`) throw new Error("a wrong answer")
      meter.count++
    }
  })

const repeat = <E>(meter: Meter, once: () => Effect.Effect<void, E>): Effect.Effect<void, E> =>
  Effect.gen(function* () {
    while (!meter.stopped) yield* once()
  })

const times = <E>(n: number, one: () => Effect.Effect<void, E>): Effect.Effect<void, E> =>
  Effect.all(Array.from({ length: n }, one), { concurrency: "unbounded", discard: true })

const run = (
  { address, calls, refuses, streams, transport }: Clients,
  the: Case,
  meter: Meter
): Effect.Effect<void, unknown> => {
  switch (the.kind) {
    case "echo":
      return times(the.streams, () => (the.binary === true ? echoBlob : echo)(streams, the, meter))
    case "pingPong":
      return pingPong(streams, the, meter)
    case "serverStream":
      return repeat(meter, () => serverStream(streams, the, meter))
    case "firstMessage":
      return repeat(meter, () => firstMessage(streams, the, meter))
    case "clientStream":
      return repeat(meter, () => clientStream(streams, the, meter))
    case "unary":
      return times(the.inflight, () => unary(streams, the, meter))
    case "call":
      return times(the.inflight, () => (the.binary === true ? putBlob : call)(calls[the.encoding!], the, meter))
    case "empty":
      return bare(transport, address, the, meter, refuses ? (the.encoding === undefined ? 8 : 6) : 0)
  }
}

/** One stream that is used once and then stays open as long as the scope. */
const openIdle = (client: TestClient) =>
  Effect.gen(function* () {
    const stream = yield* client.Echo.open()
    yield* stream.send(new Request({ message: "x" }))
    yield* stream.recv
  })

/** One stream that never ends, of which one message is taken. */
const openStalled = (client: TestClient) =>
  Effect.gen(function* () {
    const stream = yield* client.EchoServer.open(new Request({ message: `${Number.MAX_SAFE_INTEGER}:1024` }))
    yield* stream.recv
  })

/** The peer with something around it. */
export const millrace = (around: Around = {}): Peer => ({
  server: async () => {
    const context = await Effect.runPromise(Layer.buildWithScope(serverLayer(around), Scope.makeUnsafe()))
    return { port: Context.get(context, Server.Server).address.port }
  },
  client: async (port) => {
    const scope = Scope.makeUnsafe()
    const { credit, governed, middleware, tracers = Layer.empty, transport } = around
    const context = await Effect.runPromise(
      Layer.buildWithScope(Layer.merge(NodeTransport.layerClientWith({ streamCredit: credit }), tracers), scope)
    )
    const address = `127.0.0.1:${port}`
    const options = {
      middleware,
      ...(governed
        ? {
            endpoints: Effect.provide(
              Discovery.endpoints({ instanceBreaker: CircuitBreaker.instances() }),
              Resolver.layerStatic({ TestService: [address] })
            ),
            admission: [Effect.map(CircuitBreaker.make(), ({ admission }) => admission)]
          }
        : { hostPorts: [address] })
    }
    const clients = Effect.all({
      transport: ClientTransport,
      address: Effect.succeed(address),
      refuses: Effect.succeed(around.admission !== undefined),
      streams: StreamClient.make(TestService, { ...options, transport }),
      calls: Effect.all({
        framed: Client.make(TestService, { ...options, transport: "framed", connection: "multiplexed" }),
        "ttheader-framed": Client.make(TestService, options)
      })
    })
    const made = await Effect.runPromise(clients.pipe(Effect.provideContext(context), Scope.provide(scope)))
    return {
      run: (the, meter) => Effect.runPromise(run(made, the, meter)),
      open: async (streams) => {
        for (let i = 0; i < streams; i++) await Effect.runPromise(Scope.provide(openIdle(made.streams), scope))
      },
      stall: async (streams) => {
        for (let i = 0; i < streams; i++) await Effect.runPromise(Scope.provide(openStalled(made.streams), scope))
      }
    }
  }
})
