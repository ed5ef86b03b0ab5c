// Code generated from user.api.thrift by millrace. DO NOT EDIT.
import {
  bad,
  cursor,
  grow,
  growString,
  readI64,
  readString,
  skip,
  writeString,
  type Compiled,
  type Constructor
} from "@millrace/codec/Runtime"
import type { Output } from "@millrace/codec/Output"
import * as $a_b from "../../../a/b/a.b.codec.ts"

const Messageuser = function (this: any, m0: unknown, m1: unknown, m2: unknown, m3: unknown, m4: unknown) {
  this.id = m0
  if (m1 !== undefined) this.display_name = m1
  this.status = m2
  this.pages = m3
  if (m4 !== undefined) this.invited_by = m4
} as unknown as Constructor

function encodeuser(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 39) {
    b = grow(out, p, 39)
    w = out.view
  }
  const x0 = v.id
  w.setInt32(p, 167772416)
  p += 3
  if (typeof x0 !== "bigint" || BigInt.asIntN(64, x0) !== x0) throw bad
  w.setBigInt64(p, x0)
  p += 8
  const x1 = v.display_name
  if (x1 !== undefined) {
    w.setInt32(p, 184549888)
    p += 3
    if (typeof x1 !== "string") throw bad
    if (b.length - p < x1.length * 3 + 25) {
      b = growString(out, p, x1, 25)
      w = out.view
    }
    p = writeString(b, w, p, x1)
  }
  const x2 = v.status
  w.setInt32(p, 134218496)
  p += 3
  if ((x2 | 0) !== x2) throw bad
  w.setInt32(p, x2)
  p += 4
  const x3 = v.pages
  w.setInt32(p, 218104832)
  p += 3
  if (!(x3 instanceof Map)) throw bad
  const x4 = x3.size
  b[p] = 11
  b[p + 1] = 12
  w.setInt32(p + 2, x4)
  p += 6
  for (const [x5, x6] of x3) {
    if (b.length - p < 11) {
      b = grow(out, p, 11)
      w = out.view
    }
    if (typeof x5 !== "string") throw bad
    if (b.length - p < x5.length * 3 + 10) {
      b = growString(out, p, x5, 10)
      w = out.view
    }
    p = writeString(b, w, p, x5)
    p = $a_b.page.encode(x6, out, p, d - 1)
    b = out.buffer
    w = out.view
    if (b.length - p < 5) {
      b = grow(out, p, 5)
      w = out.view
    }
  }
  if (b.length - p < 5) {
    b = grow(out, p, 5)
    w = out.view
  }
  const x7 = v.invited_by
  if (x7 !== undefined) {
    w.setInt32(p, 201327872)
    p += 3
    p = encodeuser(x7, out, p, d - 1)
    b = out.buffer
    w = out.view
    if (b.length - p < 1) {
      b = grow(out, p, 1)
      w = out.view
    }
  }
  b[p++] = 0
  return p
}

function decodeuser(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: bigint | undefined
  let m1: string | undefined
  let m2: number | undefined
  let m3: Map<string, unknown> | undefined
  let m4: unknown
  for (;;) {
    if (p >= end) throw bad
    const t = b[p]!
    if (t === 0) {
      p++
      break
    }
    if (end - p < 3) throw bad
    const id = ((b[p + 1]! << 24) >> 16) | b[p + 2]!
    p += 3
    switch (id) {
      case 1: {
        if (t !== 10) break
        if (end - p < 8) throw bad
        m0 = readI64(b, p)
        p += 8
        continue
      }
      case 2: {
        if (t !== 11) break
        if (end - p < 4) throw bad
        const x0 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        if (x0 < 0 || x0 > end - p) throw bad
        m1 = readString(b, p, x0)
        p += x0
        continue
      }
      case 3: {
        if (t !== 8) break
        if (end - p < 4) throw bad
        m2 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        continue
      }
      case 4: {
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x1 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x1 !== 0 && (b[p]! !== 11 || b[p + 1]! !== 12)) throw bad
        p += 6
        if (x1 < 0 || x1 > 1048576 || x1 * 5 > end - p) throw bad
        const x5: Map<string, unknown> = new Map()
        for (let x2 = 0; x2 < x1; x2++) {
          let x3: string
          let x4: unknown
          if (end - p < 4) throw bad
          const x6 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x6 < 0 || x6 > end - p) throw bad
          x3 = readString(b, p, x6)
          p += x6
          x4 = $a_b.page.decode(b, p, end, d - 1)
          p = cursor.at
          x5.set(x3, x4)
        }
        m3 = x5
        continue
      }
      case 5: {
        if (t !== 12) break
        m4 = decodeuser(b, p, end, d - 1)
        p = cursor.at
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  if (m0 === undefined) throw bad
  if (m2 === undefined) m2 = 1
  if (m3 === undefined) m3 = new Map()
  cursor.at = p
  return new Messageuser(m0, m1, m2, m3, m4)
}

const codecuser: Compiled = {
  shape: "1t8tdnu1y08ds9",
  encode: encodeuser,
  decode: decodeuser,
  bind(link) {
    Messageuser.prototype = link.prototype
  }
}

const Messagefind = function (this: any, m0: unknown, m1: unknown) {
  if (m0 !== undefined) this.id = m0
  if (m1 !== undefined) this.page = m1
} as unknown as Constructor

function encodefind(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 16) {
    b = grow(out, p, 16)
    w = out.view
  }
  const x0 = v.id
  if (x0 !== undefined) {
    w.setInt32(p, 167772416)
    p += 3
    if (typeof x0 !== "bigint" || BigInt.asIntN(64, x0) !== x0) throw bad
    w.setBigInt64(p, x0)
    p += 8
  }
  const x1 = v.page
  if (x1 !== undefined) {
    w.setInt32(p, 201327104)
    p += 3
    p = $a_b.page.encode(x1, out, p, d - 1)
    b = out.buffer
    w = out.view
    if (b.length - p < 1) {
      b = grow(out, p, 1)
      w = out.view
    }
  }
  b[p++] = 0
  return p
}

function decodefind(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: bigint | undefined
  let m1: unknown
  for (;;) {
    if (p >= end) throw bad
    const t = b[p]!
    if (t === 0) {
      p++
      break
    }
    if (end - p < 3) throw bad
    const id = ((b[p + 1]! << 24) >> 16) | b[p + 2]!
    p += 3
    switch (id) {
      case 1: {
        if (t !== 10) break
        if (end - p < 8) throw bad
        m0 = readI64(b, p)
        p += 8
        continue
      }
      case 2: {
        if (t !== 12) break
        m1 = $a_b.page.decode(b, p, end, d - 1)
        p = cursor.at
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  cursor.at = p
  return new Messagefind(m0, m1)
}

const codecfind: Compiled = {
  shape: "1n0lcfy1p7nvo6",
  encode: encodefind,
  decode: decodefind,
  bind(link) {
    Messagefind.prototype = link.prototype
  }
}

export { codecuser as user, codecfind as find }
