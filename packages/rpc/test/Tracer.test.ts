import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Stream } from "effect"
import { BizStatusError, type Metadata, RpcTracer } from "../src/index.ts"
import { Recorder } from "../src/testing/index.ts"
import { clientOf, settle } from "./support/client.ts"
import { logged, Request, Response, serve, TestService } from "./support/echo.ts"
import { StreamClient, wire } from "./support/over.ts"

const named = (log: Array<string>, name: string): RpcTracer.RpcTracer => ({
  start: (info) => Effect.sync(() => void log.push(`${name}.${info.side}.start`)),
  streamFinish: (info) => log.push(`${name}.${info.side}.streamFinish`),
  handlerFinish: (info) => log.push(`${name}.${info.side}.handlerFinish`),
  finish: ({ info }) => Effect.sync(() => void log.push(`${name}.${info.side}.finish`))
})

const tracersOf = (layer: Layer.Layer<never>) => Effect.scoped(Effect.map(Layer.build(layer), RpcTracer.installed))

describe("layers of tracers", () => {
  const [a, b, c] = [{}, {}, {}] as [RpcTracer.RpcTracer, RpcTracer.RpcTracer, RpcTracer.RpcTracer]
  const [A, B, C] = [RpcTracer.layer(a), RpcTracer.layer(b), RpcTracer.layer(c)]
  const below = (layer: Layer.Layer<never>) =>
    Layer.effectDiscard(
      Effect.map(Effect.context<never>(), (context) => seen.push(...RpcTracer.installed(context)))
    ).pipe(Layer.provide(layer))
  let seen: Array<RpcTracer.RpcTracer> = []
  const seenBy = (make: () => Layer.Layer<never>) =>
    Effect.suspend(() => {
      seen = []
      return Effect.as(Effect.scoped(Layer.build(make())), seen)
    })

  it.effect("side by side add to each other, in their order", () =>
    Effect.gen(function* () {
      const tracers = yield* tracersOf(Layer.mergeAll(A, RpcTracer.layer(c, {}), B))
      assert.strictEqual(tracers.length, 4)
      assert.deepStrictEqual([tracers[0] === a, tracers[1] === c, tracers[3] === b], [true, true, true])
    })
  )

  it.effect("one above the other too, outer first, and one that is there twice runs once", () =>
    Effect.gen(function* () {
      const nested = yield* seenBy(() => below(Layer.provideMerge(B, C)).pipe(Layer.provide(A)))
      assert.isTrue(nested.length === 3 && nested[0] === a && nested.includes(b) && nested.includes(c))
      const twice = yield* seenBy(() => below(Layer.mergeAll(A, B)).pipe(Layer.provide(A)))
      assert.isTrue(twice.length === 2 && twice[0] === a && twice[1] === b)
      const provided = yield* Effect.context<never>().pipe(Effect.provide(B), Effect.provide(A))
      assert.deepStrictEqual(RpcTracer.installed(provided).length, 2)
    })
  )

  it.effect("reach whom they are provided to, and nobody beside", () =>
    Effect.gen(function* () {
      const both = yield* seenBy(() => Layer.mergeAll(below(A), below(B)))
      assert.strictEqual(both.length, 2)
      assert.deepStrictEqual(RpcTracer.installed(yield* Effect.context<never>()), [])
    })
  )
})

const echoes = {
  EchoUnary: (request: Request) => Effect.succeed(new Response({ message: request.message ?? "" })),
  EchoServer: () => Stream.make(new Response({ message: "a" }), new Response({ message: "bc" }))
}

const hooksOf = (side: Recorder.Side) => side.events.map(({ hook }) => hook)

