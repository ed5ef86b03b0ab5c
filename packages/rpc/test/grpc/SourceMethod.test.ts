/** Who calls, in the headers of HTTP/2. */
import { assert, it } from "@effect/vitest"
import { MemoryTransport } from "@millrace/transport"
import type { ClientOptions } from "@millrace/transport/TransportOptions"
import { Effect, Layer } from "effect"
import { Client, LogId, Server, type ServerCall } from "../../src/index.ts"
import { CurrentCall, type HandledCall } from "../../src/internal/currentCall.ts"
import { only } from "../support/client.ts"
import { Request, Response, TestService } from "../support/echo.ts"
import { StreamClient } from "../support/over.ts"

const request = new Request({ message: "x" })

/** A server in memory, its clients, and the calls that it has seen. */
const node = (next: Effect.Effect<unknown, unknown> = Effect.void, client: ClientOptions = {}) =>
  Effect.gen(function* () {
    const seen: Array<ServerCall.ServerCall> = []
    const handle = (_: unknown, call: ServerCall.ServerCall) => {
      seen.push(call)
      return Effect.as(Effect.orDie(next), new Response({}))
    }
    const context = yield* Layer.build(
      Server.layer([TestService], { graceTime: 0 }).pipe(
        Layer.provide(TestService.toLayer(only({ EchoPingPong: handle, EchoUnary: handle }))),
        Layer.provideMerge(MemoryTransport.layerWith({ client })),
        Layer.orDie
      )
    )
    const calls = yield* Client.make(TestService, { callerName: "me", connection: "multiplexed" }).pipe(
      Effect.provide(context)
    )
    const streams = yield* StreamClient.make(TestService, { callerName: "me" }).pipe(Effect.provide(context))
    return { seen, pingPong: calls.EchoPingPong({ req: request }), unary: streams.EchoUnary(request) }
  })

it.effect("an unknown method with any name can make calls", () =>
  Effect.gen(function* () {
    const inner = yield* node()
    const name = "bad\r\nx-injected: 1"
    const unknown = {
      info: { method: name, unknown: true },
      metainfo: { persistent: new Map(), transient: new Map() }
    }
    yield* Effect.provideService(inner.unary, CurrentCall, unknown as unknown as HandledCall)
    yield* Effect.provideService(LogId.within(inner.pingPong, "mine"), CurrentCall, unknown as unknown as HandledCall)
    assert.deepStrictEqual(
      inner.seen.map(({ info, metadata }) => [metadata.get("source-method"), info.logId]),
      [
        ["", undefined],
        [undefined, "mine"]
      ]
    )
  })
)
