/** The part of the generated module that the benchmark uses. */
import type { TProtocol } from "thrift"

export class Message {
  constructor(args: { readonly message: string })
  readonly message: string | null
}

export class Blob {
  constructor(args: { readonly bytes: Uint8Array })
  readonly bytes: Uint8Array | null
}

/** What a handler answers. */
interface Handler {
  readonly EchoPingPong: (req: Message) => Promise<Message>
  readonly PutBlob: (req: Blob) => Promise<Message>
}

export class Client implements Handler {
  readonly EchoPingPong: Handler["EchoPingPong"]
  readonly PutBlob: Handler["PutBlob"]
}

export class Processor {
  constructor(handler: Handler)
  process(input: TProtocol, output: TProtocol): void
}
