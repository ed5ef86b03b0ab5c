/**
 * What a server knows of a call before it runs. Made for each call, so what is seldom asked for is read when it is.
 *
 * @internal
 */
import * as Metadata from "@millrace/transport/Metadata"
import * as Metainfo from "@millrace/transport/Metainfo"
import type { CallHeader, RawServerCall } from "@millrace/transport/RawCall"
import type { RawHeader, RawRequest } from "@millrace/transport/RawStream"
import type { BizStatusError } from "../BizStatusError.ts"
import type { Mode, Protocol, ServerInfo } from "../RpcInfo.ts"
import { attemptIn } from "./retryKey.ts"

/** Of any call. @internal */
export abstract class Info implements ServerInfo {
  readonly side = "server"
  readonly service: string
  readonly method: string
  readonly mode: Mode
  readonly path: string
  readonly address: string
  bizError: BizStatusError | undefined = undefined
  declare request?: unknown
  declare unknown?: boolean
  #metainfo: Metainfo.Metainfo | undefined

  constructor(service: string, method: string, mode: Mode, path: string, address: string) {
    this.service = service
    this.method = method
    this.mode = mode
    this.path = path
    this.address = address
  }

  get callee(): string {
    return this.service
  }

  get attempt(): number {
    return attemptIn(this.metainfo)
  }

  get metainfo(): Metainfo.Metainfo {
    return (this.#metainfo ??= this.readMetainfo())
  }

  abstract readonly protocol: Protocol
  abstract readonly metadata: Metadata.Metadata
  abstract readonly caller: string
  abstract readonly logId: string | undefined
  protected abstract readMetainfo(): Metainfo.Metainfo
}

/** Of a stream. @internal */
export class StreamInfo extends Info {
  readonly protocol: Protocol
  readonly metadata: Metadata.Metadata
  readonly #header: RawHeader | undefined

  constructor(
    service: string,
    method: string,
    mode: Mode,
    path: string,
    address: string,
    metadata: Metadata.Metadata,
    { header, protocol }: Pick<RawRequest, "header" | "protocol">
  ) {
    super(service, method, mode, path, address)
    this.metadata = metadata
    this.protocol = protocol
    this.#header = header
  }

  get caller(): string {
    return (this.#header === undefined ? this.metadata.get("source-service") : callerIn(this.#header)) ?? ""
  }

  get logId(): string | undefined {
    return this.#header === undefined ? this.metadata.get("stream-log-id") : logIdIn(this.#header)
  }

  protected readMetainfo(): Metainfo.Metainfo {
    return this.#header === undefined ? Metainfo.fromMetadata(this.metadata) : Metainfo.fromCallHeader(this.#header)
  }
}

const noKeys: ReadonlySet<string> = new Set()

const logIdIn = (header: RawHeader | undefined): string | undefined => header?.ints.get(2)
const callerIn = (header: RawHeader | undefined): string | undefined => header?.ints.get(3)

/** Of a PingPong or oneway call. @internal */
export class CallInfo extends Info {
  readonly protocol: Protocol
  readonly #header: CallHeader | undefined

  constructor(
    service: string,
    method: string,
    mode: Mode,
    path: string,
    address: string,
    { encoding, header }: Pick<RawServerCall, "encoding" | "header">
  ) {
    super(service, method, mode, path, address)
    this.protocol = encoding
    this.#header = header
  }

  get metadata(): Metadata.Metadata {
    return this.#header === undefined
      ? Metadata.empty
      : Metadata.fromStrings(this.#header.strings, noKeys, this.#header.repeated)
  }

  get caller(): string {
    return callerIn(this.#header) ?? ""
  }

  get logId(): string | undefined {
    return logIdIn(this.#header)
  }

  protected readMetainfo(): Metainfo.Metainfo {
    return Metainfo.fromCallHeader(this.#header)
  }
}
