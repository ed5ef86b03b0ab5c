import { readFileSync } from "node:fs"
import * as net from "node:net"
import { Thrift } from "@millrace/codec"
import { NodeTransport } from "@millrace/transport/node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Logger, Stream } from "effect"
import { BizStatusError, Method, RpcError, Server, Service } from "../../src/index.ts"

// The recorded bytes of Kitex clients, and of probes, go over a socket to a server with the handlers of the recorded one.
// What comes back has to be what that one sent.

interface Row {
  readonly name: string
  readonly send: string
  readonly replies: ReadonlyArray<string>
  readonly closed: boolean
  /** Sent to a server that refuses calls without the name of a service. */
  readonly refuse?: boolean
  /** The recorded server had no meta handler. */
  readonly plain?: boolean
}
const recorded: { readonly rows: ReadonlyArray<Row> } = JSON.parse(
  readFileSync(new URL("../data/kitex-calls.json", import.meta.url), "utf8")
)

const members = { message: Thrift.optional(1, Thrift.String), count: Thrift.optional(2, Thrift.I32) }
class Request extends Thrift.Struct<Request>("wire.Request")(members) {}
class Response extends Thrift.Struct<Response>("wire.Response")(members) {}
class Strict extends Thrift.Struct<Strict>("wire.Strict")({ message: Thrift.required(1, Thrift.String) }) {}
class AppErr extends Thrift.Exception<AppErr>()("wire.AppErr", {
  code: Thrift.optional(1, Thrift.I32),
  msg: Thrift.optional(2, Thrift.String)
}) {}
const echo = Method.pingPong("Echo", {
  arguments: { req: Thrift.field(1, Request) },
  response: Response,
  exceptions: { err: Thrift.field(1, AppErr) }
})
class GoldenService extends Service.make("GoldenService", {
  package: "wire",
  methods: [
    echo,
    Method.pingPong("EchoStrict", { arguments: { req: Thrift.field(1, Strict) }, response: Response }),
    Method.pingPong("Count", { arguments: { n: Thrift.field(1, Thrift.I32) }, response: Thrift.I32 }),
    Method.pingPong("Ping", { arguments: {} }),
    Method.oneway("Notify", { arguments: { msg: Thrift.field(1, Thrift.String) } })
  ]
}) {}
class GoldenStream extends Service.make("GoldenStream", {
  package: "wire",
  methods: [echo, Method.bidirectional("Bidi", { request: Request, response: Response })]
}) {}

const biz = (statusCode: number, statusMessage: string, extra: Readonly<Record<string, string>> = {}) =>
  Effect.fail(new BizStatusError.BizStatusError({ statusCode, statusMessage, extra }))

/** What the recorded handlers did, in our words. */
const scripts: Readonly<Record<string, Effect.Effect<Response, any>>> = {
  nil: Effect.succeed(undefined) as never,
  "app-error": Effect.fail(new AppErr({ code: 42, msg: "bad" })),
  "wrapped-app-error": Effect.fail(new Error("wrapped: AppErr({Code:42 Msg:bad})")),
  "plain-error": Effect.fail(new Error("boom")),
  "trans-error": Effect.fail(new RpcError.RpcError({ reason: new RpcError.Status({}), code: 1000, desc: "retry" })),
  panic: Effect.die("kaboom"),
  biz: biz(404, "not found"),
  "biz-extra": biz(404, "not found", { k: "v" }),
  "biz-html": biz(-7, "错误 <a&b> 100%", { k: "<a&b> 中\u2028" }),
  "biz-empty-extra": biz(5, ""),
  "biz-zero": biz(0, "zero")
}
const Echo = ({ req }: { readonly req: Request | undefined }) =>
  scripts[req?.message ?? ""] ??
  Effect.succeed(
    new Response(req === undefined ? { message: "nil request" } : { message: req.message, count: req.count })
  )

const serverOf = (options: Server.Options<[]>) =>
  Server.layer([GoldenService, GoldenStream], { fallback: GoldenService, graceTime: 0, ...options }).pipe(
    Layer.provide(
      GoldenService.toLayer({
        Echo,
        EchoStrict: ({ req }) => Effect.succeed(new Response({ message: req.message })),
        Count: ({ n }) => Effect.succeed(n + 1),
        Ping: () => Effect.void,
        Notify: ({ msg }) => Effect.asVoid((scripts[msg] ?? Effect.void) as Effect.Effect<unknown>)
      })
    ),
    Layer.provide(
      GoldenStream.toLayer({
        Echo,
        Bidi: () => Stream.empty
      })
    ),
    Layer.provide(NodeTransport.layerServer({ port: 0, host: "127.0.0.1" }))
  )

