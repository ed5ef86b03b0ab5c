/**
 * From what a transport received to a running call: routing, admission, deadline. What is refused here costs neither a
 * fiber nor a decoded message. Streams are started here, PingPong calls by their own dispatcher.
 *
 * @internal
 */
import type { Metadata } from "@millrace/transport/Metadata"
import type { RawServerCall } from "@millrace/transport/RawCall"
import type { RawAdmitted, RawPeer, RawRequest, RawServerStream, RawStatus } from "@millrace/transport/RawStream"
import type { Acceptor } from "@millrace/transport/Transport"
import * as Effect from "effect/Effect"
import type { RecvMiddleware, SendMiddleware } from "../Middleware.ts"
import * as RpcError from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import type { Admitted } from "./admitted.ts"
import type { Budgets } from "./budgets.ts"
import { CallDispatcher } from "./callDispatcher.ts"
import * as errors from "./errors.ts"
import { failed, interrupted } from "./outcome.ts"
import type { Route } from "./routes.ts"
import { type RoutingTable, serviceOf } from "./routing.ts"
import { StreamInfo } from "./serverInfo.ts"
import { ServerCall, type ServerEnvironment, shutdownReset } from "./serverCall.ts"
import { refusal, type Serving } from "./serving.ts"
import { toStatus } from "./statuses.ts"
import { hearsOfMessages } from "./waitingEnd.ts"

/** What is particular to streams. @internal */
export interface StreamSettings {
  readonly budgets: Budgets
  readonly eagerHeaders: boolean
  readonly recvMiddleware: ReadonlyArray<RecvMiddleware<unknown>>
  readonly sendMiddleware: ReadonlyArray<SendMiddleware<unknown>>
}

/** A stream that was admitted by its headers. */
class Entrance implements RawAdmitted {
  readonly info: StreamInfo
  readonly route: Route
  readonly admitted: Admitted

  constructor(info: StreamInfo, route: Route, admitted: Admitted) {
    this.info = info
    this.route = route
    this.admitted = admitted
  }

  gone(): void {
    this.admitted.ended(interrupted)
  }
}

/** @internal */
export class Dispatcher implements Acceptor {
  /** Absent where there is nothing to ask. */
  readonly admit: Acceptor["admit"]
  readonly #routes: RoutingTable<Route>
  readonly #serving: Serving
  readonly #settings: StreamSettings
  readonly #calls: CallDispatcher
  /** Streams tell message tracers and middleware of their messages; single calls do not. */
  readonly #streamEnv: ServerEnvironment
  readonly #singleEnv: ServerEnvironment
  readonly #statuses = new WeakMap<RpcError.RpcError, RawStatus>()

