import { readFileSync } from "node:fs"
import * as net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Thrift } from "@millrace/codec"
import { Acl } from "@millrace/governance"
import { Admission, Method, Middleware, RpcError, RpcTracer, Server, Service } from "@millrace/rpc"
import { MemoryTransport, Transport } from "@millrace/transport"
import { NodeTransport } from "@millrace/transport/node"
import { Context, Deferred, Effect, Layer, Stream } from "effect"
import { admit, request } from "./support/admissions.ts"
import { StreamClient } from "./support/over.ts"

const members = { message: Thrift.optional(1, Thrift.String), count: Thrift.optional(2, Thrift.I32) }
class Request extends Thrift.Struct<Request>("wire.Request")(members) {}
class Response extends Thrift.Struct<Response>("wire.Response")(members) {}
const echo = Method.pingPong("Echo", { arguments: { req: Thrift.field(1, Request) }, response: Response })
class GoldenService extends Service.make("GoldenService", { package: "wire", methods: [echo] }) {}
class GoldenStream extends Service.make("GoldenStream", {
  package: "wire",
  methods: [
    Method.unary("Unary", { request: Request, response: Response }),
    Method.bidirectional("Bidi", { request: Request, response: Response })
  ]
}) {}

const ran: Array<string> = []
const handling = <A>(name: string, answer: A) => Effect.sync(() => (ran.push(name), answer))
const serving = (options: Server.Options<ReadonlyArray<Middleware.ForServer>>) =>
  Server.layer([GoldenService, GoldenStream], { graceTime: 0, ...options }).pipe(
    Layer.provide(GoldenService.toLayer({ Echo: () => handling("Echo", new Response({})) })),
    Layer.provide(
      GoldenStream.toLayer({
        Unary: () => handling("Unary", new Response({})),
        Bidi: () => Stream.fromEffect(handling("Bidi", new Response({})))
      })
    )
  )

// --- as Kitex answers --------------------------------------------------------------------------------------------------------

interface Case {
  readonly name: "acl" | "middleware-overlimit"
  readonly transport: string
  readonly send?: string
  readonly message?: string
  readonly path?: string
  readonly frames?: ReadonlyArray<{ readonly headers?: ReadonlyArray<readonly [name: string, value: string]> }>
}
const recorded: { readonly cases: ReadonlyArray<Case> } = JSON.parse(
  readFileSync(new URL("./data/kitex-refusals.json", import.meta.url), "utf8")
)

const tooBusy = new RpcError.RpcError({
  code: 8,
  desc: "request over limit: too busy",
  reason: new RpcError.Rejected({ limit: "too busy" })
})
const ways: Readonly<Record<Case["name"], ReadonlyArray<Server.Options<ReadonlyArray<Middleware.ForServer>>>>> = {
  acl: [
    { admission: [Acl.admission(() => "denied")] },
    { middleware: [Acl.middleware(() => Effect.succeed("denied"))] }
  ],
  "middleware-overlimit": [
    { admission: [Admission.make(() => tooBusy)] },
    { middleware: [Middleware.server(() => Effect.fail(tooBusy))] }
  ]
}

/** Sends to a port, and gives what came when there is so much of it. */
const exchange = (port: number, send: string, length: number): Promise<string> =>
  new Promise((resolve, reject) => {
    let got = Buffer.alloc(0)
    const socket = net.connect(port, "127.0.0.1", () => socket.write(Buffer.from(send, "hex")))
    socket.on("error", reject)
    socket.on("data", (chunk) => {
      got = Buffer.concat([got, chunk])
      if (got.length < 4 || got.length < 4 + got.readUInt32BE(0)) return
      socket.destroy()
      resolve(got.subarray(got.length - length).toString("hex"))
    })
  })

/** The status of a stream, of which nothing else comes. */
const statusOf = Effect.fnUntraced(function* (path: string) {
  const transport = yield* Transport.ClientTransport
  const stream = yield* transport.open({ address: "memory", authority: "golden-dest", path })
  const done = yield* Deferred.make<unknown>()
  const look = () => {
    const { end } = stream
    if (end?._tag === "Status") {
      Deferred.doneUnsafe(done, Effect.succeed({ messages: stream.available, ...end.status }))
    }
  }
  stream.listener = { onReadable: look, onWritable: look, onAbort: look }
  const hi = Buffer.from(path.endsWith("Unary") ? "0c00010b00010000000268690000" : "0b000100000002686900", "hex")
  stream.write([hi], 0, (message, out) => {
    out.ensure(message.length)
    out.buffer.set(message, out.position)
    out.position += message.length
  })
  if (path.endsWith("Unary")) stream.closeSend()
  look()
  return yield* Deferred.await(done)
})

