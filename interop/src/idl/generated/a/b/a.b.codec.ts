// Code generated from a.b.thrift by millrace. DO NOT EDIT.
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
  type Constructor,
  type Link
} from "@millrace/codec/Runtime"
import type { Output } from "@millrace/codec/Output"

const Messagepage = function (this: any, m0: unknown, m1: unknown) {
  this.size = m0
  if (m1 !== undefined) this.after = m1
} as unknown as Constructor

function encodepage(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 15) {
    b = grow(out, p, 15)
    w = out.view
  }
  const x0 = v.size
  w.setInt32(p, 134217984)
  p += 3
  if ((x0 | 0) !== x0) throw bad
  w.setInt32(p, x0)
  p += 4
  const x1 = v.after
  if (x1 !== undefined) {
    w.setInt32(p, 184549888)
    p += 3
    if (typeof x1 !== "string") throw bad
    if (b.length - p < x1.length * 3 + 5) {
      b = growString(out, p, x1, 5)
      w = out.view
    }
    p = writeString(b, w, p, x1)
  }
  b[p++] = 0
  return p
}

function decodepage(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: number | undefined
  let m1: string | undefined
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
    }
    p = skip(b, p, end, t, 64)
  }
  if (m0 === undefined) m0 = 20
  cursor.at = p
  return new Messagepage(m0, m1)
}

const codecpage: Compiled = {
  shape: "1iqjujw1vhuat3",
  encode: encodepage,
  decode: decodepage,
  bind(link) {
    Messagepage.prototype = link.prototype
  }
}

let linknot_found: Link

const Messagenot_found = function (this: any, m0: unknown, m1: unknown) {
  this._tag = "not_found"
  this.id = m0
  if (m1 !== undefined) this.name_ = m1
} as unknown as Constructor

function encodenot_found(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 19) {
    b = grow(out, p, 19)
    w = out.view
  }
  const x0 = v.id
  w.setInt32(p, 167772416)
  p += 3
  if (typeof x0 !== "bigint" || BigInt.asIntN(64, x0) !== x0) throw bad
  w.setBigInt64(p, x0)
  p += 8
  const x1 = v.name_
  if (x1 !== undefined) {
    w.setInt32(p, 184549888)
    p += 3
    if (typeof x1 !== "string") throw bad
    if (b.length - p < x1.length * 3 + 5) {
      b = growString(out, p, x1, 5)
      w = out.view
    }
    p = writeString(b, w, p, x1)
  }
  b[p++] = 0
  return p
}

function decodenot_found(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: bigint | undefined
  let m1: string | undefined
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
    }
    p = skip(b, p, end, t, 64)
  }
  if (m0 === undefined) m0 = 0n
  const fields = new Messagenot_found(m0, m1)
  const made = linknot_found.make(fields)
  cursor.at = p
  return made
}

const codecnot_found: Compiled = {
  shape: "47wbyeyspplf",
  encode: encodenot_found,
  decode: decodenot_found,
  bind(link) {
    Messagenot_found.prototype = link.prototype
    linknot_found = link
  }
}

export { codecpage as page, codecnot_found as not_found }
