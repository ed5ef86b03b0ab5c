/**
 * Servers that break the rules against our client, over sockets: each ends in a typed error that says what and where, at once or within its
 * budget, and a call to another server beside it does not notice.
 */
import { assert, describe, it } from "@effect/vitest"
import type { CallError } from "@millrace/rpc/ClientStream"
import { NodeTransport } from "@millrace/transport/node"
import { RpcError, Server } from "@millrace/rpc"
import { Cause, Effect, Exit, Layer, type Scope, Stream } from "effect"
import type { Socket } from "node:net"
import {
  block,
  concat,
  data,
  frame,
  goaway,
  ping,
  rst,
  settings,
  settingsAck,
  text
} from "../../packages/transport/test/http2/raw.ts"
import { Request } from "../src/api.ts"
import * as Soak from "../src/soak.ts"
import { usage } from "../src/usage.ts"
import { answering, fakeServer, indexed, literal, onRequest, prefixed, unknownFrame } from "./attacker.ts"
import { soakClient, until } from "./soaking.ts"

const KiB = 1024
const MiB = 1024 * KiB

/** The call failed with this reason, code and text, and says where. */
const assertFailed = (
  exit: Exit.Exit<unknown, CallError>,
  address: string,
  reason: RpcError.RpcError["reason"]["_tag"],
  code: number,
  desc: RegExp | string
): void => {
  assert.isTrue(Exit.isFailure(exit), "the call fails")
  const error = Exit.isFailure(exit) && exit.cause.reasons[0]?._tag === "Fail" ? exit.cause.reasons[0].error : undefined
  if (!(error instanceof RpcError.RpcError)) return assert.fail(`not an RpcError: ${JSON.stringify(exit)}`)
  assert.strictEqual(error.reason._tag, reason, error.message)
  assert.strictEqual(error.code, code, error.message)
  if (typeof desc === "string") assert.strictEqual(error.desc, desc)
  else assert.match(error.desc, desc)
  assert.strictEqual(error.method, "Soak.Produce")
  assert.strictEqual(error.address, address)
}

const ours = Layer.unwrap(Effect.sync(() => Soak.make(Soak.handlers()))).pipe((implementation) =>
  Server.layer([Soak.Soak], { graceTime: 100 }).pipe(
    Layer.provide(implementation),
    Layer.provide(NodeTransport.layerServer({ port: 0, host: "127.0.0.1" }))
  )
)

/** Calls a hostile server and a good one with one transport: the exit of the first call, and how long it took. */
const callBeside = (
  serve: (socket: Socket) => void,
  options: {
    readonly timeout?: number
    readonly request?: Request
    readonly transport?: NodeTransport.ClientOptions
  } = {}
) =>
  Effect.gen(function* () {
    const { address: at } = yield* Effect.map(Layer.build(ours), (context) =>
      Effect.runSync(Effect.provide(Server.Server, context))
    )
    const good = `${at.hostname}:${at.port}`
    const address = yield* fakeServer(serve)
    const before = usage()
    const client = yield* soakClient(address, {}, { settingsTimeout: 500, ...options.transport })
    const beside = yield* client.Echo.open({ hostPort: good })
    const talk = Effect.andThen(beside.send(new Request({ message: "beside" })), beside.recv)
    yield* talk
    const from = performance.now()
    const exit = yield* client
      .Produce(options.request ?? new Request({}), options.timeout === undefined ? {} : { timeout: options.timeout })
      .pipe(Stream.runCollect, Effect.exit)
    const millis = performance.now() - from
    assert.strictEqual((yield* talk).message, "beside")
    assert.isBelow(usage().held - before.held, 4 * MiB, "memory")
    return { exit, millis, address }
  }).pipe(Effect.orDie)

const status = (...fields: ReadonlyArray<readonly [string, string]>) =>
  concat(fields.map(([name, value]) => literal(name, value)))
const head = status([":status", "200"], ["content-type", "application/grpc+thrift"])
const trailers = status(["grpc-status", "0"], ["grpc-message", ""])
const message = prefixed(Uint8Array.of(0))

