/**
 * What the calls of a handler carry on of the values that came with its call. Whoever called may have sent more than fits
 * beside the handler's own: that must not make its calls fail, so what does not fit ends here.
 *
 * @internal
 */
import type { MetadataEntries } from "@millrace/transport/Metadata"
import { type Metainfo, toStrings } from "@millrace/transport/Metainfo"
import type { CallEntries } from "@millrace/transport/RawCall"
import type { SentLimits } from "@millrace/transport/Transport"
import type { Values } from "./callContext.ts"
import type { HandledCall } from "./currentCall.ts"

// Names and ids of honest callers are shorter.
const longestName = 256
const longestLogId = 1024

// For what a call says beside metainfo: the keys of the protocol, a log id, what hooks set.
const otherEntries = 32
const otherBytes = 16 * 1024

/** As much as servers take of the headers of a request, unless they are told otherwise. */
const headerListSize = 64 * 1024

// A name stands behind `rpc-persist-` in HTTP/2, which adds 32 for each field; behind `RPC_PERSIST_` and two lengths in a TTHeader.
const aroundField = 12 + 32
const aroundEntry = 12 + 4

/** The method that a fiber serves, as its calls name it: empty where a stranger has made the name up. @internal */
export const servedMethod = (call: HandledCall | undefined): string =>
  call === undefined || call.info.unknown === true || call.info.method.length > longestName ? "" : call.info.method

/** The log id that came with the call that a fiber serves. @internal */
export const servedLogId = (call: HandledCall | undefined): string | undefined => {
  const logId = call?.info.logId
  return logId === undefined || logId.length > longestLogId ? undefined : logId
}

interface Room {
  entries: number
  bytes: number
  /** Bytes that an entry costs beside its key and value. */
  readonly around: number
}

/** One client's calls. @internal */
export class Hops {
  readonly #fields: Readonly<Room>
  readonly #header: Readonly<Room>
  readonly #warn: (message: string) => void
  #warned = false
  #written: { readonly values: Values; readonly entries: CallEntries } | undefined

  constructor(limits: SentLimits | undefined, warn: (message: string) => void) {
    const { maxSentHeaderFields = 256, maxSentTTHeaderSize = 128 * 1024 } = limits ?? {}
    const entries = maxSentHeaderFields - otherEntries
    this.#fields = { entries, bytes: headerListSize - otherBytes, around: aroundField }
    this.#header = { entries, bytes: maxSentTTHeaderSize - otherBytes, around: aroundEntry }
    this.#warn = warn
  }

  /** The values that fit into request headers beside the caller's metadata: the same object where all do. */
  headers(values: Values, call: HandledCall | undefined, metadata: MetadataEntries, legacy: boolean): Values {
    if (call === undefined) return values
    return this.#fitting(
      values,
      call.metainfo,
      metadata.length === 0 ? this.#fields : beside(metadata, this.#fields),
      legacy
    )
  }

  /**
   * The values that fit into a TTHeader beside the caller's metadata, as they are spelled there: the same array as long as calls say the
   * same.
   */
  entries(values: Values, call: HandledCall | undefined, metadata = noMetadata, legacy = false): CallEntries {
    const room = metadata.length === 0 ? this.#header : beside(metadata, this.#header)
    const fitting = call === undefined ? values : this.#fitting(values, call.metainfo, room, legacy)
    // Not a WeakMap: values made for one call are many, and dear to the collector as its keys.
    if (this.#written?.values !== fitting) {
      this.#written = { values: fitting, entries: toStrings(legacy ? withUpstream(fitting) : fitting) }
    }
    return this.#written.entries
  }

  #fitting(values: Values, received: Metainfo, room: Readonly<Room>, legacy: boolean): Values {
    const { persistent, transient, upstream } = values
    const sent = legacy ? [transient, persistent, upstream] : [transient, persistent]
    if (fitsSurely(sent, room)) return values
    const left = { ...room }
    const mine = (key: string, value: string) => received.persistent.get(key) !== value
    for (const [key, value] of transient) take(left, key, value)
    for (const [key, value] of persistent) if (mine(key, value)) take(left, key, value)
    const fits = (key: string, value: string) =>
      left.entries > 0 && sizeOf(key, value, left.around) <= left.bytes && take(left, key, value)
    const kept = new Map([...persistent].filter(([key, value]) => mine(key, value) || fits(key, value)))
    const passed = legacy ? new Map([...upstream].filter(([key, value]) => fits(key, value))) : upstream
    const dropped = persistent.size - kept.size + upstream.size - passed.size
    if (dropped === 0) return values
    this.#warnOfDrop(dropped)
    return { transient, persistent: kept, upstream: passed }
  }

  #warnOfDrop(count: number): void {
    if (this.#warned) return
    this.#warned = true
    this.#warn(
      `${count} metainfo values that came with a call are not sent on: beside the handler's own they are more than fits into the headers of a call (maxSentHeaderFields, maxSentTTHeaderSize). This client says so once.`
    )
  }
}

const noMetadata: MetadataEntries = []

/** What came in goes on; what was set here stands in its place. */
const withUpstream = ({ persistent, transient, upstream }: Values): Metainfo =>
  upstream.size === 0 ? { persistent, transient } : { persistent, transient: new Map([...upstream, ...transient]) }

const beside = (metadata: MetadataEntries, { around, bytes, entries }: Readonly<Room>): Room => {
  let taken = 0
  for (const [key, value] of metadata) {
    taken += typeof value === "string" ? sizeOf(key, value, around) : key.length + value.length * (4 / 3) + around
  }
  return { entries: entries - metadata.length, bytes: bytes - taken, around }
}

const take = (left: Room, key: string, value: string): true => {
  left.entries--
  left.bytes -= sizeOf(key, value, left.around)
  return true
}

/** Without a look at the texts: no unit of a text is more than three bytes. */
const fitsSurely = (maps: ReadonlyArray<ReadonlyMap<string, string>>, room: Readonly<Room>): boolean => {
  let count = 0
  let bytes = 0
  for (const map of maps) {
    count += map.size
    for (const [key, value] of map) bytes += (key.length + value.length) * 3 + room.around
  }
  return count === 0 || (count <= room.entries && bytes <= room.bytes)
}

const encoder = new TextEncoder()

const sizeOf = (key: string, value: string, around: number): number => encoder.encode(key + value).length + around
