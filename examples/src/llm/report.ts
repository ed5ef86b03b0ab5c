/**
 * What the demo measures: arrivals of tokens, starts and ends of calls, and the rows that show them.
 */
import { RpcTracer } from "@millrace/rpc"
import { Clock, Effect, Stream } from "effect"

export interface Timing {
  readonly firstMillis: number
  readonly gapP99Millis: number
  readonly perSecond: number
}

/** Runs the stream and times its elements; those that arrive in one array arrive at one time. */
export const time = <A, E, R>(stream: Stream.Stream<A, E, R>): Effect.Effect<Timing, E, R> =>
  Effect.gen(function* () {
    const now = Effect.map(Clock.currentTimeNanos, (nanos) => Number(nanos) / 1e6)
    const gaps: Array<number> = []
    const start = yield* now
    let first = start
    let last = start
    let count = 0
    yield* Stream.runForEachArray(stream, (elements) =>
      Effect.map(now, (at) => {
        if (count === 0) first = at
        else gaps.push(at - last)
        for (let i = 1; i < elements.length; i++) gaps.push(0)
        count += elements.length
        last = at
      })
    )
    gaps.sort((a, b) => a - b)
    return {
      firstMillis: first - start,
      gapP99Millis: gaps[Math.floor(gaps.length * 0.99)] ?? 0,
      perSecond: count / ((last - start) / 1000)
    }
  })

/** Counts RPCStart and RPCFinish of one side. */
export class CallCounter implements RpcTracer.RpcTracer {
  started = 0
  finished = 0
  readonly start = () => Effect.sync(() => void this.started++)
  readonly finish = () => Effect.sync(() => void this.finished++)
  readonly layer = RpcTracer.layer(this)
  row(side: "client" | "server"): string {
    return row(`${side}: RPCStart, RPCFinish`, `${this.started}`, `${this.finished}`)
  }
}

export const row = (name: string, ...values: ReadonlyArray<string>): string =>
  `  ${name.padEnd(32)}${values.map((value) => value.padStart(14)).join("")}`

export const millis = (value: number): string => `${value.toFixed(1)} ms`

export const count = (value: number): string => Math.round(value).toLocaleString("en")
