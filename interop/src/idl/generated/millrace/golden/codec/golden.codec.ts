// Code generated from golden.thrift by millrace. DO NOT EDIT.
/* eslint-disable unicorn/no-new-array -- the size is known */
import {
  bad,
  cursor,
  grow,
  growString,
  readBinary,
  readDouble,
  readI64,
  readString,
  sameBytes,
  skip,
  viewOf,
  writeBinary,
  writeString,
  type Compiled,
  type Constructor,
  type Link
} from "@millrace/codec/Runtime"
import type { Output } from "@millrace/codec/Output"

const MessagePoint = function (this: any, m0: unknown, m1: unknown) {
  this.x = m0
  this.y = m1
} as unknown as Constructor

function encodePoint(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 15) {
    b = grow(out, p, 15)
    w = out.view
  }
  const x0 = v.x
  w.setInt32(p, 134217984)
  p += 3
  if ((x0 | 0) !== x0) throw bad
  w.setInt32(p, x0)
  p += 4
  const x1 = v.y
  w.setInt32(p, 134218240)
  p += 3
  if ((x1 | 0) !== x1) throw bad
  w.setInt32(p, x1)
  p += 4
  b[p++] = 0
  return p
}

function decodePoint(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: number | undefined
  let m1: number | undefined
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
        if (t !== 8) break
        if (end - p < 4) throw bad
        m0 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        continue
      }
      case 2: {
        if (t !== 8) break
        if (end - p < 4) throw bad
        m1 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  if (m0 === undefined) m0 = 0
  if (m1 === undefined) m1 = 0
  cursor.at = p
  return new MessagePoint(m0, m1)
}

const codecPoint: Compiled = {
  shape: "fpq7i249wscs",
  encode: encodePoint,
  decode: decodePoint,
  bind(link) {
    MessagePoint.prototype = link.prototype
  }
}

const MessageScalars = function (
  this: any,
  m0: unknown,
  m1: unknown,
  m2: unknown,
  m3: unknown,
  m4: unknown,
  m5: unknown,
  m6: unknown,
  m7: unknown,
  m8: unknown,
  m9: unknown,
  m10: unknown,
  m11: unknown
) {
  this.b = m0
  this.by = m1
  this.i8v = m2
  this.i16v = m3
  this.i32v = m4
  this.i64v = m5
  this.d = m6
  this.s = m7
  this.bin = m8
  this.color = m9
  this.ts = m10
  this.name = m11
} as unknown as Constructor

function encodeScalars(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 86) {
    b = grow(out, p, 86)
    w = out.view
  }
  const x0 = v.b
  w.setInt32(p, 33554688)
  p += 3
  if (x0 === true) b[p++] = 1
  else if (x0 === false) b[p++] = 0
  else throw bad
  const x1 = v.by
  w.setInt32(p, 50332160)
  p += 3
  if ((x1 << 24) >> 24 !== x1) throw bad
  b[p++] = x1
  const x2 = v.i8v
  w.setInt32(p, 50332416)
  p += 3
  if ((x2 << 24) >> 24 !== x2) throw bad
  b[p++] = x2
  const x3 = v.i16v
  w.setInt32(p, 100664320)
  p += 3
  if ((x3 << 16) >> 16 !== x3) throw bad
  w.setInt16(p, x3)
  p += 2
  const x4 = v.i32v
  w.setInt32(p, 134219008)
  p += 3
  if ((x4 | 0) !== x4) throw bad
  w.setInt32(p, x4)
  p += 4
  const x5 = v.i64v
  w.setInt32(p, 167773696)
  p += 3
  if (typeof x5 !== "bigint" || BigInt.asIntN(64, x5) !== x5) throw bad
  w.setBigInt64(p, x5)
  p += 8
  const x6 = v.d
  w.setInt32(p, 67110656)
  p += 3
  if (typeof x6 !== "number") throw bad
  w.setFloat64(p, x6)
  p += 8
  const x7 = v.s
  w.setInt32(p, 184551424)
  p += 3
  if (typeof x7 !== "string") throw bad
  if (b.length - p < x7.length * 3 + 37) {
    b = growString(out, p, x7, 37)
    w = out.view
  }
  p = writeString(b, w, p, x7)
  const x8 = v.bin
  w.setInt32(p, 184551680)
  p += 3
  if (!(x8 instanceof Uint8Array)) throw bad
  if (x8.length < 4096) {
    if (b.length - p < x8.length + 30) {
      b = grow(out, p, x8.length + 30)
      w = out.view
    }
  }
  p = writeBinary(out, b, w, p, x8)
  const x9 = v.color
  w.setInt32(p, 134220288)
  p += 3
  if ((x9 | 0) !== x9) throw bad
  w.setInt32(p, x9)
  p += 4
  const x10 = v.ts
  w.setInt32(p, 167774976)
  p += 3
  if (typeof x10 !== "bigint" || BigInt.asIntN(64, x10) !== x10) throw bad
  w.setBigInt64(p, x10)
  p += 8
  const x11 = v.name
  w.setInt32(p, 184552448)
  p += 3
  if (typeof x11 !== "string") throw bad
  if (b.length - p < x11.length * 3 + 5) {
    b = growString(out, p, x11, 5)
    w = out.view
  }
  p = writeString(b, w, p, x11)
  b[p++] = 0
  return p
}

function decodeScalars(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: boolean | undefined
  let m1: number | undefined
  let m2: number | undefined
  let m3: number | undefined
  let m4: number | undefined
  let m5: bigint | undefined
  let m6: number | undefined
  let m7: string | undefined
  let m8: Uint8Array | undefined
  let m9: number | undefined
  let m10: bigint | undefined
  let m11: string | undefined
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
        if (t !== 2) break
        if (end - p < 1) throw bad
        m0 = b[p++] === 1
        continue
      }
      case 2: {
        if (t !== 3) break
        if (end - p < 1) throw bad
        m1 = (b[p++]! << 24) >> 24
        continue
      }
      case 3: {
        if (t !== 3) break
        if (end - p < 1) throw bad
        m2 = (b[p++]! << 24) >> 24
        continue
      }
      case 4: {
        if (t !== 6) break
        if (end - p < 2) throw bad
        m3 = ((b[p]! << 24) >> 16) | b[p + 1]!
        p += 2
        continue
      }
      case 5: {
        if (t !== 8) break
        if (end - p < 4) throw bad
        m4 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        continue
      }
      case 6: {
        if (t !== 10) break
        if (end - p < 8) throw bad
        m5 = readI64(b, p)
        p += 8
        continue
      }
      case 7: {
        if (t !== 4) break
        if (end - p < 8) throw bad
        m6 = readDouble(b, p)
        p += 8
        continue
      }
      case 8: {
        if (t !== 11) break
        if (end - p < 4) throw bad
        const x0 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        if (x0 < 0 || x0 > end - p) throw bad
        m7 = readString(b, p, x0)
        p += x0
        continue
      }
      case 9: {
        if (t !== 11) break
        if (end - p < 4) throw bad
        const x1 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        if (x1 < 0 || x1 > end - p) throw bad
        m8 = readBinary(b, p, x1)
        p += x1
        continue
      }
      case 10: {
        if (t !== 8) break
        if (end - p < 4) throw bad
        m9 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        continue
      }
      case 11: {
        if (t !== 10) break
        if (end - p < 8) throw bad
        m10 = readI64(b, p)
        p += 8
        continue
      }
      case 12: {
        if (t !== 11) break
        if (end - p < 4) throw bad
        const x2 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        if (x2 < 0 || x2 > end - p) throw bad
        m11 = readString(b, p, x2)
        p += x2
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  if (m0 === undefined) m0 = false
  if (m1 === undefined) m1 = 0
  if (m2 === undefined) m2 = 0
  if (m3 === undefined) m3 = 0
  if (m4 === undefined) m4 = 0
  if (m5 === undefined) m5 = 0n
  if (m6 === undefined) m6 = 0
  if (m7 === undefined) m7 = ""
  if (m8 === undefined) m8 = new Uint8Array(0)
  if (m9 === undefined) m9 = 0
  if (m10 === undefined) m10 = 0n
  if (m11 === undefined) m11 = ""
  cursor.at = p
  return new MessageScalars(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11)
}

const codecScalars: Compiled = {
  shape: "i7ygumahj2ti",
  encode: encodeScalars,
  decode: decodeScalars,
  bind(link) {
    MessageScalars.prototype = link.prototype
  }
}

const MessageOptionalScalars = function (
  this: any,
  m0: unknown,
  m1: unknown,
  m2: unknown,
  m3: unknown,
  m4: unknown,
  m5: unknown,
  m6: unknown,
  m7: unknown,
  m8: unknown,
  m9: unknown,
  m10: unknown,
  m11: unknown,
  m12: unknown,
  m13: unknown,
  m14: unknown,
  m15: unknown
) {
  if (m0 !== undefined) this.b = m0
  if (m1 !== undefined) this.by = m1
  if (m2 !== undefined) this.i8v = m2
  if (m3 !== undefined) this.i16v = m3
  if (m4 !== undefined) this.i32v = m4
  if (m5 !== undefined) this.i64v = m5
  if (m6 !== undefined) this.d = m6
  if (m7 !== undefined) this.s = m7
  if (m8 !== undefined) this.bin = m8
  if (m9 !== undefined) this.color = m9
  if (m10 !== undefined) this.ts = m10
  if (m11 !== undefined) this.name = m11
  if (m12 !== undefined) this.p = m12
  if (m13 !== undefined) this.l = m13
  if (m14 !== undefined) this.st = m14
  if (m15 !== undefined) this.m = m15
} as unknown as Constructor

function encodeOptionalScalars(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 115) {
    b = grow(out, p, 115)
    w = out.view
  }
  const x0 = v.b
  if (x0 !== undefined) {
    w.setInt32(p, 33554688)
    p += 3
    if (x0 === true) b[p++] = 1
    else if (x0 === false) b[p++] = 0
    else throw bad
  }
  const x1 = v.by
  if (x1 !== undefined) {
    w.setInt32(p, 50332160)
    p += 3
    if ((x1 << 24) >> 24 !== x1) throw bad
    b[p++] = x1
  }
  const x2 = v.i8v
  if (x2 !== undefined) {
    w.setInt32(p, 50332416)
    p += 3
    if ((x2 << 24) >> 24 !== x2) throw bad
    b[p++] = x2
  }
  const x3 = v.i16v
  if (x3 !== undefined) {
    w.setInt32(p, 100664320)
    p += 3
    if ((x3 << 16) >> 16 !== x3) throw bad
    w.setInt16(p, x3)
    p += 2
  }
  const x4 = v.i32v
  if (x4 !== undefined) {
    w.setInt32(p, 134219008)
    p += 3
    if ((x4 | 0) !== x4) throw bad
    w.setInt32(p, x4)
    p += 4
  }
  const x5 = v.i64v
  if (x5 !== undefined) {
    w.setInt32(p, 167773696)
    p += 3
    if (typeof x5 !== "bigint" || BigInt.asIntN(64, x5) !== x5) throw bad
    w.setBigInt64(p, x5)
    p += 8
  }
  const x6 = v.d
  if (x6 !== undefined) {
    w.setInt32(p, 67110656)
    p += 3
    if (typeof x6 !== "number") throw bad
    w.setFloat64(p, x6)
    p += 8
  }
  const x7 = v.s
  if (x7 !== undefined) {
    w.setInt32(p, 184551424)
    p += 3
    if (typeof x7 !== "string") throw bad
    if (b.length - p < x7.length * 3 + 66) {
      b = growString(out, p, x7, 66)
      w = out.view
    }
    p = writeString(b, w, p, x7)
  }
  const x8 = v.bin
  if (x8 !== undefined) {
    w.setInt32(p, 184551680)
    p += 3
    if (!(x8 instanceof Uint8Array)) throw bad
    if (x8.length < 4096) {
      if (b.length - p < x8.length + 59) {
        b = grow(out, p, x8.length + 59)
        w = out.view
      }
    }
    p = writeBinary(out, b, w, p, x8)
  }
  const x9 = v.color
  if (x9 !== undefined) {
    w.setInt32(p, 134220288)
    p += 3
    if ((x9 | 0) !== x9) throw bad
    w.setInt32(p, x9)
    p += 4
  }
  const x10 = v.ts
  if (x10 !== undefined) {
    w.setInt32(p, 167774976)
    p += 3
    if (typeof x10 !== "bigint" || BigInt.asIntN(64, x10) !== x10) throw bad
    w.setBigInt64(p, x10)
    p += 8
  }
  const x11 = v.name
  if (x11 !== undefined) {
    w.setInt32(p, 184552448)
    p += 3
    if (typeof x11 !== "string") throw bad
    if (b.length - p < x11.length * 3 + 34) {
      b = growString(out, p, x11, 34)
      w = out.view
    }
    p = writeString(b, w, p, x11)
  }
  const x12 = v.p
  if (x12 !== undefined) {
    w.setInt32(p, 201329920)
    p += 3
    p = encodePoint(x12, out, p, d - 1)
    b = out.buffer
    w = out.view
    if (b.length - p < 26) {
      b = grow(out, p, 26)
      w = out.view
    }
  }
  const x13 = v.l
  if (x13 !== undefined) {
    w.setInt32(p, 251661824)
    p += 3
    if (!Array.isArray(x13)) throw bad
    const x14 = x13.length
    b[p] = 8
    w.setInt32(p + 1, x14)
    p += 5
    if (b.length - p < x14 * 4 + 18) {
      b = grow(out, p, x14 * 4 + 18)
      w = out.view
    }
    for (let x16 = 0; x16 < x14; x16++) {
      const x15 = x13[x16]
      if ((x15 | 0) !== x15) throw bad
      w.setInt32(p, x15)
      p += 4
    }
  }
  const x17 = v.st
  if (x17 !== undefined) {
    w.setInt32(p, 234884864)
    p += 3
    if (!(x17 instanceof Set)) throw bad
    const x18 = x17.size
    b[p] = 11
    w.setInt32(p + 1, x18)
    p += 5
    for (const x19 of x17) {
      if (typeof x19 !== "string") throw bad
      if (b.length - p < x19.length * 3 + 4) {
        b = growString(out, p, x19, 4)
        w = out.view
      }
      p = writeString(b, w, p, x19)
    }
    if (b.length - p < 10) {
      b = grow(out, p, 10)
      w = out.view
    }
  }
  const x20 = v.m
  if (x20 !== undefined) {
    w.setInt32(p, 218107904)
    p += 3
    if (!(x20 instanceof Map)) throw bad
    const x21 = x20.size
    b[p] = 11
    b[p + 1] = 8
    w.setInt32(p + 2, x21)
    p += 6
    for (const [x22, x23] of x20) {
      if (b.length - p < 11) {
        b = grow(out, p, 11)
        w = out.view
      }
      if (typeof x22 !== "string") throw bad
      if (b.length - p < x22.length * 3 + 10) {
        b = growString(out, p, x22, 10)
        w = out.view
      }
      p = writeString(b, w, p, x22)
      if ((x23 | 0) !== x23) throw bad
      w.setInt32(p, x23)
      p += 4
    }
    if (b.length - p < 1) {
      b = grow(out, p, 1)
      w = out.view
    }
  }
  b[p++] = 0
  return p
}

function decodeOptionalScalars(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: boolean | undefined
  let m1: number | undefined
  let m2: number | undefined
  let m3: number | undefined
  let m4: number | undefined
  let m5: bigint | undefined
  let m6: number | undefined
  let m7: string | undefined
  let m8: Uint8Array | undefined
  let m9: number | undefined
  let m10: bigint | undefined
  let m11: string | undefined
  let m12: unknown
  let m13: Array<number> | undefined
  let m14: Set<string> | undefined
  let m15: Map<string, number> | undefined
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
        if (t !== 2) break
        if (end - p < 1) throw bad
        m0 = b[p++] === 1
        continue
      }
      case 2: {
        if (t !== 3) break
        if (end - p < 1) throw bad
        m1 = (b[p++]! << 24) >> 24
        continue
      }
      case 3: {
        if (t !== 3) break
        if (end - p < 1) throw bad
        m2 = (b[p++]! << 24) >> 24
        continue
      }
      case 4: {
        if (t !== 6) break
        if (end - p < 2) throw bad
        m3 = ((b[p]! << 24) >> 16) | b[p + 1]!
        p += 2
        continue
      }
      case 5: {
        if (t !== 8) break
        if (end - p < 4) throw bad
        m4 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        continue
      }
      case 6: {
        if (t !== 10) break
        if (end - p < 8) throw bad
        m5 = readI64(b, p)
        p += 8
        continue
      }
      case 7: {
        if (t !== 4) break
        if (end - p < 8) throw bad
        m6 = readDouble(b, p)
        p += 8
        continue
      }
      case 8: {
        if (t !== 11) break
        if (end - p < 4) throw bad
        const x0 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        if (x0 < 0 || x0 > end - p) throw bad
        m7 = readString(b, p, x0)
        p += x0
        continue
      }
      case 9: {
        if (t !== 11) break
        if (end - p < 4) throw bad
        const x1 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        if (x1 < 0 || x1 > end - p) throw bad
        m8 = readBinary(b, p, x1)
        p += x1
        continue
      }
      case 10: {
        if (t !== 8) break
        if (end - p < 4) throw bad
        m9 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        continue
      }
      case 11: {
        if (t !== 10) break
        if (end - p < 8) throw bad
        m10 = readI64(b, p)
        p += 8
        continue
      }
      case 12: {
        if (t !== 11) break
        if (end - p < 4) throw bad
        const x2 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        if (x2 < 0 || x2 > end - p) throw bad
        m11 = readString(b, p, x2)
        p += x2
        continue
      }
      case 13: {
        if (t !== 12) break
        m12 = decodePoint(b, p, end, d - 1)
        p = cursor.at
        continue
      }
      case 14: {
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x3 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x3 !== 0 && b[p]! !== 8) throw bad
        p += 5
        if (x3 < 0 || x3 > 1048576 || x3 * 4 > end - p) throw bad
        const x6: Array<number> = new Array(x3)
        for (let x4 = 0; x4 < x3; x4++) {
          let x5: number
          x5 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          x6[x4] = x5
        }
        m13 = x6
        continue
      }
      case 15: {
        if (t !== 14) break
        if (end - p < 5) throw bad
        const x7 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x7 !== 0 && b[p]! !== 11) throw bad
        p += 5
        if (x7 < 0 || x7 > 1048576 || x7 * 4 > end - p) throw bad
        const x10: Set<string> = new Set()
        for (let x8 = 0; x8 < x7; x8++) {
          let x9: string
          if (end - p < 4) throw bad
          const x11 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x11 < 0 || x11 > end - p) throw bad
          x9 = readString(b, p, x11)
          p += x11
          x10.add(x9)
        }
        m14 = x10
        continue
      }
      case 16: {
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x12 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x12 !== 0 && (b[p]! !== 11 || b[p + 1]! !== 8)) throw bad
        p += 6
        if (x12 < 0 || x12 > 1048576 || x12 * 8 > end - p) throw bad
        const x16: Map<string, number> = new Map()
        for (let x13 = 0; x13 < x12; x13++) {
          let x14: string
          let x15: number
          if (end - p < 4) throw bad
          const x17 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x17 < 0 || x17 > end - p) throw bad
          x14 = readString(b, p, x17)
          p += x17
          if (end - p < 4) throw bad
          x15 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          x16.set(x14, x15)
        }
        m15 = x16
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  cursor.at = p
  return new MessageOptionalScalars(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15)
}

