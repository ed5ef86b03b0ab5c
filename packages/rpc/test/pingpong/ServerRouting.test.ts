import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Layer } from "effect"
import { Method, Middleware, RpcError, Server, Service } from "../../src/index.ts"
import { ambiguousMethod, type RoutingTable, serviceOf } from "../../src/internal/routing.ts"
import { type Accepting, ask, exceptionOf, transport } from "../support/calls.ts"
import { Request, Response } from "../support/echo.ts"

const methods = (service: string, ...names: ReadonlyArray<string>) =>
  new Map(names.map((name) => [name, `${service}.${name}`]))
const A = methods("A", "Echo", "OnlyA")
const B = methods("B", "Echo", "OnlyB", "AB")
const C = methods("C", "AB", "OnlyC")
const table = (options: Partial<RoutingTable<string>> = {}): RoutingTable<string> => ({
  services: new Map([
    ["A", A],
    ["B", B],
    ["C", C]
  ]),
  fallback: undefined,
  refuseUnnamed: false,
  ...options
})

describe("the service of a call", () => {
  const rows: ReadonlyArray<
    readonly [name: string, table: RoutingTable<string>, service: string, method: string, found: unknown]
  > = [
    ["refused without a name", table({ refuseUnnamed: true }), "", "OnlyA", undefined],
    ["refused with an unknown name", table({ refuseUnnamed: true, fallback: A }), "X", "OnlyA", undefined],
    ["refusing, a known name", table({ refuseUnnamed: true }), "B", "Echo", B],
    ["no name, the fallback has it", table({ fallback: B }), "", "Echo", B],
    ["no name, the fallback lacks it", table({ fallback: B }), "", "OnlyC", C],
    ["no name, no fallback: the first that has it", table(), "", "Echo", A],
    ["no name, nobody has it", table({ fallback: B }), "", "Nope", undefined],
    ["a known name", table({ fallback: A }), "B", "Echo", B],
    ["a known name, even if it lacks the method", table({ fallback: A }), "C", "OnlyA", C],
    ["an unknown name, one has it", table(), "X", "OnlyB", B],
    ["an unknown name, the fallback alone has it", table({ fallback: A }), "X", "OnlyA", A],
    ["an unknown name, several have it, the fallback among them", table({ fallback: A }), "X", "Echo", undefined],
    ["an unknown name, nobody has it", table(), "X", "Nope", undefined],
    ["names are no members of objects", table(), "__proto__", "constructor", undefined]
  ]
  for (const [name, routes, service, method, found] of rows) {
    it(name, () => assert.strictEqual(serviceOf(routes, service, method), found))
  }
})

describe("an ambiguous method", () => {
  it("is in two services, and not in the fallback", () => {
    assert.strictEqual(ambiguousMethod(table()), "Echo")
    assert.strictEqual(ambiguousMethod(table({ fallback: A })), "AB")
    assert.strictEqual(ambiguousMethod(table({ fallback: B })), undefined)
    assert.strictEqual(ambiguousMethod(table({ refuseUnnamed: true })), undefined)
  })
})

// --- servers ---------------------------------------------------------------------------------------------------------------

const who = (name: string) => Method.pingPong(name, { arguments: {}, response: Response })
class One extends Service.make("One", { package: "a", methods: [who("Who"), who("OnlyOne")] }) {}
class Two extends Service.make("Two", {
  package: "b",
  methods: [who("Who"), Method.unary("Stream", { request: Request, response: Response })]
}) {}
class Streams extends Service.make("Streams", {
  methods: [Method.unary("Who", { request: Request, response: Response })]
}) {}

const says = (message: string) => () => Effect.succeed(new Response({ message }))
const handlers = Layer.mergeAll(
  One.toLayer({ Who: says("one"), OnlyOne: says("one") }),
  Two.toLayer({ Who: says("two"), Stream: says("two") }),
  Streams.toLayer({ Who: says("streams") })
)
const live = (services: ReadonlyArray<typeof One | typeof Two | typeof Streams>, options: Server.Options<[]> = {}) =>
  Server.layer(services, options).pipe(Layer.provide(handlers), Layer.provideMerge(transport), Layer.orDie)

const none = Uint8Array.of(0)
/** Who answered, or the exception. */
const asked = (method: string, service?: string) =>
  Effect.map(ask(method, none, service === undefined ? {} : { service }), (end) =>
    end.bytes === undefined ? [...(exceptionOf(end) ?? [end.how]), end.close] : new TextDecoder().decode(end.bytes)
  )

