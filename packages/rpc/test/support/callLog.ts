import { Cause, Effect, type Exit, type Layer } from "effect"
import { type RpcInfo, RpcTracer } from "../../src/index.ts"

/** What one call has written on one side. */
export interface Told {
  readonly info: RpcInfo.RpcInfo
  readonly log: Array<string>
  readonly hooks: Array<string>
  readonly failedFirst: Set<string>
  /** Of StreamSend and StreamRecv. */
  readonly moved: { sendCount: number; sendBytes: number; recvCount: number; recvBytes: number }
  readonly finishes: Array<RpcTracer.RpcFinish>
  /** How often the handler ran. */
  runs: number
  /** What it received. */
  readonly received: Array<string>
  /** How often a middleware saw a message. */
  readonly seen: Map<string, number>
}

/** All calls of one side, in the order in which something was heard of them. */
export class Calls {
  readonly all: Array<Told> = []

  of(info: RpcInfo.RpcInfo): Told {
    let told = this.all.find((each) => each.info === info)
    if (told === undefined) {
      told = {
        info,
        log: [],
        hooks: [],
        failedFirst: new Set(),
        moved: { sendCount: 0, sendBytes: 0, recvCount: 0, recvBytes: 0 },
        finishes: [],
        runs: 0,
        received: [],
        seen: new Map()
      }
      this.all.push(told)
    }
    return told
  }
}

export const howOf = (exit: Exit.Exit<unknown, unknown>): string => {
  if (exit._tag === "Success") return "ok"
  if (Cause.hasDies(exit.cause)) return "died"
  return Cause.hasInterruptsOnly(exit.cause) ? "interrupted" : "error"
}

/** Two of them: their order shows. */
export const tracers = ["t0", "t1"]

/** Tracers that write down what they hear. */
export const tracersOf = (client: Calls, server: Calls): Layer.Layer<never> => {
  const told = (info: RpcInfo.RpcInfo) => (info.side === "client" ? client : server).of(info)
  return RpcTracer.layer(
    ...tracers.map((name, at): RpcTracer.RpcTracer => ({
      start: (info) => Effect.sync(() => void told(info).log.push(`start ${name}`)),
      handlerStart: (info) => void told(info).log.push(`handlerStart ${name}`),
      handlerFinish: (info) => void told(info).log.push(`handlerFinish ${name}`),
      streamStart: (info) => void told(info).hooks.push(`streamStart ${name}`),
      streamFinish: (info) => void told(info).hooks.push(`streamFinish ${name}`),
      // Once is enough to add up.
      streamSend: ({ bytes, count, info }) => {
        const { moved } = told(info)
        if (at > 0) return
        moved.sendCount += count
        moved.sendBytes += bytes
      },
      streamRecv: ({ bytes, count, info }) => {
        const { moved } = told(info)
        if (at > 0) return
        moved.recvCount += count
        moved.recvBytes += bytes
      },
      finish: (event) =>
        Effect.sync(() => {
          const { finishes, log } = told(event.info)
          log.push(`finish ${name} ${howOf(event.exit)}`)
          if (at === 0) finishes.push(event)
        })
    }))
  )
}
