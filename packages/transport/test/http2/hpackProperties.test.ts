import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { type DecodeResult, HpackDecoder } from "../../src/internal/http2/hpackDecoder.ts"
import { HpackEncoder } from "../../src/internal/http2/hpackEncoder.ts"

const integer = (minimum: number, maximum: number) =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

const octets = (maxLength: number) => Arbitrary.array(integer(0, 255), { maxLength })

const latin1 = (maxLength: number) => Arbitrary.map(octets(maxLength), (codes) => String.fromCharCode(...codes))

const pick = <A>(values: ReadonlyArray<A>) => Arbitrary.map(integer(0, values.length - 1), (i) => values[i]!)

const names = [
  ":status",
  ":path",
  ":method",
  "content-type",
  "grpc-timeout",
  "cookie",
  "authorization",
  "x-a",
  "x-b",
  "x-c"
]

/** Few names and values, so that the tables are hit, beside arbitrary ones. */
const field = Arbitrary.map(
  Arbitrary.all({
    known: integer(0, 3),
    name: pick(names),
    value: pick(["", "1", "2", "v".repeat(40)]),
    odd: latin1(60)
  }),
  ({ known, name, odd, value }): [string, string] => [known === 0 ? `x-${odd}` : name, known === 1 ? odd : value]
)

const list = Arbitrary.map(Arbitrary.array(field, { maxLength: 12 }), (fields) => fields.flat())

/** Lists to send, and before each the table sizes that the peer sets. */
const steps = Arbitrary.array(
  Arbitrary.all({ sizes: Arbitrary.array(integer(0, 600), { maxLength: 2 }), resize: integer(0, 3), list }),
  { maxLength: 25 }
)

const decode = (decoder: HpackDecoder, block: Uint8Array) => decoder.decode(block, 0, block.length)

const tableSize = (decoder: HpackDecoder): number => {
  let size = 0
  for (let index = 62; index < 127; index++) {
    const result = decode(decoder, Uint8Array.of(0x80 | index))
    if (result.kind === "compression") return size
    if (result.kind === "headers") size += result.headers[0]!.length + result.headers[1]!.length + 32
  }
  return size
}

describe("HPACK", () => {
  it.prop(
    "the decoder gives the lists that the encoder took, whatever the table sizes",
    { steps, ours: pick([0, 40, 200, 4096]) },
    ({ steps, ours }) => {
      const encoder = new HpackEncoder(ours)
      const decoder = new HpackDecoder({ maxTableSize: 4096, maxListSize: 1 << 20, maxHeaders: 1000 })
      let limit = 4096
      for (const { list, resize, sizes } of steps) {
        if (resize === 0) {
          for (const size of sizes) {
            encoder.setPeerTableSize(size)
            decoder.setMaxTableSize(size)
            limit = size
          }
        }
        const block = encoder.encode(list)
        assert.deepStrictEqual(decode(decoder, block), { kind: "headers", headers: list })
        assert.isAtMost(tableSize(decoder), Math.min(limit, ours))
      }
    },
    { arbitrary: { runs: 200 } }
  )

  it.prop(
    "whatever arrives, the decoder answers, keeps no list over its limits and no table over its size",
    { blocks: Arbitrary.array(octets(80), { maxLength: 20 }) },
    ({ blocks }) => {
      const decoder = new HpackDecoder({ maxTableSize: 256, maxListSize: 200, maxHeaders: 5 })
      for (const block of blocks) {
        const result = decode(decoder, Uint8Array.from(block))
        if (result.kind === "headers") {
          assert.isAtMost(result.headers.length, 10)
          assert.isAtMost(listSize(result.headers), 200)
        }
        assert.isAtMost(tableSize(decoder), 256)
      }
    },
    { arbitrary: { runs: 500 } }
  )

  it.prop(
    "a block with one byte changed is answered, and what was remembered does not leak into it",
    { list, at: integer(0, 1000), to: integer(0, 255) },
    ({ at, list, to }) => {
      const encoder = new HpackEncoder()
      const options = { maxTableSize: 4096, maxListSize: 1 << 20, maxHeaders: 1000 }
      const used = new HpackDecoder(options)
      const blocks = [encoder.encode(list).slice(), encoder.encode(list).slice()]
      for (const block of blocks) decode(used, block)
      const changed = blocks[1]!.slice()
      if (changed.length > 0) changed[at % changed.length] = to
      const fresh = new HpackDecoder(options)
      decode(fresh, blocks[0]!)
      const expected: DecodeResult = decode(fresh, changed)
      assert.deepStrictEqual(decode(used, changed), expected)
    },
    { arbitrary: { runs: 300 } }
  )
})

const listSize = (headers: ReadonlyArray<string>): number => {
  let size = 0
  for (let i = 0; i < headers.length; i += 2) size += headers[i]!.length + headers[i + 1]!.length + 32
  return size
}
