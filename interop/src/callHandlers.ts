/**
 * The handlers of `kitex/peer/calls.go` in TypeScript: the same words, the same outcomes.
 *
 * @since 0.1.0
 */
import { Deadline, Metainfo, RpcError } from "@millrace/rpc"
import type { CallError } from "@millrace/rpc/ClientStream"
import type { ServerCall } from "@millrace/rpc/ServerCall"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Refused, Request, Response } from "./api.ts"
import { CallsService, First, LeftService, RightService, Second } from "./calls.ts"
import { biz, type Words } from "./words.ts"

/** What is not a `Status` goes out as Kitex sends an error of Go. */
const bare = (desc: string) =>
  new RpcError.RpcError({ reason: new RpcError.Unavailable({ neverSent: false }), code: 14, desc })

/** Words that end a call otherwise than they end a stream. */
const outcomes: Readonly<Record<string, () => CallError>> = {
  "plain-error": () => bare("boom"),
  "unicode-error": () => bare("错误 100%\n"),
  "biz-empty-extra": () => biz(5, "")
}

/** Kitex handlers may return nil; ours have a type that says otherwise. */
const nothing = undefined as unknown as Response

/** The handlers of the PingPong services. */
export const make = ({ answer, seen }: Words) => {
  const call = Effect.fnUntraced(function* (
    request: Request,
    server: ServerCall
  ): Effect.fn.Return<Response, CallError | Refused> {
    const { count, key, message } = request
    switch (message) {
      case "nil":
        return nothing
      case "refused":
        return yield* new Refused({ code: 42, why: "bad" })
      case "backward":
        yield* Metainfo.sendBackwardValue("from-server", "v2")
        break
      case "timeout":
        return new Response({ count: Math.trunc((yield* Deadline.remaining) ?? 0) })
      case "sleep":
        yield* Effect.onExit(Effect.sleep(count ?? 0), (exit) =>
          Effect.sync(() => {
            if (key !== undefined) seen.set(key, exit._tag === "Success" ? "slept" : "interrupted")
          })
        )
        return new Response({ message })
      default:
    }
    const outcome = message === undefined ? undefined : outcomes[message]
    if (outcome !== undefined) return yield* Effect.fail(outcome())
    return yield* answer(request, server)
  })

  const calls = CallsService.toLayer({
    Call: ({ req }, server) => call(req, server),
    Every: ({ value }) => Effect.succeed(value),
    Choose: ({ choice }) => Effect.succeed(choice),
    NeedText: ({ strict }) => Effect.succeed(strict.text),
    Next: ({ number }) => Effect.succeed(number + 1),
    Not: ({ flag }) => Effect.succeed(!flag),
    Half: ({ number }) => Effect.succeed(number / 2),
    Sum: ({ numbers }) => Effect.succeed(numbers.reduce((sum, number) => sum + number, 0n)),
    Bytes: ({ bytes }) => Effect.succeed(bytes),
    Sizes: ({ texts }) => Effect.succeed(new Map(Array.from(texts, (text) => [text, BigInt(Buffer.byteLength(text))]))),
    Repeat: ({ text, times }) => Effect.succeed(text.repeat(times)),
    Nothing: () => Effect.void,
    Attempt: ({ req }, server) => Effect.asVoid(call(req, server)),
    Tell: ({ key, text }, server) =>
      Effect.sync(() => seen.set(key, text)).pipe(
        Effect.andThen(call(new Request({ message: text }), server)),
        Effect.ignore
      )
  })

  return { calls, routes, combined }
}

const routes = Layer.mergeAll(
  First.toLayer({
    Shared: () => Effect.succeed("First.Shared"),
    OnlyFirst: () => Effect.succeed("First.OnlyFirst")
  }),
  Second.toLayer({
    Shared: () => Effect.succeed("Second.Shared"),
    OnlySecond: () => Effect.succeed("Second.OnlySecond")
  })
)

const combined = Layer.mergeAll(
  LeftService.toLayer({ Left: ({ text }) => Effect.succeed(`left ${text}`) }),
  RightService.toLayer({ Right: ({ text }) => Effect.succeed(`right ${text}`) })
)
