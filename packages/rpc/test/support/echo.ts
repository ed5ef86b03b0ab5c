import { Thrift } from "@millrace/codec"
import { MemoryTransport, type RawCall as RawCalls, type RawStream, Transport } from "@millrace/transport"
import { Cause, Deferred, Effect, Layer, Logger, References } from "effect"
import { type Handlers, Method, type Middleware, Server, Service } from "../../src/index.ts"
import { StreamClient, transport } from "./over.ts"

export class Request extends Thrift.Struct<Request>("echo.Request")({ message: Thrift.optional(1, Thrift.String) }) {}
export class Response extends Thrift.Struct<Response>("echo.Response")({
  message: Thrift.optional(1, Thrift.String)
}) {}
export class Busy extends Thrift.Exception<Busy>()("echo.Busy", { retryAfter: Thrift.optional(1, Thrift.I32) }) {}

export class TestService extends Service.make("TestService", {
  package: "echo",
  methods: [
    Method.bidirectional("Echo", { request: Request, response: Response }),
    Method.clientStreaming("EchoClient", { request: Request, response: Response }),
    Method.serverStreaming("EchoServer", { request: Request, response: Response }),
    Method.unary("EchoUnary", {
      request: Request,
      response: Response,
      exceptions: { busy: Thrift.field(1, Busy) }
    }),
    Method.pingPong("EchoPingPong", { arguments: { req: Thrift.field(1, Request) }, response: Response }),
    Method.pingPong("Ping", { arguments: {} }),
    Method.oneway("Log", { arguments: { line: Thrift.field(1, Thrift.String) } })
  ]
}) {}

type TestHandlers = Handlers.Handlers<(typeof TestService)["methods"], never>

const missing = () => Effect.die(new Error("this test has no such handler"))

/** Only the handlers of a test are written out. */
export const handlersOf = (handlers: Partial<TestHandlers>): TestHandlers =>
  ({
    ...Object.fromEntries(TestService.methods.map((method) => [method.name, missing])),
    ...handlers
  }) as unknown as TestHandlers

/** A server of TestService in memory, and both ends of the transport. */
export const serve = (
  handlers: Partial<TestHandlers>,
  options: Server.Options<ReadonlyArray<Middleware.ForServer>> = {}
): Layer.Layer<Server.Server | Transport.ClientTransport> =>
  Server.layer([TestService], options).pipe(
    Layer.provide(TestService.toLayer(handlersOf(handlers))),
    Layer.provideMerge(MemoryTransport.layer),
    Layer.orDie
  )

export const client = StreamClient.make(TestService)

/** A request or response struct with one string, in Thrift binary. */
export const struct = (message?: string): Uint8Array => {
  if (message === undefined) return Uint8Array.of(0)
  const text = new TextEncoder().encode(message)
  return Uint8Array.of(11, 0, 1, 0, 0, 0, text.length, ...text, 0)
}

/** The same as the argument (or, with id 0, the result) of a unary method. */
export const wrapped = (message?: string, id = 1): Uint8Array => Uint8Array.of(12, 0, id, ...struct(message), 0)

export interface RawResult {
  readonly end: RawStream.RawEnd
  readonly status: RawStream.RawStatus | undefined
  readonly messages: ReadonlyArray<Uint8Array>
  readonly stream: RawStream.RawClientStream
}

export interface RawCall {
  readonly stream: RawStream.RawClientStream
  readonly send: (...messages: ReadonlyArray<Uint8Array>) => void
  /** Waits for the end of the stream. */
  readonly result: Effect.Effect<RawResult>
}

/** What a Header frame says in place of a path. */
const headerOf = (path: string, strings: Transport.OpenRequest["metadata"] = []): Transport.StreamHeader => {
  const [, service = "", method = ""] = /([^./]*)\/([^/]*)$/.exec(path) ?? []
  return { service, method, caller: "", fields: { ints: [], strings: strings as RawCalls.CallEntries } }
}

/** Who calls, and with which log id, in the words of each transport, beside metadata. */
export const saying = ({
  caller,
  logId,
  metadata
}: {
  readonly caller: string
  readonly logId: string
  readonly metadata: ReadonlyArray<readonly [string, string]>
}): Partial<Transport.OpenRequest> =>
  transport === "grpc"
    ? { metadata: [["source-service", caller], ["stream-log-id", logId], ...metadata] }
    : {
        header: {
          service: "TestService",
          method: "Echo",
          caller: "",
          fields: {
            ints: [
              [2, logId],
              [3, caller]
            ],
            strings: metadata
          }
        }
      }

/** What a client says that opens a stream of TestService, over the transport of the run. */
export const requestOf = (path: string, options: Partial<Transport.OpenRequest> = {}): Transport.OpenRequest => {
  const header = headerOf(path, options.metadata)
  const { mode } = TestService.methods.find(({ name }) => name === header.method) ?? {}
  const unary = mode === "unary" || mode === "pingPong" || mode === "oneway"
  return { address: "memory", authority: "test", path, transport, header, unary, ...options }
}

/** Opens a stream with nothing of rpc's client. */
export const open = (
  path: string,
  options: Partial<Transport.OpenRequest> = {}
): Effect.Effect<RawCall, never, Transport.ClientTransport> =>
  Effect.gen(function* () {
    const client = yield* Transport.ClientTransport
    const stream = yield* Effect.orDie(client.open(requestOf(path, options)))
    const done = yield* Deferred.make<RawResult>()
    const messages: Array<Uint8Array> = []
    const look = () => {
      if (stream.available > 0) stream.take((bytes, start, end) => bytes.slice(start, end), 1000, messages)
      const end = stream.end
      if (end === undefined) return
      const status = end._tag === "Status" ? end.status : undefined
      Deferred.doneUnsafe(done, Effect.succeed({ end, status, messages, stream }))
    }
    stream.listener = { onReadable: look, onWritable: look, onAbort: look }
    look()
    return {
      stream,
      send: (...all) =>
        void stream.write(all, 0, (message, out) => {
          out.ensure(message.length)
          out.buffer.set(message, out.position)
          out.position += message.length
        }),
      result: Deferred.await(done)
    }
  })

/** One whole call: send, half-close, wait for the end. */
export const call = (
  path: string,
  messages: ReadonlyArray<Uint8Array>,
  options: Partial<Transport.OpenRequest> = {}
): Effect.Effect<RawResult, never, Transport.ClientTransport> =>
  Effect.flatMap(open(path, options), (opened) => {
    if (messages.length > 0) opened.send(...messages)
    opened.stream.closeSend()
    return opened.result
  })

export const statusOf = (result: RawResult) =>
  result.status === undefined ? undefined : [result.status.code, result.status.message]

export interface Logged {
  readonly level: string
  readonly text: string
  readonly annotations: Readonly<Record<string, unknown>>
}

/** What is logged while the effect runs, beside its result. */
export const logged = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<readonly [A, Array<Logged>], E, R> => {
  const lines: Array<Logged> = []
  const logger = Logger.make<unknown, void>(({ cause, fiber, logLevel, message }) => {
    lines.push({
      level: logLevel,
      text: `${String(message)} ${Cause.pretty(cause)}`,
      annotations: fiber.getRef(References.CurrentLogAnnotations)
    })
  })
  return Effect.map(Effect.provide(effect, Logger.layer([logger])), (a) => [a, lines] as const)
}

/** Lets everything run that can run now: bytes in memory move by microtasks and fibers of their own. */
export const settled: Effect.Effect<void> = Effect.promise(() => new Promise((resolve) => setImmediate(resolve))).pipe(
  Effect.repeat({ times: 3 }),
  Effect.asVoid
)
