import { Thrift } from "@millrace/codec"
import { assert, describe, it } from "@effect/vitest"
import { MemoryTransport } from "@millrace/transport"
import { Cause, Effect, Exit, Layer, Stream } from "effect"
import { Client, Method, Middleware, Server, Service } from "../src/index.ts"
import { Request, TestService } from "./support/echo.ts"
import { StreamClient, Testing } from "./support/over.ts"

const text = { request: Request, response: Request }
class Base extends Service.make("Base", {
  methods: [
    Method.bidirectional("Talk", text),
    Method.unary("Ask", text),
    Method.pingPong("Say", { arguments: { req: Thrift.field(1, Request) }, response: Request })
  ]
}) {}
class Child extends Service.make("Child", { extends: Base, methods: [Method.unary("More", text)] }) {}
class Grandchild extends Service.make("Grandchild", { extends: Child, methods: [] }) {}
class Sibling extends Service.make("Sibling", { extends: Base, methods: [] }) {}

const message = (text: string) => new Request({ message: text })
const echoing = {
  Talk: (requests: Stream.Stream<Request, never>) => requests,
  Ask: (request: Request) => Effect.succeed(request),
  Say: ({ req }: { readonly req: Request }) => Effect.succeed(req),
  More: (request: Request) => Effect.succeed(request)
}

/** What middleware for `Talk`, `Ask` and `Say` of a service writes down of the calls of another. */
const seenBy = (of: typeof Base, service: typeof Base) =>
  Effect.gen(function* () {
    const seen: Array<string> = []
    const note = (name: string) => void seen.push(name)
    const middleware = [
      Middleware.recvFor(of, "Talk", (next, { info }) =>
        Effect.tap(next, () => Effect.sync(() => note(`recvFor ${info.side}`)))
      ),
      Middleware.sendFor(of, "Talk", "client", (next) => (message) => (note("sendFor client"), next(message))),
      Middleware.recvPlainFor(of, "Talk", "server", () => (message) => (note("recvPlainFor server"), message)),
      Middleware.sendPlainFor(of, "Talk", "server", () => (message) => (note("sendPlainFor server"), message)),
      Middleware.clientFor(of, "Ask", (next, request) => (note("clientFor Ask"), next(request))),
      Middleware.clientFor(of, "Say", (next, request) => (note("clientFor Say"), next(request))),
      Middleware.serverFor(of, "Ask", (next, request) => (note("serverFor Ask"), next(request))),
      Middleware.serverFor(of, "Say", (next, request) => (note("serverFor Say"), next(request)))
    ]
    const client = yield* Testing.client(
      service,
      echoing as never,
      {
        client: { middleware },
        pingPong: { middleware },
        server: { middleware }
      } as never
    )
    const { Ask, Say, Talk } = client as unknown as Client.Client<typeof Base> & StreamClient.StreamClient<typeof Base>
    yield* Stream.runDrain(Talk(Stream.make(message("a"))))
    yield* Ask(message("b"))
    yield* Say({ req: message("c") })
    return seen.toSorted()
  })

