import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { BizStatusError, Middleware, RpcError } from "../../src/index.ts"
import { type AskOptions, ask, serveCalls } from "../support/calls.ts"
import { logged, struct, wrapped } from "../support/echo.ts"

const line = struct("line")
const biz = new BizStatusError.BizStatusError({ statusCode: 404, statusMessage: "no such line" })
const denied = new RpcError.RpcError({ code: 7, desc: "denied", reason: new RpcError.Status({}) })

/** What is logged while a server takes calls. */
const linesOf = (
  live: ReturnType<typeof serveCalls>,
  ...calls: ReadonlyArray<readonly [method: string, args: Uint8Array, options?: AskOptions]>
) =>
  Effect.map(
    logged(
      Effect.provide(
        Effect.forEach(calls, (call) => ask(...call)),
        live
      )
    ),
    ([ends, lines]) => ({
      ends: ends.map(({ how }) => how),
      lines: lines.map(({ annotations, level, text }) => [
        level,
        text.trim(),
        annotations["rpc.service"],
        annotations["rpc.method"]
      ])
    })
  )

describe("a oneway call that fails is one line of log", () => {
  const failing = (error: unknown) => serveCalls({ Log: () => Effect.fail(error) as never })
  const warned = (text: string) => [["Warn", `oneway call of TestService.Log failed: ${text}`, "TestService", "Log"]]

  it.effect("when its handler fails, or middleware does", () =>
    Effect.gen(function* () {
      const early = serveCalls({}, { middleware: [Middleware.server(() => Effect.fail(denied))] })
      for (const [live, text] of [
        [failing(denied), "denied"],
        [failing(new Error("no")), "biz error: no"],
        [failing(biz), "biz error: code=404, msg=no such line"],
        [early, "denied"]
      ] as const) {
        const { ends, lines } = yield* linesOf(live, ["Log", line, { oneway: true }])
        assert.deepStrictEqual([ends, lines], [["finish"], warned(text)])
      }
    })
  )

  it.effect("when its arguments cannot be decoded", () =>
    Effect.gen(function* () {
      const { lines } = yield* linesOf(serveCalls({}), ["Log", Uint8Array.of(11, 0, 1, 255, 255, 255, 255)])
      assert.strictEqual(lines.length, 1)
      assert.match(String(lines[0]![1]), /^oneway call of TestService\.Log failed: .*TestService\.Log\.line/)
    })
  )

  it.effect("when its method is unknown, whatever name a peer gives it", () =>
    Effect.gen(function* () {
      const unknown = (name: string, options: AskOptions) =>
        linesOf(serveCalls({}), [name, line, { service: "TestService", ...options }])
      const { ends, lines } = yield* unknown("Gone", { oneway: true })
      assert.deepStrictEqual(ends, ["exception"])
      assert.deepStrictEqual(lines, [
        [
          "Warn",
          "oneway call of TestService.Gone failed: unknown method Gone (service TestService)",
          "TestService",
          "Gone"
        ]
      ])
      const forged = (yield* unknown(`a\nb\u001b${"x".repeat(5000)}`, { oneway: true })).lines[0]!
      assert.match(String(forged[1]), /^oneway call of TestService\.a\?b\?x/)
      assert.isBelow(String(forged[1]).length + String(forged[3]).length, 1000)
      // A client that waits for an answer gets it.
      assert.deepStrictEqual((yield* unknown("Gone", {})).lines, [])
    })
  )

  it.effect("of a flood of them twenty, and one a second, which counts the others", () =>
    Effect.gen(function* () {
      const flood = Effect.forEach(Array.from({ length: 25 }), () => ask("Log", line))
      const [, lines] = yield* logged(
        Effect.provide(
          Effect.andThen(
            flood,
            Effect.andThen(TestClock.adjust(1000), Effect.andThen(ask("Log", line), ask("Log", line)))
          ),
          failing(denied)
        )
      )
      assert.strictEqual(lines.length, 21)
      assert.match(lines[19]!.text, /failed: denied $/)
      assert.match(lines[20]!.text, /failed: denied \(and 5 more like it\)/)
    })
  )

  it.effect("and of one that dies it is the line of the defect", () =>
    Effect.gen(function* () {
      const { lines } = yield* linesOf(serveCalls({ Log: () => Effect.die("boom") }), ["Log", line])
      assert.deepStrictEqual(
        lines.map(([level]) => level),
        ["Error"]
      )
    })
  )

  it.effect("but not where it succeeds, or somebody is told", () =>
    Effect.gen(function* () {
      const live = serveCalls({ Log: () => Effect.void, EchoPingPong: () => Effect.fail(denied) })
      const { lines } = yield* linesOf(live, ["Log", line], ["EchoPingPong", wrapped("m")])
      assert.deepStrictEqual(lines, [])
    })
  )
})

describe("a business error that its encoding does not carry", () => {
  const live = serveCalls({ EchoPingPong: () => Effect.fail(biz), Ping: () => Effect.fail(biz) })

  it.effect("is logged once for each method of a server", () =>
    Effect.gen(function* () {
      const echo = ["EchoPingPong", wrapped("m")] as const
      const { ends, lines } = yield* linesOf(live, echo, echo, ["Ping", Uint8Array.of(0)], echo)
      assert.deepStrictEqual(ends, ["reply", "reply", "reply", "reply"])
      const text = (method: string) =>
        `business error of TestService.${method} lost: without a TTHeader the client sees an empty result; use a TTHeader transport or a declared exception`
      assert.deepStrictEqual(lines, [
        ["Warn", text("EchoPingPong"), "TestService", "EchoPingPong"],
        ["Warn", text("Ping"), "TestService", "Ping"]
      ])
    })
  )

  it.effect("and not where it is carried", () =>
    Effect.gen(function* () {
      const { lines } = yield* linesOf(live, ["EchoPingPong", wrapped("m"), { strings: {} }])
      assert.deepStrictEqual(lines, [])
    })
  )
})
