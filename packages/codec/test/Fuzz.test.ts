import { assert, describe, it } from "@effect/vitest"
import { Codec, CodecError, Message } from "@millrace/codec"
import { readFileSync } from "node:fs"
import { planOf } from "../src/internal/fromSchema.ts"
import { hex, toJson, types, unhex } from "./golden.ts"
import { generator, verdict } from "./support/verdict.ts"

const golden = JSON.parse(readFileSync(new URL("./data/codec.json", import.meta.url), "utf8"))
const seeds: ReadonlyArray<{ readonly type: string; readonly hex: string }> = [
  ...golden.encode.filter((x: any) => x.hex !== undefined),
  ...golden.decode
]

const interesting = [0, 1, 2, 3, 4, 6, 8, 10, 11, 12, 13, 14, 15, 16, 0x7f, 0x80, 0xff]

const mutate = (bytes: Uint8Array, random: (limit: number) => number): Uint8Array => {
  const copy = bytes.slice()
  for (let changes = 1 + random(3); changes > 0; changes--) {
    if (copy.length === 0) break
    copy[random(copy.length)] = random(2) === 0 ? random(256) : interesting[random(interesting.length)]!
  }
  switch (random(4)) {
    case 0:
      return copy.subarray(0, random(copy.length + 1))
    case 1: {
      const at = random(copy.length + 1)
      return new Uint8Array([...copy.subarray(0, at), random(256), ...copy.subarray(at)])
    }
    default:
      return copy
  }
}

describe("bad input", () => {
  it("mutated messages are read or refused with CodecError, alike in both kinds of codecs", () => {
    const random = generator(42)
    let refused = 0
    for (const { hex: text, type } of seeds) {
      const plan = planOf(types[type]!)
      const source = Codec.make(types[type]!, { mode: "source" })
      const closure = Codec.make(types[type]!, { mode: "closure" })
      const bytes = unhex(text)
      for (let i = 0; i < 80; i++) {
        const mutant = mutate(bytes, random)
        const a = verdict(() => source.decode(mutant))
        const b = verdict(() => closure.decode(mutant))
        if (a instanceof CodecError.CodecError) {
          refused++
          assert.instanceOf(b, CodecError.CodecError, hex(mutant))
          assert.strictEqual((b as CodecError.CodecError).message, a.message)
          assert.isTrue(a.offset! >= 0 && a.offset! <= mutant.length)
        } else {
          assert.notInstanceOf(b, CodecError.CodecError, hex(mutant))
          assert.strictEqual(JSON.stringify(toJson(plan, b)), JSON.stringify(toJson(plan, a)))
        }
      }
    }
    assert.isAbove(refused, 1000)
  })

  it("values with a wrong member are refused with CodecError, alike in both kinds of codecs", () => {
    const random = generator(7)
    const junk = [
      null,
      undefined,
      "text",
      1.5,
      -1,
      2 ** 40,
      5n,
      2n ** 70n,
      true,
      {},
      [],
      new Map(),
      new Set([{}]),
      Symbol("x")
    ]
    const spoil = (value: any): any => {
      if (random(4) === 0 || typeof value !== "object" || value === null || value instanceof Uint8Array) {
        return junk[random(junk.length)]
      }
      if (Array.isArray(value)) return value.map((item, i) => (i === 0 ? spoil(item) : item))
      if (value instanceof Set) return new Set([...value].map((item, i) => (i === 0 ? spoil(item) : item)))
      if (value instanceof Map) return new Map([...value].map(([k, v], i) => (i === 0 ? [k, spoil(v)] : [spoil(k), v])))
      const keys = Object.keys(value)
      const chosen = keys[random(keys.length)]
      return Object.fromEntries(keys.map((key) => [key, key === chosen ? spoil(value[key]) : value[key]]))
    }
    let refused = 0
    for (const { hex: text, type } of seeds) {
      for (const absentStruct of ["omit", "empty"] as const) {
        const source = Codec.make(types[type]!, { mode: "source", absentStruct })
        const closure = Codec.make(types[type]!, { mode: "closure", absentStruct })
        const value = verdict(() => source.decode(unhex(text)))
        if (value instanceof CodecError.CodecError) continue
        for (let i = 0; i < 20; i++) {
          const bad = spoil(value)
          const a = verdict(() => source.encode(bad))
          const b = verdict(() => closure.encode(bad))
          if (a instanceof CodecError.CodecError) {
            refused++
            assert.strictEqual((b as CodecError.CodecError).message, a.message)
          } else assert.strictEqual(hex(b as Uint8Array), hex(a))
        }
      }
    }
    assert.isAbove(refused, 1000)
  })

  it("mutated envelopes and exceptions are read or refused with CodecError", () => {
    const random = generator(3)
    const call = unhex("80010001000000044563686f000000010c00010b00010000000268690000")
    const exception = unhex("0b0001000000036261640800020000000600")
    for (let i = 0; i < 3000; i++) {
      const a = mutate(call, random)
      verdict(() => Message.read(a, 0, a.length))
      const b = mutate(exception, random)
      verdict(() => Message.readException(b, 0, b.length))
    }
  })
})
