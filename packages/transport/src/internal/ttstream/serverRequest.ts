/**
 * What the Header frame of a client says of its stream.
 *
 * @internal
 */
import type { Metadata } from "../../Metadata.ts"
import type { CallHeader } from "../../RawCall.ts"
import type { RawRequest } from "../../RawStream.ts"
import { IntKey, StringKey } from "../ttheader/keys.ts"
import { hiddenInRequest, metadataOf } from "./metadata.ts"

/** Milliseconds; undefined for what is no number of them. */
const parseTimeout = (text: string | undefined): number | undefined => {
  if (text === undefined || !/^[+-]?\d+$/.test(text)) return undefined
  const millis = Number(text)
  return Number.isSafeInteger(millis) ? millis : undefined
}

/** Names above this, in characters, are not said again in our frames: they may be three times as many bytes. */
const maxName = 0xffff / 3

/** @internal */
export class ServerRequest implements RawRequest {
  readonly header: CallHeader
  readonly service: string
  readonly method: string
  readonly timeoutMillis: number | undefined
  private known: Metadata | undefined = undefined

  constructor(header: CallHeader) {
    this.header = header
    this.service = header.strings.get(StringKey.Service) ?? ""
    this.method = header.ints.get(IntKey.ToMethod) ?? ""
    this.timeoutMillis = parseTimeout(header.ints.get(IntKey.RpcTimeout))
  }

  get protocol(): "ttheader-streaming" {
    return "ttheader-streaming"
  }

  get package(): string {
    return ""
  }

  get path(): string {
    return `/${this.service}/${this.method}`
  }

  get thrift(): boolean {
    return true
  }

  /** The method in our frames, where nobody reads it. */
  get nameToSend(): string {
    return this.method.length > maxName ? "" : this.method
  }

  /** What a handler may see of it. */
  get metadata(): Metadata {
    return (this.known ??= metadataOf(this.header, hiddenInRequest))
  }
}
