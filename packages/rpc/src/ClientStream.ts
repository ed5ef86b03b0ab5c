/**
 * The client's end of a stream, one handle a mode. The scope of the call owns it: when the scope closes, a stream that
 * has not ended is cancelled on the wire, and RPCFinish is reported once whatever happened.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import type { BizStatusError } from "./BizStatusError.ts"
import type { Metadata } from "./Metadata.ts"
import type { RpcError } from "./RpcError.ts"

/**
 * What a peer or the transport may end a call with, beside the declared exceptions of a method.
 *
 * @since 0.1.0
 * @category errors
 */
export type CallError = RpcError | BizStatusError

/**
 * What every handle can do.
 *
 * @since 0.1.0
 * @category models
 */
export interface Base {
  /** Resets both directions (RST_STREAM CANCEL, or an Rst frame that says who cancels) and ends the call. Idempotent. */
  readonly cancel: Effect.Effect<void>
  /** Ends the call by agreement, with the error that RPCFinish shall report. Kitex's FinishStream. Idempotent. */
  readonly finish: (error?: RpcError) => Effect.Effect<void>
  /** Waits for the response headers; empty when the server answered with trailers alone. */
  readonly header: Effect.Effect<Metadata, CallError>
  /** Waits for the end of the stream and gives its trailers; fails when the stream failed without any. */
  readonly trailer: Effect.Effect<Metadata, CallError>
}

/**
 * Requests and responses in any order. `send` is done when the message is in the local buffer and waits while that is
 * full; `recv` fails with `Cause.Done` at the end; `closeSend` is the half close. One `send` and one `recv` at a time:
 * a second is a defect. A `recv` that is interrupted, timed out or raced loses no message and leaves the stream usable.
 *
 * @since 0.1.0
 * @category models
 */
export interface Bidirectional<Req, Res> extends Base {
  readonly send: (message: Req) => Effect.Effect<void, CallError>
  readonly recv: Pull.Pull<Res, CallError>
  readonly closeSend: Effect.Effect<void, CallError>
}

/**
 * Many requests, one response.
 *
 * @since 0.1.0
 * @category models
 */
export interface ClientStreaming<Req, Res> extends Base {
  readonly send: (message: Req) => Effect.Effect<void, CallError>
  /** Half close, then the one response; the call is finished before it returns. */
  readonly closeAndRecv: Effect.Effect<Res, CallError>
}

/**
 * One request, many responses.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServerStreaming<Res> extends Base {
  readonly recv: Pull.Pull<Res, CallError>
}

/**
 * The handle of any streaming mode, as middleware around streams sees it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Any extends Base {
  readonly send?: (message: any) => Effect.Effect<void, CallError>
  readonly recv?: Pull.Pull<any, CallError>
  readonly closeSend?: Effect.Effect<void, CallError>
  readonly closeAndRecv?: Effect.Effect<any, CallError>
}
