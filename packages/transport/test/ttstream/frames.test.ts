import { type Output } from "@millrace/codec/Output"
import { assert, describe, it } from "@effect/vitest"
import {
  FrameType,
  frameInfo,
  frameTypeOf,
  noFields,
  readExceptionPayload,
  writeExceptionFrame,
  writeFrame
} from "../../src/internal/ttstream/frames.ts"
import { userCancelled } from "../../src/internal/ttstream/errors.ts"
import { trailerOf } from "../../src/internal/ttstream/status.ts"
import { HeaderError } from "../../src/internal/ttheader/header.ts"
import type { CallEntries, CallHeaderFields } from "../../src/RawCall.ts"
import { fromHex } from "../http2/raw.ts"
import { hex } from "../ttheader/vectors.ts"
import { type Frame, golden, isFrame, readFrame, worked, written } from "./vectors.ts"

const strings = (...entries: Array<readonly [string, string]>): CallHeaderFields => ({ ints: [], strings: entries })
const ping = fromHex("0b00010000000470696e6700")

describe("frames", () => {
  const cases: Record<keyof typeof worked, (out: Output) => number> = {
    header: (out) =>
      writeFrame(
        out,
        1,
        frameInfo(
          FrameType.Header,
          "EchoBidi",
          strings(["isn", "EchoService"], ["RPC_PERSIST_k1", "v1"], ["RPC_TRANSIT_k2", "v2"])
        )
      ),
    data: (out) => writeFrame(out, 1, frameInfo(FrameType.Data, "EchoBidi"), ping),
    responseHeader: (out) => writeFrame(out, 1, frameInfo(FrameType.Header, "EchoBidi", strings(["hk", "hv"]))),
    halfClose: (out) => writeFrame(out, 1, frameInfo(FrameType.Trailer, "EchoBidi")),
    trailer: (out) => writeFrame(out, 1, frameInfo(FrameType.Trailer, "EchoBidi", strings(["tk", "tv"]))),
    exception: (out) =>
      writeExceptionFrame(out, 3, frameInfo(FrameType.Trailer, "Fail"), "Fail", {
        type: 6,
        message: "biz error: boom"
      }),
    bizError: (out) => {
      const trailer = trailerOf({ code: 13, message: "not found", biz: { code: 404, extra: { k: "v" } } }, [], false)
      if (typeof trailer === "string") throw new Error(trailer)
      assert.strictEqual(trailer.exception, undefined)
      return writeFrame(out, 4, frameInfo(FrameType.Trailer, "Biz", trailer.fields))
    },
    rst: (out) =>
      writeExceptionFrame(out, 5, frameInfo(FrameType.Rst, "Slow", strings(["ttscp", "cli.svc"])), "Slow", {
        type: userCancelled.code,
        message: userCancelled.text
      }),
    afterRst: (out) => writeFrame(out, 5, frameInfo(FrameType.Trailer, "Slow")),
    proxyRst: (out) =>
      writeExceptionFrame(out, 5, frameInfo(FrameType.Rst, "Slow", strings(["ttscp", "Egress"])), "Slow", {
        type: 1204,
        message: "Egress canceled"
      }),
    token: (out) =>
      writeFrame(
        out,
        6,
        frameInfo(FrameType.Header, "EchoBidi", strings(["isn", "EchoService"], ["RPC_TRANSIT_gdpr-token", "tok"]))
      )
  }
  for (const [name, write] of Object.entries(cases)) {
    it(`${name}: written byte for byte, also from what is remembered`, () => {
      const wanted = worked[name as keyof typeof worked]
      for (let i = 0; i < 4; i++) assert.strictEqual(hex(written(write)), wanted)
    })
  }

  it("worked out by hand are read", () => {
    const read = Object.values(worked).map((digits) => {
      const { header, payload, streamId } = readFrame(digits)
      return [streamId, frameTypeOf(header), header.ints.get(9), Object.fromEntries(header.strings), payload.length]
    })
    const isn = "EchoService"
    const biz = { "biz-status": "404", "biz-message": "not found", "biz-extra": '{"k":"v"}' }
    assert.deepStrictEqual(read, [
      [1, 2, "EchoBidi", { isn, RPC_PERSIST_k1: "v1", RPC_TRANSIT_k2: "v2" }, 0],
      [1, 3, "EchoBidi", {}, 12],
      [1, 2, "EchoBidi", { hk: "hv" }, 0],
      [1, 4, "EchoBidi", {}, 0],
      [1, 4, "EchoBidi", { tk: "tv" }, 0],
      [3, 4, "Fail", {}, 46],
      [4, 4, "Biz", biz, 0],
      [5, 5, "Slow", { ttscp: "cli.svc" }, 161],
      [5, 4, "Slow", {}, 0],
      [5, 5, "Slow", { ttscp: "Egress" }, 46],
      [6, 2, "EchoBidi", { isn, "RPC_TRANSIT_gdpr-token": "tok" }, 0]
    ])
  })

  it("have the stream's id, negative ones too, and a type", () => {
    for (const id of [1, 2147483647, -2147483648, -5]) {
      const bytes = written((out) => writeFrame(out, id, frameInfo(FrameType.Meta, "M")))
      assert.strictEqual(readFrame(hex(bytes)).streamId, id)
      assert.strictEqual(frameTypeOf(readFrame(hex(bytes)).header), FrameType.Meta)
    }
  })

  it("have no other type than one of five", () => {
    const typeOf = (type: string | undefined) =>
      frameTypeOf({ flags: 2, strings: new Map(), ints: new Map(type === undefined ? [] : [[27, type]]) })
    for (const type of Object.values(FrameType)) assert.strictEqual(typeOf(`${type}`), type)
    for (const type of [undefined, "", "0", "6", "9", "03", "3 ", "x", "²"]) assert.strictEqual(typeOf(type), undefined)
  })

  it("have ints in ascending order, and no other method and type than their own", () => {
    const info = frameInfo(FrameType.Header, "M", {
      strings: [],
      ints: [
        [0x4d54, "65536"],
        [27, "9"],
        [12, "50"],
        [2, "log"],
        [9, "Other"]
      ]
    })
    const { ints } = readFrame(hex(written((out) => writeFrame(out, 1, info)))).header
    const without = frameInfo(FrameType.Header, "M", {
      strings: [],
      ints: [
        [2, "log"],
        [12, "50"],
        [0x4d54, "65536"]
      ]
    })
    assert.strictEqual(hex(info), hex(without))
    assert.deepStrictEqual(
      [...ints],
      [
        [2, "log"],
        [9, "M"],
        [12, "50"],
        [27, "2"],
        [0x4d54, "65536"]
      ]
    )
  })

  it("are encoded once for the same fields, method and type", () => {
    const fields = strings(["isn", "A"])
    // Fields that come once are not worth remembering.
    frameInfo(FrameType.Header, "M", fields)
    frameInfo(FrameType.Header, "M", fields)
    const info = frameInfo(FrameType.Header, "M", fields)
    assert.strictEqual(frameInfo(FrameType.Header, "M", fields), info)
    // A stream that lives long keeps these bytes, and no others.
    assert.strictEqual(info.buffer.byteLength, info.length)
    assert.notStrictEqual(frameInfo(FrameType.Trailer, "M", fields), info)
    assert.notStrictEqual(frameInfo(FrameType.Header, "N", fields), info)
    assert.strictEqual(frameInfo(FrameType.Data, "M"), frameInfo(FrameType.Data, "M", noFields))
  })

  it("of methods that a peer makes up are not remembered for ever", () => {
    const first = frameInfo(FrameType.Data, "Method")
    for (let i = 0; i < 1000; i++) frameInfo(FrameType.Data, `Method${i}`)
    assert.notStrictEqual(frameInfo(FrameType.Data, "Method"), first)
    assert.deepStrictEqual(frameInfo(FrameType.Data, "Method"), first)
    const long = "M".repeat(129)
    assert.notStrictEqual(frameInfo(FrameType.Data, long), frameInfo(FrameType.Data, long))
  })

  it("refuse what no TTHeader holds", () => {
    const large = "x".repeat(0x10000)
    assert.throws(() => frameInfo(FrameType.Header, "M", strings(["k", large])), HeaderError, /string exceeded 65535B/)
    assert.throws(() => frameInfo(FrameType.Header, large), HeaderError, /string exceeded 65535B/)
    const many: CallEntries = Array.from({ length: 5 }, (_, i) => [`k${i}`, large.slice(1)])
    assert.throws(
      () => frameInfo(FrameType.Header, "M", { ints: [], strings: many }),
      HeaderError,
      /invalid header length/
    )
  })
})

