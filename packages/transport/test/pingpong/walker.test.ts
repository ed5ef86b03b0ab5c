import { assert, describe, it } from "@effect/vitest"
import { StructWalker, WalkError } from "../../src/internal/pingpong/walker.ts"
import { Choices, choices } from "../http2/arbitraries.ts"
import { concat, fromHex, uint32 } from "../http2/raw.ts"

const mebibyte = 1024 * 1024

const everyType = fromHex(
  `020001010300 02ff060003fffe080004000003e80a0005ffffffffffffffff0400063ff8000000000000
   0b00070000000368c3a90b00080000000200ff0f00090800000002000000010000000 20e000a0b000000010000000161
   0d000b0b0a00000001000000016b00000000000000070c000c080001000000050008000d0000000200`.replaceAll(/\s/g, "")
)
const echoArgs = fromHex("0c00010b00010000000268690000")
const toSkip = fromHex("0d0063080c00000001000000070b0001000000017a0002fffd0100")

// One for all, so that each begins where another stopped or failed.
const walkers = new Map<number, StructWalker>()
const walkerFor = (maxSize: number): StructWalker => {
  let walker = walkers.get(maxSize)
  if (walker === undefined) walkers.set(maxSize, (walker = new StructWalker(maxSize)))
  return walker
}

/** Walks all of it; the position behind the struct, "short", or the text of the error. */
const walkAll = (bytes: Uint8Array, cuts: ReadonlyArray<number> = [], maxSize = mebibyte): number | string => {
  const walker = walkerFor(maxSize)
  walker.reset()
  let at = 0
  try {
    for (let i = 0; at < bytes.length; i++) {
      const size = Math.min(cuts.length === 0 ? bytes.length : cuts[i % cuts.length]!, bytes.length - at)
      // Each piece lies somewhere in a chunk.
      const chunk = new Uint8Array(size + 5).fill(255)
      chunk.set(bytes.subarray(at, at + size), 3)
      const end = walker.feed(chunk, 3, 3 + size)
      if (end >= 0) return at + end - 3
      at += size
    }
  } catch (error) {
    assert.instanceOf(error, WalkError)
    return (error as WalkError).message
  }
  return "short"
}

const fixed: Readonly<Record<number, number>> = { 2: 1, 3: 1, 4: 8, 6: 2, 8: 4, 10: 8 }
const least: Readonly<Record<number, number>> = { ...fixed, 11: 4, 12: 1, 13: 6, 14: 5, 15: 5 }

/** The same, one value within the other. */
const walkSimply = (bytes: Uint8Array, maxSize = mebibyte): number | string => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const fail = (message: string): never => {
    throw new WalkError(message)
  }
  const need = (end: number): number => (end > bytes.length ? fail("short") : end)
  const claim = (end: number): number =>
    end > maxSize ? fail(`invalid data: payload size(${end}) larger than the limit(${maxSize})`) : need(end)
  const struct = (start: number, level: number): number => {
    let at = start
    for (;;) {
      need(at + 1)
      const type = bytes[at]!
      if (type === 0) return at + 1
      at = value(type, at + 3, level)
    }
  }
  const value = (type: number, at: number, level: number): number => {
    if (fixed[type] !== undefined) return need(at + fixed[type])
    if (least[type] === undefined) return fail(`unknown data type ${type}`)
    if (type === 12) {
      need(at)
      return level === 64 ? fail("depth limit exceeded") : struct(at, level + 1)
    }
    const head = need(at + least[type])
    const count = view.getInt32(head - 4)
    if (count < 0) fail("invalid data length")
    if (type === 11) return claim(head + count)
    if (level === 64) fail("depth limit exceeded")
    const types = type === 13 ? [bytes[at]!, bytes[at + 1]!] : [bytes[at]!]
    const unit = types.reduce((sum, inner) => sum + (least[inner] ?? 0), 0)
    if (count * unit > maxSize) claim(head + count * unit)
    if (types.every((inner) => fixed[inner] !== undefined)) return claim(head + count * unit)
    let next = head
    for (let i = 0; i < count; i++) for (const inner of types) next = value(inner, next, level + 1)
    return next
  }
  try {
    return struct(0, 1)
  } catch (error) {
    if (error instanceof WalkError) return error.message
    throw error
  }
}

const types = [2, 3, 4, 6, 8, 10, 11, 12, 13, 14, 15]