const codecOptionalScalars: Compiled = {
  shape: "98i1t3y60nxk",
  encode: encodeOptionalScalars,
  decode: decodeOptionalScalars,
  bind(link) {
    MessageOptionalScalars.prototype = link.prototype
  }
}

const MessageRequiredScalars = function (
  this: any,
  m0: unknown,
  m1: unknown,
  m2: unknown,
  m3: unknown,
  m4: unknown,
  m5: unknown
) {
  this.b = m0
  this.i32v = m1
  this.s = m2
  this.p = m3
  this.l = m4
  this.color = m5
} as unknown as Constructor

function encodeRequiredScalars(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 38) {
    b = grow(out, p, 38)
    w = out.view
  }
  const x0 = v.b
  w.setInt32(p, 33554688)
  p += 3
  if (x0 === true) b[p++] = 1
  else if (x0 === false) b[p++] = 0
  else throw bad
  const x1 = v.i32v
  w.setInt32(p, 134218240)
  p += 3
  if ((x1 | 0) !== x1) throw bad
  w.setInt32(p, x1)
  p += 4
  const x2 = v.s
  w.setInt32(p, 184550144)
  p += 3
  if (typeof x2 !== "string") throw bad
  if (b.length - p < x2.length * 3 + 24) {
    b = growString(out, p, x2, 24)
    w = out.view
  }
  p = writeString(b, w, p, x2)
  const x3 = v.p
  w.setInt32(p, 201327616)
  p += 3
  p = encodePoint(x3, out, p, d - 1)
  b = out.buffer
  w = out.view
  if (b.length - p < 16) {
    b = grow(out, p, 16)
    w = out.view
  }
  const x4 = v.l
  w.setInt32(p, 251659520)
  p += 3
  if (!Array.isArray(x4)) throw bad
  const x5 = x4.length
  b[p] = 8
  w.setInt32(p + 1, x5)
  p += 5
  if (b.length - p < x5 * 4 + 8) {
    b = grow(out, p, x5 * 4 + 8)
    w = out.view
  }
  for (let x7 = 0; x7 < x5; x7++) {
    const x6 = x4[x7]
    if ((x6 | 0) !== x6) throw bad
    w.setInt32(p, x6)
    p += 4
  }
  const x8 = v.color
  w.setInt32(p, 134219264)
  p += 3
  if ((x8 | 0) !== x8) throw bad
  w.setInt32(p, x8)
  p += 4
  b[p++] = 0
  return p
}

function decodeRequiredScalars(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: boolean | undefined
  let m1: number | undefined
  let m2: string | undefined
  let m3: unknown
  let m4: Array<number> | undefined
  let m5: number | undefined
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
        if (t !== 2) break
        if (end - p < 1) throw bad
        m0 = b[p++] === 1
        continue
      }
      case 2: {
        if (t !== 8) break
        if (end - p < 4) throw bad
        m1 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        continue
      }
      case 3: {
        if (t !== 11) break
        if (end - p < 4) throw bad
        const x0 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        if (x0 < 0 || x0 > end - p) throw bad
        m2 = readString(b, p, x0)
        p += x0
        continue
      }
      case 4: {
        if (t !== 12) break
        m3 = decodePoint(b, p, end, d - 1)
        p = cursor.at
        continue
      }
      case 5: {
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x1 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x1 !== 0 && b[p]! !== 8) throw bad
        p += 5
        if (x1 < 0 || x1 > 1048576 || x1 * 4 > end - p) throw bad
        const x4: Array<number> = new Array(x1)
        for (let x2 = 0; x2 < x1; x2++) {
          let x3: number
          x3 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          x4[x2] = x3
        }
        m4 = x4
        continue
      }
      case 6: {
        if (t !== 8) break
        if (end - p < 4) throw bad
        m5 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  if (m0 === undefined) throw bad
  if (m1 === undefined) throw bad
  if (m2 === undefined) throw bad
  if (m3 === undefined) throw bad
  if (m4 === undefined) throw bad
  if (m5 === undefined) throw bad
  cursor.at = p
  return new MessageRequiredScalars(m0, m1, m2, m3, m4, m5)
}

const codecRequiredScalars: Compiled = {
  shape: "1cfkcsztf5dv",
  encode: encodeRequiredScalars,
  decode: decodeRequiredScalars,
  bind(link) {
    MessageRequiredScalars.prototype = link.prototype
  }
}

let linkDefaults: Link

const MessageDefaults = function (
  this: any,
  m0: unknown,
  m1: unknown,
  m2: unknown,
  m3: unknown,
  m4: unknown,
  m5: unknown,
  m6: unknown,
  m7: unknown,
  m8: unknown,
  m9: unknown,
  m10: unknown,
  m11: unknown,
  m12: unknown,
  m13: unknown,
  m14: unknown,
  m15: unknown,
  m16: unknown,
  m17: unknown
) {
  this.plain = m0
  this.opt = m1
  this.req = m2
  this.ps = m3
  this.os = m4
  this.pb = m5
  this.ob = m6
  this.od = m7
  this.oc = m8
  this.pc = m9
  this.pl = m10
  this.ol = m11
  this.om = m12
  this.obin = m13
  this.fromConst = m14
  this.oi = m15
  this.oset = m16
  this.op = m17
} as unknown as Constructor

function encodeDefaults(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 131) {
    b = grow(out, p, 131)
    w = out.view
  }
  const x0 = v.plain
  w.setInt32(p, 134217984)
  p += 3
  if ((x0 | 0) !== x0) throw bad
  w.setInt32(p, x0)
  p += 4
  const x1 = v.opt
  if (x1 !== undefined && x1 !== 8) {
    w.setInt32(p, 134218240)
    p += 3
    if ((x1 | 0) !== x1) throw bad
    w.setInt32(p, x1)
    p += 4
  }
  const x2 = v.req
  w.setInt32(p, 134218496)
  p += 3
  if ((x2 | 0) !== x2) throw bad
  w.setInt32(p, x2)
  p += 4
  const x3 = v.ps
  w.setInt32(p, 184550400)
  p += 3
  if (typeof x3 !== "string") throw bad
  if (b.length - p < x3.length * 3 + 107) {
    b = growString(out, p, x3, 107)
    w = out.view
  }
  p = writeString(b, w, p, x3)
  const x4 = v.os
  if (x4 !== undefined && x4 !== "os") {
    w.setInt32(p, 184550656)
    p += 3
    if (typeof x4 !== "string") throw bad
    if (b.length - p < x4.length * 3 + 100) {
      b = growString(out, p, x4, 100)
      w = out.view
    }
    p = writeString(b, w, p, x4)
  }
  const x5 = v.pb
  w.setInt32(p, 33555968)
  p += 3
  if (x5 === true) b[p++] = 1
  else if (x5 === false) b[p++] = 0
  else throw bad
  const x6 = v.ob
  if (x6 !== undefined && x6 !== true) {
    w.setInt32(p, 33556224)
    p += 3
    if (x6 === true) b[p++] = 1
    else if (x6 === false) b[p++] = 0
    else throw bad
  }
  const x7 = v.od
  if (x7 !== undefined && x7 !== 1.5) {
    w.setInt32(p, 67110912)
    p += 3
    if (typeof x7 !== "number") throw bad
    w.setFloat64(p, x7)
    p += 8
  }
  const x8 = v.oc
  if (x8 !== undefined && x8 !== 1) {
    w.setInt32(p, 134220032)
    p += 3
    if ((x8 | 0) !== x8) throw bad
    w.setInt32(p, x8)
    p += 4
  }
  const x9 = v.pc
  w.setInt32(p, 134220288)
  p += 3
  if ((x9 | 0) !== x9) throw bad
  w.setInt32(p, x9)
  p += 4
  const x10 = v.pl
  w.setInt32(p, 251661056)
  p += 3
  if (!Array.isArray(x10)) throw bad
  const x11 = x10.length
  b[p] = 8
  w.setInt32(p + 1, x11)
  p += 5
  if (b.length - p < x11 * 4 + 55) {
    b = grow(out, p, x11 * 4 + 55)
    w = out.view
  }
  for (let x13 = 0; x13 < x11; x13++) {
    const x12 = x10[x13]
    if ((x12 | 0) !== x12) throw bad
    w.setInt32(p, x12)
    p += 4
  }
  const x14 = v.ol
  if (x14 !== undefined) {
    w.setInt32(p, 251661312)
    p += 3
    if (!Array.isArray(x14)) throw bad
    const x15 = x14.length
    b[p] = 8
    w.setInt32(p + 1, x15)
    p += 5
    if (b.length - p < x15 * 4 + 47) {
      b = grow(out, p, x15 * 4 + 47)
      w = out.view
    }
    for (let x17 = 0; x17 < x15; x17++) {
      const x16 = x14[x17]
      if ((x16 | 0) !== x16) throw bad
      w.setInt32(p, x16)
      p += 4
    }
  }
  const x18 = v.om
  if (x18 !== undefined) {
    w.setInt32(p, 218107136)
    p += 3
    if (!(x18 instanceof Map)) throw bad
    const x19 = x18.size
    b[p] = 11
    b[p + 1] = 8
    w.setInt32(p + 2, x19)
    p += 6
    for (const [x20, x21] of x18) {
      if (b.length - p < 48) {
        b = grow(out, p, 48)
        w = out.view
      }
      if (typeof x20 !== "string") throw bad
      if (b.length - p < x20.length * 3 + 47) {
        b = growString(out, p, x20, 47)
        w = out.view
      }
      p = writeString(b, w, p, x20)
      if ((x21 | 0) !== x21) throw bad
      w.setInt32(p, x21)
      p += 4
    }
    if (b.length - p < 38) {
      b = grow(out, p, 38)
      w = out.view
    }
  }
  const x22 = v.obin
  if (x22 !== undefined && !sameBytes(x22, new Uint8Array([98, 98]))) {
    w.setInt32(p, 184552960)
    p += 3
    if (!(x22 instanceof Uint8Array)) throw bad
    if (x22.length < 4096) {
      if (b.length - p < x22.length + 35) {
        b = grow(out, p, x22.length + 35)
        w = out.view
      }
    }
    p = writeBinary(out, b, w, p, x22)
  }
  const x23 = v.fromConst
  w.setInt32(p, 134221568)
  p += 3
  if ((x23 | 0) !== x23) throw bad
  w.setInt32(p, x23)
  p += 4
  const x24 = v.oi
  if (x24 !== undefined && x24 !== -5n) {
    w.setInt32(p, 167776256)
    p += 3
    if (typeof x24 !== "bigint" || BigInt.asIntN(64, x24) !== x24) throw bad
    w.setBigInt64(p, x24)
    p += 8
  }
  const x25 = v.oset
  if (x25 !== undefined) {
    w.setInt32(p, 234885376)
    p += 3
    if (!(x25 instanceof Set)) throw bad
    const x26 = x25.size
    b[p] = 8
    w.setInt32(p + 1, x26)
    p += 5
    if (b.length - p < x26 * 4 + 5) {
      b = grow(out, p, x26 * 4 + 5)
      w = out.view
    }
    for (const x27 of x25) {
      if ((x27 | 0) !== x27) throw bad
      w.setInt32(p, x27)
      p += 4
    }
  }
  const x28 = v.op
  if (x28 !== undefined) {
    w.setInt32(p, 201331200)
    p += 3
    p = encodePoint(x28, out, p, d - 1)
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

function decodeDefaults(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: number | undefined
  let m1: number | undefined
  let m2: number | undefined
  let m3: string | undefined
  let m4: string | undefined
  let m5: boolean | undefined
  let m6: boolean | undefined
  let m7: number | undefined
  let m8: number | undefined
  let m9: number | undefined
  let m10: Array<number> | undefined
  let m11: Array<number> | undefined
  let m12: Map<string, number> | undefined
  let m13: Uint8Array | undefined
  let m14: number | undefined
  let m15: bigint | undefined
  let m16: Set<number> | undefined
  let m17: unknown
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
        if (t !== 8) break
        if (end - p < 4) throw bad
        m0 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        continue
      }
      case 2: {
        if (t !== 8) break
        if (end - p < 4) throw bad
        m1 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
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
        if (t !== 11) break
        if (end - p < 4) throw bad
        const x0 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        if (x0 < 0 || x0 > end - p) throw bad
        m3 = readString(b, p, x0)
        p += x0
        continue
      }
      case 5: {
        if (t !== 11) break
        if (end - p < 4) throw bad
        const x1 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        if (x1 < 0 || x1 > end - p) throw bad
        m4 = readString(b, p, x1)
        p += x1
        continue
      }
      case 6: {
        if (t !== 2) break
        if (end - p < 1) throw bad
        m5 = b[p++] === 1
        continue
      }
      case 7: {
        if (t !== 2) break
        if (end - p < 1) throw bad
        m6 = b[p++] === 1
        continue
      }
      case 8: {
        if (t !== 4) break
        if (end - p < 8) throw bad
        m7 = readDouble(b, p)
        p += 8
        continue
      }
      case 9: {
        if (t !== 8) break
        if (end - p < 4) throw bad
        m8 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        continue
      }
      case 10: {
        if (t !== 8) break
        if (end - p < 4) throw bad
        m9 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        continue
      }
      case 11: {
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x2 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x2 !== 0 && b[p]! !== 8) throw bad
        p += 5
        if (x2 < 0 || x2 > 1048576 || x2 * 4 > end - p) throw bad
        const x5: Array<number> = new Array(x2)
        for (let x3 = 0; x3 < x2; x3++) {
          let x4: number
          x4 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          x5[x3] = x4
        }
        m10 = x5
        continue
      }
      case 12: {
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x6 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x6 !== 0 && b[p]! !== 8) throw bad
        p += 5
        if (x6 < 0 || x6 > 1048576 || x6 * 4 > end - p) throw bad
        const x9: Array<number> = new Array(x6)
        for (let x7 = 0; x7 < x6; x7++) {
          let x8: number
          x8 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          x9[x7] = x8
        }
        m11 = x9
        continue
      }
      case 13: {
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x10 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x10 !== 0 && (b[p]! !== 11 || b[p + 1]! !== 8)) throw bad
        p += 6
        if (x10 < 0 || x10 > 1048576 || x10 * 8 > end - p) throw bad
        const x14: Map<string, number> = new Map()
        for (let x11 = 0; x11 < x10; x11++) {
          let x12: string
          let x13: number
          if (end - p < 4) throw bad
          const x15 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x15 < 0 || x15 > end - p) throw bad
          x12 = readString(b, p, x15)
          p += x15
          if (end - p < 4) throw bad
          x13 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          x14.set(x12, x13)
        }
        m12 = x14
        continue
      }
      case 14: {
        if (t !== 11) break
        if (end - p < 4) throw bad
        const x16 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        if (x16 < 0 || x16 > end - p) throw bad
        m13 = readBinary(b, p, x16)
        p += x16
        continue
      }
      case 15: {
        if (t !== 8) break
        if (end - p < 4) throw bad
        m14 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        continue
      }
      case 16: {
        if (t !== 10) break
        if (end - p < 8) throw bad
        m15 = readI64(b, p)
        p += 8
        continue
      }
      case 17: {
        if (t !== 14) break
        if (end - p < 5) throw bad
        const x17 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x17 !== 0 && b[p]! !== 8) throw bad
        p += 5
        if (x17 < 0 || x17 > 1048576 || x17 * 4 > end - p) throw bad
        const x20: Set<number> = new Set()
        for (let x18 = 0; x18 < x17; x18++) {
          let x19: number
          x19 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          x20.add(x19)
        }
        m16 = x20
        continue
      }
      case 18: {
        if (t !== 12) break
        m17 = decodePoint(b, p, end, d - 1)
        p = cursor.at
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  if (m0 === undefined) m0 = 7
  if (m1 === undefined) m1 = 8
  if (m2 === undefined) throw bad
  if (m3 === undefined) m3 = "ps"
  if (m4 === undefined) m4 = "os"
  if (m5 === undefined) m5 = true
  if (m6 === undefined) m6 = true
  if (m7 === undefined) m7 = 1.5
  if (m8 === undefined) m8 = 1
  if (m9 === undefined) m9 = 5
  if (m10 === undefined) m10 = linkDefaults.defaults[10]!() as Array<number>
  if (m11 === undefined) m11 = linkDefaults.defaults[11]!() as Array<number>
  if (m12 === undefined) m12 = linkDefaults.defaults[12]!() as Map<string, number>
  if (m13 === undefined) m13 = new Uint8Array([98, 98])
  if (m14 === undefined) m14 = 42
  if (m15 === undefined) m15 = -5n
  if (m16 === undefined) m16 = linkDefaults.defaults[16]!() as Set<number>
  if (m17 === undefined) m17 = linkDefaults.defaults[17]!()
  cursor.at = p
  return new MessageDefaults(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17)
}

const codecDefaults: Compiled = {
  shape: "1ygwnzqgncpej",
  encode: encodeDefaults,
  decode: decodeDefaults,
  bind(link) {
    MessageDefaults.prototype = link.prototype
    linkDefaults = link
  }
}

const MessageHolders = function (this: any, m0: unknown, m1: unknown, m2: unknown, m3: unknown, m4: unknown) {
  if (m0 !== undefined) this.p = m0
  this.l = m1
  this.st = m2
  this.m = m3
  this.bin = m4
} as unknown as Constructor

function encodeHolders(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 37) {
    b = grow(out, p, 37)
    w = out.view
  }
  const x0 = v.p
  if (x0 !== undefined) {
    w.setInt32(p, 201326848)
    p += 3
    p = encodePoint(x0, out, p, d - 1)
    b = out.buffer
    w = out.view
    if (b.length - p < 33) {
      b = grow(out, p, 33)
      w = out.view
    }
  }
  const x1 = v.l
  w.setInt32(p, 251658752)
  p += 3
  if (!Array.isArray(x1)) throw bad
  const x2 = x1.length
  b[p] = 8
  w.setInt32(p + 1, x2)
  p += 5
  if (b.length - p < x2 * 4 + 25) {
    b = grow(out, p, x2 * 4 + 25)
    w = out.view
  }
  for (let x4 = 0; x4 < x2; x4++) {
    const x3 = x1[x4]
    if ((x3 | 0) !== x3) throw bad
    w.setInt32(p, x3)
    p += 4
  }
  const x5 = v.st
  w.setInt32(p, 234881792)
  p += 3
  if (!(x5 instanceof Set)) throw bad
  const x6 = x5.size
  b[p] = 11
  w.setInt32(p + 1, x6)
  p += 5
  for (const x7 of x5) {
    if (typeof x7 !== "string") throw bad
    if (b.length - p < x7.length * 3 + 4) {
      b = growString(out, p, x7, 4)
      w = out.view
    }
    p = writeString(b, w, p, x7)
  }
  if (b.length - p < 17) {
    b = grow(out, p, 17)
    w = out.view
  }
  const x8 = v.m
  w.setInt32(p, 218104832)
  p += 3
  if (!(x8 instanceof Map)) throw bad
  const x9 = x8.size
  b[p] = 11
  b[p + 1] = 8
  w.setInt32(p + 2, x9)
  p += 6
  for (const [x10, x11] of x8) {
    if (b.length - p < 18) {
      b = grow(out, p, 18)
      w = out.view
    }
    if (typeof x10 !== "string") throw bad
    if (b.length - p < x10.length * 3 + 17) {
      b = growString(out, p, x10, 17)
      w = out.view
    }
    p = writeString(b, w, p, x10)
    if ((x11 | 0) !== x11) throw bad
    w.setInt32(p, x11)
    p += 4
  }
  if (b.length - p < 8) {
    b = grow(out, p, 8)
    w = out.view
  }
  const x12 = v.bin
  w.setInt32(p, 184550656)
  p += 3
  if (!(x12 instanceof Uint8Array)) throw bad
  if (x12.length < 4096) {
    if (b.length - p < x12.length + 5) {
      b = grow(out, p, x12.length + 5)
      w = out.view
    }
  }
  p = writeBinary(out, b, w, p, x12)
  b[p++] = 0
  return p
}

