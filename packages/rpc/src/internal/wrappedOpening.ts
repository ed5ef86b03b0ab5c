/**
 * Streams with middleware around their creation. Where it gave another handle, everything goes through that.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as ClientStream from "../ClientStream.ts"
import type { ClientMethod } from "./clientMethod.ts"
import { sendBeside, type SendingSide } from "./requestStream.ts"
import type { HandedOut } from "./streamAttempts.ts"
import type { Opening, Requests } from "./streamFunctions.ts"
import type { WrappedCaller } from "./wrappedCaller.ts"

/** @internal */
export const wrappedOpening = (caller: WrappedCaller, method: ClientMethod): Opening<HandedOut> => ({
  open: (options, request) => caller.open(method, options, request),
  handle: ({ handle }) => handle,
  request: ({ call }, request) => call?.request(request) ?? Effect.void,
  sending,
  received: ({ call, handle, own }) =>
    own ? Effect.suspend(() => call.recvAll()) : Effect.map(operation(handle, "recv"), (message) => [message] as const),
  answer
})

const sending = ({ call, handle, own }: HandedOut): SendingSide =>
  own
    ? call
    : {
        sendAll: (messages) => {
          const send = operation(handle, "send")
          return Effect.forEach(messages, send, { discard: true })
        },
        closeSend: Effect.suspend(() => handle.closeSend ?? Effect.void),
        cancel: handle.cancel,
        get over() {
          return call?.over ?? false
        }
      }

const answer = (made: HandedOut, requests: Requests): Effect.Effect<unknown, unknown, Scope.Scope> => {
  const { call, handle, own } = made
  const side = sending(made)
  if (own) return Effect.flatMap(sendBeside(side, requests), (sent) => sent.wrap(call.response))
  // A handle can only be asked for its answer when there is nothing more to send.
  return Stream.runForEachArray(requests, side.sendAll).pipe(
    Effect.catchCause((cause) =>
      Effect.suspend(() => (side.over ? Effect.void : Effect.andThen(side.cancel, Effect.failCause(cause))))
    ),
    Effect.andThen(operation(handle, "closeAndRecv"))
  )
}

const operation = <K extends "send" | "recv" | "closeAndRecv">(
  handle: ClientStream.Any,
  name: K
): NonNullable<ClientStream.Any[K]> => {
  const found = handle[name]
  if (found === undefined) throw new Error(`middleware replaced a stream by a handle without ${name}`)
  return found
}
