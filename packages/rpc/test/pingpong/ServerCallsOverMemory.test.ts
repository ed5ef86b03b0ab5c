import { MemoryTransport, type RawCall, Transport } from "@millrace/transport"
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Server, ServerCall } from "../../src/index.ts"
import { handlersOf, Response, settled, struct, TestService, wrapped } from "../support/echo.ts"

// Our server behind the real engines and drivers, with raw calls in front of it.

interface Options extends Partial<RawCall.CallTarget> {
  readonly oneway?: boolean
  readonly timeoutMillis?: number
}

/** Sends a call, and tells what comes of it: bytes, `type message` of an exception, or how it ended otherwise. */
const send = Effect.fnUntraced(function* (
  method: string,
  args: Uint8Array,
  { oneway = false, timeoutMillis, ...target }: Options = {}
) {
  const transport = yield* Transport.ClientTransport
  const lease = yield* Effect.orDie(
    transport.lease({ address: "memory", encoding: "ttheader-framed", connection: "pooled", ...target })
  )
  const done = yield* Deferred.make<string>()
  const strings = new Map<string, string>()
  const tell = (answer: string) => void Deferred.doneUnsafe(done, Effect.succeed(answer))
  const raw = lease.send({
    method,
    oneway,
    header: {
      ints: timeoutMillis === undefined ? [] : [[12, `${timeoutMillis}`]],
      strings: [["isn", "TestService"]]
    },
    args,
    encode: (bytes, out) => {
      out.ensure(bytes.length)
      out.buffer.set(bytes, out.position)
      out.position += bytes.length
    },
    listener: {
      onReply: (reply) => {
        for (const [key, value] of reply.header?.strings ?? []) strings.set(key, value)
        if (reply.exception !== undefined) return tell(`${reply.exception.type} ${reply.exception.message}`)
        tell(reply.take((bytes, start, end) => bytes.slice(start, end).join()))
      },
      onSent: () => tell("sent"),
      onFailed: (error) => tell(`failed: ${error.desc}`)
    }
  })
  return { raw, strings, answer: Deferred.await(done) }
})

const reply = (message: string) => wrapped(message, 0).join()

/** EchoPingPong answers at once, or hangs when it is told so; Log hangs until the gate opens. */
const server = Effect.fnUntraced(function* (options: Server.Options<[]> = {}) {
  const log: Array<string> = []
  const gate = yield* Deferred.make<void>()
  const ended =
    (name: string) =>
    <A, E>(exit: Exit.Exit<A, E>) =>
      Effect.sync(() =>
        log.push(`${name} ${Exit.isFailure(exit) ? String(ServerCall.interruptedBy(exit.cause)) : "done"}`)
      )
  const handlers = handlersOf({
    EchoPingPong: ({ req }) =>
      req.message === "hang"
        ? Effect.onExit(Effect.never, ended("hang"))
        : req.message === "wait"
          ? Effect.as(Deferred.await(gate), new Response({ message: "waited" }))
          : Effect.succeed(new Response({ message: req.message })),
    Log: ({ line }) => Effect.onExit(Deferred.await(gate), ended(line))
  })
  const scope = yield* Effect.scope
  const stopping = yield* Scope.fork(scope)
  const context = yield* Server.layer([TestService], options).pipe(
    Layer.provide(TestService.toLayer(handlers)),
    Layer.provideMerge(MemoryTransport.layer),
    Layer.buildWithScope(stopping),
    Effect.orDie
  )
  return { context, gate, log }
})

const echo = (message: string, options?: Options) => send("EchoPingPong", wrapped(message), options)

