/** Where retry, fallback and a time for each attempt exist, and where they must not compile. */
import { Thrift } from "@millrace/codec"
import { type CallPolicy, Client, Method, type RpcError, Service, StreamClient } from "@millrace/rpc"
import { Effect, Stream } from "effect"

class Text extends Thrift.Struct<Text>("p.Text")({ text: Thrift.optional(1, Thrift.String) }) {}
class Echo extends Service.make("Echo", {
  methods: [
    Method.bidirectional("Talk", { request: Text, response: Text }),
    Method.serverStreaming("Watch", { request: Text, response: Text }),
    Method.clientStreaming("Upload", { request: Text, response: Text }),
    Method.unary("Ask", { request: Text, response: Text }),
    Method.pingPong("Say", { arguments: { req: Thrift.field(1, Text) }, response: Text })
  ]
}) {}

declare const policy: CallPolicy.CallPolicy

export const clients = [
  Client.make(Echo, { retry: policy, fallback: policy, rpcTimeout: "1 second" }),
  StreamClient.make(Echo, { unary: { retry: policy, fallback: policy, rpcTimeout: "1 second" } }),
  // @ts-expect-error WithFailureRetry and its kin, for all streams
  StreamClient.make(Echo, { retry: policy }),
  // @ts-expect-error WithFallback
  StreamClient.make(Echo, { fallback: policy }),
  // @ts-expect-error WithUnaryRPCTimeout is in `unary`
  StreamClient.make(Echo, { rpcTimeout: "1 second" }),
  // @ts-expect-error PingPong has them for all its calls
  Client.make(Echo, { unary: { retry: policy } }),
  // @ts-expect-error a schedule is none
  Client.make(Echo, { retry: { times: 3 } }),
  // @ts-expect-error nor a function
  Client.make(Echo, { fallback: () => undefined })
]

export const program = Effect.gen(function* () {
  const calls = yield* Client.make(Echo)
  yield* calls.Say({ req: new Text({}) }, { retry: policy, fallback: policy, rpcTimeout: "1 second" })

  const streams = yield* StreamClient.make(Echo)
  yield* streams.Ask(new Text({}), { retry: policy, fallback: undefined, rpcTimeout: "1 second", timeout: "5 seconds" })
  // @ts-expect-error a streaming call is not retried
  streams.Talk(Stream.empty, { retry: policy })
  // @ts-expect-error has no fallback
  streams.Watch(new Text({}), { fallback: policy })
  // @ts-expect-error and no RPC timeout
  streams.Watch(new Text({}), { rpcTimeout: "1 second" })
  // @ts-expect-error also where it has one answer
  yield* streams.Upload(Stream.empty, { retry: policy })
  // @ts-expect-error the handle neither
  yield* streams.Talk.open({ retry: policy })
})

/** What a policy runs, and what it gives, has no type: the call's is that of its method. */
export const own: CallPolicy.CallPolicy = {
  run: (attempt, info) =>
    Effect.catch(attempt(0), (failure) =>
      (failure as RpcError.RpcError)._tag === "RpcError" && info.mode !== "oneway"
        ? attempt(1, true)
        : Effect.fail(failure)
    )
}
