import { assert, describe, it } from "@effect/vitest"
import { MemoryTransport, Transport } from "@millrace/transport"
import { Effect, Exit, Fiber, Layer, Stream } from "effect"
import { LogId, Metadata, Metainfo, Method, Server, type ServerCall, Service, StreamClient } from "../../src/index.ts"
import { Testing } from "../../src/testing/index.ts"
import { only, pass, settle, spied, type TestHandlers } from "../support/client.ts"
import { logged, Request, Response, TestService } from "../support/echo.ts"
import { clientOf, ended } from "./support.ts"

const request = new Request({ message: "x" })
const bytes = Uint8Array.of(0, 255, 7)

/** What a handler was called with. */
const seen = (options: Parameters<typeof clientOf>[1] = {}) =>
  Effect.gen(function* () {
    const calls: Array<ServerCall.ServerCall> = []
    const client = yield* clientOf(
      {
        EchoServer: (_, call) => {
          calls.push(call)
          return Stream.empty
        },
        EchoUnary: (_, call) => Effect.sync(() => (calls.push(call), new Response({})))
      },
      options
    )
    return { client, calls }
  })

describe("request metadata", () => {
  it.effect("keeps its case, its order and all of its values", () =>
    Effect.gen(function* () {
      const { client, calls } = yield* seen()
      const metadata = { "Case-Kept": "v", several: ["1", "2"], "raw-bin": bytes, "text-bin": "t" }
      yield* Stream.runDrain(client.EchoServer(request, { metadata })).pipe(Metadata.append({ Around: "me" }))
      yield* client.EchoUnary(request, { metadata }).pipe(Metadata.append({ Around: "me" }))
      assert.strictEqual(calls.length, 2)
      for (const { metadata } of calls) {
        assert.deepStrictEqual(
          [...metadata.keys()].filter((key) => key !== "isn"),
          ["Case-Kept", "several", "raw-bin", "text-bin", "Around"]
        )
        assert.deepStrictEqual(metadata.getAll("several"), ["1", "2"])
        assert.strictEqual(metadata.get("case-kept"), "v")
        assert.deepStrictEqual(metadata.getAll("raw-bin"), [bytes])
        assert.strictEqual(metadata.get("text-bin"), "t")
      }
    })
  )

  it.effect("that belongs to the protocol is refused, and nothing is sent", () =>
    Effect.gen(function* () {
      const { client, calls } = yield* seen()
      for (const key of ["isn", "RPC_PERSIST_x", "RPC_TRANSIT_x", "biz-status", "ttscp", "retry-pushback-ms", ""]) {
        for (const call of [
          Stream.runDrain(client.EchoServer(request, { metadata: { [key]: "v" } })),
          client.EchoUnary(request, { metadata: { [key]: "v" } }),
          Metadata.append(client.EchoUnary(request), { [key]: "v" })
        ]) {
          const [reason, desc] = ended(yield* Effect.exit(call as Effect.Effect<unknown, unknown>))
          assert.strictEqual(reason, "InvalidMetadata", key)
          assert.match(desc as string, /cannot be sent over TTHeader/)
        }
      }
      const [reason] = ended(yield* Effect.exit(client.EchoUnary(request, { metadata: { k: bytes } })))
      assert.strictEqual(reason, "InvalidMetadata")
      yield* settle
      assert.strictEqual(calls.length, 0)
    })
  )
})