describe("raw calls and our server", () => {
  for (const encoding of ["buffered", "framed", "ttheader", "ttheader-framed"] as const) {
    it.effect(`${encoding}: an answer, an exception, a oneway call`, () =>
      Effect.gen(function* () {
        const { context, gate, log } = yield* server()
        yield* Effect.gen(function* () {
          const good = yield* echo("hi", { encoding })
          assert.strictEqual(yield* good.answer, reply("hi"))
          const unknown = yield* send("Nope", struct("x"), { encoding })
          assert.strictEqual(
            yield* unknown.answer,
            encoding.startsWith("tt")
              ? "1 unknown method Nope (service TestService)"
              : "20 unknown service , method Nope"
          )
          const oneway = yield* send("Log", struct("line"), { encoding, oneway: true, connection: "short" })
          assert.strictEqual(yield* oneway.answer, "sent")
          // The client has closed the connection by now.
          yield* settled
          assert.deepStrictEqual(log, [])
          yield* Deferred.succeed(gate, undefined)
          yield* settled
          assert.deepStrictEqual(log, ["line done"])
        }).pipe(Effect.provide(context))
      }).pipe(Effect.scoped)
    )
  }

  it.effect("a client that gives up interrupts its handler: by its connection, or alone on a shared one", () =>
    Effect.gen(function* () {
      const { context, gate, log } = yield* server()
      yield* Effect.gen(function* () {
        const pooled = yield* echo("hang")
        yield* settled
        pooled.raw.abandon()
        yield* settled
        assert.deepStrictEqual(log.splice(0), ["hang clientAbort"])

        // The first answer says that the server answers calls side by side.
        const first = yield* echo("hi", { connection: "multiplexed" })
        assert.strictEqual(yield* first.answer, reply("hi"))
        const waits = yield* echo("wait", { connection: "multiplexed" })
        const hangs = yield* echo("hang", { connection: "multiplexed" })
        yield* settled
        hangs.raw.abandon()
        yield* settled
        assert.deepStrictEqual(log, ["hang clientAbort"])
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* waits.answer, reply("waited"))
      }).pipe(Effect.provide(context))
    }).pipe(Effect.scoped)
  )

  it.effect("a timeout on the wire interrupts the handler", () =>
    Effect.gen(function* () {
      const { context, log } = yield* server()
      yield* Effect.gen(function* () {
        const late = yield* echo("hang", { timeoutMillis: 1000 })
        yield* settled
        yield* TestClock.adjust(1100)
        assert.strictEqual(yield* late.answer, "6 rpc timeout: timeout=1s, to=TestService, method=EchoPingPong")
        assert.deepStrictEqual(log, ["hang deadline"])
      }).pipe(Effect.provide(context))
    }).pipe(Effect.scoped)
  )
})

describe("a graceful stop", () => {
  it.effect("answers what runs, says goodbye, and is done when the connections are closed", () =>
    Effect.gen(function* () {
      const { context, gate } = yield* server()
      yield* Effect.gen(function* () {
        const idle = yield* echo("hi")
        assert.strictEqual(yield* idle.answer, reply("hi"))
        const waits = yield* echo("wait")
        const shared = yield* echo("wait", { connection: "multiplexed" })
        yield* settled
        const stop = yield* Effect.forkChild(Context.get(context, Server.Server).drain)
        yield* settled
        assert.isUndefined(stop.pollUnsafe())
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* waits.answer, reply("waited"))
        assert.strictEqual(yield* shared.answer, reply("waited"))
        assert.strictEqual(waits.strings.get("crrst"), "1")
        yield* Fiber.join(stop)
      }).pipe(Effect.provide(context))
    }).pipe(Effect.scoped)
  )

  it.effect("waits for oneway calls as for others, though their clients are gone", () =>
    Effect.gen(function* () {
      const { context, gate, log } = yield* server()
      yield* Effect.gen(function* () {
        yield* (yield* send("Log", struct("gone"), { oneway: true, connection: "short" })).answer
        yield* (yield* send("Log", struct("there"), { oneway: true, connection: "multiplexed" })).answer
        yield* settled
        const stop = yield* Effect.forkChild(Context.get(context, Server.Server).drain)
        yield* settled
        assert.isUndefined(stop.pollUnsafe())
        assert.deepStrictEqual(log, [])
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(stop)
        assert.deepStrictEqual(log, ["gone done", "there done"])
      }).pipe(Effect.provide(context))
    }).pipe(Effect.scoped)
  )

  it.effect("answers code 14 after the grace time, to each call of a connection", () =>
    Effect.gen(function* () {
      const { context, log } = yield* server({ graceTime: 3000 })
      yield* Effect.gen(function* () {
        const calls = [
          yield* echo("hang"),
          yield* echo("hang", { encoding: "framed" }),
          yield* echo("hang", { connection: "multiplexed" }),
          yield* echo("hang", { connection: "multiplexed" })
        ]
        yield* settled
        const stop = yield* Effect.forkChild(Context.get(context, Server.Server).drain)
        yield* settled
        yield* TestClock.adjust(3000)
        for (const { answer } of calls) assert.strictEqual(yield* answer, "14 graceful shutdown")
        assert.deepStrictEqual(
          log,
          Array.from({ length: 4 }, () => "hang shutdown")
        )
        yield* settled
        yield* Fiber.join(stop)
      }).pipe(Effect.provide(context))
    }).pipe(Effect.scoped)
  )
})
