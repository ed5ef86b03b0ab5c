/**
 * Scripts for clients of TTHeader streaming: what is done step by step, and what each step came to. A Kitex client plays them
 * (`kitex/scenario/script.go`), and so does ours; what the two saw is compared.
 */
import {
  BizStatusError,
  type ClientStream,
  Metainfo,
  Middleware,
  RpcError,
  RpcTracer,
  StreamClient
} from "@millrace/rpc"
import type { CallError } from "@millrace/rpc/ClientStream"
import type { Metadata } from "@millrace/rpc/Metadata"
import type { RpcInfo } from "@millrace/rpc/RpcInfo"
import type { ServerCall } from "@millrace/rpc/ServerCall"
import type { StreamClientOptions } from "@millrace/rpc/StreamOptions"
import { NodeTransport } from "@millrace/transport/node"
import type { ClientTransport } from "@millrace/transport/Transport"
import { Effect, Exit, Layer, type Scope } from "effect"
import * as Pull from "effect/Pull"
import { InteropService, Request, type Response } from "../src/api.ts"
import { wordsHere } from "./here.ts"

/** `StreamXOptions` of `kitex/scenario`. */
export interface Options {
  readonly pool?: "mux" | "long" | "short"
  readonly transport?: "grpc"
  readonly encoding?: "framed" | "ttheader-framed" | "buffered"
  readonly recv?: {
    readonly legacy?: number
    readonly config?: number
    readonly keep?: boolean
    readonly call?: boolean
  }
  readonly millis?: number
  readonly unaryMillis?: number
  readonly transient?: Readonly<Record<string, string>>
  readonly persistent?: Readonly<Record<string, string>>
  readonly nameless?: boolean
  readonly ints?: Readonly<Record<number, string>>
}

/** `Script` of `kitex/scenario`, without what a run adds. */
export interface Script extends Options {
  /** Those that are missing are for a Kitex client alone. */
  readonly mode: "bidi" | "client" | "server" | "unary" | "missing-method" | "missing-service"
  readonly word?: string
  readonly count?: number
  readonly steps: ReadonlyArray<string>
}

/** Where it is played. */
export interface Stage {
  readonly name: string
  readonly key: string
  readonly address: string
  readonly next?: string | undefined
}

/** What one step came to. */
export interface Step {
  readonly op: string
  readonly value?: unknown
  readonly count?: number
  readonly end?: boolean
  readonly error?: string
  readonly code?: number
  readonly kind?: string
  readonly biz?: unknown
}

/** `Counts` of `kitex/peer`. */
export interface Counts {
  readonly middleware: Record<string, number>
  readonly events: Record<string, number>
  trailer: Readonly<Record<string, string>> | null
  mode: string
  protocol: string
  starts: number
  ends: number
}

export interface Played {
  readonly name: string
  readonly seen: ReadonlyArray<Step>
  readonly counts: Counts
}

const kindOf = (code: number): string | undefined => {
  if (code === 12014 || code === 12015) return "timeout"
  if (code >= 12002 && code <= 12006) return "protocol"
  return code === 12001 ? undefined : "canceled"
}

const bytesText = (value: string | Uint8Array) =>
  typeof value === "string" ? value : Buffer.from(value).toString("base64").replaceAll("=", "")

const plain = (metadata: Metadata) =>
  Object.fromEntries(Array.from(metadata.keys(), (key) => [key, bytesText(metadata.getAll(key).at(-1)!)]))

const valueOf = ({ blob, count, message }: Response) => ({
  ...(message === undefined ? undefined : { message }),
  ...(count === undefined ? undefined : { count }),
  ...(blob === undefined ? undefined : { bytes: blob.length })
})

const errorOf = (error: unknown): Omit<Step, "op"> => {
  if (error instanceof BizStatusError.BizStatusError) {
    const { extra, statusCode, statusMessage } = error
    const biz = { code: statusCode, message: statusMessage, extra: { ...extra } }
    return { error: `biz error: code=${statusCode}, msg=${statusMessage}`, biz }
  }
  if (!(error instanceof RpcError.RpcError)) return { error: String(error) }
  const kind = kindOf(error.code)
  return { error: error.desc, code: error.code, ...(kind === undefined ? undefined : { kind }) }
}

const modes = {
  bidirectional: "bidi",
  client: "client",
  server: "server",
  unary: "unary",
  pingPong: "none",
  oneway: "none"
}

const add = (of: Record<string, number>, name: string, n = 1) => {
  of[name] = (of[name] ?? 0) + n
}

