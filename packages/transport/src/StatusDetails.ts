/**
 * `google.rpc.Status`, the protobuf message in `grpc-status-details-bin`: a status with details, which gRPC's libraries call
 * rich errors.
 *
 * @since 0.1.0
 */

/**
 * One detail: a protobuf message of any type, encoded. `typeUrl` says which, `type.googleapis.com/google.rpc.ErrorInfo`.
 *
 * @since 0.1.0
 * @category models
 */
export interface StatusDetail {
  readonly typeUrl: string
  readonly value: Uint8Array
}

/**
 * A status with details. Peers take code and message from here, in place of those beside it.
 *
 * @since 0.1.0
 * @category models
 */
export interface StatusDetails {
  readonly code: number
  readonly message: string
  readonly details: ReadonlyArray<StatusDetail>
}

const Wire = { Varint: 0, Fixed64: 1, Bytes: 2, Fixed32: 5 } as const

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

const writeVarint = (out: Array<number>, value: number): void => {
  let left = value
  while (left >= 0x80) {
    out.push((left % 0x80) | 0x80)
    left = Math.floor(left / 0x80)
  }
  out.push(left)
}

const writeBytes = (out: Array<number>, field: number, bytes: Uint8Array): void => {
  writeVarint(out, (field << 3) | Wire.Bytes)
  writeVarint(out, bytes.length)
  for (const byte of bytes) out.push(byte)
}

/**
 * The bytes of a status, for `details` of an error.
 *
 * @since 0.1.0
 * @category encoding
 */
export const encode = ({ code, details, message }: StatusDetails): Uint8Array => {
  const out: Array<number> = []
  if (code !== 0) {
    out.push((1 << 3) | Wire.Varint)
    // A negative int32 has ten bytes in protobuf, and is no status.
    writeVarint(out, code >>> 0)
  }
  if (message !== "") writeBytes(out, 2, encoder.encode(message))
  for (const { typeUrl, value } of details) {
    const detail: Array<number> = []
    if (typeUrl !== "") writeBytes(detail, 1, encoder.encode(typeUrl))
    if (value.length > 0) writeBytes(detail, 2, value)
    writeBytes(out, 3, Uint8Array.from(detail))
  }
  return Uint8Array.from(out)
}

/** A protobuf message, field by field. `next` gives false at its end, and where it is malformed. */
class Fields {
  field = 0
  /** The value of a varint, its low 32 bits; undefined for other fields. */
  number: number | undefined
  /** The value of a field of bytes; undefined for other fields. */
  bytes: Uint8Array | undefined
  malformed = false
  readonly #message: Uint8Array
  #at = 0

  constructor(message: Uint8Array) {
    this.#message = message
  }

  next(): boolean {
    if (this.#at >= this.#message.length) return false
    const tag = this.#varint()
    this.field = tag >>> 3
    this.number = undefined
    this.bytes = undefined
    switch (tag & 7) {
      case Wire.Varint:
        this.number = this.#varint() | 0
        break
      case Wire.Bytes: {
        const start = this.#skip(this.#varint())
        this.bytes = this.#message.subarray(start, this.#at)
        break
      }
      case Wire.Fixed64:
        this.#skip(8)
        break
      case Wire.Fixed32:
        this.#skip(4)
        break
      default:
        this.malformed = true
    }
    return !this.malformed
  }

  #skip(length: number): number {
    const start = this.#at
    this.#at += length
    if (this.#at > this.#message.length) this.malformed = true
    return start
  }

  #varint(): number {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#message[this.#at++]
      if (byte === undefined) break
      if (shift < 35) value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    this.malformed = true
    return 0
  }
}

const decodeDetail = (bytes: Uint8Array): StatusDetail | undefined => {
  const fields = new Fields(bytes)
  let typeUrl = ""
  let value: Uint8Array = new Uint8Array(0)
  while (fields.next()) {
    if (fields.bytes === undefined) continue
    if (fields.field === 1) typeUrl = decoder.decode(fields.bytes)
    else if (fields.field === 2) value = fields.bytes
  }
  return fields.malformed ? undefined : { typeUrl, value }
}

/**
 * Reads a status; undefined when the bytes are none. Fields that are not known do not count.
 *
 * **Example** (The details of a failed call)
 *
 * ```ts
 * import { StatusDetails } from "@millrace/transport"
 *
 * const bytes = StatusDetails.encode({
 *   code: 5,
 *   message: "no such model",
 *   details: [{ typeUrl: "type.googleapis.com/google.rpc.ErrorInfo", value: new Uint8Array(0) }]
 * })
 * const types = StatusDetails.decode(bytes)?.details.map(({ typeUrl }) => typeUrl)
 * ```
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode = (bytes: Uint8Array): StatusDetails | undefined => {
  const fields = new Fields(bytes)
  let code = 0
  let message = ""
  const details: Array<StatusDetail> = []
  while (fields.next()) {
    if (fields.bytes === undefined) {
      if (fields.field === 1) code = fields.number ?? code
    } else if (fields.field === 2) message = decoder.decode(fields.bytes)
    else if (fields.field === 3) {
      const detail = decodeDetail(fields.bytes)
      if (detail === undefined) return undefined
      details.push(detail)
    }
  }
  return fields.malformed ? undefined : { code, message, details }
}
