import { assert, describe, it } from "@effect/vitest"
import * as StatusDetails from "../src/StatusDetails.ts"
import { fromHex } from "./http2/raw.ts"

const info = "type.googleapis.com/google.rpc.ErrorInfo"

describe("google.rpc.Status", () => {
  it("has the bytes that protobuf gives it", () => {
    const empty = StatusDetails.encode({ code: 0, message: "", details: [] })
    assert.strictEqual(empty.length, 0)
    const bytes = StatusDetails.encode({
      code: 300,
      message: "nf",
      details: [
        { typeUrl: "t", value: Uint8Array.of(0xff, 0) },
        { typeUrl: "", value: new Uint8Array(0) }
      ]
    })
    // google.golang.org/protobuf: Status{Code: 300, Message: "nf", Details: [Any{"t", ff00}, Any{}]}
    assert.deepStrictEqual(bytes, fromHex("08ac02 12026e66 1a070a0174 1202ff00 1a00".replaceAll(" ", "")))
  })

  it("comes back as it went", () => {
    const status: StatusDetails.StatusDetails = {
      code: 5,
      message: "没有 🚀",
      details: [
        { typeUrl: info, value: Uint8Array.from({ length: 70_000 }, (_, i) => i) },
        { typeUrl: "b", value: new Uint8Array(0) }
      ]
    }
    assert.deepStrictEqual(StatusDetails.decode(StatusDetails.encode(status)), status)
    assert.deepStrictEqual(StatusDetails.decode(new Uint8Array(0)), { code: 0, message: "", details: [] })
  })

  it("fields that are not known do not count, whatever their type", () => {
    // field 9 as a varint, of 8 bytes, of bytes and of 4 bytes, and field 1 of 4 bytes
    const bytes = fromHex("48014901020304050607084a01414d0102030408050d01020304")
    assert.deepStrictEqual(StatusDetails.decode(bytes), { code: 5, message: "", details: [] })
  })

  it("a negative code is the int32 that protobuf has", () => {
    assert.strictEqual(StatusDetails.decode(fromHex("08ffffffffffffffffff01"))?.code, -1)
  })

  it("whatever is cut or no protobuf is none", () => {
    const whole = StatusDetails.encode({
      code: 5,
      message: "nf",
      details: [{ typeUrl: info, value: Uint8Array.of(1) }]
    })
    for (let length = 1; length < whole.length; length++) {
      const cut = StatusDetails.decode(whole.subarray(0, length))
      // At the border of two fields a cut one is whole.
      if (length === 2 || length === 6) assert.isDefined(cut)
      else assert.isUndefined(cut, `${length}`)
    }
    for (const bytes of ["0b", "0f", "08ffffffffffffffffffff01", "1202", "12ffffffff0f61", "1a020a05"]) {
      assert.isUndefined(StatusDetails.decode(fromHex(bytes)), bytes)
    }
  })
})
