/** What the compiler must know of middleware of PingPong clients, and what must not compile. */
import {
  type BizStatusError,
  Client,
  Middleware,
  Method,
  type RpcError,
  Service,
  type StreamClient
} from "@millrace/rpc"
import { Thrift } from "@millrace/codec"
import { Testing } from "@millrace/rpc/testing"
import type { Transport } from "@millrace/transport"
import { Context, Effect, type Layer, type Scope } from "effect"
import { Busy, type Request, Response, TestService } from "./Client.ts"

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Same<A, B>): void => {}

class Tenant extends Context.Service<Tenant, { readonly name: string }>()("app/Tenant") {}
class Audit extends Context.Service<Audit, (line: string) => void>()("app/Audit") {}

const needsTenant = Middleware.client((next) => Effect.flatMap(Tenant, () => next))
same<typeof needsTenant, Middleware.ClientMiddleware<Tenant>>(true)
// The scope of a call is there.
const scoped = Middleware.client((next) =>
  Effect.andThen(
    Effect.addFinalizer(() => Effect.void),
    next
  )
)
const needsAudit = Middleware.clientFor(TestService, "EchoPingPong", (next, { req }) =>
  Effect.flatMap(Audit, (audit) => {
    audit(req.message ?? "")
    return next({ req })
  })
)
const onServer = Middleware.server((next) => next)

// What middleware requires, making the client requires.
export const client = Client.make(TestService, { middleware: [needsTenant, scoped, needsAudit] })
same<
  typeof client,
  Effect.Effect<Client.Client<typeof TestService>, never, Transport.ClientTransport | Scope.Scope | Tenant | Audit>
>(true)
class Echo extends Client.Service<Echo>()("app/EchoWithMiddleware", TestService) {}
const live = Echo.layer({ middleware: [needsTenant] })
same<typeof live, Layer.Layer<Echo, never, Transport.ClientTransport | Tenant>>(true)
// @ts-expect-error the service that middleware requires is missing
export const forgotten: Effect.Effect<unknown, never, Transport.ClientTransport | Scope.Scope> = client

// @ts-expect-error middleware of a server is not for a client
Client.make(TestService, { middleware: [onServer] })
// @ts-expect-error nor around an instance
Client.make(TestService, { instanceMiddleware: [onServer] })
// @ts-expect-error where nothing may be required
Client.make(TestService, { instanceMiddleware: [needsTenant] })

Middleware.clientFor(TestService, "EchoPingPong", (next, request) => {
  same<typeof request, { readonly req: Request }>(true)
  return next(request)
})
Middleware.clientFor(TestService, "EchoPingPong", () => Effect.succeed(new Response({})))
Middleware.clientFor(TestService, "EchoPingPong", () => Effect.fail(new Busy({})))
Middleware.clientFor(TestService, "EchoPingPong", (next, request) =>
  Effect.mapError(next(request), (error) => {
    same<typeof error, RpcError.RpcError | BizStatusError.BizStatusError | Busy>(true)
    return error
  })
)
Middleware.clientFor(TestService, "Log", (next, { line }) => next({ line: line.toUpperCase() }))
// @ts-expect-error another response
Middleware.clientFor(TestService, "EchoPingPong", () => Effect.succeed("text"))
// @ts-expect-error an error that is not declared
Middleware.clientFor(TestService, "EchoPingPong", () => Effect.fail("text"))
// @ts-expect-error another request
Middleware.clientFor(TestService, "EchoPingPong", (next) => next({ line: "x" }))
// @ts-expect-error a stream has no single request
Middleware.clientFor(TestService, "Echo", (next, request) => next(request))
// @ts-expect-error there is no such method
Middleware.clientFor(TestService, "Nope", (next, request) => next(request))
// @ts-expect-error an answer in place of what next gives
Middleware.client(() => Effect.succeed(new Response({})))
// @ts-expect-error an error that no caller expects
Middleware.client(() => Effect.fail("text"))

class Store extends Service.make("Store", {
  methods: [Method.pingPong("Get", { arguments: { key: Thrift.field(1, Thrift.String) }, response: Thrift.String })]
}) {}
export const tested = Testing.client(
  Store,
  { Get: ({ key }) => Effect.succeed(key) },
  { client: { middleware: [needsTenant] }, pingPong: { middleware: [needsAudit] } }
)
same<
  typeof tested,
  Effect.Effect<
    StreamClient.StreamClient<Service.ServiceClass<"Store", (typeof Store)["methods"]>> &
      Client.Client<Service.ServiceClass<"Store", (typeof Store)["methods"]>>,
    never,
    Scope.Scope | Tenant | Audit
  >
>(true)
