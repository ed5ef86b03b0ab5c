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
  readonly EchoPingPongBlob: (req: Blob) => Promise<Blob>
}

export class Client implements Handler {
  readonly EchoPingPong: Handler["EchoPingPong"]
  readonly EchoPingPongBlob: Handler["EchoPingPongBlob"]
}

export class Processor {
  constructor(handler: Handler)
  process(input: TProtocol, output: TProtocol): void
}
