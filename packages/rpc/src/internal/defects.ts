/**
 * Where defects go of what a client asks on its way, whom no call may fail by.
 *
 * @internal
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { OnDefect } from "./admitted.ts"

/** @internal */
export const defects =
  (run: (effect: Effect.Effect<void>) => unknown): OnDefect =>
  ({ method, service }, cause: Cause.Cause<unknown>) =>
    void run(Effect.logError(`admission or endpoints of ${service}.${method} died`, cause))
