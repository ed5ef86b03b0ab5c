import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Schema, Stream } from "effect"
import { BizStatusError, Middleware, RpcError, type RpcInfo, StatusDetails } from "../src/index.ts"
import * as errors from "../src/internal/errors.ts"
import { ask, serveCalls } from "./support/calls.ts"
import { clientOf, recorded, settle, told, type TestHandlers } from "./support/client.ts"
import { call, Request, serve, struct, wrapped } from "./support/echo.ts"
import { wire } from "./support/over.ts"

type Fields = ConstructorParameters<typeof BizStatusError.BizStatusError>[0]

const request = new Request({ message: "x" })
const biz = (fields: Fields) => new BizStatusError.BizStatusError(fields)

/** Handlers of every mode that fail alike. */
const failing = (error: BizStatusError.BizStatusError): Partial<TestHandlers> => ({
  Echo: () => Stream.fail(error),
  EchoClient: () => Effect.fail(error),
  EchoServer: () => Stream.fail(error),
  EchoUnary: () => Effect.fail(error),
  EchoPingPong: () => Effect.fail(error)
})

/** What a caller has of the error, as plain values. */
const plain = (error: unknown) => {
  assert.instanceOf(error, BizStatusError.BizStatusError)
  const { extra, message, statusCode, statusMessage } = error as BizStatusError.BizStatusError
  return { extra: Object.fromEntries(Object.entries(extra)), message, statusCode, statusMessage }
}

/** The error of a call in every mode. */
const everyMode = (error: BizStatusError.BizStatusError) =>
  Effect.gen(function* () {
    const client = yield* clientOf(failing(error))
    const bidi = Effect.scoped(Effect.flatMap(client.Echo.open(), (stream) => Effect.flip(stream.recv)))
    return {
      bidi: yield* bidi,
      server: yield* Effect.flip(Stream.runDrain(client.EchoServer(request))),
      client: yield* Effect.flip(client.EchoClient(Stream.empty)),
      unary: yield* Effect.flip(client.EchoUnary(request)),
      pingPong: yield* Effect.flip(client.EchoPingPong({ req: request }))
    }
  })

const texts: ReadonlyArray<Fields> = [
  { statusCode: 404, statusMessage: "no such", extra: { a: "中", k: "v<1>&\u2028\u007f" } },
  { statusCode: -7, statusMessage: "" },
  { statusCode: 2 ** 31 - 1, statusMessage: "错误 100%\n", extra: { "": "", ["__proto__"]: "p", constructor: "c" } },
  { statusCode: -(2 ** 31), statusMessage: "\u0000 a\r\nb: c ", extra: { 'quote"\\': "\r\n\t" } }
]

describe("a business error", () => {
  for (const fields of texts) {
    it.effect(`${fields.statusCode} arrives as it was in every mode`, () =>
      Effect.gen(function* () {
        const { statusCode, statusMessage } = fields
        const expected = {
          statusCode,
          statusMessage,
          message: `biz error: code=${statusCode}, msg=${statusMessage}`,
          extra: Object.fromEntries(Object.entries(fields.extra ?? {}))
        }
        const errors = yield* everyMode(biz(fields))
        for (const [mode, error] of Object.entries(errors)) assert.deepStrictEqual(plain(error), expected, mode)
      })
    )
  }

  it.effect("has Kitex's bytes in trailers and in a TTHeader", () =>
    Effect.gen(function* () {
      const error = biz({ statusCode: 404, statusMessage: "no such", extra: { a: "中", k: "v<1>" } })
      const unary = yield* call("/echo.TestService/EchoUnary", [wrapped("x")]).pipe(
        Effect.provide(serve(failing(error)))
      )
      assert.deepStrictEqual(JSON.parse(JSON.stringify(unary.status)), {
        code: 13,
        message: "no such",
        biz: { code: 404, extra: { a: "中", k: "v<1>" } }
      })
      const ended = yield* ask("EchoPingPong", wrapped("x"), { strings: {} }).pipe(
        Effect.provide(serveCalls(failing(error)))
      )
      assert.deepStrictEqual(ended, {
        how: "reply",
        bytes: Uint8Array.of(0),
        strings: [
          ["biz-status", "404"],
          ["biz-message", "no such"],
          ["biz-extra", '{"a":"中","k":"v\\u003c1\\u003e"}']
        ]
      })
    })
  )

  it("has a code of 32 bits", () => {
    for (const statusCode of [2 ** 31, -(2 ** 31) - 1, 1.5, NaN, Infinity]) {
      assert.throws(() => biz({ statusCode, statusMessage: "" }))
    }
    for (const rpcCode of [0, -1, 2 ** 31, 1.5]) {
      assert.throws(() => biz({ statusCode: 1, statusMessage: "", rpcCode }))
    }
  })

  it.effect("is no failure for tracers on either side, and is told by RpcInfo", () =>
    Effect.gen(function* () {
      const { client, recorder } = yield* recorded(failing(biz({ statusCode: 7, statusMessage: "no" })))
      yield* Effect.flip(client.EchoUnary(request))
      yield* Effect.flip(client.EchoPingPong({ req: request }))
      yield* settle
      for (const side of [recorder.client, recorder.server]) {
        assert.deepStrictEqual(
          side.finishes.map(({ bizError, exit }) => [bizError?.statusCode, told(exit)]),
          [
            [7, "success"],
            [7, "success"]
          ]
        )
      }
    })
  )

  it.effect("goes on as it came", () =>
    Effect.gen(function* () {
      const error = biz({ statusCode: 7, statusMessage: "no", extra: { a: "<b>" }, rpcCode: 5 })
      const behind = yield* clientOf(failing(error))
      const client = yield* clientOf({ EchoServer: () => behind.EchoServer(request) as never })
      const got = yield* Effect.flip(Stream.runDrain(client.EchoServer(request)))
      assert.deepStrictEqual(plain(got), plain(error))
      assert.strictEqual((got as BizStatusError.BizStatusError).rpcCode, 5)
    })
  )
})

