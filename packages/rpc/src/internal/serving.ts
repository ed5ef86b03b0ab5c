/**
 * What a server does around every call, stream or not: admission, the trace of what was refused, defects in the log, and
 * the calls that run, until the graceful stop.
 *
 * @internal
 */
import type { Metadata } from "@millrace/transport/Metadata"
import type { Listening } from "@millrace/transport/Transport"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { Admission, AdmissionRequest } from "../Admission.ts"
import * as RpcError from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import type { RpcTracer } from "../RpcTracer.ts"
import * as errors from "./errors.ts"
import type { FiberEnvironment } from "./handlerFiber.ts"
import { Lifecycle } from "./lifecycle.ts"
import type { Timers } from "./timers.ts"

/** @internal */
export interface Settings {
  readonly admission: ReadonlyArray<Admission>
  readonly tracers: ReadonlyArray<RpcTracer>
  readonly graceMillis: number
}

/** A call whose handler, finalizers or tracers still run. @internal */
export interface Running {
  /** The grace time is over. */
  shutdown(): void
}

// What Kitex waits behind the last reset before it closes connections.
const flushMillis = 100

/** @internal */
export class Serving implements FiberEnvironment {
  readonly timers: Timers
  readonly runFork: FiberEnvironment["runFork"]
  readonly tracers: ReadonlyArray<RpcTracer>
  readonly #settings: Settings
  readonly #running = new Set<Running>()
  readonly #draining = Deferred.makeUnsafe<void>()
  #whenIdle: (() => void) | undefined

  constructor(settings: Settings, timers: Timers, runFork: FiberEnvironment["runFork"]) {
    this.#settings = settings
    this.tracers = settings.tracers
    this.timers = timers
    this.runFork = runFork
  }

  get draining(): Effect.Effect<void> {
    return Deferred.await(this.#draining)
  }

  // --- before a call ---------------------------------------------------------------------------------------------------

  /**
   * All rules in order: an error, or what to run when the call has ended. A rule that refuses gives back what those
   * before it gave out.
   */
  admit<Raw>(
    info: RpcInfo,
    raw: Raw,
    metadataOf: (raw: Raw) => Metadata
  ): RpcError.RpcError | (() => void) | undefined {
    const { admission } = this.#settings
    if (admission.length === 0) return undefined
    const request: AdmissionRequest = {
      info,
      get metadata() {
        return metadataOf(raw)
      }
    }
    const releases: Array<() => void> = []
    const release = () => {
      for (const give of releases) give()
    }
    for (const { admit } of admission) {
      let answer: RpcError.RpcError | (() => void)
      try {
        answer = admit(request)
      } catch (defect) {
        release()
        this.logDefect(info, Cause.die(defect))
        const { code, message } = errors.panicStatus(info, defect)
        return refusal(info, code, message)
      }
      if (typeof answer !== "function") {
        release()
        return answer
      }
      releases.push(answer)
    }
    return release
  }

  lifecycle(info: RpcInfo): Lifecycle | undefined {
    return this.tracers.length === 0 ? undefined : new Lifecycle(this.tracers, this.timers, info)
  }

  /** Tracers hear of a call that was refused. */
  refused(info: RpcInfo, error: RpcError.RpcError): void {
    const lifecycle = this.lifecycle(info)
    if (lifecycle === undefined) return
    this.runFork(Effect.andThen(lifecycle.start(), lifecycle.finish("error", Exit.fail(error), undefined)))
  }

  logDefect(info: RpcInfo, cause: Cause.Cause<unknown>): void {
    this.runFork(
      Effect.annotateLogs(Effect.logError(`handler of ${info.service}.${info.method} died`, cause), {
        "rpc.service": info.service,
        "rpc.method": info.method
      })
    )
  }

  // --- calls that run --------------------------------------------------------------------------------------------------

  began(call: Running): void {
    this.#running.add(call)
  }

  /** Nothing of the call runs any more. */
  gone(call: Running): void {
    this.#running.delete(call)
    if (this.#running.size > 0) return
    const wake = this.#whenIdle
    this.#whenIdle = undefined
    wake?.()
  }

  readonly #idle: Effect.Effect<void> = Effect.callback((resume) => {
    if (this.#running.size === 0) return resume(Effect.void)
    this.#whenIdle = () => resume(Effect.void)
  })

  /** The graceful stop, to be run once: no new connections, goodbyes, the grace time, then the end of what still runs. */
  drain(listening: Listening): Effect.Effect<void> {
    return Effect.suspend(() => {
      Deferred.doneUnsafe(this.#draining, Effect.void)
      return Effect.flatMap(Effect.forkChild(listening.drain, { startImmediately: true }), (closing) => {
        const closed = Effect.asVoid(Fiber.await(closing))
        const abort = Effect.suspend(() => {
          for (const call of this.#running) call.shutdown()
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

/** A call that was refused with a code and a text of Kitex's. @internal */
export const refusal = (info: RpcInfo, code: number, desc: string): RpcError.RpcError =>
  new RpcError.RpcError({
    reason: new RpcError.Status({}),
    code,
    desc,
    method: `${info.service}.${info.method}`,
    address: info.address
  })
