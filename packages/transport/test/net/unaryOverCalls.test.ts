/**
 * Unary calls of clients that speak TTHeader streaming: streams to whoever makes them, PingPong calls on the wire.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer, type Scope } from "effect"
import { MemoryTransport } from "../../src/index.ts"
import { UnaryHeaders } from "../../src/internal/net/unaryHeaders.ts"
import type { RawServerCall } from "../../src/RawCall.ts"
import type { RawClientStream } from "../../src/RawStream.ts"
import { ClientTransport, type OpenRequest, ServerTransport, type StreamHeader } from "../../src/Transport.ts"
import { Cancelled, TransportError } from "../../src/TransportError.ts"
import { echo as echoing, thriftServer, until } from "../support/calls.ts"
import { layers } from "../support/layers.ts"
import {
  decodeText,
  encodeText,
  ended,
  openStream,
  readTexts,
  recorderOf,
  requestTo,
  writeAll
} from "../support/raw.ts"

const cancelled = new TransportError({ reason: new Cancelled(), code: 1, desc: "cancelled by the test" })

const header: StreamHeader = {
  service: "TestService",
  method: "Echo",
  caller: "me",
  fields: { ints: [[2, "log"]], strings: [["RPC_PERSIST_K", "v"]] }
}

const open = (address: string, request: Partial<OpenRequest> = {}) =>
  openStream(address, { transport: "ttheader-streaming", unary: true, header, ...request })

const serving = (onCall: (call: RawServerCall) => void) =>
  Effect.gen(function* () {
    const server = yield* ServerTransport
    const calls: Array<RawServerCall> = []
    const listening = yield* server.listen({
      onStream: (stream) => stream.abort("internal", cancelled),
      onCall: (call) => {
        calls.push(call)
        onCall(call)
      }
    })
    return { address: `127.0.0.1:${listening.address.port}`, calls }
  })

const asks = (stream: RawClientStream, text: string) =>
  Effect.gen(function* () {
    yield* writeAll(stream, [text], encodeText, true)
    const texts = yield* readTexts(stream)
    return { texts, end: yield* ended(stream) }
  })

const failed = (end: RawClientStream["end"]) => (end?._tag === "Failed" ? end.error : undefined)

const cases: ReadonlyArray<readonly [string, Layer.Layer<ClientTransport | ServerTransport>]> = [
  ["memory", MemoryTransport.layerWith({ toServer: { split: [1, 30, 2] }, toClient: { split: [3, 1, 50] } })],
  ["TCP", layers({}, {})]
]

for (const [name, layer] of cases) {
  const test = <E>(title: string, body: Effect.Effect<void, E, ClientTransport | ServerTransport | Scope.Scope>) =>
    it.live(title, () => body.pipe(Effect.scoped, Effect.provide(layer)))

  describe(`a unary call over ${name}`, () => {
    test(
      "is a PingPong call behind a TTHeader, whose answer is a message and a status",
      Effect.gen(function* () {
        const { address, calls } = yield* serving((call) => {
          const text = call.take(decodeText)
          call.reply(`${text}!`, encodeText, [
            ["Key", "v"],
            ["k-bin", "AP8"]
          ])
        })
        const stream = yield* open(address, { timeoutMillis: 1234.5, connectTimeoutMillis: 900 })
        assert.strictEqual(stream.protocol, "ttheader-framed")
        assert.strictEqual(stream.available, 0)
        assert.isTrue(stream.writable)
        yield* writeAll(stream, ["hello"], encodeText, true)
        assert.deepStrictEqual([stream.lastWrittenCount, stream.lastWrittenBytes, stream.lastWrittenSize], [1, 5, 5])
        assert.deepStrictEqual([stream.writable, stream.buffered], [false, 0])
        yield* ended(stream)
        assert.deepStrictEqual([stream.available, yield* readTexts(stream)], [1, ["hello!"]])
        assert.deepStrictEqual([stream.lastTakenBytes, stream.lastTakenSize, stream.available], [6, 6, 0])
        assert.deepStrictEqual(stream.end, { _tag: "Status", status: { code: 0, message: "" } })
        assert.strictEqual(stream.header!.get("key"), "v")
        assert.strictEqual(stream.trailer!.get("Key"), "v")
        assert.deepStrictEqual(stream.trailer!.getAll("k-bin"), [Uint8Array.of(0, 255)])
        const [{ encoding, header, method, service, timeoutMillis }] = calls as [RawServerCall]
        assert.deepStrictEqual(
          [encoding, service, method, timeoutMillis],
          ["ttheader-framed", "TestService", "Echo", 1235]
        )
        assert.deepStrictEqual(
          [1, 2, 3, 6, 9, 12, 17, 20, 22].map((key) => header!.ints.get(key)),
          ["framed", "log", "me", "echo", "Echo", "1235", "900", "", "1"]
        )
        assert.strictEqual(header!.strings.get("RPC_PERSIST_K"), "v")
        // Aborting what is over changes nothing but the end.
        stream.abort("done", cancelled)
        assert.strictEqual(failed(stream.end), cancelled)
      })
    )

    test(
      "has the status of an exception, and of a business error",
      Effect.gen(function* () {
        const { address } = yield* serving((call) => {
          const text = call.take(decodeText)
          if (text === "biz") {
            return void call.reply("\0", encodeText, [
              ["biz-status", "404"],
              ["biz-message", "not found"],
              ["biz-extra", '{"k":"v"}']
            ])
          }
          call.exception({ type: Number(text), message: "went wrong" }, [["retry-pushback-ms", "250"]])
        })
        for (const [type, code] of [
          [6, 6],
          [1, 1],
          [-5, -5],
          // Zero would be success.
          [0, 2]
        ] as const) {
          assert.deepStrictEqual(yield* asks(yield* open(address), `${type}`), {
            texts: [],
            end: { _tag: "Status", status: { code, message: "went wrong", retryAfterMillis: 250 } }
          })
        }
        const stream = yield* open(address)
        const { end, texts } = yield* asks(stream, "biz")
        assert.deepStrictEqual(texts, [])
        assert.deepStrictEqual(end._tag === "Status" && { ...end.status, biz: { ...end.status.biz } }, {
          code: 13,
          message: "not found",
          biz: { code: 404, extra: Object.assign(Object.create(null), { k: "v" }) }
        })
        assert.deepStrictEqual([...stream.trailer!.keys()], [])
      })
    )

    test(
      "is abandoned when it is aborted, and the next goes out",
      Effect.gen(function* () {
        const aborted: Array<string> = []
        const { address, calls } = yield* serving((call) => {
          if (call.take(decodeText) === "go") return void call.reply("gone", encodeText)
          call.onAbort = (error) => {
            aborted.push(error.reason._tag)
            call.finish()
          }
        })
        const stream = yield* open(address)
        yield* writeAll(stream, ["wait"], encodeText, true)
        yield* until(() => calls.length === 1)
        const recorder = recorderOf(stream)
        stream.abort("cancel", cancelled)
        yield* until(() => aborted.length === 1)
        assert.strictEqual(failed(stream.end), cancelled)
        assert.strictEqual(recorder.readable + recorder.aborted, 0)
        assert.strictEqual(stream.write(["more"], 0, encodeText), 0)
        // One that was not sent gives its connection back.
        ;(yield* open(address)).abort("cancel", cancelled)
        assert.deepStrictEqual((yield* asks(yield* open(address), "go")).texts, ["gone"])
      })
    )
  })
}

describe("a unary call", () => {
  it.live("that cannot be encoded throws, and its connection is free", () =>
    Effect.gen(function* () {
      const { address, calls } = yield* serving((call) => void call.reply(call.take(decodeText), encodeText))
      const stream = yield* open(address)
      const refusing = () => {
        throw new Error("not this one")
      }
      assert.throws(() => stream.write(["x"], 0, refusing), "not this one")
      stream.abort("cancel", cancelled)
      assert.deepStrictEqual((yield* asks(yield* open(address), "y")).texts, ["y"])
      assert.lengthOf(calls, 1)
    }).pipe(Effect.scoped, Effect.provide(layers({}, {})))
  )

  it.live("whose connection was dead goes out on another, and fails where none takes it", () =>
    Effect.gen(function* () {
      const server = yield* thriftServer(echoing)
      const client = yield* ClientTransport
      const { address } = server
      assert.deepStrictEqual((yield* asks(yield* open(address), "one")).texts, ["one"])
      // The pool does not know yet that the server has gone.
      const stream = client.tryOpen(requestTo(address, { transport: "ttheader-streaming", unary: true, header }))!
      server.sides[0]!.socket.destroy()
      yield* until(() => stream.end !== undefined || !server.sides[0]!.socket.readable)
      yield* Effect.sleep(20)
      assert.deepStrictEqual((yield* asks(stream, "two")).texts, ["two"])
      assert.lengthOf(server.sides, 2)
      const last = client.tryOpen(requestTo(address, { transport: "ttheader-streaming", unary: true, header }))!
      server.server.close()
      for (const { socket } of server.sides) socket.destroy()
      yield* Effect.sleep(20)
      const { end } = yield* asks(last, "three")
      assert.strictEqual(failed(end)?.reason._tag, "ConnectFailed")
    }).pipe(Effect.scoped, Effect.provide(layers({}, {})))
  )

  it.live("gives the answer to whoever begins to listen later", () =>
    Effect.gen(function* () {
      const { address } = yield* serving((call) => void call.reply(call.take(decodeText), encodeText))
      const stream = yield* open(address)
      stream.write(["late"], 0, encodeText, true)
      yield* until(() => stream.end !== undefined)
      assert.deepStrictEqual(yield* readTexts(stream), ["late"])
    }).pipe(Effect.scoped, Effect.provide(layers({}, {})))
  )
})

describe("the header of unary calls", () => {
  const request = requestTo("ADDRESS", { header })
  it("is one object for calls that say the same", () => {
    const headers = new UnaryHeaders()
    const first = headers.get(request, header)
    assert.strictEqual(headers.get({ ...request }, { ...header }), first)
    assert.notStrictEqual(headers.get({ ...request, timeoutMillis: 5 }, header), first)
    assert.notStrictEqual(headers.get(request, { ...header, method: "Other" }), first)
    assert.notStrictEqual(headers.get(request, { ...header, fields: { ...header.fields } }), first)
  })

  it("has the keys in order, and what the client says over what is there by default", () => {
    const own: StreamHeader = {
      ...header,
      fields: {
        ints: [
          [20, "Handled"],
          [3, "other"],
          [2, "log"]
        ],
        strings: []
      }
    }
    assert.deepStrictEqual(new UnaryHeaders().get(request, own), {
      ints: [
        [1, "framed"],
        [2, "log"],
        [3, "other"],
        [6, "echo"],
        [9, "Echo"],
        [20, "Handled"],
        [22, "1"]
      ],
      strings: [["isn", "TestService"]]
    })
  })
})
