/**
 * What all calls of one client share: its parts, and how what a call consists of is made from them.
 *
 * @internal
 */
import type { RawClientStream } from "@millrace/transport/RawStream"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Method from "../Method.ts"
import type { ClientMiddleware } from "../Middleware.ts"
import type { Protocol, RpcInfo } from "../RpcInfo.ts"
import type { RpcTracer } from "../RpcTracer.ts"
import type * as Service from "../Service.ts"
import type { CallOptions } from "../StreamOptions.ts"
import { ClientCall } from "./clientCall.ts"
import type { ClientGovernance } from "./clientGovernance.ts"
import { ClientInfo } from "./clientInfo.ts"
import { ClientMethod } from "./clientMethod.ts"
import { CurrentCall } from "./currentCall.ts"
import type { Lifecycle } from "./lifecycle.ts"
import type { StreamOpener } from "./streamOpener.ts"
import type { AnyOptions } from "./streamSettings.ts"
import type { UnaryError } from "./unaryCall.ts"
import type { Environment } from "./waitingEnd.ts"

/** What a client is made of. @internal */
export interface ClientParts {
  readonly service: Service.Any
  readonly options: AnyOptions
  readonly opener: StreamOpener
  readonly governance: ClientGovernance
  readonly env: Environment
  readonly tracers: ReadonlyArray<RpcTracer>
  readonly middleware: ReadonlyArray<ClientMiddleware<unknown>>
  /** What the maker of the client had. */
  readonly context: Context.Context<never>
}

/** @internal */
export abstract class Caller {
  readonly parts: ClientParts
  protected readonly opener: StreamOpener
  protected readonly governance: ClientGovernance
  protected readonly env: Environment
  protected readonly tracers: ReadonlyArray<RpcTracer>
  /** Middleware stands around messages. */
  protected readonly onMessages: boolean

  constructor(parts: ClientParts) {
    this.parts = parts
    this.opener = parts.opener
    this.governance = parts.governance
    this.env = parts.env
    this.tracers = parts.tracers
    this.onMessages = parts.env.recvMiddleware.length > 0 || parts.env.sendMiddleware.length > 0
  }

  /** A unary call. */
  abstract unary(method: ClientMethod, request: unknown, options?: CallOptions): Effect.Effect<unknown, UnaryError>

  /** A unary call between its RPCStart and its RPCFinish, which `lifecycle` hears of. */
  abstract unaryAttempt(
    fiber: Fiber.Fiber<unknown, unknown>,
    method: ClientMethod,
    request: unknown,
    options: CallOptions,
    info: ClientInfo,
    lifecycle: Lifecycle | undefined
  ): Effect.Effect<unknown, UnaryError>

  method(method: Method.Any): ClientMethod {
    const { options, service } = this.parts
    const protocol = protocolOf(options.transport, method)
    return new ClientMethod(service, method, protocol, options.callerName, options.destService)
  }

  /** The info of one call, where somebody looks at single calls. */
  ownInfo(method: ClientMethod, logId: string | undefined, request: unknown): ClientInfo {
    const info = new ClientInfo(method.unplaced, logId)
    // Streams that take many requests have none when they are created.
    if (this.parts.options.requestInInfo === true && request !== undefined) info.request = request
    return info
  }

  /** `fiber` is the one that opens: what is provided to it reaches middleware of messages. */
  protected streamCall(
    fiber: Fiber.Fiber<unknown, unknown>,
    method: ClientMethod,
    raw: RawClientStream,
    info: RpcInfo,
    deadline: number,
    options: CallOptions,
    lifecycle: Lifecycle
  ): ClientCall {
    const call = new ClientCall(
      this.env,
      info,
      raw,
      method.plan,
      { ...this.opener.settings(options), deadline },
      lifecycle,
      fiber.getRef(CurrentCall),
      options.onHeader,
      options.onTrailer
    )
    if (this.onMessages) call.context = Context.merge(this.parts.context, fiber.context)
    return call
  }
}

/** Until a stream is there: what carries it may be another. */
const protocolOf = (transport: AnyOptions["transport"] = "grpc", { mode }: Method.Any): Protocol => {
  if (transport === "grpc") return "grpc"
  return mode === "unary" ? "ttheader-framed" : "ttheader-streaming"
}
