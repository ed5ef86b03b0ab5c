/**
 * A tracer that remembers what it was told, on each side: what started, what finished, and what happened between.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { Metadata } from "../Metadata.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import * as RpcTracer from "../RpcTracer.ts"

/**
 * One thing that a tracer was told, by the name of its hook.
 *
 * @since 0.1.0
 * @category models
 */
export type Event =
  | { readonly hook: "start" | "streamStart" | "handlerStart" | "handlerFinish"; readonly info: RpcInfo }
  | { readonly hook: "streamRecvHeader" | "streamFinish"; readonly info: RpcInfo; readonly metadata: Metadata }
  | ({ readonly hook: "streamSend" | "streamRecv" } & RpcTracer.MessageEvent)
  | { readonly hook: "sendBlocked"; readonly info: RpcInfo; readonly millis: number }
  | ({ readonly hook: "finish" } & RpcTracer.RpcFinish)

/**
 * What one side has reported, in order.
 *
 * @since 0.1.0
 * @category models
 */
export interface Side {
  /** Everything, in the order in which it was told. */
  readonly events: ReadonlyArray<Event>
  readonly starts: ReadonlyArray<RpcInfo>
  readonly finishes: ReadonlyArray<RpcTracer.RpcFinish>
  /** Messages and payload bytes of all calls together, as the hooks for messages counted them. */
  readonly sendCount: number
  readonly sendBytes: number
  readonly recvCount: number
  readonly recvBytes: number
}

/**
 * A recorder: install `layer` under clients and servers, then read `client` and `server`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Recorder {
  readonly client: Side
  readonly server: Side
  readonly tracer: RpcTracer.RpcTracer
  readonly layer: Layer.Layer<never>
  /** Waits until a side has reported so many finishes. */
  readonly finished: (side: "client" | "server", count: number) => Effect.Effect<ReadonlyArray<RpcTracer.RpcFinish>>
}

/**
 * Makes a recorder.
 *
 * **Example** (One start and one finish a side)
 *
 * ```ts
 * import { Recorder } from "@millrace/rpc/testing"
 * import { Effect } from "effect"
 *
 * const test = Effect.gen(function*() {
 *   const recorder = yield* Recorder.make
 *   const [finish] = yield* recorder.finished("client", 1)
 *   return finish?.reason
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Recorder> = Effect.sync(() => {
  const sides = { client: emptySide(), server: emptySide() }
  const waiting = new Set<() => void>()
  const told = (event: Event): void => void sides[event.info.side].events.push(event)
  const tracer: RpcTracer.RpcTracer = {
    start: (info) =>
      Effect.sync(() => {
        sides[info.side].starts.push(info)
        told({ hook: "start", info })
      }),
    streamStart: (info) => told({ hook: "streamStart", info }),
    streamRecvHeader: (info, metadata) => told({ hook: "streamRecvHeader", info, metadata }),
    handlerStart: (info) => told({ hook: "handlerStart", info }),
    handlerFinish: (info) => told({ hook: "handlerFinish", info }),
    streamSend: (event) => {
      sides[event.info.side].sendCount += event.count
      sides[event.info.side].sendBytes += event.bytes
      told({ hook: "streamSend", ...event })
    },
    streamRecv: (event) => {
      sides[event.info.side].recvCount += event.count
      sides[event.info.side].recvBytes += event.bytes
      told({ hook: "streamRecv", ...event })
    },
    sendBlocked: (info, millis) => told({ hook: "sendBlocked", info, millis }),
    streamFinish: (info, metadata) => told({ hook: "streamFinish", info, metadata }),
    finish: (event) =>
      Effect.sync(() => {
        sides[event.info.side].finishes.push(event)
        told({ hook: "finish", ...event })
        for (const check of waiting) check()
      })
  }
  return {
    client: sides.client,
    server: sides.server,
    tracer,
    layer: RpcTracer.layer(tracer),
    finished: (side, count) =>
      Effect.callback((resume) => {
        const check = (): void => {
          const { finishes } = sides[side]
          if (finishes.length < count) return
          waiting.delete(check)
          resume(Effect.succeed(finishes))
        }
        waiting.add(check)
        check()
        return Effect.sync(() => waiting.delete(check))
      })
  }
})

const emptySide = () => ({
  events: new Array<Event>(),
  starts: new Array<RpcInfo>(),
  finishes: new Array<RpcTracer.RpcFinish>(),
  sendCount: 0,
  sendBytes: 0,
  recvCount: 0,
  recvBytes: 0
})
