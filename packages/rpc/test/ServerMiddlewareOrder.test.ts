import { assert, describe, it } from "@effect/vitest"
import { MemoryTransport, Transport } from "@millrace/transport"
import { Context, Effect, Layer, Stream } from "effect"
import type { CallError } from "../src/ClientStream.ts"
import { MetaHandler, Middleware, RpcError, RpcTracer, Server } from "../src/index.ts"
import { ask, exceptionOf, transport as callTransport } from "./support/calls.ts"
import { call, handlersOf, Response, settled, statusOf, struct, TestService, wrapped } from "./support/echo.ts"
import { wire } from "./support/over.ts"

type Handlers = Parameters<typeof handlersOf>[0]

class First extends Middleware.Service<First, Place>()("test/First") {}
class Second extends Middleware.Service<Second>()("test/Second") {}
class Place extends Context.Service<Place, ReadonlyArray<string>>()("test/Place") {}

const error = (code: number, desc: string) => new RpcError.RpcError({ reason: new RpcError.Status({}), code, desc })

/** A server with everything that can stand around a call, and the log that they write. */
const surrounded = (log: Array<string>, handlers: Handlers) => {
  const around = <A, E, R>(name: string, next: Effect.Effect<A, E, R>) =>
    Effect.suspend(() => {
      log.push(`${name} >`)
      return Effect.onExit(next, () => Effect.sync(() => log.push(`< ${name}`)))
    })
  const meta = (name: string) =>
    MetaHandler.make({
      onReadStream: (next) => around(name, next),
      readMeta: (keys) => void log.push(`${name} reads ${keys.get("who") ?? "nothing"}`),
      writeMeta: (keys) => {
        log.push(`${name} writes`)
        keys.set(name, "1")
      }
    })
  const tracer = (name: string): RpcTracer.RpcTracer => ({
    start: () => Effect.sync(() => void log.push(`${name} start`)),
    streamStart: () => void log.push(`${name} streamStart`),
    handlerStart: () => void log.push(`${name} handlerStart`),
    handlerFinish: () => void log.push(`${name} handlerFinish`),
    streamRecv: () => void log.push(`${name} streamRecv`),
    streamSend: () => void log.push(`${name} streamSend`),
    streamFinish: () => void log.push(`${name} streamFinish`),
    finish: ({ exit, reason }) => Effect.sync(() => void log.push(`${name} finish ${reason} ${exit._tag}`))
  })
  const recv = (name: string) =>
    Middleware.recv((next) => Effect.tap(next, () => Effect.sync(() => log.push(`${name} received`))))
  const send = (name: string) =>
    Middleware.send(
      <A>(next: (message: A) => Effect.Effect<void, CallError>) =>
        (message: A) =>
          Effect.andThen(
            Effect.sync(() => log.push(`${name} sends`)),
            next(message)
          )
    )
  const Layers = Layer.merge(
    Layer.succeed(First, (next) => around("first", Effect.provideService(next, Place, ["first"]))),
    Layer.succeed(Second, (next) => around("second", next))
  )
  const services = TestService.use(First).use(Second)
  return Server.layer([services], {
    middleware: [
      recv("recv a"),
      Middleware.server((next) => around("a", next)),
      send("send a"),
      Middleware.server((next) => around("b", next)),
      recv("recv b"),
      send("send b")
    ],
    metaHandlers: [meta("meta1"), meta("meta2")],
    errorHandler: (failure) => (log.push(`errorHandler ${failure.desc}`), error(6, "handled"))
  }).pipe(
    Layer.provide(services.toLayer(handlersOf(handlers))),
    Layer.provide(Layers),
    Layer.provide(RpcTracer.layer(tracer("tracer1"), tracer("tracer2")))
  )
}

/** The memory transport; the log tells when a status is written. */
const telling = (log: Array<string>) =>
  Layer.effect(
    Transport.ServerTransport,
    Effect.map(Transport.ServerTransport, ({ listen }) => ({
      listen: (acceptor) =>
        listen({
          onCall: (raw) => acceptor.onCall(raw),
          onStream: (raw) => {
            const { finish } = raw
            raw.finish = (...args) => {
              log.push("trailers")
              finish.apply(raw, args)
            }
            acceptor.onStream(raw)
          }
        })
    }))
  ).pipe(Layer.provideMerge(MemoryTransport.layer))

const streamed = (log: Array<string>, handlers: Handlers) =>
  surrounded(log, handlers).pipe(Layer.provideMerge(telling(log)))

