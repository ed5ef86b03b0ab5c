/**
 * Many streams over TTHeader on few connections: nothing is left of those that have ended.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import type { RawClientStream, RawServerStream } from "../../src/RawStream.ts"
import { ClientTransport, ServerTransport } from "../../src/Transport.ts"
import { Cancelled, TransportError } from "../../src/TransportError.ts"
import { until } from "../support/calls.ts"
import { layers } from "../support/layers.ts"
import { decodeText, encodeText, openStream, requestTo } from "../support/raw.ts"

const cancelled = new TransportError({ reason: new Cancelled(), code: 1, desc: "cancelled by the test" })

/** `Idle` waits, `Long` sends a little and goes on until it is cancelled, others answer their one message. */
const handling =
  (running: Set<RawServerStream>) =>
  (stream: RawServerStream): void => {
    running.add(stream)
    const over = () => {
      running.delete(stream)
      stream.release()
    }
    let tokens = stream.method === "Long" ? 5 : 0
    const send = () => {
      while (tokens-- > 0 && stream.writable) stream.write(["token"], 0, encodeText)
    }
    const answer = () => {
      const into: Array<string> = []
      stream.take(decodeText, 1, into)
      if (into.length === 0 || stream.method !== "Short") return
      stream.write(into, 0, encodeText)
      stream.finish({ code: 0, message: "" }, [])
      over()
    }
    stream.listener = { onReadable: answer, onWritable: send, onAbort: over }
    send()
    answer()
  }

const handles = () =>
  process.getActiveResourcesInfo().reduce<Record<string, number>>((counts, name) => {
    counts[name] = (counts[name] ?? 0) + 1
    return counts
  }, {})

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void

/** MiB of what is not garbage. */
const memory = () => {
  collect()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return (arrayBuffers + heapUsed) / 1024 / 1024
}

describe("a soak of streams over TTHeader", () => {
  it.live("50,000 short streams, beside 2,000 that are idle, and 5,000 that are cancelled at full speed", () =>
    Effect.gen(function* () {
      const running = new Set<RawServerStream>()
      const server = yield* ServerTransport
      const { address: bound } = yield* server.listen({ onStream: handling(running), onCall: (call) => call.abort() })
      const address = `127.0.0.1:${bound.port}`
      const client = yield* ClientTransport
      const request = (method: string) =>
        requestTo(address, { path: `/a.Service/${method}`, transport: "ttheader-streaming" })
      const open = (method: string): RawClientStream => {
        const stream = client.tryOpen(request(method))
        if (stream === undefined) throw new Error("no connection has room")
        return stream
      }
      /** So many, 64 at once; `step` says when one is over. */
      const many = (count: number, method: string, step: (stream: RawClientStream) => boolean) =>
        Effect.callback<void>((resume) => {
          let opened = 0
          let done = 0
          const next = () => {
            opened++
            const stream = open(method)
            stream.listener = {
              onReadable: () => {
                if (!step(stream)) return
                done++
                if (done === count) resume(Effect.void)
                else if (opened < count) next()
              },
              onWritable: () => {},
              onAbort: (error) => resume(Effect.die(error))
            }
            if (method === "Short") stream.write(["x"], 0, encodeText, true)
          }
          for (let i = 0; i < 64; i++) next()
        })
      const short = (count: number) =>
        many(count, "Short", (stream) => {
          stream.take(decodeText, 1, [])
          return stream.end !== undefined
        })
      const cancel = (count: number) =>
        many(count, "Long", (stream) => {
          if (stream.available === 0) return false
          stream.abort("cancel", cancelled)
          return true
        })

      yield* openStream(address, request("Idle"))
      // One connection has 256 streams at most: these take 200 of each.
      const idle = yield* Effect.forEach(Array.from({ length: 1999 }), () => openStream(address, request("Idle")))
      yield* until(() => running.size === 2000)
      yield* short(5000)
      yield* cancel(1000)
      const before = memory()
      const held = handles()
      yield* short(45_000)
      yield* cancel(4000)
      yield* until(() => running.size === 2000)
      assert.isBelow(memory() - before, 4)
      const after = handles()
      for (const kind of ["TCPSocketWrap", "TCPServerWrap", "Timeout"]) {
        assert.isAtMost(after[kind] ?? 0, (held[kind] ?? 0) + 4)
      }
      for (const stream of idle) assert.isUndefined(stream.end)
    }).pipe(Effect.scoped, Effect.provide(layers({}, { connectionsPerAddress: 10 })))
  )
})