describe("a business error with a status of its own", () => {
  const details = StatusDetails.encode({
    code: 5,
    message: "no such",
    details: [{ typeUrl: "type.googleapis.com/google.rpc.ErrorInfo", value: Uint8Array.of(10, 1, 65) }]
  })
  const error = biz({ statusCode: 404, statusMessage: "no such", extra: { a: "b" }, rpcCode: 5, details })

  it.effect("writes that status, its details and the business error", () =>
    Effect.gen(function* () {
      const { status, stream } = yield* call("/echo.TestService/EchoServer", [struct("x")]).pipe(
        Effect.provide(serve(failing(error)))
      )
      assert.deepStrictEqual(
        { ...status, biz: { ...status?.biz, extra: { ...status?.biz?.extra } } },
        {
          code: 5,
          message: "no such",
          biz: { code: 404, extra: { a: "b" } },
          details
        }
      )
      assert.isDefined(stream.trailer)
    })
  )

  it.effect("is read back in every mode of streams", () =>
    Effect.gen(function* () {
      const { pingPong, unary, ...streams } = yield* everyMode(error)
      assert.deepStrictEqual(plain(unary), plain(error))
      assert.strictEqual((unary as BizStatusError.BizStatusError).rpcCode, wire.unary.isStream ? 5 : undefined)
      for (const got of Object.values(streams)) {
        assert.deepStrictEqual(plain(got), plain(error))
        const { details: bytes, rpcCode } = got as BizStatusError.BizStatusError
        assert.strictEqual(rpcCode, 5)
        assert.deepStrictEqual(StatusDetails.decode(bytes!)?.details[0]?.value, Uint8Array.of(10, 1, 65))
      }
      assert.deepStrictEqual(plain(pingPong), plain(error))
      assert.isUndefined((pingPong as BizStatusError.BizStatusError).rpcCode)
    })
  )

  it("of a peer that writes a number which is no status is one all the same", () => {
    const info = { service: "S", method: "M", address: "" } as RpcInfo.RpcInfo
    const got = errors.fromStatus(info, { code: -5, message: "no", biz: { code: 7, extra: {} } })
    assert.deepStrictEqual(got, biz({ statusCode: 7, statusMessage: "no" }))
  })
})

describe("a status with details", () => {
  it.effect("goes out and comes back", () =>
    Effect.gen(function* () {
      const encoded = (message: string) =>
        StatusDetails.encode({ code: 5, message, details: [{ typeUrl: "t", value: Uint8Array.of(0, 255) }] })
      const details = encoded("nf")
      const error = new RpcError.RpcError({ reason: new RpcError.Status({ details }), code: 5, desc: "nf" })
      const client = yield* clientOf({ EchoServer: () => Stream.fail(error) })
      const got = yield* Effect.flip(Stream.runDrain(client.EchoServer(request)))
      assert.strictEqual(told(Exit.fail(got)), `Status: ${wire.streams.ofHandler("nf", 5)}`)
      assert.deepStrictEqual(
        (got as RpcError.RpcError).reason,
        new RpcError.Status({ details: encoded(wire.streams.status.ofHandler("nf")[1]) })
      )
      const refuse = Middleware.server(() => Effect.fail(error))
      const outside = yield* clientOf({}, { server: { middleware: [refuse] } })
      const refused = yield* Effect.flip(Stream.runDrain(outside.EchoServer(request)))
      assert.strictEqual(told(Exit.fail(refused)), `Status: ${wire.streams.ofMiddleware("nf", 5)}`)
      assert.deepStrictEqual((refused as RpcError.RpcError).reason, new RpcError.Status({ details }))
    })
  )
})

describe("an extra with types", () => {
  const Quota = Schema.Struct({
    tenant: Schema.String,
    limit: Schema.FiniteFromString,
    note: Schema.optionalKey(Schema.String)
  })

  it.effect("is written and read by one schema", () =>
    Effect.gen(function* () {
      const extra = yield* BizStatusError.extraFrom(Quota)({ tenant: "acme", limit: 10 })
      assert.deepStrictEqual(extra, { tenant: "acme", limit: "10" })
      for (const error of Object.values(yield* everyMode(biz({ statusCode: 429, statusMessage: "no", extra })))) {
        const quota = yield* BizStatusError.extraAs(Quota)(error as BizStatusError.BizStatusError)
        assert.deepStrictEqual(quota, { tenant: "acme", limit: 10 })
      }
    })
  )

  it.effect("that does not fit is a SchemaError", () =>
    Effect.gen(function* () {
      const bad = yield* Effect.flip(
        BizStatusError.extraAs(Quota)(biz({ statusCode: 1, statusMessage: "", extra: { tenant: "a", limit: "many" } }))
      )
      assert.strictEqual(bad._tag, "SchemaError")
      const missing = yield* Effect.flip(BizStatusError.extraAs(Quota)(biz({ statusCode: 1, statusMessage: "" })))
      assert.strictEqual(missing._tag, "SchemaError")
      const Positive = Schema.Struct({ limit: Schema.FiniteFromString.check(Schema.isGreaterThan(0)) })
      const refused = yield* Effect.flip(BizStatusError.extraFrom(Positive)({ limit: -1 }))
      assert.strictEqual(refused._tag, "SchemaError")
    })
  )
})
