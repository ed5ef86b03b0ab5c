import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Layer, Stream } from "effect"
import { MemoryTransport, type RawCall, Transport, TransportError } from "@millrace/transport"
import { BizStatusError, Middleware, RpcError, type RpcInfo, Server, StatusDetails } from "../../src/index.ts"
import * as errors from "../../src/internal/errors.ts"
import { toStatus } from "../../src/internal/statuses.ts"
import { only, pass, settle, type TestHandlers } from "../support/client.ts"
import { open, Request, Response, TestService } from "../support/echo.ts"
import { clientOf, ended, text } from "./support.ts"

const request = new Request({ message: "x" })
const status = (code: number, desc: string, details?: Uint8Array) =>
  new RpcError.RpcError({ code, desc, reason: new RpcError.Status(details === undefined ? {} : { details }) })
const rejected = new RpcError.RpcError({
  code: 8,
  desc: "request over limit: qps",
  reason: new RpcError.Rejected({ limit: "qps", retryAfterMillis: 250 })
})
const forbidden = new RpcError.RpcError({ code: 7, desc: "request forbidden: no", reason: new RpcError.Forbidden() })
const biz = new BizStatusError.BizStatusError({ statusCode: 404, statusMessage: "not found", extra: { k: "v<" } })

const failing = (error: unknown): Partial<TestHandlers> => ({
  Echo: () => Stream.fail(error as RpcError.RpcError),
  EchoClient: () => Effect.fail(error as RpcError.RpcError),
  EchoServer: () => Stream.fail(error as RpcError.RpcError)
})

/** What the three modes end with. */
const outcomes = (handlers: Partial<TestHandlers>, middleware: ReadonlyArray<Middleware.ServerMiddleware> = []) =>
  Effect.gen(function* () {
    const client = yield* clientOf(handlers, { server: { middleware } })
    return [
      yield* Effect.exit(Stream.runDrain(client.Echo(Stream.make(request)))),
      yield* Effect.exit(client.EchoClient(Stream.make(request))),
      yield* Effect.exit(Stream.runDrain(client.EchoServer(request)))
    ] as const
  })

const errorOf = (exit: Exit.Exit<unknown, unknown>): unknown =>
  Exit.isFailure(exit) ? Cause.squash(exit.cause) : "success"

const told = (error: unknown): ReadonlyArray<unknown> =>
  error instanceof RpcError.RpcError
    ? [error.reason._tag, error.code, error.desc]
    : [error instanceof BizStatusError.BizStatusError ? "biz" : "other", String((error as Error).message)]

describe("what a handler fails with", () => {
  const rows: ReadonlyArray<readonly [string, unknown, ReadonlyArray<unknown>]> = [
    ["an error without a number", new Error("plain"), ["Status", 12001, text(12001, "client", "biz error: plain")]],
    ["a status", status(5, "nf"), ["Status", 12001, text(12001, "client", "biz error: nf")]],
    ["a deadline", status(4, "late"), ["DeadlineExceeded", 12001, text(12001, "client", "biz error: late")]],
    ["a server that is away", status(14, "away"), ["Unavailable", 12001, text(12001, "client", "biz error: away")]],
    ["a limit", rejected, ["Rejected", 12001, text(12001, "client", "biz error: request over limit: qps")]],
    ["a rule", forbidden, ["Forbidden", 12001, text(12001, "client", "biz error: request forbidden: no")]],
    ["another number over 7", status(7, "denied"), ["Status", 12001, text(12001, "client", "biz error: denied")]]
  ]
  for (const [name, error, expected] of rows) {
    it.effect(name, () =>
      Effect.gen(function* () {
        for (const exit of yield* outcomes(failing(error))) assert.deepStrictEqual(told(errorOf(exit)), expected)
      })
    )
  }

  it.effect("a business error, with what it says beside", () =>
    Effect.gen(function* () {
      for (const exit of yield* outcomes(failing(biz))) {
        const error = errorOf(exit) as BizStatusError.BizStatusError
        assert.instanceOf(error, BizStatusError.BizStatusError)
        assert.deepStrictEqual(
          [error.statusCode, error.statusMessage, error.extra, error.rpcCode],
          [404, "not found", { k: "v<" }, undefined]
        )
      }
    })
  )

  it.effect("a defect, in Kitex's words", () =>
    Effect.gen(function* () {
      const handlers = { Echo: () => Stream.die(new Error("boom")) }
      const client = yield* clientOf(handlers)
      const error = errorOf(yield* Effect.exit(Stream.runDrain(client.Echo(Stream.empty))))
      const said =
        "panic: [happened in biz handler, method=TestService.Echo, please check the panic at the server side] boom"
      assert.deepStrictEqual(told(error), ["Status", 12001, text(12001, "client", said)])
    })
  )

  it.effect("the details of a status arrive, and say the same", () =>
    Effect.gen(function* () {
      const details = StatusDetails.encode({ code: 5, message: "nf", details: [] })
      const [exit] = yield* outcomes(failing(status(5, "nf", details)))
      const error = errorOf(exit) as RpcError.RpcError
      assert.strictEqual(error.desc, text(12001, "client", "biz error: nf"))
      const { details: came } = error.reason as RpcError.Status
      assert.strictEqual(StatusDetails.decode(came!)?.message, "biz error: nf")
    })
  )

  it.effect("messages that came before are read first", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({
        EchoServer: () => Stream.concat(Stream.make(new Response({ message: "a" })), Stream.fail(biz))
      })
      const down = yield* client.EchoServer.open(request)
      yield* settle
      assert.strictEqual((yield* down.recv).message, "a")
      for (let i = 0; i < 2; i++) assert.deepStrictEqual(told(yield* Effect.flip(down.recv))[0], "biz")
    })
  )
})

