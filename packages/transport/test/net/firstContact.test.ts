/**
 * Clients with the transport `auto`: TTHeader streaming where a server speaks it, HTTP/2 where it does not.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Logger, type Scope } from "effect"
import { TestClock } from "effect/testing"
import * as http2 from "node:http2"
import * as net from "node:net"
import { MemoryTransport } from "../../src/index.ts"
import { connectFailed } from "../../src/internal/net/errors.ts"
import { FirstContact } from "../../src/internal/net/firstContact.ts"
import type { StreamingClient } from "../../src/internal/net/ttstreamClient.ts"
import type { RawClientStream } from "../../src/RawStream.ts"
import { ClientTransport, type OpenRequest, ServerTransport } from "../../src/Transport.ts"
import type { TransportError } from "../../src/TransportError.ts"
import { Ticks } from "../support/socket.ts"
import { until } from "../support/calls.ts"
import { layers } from "../support/layers.ts"
import {
  decodeBytes,
  echo,
  encodeBytes,
  encodeText,
  ended,
  openStream,
  readTexts,
  requestTo,
  writeAll
} from "../support/raw.ts"

const open = (address: string, request: Partial<OpenRequest> = {}) =>
  openStream(address, { transport: "auto", ...request })

const asks = (address: string, text: string, request: Partial<OpenRequest> = {}) =>
  Effect.gen(function* () {
    const stream = yield* open(address, request)
    yield* writeAll(stream, [text], encodeText, true)
    const texts = yield* readTexts(stream)
    yield* ended(stream)
    return { texts, protocol: stream.protocol }
  })

interface Server {
  readonly address: string
  readonly port: number
  /** What came first on each connection. */
  readonly received: Array<Buffer>
  readonly sockets: Array<net.Socket>
}

const listening = (server: net.Server | http2.Http2Server, received: Array<Buffer>) => {
  const sockets: Array<net.Socket> = []
  return Effect.acquireRelease(
    Effect.callback<Server>((resume) => {
      server.on("connection", (socket: net.Socket) => sockets.push(socket))
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as net.AddressInfo
        resume(Effect.succeed({ address: `127.0.0.1:${port}`, port, received, sockets }))
      })
    }),
    () =>
      Effect.sync(() => {
        for (const socket of sockets) socket.destroy()
        server.close()
      })
  )
}

/** Reads, and does what it does. */
const rawServer = (onData: (socket: net.Socket) => void): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.suspend(() => {
    const received: Array<Buffer> = []
    const server = net.createServer((socket) => {
      socket.on("error", () => {})
      socket.once("data", (bytes) => {
        received.push(bytes as Buffer)
        onData(socket)
      })
    })
    return listening(server, received)
  })

/** A gRPC server of Node's own that echoes. */
const grpcServer = Effect.suspend(() => {
  const server = http2.createServer()
  server.on("stream", (stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc+thrift" }, { waitForTrailers: true })
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }))
    stream.on("error", () => {})
    stream.pipe(stream)
  })
  server.on("sessionError", () => {})
  return listening(server, [])
})

/** Closes what does not begin as HTTP/2 does, and hands on what does. */
const closing = Effect.gen(function* () {
  const grpc = yield* grpcServer
  const received: Array<Buffer> = []
  const server = net.createServer((socket) => {
    socket.on("error", () => {})
    socket.once("data", (bytes: Buffer) => {
      received.push(bytes)
      if (bytes.toString("latin1", 0, 3) !== "PRI") return socket.destroy()
      const on = net.connect(grpc.port, "127.0.0.1")
      on.on("error", () => {})
      on.write(bytes)
      socket.pipe(on)
      on.pipe(socket)
    })
  })
  return yield* listening(server, received)
})

const ours = () =>
  Effect.gen(function* () {
    const server = yield* ServerTransport
    const fork = Effect.runForkWith(yield* Effect.context())
    const found: Array<string> = []
    const listening = yield* server.listen({
      onStream: (stream) => {
        found.push(stream.protocol)
        fork(echo(stream))
      },
      onCall: (call) => {
        found.push(call.encoding)
        call.reply(call.take(decodeBytes), encodeBytes)
      }
    })
    return { address: `127.0.0.1:${listening.address.port}`, found }
  })

const lines: Array<string> = []

const test = <E>(
  title: string,
  body: Effect.Effect<void, E, ClientTransport | ServerTransport | Scope.Scope>,
  client: Parameters<typeof layers>[1] = {}
) =>
  it.live(title, () => {
    lines.length = 0
    const logger = Logger.make<unknown, void>(({ message }) => void lines.push(String(message)))
    return body.pipe(Effect.scoped, Effect.provide(layers({}, client)), Effect.provide(Logger.layer([logger])))
  })