/** Counters as a Kitex peer has them, of whatever `of` gives them for. */
const counting = (of: (info: RpcInfo) => Counts | undefined) => {
  const event = (info: RpcInfo, name: string, n?: number) => {
    const counts = of(info)
    if (counts !== undefined) add(counts.events, name, n)
  }
  const message = (name: string) => (moved: RpcTracer.MessageEvent) =>
    event(moved.info, name, moved.error === undefined ? moved.count : 1)
  const tracer: RpcTracer.RpcTracer = {
    start: (info) =>
      Effect.sync(() => {
        const counts = of(info)
        if (counts !== undefined) counts.starts++
      }),
    streamStart: (info) => event(info, "start"),
    streamRecvHeader: (info) => event(info, "recvHeader"),
    streamRecv: message("recv"),
    streamSend: message("send"),
    streamFinish: (info, trailer) => {
      event(info, "finish")
      const counts = of(info)
      const all = plain(trailer)
      if (counts !== undefined) counts.trailer = Object.keys(all).length === 0 ? null : all
    },
    finish: ({ info }) =>
      Effect.sync(() => {
        const counts = of(info)
        if (counts === undefined) return
        counts.ends++
        counts.mode = modes[info.mode]
        counts.protocol = info.protocol
      })
  }
  const middleware = [
    Middleware.recv((next, { info }) =>
      Effect.suspend(() => {
        const counts = of(info)
        if (counts !== undefined) add(counts.middleware, "recv")
        return next
      })
    ),
    Middleware.send((next, { info }) => (sent) => {
      const counts = of(info)
      if (counts !== undefined) add(counts.middleware, "send")
      return next(sent)
    })
  ]
  const stream = (info: RpcInfo) => {
    const counts = of(info)
    if (counts !== undefined) add(counts.middleware, info.mode === "unary" ? "unary" : "stream")
  }
  return { tracer, middleware, stream }
}

const newCounts = (): Counts => ({
  middleware: {},
  events: {},
  trailer: null,
  mode: "",
  protocol: "",
  starts: 0,
  ends: 0
})

/** Our server in this process; a stream with a key leaves there how it ended, and its counts. */
export const countingServer = Effect.gen(function* () {
  const all = new Map<RpcInfo, Counts>()
  const of = (info: RpcInfo): Counts => {
    let counts = all.get(info)
    if (counts === undefined) all.set(info, (counts = newCounts()))
    return counts
  }
  let seen = new Map<string, string>()
  const { middleware, stream, tracer } = counting(of)
  const keyOf = (info: RpcInfo) =>
    "metainfo" in info ? (info as ServerCall["info"]).metainfo.persistent.get("KEY") : undefined
  const told: RpcTracer.RpcTracer = {
    finish: ({ exit, info }) =>
      Effect.sync(() => {
        const key = keyOf(info)
        if (key !== undefined) {
          seen.set(`${key}/counts`, JSON.stringify(of(info)))
          const error = Exit.isFailure(exit) ? Exit.findErrorOption(exit) : undefined
          seen.set(key, error === undefined ? "end of stream" : error._tag === "Some" ? error.value.desc : "a defect")
        }
        all.delete(info)
      })
  }
  const server = yield* wordsHere({
    middleware: [
      Middleware.server((next, info) => {
        stream(info)
        return next
      }),
      ...middleware
    ]
  }).pipe(Effect.provide(RpcTracer.layer(told, tracer)))
  seen = server.seen
  return server
})

type Handle = ClientStream.Any