function decodeHolders(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: unknown
  let m1: Array<number> | undefined
  let m2: Set<string> | undefined
  let m3: Map<string, number> | undefined
  let m4: Uint8Array | undefined
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
        if (t !== 12) break
        m0 = decodePoint(b, p, end, d - 1)
        p = cursor.at
        continue
      }
      case 2: {
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x0 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x0 !== 0 && b[p]! !== 8) throw bad
        p += 5
        if (x0 < 0 || x0 > 1048576 || x0 * 4 > end - p) throw bad
        const x3: Array<number> = new Array(x0)
        for (let x1 = 0; x1 < x0; x1++) {
          let x2: number
          x2 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          x3[x1] = x2
        }
        m1 = x3
        continue
      }
      case 3: {
        if (t !== 14) break
        if (end - p < 5) throw bad
        const x4 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x4 !== 0 && b[p]! !== 11) throw bad
        p += 5
        if (x4 < 0 || x4 > 1048576 || x4 * 4 > end - p) throw bad
        const x7: Set<string> = new Set()
        for (let x5 = 0; x5 < x4; x5++) {
          let x6: string
          if (end - p < 4) throw bad
          const x8 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x8 < 0 || x8 > end - p) throw bad
          x6 = readString(b, p, x8)
          p += x8
          x7.add(x6)
        }
        m2 = x7
        continue
      }
      case 4: {
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x9 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x9 !== 0 && (b[p]! !== 11 || b[p + 1]! !== 8)) throw bad
        p += 6
        if (x9 < 0 || x9 > 1048576 || x9 * 8 > end - p) throw bad
        const x13: Map<string, number> = new Map()
        for (let x10 = 0; x10 < x9; x10++) {
          let x11: string
          let x12: number
          if (end - p < 4) throw bad
          const x14 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x14 < 0 || x14 > end - p) throw bad
          x11 = readString(b, p, x14)
          p += x14
          if (end - p < 4) throw bad
          x12 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          x13.set(x11, x12)
        }
        m3 = x13
        continue
      }
      case 5: {
        if (t !== 11) break
        if (end - p < 4) throw bad
        const x15 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        if (x15 < 0 || x15 > end - p) throw bad
        m4 = readBinary(b, p, x15)
        p += x15
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  if (m1 === undefined) m1 = []
  if (m2 === undefined) m2 = new Set()
  if (m3 === undefined) m3 = new Map()
  if (m4 === undefined) m4 = new Uint8Array(0)
  cursor.at = p
  return new MessageHolders(m0, m1, m2, m3, m4)
}

const codecHolders: Compiled = {
  shape: "z05tpvy9j5ui",
  encode: encodeHolders,
  decode: decodeHolders,
  bind(link) {
    MessageHolders.prototype = link.prototype
  }
}

const MessageNode = function (this: any, m0: unknown, m1: unknown, m2: unknown) {
  this.v = m0
  if (m1 !== undefined) this.next = m1
  this.kids = m2
} as unknown as Constructor

function encodeNode(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 20) {
    b = grow(out, p, 20)
    w = out.view
  }
  const x0 = v.v
  w.setInt32(p, 134217984)
  p += 3
  if ((x0 | 0) !== x0) throw bad
  w.setInt32(p, x0)
  p += 4
  const x1 = v.next
  if (x1 !== undefined) {
    w.setInt32(p, 201327104)
    p += 3
    p = encodeNode(x1, out, p, d - 1)
    b = out.buffer
    w = out.view
    if (b.length - p < 9) {
      b = grow(out, p, 9)
      w = out.view
    }
  }
  const x2 = v.kids
  w.setInt32(p, 251659008)
  p += 3
  if (!Array.isArray(x2)) throw bad
  const x3 = x2.length
  b[p] = 12
  w.setInt32(p + 1, x3)
  p += 5
  for (let x5 = 0; x5 < x3; x5++) {
    const x4 = x2[x5]
    p = encodeNode(x4, out, p, d - 1)
    b = out.buffer
    w = out.view
  }
  if (b.length - p < 1) {
    b = grow(out, p, 1)
    w = out.view
  }
  b[p++] = 0
  return p
}

function decodeNode(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: number | undefined
  let m1: unknown
  let m2: Array<unknown> | undefined
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
        if (t !== 8) break
        if (end - p < 4) throw bad
        m0 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        continue
      }
      case 2: {
        if (t !== 12) break
        m1 = decodeNode(b, p, end, d - 1)
        p = cursor.at
        continue
      }
      case 3: {
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x0 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x0 !== 0 && b[p]! !== 12) throw bad
        p += 5
        if (x0 < 0 || x0 > 1048576 || x0 > end - p) throw bad
        const x3: Array<unknown> = new Array(x0)
        for (let x1 = 0; x1 < x0; x1++) {
          let x2: unknown
          x2 = decodeNode(b, p, end, d - 1)
          p = cursor.at
          x3[x1] = x2
        }
        m2 = x3
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  if (m0 === undefined) m0 = 0
  if (m2 === undefined) m2 = []
  cursor.at = p
  return new MessageNode(m0, m1, m2)
}

const codecNode: Compiled = {
  shape: "1rtwj3wkhuane",
  encode: encodeNode,
  decode: decodeNode,
  bind(link) {
    MessageNode.prototype = link.prototype
  }
}

function encodeChoice(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  const tag = v._tag
  const x = v.value
  if (tag === "num") {
    if (b.length - p < 9) {
      b = grow(out, p, 9)
      w = out.view
    }
    w.setInt32(p, 134217984)
    p += 3
    if ((x | 0) !== x) throw bad
    w.setInt32(p, x)
    p += 4
  } else if (tag === "text") {
    if (b.length - p < 9) {
      b = grow(out, p, 9)
      w = out.view
    }
    w.setInt32(p, 184549888)
    p += 3
    if (typeof x !== "string") throw bad
    if (b.length - p < x.length * 3 + 6) {
      b = growString(out, p, x, 6)
      w = out.view
    }
    p = writeString(b, w, p, x)
  } else if (tag === "point") {
    if (b.length - p < 5) {
      b = grow(out, p, 5)
      w = out.view
    }
    w.setInt32(p, 201327360)
    p += 3
    p = encodePoint(x, out, p, d - 1)
    b = out.buffer
    w = out.view
    if (b.length - p < 2) {
      b = grow(out, p, 2)
      w = out.view
    }
  } else if (tag === "words") {
    if (b.length - p < 10) {
      b = grow(out, p, 10)
      w = out.view
    }
    w.setInt32(p, 251659264)
    p += 3
    if (!Array.isArray(x)) throw bad
    const x0 = x.length
    b[p] = 11
    w.setInt32(p + 1, x0)
    p += 5
    for (let x2 = 0; x2 < x0; x2++) {
      const x1 = x[x2]
      if (typeof x1 !== "string") throw bad
      if (b.length - p < x1.length * 3 + 4) {
        b = growString(out, p, x1, 4)
        w = out.view
      }
      p = writeString(b, w, p, x1)
    }
    if (b.length - p < 2) {
      b = grow(out, p, 2)
      w = out.view
    }
  } else if (tag === "flag") {
    if (b.length - p < 6) {
      b = grow(out, p, 6)
      w = out.view
    }
    w.setInt32(p, 33555712)
    p += 3
    if (x === true) b[p++] = 1
    else if (x === false) b[p++] = 0
    else throw bad
  } else throw bad
  b[p++] = 0
  return p
}

function decodeChoice(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  const first = p
  let tag: string | undefined
  let x: unknown
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
        if (t !== 8) break
        if (end - p < 4) throw bad
        x = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        tag = "num"
        continue
      }
      case 2: {
        if (t !== 11) break
        if (end - p < 4) throw bad
        const x0 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        if (x0 < 0 || x0 > end - p) throw bad
        x = readString(b, p, x0)
        p += x0
        tag = "text"
        continue
      }
      case 3: {
        if (t !== 12) break
        x = decodePoint(b, p, end, d - 1)
        p = cursor.at
        tag = "point"
        continue
      }
      case 4: {
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x1 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x1 !== 0 && b[p]! !== 11) throw bad
        p += 5
        if (x1 < 0 || x1 > 1048576 || x1 * 4 > end - p) throw bad
        const x4: Array<string> = new Array(x1)
        for (let x2 = 0; x2 < x1; x2++) {
          let x3: string
          if (end - p < 4) throw bad
          const x5 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x5 < 0 || x5 > end - p) throw bad
          x3 = readString(b, p, x5)
          p += x5
          x4[x2] = x3
        }
        x = x4
        tag = "words"
        continue
      }
      case 5: {
        if (t !== 2) break
        if (end - p < 1) throw bad
        x = b[p++] === 1
        tag = "flag"
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  cursor.at = p
  if (tag !== undefined) return { _tag: tag, value: x }
  if (p - first > 1) throw bad
  return undefined
}

const codecChoice: Compiled = {
  shape: "13gex4hpeteo",
  encode: encodeChoice,
  decode: decodeChoice
}

const MessageWithChoice = function (this: any, m0: unknown, m1: unknown, m2: unknown) {
  if (m0 !== undefined) this.c = m0
  if (m1 !== undefined) this.oc = m1
  this.cs = m2
} as unknown as Constructor

function encodeWithChoice(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 17) {
    b = grow(out, p, 17)
    w = out.view
  }
  const x0 = v.c
  if (x0 !== undefined) {
    w.setInt32(p, 201326848)
    p += 3
    p = encodeChoice(x0, out, p, d - 1)
    b = out.buffer
    w = out.view
    if (b.length - p < 13) {
      b = grow(out, p, 13)
      w = out.view
    }
  }
  const x1 = v.oc
  if (x1 !== undefined) {
    w.setInt32(p, 201327104)
    p += 3
    p = encodeChoice(x1, out, p, d - 1)
    b = out.buffer
    w = out.view
    if (b.length - p < 9) {
      b = grow(out, p, 9)
      w = out.view
    }
  }
  const x2 = v.cs
  w.setInt32(p, 251659008)
  p += 3
  if (!Array.isArray(x2)) throw bad
  const x3 = x2.length
  b[p] = 12
  w.setInt32(p + 1, x3)
  p += 5
  for (let x5 = 0; x5 < x3; x5++) {
    const x4 = x2[x5]
    p = encodeChoice(x4, out, p, d - 1)
    b = out.buffer
    w = out.view
  }
  if (b.length - p < 1) {
    b = grow(out, p, 1)
    w = out.view
  }
  b[p++] = 0
  return p
}

function decodeWithChoice(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: unknown
  let m1: unknown
  let m2: Array<unknown> | undefined
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
        if (t !== 12) break
        m0 = decodeChoice(b, p, end, d - 1)
        p = cursor.at
        continue
      }
      case 2: {
        if (t !== 12) break
        m1 = decodeChoice(b, p, end, d - 1)
        p = cursor.at
        continue
      }
      case 3: {
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x0 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x0 !== 0 && b[p]! !== 12) throw bad
        p += 5
        if (x0 < 0 || x0 > 1048576 || x0 > end - p) throw bad
        const x3: Array<unknown> = new Array(x0)
        for (let x1 = 0; x1 < x0; x1++) {
          let x2: unknown
          x2 = decodeChoice(b, p, end, d - 1)
          p = cursor.at
          if (x2 === undefined) throw bad
          x3[x1] = x2
        }
        m2 = x3
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  if (m2 === undefined) m2 = []
  cursor.at = p
  return new MessageWithChoice(m0, m1, m2)
}

const codecWithChoice: Compiled = {
  shape: "1re3vuk1xnc9zk",
  encode: encodeWithChoice,
  decode: decodeWithChoice,
  bind(link) {
    MessageWithChoice.prototype = link.prototype
  }
}

let linkFailure: Link

const MessageFailure = function (this: any, m0: unknown, m1: unknown, m2: unknown) {
  this._tag = "Failure"
  this.code = m0
  this.why = m1
  if (m2 !== undefined) this.where = m2
} as unknown as Constructor