describe("exceptions in frames", () => {
  const read = (payload: Uint8Array) => {
    const padded = new Uint8Array(payload.length + 6)
    padded.set(payload, 3)
    return readExceptionPayload(padded, 3, 3 + payload.length)
  }
  const payload = (type: number, message: string) =>
    readFrame(hex(written((out) => writeExceptionFrame(out, 1, frameInfo(FrameType.Rst, "M"), "M", { type, message }))))
      .payload

  it("are read as they were written", () => {
    for (const [type, message] of [
      [6, "biz error: boom"],
      [12007, userCancelled.text],
      [-1, "错误 100%\n"],
      [20, "unknown service X"]
    ] as const) {
      assert.deepStrictEqual(read(payload(type, message)), { type, message })
    }
  })

  // The texts of gopkg's ApplicationException.
  const texts: ReadonlyArray<readonly [number, string]> = [
    [0, "unknown application exception"],
    [1, "unknown method"],
    [2, "invalid message type"],
    [3, "wrong method name"],
    [4, "bad sequence ID"],
    [5, "missing result"],
    [6, "unknown internal error"],
    [7, "unknown protocol error"],
    [8, "Invalid transform"],
    [9, "Invalid protocol"],
    [10, "Unsupported client type"],
    [77, "unknown exception type [77]"]
  ]
  it("without a text have that of their type", () => {
    for (const [type, message] of texts) {
      const bytes = fromHex(`80010003000000014d000000010b0001000000000800020000${type.toString(16).padStart(4, "0")}00`)
      assert.deepStrictEqual(read(bytes), { type, message })
    }
  })

  it("without fields are of type 0", () => {
    assert.deepStrictEqual(read(fromHex("80010003000000014d0000000100")), {
      type: 0,
      message: "unknown application exception"
    })
  })

  const wrong: ReadonlyArray<readonly [string, string, string | RegExp]> = [
    ["call", "80010001000000014d0000000100", "thrift message type want Exception, but got Call"],
    ["reply", "80010002000000014d0000000100", "thrift message type want Exception, but got Reply"],
    ["oneway", "80010004000000014d0000000100", "thrift message type want Exception, but got Oneway"],
    ["type 0", "80010000000000014d0000000100", "thrift message type want Exception, but got InvalidTMessageType"],
    [
      "type 9",
      "80010009000000014d0000000100",
      "thrift message type want Exception, but got Unknown ThriftMessageType: 9"
    ],
    ["no envelope", "0b00010000000470696e6700", "ReadMessageBegin: bad version"],
    ["three bytes", "800100", "ReadMessageBegin: buf too small"],
    ["no name", "80010003", "ReadMessageBegin: buf too small"],
    ["a cut name", "80010003000000054d", "ReadMessageBegin: buf too small"],
    ["a negative name", "80010003ffffffff4d00000001", "ReadMessageBegin: buf too small"],
    ["a cut body", "80010003000000014d000000010b0001000000ff", /TApplicationException/],
    ["no body", "80010003000000014d00000001", /TApplicationException/]
  ]
  for (const [name, digits, text] of wrong) {
    it(`${name} is none: the text says why`, () => {
      const why = read(fromHex(digits))
      if (typeof why !== "string") throw new Error("it was read")
      if (typeof text === "string") assert.strictEqual(why, text)
      else assert.match(why, text)
    })
  }

  it("cut anywhere are none", () => {
    const whole = payload(6, "boom")
    for (let size = 0; size < whole.length; size++) {
      assert.strictEqual(typeof read(whole.subarray(0, size)), "string", `${size} bytes`)
    }
  })
})

