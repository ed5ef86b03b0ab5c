import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Stream } from "effect"
import { Metadata, type ServerCall } from "../../src/index.ts"
import { told } from "../support/client.ts"
import { Request, Response } from "../support/echo.ts"
import { clientOf } from "./support.ts"

const request = new Request({})
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

const reserved = ["isn", "ttscp", "crrst", "crc32c", "rip", "tc", "ti", "retry-pushback-ms", "biz-status", "biz-extra"]
const plain = [
  "a",
  "A",
  "a-b",
  "A_B",
  "a b",
  "a\r\nb",
  "\u0000",
  "__proto__",
  "constructor",
  "x-bin",
  "X-BIN",
  "中",
  "a:b"
]
const keys = [...plain, ...plain, ...reserved, "", "RPC_PERSIST_a", "PV_a", "K".repeat(300), "\ud800"]
const values = ["", "1", " a ", "a\r\nb: c", "\u0000", "\ufeff", "🚀", "\udc00", "x".repeat(2000), "%0d%0a"]

/** The same numbers in every run. */
const numbers = (seed: number) => {
  let state = seed
  return (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const pick = (from: ReadonlyArray<string>, next: (below: number) => number): string => from[next(from.length)]!

const isRefused = (name: string): boolean =>
  name === "" || reserved.includes(name) || name.startsWith("RPC_") || name.startsWith("PV_")

/** As UTF-8 holds it. */
const wellFormed = (text: string): string => decoder.decode(new TextEncoder().encode(text))

const linesOf = ({ metadata }: ServerCall.ServerCall): ReadonlyArray<string> =>
  [...metadata.keys()]
    .filter((name) => name !== "isn")
    .flatMap((name) =>
      metadata
        .getAll(name)
        .map((each) => JSON.stringify([name, typeof each === "string" ? each : decoder.decode(each)]))
    )

describe("whatever is set as metadata over TTHeader", () => {
  it.effect("is carried whole, or refused before anything is sent, by streams and unary calls", () =>
    Effect.gen(function* () {
      const calls: Array<ServerCall.ServerCall> = []
      const client = yield* clientOf({
        EchoServer: (_, call) => {
          calls.push(call)
          return Stream.empty
        },
        EchoUnary: (_, call) => Effect.sync(() => (calls.push(call), new Response({})))
      })
      const next = numbers(7)
      let carried = 0
      for (let round = 0; round < 200; round++) {
        const entries = Array.from({ length: 1 + next(3) }, () => [pick(keys, next), pick(values, next)] as const)
        const bad = entries.some(([name]) => isRefused(name))
        for (const made of [Stream.runDrain(client.EchoServer(request)), client.EchoUnary(request)]) {
          calls.length = 0
          let call: Effect.Effect<unknown, unknown> = made
          // The innermost comes last.
          for (const [name, text] of entries) call = Metadata.append(call, { [name]: text })
          const exit = yield* Effect.exit(call)
          if (bad) {
            assert.match(told(exit), /^InvalidMetadata: /, JSON.stringify(entries))
            assert.strictEqual(calls.length, 0)
            continue
          }
          carried++
          assert.isTrue(Exit.isSuccess(exit), JSON.stringify(entries))
          const expected = entries.map(([name, text]) => JSON.stringify([wellFormed(name), wellFormed(text)]))
          assert.deepStrictEqual(linesOf(calls[0]!).toSorted(), expected.toSorted())
        }
      }
      assert.isAbove(carried, 100)
    })
  )
})
