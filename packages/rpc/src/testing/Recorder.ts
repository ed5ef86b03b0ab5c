/**
 * A tracer that remembers: what started, what finished, and how many messages went by, on each side.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { RpcInfo } from "../RpcInfo.ts"
import * as RpcTracer from "../RpcTracer.ts"

/**
 * What one side has reported, in order.
 *
 * @since 0.1.0
 * @category models
 */
export interface Side {
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
  const tracer: RpcTracer.RpcTracer = {
    start: (info) => Effect.sync(() => void sides[info.side].starts.push(info)),
    streamSend: (info, count, bytes) => {
      sides[info.side].sendCount += count
      sides[info.side].sendBytes += bytes
    },
    streamRecv: (info, count, bytes) => {
      sides[info.side].recvCount += count
      sides[info.side].recvBytes += bytes
    },
    finish: (event) =>
      Effect.sync(() => {
        sides[event.info.side].finishes.push(event)
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
  starts: new Array<RpcInfo>(),
  finishes: new Array<RpcTracer.RpcFinish>(),
  sendCount: 0,
  sendBytes: 0,
  recvCount: 0,
  recvBytes: 0
})
