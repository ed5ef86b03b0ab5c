// Code generated from examples/pingpong/api.thrift by millrace. DO NOT EDIT.
import {
  bad,
  cursor,
  grow,
  growString,
  readString,
  skip,
  writeString,
  type Compiled,
  type Constructor,
  type Link
} from "@millrace/codec/Runtime"
import type { Output } from "@millrace/codec/Output"

const MessageItem = function (this: any, m0: unknown, m1: unknown) {
  this.name = m0
  this.count = m1
} as unknown as Constructor

function encodeItem(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 15) {
    b = grow(out, p, 15)
    w = out.view
  }
  const x0 = v.name
  w.setInt32(p, 184549632)
  p += 3
  if (typeof x0 !== "string") throw bad
  if (b.length - p < x0.length * 3 + 12) {
    b = growString(out, p, x0, 12)
    w = out.view
  }
  p = writeString(b, w, p, x0)
  const x1 = v.count
  w.setInt32(p, 134218240)
  p += 3
  if ((x1 | 0) !== x1) throw bad
  w.setInt32(p, x1)
  p += 4
  b[p++] = 0
  return p
}

function decodeItem(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: string | undefined
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
        if (t !== 8) break
        if (end - p < 4) throw bad
        m1 = (b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!
        p += 4
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  if (m0 === undefined) throw bad
  if (m1 === undefined) throw bad
  cursor.at = p
  return new MessageItem(m0, m1)
}

const codecItem: Compiled = {
  shape: "11rab6rwdw7f7",
  encode: encodeItem,
  decode: decodeItem,
  bind(link) {
    MessageItem.prototype = link.prototype
  }
}

let linkSoldOut: Link

const MessageSoldOut = function (this: any, m0: unknown) {
  this._tag = "SoldOut"
  this.left = m0
} as unknown as Constructor

function encodeSoldOut(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 8) {
    b = grow(out, p, 8)
    w = out.view
  }
  const x0 = v.left
  w.setInt32(p, 134217984)
  p += 3
  if ((x0 | 0) !== x0) throw bad
  w.setInt32(p, x0)
  p += 4
  b[p++] = 0
  return p
}

function decodeSoldOut(b: Uint8Array, p: number, end: number, d: number): unknown {
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
  if (m0 === undefined) throw bad
  const fields = new MessageSoldOut(m0)
  const made = linkSoldOut.make(fields)
  cursor.at = p
  return made
}

const codecSoldOut: Compiled = {
  shape: "1or447avxnn1z",
  encode: encodeSoldOut,
  decode: decodeSoldOut,
  bind(link) {
    MessageSoldOut.prototype = link.prototype
    linkSoldOut = link
  }
}

export { codecItem as Item, codecSoldOut as SoldOut }
