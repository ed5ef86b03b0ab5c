/**
 * SETTINGS (RFC 9113 6.5): what the peer told us, and how ours are written.
 *
 * @internal
 */
import { type ConnectionError, ErrorCode, maxInt31, minFrameSize, readUint32, writeUint32 } from "./frames.ts"

/** @internal */
export const SettingId = {
  HeaderTableSize: 1,
  EnablePush: 2,
  MaxConcurrentStreams: 3,
  InitialWindowSize: 4,
  MaxFrameSize: 5,
  MaxHeaderListSize: 6
} as const

/** Bytes of one entry. @internal */
export const settingSize = 6

/** The window of every stream and of the connection until something else was said (RFC 9113 6.9.2). @internal */
export const defaultWindow = 65_535

/** The size of HPACK's dynamic tables until SETTINGS say otherwise (RFC 9113 6.5.2). @internal */
export const defaultTableSize = 4096

/** What the peer's SETTINGS say; before the first of them, what holds without. @internal */
export class PeerSettings {
  headerTableSize = defaultTableSize
  /** Until the first SETTINGS clients assume 100, as grpc-go and Kitex do. */
  maxConcurrentStreams = 100
  initialWindowSize = defaultWindow
  maxFrameSize = minFrameSize
  maxHeaderListSize = Number.POSITIVE_INFINITY
  received = false

  /** Applies one SETTINGS payload, entry by entry in order. What follows from changed values is the caller's. */
  apply(bytes: Uint8Array, start: number, end: number, fromServer: boolean): ConnectionError | undefined {
    if (!this.received) {
      this.received = true
      this.maxConcurrentStreams = maxInt31
    }
    for (let at = start; at < end; at += settingSize) {
      const id = (bytes[at]! << 8) | bytes[at + 1]!
      const value = readUint32(bytes, at + 2)
      switch (id) {
        case SettingId.HeaderTableSize:
          this.headerTableSize = value
          break
        case SettingId.EnablePush:
          if (value > 1 || (fromServer && value === 1)) return protocol(`SETTINGS_ENABLE_PUSH of ${value}`)
          break
        case SettingId.MaxConcurrentStreams:
          this.maxConcurrentStreams = Math.min(value, maxInt31)
          break
        case SettingId.InitialWindowSize:
          if (value > maxInt31) {
            return { code: ErrorCode.FlowControlError, detail: `SETTINGS_INITIAL_WINDOW_SIZE of ${value}` }
          }
          this.initialWindowSize = value
          break
        case SettingId.MaxFrameSize:
          if (value < minFrameSize || value > 0xffffff) return protocol(`SETTINGS_MAX_FRAME_SIZE of ${value}`)
          this.maxFrameSize = value
          break
        case SettingId.MaxHeaderListSize:
          this.maxHeaderListSize = value
          break
        default:
          break
      }
    }
    return undefined
  }
}

const protocol = (detail: string): ConnectionError => ({ code: ErrorCode.ProtocolError, detail })

/** A SETTINGS payload: id, value, id, value. @internal */
export const encodeSettings = (entries: ReadonlyArray<number>): Uint8Array => {
  const bytes = new Uint8Array((entries.length / 2) * settingSize)
  for (let i = 0, at = 0; i < entries.length; i += 2, at += settingSize) {
    bytes[at] = entries[i]! >>> 8
    bytes[at + 1] = entries[i]!
    writeUint32(bytes, at + 2, entries[i + 1]!)
  }
  return bytes
}
