import { Output } from "@millrace/codec"
import type { ApplicationException } from "@millrace/codec/Message"
import { type RawCall, type RawStream, Transport, TransportError } from "@millrace/transport"
import { Context, Deferred, Effect, Layer } from "effect"
import { type Middleware, Server } from "../../src/index.ts"
import { handlersOf, TestService } from "./echo.ts"

/** How a raw call ended. */
export interface Ended {
  readonly how: "reply" | "exception" | "finish" | "abort"
  readonly bytes?: Uint8Array
  readonly exception?: ApplicationException
  readonly strings?: RawCall.CallEntries
  readonly close?: boolean
}

export interface AskOptions {
  /** The IDL name of the service. */
  readonly service?: string
  readonly oneway?: boolean
  readonly timeoutMillis?: number
  readonly arrivedAt?: number
  /** String keys of the TTHeader; there is none without. */
  readonly strings?: Readonly<Record<string, string>>
  /** Its int keys. */
  readonly ints?: ReadonlyArray<readonly [key: number, value: string]>
}

const bytesOf = <A>(value: A, encode: RawStream.Encode<A>): Uint8Array => {
  const out = new Output.Output(64)
  encode(value, out)
  return out.toBytes()
}

/** A call as a transport hands it over, and what became of it. */
export class Asked implements RawCall.RawServerCall {
  readonly peer = { address: "memory" }
  readonly encoding: RawCall.Encoding
  readonly service: string
  readonly method: string
  readonly sequenceId = 1
  readonly oneway: boolean
  readonly header: RawCall.CallHeader | undefined
  readonly timeoutMillis: number | undefined
  readonly arrivedAt: number
  readonly size: number
  onAbort: ((error: TransportError.TransportError) => void) | undefined = undefined
  readonly ends: Array<Ended> = []
  /** Stands for a limit of the transport: entries that it does not take. */
  refuses: string | undefined = undefined
  readonly #args: Uint8Array
  readonly #done = Deferred.makeUnsafe<Ended>()

  constructor(method: string, args: Uint8Array, options: AskOptions) {
    this.method = method
    this.#args = args
    this.size = args.length
    this.service = options.service ?? ""
    this.oneway = options.oneway ?? false
    this.timeoutMillis = options.timeoutMillis
    this.arrivedAt = options.arrivedAt ?? 0
    this.encoding = options.strings === undefined ? "framed" : "ttheader-framed"
    this.header =
      options.strings === undefined
        ? undefined
        : { flags: 0, ints: new Map(options.ints), strings: new Map(Object.entries(options.strings)) }
  }

  take<A>(decode: RawStream.Decode<A>): A {
    return decode(this.#args, 0, this.#args.length)
  }

  reply<A>(result: A, encode: RawStream.Encode<A>, strings: RawCall.CallEntries = []): number {
    if (this.refuses !== undefined && strings.length > 0) throw refusedBy(this.refuses)
    const bytes = bytesOf(result, encode)
    this.#end({ how: "reply", bytes, strings })
    return bytes.length
  }

  exception(exception: ApplicationException, strings: RawCall.CallEntries = [], close = false): void {
    if (this.refuses !== undefined && strings.length > 0) throw refusedBy(this.refuses)
    this.#end({ how: "exception", exception, strings, close })
  }

  finish(): void {
    this.#end({ how: "finish" })
  }

  abort(): void {
    this.#end({ how: "abort" })
  }

  /** The peer goes away. */
  leave(): void {
    this.onAbort?.(lost)
  }

  get ended(): Effect.Effect<Ended> {
    return Deferred.await(this.#done)
  }

  #end(end: Ended): void {
    if (this.ends.push(end) === 1) Deferred.doneUnsafe(this.#done, Effect.succeed(end))
  }
}

const lost = new TransportError.TransportError({
  reason: new TransportError.ConnectionLost({ address: "memory" }),
  code: 14,
  desc: "default codec read failed: EOF peer close"
})

const refusedBy = (limit: string) =>
  new TransportError.TransportError({
    reason: new TransportError.LimitExceeded({ limit, max: 1 }),
    code: 8,
    desc: `more than ${limit}`
  })

/** What a server has given its transport. */
export class Accepting extends Context.Service<Accepting, { acceptor: Transport.Acceptor | undefined }>()(
  "test/Accepting"
) {}

/** A transport that hands over what a test asks. */
export const transport: Layer.Layer<Transport.ServerTransport | Accepting> = Layer.effectContext(
  Effect.sync(() => {
    const accepting: Accepting["Service"] = { acceptor: undefined }
    return Context.make(Accepting, accepting).pipe(
      Context.add(Transport.ServerTransport, {
        listen: (acceptor) =>
          Effect.sync(() => {
            accepting.acceptor = acceptor
            return { address: { hostname: "memory", port: 0 }, drain: Effect.void }
          })
      })
    )
  })
)

/** A server of TestService that takes what a test asks. */
export const serveCalls = (
  handlers: Parameters<typeof handlersOf>[0],
  options: Server.Options<ReadonlyArray<Middleware.ForServer>> = {}
): Layer.Layer<Server.Server | Accepting> =>
  Server.layer([TestService], options).pipe(
    Layer.provide(TestService.toLayer(handlersOf(handlers))),
    Layer.provideMerge(transport),
    Layer.orDie
  )

/** Hands a call to the server. */
export const begin = (
  method: string,
  args: Uint8Array,
  options: AskOptions = {}
): Effect.Effect<Asked, never, Accepting> =>
  Effect.map(Accepting, ({ acceptor }) => {
    const asked = new Asked(method, args, options)
    acceptor!.onCall(asked)
    return asked
  })

/** Hands a call to the server, and waits for its end. */
export const ask = (
  method: string,
  args: Uint8Array,
  options: AskOptions = {}
): Effect.Effect<Ended, never, Accepting> =>
  Effect.flatMap(begin(method, args, options), (asked) =>
    Effect.map(asked.ended, (end) => {
      if (asked.ends.length !== 1) throw new Error(`ended ${asked.ends.length} times`)
      return end
    })
  )

/** An exception with its type and text. */
export const exceptionOf = ({ exception }: Ended) => exception && [exception.type, exception.message]
