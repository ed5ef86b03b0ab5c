/**
 * The functions of a stream client, one for each method.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as Method from "../Method.ts"
import type { ClientCall } from "./clientCall.ts"
import type { ClientMethod } from "./clientMethod.ts"
import { PlainCaller } from "./plainCaller.ts"
import { sendBeside } from "./requestStream.ts"
import { type Opening, streamFunction } from "./streamFunctions.ts"
import { handleOf } from "./streamHandles.ts"
import { unaryFunction } from "./unaryAttempts.ts"
import type { WrappedCaller } from "./wrappedCaller.ts"
import { wrappedOpening } from "./wrappedOpening.ts"

/** @internal */
export const clientFunction = (caller: PlainCaller | WrappedCaller, method: Method.Any): unknown => {
  const called = caller.method(method)
  if (method.mode === "unary") return unaryFunction(caller, called)
  return caller instanceof PlainCaller
    ? streamFunction(method.mode, opening(caller, called))
    : streamFunction(method.mode, wrappedOpening(caller, called))
}

const opening = (caller: PlainCaller, method: ClientMethod): Opening<ClientCall> => ({
  open: (options, request) => caller.open(method, options, request),
  handle: (call) => handleOf(method.unplaced.mode, call),
  request: (call, request) => call.request(request),
  sending: (call) => call,
  received: (call) => Effect.suspend(() => call.recvAll()),
  answer: (call, requests) => Effect.flatMap(sendBeside(call, requests), (sent) => sent.wrap(call.response))
})
