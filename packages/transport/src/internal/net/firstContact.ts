/**
 * Finds out whether a server speaks TTHeader streaming, by the first stream that is opened there; HTTP/2 carries the streams of one
 * that does not.
 *
 * @internal
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Cause from "effect/Cause"
import type { RawClientStream } from "../../RawStream.ts"
import type { OpenRequest } from "../../Transport.ts"
import { TransportError } from "../../TransportError.ts"
import { cancelled } from "../ttstream/errors.ts"
import { within } from "./dial.ts"
import { withinBudget } from "./logBudget.ts"
import type { Platform } from "./options.ts"
import type { Opener } from "./http2Pool.ts"
import type { StreamingClient } from "./ttstreamClient.ts"

type Protocol = "http2" | "ttheader"
/** Interruptible again, as whoever called was. */
type Restore = <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>

/** Addresses of which it is remembered what they speak. */
const maxKnown = 1024

/** Milliseconds of silence that are enough: a server that does not speak it closes the connection by then. */
const silence = 200

const isConnectError = ({ reason }: TransportError): boolean =>
  reason._tag === "ConnectFailed" || reason._tag === "ConnectTimeout"

/** What those hear who wait for somebody else's first contact: that there is no connection, or that they may ask again. */
const heardByOthers = (exit: Exit.Exit<unknown, TransportError>): Exit.Exit<void, TransportError> => {
  if (Exit.isSuccess(exit)) return Exit.void
  const error = Cause.findErrorOption(exit.cause)
  return error._tag === "Some" && isConnectError(error.value) ? Exit.fail(error.value) : Exit.void
}

/** @internal */
export class FirstContact implements Opener {
  private readonly http2: Opener
  private readonly ttheader: (request: OpenRequest) => Opener
  private readonly lease: (request: OpenRequest) => Effect.Effect<StreamingClient, TransportError>
  private readonly log: (message: string) => void
  private readonly known = new Map<string, Protocol>()
  private readonly running = new Map<string, Deferred.Deferred<void, TransportError>>()

  /** `ttheader`: who opens a stream of that kind over TTHeader. `lease`: a connection of TTHeader streaming. */
  constructor(
    http2: Opener,
    ttheader: (request: OpenRequest) => Opener,
    lease: (request: OpenRequest) => Effect.Effect<StreamingClient, TransportError>,
    platform: Platform
  ) {
    this.http2 = http2
    this.ttheader = ttheader
    this.lease = lease
    this.log = withinBudget(platform.log, () => platform.clock.currentTimeMillisUnsafe())
  }

  /** What the address speaks is to be found out again. */
  forget(address: string): void {
    this.known.delete(address)
  }

  readonly tryOpen = (request: OpenRequest): RawClientStream | undefined => {
    const protocol = this.known.get(request.address)
    return protocol === undefined ? undefined : this.openerOf(protocol, request).tryOpen(request)
  }

  readonly open = (request: OpenRequest): Effect.Effect<RawClientStream, TransportError> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.suspend(() => {
        const { address, connectTimeoutMillis } = request
        const protocol = this.known.get(address)
        if (protocol !== undefined) return restore(this.openKnown(protocol, request))
        const running = this.running.get(address)
        if (running !== undefined) {
          const wait = within(address, connectTimeoutMillis, () => "dial", Deferred.await(running))
          return restore(Effect.andThen(wait, this.open(request)))
        }
        const done = Deferred.makeUnsafe<void, TransportError>()
        this.running.set(address, done)
        return Effect.onExit(restore(this.explore(request)), (exit) =>
          Effect.sync(() => {
            this.running.delete(address)
            Deferred.doneUnsafe(done, heardByOthers(exit))
          })
        )
      })
    )

  private openerOf(protocol: Protocol, request: OpenRequest): Opener {
    return protocol === "http2" ? this.http2 : this.ttheader(request)
  }

  private openKnown(protocol: Protocol, request: OpenRequest): Effect.Effect<RawClientStream, TransportError> {
    return Effect.tapError(this.openerOf(protocol, request).open(request), (error) =>
      Effect.sync(() => {
        // Who listens there next may speak something else.
        if (isConnectError(error)) this.forget(request.address)
      })
    )
  }

  private remember(address: string, protocol: Protocol): void {
    this.known.delete(address)
    this.known.set(address, protocol)
    if (this.known.size <= maxKnown) return
    for (const oldest of this.known.keys()) return this.forget(oldest)
  }

  private explore(request: OpenRequest): Effect.Effect<RawClientStream, TransportError> {
    return Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(restore(this.lease(request)), (client) =>
        request.unary === true ? this.askFirst(request, client, restore) : this.openFirst(request, client, restore)
      )
    )
  }

  /** The Header frame goes out alone: no message is written before the server is known. */
  private openFirst(
    request: OpenRequest,
    client: StreamingClient,
    restore: Restore
  ): Effect.Effect<RawClientStream, TransportError> {
    const stream = client.open(request)
    if (stream instanceof TransportError) return Effect.fail(stream)
    const contact = Effect.onInterrupt(restore(this.contact(request, client)), () =>
      Effect.sync(() => stream.abort("cancel", cancelled("client")))
    )
    return Effect.flatMap(contact, (protocol) => {
      if (protocol === "http2") return restore(this.fallBack(request))
      this.remember(request.address, protocol)
      return Effect.succeed(stream)
    })
  }

  /** A call that is no stream has no Header frame: a beat asks for it. */
  private askFirst(
    request: OpenRequest,
    client: StreamingClient,
    restore: Restore
  ): Effect.Effect<RawClientStream, TransportError> {
    client.ask()
    const contact = Effect.ensuring(
      restore(this.contact(request, client)),
      Effect.sync(() => client.release())
    )
    return Effect.flatMap(contact, (protocol) => {
      if (protocol === "http2") return restore(this.fallBack(request))
      this.remember(request.address, protocol)
      return restore(this.ttheader(request).open(request))
    })
  }

  private contact({ connectTimeoutMillis }: OpenRequest, client: StreamingClient): Effect.Effect<Protocol> {
    return Effect.timeoutOrElse(client.contact, {
      duration: Math.min(silence, connectTimeoutMillis ?? silence),
      orElse: () => Effect.succeed<Protocol>("ttheader")
    })
  }

  private fallBack(request: OpenRequest): Effect.Effect<RawClientStream, TransportError> {
    const { address } = request
    return Effect.tap(this.http2.open(request), () =>
      Effect.sync(() => {
        this.remember(address, "http2")
        this.log(`${address} does not speak TTHeader streaming: streams to it go over HTTP/2 (transport "auto")`)
      })
    )
  }
}
