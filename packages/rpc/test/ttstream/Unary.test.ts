import { assert, describe, it } from "@effect/vitest"
import { MemoryTransport, type RawCall, Transport } from "@millrace/transport"
import { Effect, Fiber, Layer } from "effect"
import { BizStatusError, type Metadata, Middleware, RpcError, Server } from "../../src/index.ts"
import { only, pass, settle } from "../support/client.ts"
import { Busy, Request, Response, TestService, wrapped } from "../support/echo.ts"
import { clientOf, ended, recorded } from "./support.ts"

const request = new Request({ message: "x" })
const echo = ({ message }: Request) => Effect.succeed(new Response({ message }))

describe("a unary call of a client of TTHeader streaming", () => {
  it.effect("is a PingPong call, for both ends", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded({ EchoUnary: echo })
      assert.strictEqual((yield* client.EchoUnary(request)).message, "x")
      yield* settle
      for (const side of [recorder.client, recorder.server]) {
        const [{ info, recvCount, sendCount }] = side.finishes as [(typeof side.finishes)[number]]
        assert.deepStrictEqual([info.protocol, info.mode, sendCount, recvCount], ["ttheader-framed", "unary", 1, 1])
        assert.strictEqual(info.path, "/echo.TestService/EchoUnary")
      }
    })
  )

  it.effect("fails as on every other transport", () =>
    Effect.gen(function* () {
      const fail = (error: unknown) => () => Effect.fail(error as RpcError.RpcError)
      const outcome = (handler: (request: Request) => Effect.Effect<Response, never>) =>
        Effect.scoped(
          Effect.flatMap(clientOf({ EchoUnary: handler }), (client) => Effect.exit(client.EchoUnary(request)))
        )
      const failing = (error: unknown) => outcome(fail(error) as never)

      const [busy] = ended(yield* failing(new Busy({ retryAfter: 5 })))
      assert.include(busy as string, "Busy")
      const biz = new BizStatusError.BizStatusError({ statusCode: 404, statusMessage: "nf", extra: { k: "v" } })
      const [business] = ended(yield* failing(biz))
      assert.include(business as string, "404")
      assert.deepStrictEqual(ended(yield* failing(new Error("plain"))), ["Status", "biz error: plain"])
      const status = new RpcError.RpcError({ code: 5, desc: "nf", reason: new RpcError.Status({}) })
      assert.deepStrictEqual(ended(yield* failing(status)), ["Status", "nf [biz error]"])
      assert.deepStrictEqual(ended(yield* outcome(() => Effect.die(new Error("boom")))), [
        "Status",
        "panic: [happened in biz handler, method=TestService.EchoUnary, please check the panic at the server side] boom"
      ])
    })
  )

  it.effect("has the reason that its handler failed with", () =>
    Effect.gen(function* () {
      const rows = [
        [4, new RpcError.DeadlineExceeded()],
        [12015, new RpcError.DeadlineExceeded()],
        [14, new RpcError.Unavailable({ neverSent: true })],
        [5, new RpcError.Status({})]
      ] as const
      for (const [code, reason] of rows) {
        const error = new RpcError.RpcError({ code, desc: "why", reason })
        const client = yield* clientOf({ EchoUnary: () => Effect.fail(error) })
        assert.deepStrictEqual(ended(yield* Effect.exit(client.EchoUnary(request))), [reason._tag, "why [biz error]"])
      }
    })
  )

  const refusals = [
    ["Rejected", 8, "request over limit: qps", new RpcError.Rejected({ limit: "qps", retryAfterMillis: 250 })],
    ["Forbidden", 7, "request forbidden: no", new RpcError.Forbidden()]
  ] as const
  for (const [name, code, desc, reason] of refusals) {
    it.effect(`refused before it ran: ${name}`, () =>
      Effect.gen(function* () {
        const refused = new RpcError.RpcError({ code, desc, reason })
        const admission = [{ admit: () => refused }]
        const client = yield* clientOf({ EchoUnary: echo }, { server: { admission } } as never)
        const error = yield* Effect.flip(client.EchoUnary(request))
        assert.deepStrictEqual({ ...(error as RpcError.RpcError).reason }, { ...reason })
      })
    )
  }

  it.effect("that was refused by the handler was not refused before it ran", () =>
    Effect.gen(function* () {
      const refused = new RpcError.RpcError({
        code: 7,
        desc: "request forbidden: no",
        reason: new RpcError.Forbidden()
      })
      const client = yield* clientOf({ EchoUnary: () => Effect.fail(refused) })
      const [reason] = ended(yield* Effect.exit(client.EchoUnary(request)))
      assert.strictEqual(reason, "Status")
    })
  )

  it.effect("has a deadline at both ends", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded({ EchoUnary: () => Effect.never })
      const call = yield* Effect.forkChild(Effect.exit(client.EchoUnary(request, { timeout: 200 })), {
        startImmediately: true
      })
      yield* pass(400, 50)
      assert.deepStrictEqual(ended(yield* Fiber.join(call)), ["DeadlineExceeded", "context deadline exceeded"])
      assert.strictEqual(ended(recorder.server.finishes[0]!.exit)[0], "DeadlineExceeded")
    })
  )

  it.effect("interrupts its handler when it is interrupted", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded({ EchoUnary: () => Effect.never })
      const call = yield* Effect.forkChild(client.EchoUnary(request), { startImmediately: true })
      yield* settle
      yield* Fiber.interrupt(call)
      yield* settle
      // The first call to an address has its connection alone, and takes it away.
      assert.strictEqual(ended(recorder.server.finishes[0]!.exit)[0], "Unavailable")
    })
  )

  it.effect("shows the keys of the answer as header and as trailer", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({
        EchoUnary: (request, call) =>
          Effect.andThen(Effect.andThen(call.setHeader("Head", "h"), call.setTrailer("Tail", "t")), echo(request))
      })
      const seen: Array<ReadonlyArray<string | undefined>> = []
      const look = ({ get }: { readonly get: (key: string) => string | undefined }) =>
        void seen.push([get("Head"), get("Tail")])
      yield* client.EchoUnary(request, { onHeader: look, onTrailer: look })
      assert.deepStrictEqual(seen, [
        ["h", "t"],
        ["h", "t"]
      ])
    })
  )

  it.effect("has several values of a key, and bytes, in its header as streams have", () =>
    Effect.gen(function* () {
      const bytes = Uint8Array.of(0, 255)
      const client = yield* clientOf({
        EchoUnary: (request, call) =>
          Effect.andThen(
            Effect.forEach(["1", "2"], (value) => call.setHeader("several", value)),
            Effect.andThen(call.setTrailer("raw-bin", bytes), echo(request))
          )
      })
      let seen: ReadonlyArray<unknown> = []
      const onHeader = (header: Metadata.Metadata) => (seen = [header.getAll("several"), header.getAll("raw-bin")])
      yield* client.EchoUnary(request, { onHeader })
      assert.deepStrictEqual(seen, [["1", "2"], [bytes]])
    })
  )

  it.effect("goes through the middleware of unary calls", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const around = (name: string) =>
        Middleware.client((next, info) =>
          Effect.tap(next, () => Effect.sync(() => void log.push(`${name} ${info.protocol}`)))
        )
      const client = yield* clientOf({ EchoUnary: echo }, { client: { middleware: [around("a"), around("b")] } })
      yield* client.EchoUnary(request)
      assert.deepStrictEqual(log, ["b ttheader-framed", "a ttheader-framed"])
    })
  )
})

