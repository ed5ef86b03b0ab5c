/**
 * The call that a fiber handles, for what it does on behalf of that call.
 *
 * @internal
 */
import type { Metainfo } from "@millrace/transport/Metainfo"
import type { RawCancellation } from "@millrace/transport/RawStream"
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Fiber from "effect/Fiber"
import type { RpcInfo } from "../RpcInfo.ts"

/** @internal */
export interface HandledCall {
  /** Calls that the fiber makes say which method they are made by, and carry its log id. */
  readonly info: RpcInfo
  /** What came with the call. */
  readonly metainfo: Metainfo
  /** The handler's own fiber. */
  readonly fiber: Fiber.Fiber<unknown, unknown> | undefined
  /** Why the streams that it has opened end with it; undefined while it goes on. */
  readonly cancellation: RawCancellation | undefined
  /** Set when a fiber of the handler has forked in its turn: whom a defect reaches is then no longer ours to tell. */
  nested: boolean
  /** Puts a value into the answer where it has a place for one; throws for a key that cannot be sent. */
  sendBackwardValue(key: string, value: string): void
  /** A fiber of this call, not the handler's own, has ended with a failure. */
  forkedFailed(cause: Cause.Cause<unknown>): void
}

/** @internal */
export const CurrentCall: Context.Reference<HandledCall | undefined> = Context.Reference<HandledCall | undefined>(
  "@millrace/rpc/internal/currentCall",
  { defaultValue: () => undefined }
)