class Refusing extends Context.Service<Refusing, { readonly port: number }>()("test/Refusing") {}
const servers = Layer.mergeAll(
  serverOf({}),
  Layer.effect(
    Refusing,
    Effect.map(Server.Server, ({ address }) => address)
  ).pipe(Layer.provide(Layer.fresh(serverOf({ refuseTrafficWithoutServiceName: true }))))
).pipe(Layer.orDie)

// --- a socket ----------------------------------------------------------------------------------------------------------------

/** A Framed call of a method that nobody has, told by its sequence id: its answer comes last, and ends the connection. */
const mark = "7f7f7f7f"
const probe = `000000128001000100000005506f6e673f${mark}00`
const beforeMark = 17

/** Sends, and gives what came until the server ended the connection: at once, or behind the answer to the probe. */
const exchange = (port: number, send: string, closed: boolean): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Array<Buffer> = []
    const socket = net.connect(port, "127.0.0.1", () => socket.write(Buffer.from(closed ? send : send + probe, "hex")))
    socket.on("data", (chunk) => chunks.push(chunk))
    socket.on("error", reject)
    socket.on("end", () => {
      const bytes = Buffer.concat(chunks)
      resolve(closed ? bytes : bytes.subarray(0, bytes.indexOf(mark, 0, "hex") - beforeMark))
    })
  })

// --- answers, comparable ---------------------------------------------------------------------------------------------------

interface Packet {
  readonly sequenceId?: number
  readonly strings?: ReadonlyArray<string>
  readonly ints?: ReadonlyArray<string>
  readonly message: string
}

/** Says that calls are answered side by side; Kitex has nothing like it. */
const ours = 0x4d52

const packets = (bytes: Buffer, plain: boolean): Array<Packet> => {
  const all: Array<Packet> = []
  let at = 0
  while (at < bytes.length) {
    if (bytes.readUInt16BE(at) === 0x8001) {
      all.push({ message: messageOf(bytes.subarray(at)) })
      break
    }
    const end = at + 4 + bytes.readUInt32BE(at)
    if (bytes.readUInt16BE(at + 4) === 0x1000) {
      const bodyAt = at + 14 + bytes.readUInt16BE(at + 12) * 4
      const message = messageOf(bytes.subarray(bodyAt, end))
      all.push(plain ? { message } : { ...headerOf(bytes.subarray(at, bodyAt)), message })
    } else {
      all.push({ message: messageOf(bytes.subarray(at + 4, end)) })
    }
    at = end
  }
  return all
}

const headerOf = (header: Buffer) => {
  const strings: Array<string> = []
  const ints: Array<string> = []
  let at = 16
  const text = () => {
    const length = header.readUInt16BE(at)
    at += 2 + length
    return header.toString("utf8", at - length, at)
  }
  while (at < header.length) {
    const block = header[at++]
    if (block === 0) continue
    const count = header.readUInt16BE(at)
    at += 2
    for (let i = 0; i < count; i++) {
      if (block === 1) strings.push(`${text()}=${text()}`)
      else {
        const key = header.readUInt16BE(at)
        at += 2
        const value = text()
        if (key !== ours) ints.push(`${key}=${value}`)
      }
    }
  }
  return { sequenceId: header.readInt32BE(8), strings: strings.sort(), ints: ints.sort() }
}

/** The message as hex; of one that says why it did not decode, the text is each codec's own. */
const messageOf = (payload: Buffer): string => {
  const message = payload.readUInt16BE(0) === 0x8001 ? payload : payload.subarray(4)
  const hex = message.toString("hex")
  return hex.endsWith("0800020000000700") ? `${hex.slice(0, 24 + message.readUInt32BE(4) * 2)} type 7` : hex
}

describe("what a Kitex server answers", () => {
  it.live("to Kitex clients and to probes, on the wire", () =>
    Effect.gen(function* () {
      const server = yield* Server.Server
      const refusing = yield* Refusing
      for (const { closed, name, plain = false, refuse, replies, send } of recorded.rows) {
        const port = refuse === true ? refusing.port : server.address.port
        const bytes = yield* Effect.promise(() => exchange(port, send, closed))
        const expected = replies.flatMap((reply) => packets(Buffer.from(reply, "hex"), plain))
        assert.deepStrictEqual(packets(bytes, plain), expected, name)
      }
    }).pipe(Effect.provide(servers), Effect.provide(Logger.layer([])))
  )
})
