import { assert, describe, it } from "@effect/vitest"
import { Thrift } from "@millrace/codec"
import { Limiter } from "@millrace/governance"
import { Method, RpcError, Server, Service, StreamClient } from "@millrace/rpc"
import { MemoryTransport } from "@millrace/transport"
import { Deferred, Effect, Fiber, Layer } from "effect"

class Message extends Thrift.Struct<Message>("limit.Message")({ text: Thrift.optional(1, Thrift.String) }) {}
class Slow extends Service.make("Slow", {
  package: "limit",
  methods: [Method.unary("Wait", { request: Message, response: Message })]
}) {}

describe("concurrency", () => {
  it.effect("refuses what is over the limit, and has room again when a handler has ended", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const live = Server.layer([Slow], { admission: [Limiter.concurrency(2)] }).pipe(
        Layer.provide(Slow.toLayer({ Wait: (message) => Effect.as(Deferred.await(gate), message) })),
        Layer.provideMerge(MemoryTransport.layer)
      )
      yield* Effect.gen(function* () {
        const client = yield* StreamClient.make(Slow)
        const wait = client.Wait(new Message({ text: "a" }))
        const running = yield* Effect.forkChild(Effect.all([wait, wait], { concurrency: "unbounded" }), {
          startImmediately: true
        })
        const refused = yield* Effect.flip(wait)
        assert.isTrue(refused instanceof RpcError.RpcError)
        assert.strictEqual(refused.message, "rpc error: code = 8 desc = request over limit: to many connections")
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(running)
        assert.strictEqual((yield* wait).text, "a")
      }).pipe(Effect.scoped, Effect.provide(live))
    })
  )

  it("keeps its reason for whoever asks on the server", () => {
    const answer = Limiter.concurrency(0).admit({} as never)
    assert.isTrue(answer instanceof RpcError.RpcError && answer.reason._tag === "Rejected")
    assert.deepStrictEqual(answer instanceof RpcError.RpcError && { ...answer.reason }, {
      ...new RpcError.Rejected({ limit: "concurrency" })
    })
  })
})
