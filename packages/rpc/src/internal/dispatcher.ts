/**
 * From a raw stream to a running call: routing, admission, deadline, and the calls that run. What is refused here costs
 * neither a fiber nor a decoded message.
 *
 * @internal
 */
import type { RawServerStream, RawStatus } from "@millrace/transport/RawStream"
import type { Listening } from "@millrace/transport/Transport"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type { Admission, AdmissionRequest } from "../Admission.ts"
import * as Deadline from "../Deadline.ts"
import * as RpcError from "../RpcError.ts"
import type { Mode, RpcInfo } from "../RpcInfo.ts"
import type { RpcTracer } from "../RpcTracer.ts"
import type { Budgets } from "./budgets.ts"
import * as errors from "./errors.ts"
import { CurrentCall } from "./forkedDefects.ts"
import { Lifecycle } from "./lifecycle.ts"
import type { Route } from "./routes.ts"
import { ServerCall, type ServerEnvironment } from "./serverCall.ts"
import type { Timers } from "./timers.ts"

/** @internal */
export interface Settings {
  readonly admission: ReadonlyArray<Admission>
  readonly tracers: ReadonlyArray<RpcTracer>
  readonly budgets: Budgets
  readonly graceMillis: number
  readonly eagerHeaders: boolean
}

// What Kitex waits behind the last reset before it closes connections.
const flushMillis = 100

/** @internal */
export class Dispatcher {
  /** By the IDL name of the service: its package is never looked at, as in Kitex (`nphttp2/server_handler.go`). */
  readonly routes = new Map<string, ReadonlyMap<string, Route>>()
  readonly #settings: Settings
  readonly #timers: Timers
  readonly #runFork: ServerEnvironment["runFork"]
  /** Streams tell message tracers of their messages; single calls do not. */
  readonly #streamEnv: ServerEnvironment
  readonly #singleEnv: ServerEnvironment
  readonly #calls = new Set<ServerCall>()
  readonly #draining = Deferred.makeUnsafe<void>()
  #whenIdle: (() => void) | undefined

