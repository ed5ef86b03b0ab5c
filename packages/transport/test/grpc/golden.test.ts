import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { FrameType } from "../../src/internal/http2/frames.ts"
import { Http2Client } from "../../src/internal/net/http2Client.ts"
import { Http2Server } from "../../src/internal/net/http2Server.ts"
import type { RawServerStream } from "../../src/RawStream.ts"
import { TransportError } from "../../src/TransportError.ts"
import { concat, decodeHeaders, describe as show, frame, fromHex, parse, settings } from "../http2/raw.ts"
import { encodeBytes } from "../support/raw.ts"
import { FakeSocket, Ticks } from "../support/socket.ts"

interface Frame {
  readonly type: string
  readonly flags?: string
  readonly streamId: number
  readonly payloadHex?: string
  readonly code?: number
  readonly headers?: ReadonlyArray<readonly [string, string]>
}
interface Fake {
  readonly name: string
  readonly mode: string
  readonly serverSends: ReadonlyArray<Frame>
  readonly clientSaw: ReadonlyArray<{ op: string; value?: unknown; error?: string; kind?: string }>
  readonly clientSentAfterwards: ReadonlyArray<Frame> | null
}
interface Probe {
  readonly name: string
  readonly sendHex: string
  readonly reply: ReadonlyArray<Frame>
  readonly requestHeaders: ReadonlyArray<readonly [string, string]>
}

const golden: { fakes: ReadonlyArray<Fake>; probes: ReadonlyArray<Probe> } = JSON.parse(
  readFileSync(new URL("../data/kitex-http2.json", import.meta.url), "utf8")
)

const types: Record<string, number> = {
  DATA: FrameType.Data,
  HEADERS: FrameType.Headers,
  RST_STREAM: FrameType.RstStream,
  GOAWAY: FrameType.Goaway
}
const flags: Record<string, number> = { END_STREAM: 1, END_HEADERS: 4 }
const bytesOf = (f: Frame) =>
  frame(
    types[f.type]!,
    (f.flags ?? "").split("|").reduce((sum, flag) => sum | (flags[flag] ?? 0), 0),
    f.streamId,
    fromHex(f.payloadHex ?? "")
  )

const hello = fromHex("0b000100000002686900")
const payload = (bytes: Uint8Array, start: number, end: number) =>
  Buffer.from(bytes.subarray(start, end)).toString("hex")

/** The error text of Kitex's Recv for what ended our stream. */
const recvText = (error: TransportError): string =>
  error.reason._tag === "ConnectionLost" || /^(unexpected EOF|no kitex|kitex compression)/.test(error.desc)
    ? error.desc
    : `rpc error: code = ${error.code} desc = ${error.desc}`

// What our client does on purpose in another way than Kitex's.
const differs: Record<string, { readonly recv?: ReadonlyArray<string>; readonly sent?: ReadonlyArray<string> }> = {
  // Kitex leaves such a stream half open for ever; the reset gives it back.
  "data-end-stream": { sent: ["RST_STREAM 0"] },
  // Interim responses are legal HTTP (RFC 9113 8.1); Kitex takes them for the response.
  "interim-100": { recv: ["message", "EOF"], sent: ["RST_STREAM 0"] },
  // Harmless before the FIN that Kitex sends at once.
  "goaway-graceful": { sent: ["RST_STREAM 0"] },
  // The first cause is sticky, and an encoding that nobody knows fails messages, not the end.
  "ends-inside-message": { recv: ["unexpected EOF", "unexpected EOF"] },
  "unknown-encoding-flag-0": { recv: ["no kitex compressor registered found for:snappy", "EOF"] }
}

describe("a Kitex client's view of a server's frames", () => {
  for (const fake of golden.fakes.filter((fake) => fake.mode === "bidi")) {
    it(fake.name, () => {
      const ticks = new Ticks()
      const socket = new FakeSocket()
      const client = new Http2Client("ADDRESS", socket, ticks.options(), () => {})
      client.start()
      socket.events.onData(settings())
      const stream = client.open({ address: "ADDRESS", path: "/wire.GoldenStream/Bidi", authority: "golden-dest" })
      if (stream instanceof TransportError) throw stream
      stream.write([hello], 0, encodeBytes)
      ticks.run()
      socket.sent()
      socket.events.onData(concat(fake.serverSends.map(bytesOf)))
      if (fake.clientSentAfterwards === null) socket.events.onEnd()
      ticks.run()

      const saw: Array<string> = []
      const recvs = fake.clientSaw.filter((saw) => saw.op === "recv").length
      for (let i = 0; i < recvs; i++) {
        const into: Array<string> = []
        try {
          stream.take(payload, 1, into)
          if (into.length > 0) {
            saw.push("message")
            continue
          }
          const end = stream.end
          if (end === undefined) saw.push("nothing yet")
          else if (end._tag === "Failed") saw.push(recvText(end.error))
          else if (end._tag === "Status" && end.status.code === 0) saw.push("EOF")
          else if (end._tag === "Status") {
            const { biz, code, message } = end.status
            saw.push(
              biz === undefined
                ? `rpc error: code = ${code} desc = ${message}`
                : `biz error: code=${biz.code}, msg=${message}`
            )
          }
        } catch (error) {
          saw.push(recvText(error as TransportError))
        }
      }
      const wanted = fake.clientSaw
        .filter((saw) => saw.op === "recv")
        .map((saw) => (saw.error === undefined ? "message" : saw.error))
      // Messages that do not decode are the codec's affair, a deadline the layer's above; a text that names the parser differs.
      const own = differs[fake.name]
      if (!/^(bad-struct|zero-length)/.test(fake.name)) {
        assert.deepStrictEqual(saw.map(comparable), own?.recv ?? wanted.map(comparable))
      }

      const sent = parse(socket.sent())
        .filter((frame) => frame.type === FrameType.RstStream)
        .map((frame) => show([frame])[0]!.replace(/RstStream\(1\)/, "RST_STREAM"))
      const expected = (fake.clientSentAfterwards ?? [])
        .filter((frame) => frame.type === "RST_STREAM" && frame.code !== 8)
        .map((frame) => `RST_STREAM ${frame.code}`)
      assert.deepStrictEqual(sent, own?.sent ?? expected)

      const header = fake.clientSaw.find((saw) => saw.op === "header()")
      if (header !== undefined && Array.isArray(header.value)) {
        const all =
          stream.header === undefined ? [] : [...stream.header.keys()].map((k) => [k, stream.header!.getAll(k)])
        assert.deepStrictEqual(all as unknown, header.value)
      }
      const trailer = fake.clientSaw.find((saw) => saw.op === "trailer()")
      if (trailer !== undefined && Array.isArray(trailer.value)) {
        const all =
          stream.trailer === undefined ? [] : [...stream.trailer.keys()].map((k) => [k, stream.trailer!.getAll(k)])
        assert.deepStrictEqual(all as unknown, trailer.value)
      }
      assert.deepStrictEqual(ticks.defects, [])
    })
  }
})

