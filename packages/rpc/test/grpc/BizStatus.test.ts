/** Business errors in the trailers of HTTP/2. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { BizStatusError, Middleware, StatusDetails } from "../../src/index.ts"
import { ask, serveCalls } from "../support/calls.ts"
import { clientOf, type TestHandlers } from "../support/client.ts"
import { call, Request, serve, wrapped } from "../support/echo.ts"

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

describe("a business error in trailers", () => {
  it.effect("of code 0 is one in a stream, and none in a TTHeader", () =>
    Effect.gen(function* () {
      const client = yield* clientOf(failing(biz({ statusCode: 0, statusMessage: "zero" })))
      assert.strictEqual(plain(yield* Effect.flip(client.EchoUnary(request))).statusCode, 0)
      assert.isUndefined(yield* client.EchoPingPong({ req: request }))
    })
  )

  const details = StatusDetails.encode({
    code: 5,
    message: "no such",
    details: [{ typeUrl: "type.googleapis.com/google.rpc.ErrorInfo", value: Uint8Array.of(10, 1, 65) }]
  })
  const error = biz({ statusCode: 404, statusMessage: "no such", extra: { a: "b" }, rpcCode: 5, details })

  it.effect("of middleware is its status without a business error, and others are their text", () =>
    Effect.gen(function* () {
      const answers: Array<unknown> = []
      for (const failure of [
        error,
        biz({ statusCode: 404, statusMessage: "no such", rpcCode: 5 }),
        biz({ statusCode: 7, statusMessage: "mw biz" })
      ]) {
        const refuse = Middleware.server(() => Effect.fail(failure))
        const layer = serve({}, { middleware: [refuse] })
        const got = yield* Effect.provide(call("/echo.TestService/EchoUnary", [wrapped("x")]), layer)
        answers.push([got.status?.code, got.status?.message, got.status?.biz, got.status?.details])
        const calls = serveCalls({}, { middleware: [refuse] })
        const ended = yield* Effect.provide(ask("EchoPingPong", wrapped("x"), { strings: {} }), calls)
        answers.push([ended.exception?.type, ended.exception?.message])
      }
      assert.deepStrictEqual(answers, [
        [5, "no such", undefined, details],
        [6, "biz error: code=404, msg=no such"],
        [5, "no such", undefined, undefined],
        [6, "biz error: code=404, msg=no such"],
        [13, "biz error: code=7, msg=mw biz", undefined, undefined],
        [6, "biz error: code=7, msg=mw biz"]
      ])
    })
  )
})
