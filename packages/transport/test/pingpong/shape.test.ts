import { assert, describe, it } from "@effect/vitest"
import { detect, headerShape, invalidPayload, payloadShape, type Protocol } from "../../src/internal/pingpong/shape.ts"
import { Choices, choices } from "../http2/arbitraries.ts"
import { concat, fromHex } from "../http2/raw.ts"

/** First eight bytes; what they are on a fresh connection; their header, or the payload's shape, of any message. */
const cases: ReadonlyArray<readonly [string, Protocol, string | undefined]> = [
  ["505249202a204854", "http2", undefined],
  ["0000002c10000000", "pingpong", "ttheader"],
  ["0000002c10000002", "ttstream", "ttheader"],
  ["0000002c10000003", "ttstream", "ttheader"],
  ["0000002c10000001", "pingpong", "ttheader"],
  ["8001000110000000", "pingpong", "ttheader"],
  ["8001000100000004", "pingpong", "buffered"],
  ["8001ffff80010001", "pingpong", "buffered"],
  ["0000001e80010001", "pingpong", "framed"],
  ["ffaf001400010003", "pingpong", "mesh"],
  ["ffaf001410000002", "ttstream", "ttheader"],
  ["0000001e90010001", "unknown", undefined],
  ["000000044563686f", "unknown", undefined],
  ["0000001e82210104", "unknown", undefined],
  ["505249202a204855", "unknown", undefined],
  // a TLS ClientHello, an HTTP/1 request, nothing
  ["160301020001fc03", "unknown", undefined],
  ["474554202f204854", "unknown", undefined],
  ["0000000000000000", "unknown", undefined]
]

describe("the first eight bytes", () => {
  for (const [hex, protocol, shape] of cases) {
    it(`${hex}: ${protocol}, ${shape ?? "no message"}`, () => {
      const bytes = fromHex(hex)
      assert.strictEqual(detect(bytes), protocol)
      // Somewhere in a chunk.
      const chunk = concat([fromHex("80010001ff"), bytes, fromHex("80010001")])
      assert.strictEqual(headerShape(chunk, 5) ?? payloadShape(chunk, 5), shape)
    })
  }

  it("what is refused is shown in hex without leading zeros", () => {
    const shown = (hex: string) => invalidPayload(fromHex(hex), 0)
    assert.strictEqual(shown("000000044563686f"), "invalid payload (first4Bytes=0x4, second4Bytes=0x4563686f)")
    assert.strictEqual(shown("deadbeefdeadbeef"), "invalid payload (first4Bytes=0xdeadbeef, second4Bytes=0xdeadbeef)")
    assert.strictEqual(shown("0000000080000000"), "invalid payload (first4Bytes=0x0, second4Bytes=0x80000000)")
  })
})

it.prop(
  "all others are no protocol, and no message",
  [choices],
  ([given]) => {
    const random = new Choices(given)
    for (let i = 0; i < 500; i++) {
      const bytes = Uint8Array.from({ length: 8 }, () =>
        random.pick([0x00, 0x10, 0x01, 0x80, 0xff, 0xaf, random.below(256)])
      )
      const view = new DataView(bytes.buffer)
      const [a, b] = [view.getUint16(0), view.getUint16(4)]
      const expected =
        b === 0x1000
          ? (view.getUint16(6) & 2) === 0
            ? "pingpong"
            : "ttstream"
          : a === 0xffaf || a === 0x8001 || b === 0x8001
            ? "pingpong"
            : "unknown"
      assert.strictEqual(detect(bytes), expected)
    }
  },
  { arbitrary: { runs: 100 } }
)
