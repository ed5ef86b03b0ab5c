/** A real Kitex client against our server: middleware, metadata and errors around the handlers. What the scenarios check is in kitex/scenario. */
import { assert, describe, layer } from "@effect/vitest"
import { Admission, BizStatusError, ContextMap, MetaHandler, Middleware, RpcError, RpcTracer } from "@millrace/rpc"
import type { CallError } from "@millrace/rpc/ClientStream"
import { NodeTransport } from "@millrace/transport/node"
import { Context, Effect, Layer } from "effect"
import { InteropService, Request, Response } from "../src/api.ts"
import { CallsService } from "../src/calls.ts"
import { goAvailable } from "./go.ts"
import { serverHere } from "./here.ts"
import { type Ask, type Case, KitexClient } from "./peers.ts"

const passes = Effect.fnUntraced(function* (scenario: Case) {
  const run = yield* KitexClient
  const result = yield* run(scenario)
  assert.deepStrictEqual([result.ok, result.detail], [true, ""], JSON.stringify(result.seen))
})

/** What a Kitex client sees of one request in a mode. */
const told = Effect.fnUntraced(function* (mode: string, address: string, ask: Ask) {
  const run = yield* KitexClient
  return (yield* run({ scenario: `ask-${mode}`, address, ask })).seen
})

/** The answer. */
const asked = (mode: string, address: string, word: string) =>
  Effect.map(told(mode, address, { word }), (seen) => seen.at(-1)!)

const modes = ["bidi", "client", "server", "unary"]

const prefixed = (response: Response) => new Response({ ...response, message: `mw:${response.message ?? ""}` })

/** `request` becomes the name of the method, and what goes out gets a prefix. */
const received = <A>(message: A, method: string): A =>
  message instanceof Request && message.message === "request"
    ? (new Request({ ...message, message: method }) as A & Request)
    : message
const sent = <A>(message: A): A => (message instanceof Response ? (prefixed(message) as A & Response) : message)

/** The middleware of messages in each of its forms. */
const rewriting = {
  plain: [
    Middleware.recvPlain(
      ({ info }) =>
        (message) =>
          received(message, info.method)
    ),
    Middleware.sendPlain(() => sent)
  ],
  single: [
    Middleware.recv((next, { info }) => Effect.map(next, (message) => received(message, info.method))),
    Middleware.send((next) => (message) => next(sent(message)))
  ],
  batch: [
    Middleware.recvBatch((next, { info }) =>
      Effect.map(next, ([first, ...rest]) => [
        received(first, info.method),
        ...rest.map((message) => received(message, info.method))
      ])
    ),
    Middleware.sendBatch((next) => (messages) => next(messages.map(sent)))
  ]
} as const

const whole = [
  Middleware.serverFor(InteropService, "Unary", (next, request) => Effect.map(next(request), prefixed)),
  Middleware.serverFor(CallsService, "Call", (next, request) => Effect.map(next(request), prefixed))
]

const failing = (error: CallError) => [Middleware.server(() => Effect.fail(error))]
const status = (code: number, desc: string) => new RpcError.RpcError({ reason: new RpcError.Status({}), code, desc })
const bare = new RpcError.RpcError({ reason: new RpcError.ProtocolViolation(), code: 13, desc: "mw boom" })
const limit = new RpcError.RpcError({
  reason: new RpcError.Rejected({ limit: "requests" }),
  code: 8,
  desc: "request over limit: too busy"
})

const unaryPrefix = "remote or network error: "
const callPrefix = "remote or network error[remote]: "

/** What a client gets of a middleware that fails, by kind of error: with a PingPong call, and with a stream or a unary call. */
const failures: ReadonlyArray<
  readonly [
    name: string,
    middleware: ReadonlyArray<Middleware.ForServer>,
    call: [number, string],
    stream: [number, string]
  ]
> = [
  ["an error", failing(bare), [6, "mw boom"], [13, "mw boom"]],
  ["a status of its own", failing(status(1000, "mw")), [1000, "mw"], [1000, "mw"]],
  [
    "a business error",
    failing(new BizStatusError.BizStatusError({ statusCode: 7, statusMessage: "mw biz" })),
    [6, "biz error: code=7, msg=mw biz"],
    [13, "biz error: code=7, msg=mw biz"]
  ],
  ["a limit", failing(limit), [6, "request over limit: too busy"], [8, "request over limit: too busy"]]
]