describe("a server", () => {
  const serving = Server.layer([TestService]).pipe(
    Layer.provide(TestService.toLayer(only({ EchoUnary: echo }))),
    Layer.provideMerge(MemoryTransport.layer),
    Layer.orDie
  )
  const bytesOf = (encoding: RawCall.Encoding, method: string) =>
    Effect.gen(function* () {
      const transport = yield* Transport.ClientTransport
      const lease = yield* transport.lease({ address: "memory", encoding, connection: "short" })
      return yield* Effect.callback<unknown>((resume) => {
        lease.send<Uint8Array>({
          method,
          oneway: false,
          header: { ints: [[9, method]], strings: [["isn", "TestService"]] },
          args: wrapped("x"),
          encode: (message, out) => {
            out.ensure(message.length)
            out.buffer.set(message, out.position)
            out.position += message.length
          },
          listener: {
            onReply: (reply) =>
              resume(Effect.succeed(reply.exception ?? reply.take((bytes, start, end) => bytes.slice(start, end)))),
            onSent: () => {},
            onFailed: (error) => resume(Effect.die(error))
          }
        })
      })
    })

  for (const encoding of ["buffered", "framed", "ttheader", "ttheader-framed"] as const) {
    it.effect(`takes unary methods as PingPong calls: ${encoding}`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* bytesOf(encoding, "EchoUnary"), wrapped("x", 0))
        assert.deepInclude(yield* bytesOf(encoding, "EchoServer"), {
          type: 6,
          message: "biz error: TestService.EchoServer is a thrift streaming method, please call with Kitex StreamClient"
        })
      }).pipe(Effect.provide(serving))
    )
  }
})
