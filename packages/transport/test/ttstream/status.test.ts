import { ExceptionType } from "@millrace/codec/Message"
import { assert, describe, it } from "@effect/vitest"
import { failedByClient, type Side } from "../../src/internal/ttstream/errors.ts"
import { FrameType, frameInfo, writeExceptionFrame, writeFrame } from "../../src/internal/ttstream/frames.ts"
import {
  hiddenInHeader,
  hiddenInRequest,
  hiddenInTrailer,
  metadataOf,
  stringsOf
} from "../../src/internal/ttstream/metadata.ts"
import {
  readTrailer,
  refusedByDrain,
  saysDraining,
  type Trailer,
  trailerOf
} from "../../src/internal/ttstream/status.ts"
import type { MetadataEntries } from "../../src/Metadata.ts"
import type { CallHeader } from "../../src/RawCall.ts"
import type { RawStatus } from "../../src/RawStream.ts"
import * as StatusDetails from "../../src/StatusDetails.ts"
import { Choices, choices } from "../http2/arbitraries.ts"
import { hex } from "../ttheader/vectors.ts"
import { entriesOf } from "./support.ts"
import { golden, isFrame, readFrame, split, worked, written } from "./vectors.ts"

const read = (digits: string, side: Side = "client") => {
  const { header, payload } = readFrame(digits)
  return readTrailer(side, header, payload, 0, payload.length)
}

const frameOf = ({ exception, fields }: Trailer): string => {
  const info = frameInfo(FrameType.Trailer, "M", fields)
  return hex(
    written((out) =>
      exception === undefined ? writeFrame(out, 1, info) : writeExceptionFrame(out, 1, info, "M", exception)
    )
  )
}

const trailer = (status: RawStatus, trailers: MetadataEntries = [], drains = false): Trailer => {
  const made = trailerOf(status, trailers, drains)
  if (typeof made === "string") throw new Error(made)
  return made
}

const statusOf = (digits: string, side?: Side): RawStatus => {
  const result = read(digits, side)
  if (result.failed !== undefined) throw result.failed
  return result.status
}

const failedOf = (digits: string, side?: Side) => {
  const { failed } = read(digits, side)
  if (failed === undefined) throw new Error("it is a status")
  return failed
}

/** A Trailer without a payload. */
const bare = (strings: Trailer["fields"]["strings"], ints: Trailer["fields"]["ints"] = []): string =>
  frameOf({ fields: { strings, ints }, exception: undefined })

const details = StatusDetails.encode({ code: 7, message: "no", details: [] })