describe.skipIf(!goAvailable())("Kitex client, around the handlers of our server", () => {
  const services = Layer.merge(KitexClient.layer, NodeTransport.layerClient)

  layer(services, { excludeTestServices: true, timeout: "5 minutes" })((it) => {
    for (const form of ["plain", "single", "batch"] as const) {
      it.effect(`middleware that rewrites messages, ${form} (T17 to T21)`, () =>
        Effect.gen(function* () {
          const address = yield* serverHere({ middleware: [...whole, ...rewriting[form]] })
          for (const mode of modes) yield* passes({ scenario: `middleware-${mode}`, address })
          yield* passes({ scenario: "call-middleware-server", address, calls: { encoding: "ttheader-framed" } })
          yield* passes({ scenario: "call-middleware-server", address, calls: { encoding: "buffered" } })
        }).pipe(Effect.scoped)
      )
    }

    it.effect("middleware of messages does not run for unary and PingPong calls (T18)", () =>
      Effect.gen(function* () {
        const seen: Array<string> = []
        const note = <A>(kind: string, method: string, message: A): A => {
          seen.push(`${kind} ${method}`)
          return message
        }
        const address = yield* serverHere({
          middleware: [
            Middleware.recvPlain(
              ({ info }) =>
                (message) =>
                  note("recv", info.method, message)
            ),
            Middleware.sendPlain(
              ({ info }) =>
                (message) =>
                  note("send", info.method, message)
            )
          ]
        })
        yield* passes({ scenario: "unary", address, n: 1 })
        yield* passes({ scenario: "call-many", n: 1, address, calls: { encoding: "ttheader" } })
        assert.deepStrictEqual(seen, [])
        yield* passes({ scenario: "client", address, n: 2 })
        assert.deepStrictEqual(seen, ["recv Client", "recv Client", "send Client"])
      }).pipe(Effect.scoped)
    )

    it.effect("the log id, in all middleware and the handler (T33)", () =>
      Effect.gen(function* () {
        const seen: Array<string | undefined> = []
        const address = yield* serverHere({
          middleware: [
            Middleware.server((next, info) =>
              Effect.andThen(
                Effect.sync(() => seen.push(info.logId)),
                next
              )
            ),
            Middleware.recv((next, { info }) => Effect.tap(next, () => Effect.sync(() => seen.push(info.logId)))),
            Middleware.sendPlain(({ info }) => (message) => {
              seen.push(info.logId)
              return message
            })
          ]
        })
        // the handler answers with the one that it sees
        yield* passes({ scenario: "log-id", address })
        assert.deepStrictEqual(seen, ["log-33", "log-33", "log-33"])
      }).pipe(Effect.scoped)
    )

    it.effect("a map between the middleware of messages, injected by a handler of headers (T39)", () =>
      Effect.gen(function* () {
        const got = ContextMap.key<string>("received")
        const address = yield* serverHere({
          metaHandlers: [MetaHandler.make({ onReadStream: (next) => ContextMap.inject(next) })],
          middleware: [
            Middleware.recvPlainFor(InteropService, "Bidi", "server", ({ context }) => (message) => {
              got.set(Context.get(context, ContextMap.Current), message.message!)
              return message
            }),
            Middleware.sendPlainFor(
              InteropService,
              "Bidi",
              "server",
              ({ context }) =>
                (message) =>
                  new Response({ ...message, message: `map:${got.get(Context.get(context, ContextMap.Current))}` })
            )
          ]
        })
        yield* passes({ scenario: "context-map", address })
      }).pipe(Effect.scoped)
    )

    it.effect("the name of the caller, where the client says it", () =>
      Effect.gen(function* () {
        yield* passes({ scenario: "caller-name", address: yield* serverHere() })
      }).pipe(Effect.scoped)
    )

    it.effect("details of a status and of a business error", () =>
      Effect.gen(function* () {
        const address = yield* serverHere()
        for (const mode of modes) {
          yield* passes({ scenario: `details-status-${mode}`, address })
          yield* passes({ scenario: `details-biz-${mode}`, address })
        }
      }).pipe(Effect.scoped)
    )

    for (const [name, middleware, [type, callText], [code, streamText]] of failures) {
      it.effect(`a middleware that fails with ${name}`, () =>
        Effect.gen(function* () {
          const address = yield* serverHere({ middleware })
          assert.deepInclude(yield* asked("call", address, "hi"), { error: callPrefix + callText, type })
          const error = `rpc error: code = ${code} desc = ${streamText}`
          assert.deepInclude(yield* asked("unary", address, "hi"), { error: unaryPrefix + error, code })
          for (const mode of ["bidi", "client", "server"]) {
            assert.deepInclude(yield* asked(mode, address, "hi"), { error, code })
          }
        }).pipe(Effect.scoped)
      )
    }

    it.effect("a rule of admission that refuses", () =>
      Effect.gen(function* () {
        const denied = new RpcError.RpcError({
          reason: new RpcError.Rejected({ limit: "acl" }),
          code: 7,
          desc: "request forbidden: denied"
        })
        const address = yield* serverHere({ admission: [Admission.make(() => denied)] })
        assert.deepInclude(yield* asked("call", address, "hi"), { error: `${callPrefix}${denied.desc}`, type: 6 })
        const error = `rpc error: code = 7 desc = ${denied.desc}`
        assert.deepInclude(yield* asked("unary", address, "hi"), { error: unaryPrefix + error, code: 7 })
        assert.deepInclude(yield* asked("bidi", address, "hi"), { error, code: 7 })
      }).pipe(Effect.scoped)
    )

    it.effect("a handler of headers that refuses a stream", () =>
      Effect.gen(function* () {
        const tracers: Array<string> = []
        const address = yield* serverHere({
          metaHandlers: [MetaHandler.make({ onReadStream: () => Effect.fail(status(16, "who are you")) })],
          middleware: [
            Middleware.server((next) =>
              Effect.andThen(
                Effect.sync(() => tracers.push("middleware")),
                next
              )
            )
          ]
        }).pipe(Effect.provide(RpcTracer.layer({ start: () => Effect.sync(() => void tracers.push("start")) })))
        for (const mode of modes) {
          assert.deepInclude(yield* asked(mode, address, "hi"), { code: 16, message: "who are you" })
        }
        assert.deepStrictEqual(tracers, [])
      }).pipe(Effect.scoped)
    )

    it.effect("the string keys of a TTHeader, both ways", () =>
      Effect.gen(function* () {
        const got: Array<string | undefined> = []
        const address = yield* serverHere({
          metaHandlers: [
            MetaHandler.make({
              readMeta: (meta) => void got.push(meta.get("RPC_TRANSIT_t")),
              writeMeta: (meta, info) => meta.set("from-meta", info.method)
            })
          ]
        })
        const [backward] = yield* told("call", address, { word: "hi", transient: { t: "1" } })
        assert.deepStrictEqual(backward!["value"], { "from-meta": "Call" })
        assert.deepStrictEqual(got, ["1"])
      }).pipe(Effect.scoped)
    )

    it.effect("the request is in the info where the option asks for it", () =>
      Effect.gen(function* () {
        const seen: Array<unknown> = []
        const watching = Middleware.server((next, { method, request }) => {
          const message = request instanceof Request ? request.message : (request as { req?: Request } | undefined)?.req
          return Effect.andThen(
            Effect.sync(() => seen.push([method, message instanceof Request ? message.message : message])),
            next
          )
        })
        const shown = yield* serverHere({ requestInInfo: true, middleware: [watching] })
        for (const mode of ["server", "unary", "call", "bidi"]) yield* asked(mode, shown, "hi")
        const hidden = yield* serverHere({ middleware: [watching] })
        for (const mode of ["server", "unary", "call"]) yield* asked(mode, hidden, "hi")
        assert.deepStrictEqual(seen, [
          ["Server", "hi"],
          ["Unary", "hi"],
          ["Call", "hi"],
          ["Bidi", undefined],
          ["Server", undefined],
          ["Unary", undefined],
          ["Call", undefined]
        ])
      }).pipe(Effect.scoped)
    )

    it.effect("a middleware that panics is answered as a handler that does", () =>
      Effect.gen(function* () {
        const address = yield* serverHere({ middleware: [Middleware.server(() => Effect.die("mw kaboom"))] })
        const text = (method: string) =>
          `panic: [happened in biz handler, method=${method}, please check the panic at the server side] mw kaboom`
        assert.deepInclude(yield* asked("call", address, "hi"), { error: callPrefix + text("CallsService.Call") })
        assert.deepInclude(yield* asked("unary", address, "hi"), { message: text("InteropService.Unary"), code: 13 })
        assert.deepInclude(yield* asked("bidi", address, "hi"), { message: text("InteropService.Bidi"), code: 13 })
      }).pipe(Effect.scoped)
    )

    it.effect("an error handler: what it gives goes out as it is, and business errors pass by it", () =>
      Effect.gen(function* () {
        const handled = yield* serverHere({
          errorHandler: (error) =>
            new RpcError.RpcError({
              reason: new RpcError.ProtocolViolation(),
              code: 13,
              desc: `handled: ${error.desc}`
            })
        })
        const numbered = yield* serverHere({ errorHandler: ({ desc }) => status(900, desc) })
        assert.deepInclude(yield* asked("call", handled, "plain-error"), {
          error: `${callPrefix}handled: biz error: boom`,
          type: 6
        })
        assert.deepInclude(yield* asked("call", numbered, "plain-error"), {
          error: `${callPrefix}biz error: boom`,
          type: 900
        })
        for (const mode of modes) {
          assert.deepInclude(yield* asked(mode, handled, "plain-error"), {
            message: "handled: biz error: boom",
            code: 13
          })
          assert.deepInclude(yield* asked(mode, numbered, "plain-error"), { message: "biz error: boom", code: 900 })
        }
        for (const mode of [...modes, "call"]) {
          assert.deepInclude(yield* asked(mode, handled, "biz"), { bizStatus: 404, message: "not found" })
        }
      }).pipe(Effect.scoped)
    )

    it.effect("more entries in a TTHeader than the server takes: the client reads which limit it was", () =>
      Effect.gen(function* () {
        const ours = yield* serverHere()
        const transient = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`KEY_${i}`, `${i}`]))
        assert.deepInclude((yield* told("call", ours, { word: "hi", transient })).at(-1)!, {
          error: `${callPrefix}the call is over a limit of the server: maxHeaderFields is 256; the connection ends`,
          type: 7
        })
        assert.isUndefined((yield* asked("call", ours, "hi"))["error"])
      }).pipe(Effect.scoped)
    )
  })
})
