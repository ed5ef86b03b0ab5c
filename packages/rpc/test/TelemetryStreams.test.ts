import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Stream } from "effect"
import { pass } from "./support/client.ts"
import { request, response, runs } from "./support/streamScripts.ts"
import { observed, timed } from "./support/telemetry.ts"
import { wire } from "./support/over.ts"

const both = ["client", "server"] as const

const total = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0)

describe("a stream, in virtual time: every metric, on both sides", () => {
  for (const { handlers, run, script, title } of runs) {
    it.effect(title, () =>
      Effect.gen(function* () {
        const { client, told } = yield* observed(handlers, { naming: ["otel", "kitex", "prometheus"] })
        const fiber = yield* Effect.forkChild(told.run(run(client)), { startImmediately: true })
        yield* pass(5)
        const fullName = `echo.TestService/${script.method}`
        for (const side of both) {
          assert.strictEqual(told.count("kitex.stream.active", { "rpc.method": fullName, side }), 1)
        }
        yield* pass(200, 5)
        assert.isTrue(Exit.isSuccess(yield* Fiber.await(fiber)))

        for (const side of both) {
          const [sent, received] =
            side === "client" ? [script.requests, script.responses] : [script.responses, script.requests]
          const summed = (messages: typeof sent) => [messages.length, total(messages.map(([, size]) => size))] as const

          assert.deepStrictEqual(told.sum(`rpc.${side}.call.duration`), [1, script.end / 1000])
          assert.deepStrictEqual(told.series(`rpc.${side}.call.duration`)[0]!.attributes, {
            unit: "s",
            "rpc.system.name": "kitex",
            "rpc.method": fullName,
            "rpc.response.status_code": "0",
            ...(side === "client" && { "server.address": "memory" })
          })

          const kitex = { "rpc.system": "kitex", "rpc.service": "TestService", "rpc.method": script.method }
          assert.deepStrictEqual(told.sum(`rpc.${side}.duration`), [1, script.end])
          assert.deepStrictEqual(told.series(`rpc.${side}.duration`)[0]!.attributes, {
            ...kitex,
            "request.protocol": wire.streams.kitexName,
            "status.code": "Unset"
          })
          for (const [name, messages] of [
            ["request", script.requests],
            ["response", script.responses]
          ] as const) {
            assert.deepStrictEqual(told.sum(`rpc.${side}.${name}.size`), summed(messages))
            assert.deepStrictEqual(told.series(`rpc.${side}.${name}.size`)[0]!.attributes, { unit: "By", ...kitex })
            assert.deepStrictEqual(told.sum(`rpc.${side}.${name}s_per_rpc`), [1, messages.length])
          }

          assert.strictEqual(told.count(`kitex_${side}_throughput`), 1)
          assert.deepStrictEqual(told.sum(`kitex_${side}_latency_us`), [1, script.end * 1000])
          const [latency] = told.series(`kitex_${side}_latency_us`)
          assert.deepStrictEqual(latency!.attributes, {
            caller: "unknown",
            callee: "TestService",
            method: script.method,
            status: "succeed",
            retry: "0"
          })
          assert.deepStrictEqual(
            (latency!.state as { buckets: ReadonlyArray<[number, number]> }).buckets,
            [5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000].map((bound) => [
              bound,
              script.end * 1000 <= bound ? 1 : 0
            ])
          )

          const labels = { "rpc.method": fullName, side }
          assert.strictEqual(told.count("kitex.stream.active", labels), 0)
          assert.strictEqual(told.count("kitex.stream.ends", labels), 1)
          assert.strictEqual(told.count("kitex.stream.ends", { ...labels, reason: "eof" }), 1)
          for (const [direction, messages] of [
            ["sent", sent],
            ["received", received]
          ] as const) {
            assert.strictEqual(told.count("kitex.stream.messages", { ...labels, direction }), messages.length)
            assert.deepStrictEqual(told.sum("kitex.stream.message.size", { ...labels, direction }), summed(messages))
          }
          const [times, held] = told.sum("kitex.stream.buffered_bytes", labels)!
          assert.strictEqual(times, sent.length)
          // Until the turn of the event loop ends, where there is no window that has room for it.
          const heads = wire.streams.headBytes(script.method) * sent.length
          assert.strictEqual(held, heads === 0 ? 0 : heads + total(sent.map(([, size]) => size)))
          const [first, last] = [received[0]![0], received.at(-1)![0]]
          assert.deepStrictEqual(told.sum("kitex.stream.first_message.duration", labels), [1, first / 1000])
          const gaps = received.length - 1
          assert.deepStrictEqual(
            told.sum("kitex.stream.message.gap", labels),
            gaps === 0 ? undefined : [gaps, (last - first) / 1000]
          )
          assert.isUndefined(told.sum("kitex.stream.send_blocked.duration", labels))
        }
      })
    )
  }
})

it.effect("a peer that does not read: how long a send waits, and how much is held back", () =>
  Effect.gen(function* () {
    const large = response(60_000)
    const { client, told } = yield* observed({
      EchoServer: () => Stream.fromIterable(Array.from({ length: 40 }, () => large)).pipe(Stream.rechunk(1))
    })
    const late = Effect.scoped(
      Effect.gen(function* () {
        const stream = yield* client.EchoServer.open(request(20))
        yield* Effect.sleep(100)
        yield* Stream.runDrain(
          Stream.fromPull(Effect.succeed(Effect.map(stream.recv, (message) => [message] as const)))
        )
      })
    )
    assert.isTrue(Exit.isSuccess(yield* timed(told, late)))
    const labels = { "rpc.method": "echo.TestService/EchoServer", side: "server" }
    const [blocked, seconds] = told.sum("kitex.stream.send_blocked.duration", labels)!
    assert.isTrue(blocked > 0 && seconds >= 0.1 && seconds < 0.2, `${blocked} ${seconds}`)
    const [, held] = told.sum("kitex.stream.buffered_bytes", labels)!
    assert.isAbove(held, 0)
    assert.strictEqual(told.count("kitex.stream.active", labels), 0)
  })
)
