/**
 * A client's HTTP/2 connections: one or a few for each address, dialled when they are needed, once for all who wait.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { RawClientStream } from "../../RawStream.ts"
import type { OpenRequest } from "../../Transport.ts"
import { TransportError } from "../../TransportError.ts"
import type { ClientOptions } from "../../TransportOptions.ts"
import { draining } from "../grpc/errors.ts"
import { connect, dialTimeouts, SharedDial } from "./dial.ts"
import { connectFailed, noStreams, tooManyConnections } from "./errors.ts"
import { Http2Client } from "./http2Client.ts"
import { http2Options, type Platform } from "./options.ts"
import { run } from "./run.ts"
import type { Dial } from "./socket.ts"

interface Entry {
  readonly drivers: Array<Http2Client>
  next: number
  dialling: SharedDial<Http2Client> | undefined
}

/** Opens streams, as the client transport does. @internal */
export interface Opener {
  readonly tryOpen: (request: OpenRequest) => RawClientStream | undefined
  readonly open: (request: OpenRequest) => Effect.Effect<RawClientStream, TransportError>
}

/** An opener whose connections can be told to go. @internal */
export interface StreamPool extends Opener {
  readonly retire: (address: string) => void
}

/** Streams over HTTP/2. @internal */
export const makeHttp2Pool = Effect.fnUntraced(function* (
  dial: Dial,
  options: ClientOptions,
  platform: Platform
): Effect.fn.Return<StreamPool, never, Scope.Scope> {
  const scope = yield* Effect.scope
  let closed = false
  yield* Effect.addFinalizer(() => Effect.sync(() => (closed = true)))
  const entries = new Map<string, Entry>()
  const wanted = options.connectionsPerAddress ?? 1
  const most = Math.max(wanted, options.maxConnectionsPerAddress ?? 256)
  const settings = http2Options(options, platform, Infinity)
  const timeouts = dialTimeouts(options)

  const entryOf = (address: string): Entry => {
    let entry = entries.get(address)
    if (entry === undefined) entries.set(address, (entry = { drivers: [], next: 0, dialling: undefined }))
    return entry
  }

  const remove = (driver: Http2Client): void => {
    const entry = entries.get(driver.address)
    const index = entry === undefined ? -1 : entry.drivers.indexOf(driver)
    if (entry === undefined || index < 0) return
    entry.drivers.splice(index, 1)
    if (entry.drivers.length === 0 && entry.dialling === undefined) entries.delete(driver.address)
  }

  /** A connection with a free stream, in turn. */
  const free = (entry: Entry): Http2Client | undefined => {
    const count = entry.drivers.length
    for (let i = 0; i < count; i++) {
      const driver = entry.drivers[(entry.next + i) % count]!
      if (driver.connection.openable > 0) {
        entry.next = (entry.next + i + 1) % count
        return driver
      }
    }
    return undefined
  }

  const tryOpen = (request: OpenRequest): RawClientStream | undefined => {
    const entry = entries.get(request.address)
    if (entry === undefined || entry.drivers.length < wanted) return undefined
    const stream = free(entry)?.open(request)
    return stream instanceof TransportError ? undefined : stream
  }

  // The dial runs in the transport's scope: whoever asked for it first may go, others may still wait. Nothing comes between
  // the word that there is one and its fiber.
  const dialling = (
    request: OpenRequest,
    entry: Entry,
    limit: number | undefined
  ): Effect.Effect<SharedDial<Http2Client>> =>
    Effect.uninterruptible(
      Effect.suspend(() => {
        if (entry.dialling !== undefined) return Effect.succeed(entry.dialling)
        const address = request.address
        const shared = new SharedDial<Http2Client>(address, limit, timeouts)
        entry.dialling = shared
        return connect(
          shared.through(dial),
          address,
          shared.timeouts,
          (socket) => new Http2Client(address, socket, settings, remove),
          (driver) => Effect.asVoid(Effect.forkIn(run(driver), scope, { startImmediately: true }))
        ).pipe(
          Effect.flatMap((driver) => {
            if (!driver.usable || driver.connection.openable > 0) return Effect.succeed(driver)
            // A fresh connection that has no streams never gets any: nobody who waits may try the same again.
            driver.retire()
            return Effect.fail(noStreams(address))
          }),
          Effect.onExit((exit) =>
            Effect.sync(() => {
              entry.dialling = undefined
              const made = exit._tag === "Success" && exit.value.usable ? exit.value : undefined
              if (shared.retired) made?.retire()
              if (made?.usable) {
                entry.drivers.push(made)
                entries.set(address, entry)
              } else if (entry.drivers.length === 0) entries.delete(address)
              shared.done(exit)
            })
          ),
          Effect.forkIn(scope, { startImmediately: true }),
          Effect.as(shared)
        )
      })
    )

  const dialled = (request: OpenRequest, entry: Entry): Effect.Effect<Http2Client, TransportError> => {
    const limit = request.connectTimeoutMillis
    return Effect.flatMap(dialling(request, entry, limit), (shared) => shared.wait(limit))
  }

  /** `redials`: how many connections that the server ends at once are worth another one. */
  const openWith = (request: OpenRequest, redials: number): Effect.Effect<RawClientStream, TransportError> =>
    Effect.suspend(() => {
      const opened = tryOpen(request)
      if (opened !== undefined) return Effect.succeed(opened)
      if (closed) return Effect.fail(connectFailed(request.address, "the transport is closed"))
      const entry = entryOf(request.address)
      const ready = entry.drivers.length < wanted ? undefined : free(entry)
      // A connection is there, so it was the request that could not be sent.
      if (ready !== undefined) return streamOf(ready, request)
      if (entry.drivers.length >= most) return Effect.fail(tooManyConnections(request.address, most))
      return Effect.flatMap(dialled(request, entry), (driver) => {
        if (driver.connection.openable > 0) return streamOf(driver, request)
        // Others were first, or the server went away at once.
        if (driver.connection.active > 0) return openWith(request, redials)
        return redials > 0 ? openWith(request, redials - 1) : Effect.fail(draining())
      })
    })
  const open = (request: OpenRequest) => openWith(request, 2)

  const streamOf = (driver: Http2Client, request: OpenRequest) => {
    const stream = driver.open(request)
    return stream instanceof TransportError ? Effect.fail(stream) : Effect.succeed<RawClientStream>(stream)
  }

  const retire = (address: string): void => {
    const entry = entries.get(address)
    if (entry === undefined) return
    if (entry.dialling !== undefined) entry.dialling.retired = true
    // Each leaves the list.
    for (const driver of entry.drivers.slice()) driver.retire()
  }

  return { tryOpen, open, retire }
})
