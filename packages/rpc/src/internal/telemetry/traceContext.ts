/**
 * W3C trace context between processes, in the three spellings of the Kitex world: the plain headers `traceparent`,
 * `tracestate` and `baggage`; over HTTP/2 the transient metainfo of the same names, which arrives in upper case; in a
 * TTHeader the same metainfo verbatim.
 *
 * @internal
 */
import type { MetadataEntries } from "@millrace/transport/Metadata"
import * as Metainfo from "@millrace/transport/Metainfo"
import * as Context from "effect/Context"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import type { RpcInfo, ServerInfo } from "../../RpcInfo.ts"
import * as callContext from "../callContext.ts"

/** What came with a trace, and goes on with it. */
interface Carried {
  readonly traceId: string
  readonly tracestate: string | undefined
  readonly baggage: string | undefined
}

/** @internal */
export const Carried: Context.Reference<Carried | undefined> = Context.Reference<Carried | undefined>(
  "@millrace/rpc/internal/telemetry/Carried",
  { defaultValue: () => undefined }
)

/** The trace that a call belongs to. @internal */
export interface Incoming {
  readonly span: Tracer.ExternalSpan
  /** Undefined when nothing came along. */
  readonly carried: Carried | undefined
}

// What the recommendations ask for at least, and no more than what a header may have.
const longestState = 512
const longestBaggage = 8192

// 2 digits of version, 32 of trace, 16 of span, 2 of flags, and a dash between them.
const parentLength = 55

/** Undefined when it is not one: then the call begins a trace of its own. @internal */
export const parse = (text: string): Tracer.ExternalSpan | undefined => {
  // The longest that a later version may need is not known; what is read are the first 55.
  if (text.length < parentLength || text.length > 512) return undefined
  if (!isHex(text, 0, 2) || !isHex(text, 3, 35) || !isHex(text, 36, 52) || !isHex(text, 53, 55)) return undefined
  if (text[2] !== "-" || text[35] !== "-" || text[52] !== "-") return undefined
  if (text.startsWith("ff")) return undefined
  if (text.length > parentLength && (text[parentLength] !== "-" || text.startsWith("00"))) return undefined
  if (isZero(text, 3, 35) || isZero(text, 36, 52)) return undefined
  return Tracer.externalSpan({
    traceId: text.slice(3, 35),
    spanId: text.slice(36, 52),
    sampled: (Number.parseInt(text[54]!, 16) & 1) === 1
  })
}

const isHex = (text: string, start: number, end: number): boolean => {
  for (let at = start; at < end; at++) {
    const char = text.charCodeAt(at)
    if (!((char >= 0x30 && char <= 0x39) || (char >= 0x61 && char <= 0x66))) return false
  }
  return true
}

const isZero = (text: string, start: number, end: number): boolean => {
  for (let at = start; at < end; at++) if (text.charCodeAt(at) !== 0x30) return false
  return true
}

const overHttp2 = ({ protocol }: RpcInfo): boolean => protocol === "grpc"

type Read = (name: string) => string | undefined

/** @internal */
export const incoming = (info: ServerInfo): Incoming | undefined => {
  const plain: Read = (name) => info.metadata.get(name)
  const metainfo: Read = (name) => {
    const { transient } = info.metainfo
    return transient.get(name) ?? transient.get(name.toUpperCase())
  }
  // A proxy on the way knows the plain header alone: it is the nearer of the two.
  return overHttp2(info) ? (from(plain) ?? from(metainfo)) : (from(metainfo) ?? from(plain))
}

const from = (read: Read): Incoming | undefined => {
  const text = read("traceparent")
  const span = text === undefined ? undefined : parse(text)
  if (span === undefined) return undefined
  const tracestate = atMost(longestState, read("tracestate"))
  const baggage = atMost(longestBaggage, read("baggage"))
  const carried =
    tracestate === undefined && baggage === undefined ? undefined : { traceId: span.traceId, tracestate, baggage }
  return { span, carried }
}

// From a TTHeader comes what no header of HTTP/2 takes, and a trace must not be what a call fails of.
const sendable = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/

