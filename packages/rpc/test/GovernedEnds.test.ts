/** What those who hear of a call are told of its end; and what a server says of its rules, and waits for when it stops. */
import { assert, describe, it } from "@effect/vitest"
import { MemoryTransport } from "@millrace/transport"
import { Effect, Exit, Layer, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Admission, BizStatusError, type CallPolicy, type RpcError, Server } from "../src/index.ts"
import { only, settle, told } from "./support/client.ts"
import { Busy, logged, Request, Response, TestService } from "./support/echo.ts"
import { clients, Crowd, named, request, server, surroundings } from "./support/observers.ts"
import { StreamClient } from "./support/over.ts"

describe("what a server does before it stops", () => {
  it.effect("does not keep it from stopping where it cannot be interrupted", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      yield* Scope.addFinalizer(scope, Effect.never)
      const exit = yield* Effect.gen(function* () {
        const { beforeDrain, drain } = yield* Server.Server
        yield* beforeDrain(Scope.close(scope, Exit.void))
        const fiber = yield* Effect.forkChild(drain, { startImmediately: true })
        yield* TestClock.adjust(6000)
        yield* settle
        return fiber.pollUnsafe()
      }).pipe(Effect.scoped, Effect.provide(server()), Effect.timeoutOption("1 minute"))
      assert.isDefined(exit)
    })
  )
})

describe("what ended a call", () => {
  for (const more of surroundings) {
    for (const policy of [{}, { retry: { run: (attempt: CallPolicy.Attempt) => attempt(0) } }]) {
      it.effect(
        `a declared exception is an answer, a business error is told: ${named("calls", { ...more, ...policy })}`,
        () =>
          Effect.gen(function* () {
            const heard = new Crowd()
            const biz = new BizStatusError.BizStatusError({ statusCode: 1, statusMessage: "no" })
            const handlers = only({
              EchoUnary: ({ message }) => (message === "busy" ? Effect.fail(new Busy({})) : Effect.fail(biz as never)),
              EchoPingPong: () => Effect.fail(biz as never)
            })
            yield* Effect.gen(function* () {
              const { calls, streams } = yield* clients({
                ...more,
                endpoints: { pick: () => ({ address: "memory", ...heard.next() }) },
                admission: [Admission.make(heard.next)]
              })
              assert.include(
                told(yield* Effect.exit(streams.EchoUnary(new Request({ message: "busy" }), policy))),
                "Busy"
              )
              assert.include(told(yield* Effect.exit(streams.EchoUnary(request, policy))), "BizStatusError")
              assert.include(told(yield* Effect.exit(calls.EchoPingPong({ req: request }, policy))), "BizStatusError")
            }).pipe(
              Effect.scoped,
              Effect.provide(
                Server.layer([TestService]).pipe(
                  Layer.provide(TestService.toLayer(handlers)),
                  Layer.provideMerge(MemoryTransport.layer)
                )
              )
            )
            const ends = heard.all
              .flatMap(({ ends }) => ends)
              .map(({ created, error, reason }) => [reason, error?._tag, created])
            const business = ["error", "BizStatusError", true]
            assert.deepStrictEqual(ends, [
              ["eof", undefined, true],
              ["eof", undefined, true],
              business,
              business,
              business,
              business
            ])
          })
      )
    }
  }
})

describe("a rule of a server that throws", () => {
  it.effect("is named in the log, and not the handler", () =>
    Effect.gen(function* () {
      const rule = Admission.make(() => {
        throw new Error("mine")
      })
      const [end, lines] = yield* logged(
        Effect.flatMap(StreamClient.make(TestService), (client) => Effect.exit(client.EchoUnary(request))).pipe(
          Effect.scoped,
          Effect.provide(server({ admission: [rule] }))
        )
      )
      assert.include(told(end), "mine")
      assert.match(lines.map(({ text }) => text).join(), /admission of TestService.EchoUnary died.*mine/s)
      assert.notInclude(lines.map(({ text }) => text).join(), "handler of")
    })
  )
})

describe("Rejected", () => {
  it.effect("says where the call may have run: its answer is more than this client lets in", () =>
    Effect.gen(function* () {
      const limits = MemoryTransport.layerWith({ client: { maxReceiveMessageSize: 10 } })
      const handlers = only({ EchoServer: () => Stream.make(new Response({ message: "x".repeat(1000) })) })
      const exit = yield* Effect.flatMap(StreamClient.make(TestService), (client) =>
        Effect.exit(Stream.runDrain(client.EchoServer(request)))
      ).pipe(
        Effect.scoped,
        Effect.provide(
          Server.layer([TestService]).pipe(Layer.provide(TestService.toLayer(handlers)), Layer.provideMerge(limits))
        )
      )
      const error = Exit.isFailure(exit) && exit.cause.reasons[0]
      assert.deepInclude(error && "error" in error && (error.error as RpcError.RpcError).reason, {
        _tag: "Rejected",
        limit: "maxReceiveMessageSize",
        maybeRan: true
      })
    })
  )
})
