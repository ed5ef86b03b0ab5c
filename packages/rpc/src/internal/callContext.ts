/**
 * What a fiber says with its outgoing calls: metadata, metainfo, a log id. One immutable record in one reference, so that
 * a call looks it up once.
 *
 * @internal
 */
import type { MetadataEntries } from "@millrace/transport/Metadata"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { CurrentCall, type HandledCall } from "./currentCall.ts"

/** Metainfo of a fiber. @internal */
export interface Values {
  /** Sent with the next call. */
  readonly transient: ReadonlyMap<string, string>
  /** Transient when it came in: read here, and sent on only by `propagation: "legacy"`. */
  readonly upstream: ReadonlyMap<string, string>
  /** Sent with every call down the chain. */
  readonly persistent: ReadonlyMap<string, string>
}

/** @internal */
export interface CallContext {
  /** The call that the fiber handled when this was made: what was set around another call is not meant for this one. */
  readonly owner: HandledCall | undefined
  readonly metadata: MetadataEntries
  /** Undefined: what came with the call that the fiber handles. */
  readonly metainfo: Values | undefined
  /** Undefined: that of the call that the fiber handles. */
  readonly logId: string | undefined
  /** Where the backward values of answers go. */
  readonly backward: Map<string, string> | undefined
}

/** @internal */
export const Current: Context.Reference<CallContext | undefined> = Context.Reference<CallContext | undefined>(
  "@millrace/rpc/internal/callContext",
  { defaultValue: () => undefined }
)

const noEntries: MetadataEntries = []

/** Where the references of a call are read: its fiber. @internal */
export type Reader = Pick<Fiber.Fiber<unknown, unknown>, "getRef">

/** A context where that of a fiber would be read. @internal */
export class ContextReader implements Reader {
  readonly #context: Context.Context<never>

  constructor(context: Context.Context<never>) {
    this.#context = context
  }

  getRef<A>(key: Context.Reference<A>): A {
    return Context.get(this.#context, key)
  }
}

/** The record of the fiber, if what it says belongs to the call that the fiber handles. @internal */
export const of = (fiber: Reader): CallContext | undefined => {
  const context = fiber.getRef(Current)
  return context !== undefined && context.owner === fiber.getRef(CurrentCall) ? context : undefined
}

/** The record of the fiber with a change. @internal */
export const changed = (fiber: Reader, change: (context: CallContext) => CallContext): CallContext =>
  change(
    of(fiber) ?? {
      owner: fiber.getRef(CurrentCall),
      metadata: noEntries,
      metainfo: undefined,
      logId: undefined,
      backward: undefined
    }
  )

/** @internal */
export const update = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  change: (context: CallContext) => CallContext
): Effect.Effect<A, E, R> => Effect.withFiber((fiber) => Effect.provideService(self, Current, changed(fiber, change)))

/** @internal */
export const logId = (fiber: Reader): string | undefined => of(fiber)?.logId ?? fiber.getRef(CurrentCall)?.info.logId

const noValues: ReadonlyMap<string, string> = new Map()

/** No metainfo at all. @internal */
export const none: Values = { transient: noValues, upstream: noValues, persistent: noValues }

/** The metainfo that came with a call, as a call of its handler has it; undefined when there is none. @internal */
export const received = (call: HandledCall | undefined): Values | undefined => {
  const metainfo = call?.metainfo
  if (metainfo === undefined || (metainfo.transient.size === 0 && metainfo.persistent.size === 0)) return undefined
  return { transient: noValues, upstream: metainfo.transient, persistent: metainfo.persistent }
}

/** The metainfo of the fiber; undefined when it has none. @internal */
export const metainfo = (fiber: Reader): Values | undefined =>
  of(fiber)?.metainfo ?? received(fiber.getRef(CurrentCall))
