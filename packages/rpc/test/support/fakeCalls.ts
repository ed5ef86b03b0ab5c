import { Output } from "@millrace/codec/Output"
import { Thrift } from "@millrace/codec"
import { type RawCall, Transport, type TransportError } from "@millrace/transport"
import { Effect, Fiber } from "effect"
import { Client, type ClientOptions, Method, Service } from "../../src/index.ts"
import { settle } from "./client.ts"
import { Busy, Request, Response } from "./echo.ts"

export class Base extends Service.make("Base", { methods: [Method.pingPong("Ping", { arguments: {} })] }) {}

export class EchoService extends Service.make("EchoService", {
  extends: Base,
  methods: [
    Method.pingPong("Echo", {
      arguments: { req: Thrift.field(1, Request) },
      response: Response,
      exceptions: { busy: Thrift.field(1, Busy) }
    }),
    Method.oneway("Log", { arguments: { line: Thrift.field(1, Thrift.String) } }),
    Method.unary("EchoUnary", { request: Request, response: Response })
  ]
}) {}

/** A call that a {@link FakeCalls} was given, and what can happen to it. */
export class SentCall {
  readonly target: RawCall.CallTarget
  readonly method: string
  readonly oneway: boolean
  readonly header: RawCall.CallHeaderFields
  readonly ints: Readonly<Record<string, string>>
  readonly strings: Readonly<Record<string, string>>
  readonly bytes: ReadonlyArray<number>
  abandoned = 0
  readonly #listener: RawCall.ReplyListener

  constructor(target: RawCall.CallTarget, call: RawCall.OutgoingCall<unknown>, bytes: Uint8Array) {
    this.target = target
    this.method = call.method
    this.oneway = call.oneway
    this.header = call.header
    this.ints = Object.fromEntries(call.header.ints)
    this.strings = Object.fromEntries(call.header.strings)
    this.bytes = [...bytes]
    this.#listener = call.listener
  }

  /** Answers with a result struct, behind a TTHeader if there are strings. */
  reply(bytes: Uint8Array, strings?: Readonly<Record<string, string>>): void {
    this.#listener.onReply({
      header: headerOf(strings),
      exception: undefined,
      size: bytes.length,
      take: (decode) => decode(bytes, 0, bytes.length)
    })
  }

  exception(type: number, message: string, strings?: Readonly<Record<string, string>>): void {
    this.#listener.onReply({
      header: headerOf(strings),
      exception: { type, message },
      size: 20,
      take: () => {
        throw new Error("an exception has no result")
      }
    })
  }

  sent(): void {
    this.#listener.onSent()
  }

  fail(error: TransportError.TransportError): void {
    this.#listener.onFailed(error)
  }
}

const headerOf = (strings: Readonly<Record<string, string>> | undefined): RawCall.CallHeader | undefined =>
  strings === undefined ? undefined : { flags: 0, ints: new Map(), strings: new Map(Object.entries(strings)) }

/** The client's half of a transport, which remembers its leases and calls. */
export class FakeCalls {
  readonly targets: Array<RawCall.CallTarget> = []
  readonly calls: Array<SentCall> = []
  leased = 0
  released = 0
  /** Whether a connection is there at once. */
  warm = true
  /** What happens while a call is sent. */
  onSend: ((call: SentCall) => void) | undefined
  /** What a dial takes. */
  dial: Effect.Effect<void, TransportError.TransportError> = Effect.void

  get last(): SentCall {
    return this.calls[this.calls.length - 1]!
  }

  readonly #lease = (target: RawCall.CallTarget): RawCall.CallLease => {
    this.leased++
    const peer = { address: target.address }
    return {
      peer,
      release: () => void this.released++,
      send: (call) => {
        const out = new Output()
        try {
          call.encode(call.args, out)
        } catch (thrown) {
          this.released++
          throw thrown
        }
        const bytes = out.buffer.slice(0, out.position)
        const sent = new SentCall(target, call as RawCall.OutgoingCall<unknown>, bytes)
        this.calls.push(sent)
        this.onSend?.(sent)
        return { peer, sequenceId: 1, sentBytes: bytes.length, abandon: () => void sent.abandoned++ }
      }
    }
  }

  readonly transport = Transport.ClientTransport.of({
    tryOpen: () => undefined,
    open: () => Effect.die("no streams here"),
    tryLease: (target) => {
      this.targets.push(target)
      return this.warm ? this.#lease(target) : undefined
    },
    lease: (target) => Effect.map(this.dial, () => this.#lease(target))
  })

  client(options: ClientOptions.ClientOptions = {}) {
    return Effect.provideService(
      Client.make(EchoService, { hostPorts: ["a:1"], ...options }),
      Transport.ClientTransport,
      this.transport
    )
  }
}

/** A call that waits for its answer, and then how it ended. */
export const ended = Effect.fnUntraced(function* <A, E>(
  call: Effect.Effect<A, E>,
  answer: () => void
): Effect.fn.Return<A, E> {
  const fiber = yield* Effect.forkChild(call, { startImmediately: true })
  yield* settle
  answer()
  return yield* Fiber.join(fiber)
})
