/**
 * A client's connections of PingPong calls.
 *
 * @internal
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { CallTarget } from "../../RawCall.ts"
import type { ClientOptions } from "../../TransportOptions.ts"
import { CallClient } from "./callClient.ts"
import { type ConnectionPool, makeConnectionPool } from "./connectionPool.ts"
import { dialTimeouts } from "./dial.ts"
import { callPoolOptions, type Platform } from "./options.ts"
import type { Dial } from "./socket.ts"

/** `tryLease`, `lease` and `retire` of the client transport. @internal */
export const makeCallPool = (
  dial: Dial,
  options: ClientOptions,
  platform: Platform
): Effect.Effect<ConnectionPool<CallTarget, CallClient>, never, Scope.Scope> => {
  const settings = callPoolOptions(options, platform)
  return makeConnectionPool(
    dial,
    dialTimeouts(options),
    settings,
    (socket, owner, target: CallTarget) => new CallClient(socket, settings, owner, target.encoding)
  )
}