const atMost = (length: number, text: string | undefined): string | undefined =>
  text !== undefined && text.length <= length && sendable.test(text) ? text : undefined

/** The nearest span that is to be told of: others are there only for those who look in this process. */
const propagated = (span: Tracer.AnySpan): Tracer.AnySpan | undefined => {
  let nearest: Tracer.AnySpan | undefined = span
  while (nearest !== undefined && Context.get(nearest.annotations, Tracer.DisablePropagation)) {
    nearest = nearest._tag === "Span" ? Option.getOrUndefined(nearest.parent) : undefined
  }
  // A span that is not recorded has words for ids.
  return nearest?.traceId.length === 32 && nearest.spanId.length === 16 ? nearest : undefined
}

/** The second spelling of each name over HTTP/2. */
const transientNames: ReadonlyMap<string, string> = new Map(
  ["traceparent", "tracestate", "baggage"].map((name) => [name, Metainfo.headerName.transient(name)] as const)
)
const isOurs = (key: string): boolean => transientNames.has(key.toLowerCase())

/**
 * What a fiber says with its outgoing calls, and the trace of this one. `extra` goes along as transient metainfo.
 * Undefined when the span is not one to tell of.
 *
 * @internal
 */
export const outgoing = (
  context: Context.Context<never>,
  info: RpcInfo,
  span: Tracer.AnySpan,
  extra: Entries
): callContext.CallContext | undefined => {
  const told = propagated(span)
  if (told === undefined) return undefined
  const trace = `00-${told.traceId}-${told.spanId}-${told.sampled ? "01" : "00"}`
  const carried = Context.get(context, Carried)
  const fiber = new callContext.ContextReader(context)
  const values = callContext.metainfo(fiber)
  const entries: Array<readonly [string, string]> = [["traceparent", trace]]
  if (carried?.tracestate !== undefined && carried.traceId === told.traceId) {
    entries.push(["tracestate", carried.tracestate])
  }
  if (carried?.baggage !== undefined) entries.push(["baggage", carried.baggage])
  return callContext.changed(fiber, (before) =>
    overHttp2(info) ? inHeaders(before, entries, extra, values) : inMetainfo(before, entries, extra, values)
  )
}

type Entries = ReadonlyArray<readonly [string, string]>

// As headers both spellings: metainfo would have to be put together for each call.
const inHeaders = (
  context: callContext.CallContext,
  entries: Entries,
  extra: Entries,
  values: callContext.Values | undefined
): callContext.CallContext => {
  const metadata: Array<MetadataEntries[number]> = [...withoutOurs(context.metadata), ...entries]
  for (const [key, value] of entries) metadata.push([transientNames.get(key)!, value])
  for (const [key, value] of extra) metadata.push([Metainfo.headerName.transient(key), value])
  return {
    ...context,
    metadata,
    metainfo: values === undefined ? undefined : withoutTrace(values)
  }
}

const inMetainfo = (
  context: callContext.CallContext,
  entries: Entries,
  extra: Entries,
  values: callContext.Values | undefined
): callContext.CallContext => {
  const { persistent, transient, upstream } = values === undefined ? noValues : withoutTrace(values)
  return {
    ...context,
    metadata: withoutOurs(context.metadata),
    metainfo: { transient: new Map([...transient, ...entries, ...extra]), upstream, persistent }
  }
}

const noValues: callContext.Values = {
  transient: new Map(),
  upstream: new Map(),
  persistent: new Map()
}

const withoutOurs = (metadata: MetadataEntries): MetadataEntries =>
  metadata.some(([key]) => isOurs(key)) ? metadata.filter(([key]) => !isOurs(key)) : metadata

/** Metainfo that is sent on must not bring the trace of the hop before. */
const withoutTrace = (values: callContext.Values): callContext.Values => {
  const transient = without(values.transient)
  const upstream = without(values.upstream)
  return transient === values.transient && upstream === values.upstream
    ? values
    : { transient, upstream, persistent: values.persistent }
}

const without = (values: ReadonlyMap<string, string>): ReadonlyMap<string, string> => {
  for (const key of values.keys()) {
    if (isOurs(key)) return new Map([...values].filter(([key]) => !isOurs(key)))
  }
  return values
}