  constructor(serving: Serving, routes: RoutingTable<Route>, unknown: Route | undefined, settings: StreamSettings) {
    this.#routes = routes
    this.#serving = serving
    this.#settings = settings
    this.#calls = new CallDispatcher(serving, routes, unknown)
    this.#streamEnv = {
      timers: serving.timers,
      runFork: serving.runFork,
      admit: (info, peer) => serving.admit(info, peer),
      draining: serving.draining,
      readStream: serving.readStream,
      messageTracers: serving.tracers.filter(hearsOfMessages),
      recvMiddleware: settings.recvMiddleware,
      sendMiddleware: settings.sendMiddleware,
      logStall: (message) => void serving.runFork(Effect.logWarning(message)),
      logDefect: (info, cause) => serving.logDefect(info, cause),
      answerCut: (info, method, why) => serving.answerCut(info, method, why),
      gone: (call) => serving.gone(call)
    }
    this.#singleEnv = { ...this.#streamEnv, messageTracers: [], recvMiddleware: [], sendMiddleware: [] }
    this.admit = serving.guarded ? this.#admit : undefined
  }

  /** By the headers alone: a refusal is a status, and no stream. What they do not decide is left to `onStream`. */
  readonly #admit = (request: RawRequest, metadata: Metadata, peer: RawPeer): RawStatus | RawAdmitted | undefined => {
    const { method, thrift, timeoutMillis } = request
    const route = this.#serviceOf(request)?.get(method)
    if (route === undefined || route.showsRequest || !thrift || this.#serving.over) return undefined
    if (timeoutMillis !== undefined && timeoutMillis <= 0) return undefined
    const info = infoOf(request, metadata, peer, route)
    const admitted = this.#serving.admit(info, peer.address)
    if (admitted === undefined) return undefined
    if (!(admitted instanceof RpcError.RpcError)) return new Entrance(info, route, admitted)
    this.#serving.refused(info, admitted)
    return this.#statusOf(info, admitted)
  }

  /** HTTP/2 goes by the IDL name of the service: its package is never looked at, as in Kitex (`nphttp2/server_handler.go`). */
  #serviceOf({ method, protocol, service }: RawRequest): ReadonlyMap<string, Route> | undefined {
    return protocol === "grpc" ? this.#routes.services.get(service) : serviceOf(this.#routes, service, method)
  }

  /** Rules refuse with the same errors again and again: the transport encodes a frozen status once. */
  #statusOf(info: RpcInfo, error: RpcError.RpcError): RawStatus {
    let status = this.#statuses.get(error)
    if (status === undefined) this.#statuses.set(error, (status = Object.freeze(toStatus(info, error, false))))
    return status
  }

  onCall(raw: RawServerCall): void {
    this.#calls.accept(raw)
  }

  onStream(raw: RawServerStream): void {
    if (raw.admitted instanceof Entrance) return this.#enter(raw, raw.admitted)
    if (raw.service === "" && raw.protocol === "grpc") {
      raw.finish({ code: 13, message: `malformed method name, method=${JSON.stringify(raw.path)}` }, [])
      return raw.release()
    }
    const service = this.#serviceOf(raw)
    const route = service?.get(raw.method)
    const info = infoOf(raw, raw.metadata, raw.peer, route)
    if (route === undefined) info.unknown = true
    if (this.#serving.over) return this.#shutdown(raw, info)
    // Types of Thrift's application exceptions, which look like codes of gRPC: Kitex answers with them over HTTP/2 too.
    if (service === undefined) return this.#refuse(raw, info, refusal(info, 20, `unknown service ${raw.service}`))
    if (route === undefined) return this.#refuse(raw, info, refusal(info, 1, `unknown method ${raw.method}`))
    if (!raw.thrift) {
      return this.#refuse(
        raw,
        info,
        errors.protocolViolation(info, `grpc invalid payload${route.single ? "" : " [biz error]"}`)
      )
    }
    const timeout = raw.timeoutMillis
    if (timeout !== undefined && timeout <= 0) return this.#refuse(raw, info, errors.deadlineExceeded(info))
    const admitted = route.showsRequest ? undefined : this.#serving.admit(info, raw.peer.address)
    if (admitted instanceof RpcError.RpcError) return this.#refuse(raw, info, admitted)
    this.#start(raw, info, route, timeout, admitted)
  }

  #enter(raw: RawServerStream, { admitted, info, route }: Entrance): void {
    if (!this.#serving.over) return this.#start(raw, info, route, raw.timeoutMillis, admitted)
    admitted.ended(failed(errors.fromTransport(info, shutdownReset)))
    this.#shutdown(raw, info)
  }

  #start(
    raw: RawServerStream,
    info: StreamInfo,
    route: Route,
    timeout: number | undefined,
    admitted: Admitted | undefined
  ): void {
    const { budgets, eagerHeaders } = this.#settings
    const deadline = timeout === undefined ? 0 : this.#serving.timers.now() + timeout
    const call = new ServerCall(
      route.single ? this.#singleEnv : this.#streamEnv,
      info,
      raw,
      route.plan,
      route.main,
      deadline === 0 ? budgets : { ...budgets, deadline },
      this.#serving.lifecycle(info),
      admitted
    )
    this.#serving.began(call)
    call.run(route.context)
    if (eagerHeaders && !route.single) call.sendHeadersNow()
  }

  #shutdown(raw: RawServerStream, info: RpcInfo): void {
    raw.abort("shutdown", shutdownReset)
    raw.release()
    this.#serving.refused(info, errors.fromTransport(info, shutdownReset))
  }

  #refuse(raw: RawServerStream, info: RpcInfo, error: RpcError.RpcError): void {
    raw.finish(toStatus(info, error, false), [])
    raw.release()
    this.#serving.refused(info, error)
  }
}

const infoOf = (request: RawRequest, metadata: Metadata, peer: RawPeer, route: Route | undefined): StreamInfo =>
  new StreamInfo(
    route === undefined ? request.service : route.plan.service.name_,
    request.method,
    route === undefined ? "bidirectional" : route.plan.method.mode,
    // What the caller puts before the service is never looked at.
    route === undefined ? request.path : route.plan.path,
    peer.address,
    metadata,
    request
  )