const recorded: ReadonlyArray<readonly [string, ReadonlyArray<Frame>]> = [
  ...golden.transcripts.map(({ frames, name }) => [name, frames.filter(isFrame)] as const),
  ...golden.chains.map(({ frames, name }) => [name, frames.filter(isFrame)] as const),
  ...golden.probes.map(({ name, reply }) => [`probe ${name}`, reply.filter(isFrame)] as const),
  ...golden.fakes.map(({ name, sent }) => [`fake ${name}`, (sent ?? []).filter(isFrame)] as const)
]

describe("frames of Kitex", () => {
  it("are many", () => {
    const all = recorded.flatMap(([, frames]) => frames)
    assert.isAbove(all.length, 400)
    for (const type of [2, 3, 4, 5]) assert.isTrue(all.some((frame) => frame.type === type))
  })

  for (const [name, frames] of recorded) {
    const whole = frames.filter((frame) => frame.cut === undefined)
    if (whole.length === 0) continue
    it(`${name}: read, and written with the same fields`, () => {
      for (const { exception, hex: digits, ints, sid, strings = [], type } of whole) {
        const { header, payload, streamId } = readFrame(digits)
        assert.strictEqual(frameTypeOf(header), type)
        assert.strictEqual(streamId, sid)
        assert.strictEqual(header.flags, 2)
        assert.deepStrictEqual(new Map(header.ints), new Map(ints))
        assert.deepStrictEqual(new Map(header.strings), new Map(strings))
        if (exception !== undefined) {
          const [message, type] = exception
          const wanted = typeof message === "string" ? message : fromHex(message.hex)
          const read = readExceptionPayload(payload, 0, payload.length)
          if (typeof read === "string") throw new Error(read)
          assert.strictEqual(read.type, type)
          assert.strictEqual(
            read.message,
            typeof wanted === "string" ? wanted : new TextDecoder("utf-8", { ignoreBOM: true }).decode(wanted)
          )
        }

        const method = header.ints.get(9) ?? ""
        const others = ints.filter(([key]) => key !== 9 && key !== 27)
        const info = frameInfo(type, method, { ints: others, strings })
        const again = written((out) =>
          exception === undefined || typeof exception[0] !== "string"
            ? writeFrame(out, sid, info, payload)
            : writeExceptionFrame(out, sid, info, method, { message: exception[0], type: exception[1] })
        )
        assert.strictEqual(again.length, digits.length / 2)
        const back = readFrame(hex(again))
        assert.deepStrictEqual(new Map(back.header.ints), new Map(ints))
        assert.deepStrictEqual(new Map(back.header.strings), new Map(strings))
        assert.deepStrictEqual(back.payload, payload)
        const ascending = ints.every(([key], i) => i === 0 || key > ints[i - 1]![0])
        if (ascending && method !== "") assert.strictEqual(hex(again), digits)
      }
    })
  }
})
