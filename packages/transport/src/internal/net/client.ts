/**
 * A client's transport: the pools of its connections.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { ClientTransport } from "../../Transport.ts"
import type { ClientOptions } from "../../TransportOptions.ts"
import { makeCallPool } from "./callPool.ts"
import { type Platform, sentLimits } from "./options.ts"
import type { Dial } from "./socket.ts"
import { makeStreamRoute } from "./streamRoute.ts"

/** @internal */
export const makeClient = Effect.fnUntraced(function* (
  dial: Dial,
  options: ClientOptions,
  platform: Platform
): Effect.fn.Return<ClientTransport["Service"], never, Scope.Scope> {
  const calls = yield* makeCallPool(dial, options, platform)
  const streams = yield* makeStreamRoute(dial, options, platform, calls)
  const retire = (address: string): void => {
    streams.retire(address)
    calls.retire(address)
  }
  return ClientTransport.of({ ...streams, ...calls, retire, sentLimits: sentLimits(options) })
})
