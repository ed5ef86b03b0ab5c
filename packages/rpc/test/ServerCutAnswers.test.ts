import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Stream } from "effect"
import { BizStatusError, Metainfo } from "../src/index.ts"
import { recorded, settle, told, type TestHandlers } from "./support/client.ts"
import { logged, Request, Response } from "./support/echo.ts"

const request = new Request({ message: "x" })

const modes = ["unary", "server", "pingPong"] as const

/** Calls of every kind, two of each; what their callers and tracers of the server see, and what is logged. */
const answers = (handlers: Partial<TestHandlers>, mode: (typeof modes)[number]) =>
  Effect.gen(function* () {
    const [{ exits, finishes }, lines] = yield* logged(
      Effect.gen(function* () {
        const { client, recorder } = yield* recorded(handlers)
        const call: Effect.Effect<unknown, unknown> =
          mode === "unary"
            ? client.EchoUnary(request)
            : mode === "server"
              ? Stream.runDrain(client.EchoServer(request))
              : client.EchoPingPong({ req: request })
        const exits = yield* Effect.forEach([1, 2], () => Effect.exit(call))
        return { exits, finishes: yield* recorder.finished("server", 2) }
      })
    )
    yield* settle
    return { exits, lines, finishes }
  })

const failing = (error: unknown): Partial<TestHandlers> =>
  ({
    EchoUnary: () => Effect.fail(error),
    EchoServer: () => Stream.fail(error),
    EchoPingPong: () => Effect.fail(error)
  }) as never

const errorOf = (exit: Exit.Exit<unknown, unknown>) => (Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined)

describe("an answer that is more than headers hold", () => {
  for (const mode of modes) {
    for (const [name, fields, message] of [
      ["extra", { statusMessage: "short", extra: { big: "e".repeat(140_000) } }, /^short \(cut: .*\)$/],
      ["message", { statusMessage: "中".repeat(70_000) }, /^中{1024}\.\.\. \(cut: .*\)$/]
    ] as const) {
      it.effect(
        `${mode}: a business error with too large ${name} arrives shortened, said once, and told to tracers`,
        () =>
          Effect.gen(function* () {
            const error = new BizStatusError.BizStatusError({ statusCode: 5, ...fields })
            const { exits, finishes, lines } = yield* answers(failing(error), mode)
            for (const exit of exits) {
              const received = errorOf(exit)
              assert.instanceOf(received, BizStatusError.BizStatusError)
              const { extra, statusCode, statusMessage } = received as BizStatusError.BizStatusError
              assert.deepStrictEqual([statusCode, Object.keys(extra)], [5, []])
              assert.match(statusMessage, message)
            }
            for (const { bizError, exit, reason } of finishes) {
              assert.deepStrictEqual([bizError, reason], [error, "error"])
              assert.match(told(exit), /^(Rejected|InvalidMetadata): /)
            }
            assert.strictEqual(lines.length, 1)
            assert.match(
              lines[0]!.text,
              /^an answer of TestService\.Echo\w+ did not reach its client as it was: .*once/
            )
          })
      )
    }
  }

  it.effect("backward values are an exception in place of the answer, said once", () =>
    Effect.gen(function* () {
      const handlers: Partial<TestHandlers> = {
        EchoPingPong: () =>
          Effect.as(
            Effect.forEach(
              Array.from({ length: 300 }, (_, i) => i),
              (i) => Metainfo.sendBackwardValue(`k${i}`, "v")
            ),
            new Response({})
          )
      }
      const { exits, finishes, lines } = yield* answers(handlers, "pingPong")
      for (const exit of exits)
        assert.match(told(exit), /code = 6 desc = the TTHeader has 30\d entries, more than the 256/)
      assert.match(told(finishes[0]!.exit), /^Rejected: /)
      assert.strictEqual(lines.length, 1)
    })
  )
})
