/** What the endpoints and rules of clients and servers require, their Layers require: of each of them. */
import { Admission, Client, Endpoints, Method, Server, Service, StreamClient } from "@millrace/rpc"
import { Context, Effect, type Layer, type Scope } from "effect"

class Echo extends Service.make("Echo", { methods: [Method.pingPong("Ping", { arguments: {} })] }) {}
class Resolver extends Context.Service<Resolver, { readonly address: string }>()("t/Resolver") {}
class Breaker extends Context.Service<Breaker, Admission.Admission>()("t/Breaker") {}
class Limits extends Context.Service<Limits, Admission.Admission>()("t/Limits") {}

const endpoints = Effect.map(Resolver, ({ address }) => Endpoints.fromHostPorts([address]))
const scoped: Effect.Effect<Admission.Admission, never, Limits | Scope.Scope> = Effect.tap(Limits, () =>
  Effect.addFinalizer(() => Effect.void)
)
const options = { endpoints, admission: [Breaker, scoped, Admission.make(() => () => {})] } as const

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Equal<A, B>): void => {}
type ContextOf<L> = L extends Layer.Layer<infer _A, infer _E, infer R> ? R : never

class Streams extends StreamClient.Service<Streams>()("t/Streams", Echo) {}
class Calls extends Client.Service<Calls>()("t/Calls", Echo) {}

const streams = Streams.layer({ endpoints, admission: [Breaker, scoped] })
const calls = Calls.layer(options)
const none = Calls.layer({ hostPorts: ["a:1"] })
const server = Server.layer([], { admission: [Breaker, scoped] })
const unlimited = Server.layer([])

const written = Streams.layer({
  endpoints: Effect.map(Resolver, ({ address }) => Endpoints.fromHostPorts([address])),
  admission: [Effect.map(Breaker, (breaker) => breaker), Effect.map(scoped, (rule) => rule)]
})

type Clients = Exclude<ContextOf<typeof none>, never>
same<ContextOf<typeof streams>, Clients | Resolver | Breaker | Limits>(true)
same<ContextOf<typeof written>, Clients | Resolver | Breaker | Limits>(true)
same<ContextOf<typeof calls>, Clients | Resolver | Breaker | Limits>(true)
same<ContextOf<typeof server>, ContextOf<typeof unlimited> | Breaker | Limits>(true)

// @ts-expect-error a rule that may fail to be made
StreamClient.make(Echo, { admission: [Effect.fail("no")] })
// @ts-expect-error endpoints are no rule
StreamClient.make(Echo, { admission: [Endpoints.fromHostPorts(["a:1"])] })
// @ts-expect-error a rule is no endpoints
Client.make(Echo, { endpoints: Breaker })
