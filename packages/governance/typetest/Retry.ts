/** What rules of retries and fallbacks know of a method. */
import { Thrift } from "@millrace/codec"
import { Fallback, Resumable, Retry } from "@millrace/governance"
import { Client, Method, Service, StreamClient } from "@millrace/rpc"
import { Effect, Order, type Stream } from "effect"

class Text extends Thrift.Struct<Text>("g.Text")({ text: Thrift.optional(1, Thrift.String) }) {}
class Busy extends Thrift.Exception<Busy>()("g.Busy", { queue: Thrift.optional(1, Thrift.I32) }) {}
class Shop extends Service.make("Shop", {
  methods: [
    Method.pingPong("Price", {
      arguments: { item: Thrift.field(1, Thrift.String) },
      response: Thrift.I64,
      exceptions: { busy: Thrift.field(1, Busy) }
    }),
    Method.unary("Ask", { request: Text, response: Text }),
    Method.serverStreaming("Watch", { request: Text, response: Text })
  ]
}) {}

const rules = Retry.rulesForService(Shop, {
  Price: {
    retryable: (failure) => failure._tag === "Busy" && failure.queue !== undefined,
    retryableResult: (price) => price === 0n
  }
})
export const clients = [
  Client.make(Shop, { retry: Retry.failure({ maxRetries: 1 }, rules) }),
  StreamClient.make(Shop, { unary: { retry: Retry.backup({ delay: "10 millis" }) } }),
  // @ts-expect-error streams are not retried
  StreamClient.make(Shop, { retry: Retry.failure() })
]

// @ts-expect-error a stream has no rules
Retry.rulesForService(Shop, { Watch: {} })
// @ts-expect-error no such method
Retry.rulesForService(Shop, { Nothing: {} })
// @ts-expect-error a price is a bigint
Retry.rulesForService(Shop, { Price: { retryableResult: (price) => price === 0 } })
// @ts-expect-error a backup request needs its delay
Retry.backup({})
// @ts-expect-error and takes no rules of failures
Retry.backup({ delay: 1 }, { retryable: () => true })

Fallback.forService(Shop, {
  Price: {
    onFailure: (failure, { request }) =>
      failure._tag === "Busy" ? Effect.succeed(BigInt(request.item.length)) : undefined,
    onAnswer: (price) => (price < 0n ? Effect.succeed(0n) : undefined)
  },
  Ask: { onFailure: (_, { request }) => Effect.succeed(new Text({ text: request.text })) }
})
Fallback.forService(Shop, {
  // @ts-expect-error another type of answer
  Price: { onFailure: () => Effect.succeed("none") }
})
Fallback.forService(Shop, {
  // @ts-expect-error streams have no fallback
  Watch: { onFailure: () => undefined }
})

declare const open: (after: number) => Stream.Stream<Text, Busy, "R">
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Same<A, B>): void => {}

const resumed = Resumable.resumable(open, {
  initial: 0,
  cursor: ({ text }) => text?.length,
  while: (busy) => busy.queue === 1,
  dedupe: Order.Number
})
same<typeof resumed, Stream.Stream<Text, Busy, "R">>(true)
// @ts-expect-error a cursor is what `open` takes
Resumable.resumable(open, { initial: "", cursor: ({ text }) => text })
