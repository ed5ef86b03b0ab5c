/** What HTTP/2 makes of the keys and values of metainfo, and how much it takes. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { LogId, Metainfo, type RpcError } from "../../src/index.ts"
import type { Testing } from "../../src/testing/index.ts"
import { clientOf, told } from "../support/client.ts"
import { logged, Request, Response } from "../support/echo.ts"

const request = new Request({ message: "x" })
const empty = Effect.succeed(new Response({}))

/** A client, and the metainfo that its server has received. */
const watched = (options: Testing.Options = {}) =>
  Effect.gen(function* () {
    const seen: Array<{ transient: Record<string, string>; persistent: Record<string, string> }> = []
    const note = ({ persistent, transient }: Metainfo.Metainfo) =>
      Effect.sync(() => {
        seen.push({ transient: Object.fromEntries(transient), persistent: Object.fromEntries(persistent) })
      })
    const client = yield* clientOf(
      {
        EchoUnary: (_, { metainfo }) => Effect.andThen(note(metainfo), empty),
        EchoPingPong: (_, { metainfo }) => Effect.andThen(note(metainfo), empty)
      },
      options
    )
    return { seen, unary: client.EchoUnary(request), pingPong: client.EchoPingPong({ req: request }) }
  })

describe("keys over HTTP/2", () => {
  it.effect("come out in UPPER_SNAKE, and what no header holds is left out", () =>
    Effect.gen(function* () {
      const [, lines] = yield* logged(
        Effect.gen(function* () {
          const { seen, unary } = yield* watched()
          const call = unary.pipe(
            Metainfo.withValues({
              COUNT: "1",
              Foo: "2",
              error: "3",
              "x-y": "4",
              "HELLO-WORLD": "5",
              HELLO_WORLD: "6",
              "A.B~": "7",
              "bad key": "x",
              中: "x",
              "line\r\nbreak": "x",
              CONTROL: "a\u0001",
              BREAK: "a\r\nb: c",
              TAB: "a\tb",
              SPACE: " a b ",
              TEXT: "voilà 中",
              OF_BIN: "bytes: \u0000",
              "": "x",
              EMPTY: ""
            }),
            Metainfo.withPersistentValues({ p_P: "8", "bad\u0000": "x", __proto: "9" })
          )
          yield* call
          yield* call
          assert.deepStrictEqual(seen[0], {
            transient: {
              COUNT: "1",
              FOO: "2",
              ERROR: "3",
              X_Y: "4",
              HELLO_WORLD: "6",
              "A.B~": "7",
              TAB: "a\tb",
              SPACE: "a b",
              TEXT: "voilà 中",
              OF_BIN: "bytes: \u0000"
            },
            persistent: { P_P: "8", __PROTO: "9" }
          })
          assert.deepStrictEqual(seen[1], seen[0])
        })
      )
      const warnings = lines.filter(({ level }) => level === "Warn")
      assert.deepStrictEqual(
        warnings.map(({ text }) => text.trim()),
        [
          'The metainfo key "Foo" arrives as "FOO", as all keys over HTTP/2 do: write keys in UPPER_SNAKE. This client says so once, whatever other keys there are.',
          'The metainfo value of "bad key" is not sent over HTTP/2: invalid header field name "rpc-transit-bad key": names are made of lower-case letters, digits and !#$%&\'*+-.^_`|~. Keys are letters, digits and _, values are text without control characters. This client says so once, whatever other keys there are.'
        ]
      )
    })
  )

  it.effect("are as they were set where they are UPPER_SNAKE, with no warning", () =>
    Effect.gen(function* () {
      const [, lines] = yield* logged(
        Effect.gen(function* () {
          const { seen, unary } = yield* watched()
          yield* unary.pipe(Metainfo.withValue("HELLO", "1"), Metainfo.withPersistentValue("HELLO_WORLD", "1"))
          assert.deepStrictEqual(seen, [{ transient: { HELLO: "1" }, persistent: { HELLO_WORLD: "1" } }])
        })
      )
      assert.deepStrictEqual(lines, [])
    })
  )

  it.effect("of which two become the same: the one that was set last is sent", () =>
    Effect.gen(function* () {
      const { seen, unary } = yield* watched()
      yield* unary.pipe(Metainfo.withValue("A-B", "last"), Metainfo.withValues({ "A-B": "first", A_B: "second" }))
      yield* unary.pipe(Metainfo.withValue("A_B", "1"), Metainfo.withValue("A-B", "2"))
      assert.deepStrictEqual(
        seen.map(({ transient }) => transient),
        [{ A_B: "last" }, { A_B: "1" }]
      )
    })
  )

  it.effect("stand in place of metadata of the same name", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({
        EchoUnary: (_, { metadata }) =>
          Effect.succeed(
            new Response({
              message: JSON.stringify(
                ["rpc-transit-a", "rpc-persist-b", "stream-log-id", "own"].map((key) => metadata.getAll(key))
              )
            })
          )
      })
      const metadata = { "Rpc-Transit-A": ["x", "y"], "rpc-persist-b": "x", "stream-log-id": "x", own: "z" }
      const call = client.EchoUnary(request, { metadata })
      assert.strictEqual((yield* call).message, '[["x","y"],["x"],["x"],["z"]]')
      const answer = yield* call.pipe(
        Metainfo.withValue("A", "1"),
        Metainfo.withPersistentValue("B", "2"),
        LogId.within("3")
      )
      assert.strictEqual(answer.message, '[["1"],["2"],["3"],["z"]]')
    })
  )
})

describe("too much", () => {
  const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`KEY_${i}`, `${i}`]))
  const long = { LONG: "x".repeat(1024 * 1024) }
  const large = {
    limits: {
      maxHeaderListSize: 4_000_000,
      maxHeaderFields: 20_000,
      maxHeaderBlockSize: 4_000_000,
      maxContinuationFrames: 1000
    }
  }

  it.effect("for the server's limits fails before anything is sent", () =>
    Effect.gen(function* () {
      const { seen, unary } = yield* watched()
      for (const values of [many, long]) {
        const error = yield* Effect.flip(Metainfo.withValues(unary, values))
        assert.match(
          told(Exit.fail(error)),
          /^Rejected: .* = 13 desc = header list size to send violates the maximum size \(65536 bytes\) set by server$/
        )
        assert.deepInclude((error as RpcError.RpcError).reason, { limit: "MAX_HEADER_LIST_SIZE" })
      }
      yield* unary
      assert.strictEqual(seen.length, 1)
    })
  )

  it.effect("is carried whole where the server takes it", () =>
    Effect.gen(function* () {
      const { seen, unary } = yield* watched({ transport: { server: large, client: { maxSentHeaderFields: 20_000 } } })
      yield* Metainfo.withValues(unary, many)
      yield* Metainfo.withPersistentValues(unary, long)
      assert.deepStrictEqual(seen, [
        { transient: many, persistent: {} },
        { transient: {}, persistent: long }
      ])
    })
  )
})
