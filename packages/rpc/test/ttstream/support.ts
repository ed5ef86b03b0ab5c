/** Clients and servers over TTHeader streaming, in memory, and what they say of the ends of their calls. */
import { Effect, type Exit } from "effect"
import { type Middleware, RpcError } from "../../src/index.ts"
import { Recorder, Testing } from "../../src/testing/index.ts"
import { only, type TestHandlers } from "../support/client.ts"
import { TestService } from "../support/echo.ts"

type Options = Testing.Options<ReadonlyArray<Middleware.ServerMiddleware>>

export const overTTHeader = (options: Options = {}): Options => ({
  ...options,
  client: { transport: "ttheader-streaming", ...options.client }
})

/** A client of TestService; only the handlers of a test are written out. */
export const clientOf = (handlers: Partial<TestHandlers>, options: Options = {}) =>
  Testing.client(TestService, only(handlers), overTTHeader(options))

/** The same, with a recorder on both sides. */
export const recorded = (handlers: Partial<TestHandlers>, options: Options = {}) =>
  Effect.gen(function* () {
    const recorder = yield* Recorder.make
    const client = yield* Effect.provide(clientOf(handlers, options), recorder.layer)
    return { client, recorder }
  })

/** The error with which a call ended: its reason, what the wire has, and through whom it was cancelled. */
export const ended = (exit: Exit.Exit<unknown, unknown>): ReadonlyArray<unknown> => {
  const reason = exit._tag === "Success" ? undefined : exit.cause.reasons[0]
  if (reason?._tag !== "Fail") return [reason?._tag ?? "Success"]
  const { error } = reason
  if (!(error instanceof RpcError.RpcError)) return [String(error)]
  const path = error.reason._tag === "Cancelled" ? error.reason.path : undefined
  return path === undefined ? [error.reason._tag, error.desc] : [error.reason._tag, error.desc, ...path]
}

export const text = (code: number, side: "client" | "server", said: string, path?: string): string =>
  `[ttstream error, code=${code}] [${side}-side stream] ${path === undefined ? "" : `[canceled path: ${path}] `}${said}`

export const userCancelled =
  "user code invoking stream RPC with context processed by context.WithCancel or context.WithTimeout, then invoking cancel() actively"
