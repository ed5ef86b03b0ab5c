/**
 * From a raw PingPong call to a running one: routing, deadline, admission, arguments. Whatever is wrong before the handler
 * is answered here.
 *
 * @internal
 */
import { CodecError } from "@millrace/codec/CodecError"
import { type ApplicationException, ExceptionType } from "@millrace/codec/Message"
import type { CallEntries, RawServerCall } from "@millrace/transport/RawCall"
import * as Cause from "effect/Cause"
import * as RpcError from "../RpcError.ts"
import type { Mode, RpcInfo } from "../RpcInfo.ts"
import type { Admitted } from "./admitted.ts"
import * as callErrors from "./callErrors.ts"
import * as errors from "./errors.ts"
import { failed } from "./outcome.ts"
import { PingPongServerCall } from "./pingPongServerCall.ts"
import type { CallRoute, Route } from "./routes.ts"
import { CallInfo } from "./serverInfo.ts"
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
    // Only the method of a call says whether it is oneway, where there is one.
    const info = infoOf(raw, found, route === undefined || !raw.oneway ? "pingPong" : "oneway")
    if (found === undefined) info.unknown = true
    if (this.#serving.over) return this.#shutdown(raw, info)
    if (route === undefined) {
      const exception =
        service === undefined
          ? callErrors.unknownService(raw.service, raw.method)
          : callErrors.unknownMethod(raw.service, raw.method)
      if (raw.oneway) this.#serving.onewayFailed(info, exception.message)
      return void this.#refuse(raw, info, exception, true)
    }
    if (!isCallRoute(route)) return void this.#refuse(raw, info, callErrors.streamingMethod(info), false)
    const timeout = raw.timeoutMillis
    // Kitex sends 0 where a timeout is switched off.
    const deadline = timeout === undefined || timeout <= 0 ? 0 : raw.arrivedAt + timeout
    if (deadline > 0 && deadline <= this.#serving.timers.now()) {
      return this.#refuseBy(raw, info, callErrors.deadlineExceeded(info, timeout!))
    }
    let admitted = route.showsRequest ? undefined : this.#serving.admit(info, raw.peer.address)
    if (admitted instanceof RpcError.RpcError) return this.#refuseBy(raw, info, admitted)
    let request: unknown
    try {
      request = raw.take(route.plan.decodeRequest)
    } catch (thrown) {
      return this.#undecodable(raw, info, thrown, admitted)
    }
    if (route.showsRequest) {
      info.request = request
      admitted = this.#serving.admit(info, raw.peer.address)
      if (admitted instanceof RpcError.RpcError) return this.#refuseBy(raw, info, admitted)
    }
    new PingPongServerCall(this.#serving, info, raw, route, request, deadline, admitted).run()
  }

  #refuse(raw: RawServerCall, info: RpcInfo, exception: ApplicationException, close: boolean): RpcError.RpcError {
    this.#answer(raw, info, exception, close)
    const error = callErrors.fromException(info, exception)
    this.#serving.refused(info, error)
    return error
  }

  #shutdown(raw: RawServerCall, info: RpcInfo): void {
    const error = callErrors.shutdown(info)
    this.#answer(raw, info, callErrors.overtaken(error), true)
    if (info.mode === "oneway") this.#serving.onewayFailed(info, error.desc)
    this.#serving.refused(info, error)
  }

  #refuseBy(raw: RawServerCall, info: RpcInfo, error: RpcError.RpcError): void {
    const exception = { type: ExceptionType.InternalError, message: error.desc }
    this.#answer(raw, info, exception, false, callErrors.pushback(error))
    this.#serving.refused(info, error)
  }

  #undecodable(raw: RawServerCall, info: RpcInfo, thrown: unknown, admitted: Admitted | undefined): void {
    let error: RpcError.RpcError
    if (thrown instanceof CodecError) {
      error = errors.fromCodec(info, thrown)
      this.#answer(raw, info, { type: ExceptionType.ProtocolError, message: error.desc }, true)
      if (info.mode === "oneway") this.#serving.onewayFailed(info, error.desc)
      this.#serving.refused(info, error)
    } else {
      this.#serving.logDefect(info, Cause.die(thrown))
      error = this.#refuse(raw, info, callErrors.decoderPanic(thrown), true)
    }
    admitted?.ended(failed(error))
  }

  /** A oneway method has no answer, whatever happens. */
  #answer(
    raw: RawServerCall,
    info: RpcInfo,
    exception: ApplicationException,
    close: boolean,
    strings?: CallEntries
  ): void {
    if (info.mode !== "oneway") raw.exception(exception, strings, close)
    else if (close) raw.abort()
    else raw.finish()
  }
}

const isCallRoute = (route: Route): route is CallRoute => route.answer !== undefined

const infoOf = (raw: RawServerCall, route: Route | undefined, unknownMode: Mode): CallInfo =>
  new CallInfo(
    route === undefined ? raw.service : route.plan.service.name_,
    raw.method,
    route === undefined ? unknownMode : route.plan.method.mode,
    route === undefined ? `/${raw.service}/${raw.method}` : route.plan.path,
    spokenFor(raw) ?? raw.peer.address,
    raw
  )

const addressLike = /^(?:(?:[\w.-]+|\[[\da-fA-F:.]+(?:%[\w.-]+)?\]):\d{1,5}|unix:[\x21-\x7e]+)$/

/** A proxy says whom it speaks for. Anybody may, so what is no address goes nowhere. */
const spokenFor = ({ header }: RawServerCall): string | undefined => {
  const said = header?.strings.get("rip")
  return said !== undefined && said.length <= 256 && addressLike.test(said) ? said : undefined
}