describe("middleware for one method", () => {
  const all = [
    "clientFor Ask",
    "clientFor Say",
    "recvFor client",
    "recvFor server",
    "recvPlainFor server",
    "sendFor client",
    "sendPlainFor server",
    "serverFor Ask",
    "serverFor Say"
  ]

  it.effect("runs in its service, and in services that inherit the method", () =>
    Effect.gen(function* () {
      for (const service of [Base, Child, Grandchild]) {
        assert.deepStrictEqual(yield* seenBy(Base, service as never), all, service.name_)
      }
      assert.deepStrictEqual(yield* seenBy(Child as never, Grandchild as never), all)
    })
  )

  it.effect("does not run in the service that its own extends, nor in another that extends the same", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* seenBy(Child as never, Base), [])
      assert.deepStrictEqual(yield* seenBy(Child as never, Sibling as never), [])
    })
  )

  it.effect("runs for calls that find its method by another name, and not for what the server does not have", () =>
    Effect.gen(function* () {
      class Gone extends Service.make("Gone", {
        methods: [Method.pingPong("Vanish", { arguments: { req: Thrift.field(1, Request) }, response: Request })]
      }) {}
      const seen: Array<unknown> = []
      const middleware = [
        Middleware.serverFor(Child, "Say", (next, { req }) => (seen.push(req.message), next({ req }))),
        Middleware.serverFor(Gone, "Vanish", (next, request) => (seen.push(request), next(request)))
      ]
      const unknown = () => Effect.sync(() => void seen.push("unknown"))
      const server = Server.layer([Child], {
        middleware,
        fallback: Child,
        unknown: () => Effect.as(unknown(), undefined)
      })
      yield* Effect.gen(function* () {
        yield* (yield* Client.make(Base, { transport: "framed" })).Say({ req: message("unnamed") })
        yield* (yield* Client.make(Base)).Say({ req: message("named") })
        yield* (yield* Client.make(Gone)).Vanish({ req: message("gone") })
      }).pipe(
        Effect.scoped,
        Effect.provide(
          server.pipe(Layer.provide(Child.toLayer(echoing as never)), Layer.provideMerge(MemoryTransport.layer))
        )
      )
      assert.deepStrictEqual(seen, ["unnamed", "named", "unknown"])
    })
  )

  it("of a service without it is refused where it is made", () => {
    const service = TestService as never
    const makers = {
      recvFor: () => Middleware.recvFor(service, "Nope" as never, (next) => next),
      sendFor: () => Middleware.sendFor(service, "Nope" as never, (next) => next),
      recvPlainFor: () => Middleware.recvPlainFor(service, "Nope" as never, "client", () => (message) => message),
      sendPlainFor: () => Middleware.sendPlainFor(service, "Nope" as never, "client", () => (message) => message),
      clientFor: () => Middleware.clientFor(service, "Nope" as never, (next, request) => next(request)),
      serverFor: () => Middleware.serverFor(service, "Nope" as never, (next, request) => next(request))
    }
    for (const [name, make] of Object.entries(makers)) {
      assert.throws(make, `Middleware.${name}: the service TestService has no method Nope, it has Echo, EchoClient,`)
    }
  })
})

describe("a thing in a list that is no middleware", () => {
  const refused = (made: Effect.Effect<unknown, unknown, any>) =>
    Effect.map(
      Effect.exit(Effect.scoped(Effect.provide(made, MemoryTransport.layer)) as Effect.Effect<unknown, unknown>),
      (exit) => (Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "made")
    )
  const pass = Middleware.client((next) => next)
  const takes = "the list takes what Middleware.client, server, recv, send and the like make"

  it.effect("is refused with its place", () =>
    Effect.gen(function* () {
      const lists: ReadonlyArray<readonly [ReadonlyArray<unknown>, string]> = [
        [[pass, (next: unknown) => next], `middleware[1] is a function: ${takes}`],
        [[undefined], `middleware[0] is undefined: ${takes}`],
        [[null], `middleware[0] is null: ${takes}`],
        [[pass, { kind: "retry" }], `middleware[1] is of kind retry: ${takes}`],
        [
          [pass, Middleware.builder(() => [pass, "x" as never])],
          `[1] of what the builder middleware[1] made is x: ${takes}`
        ]
      ]
      for (const [list, text] of lists) {
        const middleware = list as ReadonlyArray<never>
        const made = [
          StreamClient.make(Base, { middleware }),
          Client.make(Base, { middleware }),
          Layer.build(Server.layer([], { middleware }))
        ]
        for (const each of made) assert.strictEqual(yield* refused(each), `Error: ${text}`)
      }
    })
  )

  it.effect("is refused around attempts too, where only client middleware is run", () =>
    Effect.gen(function* () {
      for (const make of [StreamClient.make, Client.make]) {
        const instance = (...list: ReadonlyArray<unknown>) =>
          refused(make(Base, { instanceMiddleware: list as ReadonlyArray<never> }) as never)
        assert.strictEqual(
          yield* instance(
            pass,
            Middleware.server((next) => next)
          ),
          "Error: instanceMiddleware[1] is of kind server: the list takes what Middleware.client and the like make"
        )
        assert.strictEqual(yield* instance(pass), "made")
      }
    })
  )
})
