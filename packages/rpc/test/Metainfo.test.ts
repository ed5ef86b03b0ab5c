import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Stream } from "effect"
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
        EchoClient: () => Effect.andThen(Metainfo.sendBackwardValue("isn", "x"), empty),
        Echo: { duplex: () => Metainfo.sendBackwardValue("a", "x") }
      })
      const [, values] = yield* Metainfo.withBackwardValues(client.EchoClient(Stream.empty))
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
