/**
 * Frames of the connection itself, on stream 0: SETTINGS, PING, GOAWAY and the WINDOW_UPDATE of the connection. What the
 * peer says with them, within its budgets, and what we say of ourselves.
 *
 * @internal
 */
import type { FlowOptions } from "./flow.ts"
import {
  debugData,
  debugText,
  ErrorCode,
  Flag,
  FrameType,
  maxInt31,
  preface,
  readUint31,
  readUint32,
  writeUint32
} from "./frames.ts"
import type { Host } from "./inbound.ts"
import { Bucket } from "./limits.ts"
import { defaultWindow, encodeSettings, SettingId, settingSize } from "./settings.ts"
import { Event, next } from "./states.ts"
import type { Stream } from "./streams.ts"

/** The connection, as its own frames see it. @internal */
export interface ControlHost extends Host {
  readonly closed: boolean
  /** An answer of ours is in the outbox. */
  answered(): void
  /** Tells the peer of a stream's wider window. */
  announce(stream: Stream, increment: number): void
}

/** SETTINGS_MAX_FRAME_SIZE once a message of that size is on its way. */
const largeFrameSize = 64 * 1024

const noBytes = new Uint8Array(0)

/** @internal */
export class Control {
  /** SETTINGS_MAX_FRAME_SIZE of ours. */
  maxFrameSize: number
  /** A frame of a stream went either way since the last PING of the peer. */
  trafficSincePing = false
  /** The last id of our GOAWAY. */
  goawaySent = maxInt31
  goawayReceived: { readonly last: number; readonly code: number; readonly debug: string } | undefined = undefined
  private readonly host: ControlHost
  private readonly settingsBucket: Bucket
  private readonly pingBucket: Bucket
  /** When our SETTINGS went out, until their ACK: the first measured round trip. */
  private settingsSent: number | undefined

  constructor(host: ControlHost, maxFrameSize: number, now: number | undefined) {
    this.host = host
    this.maxFrameSize = maxFrameSize
    this.settingsBucket = new Bucket(host.limits.settingsBudget)
    this.pingBucket = new Bucket(host.limits.pingBudget)
    this.settingsSent = now
  }

  /** The preface of either side (RFC 9113 3.4). */
  start(flow: FlowOptions): void {
    const { inflow, limits, outbox, role } = this.host
    if (role === "client") outbox.bytes(preface, 0, preface.length)
    const settings = encodeSettings([
      ...(role === "client" ? [SettingId.EnablePush, 0] : []),
      SettingId.MaxFrameSize,
      this.maxFrameSize,
      ...(role === "server" ? [SettingId.MaxConcurrentStreams, limits.maxConcurrentStreams] : []),
      SettingId.InitialWindowSize,
      flow.initialStreamWindow,
      SettingId.MaxHeaderListSize,
      limits.maxHeaderListSize
    ])
    outbox.frame(FrameType.Settings, 0, 0, settings, 0, settings.length)
    const increment = flow.connectionWindow - defaultWindow
    if (increment <= 0) return
    inflow.window += increment
    outbox.frame32(FrameType.WindowUpdate, 0, increment)
  }

  /** A peer with a message of `bytes` may send it in large frames. */
  takeLargeFrames(bytes: number): void {
    if (bytes < largeFrameSize || this.maxFrameSize >= largeFrameSize) return
    this.maxFrameSize = largeFrameSize
    const settings = encodeSettings([SettingId.MaxFrameSize, largeFrameSize])
    this.host.outbox.frame(FrameType.Settings, 0, 0, settings, 0, settings.length)
  }

  ping(payload: Uint8Array): void {
    this.host.outbox.frame(FrameType.Ping, 0, 0, payload, 0, 8)
  }

  /** Either side said that there will be no more streams. */
  get goingAway(): boolean {
    return this.goawayReceived !== undefined || this.goawaySent < maxInt31
  }

  goaway(last: number, code: number, debug: string): void {
    this.goawaySent = Math.min(this.goawaySent, last)
    this.writeGoaway(last, code, debug)
  }

  writeGoaway(last: number, code: number, debug: string): void {
    const text = debugData(debug)
    const payload = new Uint8Array(8 + text.length)
    writeUint32(payload, 0, last)
    writeUint32(payload, 4, code)
    payload.set(text, 8)
    this.host.outbox.frame(FrameType.Goaway, 0, 0, payload, 0, payload.length)
  }