/** Plays a script with our client, over connections of its own. */
export const play = Effect.fnUntraced(
  function* (
    script: Script,
    { address, key, name, next }: Stage
  ): Effect.fn.Return<Played, never, ClientTransport | Scope.Scope> {
    const counts = newCounts()
    const { middleware, stream: counted, tracer } = counting(() => counts)
    const { recv = {} } = script
    const budgets = {
      recvTimeout: recv.config ?? recv.legacy,
      recvTimeoutCancels: recv.keep === true ? false : undefined
    }
    const make = (own: StreamClientOptions) =>
      StreamClient.make(InteropService, {
        hostPorts: [address],
        callerName: script.nameless === true ? undefined : "tester",
        transport: script.transport ?? "ttheader-streaming",
        ...own
      })
    const client = yield* make({
      ...(recv.call === true ? undefined : budgets),
      unary: { rpcTimeout: script.unaryMillis },
      middleware: [
        Middleware.client((next, info) => {
          counted(info)
          return next
        }),
        ...middleware
      ]
    }).pipe(Effect.provide(RpcTracer.layer(tracer)))
    const asking = yield* make({})
    const seen: Array<Step> = []
    const saw = <A, R>(op: string, effect: Effect.Effect<A, unknown, R>, shown: (value: A) => Omit<Step, "op">) =>
      effect.pipe(
        Effect.match({
          onSuccess: (value): Step => ({ op, ...shown(value) }),
          onFailure: (error): Step => ({ op, ...errorOf(error) })
        }),
        Effect.tap((step) => Effect.sync(() => seen.push(step)))
      )
    const nothing = () => ({})
    const ended = { end: true }
    const asked = new Request({ message: script.word, count: script.count })
    const options = {
      timeout: script.millis,
      ...(recv.call === true ? budgets : undefined)
    }
    const opening = Effect.suspend((): Effect.Effect<Handle, CallError, Scope.Scope> => {
      switch (script.mode) {
        case "bidi":
          return client.Bidi.open(options)
        case "client":
          return client.Client.open(options)
        default:
          return client.Server.open(asked, options)
      }
    })
    const within = <A, E, R>(effect: Effect.Effect<A, E, R>) => {
      let inside = Metainfo.withPersistentValue(effect, "KEY", key)
      if (next !== undefined) inside = Metainfo.withPersistentValue(inside, "NEXT", next)
      for (const [name, value] of Object.entries(script.transient ?? {}))
        inside = Metainfo.withValue(inside, name, value)
      for (const [name, value] of Object.entries(script.persistent ?? {}))
        inside = Metainfo.withPersistentValue(inside, name, value)
      return inside
    }

    let handle: Handle | undefined
    const open = Effect.gen(function* () {
      const opened = yield* Effect.exit(within(opening))
      if (Exit.isSuccess(opened)) handle = opened.value
      else yield* saw("open", opened, nothing)
    })
    const receive = Effect.suspend((): Effect.Effect<Response | undefined, CallError> => {
      const { closeAndRecv, recv } = handle!
      return recv === undefined ? closeAndRecv! : Pull.catchDone(recv, () => Effect.succeed(undefined))
    })
    const receiveAll = Effect.gen(function* () {
      let count = 0
      for (;;) {
        const received = yield* Effect.result(receive)
        if (received._tag === "Failure") return { count, ...errorOf(received.failure) }
        if (received.success === undefined) return { count, ...ended }
        count++
      }
    })
    const sendAll = (pause: number) =>
      Effect.forever(
        Effect.andThen(
          Effect.suspend(() => handle!.send!(new Request({ message: "tick" }))),
          Effect.sleep(pause)
        )
      )
    const told = (hostPort: string | undefined, suffix = "") =>
      asking.Unary(new Request({ message: "seen", key: key + suffix }), { hostPort })

    const run = (text: string): Effect.Effect<unknown, never, Scope.Scope> => {
      const [op, word = "", number] = text.split(":")
      switch (op) {
        case "open":
          return open
        case "send":
          return saw(
            text,
            Effect.suspend(() =>
              handle!.send!(new Request({ message: word, count: number === undefined ? undefined : Number(number) }))
            ),
            nothing
          )
        case "recv":
          return saw(text, receive, (response) => (response === undefined ? ended : { value: valueOf(response) }))
        case "recv*":
          return saw(text, receiveAll, (all) => all)
        case "send*":
          return saw(text, sendAll(10), nothing)
        case "both":
          return Effect.gen(function* () {
            const both = [receiveAll, Effect.result(sendAll(20))] as const
            const [received, sent] = yield* Effect.all(both, { concurrency: 2 })
            const { count: _, ...end } = received
            seen.push({ op: "both recv", ...end })
            seen.push({ op: "both send", ...errorOf(sent._tag === "Failure" ? sent.failure : undefined) })
          })
        case "close":
          return saw(
            text,
            Effect.suspend(() => handle!.closeSend!),
            nothing
          )
        case "cancel":
          return Effect.suspend(() => handle!.cancel)
        case "cancel-in":
          return Effect.forkScoped(
            Effect.delay(
              Effect.suspend(() => handle!.cancel),
              Number(word)
            )
          )
        case "sleep":
          return Effect.sleep(Number(word))
        case "settle":
          // Kitex's clients need more for it
          return Effect.sleep(50)
        case "header":
        case "trailer":
          return saw(
            text,
            Effect.suspend(() => handle![op]).pipe(
              Effect.timeout(3000),
              Effect.catchTag("TimeoutError", () => Effect.fail("(nothing came)"))
            ),
            (metadata) => ({ value: plain(metadata) })
          )
        case "saw":
          return saw(text, told(undefined, word), (response) => ({ value: valueOf(response) }))
        case "saw-next":
          return saw(text, told(next, word), (response) => ({ value: valueOf(response) }))
        default:
          return Effect.die(new Error(`no step ${text}`))
      }
    }

    if (script.mode === "unary") {
      yield* saw("unary", within(client.Unary(asked, options)), (response) => ({ value: valueOf(response) }))
    } else {
      yield* open
    }
    if (script.mode === "unary" || handle !== undefined) for (const step of script.steps) yield* run(step)
    return { name, seen, counts }
  },
  (effect, { pool }) => {
    const streamConnections = pool === "long" ? "pooled" : pool === "short" ? "short" : "multiplexed"
    return Effect.scoped(effect).pipe(Effect.provide(Layer.fresh(NodeTransport.layerClientWith({ streamConnections }))))
  }
)
