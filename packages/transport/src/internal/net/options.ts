/**
 * Options with their defaults filled in.
 *
 * @internal
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import type { Compression } from "../../Transport.ts"
import type { ConnectionOptions, ServerOptions } from "../../TransportOptions.ts"
import { maxInt31 } from "../http2/frames.ts"
import { defaultLimits, defaultSendBufferLimit, withDefaults } from "../http2/limits.ts"
import { defaultWindow } from "../http2/settings.ts"
import type { DriverOptions } from "./driver.ts"

/** @internal */
export const millis = (input: Duration.Input | undefined, fallback: number): number =>
  input === undefined ? fallback : Duration.toMillis(input)

/** Milliseconds of each step of a handshake. @internal */
export const handshakeTimeout = (options: ServerOptions): number => millis(options.handshakeTimeout, 10_000)

/** Kitex too ignores windows smaller than those a peer may count on before it has our SETTINGS. */
const window = (bytes: number | undefined): number | undefined =>
  bytes === undefined ? undefined : Math.min(Math.max(Math.trunc(bytes), defaultWindow), maxInt31)

/** What a transport adds to the options of its user. @internal */
export interface Platform {
  readonly clock: Clock.Clock
  /** Runs a function at the end of this tick. */
  readonly defer: (run: () => void) => void
  readonly compression: Compression | undefined
  readonly onDefect: (cause: unknown) => void
}

/** @internal */
export const driverOptions = (
  options: ConnectionOptions,
  platform: Platform,
  keepaliveTime: number
): DriverOptions => ({
  stream: {
    maxReceiveMessageSize: options.maxReceiveMessageSize ?? 4 * 1024 * 1024 + 64 * 1024,
    sendBufferLimit: options.sendBufferLimit ?? defaultSendBufferLimit,
    compression: options.compression ?? platform.compression,
    limits: withDefaults(defaultLimits, options.limits)
  },
  flow: {
    connectionWindow: window(options.connectionWindow),
    initialStreamWindow: window(options.initialStreamWindow),
    maxStreamWindow: window(options.maxStreamWindow),
    connectionBufferLimit: options.connectionBufferLimit
  },
  keepalive: {
    time: millis(options.keepalive?.time, keepaliveTime),
    timeout: millis(options.keepalive?.timeout, 20_000),
    permitWithoutStream: options.keepalive?.permitWithoutStream ?? false
  },
  stalledWriteTimeout: millis(options.stalledWriteTimeout, 30_000),
  idleTimeout: millis(options.idleTimeout, 30 * 60 * 1000),
  now: () => platform.clock.currentTimeMillisUnsafe(),
  defer: platform.defer,
  onDefect: platform.onDefect
})