function encodeFailure(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 19) {
    b = grow(out, p, 19)
    w = out.view
  }
  const x0 = v.code
  w.setInt32(p, 134217984)
  p += 3
  if ((x0 | 0) !== x0) throw bad
  w.setInt32(p, x0)
  p += 4
  const x1 = v.why
  w.setInt32(p, 184549888)
  p += 3
  if (typeof x1 !== "string") throw bad
  if (b.length - p < x1.length * 3 + 9) {
    b = growString(out, p, x1, 9)
    w = out.view
  }
  p = writeString(b, w, p, x1)
  const x2 = v.where
  if (x2 !== undefined) {
    w.setInt32(p, 201327360)
    p += 3
    p = encodePoint(x2, out, p, d - 1)
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

function decodeFailure(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: number | undefined
  let m1: string | undefined
  let m2: unknown
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
        if (t !== 8) break
        if (end - p < 4) throw bad
        m0 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
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
        if (t !== 12) break
        m2 = decodePoint(b, p, end, d - 1)
        p = cursor.at
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  if (m0 === undefined) m0 = 0
  if (m1 === undefined) m1 = ""
  const fields = new MessageFailure(m0, m1, m2)
  const made = linkFailure.make(fields)
  cursor.at = p
  return made
}

const codecFailure: Compiled = {
  shape: "9fmlg58hrike",
  encode: encodeFailure,
  decode: decodeFailure,
  bind(link) {
    MessageFailure.prototype = link.prototype
    linkFailure = link
  }
}

const MessageLists = function (
  this: any,
  m0: unknown,
  m1: unknown,
  m2: unknown,
  m3: unknown,
  m4: unknown,
  m5: unknown,
  m6: unknown,
  m7: unknown,
  m8: unknown,
  m9: unknown,
  m10: unknown,
  m11: unknown,
  m12: unknown,
  m13: unknown
) {
  this.bools = m0
  this.bytes = m1
  this.i16s = m2
  this.i32s = m3
  this.i64s = m4
  this.doubles = m5
  this.strings = m6
  this.binaries = m7
  this.colors = m8
  this.points = m9
  this.nested = m10
  this.sets = m11
  this.maps = m12
  this.path = m13
} as unknown as Constructor

function encodeLists(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 113) {
    b = grow(out, p, 113)
    w = out.view
  }
  const x0 = v.bools
  w.setInt32(p, 251658496)
  p += 3
  if (!Array.isArray(x0)) throw bad
  const x1 = x0.length
  b[p] = 2
  w.setInt32(p + 1, x1)
  p += 5
  if (b.length - p < x1 * 1 + 105) {
    b = grow(out, p, x1 * 1 + 105)
    w = out.view
  }
  for (let x3 = 0; x3 < x1; x3++) {
    const x2 = x0[x3]
    if (x2 === true) b[p++] = 1
    else if (x2 === false) b[p++] = 0
    else throw bad
  }
  const x4 = v.bytes
  w.setInt32(p, 251658752)
  p += 3
  if (!Array.isArray(x4)) throw bad
  const x5 = x4.length
  b[p] = 3
  w.setInt32(p + 1, x5)
  p += 5
  if (b.length - p < x5 * 1 + 97) {
    b = grow(out, p, x5 * 1 + 97)
    w = out.view
  }
  for (let x7 = 0; x7 < x5; x7++) {
    const x6 = x4[x7]
    if ((x6 << 24) >> 24 !== x6) throw bad
    b[p++] = x6
  }
  const x8 = v.i16s
  w.setInt32(p, 251659008)
  p += 3
  if (!Array.isArray(x8)) throw bad
  const x9 = x8.length
  b[p] = 6
  w.setInt32(p + 1, x9)
  p += 5
  if (b.length - p < x9 * 2 + 89) {
    b = grow(out, p, x9 * 2 + 89)
    w = out.view
  }
  for (let x11 = 0; x11 < x9; x11++) {
    const x10 = x8[x11]
    if ((x10 << 16) >> 16 !== x10) throw bad
    w.setInt16(p, x10)
    p += 2
  }
  const x12 = v.i32s
  w.setInt32(p, 251659264)
  p += 3
  if (!Array.isArray(x12)) throw bad
  const x13 = x12.length
  b[p] = 8
  w.setInt32(p + 1, x13)
  p += 5
  if (b.length - p < x13 * 4 + 81) {
    b = grow(out, p, x13 * 4 + 81)
    w = out.view
  }
  for (let x15 = 0; x15 < x13; x15++) {
    const x14 = x12[x15]
    if ((x14 | 0) !== x14) throw bad
    w.setInt32(p, x14)
    p += 4
  }
  const x16 = v.i64s
  w.setInt32(p, 251659520)
  p += 3
  if (!Array.isArray(x16)) throw bad
  const x17 = x16.length
  b[p] = 10
  w.setInt32(p + 1, x17)
  p += 5
  if (b.length - p < x17 * 8 + 73) {
    b = grow(out, p, x17 * 8 + 73)
    w = out.view
  }
  for (let x19 = 0; x19 < x17; x19++) {
    const x18 = x16[x19]
    if (typeof x18 !== "bigint" || BigInt.asIntN(64, x18) !== x18) throw bad
    w.setBigInt64(p, x18)
    p += 8
  }
  const x20 = v.doubles
  w.setInt32(p, 251659776)
  p += 3
  if (!Array.isArray(x20)) throw bad
  const x21 = x20.length
  b[p] = 4
  w.setInt32(p + 1, x21)
  p += 5
  if (b.length - p < x21 * 8 + 65) {
    b = grow(out, p, x21 * 8 + 65)
    w = out.view
  }
  for (let x23 = 0; x23 < x21; x23++) {
    const x22 = x20[x23]
    if (typeof x22 !== "number") throw bad
    w.setFloat64(p, x22)
    p += 8
  }
  const x24 = v.strings
  w.setInt32(p, 251660032)
  p += 3
  if (!Array.isArray(x24)) throw bad
  const x25 = x24.length
  b[p] = 11
  w.setInt32(p + 1, x25)
  p += 5
  for (let x27 = 0; x27 < x25; x27++) {
    const x26 = x24[x27]
    if (typeof x26 !== "string") throw bad
    if (b.length - p < x26.length * 3 + 4) {
      b = growString(out, p, x26, 4)
      w = out.view
    }
    p = writeString(b, w, p, x26)
  }
  if (b.length - p < 57) {
    b = grow(out, p, 57)
    w = out.view
  }
  const x28 = v.binaries
  w.setInt32(p, 251660288)
  p += 3
  if (!Array.isArray(x28)) throw bad
  const x29 = x28.length
  b[p] = 11
  w.setInt32(p + 1, x29)
  p += 5
  for (let x31 = 0; x31 < x29; x31++) {
    const x30 = x28[x31]
    if (b.length - p < 53) {
      b = grow(out, p, 53)
      w = out.view
    }
    if (!(x30 instanceof Uint8Array)) throw bad
    if (x30.length < 4096) {
      if (b.length - p < x30.length + 53) {
        b = grow(out, p, x30.length + 53)
        w = out.view
      }
    }
    p = writeBinary(out, b, w, p, x30)
  }
  if (b.length - p < 49) {
    b = grow(out, p, 49)
    w = out.view
  }
  const x32 = v.colors
  w.setInt32(p, 251660544)
  p += 3
  if (!Array.isArray(x32)) throw bad
  const x33 = x32.length
  b[p] = 8
  w.setInt32(p + 1, x33)
  p += 5
  if (b.length - p < x33 * 4 + 41) {
    b = grow(out, p, x33 * 4 + 41)
    w = out.view
  }
  for (let x35 = 0; x35 < x33; x35++) {
    const x34 = x32[x35]
    if ((x34 | 0) !== x34) throw bad
    w.setInt32(p, x34)
    p += 4
  }
  const x36 = v.points
  w.setInt32(p, 251660800)
  p += 3
  if (!Array.isArray(x36)) throw bad
  const x37 = x36.length
  b[p] = 12
  w.setInt32(p + 1, x37)
  p += 5
  for (let x39 = 0; x39 < x37; x39++) {
    const x38 = x36[x39]
    p = encodePoint(x38, out, p, d - 1)
    b = out.buffer
    w = out.view
  }
  if (b.length - p < 33) {
    b = grow(out, p, 33)
    w = out.view
  }
  const x40 = v.nested
  w.setInt32(p, 251661056)
  p += 3
  if (!Array.isArray(x40)) throw bad
  const x41 = x40.length
  b[p] = 15
  w.setInt32(p + 1, x41)
  p += 5
  for (let x43 = 0; x43 < x41; x43++) {
    const x42 = x40[x43]
    if (b.length - p < 30) {
      b = grow(out, p, 30)
      w = out.view
    }
    if (!Array.isArray(x42)) throw bad
    const x44 = x42.length
    b[p] = 8
    w.setInt32(p + 1, x44)
    p += 5
    if (b.length - p < x44 * 4 + 25) {
      b = grow(out, p, x44 * 4 + 25)
      w = out.view
    }
    for (let x46 = 0; x46 < x44; x46++) {
      const x45 = x42[x46]
      if ((x45 | 0) !== x45) throw bad
      w.setInt32(p, x45)
      p += 4
    }
  }
  if (b.length - p < 25) {
    b = grow(out, p, 25)
    w = out.view
  }
  const x47 = v.sets
  w.setInt32(p, 251661312)
  p += 3
  if (!Array.isArray(x47)) throw bad
  const x48 = x47.length
  b[p] = 14
  w.setInt32(p + 1, x48)
  p += 5
  for (let x50 = 0; x50 < x48; x50++) {
    const x49 = x47[x50]
    if (b.length - p < 22) {
      b = grow(out, p, 22)
      w = out.view
    }
    if (!(x49 instanceof Set)) throw bad
    const x51 = x49.size
    b[p] = 11
    w.setInt32(p + 1, x51)
    p += 5
    for (const x52 of x49) {
      if (typeof x52 !== "string") throw bad
      if (b.length - p < x52.length * 3 + 4) {
        b = growString(out, p, x52, 4)
        w = out.view
      }
      p = writeString(b, w, p, x52)
    }
    if (b.length - p < 17) {
      b = grow(out, p, 17)
      w = out.view
    }
  }
  if (b.length - p < 17) {
    b = grow(out, p, 17)
    w = out.view
  }
  const x53 = v.maps
  w.setInt32(p, 251661568)
  p += 3
  if (!Array.isArray(x53)) throw bad
  const x54 = x53.length
  b[p] = 13
  w.setInt32(p + 1, x54)
  p += 5
  for (let x56 = 0; x56 < x54; x56++) {
    const x55 = x53[x56]
    if (b.length - p < 15) {
      b = grow(out, p, 15)
      w = out.view
    }
    if (!(x55 instanceof Map)) throw bad
    const x57 = x55.size
    b[p] = 11
    b[p + 1] = 8
    w.setInt32(p + 2, x57)
    p += 6
    for (const [x58, x59] of x55) {
      if (b.length - p < 19) {
        b = grow(out, p, 19)
        w = out.view
      }
      if (typeof x58 !== "string") throw bad
      if (b.length - p < x58.length * 3 + 18) {
        b = growString(out, p, x58, 18)
        w = out.view
      }
      p = writeString(b, w, p, x58)
      if ((x59 | 0) !== x59) throw bad
      w.setInt32(p, x59)
      p += 4
    }
    if (b.length - p < 9) {
      b = grow(out, p, 9)
      w = out.view
    }
  }
  if (b.length - p < 9) {
    b = grow(out, p, 9)
    w = out.view
  }
  const x60 = v.path
  w.setInt32(p, 251661824)
  p += 3
  if (!Array.isArray(x60)) throw bad
  const x61 = x60.length
  b[p] = 12
  w.setInt32(p + 1, x61)
  p += 5
  for (let x63 = 0; x63 < x61; x63++) {
    const x62 = x60[x63]
    p = encodePoint(x62, out, p, d - 1)
    b = out.buffer
    w = out.view
  }
  if (b.length - p < 1) {
    b = grow(out, p, 1)
    w = out.view
  }
  b[p++] = 0
  return p
}

function decodeLists(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let w = cursor.view
  let m0: Array<boolean> | undefined
  let m1: Array<number> | undefined
  let m2: Array<number> | undefined
  let m3: Array<number> | undefined
  let m4: Array<bigint> | undefined
  let m5: Array<number> | undefined
  let m6: Array<string> | undefined
  let m7: Array<Uint8Array> | undefined
  let m8: Array<number> | undefined
  let m9: Array<unknown> | undefined
  let m10: Array<Array<number>> | undefined
  let m11: Array<Set<string>> | undefined
  let m12: Array<Map<string, number>> | undefined
  let m13: Array<unknown> | undefined
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
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x0 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x0 !== 0 && b[p]! !== 2) throw bad
        p += 5
        if (x0 < 0 || x0 > 1048576 || x0 > end - p) throw bad
        const x3: Array<boolean> = new Array(x0)
        for (let x1 = 0; x1 < x0; x1++) {
          let x2: boolean
          x2 = b[p++] === 1
          x3[x1] = x2
        }
        m0 = x3
        continue
      }
      case 2: {
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x4 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x4 !== 0 && b[p]! !== 3) throw bad
        p += 5
        if (x4 < 0 || x4 > 1048576 || x4 > end - p) throw bad
        const x7: Array<number> = new Array(x4)
        for (let x5 = 0; x5 < x4; x5++) {
          let x6: number
          x6 = (b[p++]! << 24) >> 24
          x7[x5] = x6
        }
        m1 = x7
        continue
      }
      case 3: {
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x8 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x8 !== 0 && b[p]! !== 6) throw bad
        p += 5
        if (x8 < 0 || x8 > 1048576 || x8 * 2 > end - p) throw bad
        const x11: Array<number> = new Array(x8)
        for (let x9 = 0; x9 < x8; x9++) {
          let x10: number
          x10 = ((b[p]! << 24) >> 16) | b[p + 1]!
          p += 2
          x11[x9] = x10
        }
        m2 = x11
        continue
      }
      case 4: {
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x12 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x12 !== 0 && b[p]! !== 8) throw bad
        p += 5
        if (x12 < 0 || x12 > 1048576 || x12 * 4 > end - p) throw bad
        const x15: Array<number> = new Array(x12)
        for (let x13 = 0; x13 < x12; x13++) {
          let x14: number
          x14 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          x15[x13] = x14
        }
        m3 = x15
        continue
      }
      case 5: {
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x16 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x16 !== 0 && b[p]! !== 10) throw bad
        p += 5
        if (x16 < 0 || x16 > 1048576 || x16 * 8 > end - p) throw bad
        const x19: Array<bigint> = new Array(x16)
        for (let x17 = 0; x17 < x16; x17++) {
          let x18: bigint
          if (w === undefined) w = cursor.view = viewOf(b)
          x18 = w.getBigInt64(p)
          p += 8
          x19[x17] = x18
        }
        m4 = x19
        continue
      }
      case 6: {
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x20 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x20 !== 0 && b[p]! !== 4) throw bad
        p += 5
        if (x20 < 0 || x20 > 1048576 || x20 * 8 > end - p) throw bad
        const x23: Array<number> = new Array(x20)
        for (let x21 = 0; x21 < x20; x21++) {
          let x22: number
          if (w === undefined) w = cursor.view = viewOf(b)
          x22 = w.getFloat64(p)
          p += 8
          x23[x21] = x22
        }
        m5 = x23
        continue
      }
      case 7: {
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x24 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x24 !== 0 && b[p]! !== 11) throw bad
        p += 5
        if (x24 < 0 || x24 > 1048576 || x24 * 4 > end - p) throw bad
        const x27: Array<string> = new Array(x24)
        for (let x25 = 0; x25 < x24; x25++) {
          let x26: string
          if (end - p < 4) throw bad
          const x28 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x28 < 0 || x28 > end - p) throw bad
          x26 = readString(b, p, x28)
          p += x28
          x27[x25] = x26
        }
        m6 = x27
        continue
      }
      case 8: {
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x29 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x29 !== 0 && b[p]! !== 11) throw bad
        p += 5
        if (x29 < 0 || x29 > 1048576 || x29 * 4 > end - p) throw bad
        const x32: Array<Uint8Array> = new Array(x29)
        for (let x30 = 0; x30 < x29; x30++) {
          let x31: Uint8Array
          if (end - p < 4) throw bad
          const x33 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x33 < 0 || x33 > end - p) throw bad
          x31 = readBinary(b, p, x33)
          p += x33
          x32[x30] = x31
        }
        m7 = x32
        continue
      }
      case 9: {
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x34 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x34 !== 0 && b[p]! !== 8) throw bad
        p += 5
        if (x34 < 0 || x34 > 1048576 || x34 * 4 > end - p) throw bad
        const x37: Array<number> = new Array(x34)
        for (let x35 = 0; x35 < x34; x35++) {
          let x36: number
          x36 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          x37[x35] = x36
        }
        m8 = x37
        continue
      }
      case 10: {
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x38 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x38 !== 0 && b[p]! !== 12) throw bad
        p += 5
        if (x38 < 0 || x38 > 1048576 || x38 > end - p) throw bad
        const x41: Array<unknown> = new Array(x38)
        for (let x39 = 0; x39 < x38; x39++) {
          let x40: unknown
          x40 = decodePoint(b, p, end, d - 1)
          p = cursor.at
          x41[x39] = x40
        }
        m9 = x41
        continue
      }
      case 11: {
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x42 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x42 !== 0 && b[p]! !== 15) throw bad
        p += 5
        if (x42 < 0 || x42 > 1048576 || x42 * 5 > end - p) throw bad
        const x45: Array<Array<number>> = new Array(x42)
        for (let x43 = 0; x43 < x42; x43++) {
          let x44: Array<number>
          if (end - p < 5) throw bad
          const x46 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
          if (x46 !== 0 && b[p]! !== 8) throw bad
          p += 5
          if (x46 < 0 || x46 > 1048576 || x46 * 4 > end - p) throw bad
          const x49: Array<number> = new Array(x46)
          for (let x47 = 0; x47 < x46; x47++) {
            let x48: number
            x48 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
            p += 4
            x49[x47] = x48
          }
          x44 = x49
          x45[x43] = x44
        }
        m10 = x45
        continue
      }
      case 12: {
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x50 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x50 !== 0 && b[p]! !== 14) throw bad
        p += 5
        if (x50 < 0 || x50 > 1048576 || x50 * 5 > end - p) throw bad
        const x53: Array<Set<string>> = new Array(x50)
        for (let x51 = 0; x51 < x50; x51++) {
          let x52: Set<string>
          if (end - p < 5) throw bad
          const x54 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
          if (x54 !== 0 && b[p]! !== 11) throw bad
          p += 5
          if (x54 < 0 || x54 > 1048576 || x54 * 4 > end - p) throw bad
          const x57: Set<string> = new Set()
          for (let x55 = 0; x55 < x54; x55++) {
            let x56: string
            if (end - p < 4) throw bad
            const x58 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
            p += 4
            if (x58 < 0 || x58 > end - p) throw bad
            x56 = readString(b, p, x58)
            p += x58
            x57.add(x56)
          }
          x52 = x57
          x53[x51] = x52
        }
        m11 = x53
        continue
      }
      case 13: {
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x59 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x59 !== 0 && b[p]! !== 13) throw bad
        p += 5
        if (x59 < 0 || x59 > 1048576 || x59 * 6 > end - p) throw bad
        const x62: Array<Map<string, number>> = new Array(x59)
        for (let x60 = 0; x60 < x59; x60++) {
          let x61: Map<string, number>
          if (end - p < 6) throw bad
          const x63 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
          if (x63 !== 0 && (b[p]! !== 11 || b[p + 1]! !== 8)) throw bad
          p += 6
          if (x63 < 0 || x63 > 1048576 || x63 * 8 > end - p) throw bad
          const x67: Map<string, number> = new Map()
          for (let x64 = 0; x64 < x63; x64++) {
            let x65: string
            let x66: number
            if (end - p < 4) throw bad
            const x68 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
            p += 4
            if (x68 < 0 || x68 > end - p) throw bad
            x65 = readString(b, p, x68)
            p += x68
            if (end - p < 4) throw bad
            x66 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
            p += 4
            x67.set(x65, x66)
          }
          x61 = x67
          x62[x60] = x61
        }
        m12 = x62
        continue
      }
      case 14: {
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x69 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x69 !== 0 && b[p]! !== 12) throw bad
        p += 5
        if (x69 < 0 || x69 > 1048576 || x69 > end - p) throw bad
        const x72: Array<unknown> = new Array(x69)
        for (let x70 = 0; x70 < x69; x70++) {
          let x71: unknown
          x71 = decodePoint(b, p, end, d - 1)
          p = cursor.at
          x72[x70] = x71
        }
        m13 = x72
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  if (m0 === undefined) m0 = []
  if (m1 === undefined) m1 = []
  if (m2 === undefined) m2 = []
  if (m3 === undefined) m3 = []
  if (m4 === undefined) m4 = []
  if (m5 === undefined) m5 = []
  if (m6 === undefined) m6 = []
  if (m7 === undefined) m7 = []
  if (m8 === undefined) m8 = []
  if (m9 === undefined) m9 = []
  if (m10 === undefined) m10 = []
  if (m11 === undefined) m11 = []
  if (m12 === undefined) m12 = []
  if (m13 === undefined) m13 = []
  cursor.at = p
  return new MessageLists(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13)
}

const codecLists: Compiled = {
  shape: "qy6q3117p5tnx",
  encode: encodeLists,
  decode: decodeLists,
  bind(link) {
    MessageLists.prototype = link.prototype
  }
}

const MessageSets = function (
  this: any,
  m0: unknown,
  m1: unknown,
  m2: unknown,
  m3: unknown,
  m4: unknown,
  m5: unknown,
  m6: unknown,
  m7: unknown,
  m8: unknown,
  m9: unknown,
  m10: unknown
) {
  this.bools = m0
  this.bytes = m1
  this.i16s = m2
  this.i32s = m3
  this.i64s = m4
  this.doubles = m5
  this.strings = m6
  this.colors = m7
  this.points = m8
  this.lists = m9
  this.binaries = m10
} as unknown as Constructor

