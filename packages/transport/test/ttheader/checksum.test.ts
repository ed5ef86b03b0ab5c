import { assert, describe, it } from "@effect/vitest"
import { checksumText, update } from "../../src/internal/ttheader/checksum.ts"
import { fromHex, text } from "../http2/raw.ts"

describe("checksums", () => {
  it("CRC-32C", () => {
    const bytes = text("123456789")
    assert.strictEqual(checksumText(update(0, bytes, 0, 9)), "e3069283")
    assert.strictEqual(checksumText(update(0, bytes, 4, 4)), "00000000")
    // RFC 3720 appendix B.4
    assert.strictEqual(checksumText(update(0, new Uint8Array(32), 0, 32)), "8a9136aa")
    assert.strictEqual(checksumText(update(0, new Uint8Array(32).fill(255), 0, 32)), "62a8ab43")
  })

  it("of a recorded call", () => {
    const payload = fromHex("0000001e80010001000000044563686f000000b20c00010b00010000000268690000")
    assert.strictEqual(checksumText(update(0, payload, 0, payload.length)), "5f30cdcf")
  })

  it("any pieces give the checksum of the whole, as a table of one byte does", () => {
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 131 + (i >>> 3)) & 255)
    let simple = -1
    for (const byte of bytes) {
      simple ^= byte
      for (let bit = 0; bit < 8; bit++) simple = (simple >>> 1) ^ (simple & 1 ? 0x82f63b78 : 0)
    }
    const whole = ~simple >>> 0
    for (let cut = 0; cut <= 1000; cut += 7) {
      assert.strictEqual(update(update(0, bytes, 0, cut), bytes, cut, 1000), whole)
    }
  })
})