describe("a call", () => {
  it.effect("starts in order, and ends in reverse, on both sides", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const client = yield* clientOf(echoes).pipe(
        Effect.provide(RpcTracer.layer(named(log, "b"))),
        Effect.provide(RpcTracer.layer(named(log, "a")))
      )
      yield* Stream.runDrain(client.EchoServer(new Request({ message: "x" })))
      yield* settle
      const of = (side: string) => log.filter((line) => line.includes(side)).map((line) => line.replace(`.${side}`, ""))
      assert.deepStrictEqual(of("server"), [
        "a.start",
        "b.start",
        "b.handlerFinish",
        "a.handlerFinish",
        "b.streamFinish",
        "a.streamFinish",
        "b.finish",
        "a.finish"
      ])
      assert.deepStrictEqual(of("client"), [
        "a.start",
        "b.start",
        "b.streamFinish",
        "a.streamFinish",
        "b.finish",
        "a.finish"
      ])
    })
  )

  it.effect("runs in the contexts that the starts gave, each start in those before it", () =>
    Effect.gen(function* () {
      class First extends Context.Service<First, string>()("First") {}
      class Second extends Context.Service<Second, string>()("Second") {}
      const optional = <I>(key: Context.Key<I, string>) =>
        Effect.map(Effect.context<never>(), (c) => Context.getOption(c, key))
      const seen: Array<unknown> = []
      const client = yield* clientOf({
        EchoUnary: () =>
          Effect.gen(function* () {
            seen.push(yield* optional(First), yield* optional(Second))
            return new Response({})
          })
      }).pipe(
        Effect.provide(
          RpcTracer.layer(
            { start: () => Effect.succeed(Context.make(First, "one") as Context.Context<never>) },
            { start: () => Effect.die("no") },
            {
              start: () =>
                Effect.map(
                  optional(First),
                  (first) =>
                    Context.make(
                      Second,
                      `${first._tag === "Some" ? first.value : "none"}, two`
                    ) as Context.Context<never>
                )
            }
          )
        )
      )
      yield* client.EchoUnary(new Request({}))
      assert.deepStrictEqual(
        seen.map((value) => (value as { value?: string }).value),
        ["one", "one, two"]
      )
    })
  )

  it.effect("of a stream tells of its messages with their sizes, a unary one of none", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make
      const client = yield* Effect.provide(clientOf(echoes), recorder.layer)
      yield* client.EchoUnary(new Request({ message: "abc" }))
      yield* settle
      assert.deepStrictEqual(hooksOf(recorder.client), [
        "start",
        "streamStart",
        "streamRecvHeader",
        "streamFinish",
        "finish"
      ])
      const { isStream } = wire.unary
      assert.deepStrictEqual(hooksOf(recorder.server), [
        "start",
        ...(isStream ? ["streamStart"] : []),
        "handlerStart",
        "handlerFinish",
        ...(isStream ? ["streamFinish"] : []),
        "finish"
      ])
      // The argument struct of a unary call is four bytes around the message.
      const [unary] = recorder.client.finishes
      assert.deepStrictEqual([unary?.sendBytes, unary?.recvBytes], [15, 15])
      const before = [recorder.client.events.length, recorder.server.events.length]
      yield* Stream.runDrain(client.EchoServer(new Request({ message: "abc" })))
      yield* settle
      const [ofClient, ofServer] = [recorder.client.events.slice(before[0]), recorder.server.events.slice(before[1])]
      const sizes = (events: ReadonlyArray<Recorder.Event>, hook: string) =>
        events.flatMap((event) =>
          event.hook === hook && "lastSize" in event ? [[event.count, event.bytes, event.lastSize]] : []
        )
      assert.deepStrictEqual(sizes(ofClient, "streamSend"), [[1, 11, 11]])
      assert.deepStrictEqual(sizes(ofServer, "streamRecv"), [[1, 11, 11]])
      assert.deepStrictEqual(sizes(ofServer, "streamSend"), [[2, 19, 10]])
      assert.deepStrictEqual(sizes(ofClient, "streamRecv"), [[2, 19, 10]])
      assert.deepStrictEqual(
        ofServer.map(({ hook }) => hook),
        ["start", "streamStart", "handlerStart", "streamRecv", "streamSend", "handlerFinish", "streamFinish", "finish"]
      )
      assert.deepStrictEqual(
        ofClient.map(({ hook }) => hook).filter((hook) => hook !== "streamFinish"),
        ["start", "streamStart", "streamSend", "streamRecvHeader", "streamRecv", "finish"]
      )
      assert.strictEqual(ofClient.filter(({ hook }) => hook === "streamFinish").length, 1)
    })
  )

  it.effect("whose tracers throw everywhere goes well, and the others hear all of it", () =>
    Effect.gen(function* () {
      const die = () => {
        throw new Error("a tracer's own affair")
      }
      const throwing: RpcTracer.RpcTracer = {
        start: die,
        streamStart: die,
        streamRecvHeader: die,
        handlerStart: die,
        handlerFinish: die,
        streamSend: die,
        streamRecv: die,
        sendBlocked: die,
        streamFinish: die,
        finish: die
      }
      const failing: RpcTracer.RpcTracer = { start: () => Effect.die("no"), finish: () => Effect.interrupt }
      const recorder = yield* Recorder.make
      const client = yield* clientOf(echoes).pipe(
        Effect.provide(RpcTracer.layer(throwing, failing, recorder.tracer, throwing, failing))
      )
      assert.strictEqual((yield* client.EchoUnary(new Request({ message: "x" }))).message, "x")
      assert.strictEqual((yield* Stream.runCollect(client.EchoServer(new Request({})))).length, 2)
      yield* settle
      for (const side of [recorder.client, recorder.server]) {
        assert.deepStrictEqual([side.starts.length, side.finishes.length], [2, 2])
        const hooks = hooksOf(side)
        assert.isTrue(hooks.includes("streamRecv") && hooks.includes("streamSend") && hooks.includes("streamStart"))
      }
    })
  )

  it.effect("is told of as much as statsLevel says", () =>
    Effect.gen(function* () {
      const told = (statsLevel: RpcTracer.StatsLevel) =>
        Effect.gen(function* () {
          const recorder = yield* Recorder.make
          const client = yield* clientOf(echoes, { client: { statsLevel }, server: { graceTime: 0, statsLevel } }).pipe(
            Effect.provide(recorder.layer)
          )
          yield* Stream.runDrain(client.EchoServer(new Request({})))
          yield* settle
          return [hooksOf(recorder.client), hooksOf(recorder.server)]
        })
      assert.deepStrictEqual(yield* told("disabled"), [[], []])
      assert.deepStrictEqual(yield* told("base"), [
        ["start", "finish"],
        ["start", "finish"]
      ])
      assert.isTrue((yield* told("detailed"))[0]!.includes("streamRecv"))
    })
  )

  it.effect("hands over the header and the trailer of a stream", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make
      const client = yield* clientOf({
        EchoServer: (_: Request, call: { setHeader: any; setTrailer: any }) =>
          Stream.fromEffect(
            Effect.as(Effect.andThen(call.setHeader("h", "1"), call.setTrailer("t", "2")), new Response({}))
          )
      } as never).pipe(Effect.provide(recorder.layer))
      yield* Stream.runDrain(client.EchoServer(new Request({})))
      const value = (hook: string, key: string) =>
        recorder.client.events.flatMap((event) =>
          event.hook === hook && "metadata" in event ? [(event.metadata as Metadata.Metadata).get(key)] : []
        )
      assert.deepStrictEqual([value("streamRecvHeader", "h"), value("streamFinish", "t")], [["1"], ["2"]])
    })
  )

  it.effect("with a business error: a failed receive, a good RPC", () =>
    Effect.gen(function* () {
      const recorder = yield* Recorder.make
      const biz = new BizStatusError.BizStatusError({ statusCode: 404, statusMessage: "not found" })
      const client = yield* clientOf({ EchoServer: () => Stream.fail(biz) } as never).pipe(
        Effect.provide(recorder.layer)
      )
      yield* Effect.flip(Stream.runDrain(client.EchoServer(new Request({}))))
      yield* settle
      const failed = recorder.client.events.flatMap((event) => (event.hook === "streamRecv" ? [event] : []))
      assert.deepStrictEqual(
        failed.map(({ count, error }) => [count, (error as BizStatusError.BizStatusError).statusCode]),
        [[0, 404]]
      )
      for (const side of [recorder.client, recorder.server]) {
        const [finish] = side.finishes
        assert.deepStrictEqual(
          [finish?.reason, finish?.exit._tag, finish?.bizError?.statusCode, finish?.info.bizError?.statusCode],
          ["error", "Success", 404, 404]
        )
      }
    })
  )
})