function encodeSets(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 89) {
    b = grow(out, p, 89)
    w = out.view
  }
  const x0 = v.bools
  w.setInt32(p, 234881280)
  p += 3
  if (!(x0 instanceof Set)) throw bad
  const x1 = x0.size
  b[p] = 2
  w.setInt32(p + 1, x1)
  p += 5
  if (b.length - p < x1 * 1 + 81) {
    b = grow(out, p, x1 * 1 + 81)
    w = out.view
  }
  for (const x2 of x0) {
    if (x2 === true) b[p++] = 1
    else if (x2 === false) b[p++] = 0
    else throw bad
  }
  const x3 = v.bytes
  w.setInt32(p, 234881536)
  p += 3
  if (!(x3 instanceof Set)) throw bad
  const x4 = x3.size
  b[p] = 3
  w.setInt32(p + 1, x4)
  p += 5
  if (b.length - p < x4 * 1 + 73) {
    b = grow(out, p, x4 * 1 + 73)
    w = out.view
  }
  for (const x5 of x3) {
    if ((x5 << 24) >> 24 !== x5) throw bad
    b[p++] = x5
  }
  const x6 = v.i16s
  w.setInt32(p, 234881792)
  p += 3
  if (!(x6 instanceof Set)) throw bad
  const x7 = x6.size
  b[p] = 6
  w.setInt32(p + 1, x7)
  p += 5
  if (b.length - p < x7 * 2 + 65) {
    b = grow(out, p, x7 * 2 + 65)
    w = out.view
  }
  for (const x8 of x6) {
    if ((x8 << 16) >> 16 !== x8) throw bad
    w.setInt16(p, x8)
    p += 2
  }
  const x9 = v.i32s
  w.setInt32(p, 234882048)
  p += 3
  if (!(x9 instanceof Set)) throw bad
  const x10 = x9.size
  b[p] = 8
  w.setInt32(p + 1, x10)
  p += 5
  if (b.length - p < x10 * 4 + 57) {
    b = grow(out, p, x10 * 4 + 57)
    w = out.view
  }
  for (const x11 of x9) {
    if ((x11 | 0) !== x11) throw bad
    w.setInt32(p, x11)
    p += 4
  }
  const x12 = v.i64s
  w.setInt32(p, 234882304)
  p += 3
  if (!(x12 instanceof Set)) throw bad
  const x13 = x12.size
  b[p] = 10
  w.setInt32(p + 1, x13)
  p += 5
  if (b.length - p < x13 * 8 + 49) {
    b = grow(out, p, x13 * 8 + 49)
    w = out.view
  }
  for (const x14 of x12) {
    if (typeof x14 !== "bigint" || BigInt.asIntN(64, x14) !== x14) throw bad
    w.setBigInt64(p, x14)
    p += 8
  }
  const x15 = v.doubles
  w.setInt32(p, 234882560)
  p += 3
  if (!(x15 instanceof Set)) throw bad
  const x16 = x15.size
  b[p] = 4
  w.setInt32(p + 1, x16)
  p += 5
  if (b.length - p < x16 * 8 + 41) {
    b = grow(out, p, x16 * 8 + 41)
    w = out.view
  }
  for (const x17 of x15) {
    if (typeof x17 !== "number") throw bad
    w.setFloat64(p, x17)
    p += 8
  }
  const x18 = v.strings
  w.setInt32(p, 234882816)
  p += 3
  if (!(x18 instanceof Set)) throw bad
  const x19 = x18.size
  b[p] = 11
  w.setInt32(p + 1, x19)
  p += 5
  for (const x20 of x18) {
    if (typeof x20 !== "string") throw bad
    if (b.length - p < x20.length * 3 + 4) {
      b = growString(out, p, x20, 4)
      w = out.view
    }
    p = writeString(b, w, p, x20)
  }
  if (b.length - p < 33) {
    b = grow(out, p, 33)
    w = out.view
  }
  const x21 = v.colors
  w.setInt32(p, 234883072)
  p += 3
  if (!(x21 instanceof Set)) throw bad
  const x22 = x21.size
  b[p] = 8
  w.setInt32(p + 1, x22)
  p += 5
  if (b.length - p < x22 * 4 + 25) {
    b = grow(out, p, x22 * 4 + 25)
    w = out.view
  }
  for (const x23 of x21) {
    if ((x23 | 0) !== x23) throw bad
    w.setInt32(p, x23)
    p += 4
  }
  const x24 = v.points
  w.setInt32(p, 234883328)
  p += 3
  if (!Array.isArray(x24)) throw bad
  const x25 = x24.length
  b[p] = 12
  w.setInt32(p + 1, x25)
  p += 5
  for (let x27 = 0; x27 < x25; x27++) {
    const x26 = x24[x27]
    p = encodePoint(x26, out, p, d - 1)
    b = out.buffer
    w = out.view
  }
  if (b.length - p < 17) {
    b = grow(out, p, 17)
    w = out.view
  }
  const x28 = v.lists
  w.setInt32(p, 234883584)
  p += 3
  if (!Array.isArray(x28)) throw bad
  const x29 = x28.length
  b[p] = 15
  w.setInt32(p + 1, x29)
  p += 5
  for (let x31 = 0; x31 < x29; x31++) {
    const x30 = x28[x31]
    if (b.length - p < 14) {
      b = grow(out, p, 14)
      w = out.view
    }
    if (!Array.isArray(x30)) throw bad
    const x32 = x30.length
    b[p] = 8
    w.setInt32(p + 1, x32)
    p += 5
    if (b.length - p < x32 * 4 + 9) {
      b = grow(out, p, x32 * 4 + 9)
      w = out.view
    }
    for (let x34 = 0; x34 < x32; x34++) {
      const x33 = x30[x34]
      if ((x33 | 0) !== x33) throw bad
      w.setInt32(p, x33)
      p += 4
    }
  }
  if (b.length - p < 9) {
    b = grow(out, p, 9)
    w = out.view
  }
  const x35 = v.binaries
  w.setInt32(p, 234883840)
  p += 3
  if (!Array.isArray(x35)) throw bad
  const x36 = x35.length
  b[p] = 11
  w.setInt32(p + 1, x36)
  p += 5
  for (let x38 = 0; x38 < x36; x38++) {
    const x37 = x35[x38]
    if (b.length - p < 5) {
      b = grow(out, p, 5)
      w = out.view
    }
    if (!(x37 instanceof Uint8Array)) throw bad
    if (x37.length < 4096) {
      if (b.length - p < x37.length + 5) {
        b = grow(out, p, x37.length + 5)
        w = out.view
      }
    }
    p = writeBinary(out, b, w, p, x37)
  }
  if (b.length - p < 1) {
    b = grow(out, p, 1)
    w = out.view
  }
  b[p++] = 0
  return p
}

function decodeSets(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let w = cursor.view
  let m0: Set<boolean> | undefined
  let m1: Set<number> | undefined
  let m2: Set<number> | undefined
  let m3: Set<number> | undefined
  let m4: Set<bigint> | undefined
  let m5: Set<number> | undefined
  let m6: Set<string> | undefined
  let m7: Set<number> | undefined
  let m8: Array<unknown> | undefined
  let m9: Array<Array<number>> | undefined
  let m10: Array<Uint8Array> | undefined
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
        if (t !== 14) break
        if (end - p < 5) throw bad
        const x0 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x0 !== 0 && b[p]! !== 2) throw bad
        p += 5
        if (x0 < 0 || x0 > 1048576 || x0 > end - p) throw bad
        const x3: Set<boolean> = new Set()
        for (let x1 = 0; x1 < x0; x1++) {
          let x2: boolean
          x2 = b[p++] === 1
          x3.add(x2)
        }
        m0 = x3
        continue
      }
      case 2: {
        if (t !== 14) break
        if (end - p < 5) throw bad
        const x4 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x4 !== 0 && b[p]! !== 3) throw bad
        p += 5
        if (x4 < 0 || x4 > 1048576 || x4 > end - p) throw bad
        const x7: Set<number> = new Set()
        for (let x5 = 0; x5 < x4; x5++) {
          let x6: number
          x6 = (b[p++]! << 24) >> 24
          x7.add(x6)
        }
        m1 = x7
        continue
      }
      case 3: {
        if (t !== 14) break
        if (end - p < 5) throw bad
        const x8 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x8 !== 0 && b[p]! !== 6) throw bad
        p += 5
        if (x8 < 0 || x8 > 1048576 || x8 * 2 > end - p) throw bad
        const x11: Set<number> = new Set()
        for (let x9 = 0; x9 < x8; x9++) {
          let x10: number
          x10 = ((b[p]! << 24) >> 16) | b[p + 1]!
          p += 2
          x11.add(x10)
        }
        m2 = x11
        continue
      }
      case 4: {
        if (t !== 14) break
        if (end - p < 5) throw bad
        const x12 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x12 !== 0 && b[p]! !== 8) throw bad
        p += 5
        if (x12 < 0 || x12 > 1048576 || x12 * 4 > end - p) throw bad
        const x15: Set<number> = new Set()
        for (let x13 = 0; x13 < x12; x13++) {
          let x14: number
          x14 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          x15.add(x14)
        }
        m3 = x15
        continue
      }
      case 5: {
        if (t !== 14) break
        if (end - p < 5) throw bad
        const x16 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x16 !== 0 && b[p]! !== 10) throw bad
        p += 5
        if (x16 < 0 || x16 > 1048576 || x16 * 8 > end - p) throw bad
        const x19: Set<bigint> = new Set()
        for (let x17 = 0; x17 < x16; x17++) {
          let x18: bigint
          if (w === undefined) w = cursor.view = viewOf(b)
          x18 = w.getBigInt64(p)
          p += 8
          x19.add(x18)
        }
        m4 = x19
        continue
      }
      case 6: {
        if (t !== 14) break
        if (end - p < 5) throw bad
        const x20 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x20 !== 0 && b[p]! !== 4) throw bad
        p += 5
        if (x20 < 0 || x20 > 1048576 || x20 * 8 > end - p) throw bad
        const x23: Set<number> = new Set()
        for (let x21 = 0; x21 < x20; x21++) {
          let x22: number
          if (w === undefined) w = cursor.view = viewOf(b)
          x22 = w.getFloat64(p)
          p += 8
          x23.add(x22)
        }
        m5 = x23
        continue
      }
      case 7: {
        if (t !== 14) break
        if (end - p < 5) throw bad
        const x24 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x24 !== 0 && b[p]! !== 11) throw bad
        p += 5
        if (x24 < 0 || x24 > 1048576 || x24 * 4 > end - p) throw bad
        const x27: Set<string> = new Set()
        for (let x25 = 0; x25 < x24; x25++) {
          let x26: string
          if (end - p < 4) throw bad
          const x28 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x28 < 0 || x28 > end - p) throw bad
          x26 = readString(b, p, x28)
          p += x28
          x27.add(x26)
        }
        m6 = x27
        continue
      }
      case 8: {
        if (t !== 14) break
        if (end - p < 5) throw bad
        const x29 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x29 !== 0 && b[p]! !== 8) throw bad
        p += 5
        if (x29 < 0 || x29 > 1048576 || x29 * 4 > end - p) throw bad
        const x32: Set<number> = new Set()
        for (let x30 = 0; x30 < x29; x30++) {
          let x31: number
          x31 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          x32.add(x31)
        }
        m7 = x32
        continue
      }
      case 9: {
        if (t !== 14) break
        if (end - p < 5) throw bad
        const x33 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x33 !== 0 && b[p]! !== 12) throw bad
        p += 5
        if (x33 < 0 || x33 > 1048576 || x33 > end - p) throw bad
        const x36: Array<unknown> = new Array(x33)
        for (let x34 = 0; x34 < x33; x34++) {
          let x35: unknown
          x35 = decodePoint(b, p, end, d - 1)
          p = cursor.at
          x36[x34] = x35
        }
        m8 = x36
        continue
      }
      case 10: {
        if (t !== 14) break
        if (end - p < 5) throw bad
        const x37 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x37 !== 0 && b[p]! !== 15) throw bad
        p += 5
        if (x37 < 0 || x37 > 1048576 || x37 * 5 > end - p) throw bad
        const x40: Array<Array<number>> = new Array(x37)
        for (let x38 = 0; x38 < x37; x38++) {
          let x39: Array<number>
          if (end - p < 5) throw bad
          const x41 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
          if (x41 !== 0 && b[p]! !== 8) throw bad
          p += 5
          if (x41 < 0 || x41 > 1048576 || x41 * 4 > end - p) throw bad
          const x44: Array<number> = new Array(x41)
          for (let x42 = 0; x42 < x41; x42++) {
            let x43: number
            x43 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
            p += 4
            x44[x42] = x43
          }
          x39 = x44
          x40[x38] = x39
        }
        m9 = x40
        continue
      }
      case 11: {
        if (t !== 14) break
        if (end - p < 5) throw bad
        const x45 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x45 !== 0 && b[p]! !== 11) throw bad
        p += 5
        if (x45 < 0 || x45 > 1048576 || x45 * 4 > end - p) throw bad
        const x48: Array<Uint8Array> = new Array(x45)
        for (let x46 = 0; x46 < x45; x46++) {
          let x47: Uint8Array
          if (end - p < 4) throw bad
          const x49 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x49 < 0 || x49 > end - p) throw bad
          x47 = readBinary(b, p, x49)
          p += x49
          x48[x46] = x47
        }
        m10 = x48
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  if (m0 === undefined) m0 = new Set()
  if (m1 === undefined) m1 = new Set()
  if (m2 === undefined) m2 = new Set()
  if (m3 === undefined) m3 = new Set()
  if (m4 === undefined) m4 = new Set()
  if (m5 === undefined) m5 = new Set()
  if (m6 === undefined) m6 = new Set()
  if (m7 === undefined) m7 = new Set()
  if (m8 === undefined) m8 = []
  if (m9 === undefined) m9 = []
  if (m10 === undefined) m10 = []
  cursor.at = p
  return new MessageSets(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10)
}

const codecSets: Compiled = {
  shape: "10liwx11djwemn",
  encode: encodeSets,
  decode: decodeSets,
  bind(link) {
    MessageSets.prototype = link.prototype
  }
}

const MessageMaps = function (
  this: any,
  m0: unknown,
  m1: unknown,
  m2: unknown,
  m3: unknown,
  m4: unknown,
  m5: unknown,
  m6: unknown,
  m7: unknown,
  m8: unknown,
  m9: unknown,
  m10: unknown,
  m11: unknown,
  m12: unknown,
  m13: unknown,
  m14: unknown,
  m15: unknown,
  m16: unknown,
  m17: unknown,
  m18: unknown
) {
  this.boolKey = m0
  this.byteKey = m1
  this.i16Key = m2
  this.i32Key = m3
  this.i64Key = m4
  this.doubleKey = m5
  this.stringKey = m6
  this.enumKey = m7
  this.structValue = m8
  this.listValue = m9
  this.mapValue = m10
  this.setValue = m11
  this.binaryValue = m12
  this.boolValue = m13
  this.enumValue = m14
  this.doubleValue = m15
  this.times = m16
  this.structKey = m17
  this.binaryKey = m18
} as unknown as Constructor

