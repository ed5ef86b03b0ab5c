/** Messages of Kitex with a TTHeader, and what their headers say. */
import { assert } from "@effect/vitest"
import type { CallHeader, CallHeaderFields } from "../../src/RawCall.ts"
import { Answer, answerFields, goodbyeFields } from "../../src/internal/ttheader/fields.ts"
import { fixedSize, HeaderError, infoSizeAt, readHeader } from "../../src/internal/ttheader/header.ts"
import { concat, fromHex, text } from "../http2/raw.ts"

export const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
export const spaced = (digits: string) => fromHex(digits.replaceAll(/;.*|\s/g, ""))

const bareCall = "800100010000000 44563686f 00000001 0c00010b0001000000026869 00 00"
const framedCall = `0000001e ${bareCall}`
const framedReply = "0000001e 80010002 00000004 4563686f 00000001 0c00000b000100000002796f 00 00"
export const noFields: CallHeaderFields = { ints: [], strings: [] }
export const callInts = (transport: string) =>
  [
    [1, transport],
    [3, "cli"],
    [6, "echo-svc"],
    [9, "Echo"],
    [12, "1000"],
    [20, ""],
    [22, "1"]
  ] as const

interface Vector {
  readonly name: string
  readonly hex: string
  readonly fields: CallHeaderFields
  readonly flags?: number
  readonly sequenceId?: number
  readonly checksum?: boolean
}

/** Whole messages as Kitex sends them, and what their headers say. */
export const vectors: ReadonlyArray<Vector> = [
  { name: "nothing", hex: `0000002c 1000 0000 00000001 0001 00 00 0000 ${bareCall}`, fields: noFields },
  {
    name: "an unframed call",
    hex: `0000007c 1000 0000 00000001 0015 00 00
      01 0001  0003 69736e 000b 4563686f53657276696365
      10 0007 0001 0008 756e6672616d6564 0003 0003 636c69 0006 0008 6563686f2d737663 0009 0004 4563686f
        000c 0004 31303030 0014 0000 0016 0001 31 0000 ${bareCall}`,
    fields: { ints: callInts("unframed"), strings: [["isn", "EchoService"]] }
  },
  {
    name: "a framed call, without padding",
    hex: `0000007c 1000 0000 00000001 0014 00 00
      01 0001  0003 69736e 000b 4563686f53657276696365
      10 0007 0001 0006 6672616d6564 0003 0003 636c69 0006 0008 6563686f2d737663 0009 0004 4563686f
        000c 0004 31303030 0014 0000 0016 0001 31 ${framedCall}`,
    fields: { ints: callInts("framed"), strings: [["isn", "EchoService"]] }
  },
  {
    name: "a reply",
    hex: `00000038 1000 0000 00000001 0003 00 00 10 0001 0016 0001 32 00 00 ${framedReply}`,
    fields: answerFields(0, undefined)
  },
  {
    name: "metainfo and an ACL token",
    hex: `00000068 1000 0000 00000001 000f 00 00 11 0003 746f6b
      01 0002 0011 5250435f504552534953545f6c6f676964 0005 3132333435
      0010 5250435f5452414e5349545f74656d70 0001 76 0000 ${framedCall}`,
    fields: {
      ints: [],
      strings: [
        ["RPC_PERSIST_logid", "12345"],
        ["RPC_TRANSIT_gdpr-token", "tok"],
        ["RPC_TRANSIT_temp", "v"]
      ]
    }
  },
  {
    name: "a backward value",
    hex: `00000054 1000 0000 00000001 000a 00 00
      01 0001 0015 736f6d657468696e672d66726f6d2d736572766572 0002 7632
      10 0001 0016 0001 32 ${framedReply}`,
    fields: answerFields(0, [["something-from-server", "v2"]])
  },
  {
    name: "a multiplexed call",
    hex: `00000030 1000 0001 00000001 0001 00000000 ${framedCall}`,
    fields: noFields,
    flags: 1
  },
  {
    name: "a goodbye",
    hex: `0000002b 1000 0000 00000000 0004 00 00 01 0001 0005 6372727374 0001 31 00
      80010002 00000004 6e6f6e65 00000000 00`,
    fields: goodbyeFields,
    sequenceId: 0
  },
  {
    name: "an exception that closes",
    hex: `0000006e 1000 0000 00000004 0006 00 00  01 0001 0005 6372727374 0001 31  10 0001 0016 0001 33  00
      00000048 80010003 00000004 4e6f7065 00000004 0b 0001 00000029
      756e6b6e6f776e206d6574686f64204e6f7065202873657276696365204563686f5365727669636529 08 0002 00000001 00`,
    fields: answerFields(Answer.Exception | Answer.Last, undefined),
    sequenceId: 4
  },
  {
    name: "a business error",
    hex: `0000006b 1000 0000 00000001 0013 00 00
      01 0003 000a 62697a2d737461747573 0003 343034 000b 62697a2d6d657373616765 0009 6e6f7420666f756e64
      0009 62697a2d6578747261 0009 7b226b223a2276227d 10 0001 0016 0001 32
      00000011 80010002 00000004 4563686f 00000001 00`,
    fields: answerFields(0, [
      ["biz-status", "404"],
      ["biz-message", "not found"],
      ["biz-extra", '{"k":"v"}']
    ])
  },
  {
    name: "timeouts",
    hex: `00000040 1000 0000 00000001 0005 00 00 10 0002 000c 0004 31303030 0011 0003 313030 ${framedCall}`,
    fields: {
      ints: [
        [12, "1000"],
        [17, "100"]
      ],
      strings: []
    }
  },
  {
    name: "a service's name",
    hex: `00000041 1000 0000 00000006 0005 00 00 01 0001 0003 69736e 0008 5365727669636543
      0000001f 80010001 00000005 4563686f31 00000006 0c00010b0001000000026869 00 00`,
    fields: { ints: [], strings: [["isn", "ServiceC"]] },
    sequenceId: 6
  },
  {
    name: "a checksum",
    hex: `00000044 1000 0000 00000001 0006 00 00 01 0001 0006 637263333263 0008 3730326234613335 00 ${framedCall}`,
    fields: noFields,
    checksum: true
  }
]

export const payloadOf = (message: Uint8Array) => message.subarray(fixedSize + infoSizeAt(message, 0))

export const headerOf = (message: Uint8Array) => readHeader(message, 0, fixedSize + infoSizeAt(message, 0))

/** A header with a LENGTH that says nothing. */
export const headerWith = (...info: ReadonlyArray<Uint8Array>): Uint8Array => {
  const bytes = concat(info)
  const words = Math.ceil(bytes.length / 4)
  return concat([
    fromHex("00000000100000000000000 1".replaceAll(" ", "")),
    Uint8Array.of(words >>> 8, words & 255),
    bytes,
    new Uint8Array(words * 4 - bytes.length)
  ])
}

export const string16 = (value: string | Uint8Array) => {
  const bytes = typeof value === "string" ? text(value) : value
  return concat([Uint8Array.of(bytes.length >>> 8, bytes.length & 255), bytes])
}

export const sameHeader = (actual: CallHeader, fields: CallHeaderFields, flags = 0) => {
  assert.strictEqual(actual.flags, flags)
  assert.deepStrictEqual(new Map(actual.ints), new Map(fields.ints))
  assert.deepStrictEqual(new Map(actual.strings), new Map(fields.strings))
}

export const refused = (bytes: Uint8Array): string => {
  try {
    readHeader(bytes, 0, bytes.length)
  } catch (error) {
    assert.instanceOf(error, HeaderError)
    return (error as HeaderError).message
  }
  return "accepted"
}
