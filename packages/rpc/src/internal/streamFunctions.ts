/**
 * The function of a streaming method, as a user calls it, however its streams come to be.
 *
 * @internal
 */
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as ClientStream from "../ClientStream.ts"
import type { CallError } from "../ClientStream.ts"
import type { Mode } from "../RpcInfo.ts"
import type { CallOptions } from "../StreamOptions.ts"
import { sendBeside, type SendingSide } from "./requestStream.ts"

/** @internal */
export type Requests = Stream.Stream<unknown, unknown>

/** How the streams of a method are opened, and what can be done with one. @internal */
export interface Opening<Opened> {
  readonly open: (options: CallOptions | undefined, request?: unknown) => Effect.Effect<Opened, CallError, Scope.Scope>
  readonly handle: (opened: Opened) => ClientStream.Any
  /** Sends the one request. */
  readonly request: (opened: Opened, request: unknown) => Effect.Effect<void, CallError>
  readonly sending: (opened: Opened) => SendingSide
  readonly received: (opened: Opened) => Pull.Pull<NonEmptyReadonlyArray<unknown>, CallError>
  /** Sends all requests, and gives the one response. */
  readonly answer: (opened: Opened, requests: Requests) => Effect.Effect<unknown, unknown, Scope.Scope>
}

/** @internal */
export const streamFunction = <Opened>(
  mode: Mode,
  { answer, handle, open, received, request, sending }: Opening<Opened>
): unknown => {
  switch (mode) {
    case "server": {
      const requested = (message: unknown, options?: CallOptions) =>
        Effect.tap(open(options, message), (opened) => request(opened, message))
      return Object.assign(
        (message: unknown, options?: CallOptions) =>
          Stream.unwrap(Effect.map(requested(message, options), (opened) => streamOf(received(opened)))),
        { open: (message: unknown, options?: CallOptions) => Effect.map(requested(message, options), handle) }
      )
    }
    case "client":
      return Object.assign(
        (requests: Requests, options?: CallOptions) =>
          Effect.scoped(Effect.flatMap(open(options), (opened) => answer(opened, requests))),
        { open: (options?: CallOptions) => Effect.map(open(options), handle) }
      )
    default:
      return Object.assign(
        (requests: Requests, options?: CallOptions) =>
          Stream.unwrap(
            Effect.flatMap(open(options), (opened) =>
              Effect.map(sendBeside(sending(opened), requests), (sent) => streamOf(sent.wrap(received(opened))))
            )
          ),
        { open: (options?: CallOptions) => Effect.map(open(options), handle) }
      )
  }
}

const streamOf = <E>(pull: Pull.Pull<NonEmptyReadonlyArray<unknown>, E>) => Stream.fromPull(Effect.succeed(pull))
