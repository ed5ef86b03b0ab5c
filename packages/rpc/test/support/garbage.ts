/**
 * A program of its own, run with `--expose-gc`: bytes that a unary call leaves behind for the next full collection, by transport. In the
 * process of a test runner other garbage would be counted too.
 */
import { MemoryTransport } from "@millrace/transport"
import { Thrift } from "@millrace/codec"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Method, Server, Service, StreamClient } from "@millrace/rpc"

class Message extends Thrift.Struct<Message>("test.Message")({ text: Thrift.optional(1, Thrift.String) }) {}
class TestService extends Service.make("TestService", {
  methods: [Method.unary("Unary", { request: Message, response: Message })]
}) {}

const handlers = TestService.toLayer({
  Unary: ({ text }) => Effect.succeed(new Message({ text }))
})

const collect = globalThis.gc!
const inFlight = 64
const calls = 200

/** What scavenges leave: twice, for what is new in the first is not old yet. */
const held = (): number => {
  collect({ type: "minor" })
  collect({ type: "minor" })
  return process.memoryUsage().heapUsed
}

const left = Effect.fnUntraced(function* <E>(call: Effect.Effect<unknown, E>) {
  const many = (count: number) =>
    Effect.all(
      Array.from({ length: inFlight }, () => Effect.replicateEffect(call, count, { discard: true })),
      { concurrency: "unbounded", discard: true }
    )
  // Code that is compiled meanwhile is no garbage of calls.
  yield* many(400)
  // What is there in a full collection is old from then on: tables of what is under way.
  const half = Effect.andThen(Effect.replicateEffect(call, calls / 2, { discard: true }), Effect.sync(collect))
  yield* Effect.all([many(calls), half], { concurrency: "unbounded", discard: true })
  const before = held()
  yield* many(calls)
  return Math.round((held() - before) / (calls * inFlight))
})

const program = Effect.gen(function* () {
  const message = new Message({ text: "x".repeat(32) })
  const options = { hostPorts: ["memory"] }
  const overHttp2 = yield* StreamClient.make(TestService, options)
  const overTTHeader = yield* StreamClient.make(TestService, { ...options, transport: "ttheader-streaming" })
  const figures = {
    "HTTP/2": yield* left(overHttp2.Unary(message)),
    TTHeader: yield* left(overTTHeader.Unary(message))
  }
  console.log(JSON.stringify(figures))
})

await Effect.runPromise(
  program.pipe(
    Effect.scoped,
    Effect.provide(Server.layer([TestService]).pipe(Layer.provide(handlers), Layer.provideMerge(MemoryTransport.layer)))
  )
)
