import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Metric, Stream, Tracer } from "effect"
import { BizStatusError, RpcError, Server, Telemetry } from "../src/index.ts"
import { pass } from "./support/client.ts"
import { Request, Response, serve, TestService } from "./support/echo.ts"
import type { ObservedClient } from "./support/streamScripts.ts"
import { attributesOf, endOf, Observed, observed, timed } from "./support/telemetry.ts"
import { StreamClient, wire } from "./support/over.ts"

const failing = {
  EchoServer: ({ message }: Request) => {
    switch (message) {
      case "biz":
        return Stream.fail(new BizStatusError.BizStatusError({ statusCode: 404, statusMessage: "not found" }))
      case "error":
        return Stream.fail(new RpcError.RpcError({ reason: new RpcError.Status({}), code: 1000, desc: "retry" }))
      case "die":
        return Stream.die(new Error("boom"))
      case "silent":
        return Stream.never
      default:
        return Stream.concat(Stream.make(new Response({})), Stream.never)
    }
  }
} as never

const call = (message: string, options?: object) => (client: ObservedClient) =>
  Stream.runDrain(client.EchoServer(new Request({ message }), options))

const { codes } = wire.streams

interface Ending {
  readonly run: (client: ObservedClient) => Effect.Effect<unknown, unknown>
  /** Of client and server: how the span ended, the code of the answer, `error.type`, and who ended the stream. */
  readonly client: readonly [string, string, string | undefined, string]
  readonly server: readonly [string, string, string | undefined, string]
}

const endings: Readonly<Record<string, Ending>> = {
  "a business error": {
    run: call("biz"),
    client: ["Success", "0", undefined, "error"],
    server: ["Success", "0", undefined, "error"]
  },
  "an error": {
    run: call("error"),
    client: ["Failure", codes.ofHandler(1000), "Status", "error"],
    server: ["Failure", "1000", "Status", "error"]
  },
  "a defect": {
    run: call("die"),
    client: ["Failure", codes.panic, "Status", "error"],
    server: ["Failure", "13", "Panic", "error"]
  },
  "a deadline": {
    run: call("silent", { timeout: 50 }),
    client: ["Failure", codes.deadlineExceeded, "DeadlineExceeded", "deadline"],
    server: ["Failure", codes.deadlineExceeded, "DeadlineExceeded", "deadline"]
  },
  "a recv timeout": {
    run: call("silent", { recvTimeout: 50 }),
    client: ["Failure", codes.recvTimeout, "RecvTimeout", "recv_timeout"],
    server: ["Failure", codes.leftByTimeout, "Cancelled", "cancel_remote"]
  },
  "an early end": {
    run: (client) => Stream.runDrain(Stream.take(client.EchoServer(new Request({ message: "one" })), 1)),
    client: ["Success", "0", undefined, "cancel_local"],
    server: ["Failure", codes.cancelled, "Cancelled", "cancel_remote"]
  },
  "an interruption": {
    run: (client) => Effect.timeoutOption(call("silent")(client), 50),
    client: ["Failure", "1", "Interrupted", "cancel_local"],
    server: ["Failure", codes.cancelled, "Cancelled", "cancel_remote"]
  },
  "a cancel": {
    run: (client) =>
      Effect.scoped(
        Effect.flatMap(client.EchoServer.open(new Request({ message: "one" })), (stream) =>
          Effect.andThen(stream.recv, stream.cancel)
        )
      ),
    client: ["Failure", codes.cancelled, "Cancelled", "cancel_local"],
    server: ["Failure", codes.cancelled, "Cancelled", "cancel_remote"]
  }
}

describe("how a stream ended", () => {
  for (const [name, { client: ofClient, run, server: ofServer }] of Object.entries(endings)) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const { client, told } = yield* observed(failing, { naming: ["otel", "kitex", "prometheus"] })
        yield* timed(told, run(client))
        for (const [side, expected] of [
          ["client", ofClient],
          ["server", ofServer]
        ] as const) {
          const [exit, code, type, end] = expected
          const span = told.span(side)
          const attributes = attributesOf(span)
          assert.deepStrictEqual(
            [endOf(span)[0], attributes["rpc.response.status_code"], attributes["error.type"]],
            [exit, code, type],
            side
          )
          const labels = { "rpc.response.status_code": code, ...(type !== undefined && { "error.type": type }) }
          assert.strictEqual(told.sum(`rpc.${side}.call.duration`)![0], 1)
          assert.strictEqual(told.sum(`rpc.${side}.call.duration`, labels)?.[0], 1, side)
          assert.strictEqual(told.count("kitex.stream.ends", { side, reason: end }), 1, side)
          assert.strictEqual(told.count("kitex.stream.active", { side }), 0)
          const status = type === undefined ? "succeed" : "error"
          assert.strictEqual(told.count(`kitex_${side}_throughput`, { status }), 1)
          const kitex = type === undefined ? "Unset" : "Error"
          assert.strictEqual(told.sum(`rpc.${side}.duration`, { "status.code": kitex })?.[0], 1)
        }
      })
    )
  }

  it.effect("a server that stops", () =>
    Effect.gen(function* () {
      const told = new Observed()
      const server = serve({ EchoServer: () => Stream.never }, { graceTime: 50 }).pipe(
        Layer.provideMerge(Telemetry.layer()),
        Layer.provideMerge(Layer.succeed(Tracer.Tracer, told.tracer)),
        Layer.provideMerge(Layer.succeed(Metric.MetricRegistry, told.registry))
      )
      const text = yield* Effect.gen(function* () {
        const { drain } = yield* Server.Server
        const client = yield* StreamClient.make(TestService)
        const call = yield* Effect.forkChild(Effect.flip(Stream.runDrain(client.EchoServer(new Request({})))), {
          startImmediately: true
        })
        yield* pass(5)
        const stop = yield* Effect.forkChild(drain, { startImmediately: true })
        yield* pass(2000, 50)
        yield* Fiber.join(stop)
        return (yield* Fiber.join(call)).message
      }).pipe(Effect.provide(server))
      assert.include(text, "graceful shutdown")
      for (const side of ["client", "server"] as const) {
        assert.strictEqual(told.count("kitex.stream.ends", { side }), 1, side)
        assert.strictEqual(told.count("kitex.stream.ends", { side, reason: "drain" }), 1, side)
      }
    })
  )

  it.effect("an error that only reads like a stop", () =>
    Effect.gen(function* () {
      const error = new RpcError.RpcError({
        reason: new RpcError.Unavailable({ neverSent: false }),
        code: 14,
        desc: "graceful shutdown of a disk"
      })
      const { client, told } = yield* observed({ EchoServer: () => Stream.fail(error) })
      yield* timed(told, Effect.exit(call("")(client)))
      for (const side of ["client", "server"] as const) {
        assert.strictEqual(told.count("kitex.stream.ends", { side, reason: "reset" }), 1, side)
      }
    })
  )
})
