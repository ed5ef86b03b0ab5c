/**
 * What a frame's header alone can break, type by type (RFC 9113 6): the stream it is on and its length.
 *
 * @internal
 */
import { type ConnectionError, ErrorCode, Flag, FrameType } from "./frames.ts"
import { settingSize } from "./settings.ts"

const misplaced = (type: number, streamId: number): ConnectionError => ({
  code: ErrorCode.ProtocolError,
  detail: `a frame of type ${type} on stream ${streamId}`
})

const missized = (type: number, length: number): ConnectionError => ({
  code: ErrorCode.FrameSizeError,
  detail: `a frame of type ${type} of ${length} bytes`
})

/** The connection error of a frame of a known type, or undefined. @internal */
export const frameError = (
  type: number,
  flags: number,
  streamId: number,
  length: number
): ConnectionError | undefined => {
  switch (type) {
    case FrameType.Data:
      if (streamId === 0) return misplaced(type, streamId)
      return length === 0 && (flags & Flag.Padded) !== 0 ? missized(type, length) : undefined
    case FrameType.Headers:
    case FrameType.Priority:
      return streamId === 0 ? misplaced(type, streamId) : undefined
    case FrameType.RstStream:
      if (streamId === 0) return misplaced(type, streamId)
      return length === 4 ? undefined : missized(type, length)
    case FrameType.Settings:
      if (streamId !== 0) return misplaced(type, streamId)
      return ((flags & Flag.Ack) !== 0 ? length === 0 : length % settingSize === 0) ? undefined : missized(type, length)
    case FrameType.Ping:
      if (streamId !== 0) return misplaced(type, streamId)
      return length === 8 ? undefined : missized(type, length)
    case FrameType.Goaway:
      if (streamId !== 0) return misplaced(type, streamId)
      return length >= 8 ? undefined : missized(type, length)
    case FrameType.WindowUpdate:
      return length === 4 ? undefined : missized(type, length)
    case FrameType.PushPromise:
      return misplaced(type, streamId)
    default:
      return undefined
  }
}
