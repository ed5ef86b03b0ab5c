import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { LogId, Metadata, Metainfo, Middleware, type ServerCall } from "../src/index.ts"
import { clientOf, settle, type TestHandlers } from "./support/client.ts"
import { Request, Response } from "./support/echo.ts"

const request = new Request({ message: "x" })
const empty = new Response({})

/** Handlers of every mode that note their call. */
const noting = (note: (call: ServerCall.ServerCall) => Effect.Effect<void>): Partial<TestHandlers> => ({
  Echo: (_, call) => Stream.fromEffectDrain(note(call)),
  EchoClient: (_, call) => Effect.as(note(call), empty),
  EchoServer: (_, call) => Stream.fromEffectDrain(note(call)),
  EchoUnary: (_, call) => Effect.as(note(call), empty),
  EchoPingPong: (_, call) => Effect.as(note(call), empty),
  Log: (_, call) => note(call)
})

type Client = Effect.Success<ReturnType<typeof clientOf>>

/** A call in every mode, in the order of the handlers above. */
const everyMode = (client: Client) =>
  Effect.gen(function* () {
    yield* Stream.runDrain(client.Echo(Stream.empty))
    yield* client.EchoClient(Stream.empty)
    yield* Stream.runDrain(client.EchoServer(request))
    yield* client.EchoUnary(request)
    yield* client.EchoPingPong({ req: request })
    yield* client.Log({ line: "x" })
    yield* settle
  }).pipe(Effect.orDie)

const outer = Middleware.client((next) =>
  next.pipe(LogId.within("of middleware"), Metainfo.withValue("A", "1"), Metadata.append({ tag: "m" }))
)
/** Runs what is inside in a fiber of its own. */
const forking = Middleware.client((next) => Effect.raceFirst(next, Effect.never))
const inner = Middleware.client((next) => next.pipe(Metainfo.withPersistentValue("B", "2"), Metainfo.without("GONE")))

const told = (call: ServerCall.ServerCall) => {
  const { info, metadata, metainfo } = call
  const values = [...metainfo.transient, ...metainfo.persistent].map((entry) => entry.join("="))
  return `${info.mode}: ${info.logId} ${values.join()} ${metadata.get("tag") ?? "-"}`
}

describe("what client middleware says", () => {
  for (const [where, fork] of [
    ["in the fiber of the call", []],
    ["in a fiber of its own", [forking]]
  ] as const) {
    it.effect(`goes out with the call, ${where}`, () =>
      Effect.gen(function* () {
        const seen: Array<string> = []
        const options = { middleware: [outer, ...fork, inner] }
        const client = yield* clientOf(
          noting((call) => Effect.sync(() => void seen.push(told(call)))),
          { client: options, pingPong: options }
        )
        yield* everyMode(client).pipe(Metainfo.withValue("GONE", "x"), LogId.within("of the caller"))
        const said = "of middleware A=1,B=2"
        assert.deepStrictEqual(seen, [
          `bidirectional: ${said} m`,
          `client: ${said} m`,
          `server: ${said} m`,
          `unary: ${said} m`,
          `pingPong: ${said} -`,
          `oneway: ${said} -`
        ])
      })
    )
  }
})

describe("what server middleware says", () => {
  it.effect("goes out with the calls of the handler, and of the fibers that it forks", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const behind = yield* clientOf(noting((call) => Effect.sync(() => void seen.push(told(call)))))
      const say = Middleware.server((next) =>
        next.pipe(LogId.within("of the server"), Metainfo.withValue("A", "1"), Metainfo.withoutPersistent("P"))
      )
      const client = yield* clientOf(
        noting(() =>
          Effect.all([behind.EchoUnary(request), behind.EchoPingPong({ req: request })], {
            concurrency: "unbounded"
          }).pipe(Effect.orDie)
        ),
        { server: { middleware: [say] } }
      )
      yield* everyMode(client).pipe(Metainfo.withPersistentValues({ P: "x", Q: "3" }), LogId.within("of the caller"))
      const each = ["unary: of the server A=1,Q=3 -", "pingPong: of the server A=1,Q=3 -"]
      assert.deepStrictEqual(
        seen.sort(),
        Array.from({ length: 6 }, () => each)
          .flat()
          .sort()
      )
    })
  )
})