function encodeMaps(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 172) {
    b = grow(out, p, 172)
    w = out.view
  }
  const x0 = v.boolKey
  w.setInt32(p, 218104064)
  p += 3
  if (!(x0 instanceof Map)) throw bad
  const x1 = x0.size
  b[p] = 2
  b[p + 1] = 11
  w.setInt32(p + 2, x1)
  p += 6
  for (const [x2, x3] of x0) {
    if (b.length - p < 170) {
      b = grow(out, p, 170)
      w = out.view
    }
    if (x2 === true) b[p++] = 1
    else if (x2 === false) b[p++] = 0
    else throw bad
    if (typeof x3 !== "string") throw bad
    if (b.length - p < x3.length * 3 + 167) {
      b = growString(out, p, x3, 167)
      w = out.view
    }
    p = writeString(b, w, p, x3)
  }
  if (b.length - p < 163) {
    b = grow(out, p, 163)
    w = out.view
  }
  const x4 = v.byteKey
  w.setInt32(p, 218104320)
  p += 3
  if (!(x4 instanceof Map)) throw bad
  const x5 = x4.size
  b[p] = 3
  b[p + 1] = 11
  w.setInt32(p + 2, x5)
  p += 6
  for (const [x6, x7] of x4) {
    if (b.length - p < 161) {
      b = grow(out, p, 161)
      w = out.view
    }
    if ((x6 << 24) >> 24 !== x6) throw bad
    b[p++] = x6
    if (typeof x7 !== "string") throw bad
    if (b.length - p < x7.length * 3 + 158) {
      b = growString(out, p, x7, 158)
      w = out.view
    }
    p = writeString(b, w, p, x7)
  }
  if (b.length - p < 154) {
    b = grow(out, p, 154)
    w = out.view
  }
  const x8 = v.i16Key
  w.setInt32(p, 218104576)
  p += 3
  if (!(x8 instanceof Map)) throw bad
  const x9 = x8.size
  b[p] = 6
  b[p + 1] = 11
  w.setInt32(p + 2, x9)
  p += 6
  for (const [x10, x11] of x8) {
    if (b.length - p < 153) {
      b = grow(out, p, 153)
      w = out.view
    }
    if ((x10 << 16) >> 16 !== x10) throw bad
    w.setInt16(p, x10)
    p += 2
    if (typeof x11 !== "string") throw bad
    if (b.length - p < x11.length * 3 + 149) {
      b = growString(out, p, x11, 149)
      w = out.view
    }
    p = writeString(b, w, p, x11)
  }
  if (b.length - p < 145) {
    b = grow(out, p, 145)
    w = out.view
  }
  const x12 = v.i32Key
  w.setInt32(p, 218104832)
  p += 3
  if (!(x12 instanceof Map)) throw bad
  const x13 = x12.size
  b[p] = 8
  b[p + 1] = 11
  w.setInt32(p + 2, x13)
  p += 6
  for (const [x14, x15] of x12) {
    if (b.length - p < 146) {
      b = grow(out, p, 146)
      w = out.view
    }
    if ((x14 | 0) !== x14) throw bad
    w.setInt32(p, x14)
    p += 4
    if (typeof x15 !== "string") throw bad
    if (b.length - p < x15.length * 3 + 140) {
      b = growString(out, p, x15, 140)
      w = out.view
    }
    p = writeString(b, w, p, x15)
  }
  if (b.length - p < 136) {
    b = grow(out, p, 136)
    w = out.view
  }
  const x16 = v.i64Key
  w.setInt32(p, 218105088)
  p += 3
  if (!(x16 instanceof Map)) throw bad
  const x17 = x16.size
  b[p] = 10
  b[p + 1] = 11
  w.setInt32(p + 2, x17)
  p += 6
  for (const [x18, x19] of x16) {
    if (b.length - p < 141) {
      b = grow(out, p, 141)
      w = out.view
    }
    if (typeof x18 !== "bigint" || BigInt.asIntN(64, x18) !== x18) throw bad
    w.setBigInt64(p, x18)
    p += 8
    if (typeof x19 !== "string") throw bad
    if (b.length - p < x19.length * 3 + 131) {
      b = growString(out, p, x19, 131)
      w = out.view
    }
    p = writeString(b, w, p, x19)
  }
  if (b.length - p < 127) {
    b = grow(out, p, 127)
    w = out.view
  }
  const x20 = v.doubleKey
  w.setInt32(p, 218105344)
  p += 3
  if (!(x20 instanceof Map)) throw bad
  const x21 = x20.size
  b[p] = 4
  b[p + 1] = 11
  w.setInt32(p + 2, x21)
  p += 6
  for (const [x22, x23] of x20) {
    if (b.length - p < 132) {
      b = grow(out, p, 132)
      w = out.view
    }
    if (typeof x22 !== "number") throw bad
    w.setFloat64(p, x22)
    p += 8
    if (typeof x23 !== "string") throw bad
    if (b.length - p < x23.length * 3 + 122) {
      b = growString(out, p, x23, 122)
      w = out.view
    }
    p = writeString(b, w, p, x23)
  }
  if (b.length - p < 118) {
    b = grow(out, p, 118)
    w = out.view
  }
  const x24 = v.stringKey
  w.setInt32(p, 218105600)
  p += 3
  if (!(x24 instanceof Map)) throw bad
  const x25 = x24.size
  b[p] = 11
  b[p + 1] = 11
  w.setInt32(p + 2, x25)
  p += 6
  for (const [x26, x27] of x24) {
    if (b.length - p < 119) {
      b = grow(out, p, 119)
      w = out.view
    }
    if (typeof x26 !== "string") throw bad
    if (b.length - p < x26.length * 3 + 118) {
      b = growString(out, p, x26, 118)
      w = out.view
    }
    p = writeString(b, w, p, x26)
    if (typeof x27 !== "string") throw bad
    if (b.length - p < x27.length * 3 + 113) {
      b = growString(out, p, x27, 113)
      w = out.view
    }
    p = writeString(b, w, p, x27)
  }
  if (b.length - p < 109) {
    b = grow(out, p, 109)
    w = out.view
  }
  const x28 = v.enumKey
  w.setInt32(p, 218105856)
  p += 3
  if (!(x28 instanceof Map)) throw bad
  const x29 = x28.size
  b[p] = 8
  b[p + 1] = 11
  w.setInt32(p + 2, x29)
  p += 6
  for (const [x30, x31] of x28) {
    if (b.length - p < 110) {
      b = grow(out, p, 110)
      w = out.view
    }
    if ((x30 | 0) !== x30) throw bad
    w.setInt32(p, x30)
    p += 4
    if (typeof x31 !== "string") throw bad
    if (b.length - p < x31.length * 3 + 104) {
      b = growString(out, p, x31, 104)
      w = out.view
    }
    p = writeString(b, w, p, x31)
  }
  if (b.length - p < 100) {
    b = grow(out, p, 100)
    w = out.view
  }
  const x32 = v.structValue
  w.setInt32(p, 218106112)
  p += 3
  if (!(x32 instanceof Map)) throw bad
  const x33 = x32.size
  b[p] = 11
  b[p + 1] = 12
  w.setInt32(p + 2, x33)
  p += 6
  for (const [x34, x35] of x32) {
    if (b.length - p < 97) {
      b = grow(out, p, 97)
      w = out.view
    }
    if (typeof x34 !== "string") throw bad
    if (b.length - p < x34.length * 3 + 96) {
      b = growString(out, p, x34, 96)
      w = out.view
    }
    p = writeString(b, w, p, x34)
    p = encodePoint(x35, out, p, d - 1)
    b = out.buffer
    w = out.view
    if (b.length - p < 91) {
      b = grow(out, p, 91)
      w = out.view
    }
  }
  if (b.length - p < 91) {
    b = grow(out, p, 91)
    w = out.view
  }
  const x36 = v.listValue
  w.setInt32(p, 218106368)
  p += 3
  if (!(x36 instanceof Map)) throw bad
  const x37 = x36.size
  b[p] = 11
  b[p + 1] = 15
  w.setInt32(p + 2, x37)
  p += 6
  for (const [x38, x39] of x36) {
    if (b.length - p < 93) {
      b = grow(out, p, 93)
      w = out.view
    }
    if (typeof x38 !== "string") throw bad
    if (b.length - p < x38.length * 3 + 92) {
      b = growString(out, p, x38, 92)
      w = out.view
    }
    p = writeString(b, w, p, x38)
    if (!Array.isArray(x39)) throw bad
    const x40 = x39.length
    b[p] = 8
    w.setInt32(p + 1, x40)
    p += 5
    if (b.length - p < x40 * 4 + 82) {
      b = grow(out, p, x40 * 4 + 82)
      w = out.view
    }
    for (let x42 = 0; x42 < x40; x42++) {
      const x41 = x39[x42]
      if ((x41 | 0) !== x41) throw bad
      w.setInt32(p, x41)
      p += 4
    }
  }
  if (b.length - p < 82) {
    b = grow(out, p, 82)
    w = out.view
  }
  const x43 = v.mapValue
  w.setInt32(p, 218106624)
  p += 3
  if (!(x43 instanceof Map)) throw bad
  const x44 = x43.size
  b[p] = 11
  b[p + 1] = 13
  w.setInt32(p + 2, x44)
  p += 6
  for (const [x45, x46] of x43) {
    if (b.length - p < 85) {
      b = grow(out, p, 85)
      w = out.view
    }
    if (typeof x45 !== "string") throw bad
    if (b.length - p < x45.length * 3 + 84) {
      b = growString(out, p, x45, 84)
      w = out.view
    }
    p = writeString(b, w, p, x45)
    if (!(x46 instanceof Map)) throw bad
    const x47 = x46.size
    b[p] = 11
    b[p + 1] = 10
    w.setInt32(p + 2, x47)
    p += 6
    for (const [x48, x49] of x46) {
      if (b.length - p < 87) {
        b = grow(out, p, 87)
        w = out.view
      }
      if (typeof x48 !== "string") throw bad
      if (b.length - p < x48.length * 3 + 86) {
        b = growString(out, p, x48, 86)
        w = out.view
      }
      p = writeString(b, w, p, x48)
      if (typeof x49 !== "bigint" || BigInt.asIntN(64, x49) !== x49) throw bad
      w.setBigInt64(p, x49)
      p += 8
    }
    if (b.length - p < 73) {
      b = grow(out, p, 73)
      w = out.view
    }
  }
  if (b.length - p < 73) {
    b = grow(out, p, 73)
    w = out.view
  }
  const x50 = v.setValue
  w.setInt32(p, 218106880)
  p += 3
  if (!(x50 instanceof Map)) throw bad
  const x51 = x50.size
  b[p] = 8
  b[p + 1] = 14
  w.setInt32(p + 2, x51)
  p += 6
  for (const [x52, x53] of x50) {
    if (b.length - p < 75) {
      b = grow(out, p, 75)
      w = out.view
    }
    if ((x52 | 0) !== x52) throw bad
    w.setInt32(p, x52)
    p += 4
    if (!(x53 instanceof Set)) throw bad
    const x54 = x53.size
    b[p] = 11
    w.setInt32(p + 1, x54)
    p += 5
    for (const x55 of x53) {
      if (typeof x55 !== "string") throw bad
      if (b.length - p < x55.length * 3 + 4) {
        b = growString(out, p, x55, 4)
        w = out.view
      }
      p = writeString(b, w, p, x55)
    }
    if (b.length - p < 64) {
      b = grow(out, p, 64)
      w = out.view
    }
  }
  if (b.length - p < 64) {
    b = grow(out, p, 64)
    w = out.view
  }
  const x56 = v.binaryValue
  w.setInt32(p, 218107136)
  p += 3
  if (!(x56 instanceof Map)) throw bad
  const x57 = x56.size
  b[p] = 11
  b[p + 1] = 11
  w.setInt32(p + 2, x57)
  p += 6
  for (const [x58, x59] of x56) {
    if (b.length - p < 65) {
      b = grow(out, p, 65)
      w = out.view
    }
    if (typeof x58 !== "string") throw bad
    if (b.length - p < x58.length * 3 + 64) {
      b = growString(out, p, x58, 64)
      w = out.view
    }
    p = writeString(b, w, p, x58)
    if (!(x59 instanceof Uint8Array)) throw bad
    if (x59.length < 4096) {
      if (b.length - p < x59.length + 59) {
        b = grow(out, p, x59.length + 59)
        w = out.view
      }
    }
    p = writeBinary(out, b, w, p, x59)
  }
  if (b.length - p < 55) {
    b = grow(out, p, 55)
    w = out.view
  }
  const x60 = v.boolValue
  w.setInt32(p, 218107392)
  p += 3
  if (!(x60 instanceof Map)) throw bad
  const x61 = x60.size
  b[p] = 11
  b[p + 1] = 2
  w.setInt32(p + 2, x61)
  p += 6
  for (const [x62, x63] of x60) {
    if (b.length - p < 53) {
      b = grow(out, p, 53)
      w = out.view
    }
    if (typeof x62 !== "string") throw bad
    if (b.length - p < x62.length * 3 + 52) {
      b = growString(out, p, x62, 52)
      w = out.view
    }
    p = writeString(b, w, p, x62)
    if (x63 === true) b[p++] = 1
    else if (x63 === false) b[p++] = 0
    else throw bad
  }
  if (b.length - p < 46) {
    b = grow(out, p, 46)
    w = out.view
  }
  const x64 = v.enumValue
  w.setInt32(p, 218107648)
  p += 3
  if (!(x64 instanceof Map)) throw bad
  const x65 = x64.size
  b[p] = 11
  b[p + 1] = 8
  w.setInt32(p + 2, x65)
  p += 6
  for (const [x66, x67] of x64) {
    if (b.length - p < 47) {
      b = grow(out, p, 47)
      w = out.view
    }
    if (typeof x66 !== "string") throw bad
    if (b.length - p < x66.length * 3 + 46) {
      b = growString(out, p, x66, 46)
      w = out.view
    }
    p = writeString(b, w, p, x66)
    if ((x67 | 0) !== x67) throw bad
    w.setInt32(p, x67)
    p += 4
  }
  if (b.length - p < 37) {
    b = grow(out, p, 37)
    w = out.view
  }
  const x68 = v.doubleValue
  w.setInt32(p, 218107904)
  p += 3
  if (!(x68 instanceof Map)) throw bad
  const x69 = x68.size
  b[p] = 11
  b[p + 1] = 4
  w.setInt32(p + 2, x69)
  p += 6
  for (const [x70, x71] of x68) {
    if (b.length - p < 42) {
      b = grow(out, p, 42)
      w = out.view
    }
    if (typeof x70 !== "string") throw bad
    if (b.length - p < x70.length * 3 + 41) {
      b = growString(out, p, x70, 41)
      w = out.view
    }
    p = writeString(b, w, p, x70)
    if (typeof x71 !== "number") throw bad
    w.setFloat64(p, x71)
    p += 8
  }
  if (b.length - p < 28) {
    b = grow(out, p, 28)
    w = out.view
  }
  const x72 = v.times
  w.setInt32(p, 218108160)
  p += 3
  if (!(x72 instanceof Map)) throw bad
  const x73 = x72.size
  b[p] = 11
  b[p + 1] = 10
  w.setInt32(p + 2, x73)
  p += 6
  for (const [x74, x75] of x72) {
    if (b.length - p < 33) {
      b = grow(out, p, 33)
      w = out.view
    }
    if (typeof x74 !== "string") throw bad
    if (b.length - p < x74.length * 3 + 32) {
      b = growString(out, p, x74, 32)
      w = out.view
    }
    p = writeString(b, w, p, x74)
    if (typeof x75 !== "bigint" || BigInt.asIntN(64, x75) !== x75) throw bad
    w.setBigInt64(p, x75)
    p += 8
  }
  if (b.length - p < 19) {
    b = grow(out, p, 19)
    w = out.view
  }
  const x76 = v.structKey
  w.setInt32(p, 218108416)
  p += 3
  if (!Array.isArray(x76)) throw bad
  const x77 = x76.length
  b[p] = 12
  b[p + 1] = 11
  w.setInt32(p + 2, x77)
  p += 6
  for (const x80 of x76) {
    if (!Array.isArray(x80) || x80.length !== 2) throw bad
    const x78 = x80[0]
    const x79 = x80[1]
    if (b.length - p < 16) {
      b = grow(out, p, 16)
      w = out.view
    }
    p = encodePoint(x78, out, p, d - 1)
    b = out.buffer
    w = out.view
    if (b.length - p < 15) {
      b = grow(out, p, 15)
      w = out.view
    }
    if (typeof x79 !== "string") throw bad
    if (b.length - p < x79.length * 3 + 14) {
      b = growString(out, p, x79, 14)
      w = out.view
    }
    p = writeString(b, w, p, x79)
  }
  if (b.length - p < 10) {
    b = grow(out, p, 10)
    w = out.view
  }
  const x81 = v.binaryKey
  w.setInt32(p, 218108672)
  p += 3
  if (!Array.isArray(x81)) throw bad
  const x82 = x81.length
  b[p] = 11
  b[p + 1] = 11
  w.setInt32(p + 2, x82)
  p += 6
  for (const x85 of x81) {
    if (!Array.isArray(x85) || x85.length !== 2) throw bad
    const x83 = x85[0]
    const x84 = x85[1]
    if (b.length - p < 11) {
      b = grow(out, p, 11)
      w = out.view
    }
    if (!(x83 instanceof Uint8Array)) throw bad
    if (x83.length < 4096) {
      if (b.length - p < x83.length + 10) {
        b = grow(out, p, x83.length + 10)
        w = out.view
      }
    }
    p = writeBinary(out, b, w, p, x83)
    if (typeof x84 !== "string") throw bad
    if (b.length - p < x84.length * 3 + 5) {
      b = growString(out, p, x84, 5)
      w = out.view
    }
    p = writeString(b, w, p, x84)
  }
  if (b.length - p < 1) {
    b = grow(out, p, 1)
    w = out.view
  }
  b[p++] = 0
  return p
}

