import { Transport } from "@millrace/transport"
import { Effect, Exit, Cause } from "effect"
import { TestClock } from "effect/testing"
import type { RpcError } from "../../src/RpcError.ts"
import { Recorder } from "../../src/testing/index.ts"
import { TestService } from "./echo.ts"
import type { Handlers, Middleware } from "../../src/index.ts"
import { Testing } from "./over.ts"

type Options = Testing.Options<ReadonlyArray<Middleware.ServerMiddleware>>

export type TestHandlers = Handlers.Handlers<(typeof TestService)["methods"], never>

const missing = () => Effect.die(new Error("this test has no such handler"))

/** All handlers of TestService; only those of a test are written out. */
export const only = (handlers: Partial<TestHandlers>): TestHandlers =>
  ({
    ...Object.fromEntries(TestService.methods.map((method) => [method.name, missing])),
    ...handlers
  }) as unknown as TestHandlers

/** A client of TestService; only the handlers of a test are written out. */
export const clientOf = (handlers: Partial<TestHandlers>, options: Options = {}) =>
  Testing.client(TestService, only(handlers), options)

/** A client with a recorder on both sides. */
export const recorded = (handlers: Partial<TestHandlers>, options: Options = {}) =>
  Effect.gen(function* () {
    const recorder = yield* Recorder.make
    const client = yield* Effect.provide(clientOf(handlers, options), recorder.layer)
    return { client, recorder }
  })

/** Lets everything run that can run now, without the passing of time. */
export const settle: Effect.Effect<void> = Effect.promise(() => new Promise((resolve) => setImmediate(resolve))).pipe(
  Effect.repeat({ times: 4 }),
  Effect.andThen(TestClock.adjust(0)),
  Effect.asVoid
)

/** Passes time in steps, so that what one step woke up runs before the next. */
export const pass = (millis: number, step = millis): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (let at = 0; at < millis; at += step) {
      yield* settle
      yield* TestClock.adjust(Math.min(step, millis - at))
    }
    yield* settle
  })

/** The error of an exit, as a caller reads it. */
export const told = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "success"
  const reason = exit.cause.reasons[0]!
  if (Cause.isInterruptReason(reason)) return "interrupted"
  if (Cause.isDieReason(reason)) return `defect: ${String(reason.defect)}`
  const error = reason.error as RpcError | { readonly _tag?: "Other"; readonly message?: string }
  if (error._tag === "RpcError") return `${error.reason._tag}: ${error.message}`
  return error._tag === undefined ? String(error) : `${error._tag}: ${error.message}`
}

/** What was asked of the transport of a client. */
export const spied = Effect.map(Transport.ClientTransport, (transport) => {
  const requests: Array<Transport.OpenRequest> = []
  const streams: Array<unknown> = []
  return {
    requests,
    streams,
    transport: Transport.ClientTransport.of({
      ...transport,
      tryOpen: (request) => {
        requests.push(request)
        return transport.tryOpen(request)
      },
      open: (request) => {
        requests.push(request)
        return transport.open(request)
      }
    })
  }
})
