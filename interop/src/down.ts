/**
 * The words that begin with `down-`, as `kitex/peer/streamx.go` has them: a handler that opens a stream to the server which the
 * persistent metainfo NEXT names. With `down-wait` it waits there for a message that does not come; with `down-leave` it returns while the
 * stream is open; with `down-metainfo` it gives the metainfo that came there, and with `down-hook` the keys of its Header frame.
 *
 * @since 0.1.0
 */
import { StreamClient } from "@millrace/rpc"
import type { CallError } from "@millrace/rpc/ClientStream"
import type { ServerCall } from "@millrace/rpc/ServerCall"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import { InteropService, Request } from "./api.ts"

/** The answer to the words, with a client of its own. */
export const make = Effect.gen(function* () {
  const client = yield* StreamClient.make(InteropService, {
    callerName: "interop-ts",
    transport: "ttheader-streaming"
  })
  return Effect.fnUntraced(function* (
    message: string | undefined,
    { metainfo }: ServerCall
  ): Effect.fn.Return<string | undefined, CallError, Scope.Scope> {
    const hostPort = metainfo.persistent.get("NEXT")
    const stream = yield* client.Bidi.open({ hostPort })
    const recv = Pull.catchDone(stream.recv, () => Effect.die("the stream ended"))
    yield* stream.send(new Request({ message: message === "down-hook" ? "hook" : "metainfo" }))
    const there = (yield* recv).message
    if (message === "down-metainfo" || message === "down-hook") return there
    yield* stream.send(new Request({ message: "wait" }))
    if (message === "down-wait") yield* recv
    else yield* Effect.sleep(20)
    return undefined
  })
})

/** What it is for a server of words. */
export type Down = Effect.Success<typeof make>
