import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { RawServerStream } from "../src/RawStream.ts"
import { Cancelled, TransportError } from "../src/TransportError.ts"
import { layers } from "./support/layers.ts"
import { decodeText, encodeText, openStream, readTexts, recorderOf, serve } from "./support/raw.ts"
import { ClientTransport } from "../src/Transport.ts"

const cancelled = new TransportError({ reason: new Cancelled(), code: 1, desc: "cancelled by the test" })

/** Sends a message whenever there is room, until it is cancelled. */
const endless = (running: Set<RawServerStream>) => (stream: RawServerStream) =>
  Effect.sync(() => {
    running.add(stream)
    let rounds = stream.method === "Long" ? Infinity : 5
    const send = () => {
      while (rounds-- > 0 && stream.writable) stream.write(["token"], 0, encodeText)
    }
    stream.listener = {
      onReadable: () => {},
      onWritable: () => {},
      onAbort: () => {
        running.delete(stream)
        stream.release()
      }
    }
    if (stream.method === "Long") stream.write(["first"], 0, encodeText)
    else send()
  })

describe("one connection", () => {
  it.live("bears 5,000 streams that are read once and cancelled, beside a long one", () =>
    Effect.gen(function* () {
      const running = new Set<RawServerStream>()
      const { address, streams } = yield* serve(endless(running))
      const client = yield* ClientTransport
      const long = yield* openStream(address, { path: "/a.B/Long" })
      assert.deepStrictEqual(yield* readTexts(long, 1), ["first"])
      let done = 0
      yield* Effect.callback<void>((resume) => {
        const next = () => {
          const stream = client.tryOpen({ address, path: "/a.B/Short", authority: "b" })
          assert.isDefined(stream)
          stream.listener = {
            onReadable: () => {
              const into: Array<string> = []
              stream.take(decodeText, 1, into)
              if (into.length === 0) return
              stream.abort("cancel", cancelled)
              done++
              if (done === 5000) resume(Effect.void)
              else if (done + 49 < 5000) next()
            },
            onWritable: () => {},
            onAbort: (error) => resume(Effect.die(error))
          }
          stream.write(["go"], 0, encodeText)
        }
        for (let i = 0; i < 50; i++) next()
      })
      assert.strictEqual(long.end, undefined)
      const server = [...running].find((stream) => stream.method === "Long")!
      server.write(["still here"], 0, encodeText)
      assert.deepStrictEqual(yield* readTexts(long, 1), ["still here"])
      while (running.size > 1) yield* Effect.sleep(5)
      assert.strictEqual(new Set(streams.map((stream) => stream.peer.address)).size, 1)
      assert.strictEqual(streams.length, 5001)
      recorderOf(long)
      long.abort("cancel", cancelled)
    }).pipe(Effect.scoped, Effect.provide(layers({}, {})))
  )

  it.live("carries 20,000 short streams and keeps nothing of them", () =>
    Effect.gen(function* () {
      const { address } = yield* serve((stream) =>
        Effect.sync(() => {
          const into: Array<string> = []
          stream.take(decodeText, 1, into)
          stream.write(into, 0, encodeText)
          stream.finish({ code: 0, message: "" }, [])
          stream.release()
        })
      )
      const client = yield* ClientTransport
      ;(yield* openStream(address)).abort("cancel", cancelled)
      const round = (count: number) =>
        Effect.callback<void>((resume) => {
          let opened = 0
          let done = 0
          const next = () => {
            opened++
            const stream = client.tryOpen({ address, path: "/a.B/C", authority: "b" })!
            stream.listener = {
              onReadable: () => {
                if (stream.end === undefined) return
                done++
                if (done === count) resume(Effect.void)
                else if (opened < count) next()
              },
              onWritable: () => {},
              onAbort: (error) => resume(Effect.die(error))
            }
            stream.write(["x"], 0, encodeText, true)
          }
          for (let i = 0; i < 64; i++) next()
        })
      yield* round(10_000)
      const before = process.memoryUsage().arrayBuffers
      yield* round(10_000)
      assert.isBelow(process.memoryUsage().arrayBuffers - before, 8 * 1024 * 1024)
    }).pipe(Effect.scoped, Effect.provide(layers({}, {})))
  )
})