describe("what middleware fails with", () => {
  const failingWith = (error: unknown) => Middleware.server(() => Effect.fail(error as RpcError.RpcError))
  const rows: ReadonlyArray<readonly [string, unknown, ReadonlyArray<unknown>]> = [
    ["its text alone", new Error("no"), ["Status", 12001, text(12001, "client", "no")]],
    ["a status", status(5, "nf"), ["Status", 12001, text(12001, "client", "nf")]],
    ["a limit, with its hint", rejected, ["Rejected", 12001, text(12001, "client", "request over limit: qps")]],
    ["a rule", forbidden, ["Forbidden", 12001, text(12001, "client", "request forbidden: no")]],
    ["a business error, as Kitex has it here", biz, ["biz", biz.message]]
  ]
  for (const [name, error, expected] of rows) {
    it.effect(name, () =>
      Effect.gen(function* () {
        for (const exit of yield* outcomes(failing(new Error("not reached")), [failingWith(error)])) {
          const failed = errorOf(exit)
          assert.deepStrictEqual(told(failed), expected)
          if (failed instanceof RpcError.RpcError && failed.reason._tag === "Rejected") {
            assert.strictEqual(failed.reason.retryAfterMillis, 250)
          }
        }
      })
    )
  }
})

describe("what else has the last word on the server", () => {
  it.effect("a defect of middleware is answered, where Kitex is silent", () =>
    Effect.gen(function* () {
      const dying = Middleware.server(() => Effect.die(new Error("mw kaboom")))
      for (const exit of yield* outcomes({}, [dying])) {
        const [reason, code, desc] = told(errorOf(exit))
        assert.deepStrictEqual([reason, code], ["Status", 12001])
        assert.match(desc as string, /\[client-side stream\] panic: .* mw kaboom$/)
      }
    })
  )

  const handled = (error: RpcError.RpcError) =>
    new RpcError.RpcError({ code: 13, desc: `handled: ${error.desc}`, reason: new RpcError.Status({}) })
  const rows: ReadonlyArray<readonly [string, (error: RpcError.RpcError) => RpcError.RpcError, string]> = [
    ["another error", handled, "handled: biz error: boom"],
    ["the error as it came", (error) => error, "biz error: boom"]
  ]
  for (const [name, errorHandler, said] of rows) {
    it.effect(`an error handler that gives ${name}`, () =>
      Effect.gen(function* () {
        const client = yield* clientOf(failing(new Error("boom")), { server: { errorHandler } })
        const error = errorOf(yield* Effect.exit(Stream.runDrain(client.Echo(Stream.empty))))
        assert.deepStrictEqual(told(error), ["Status", 12001, text(12001, "client", said)])
      })
    )
  }
})