function decodeMaps(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let w = cursor.view
  let m0: Map<boolean, string> | undefined
  let m1: Map<number, string> | undefined
  let m2: Map<number, string> | undefined
  let m3: Map<number, string> | undefined
  let m4: Map<bigint, string> | undefined
  let m5: Map<number, string> | undefined
  let m6: Map<string, string> | undefined
  let m7: Map<number, string> | undefined
  let m8: Map<string, unknown> | undefined
  let m9: Map<string, Array<number>> | undefined
  let m10: Map<string, Map<string, bigint>> | undefined
  let m11: Map<number, Set<string>> | undefined
  let m12: Map<string, Uint8Array> | undefined
  let m13: Map<string, boolean> | undefined
  let m14: Map<string, number> | undefined
  let m15: Map<string, number> | undefined
  let m16: Map<string, bigint> | undefined
  let m17: Array<[unknown, string]> | undefined
  let m18: Array<[Uint8Array, string]> | undefined
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
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x0 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x0 !== 0 && (b[p]! !== 2 || b[p + 1]! !== 11)) throw bad
        p += 6
        if (x0 < 0 || x0 > 1048576 || x0 * 5 > end - p) throw bad
        const x4: Map<boolean, string> = new Map()
        for (let x1 = 0; x1 < x0; x1++) {
          let x2: boolean
          let x3: string
          if (end - p < 1) throw bad
          x2 = b[p++] === 1
          if (end - p < 4) throw bad
          const x5 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x5 < 0 || x5 > end - p) throw bad
          x3 = readString(b, p, x5)
          p += x5
          x4.set(x2, x3)
        }
        m0 = x4
        continue
      }
      case 2: {
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x6 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x6 !== 0 && (b[p]! !== 3 || b[p + 1]! !== 11)) throw bad
        p += 6
        if (x6 < 0 || x6 > 1048576 || x6 * 5 > end - p) throw bad
        const x10: Map<number, string> = new Map()
        for (let x7 = 0; x7 < x6; x7++) {
          let x8: number
          let x9: string
          if (end - p < 1) throw bad
          x8 = (b[p++]! << 24) >> 24
          if (end - p < 4) throw bad
          const x11 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x11 < 0 || x11 > end - p) throw bad
          x9 = readString(b, p, x11)
          p += x11
          x10.set(x8, x9)
        }
        m1 = x10
        continue
      }
      case 3: {
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x12 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x12 !== 0 && (b[p]! !== 6 || b[p + 1]! !== 11)) throw bad
        p += 6
        if (x12 < 0 || x12 > 1048576 || x12 * 6 > end - p) throw bad
        const x16: Map<number, string> = new Map()
        for (let x13 = 0; x13 < x12; x13++) {
          let x14: number
          let x15: string
          if (end - p < 2) throw bad
          x14 = ((b[p]! << 24) >> 16) | b[p + 1]!
          p += 2
          if (end - p < 4) throw bad
          const x17 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x17 < 0 || x17 > end - p) throw bad
          x15 = readString(b, p, x17)
          p += x17
          x16.set(x14, x15)
        }
        m2 = x16
        continue
      }
      case 4: {
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x18 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x18 !== 0 && (b[p]! !== 8 || b[p + 1]! !== 11)) throw bad
        p += 6
        if (x18 < 0 || x18 > 1048576 || x18 * 8 > end - p) throw bad
        const x22: Map<number, string> = new Map()
        for (let x19 = 0; x19 < x18; x19++) {
          let x20: number
          let x21: string
          if (end - p < 4) throw bad
          x20 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (end - p < 4) throw bad
          const x23 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x23 < 0 || x23 > end - p) throw bad
          x21 = readString(b, p, x23)
          p += x23
          x22.set(x20, x21)
        }
        m3 = x22
        continue
      }
      case 5: {
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x24 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x24 !== 0 && (b[p]! !== 10 || b[p + 1]! !== 11)) throw bad
        p += 6
        if (x24 < 0 || x24 > 1048576 || x24 * 12 > end - p) throw bad
        const x28: Map<bigint, string> = new Map()
        for (let x25 = 0; x25 < x24; x25++) {
          let x26: bigint
          let x27: string
          if (end - p < 8) throw bad
          if (w === undefined) w = cursor.view = viewOf(b)
          x26 = w.getBigInt64(p)
          p += 8
          if (end - p < 4) throw bad
          const x29 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x29 < 0 || x29 > end - p) throw bad
          x27 = readString(b, p, x29)
          p += x29
          x28.set(x26, x27)
        }
        m4 = x28
        continue
      }
      case 6: {
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x30 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x30 !== 0 && (b[p]! !== 4 || b[p + 1]! !== 11)) throw bad
        p += 6
        if (x30 < 0 || x30 > 1048576 || x30 * 12 > end - p) throw bad
        const x34: Map<number, string> = new Map()
        for (let x31 = 0; x31 < x30; x31++) {
          let x32: number
          let x33: string
          if (end - p < 8) throw bad
          if (w === undefined) w = cursor.view = viewOf(b)
          x32 = w.getFloat64(p)
          p += 8
          if (end - p < 4) throw bad
          const x35 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x35 < 0 || x35 > end - p) throw bad
          x33 = readString(b, p, x35)
          p += x35
          x34.set(x32, x33)
        }
        m5 = x34
        continue
      }
      case 7: {
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x36 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x36 !== 0 && (b[p]! !== 11 || b[p + 1]! !== 11)) throw bad
        p += 6
        if (x36 < 0 || x36 > 1048576 || x36 * 8 > end - p) throw bad
        const x40: Map<string, string> = new Map()
        for (let x37 = 0; x37 < x36; x37++) {
          let x38: string
          let x39: string
          if (end - p < 4) throw bad
          const x41 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x41 < 0 || x41 > end - p) throw bad
          x38 = readString(b, p, x41)
          p += x41
          if (end - p < 4) throw bad
          const x42 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x42 < 0 || x42 > end - p) throw bad
          x39 = readString(b, p, x42)
          p += x42
          x40.set(x38, x39)
        }
        m6 = x40
        continue
      }
      case 8: {
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x43 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x43 !== 0 && (b[p]! !== 8 || b[p + 1]! !== 11)) throw bad
        p += 6
        if (x43 < 0 || x43 > 1048576 || x43 * 8 > end - p) throw bad
        const x47: Map<number, string> = new Map()
        for (let x44 = 0; x44 < x43; x44++) {
          let x45: number
          let x46: string
          if (end - p < 4) throw bad
          x45 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (end - p < 4) throw bad
          const x48 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x48 < 0 || x48 > end - p) throw bad
          x46 = readString(b, p, x48)
          p += x48
          x47.set(x45, x46)
        }
        m7 = x47
        continue
      }
      case 9: {
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x49 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x49 !== 0 && (b[p]! !== 11 || b[p + 1]! !== 12)) throw bad
        p += 6
        if (x49 < 0 || x49 > 1048576 || x49 * 5 > end - p) throw bad
        const x53: Map<string, unknown> = new Map()
        for (let x50 = 0; x50 < x49; x50++) {
          let x51: string
          let x52: unknown
          if (end - p < 4) throw bad
          const x54 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x54 < 0 || x54 > end - p) throw bad
          x51 = readString(b, p, x54)
          p += x54
          x52 = decodePoint(b, p, end, d - 1)
          p = cursor.at
          x53.set(x51, x52)
        }
        m8 = x53
        continue
      }
      case 10: {
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x55 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x55 !== 0 && (b[p]! !== 11 || b[p + 1]! !== 15)) throw bad
        p += 6
        if (x55 < 0 || x55 > 1048576 || x55 * 9 > end - p) throw bad
        const x59: Map<string, Array<number>> = new Map()
        for (let x56 = 0; x56 < x55; x56++) {
          let x57: string
          let x58: Array<number>
          if (end - p < 4) throw bad
          const x60 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x60 < 0 || x60 > end - p) throw bad
          x57 = readString(b, p, x60)
          p += x60
          if (end - p < 5) throw bad
          const x61 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
          if (x61 !== 0 && b[p]! !== 8) throw bad
          p += 5
          if (x61 < 0 || x61 > 1048576 || x61 * 4 > end - p) throw bad
          const x64: Array<number> = new Array(x61)
          for (let x62 = 0; x62 < x61; x62++) {
            let x63: number
            x63 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
            p += 4
            x64[x62] = x63
          }
          x58 = x64
          x59.set(x57, x58)
        }
        m9 = x59
        continue
      }
      case 11: {
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x65 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x65 !== 0 && (b[p]! !== 11 || b[p + 1]! !== 13)) throw bad
        p += 6
        if (x65 < 0 || x65 > 1048576 || x65 * 10 > end - p) throw bad
        const x69: Map<string, Map<string, bigint>> = new Map()
        for (let x66 = 0; x66 < x65; x66++) {
          let x67: string
          let x68: Map<string, bigint>
          if (end - p < 4) throw bad
          const x70 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x70 < 0 || x70 > end - p) throw bad
          x67 = readString(b, p, x70)
          p += x70
          if (end - p < 6) throw bad
          const x71 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
          if (x71 !== 0 && (b[p]! !== 11 || b[p + 1]! !== 10)) throw bad
          p += 6
          if (x71 < 0 || x71 > 1048576 || x71 * 12 > end - p) throw bad
          const x75: Map<string, bigint> = new Map()
          for (let x72 = 0; x72 < x71; x72++) {
            let x73: string
            let x74: bigint
            if (end - p < 4) throw bad
            const x76 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
            p += 4
            if (x76 < 0 || x76 > end - p) throw bad
            x73 = readString(b, p, x76)
            p += x76
            if (end - p < 8) throw bad
            if (w === undefined) w = cursor.view = viewOf(b)
            x74 = w.getBigInt64(p)
            p += 8
            x75.set(x73, x74)
          }
          x68 = x75
          x69.set(x67, x68)
        }
        m10 = x69
        continue
      }
      case 12: {
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x77 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x77 !== 0 && (b[p]! !== 8 || b[p + 1]! !== 14)) throw bad
        p += 6
        if (x77 < 0 || x77 > 1048576 || x77 * 9 > end - p) throw bad
        const x81: Map<number, Set<string>> = new Map()
        for (let x78 = 0; x78 < x77; x78++) {
          let x79: number
          let x80: Set<string>
          if (end - p < 4) throw bad
          x79 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (end - p < 5) throw bad
          const x82 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
          if (x82 !== 0 && b[p]! !== 11) throw bad
          p += 5
          if (x82 < 0 || x82 > 1048576 || x82 * 4 > end - p) throw bad
          const x85: Set<string> = new Set()
          for (let x83 = 0; x83 < x82; x83++) {
            let x84: string
            if (end - p < 4) throw bad
            const x86 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
            p += 4
            if (x86 < 0 || x86 > end - p) throw bad
            x84 = readString(b, p, x86)
            p += x86
            x85.add(x84)
          }
          x80 = x85
          x81.set(x79, x80)
        }
        m11 = x81
        continue
      }
      case 13: {
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x87 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x87 !== 0 && (b[p]! !== 11 || b[p + 1]! !== 11)) throw bad
        p += 6
        if (x87 < 0 || x87 > 1048576 || x87 * 8 > end - p) throw bad
        const x91: Map<string, Uint8Array> = new Map()
        for (let x88 = 0; x88 < x87; x88++) {
          let x89: string
          let x90: Uint8Array
          if (end - p < 4) throw bad
          const x92 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x92 < 0 || x92 > end - p) throw bad
          x89 = readString(b, p, x92)
          p += x92
          if (end - p < 4) throw bad
          const x93 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x93 < 0 || x93 > end - p) throw bad
          x90 = readBinary(b, p, x93)
          p += x93
          x91.set(x89, x90)
        }
        m12 = x91
        continue
      }
      case 14: {
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x94 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x94 !== 0 && (b[p]! !== 11 || b[p + 1]! !== 2)) throw bad
        p += 6
        if (x94 < 0 || x94 > 1048576 || x94 * 5 > end - p) throw bad
        const x98: Map<string, boolean> = new Map()
        for (let x95 = 0; x95 < x94; x95++) {
          let x96: string
          let x97: boolean
          if (end - p < 4) throw bad
          const x99 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x99 < 0 || x99 > end - p) throw bad
          x96 = readString(b, p, x99)
          p += x99
          if (end - p < 1) throw bad
          x97 = b[p++] === 1
          x98.set(x96, x97)
        }
        m13 = x98
        continue
      }
      case 15: {
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x100 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x100 !== 0 && (b[p]! !== 11 || b[p + 1]! !== 8)) throw bad
        p += 6
        if (x100 < 0 || x100 > 1048576 || x100 * 8 > end - p) throw bad
        const x104: Map<string, number> = new Map()
        for (let x101 = 0; x101 < x100; x101++) {
          let x102: string
          let x103: number
          if (end - p < 4) throw bad
          const x105 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x105 < 0 || x105 > end - p) throw bad
          x102 = readString(b, p, x105)
          p += x105
          if (end - p < 4) throw bad
          x103 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          x104.set(x102, x103)
        }
        m14 = x104
        continue
      }
      case 16: {
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x106 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x106 !== 0 && (b[p]! !== 11 || b[p + 1]! !== 4)) throw bad
        p += 6
        if (x106 < 0 || x106 > 1048576 || x106 * 12 > end - p) throw bad
        const x110: Map<string, number> = new Map()
        for (let x107 = 0; x107 < x106; x107++) {
          let x108: string
          let x109: number
          if (end - p < 4) throw bad
          const x111 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x111 < 0 || x111 > end - p) throw bad
          x108 = readString(b, p, x111)
          p += x111
          if (end - p < 8) throw bad
          if (w === undefined) w = cursor.view = viewOf(b)
          x109 = w.getFloat64(p)
          p += 8
          x110.set(x108, x109)
        }
        m15 = x110
        continue
      }
      case 17: {
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x112 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x112 !== 0 && (b[p]! !== 11 || b[p + 1]! !== 10)) throw bad
        p += 6
        if (x112 < 0 || x112 > 1048576 || x112 * 12 > end - p) throw bad
        const x116: Map<string, bigint> = new Map()
        for (let x113 = 0; x113 < x112; x113++) {
          let x114: string
          let x115: bigint
          if (end - p < 4) throw bad
          const x117 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x117 < 0 || x117 > end - p) throw bad
          x114 = readString(b, p, x117)
          p += x117
          if (end - p < 8) throw bad
          if (w === undefined) w = cursor.view = viewOf(b)
          x115 = w.getBigInt64(p)
          p += 8
          x116.set(x114, x115)
        }
        m16 = x116
        continue
      }
      case 18: {
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x118 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x118 !== 0 && (b[p]! !== 12 || b[p + 1]! !== 11)) throw bad
        p += 6
        if (x118 < 0 || x118 > 1048576 || x118 * 5 > end - p) throw bad
        const x122: Array<[unknown, string]> = new Array(x118)
        for (let x119 = 0; x119 < x118; x119++) {
          let x120: unknown
          let x121: string
          x120 = decodePoint(b, p, end, d - 1)
          p = cursor.at
          if (end - p < 4) throw bad
          const x123 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x123 < 0 || x123 > end - p) throw bad
          x121 = readString(b, p, x123)
          p += x123
          x122[x119] = [x120, x121]
        }
        m17 = x122
        continue
      }
      case 19: {
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x124 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x124 !== 0 && (b[p]! !== 11 || b[p + 1]! !== 11)) throw bad
        p += 6
        if (x124 < 0 || x124 > 1048576 || x124 * 8 > end - p) throw bad
        const x128: Array<[Uint8Array, string]> = new Array(x124)
        for (let x125 = 0; x125 < x124; x125++) {
          let x126: Uint8Array
          let x127: string
          if (end - p < 4) throw bad
          const x129 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x129 < 0 || x129 > end - p) throw bad
          x126 = readBinary(b, p, x129)
          p += x129
          if (end - p < 4) throw bad
          const x130 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x130 < 0 || x130 > end - p) throw bad
          x127 = readString(b, p, x130)
          p += x130
          x128[x125] = [x126, x127]
        }
        m18 = x128
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  if (m0 === undefined) m0 = new Map()
  if (m1 === undefined) m1 = new Map()
  if (m2 === undefined) m2 = new Map()
  if (m3 === undefined) m3 = new Map()
  if (m4 === undefined) m4 = new Map()
  if (m5 === undefined) m5 = new Map()
  if (m6 === undefined) m6 = new Map()
  if (m7 === undefined) m7 = new Map()
  if (m8 === undefined) m8 = new Map()
  if (m9 === undefined) m9 = new Map()
  if (m10 === undefined) m10 = new Map()
  if (m11 === undefined) m11 = new Map()
  if (m12 === undefined) m12 = new Map()
  if (m13 === undefined) m13 = new Map()
  if (m14 === undefined) m14 = new Map()
  if (m15 === undefined) m15 = new Map()
  if (m16 === undefined) m16 = new Map()
  if (m17 === undefined) m17 = []
  if (m18 === undefined) m18 = []
  cursor.at = p
  return new MessageMaps(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18)
}

const codecMaps: Compiled = {
  shape: "rp08mvv1idag",
  encode: encodeMaps,
  decode: decodeMaps,
  bind(link) {
    MessageMaps.prototype = link.prototype
  }
}

const MessageIds = function (
  this: any,
  m0: unknown,
  m1: unknown,
  m2: unknown,
  m3: unknown,
  m4: unknown,
  m5: unknown,
  m6: unknown,
  m7: unknown
) {
  this.negative = m0
  this.one = m1
  this.fifteen = m2
  this.sixteen = m3
  this.ff = m4
  this.hundred = m5
  this.big = m6
  this.max = m7
} as unknown as Constructor

function encodeIds(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 54) {
    b = grow(out, p, 54)
    w = out.view
  }
  const x0 = v.negative
  w.setInt32(p, 150994688)
  p += 3
  if ((x0 | 0) !== x0) throw bad
  w.setInt32(p, x0)
  p += 4
  const x1 = v.one
  w.setInt32(p, 184549632)
  p += 3
  if (typeof x1 !== "string") throw bad
  if (b.length - p < x1.length * 3 + 44) {
    b = growString(out, p, x1, 44)
    w = out.view
  }
  p = writeString(b, w, p, x1)
  const x2 = v.fifteen
  w.setInt32(p, 100667136)
  p += 3
  if ((x2 << 16) >> 16 !== x2) throw bad
  w.setInt16(p, x2)
  p += 2
  const x3 = v.sixteen
  w.setInt32(p, 100667392)
  p += 3
  if ((x3 << 16) >> 16 !== x3) throw bad
  w.setInt16(p, x3)
  p += 2
  const x4 = v.ff
  w.setInt32(p, 184614656)
  p += 3
  if (typeof x4 !== "string") throw bad
  if (b.length - p < x4.length * 3 + 27) {
    b = growString(out, p, x4, 27)
    w = out.view
  }
  p = writeString(b, w, p, x4)
  const x5 = v.hundred
  w.setInt32(p, 167837696)
  p += 3
  if (typeof x5 !== "bigint" || BigInt.asIntN(64, x5) !== x5) throw bad
  w.setBigInt64(p, x5)
  p += 8
  const x6 = v.big
  w.setInt32(p, 34603008)
  p += 3
  if (x6 === true) b[p++] = 1
  else if (x6 === false) b[p++] = 0
  else throw bad
  const x7 = v.max
  w.setInt32(p, 142606080)
  p += 3
  if ((x7 | 0) !== x7) throw bad
  w.setInt32(p, x7)
  p += 4
  b[p++] = 0
  return p
}

function decodeIds(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: number | undefined
  let m1: string | undefined
  let m2: number | undefined
  let m3: number | undefined
  let m4: string | undefined
  let m5: bigint | undefined
  let m6: boolean | undefined
  let m7: number | undefined
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
      case -1: {
        if (t !== 8) break
        if (end - p < 4) throw bad
        m0 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        continue
      }
      case 1: {
        if (t !== 11) break
        if (end - p < 4) throw bad
        const x0 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        if (x0 < 0 || x0 > end - p) throw bad
        m1 = readString(b, p, x0)
        p += x0
        continue
      }
      case 15: {
        if (t !== 6) break
        if (end - p < 2) throw bad
        m2 = ((b[p]! << 24) >> 16) | b[p + 1]!
        p += 2
        continue
      }
      case 16: {
        if (t !== 6) break
        if (end - p < 2) throw bad
        m3 = ((b[p]! << 24) >> 16) | b[p + 1]!
        p += 2
        continue
      }
      case 255: {
        if (t !== 11) break
        if (end - p < 4) throw bad
        const x1 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        if (x1 < 0 || x1 > end - p) throw bad
        m4 = readString(b, p, x1)
        p += x1
        continue
      }
      case 256: {
        if (t !== 10) break
        if (end - p < 8) throw bad
        m5 = readI64(b, p)
        p += 8
        continue
      }
      case 4096: {
        if (t !== 2) break
        if (end - p < 1) throw bad
        m6 = b[p++] === 1
        continue
      }
      case 32767: {
        if (t !== 8) break
        if (end - p < 4) throw bad
        m7 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  if (m0 === undefined) m0 = 0
  if (m1 === undefined) m1 = ""
  if (m2 === undefined) m2 = 0
  if (m3 === undefined) m3 = 0
  if (m4 === undefined) m4 = ""
  if (m5 === undefined) m5 = 0n
  if (m6 === undefined) m6 = false
  if (m7 === undefined) m7 = 0
  cursor.at = p
  return new MessageIds(m0, m1, m2, m3, m4, m5, m6, m7)
}

const codecIds: Compiled = {
  shape: "5memb1793zbd",
  encode: encodeIds,
  decode: decodeIds,
  bind(link) {
    MessageIds.prototype = link.prototype
  }
}

const MessageOrder = function (
  this: any,
  m0: unknown,
  m1: unknown,
  m2: unknown,
  m3: unknown,
  m4: unknown,
  m5: unknown,
  m6: unknown,
  m7: unknown
) {
  this.e = m0
  this.c = m1
  this.a = m2
  this.d = m3
  this.b = m4
  this.z = m5
  this.l = m6
  this.i = m7
} as unknown as Constructor

function encodeOrder(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 63) {
    b = grow(out, p, 63)
    w = out.view
  }
  const x0 = v.e
  w.setInt32(p, 184550656)
  p += 3
  if (typeof x0 !== "string") throw bad
  if (b.length - p < x0.length * 3 + 60) {
    b = growString(out, p, x0, 60)
    w = out.view
  }
  p = writeString(b, w, p, x0)
  const x1 = v.c
  w.setInt32(p, 134218496)
  p += 3
  if ((x1 | 0) !== x1) throw bad
  w.setInt32(p, x1)
  p += 4
  const x2 = v.a
  w.setInt32(p, 184549632)
  p += 3
  if (typeof x2 !== "string") throw bad
  if (b.length - p < x2.length * 3 + 46) {
    b = growString(out, p, x2, 46)
    w = out.view
  }
  p = writeString(b, w, p, x2)
  const x3 = v.d
  w.setInt32(p, 67109888)
  p += 3
  if (typeof x3 !== "number") throw bad
  w.setFloat64(p, x3)
  p += 8
  const x4 = v.b
  w.setInt32(p, 134218240)
  p += 3
  if ((x4 | 0) !== x4) throw bad
  w.setInt32(p, x4)
  p += 4
  const x5 = v.z
  w.setInt32(p, 33556736)
  p += 3
  if (x5 === true) b[p++] = 1
  else if (x5 === false) b[p++] = 0
  else throw bad
  const x6 = v.l
  w.setInt32(p, 251660032)
  p += 3
  if (!Array.isArray(x6)) throw bad
  const x7 = x6.length
  b[p] = 8
  w.setInt32(p + 1, x7)
  p += 5
  if (b.length - p < x7 * 4 + 12) {
    b = grow(out, p, x7 * 4 + 12)
    w = out.view
  }
  for (let x9 = 0; x9 < x7; x9++) {
    const x8 = x6[x9]
    if ((x8 | 0) !== x8) throw bad
    w.setInt32(p, x8)
    p += 4
  }
  const x10 = v.i
  w.setInt32(p, 167774208)
  p += 3
  if (typeof x10 !== "bigint" || BigInt.asIntN(64, x10) !== x10) throw bad
  w.setBigInt64(p, x10)
  p += 8
  b[p++] = 0
  return p
}

function decodeOrder(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: string | undefined
  let m1: number | undefined
  let m2: string | undefined
  let m3: number | undefined
  let m4: number | undefined
  let m5: boolean | undefined
  let m6: Array<number> | undefined
  let m7: bigint | undefined
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
      case 5: {
        if (t !== 11) break
        if (end - p < 4) throw bad
        const x0 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        if (x0 < 0 || x0 > end - p) throw bad
        m0 = readString(b, p, x0)
        p += x0
        continue
      }
      case 3: {
        if (t !== 8) break
        if (end - p < 4) throw bad
        m1 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        continue
      }
      case 1: {
        if (t !== 11) break
        if (end - p < 4) throw bad
        const x1 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        if (x1 < 0 || x1 > end - p) throw bad
        m2 = readString(b, p, x1)
        p += x1
        continue
      }
      case 4: {
        if (t !== 4) break
        if (end - p < 8) throw bad
        m3 = readDouble(b, p)
        p += 8
        continue
      }
      case 2: {
        if (t !== 8) break
        if (end - p < 4) throw bad
        m4 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        continue
      }
      case 9: {
        if (t !== 2) break
        if (end - p < 1) throw bad
        m5 = b[p++] === 1
        continue
      }
      case 7: {
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x2 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x2 !== 0 && b[p]! !== 8) throw bad
        p += 5
        if (x2 < 0 || x2 > 1048576 || x2 * 4 > end - p) throw bad
        const x5: Array<number> = new Array(x2)
        for (let x3 = 0; x3 < x2; x3++) {
          let x4: number
          x4 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          x5[x3] = x4
        }
        m6 = x5
        continue
      }
      case 8: {
        if (t !== 10) break
        if (end - p < 8) throw bad
        m7 = readI64(b, p)
        p += 8
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  if (m0 === undefined) m0 = ""
  if (m1 === undefined) m1 = 0
  if (m2 === undefined) m2 = ""
  if (m3 === undefined) m3 = 0
  if (m4 === undefined) m4 = 0
  if (m5 === undefined) m5 = false
  if (m6 === undefined) m6 = []
  if (m7 === undefined) m7 = 0n
  cursor.at = p
  return new MessageOrder(m0, m1, m2, m3, m4, m5, m6, m7)
}

const codecOrder: Compiled = {
  shape: "jaw3sx1flosy4",
  encode: encodeOrder,
  decode: decodeOrder,
  bind(link) {
    MessageOrder.prototype = link.prototype
  }
}

const MessageDeep = function (this: any, m0: unknown) {
  this.m = m0
} as unknown as Constructor

