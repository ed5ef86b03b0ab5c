/**
 * Which calls of a client may run, and where they go: its rules of admission, and its endpoints.
 *
 * @internal
 */
import type { ClientTransport } from "@millrace/transport/Transport"
import * as Metadata from "@millrace/transport/Metadata"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Admission } from "../Admission.ts"
import { type Endpoints, fromHostPorts } from "../Endpoints.ts"
import type { RpcError } from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import type { Made } from "../StreamOptions.ts"
import { type Admitted, admit, type OnDefect } from "./admitted.ts"
import type { Reader } from "./callContext.ts"
import { made } from "./made.ts"
import { Placement, type PlacementEnvironment } from "./placement.ts"
import type { Timers } from "./timers.ts"

/** The options of a client that say so. What they require is in the context: whoever made the client was asked for it. */
interface Options {
  readonly hostPorts?: ReadonlyArray<string> | undefined
  readonly endpoints?: Made<Endpoints, unknown> | undefined
  readonly admission?: ReadonlyArray<Made<Admission, unknown>> | undefined
}

interface CallOptions {
  readonly hostPort?: string | undefined
}

/** @internal */
export class ClientGovernance {
  /** There are no others. */
  readonly #only: string | undefined
  readonly #admission: ReadonlyArray<Admission>
  readonly #env: PlacementEnvironment

  constructor(
    only: string | undefined,
    endpoints: Endpoints,
    admission: ReadonlyArray<Admission>,
    timers: Timers,
    onDefect: OnDefect
  ) {
    this.#only = only
    this.#admission = admission
    this.#env = { endpoints, now: () => timers.now(), onDefect }
  }

  /** The address of a call that nobody else decides on or hears of. */
  address(options: CallOptions): string | undefined {
    return this.#admission.length > 0 ? undefined : this.fixed(options)
  }

  /** Where a call goes that needs no choice. */
  fixed(options: CallOptions): string | undefined {
    return options.hostPort ?? this.#only
  }

  /** Whether rules decide on calls. */
  get admits(): boolean {
    return this.#admission.length > 0
  }

  /** An error, or who hears of the call; undefined for nobody. */
  admit(info: RpcInfo): RpcError | Admitted | undefined {
    if (this.#admission.length === 0) return undefined
    const { now, onDefect } = this.#env
    const request = { info, metadata: Metadata.empty, peer: "", now: now() }
    return admit(this.#admission, request, now, onDefect)
  }

  placement(
    info: RpcInfo,
    request: unknown,
    reader: Reader,
    options: CallOptions,
    admitted: Admitted | undefined
  ): Placement {
    return new Placement(this.#env, info, request, reader, this.fixed(options), admitted)
  }
}

/** @internal */
export const makeClientGovernance = Effect.fnUntraced(function* (
  options: Options,
  transport: ClientTransport["Service"],
  timers: Timers,
  run: (effect: Effect.Effect<void>) => unknown
): Effect.fn.Return<ClientGovernance, never, Scope.Scope> {
  const addresses = options.hostPorts ?? ["memory"]
  const only = options.endpoints === undefined && addresses.length === 1 ? addresses[0] : undefined
  const endpoints = options.endpoints === undefined ? fromHostPorts(addresses) : yield* made(options.endpoints)
  const admission = yield* Effect.forEach(options.admission ?? [], made)
  const { onRemoved } = endpoints
  const { retire } = transport
  if (onRemoved !== undefined && retire !== undefined) {
    yield* Effect.acquireRelease(
      Effect.sync(() => onRemoved(retire)),
      (stop) => Effect.sync(stop)
    )
  }
  const onDefect: OnDefect = ({ method, service }, cause) =>
    void run(Effect.logError(`admission or endpoints of ${service}.${method} died`, cause))
  return new ClientGovernance(only, endpoints, admission, timers, onDefect)
})
