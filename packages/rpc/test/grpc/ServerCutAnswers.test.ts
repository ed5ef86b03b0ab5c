/** Trailers that are more than a list of HTTP/2 headers holds. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Stream } from "effect"
import { RpcError } from "../../src/index.ts"
import { recorded, settle, told, type TestHandlers } from "../support/client.ts"
import { logged, Request, Response } from "../support/echo.ts"

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

describe("trailers that are too much", () => {
  it.effect("an error of a handler keeps its code, and a shortened text", () =>
    Effect.gen(function* () {
      const error = new RpcError.RpcError({ reason: new RpcError.Status({}), code: 9, desc: "d".repeat(70_000) })
      const { exits, finishes, lines } = yield* answers(failing(error), "unary")
      assert.match(told(exits[0]!), /^Status: rpc error: code = 9 desc = d{1024}\.\.\. \(cut: .*65536 bytes.*\)$/)
      assert.strictEqual(errorOf(finishes[0]!.exit), error)
      assert.strictEqual(lines.length, 1)
    })
  )

  it.effect("trailers, or headers that go with the end, are an error in place of a success", () =>
    Effect.gen(function* () {
      const big = "t".repeat(70_000)
      for (const [mode, handlers] of [
        ["unary", { EchoUnary: (_, call) => Effect.as(call.setHeader("big", big), new Response({})) }],
        [
          "server",
          { EchoServer: (_, call) => Stream.as(Stream.fromEffect(call.setHeader("big", big)), new Response({})) }
        ],
        ["unary", { EchoUnary: (_, call) => Effect.as(call.setTrailer("big", big), new Response({})) }],
        ["server", { EchoServer: (_, call) => Stream.drain(Stream.fromEffect(call.setHeader("big", big))) }]
      ] satisfies ReadonlyArray<readonly ["unary" | "server", Partial<TestHandlers>]>) {
        const { exits, finishes, lines } = yield* answers(handlers, mode)
        assert.match(
          told(exits[1]!),
          /^Status: rpc error: code = 13 desc = status, headers and trailers are more than the 65536/
        )
        assert.match(told(finishes[1]!.exit), /^Rejected: /)
        assert.strictEqual(lines.length, 1)
      }
    })
  )
})