/** A random struct, now and then with something wrong in it. */
const randomStruct = (random: Choices, mistakes: boolean): Uint8Array => {
  const parts: Array<Uint8Array> = []
  const bytes = (size: number) => parts.push(Uint8Array.from({ length: size }, () => random.below(256)))
  const type = () => (mistakes && random.below(60) === 0 ? random.below(256) : random.pick(types))
  const count = (real: number) =>
    parts.push(uint32(mistakes && random.below(60) === 0 ? random.pick([0xffffffff, 0x7fffffff, 70_000, 1]) : real))
  const value = (of: number, depth: number): void => {
    if (fixed[of] !== undefined) bytes(fixed[of])
    else if (of === 11) {
      const size = random.below(20)
      count(size)
      bytes(size)
    } else if (of === 12) struct(depth + 1)
    else if (least[of] !== undefined) {
      const inner = of === 13 ? [type(), type()] : [type()]
      parts.push(Uint8Array.from(inner))
      const size = depth > 3 ? 0 : random.below(4)
      count(size)
      for (let i = 0; i < size; i++) for (const each of inner) value(each, depth + 1)
    }
  }
  const struct = (depth: number): void => {
    for (let left = depth > 3 ? 0 : random.below(4); left > 0; left--) {
      const of = type()
      parts.push(Uint8Array.of(of, random.below(256), random.below(256)))
      value(of, depth)
    }
    parts.push(Uint8Array.of(0))
  }
  struct(1)
  return concat(parts)
}

/** A struct with `count` others within each other. */
const nested = (count: number, field = "0c0063"): Uint8Array =>
  concat([fromHex(field.repeat(count)), new Uint8Array(count + 1)])

const atStart = (digits: string, maxSize?: number) => walkAll(fromHex(digits), [], maxSize)

describe("the end of a struct", () => {
  for (const [name, bytes] of Object.entries({ echoArgs, everyType, toSkip, empty: fromHex("00") })) {
    it(`${name}, cut anywhere, with more behind it`, () => {
      const wire = concat([bytes, fromHex("80010001"), new Uint8Array(20)])
      assert.strictEqual(walkAll(wire), bytes.length)
      for (let size = 1; size < wire.length; size++) {
        assert.strictEqual(walkAll(wire, [size]), bytes.length)
        assert.strictEqual(walkAll(wire, [size, wire.length]), bytes.length)
      }
      for (let end = 0; end < bytes.length; end++) {
        assert.strictEqual(walkAll(bytes.subarray(0, end)), "short")
        assert.strictEqual(walkAll(bytes.subarray(0, end), [1]), "short")
      }
    })
  }

  it("one after the other with one walker, whatever happened before", () => {
    const walker = new StructWalker(1000)
    walker.reset()
    assert.strictEqual(walker.feed(echoArgs, 0, 5), -1)
    walker.reset()
    assert.strictEqual(walker.feed(everyType, 0, 10), -1)
    assert.strictEqual(walker.feed(everyType, 10, 131), 131)
    walker.reset()
    assert.throws(() => walker.feed(fromHex("0c0001630001"), 0, 6), WalkError)
    walker.reset()
    assert.strictEqual(walker.feed(echoArgs, 0, echoArgs.length), echoArgs.length)
  })

  it("strings and lists of fixed size that span chunks are not looked at", () => {
    const walker = new StructWalker(mebibyte)
    const head = fromHex("0b0001000186a0")
    const junk = new Uint8Array(40_000).fill(0xff)
    walker.reset()
    assert.strictEqual(walker.feed(head, 0, head.length), -1)
    assert.strictEqual(walker.feed(junk, 0, 40_000), -1)
    assert.strictEqual(walker.feed(junk, 0, 40_000), -1)
    assert.strictEqual(walker.feed(concat([junk.subarray(0, 20_000), fromHex("00")]), 0, 20_001), 20_001)
  })
})

