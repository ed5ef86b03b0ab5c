/**
 * Options with their defaults filled in.
 *
 * @internal
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Random from "effect/Random"
import type { Compression, SentLimits } from "../../Transport.ts"
import type { TransportError } from "../../TransportError.ts"
import type { ClientOptions, ConnectionOptions, ServerOptions } from "../../TransportOptions.ts"
import { maxInt31 } from "../http2/frames.ts"
import { defaultLimits, defaultSendBufferLimit, withDefaults } from "../http2/limits.ts"
import { defaultWindow } from "../http2/settings.ts"
import type { CallOptions } from "../pingpong/api.ts"
import type { StreamingOptions } from "../ttstream/api.ts"
import type { CallClientOptions } from "./callClient.ts"
import type { DriverOptions } from "./driver.ts"
import { poolExhausted, tooManyConnections } from "./errors.ts"
import type { Http2Options } from "./http2Driver.ts"
import type { KeepaliveOptions } from "./keepalive.ts"
import type { StreamingDriverOptions } from "./ttstreamDriver.ts"

const defaultTTHeaderSize = 128 * 1024
const defaultReceiveMessageSize = 4 * 1024 * 1024 + 64 * 1024
const defaultConnectionBufferLimit = 64 * 1024 * 1024

/** @internal */
export const millis = (input: Duration.Input | undefined, fallback: number): number =>
  input === undefined ? fallback : Duration.toMillis(input)

/** Milliseconds of each step of a handshake. @internal */
export const handshakeTimeout = (options: ServerOptions): number => millis(options.handshakeTimeout, 10_000)

/** Kitex too ignores windows smaller than those a peer may count on before it has our SETTINGS. */
const window = (bytes: number | undefined): number | undefined =>
  bytes === undefined ? undefined : Math.min(Math.max(Math.trunc(bytes), defaultWindow), maxInt31)

/** What we say in headers: more is refused before it is sent. @internal */
export const sentLimits = (options: ConnectionOptions): SentLimits => ({
  maxSentHeaderFields: options.maxSentHeaderFields ?? defaultLimits.maxHeaderFields,
  maxSentTTHeaderSize: options.maxSentTTHeaderSize ?? defaultTTHeaderSize
})

/** @internal */
export const callOptions = (options: ConnectionOptions): CallOptions => ({
  maxCallSize: options.maxCallSize ?? 64 * 1024 * 1024,
  ...sentLimits(options),
  maxTTHeaderSize: options.limits?.maxTTHeaderSize ?? defaultTTHeaderSize,
  maxHeaderFields: options.limits?.maxHeaderFields ?? defaultLimits.maxHeaderFields,
  maxConcurrentCalls: options.limits?.maxConcurrentStreams ?? defaultLimits.maxConcurrentStreams,
  connectionBufferLimit: options.connectionBufferLimit ?? defaultConnectionBufferLimit,
  checksum: options.checksum ?? false
})

/** What a transport adds to the options of its user. @internal */
export interface Platform {
  readonly clock: Clock.Clock
  readonly random: Random.Random
  /** Runs a function at the end of this tick. */
  readonly defer: (run: () => void) => void
  readonly compression: Compression | undefined
  readonly onDefect: (cause: unknown) => void
  /** A warning to whoever runs the program. */
  readonly log: (message: string) => void
  /** Time enough for what a peer has sent to arrive. */
  readonly arrival: Effect.Effect<void>
}

/** How old a connection may be, within 10 %. */
const ages = (options: ConnectionOptions, { random }: Platform): (() => number) => {
  const age = millis(options.maxConnectionAge, 0)
  if (!(age > 0 && Number.isFinite(age))) return () => Infinity
  return () => age * (0.9 + 0.2 * random.nextDoubleUnsafe())
}

/** @internal */
export const driverOptions = (options: ConnectionOptions, platform: Platform): DriverOptions => ({
  stalledWriteTimeout: millis(options.stalledWriteTimeout, 30_000),
  idleTimeout: millis(options.idleTimeout, 30 * 60 * 1000),
  maxAge: ages(options, platform),
  now: () => platform.clock.currentTimeMillisUnsafe(),
  defer: platform.defer,
  onDefect: platform.onDefect
})

const keepaliveOptions = ({ keepalive }: ConnectionOptions, time: number): KeepaliveOptions => ({
  time: millis(keepalive?.time, time),
  timeout: millis(keepalive?.timeout, 20_000),
  permitWithoutStream: keepalive?.permitWithoutStream ?? false
})

/** @internal */
export const http2Options = (options: ConnectionOptions, platform: Platform, keepaliveTime: number): Http2Options => ({
  stream: {
    maxReceiveMessageSize: options.maxReceiveMessageSize ?? defaultReceiveMessageSize,
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
  maxSentHeaderFields: sentLimits(options).maxSentHeaderFields,
  keepalive: keepaliveOptions(options, keepaliveTime),
  ...driverOptions(options, platform)
})

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(Math.trunc(value), least), most)

