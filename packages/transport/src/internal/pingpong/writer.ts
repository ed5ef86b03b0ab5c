/**
 * Writes messages in every encoding: header, length of the frame, envelope, and the body where its encoder puts it.
 *
 * @internal
 */
import * as Message from "@millrace/codec/Message"
import type { Output } from "@millrace/codec/Output"
import type { CallHeaderFields, Encoding } from "../../RawCall.ts"
import type { Encode } from "../../RawStream.ts"
import * as Checksum from "../ttheader/checksum.ts"
import { HeaderError, patchLength, writeHeader } from "../ttheader/header.ts"
import { encodeChecksumInfo, encodeInfo, patchChecksum } from "../ttheader/info.ts"
import type { CallOptions } from "./api.ts"
import { headerRefused, headerTooLarge } from "./errors.ts"
import type { CallOutbox } from "../callOutbox.ts"

/** @internal */
export const hasHeader = (encoding: Encoding): boolean => encoding === "ttheader" || encoding === "ttheader-framed"

const isFramed = (encoding: Encoding): boolean => encoding === "framed" || encoding === "ttheader-framed"

/** A struct without members. @internal */
export const encodeEmpty: Encode<undefined> = (_, out) => {
  out.ensure(1)
  out.buffer[out.position++] = 0
}

/** The checksum of what was written from `start` on, segments included. */
const checksumOf = (out: Output, start: number, firstSegment: number): number => {
  const { buffer, position, segments } = out
  let crc = 0
  let from = start
  for (let i = firstSegment; i < segments.length; i++) {
    const { at, bytes } = segments[i]!
    crc = Checksum.update(crc, buffer, from, at)
    crc = Checksum.update(crc, bytes, 0, bytes.length)
    from = at
  }
  return Checksum.update(crc, buffer, from, position)
}

type WriterOptions = Pick<CallOptions, "checksum" | "maxSentHeaderFields" | "maxSentTTHeaderSize">

/** @internal */
export class MessageWriter {
  private readonly outbox: CallOutbox
  private readonly options: WriterOptions

  constructor(outbox: CallOutbox, options: WriterOptions) {
    this.outbox = outbox
    this.options = options
  }

  /** Writes a message and gives the bytes of its body. When it throws, nothing was written. */
  write<A>(
    encoding: Encoding,
    flags: number,
    fields: CallHeaderFields,
    envelope: Message.Envelope,
    body: A,
    encode: Encode<A>
  ): number {
    const out = this.outbox.open()
    const start = out.position
    const firstSegment = out.segments.length
    try {
      const bodySize = hasHeader(encoding)
        ? this.writeWithHeader(out, encoding, flags, fields, envelope, body, encode)
        : writePayload(out, encoding, envelope, body, encode)
      this.outbox.commit(sizeFrom(out, start, firstSegment))
      return bodySize
    } catch (error) {
      this.outbox.rewind(start, firstSegment)
      throw error instanceof HeaderError ? headerRefused(error.message) : error
    }
  }

  private writeWithHeader<A>(
    out: Output,
    encoding: Encoding,
    flags: number,
    fields: CallHeaderFields,
    envelope: Message.Envelope,
    body: A,
    encode: Encode<A>
  ): number {
    const firstSegment = out.segments.length
    const { maxSentHeaderFields, maxSentTTHeaderSize } = this.options
    const count = fields.ints.length + fields.strings.length + (this.options.checksum ? 1 : 0)
    if (count > maxSentHeaderFields) throw headerTooLarge("maxSentHeaderFields", maxSentHeaderFields, count)
    const checksum = this.options.checksum ? encodeChecksumInfo(fields) : undefined
    const info = checksum?.bytes ?? encodeInfo(fields)
    const { length } = info
    if (length > maxSentTTHeaderSize) throw headerTooLarge("maxSentTTHeaderSize", maxSentTTHeaderSize, length)
    const place = writeHeader(out, flags, envelope.sequenceId, info)
    const payloadAt = out.position
    const bodySize = writePayload(out, encoding, envelope, body, encode)
    patchLength(out, place, firstSegment)
    if (checksum !== undefined) patchChecksum(out, place, checksum, checksumOf(out, payloadAt, firstSegment))
    return bodySize
  }
}

const writePayload = <A>(
  out: Output,
  encoding: Encoding,
  envelope: Message.Envelope,
  body: A,
  encode: Encode<A>
): number => {
  const firstSegment = out.segments.length
  const framed = isFramed(encoding)
  const frameAt = out.position
  if (framed) {
    out.ensure(4)
    out.position = frameAt + 4
  }
  Message.write(envelope, out)
  const bodyAt = out.position
  encode(body, out)
  if (framed) patchLength(out, frameAt, firstSegment)
  return sizeFrom(out, bodyAt, firstSegment)
}

const sizeFrom = (out: Output, start: number, firstSegment: number): number => {
  let size = out.position - start
  const { segments } = out
  for (let i = firstSegment; i < segments.length; i++) size += segments[i]!.bytes.length
  return size
}
