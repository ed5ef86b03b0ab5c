/** Budgets that a kind of call does not have must not compile: of its client, and of the call. */
import { Thrift } from "@millrace/codec"
import { Client, type ClientOptions, Method, Service, StreamClient, type StreamOptions } from "@millrace/rpc"
import { Effect, Stream } from "effect"

class Text extends Thrift.Struct<Text>("t.Text")({ text: Thrift.optional(1, Thrift.String) }) {}
class Echo extends Service.make("Echo", {
  methods: [
    Method.bidirectional("Talk", { request: Text, response: Text }),
    Method.clientStreaming("Tell", { request: Text, response: Text }),
    Method.serverStreaming("Hear", { request: Text, response: Text }),
    Method.pingPong("Say", { arguments: { req: Thrift.field(1, Text) }, response: Text })
  ]
}) {}

const text = new Text({ text: "a" })

export const streams = Effect.map(StreamClient.make(Echo), (client) => [
  // @ts-expect-error rpcTimeout
  client.Talk(Stream.make(text), { rpcTimeout: 1000 }),
  // @ts-expect-error rpcTimeout
  client.Talk.open({ rpcTimeout: 1000 }),
  // @ts-expect-error rpcTimeout
  client.Tell(Stream.make(text), { rpcTimeout: 1000 }),
  // @ts-expect-error rpcTimeout
  client.Hear(text, { rpcTimeout: 1000 }),
  client.Hear(text, { timeout: "1 second", connectTimeout: 50, recvTimeout: 100, recvTimeoutCancels: false })
])

export const calls = Effect.map(Client.make(Echo), (client) => [
  // @ts-expect-error timeout
  client.Say({ req: text }, { timeout: 1000 }),
  // @ts-expect-error recvTimeout
  client.Say({ req: text }, { recvTimeout: 1000 }),
  // @ts-expect-error sendTimeout
  client.Say({ req: text }, { sendTimeout: 1000 }),
  // @ts-expect-error firstMessageTimeout
  client.Say({ req: text }, { firstMessageTimeout: 1000 }),
  client.Say({ req: text }, { rpcTimeout: "1 second", connectTimeout: 50 })
])

// From a variable too, where the compiler lets unknown keys pass.
const rpcTimeout = { recvTimeout: 50, rpcTimeout: 1000 } as const
const recvTimeoutCancels = { rpcTimeout: 50, recvTimeoutCancels: false } as const
// @ts-expect-error rpcTimeout
export const ofStreams: StreamOptions.StreamClientOptions = rpcTimeout
// @ts-expect-error recvTimeoutCancels
export const ofCalls: ClientOptions.ClientOptions = recvTimeoutCancels
