/**
 * What goes out with a call beside its messages: metadata, metainfo, the log id, who calls. Read from the fiber that
 * makes the call; nothing is made where there is nothing to say.
 *
 * @internal
 */
import type { MetadataEntries } from "@millrace/transport/Metadata"
import { refusal } from "@millrace/transport/Metadata"
import * as Metainfo from "@millrace/transport/Metainfo"
import type { CallEntries } from "@millrace/transport/RawCall"
import type * as Fiber from "effect/Fiber"
import type { CallOptions } from "../StreamOptions.ts"
import * as callContext from "./callContext.ts"
import { CurrentCall, type HandledCall } from "./currentCall.ts"
import { type Hops, servedLogId, servedMethod } from "./hops.ts"
import { fromRecord, lowerCased } from "./metadataEntries.ts"
import { retryKey } from "./retryKey.ts"

/** What one client says for all its streams. @internal */
export interface OutgoingOptions {
  readonly propagation?: "singleHop" | "legacy" | undefined
  readonly callerName?: string | undefined
  readonly destService: string
  readonly hops: Hops
  readonly warn: (message: string) => void
}

// One for each pair of methods: callers and called.
const maxKept = 256

/** Keys of retries, and of traces where a client may go over TTHeader too. */
const knownInBothSpellings: ReadonlySet<string> = new Set([retryKey, "traceparent", "tracestate", "baggage"])

/** The request headers of one client's streams, beside those of the protocol. @internal */
export class OutgoingHeaders {
  readonly #options: OutgoingOptions
  /** What calls say that say nothing but who calls: frozen, so that it is encoded once. */
  readonly #kept = new Map<string, MetadataEntries>()
  #warnedOfChange = false
  #warnedOfDrop = false

  constructor(options: OutgoingOptions) {
    this.#options = options
  }

  /** Undefined for none. An entry that cannot be sent is refused by the transport. */
  get(fiber: callContext.Reader, method: string, metadata: CallOptions["metadata"]): MetadataEntries | undefined {
    const call = fiber.getRef(CurrentCall)
    const context = callContext.of(fiber)
    const { callerName } = this.#options
    if (context === undefined && call === undefined && callerName === undefined && metadata === undefined) {
      return undefined
    }
    const list = lowerCased(entriesOf(metadata, context))
    const values = context?.metainfo ?? callContext.received(call)
    const logId = context?.logId ?? receivedLogId(call)
    const fromMethod = servedMethod(call)
    if (values === undefined && logId === undefined) {
      if (callerName === undefined) return list.length === 0 ? undefined : list
      if (list.length === 0) return this.#whoCalls(callerName, method, fromMethod)
    }
    // Headers of ours stand in place of a user's.
    const named = new Map<string, string>()
    if (values !== undefined) {
      const { hops, propagation } = this.#options
      this.#addMetainfo(named, hops.headers(values, call, list, propagation === "legacy"))
    }
    if (logId !== undefined) named.set(logIdName, logId)
    if (callerName !== undefined) {
      for (const [key, value] of this.#whoCalls(callerName, method, fromMethod)) named.set(key, value as string)
    }
    return [...list.filter(([key]) => !named.has(key)), ...named]
  }

  /** The headers of Kitex's `ClientHTTP2Handler`. */
  #whoCalls(callerName: string, method: string, fromMethod: string): MetadataEntries {
    const key = `${method} ${fromMethod}`
    let entries = this.#kept.get(key)
    if (entries === undefined) {
      if (this.#kept.size >= maxKept) this.#kept.clear()
      entries = Object.freeze([
        ["destination-service", this.#options.destService],
        ["destination-method", method],
        ["source-service", callerName],
        ["source-method", refusal("source-method", fromMethod) === undefined ? fromMethod : ""]
      ] as const)
      this.#kept.set(key, entries)
    }
    return entries
  }

  #addMetainfo(into: Map<string, string>, { persistent, transient, upstream }: callContext.Values): void {
    if (this.#options.propagation === "legacy") this.#add(into, Metainfo.headerName.transient, upstream)
    this.#add(into, Metainfo.headerName.transient, transient)
    this.#add(into, Metainfo.headerName.persistent, persistent)
  }

  #add(into: Map<string, string>, nameOf: (key: string) => string, values: ReadonlyMap<string, string>): void {
    for (const [key, value] of values) {
      const name = nameOf(key)
      const why = refusal(name, value)
      if (why !== undefined) this.#warnOfDrop(key, why)
      else {
        const arrives = Metainfo.receivedKey(key)
        if (arrives !== key && !knownInBothSpellings.has(key)) this.#warnOfChange(key, arrives)
        into.set(name, value)
      }
    }
  }

  #warnOfChange(key: string, arrives: string): void {
    if (this.#warnedOfChange) return
    this.#warnedOfChange = true
    this.#options.warn(
      `The metainfo key ${JSON.stringify(key)} arrives as ${JSON.stringify(arrives)}, as all keys over HTTP/2 do: write keys in UPPER_SNAKE. This client says so once, whatever other keys there are.`
    )
  }

  #warnOfDrop(key: string, why: string): void {
    if (this.#warnedOfDrop) return
    this.#warnedOfDrop = true
    this.#options.warn(
      `The metainfo value of ${JSON.stringify(key.slice(0, 64))} is not sent over HTTP/2: ${why.slice(0, 200)}. Keys are letters, digits and _, values are text without control characters. This client says so once, whatever other keys there are.`
    )
  }
}

const logIdName = "stream-log-id"

/** One that came in a TTHeader may hold what no header does: it ends here. */
const receivedLogId = (call: HandledCall | undefined): string | undefined => {
  const logId = servedLogId(call)
  return logId === undefined || refusal(logIdName, logId) !== undefined ? undefined : logId
}

const noEntries: MetadataEntries = []

/** The metadata of a call: its own, and what is set around it. @internal */
export const entriesOf = (
  metadata: CallOptions["metadata"],
  context: callContext.CallContext | undefined
): MetadataEntries => {
  const own = metadata === undefined ? noEntries : fromRecord(metadata)
  return context === undefined ? own : own.length === 0 ? context.metadata : [...own, ...context.metadata]
}

/** What goes into the TTHeader of a call. @internal */
export interface OutgoingStrings {
  readonly logId: string | undefined
  /** Metainfo. The same values are the same object: the header that has them is encoded once. */
  readonly strings: CallEntries
}

const noStrings: CallEntries = []

/** What the fiber, which handles `call`, says in a TTHeader; undefined for nothing. @internal */
export const strings = (
  fiber: Fiber.Fiber<unknown, unknown>,
  call: HandledCall | undefined,
  hops: Hops
): OutgoingStrings | undefined => {
  const context = callContext.of(fiber)
  if (context === undefined && call === undefined) return undefined
  const values = context?.metainfo ?? callContext.received(call)
  const logId = context?.logId ?? servedLogId(call)
  if (values === undefined) return logId === undefined ? undefined : { logId, strings: noStrings }
  return { logId, strings: hops.entries(values, call) }
}