describe("the whole order on a server", () => {
  const outside = [
    "meta1 >",
    "meta2 >",
    "tracer1 start",
    "tracer2 start",
    "tracer1 streamStart",
    "tracer2 streamStart",
    "a >",
    "b >",
    "first >",
    "second >",
    "tracer1 handlerStart",
    "tracer2 handlerStart"
  ]
  const ended = ["< second", "< first", "< b", "< a", "< meta2", "< meta1", "trailers"]
  const finished = (how: string) => [
    "tracer2 handlerFinish",
    "tracer1 handlerFinish",
    ...ended,
    "tracer2 streamFinish",
    "tracer1 streamFinish",
    `tracer2 finish ${how}`,
    `tracer1 finish ${how}`
  ]

  /** Where a unary call is none of a stream, hooks read and write its header in place of what there is of a stream. */
  const ofUnary = (log: ReadonlyArray<string>) => {
    if (wire.unary.isStream) return log
    const rest = log.filter((line) => !/stream|trailers|^(< )?meta/.test(line))
    const [starts, ends] = [rest.indexOf("a >"), rest.indexOf("< a") + 1]
    const reads = ["meta1 reads nothing", "meta2 reads nothing"]
    const writes = ["meta1 writes", "meta2 writes"]
    return [...rest.slice(0, starts), ...reads, ...rest.slice(starts, ends), ...writes, ...rest.slice(ends)]
  }

  it.effect("of a stream", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const live = streamed(log, {
        Echo: (requests) => Stream.map(requests, ({ message }) => (log.push("handler"), new Response({ message })))
      })
      const result = yield* Effect.provide(Effect.tap(call("/echo.TestService/Echo", [struct("m")]), settled), live)
      assert.deepStrictEqual(result.messages, [struct("m")])
      assert.deepStrictEqual(log, [
        ...outside,
        // On receiving the last in the list is innermost.
        "recv b received",
        "recv a received",
        "tracer1 streamRecv",
        "tracer2 streamRecv",
        "handler",
        "send a sends",
        "send b sends",
        "tracer1 streamSend",
        "tracer2 streamSend",
        ...finished("eof Success")
      ])
    })
  )

  it.effect("of a unary call, whose request is read before middleware, without events of messages", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const live = streamed(log, { EchoUnary: () => Effect.sync(() => (log.push("handler"), new Response({}))) })
      yield* Effect.provide(Effect.tap(call("/echo.TestService/EchoUnary", [wrapped("m")]), settled), live)
      assert.deepStrictEqual(log, ofUnary([...outside, "handler", ...finished("eof Success")]))
    })
  )

  it.effect("of a failure: the error handler stands between the handler and all middleware", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const live = streamed(log, { Echo: () => Stream.fail(error(5, "nf")) })
      const result = yield* Effect.provide(Effect.tap(call("/echo.TestService/Echo", [struct("m")]), settled), live)
      assert.deepStrictEqual(statusOf(result), [6, "handled"])
      const [finish2, finish1, ...rest] = finished("error Failure")
      assert.deepStrictEqual(log, [...outside, finish2, finish1, "errorHandler biz error: nf", ...rest])
    })
  )

  it.effect("of a PingPong call, which has no events of a stream", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const handlers: Handlers = {
        EchoPingPong: () => Effect.sync(() => (log.push("handler"), new Response({}))),
        Ping: () => Effect.fail(error(5, "nf"))
      }
      const live = surrounded(log, handlers).pipe(Layer.provideMerge(callTransport))
      const [answered, failed] = yield* Effect.provide(
        Effect.gen(function* () {
          const answered = yield* ask("EchoPingPong", wrapped("m"), { strings: { who: "me" } })
          yield* settled
          const first = log.splice(0)
          const failed = yield* ask("Ping", Uint8Array.of(0), { strings: {} })
          yield* settled
          return [[answered, first] as const, [failed, log] as const]
        }),
        live
      )
      const begin = ["a >", "b >", "first >", "second >", "tracer1 handlerStart", "tracer2 handlerStart"]
      const finish = ["tracer2 handlerFinish", "tracer1 handlerFinish"]
      const end = ["< second", "< first", "< b", "< a", "meta1 writes", "meta2 writes"]
      const starts = ["tracer1 start", "tracer2 start"]
      assert.deepStrictEqual(answered![1], [
        ...starts,
        "meta1 reads me",
        "meta2 reads me",
        ...begin,
        "handler",
        ...finish,
        ...end,
        "tracer2 finish eof Success",
        "tracer1 finish eof Success"
      ])
      assert.deepStrictEqual(answered![0].strings, [
        ["meta1", "1"],
        ["meta2", "1"]
      ])
      assert.deepStrictEqual(failed![1], [
        ...starts,
        "meta1 reads nothing",
        "meta2 reads nothing",
        ...begin,
        ...finish,
        "errorHandler biz error: nf",
        ...end,
        "tracer2 finish error Failure",
        "tracer1 finish error Failure"
      ])
      assert.deepStrictEqual(exceptionOf(failed![0]), [6, "handled"])
      assert.deepStrictEqual(failed![0].strings, answered![0].strings)
    })
  )
})
