import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit } from "effect"
import { BizStatusError, LogId, Metainfo, RpcError } from "../src/index.ts"
import type { Testing } from "../src/testing/index.ts"
import { clientOf, told } from "./support/client.ts"
import { logged, Request, Response } from "./support/echo.ts"

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

describe("keys in a TTHeader", () => {
  const strange = {
    Foo: "1",
    "x-y": "2",
    "bad key": "3",
    中: "中",
    "line\r\nbreak": "a\r\nb: c",
    CONTROL: "\u0000\u0001",
    SPACE: " a "
  }
  it.effect("travel as they are, with no warning", () =>
    Effect.gen(function* () {
      const [, lines] = yield* logged(
        Effect.gen(function* () {
          const { pingPong, seen } = yield* watched()
          yield* pingPong.pipe(
            Metainfo.withValues({ ...strange, ["__proto__"]: "p", EMPTY: "", "": "x" }),
            Metainfo.withPersistentValue("__proto__", "q")
          )
          assert.deepStrictEqual(seen, [
            { transient: { ...strange, ["__proto__"]: "p" }, persistent: { ["__proto__"]: "q" } }
          ])
        })
      )
      assert.deepStrictEqual(lines, [])
    })
  )

  it.effect("are none without a TTHeader", () =>
    Effect.gen(function* () {
      for (const transport of ["framed", "buffered"] as const) {
        const { pingPong, seen } = yield* watched({ pingPong: { transport } })
        yield* pingPong.pipe(Metainfo.withValue("A", "1"), LogId.within("x"))
        assert.deepStrictEqual(seen, [{ transient: {}, persistent: {} }])
      }
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

  it.effect("for the server's limits on a TTHeader: it says so", () =>
    Effect.gen(function* () {
      const { pingPong, seen } = yield* watched({ transport: { client: { maxSentHeaderFields: 1000 } } })
      const values = Object.fromEntries(Object.entries(many).slice(0, 300))
      assert.strictEqual(
        told(Exit.fail(yield* Effect.flip(Metainfo.withValues(pingPong, values)))),
        "Status: rpc error: code = 7 desc = the call is over a limit of the server: maxHeaderFields is 256; " +
          "the connection ends"
      )
      yield* pingPong
      assert.strictEqual(seen.length, 1)
    })
  )

  it.effect("for a TTHeader fails before anything is sent", () =>
    Effect.gen(function* () {
      const { pingPong, seen } = yield* watched({ transport: { client: { maxSentHeaderFields: 20_000 } } })
      const texts: Array<string> = []
      for (const values of [many, long]) {
        const error = yield* Effect.flip(Metainfo.withValues(pingPong, values))
        texts.push(told(Exit.fail(error)))
      }
      assert.match(texts[0]!, /^InvalidMetadata: .*: the keys and values of a TTHeader have 262140 bytes$/)
      assert.match(texts[1]!, /^InvalidMetadata: .*string exceeded 65535B max size \(actual: 1048576B/)
      yield* pingPong
      assert.strictEqual(seen.length, 1)
    })
  )
})

describe("backward values", () => {
  it.effect("come with the answer of a PingPong call, whatever it says", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({
        EchoPingPong: ({ req }, call) =>
          Effect.gen(function* () {
            yield* Metainfo.sendBackwardValue("region", "eu")
            yield* Effect.forkChild(Metainfo.sendBackwardValue("forked", "中\r\n"), { startImmediately: true })
            yield* Metainfo.sendBackwardValue("region", "us")
            yield* Metainfo.sendBackwardValue("", "x")
            yield* Metainfo.sendBackwardValue("empty", "")
            yield* Metainfo.sendBackwardValue("__proto__", "p")
            yield* call.setHeader("header", "h")
            if (req.message === "biz") {
              return yield* new BizStatusError.BizStatusError({ statusCode: 1, statusMessage: "no", extra: { a: "b" } })
            }
            if (req.message === "fail") {
              return yield* new RpcError.RpcError({ reason: new RpcError.Status(), code: 900, desc: "no" })
            }
            return new Response({ message: "yes" })
          })
      })
      const expected = [
        ["__proto__", "p"],
        ["forked", "中\r\n"],
        ["header", "h"],
        ["region", "us"]
      ]
      for (const message of ["ok", "biz", "fail"]) {
        const call = client.EchoPingPong({ req: new Request({ message }) })
        const [exit, values] = yield* Metainfo.withBackwardValues(Effect.exit(call))
        assert.strictEqual(
          told(exit).startsWith(message === "ok" ? "success" : message === "biz" ? "Biz" : "Status"),
          true
        )
        assert.deepStrictEqual([...values].sort(), expected)
      }
    })
  )

  it.effect("of several calls are gathered, each by the nearest", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({
        EchoPingPong: ({ req }) =>
          Effect.andThen(Metainfo.sendBackwardValue(req.message!, "1"), Effect.succeed(new Response({})))
      })
      const call = (message: string) => client.EchoPingPong({ req: new Request({ message }) })
      const [[, inner], outer] = yield* call("a").pipe(
        Effect.andThen(Metainfo.withBackwardValues(call("b"))),
        Effect.tap(call("c")),
        Metainfo.withBackwardValues
      )
      assert.deepStrictEqual([...inner.keys()], ["b"])
      assert.deepStrictEqual([...outer.keys()].sort(), ["a", "c"])
    })
  )

  it.effect("go nowhere in a stream, and outside of a handler", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({
        EchoUnary: () => Effect.andThen(Metainfo.sendBackwardValue("isn", "x"), empty),
        Echo: { duplex: () => Metainfo.sendBackwardValue("a", "x") }
      })
      const [, values] = yield* Metainfo.withBackwardValues(client.EchoUnary(request))
      assert.strictEqual(values.size, 0)
      const [exit] = yield* Metainfo.withBackwardValues(
        Effect.scoped(Effect.flatMap(client.Echo.open(), (stream) => Effect.exit(stream.recv)))
      )
      assert.isTrue(Exit.isFailure(exit) && Cause.isDone(Cause.squash(exit.cause)))
      yield* Metainfo.sendBackwardValue("a", "1")
    })
  )

  it.effect("have no keys of the protocol: that is a mistake of the program", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({
        EchoPingPong: () => Effect.andThen(Metainfo.sendBackwardValue("biz-status", "7"), empty)
      })
      const exit = yield* Effect.exit(client.EchoPingPong({ req: request }))
      assert.match(
        told(exit),
        /panic: .*"biz-status" cannot be set on a PingPong call: the key belongs to the protocol/
      )
    })
  )
})
