// Code generated from examples/llm/api.thrift by millrace. DO NOT EDIT.
import {
  bad,
  cursor,
  grow,
  growString,
  readDouble,
  readString,
  skip,
  writeString,
  type Compiled,
  type Constructor
} from "@millrace/codec/Runtime"
import type { Output } from "@millrace/codec/Output"

const MessagePrompt = function (this: any, m0: unknown, m1: unknown, m2: unknown) {
  this.text = m0
  if (m1 !== undefined) this.maxTokens = m1
  if (m2 !== undefined) this.tokensPerSecond = m2
} as unknown as Constructor

function encodePrompt(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 26) {
    b = grow(out, p, 26)
    w = out.view
  }
  const x0 = v.text
  w.setInt32(p, 184549632)
  p += 3
  if (typeof x0 !== "string") throw bad
  if (b.length - p < x0.length * 3 + 23) {
    b = growString(out, p, x0, 23)
    w = out.view
  }
  p = writeString(b, w, p, x0)
  const x1 = v.maxTokens
  if (x1 !== undefined) {
    w.setInt32(p, 134218240)
    p += 3
    if ((x1 | 0) !== x1) throw bad
    w.setInt32(p, x1)
    p += 4
  }
  const x2 = v.tokensPerSecond
  if (x2 !== undefined) {
    w.setInt32(p, 67109632)
    p += 3
    if (typeof x2 !== "number") throw bad
    w.setFloat64(p, x2)
    p += 8
  }
  b[p++] = 0
  return p
}

function decodePrompt(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: string | undefined
  let m1: number | undefined
  let m2: number | undefined
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
      case 3: {
        if (t !== 4) break
        if (end - p < 8) throw bad
        m2 = readDouble(b, p)
        p += 8
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  if (m0 === undefined) throw bad
  cursor.at = p
  return new MessagePrompt(m0, m1, m2)
}

const codecPrompt: Compiled = {
  shape: "1n0gbiy1lc2tv7",
  encode: encodePrompt,
  decode: decodePrompt,
  bind(link) {
    MessagePrompt.prototype = link.prototype
  }
}

const MessageToken = function (this: any, m0: unknown, m1: unknown, m2: unknown) {
  this.index = m0
  this.text = m1
  this.last = m2
} as unknown as Constructor

function encodeToken(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 19) {
    b = grow(out, p, 19)
    w = out.view
  }
  const x0 = v.index
  w.setInt32(p, 134217984)
  p += 3
  if ((x0 | 0) !== x0) throw bad
  w.setInt32(p, x0)
  p += 4
  const x1 = v.text
  w.setInt32(p, 184549888)
  p += 3
  if (typeof x1 !== "string") throw bad
  if (b.length - p < x1.length * 3 + 9) {
    b = growString(out, p, x1, 9)
    w = out.view
  }
  p = writeString(b, w, p, x1)
  const x2 = v.last
  w.setInt32(p, 33555200)
  p += 3
  if (x2 === true) b[p++] = 1
  else if (x2 === false) b[p++] = 0
  else throw bad
  b[p++] = 0
  return p
}

function decodeToken(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: number | undefined
  let m1: string | undefined
  let m2: boolean | undefined
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
        if (t !== 2) break
        if (end - p < 1) throw bad
        m2 = b[p++] === 1
        continue
      }
    }
    p = skip(b, p, end, t, 64)
  }
  if (m0 === undefined) throw bad
  if (m1 === undefined) throw bad
  if (m2 === undefined) throw bad
  cursor.at = p
  return new MessageToken(m0, m1, m2)
}

const codecToken: Compiled = {
  shape: "sgco01110z43",
  encode: encodeToken,
  decode: decodeToken,
  bind(link) {
    MessageToken.prototype = link.prototype
  }
}

const MessageTokenCount = function (this: any, m0: unknown) {
  this.count = m0
} as unknown as Constructor

function encodeTokenCount(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 8) {
    b = grow(out, p, 8)
    w = out.view
  }
  const x0 = v.count
  w.setInt32(p, 134217984)
  p += 3
  if ((x0 | 0) !== x0) throw bad
  w.setInt32(p, x0)
  p += 4
  b[p++] = 0
  return p
}

function decodeTokenCount(b: Uint8Array, p: number, end: number, d: number): unknown {
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
  cursor.at = p
  return new MessageTokenCount(m0)
}

const codecTokenCount: Compiled = {
  shape: "1ix1qc31fj8qil",
  encode: encodeTokenCount,
  decode: decodeTokenCount,
  bind(link) {
    MessageTokenCount.prototype = link.prototype
  }
}

export { codecPrompt as Prompt, codecToken as Token, codecTokenCount as TokenCount }