describe("an error of one stream that ends another", () => {
  const info = { protocol: "ttheader-streaming", side: "server", mode: "bidirectional", address: "" } as RpcInfo.RpcInfo
  const client = { ...info, side: "client" } as RpcInfo.RpcInfo
  const rows: ReadonlyArray<readonly [RpcError.RpcError, number, number]> = [
    [errors.deadlineExceeded(client, 30), 4, 12015],
    [errors.recvTimeout(client, 30), 17, 12014],
    [errors.sendTimeout(client, 30), 4, 12014],
    [errors.cancelled(client), 1, 12007],
    [errors.streamDone(client), 13, 12005],
    [errors.statusError(client, { code: 14, message: "away" }), 14, 12001]
  ]
  for (const [error, code, exceptionType] of rows) {
    it(`${error.desc}: gRPC's number for what happened, and its own for Kitex`, () => {
      const passed = toStatus(info, error, false)
      assert.deepStrictEqual([passed.code, passed.message, passed.exceptionType], [code, error.desc, exceptionType])
      const failed = toStatus(info, error, true)
      assert.deepStrictEqual(
        [failed.code, failed.message, failed.exceptionType],
        [code, `biz error: ${error.desc}`, undefined]
      )
    })
  }

  it("has Kitex's number over HTTP/2 as well", () => {
    const passed = toStatus({ ...info, protocol: "grpc" }, errors.cancelled(client), false)
    assert.deepStrictEqual([passed.code, passed.exceptionType], [12007, undefined])
  })
})

describe("a cancellation that goes on", () => {
  const why = { code: 12007, text: "why", path: ["A"] }
  const client = { side: "client", address: "" } as RpcInfo.RpcInfo
  it("has the path that it came", () => {
    const error = errors.cancelled({ ...client, protocol: "ttheader-streaming" }, why)
    assert.deepStrictEqual(ended(Exit.fail(error)), ["Cancelled", text(12007, "client", "why", "A"), "A"])
  })
  it("has none over HTTP/2", () => {
    const error = errors.cancelled({ ...client, protocol: "grpc" }, why)
    assert.deepStrictEqual(ended(Exit.fail(error)), ["Cancelled", "context canceled"])
  })
})

describe("a deadline", () => {
  const client = { protocol: "ttheader-streaming", side: "client", address: "" } as RpcInfo.RpcInfo
  const none = "stream timeout, no explicit timeout set in stream ctx"
  const rows: ReadonlyArray<readonly [number | undefined, string]> = [
    [1500, "stream timeout, timeout in ctx: 1.5s"],
    [0, "stream timeout, timeout in ctx: 0s"],
    [-1, none],
    [undefined, none]
  ]
  for (const [millis, said] of rows) {
    it(`of ${millis} ms`, () =>
      assert.strictEqual(errors.deadlineExceeded(client, millis).desc, text(12015, "client", said)))
  }
})

describe("an Rst frame", () => {
  const client = { protocol: "ttheader-streaming", side: "client", address: "" } as RpcInfo.RpcInfo
  const reset = (resetCode: number, path?: ReadonlyArray<string>) =>
    errors.fromTransport(
      client,
      new TransportError.TransportError({
        reason: new TransportError.StreamReset({ resetCode, byPeer: true, text: "why", ...(path && { path }) }),
        code: resetCode,
        desc: text(resetCode, "client", "why")
      })
    )
  const rows = [
    [12015, { _tag: "DeadlineExceeded" }],
    [14, { _tag: "Unavailable", neverSent: false, draining: true }],
    [12001, { _tag: "Status" }],
    [12007, { _tag: "Cancelled", by: "peer", path: ["Egress"] }],
    [1204, { _tag: "Cancelled", by: "peer", path: ["Egress"] }]
  ] as const
  for (const [code, reason] of rows) {
    it(`${code} is ${reason._tag}, with its number and its text`, () => {
      const error = reset(code, ["Egress"])
      assert.deepInclude({ ...error.reason }, reason)
      assert.deepStrictEqual([error.code, error.desc], [code, text(code, "client", "why")])
    })
  }

  it("without a path has none", () => {
    assert.notProperty(reset(13).reason, "path")
  })
})

describe("operations behind the end", () => {
  it.effect("sends fail with Kitex's text, receives with the end", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({ Echo: () => Stream.empty })
      const stream = yield* client.Echo.open()
      assert.isTrue(Cause.isDone(yield* Effect.flip(stream.recv)))
      for (let i = 0; i < 2; i++) {
        assert.deepStrictEqual(ended(yield* Effect.exit(stream.send(request))), [
          "Status",
          text(12005, "client", "stream is closed send")
        ])
      }
      yield* stream.closeSend
    })
  )

  it.effect("and behind a business error with its text", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({ Echo: () => Stream.fail(biz) })
      const stream = yield* client.Echo.open()
      assert.strictEqual(told(yield* Effect.flip(stream.recv))[0], "biz")
      assert.deepStrictEqual(ended(yield* Effect.exit(stream.send(request))), [
        "Status",
        "biz error: code=404, msg=not found"
      ])
    })
  )

  it.effect("and behind the half close", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({ Echo: () => Stream.never })
      const stream = yield* client.Echo.open()
      yield* stream.closeSend
      assert.deepStrictEqual(ended(yield* Effect.exit(stream.send(request))), [
        "Status",
        text(12005, "client", "stream is closed send")
      ])
    })
  )

  it.effect("a handler's stream that outlives it fails with what Kitex says", () =>
    Effect.gen(function* () {
      let late: Effect.Effect<unknown, unknown> = Effect.void
      const client = yield* clientOf({
        Echo: { duplex: (stream) => Effect.sync(() => void (late = stream.send(new Response({})))) }
      })
      const stream = yield* client.Echo.open()
      yield* Effect.exit(stream.recv)
      assert.deepStrictEqual(ended(yield* Effect.exit(late)), [
        "Cancelled",
        text(12012, "server", "canceled by business handler returning")
      ])
    })
  )
})