describe("the status in a Trailer", () => {
  it("that is ok is nothing at all", () => {
    const made = trailer({ code: 0, message: "" })
    assert.deepStrictEqual(made, { fields: { ints: [], strings: [] }, exception: undefined })
    assert.strictEqual(trailer({ code: 0, message: "" }), made)
    assert.deepStrictEqual(statusOf(frameOf(made)), { code: 0, message: "" })
  })

  it("of INTERNAL is what Kitex writes, and no more", () => {
    assert.deepStrictEqual(trailer({ code: 13, message: "biz error: boom" }), {
      fields: { ints: [], strings: [] },
      exception: { type: 6, message: "biz error: boom" }
    })
    assert.deepStrictEqual(statusOf(worked.exception), { code: 13, message: "biz error: boom" })
  })

  it("of what cannot be routed has Kitex's types", () => {
    const typeOf = (code: number, message: string) => trailer({ code, message }).exception?.type
    assert.strictEqual(typeOf(20, "unknown service X"), ExceptionType.UnknownService)
    assert.strictEqual(typeOf(1, "unknown method X"), ExceptionType.UnknownMethod)
    // gRPC's CANCELLED.
    assert.strictEqual(typeOf(1, "biz error: context canceled"), ExceptionType.InternalError)
    assert.strictEqual(typeOf(20, "biz error: twenty"), ExceptionType.InternalError)
    const passedOn = (exceptionType: number) => trailer({ code: 1, message: "x", exceptionType }).exception?.type
    assert.strictEqual(passedOn(12007), 12007)
    for (const type of [2 ** 31, 1.5, NaN]) assert.strictEqual(passedOn(type), ExceptionType.InternalError)
  })

  const statuses: ReadonlyArray<readonly [string, RawStatus]> = [
    ["ok", { code: 0, message: "" }],
    ["internal", { code: 13, message: "boom" }],
    ["unavailable", { code: 14, message: "later", retryAfterMillis: 1500 }],
    ["unknown service", { code: 20, message: "unknown service X" }],
    ["unknown method", { code: 1, message: "unknown method X" }],
    ["with details", { code: 7, message: "no", details }],
    ["a code of Kitex", { code: 12007, message: "[ttstream error, code=12007] x" }],
    ["a business error", { code: 13, message: "错误 <a&b>", biz: { code: -7, extra: {} } }],
    ["a business error with more", { code: 13, message: "", biz: { code: 404, extra: { k: "<v>", 键: "值" } } }],
    [
      "a business error with a status",
      { code: 7, message: "no", biz: { code: 1, extra: {} }, details, retryAfterMillis: 20 }
    ]
  ]
  for (const [name, status] of statuses) {
    it(`${name}: what is written is read`, () => {
      const back = statusOf(frameOf(trailer(status)))
      assert.deepStrictEqual(JSON.parse(JSON.stringify(back)), JSON.parse(JSON.stringify(status)))
      const server = statusOf(frameOf(trailer(status)), "server")
      assert.deepStrictEqual(JSON.parse(JSON.stringify(server)), JSON.parse(JSON.stringify(status)))
    })
  }

  it("goes beside trailers, which come first", () => {
    const made = trailer({ code: 13, message: "no", biz: { code: 1, extra: {} } }, [
      ["tk", "tv"],
      ["Two", "1"],
      ["Two", "2"]
    ])
    assert.deepStrictEqual(made.fields.strings, [
      ["tk", "tv"],
      ["Two", "1"],
      ["Two", "2"],
      ["biz-status", "1"],
      ["biz-message", "no"]
    ])
    const result = read(frameOf(made))
    if (result.failed !== undefined) throw result.failed
    assert.deepStrictEqual(entriesOf(result.trailer), [
      ["tk", ["tv"]],
      ["Two", ["1", "2"]]
    ])
  })

  it("keeps a business error with the number 0, which every client takes for success", () => {
    const made = trailer({ code: 13, message: "zero", biz: { code: 0, extra: {} } })
    assert.deepStrictEqual(made.fields.strings.slice(0, 2), [
      ["biz-status", "0"],
      ["biz-message", "zero"]
    ])
    assert.deepStrictEqual(statusOf(frameOf(made)), { code: 0, message: "" })
  })

  it("says no time to wait where all is well", () => {
    assert.deepStrictEqual(trailer({ code: 0, message: "", retryAfterMillis: 5 }, [["k", "v"]]).fields.strings, [
      ["k", "v"]
    ])
  })

  it("asks clients to go while the server drains", () => {
    assert.isFalse(saysDraining(readFrame(frameOf(trailer({ code: 0, message: "" }))).header))
    const last = frameOf(trailer({ code: 14, message: "x" }, [["k", "v"]], true))
    assert.isTrue(saysDraining(readFrame(last).header))
    assert.deepStrictEqual(statusOf(last), { code: 14, message: "x" })
    assert.isTrue(saysDraining(readFrame(frameOf(trailer({ code: 0, message: "" }, [], true))).header))
    // Whoever did not begin is safe to send again: the status alone does not say that.
    assert.strictEqual(failedOf(frameOf(refusedByDrain)).reason._tag, "Draining")
    assert.deepStrictEqual(statusOf(frameOf(trailer({ code: 14, message: "graceful shutdown" }, [], true))), {
      code: 14,
      message: "graceful shutdown"
    })
  })

  it("refuses trailers that cannot be sent", () => {
    assert.strictEqual(
      trailerOf({ code: 0, message: "" }, [["biz-status", "5"]], false),
      'the key "biz-status" cannot be sent over TTHeader: it belongs to the protocol, choose another'
    )
  })

  const malformed: ReadonlyArray<readonly [string, string, number, RegExp]> = [
    [
      "a status code that is no number",
      frameOf({ fields: { strings: [], ints: [[0x4d57, "x"]] }, exception: { type: 6, message: "m" } }),
      12004,
      /\[client-side stream\] malformed status code: x$/
    ],
    [
      "a status code that says that all is well",
      frameOf({ fields: { strings: [], ints: [[0x4d57, "0"]] }, exception: { type: 6, message: "m" } }),
      12004,
      /malformed status code: 0$/
    ],
    [
      "details that are no Base64",
      frameOf({ fields: { strings: [], ints: [[0x4d58, "*"]] }, exception: { type: 6, message: "m" } }),
      12004,
      /malformed status details/
    ],
    [
      "details that are no status",
      frameOf({ fields: { strings: [], ints: [[0x4d58, "////"]] }, exception: { type: 6, message: "m" } }),
      12004,
      /malformed status details/
    ],
    [
      "an extra that is no object",
      bare([
        ["biz-status", "404"],
        ["biz-extra", "{"]
      ]),
      12003,
      /\[client-side stream\] malformed header info, extra: \{$/
    ]
  ]
  for (const [name, digits, code, text] of malformed) {
    it(`${name} fails the stream`, () => {
      const failed = failedOf(digits)
      assert.strictEqual(failed.code, code)
      assert.match(failed.desc, text)
      assert.strictEqual(failed.reason._tag, "ProtocolViolation")
    })
  }

  it("of a business error has an empty extra where none came", () => {
    assert.deepStrictEqual(
      statusOf(
        bare([
          ["biz-status", "+404"],
          ["biz-extra", ""]
        ])
      ),
      {
        code: 13,
        message: "",
        biz: { code: 404, extra: {} }
      }
    )
    assert.deepStrictEqual(statusOf(bare([["biz-status", "4294967296"]])), { code: 0, message: "" })
  })

  it("means nothing where nothing failed", () => {
    assert.deepStrictEqual(
      statusOf(
        bare(
          [["retry-pushback-ms", "5"]],
          [
            [0x4d57, "7"],
            [0x4d58, "*"]
          ]
        )
      ),
      { code: 0, message: "" }
    )
  })
})

/** Every Trailer of a conversation, and those worked out by hand. */
const trailers = [
  ...golden.transcripts.flatMap(({ frames }) => frames.filter(isFrame).filter(({ type }) => type === 4)),
  ...[worked.exception, worked.bizError].map((hex) => ({ hex }))
].map(({ hex }) => readFrame(hex))

it.prop(
  "any payload and any values are a status, or an error that has a type",
  [choices],
  ([given]) => {
    const random = new Choices(given)
    for (let i = 0; i < 50; i++) {
      const { header, payload } = random.pick(trailers)
      const bytes = Uint8Array.from(payload)
      for (let n = random.below(4); n > 0 && bytes.length > 0; n--)
        bytes[random.below(bytes.length)] = random.below(256)
      const size = random.below(2) === 0 ? bytes.length : random.below(bytes.length + 1)
      const values = ["", "0", "7", "x", "{", "null", '{"a":1}', "////", "AAAA", "-", "99999999999"]
      const some = <K>(map: ReadonlyMap<K, string>, key: K): ReadonlyMap<K, string> =>
        random.below(2) === 0 ? map : new Map([...map, [key, random.pick(values)]])
      const ints = some(some(header.ints, random.pick([0x4d56, 0x4d57])), 0x4d58)
      const strings = some(header.strings, random.pick(["biz-status", "biz-message", "biz-extra", "retry-pushback-ms"]))
      const result = readTrailer(random.pick(["client", "server"]), { flags: 2, ints, strings }, bytes, 0, size)
      if (result.failed === undefined) assert.isTrue(Number.isInteger(result.status.code))
      else assert.oneOf(result.failed.reason._tag, ["ProtocolViolation", "Draining"])
    }
  },
  { arbitrary: { runs: 50 } }
)

/** What Kitex's Recv gives at the end. */
const recvText = (digits: string, side: Side): string => {
  const result = read(digits, side)
  if (result.failed !== undefined) return result.failed.desc
  const { biz, code, message } = result.status
  if (biz !== undefined) return `biz error: code=${biz.code}, msg=${message}`
  return code === 0 ? "EOF" : `[ttstream error, code=12001] [${side}-side stream] ${message}`
}

describe("Trailers of Kitex", () => {
  const ended = golden.transcripts.flatMap(({ clientSaw, frames, name }) => {
    const last = frames.filter(isFrame).findLast(({ dir, type }) => dir === "s2c" && type === 4)
    const errors = clientSaw.filter(({ op }) => op === "recv" || op === "closeAndRecv").map(({ error }) => error)
    const { error } = { error: errors.at(-1) }
    // A cancelled client does not look at the Trailer, and one message is all that closeAndRecv reads.
    return last === undefined || error === undefined || /code=120(07|14|15)/.test(error)
      ? []
      : [[name, last.hex, error] as const]
  })
  it("are many", () => {
    assert.isAbove(ended.length, 25)
  })
  for (const [name, digits, error] of ended) {
    it(`${name}: the client sees ${error.slice(0, 60)}`, () => {
      assert.strictEqual(recvText(digits, "client"), error)
    })
  }

  for (const { clientSaw, name, reply } of golden.fakes) {
    if (!name.startsWith("trailer-")) continue
    it(`fake ${name}`, () => {
      const frames = split(reply)
      const last = frames.at(-1)!
      assert.strictEqual(recvText(last, "client"), clientSaw.findLast(({ op }) => op === "recv")!.error)
    })
  }

  for (const { handlerSaw, name, send } of golden.probes) {
    if (!name.startsWith("client-trailer-")) continue
    it(`probe ${name}: the handler's Recv`, () => {
      const result = read(split(send).at(-1)!, "server")
      if (result.failed !== undefined) throw result.failed
      assert.deepStrictEqual(handlerSaw, [`recv: ${failedByClient(result.status).desc}`])
    })
  }
})

describe("metadata in a TTHeader", () => {
  const header = (strings: ReadonlyArray<readonly [string, string]>): CallHeader =>
    readFrame(hex(written((out) => writeFrame(out, 1, frameInfo(FrameType.Header, "M", { strings, ints: [] }))))).header

  it("keeps keys as they are, several values of one too", () => {
    const entries: MetadataEntries = [
      ["Trace-Id", "7"],
      ["H_Two", "二"],
      ["many", "1"],
      ["many", ""],
      ["many", "1"],
      ["bytes-bin", Uint8Array.of(0, 255)],
      ["text-bin", "é"]
    ]
    const strings = stringsOf(entries)
    if (typeof strings === "string") throw new Error(strings)
    assert.deepStrictEqual(strings.at(-2), ["bytes-bin", "AP8"])
    assert.deepStrictEqual(entriesOf(metadataOf(header(strings), hiddenInHeader)), [
      ["Trace-Id", ["7"]],
      ["H_Two", ["二"]],
      ["many", ["1", "", "1"]],
      ["bytes-bin", [Uint8Array.of(0, 255)]],
      ["text-bin", [new TextEncoder().encode("é")]]
    ])
    assert.strictEqual(metadataOf(header(strings), hiddenInHeader).get("TEXT-bin"), "é")
  })

  it("of a request is without the service's name and metainfo", () => {
    const strings = [
      ["isn", "S"],
      ["RPC_PERSIST_a", "1"],
      ["RPC_TRANSIT_b", "2"],
      ["RPC_TRANSIT_UPSTREAM_c", "3"],
      ["RPC_TRANSIT_gdpr-token", "4"],
      ["rip", "1.2.3.4:5"],
      ["k", "v"]
    ] as const
    assert.deepStrictEqual(entriesOf(metadataOf(header(strings), hiddenInRequest)), [
      ["rip", ["1.2.3.4:5"]],
      ["k", ["v"]]
    ])
    assert.strictEqual(metadataOf(header(strings), hiddenInRequest).get("ISN"), undefined)
  })

  it("of a trailer is without what made the status", () => {
    const strings = ["biz-status", "biz-message", "biz-extra", "retry-pushback-ms", "tk"].map(
      (key) => [key, "1"] as const
    )
    assert.deepStrictEqual([...metadataOf(header(strings), hiddenInTrailer).keys()], ["tk"])
  })

  const refused: ReadonlyArray<readonly [string, string | Uint8Array, RegExp]> = [
    ["", "v", /it is empty/],
    ...[
      "isn",
      "ttscp",
      "crrst",
      "crc32c",
      "rip",
      "tc",
      "ti",
      "biz-status",
      "biz-message",
      "biz-extra",
      "retry-pushback-ms",
      "RPC_PERSIST_a",
      "RPC_TRANSIT_a",
      "RPC_TRANSIT_gdpr-token",
      "RPC_BACKWARD_a",
      "PV_a"
    ].map((key) => [key, "v", /it belongs to the protocol, choose another/] as const),
    ["k", Uint8Array.of(1), /bytes need a key in -bin/],
    ["k", "x".repeat(0x10000), /at most 65535 bytes/],
    ["k", "é".repeat(0x8000), /at most 65535 bytes/],
    ["x".repeat(0x10000), "v", /^the key "x{64}\.\.\." cannot .* at most 65535 bytes/],
    ["k-bin", new Uint8Array(0xc000), /at most 65535 bytes/]
  ]
  it("may not be what belongs to others, or what no TTHeader holds", () => {
    for (const [key, value, why] of refused) {
      const strings = stringsOf([
        ["fine", "v"],
        [key, value]
      ])
      if (typeof strings !== "string") throw new Error(`${key.slice(0, 20)} was not refused`)
      assert.match(strings, why)
    }
    for (const value of ["x".repeat(0xffff), "é".repeat(0x7fff)]) assert.isArray(stringsOf([["k", value]]))
  })
})
