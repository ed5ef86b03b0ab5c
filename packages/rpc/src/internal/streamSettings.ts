/**
 * The options of a stream with their durations in milliseconds.
 *
 * @internal
 */
import * as Duration from "effect/Duration"
import type { ForClient } from "../Middleware.ts"
import type { Admission } from "../Admission.ts"
import type { Endpoints } from "../Endpoints.ts"
import type { CallOptions, Made, StreamClientOptions } from "../StreamOptions.ts"
import { type Budgets, defaultStallWarning, millis } from "./budgets.ts"

/** What middleware requires is in the context: whoever made the client was asked for it. @internal */
export type AnyOptions = StreamClientOptions<
  ReadonlyArray<ForClient<unknown>>,
  Made<Endpoints, unknown>,
  ReadonlyArray<Made<Admission, unknown>>
>

/** 0 is none, but for `timeout`, where infinite is. @internal */
export interface StreamCallSettings extends Omit<Budgets, "deadline"> {
  readonly timeout: number
  readonly connectTimeoutMillis: number | undefined
  readonly compressor: "gzip" | undefined
}

/** @internal */
export const settingsOf = (options: AnyOptions | CallOptions): StreamCallSettings => ({
  // A timeout of zero has passed: it must not mean "none".
  timeout: options.timeout === undefined ? Infinity : Duration.toMillis(options.timeout),
  firstMessage: millis(options.firstMessageTimeout),
  recv: millis(options.recvTimeout),
  recvFailsAlone: options.recvTimeoutCancels === false,
  send: millis(options.sendTimeout),
  stallWarning: millis(options.stallWarning, defaultStallWarning),
  connectTimeoutMillis: options.connectTimeout === undefined ? undefined : millis(options.connectTimeout) || undefined,
  compressor: options.compressor
})

/** Calls that say nothing have this object. @internal */
export const noOptions: CallOptions = {}