// --- streams that nobody routes ----------------------------------------------------------------------------------------------

const fields: RawCall.CallHeaderFields = { ints: [], strings: [] }
const openAt = (service: string, method: string, more: Partial<RawCall.CallHeaderFields> = {}) =>
  open(`/${service}/${method}`, {
    transport: "ttheader-streaming",
    header: { service, method, caller: "", fields: { ...fields, ...more } }
  })

const server = (options: Server.Options<[]> = {}, handlers: Partial<TestHandlers> = {}) =>
  Server.layer([TestService], options).pipe(
    Layer.provide(TestService.toLayer(only(handlers))),
    Layer.provideMerge(MemoryTransport.layer),
    Layer.orDie
  )

describe("a stream of something that is not there", () => {
  it.effect("is answered at once", () =>
    Effect.gen(function* () {
      for (const [service, method, code, said] of [
        ["Nope", "Nope", 20, "unknown service Nope"],
        ["TestService", "Nope", 1, "unknown method Nope"],
        ["", "Nope", 20, "unknown service "]
      ] as const) {
        const { result } = yield* openAt(service, method)
        const { status } = yield* result
        assert.deepStrictEqual([status?.code, status?.message], [code, said])
      }
    }).pipe(Effect.provide(server()))
  )

  it.effect("goes by its method where its service is not said, or not known", () =>
    Effect.gen(function* () {
      for (const service of ["", "Renamed"]) {
        const { result, stream } = yield* openAt(service, "Echo")
        stream.closeSend()
        assert.strictEqual((yield* result).status?.code, 0)
      }
    }).pipe(Effect.provide(server({}, { Echo: () => Stream.empty })))
  )

  it.effect("unless the server refuses that", () =>
    Effect.gen(function* () {
      const { result } = yield* openAt("Renamed", "Echo")
      assert.deepStrictEqual((yield* result).status?.message, "unknown service Renamed")
    }).pipe(Effect.provide(server({ refuseTrafficWithoutServiceName: true })))
  )
})

describe("a server that stops", () => {
  it.effect("ends what still runs behind the grace time, with our own number", () =>
    Effect.gen(function* () {
      const { drain } = yield* Server.Server
      const { result } = yield* openAt("TestService", "Echo")
      yield* settle
      yield* Effect.forkChild(drain, { startImmediately: true })
      yield* pass(2000, 100)
      const { end } = yield* result
      assert.strictEqual(end._tag, "Failed")
      const { error } = end as { readonly error: TransportError.TransportError }
      const info = { protocol: "ttheader-streaming", side: "client", service: "S", method: "M", address: "" }
      const seen = errors.fromTransport(info as RpcInfo.RpcInfo, error)
      assert.deepStrictEqual(ended(Exit.fail(seen)), ["Unavailable", text(14, "client", "graceful shutdown")])
      assert.deepInclude({ ...seen.reason }, { neverSent: false, draining: true })
    }).pipe(Effect.provide(server({ graceTime: 1000 }, { Echo: () => Stream.never })))
  )

  it.effect("takes no new stream, which can go elsewhere", () =>
    Effect.gen(function* () {
      const { drain } = yield* Server.Server
      yield* openAt("TestService", "Echo")
      yield* settle
      const draining = yield* Effect.forkChild(drain, { startImmediately: true })
      const transport = yield* Transport.ClientTransport
      yield* settle
      const opened = yield* Effect.exit(
        transport.open({
          address: "memory",
          authority: "",
          path: "/TestService/Echo",
          transport: "ttheader-streaming",
          header: { service: "TestService", method: "Echo", caller: "", fields }
        })
      )
      // Refused, or no connection at all: in both nothing ran.
      assert.isTrue(Exit.isFailure(opened) || opened.value.end?._tag !== "Status")
      yield* pass(2000, 100)
      yield* Fiber.join(draining)
    }).pipe(Effect.provide(server({ graceTime: 1000 }, { Echo: () => Stream.never })))
  )
})
