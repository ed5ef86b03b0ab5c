/** What the compiler must know of middleware of stream clients, and what must not compile. */
import { type ClientStream, MetaHandler, Middleware, RpcError, StreamClient } from "@millrace/rpc"
import type { Transport } from "@millrace/transport"
import { Config, Context, Effect, type Layer, type Scope } from "effect"
import { Request, Response, TestService } from "./Client.ts"

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Same<A, B>): void => {}

class Tokens extends Context.Service<Tokens, { readonly next: Effect.Effect<string> }>()("Tokens") {}
class Audit extends Context.Service<Audit, (line: string) => void>()("Audit") {}

const plain = Middleware.client((next) => Effect.catch(next, () => next))
same<typeof plain, Middleware.ClientMiddleware>(true)
const scoped = Middleware.client((next) =>
  Effect.andThen(
    Effect.addFinalizer(() => Effect.void),
    next
  )
)
same<typeof scoped, Middleware.ClientMiddleware>(true)
const authorized = Middleware.client((next) =>
  Effect.gen(function* () {
    const { next: token } = yield* Tokens
    yield* token
    return yield* next
  })
)
same<typeof authorized, Middleware.ClientMiddleware<Tokens>>(true)
const audited = Middleware.recv((next) => Effect.tap(next, () => Effect.map(Audit, (log) => log("recv"))))
same<typeof audited, Middleware.RecvMiddleware<Audit>>(true)
const built = Middleware.builder(() => [authorized])
same<typeof built, Middleware.Builder<Tokens>>(true)

// --- requirements ----------------------------------------------------------------------------------------------------

const none = StreamClient.make(TestService, { middleware: [plain, scoped] })
same<Effect.Services<typeof none>, Transport.ClientTransport | Scope.Scope>(true)
const both = StreamClient.make(TestService, { middleware: [plain, authorized, audited] })
same<Effect.Services<typeof both>, Transport.ClientTransport | Scope.Scope | Tokens | Audit>(true)
const builder = StreamClient.make(TestService, { middleware: [built] })
same<Effect.Services<typeof builder>, Transport.ClientTransport | Scope.Scope | Tokens>(true)
// @ts-expect-error Audit is forgotten
export const forgotten: Effect.Effect<unknown, never, Transport.ClientTransport | Scope.Scope | Tokens> = both

class Echo extends StreamClient.Service<Echo>()("app/EchoWithMiddleware", TestService) {}
const live = Echo.layer({ hostPorts: ["127.0.0.1:8888"], middleware: [authorized] })
same<typeof live, Layer.Layer<Echo, never, Transport.ClientTransport | Tokens>>(true)
const quiet = Echo.layer({ middleware: [plain] })
same<typeof quiet, Layer.Layer<Echo, never, Transport.ClientTransport>>(true)
export const configured = Echo.layerConfig({
  middleware: Config.succeed([plain]),
  callerName: Config.succeed("me"),
  propagation: Config.succeed("legacy"),
  statsLevel: Config.succeed("base"),
  requestInInfo: Config.succeed(true)
})
// @ts-expect-error a middleware that requires something goes into `layer`
void Echo.layerConfig({ middleware: Config.succeed([authorized]) })

// --- lists -----------------------------------------------------------------------------------------------------------

const onServer = Middleware.server((next) => next)
// @ts-expect-error middleware of a server
void StreamClient.make(TestService, { middleware: [onServer] })
// @ts-expect-error middleware around messages is not around attempts
void StreamClient.make(TestService, { instanceMiddleware: [audited] })
// @ts-expect-error nor may that around attempts require something
void StreamClient.make(TestService, { instanceMiddleware: [authorized] })
// @ts-expect-error a list, not one
void StreamClient.make(TestService, { middleware: plain })
// @ts-expect-error of a client, not of a call
void Effect.flatMap(none, (client) => client.EchoUnary(new Request({}), { middleware: [plain] }))

// --- what a middleware may do ------------------------------------------------------------------------------------------

// @ts-expect-error the result is that of `next`
void Middleware.client(() => Effect.succeed("something else"))
// @ts-expect-error the errors are those of calls
void Middleware.client(() => Effect.fail("no"))
void Middleware.client(() => Effect.fail(new RpcError.RpcError({ reason: new RpcError.Status(), code: 7, desc: "no" })))
void Middleware.stream((next, info) =>
  Effect.map(next, (handle): ClientStream.Any => ({ ...handle, cancel: Effect.logInfo(info.method) }))
)
// @ts-expect-error a handle can be cancelled
void Middleware.stream((next) => Effect.map(next, ({ cancel: _, ...handle }) => handle))

const answered = Middleware.clientFor(TestService, "EchoUnary", (next, request, info) => {
  same<typeof request, Request>(true)
  return info.address === "" && request.message === "" ? Effect.succeed(new Response({})) : next(request)
})
same<typeof answered, Middleware.ClientMiddleware>(true)
// @ts-expect-error a stream has no request to answer
void Middleware.clientFor(TestService, "Echo", (next, request) => next(request))
// @ts-expect-error another request
void Middleware.clientFor(TestService, "EchoUnary", (next) => next(new Response({}) as unknown as string))

void StreamClient.make(TestService, {
  metaHandlers: [MetaHandler.make({ onConnectStream: (next) => next })],
  errorHandler: (error, info) => (info.mode === "unary" ? error : error)
})
// @ts-expect-error a hook fails as calls do
void MetaHandler.make({ onConnectStream: () => Effect.fail("no") })
