/** The statuses of HTTP/2 that Kitex has recorded. */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { BizStatusError, RpcError, StatusDetails } from "../../src/index.ts"
import { call, logged, serve, struct, wrapped } from "../support/echo.ts"

interface Row {
  readonly name: string
  readonly mode: string
  readonly script: string
  readonly code: number
  readonly message: string
  readonly biz?: { readonly code: number; readonly extra: Readonly<Record<string, string>> }
  readonly detailsBin?: string
}
const recorded: { readonly rows: ReadonlyArray<Row> } = JSON.parse(
  readFileSync(new URL("../data/kitex-statuses.json", import.meta.url), "utf8")
)

const status = (code: number, desc: string, details?: Uint8Array) =>
  new RpcError.RpcError({ reason: new RpcError.Status(details === undefined ? {} : { details }), code, desc })
const biz = (statusCode: number, statusMessage: string, extra: Readonly<Record<string, string>> = {}) =>
  new BizStatusError.BizStatusError({ statusCode, statusMessage, extra })
const bytes = (base64: string) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))

/** What the recorded Kitex handlers returned, in our words. */
const failures: Readonly<Record<string, (detailsBin: string | undefined) => Effect.Effect<never, any>>> = {
  "plain-error": () => Effect.fail(new Error("boom")),
  "unicode-error": () => Effect.fail(new Error("错误 100%\n\ufffd")),
  "trans-error": () => Effect.fail(status(1000, "retry")),
  biz: () => Effect.fail(biz(404, "not found")),
  "biz-extra": () => Effect.fail(biz(404, "not found", { k: "v" })),
  "biz-html": () => Effect.fail(biz(-7, "错误 <a&b> 100%", { k: "<a&b> 中\u2028" })),
  "biz-zero": () => Effect.fail(biz(0, "zero")),
  status: () => Effect.fail(status(7, "no entry")),
  "status-big": () => Effect.fail(status(12345, "custom")),
  "status-details": (details) => {
    const sent = StatusDetails.decode(bytes(details!))!
    return Effect.fail(status(9, "see details", StatusDetails.encode({ ...sent, message: "see details" })))
  },
  panic: () => Effect.die("kaboom")
}
const methods: Readonly<Record<string, string>> = {
  unary: "EchoUnary",
  bidi: "Echo",
  server: "EchoServer",
  client: "EchoClient"
}

describe("a handler's failure, as a Kitex server sends it", () => {
  for (const row of recorded.rows) {
    it.effect(row.name, () =>
      Effect.gen(function* () {
        const failure = failures[row.script]!(row.detailsBin)
        const live = serve({
          EchoUnary: () => failure,
          EchoClient: () => failure,
          EchoServer: () => Stream.fromEffect(failure),
          Echo: () => Stream.fromEffect(failure)
        })
        const message = row.mode === "unary" ? wrapped("m") : struct("m")
        const method = methods[row.mode]!
        const [result] = yield* logged(Effect.provide(call(`/echo.TestService/${method}`, [message]), live))
        assert.deepStrictEqual(result.messages, [])
        assert.isDefined(result.status)
        assert.strictEqual(result.status.code, row.code)
        assert.strictEqual(result.status.message, row.message.replace(/GoldenStream\.\w+/, `TestService.${method}`))
        assert.deepStrictEqual(result.status.biz, row.biz)
        if (row.detailsBin !== undefined) assert.deepStrictEqual(result.status.details, bytes(row.detailsBin))
      })
    )
  }
})
