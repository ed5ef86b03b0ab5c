/** What of Kitex's options must not compile, as docs/options.md says. */
import { Thrift } from "@millrace/codec"
import { Client, Method, Server, Service, StreamClient } from "@millrace/rpc"

class Text extends Thrift.Struct<Text>("t.Text")({ text: Thrift.optional(1, Thrift.String) }) {}
class Echo extends Service.make("Echo", {
  methods: [
    Method.bidirectional("Talk", { request: Text, response: Text }),
    Method.pingPong("Say", { arguments: { req: Thrift.field(1, Text) }, response: Text })
  ]
}) {}

export const streams = [
  // @ts-expect-error WithRPCTimeout
  StreamClient.make(Echo, { rpcTimeout: "1 second" }),
  // @ts-expect-error WithShortConnection, WithLongConnection, WithMuxConnection
  StreamClient.make(Echo, { connection: "short" }),
  // @ts-expect-error WithFailureRetry and its kin
  StreamClient.make(Echo, { retry: { times: 3 } }),
  // @ts-expect-error WithFallback
  StreamClient.make(Echo, { fallback: () => undefined }),
  StreamClient.make(Echo, { transport: "ttheader-streaming" }),
  // @ts-expect-error WithTransportProtocol of what carries no streams
  StreamClient.make(Echo, { transport: "ttheader-framed" })
]

export const calls = [
  // @ts-expect-error WithStreamRecvTimeoutConfig
  Client.make(Echo, { recvTimeout: "1 second" }),
  // @ts-expect-error WithTransportProtocol of streams
  Client.make(Echo, { transport: "ttheader-streaming" }),
  // @ts-expect-error WithGRPCCompressor
  Client.make(Echo, { compressor: "gzip" })
]

export const servers = [
  // @ts-expect-error WithReadWriteTimeout
  Server.layer([Echo], { readWriteTimeout: "1 second" }),
  // @ts-expect-error WithBoundHandler
  Server.layer([Echo], { boundHandler: () => undefined }),
  // @ts-expect-error WithContextBackup
  Server.layer([Echo], { contextBackup: true }),
  // @ts-expect-error WithReusePort
  Server.layer([Echo], { reusePort: true })
]

// From a variable too, where the compiler lets unknown keys pass.
const readWriteTimeout = { graceTime: "1 second", readWriteTimeout: "1 second" } as const
const boundHandler = { graceTime: "1 second", boundHandler: () => undefined } as const
const contextBackup = { graceTime: "1 second", contextBackup: true } as const
const reusePort = { graceTime: "1 second", reusePort: true } as const
export const serversOfVariables = [
  Server.layer([Echo], { graceTime: "1 second" }),
  // @ts-expect-error WithReadWriteTimeout
  Server.layer([Echo], readWriteTimeout),
  // @ts-expect-error WithBoundHandler
  Server.layer([Echo], boundHandler),
  // @ts-expect-error WithContextBackup
  Server.layer([Echo], contextBackup),
  // @ts-expect-error WithReusePort
  Server.layer([Echo], reusePort)
]
