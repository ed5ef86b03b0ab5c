/**
 * What the words in `Request.message` do in every mode, streams and calls alike.
 *
 * @since 0.1.0
 */
import { Retry } from "@millrace/governance"
import { BizStatusError, Deadline, LogId, RpcError, StatusDetails } from "@millrace/rpc"
import type { CallError } from "@millrace/rpc/ClientStream"
import type { ServerCall } from "@millrace/rpc/ServerCall"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { type Request, Response } from "./api.ts"
import type { Down } from "./down.ts"

export const status = (code: number, desc: string) =>
  new RpcError.RpcError({ reason: new RpcError.Status({}), code, desc })

export const biz = (statusCode: number, statusMessage: string, extra: Readonly<Record<string, string>> = {}) =>
  new BizStatusError.BizStatusError({ statusCode, statusMessage, extra })

/** A status with one detail, a google.protobuf.StringValue. */
const details = StatusDetails.encode({
  code: 5,
  message: "status with details",
  details: [
    {
      typeUrl: "type.googleapis.com/google.protobuf.StringValue",
      value: Buffer.concat([Uint8Array.of(0x0a, 8), Buffer.from("a detail")])
    }
  ]
})

/** Words that end a call, and the error they end it with. */
export const outcomes: Readonly<Record<string, () => CallError>> = {
  "plain-error": () => status(13, "boom"),
  "unicode-error": () => status(13, "错误 100%\n"),
  "trans-error": () => status(1000, "retry"),
  status: () => status(7, "no entry"),
  "status-big": () => status(12345, "custom"),
  biz: () => biz(404, "not found"),
  "biz-extra": () => biz(404, "not found", { k: "v" }),
  "biz-html": () => biz(-7, "错误 <a&b> 100%", { k: "<a&b> 中\u2028" }),
  "biz-zero": () => biz(0, "zero"),
  "biz-grpc": () => biz(100, "grpc biz", { k: "v" }),
  "biz-details": () =>
    new BizStatusError.BizStatusError({
      statusCode: 101,
      statusMessage: "status with details",
      extra: { k: "v" },
      rpcCode: 5,
      details
    }),
  "status-details": () =>
    new RpcError.RpcError({ reason: new RpcError.Status({ details }), code: 5, desc: "status with details" })
}

const metainfoText = ({ metainfo: { persistent, transient } }: ServerCall): string =>
  [
    ...Array.from(persistent, ([key, value]) => `persistent ${key}=${value}`),
    ...Array.from(transient, ([key, value]) => `transient ${key}=${value}`)
  ]
    .toSorted()
    .join("; ")

const metadataText = ({ metadata }: ServerCall, key: string): string =>
  metadata
    .getAll(key.toLowerCase())
    .map((value) => (typeof value === "string" ? value : Buffer.from(value).toString("latin1")))
    .join(",")

/** What `make` needs: an effect that starts a graceful stop, for the word `drain`, and what answers the word `chain`. */
export interface Options {
  readonly drain: Effect.Effect<void>
  readonly chain: (request: Request, call: ServerCall) => Effect.Effect<Response, CallError>
  /** What answers the words that begin with `down-`. */
  readonly down?: Down
  /** Where the server listens, for the word `where`. */
  readonly where?: () => string
}

/** What the handlers of one server share. */
export const make = ({ chain, down = () => Effect.succeed(undefined), drain, where = () => "" }: Options) => {
  // how the streams ended that carried a key, for a client that cannot see it by itself
  const seen = new Map<string, string>()
  const record = (key: string | undefined, exit: Exit.Exit<unknown, unknown>) =>
    Effect.sync(() => {
      if (key !== undefined) seen.set(key, Exit.isSuccess(exit) ? "end of stream" : Cause.pretty(exit.cause))
    })

  const take = (key: string, tries = 200): Effect.Effect<string | undefined> =>
    seen.has(key) || tries === 0
      ? Effect.sync(() => seen.get(key))
      : Effect.andThen(
          Effect.sleep(10),
          Effect.suspend(() => take(key, tries - 1))
        )

  // how many calls of a key there were
  const attempts = new Map<string, number>()
  const nextAttempt = (key = ""): number => {
    const next = (attempts.get(key) ?? 0) + 1
    attempts.set(key, next)
    return next
  }
  const attemptText = (attempt: number): Effect.Effect<Response> =>
    Effect.map(Retry.isRetry, (retried) => new Response({ message: `attempt ${attempt}, a retry: ${retried}` }))

  const answer = Effect.fnUntraced(function* (
    request: Request,
    call: ServerCall
  ): Effect.fn.Return<Response, CallError> {
    const { blob, count, key, message } = request
    switch (message) {
      case "sleep":
        yield* Effect.sleep(count ?? 0)
        break
      case "big":
        return new Response({ message, blob: new Uint8Array(count ?? 0).fill(0xab) })
      case "metainfo":
        return new Response({ message: metainfoText(call) })
      case "metadata":
        return new Response({ message: metadataText(call, key ?? "") })
      case "deadline": {
        const left = yield* Deadline.remaining
        return left === undefined
          ? new Response({ message: "none" })
          : new Response({ message: "left", count: Math.trunc(left) })
      }
      case "chain":
        return yield* chain(request, call)
      case "caller":
        return new Response({ message: `${call.info.caller}/` })
      case "log-id":
        return new Response({ message: yield* LogId.current })
      case "where":
        return new Response({ message: where() })
      case "sleep-first": {
        const attempt = nextAttempt(key)
        if (attempt <= (count ?? 0)) yield* Effect.sleep(400)
        return yield* attemptText(attempt)
      }
      case "fail-first": {
        const attempt = nextAttempt(key)
        return attempt <= (count ?? 0) ? yield* Effect.fail(status(1000, "retry")) : yield* attemptText(attempt)
      }
      case "peer":
        return new Response({ message: call.peer.address })
      case "wait":
        return yield* Effect.onExit(Effect.never, (exit) => record(key, exit))
      case "seen":
        return new Response({ message: yield* take(key ?? "") })
      case "drain":
        yield* Effect.forkDetach(drain)
        break
      case "panic":
        return yield* Effect.die("kaboom")
      case "exit":
        return process.exit(7)
      default:
    }
    const outcome = message === undefined ? undefined : outcomes[message]
    if (outcome !== undefined) return yield* Effect.fail(outcome())
    return new Response({ message, count, blob })
  })

  /** Does what the transient metainfo OUTCOME asks for, before a handler receives anything. */
  const early = Effect.fnUntraced(function* ({ metainfo }: ServerCall): Effect.fn.Return<void, CallError> {
    const word = metainfo.transient.get("OUTCOME")
    if (word === undefined) return
    if (word === "sleep") yield* Effect.sleep(300)
    if (word === "exit") process.exit(7)
    yield* Effect.fail(outcomes[word]?.() ?? status(13, word))
  })

  return { answer, down, early, metainfoText, record, seen }
}

/** The words of a server. */
export type Words = ReturnType<typeof make>
