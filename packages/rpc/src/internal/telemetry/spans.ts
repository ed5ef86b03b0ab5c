/**
 * One span for each call and side, joined to those of the other end.
 *
 * @internal
 */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Tracer from "effect/Tracer"
import type { RpcInfo, ServerInfo } from "../../RpcInfo.ts"
import type { MessageEvent, RpcFinish } from "../../RpcTracer.ts"
import * as callContext from "../callContext.ts"
import type { DirectTracer } from "../tracing.ts"
import { hostAndPort } from "./callMetrics.ts"
import { calleeOf, kitexProtocol, type MethodNames, PerMethod } from "./methods.ts"
import { makeSpan } from "./makeSpan.ts"
import { failureOf } from "./outcome.ts"
import { Carried, incoming, outgoing } from "./traceContext.ts"

/** @internal */
export interface SpanOptions {
  /** The first says what an attribute means that both have. */
  readonly naming: ReadonlyArray<"otel" | "kitex">
  /** An event for each of many messages, not for the first and the last alone. */
  readonly messageEvents: boolean
  /** Goes to servers as transient metainfo: who calls. */
  readonly peer: ReadonlyArray<readonly [string, string]>
}

/** Messages of one direction. */
interface Direction {
  count: number
  firstAt: bigint
  firstSize: number | undefined
  lastAt: bigint
  lastSize: number
}

/** A call that runs. What its span is to say is kept short here and said at the end: streams live long, and are many. */
interface Open {
  readonly span: Tracer.Span
  readonly method: SpanMethod
  headerAt: bigint | undefined
  sent: Direction | undefined
  received: Direction | undefined
}

// Of each direction, with the last of all behind them. OpenTelemetry keeps 128 events of a span.
const mostMessageEvents = 61

const open = Symbol("@millrace/rpc/internal/telemetry/open")

/** A call carries its span itself: the keys of a WeakMap that live as short as calls are dear to the collector. */
type Traced = RpcInfo & { [open]?: Open | undefined }

const noInfo = { "event.status": 1 }

/** @internal */
export class Spans implements DirectTracer {
  readonly #clock: Clock.Clock
  readonly #options: SpanOptions
  readonly #kitex: boolean
  readonly #methods: PerMethod<SpanMethod>

  constructor(clock: Clock.Clock, options: SpanOptions) {
    this.#clock = clock
    this.#options = options
    this.#kitex = options.naming.includes("kitex")
    this.#methods = new PerMethod((names) => new SpanMethod(names, options.naming))
  }

  begin(info: RpcInfo, context: Context.Context<never>): Context.Context<never> {
    return info.side === "client" ? this.#beginClient(info, context) : this.#beginServer(info as ServerInfo, context)
  }

  #beginClient(info: RpcInfo, context: Context.Context<never>): Context.Context<never> {
    const span = this.#make(info, context, undefined)
    const within = Context.add(context, Tracer.ParentSpan, span)
    const said = outgoing(context, info, span, this.#options.peer)
    return said === undefined ? within : Context.add(within, callContext.Current, said)
  }

  #beginServer(info: ServerInfo, context: Context.Context<never>): Context.Context<never> {
    const trace = incoming(info)
    const span = this.#make(info, context, trace?.span)
    if (this.#kitex) this.#addPeer(info, span)
    const within = Context.add(context, Tracer.ParentSpan, span)
    return trace?.carried === undefined ? within : Context.add(within, Carried, trace.carried)
  }

