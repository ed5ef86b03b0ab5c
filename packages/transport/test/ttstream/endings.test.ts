import { assert, describe, it } from "@effect/vitest"
import type { RawEnd, RawStatus } from "../../src/RawStream.ts"
import { TransportError } from "../../src/TransportError.ts"
import { encodeText } from "../support/raw.ts"
import * as Raw from "./raw.ts"
import { cancelled, ClientSide, listen, ok, Pair, reasonOf, ServerSide, takeAll } from "./support.ts"

const failed = (end: RawEnd | undefined): TransportError => {
  assert.strictEqual(end?._tag, "Failed")
  return (end as { readonly error: TransportError }).error
}

const boom: RawStatus = { code: 13, message: "biz error: boom" }
const userText =
  "user code invoking stream RPC with context processed by context.WithCancel or context.WithTimeout, then invoking cancel() actively"

describe("ttstream endings", () => {
  describe("frames of a client that ends", () => {
    const cases = [
      ["half-closes", false, "closeSend", "Trailer"],
      ["half-closes again", true, "closeSend", ""],
      ["gets a Trailer", false, "trailer", "Trailer"],
      ["gets a Trailer, half-closed", true, "trailer", ""],
      ["gets an Rst", false, "rst", "Trailer"],
      ["gets an Rst, half-closed", true, "rst", ""],
      ["cancels", false, "cancel", "Rst Trailer"],
      ["cancels, half-closed", true, "cancel", "Rst"],
      ["loses its connection", false, "lost", ""],
      ["gets a second Header", false, "header", "Rst Trailer"],
      ["gets a message that is too large", true, "large", "Rst"]
    ] as const
    for (const [name, closed, what, frames] of cases) {
      it(name, () => {
        const side = new ClientSide({ maxReceiveMessageSize: 100 })
        const stream = side.open()
        const { sid } = Raw.parse(side.taken())[0]!
        if (closed) {
          stream.closeSend()
          side.taken()
        }
        if (what === "closeSend") stream.closeSend()
        else if (what === "trailer") side.receive(Raw.trailer(sid))
        else if (what === "rst") side.receive(Raw.rst(sid))
        else if (what === "cancel") stream.abort("cancel", cancelled)
        else if (what === "lost") side.connection.end({ _tag: "PeerClosed" })
        else if (what === "header") side.receive(Buffer.concat([Raw.header(sid), Raw.header(sid)]))
        else side.receive(Raw.data("x".repeat(101), sid))
        assert.strictEqual(Raw.types(side.taken()), frames)
        // Nothing follows.
        stream.closeSend()
        stream.abort("cancel", cancelled)
        if (what !== "closeSend") assert.strictEqual(stream.write(["a"], 0, encodeText, true), 0)
        assert.strictEqual(Raw.types(side.taken()), what === "closeSend" ? "Rst" : "")
        assert.strictEqual(side.streamsEnded, 1)
      })
    }

    it("leaves to the buffered messages what goes in front of them", () => {
      const side = new ClientSide()
      const stream = side.open()
      stream.write(["a", "b"], 0, encodeText, true)
      assert.strictEqual(stream.writeEnded, "closed")
      assert.strictEqual(Raw.types(side.taken()), "Header Data Data Trailer")
    })
  })

  describe("what a cancellation says", () => {
    const rstOf = (caller: string, cancellation?: Parameters<ReturnType<ClientSide["open"]>["abort"]>[2]) => {
      const side = new ClientSide()
      const stream = side.open("Slow", {}, caller)
      side.taken()
      stream.abort("cancel", cancelled, cancellation)
      const [rst] = Raw.parse(side.taken())
      const server = new ServerSide()
      server.receive(Raw.requestHeader(rst!.sid))
      const heard = listen(server.accepted[0]!)
      server.receive(Raw.rst(rst!.sid, { strings: rst!.strings, payload: rst!.payload }))
      return { strings: rst!.strings, error: heard.abort! }
    }

    it("a user's, without a name", () => {
      const { error, strings } = rstOf("")
      assert.deepStrictEqual(strings, {})
      assert.strictEqual(error.desc, `[ttstream error, code=12007] [server-side stream] ${userText}`)
      assert.deepStrictEqual(reasonOf(error), { _tag: "StreamReset", resetCode: 12007, byPeer: true, text: userText })
    })

    it("a user's, with the caller's name", () => {
      const { error, strings } = rstOf("cli.svc")
      assert.deepStrictEqual(strings, { ttscp: "cli.svc" })
      assert.strictEqual(
        error.desc,
        `[ttstream error, code=12007] [server-side stream] [canceled path: cli.svc] ${userText}`
      )
    })

    it("an upstream's: code, text and path go on", () => {
      const { error, strings } = rstOf("B", { code: 9999, text: "why", path: ["A"] })
      assert.deepStrictEqual(strings, { ttscp: "A,B" })
      assert.strictEqual(error.desc, "[ttstream error, code=9999] [server-side stream] [canceled path: A -> B] why")
      assert.deepStrictEqual((error.reason as { readonly path?: unknown }).path, ["A", "B"])
    })

    it("an upstream's, without a name of our own: the comma stays", () => {
      assert.deepStrictEqual(rstOf("", { code: 9999, text: "why", path: ["A"] }).strings, { ttscp: "A," })
    })

    it("goes without the part of a path that no header holds", () => {
      assert.deepStrictEqual(rstOf("me", { code: 9999, text: "why", path: ["A".repeat(70_000)] }).strings, {
        ttscp: "me"
      })
    })
  })

  describe("what an end means to a client", () => {
    it("messages in front of an end come first, also in front of a business error", () => {
      for (const more of [{}, { strings: { "biz-status": "404" } }, { payload: Raw.exception("boom", 6) }]) {
        const side = new ClientSide()
        const stream = side.open()
        const { sid } = Raw.parse(side.taken())[0]!
        side.receive(Buffer.concat([Raw.header(sid), Raw.data("a", sid), Raw.data("b", sid), Raw.trailer(sid, more)]))
        assert.isDefined(stream.end)
        assert.deepStrictEqual(takeAll(stream), ["a", "b"])
      }
    })

    it("keeps nothing, and hears nothing, once it was aborted", () => {
      const side = new ClientSide()
      const stream = side.open()
      const { sid } = Raw.parse(side.taken())[0]!
      const heard = listen(stream)
      side.receive(Raw.data("a", sid))
      stream.abort("cancel", cancelled)
      assert.strictEqual(stream.available, 0)
      assert.strictEqual(failed(stream.end), cancelled)
      side.receive(Buffer.concat([Raw.data("b", sid), Raw.trailer(sid)]))
      assert.deepStrictEqual(heard.calls, ["readable"])
      assert.strictEqual(failed(stream.end), cancelled)
    })

    it("connection lost: what is here comes first, then the error, for every stream alike", () => {
      const side = new ClientSide()
      const streams = [side.open(), side.open()]
      const ids = Raw.parse(side.taken()).map(({ sid }) => sid)
      const heard = streams.map(listen)
      side.receive(Raw.data("a", ids[0]!))
      side.connection.end({ _tag: "PeerClosed" })
      side.deliver()
      const error = failed(streams[0]!.end)
      assert.strictEqual(failed(streams[1]!.end), error)
      assert.strictEqual(error.desc, "[ttstream error, code=12006] connection closed by peer")
      assert.deepStrictEqual(reasonOf(error), { _tag: "ConnectionLost", address: "peer:1" })
      assert.deepStrictEqual(takeAll(streams[0]!), ["a"])
      assert.deepStrictEqual(
        heard.map(({ abort }) => abort),
        [error, error]
      )
      assert.isFalse(side.connection.usable)
      assert.deepStrictEqual(side.closed, { _tag: "PeerClosed" })
      side.connection.end({ _tag: "Lost", detail: "again" })
    })

    it("connection lost before the Header was sent: it is safe to try elsewhere", () => {
      const side = new ClientSide()
      const sent = side.open()
      side.taken(true)
      const waiting = side.open()
      side.connection.end({ _tag: "Lost", detail: "ECONNRESET" })
      const neverSent = (end: RawEnd | undefined) => (failed(end).reason as { readonly neverSent?: boolean }).neverSent
      assert.isUndefined(neverSent(sent.end))
      assert.isTrue(neverSent(waiting.end))
      assert.strictEqual(failed(waiting.end).desc, "[ttstream error, code=12006] ECONNRESET")
      // And its bytes do not go out after all.
      assert.isUndefined(side.connection.outbox.take())
      const refused = side.connection.open({ address: "", path: "", authority: "" })
      assert.isTrue(refused instanceof TransportError && neverSent({ _tag: "Failed", error: refused }))
    })

    it("a connection that we end ourselves sends what waits", () => {
      const side = new ClientSide()
      side.open().abort("cancel", cancelled)
      side.connection.end({ _tag: "Local", detail: "idle" })
      assert.strictEqual(Raw.types(side.taken()), "Header Rst Trailer")
    })

    it("a peer that breaks the protocol is named", () => {
      const side = new ClientSide()
      const stream = side.open()
      side.taken()
      side.receive(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"))
      const error = failed(stream.end)
      assert.strictEqual(error.reason._tag, "ProtocolViolation")
      assert.match(error.desc, /^\[ttstream error, code=12004\] not TTHeader protocol/)
      assert.strictEqual(side.closed?._tag, "Error")
    })

    it("header() is empty when a status came without one", () => {
      const side = new ClientSide()
      const stream = side.open()
      const { sid } = Raw.parse(side.taken())[0]!
      side.receive(Raw.trailer(sid))
      assert.deepStrictEqual([...stream.header!.keys()], [])
      assert.deepStrictEqual([...stream.trailer!.keys()], [])
    })
  })

  describe("a server that ends", () => {
    const serve = (options: ConstructorParameters<typeof ServerSide>[0] = {}) => {
      const side = new ServerSide(options)
      side.receive(Raw.requestHeader(1))
      return { side, stream: side.accepted[0]! }
    }

    it("sends its Header before the first message, or with the end, once", () => {
      const first = serve()
      first.stream.pendingHeaders = [["k", "v"]]
      assert.strictEqual(first.side.taken().length, 0)
      first.stream.write(["a"], 0, encodeText)
      first.stream.finish(ok, [])
      const frames = Raw.parse(first.side.taken())
      assert.deepStrictEqual(
        frames.map(({ type }) => type),
        ["Header", "Data", "Trailer"]
      )
      assert.deepStrictEqual(frames[0]!.strings, { k: "v" })
      const bare = serve()
      bare.stream.finish(ok, [["tk", "tv"]])
      assert.strictEqual(Raw.types(bare.side.taken()), "Header Trailer")
      const early = serve()
      early.stream.sendHeaders([])
      early.stream.sendHeaders([["late", "1"]])
      early.stream.finish(ok, [])
      assert.strictEqual(Raw.types(early.side.taken()), "Header Trailer")
    })

    it("says nothing more behind its status, and hears nothing", () => {
      const { side, stream } = serve()
      const heard = listen(stream)
      stream.finish(boom, [])
      side.taken()
      assert.strictEqual(stream.writeEnded, "closed")
      stream.finish(ok, [])
      stream.abort("cancel", cancelled)
      stream.sendHeaders([])
      assert.strictEqual(stream.write(["a"], 0, encodeText), 0)
      side.receive(Buffer.concat([Raw.data("late"), Raw.trailer(), Raw.rst()]))
      assert.strictEqual(side.taken().length, 0)
      assert.deepStrictEqual([heard.calls, stream.available], [[], 0])
    })

    it("says nothing to a client that has reset", () => {
      const { side, stream } = serve()
      side.receive(Raw.rst(1, { payload: Raw.exception(userText, 12007) }))
      stream.finish(boom, [])
      assert.strictEqual(side.taken().length, 0)
    })

    it("hears why a message is the last", () => {
      const cases = [
        [{ payload: Raw.exception("no more", 6) }, "[ttstream error, code=12001] [server-side stream] no more"],
        [{ strings: { "biz-status": "9", "biz-message": "no" } }, "biz error: code=9, msg=no"],
        [{ payload: "junk" }, "[ttstream error, code=12004] [server-side stream] ReadMessageBegin: bad version"]
      ] as const
      for (const [more, text] of cases) {
        const { side, stream } = serve()
        side.receive(Buffer.concat([Raw.data("a"), Raw.trailer(1, more)]))
        assert.deepStrictEqual(takeAll(stream), ["a"])
        assert.strictEqual(failed(stream.end).desc, text)
        // It may still answer.
        stream.finish(ok, [])
        assert.strictEqual(Raw.types(side.taken()), "Header Trailer")
      }
    })

    it("takes plain keys of a Trailer for a half-close", () => {
      const { side, stream } = serve()
      side.receive(Raw.trailer(1, { strings: { any: "thing" } }))
      assert.deepStrictEqual(stream.end, { _tag: "HalfClosed" })
    })

    it("a message that is too large fails receiving alone: the handler answers", () => {
      const { side, stream } = serve({ maxReceiveMessageSize: 10 })
      side.receive(Buffer.concat([Raw.data("fits"), Raw.data("x".repeat(11)), Raw.data("after"), Raw.trailer()]))
      const error = failed(stream.end)
      assert.deepStrictEqual(reasonOf(error), { _tag: "LimitExceeded", limit: "maxReceiveMessageSize", max: 10 })
      assert.deepStrictEqual(takeAll(stream), ["fits"])
      stream.finish({ code: 8, message: "too large" }, [])
      assert.deepStrictEqual(
        Raw.parse(side.taken()).map(({ ints, type }) => [type, ints]),
        [
          ["Header", {}],
          ["Trailer", { [0x4d57]: "8" }]
        ]
      )
    })

    for (const [reason, type, text] of [
      ["cancel", 12007, "cancelled"],
      ["shutdown", 14, "graceful shutdown"],
      ["refused", 14, "cancelled"],
      ["internal", 13, "cancelled"]
    ] as const) {
      it(`resets: ${reason}`, () => {
        const pair = new Pair()
        const [client, server] = pair.open()
        const heard = listen(client)
        server.abort(reason, cancelled)
        assert.strictEqual(failed(server.end), cancelled)
        pair.run()
        assert.deepStrictEqual(reasonOf(heard.abort), { _tag: "StreamReset", resetCode: type, byPeer: true, text })
      })
    }

    it("connection lost: handlers hear of it, those that wait for their turn never run", () => {
      const side = new ServerSide({ maxConcurrentStreams: 1 })
      let gone = 0
      side.verdict = () => ({ gone: () => gone++ })
      side.receive(Raw.requestHeader(1))
      const heard = listen(side.accepted[0]!)
      // Its place is free on the wire, and its handler still runs.
      side.receive(Raw.rst(1))
      side.receive(Raw.requestHeader(2))
      assert.strictEqual(side.accepted.length, 1)
      side.connection.end({ _tag: "PeerClosed" })
      side.deliver()
      assert.strictEqual(gone, 1)
      assert.strictEqual(heard.abort?.reason._tag, "StreamReset")
      const { side: other, stream } = serve()
      const alsoHeard = listen(stream)
      other.connection.end({ _tag: "PeerClosed" })
      other.deliver()
      assert.strictEqual(alsoHeard.abort?.desc, "[ttstream error, code=12013] canceled by connection closed")
      stream.finish(ok, [])
      assert.strictEqual(other.taken().length, 0)
    })

    describe("with what cannot be sent", () => {
      const big = "x".repeat(70_000)
      const cases: ReadonlyArray<
        readonly [
          name: string,
          headers: Array<[string, string]>,
          status: RawStatus,
          trailers: Array<[string, string]>,
          text: RegExp
        ]
      > = [
        [
          "headers",
          [["biz-status", "1"]],
          ok,
          [],
          /^\[ttstream error, code=12004\] \[server-side stream\] the key "biz-status" cannot be sent/
        ],
        ["large headers", [["k", big]], ok, [], /keys and values have at most 65535 bytes$/],
        ["trailers", [], ok, [["isn", "x"]], /the key "isn" cannot be sent/],
        ["large trailers", [], { code: 5, message: "not found" }, [["k", big]], /^not found \(cut: .*65535 bytes\)$/],
        [
          "many trailers",
          [],
          ok,
          Array.from({ length: 300 }, (_, i) => [`k${i}`, ""] as [string, string]),
          /the TTHeader has 302 entries, more than the 256/
        ],
        [
          "much of them",
          [
            ["a", big.slice(9000)],
            ["b", big.slice(9000)],
            ["c", big.slice(9000)]
          ],
          ok,
          [],
          /the TTHeader has 183\d+ bytes, more than the 131072/
        ]
      ]
      for (const [name, headers, status, trailers, text] of cases) {
        it(`${name}: another status goes out alone, and the error says why`, () => {
          const pair = new Pair()
          const [client, server] = pair.open()
          server.pendingHeaders = headers
          const refused = server.finish(status, trailers)
          assert.instanceOf(refused, TransportError)
          assert.match(refused!.reason._tag, /^(InvalidMetadata|LimitExceeded)$/)
          pair.run()
          assert.strictEqual(client.end?._tag, "Status")
          const end = (client.end as { readonly status: RawStatus }).status
          assert.strictEqual(end.code, status.code === 0 ? 13 : status.code)
          assert.match(end.message, text)
          assert.deepStrictEqual([...client.header!.keys(), ...client.trailer!.keys()], [])
        })
      }

      it("a business error keeps its code, without its extra", () => {
        const pair = new Pair()
        const [client, server] = pair.open()
        server.finish({ code: 13, message: "no", biz: { code: 404, extra: { big } } }, [])
        pair.run()
        const { status } = client.end as { readonly status: RawStatus }
        assert.deepStrictEqual(status.biz, { code: 404, extra: {} })
        assert.match(status.message, /^no \(cut: /)
      })

      it("headers that are sent by themselves throw, and nothing was sent", () => {
        const { side, stream } = serve()
        assert.throws(() => stream.sendHeaders([["ttscp", "x"]]), TransportError)
        stream.pendingHeaders = [["ttscp", "x"]]
        assert.throws(() => stream.write(["a"], 0, encodeText), TransportError)
        assert.isFalse(stream.headersSent)
        assert.strictEqual(side.taken().length, 0)
      })
    })

    it("a listener that throws harms nobody else", () => {
      const side = new ServerSide()
      side.receive(Buffer.concat([Raw.requestHeader(1), Raw.requestHeader(2)]))
      const [bad, good] = side.accepted
      bad!.listener = {
        onReadable: () => {
          throw new Error("bug")
        },
        onWritable: () => {},
        onAbort: () => {}
      }
      const heard = listen(good!)
      side.receive(Buffer.concat([Raw.data("a", 1), Raw.data("b", 2)]))
      assert.deepStrictEqual(side.defects.map(String), ["Error: bug"])
      assert.deepStrictEqual(heard.calls, ["readable"])
      side.receive(Raw.data("c", 1))
      assert.strictEqual(side.defects.length, 2)
      assert.deepStrictEqual([takeAll(bad!), takeAll(good!)], [["a", "c"], ["b"]])
    })
  })
})
