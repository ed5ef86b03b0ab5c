/**
 * What the texts of refusals mean to a client: only those of limits and rules mean anything, and only before a handler
 * ran.
 */
import { assert, describe, it } from "@effect/vitest"
import { RpcError, type RpcInfo } from "../../src/index.ts"
import * as callErrors from "../../src/internal/callErrors.ts"
import * as errors from "../../src/internal/errors.ts"
import { exceptionError } from "../../src/internal/replyErrors.ts"
import { toStatus } from "../../src/internal/statuses.ts"

const info = (mode: RpcInfo.Mode): RpcInfo.RpcInfo => ({
  side: "client",
  service: "Service",
  method: "Method",
  mode,
  protocol: "grpc",
  path: "/Service/Method",
  address: "",
  caller: "",
  callee: "Service",
  logId: undefined,
  bizError: undefined
})
const reasonOf = (error: unknown) => (error instanceof RpcError.RpcError ? { ...error.reason } : error)
const rejected = (limit: string, retryAfterMillis?: number) => ({
  ...new RpcError.Rejected({ limit, ...(retryAfterMillis === undefined ? undefined : { retryAfterMillis }) })
})
const forbidden = { ...new RpcError.Forbidden() }
const status = { ...new RpcError.Status({}) }

describe("a status", () => {
  const cases: ReadonlyArray<readonly [RpcInfo.Mode, number, string, number | undefined, object]> = [
    ["unary", 8, "request over limit: to many connections", undefined, rejected("to many connections")],
    ["unary", 8, "request over limit: request too frequent", 40, rejected("request too frequent", 40)],
    ["unary", 8, "request over limit", 0, rejected("", 0)],
    ["unary", 8, "request over limits", 5, status],
    ["unary", 8, "grpc: received message larger than max", undefined, status],
    ["unary", 8, "request over limit: x [biz error]", 5, status],
    ["bidirectional", 8, "request over limit: x [biz error]", 5, rejected("x", 5)],
    ["server", 8, "request over limit: x", undefined, rejected("x")],
    ["unary", 7, "request forbidden: denied", undefined, forbidden],
    ["client", 7, "request forbidden [biz error]", undefined, forbidden],
    ["unary", 7, "request forbidden [biz error]", undefined, status],
    ["unary", 7, "permission denied", undefined, status],
    ["unary", 13, "request over limit: x", undefined, status],
    ["unary", 13, "request forbidden: x", undefined, status]
  ]
  for (const [mode, code, message, retryAfterMillis, reason] of cases) {
    it(`${mode}, ${code} ${message}`, () => {
      const error = errors.fromStatus(info(mode), { code, message, retryAfterMillis })
      assert.deepStrictEqual(reasonOf(error), reason)
      assert.strictEqual(error?.message, `rpc error: code = ${code} desc = ${message}`)
    })
  }

  it("of a refusal has its hint", () => {
    const error = new RpcError.RpcError({
      code: 8,
      desc: "request over limit: x",
      reason: new RpcError.Rejected({ limit: "x", retryAfterMillis: 7 })
    })
    assert.deepStrictEqual(toStatus(info("unary"), error, false), {
      code: 8,
      message: "request over limit: x",
      retryAfterMillis: 7
    })
    assert.strictEqual(toStatus(info("unary"), error, true).message, "request over limit: x [biz error]")
  })
})

describe("an exception", () => {
  const header = (strings: Readonly<Record<string, string>>) => ({
    flags: 0,
    ints: new Map<number, string>(),
    strings: new Map(Object.entries(strings))
  })
  const cases: ReadonlyArray<readonly [number, string, Readonly<Record<string, string>> | undefined, object]> = [
    [6, "request over limit: x", undefined, rejected("x")],
    [6, "request over limit: x", { "retry-pushback-ms": "250" }, rejected("x", 250)],
    [6, "request over limit: x", { "retry-pushback-ms": "soon" }, rejected("x")],
    [6, "request forbidden: x", { "retry-pushback-ms": "250" }, forbidden],
    [6, "biz error: request over limit: x", undefined, status],
    [8, "request over limit: x [biz error]", undefined, status],
    [1000, "request forbidden: x", undefined, status],
    [6, "boom", { "retry-pushback-ms": "250" }, status]
  ]
  for (const [type, message, strings, reason] of cases) {
    it(`${type} ${message}${strings === undefined ? "" : `, ${Object.values(strings)}`}`, () => {
      const error = exceptionError(info("pingPong"), { type, message }, 0, strings && header(strings))
      assert.deepStrictEqual(reasonOf(error), reason)
      assert.deepStrictEqual([error.code, error.desc], [type, message])
    })
  }

  it("of a refusal has its hint in the TTHeader", () => {
    const refused = (retryAfterMillis?: number) =>
      new RpcError.RpcError({
        code: 8,
        desc: "request over limit: x",
        reason: new RpcError.Rejected({
          limit: "x",
          ...(retryAfterMillis === undefined ? undefined : { retryAfterMillis })
        })
      })
    assert.deepStrictEqual(callErrors.pushback(refused(40)), [["retry-pushback-ms", "40"]])
    assert.isUndefined(callErrors.pushback(refused()))
    assert.isUndefined(callErrors.pushback(new Error("boom")))
    assert.deepStrictEqual(callErrors.toException(info("pingPong"), refused(40), false), {
      type: 6,
      message: "request over limit: x"
    })
    assert.deepStrictEqual(callErrors.toException(info("pingPong"), refused(40), true), {
      type: 6,
      message: "biz error: request over limit: x"
    })
  })
})
