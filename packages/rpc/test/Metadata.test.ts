import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Metadata } from "../src/index.ts"
import { clientOf } from "./support/client.ts"
import { Request, Response } from "./support/echo.ts"

const request = new Request({ message: "x" })

/** A client whose server answers what it has received under these keys. */
const shown = (...keys: ReadonlyArray<string>) =>
  clientOf({
    EchoUnary: (_, { metadata }) => {
      const values = keys.map((key) =>
        metadata.getAll(key).map((value) => (typeof value === "string" ? value : Array.from(value)))
      )
      return Effect.succeed(new Response({ message: JSON.stringify(values) }))
    },
    EchoPingPong: (_, { metadata }) => Effect.succeed(new Response({ message: JSON.stringify([...metadata.keys()]) }))
  })

describe("request metadata", () => {
  it.effect("of the fiber goes with all calls inside, behind what was set around", () =>
    Effect.gen(function* () {
      const client = yield* shown("a", "b")
      const call = Effect.map(client.EchoUnary(request), ({ message }) => message)
      const answers = yield* Effect.all([call, Metadata.append(call, { a: "2", b: ["3", "4"] }), call]).pipe(
        Metadata.append({ a: "1" })
      )
      assert.deepStrictEqual(answers, ['[["1"],[]]', '[["1","2"],["3","4"]]', '[["1"],[]]'])
      assert.strictEqual(yield* call, "[[],[]]")
    })
  )

  it.effect("goes with streams, and not with PingPong calls", () =>
    Effect.gen(function* () {
      const seen: Array<string | undefined> = []
      const client = yield* clientOf({
        Echo: { duplex: (_, { metadata }) => Effect.sync(() => void seen.push(metadata.get("a"))) },
        EchoPingPong: (_, { metadata }) => Effect.sync(() => (seen.push(metadata.get("a")), new Response({})))
      })
      yield* Effect.scoped(Effect.flatMap(client.Echo.open(), (stream) => Effect.exit(stream.recv))).pipe(
        Metadata.append({ A: "1" })
      )
      yield* Metadata.append(client.EchoPingPong({ req: request }), { A: "1" })
      assert.deepStrictEqual(seen, ["1", undefined])
    })
  )

  it.effect("is not that of the call which a handler handles", () =>
    Effect.gen(function* () {
      const behind = yield* shown("a")
      const client = yield* clientOf({ EchoUnary: () => Effect.orDie(behind.EchoUnary(request)) })
      assert.strictEqual((yield* Metadata.append(client.EchoUnary(request), { a: "1" })).message, "[[]]")
    })
  )

  it.effect("holds any bytes under a key of bytes, and text of any script", () =>
    Effect.gen(function* () {
      const client = yield* shown("a-bin", "text")
      const all = Uint8Array.from({ length: 256 }, (_, i) => i)
      const metadata = { "a-bin": [all, "\r\n"], text: ["中 à", "a\tb"] }
      const answer = yield* client.EchoUnary(request, { metadata })
      assert.deepStrictEqual(JSON.parse(answer.message!), [
        [[...all], [13, 10]],
        ["中 à", "a\tb"]
      ])
    })
  )
})

describe("response headers and trailers", () => {
  it.effect("several values, bytes, and keys of all kinds", () =>
    Effect.gen(function* () {
      const header: ReadonlyArray<readonly [string, Metadata.MetadataValue]> = [
        ["hello", "3"],
        ["hello", "4"],
        ["foo_bar", "5"],
        ["foo_bar", "6"],
        ["bar-foo", "7"],
        ["x1", "1"],
        ["x_1", "1"],
        ["1_x", "1"],
        ["raw-bin", Uint8Array.of(0, 255)],
        ["__proto__", "p"]
      ]
      const trailer: ReadonlyArray<readonly [string, Metadata.MetadataValue]> = [
        ["xxx", "1"],
        ["yyy_zzz", "2"],
        ["yyy_zzz", "3"],
        ["zzz-yyy", "4"],
        ["raw-bin", Uint8Array.of(1, 254)],
        ["text", "voilà"]
      ]
      const client = yield* clientOf({
        Echo: {
          duplex: (_, call) =>
            Effect.gen(function* () {
              for (const [key, value] of header) yield* call.setHeader(key, value)
              yield* call.sendHeader
              for (const [key, value] of trailer) yield* call.setTrailer(key, value)
            })
        }
      })
      const stream = yield* client.Echo.open()
      const listOf = (metadata: Metadata.Metadata) =>
        [...metadata.keys()].flatMap((key) => metadata.getAll(key).map((value) => [key, value]))
      const received = listOf(yield* stream.header).filter(([key]) => key !== "content-type")
      assert.deepStrictEqual(
        received,
        header.map(([key, value]) => [key, value])
      )
      assert.deepStrictEqual(
        listOf(yield* stream.trailer),
        trailer.map(([key, value]) => [key, value])
      )
    })
  )
})