describe("what a handler says beside its messages", () => {
  const speaking: Partial<TestHandlers> = {
    EchoServer: (_, call) =>
      Stream.unwrap(
        Effect.gen(function* () {
          yield* call.setHeader("Head", "1")
          yield* call.setHeader("Head", "2")
          yield* call.setHeader("h-bin", bytes)
          yield* call.setTrailer("Tail", "3")
          yield* call.setTrailer("t-bin", bytes)
          yield* call.sendHeader
          return Stream.make(new Response({ message: "a" }))
        })
      )
  }

  it.effect("arrives as it was, and is there again and again", () =>
    Effect.gen(function* () {
      const client = yield* clientOf(speaking)
      const told: Array<string> = []
      const down = yield* client.EchoServer.open(request, {
        onHeader: (header) => void told.push(`header ${[...header.keys()]}`),
        onTrailer: (trailer) => void told.push(`trailer ${[...trailer.keys()]}`)
      })
      const header = yield* down.header
      assert.deepStrictEqual(header.getAll("Head"), ["1", "2"])
      assert.deepStrictEqual(header.getAll("H-BIN"), [bytes])
      assert.strictEqual(yield* down.header, header)
      yield* down.recv
      yield* Effect.exit(down.recv)
      const trailer = yield* down.trailer
      assert.deepStrictEqual([trailer.getAll("Tail"), trailer.getAll("t-bin")], [["3"], [bytes]])
      assert.strictEqual(yield* down.trailer, trailer)
      assert.deepStrictEqual(told, ["header Head,h-bin", "trailer Tail,t-bin"])
    })
  )

  it.effect("nothing is an empty header and an empty trailer", () =>
    Effect.gen(function* () {
      const client = yield* clientOf({ EchoServer: () => Stream.empty })
      const down = yield* client.EchoServer.open(request)
      assert.deepStrictEqual([...(yield* down.trailer).keys()], [])
      assert.deepStrictEqual([...(yield* down.header).keys()], [])
    })
  )

  it.effect("keys of the protocol are a mistake", () =>
    Effect.gen(function* () {
      for (const key of ["biz-status", "RPC_PERSIST_x", ""]) {
        for (const set of ["setHeader", "setTrailer"] as const) {
          const client = yield* clientOf({ EchoServer: (_, call) => Stream.fromEffectDrain(call[set](key, "v")) })
          const [, desc] = ended(yield* Effect.exit(Stream.runDrain(client.EchoServer(request))))
          assert.match(desc as string, /panic: .* cannot be sent over TTHeader/)
        }
      }
    })
  )
})

describe("who calls, and its log id", () => {
  it.effect("are in the info of the call", () =>
    Effect.gen(function* () {
      const { client, calls } = yield* seen({ client: { callerName: "me" } })
      yield* Stream.runDrain(client.EchoServer(request)).pipe(LogId.within("l-1"))
      yield* client.EchoUnary(request).pipe(LogId.within("l-1"))
      yield* Stream.runDrain(client.EchoServer(request))
      assert.deepStrictEqual(
        calls.map(({ info }) => [info.protocol, info.caller, info.logId]),
        [
          ["ttheader-streaming", "me", "l-1"],
          ["ttheader-framed", "me", "l-1"],
          ["ttheader-streaming", "me", undefined]
        ]
      )
    })
  )
})

describe("metainfo", () => {
  it.effect("keeps the case of its keys", () =>
    Effect.gen(function* () {
      const { client, calls } = yield* seen()
      yield* Stream.runDrain(client.EchoServer(request)).pipe(
        Metainfo.withValue("Tenant-id", "a"),
        Metainfo.withPersistentValue("user_Key", "中\n")
      )
      const { metadata, metainfo } = calls[0]!
      assert.deepStrictEqual([...metainfo.transient], [["Tenant-id", "a"]])
      assert.deepStrictEqual([...metainfo.persistent], [["user_Key", "中\n"]])
      assert.deepStrictEqual([...metadata.keys()], [])
    })
  )

  class Middle extends Service.make("Middle", {
    methods: [Method.serverStreaming("Run", { request: Request, response: Response })]
  }) {}

  const hop = (propagation: "singleHop" | "legacy" | undefined) =>
    Effect.gen(function* () {
      const { client: c, calls } = yield* seen({ client: { propagation } })
      const b = yield* Testing.client(
        Middle,
        {
          Run: () =>
            Stream.fromEffectDrain(
              Effect.andThen(
                Stream.runDrain(c.EchoServer(request)).pipe(Metainfo.withValue("Own", "b")),
                Effect.orDie(c.EchoUnary(request))
              )
            )
        },
        { client: { transport: "ttheader-streaming" } }
      )
      yield* Stream.runDrain(b.Run(request)).pipe(
        Metainfo.withValues({ Once: "a", Own: "a" }),
        Metainfo.withPersistentValue("Ever", "a"),
        LogId.within("l-1")
      )
      assert.deepStrictEqual(
        calls.map(({ info }) => info.logId),
        ["l-1", "l-1"]
      )
      return calls.map(({ metainfo }) => [
        Object.fromEntries(metainfo.transient),
        Object.fromEntries(metainfo.persistent)
      ])
    })

  it.effect("transient values end behind one hop, persistent ones go on", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* hop(undefined), [
        [{ Own: "b" }, { Ever: "a" }],
        [{}, { Ever: "a" }]
      ])
    })
  )

  it.effect("with legacy propagation transient ones go on too, beneath those of the handler", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* hop("legacy"), [
        [{ Once: "a", Own: "b" }, { Ever: "a" }],
        [{ Once: "a", Own: "a" }, { Ever: "a" }]
      ])
    })
  )
})