  constructor(settings: Settings, timers: Timers, runFork: ServerEnvironment["runFork"]) {
    this.#settings = settings
    this.#timers = timers
    this.#runFork = runFork
    this.#streamEnv = {
      timers,
      runFork,
      draining: this.draining,
      messageTracers: settings.tracers.filter((t) => t.streamSend !== undefined || t.streamRecv !== undefined),
      logStall: (message) => void runFork(Effect.logWarning(message)),
      logDefect: (info, cause) => this.#logDefect(info, cause),
      gone: (call) => this.#gone(call)
    }
    this.#singleEnv = { ...this.#streamEnv, messageTracers: [] }
  }

  get draining(): Effect.Effect<void> {
    return Deferred.await(this.#draining)
  }

  // --- accepting -------------------------------------------------------------------------------------------------------

  readonly accept = (raw: RawServerStream): void => {
    if (raw.service === "") {
      raw.finish({ code: 13, message: `malformed method name, method=${JSON.stringify(raw.path)}` }, [])
      return raw.release()
    }
    const service = this.routes.get(raw.service)
    const route = service?.get(raw.method)
    const info = infoOf(raw, route?.plan.method.mode ?? "bidirectional")
    // Codes of Thrift's application exceptions, which look like gRPC's: Kitex answers with them too.
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
    const admitted = this.#settings.admission.length === 0 ? undefined : this.#admit(raw, info)
    if (admitted instanceof RpcError.RpcError) return this.#refuse(raw, info, admitted)
    if (admitted !== undefined && typeof admitted !== "function") {
      this.#logDefect(info, Cause.die(admitted.defect))
      const status = errors.panicStatus(info, admitted.defect)
      return this.#refuse(raw, info, refusal(info, status.code, status.message))
    }
    this.#start(raw, info, route, timeout, admitted)
  }

  #start(
    raw: RawServerStream,
    info: RpcInfo,
    route: Route,
    timeout: number | undefined,
    ended: (() => void) | undefined
  ): void {
    const { budgets, eagerHeaders, tracers } = this.#settings
    const deadline = timeout === undefined ? 0 : this.#timers.now() + timeout
    const call = new ServerCall(
      route.single ? this.#singleEnv : this.#streamEnv,
      info,
      raw,
      route.plan,
      deadline === 0 ? budgets : { ...budgets, deadline },
      tracers.length === 0 ? undefined : new Lifecycle(tracers, this.#timers, info),
      ended
    )
    this.#calls.add(call)
    let context = Context.add(Context.add(route.context, CurrentCall, call), Scope.Scope, call.scope)
    if (deadline > 0) context = Context.add(context, Deadline.Current, deadline)
    call.run(
      context,
      Effect.suspend(() => route.main(call))
    )
    if (eagerHeaders && !route.single) call.sendHeadersNow()
  }

  /** All rules in order; one that refuses gives back what those before it gave out. */
  #admit(raw: RawServerStream, info: RpcInfo): RpcError.RpcError | { readonly defect: unknown } | (() => void) {
    const request: AdmissionRequest = {
      info,
      get metadata() {
        return raw.metadata
      }
    }
    const releases: Array<() => void> = []
    const release = () => {
      for (const give of releases) give()
    }
    for (const { admit } of this.#settings.admission) {
      let answer: RpcError.RpcError | (() => void)
      try {
        answer = admit(request)
      } catch (defect) {
        release()
        return { defect }
      }
      if (typeof answer !== "function") {
        release()
        return answer
      }
      releases.push(answer)
    }
    return release
  }

  #refuse(raw: RawServerStream, info: RpcInfo, error: RpcError.RpcError): void {
    const status: RawStatus = errors.toStatus(error, false)
    raw.finish(status, [])
    raw.release()
    const { tracers } = this.#settings
    if (tracers.length === 0) return
    const lifecycle = new Lifecycle(tracers, this.#timers, info)
    this.#runFork(Effect.andThen(lifecycle.start(), lifecycle.finish("error", Exit.fail(error), undefined)))
  }

  #logDefect(info: RpcInfo, cause: Cause.Cause<unknown>): void {
    this.#runFork(
      Effect.annotateLogs(Effect.logError(`handler of ${info.service}.${info.method} died`, cause), {
        "rpc.service": info.service,
        "rpc.method": info.method
      })
    )
  }

  // --- ending ----------------------------------------------------------------------------------------------------------

  #gone(call: ServerCall): void {
    this.#calls.delete(call)
    if (this.#calls.size > 0) return
    const wake = this.#whenIdle
    this.#whenIdle = undefined
    wake?.()
  }

  readonly #idle: Effect.Effect<void> = Effect.callback((resume) => {
    if (this.#calls.size === 0) return resume(Effect.void)
    this.#whenIdle = () => resume(Effect.void)
  })

  /** The graceful stop, to be run once: no new connections, GOAWAY, the grace time, then the end of what still runs. */
  drain(listening: Listening): Effect.Effect<void> {
    return Effect.suspend(() => {
      Deferred.doneUnsafe(this.#draining, Effect.void)
      return Effect.flatMap(Effect.forkChild(listening.drain, { startImmediately: true }), (closing) => {
        const closed = Effect.asVoid(Fiber.await(closing))
        const abort = Effect.suspend(() => {
          for (const call of this.#calls) call.shutdown()
          return this.#idle
        })
        return Effect.andThen(this.#idle, closed).pipe(
          Effect.timeoutOrElse({
            duration: this.#settings.graceMillis,
            orElse: () =>
              Effect.andThen(abort, Effect.timeoutOrElse(closed, { duration: flushMillis, orElse: () => Effect.void }))
          })
        )
      })
    })
  }
}

const infoOf = (raw: RawServerStream, mode: Mode): RpcInfo => ({
  side: "server",
  service: raw.service,
  method: raw.method,
  mode,
  path: raw.path,
  address: raw.peer.address
})

const refusal = (info: RpcInfo, code: number, desc: string): RpcError.RpcError =>
  new RpcError.RpcError({
    reason: new RpcError.Status({}),
    code,
    desc,
    method: `${info.service}.${info.method}`,
    address: info.address
  })
