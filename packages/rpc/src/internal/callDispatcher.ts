/**
 * From a raw PingPong call to a running one: routing, deadline, admission, arguments. Whatever is wrong before the handler
 * is answered here.
 *
 * @internal
 */
import { CodecError } from "@millrace/codec/CodecError"
import { type ApplicationException, ExceptionType } from "@millrace/codec/Message"
import type { RawServerCall } from "@millrace/transport/RawCall"
import * as Cause from "effect/Cause"
import * as RpcError from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import * as callErrors from "./callErrors.ts"
import * as errors from "./errors.ts"
import { metadataOf, PingPongServerCall } from "./pingPongServerCall.ts"
import type { CallRoute, Route } from "./routes.ts"
import { type RoutingTable, serviceOf } from "./routing.ts"
import type { Serving } from "./serving.ts"

/** @internal */
export class CallDispatcher {
  readonly #serving: Serving
  readonly #routes: RoutingTable<Route>
  readonly #unknown: Route | undefined

  constructor(serving: Serving, routes: RoutingTable<Route>, unknown: Route | undefined) {
    this.#serving = serving
    this.#routes = routes
    this.#unknown = unknown
  }

  accept(raw: RawServerCall): void {
    const service = serviceOf(this.#routes, raw.service, raw.method)
    const found = service?.get(raw.method)
    const route = found ?? this.#unknown
    const info = infoOf(raw, found)
    if (route === undefined) {
      const exception =
        service === undefined
          ? callErrors.unknownService(raw.service, raw.method)
          : callErrors.unknownMethod(raw.service, raw.method)
      return this.#refuse(raw, info, exception, true)
    }
    if (!isCallRoute(route)) return this.#refuse(raw, info, callErrors.streamingMethod(info), false)
    const timeout = raw.timeoutMillis
    // Kitex sends 0 where a timeout is switched off.
    const deadline = timeout === undefined || timeout <= 0 ? 0 : raw.arrivedAt + timeout
    if (deadline > 0 && deadline <= this.#serving.timers.now()) {
      return this.#refuseBy(raw, info, callErrors.deadlineExceeded(info, timeout!))
    }
    const admitted = this.#serving.admit(info, raw, metadataOf)
    if (admitted instanceof RpcError.RpcError) return this.#refuseBy(raw, info, admitted)
    let request: unknown
    try {
      request = raw.take(route.plan.decodeRequest)
    } catch (thrown) {
      admitted?.()
      return this.#undecodable(raw, info, thrown)
    }
    new PingPongServerCall(this.#serving, info, raw, route, request, deadline, admitted).run()
  }

  #refuse(raw: RawServerCall, info: RpcInfo, exception: ApplicationException, close: boolean): void {
    this.#answer(raw, info, exception, close)
    this.#serving.refused(info, callErrors.fromException(info, exception))
  }

  #refuseBy(raw: RawServerCall, info: RpcInfo, error: RpcError.RpcError): void {
    this.#answer(raw, info, { type: ExceptionType.InternalError, message: error.desc }, false)
    this.#serving.refused(info, error)
  }

  #undecodable(raw: RawServerCall, info: RpcInfo, thrown: unknown): void {
    if (thrown instanceof CodecError) {
      const error = errors.fromCodec(info, thrown)
      this.#answer(raw, info, { type: ExceptionType.ProtocolError, message: error.desc }, true)
      return this.#serving.refused(info, error)
    }
    this.#serving.logDefect(info, Cause.die(thrown))
    this.#refuse(raw, info, callErrors.decoderPanic(thrown), true)
  }

  /** A oneway method has no answer, whatever happens. */
  #answer(raw: RawServerCall, info: RpcInfo, exception: ApplicationException, close: boolean): void {
    if (info.mode !== "oneway") raw.exception(exception, undefined, close)
    else if (close) raw.abort()
    else raw.finish()
  }
}

const isCallRoute = (route: Route): route is CallRoute => route.answer !== undefined

const infoOf = (raw: RawServerCall, route: Route | undefined): RpcInfo => ({
  side: "server",
  service: route === undefined ? raw.service : route.plan.service.name_,
  method: raw.method,
  mode: route === undefined ? "pingPong" : route.plan.method.mode,
  path: route === undefined ? `/${raw.service}/${raw.method}` : route.plan.path,
  // A proxy says whom it speaks for.
  address: raw.header?.strings.get("rip") || raw.peer.address
})