/** Options with their defaults filled in. @internal */
export interface ConnectionPoolOptions {
  readonly maxIdlePerAddress: number
  readonly maxIdleGlobal: number
  readonly minIdlePerAddress: number
  readonly maxPerAddress: number
  /** What to say to whoever needs one more. */
  readonly exhausted: (address: string, max: number) => TransportError
  /** Calls or streams that share a connection; one more gets another. */
  readonly perConnection: number
  readonly connectionsPerAddress: number
  /** Milliseconds after which a connection that waits in the pool has waited enough. */
  readonly maxIdleTime: number
  readonly defer: (run: () => void) => void
}

/** Numbers out of their range become what Kitex makes of them (`pkg/connpool/config.go`). */
const poolOptions = (options: ClientOptions, { defer }: Platform): Omit<ConnectionPoolOptions, "perConnection"> => {
  const { pool } = options
  const minIdlePerAddress = clamp(pool?.minIdlePerAddress ?? 0, 0, 5)
  const maxIdlePerAddress = clamp(pool?.maxIdlePerAddress ?? 10, Math.max(1, minIdlePerAddress), Infinity)
  const maxIdleGlobal = pool?.maxIdleGlobal ?? 100
  const maxIdleTime = millis(pool?.maxIdleTime, 60_000)
  return {
    minIdlePerAddress,
    maxIdlePerAddress,
    maxIdleGlobal: Math.max(maxIdleGlobal <= 0 ? 2 ** 20 : maxIdleGlobal, maxIdlePerAddress),
    maxIdleTime: maxIdleTime <= 0 ? 30_000 : Math.max(maxIdleTime, 2000),
    maxPerAddress: clamp(pool?.maxPerAddress ?? 1024, 1, Infinity),
    exhausted: poolExhausted,
    connectionsPerAddress: clamp(options.connectionsPerAddress ?? 1, 1, Infinity),
    defer
  }
}

/** @internal */
export const callPoolOptions = (
  options: ClientOptions,
  platform: Platform
): CallClientOptions & ConnectionPoolOptions => ({
  ...driverOptions(options, platform),
  ...poolOptions(options, platform),
  call: callOptions(options),
  perConnection: clamp(options.callsPerConnection ?? 128, 1, Infinity)
})

/** @internal */
export const streamingOptions = (options: ConnectionOptions): StreamingOptions => {
  const limits = withDefaults(defaultLimits, options.limits)
  return {
    maxReceiveMessageSize: options.maxReceiveMessageSize ?? defaultReceiveMessageSize,
    maxTTHeaderSize: options.limits?.maxTTHeaderSize ?? defaultTTHeaderSize,
    maxHeaderFields: limits.maxHeaderFields,
    ...sentLimits(options),
    maxConcurrentStreams: limits.maxConcurrentStreams,
    resetBudget: limits.resetBudget,
    maxOutboxBytes: limits.maxOutboxBytes,
    sendBufferLimit: options.sendBufferLimit ?? defaultSendBufferLimit,
    streamBufferLimit: options.streamBufferLimit ?? 512 * 1024,
    streamBufferMessages: options.streamBufferMessages ?? 8192,
    connectionBufferLimit: options.connectionBufferLimit ?? defaultConnectionBufferLimit,
    credit: false
  }
}

/** What both ends of a connection of streams are given. @internal */
export const streamingDriverOptions = (
  options: ConnectionOptions,
  platform: Platform,
  after: StreamingDriverOptions["after"],
  keepaliveTime: number
): StreamingDriverOptions => ({
  ...driverOptions(options, platform),
  after,
  stallTimeout: millis(options.stallTimeout, 500),
  keepalive: keepaliveOptions(options, keepaliveTime),
  streaming: streamingOptions(options)
})

/** @internal */
export const streamingPoolOptions = (
  options: ClientOptions,
  platform: Platform,
  after: StreamingDriverOptions["after"]
): StreamingDriverOptions & ConnectionPoolOptions => {
  const shared = (options.streamConnections ?? "multiplexed") === "multiplexed"
  const pool = poolOptions(options, platform)
  const common = streamingDriverOptions(options, platform, after, Infinity)
  return {
    ...common,
    ...pool,
    streaming: { ...common.streaming, credit: options.streamCredit ?? false },
    ...(shared && {
      maxPerAddress: Math.max(pool.connectionsPerAddress, options.maxConnectionsPerAddress ?? 256),
      exhausted: tooManyConnections
    }),
    perConnection: shared ? common.streaming.maxConcurrentStreams : 1
  }
}
