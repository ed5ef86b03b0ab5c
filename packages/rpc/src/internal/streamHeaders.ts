/**
 * What the streams of one client say in their Header frames (TTHeader streaming), and its unary calls in their TTHeaders. Calls that say
 * the same have the same object, which is encoded once.
 *
 * @internal
 */
import * as HeaderStrings from "@millrace/transport/HeaderStrings"
import type { CallEntries } from "@millrace/transport/RawCall"
import type { StreamHeader } from "@millrace/transport/Transport"
import type { CallOptions } from "../StreamOptions.ts"
import * as callContext from "./callContext.ts"
import { nameOf } from "./cancellation.ts"
import { CurrentCall, type HandledCall } from "./currentCall.ts"
import { servedLogId, servedMethod } from "./hops.ts"
import { entriesOf, type OutgoingOptions } from "./outgoing.ts"
import type { MethodPlan } from "./plan.ts"

type Ints = StreamHeader["fields"]["ints"]

/** A header with what its fiber says. */
interface Extended {
  readonly plain: StreamHeader
  readonly logId: string | undefined
  readonly metainfo: CallEntries
  readonly header: StreamHeader
}

const noEntries: CallEntries = []

// One for each pair of methods: callers and called.
const maxKept = 256

const IntKey = { LogId: 2, FromService: 3, ToService: 6, FromMethod: 20 } as const

/** @internal */
export class StreamHeaders {
  readonly #options: OutgoingOptions
  /** What calls say that say nothing but who calls, outside of handlers by method. */
  readonly #plainOf = new Map<MethodPlan, StreamHeader>()
  readonly #kept = new Map<string, StreamHeader>()
  /** The last that said more. */
  #extended: Extended | undefined

  constructor(options: OutgoingOptions) {
    this.#options = options
  }

  /** A text says why the metadata of the call cannot be sent. */
  get(fiber: callContext.Reader, plan: MethodPlan, metadata: CallOptions["metadata"]): StreamHeader | string {
    const call = fiber.getRef(CurrentCall)
    const context = callContext.of(fiber)
    const plain = this.#plain(plan, call)
    if (context === undefined && call === undefined && metadata === undefined) return plain
    const list = entriesOf(metadata, context)
    const values = context?.metainfo ?? callContext.received(call)
    const logId = context?.logId ?? servedLogId(call)
    const { hops, propagation } = this.#options
    const metainfo = values === undefined ? noEntries : hops.entries(values, call, list, propagation === "legacy")
    if (list.length === 0) return this.#extend(plain, logId, metainfo)
    const strings = HeaderStrings.fromMetadata(list)
    return typeof strings === "string" ? strings : withMore(plain, logId, [...strings, ...metainfo])
  }

  #extend(plain: StreamHeader, logId: string | undefined, metainfo: CallEntries): StreamHeader {
    if (logId === undefined && metainfo.length === 0) return plain
    const last = this.#extended
    if (last !== undefined && last.plain === plain && last.logId === logId && last.metainfo === metainfo) {
      return last.header
    }
    const header = withMore(plain, logId, metainfo)
    this.#extended = { plain, logId, metainfo, header }
    return header
  }

  #plain(plan: MethodPlan, call: HandledCall | undefined): StreamHeader {
    let header = call === undefined ? this.#plainOf.get(plan) : undefined
    if (header !== undefined) return header
    const fromMethod = servedMethod(call)
    const caller = nameOf(this.#options.callerName, call)
    const key = `${plan.path} ${fromMethod} ${caller}`
    header = this.#kept.get(key)
    if (header === undefined) {
      if (this.#kept.size >= maxKept) this.#kept.clear()
      header = this.#make(plan, fromMethod, caller)
      this.#kept.set(key, header)
    }
    if (call === undefined) this.#plainOf.set(plan, header)
    return header
  }

  #make({ method, service }: MethodPlan, fromMethod: string, caller: string): StreamHeader {
    const { callerName, destService } = this.#options
    // A PingPong call always says who calls whom; a stream of a client without a name says nothing, as Kitex's do.
    const ints: Ints =
      callerName === undefined && method.mode !== "unary"
        ? []
        : [
            [IntKey.FromService, callerName ?? ""],
            [IntKey.ToService, destService],
            [IntKey.FromMethod, fromMethod]
          ]
    return { service: service.name_, method: method.name, caller, fields: { ints, strings: noEntries } }
  }
}

const withMore = (plain: StreamHeader, logId: string | undefined, strings: CallEntries): StreamHeader => {
  const { ints } = plain.fields
  const own: Ints = logId === undefined ? ints : [[IntKey.LogId, logId], ...ints]
  return { ...plain, fields: { ints: own, strings } }
}