function encodeDeep(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 10) {
    b = grow(out, p, 10)
    w = out.view
  }
  const x0 = v.m
  w.setInt32(p, 218104064)
  p += 3
  if (!(x0 instanceof Map)) throw bad
  const x1 = x0.size
  b[p] = 11
  b[p + 1] = 15
  w.setInt32(p + 2, x1)
  p += 6
  for (const [x2, x3] of x0) {
    if (b.length - p < 12) {
      b = grow(out, p, 12)
      w = out.view
    }
    if (typeof x2 !== "string") throw bad
    if (b.length - p < x2.length * 3 + 11) {
      b = growString(out, p, x2, 11)
      w = out.view
    }
    p = writeString(b, w, p, x2)
    if (!Array.isArray(x3)) throw bad
    const x4 = x3.length
    b[p] = 13
    w.setInt32(p + 1, x4)
    p += 5
    for (let x6 = 0; x6 < x4; x6++) {
      const x5 = x3[x6]
      if (b.length - p < 7) {
        b = grow(out, p, 7)
        w = out.view
      }
      if (!(x5 instanceof Map)) throw bad
      const x7 = x5.size
      b[p] = 8
      b[p + 1] = 14
      w.setInt32(p + 2, x7)
      p += 6
      for (const [x8, x9] of x5) {
        if (b.length - p < 12) {
          b = grow(out, p, 12)
          w = out.view
        }
        if ((x8 | 0) !== x8) throw bad
        w.setInt32(p, x8)
        p += 4
        if (!(x9 instanceof Set)) throw bad
        const x10 = x9.size
        b[p] = 11
        w.setInt32(p + 1, x10)
        p += 5
        for (const x11 of x9) {
          if (typeof x11 !== "string") throw bad
          if (b.length - p < x11.length * 3 + 4) {
            b = growString(out, p, x11, 4)
            w = out.view
          }
          p = writeString(b, w, p, x11)
        }
        if (b.length - p < 1) {
          b = grow(out, p, 1)
          w = out.view
        }
      }
      if (b.length - p < 1) {
        b = grow(out, p, 1)
        w = out.view
      }
    }
    if (b.length - p < 1) {
      b = grow(out, p, 1)
      w = out.view
    }
  }
  if (b.length - p < 1) {
    b = grow(out, p, 1)
    w = out.view
  }
  b[p++] = 0
  return p
}

function decodeDeep(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: Map<string, Array<Map<number, Set<string>>>> | undefined
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
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x0 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x0 !== 0 && (b[p]! !== 11 || b[p + 1]! !== 15)) throw bad
        p += 6
        if (x0 < 0 || x0 > 1048576 || x0 * 9 > end - p) throw bad
        const x4: Map<string, Array<Map<number, Set<string>>>> = new Map()
        for (let x1 = 0; x1 < x0; x1++) {
          let x2: string
          let x3: Array<Map<number, Set<string>>>
          if (end - p < 4) throw bad
          const x5 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x5 < 0 || x5 > end - p) throw bad
          x2 = readString(b, p, x5)
          p += x5
          if (end - p < 5) throw bad
          const x6 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
          if (x6 !== 0 && b[p]! !== 13) throw bad
          p += 5
          if (x6 < 0 || x6 > 1048576 || x6 * 6 > end - p) throw bad
          const x9: Array<Map<number, Set<string>>> = new Array(x6)
          for (let x7 = 0; x7 < x6; x7++) {
            let x8: Map<number, Set<string>>
            if (end - p < 6) throw bad
            const x10 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
            if (x10 !== 0 && (b[p]! !== 8 || b[p + 1]! !== 14)) throw bad
            p += 6
            if (x10 < 0 || x10 > 1048576 || x10 * 9 > end - p) throw bad
            const x14: Map<number, Set<string>> = new Map()
            for (let x11 = 0; x11 < x10; x11++) {
              let x12: number
              let x13: Set<string>
              if (end - p < 4) throw bad
              x12 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
              p += 4
              if (end - p < 5) throw bad
              const x15 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
              if (x15 !== 0 && b[p]! !== 11) throw bad
              p += 5
              if (x15 < 0 || x15 > 1048576 || x15 * 4 > end - p) throw bad
              const x18: Set<string> = new Set()
              for (let x16 = 0; x16 < x15; x16++) {
                let x17: string
                if (end - p < 4) throw bad
                const x19 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
                p += 4
                if (x19 < 0 || x19 > end - p) throw bad
                x17 = readString(b, p, x19)
                p += x19
                x18.add(x17)
              }
              x13 = x18
              x14.set(x12, x13)
            }
            x8 = x14
            x9[x7] = x8
          }
          x3 = x9
          x4.set(x2, x3)
        }
        m0 = x4
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  if (m0 === undefined) m0 = new Map()
  cursor.at = p
  return new MessageDeep(m0)
}

const codecDeep: Compiled = {
  shape: "fsfzejwkzrnv",
  encode: encodeDeep,
  decode: decodeDeep,
  bind(link) {
    MessageDeep.prototype = link.prototype
  }
}

const MessageEmpty = function () {} as unknown as Constructor

function encodeEmpty(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  if (b.length - p < 1) b = grow(out, p, 1)
  b[p++] = 0
  return p
}

function decodeEmpty(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  for (;;) {
    if (p >= end) throw bad
    const t = b[p]!
    if (t === 0) {
      p++
      break
    }
    if (end - p < 3) throw bad
    p += 3
    p = skip(b, p, end, t, 64)
  }
  cursor.at = p
  return new MessageEmpty()
}

const codecEmpty: Compiled = {
  shape: "ksswod1czjcg4",
  encode: encodeEmpty,
  decode: decodeEmpty,
  bind(link) {
    MessageEmpty.prototype = link.prototype
  }
}

const MessageText = function (this: any, m0: unknown, m1: unknown) {
  this.s = m0
  if (m1 !== undefined) this.b = m1
} as unknown as Constructor

function encodeText(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 15) {
    b = grow(out, p, 15)
    w = out.view
  }
  const x0 = v.s
  w.setInt32(p, 184549632)
  p += 3
  if (typeof x0 !== "string") throw bad
  if (b.length - p < x0.length * 3 + 12) {
    b = growString(out, p, x0, 12)
    w = out.view
  }
  p = writeString(b, w, p, x0)
  const x1 = v.b
  if (x1 !== undefined) {
    w.setInt32(p, 184549888)
    p += 3
    if (!(x1 instanceof Uint8Array)) throw bad
    if (x1.length < 4096) {
      if (b.length - p < x1.length + 5) {
        b = grow(out, p, x1.length + 5)
        w = out.view
      }
    }
    p = writeBinary(out, b, w, p, x1)
  }
  b[p++] = 0
  return p
}

function decodeText(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: string | undefined
  let m1: Uint8Array | undefined
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
        if (t !== 11) break
        if (end - p < 4) throw bad
        const x0 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        if (x0 < 0 || x0 > end - p) throw bad
        m0 = readString(b, p, x0)
        p += x0
        continue
      }
      case 2: {
        if (t !== 11) break
        if (end - p < 4) throw bad
        const x1 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        if (x1 < 0 || x1 > end - p) throw bad
        m1 = readBinary(b, p, x1)
        p += x1
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  if (m0 === undefined) m0 = ""
  cursor.at = p
  return new MessageText(m0, m1)
}

const codecText: Compiled = {
  shape: "32o27j1xqneev",
  encode: encodeText,
  decode: decodeText,
  bind(link) {
    MessageText.prototype = link.prototype
  }
}

const MessageOlder = function (this: any, m0: unknown) {
  this.a = m0
} as unknown as Constructor

function encodeOlder(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 8) {
    b = grow(out, p, 8)
    w = out.view
  }
  const x0 = v.a
  w.setInt32(p, 134217984)
  p += 3
  if ((x0 | 0) !== x0) throw bad
  w.setInt32(p, x0)
  p += 4
  b[p++] = 0
  return p
}

function decodeOlder(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: number | undefined
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
        if (t !== 8) break
        if (end - p < 4) throw bad
        m0 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  if (m0 === undefined) m0 = 0
  cursor.at = p
  return new MessageOlder(m0)
}

const codecOlder: Compiled = {
  shape: "12mjglw1n2ehup",
  encode: encodeOlder,
  decode: decodeOlder,
  bind(link) {
    MessageOlder.prototype = link.prototype
  }
}

const MessageNewer = function (
  this: any,
  m0: unknown,
  m1: unknown,
  m2: unknown,
  m3: unknown,
  m4: unknown,
  m5: unknown,
  m6: unknown,
  m7: unknown,
  m8: unknown,
  m9: unknown
) {
  this.a = m0
  if (m1 !== undefined) this.b = m1
  if (m2 !== undefined) this.c = m2
  if (m3 !== undefined) this.d = m3
  if (m4 !== undefined) this.e = m4
  if (m5 !== undefined) this.f = m5
  if (m6 !== undefined) this.g = m6
  if (m7 !== undefined) this.h = m7
  if (m8 !== undefined) this.i = m8
  if (m9 !== undefined) this.j = m9
} as unknown as Constructor

function encodeNewer(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 74) {
    b = grow(out, p, 74)
    w = out.view
  }
  const x0 = v.a
  w.setInt32(p, 134217984)
  p += 3
  if ((x0 | 0) !== x0) throw bad
  w.setInt32(p, x0)
  p += 4
  const x1 = v.b
  if (x1 !== undefined) {
    w.setInt32(p, 184549888)
    p += 3
    if (typeof x1 !== "string") throw bad
    if (b.length - p < x1.length * 3 + 64) {
      b = growString(out, p, x1, 64)
      w = out.view
    }
    p = writeString(b, w, p, x1)
  }
  const x2 = v.c
  if (x2 !== undefined) {
    w.setInt32(p, 251659008)
    p += 3
    if (!Array.isArray(x2)) throw bad
    const x3 = x2.length
    b[p] = 12
    w.setInt32(p + 1, x3)
    p += 5
    for (let x5 = 0; x5 < x3; x5++) {
      const x4 = x2[x5]
      p = encodePoint(x4, out, p, d - 1)
      b = out.buffer
      w = out.view
    }
    if (b.length - p < 52) {
      b = grow(out, p, 52)
      w = out.view
    }
  }
  const x6 = v.d
  if (x6 !== undefined) {
    w.setInt32(p, 218104832)
    p += 3
    if (!(x6 instanceof Map)) throw bad
    const x7 = x6.size
    b[p] = 11
    b[p + 1] = 12
    w.setInt32(p + 2, x7)
    p += 6
    for (const [x8, x9] of x6) {
      if (b.length - p < 49) {
        b = grow(out, p, 49)
        w = out.view
      }
      if (typeof x8 !== "string") throw bad
      if (b.length - p < x8.length * 3 + 48) {
        b = growString(out, p, x8, 48)
        w = out.view
      }
      p = writeString(b, w, p, x8)
      p = encodePoint(x9, out, p, d - 1)
      b = out.buffer
      w = out.view
      if (b.length - p < 43) {
        b = grow(out, p, 43)
        w = out.view
      }
    }
    if (b.length - p < 43) {
      b = grow(out, p, 43)
      w = out.view
    }
  }
  const x10 = v.e
  if (x10 !== undefined) {
    w.setInt32(p, 167773440)
    p += 3
    if (typeof x10 !== "bigint" || BigInt.asIntN(64, x10) !== x10) throw bad
    w.setBigInt64(p, x10)
    p += 8
  }
  const x11 = v.f
  if (x11 !== undefined) {
    w.setInt32(p, 67110400)
    p += 3
    if (typeof x11 !== "number") throw bad
    w.setFloat64(p, x11)
    p += 8
  }
  const x12 = v.g
  if (x12 !== undefined) {
    w.setInt32(p, 33556224)
    p += 3
    if (x12 === true) b[p++] = 1
    else if (x12 === false) b[p++] = 0
    else throw bad
  }
  const x13 = v.h
  if (x13 !== undefined) {
    w.setInt32(p, 201328640)
    p += 3
    p = encodePoint(x13, out, p, d - 1)
    b = out.buffer
    w = out.view
    if (b.length - p < 13) {
      b = grow(out, p, 13)
      w = out.view
    }
  }
  const x14 = v.i
  if (x14 !== undefined) {
    w.setInt32(p, 234883328)
    p += 3
    if (!(x14 instanceof Set)) throw bad
    const x15 = x14.size
    b[p] = 6
    w.setInt32(p + 1, x15)
    p += 5
    if (b.length - p < x15 * 2 + 5) {
      b = grow(out, p, x15 * 2 + 5)
      w = out.view
    }
    for (const x16 of x14) {
      if ((x16 << 16) >> 16 !== x16) throw bad
      w.setInt16(p, x16)
      p += 2
    }
  }
  const x17 = v.j
  if (x17 !== undefined) {
    w.setInt32(p, 50334208)
    p += 3
    if ((x17 << 24) >> 24 !== x17) throw bad
    b[p++] = x17
  }
  b[p++] = 0
  return p
}

function decodeNewer(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: number | undefined
  let m1: string | undefined
  let m2: Array<unknown> | undefined
  let m3: Map<string, unknown> | undefined
  let m4: bigint | undefined
  let m5: number | undefined
  let m6: boolean | undefined
  let m7: unknown
  let m8: Set<number> | undefined
  let m9: number | undefined
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
        if (t !== 8) break
        if (end - p < 4) throw bad
        m0 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
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
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x1 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x1 !== 0 && b[p]! !== 12) throw bad
        p += 5
        if (x1 < 0 || x1 > 1048576 || x1 > end - p) throw bad
        const x4: Array<unknown> = new Array(x1)
        for (let x2 = 0; x2 < x1; x2++) {
          let x3: unknown
          x3 = decodePoint(b, p, end, d - 1)
          p = cursor.at
          x4[x2] = x3
        }
        m2 = x4
        continue
      }
      case 4: {
        if (t !== 13) break
        if (end - p < 6) throw bad
        const x5 = (b[p + 2]! << 24) | (b[p + 3]! << 16) | (b[p + 4]! << 8) | b[p + 5]!
        if (x5 !== 0 && (b[p]! !== 11 || b[p + 1]! !== 12)) throw bad
        p += 6
        if (x5 < 0 || x5 > 1048576 || x5 * 5 > end - p) throw bad
        const x9: Map<string, unknown> = new Map()
        for (let x6 = 0; x6 < x5; x6++) {
          let x7: string
          let x8: unknown
          if (end - p < 4) throw bad
          const x10 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
          p += 4
          if (x10 < 0 || x10 > end - p) throw bad
          x7 = readString(b, p, x10)
          p += x10
          x8 = decodePoint(b, p, end, d - 1)
          p = cursor.at
          x9.set(x7, x8)
        }
        m3 = x9
        continue
      }
      case 5: {
        if (t !== 10) break
        if (end - p < 8) throw bad
        m4 = readI64(b, p)
        p += 8
        continue
      }
      case 6: {
        if (t !== 4) break
        if (end - p < 8) throw bad
        m5 = readDouble(b, p)
        p += 8
        continue
      }
      case 7: {
        if (t !== 2) break
        if (end - p < 1) throw bad
        m6 = b[p++] === 1
        continue
      }
      case 8: {
        if (t !== 12) break
        m7 = decodePoint(b, p, end, d - 1)
        p = cursor.at
        continue
      }
      case 9: {
        if (t !== 14) break
        if (end - p < 5) throw bad
        const x11 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x11 !== 0 && b[p]! !== 6) throw bad
        p += 5
        if (x11 < 0 || x11 > 1048576 || x11 * 2 > end - p) throw bad
        const x14: Set<number> = new Set()
        for (let x12 = 0; x12 < x11; x12++) {
          let x13: number
          x13 = ((b[p]! << 24) >> 16) | b[p + 1]!
          p += 2
          x14.add(x13)
        }
        m8 = x14
        continue
      }
      case 10: {
        if (t !== 3) break
        if (end - p < 1) throw bad
        m9 = (b[p++]! << 24) >> 24
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  if (m0 === undefined) m0 = 0
  cursor.at = p
  return new MessageNewer(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9)
}

const codecNewer: Compiled = {
  shape: "illpgwfmxzx6",
  encode: encodeNewer,
  decode: decodeNewer,
  bind(link) {
    MessageNewer.prototype = link.prototype
  }
}

const MessageOuter = function (this: any, m0: unknown, m1: unknown) {
  if (m0 !== undefined) this.inner = m0
  if (m1 !== undefined) this.points = m1
} as unknown as Constructor

function encodeOuter(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 13) {
    b = grow(out, p, 13)
    w = out.view
  }
  const x0 = v.inner
  if (x0 !== undefined) {
    w.setInt32(p, 201326848)
    p += 3
    p = encodeRequiredScalars(x0, out, p, d - 1)
    b = out.buffer
    w = out.view
    if (b.length - p < 9) {
      b = grow(out, p, 9)
      w = out.view
    }
  }
  const x1 = v.points
  if (x1 !== undefined) {
    w.setInt32(p, 251658752)
    p += 3
    if (!Array.isArray(x1)) throw bad
    const x2 = x1.length
    b[p] = 12
    w.setInt32(p + 1, x2)
    p += 5
    for (let x4 = 0; x4 < x2; x4++) {
      const x3 = x1[x4]
      p = encodePoint(x3, out, p, d - 1)
      b = out.buffer
      w = out.view
    }
    if (b.length - p < 1) {
      b = grow(out, p, 1)
      w = out.view
    }
  }
  b[p++] = 0
  return p
}

function decodeOuter(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: unknown
  let m1: Array<unknown> | undefined
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
        if (t !== 12) break
        m0 = decodeRequiredScalars(b, p, end, d - 1)
        p = cursor.at
        continue
      }
      case 2: {
        if (t !== 15) break
        if (end - p < 5) throw bad
        const x0 = (b[p + 1]! << 24) | (b[p + 2]! << 16) | (b[p + 3]! << 8) | b[p + 4]!
        if (x0 !== 0 && b[p]! !== 12) throw bad
        p += 5
        if (x0 < 0 || x0 > 1048576 || x0 > end - p) throw bad
        const x3: Array<unknown> = new Array(x0)
        for (let x1 = 0; x1 < x0; x1++) {
          let x2: unknown
          x2 = decodePoint(b, p, end, d - 1)
          p = cursor.at
          x3[x1] = x2
        }
        m1 = x3
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  cursor.at = p
  return new MessageOuter(m0, m1)
}

const codecOuter: Compiled = {
  shape: "1jfnpkrdfi8ve",
  encode: encodeOuter,
  decode: decodeOuter,
  bind(link) {
    MessageOuter.prototype = link.prototype
  }
}

export {
  codecPoint as Point,
  codecScalars as Scalars,
  codecOptionalScalars as OptionalScalars,
  codecRequiredScalars as RequiredScalars,
  codecDefaults as Defaults,
  codecHolders as Holders,
  codecNode as Node,
  codecChoice as Choice,
  codecWithChoice as WithChoice,
  codecFailure as Failure,
  codecLists as Lists,
  codecSets as Sets,
  codecMaps as Maps,
  codecIds as Ids,
  codecOrder as Order,
  codecDeep as Deep,
  codecEmpty as Empty,
  codecText as Text,
  codecOlder as Older,
  codecNewer as Newer,
  codecOuter as Outer
}