// The place in a JSON parser's message.
const comparable = (text: string) => text.replace(/malformed biz-extra:.*/, "malformed biz-extra")

describe("what a Kitex server answers to frames of a client", () => {
  const answers = (probe: Probe) => {
    const ticks = new Ticks()
    const socket = new FakeSocket()
    const streams: Array<RawServerStream> = []
    const server = new Http2Server(socket, ticks.options(), 1000, (stream) => {
      streams.push(stream)
    })
    server.start()
    socket.events.onData(fromHex(probe.sendHex))
    const stream = streams[0]
    const messages: Array<string> = []
    if (stream !== undefined) {
      try {
        for (;;) {
          const before = messages.length
          stream.take(payload, 1, messages)
          if (messages.length === before) break
        }
        if (messages.length > 0) {
          stream.write(
            messages.map((hex) => fromHex(hex)),
            0,
            encodeBytes
          )
        }
        const end = stream.end
        if (end?._tag === "Failed") stream.finish({ code: end.error.code, message: end.error.desc }, [])
        else stream.finish({ code: 0, message: "" }, [])
      } catch (error) {
        const { code, desc } = error as TransportError
        stream.finish({ code, message: desc }, [])
      }
    }
    ticks.run()
    assert.deepStrictEqual(ticks.defects, [])
    const sent = parse(socket.sent())
    const headers = decodeHeaders(sent)
    const frames = sent.flatMap((frame) => {
      if (frame.type === FrameType.RstStream) return [`RST_STREAM ${frame.payload[3]}`]
      if (frame.type === FrameType.Goaway) return ["GOAWAY"]
      if (frame.type === FrameType.Headers) return [`HEADERS ${headers.shift()!.join(" ")}`]
      return []
    })
    return { stream, messages, frames }
  }
  const probe = (name: string) => golden.probes.find((probe) => probe.name === name)!
  const recorded = (name: string) =>
    probe(name).reply.flatMap((frame) => {
      if (frame.type === "RST_STREAM") return [`RST_STREAM ${parseInt(frame.payloadHex!, 16)}`]
      if (frame.type === "HEADERS") return [`HEADERS ${frame.headers!.flat().join(" ")}`]
      return []
    })

  for (const name of [
    "content-type-upper",
    "content-type-json",
    "timeout-bad-unit",
    "timeout-too-long",
    "biz-status-request-header",
    "upper-case-header",
    "grpc-encoding-unknown-flag0",
    "grpc-encoding-unknown-flag1",
    "flag1-without-encoding",
    "bidi",
    "two-messages-in-one-frame",
    "unary",
    "unary-split-message",
    "flag2",
    "get-method",
    "no-te",
    "timeout-seconds",
    "content-type-semicolon",
    "bidi-half-close-no-message",
    "ends-after-prefix",
    "accept-gzip"
  ]) {
    it(name, () => assert.deepStrictEqual(answers(probe(name)).frames, recorded(name)))
  }

  it("a path is service and method, whatever the package", () => {
    const parts = (name: string) => {
      const { stream } = answers(probe(name))
      return [stream?.package, stream?.service, stream?.method]
    }
    assert.deepStrictEqual(parts("path-other-package"), ["other.pkg", "GoldenStream", "Unary"])
    assert.deepStrictEqual(parts("path-no-package"), ["", "GoldenStream", "Unary"])
    assert.deepStrictEqual(parts("path-no-slash"), ["", "", ""])
  })

  it("another payload codec is told apart", () => {
    assert.strictEqual(answers(probe("content-type-grpc-proto")).stream?.thrift, false)
    assert.strictEqual(answers(probe("content-type-grpc")).stream?.thrift, false)
    assert.strictEqual(answers(probe("unary")).stream?.thrift, true)
  })

  it("a request cut off inside a message fails, one cut off behind a prefix ends", () => {
    for (const name of ["ends-inside-prefix", "ends-inside-payload"]) {
      const { frames } = answers(probe(name))
      assert.include(frames[0]!, "grpc-status 13 grpc-message unexpected EOF")
    }
  })

  it("END_STREAM on HEADERS is an end, where Kitex waits for ever", () => {
    assert.deepStrictEqual(answers(probe("headers-end-stream")).stream?.end, { _tag: "HalfClosed" })
  })
})