  #make(info: RpcInfo, context: Context.Context<never>, parent: Tracer.AnySpan | undefined): Tracer.Span {
    const method = this.#methods.get(info)
    const span = makeSpan(method.name, info.side, context, parent)
    ;(info as Traced)[open] = { span, method, headerAt: undefined, sent: undefined, received: undefined }
    return span
  }

  #addPeer(info: ServerInfo, span: Tracer.Span): void {
    const { transient } = info.metainfo
    for (const [key, attribute] of peerAttributes) {
      // Kitex's suite writes them as they are; over HTTP/2 they arrive in upper case.
      const value = transient.get(key) ?? transient.get(key.toUpperCase())
      if (value !== undefined) span.attribute(attribute, value)
    }
  }

  // --- between start and finish ------------------------------------------------------------------------------------------

  streamRecvHeader(info: RpcInfo): void {
    const call = (info as Traced)[open]
    if (call !== undefined) call.headerAt = this.#clock.currentTimeNanosUnsafe()
  }

  handlerStart(info: RpcInfo): void {
    if (!this.#kitex) return
    ;(info as Traced)[open]?.span.event("server_handle_start", this.#clock.currentTimeNanosUnsafe(), noInfo)
  }

  handlerFinish(info: RpcInfo): void {
    if (!this.#kitex) return
    ;(info as Traced)[open]?.span.event("server_handle_finish", this.#clock.currentTimeNanosUnsafe(), noInfo)
  }

  streamSend(event: MessageEvent): void {
    const call = (event.info as Traced)[open]
    if (call !== undefined && event.count > 0) call.sent = this.#moved(call.span, call.sent, "SENT", event)
  }

  streamRecv(event: MessageEvent): void {
    const call = (event.info as Traced)[open]
    if (call !== undefined && event.count > 0) call.received = this.#moved(call.span, call.received, "RECEIVED", event)
  }

  #moved(
    span: Tracer.Span,
    before: Direction | undefined,
    type: MessageType,
    { count, lastSize }: MessageEvent
  ): Direction | undefined {
    if (!span.sampled) return undefined
    const now = this.#clock.currentTimeNanosUnsafe()
    // Of messages that came together the sizes are known of all, and of the last.
    const direction = before ?? {
      count: 0,
      firstAt: now,
      firstSize: count === 1 ? lastSize : undefined,
      lastAt: now,
      lastSize
    }
    direction.count += count
    direction.lastAt = now
    direction.lastSize = lastSize
    if (this.#options.messageEvents) {
      const last = Math.min(direction.count, mostMessageEvents)
      for (let id = direction.count - count + 1; id <= last; id++) {
        messageEvent(span, type, id, id === direction.count ? lastSize : undefined, now)
      }
    }
    return direction
  }

  // --- the end -----------------------------------------------------------------------------------------------------------

  end(event: RpcFinish): void {
    const info = event.info as Traced
    const call = info[open]
    if (call === undefined) return
    info[open] = undefined
    this.#end(call, event)
  }

  #end({ headerAt, method, received, sent, span }: Open, event: RpcFinish): void {
    const { info } = event
    for (const [name, value] of method.attributes(info)) span.attribute(name, value)
    if (info.unknown === true) span.attribute("rpc.method_original", info.path.slice(1, 257))
    if (headerAt !== undefined) span.event("rpc.header", headerAt)
    const told = this.#options.messageEvents ? mostMessageEvents : 0
    ends(span, "SENT", sent, told)
    ends(span, "RECEIVED", received, told)
    const failure = failureOf(event)
    for (const naming of this.#options.naming) {
      if (naming === "otel") {
        span.attribute("rpc.response.status_code", String(failure?.code ?? 0))
        if (failure !== undefined) span.attribute("error.type", failure.type)
      } else {
        span.attribute("rpc.service", calleeOf(info))
        span.attribute("request.protocol", kitexProtocol(info))
        span.attribute("kitex.recv_size", event.recvBytes)
        span.attribute("kitex.send_size", event.sendBytes)
      }
    }
    if (event.bizError !== undefined) {
      span.attribute("kitex.biz.status_code", event.bizError.statusCode)
      span.attribute("kitex.biz.status_message", event.bizError.statusMessage)
    }
    span.end(this.#clock.currentTimeNanosUnsafe(), event.exit)
  }
}

type MessageType = "SENT" | "RECEIVED"

const messageEvent = (span: Tracer.Span, type: MessageType, id: number, size: number | undefined, at: bigint): void =>
  span.event("rpc.message", at, {
    "rpc.message.type": type,
    "rpc.message.id": id,
    ...(size !== undefined && { "rpc.message.size": size })
  })

/** The first and the last message of a direction, unless they are among those that have their events already. */
const ends = (span: Tracer.Span, type: MessageType, direction: Direction | undefined, told: number): void => {
  if (direction === undefined) return
  const { count, firstAt, firstSize, lastAt, lastSize } = direction
  if (told === 0) messageEvent(span, type, 1, firstSize, firstAt)
  if (count > Math.max(told, 1)) messageEvent(span, type, count, lastSize, lastAt)
}

const peerAttributes = [
  ["service.name", "peer.service"],
  ["service.namespace", "peer.service.namespace"],
  ["deployment.environment", "peer.deployment.environment"]
] as const

type Attributes = ReadonlyArray<readonly [name: string, value: unknown]>

// Addresses come and go with instances.
const mostAddresses = 256

/** What all spans of a method and side say, made once for each address. */
class SpanMethod {
  readonly name: string
  readonly #fixed: Attributes
  readonly #atAddress = new Map<string, Attributes>()

  constructor(names: MethodNames, naming: SpanOptions["naming"]) {
    this.name = names.fullName
    this.#fixed = Object.entries(attributesOf(names, naming))
  }

  attributes({ address, side }: RpcInfo): Attributes {
    let attributes = this.#atAddress.get(address)
    if (attributes === undefined) {
      if (this.#atAddress.size >= mostAddresses) this.#atAddress.clear()
      attributes = [...this.#fixed, ...addressAttributes(address, side)]
      this.#atAddress.set(address, attributes)
    }
    return attributes
  }
}

const attributesOf = (names: MethodNames, naming: SpanOptions["naming"]): Readonly<Record<string, string>> => {
  const kitex = { "rpc.system": "kitex", "rpc.method": names.method }
  const otel = { "rpc.system.name": "kitex", "rpc.method": names.fullName }
  if (naming.length === 1) return naming[0] === "otel" ? otel : kitex
  return naming[0] === "otel" ? { ...kitex, ...otel } : { ...otel, ...kitex }
}

const addressAttributes = (address: string, side: RpcInfo["side"]): Attributes => {
  if (address === "") return []
  const [host, port] = hostAndPort(address)
  const at = (name: string): Attributes => [
    [`${name}.address`, host],
    ...(port === undefined ? [] : [[`${name}.port`, Number(port)] as const])
  ]
  return side === "server" ? at("network.peer") : [...at("network.peer"), ...at("server")]
}
