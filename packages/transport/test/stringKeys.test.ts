import { assert, describe, it } from "@effect/vitest"
import { BizStatus, Metadata, Pushback } from "../src/index.ts"

const map = (entries: Readonly<Record<string, string>>) => new Map(Object.entries(entries))

describe("business errors between string keys", () => {
  it("both ways, with Kitex's escapes", () => {
    const status: BizStatus.BizStatus = { code: 404, message: "nöt found", extra: { "<k>": "&\u2028é" } }
    const entries = BizStatus.toEntries(status)
    assert.deepStrictEqual(entries, [
      ["biz-status", "404"],
      ["biz-message", "nöt found"],
      ["biz-extra", '{"\\u003ck\\u003e":"\\u0026\\u2028é"}']
    ])
    const read = BizStatus.fromStrings(new Map(entries))
    assert.deepStrictEqual({ ...read, extra: { ...read?.extra } }, status)
    assert.deepStrictEqual(BizStatus.toEntries({ code: 0, message: "", extra: {} }), [
      ["biz-status", "0"],
      ["biz-message", ""]
    ])
  })

  it("a status that is none, and an extra that is malformed", () => {
    for (const status of ["0", "-0", "", "x", "1.5", "0x1", "2147483648"]) {
      assert.isUndefined(BizStatus.fromStrings(map({ "biz-status": status })), status)
    }
    assert.isUndefined(BizStatus.fromStrings(map({ "biz-message": "m" })))
    for (const extra of ["", "{", "1", "[]", "null", '{"a":null}']) {
      const read = BizStatus.fromStrings(map({ "biz-status": "+2147483647", "biz-extra": extra }))
      assert.deepStrictEqual(read, { code: 2 ** 31 - 1, message: "", extra: {} })
    }
  })
})

it("the time after which a refused call may be tried again, both ways", () => {
  assert.deepStrictEqual(Pushback.toEntries(250.5), [["retry-pushback-ms", "251"]])
  assert.deepStrictEqual(Pushback.toEntries(1e12), [["retry-pushback-ms", "3600000"]])
  for (const none of [undefined, -1, NaN]) assert.isUndefined(Pushback.toEntries(none))
  assert.strictEqual(Pushback.fromStrings(new Map(Pushback.toEntries(0))), 0)
  assert.strictEqual(Pushback.fromStrings(map({ "retry-pushback-ms": "9999999999" })), 3_600_000)
  for (const none of ["", "-1", "soon", "1.5"]) {
    assert.isUndefined(Pushback.fromStrings(map({ "retry-pushback-ms": none })), none)
  }
  assert.isUndefined(Pushback.fromStrings(map({ "Retry-Pushback-Ms": "1" })))
})

it("string keys as metadata: verbatim, the exact key first, without those that are hidden", () => {
  const strings = map({ "Trace-Id": "1", "trace-id": "2", Only: "3", Secret: "4" })
  const metadata = Metadata.fromStrings(strings, new Set(["Secret"]))
  assert.deepStrictEqual([...metadata.keys()], ["Trace-Id", "trace-id", "Only"])
  assert.deepStrictEqual(["Trace-Id", "trace-id", "TRACE-ID", "only", "Secret", "secret", "none"].map(metadata.get), [
    "1",
    "2",
    "1",
    "3",
    undefined,
    undefined,
    undefined
  ])
  assert.deepStrictEqual([metadata.getAll("ONLY"), metadata.getAll("secret")], [["3"], []])
})

it("string keys that came several times: each value, the first first", () => {
  const strings = map({ Many: "3", once: "x" })
  const metadata = Metadata.fromStrings(strings, new Set(), new Map([["Many", ["1", "2", "3"]]]))
  assert.strictEqual(metadata.get("many"), "1")
  assert.deepStrictEqual(metadata.getAll("MANY"), ["1", "2", "3"])
  assert.deepStrictEqual(metadata.getAll("once"), ["x"])
  assert.deepStrictEqual([...metadata.keys()], ["Many", "once"])
})

it("string keys that end in -bin hold bytes: Base64 of either alphabet, padded or not", () => {
  const bytes = Uint8Array.of(0xfb, 0xff)
  for (const text of ["+/8", "+/8=", "-_8", "-_8="]) {
    assert.deepStrictEqual(Metadata.fromStrings(map({ "k-bin": text }), new Set()).getAll("k-bin"), [bytes], text)
  }
  const metadata = Metadata.fromStrings(map({ "text-bin": "w6k", "none-bin": "*", "a-bin": "a" }), new Set())
  assert.strictEqual(metadata.get("Text-bin"), "é")
  assert.deepStrictEqual([metadata.get("none-bin"), metadata.get("a-bin")], [undefined, undefined])
  assert.deepStrictEqual([metadata.getAll("none-bin"), metadata.getAll("a-bin")], [[], []])
  const several = Metadata.fromStrings(map({ "m-bin": "AA" }), new Set(), new Map([["m-bin", ["AQ==", "*", "AA"]]]))
  assert.deepStrictEqual(several.getAll("m-bin"), [Uint8Array.of(1), Uint8Array.of(0)])
})