describe("what is refused", () => {
  it("types that do not exist, as soon as they are seen", () => {
    for (let type = 1; type < 256; type++) {
      const known = types.includes(type)
      const expected = known ? "short" : `unknown data type ${type}`
      const digits = type.toString(16).padStart(2, "0")
      assert.strictEqual(atStart(digits), expected)
      assert.strictEqual(atStart(`0f0001${digits}00000001`), expected)
      assert.strictEqual(atStart(`0d000103${digits}0000000105`), expected)
      assert.strictEqual(atStart(`0d0001${digits}0300000001`), expected)
    }
    // There is no STOP in a container.
    assert.strictEqual(atStart("0f000100000000010000"), "unknown data type 0")
  })

  it("but not as the elements of an empty container", () => {
    for (const digits of ["0f000109000000000 0", "0e000100000000000 0", "0d0001ff80000000000 0"]) {
      const bytes = fromHex(digits.replace(" ", ""))
      assert.strictEqual(walkAll(bytes), bytes.length)
    }
  })

  it("negative lengths and counts", () => {
    for (const digits of [
      "0b0001ffffffff",
      "0f000108ffffffff",
      "0e00010c80000000",
      "0d00010b08ffffffff",
      "0f00010b00000001ffffffff"
    ]) {
      assert.strictEqual(atStart(digits), "invalid data length")
      assert.strictEqual(walkAll(fromHex(digits), [1]), "invalid data length")
    }
  })

  it("more than 64 levels, the struct itself counted", () => {
    assert.strictEqual(walkAll(nested(63)), 63 * 4 + 1)
    assert.strictEqual(walkAll(nested(64)), "depth limit exceeded")
    assert.strictEqual(walkAll(nested(10_000), [7]), "depth limit exceeded")
    const lists = (count: number) =>
      concat([fromHex("0f0001"), fromHex("0f00000001".repeat(count - 1)), fromHex("030000000000")])
    assert.strictEqual(walkAll(lists(63)), 3 + 63 * 5 + 1)
    assert.strictEqual(walkAll(lists(64)), "depth limit exceeded")
    // A string is no level.
    const deepString = concat([fromHex("0c0063".repeat(63)), fromHex("0b00010000000141"), new Uint8Array(64)])
    assert.strictEqual(walkAll(deepString), deepString.length)
  })

  it("claims beyond the limit, before anything of them is here", () => {
    const tooLarge = (size: number) => `invalid data: payload size(${size}) larger than the limit(1000)`
    assert.strictEqual(atStart("0b00017fffffff", 1000), tooLarge(7 + 0x7fffffff))
    assert.strictEqual(atStart("0b0001000003e2", 1000), tooLarge(1001))
    assert.strictEqual(atStart("0b0001000003e1", 1000), "short")
    assert.strictEqual(atStart("0f00010a7fffffff", 1000), tooLarge(8 + 8 * 0x7fffffff))
    assert.strictEqual(atStart("0f00010f7fffffff", 1000), tooLarge(8 + 5 * 0x7fffffff))
    assert.strictEqual(atStart("0d00010c0a7fffffff", 1000), tooLarge(9 + 9 * 0x7fffffff))
    assert.strictEqual(walkAll(fromHex("0d00010c0a7fffffff"), [1], 1000), tooLarge(9 + 9 * 0x7fffffff))
  })

  it("structs beyond the limit, in pieces and at once; bytes before them count", () => {
    const endless = fromHex("03000101".repeat(500))
    for (const cuts of [[1], [7], [2000]]) {
      const result = walkAll(endless, cuts, 1000)
      assert.include(String(result), "larger than the limit(1000)")
    }
    const walker = new StructWalker(100)
    const bytes = fromHex("0b00010000000a000000000000000000000 0".replace(" ", ""))
    walker.reset(82)
    assert.strictEqual(walker.feed(bytes, 0, bytes.length), 18)
    walker.reset(83)
    try {
      walker.feed(bytes, 0, bytes.length)
      assert.fail("accepted")
    } catch (error) {
      assert.isTrue((error as WalkError).tooLarge)
      assert.strictEqual((error as WalkError).message, "invalid data: payload size(101) larger than the limit(100)")
    }
    walker.reset()
    try {
      walker.feed(fromHex("05"), 0, 1)
      assert.fail("accepted")
    } catch (error) {
      assert.isFalse((error as WalkError).tooLarge)
    }
  })
})

it.prop(
  "any split gives what one walk within the other gives",
  [choices],
  ([given]) => {
    const random = new Choices(given)
    for (let i = 0; i < 100; i++) {
      const bytes = concat([randomStruct(random, false), new Uint8Array(random.below(12)).fill(255)])
      const cuts = Array.from({ length: 1 + random.below(5) }, () => 1 + random.below(random.pick([3, 12, 200])))
      const expected = walkSimply(bytes)
      assert.isNumber(expected)
      assert.strictEqual(walkAll(bytes), expected)
      assert.strictEqual(walkAll(bytes, cuts), expected)
    }
  },
  { arbitrary: { runs: 60 } }
)

it.prop(
  "so do random and mutated bytes",
  [choices],
  ([given]) => {
    const random = new Choices(given)
    for (let i = 0; i < 500; i++) {
      let bytes: Uint8Array
      if (random.below(3) === 0) {
        bytes = Uint8Array.from({ length: random.below(60) }, () => random.pick([0, 0, ...types, random.below(256)]))
      } else {
        bytes = randomStruct(random, true)
        for (let n = random.below(3); n > 0; n--) bytes[random.below(bytes.length)] = random.below(256)
      }
      const expected = walkSimply(bytes, 60_000)
      assert.strictEqual(walkAll(bytes, [], 60_000), expected)
      assert.strictEqual(walkAll(bytes, [1 + random.below(10), 1 + random.below(40)], 60_000), expected)
    }
  },
  { arbitrary: { runs: 50 } }
)