describe("the Header frame", () => {
  type Client = StreamClient.StreamClient<typeof TestService>
  const opened = (options: object, run: (client: Client) => Effect.Effect<unknown, unknown>) =>
    Effect.gen(function* () {
      const spy = yield* spied
      const client = yield* Effect.provideService(
        StreamClient.make(TestService, { transport: "ttheader-streaming", ...options }),
        Transport.ClientTransport,
        spy.transport
      )
      yield* run(client)
      return spy.requests
    }).pipe(
      Effect.scoped,
      Effect.provide(
        Server.layer([TestService]).pipe(
          Layer.provide(
            TestService.toLayer(
              only({ EchoServer: () => Stream.empty, EchoUnary: () => Effect.succeed(new Response({})) })
            )
          ),
          Layer.provideMerge(MemoryTransport.layer),
          Layer.orDie
        )
      )
    )
  const twice = (client: Client) =>
    Effect.andThen(Stream.runDrain(client.EchoServer(request)), Stream.runDrain(client.EchoServer(request)))

  it.effect("says nothing that it need not, and is made once", () =>
    Effect.gen(function* () {
      const [first, second] = yield* opened({}, twice)
      assert.deepStrictEqual(first!.header, {
        service: "TestService",
        method: "EchoServer",
        caller: "",
        fields: { ints: [], strings: [] }
      })
      assert.strictEqual(second!.header, first!.header)
      assert.deepStrictEqual([first!.unary, first!.metadata, first!.timeoutMillis], [false, undefined, undefined])
    })
  )

  it.effect("is the same object where metainfo and the log id are the same", () =>
    Effect.gen(function* () {
      const [first, second] = yield* opened({ callerName: "me", destService: "you" }, (client) =>
        twice(client).pipe(Metainfo.withPersistentValue("k", "v"), LogId.within("l"))
      )
      assert.deepStrictEqual(first!.header?.fields, {
        ints: [
          [2, "l"],
          [3, "me"],
          [6, "you"],
          [20, ""]
        ],
        strings: [["RPC_PERSIST_k", "v"]]
      })
      assert.strictEqual(second!.header, first!.header)
    })
  )

  it.effect("metadata stands before metainfo, and cannot replace it", () =>
    Effect.gen(function* () {
      const [first] = yield* opened({}, (client) =>
        Stream.runDrain(client.EchoServer(request, { metadata: { a: "1", b: ["2", "3"] } })).pipe(
          Metainfo.withValue("k", "v")
        )
      )
      assert.deepStrictEqual(first!.header?.fields.strings, [
        ["a", "1"],
        ["b", "2"],
        ["b", "3"],
        ["RPC_TRANSIT_k", "v"]
      ])
    })
  )

  it.effect("a client that may go over either has both", () =>
    Effect.gen(function* () {
      const opening = yield* Effect.forkChild(
        opened({ transport: "auto" }, (client) =>
          Stream.runDrain(client.EchoServer(request, { metadata: { Key: "1" } }))
        ),
        { startImmediately: true }
      )
      // The first stream waits for a word of the server.
      yield* pass(200)
      const [first] = yield* Fiber.join(opening)
      assert.deepStrictEqual([first!.metadata, first!.header?.fields.strings], [[["key", "1"]], [["Key", "1"]]])
    })
  )

  it.effect("a compressor is not for it, which is said once", () =>
    Effect.gen(function* () {
      const [, lines] = yield* logged(
        opened({ compressor: "gzip" }, (client) => Effect.andThen(twice(client), client.EchoUnary(request)))
      )
      const warnings = lines.filter(({ text }) => text.includes("compressor"))
      assert.deepStrictEqual(
        warnings.map(({ level }) => level),
        ["Warn"]
      )
    })
  )

  it.effect("a transport that there is not is named", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(opened({ transport: "quic" }, () => Effect.void))
      assert.isTrue(
        Exit.isFailure(exit) &&
          String(exit.cause).includes('transport "quic" is none of grpc, ttheader-streaming, auto')
      )
    })
  )
})
