/** Servers that call one another, and what each has received. */
import { readFileSync } from "node:fs"
import { Thrift } from "@millrace/codec"
import { MemoryTransport, type RawCall, Transport } from "@millrace/transport"
import { Context, Effect, Layer } from "effect"
import { Client, Metainfo, Method, Server, type ServerCall, Service } from "../../src/index.ts"
import { Request, Response } from "./echo.ts"
import { StreamClient } from "./over.ts"

export class GoldenService extends Service.make("GoldenService", {
  package: "wire",
  methods: [
    Method.pingPong("Echo", { arguments: { req: Thrift.field(1, Request) }, response: Response }),
    Method.unary("Unary", { request: Request, response: Response })
  ]
}) {}

export type Strings = Readonly<Record<string, string>>
export type Hop = { readonly strings: Strings; readonly ints: Strings }

/** What Kitex sends. */
export const golden: {
  readonly "pingpong-forward": ReadonlyArray<Hop>
  readonly "pingpong-refresh": ReadonlyArray<Hop>
  readonly http2: ReadonlyArray<Strings>
} = JSON.parse(readFileSync(new URL("../data/metainfo-hops.json", import.meta.url), "utf8"))

/** Notes the int keys of what is sent. */
const noting = (lease: RawCall.CallLease, ints: Array<Strings>): RawCall.CallLease => ({
  peer: lease.peer,
  send: (call) => {
    ints.push(Object.fromEntries(call.header.ints))
    return lease.send(call)
  },
  release: () => lease.release()
})

export interface Options {
  readonly callerName?: string
  readonly propagation?: "singleHop" | "legacy"
}

/** A server in memory, and clients of it. Its handlers run `next`. */
export const node = (destService: string, next: Effect.Effect<unknown, unknown>, options: Options = {}) =>
  Effect.gen(function* () {
    const seen: Array<{ strings: Strings; call: ServerCall.ServerCall; values: Metainfo.Metainfo }> = []
    const ints: Array<Strings> = []
    const handle = (_: unknown, call: ServerCall.ServerCall) =>
      Effect.gen(function* () {
        const strings = Object.fromEntries(Array.from(call.metadata.keys(), (key) => [key, call.metadata.get(key)!]))
        seen.push({ strings, call, values: yield* Metainfo.current })
        yield* Effect.orDie(next)
        return new Response({})
      })
    const context = yield* Layer.build(
      Server.layer([GoldenService], { graceTime: 0 }).pipe(
        Layer.provide(GoldenService.toLayer({ Echo: handle, Unary: handle })),
        Layer.provideMerge(MemoryTransport.layer),
        Layer.orDie
      )
    )
    const transport = Context.get(context, Transport.ClientTransport)
    const noted = Transport.ClientTransport.of({
      ...transport,
      tryLease: (target) => {
        const lease = transport.tryLease(target)
        return lease && noting(lease, ints)
      },
      lease: (target) => Effect.map(transport.lease(target), (lease) => noting(lease, ints))
    })
    const { callerName, propagation } = options
    const calls = yield* Client.make(GoldenService, { callerName, destService }).pipe(
      Effect.provideService(Transport.ClientTransport, noted)
    )
    const streams = yield* StreamClient.make(GoldenService, { callerName, destService, propagation }).pipe(
      Effect.provide(context)
    )
    const req = new Request({ message: "x" })
    const hops = () => seen.map(({ strings }, i) => ({ strings, ints: ints[i]! }))
    /** Metainfo as headers have it. */
    const headers = () =>
      seen.map(({ strings }) => Object.fromEntries(Object.entries(strings).filter(([key]) => key.startsWith("rpc-"))))
    /** Metainfo as handlers have it. */
    const metainfo = () => seen.map(({ call }) => values(call.metainfo))
    return { seen, hops, headers, metainfo, echo: calls.Echo({ req }), unary: streams.Unary(req) }
  })

export const values = ({ persistent, transient }: Metainfo.Metainfo) => ({
  persistent: Object.fromEntries(persistent),
  transient: Object.fromEntries(transient)
})

export const both = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  self.pipe(Metainfo.withValue("t", "1"), Metainfo.withPersistentValue("p", "2"))
