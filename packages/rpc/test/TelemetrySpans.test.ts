import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Stream } from "effect"
import { BizStatusError, RpcError } from "../src/index.ts"
import { request, runs, scripts } from "./support/streamScripts.ts"
import { attributesOf, endOf, eventsOf, observed, parentOf, timed } from "./support/telemetry.ts"
import { wire } from "./support/over.ts"

type Event = readonly [name: string, at: number, attributes: Record<string, unknown>]

/** By time; what happens at one moment, by its name. */
const sorted = (events: ReadonlyArray<Event>): ReadonlyArray<Event> => {
  const key = ([name, , attributes]: Event) => `${name} ${attributes["rpc.message.type"]}`
  return events.toSorted((one, other) => one[1] - other[1] || key(one).localeCompare(key(other)))
}

/** The first and the last of the messages of a direction. */
const messageEvents = (type: string, messages: ReadonlyArray<readonly [at: number, size: number]>) =>
  messages.flatMap(([at, size], index): ReadonlyArray<Event> => {
    if (index > 0 && index < messages.length - 1) return []
    const attributes = { "rpc.message.type": type, "rpc.message.id": index + 1, "rpc.message.size": size }
    return [["rpc.message", at, attributes]]
  })

const total = (messages: ReadonlyArray<readonly [at: number, size: number]>): number =>
  messages.reduce((sum, [, size]) => sum + size, 0)

describe("a stream, in virtual time: both spans, with their events", () => {
  for (const { handlers, run, script, title } of runs) {
    it.effect(title, () =>
      Effect.gen(function* () {
        const { client, told } = yield* observed(handlers, { naming: ["otel", "kitex"] })
        yield* timed(told, Effect.withSpan(run(client), "app"))
        const fullName = `echo.TestService/${script.method}`
        const [of, at] = [told.span("client"), told.span("server")]
        assert.deepStrictEqual([of.name, at.name], [fullName, fullName])
        assert.strictEqual(parentOf(of)?.spanId, told.span("internal").spanId)
        assert.deepStrictEqual([parentOf(at)?.spanId, at.traceId], [of.spanId, of.traceId])
        const end = ["Success", script.end]
        assert.deepStrictEqual([endOf(of), endOf(at)], [end, end])
        const both = {
          "rpc.system": "kitex",
          "rpc.system.name": "kitex",
          "rpc.service": "TestService",
          "rpc.method": fullName,
          "rpc.response.status_code": "0",
          "request.protocol": wire.streams.kitexName,
          "network.peer.address": "memory"
        }
        const [up, down] = [total(script.requests), total(script.responses)]
        assert.deepStrictEqual(attributesOf(of), {
          ...both,
          "server.address": "memory",
          "kitex.recv_size": down,
          "kitex.send_size": up
        })
        assert.deepStrictEqual(attributesOf(at), { ...both, "kitex.recv_size": up, "kitex.send_size": down })
        assert.deepStrictEqual(
          sorted(eventsOf(of)),
          sorted([
            // The headers of a server come with its first message.
            ["rpc.header", script.responses[0]![0], {}],
            ...messageEvents("SENT", script.requests),
            ...messageEvents("RECEIVED", script.responses)
          ])
        )
        assert.deepStrictEqual(
          sorted(eventsOf(at)),
          sorted([
            ["server_handle_start", 0, { "event.status": 1 }],
            ["server_handle_finish", script.end, { "event.status": 1 }],
            ...messageEvents("SENT", script.responses),
            ...messageEvents("RECEIVED", script.requests)
          ])
        )
      })
    )
  }

  it.effect("an event for each message where it is asked for", () =>
    Effect.gen(function* () {
      const script = scripts.find(({ method }) => method === "EchoServer")!
      const { client, told } = yield* observed(script.handlers["Stream"]!, { messageEvents: true, naming: "kitex" })
      yield* timed(told, script.clients["Stream"]!(client))
      const ids = eventsOf(told.span("client")).flatMap(([name, at, { "rpc.message.id": id }]) =>
        name === "rpc.message" ? [[at, id]] : []
      )
      assert.deepStrictEqual(ids, [
        [0, 1],
        [30, 1],
        [50, 2],
        [90, 3]
      ])
      assert.strictEqual(attributesOf(told.span("client"))["rpc.method"], "EchoServer")
    })
  )
})

it.effect("a business error is an attribute; an error is the text of the span; an interruption is one", () =>
  Effect.gen(function* () {
    const failures = [
      Stream.fail(new BizStatusError.BizStatusError({ statusCode: 404, statusMessage: "not found" })),
      Stream.fail(new RpcError.RpcError({ reason: new RpcError.Status({}), code: 1000, desc: "retry" })),
      Stream.never
    ]
    const { client, told } = yield* observed({ EchoServer: () => failures.shift()! })
    const call = Stream.runDrain(client.EchoServer(request(20)))
    yield* timed(told, Effect.exit(call))
    yield* timed(told, Effect.exit(call))
    yield* timed(told, Effect.timeoutOption(call, 50))
    for (const [side, text] of [
      ["client", wire.streams.ofHandler("retry", 1000)],
      ["server", "code = 1000 desc = retry"]
    ] as const) {
      const attributes = attributesOf(told.span(side, 0))
      assert.deepStrictEqual(
        [attributes["kitex.biz.status_code"], attributes["kitex.biz.status_message"]],
        [404, "not found"]
      )
      const { status } = told.span(side, 1)
      assert.isTrue(status._tag === "Ended" && Exit.isFailure(status.exit))
      if (status._tag !== "Ended" || Exit.isSuccess(status.exit)) return
      assert.include(Cause.pretty(status.exit.cause), text)
    }
    const { status } = told.span("client", 2)
    assert.isTrue(status._tag === "Ended" && Exit.isFailure(status.exit) && Cause.hasInterruptsOnly(status.exit.cause))
  })
)
