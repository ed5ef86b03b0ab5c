// Code generated from api.thrift by millrace. DO NOT EDIT.
import {
  bad,
  cursor,
  grow,
  growString,
  readString,
  skip,
  writeString,
  type Compiled,
  type Constructor
} from "@millrace/codec/Runtime"
import type { Output } from "@millrace/codec/Output"

const MessageRequest = function (this: any, m0: unknown) {
  if (m0 !== undefined) this.message = m0
} as unknown as Constructor

function encodeRequest(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 8) {
    b = grow(out, p, 8)
    w = out.view
  }
  const x0 = v.message
  if (x0 !== undefined) {
    w.setInt32(p, 184549632)
    p += 3
    if (typeof x0 !== "string") throw bad
    if (b.length - p < x0.length * 3 + 5) {
      b = growString(out, p, x0, 5)
      w = out.view
    }
    p = writeString(b, w, p, x0)
  }
  b[p++] = 0
  return p
}

function decodeRequest(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: string | undefined
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
    }
    p = skip(b, p, end, t, 64)
  }
  cursor.at = p
  return new MessageRequest(m0)
}

const codecRequest: Compiled = {
  shape: "1g723id1vbet3z",
  encode: encodeRequest,
  decode: decodeRequest,
  bind(link) {
    MessageRequest.prototype = link.prototype
  }
}

const MessageResponse = function (this: any, m0: unknown) {
  if (m0 !== undefined) this.message = m0
} as unknown as Constructor

function encodeResponse(v: any, out: Output, p: number, d: number): number {
  if (typeof v !== "object" || v === null || d === 0) throw bad
  let b = out.buffer
  let w = out.view
  if (b.length - p < 8) {
    b = grow(out, p, 8)
    w = out.view
  }
  const x0 = v.message
  if (x0 !== undefined) {
    w.setInt32(p, 184549632)
    p += 3
    if (typeof x0 !== "string") throw bad
    if (b.length - p < x0.length * 3 + 5) {
      b = growString(out, p, x0, 5)
      w = out.view
    }
    p = writeString(b, w, p, x0)
  }
  b[p++] = 0
  return p
}

function decodeResponse(b: Uint8Array, p: number, end: number, d: number): unknown {
  if (d === 0) throw bad
  let m0: string | undefined
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
    }
    p = skip(b, p, end, t, 64)
  }
  cursor.at = p
  return new MessageResponse(m0)
}

const codecResponse: Compiled = {
  shape: "u6u1v0jjnn2e",
  encode: encodeResponse,
  decode: decodeResponse,
  bind(link) {
    MessageResponse.prototype = link.prototype
  }
}

export { codecRequest as Request, codecResponse as Response }
