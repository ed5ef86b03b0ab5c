/**
 * The answer to a client that speaks TTHeader streaming, which is not served: a Trailer frame that ends the stream of its
 * first frame with an exception.
 *
 * @internal
 */
import { ExceptionType, MessageType, write, writeException } from "@millrace/codec/Message"
import { Output } from "@millrace/codec/Output"
import { patchLength, sequenceIdAt, writeHeader } from "../ttheader/header.ts"
import { encodeInfo } from "../ttheader/info.ts"
import { Flag, IntKey } from "../ttheader/keys.ts"

/** Bytes of a frame up to the id of its stream. @internal */
export const streamIdEnd = 12

const frameType = { key: 27, trailer: "4" } as const
/** PROTOCOL_ID of a Thrift struct without an envelope. */
const thriftStruct = 0x10
/** The client knows its stream by the id, and reads no name. */
const method = "stream"

/** The Trailer for the frame that `bytes` begin with, of which `streamIdEnd` bytes are enough. @internal */
export const refusal = (bytes: Uint8Array): Uint8Array => {
  const streamId = sequenceIdAt(bytes, 0)
  const info = encodeInfo({
    strings: [],
    ints: [
      [IntKey.ToMethod, method],
      [frameType.key, frameType.trailer]
    ]
  })
  info[0] = thriftStruct
  const out = new Output(256)
  const start = writeHeader(out, Flag.Streaming, streamId, info)
  write({ type: MessageType.Exception, method, sequenceId: streamId }, out)
  writeException({ type: ExceptionType.InternalError, message: "TTHeader streaming is not served by this server" }, out)
  patchLength(out, start, 0)
  return out.toBytes()
}
