/**
 * The server's end of a bidirectional stream, for handlers that receive and send in an order of their own.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import type { RpcError } from "./RpcError.ts"

/**
 * The handle of a duplex handler. One `recv` and one `send` at a time. `recv` fails with `Cause.Done` when the client
 * has half-closed; a handler that lets it through ends its call normally. `send` is done when the message is in the
 * local buffer, and waits while that is full. A `recv` that is interrupted or timed out loses no message.
 *
 * @since 0.1.0
 * @category models
 */
export interface Bidirectional<Req, Res> {
  readonly recv: Pull.Pull<Req, RpcError>
  readonly send: (message: Res) => Effect.Effect<void, RpcError>
}