describe("the transport auto", () => {
  test(
    "is TTHeader streaming where the server speaks it",
    Effect.gen(function* () {
      const { address, found } = yield* ours()
      const client = yield* ClientTransport
      assert.isUndefined(client.tryOpen(requestTo(address, { transport: "auto" })))
      const several = yield* Effect.forEach(["a", "b", "c"], (text) => asks(address, text), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(
        several,
        ["a", "b", "c"].map((text) => ({ texts: [text], protocol: "ttheader-streaming" as const }))
      )
      const next = client.tryOpen(requestTo(address, { transport: "auto" }))!
      next.closeSend()
      yield* ended(next)
      assert.deepStrictEqual(
        found,
        Array.from({ length: 4 }, () => "ttheader-streaming")
      )
      assert.deepStrictEqual(yield* asks(address, "u", { unary: true }), { texts: ["u"], protocol: "ttheader-framed" })
      assert.deepStrictEqual(lines, [])
    })
  )

  for (const [name, server] of [
    ["closes the connection", closing],
    ["begins as an HTTP/2 server does", grpcServer]
  ] as const) {
    test(
      `is HTTP/2 where the server ${name}, which is remembered and told once`,
      Effect.gen(function* () {
        const { address, received, sockets } = yield* server
        const all = yield* Effect.forEach(["a", "b", "c"], (text) => asks(address, text), { concurrency: "unbounded" })
        assert.deepStrictEqual(
          all,
          ["a", "b", "c"].map((text) => ({ texts: [text], protocol: "grpc" as const }))
        )
        assert.deepStrictEqual(yield* asks(address, "d"), { texts: ["d"], protocol: "grpc" })
        assert.deepStrictEqual(yield* asks(address, "u", { unary: true }), { texts: ["u"], protocol: "grpc" })
        // One connection to find out, one for all streams.
        assert.lengthOf(sockets, 2)
        assert.deepStrictEqual(lines, [
          `${address} does not speak TTHeader streaming: streams to it go over HTTP/2 (transport "auto")`
        ])
        if (received.length === 0) return
        // The Header frame alone: no message was written there.
        assert.strictEqual(received[0]!.readUInt32BE(0) + 4, received[0]!.length)
        assert.strictEqual(received[0]!.readUInt16BE(6), 2)
      })
    )
  }

  test(
    "is HTTP/2 for a unary call that is the first",
    Effect.gen(function* () {
      const { address } = yield* closing
      assert.deepStrictEqual(yield* asks(address, "u", { unary: true }), { texts: ["u"], protocol: "grpc" })
      assert.lengthOf(lines, 1)
    })
  )

  test(
    "remembers nothing of a server that closes every connection, and says what HTTP/2 met",
    Effect.gen(function* () {
      const { address, received } = yield* rawServer((socket) => socket.destroy())
      for (const connections of [2, 4]) {
        const error = yield* Effect.flip(open(address))
        assert.strictEqual(error.reason._tag, "ConnectFailed")
        assert.lengthOf(received, connections)
      }
      assert.deepStrictEqual(lines, [])
    })
  )

  test(
    "gives out the stream of a silent server after a while; what comes of it later is the stream's own",
    Effect.gen(function* () {
      const { address, received, sockets } = yield* rawServer(() => {})
      const stream = yield* open(address)
      assert.strictEqual(stream.protocol, "ttheader-streaming")
      // Others do not wait again.
      const client = yield* ClientTransport
      const second = client.tryOpen(requestTo(address, { transport: "auto" }))!
      yield* writeAll(stream, ["a message"], encodeText)
      sockets[0]!.destroy()
      const end = yield* ended(stream)
      assert.strictEqual(end._tag === "Failed" && end.error.reason._tag, "ConnectionLost")
      assert.strictEqual((yield* ended(second))._tag, "Failed")
      assert.lengthOf(received, 1)
      // It never said anything: who comes next finds out again.
      const found = yield* Effect.forkChild(Effect.flip(open(address)), { startImmediately: true })
      yield* until(() => received.length === 2)
      assert.isUndefined(found.pollUnsafe())
      yield* Fiber.interrupt(found)
    })
  )

  test(
    "fails for all who wait when nobody listens, and finds out later what does",
    Effect.gen(function* () {
      const free = yield* Effect.scoped(rawServer(() => {}))
      const errors = yield* Effect.forEach([1, 2, 3], () => Effect.flip(open(free.address)), {
        concurrency: "unbounded"
      })
      for (const error of errors) assert.strictEqual(error.reason._tag, "ConnectFailed")
    })
  )

  test(
    "gives its connection back when the first unary call does not wait",
    Effect.gen(function* () {
      const { address, sockets } = yield* rawServer(() => {})
      for (let i = 0; i < 3; i++) {
        const first = yield* Effect.forkChild(open(address, { unary: true }), { startImmediately: true })
        yield* until(() => sockets.length > 0)
        yield* Effect.sleep(5)
        yield* Fiber.interrupt(first)
      }
      assert.lengthOf(sockets, 1)
      const client = yield* ClientTransport
      client.retire!(address)
      // Nothing runs on it.
      yield* until(() => sockets[0]!.readableEnded || sockets[0]!.destroyed)
    })
  )

  test(
    "cancels the stream of one who does not wait, and the next asks for itself",
    Effect.gen(function* () {
      const { address, received, sockets } = yield* rawServer(
        (socket) => void socket.on("data", (bytes) => received.push(bytes as Buffer))
      )
      const first = yield* Effect.forkChild(open(address), { startImmediately: true })
      yield* until(() => received.length === 1)
      const second = yield* Effect.forkChild(open(address), { startImmediately: true })
      yield* Fiber.interrupt(first)
      const stream = yield* Fiber.join(second)
      assert.strictEqual(stream.protocol, "ttheader-streaming")
      yield* until(() => Buffer.concat(received).includes("invoking cancel() actively"))
      assert.lengthOf(sockets, 1)
    })
  )
})

for (const streamConnections of ["pooled", "short"] as const) {
  describe(`the transport auto, ${streamConnections} connections`, () => {
    test(
      "is TTHeader streaming, or HTTP/2",
      Effect.gen(function* () {
        const server = yield* ours()
        assert.deepStrictEqual(yield* asks(server.address, "u", { unary: true }), {
          texts: ["u"],
          protocol: "ttheader-framed"
        })
        assert.deepStrictEqual(yield* asks(server.address, "a"), { texts: ["a"], protocol: "ttheader-streaming" })
        const { address } = yield* closing
        assert.deepStrictEqual(yield* asks(address, "a"), { texts: ["a"], protocol: "grpc" })
        assert.deepStrictEqual(yield* asks(address, "b"), { texts: ["b"], protocol: "grpc" })
      }),
      { streamConnections }
    )
  })
}

describe("what addresses speak", () => {
  const platform = new Ticks().platform
  const stream = {} as RawClientStream
  const counting = () => {
    const opened: Array<string> = []
    let answer: Effect.Effect<RawClientStream, TransportError> = Effect.succeed(stream)
    const opener = {
      tryOpen: ({ address }: OpenRequest) => {
        opened.push(address)
        return stream
      },
      open: () => answer
    }
    const explored: Array<string> = []
    const contact = new FirstContact(
      opener,
      () => opener,
      ({ address }) => {
        explored.push(address)
        return Effect.succeed({
          open: () => stream,
          contact: Effect.succeed("ttheader")
        } as unknown as StreamingClient)
      },
      platform
    )
    return { contact, explored, opened, answerWith: (next: typeof answer) => (answer = next) }
  }
  const to = (address: string) => requestTo(address, { transport: "auto" })

  it.effect("is remembered of so many, the last found out", () =>
    Effect.gen(function* () {
      const { contact, explored } = counting()
      for (let i = 0; i <= 1024; i++) yield* contact.open(to(`${i}`))
      assert.lengthOf(explored, 1025)
      assert.isUndefined(contact.tryOpen(to("0")))
      assert.strictEqual(contact.tryOpen(to("1")), stream)
      yield* contact.open(to("1024"))
      assert.lengthOf(explored, 1025)
    })
  )

  it.effect("is found out again when it is forgotten, or nobody listens there any more", () =>
    Effect.gen(function* () {
      const { answerWith, contact, explored } = counting()
      yield* contact.open(to("a"))
      contact.forget("a")
      assert.isUndefined(contact.tryOpen(to("a")))
      yield* contact.open(to("a"))
      assert.lengthOf(explored, 2)
      answerWith(Effect.fail(connectFailed("a", "nobody listens")))
      yield* Effect.flip(contact.open(to("a")))
      assert.isUndefined(contact.tryOpen(to("a")))
    })
  )
})

describe("a first contact", () => {
  /** Nobody moves the clock but the test. */
  const timed = <E>(title: string, body: Effect.Effect<void, E, ClientTransport | ServerTransport | Scope.Scope>) =>
    it.effect(title, () => body.pipe(Effect.scoped, Effect.provide(MemoryTransport.layer)))

  const opening = (request: Partial<OpenRequest> = {}) =>
    Effect.forkChild(open("memory", request), { startImmediately: true })

  timed(
    "ends with the first byte of the server",
    Effect.gen(function* () {
      const server = yield* ServerTransport
      yield* server.listen({
        onStream: (stream) => stream.finish({ code: 0, message: "" }, []),
        onCall: (call) => call.abort()
      })
      assert.strictEqual((yield* ended(yield* open("memory")))._tag, "Status")
    })
  )

  timed(
    "is a beat where the first call is unary",
    Effect.gen(function* () {
      const { found } = yield* ours()
      assert.deepStrictEqual(yield* asks("memory", "u", { unary: true }), { texts: ["u"], protocol: "ttheader-framed" })
      assert.deepStrictEqual(found, ["ttheader-framed"])
    })
  )

  timed(
    "waits 200 milliseconds for a silent server, and no longer than the call has to connect",
    Effect.gen(function* () {
      for (const [request, millis] of [
        [{ address: "b", connectTimeoutMillis: 60 }, 60],
        [{ address: "c" }, 200]
      ] as const) {
        const { found } = yield* Effect.scoped(
          Effect.gen(function* () {
            const server = yield* ours()
            const first = yield* opening(request)
            yield* TestClock.adjust(millis - 1)
            assert.isUndefined(first.pollUnsafe())
            yield* TestClock.adjust(1)
            ;(yield* Fiber.join(first)).closeSend()
            return server
          })
        )
        assert.deepStrictEqual(found, ["ttheader-streaming"])
      }
    })
  )
})