describe("a server of several services", () => {
  it.effect("routes by the name of the service, and without it to the fallback", () =>
    Effect.gen(function* () {
      assert.include(yield* asked("Who", "One"), "one")
      assert.include(yield* asked("Who", "Two"), "two")
      assert.include(yield* asked("Who"), "two")
      assert.include(yield* asked("OnlyOne"), "one")
      assert.include(yield* asked("OnlyOne", "Other"), "one")
      assert.deepStrictEqual(yield* asked("Who", "Other"), [20, "unknown service Other, method Who", true])
      assert.deepStrictEqual(yield* asked("Nope", "Other"), [20, "unknown service Other, method Nope", true])
      assert.deepStrictEqual(yield* asked("Nope"), [20, "unknown service , method Nope", true])
      assert.deepStrictEqual(yield* asked("OnlyOne", "Two"), [1, "unknown method OnlyOne (service Two)", true])
      assert.deepStrictEqual(yield* asked("__proto__", "Two"), [1, "unknown method __proto__ (service Two)", true])
    }).pipe(Effect.provide(live([One, Two], { fallback: Two })))
  )

  it.effect("may refuse calls without the name of a service", () =>
    Effect.gen(function* () {
      assert.include(yield* asked("Who", "One"), "one")
      assert.deepStrictEqual(yield* asked("OnlyOne"), [20, "unknown service , method OnlyOne", true])
      assert.deepStrictEqual(yield* asked("OnlyOne", "Other"), [20, "unknown service Other, method OnlyOne", true])
    }).pipe(Effect.provide(live([One, Two], { refuseTrafficWithoutServiceName: true })))
  )

  it.effect("does not start with an ambiguous method, or a fallback that is not there", () =>
    Effect.gen(function* () {
      const defect = (layer: Layer.Layer<any, never>) =>
        Effect.map(Effect.exit(Effect.scoped(Layer.build(layer))), (exit) =>
          Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "it started"
        )
      const text = "method name [Who] is conflicted between services but no fallback service is specified"
      assert.include(yield* defect(live([One, Two])), text)
      assert.include(yield* defect(live([Streams, Two])), text)
      assert.include(yield* defect(live([One, Two], { fallback: Streams })), "has no service Streams, its fallback")
      assert.strictEqual(yield* defect(live([One, Two], { fallback: One })), "it started")
    })
  )
})

describe("the unknown handler", () => {
  it.effect("gets calls of unknown services and methods as bytes", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const unknown: Server.UnknownHandler<never> = ({ bytes, method, oneway, service }, { info }) => {
        seen.push([service, method, [...bytes], info.path, info.mode, oneway])
        return Effect.succeed(
          method === "Void" ? undefined : method === "Empty" ? new Uint8Array(0) : Uint8Array.of(8, 0, 0, 0, 0, 0, 7, 0)
        )
      }
      yield* Effect.gen(function* () {
        const args = Uint8Array.of(2, 0, 1, 1, 0)
        const answers = [
          yield* ask("Nope", args, { service: "One" }),
          yield* ask("Void", args, { service: "Other" }),
          yield* ask("Empty", args, { service: "Other" })
        ]
        assert.deepStrictEqual(
          answers.map(({ bytes }) => bytes),
          [Uint8Array.of(8, 0, 0, 0, 0, 0, 7, 0), Uint8Array.of(0), Uint8Array.of(0)]
        )
        const all = [...args]
        assert.deepStrictEqual(seen, [
          ["One", "Nope", all, "/One/Nope", "pingPong", false],
          ["Other", "Void", all, "/Other/Void", "pingPong", false],
          ["Other", "Empty", all, "/Other/Empty", "pingPong", false]
        ])
        assert.include(yield* asked("Who", "One"), "one")
      }).pipe(Effect.provide(live([One], { unknown })))
    })
  )

  it.effect("is told which of them want no answer, and gives those none", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const unknown: Server.UnknownHandler<never> = ({ method, oneway }, { info }) => {
        seen.push([method, oneway, info.mode])
        return Effect.succeed(Uint8Array.of(0))
      }
      const live_ = live([One], { unknown })
      assert.strictEqual((yield* Effect.provide(ask("Nope", none, { oneway: true }), live_)).how, "finish")
      assert.deepStrictEqual(seen, [["Nope", true, "oneway"]])
    })
  )

  it.effect("takes everything that is not named where that is refused", () =>
    Effect.gen(function* () {
      const unknown: Server.UnknownHandler<never> = () => Effect.succeed(undefined)
      const live_ = live([One], { unknown, refuseTrafficWithoutServiceName: true })
      assert.deepStrictEqual([...(yield* Effect.provide(ask("Who", none), live_)).bytes!], [0])
    })
  )

  it.effect("may fail as handlers do, stands behind middleware, and its requirements come from the layer", () =>
    Effect.gen(function* () {
      class Log extends Context.Service<Log, Array<string>>()("test/Log") {}
      const log: Array<string> = []
      const middleware = [
        Middleware.server((next, info) =>
          Effect.andThen(
            Effect.sync(() => log.push(`around ${info.service}.${info.method}`)),
            next
          )
        )
      ]
      const server = Server.layer([One], {
        middleware,
        unknown: ({ method }) =>
          Effect.gen(function* () {
            ;(yield* Log).push(method)
            yield* Effect.addFinalizer(() => Effect.sync(() => log.push("closed")))
            return yield* new RpcError.RpcError({ code: 12, desc: "gone", reason: new RpcError.Status({}) })
          })
      }).pipe(Layer.provide(handlers), Layer.provideMerge(transport), Layer.orDie)
      // @ts-expect-error Log is missing
      const missing: Layer.Layer<Server.Server | Accepting> = server
      void missing
      const complete: Layer.Layer<Server.Server | Accepting> = Layer.provide(server, Layer.succeed(Log, log))
      assert.deepStrictEqual(yield* Effect.provide(asked("Nope", "Other"), complete), [12, "gone [biz error]", false])
      assert.deepStrictEqual(log, ["around Other.Nope", "Nope", "closed"])
    })
  )
})
