/** What HTTP/2 takes as names and values of headers, and how much. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { BizStatusError, LogId, Metadata, Metainfo, type RpcError } from "../../src/index.ts"
import { clientOf, told } from "../support/client.ts"
import { logged, Request, Response } from "../support/echo.ts"

const request = new Request({ message: "x" })
const empty = Effect.succeed(new Response({}))

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

it.effect("keys that differ in their case are one, with all values in order", () =>
  Effect.gen(function* () {
    const client = yield* shown("hello", "WORLD", "foo_bar", "bar_foo")
    const call = client.EchoUnary(request, { metadata: { hello: ["1", "2"], WORLD: ["1", "2"], foo_bar: "1" } })
    const answer = yield* call.pipe(Metadata.append({ HELLO: ["1", "2"], BAR_FOO: ["1", "2"] }))
    assert.strictEqual(answer.message, '[["1","2","1","2"],["1","2"],["1"],["1","2"]]')
  })
)

it.effect("that cannot be sent fails the call, and names of the protocol are left out", () =>
  Effect.gen(function* () {
    const client = yield* shown("te", "grpc-timeout", "__proto__", "constructor", "ok")
    const bad: ReadonlyArray<readonly [Metadata.MetadataRecord, string]> = [
      [{ "a b": "1" }, 'invalid header field name "a b": '],
      [{ "a\r\nb": "1" }, 'invalid header field name "a\\r\\nb": '],
      [{ "": "1" }, 'invalid header field name "": '],
      [{ 中: "1" }, 'invalid header field name "中": '],
      [{ ok: "1", a: "1\r\nb: 2" }, 'invalid header field value for "a": a control character is in it'],
      [{ a: "\u0000" }, 'invalid header field value for "a": a control character is in it'],
      [{ a: Uint8Array.of(1) }, 'invalid header field value for "a": bytes need a key in -bin']
    ]
    for (const [metadata, why] of bad) {
      const calls = [client.EchoUnary(request, { metadata }), Metadata.append(client.EchoUnary(request), metadata)]
      for (const call of calls) {
        const error = yield* Effect.flip(call)
        assert.include(told(Exit.fail(error)), `InvalidMetadata: rpc error: code = 13 desc = ${why}`)
        assert.strictEqual((error as RpcError.RpcError).method, "TestService.EchoUnary")
      }
      const opened = yield* Effect.flip(Effect.scoped(client.Echo.open({ metadata })))
      assert.include(told(Exit.fail(opened)), `InvalidMetadata: rpc error: code = 13 desc = ${why}`)
    }
    const answer = yield* client.EchoUnary(request, {
      metadata: { te: "x", "grpc-timeout": "1n", ["__proto__"]: "p", constructor: "c", ok: "1" }
    })
    assert.strictEqual(answer.message, '[[],[],["p"],["c"],["1"]]')
  })
)

it.effect("too much of it is refused, or carried whole where the server takes it", () =>
  Effect.gen(function* () {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`key-${i}`, `${i}`]))
    const long = { long: "x".repeat(1024 * 1024) }
    const got: Array<Record<string, string>> = []
    const handlers = {
      EchoUnary: (_: Request, { metadata }: { readonly metadata: Metadata.Metadata }) =>
        Effect.sync(() => {
          const keys = [...metadata.keys()].filter((key) => key.startsWith("key-") || key === "long")
          got.push(Object.fromEntries(keys.map((key) => [key, metadata.get(key)!])))
          return new Response({})
        })
    }
    const small = yield* clientOf(handlers)
    for (const metadata of [many, long]) {
      const error = yield* Effect.flip(small.EchoUnary(request, { metadata }))
      assert.match(told(Exit.fail(error)), /^Rejected: .*violates the maximum size \(65536 bytes\) set by server$/)
    }
    // Small as a list, and more fields than the server reads.
    const fields = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, ""]))
    const refused = yield* Effect.flip(small.EchoUnary(request, { metadata: fields }))
    assert.match(told(Exit.fail(refused)), /^Rejected: .* 30\d header fields, more than the 256 that may be sent/)
    assert.deepStrictEqual(got, [])
    yield* small.EchoUnary(request)
    const limits = {
      maxHeaderListSize: 4_000_000,
      maxHeaderFields: 20_000,
      maxHeaderBlockSize: 4_000_000,
      maxContinuationFrames: 1000
    }
    const large = yield* clientOf(handlers, {
      transport: { server: { limits }, client: { maxSentHeaderFields: 20_000 } }
    })
    for (const metadata of [many, long]) yield* large.EchoUnary(request, { metadata })
    assert.deepStrictEqual(got, [{}, many, long])
  })
)

describe("a peer that takes little", () => {
  const limits = { maxHeaderListSize: 1000 }
  const failure = new BizStatusError.BizStatusError({ statusCode: 7, statusMessage: "x".repeat(2000) })
  const handlers = {
    EchoUnary: ({ message }: Request) => (message === "fail" ? Effect.fail(failure) : empty)
  }

  it.effect("a server: what is too much is not sent, and the rest goes on", () =>
    Effect.gen(function* () {
      const client = yield* clientOf(handlers, { transport: { server: { limits } } })
      const large = { large: "x".repeat(1000) }
      const refused = [
        client.EchoUnary(request, { metadata: large }),
        client.EchoUnary(request).pipe(Metainfo.withValues({ LARGE: large.large })),
        client.EchoUnary(request).pipe(LogId.within(large.large))
      ]
      for (const call of refused) {
        const error = yield* Effect.flip(call)
        assert.match(told(Exit.fail(error)), /^Rejected: .*the maximum size \(1000 bytes\) set by server$/)
        yield* client.EchoUnary(request, { metadata: { small: "x" } })
      }
      const got = yield* Effect.flip(client.EchoUnary(new Request({ message: "fail" })))
      assert.strictEqual((got as BizStatusError.BizStatusError).statusMessage.length, 2000)
    })
  )

  it.effect("a client: a status that is too much arrives shortened", () =>
    Effect.gen(function* () {
      const client = yield* clientOf(handlers, { transport: { client: { limits } } })
      const [error] = yield* logged(Effect.flip(client.EchoUnary(new Request({ message: "fail" }))))
      assert.match((error as BizStatusError.BizStatusError).statusMessage, /^x{31}\.\.\. \(cut: .* the 1000 bytes/)
      yield* client.EchoUnary(request)
    })
  )
})

it.effect("too much for the client is a typed error", () =>
  Effect.gen(function* () {
    for (const set of ["setHeader", "setTrailer"] as const) {
      const client = yield* clientOf({
        EchoUnary: (_, call) => Effect.andThen(call[set]("a", "x".repeat(1024 * 1024)), empty)
      })
      const [error] = yield* logged(Effect.flip(client.EchoUnary(request)))
      assert.match(
        told(Exit.fail(error)),
        /^Status: rpc error: code = 13 desc = status, headers and trailers are more than/
      )
      assert.strictEqual(told(yield* Effect.exit(logged(client.EchoUnary(request)))).startsWith("Status"), true)
    }
  })
)

for (const set of ["setHeader", "setTrailer"] as const) {
  it.effect(`${set}: a key in upper case is a mistake of the program, which says what to write`, () =>
    Effect.gen(function* () {
      const client = yield* clientOf({ EchoUnary: (_, call) => Effect.andThen(call[set]("HELLO", "1"), empty) })
      const [error] = yield* logged(Effect.flip(client.EchoUnary(request)))
      assert.strictEqual(
        (error as RpcError.RpcError).desc,
        'panic: [happened in biz handler, method=TestService.EchoUnary, please check the panic at the server side] invalid header field name "HELLO": names are lower case, write "hello"'
      )
    })
  )
}
