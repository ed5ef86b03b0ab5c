/**
 * The TTHeader of a method's calls. Calls that have the same header get the same object, which is encoded once.
 *
 * @internal
 */
import type { CallEntries, CallHeaderFields } from "@millrace/transport/RawCall"
import type { RpcInfo } from "../RpcInfo.ts"

/** What goes into the header of a call beside its method. */
interface CallHeader {
  readonly framed: boolean
  /** Whole milliseconds that are left of the call; undefined for no end. */
  readonly rpcTimeout: number | undefined
  readonly connectTimeout: number | undefined
  /** The method that the caller serves; empty when it serves none. */
  readonly fromMethod: string
}

/** A header with what its fiber says. */
interface Extended {
  readonly plain: CallHeaderFields
  readonly logId: string | undefined
  readonly strings: CallEntries
  readonly fields: CallHeaderFields
}

const noStrings: CallEntries = []

// Timeouts that shrink from call to call would make more; encoding one costs about a microsecond.
const maxHeaders = 256

/** @internal */
export class CallHeaders {
  readonly #info: RpcInfo
  readonly #callerName: string
  readonly #destService: string
  readonly #made = new Map<string, CallHeaderFields>()
  #last: CallHeader | undefined
  #fields: CallHeaderFields | undefined
  /** The last that said more than its method and timeouts. */
  #extended: Extended | undefined

  constructor(info: RpcInfo, callerName: string, destService: string) {
    this.#info = info
    this.#callerName = callerName
    this.#destService = destService
  }

  /** `strings` that are the same from call to call are the same object. */
  get(
    framed: boolean,
    rpcTimeout: number | undefined,
    connectTimeout: number | undefined,
    fromMethod: string,
    logId?: string,
    strings: CallEntries = noStrings
  ): CallHeaderFields {
    const plain = this.#plain(framed, rpcTimeout, connectTimeout, fromMethod)
    if (logId === undefined && strings.length === 0) return plain
    const last = this.#extended
    if (last !== undefined && last.plain === plain && last.logId === logId && last.strings === strings) {
      return last.fields
    }
    const [transportType, ...ints] = plain.ints
    const fields = {
      ints: logId === undefined ? plain.ints : [transportType!, [2, logId] as const, ...ints],
      strings: [...plain.strings, ...strings]
    }
    this.#extended = { plain, logId, strings, fields }
    return fields
  }

  #plain(
    framed: boolean,
    rpcTimeout: number | undefined,
    connectTimeout: number | undefined,
    fromMethod: string
  ): CallHeaderFields {
    const last = this.#last
    if (
      last !== undefined &&
      last.rpcTimeout === rpcTimeout &&
      last.framed === framed &&
      last.connectTimeout === connectTimeout &&
      last.fromMethod === fromMethod
    ) {
      return this.#fields!
    }
    const key = `${framed} ${rpcTimeout} ${connectTimeout} ${fromMethod}`
    let fields = this.#made.get(key)
    const header = { framed, rpcTimeout, connectTimeout, fromMethod }
    if (fields === undefined) {
      if (this.#made.size >= maxHeaders) this.#made.clear()
      fields = this.#make(header)
      this.#made.set(key, fields)
    }
    this.#last = header
    this.#fields = fields
    return fields
  }

  // Keys and their order: Kitex `pkg/transmeta/ttheader.go`.
  #make({ connectTimeout, framed, fromMethod, rpcTimeout }: CallHeader): CallHeaderFields {
    const ints: Array<readonly [number, string]> = [
      [1, framed ? "framed" : "unframed"],
      [3, this.#callerName],
      [6, this.#destService],
      [9, this.#info.method]
    ]
    if (rpcTimeout !== undefined) ints.push([12, `${rpcTimeout}`])
    if (connectTimeout !== undefined) ints.push([17, `${connectTimeout}`])
    ints.push([20, fromMethod], [22, this.#info.mode === "oneway" ? "4" : "1"])
    return { ints, strings: [["isn", this.#info.service]] }
  }
}