describe("a tracer that throws or fails", () => {
  it.effect("is told of in the log, once for each tracer and hook, and the calls go on", () =>
    Effect.gen(function* () {
      const broken = (name: string): RpcTracer.RpcTracer => {
        const throws = (hook: string) => () => {
          throw new Error(`${name} ${hook}`)
        }
        return {
          start: () => Effect.die(new Error(`${name} start`)),
          streamStart: throws("streamStart"),
          streamRecvHeader: throws("streamRecvHeader"),
          streamSend: throws("streamSend"),
          streamRecv: throws("streamRecv"),
          streamFinish: throws("streamFinish"),
          finish: throws("finish")
        }
      }
      const echo = { Echo: (requests: Stream.Stream<Request, never>) => requests as Stream.Stream<never> }
      const calls = Effect.gen(function* () {
        const client = yield* Effect.provide(StreamClient.make(TestService), RpcTracer.layer(broken("a"), broken("b")))
        for (let call = 0; call < 3; call++) {
          const requests = Stream.make(new Request({ message: "1" }), new Request({ message: "2" }))
          assert.strictEqual(yield* Stream.runCount(client.Echo(requests)), 2)
        }
        yield* settle
      })
      const [, lines] = yield* logged(Effect.provide(calls, serve(echo as never)))
      const hooks = ["start", "streamStart", "streamSend", "streamRecvHeader", "streamRecv", "streamFinish", "finish"]
      assert.strictEqual(lines.length, 2 * hooks.length)
      for (const hook of hooks) {
        for (const name of ["a", "b"]) {
          const [line, ...more] = lines.filter(({ text }) => text.includes(`Error: ${name} ${hook}\n`))
          assert.deepInclude(line, { level: "Warn" }, `${name} ${hook}`)
          assert.include(line!.text, `the hook ${hook} of a tracer failed; calls go on`)
          assert.deepStrictEqual(more, [])
        }
      }
    })
  )
})
