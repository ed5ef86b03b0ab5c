import { Thrift } from "@millrace/codec"
import type { Retry } from "@millrace/governance"
import {
  Admission,
  BizStatusError,
  Client,
  type Endpoints,
  Metainfo,
  Method,
  type Middleware,
  RpcError,
  RpcTracer,
  Server,
  Service
} from "@millrace/rpc"
import { MemoryTransport } from "@millrace/transport"
import { Effect, Exit, Layer, type Scope } from "effect"
import { StreamClient } from "./over.ts"

export class Message extends Thrift.Struct<Message>("retry.Message")({ text: Thrift.optional(1, Thrift.String) }) {}
export class Busy extends Thrift.Exception<Busy>()("retry.Busy", { text: Thrift.optional(1, Thrift.String) }) {}

export class Shop extends Service.make("Shop", {
  package: "retry",
  methods: [
    Method.unary("Unary", { request: Message, response: Message, exceptions: { busy: Thrift.field(1, Busy) } }),
    Method.pingPong("Ping", {
      arguments: { text: Thrift.field(1, Thrift.String) },
      response: Thrift.String,
      exceptions: { busy: Thrift.field(1, Busy) }
    })
  ]
}) {}

export type Step = "ok" | "stall" | "busy" | "biz" | "status" | "reject"

const biz = new BizStatusError.BizStatusError({ statusCode: 7, statusMessage: "no" })
const status = new RpcError.RpcError({ reason: new RpcError.Status(), code: 2, desc: "broken" })
const rejected = new RpcError.RpcError({
  reason: new RpcError.Rejected({ limit: "qps" }),
  code: 8,
  desc: "request over limit: qps"
})

export interface Finished {
  readonly attempt: number | undefined
  readonly address: string
  readonly reason: RpcTracer.EndReason
  readonly biz: boolean
  readonly sent: number
}

/** A server that does step by step what it is told, for both kinds of calls, and everything that is heard of it. */
export class World {
  /** The last goes on. */
  steps: ReadonlyArray<Step> = []
  /** What became of the calls that came. */
  readonly calls: Array<string> = []
  /** Attempt numbers as the server saw them, and as its handlers' own calls would carry them. */
  readonly attempts: Array<number | undefined> = []
  readonly keys: Array<string | undefined> = []
  starts = 0
  readonly finished: Array<Finished> = []
  readonly live: Layer.Layer<MemoryTransportServices>

  constructor() {
    const step = () => this.steps[Math.min(this.calls.length, this.steps.length - 1)] ?? "ok"
    const handle = Effect.suspend(() => {
      const at = this.calls.length
      const now = step()
      this.calls.push("runs")
      const answer: Effect.Effect<string, Busy | BizStatusError.BizStatusError | RpcError.RpcError> =
        now === "ok"
          ? Effect.succeed(`${at}`)
          : now === "stall"
            ? Effect.never
            : Effect.fail(now === "busy" ? new Busy({}) : now === "biz" ? biz : status)
      const noted = Effect.onExit(answer, (exit) =>
        Effect.sync(() => {
          this.calls[at] = Exit.isSuccess(exit) ? "ok" : Exit.hasInterrupts(exit) ? "interrupted" : "failed"
        })
      )
      const key = Effect.map(Metainfo.current, ({ persistent }) => {
        this.keys.push(persistent.get("RetryReq") ?? persistent.get("RETRYREQ"))
      })
      return Effect.andThen(key, noted)
    })
    const tracer = RpcTracer.layer({
      start: (info) =>
        Effect.sync(() => {
          if (info.side === "client") this.starts++
          return undefined
        }),
      finish: ({ bizError, info, reason, sendCount }) =>
        Effect.sync(() => {
          const { address, attempt } = info
          if (info.side === "client") {
            this.finished.push({ attempt, address, reason, biz: bizError !== undefined, sent: sendCount })
          }
        })
    })
    const admission = Admission.make(({ info }) => {
      this.attempts.push(info.attempt)
      if (step() !== "reject") return () => {}
      this.calls.push("refused")
      return rejected
    })
    this.live = Server.layer([Shop], { admission: [admission] }).pipe(
      Layer.provide(
        Shop.toLayer({ Unary: () => Effect.map(handle, (text) => new Message({ text })), Ping: () => handle })
      ),
      Layer.provideMerge(MemoryTransport.layer),
      Layer.provideMerge(tracer)
    ) as never
  }
}

export type MemoryTransportServices = Layer.Success<typeof MemoryTransport.layer>

export type Policy = ReturnType<typeof Retry.failure>

export interface Setup {
  readonly retry?: Policy
  readonly fallback?: Policy
  readonly rpcTimeout?: number
  readonly endpoints?: Endpoints.Endpoints
  readonly admission?: ReadonlyArray<Admission.Admission>
  readonly middleware?: ReadonlyArray<Middleware.ClientMiddleware>
  readonly requestInInfo?: boolean
}

export interface CallSetup {
  readonly retry?: Policy | undefined
  readonly fallback?: Policy | undefined
  readonly rpcTimeout?: number | undefined
  readonly hostPort?: string
}

export type Kind = "unary" | "pingPong"

/** The call of one client of either kind. */
export const caller = (kind: Kind, { fallback, retry, rpcTimeout, ...rest }: Setup) => {
  const policies = {
    ...(retry !== undefined && { retry }),
    ...(fallback !== undefined && { fallback }),
    ...(rpcTimeout !== undefined && { rpcTimeout })
  }
  if (kind === "pingPong") {
    return Effect.map(
      Client.make(Shop, { ...rest, ...policies }),
      (client) => (options?: CallSetup) => client.Ping({ text: "hi" }, options)
    )
  }
  return Effect.map(
    StreamClient.make(Shop, { ...rest, unary: policies }),
    (client) => (options?: CallSetup) =>
      Effect.map(client.Unary(new Message({ text: "hi" }), options), ({ text }) => text)
  )
}

export const inWorld = <A, E>(run: (world: World) => Effect.Effect<A, E, MemoryTransportServices | Scope.Scope>) =>
  Effect.suspend(() => {
    const world = new World()
    return run(world).pipe(Effect.scoped, Effect.provide(world.live))
  })
