/**
 * The handlers of `kitex/peer` in TypeScript: the same words, the same outcomes.
 *
 * @since 0.1.0
 */
import { BizStatusError, Deadline, RpcError } from "@millrace/rpc"
import type { CallError } from "@millrace/rpc/ClientStream"
import type { ServerCall } from "@millrace/rpc/ServerCall"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import { InteropService, Refused, type Request, Response, SecondService } from "./api.ts"

const status = (code: number, desc: string) => new RpcError.RpcError({ reason: new RpcError.Status({}), code, desc })

const biz = (statusCode: number, statusMessage: string, extra: Readonly<Record<string, string>> = {}) =>
  new BizStatusError.BizStatusError({ statusCode, statusMessage, extra })

/** Words that end a call, and the error they end it with. */
const outcomes: Readonly<Record<string, () => CallError>> = {
  "plain-error": () => status(13, "boom"),
  "unicode-error": () => status(13, "错误 100%\n"),
  "trans-error": () => status(1000, "retry"),
  status: () => status(7, "no entry"),
  "status-big": () => status(12345, "custom"),
  biz: () => biz(404, "not found"),
  "biz-extra": () => biz(404, "not found", { k: "v" }),
  "biz-html": () => biz(-7, "错误 <a&b> 100%", { k: "<a&b> 中\u2028" }),
  "biz-zero": () => biz(0, "zero")
}

const headers = [
  ["h-one", "1"],
  ["h-multi", "a"],
  ["h-multi", "b"],
  ["h-bin", "\u0000\u007f"]
] as const

const trailers = [
  ["t-one", "1"],
  ["t-multi", "a"],
  ["t-multi", "b"],
  ["t-bin", "\u0001\u0002\u0003\u0004"]
] as const

const manyHeaders = [
  ["hello", "3"],
  ["hello", "4"],
  ["foo_bar", "5"],
  ["foo_bar", "6"],
  ["bar-foo", "7"],
  ["bar-foo", "8"],
  ["x1", "9"],
  ["x_1", "10"],
  ["1_x", "11"]
] as const

const manyTrailers = [
  ["xxx", "1"],
  ["xxx", "2"],
  ["yyy_zzz", "3"],
  ["zzz-yyy", "4"],
  ["x1", "5"],
  ["x_1", "6"],
  ["1_x", "7"]
] as const

type Entries = ReadonlyArray<readonly [string, string]>

const setHeaders = (call: ServerCall, entries: Entries) =>
  Effect.forEach(entries, ([key, value]) => call.setHeader(key, value), { discard: true })

const setTrailers = (call: ServerCall, entries: Entries) =>
  Effect.forEach(entries, ([key, value]) => call.setTrailer(key, value), { discard: true })

/** The words that set headers and trailers. */
const metadataOf = (call: ServerCall, word: string | undefined): Effect.Effect<void> => {
  switch (word) {
    case "header-trailer":
      return Effect.andThen(setHeaders(call, headers), setTrailers(call, trailers))
    case "send-header":
      return call.setHeader("early", "1").pipe(Effect.andThen(call.sendHeader), Effect.andThen(Effect.sleep(300)))
    case "header-names":
      return Effect.andThen(setHeaders(call, manyHeaders), setTrailers(call, manyTrailers))
    default:
      return Effect.void
  }
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

/** What `make` needs: an effect that starts a graceful stop, for the word `drain`. */
export interface Options {
  readonly drain: Effect.Effect<void>
}

/** The handlers of both services. */
export const make = ({ drain }: Options) => {
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

  const interop = InteropService.toLayer({
    Bidi: {
      duplex: (stream, call) =>
        Effect.suspend(() => {
          let key: string | undefined
          let holding = false
          const held: Array<Request> = []
          const next = stream.recv.pipe(Pull.catchDone(() => Effect.succeed(undefined)))
          return Effect.gen(function* () {
            for (;;) {
              const request = yield* next
              if (request === undefined) break
              key = request.key ?? key
              if (request.message === "return-early") return
              if (request.message === "recv-timeout") {
                yield* Effect.timeout(next, 50)
                continue
              }
              holding ||= request.message === "hold"
              if (holding) {
                held.push(request)
                continue
              }
              yield* metadataOf(call, request.message)
              yield* stream.send(yield* answer(request, call))
            }
            for (const { blob, count, message } of held) yield* stream.send(new Response({ message, count, blob }))
          }).pipe(
            Effect.catchTag("TimeoutError", () => Effect.fail(status(13, "no second message"))),
            Effect.onExit((exit) => record(key, exit))
          )
        })
    },
    Client: (requests, call) =>
      Effect.suspend(() => {
        let count = 0
        let blob: Uint8Array | undefined
        let key: string | undefined
        let early: Response | undefined
        return requests.pipe(
          Stream.runForEachWhile((request) =>
            Effect.gen(function* () {
              count++
              blob = request.blob
              key = request.key ?? key
              if (request.message === "return-early") {
                early = new Response({ message: "early", count })
                return false
              }
              yield* metadataOf(call, request.message)
              yield* answer(request, call)
              return true
            })
          ),
          Effect.map(() => early ?? new Response({ message: "total", count, blob })),
          Effect.onExit((exit) => record(key, exit))
        )
      }),
    Server: (request, call) => {
      const { key, message } = request
      switch (message) {
        case "two-then-error":
        case "two-then-biz":
          return Stream.concat(
            Stream.make(new Response({ message: "a" }), new Response({ message: "b" })),
            Stream.fail(outcomes[message === "two-then-biz" ? "biz-extra" : "plain-error"]!())
          )
        case "forever":
          return Stream.iterate(0, (count) => count + 1).pipe(
            Stream.mapEffect((count) => Effect.delay(Effect.succeed(new Response({ message: "tick", count })), 10)),
            Stream.onExit((exit) => record(key, exit))
          )
        default:
      }
      return Stream.unwrap(
        Effect.andThen(
          metadataOf(call, message),
          Effect.map(answer(request, call), (response) =>
            message === "big"
              ? Stream.make(response)
              : Stream.range(1, request.count ?? 0).pipe(
                  Stream.map((i) => new Response({ message, blob: request.blob, count: i - 1 }))
                )
          )
        )
      )
    },
    Unary: (request, call) =>
      request.message === "refused" ? Effect.fail(new Refused({ code: 42, why: "bad" })) : answer(request, call),
    Types: (values) => values,
    UnaryTypes: (value) => Effect.succeed(value)
  })

  return { interop, second }
}

const tell = (text: string | number | undefined) => new Response({ message: `second: ${text ?? ""}` })

const second = SecondService.toLayer({
  Bidi: (requests) => Stream.map(requests, ({ message }) => tell(message)),
  Client: (requests) => Effect.map(Stream.runCount(requests), tell),
  Server: ({ count, message }) => Stream.map(Stream.range(1, count ?? 0), () => tell(message)),
  Unary: ({ message }) => Effect.succeed(tell(message))
})
