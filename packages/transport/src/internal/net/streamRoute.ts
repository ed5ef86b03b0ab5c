/**
 * What carries a client's streams: HTTP/2, TTHeader streaming, or a PingPong call in place of a stream.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import type { CallLease, CallTarget } from "../../RawCall.ts"
import type { RawClientStream } from "../../RawStream.ts"
import type { OpenRequest } from "../../Transport.ts"
import type { ClientOptions } from "../../TransportOptions.ts"
import { FirstContact } from "./firstContact.ts"
import type { Platform } from "./options.ts"
import type { Dial } from "./socket.ts"
import { makeHttp2Pool, type Opener, type StreamPool } from "./http2Pool.ts"
import { makeStreamingPool } from "./ttstreamPool.ts"
import { UnaryHeaders } from "./unaryHeaders.ts"
import { type Calls, UnaryOverCalls } from "./unaryOverCalls.ts"

/** Streams that are PingPong calls. */
const unaryOpener = (calls: Calls): Opener => {
  const headers = new UnaryHeaders()
  const targetOf = ({ address, connectTimeoutMillis }: OpenRequest): CallTarget => ({
    address,
    encoding: "ttheader-framed",
    connection: "auto",
    connectTimeoutMillis
  })
  const over = (request: OpenRequest, target: CallTarget, lease: CallLease): RawClientStream => {
    const header = request.header!
    return new UnaryOverCalls(calls, target, header.method, headers.get(request, header), lease)
  }
  return {
    tryOpen: (request) => {
      const target = targetOf(request)
      const lease = calls.tryLease(target)
      return lease === undefined ? undefined : over(request, target, lease)
    },
    open: (request) => {
      const target = targetOf(request)
      return Effect.map(calls.lease(target), (lease) => over(request, target, lease))
    }
  }
}

/** `tryOpen`, `open` and `retire` of the client transport. @internal */
export const makeStreamRoute = Effect.fnUntraced(function* (
  dial: Dial,
  options: ClientOptions,
  platform: Platform,
  calls: Omit<Calls, "fork">
): Effect.fn.Return<StreamPool, never, Scope.Scope> {
  const fork = yield* FiberSet.makeRuntime<never>()
  const http2 = yield* makeHttp2Pool(dial, options, platform)
  const streaming = yield* makeStreamingPool(dial, options, platform, (address) => contact.forget(address))
  const unary = unaryOpener({ ...calls, fork })
  const ttheader = ({ unary: one }: OpenRequest): Opener => (one === true ? unary : streaming)
  const contact = new FirstContact(http2, ttheader, streaming.lease, platform)

  const openerOf = (request: OpenRequest): Opener => {
    switch (request.transport) {
      case undefined:
      case "grpc":
        return http2
      case "ttheader-streaming":
        return ttheader(request)
      case "auto":
        return contact
    }
  }

  const retire = (address: string): void => {
    contact.forget(address)
    http2.retire(address)
    streaming.retire(address)
  }

  return {
    tryOpen: (request) => openerOf(request).tryOpen(request),
    open: (request) => openerOf(request).open(request),
    retire
  }
})