describe("hostile servers", () => {
  describe("silence", () => {
    it.live("accepts and never sends SETTINGS", () =>
      Effect.gen(function* () {
        const { address, exit, millis } = yield* callBeside(() => {})
        assertFailed(exit, address, "ConnectTimeout", 14, /within 500ms: the server sent no HTTP\/2 SETTINGS/)
        assert.isBelow(millis, 4000)
      })
    )

    it.live("sends SETTINGS, then nothing: the deadline ends the call", () =>
      Effect.gen(function* () {
        const serve = (socket: Socket) => void socket.write(settings())
        const { address, exit, millis } = yield* callBeside(serve, { timeout: 300 })
        assertFailed(exit, address, "DeadlineExceeded", 4, "context deadline exceeded")
        assert.isAtLeast(millis, 290)
        assert.isBelow(millis, 4000)
      })
    )

    it.live("sends headers, then nothing: the deadline ends the call", () =>
      Effect.gen(function* () {
        const { address, exit, millis } = yield* callBeside(
          answering((id) => [block(id, head)]),
          { timeout: 300 }
        )
        assertFailed(exit, address, "DeadlineExceeded", 4, "context deadline exceeded")
        assert.isBelow(millis, 4000)
      })
    )

    it.live("stops answering: keepalive ends the connection and every call on it", () =>
      Effect.gen(function* () {
        const keepalive = { time: 200, timeout: 300 }
        const { address, exit, millis } = yield* callBeside(
          answering((id) => [block(id, head), data(id, message)]),
          { transport: { keepalive } }
        )
        assertFailed(exit, address, "Unavailable", 14, /keepalive ping failed to receive ACK within timeout/)
        assert.isAtLeast(millis, 490)
        assert.isBelow(millis, 4000)
      })
    )

    it.live("stops inside a frame: the deadline ends the call", () =>
      Effect.gen(function* () {
        const { address, exit } = yield* callBeside(
          answering((id) => [block(id, head), data(id, message).subarray(0, 11)]),
          { timeout: 300 }
        )
        assertFailed(exit, address, "DeadlineExceeded", 4, "context deadline exceeded")
      })
    )
  })

  describe("before the first answer", () => {
    const cases: ReadonlyArray<readonly [string, (socket: Socket) => void, RegExp]> = [
      ["closes before SETTINGS", (socket) => void socket.end(), /the server closed the connection before its SETTINGS/],
      ["resets before SETTINGS", (socket) => void socket.resetAndDestroy(), /ECONNRESET|closed the connection/],
      [
        "speaks HTTP/1",
        (socket) => void socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"),
        /first frame received is not a setting frame|HTTP/
      ],
      [
        "sends junk",
        (socket) => void socket.write(new Uint8Array(100).fill(0xee)),
        /first frame received is not a setting frame/
      ],
      [
        "sends GOAWAY in place of SETTINGS",
        (socket) => void socket.write(goaway(0, 11, "go away")),
        /first frame received is not a setting frame/
      ],
      [
        "sends SETTINGS that are wrong",
        (socket) => void socket.write(settings([4, 2 ** 31])),
        /SETTINGS_INITIAL_WINDOW_SIZE/
      ]
    ]
    for (const [name, serve, desc] of cases) {
      it.live(`${name}: fails at once`, () =>
        Effect.gen(function* () {
          const { address, exit, millis } = yield* callBeside(serve, {
            timeout: 10_000,
            transport: { settingsTimeout: 10_000 }
          })
          assertFailed(exit, address, "Unavailable", 14, desc)
          assert.isBelow(millis, 3000)
        })
      )
    }
  })

  describe("answers that are not gRPC", () => {
    const codes = { 200: 2, 400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 500: 2, 502: 14, 503: 14, 504: 14 }
    const phrases: Readonly<Record<string, string>> = { 200: "OK", 404: "Not Found", 503: "Service Unavailable" }
    for (const [http, code] of Object.entries(codes)) {
      it.live(`status ${http} and text/html`, () =>
        Effect.gen(function* () {
          const { address, exit } = yield* callBeside(
            answering((id) => [
              block(id, status([":status", http], ["content-type", "text/html"])),
              data(id, text("<html>"), true)
            ])
          )
          const desc = `HTTP status code ${http}; transport: received the unexpected content-type "text/html"`
          assertFailed(exit, address, "ProtocolViolation", code, new RegExp(`^${phrases[http] ?? ".*"}: ${desc}$`))
        })
      )
    }

    it.live("without content-type", () =>
      Effect.gen(function* () {
        const { address, exit } = yield* callBeside(answering((id) => [block(id, status([":status", "404"]), true)]))
        const desc = "Not Found: HTTP status code 404; transport: missing content-type field"
        assertFailed(exit, address, "ProtocolViolation", 12, desc)
      })
    )

    const missing = "malformed header: missing HTTP status; transport: missing content-type field"
    it.live("DATA before HEADERS", () =>
      Effect.gen(function* () {
        const { address, exit } = yield* callBeside(answering((id) => [data(id, message), block(id, trailers, true)]))
        assertFailed(exit, address, "ProtocolViolation", 13, missing)
      })
    )

    it.live("HEADERS in the middle", () =>
      Effect.gen(function* () {
        const { address, exit } = yield* callBeside(
          answering((id) => [block(id, head), data(id, message), block(id, trailers)])
        )
        const desc = "a HEADERS frame cannot appear in the middle of a stream"
        assertFailed(exit, address, "ProtocolViolation", 13, desc)
      })
    )

    it.live("an end without trailers", () =>
      Effect.gen(function* () {
        const { address, exit } = yield* callBeside(answering((id) => [block(id, head), data(id, message, true)]))
        assertFailed(exit, address, "ProtocolViolation", 13, "server closed the stream without sending trailers")
      })
    )

    it.live("a status that is no number", () =>
      Effect.gen(function* () {
        const { address, exit } = yield* callBeside(
          answering((id) => [block(id, concat([head, status(["grpc-status", "abc"])]), true)])
        )
        assertFailed(
          exit,
          address,
          "ProtocolViolation",
          13,
          /^transport: malformed grpc-status: .*"abc": invalid syntax$/
        )
      })
    )

    it.live("a message that is cut off", () =>
      Effect.gen(function* () {
        const { address, exit } = yield* callBeside(
          answering((id) => [block(id, head), data(id, Uint8Array.of(0, 0, 0, 0, 9, 1)), block(id, trailers, true)])
        )
        assertFailed(exit, address, "ProtocolViolation", 13, "unexpected EOF")
      })
    )

    it.live("a message that does not decode: what and where", () =>
      Effect.gen(function* () {
        const { address, exit } = yield* callBeside(
          answering((id) => [block(id, head), data(id, prefixed(Uint8Array.of(11, 0, 1, 0, 0, 1, 0, 65)))])
        )
        assertFailed(exit, address, "CodecError", 7, "Response.message: expected 256 bytes of string, 1 are left")
      })
    )

    it.live("huge headers", () =>
      Effect.gen(function* () {
        const part = literal("x", "y".repeat(16_000))
        const huge = [block(1, concat([head, part]), false, false)]
        const { address, exit } = yield* callBeside(
          answering(() => [...huge, ...Array(8).fill(frame(9, 0, 1, part)), frame(9, 4, 1, part)])
        )
        assertFailed(exit, address, "Rejected", 13, "peer header list size exceeded limit")
      })
    )

    it.live("an HPACK bomb", () =>
      Effect.gen(function* () {
        const bomb = concat([head, indexed("x", "y".repeat(4000)), new Uint8Array(10_000).fill(0xbe)])
        const { address, exit } = yield* callBeside(answering((id) => [block(id, bomb)]))
        assertFailed(exit, address, "Rejected", 13, "peer header list size exceeded limit")
      })
    )

    it.live("a CONTINUATION flood ends the connection", () =>
      Effect.gen(function* () {
        const empty = frame(9, 0, 1)
        const { address, exit } = yield* callBeside(
          answering((id) => [block(id, head, false, false), ...Array(1000).fill(empty)])
        )
        assertFailed(exit, address, "Rejected", 14, /too many CONTINUATION frames/)
      })
    )

    it.live("a ping flood ends the connection", () =>
      Effect.gen(function* () {
        const { address, exit } = yield* callBeside(answering(() => Array(20_000).fill(ping())))
        assertFailed(exit, address, "Rejected", 14, /too_many_pings/)
      })
    )

    it.live("junk frames are passed over, junk bytes end the connection", () =>
      Effect.gen(function* () {
        const good = yield* callBeside(
          answering((id) => [unknownFrame, block(id, head), unknownFrame, data(id, message), block(id, trailers, true)])
        )
        assert.isTrue(Exit.isSuccess(good.exit))
        const { address, exit } = yield* callBeside(
          answering((id) => [block(id, head), new Uint8Array(100).fill(0xee)])
        )
        assertFailed(exit, address, "ProtocolViolation", 14, /a frame of 15658734 bytes/)
      })
    )

    it.live("a message above the limit is refused on its prefix", () =>
      Effect.gen(function* () {
        const { address, exit } = yield* callBeside(
          answering((id) => [block(id, head), data(id, Uint8Array.of(0, 127, 255, 255, 255, 1, 2, 3))])
        )
        assertFailed(exit, address, "Rejected", 8, /received message larger than maxReceiveMessageSize \(\d+ bytes\)/)
      })
    )
  })

  describe("RST_STREAM", () => {
    const codes: ReadonlyArray<readonly [number, number, RpcError.RpcError["reason"]["_tag"], string]> = [
      [0, 13, "Status", "NO_ERROR"],
      [1, 13, "Status", "PROTOCOL_ERROR"],
      [2, 13, "Status", "INTERNAL_ERROR"],
      [3, 8, "Status", "FLOW_CONTROL_ERROR"],
      [4, 13, "Status", "SETTINGS_TIMEOUT"],
      [5, 13, "Status", "STREAM_CLOSED"],
      [6, 13, "Status", "FRAME_SIZE_ERROR"],
      [7, 14, "Unavailable", "REFUSED_STREAM"],
      [8, 1, "Cancelled", "CANCEL"],
      [9, 13, "Status", "COMPRESSION_ERROR"],
      [10, 13, "Status", "CONNECT_ERROR"],
      [11, 8, "Status", "ENHANCE_YOUR_CALM"],
      [12, 7, "Status", "INADEQUATE_SECURITY"],
      [13, 13, "Status", "HTTP_1_1_REQUIRED"],
      [14, 2, "Status", "unknown error code 0xe"]
    ]
    for (const [reset, code, reason, name] of codes) {
      it.live(`${reset} is code ${code}`, () =>
        Effect.gen(function* () {
          const { address, exit } = yield* callBeside(
            answering((id) => [block(id, head), data(id, message), rst(id, reset)])
          )
          assertFailed(exit, address, reason, code, `stream terminated by RST_STREAM with error code: ${name}`)
        })
      )
    }

    it.live("1000 is code 14, Kitex's shutdown", () =>
      Effect.gen(function* () {
        const { address, exit } = yield* callBeside(answering((id) => [rst(id, 1000)]))
        assertFailed(exit, address, "Unavailable", 14, "graceful shutdown")
      })
    )
  })

  describe("GOAWAY", () => {
    it.live("above the stream: it was never seen", () =>
      Effect.gen(function* () {
        const { address, exit } = yield* callBeside(answering(() => [goaway(0, 0, "bye")]))
        assertFailed(exit, address, "Unavailable", 14, "the connection is draining")
        const reason =
          Exit.isFailure(exit) && exit.cause.reasons[0]?._tag === "Fail" ? exit.cause.reasons[0].error : undefined
        assert.deepInclude((reason as RpcError.RpcError).reason, { neverSent: true })
      })
    )

    it.live("below the stream: it goes on to its end", () =>
      Effect.gen(function* () {
        const { exit } = yield* callBeside(
          answering((id) => [
            goaway(2 ** 31 - 1, 0, "bye"),
            block(id, head),
            data(id, message),
            goaway(id, 0),
            block(id, trailers, true)
          ])
        )
        assert.isTrue(Exit.isSuccess(exit))
      })
    )

    it.live("with an error, then the end of the connection: says why", () =>
      Effect.gen(function* () {
        const { address, exit } = yield* callBeside((socket) => {
          socket.write(concat([settings(), settingsAck]))
          onRequest(socket, (id) => socket.end(goaway(id, 11, "too_many_pings")))
        })
        assertFailed(exit, address, "Unavailable", 14, /GOAWAY ENHANCE_YOUR_CALM too_many_pings/)
      })
    )

    it.live("of an even id, and a last id that rises: the peer is broken", () =>
      Effect.gen(function* () {
        const even = yield* callBeside(answering(() => [goaway(2, 0)]))
        assertFailed(
          even.exit,
          even.address,
          "ProtocolViolation",
          14,
          /received goaway with non-zero even-numbered numbered stream id: 2/
        )
        const rising = yield* callBeside(answering(() => [goaway(3, 0), goaway(5, 0)]))
        assertFailed(
          rising.exit,
          rising.address,
          "ProtocolViolation",
          14,
          /goaway with stream id: 5, which exceeds stream id of previous goaway: 3/
        )
      })
    )

    it.live("then a new call finds a new connection", () =>
      Effect.gen(function* () {
        let connections = 0
        const address = yield* fakeServer((socket) => {
          connections++
          answering((id) => [block(id, head), block(id, trailers, true), goaway(id, 0)])(socket)
        })
        const client = yield* soakClient(address)
        for (let i = 0; i < 5; i++) assert.strictEqual(yield* Stream.runCount(client.Produce(new Request({}))), 0)
        assert.isAtLeast(connections, 2)
      })
    )
  })

  describe("no use of a connection", () => {
    const farewells: ReadonlyArray<readonly [string, (socket: Socket) => void]> = [
      ["SETTINGS and GOAWAY", (socket) => void socket.write(concat([settings(), goaway(0, 0, "not here")]))],
      ["SETTINGS and the end", (socket) => void socket.end(settings())],
      ["SETTINGS and a reset", (socket) => void socket.write(settings(), () => socket.resetAndDestroy())],
      ["SETTINGS that allow no streams", (socket) => void socket.write(settings([3, 0]))],
      [
        "SETTINGS that allow no streams, and GOAWAY",
        (socket) => void socket.write(concat([settings([3, 0]), goaway(0, 0)]))
      ],
      ["SETTINGS that allow no streams, and the end", (socket) => void socket.end(settings([3, 0]))]
    ]
    for (const [name, serve] of farewells) {
      it.live(`${name}: the call fails, and the server is not called for ever`, () =>
        Effect.gen(function* () {
          let connections = 0
          const { exit, millis } = yield* callBeside((socket) => {
            connections++
            serve(socket)
          })
          assert.isTrue(Exit.isFailure(exit))
          const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
          assert.strictEqual((error as RpcError.RpcError).code, 14)
          assert.isBelow(millis, 3000)
          assert.isAtMost(connections, 5)
        })
      )
    }

    it.live("SETTINGS that allow no streams, and a hundred calls at one time", () =>
      Effect.gen(function* () {
        let open = 0
        let connections = 0
        const address = yield* fakeServer((socket) => {
          open++
          connections++
          socket.on("close", () => open--)
          socket.write(settings([3, 0]))
        })
        const client = yield* soakClient(address)
        const call = Effect.exit(Stream.runDrain(client.Produce(new Request({}))))
        const exits = yield* Effect.forEach(Array.from(Array(100).keys()), () => call, { concurrency: "unbounded" })
        for (const exit of exits)
          assertFailed(exit, address, "Rejected", 14, `${address} allows no streams on a new connection`)
        assert.isAtMost(connections, 5)
        yield* until(
          Effect.sync(() => open),
          (n) => n === 0,
          2000
        )
        assert.strictEqual(open, 0, "connections of no use are closed")
      })
    )

    it.live("one stream a connection: more connections", () =>
      Effect.gen(function* () {
        let connections = 0
        const address = yield* fakeServer((socket) => {
          connections++
          socket.write(concat([settings([3, 1]), settingsAck]))
          onRequest(
            socket,
            (id) => void setTimeout(() => socket.write(concat([block(id, head), block(id, trailers, true)])), 50)
          )
        })
        const client = yield* soakClient(address)
        const call = Stream.runCount(client.Produce(new Request({})))
        yield* Effect.forEach(Array.from(Array(10).keys()), () => call, { concurrency: "unbounded", discard: true })
        assert.isAtMost(connections, 10)
        assert.isAbove(connections, 1)
      })
    )

    it.live("500 calls that fail in every way leave nothing behind", () =>
      Effect.gen(function* () {
        const addresses = [
          "127.0.0.1:1",
          "nowhere",
          yield* fakeServer((socket) => void socket.end()),
          yield* fakeServer((socket) => void socket.resetAndDestroy()),
          yield* fakeServer(answering((id) => [rst(id, 2), goaway(id, 2)])),
          yield* fakeServer(answering((id) => [block(id, head), new Uint8Array(30).fill(0xee)]))
        ]
        const before = usage()
        yield* Effect.scoped(
          Effect.gen(function* () {
            const clients = yield* Effect.forEach(addresses, (address) => soakClient(address))
            const one = (i: number) =>
              Effect.exit(Stream.runDrain(clients[i % clients.length]!.Produce(new Request({}))))
            const exits = yield* Effect.forEach(Array.from(Array(500).keys()), one, { concurrency: 16 })
            for (const exit of exits) {
              assert.isTrue(Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof RpcError.RpcError)
            }
          })
        )
        const after = yield* until(Effect.sync(usage), (now) => now.sockets <= before.sockets, 3000)
        assert.isAtMost(after.sockets, before.sockets)
        assert.isAtMost(after.descriptors, before.descriptors)
        assert.isAtMost(after.timers, before.timers + 1)
        assert.isBelow(after.held - before.held, 4 * MiB)
      })
    )
  })

  describe("endless answers", () => {
    /** Sends `piece` as long as the socket takes it, and counts what it sent. */
    const endless = (piece: (id: number) => Uint8Array, sent: { bytes: number }) => (socket: Socket) => {
      socket.write(concat([settings(), settingsAck]))
      onRequest(socket, (id) => {
        socket.write(block(id, head))
        const one = piece(id)
        const batch = concat(Array(Math.ceil((64 * KiB) / one.length)).fill(one))
        // No more than a window of payload: a server that overruns it is another case.
        const more = () => {
          while (!socket.destroyed && sent.bytes < 200 * KiB) {
            sent.bytes += (batch.length / one.length) * (one.length - 9)
            if (!socket.write(batch)) return void socket.once("drain", more)
          }
        }
        more()
      })
    }

    const unread = (name: string, piece: (id: number) => Uint8Array) =>
      it.live(`${name}, and nobody reads: at most four times the payload`, () =>
        Effect.gen(function* () {
          const sent = { bytes: 0 }
          const address = yield* fakeServer(endless(piece, sent))
          const client = yield* soakClient(address)
          const before = usage().held
          const streams: Array<Effect.Effect<unknown, CallError, Scope.Scope>> = Array(20).fill(
            client.Produce.open(new Request({}))
          )
          yield* Effect.forEach(streams, (open) =>
            Effect.andThen(
              Effect.sync(() => (sent.bytes = 0)),
              Effect.andThen(open, Effect.sleep(50))
            )
          )
          const grown = usage().held - before
          assert.isAtMost(grown, 4 * 20 * 200 * KiB)
        })
      )
    unread("empty messages in DATA of one byte", (id) => data(id, new Uint8Array(1)))
    unread("tiny messages", (id) => data(id, message))

    it.live("a server that overruns the window of a stream is cut off", () =>
      Effect.gen(function* () {
        const address = yield* fakeServer(
          answering((id) => [block(id, head), ...Array(400).fill(data(id, concat(Array(2000).fill(message))))])
        )
        const client = yield* soakClient(address)
        const exit = yield* Effect.gen(function* () {
          const stream = yield* client.Produce.open(new Request({}))
          yield* Effect.sleep(200)
          return yield* Effect.exit(Effect.forever(stream.recv))
        })
        assertFailed(
          exit as Exit.Exit<unknown, CallError>,
          address,
          "ProtocolViolation",
          13,
          /exceeding the limit \d+ bytes/
        )
      })
    )

    it.live("a consumer that takes two leaves at once", () =>
      Effect.gen(function* () {
        const address = yield* fakeServer(
          answering((id) => [block(id, head), ...Array(20_000).fill(data(id, message))])
        )
        const client = yield* soakClient(address)
        assert.strictEqual(yield* Stream.runCount(Stream.take(client.Produce(new Request({})), 2)), 2)
      })
    )
  })
})
