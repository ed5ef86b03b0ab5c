/**
 * The word `chain`, as `kitex/peer/chain.go` has it: what each server of a chain of calls sees.
 *
 * @since 0.1.0
 */
import { Client, Deadline, StreamClient } from "@millrace/rpc"
import type { CallError } from "@millrace/rpc/ClientStream"
import type { ServerCall } from "@millrace/rpc/ServerCall"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import { InteropService, Request, Response } from "./api.ts"
import { CallsService } from "./calls.ts"

/** What one server of a chain sees of its call. */
export interface Hop {
  readonly transient: Readonly<Record<string, string>> | null
  readonly persistent: Readonly<Record<string, string>> | null
  readonly logId: string
  readonly caller: string
  /** Until the deadline in milliseconds, 0 without one. */
  readonly left: number
  /** The span in which the handler runs, all empty without one. */
  readonly trace: string
  readonly span: string
  readonly parent: string
}

const here = Effect.fnUntraced(function* ({ info }: ServerCall) {
  const left = yield* Deadline.remaining
  const span = yield* Effect.orElseSucceed(Effect.currentSpan, () => undefined)
  const parent = span?.parent
  return {
    transient: Object.fromEntries(info.metainfo.transient),
    persistent: Object.fromEntries(info.metainfo.persistent),
    logId: info.logId ?? "",
    caller: info.caller,
    left: Math.trunc(left ?? 0),
    trace: span?.traceId ?? "",
    span: span?.spanId ?? "",
    parent: parent?._tag === "Some" ? parent.value.spanId : ""
  } satisfies Hop
})

/** The name that a server of ours calls others by. */
const callerName = "interop-ts"

/**
 * The clients of a server, and the answer to the word. The key of the request lists the servers that are still to be called, in the
 * mode in which this one was; a count of 2 lets transient metainfo of streams go on.
 */
export const make = Effect.gen(function* () {
  const calls = yield* Client.make(CallsService, { callerName })
  const streams = yield* StreamClient.make(InteropService, { callerName })
  const legacy = yield* StreamClient.make(InteropService, { callerName, propagation: "legacy" })

  const forward = (mode: string, hostPort: string, request: Request): Effect.Effect<Response, CallError> => {
    const client = request.count === 2 ? legacy : streams
    switch (mode) {
      case "pingPong":
        return Effect.catchTag(calls.Call({ req: request }, { hostPort }), "Refused", Effect.die)
      case "bidirectional":
        return Effect.gen(function* () {
          const stream = yield* client.Bidi.open({ hostPort })
          yield* stream.send(request)
          const response = yield* Pull.catchDone(stream.recv, () => Effect.die("no answer"))
          yield* stream.closeSend
          yield* Pull.catchDone(stream.recv, () => Effect.void)
          return response
        }).pipe(Effect.scoped)
      default:
        return Effect.catchTag(client.Unary(request, { hostPort }), "Refused", Effect.die)
    }
  }

  return Effect.fnUntraced(function* (
    { count, key = "", message }: Request,
    call: ServerCall
  ): Effect.fn.Return<Response, CallError> {
    const own = yield* here(call)
    if (key === "") return new Response({ message: JSON.stringify([own]) })
    const [address, ...rest] = key.split(",")
    const answer = yield* forward(call.info.mode, address!, new Request({ message, count, key: rest.join(",") }))
    const hops: ReadonlyArray<Hop> = JSON.parse(answer.message ?? "")
    return new Response({ message: JSON.stringify([own, ...hops]) })
  })
})
