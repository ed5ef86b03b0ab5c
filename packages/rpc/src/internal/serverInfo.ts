/**
 * What a server knows of a call before it runs. Made for each call, so what is seldom asked for is read when it is.
 *
 * @internal
 */
import * as Metadata from "@millrace/transport/Metadata"
import * as Metainfo from "@millrace/transport/Metainfo"
import type { CallHeader, RawServerCall } from "@millrace/transport/RawCall"
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
  readonly metadata: Metadata.Metadata

  constructor(service: string, method: string, mode: Mode, path: string, address: string, metadata: Metadata.Metadata) {
    super(service, method, mode, path, address)
    this.metadata = metadata
  }

  get protocol(): Protocol {
    return "grpc"
  }

  get caller(): string {
    return this.metadata.get("source-service") ?? ""
  }

  get logId(): string | undefined {
    return this.metadata.get("stream-log-id")
  }

  protected readMetainfo(): Metainfo.Metainfo {
    return Metainfo.fromMetadata(this.metadata)
  }
}

const noKeys: ReadonlySet<string> = new Set()
const logIdKey = 2
const fromService = 3

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
    return this.#header === undefined ? Metadata.empty : Metadata.fromStrings(this.#header.strings, noKeys)
  }

  get caller(): string {
    return this.#header?.ints.get(fromService) ?? ""
  }

  get logId(): string | undefined {
    return this.#header?.ints.get(logIdKey)
  }

  protected readMetainfo(): Metainfo.Metainfo {
    return Metainfo.fromCallHeader(this.#header)
  }
}