  /** Whether a SETTINGS frame of `length` bytes may be read. */
  admitsSettings(length: number): boolean {
    if (length <= this.host.limits.maxSettingsEntries * settingSize) return true
    this.settingsFlood("too many SETTINGS entries", "maxSettingsEntries")
    return false
  }

  private settingsFlood(detail: string, limit: string): void {
    this.host.counters.settingsFloods++
    this.host.fail(ErrorCode.EnhanceYourCalm, detail, limit)
  }

  onSettings(flags: number, bytes: Uint8Array, start: number, end: number): void {
    const { host } = this
    const { inflow, outbox, peer, sender, streams } = host
    if ((flags & Flag.Ack) !== 0) {
      if (this.settingsSent !== undefined) inflow.measured(host.now - this.settingsSent)
      this.settingsSent = undefined
      inflow.acknowledged(streams.live.values())
      // What was consumed before may be owed only now, and the peer may be waiting for it.
      for (const stream of streams.live.values()) host.announce(stream, inflow.increment(stream.inflow))
      return
    }
    if (!this.settingsBucket.take(host.now)) {
      this.settingsFlood("too many SETTINGS", "settingsBudget")
      return
    }
    const { headerTableSize, initialWindowSize } = peer
    const error = peer.apply(bytes, start, end, host.role === "client")
    if (error !== undefined) {
      host.fail(error.code, error.detail)
      return
    }
    if (peer.headerTableSize !== headerTableSize) sender.encoder.setPeerTableSize(peer.headerTableSize)
    const widened = peer.initialWindowSize - initialWindowSize
    if (widened !== 0) {
      for (const stream of streams.live.values()) {
        if (sender.widen(stream, widened)) continue
        host.fail(ErrorCode.FlowControlError, "SETTINGS_INITIAL_WINDOW_SIZE overflows a stream's window")
        return
      }
    }
    outbox.frame(FrameType.Settings, Flag.Ack, 0, noBytes, 0, 0)
    host.answered()
    if (!host.closed) host.owner.onSettings()
  }

  onPing(flags: number, bytes: Uint8Array, start: number, end: number): void {
    const { host } = this
    if ((flags & Flag.Ack) !== 0) {
      host.owner.onPong(bytes.slice(start, end))
      return
    }
    const free = this.trafficSincePing
    this.trafficSincePing = false
    host.outbox.frame(FrameType.Ping, Flag.Ack, 0, bytes, start, end)
    host.answered()
    if (free || this.pingBucket.take(host.now)) return
    host.counters.pingFloods++
    // The debug data that gRPC peers know.
    host.fail(ErrorCode.EnhanceYourCalm, "too_many_pings", "pingBudget")
  }

  onGoaway(bytes: Uint8Array, start: number, end: number): void {
    const { host } = this
    const last = readUint31(bytes, start)
    const code = readUint32(bytes, start + 4)
    const debug = debugText(bytes, start + 8, end)
    if (host.role === "server") {
      this.goawayReceived = { last, code, debug }
      host.owner.onGoaway(last, code, debug)
      return
    }
    const previous = this.goawayReceived
    if (last > 0 && (last & 1) === 0 && last !== maxInt31) {
      host.fail(ErrorCode.ProtocolError, `received goaway with non-zero even-numbered numbered stream id: ${last}`)
      return
    }
    if (previous !== undefined && last > previous.last) {
      const detail = `received goaway with stream id: ${last}, which exceeds stream id of previous goaway: ${previous.last}`
      host.fail(ErrorCode.ProtocolError, detail)
      return
    }
    this.goawayReceived = { last, code, debug }
    for (const stream of host.streams.live.values()) {
      if (stream.id <= last || stream.closed) continue
      host.streams.move(stream, next(stream.state, Event.ReceiveReset))
      stream.owner?.onAbort({ _tag: "Refused" })
    }
    host.owner.onGoaway(last, code, debug)
  }

  onWindowUpdate(increment: number): void {
    if (increment === 0) this.host.fail(ErrorCode.ProtocolError, "WINDOW_UPDATE of 0")
    else if (!this.host.sender.widenConnection(increment)) {
      this.host.fail(ErrorCode.FlowControlError, "the connection's window overflows")
    }
  }
}