describe("what a Kitex server answers", () => {
  for (const { frames, message, name, path, send, transport } of recorded.cases) {
    it.live(`${name}, ${transport}: by a rule and by a middleware`, () =>
      Effect.gen(function* () {
        for (const options of ways[name]) {
          ran.length = 0
          const live = serving(options)
          if (send !== undefined) {
            const server = Layer.provide(live, NodeTransport.layerServer({ port: 0, host: "127.0.0.1" }))
            const { address } = Context.get(yield* Layer.build(Layer.fresh(server)), Server.Server)
            const answer = yield* Effect.promise(() => exchange(address.port, send, message!.length / 2))
            assert.strictEqual(answer, message)
          } else {
            const headers = new Map(frames![0]!.headers)
            const answer = yield* Effect.provide(
              statusOf(path!),
              Layer.fresh(Layer.provideMerge(live, MemoryTransport.layer))
            )
            assert.deepStrictEqual(answer, {
              messages: 0,
              code: Number(headers.get("grpc-status")),
              message: headers.get("grpc-message")
            })
          }
          assert.deepStrictEqual(ran, [])
        }
      }).pipe(Effect.scoped, Effect.orDie)
    )
  }
})

// --- rules ---------------------------------------------------------------------------------------------------------------------

describe("a rule", () => {
  it("sees the call, admits it, or says why not", () => {
    const rule = Acl.admission(({ info, peer }) =>
      info.caller === "admin" ? undefined : `${info.caller} may not call ${info.method} from ${peer}`
    )
    assert.strictEqual(typeof admit(rule, request({ caller: "admin" })), "function")
    for (const caller of ["a", "b", "a", "a"]) {
      const error = admit(rule, request({ caller }))
      assert.isTrue(error instanceof RpcError.RpcError)
      if (!(error instanceof RpcError.RpcError)) return
      assert.deepStrictEqual(
        [error.code, error.desc, error.reason._tag],
        [7, `request forbidden: ${caller} may not call Method from 10.0.0.1:5000`, "Forbidden"]
      )
    }
    assert.strictEqual(rule.admit(request({ caller: "a" })), rule.admit(request({ caller: "a" })))
  })

  it.effect("of a client stands behind its other middleware and before an instance is chosen", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const tracer = RpcTracer.layer({ start: () => Effect.sync(() => void log.push("start")) })
      const outer = Middleware.client((next) =>
        Effect.andThen(
          Effect.sync(() => void log.push("middleware")),
          next
        )
      )
      const rule = Acl.middleware((info) =>
        Effect.sync(() => (log.push(`rule, address ${info.address || "none"}`), "no"))
      )
      const client = yield* Effect.provide(
        StreamClient.make(GoldenStream, {
          middleware: [outer, rule],
          endpoints: { pick: () => (log.push("pick"), "memory") }
        }),
        tracer
      )
      const error = yield* Effect.flip(client.Unary(new Request({})))
      assert.isTrue(error instanceof RpcError.RpcError && error.desc === "request forbidden: no")
      assert.deepStrictEqual(log, ["start", "middleware", "rule, address none"])
    }).pipe(Effect.scoped, Effect.provide(MemoryTransport.layer))
  )

  it.effect("may ask a service, which its client or server then requires", () => {
    class Directory extends Context.Service<
      Directory,
      { readonly mayCall: (caller: string) => Effect.Effect<boolean> }
    >()("test/Directory") {}
    const rule = Acl.middleware((info) =>
      Effect.map(
        Directory.use((directory) => directory.mayCall(info.caller)),
        (may) => (may ? undefined : "unknown caller")
      )
    )
    const live = Server.layer([GoldenStream], { middleware: [rule], graceTime: 0 }).pipe(
      Layer.provide(
        GoldenStream.toLayer({
          Unary: () => Effect.succeed(new Response({ message: "hello" })),
          Bidi: () => Stream.empty
        })
      ),
      Layer.provideMerge(MemoryTransport.layer)
    )
    // @ts-expect-error nobody has provided the directory
    const _: Layer.Layer<Server.Server | Transport.ClientTransport | Transport.ServerTransport, RpcError.RpcError> =
      live
    const directory = Layer.succeed(Directory, { mayCall: (caller) => Effect.succeed(caller === "friend") })
    return Effect.gen(function* () {
      const friend = yield* StreamClient.make(GoldenStream, { callerName: "friend" })
      const stranger = yield* StreamClient.make(GoldenStream, { callerName: "stranger" })
      assert.strictEqual((yield* friend.Unary(new Request({}))).message, "hello")
      const error = yield* Effect.flip(stranger.Unary(new Request({})))
      assert.isTrue(error instanceof RpcError.RpcError && error.desc === "request forbidden: unknown caller")
    }).pipe(Effect.scoped, Effect.provide(Layer.provide(live, directory)))
  })
})
