/**
 * What a server does around every call, stream or not: admission, the trace of what was refused, defects in the log, and
 * the calls that run, until the graceful stop.
 *
 * @internal
 */
import type { Listening } from "@millrace/transport/Transport"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Admission, AdmissionRequest } from "../Admission.ts"
import type { MetaHandler } from "../MetaHandler.ts"
import * as RpcError from "../RpcError.ts"
import type { RpcInfo, ServerInfo } from "../RpcInfo.ts"
import type { RpcTracer } from "../RpcTracer.ts"
import type { Readers, Writers } from "./callMeta.ts"
import { type Admitted, admit } from "./admitted.ts"
import * as errors from "./errors.ts"
import type { FiberEnvironment } from "./handlerFiber.ts"
import { Lifecycle } from "./lifecycle.ts"
import { failed, type Outcome } from "./outcome.ts"
import { LogBudget } from "./logBudget.ts"
import { printable } from "./printable.ts"
import { StreamInfo } from "./serverInfo.ts"
import { panicStatus } from "./statuses.ts"
import type { Timers } from "./timers.ts"

/** @internal */
export interface Settings {
  readonly admission: ReadonlyArray<Admission>
  readonly tracers: ReadonlyArray<RpcTracer>
  readonly metaHandlers: ReadonlyArray<MetaHandler>
  readonly graceMillis: number
  /** That of the server, in which calls that were refused are told of. */
  readonly context: Context.Context<never>
}

/** The metadata of a PingPong call is made when it is asked for. */
class Request implements AdmissionRequest {
  readonly info: ServerInfo
  readonly peer: string
  readonly now: number

  constructor(info: ServerInfo, peer: string, now: number) {
    this.info = info
    this.peer = peer
    this.now = now
  }

  get metadata(): ServerInfo["metadata"] {
    return this.info.metadata
  }
}

/** A call whose handler, finalizers or tracers still run. @internal */
export interface Running {
  /** Its place among all that run; its server's. */
  place: number
  /** The grace time is over. */
  shutdown(): void
}

// What Kitex waits behind the last reset before it closes connections.
const flushMillis = 100
// Handlers that may not be interrupted, finalizers and tracers.
const endingMillis = 1000

/** @internal */
export class Serving implements FiberEnvironment {
  readonly timers: Timers
  readonly runFork: FiberEnvironment["runFork"]
  readonly tracers: ReadonlyArray<RpcTracer>
  /** The hooks of all meta handlers; undefined where none has it. */
  readonly readStream: MetaHandler["onReadStream"]
  readonly readMeta: Readers
  readonly writeMeta: Writers
  readonly #settings: Settings
  /**
   * No `Set`: one whose members come and go lets the garbage collector think that those which are gone are there, as soon as one of its
   * tables is old (see `byId.ts` of the transport).
   */
  readonly #running: Array<Running> = []
  readonly #draining = Deferred.makeUnsafe<void>()
  readonly #lostBusinessErrors = new Set<object>()
  readonly #cutAnswers = new Set<object>()
  readonly #onewayLines = new LogBudget()
  readonly #now = (): number => this.timers.now()
  readonly #admissionDied = (info: RpcInfo, cause: Cause.Cause<unknown>): void =>
    this.#log(info, Effect.logError(`admission of ${info.service}.${info.method} died`, cause))
  readonly #refusedByDefect = (info: RpcInfo, defect: unknown): RpcError.RpcError => {
    this.#admissionDied(info, Cause.die(defect))
    const { code, message } = panicStatus(info, defect)
    return refusal(info, code, message)
  }
  #whenIdle: (() => void) | undefined
  #over = false

  constructor(settings: Settings, timers: Timers, runFork: FiberEnvironment["runFork"]) {
    this.#settings = settings
    this.tracers = settings.tracers
    const { metaHandlers } = settings
    const readStream = metaHandlers.flatMap((handler) => handler.onReadStream ?? [])
    this.readStream =
      readStream.length === 0
        ? undefined
        : (next, info) => readStream.reduceRight((inner, hook) => Effect.suspend(() => hook(inner, info)), next)
    this.readMeta = metaHandlers.flatMap((handler) => handler.readMeta ?? [])
    this.writeMeta = metaHandlers.flatMap((handler) => handler.writeMeta ?? [])
    this.timers = timers
    this.runFork = runFork
  }

  get draining(): Effect.Effect<void> {
    return Deferred.await(this.#draining)
  }

  /** The grace time is over: no call begins any more. */
  get over(): boolean {
    return this.#over
  }

  // --- before a call ---------------------------------------------------------------------------------------------------

  /** There are rules of admission. */
  get guarded(): boolean {
    return this.#settings.admission.length > 0
  }

  /** All rules in order: an error, or who hears of the end of the call; undefined for nobody. */
  admit(info: ServerInfo, peer: string): RpcError.RpcError | Admitted | undefined {
    const { admission } = this.#settings
    if (admission.length === 0) return undefined
    const request = new Request(info, peer, this.timers.now())
    return admit(admission, request, this.#now, this.#admissionDied, this.#refusedByDefect)
  }

  lifecycle(info: RpcInfo): Lifecycle | undefined {
    return this.tracers.length === 0 ? undefined : new Lifecycle(this.tracers, this.timers, info)
  }

  /** Tracers hear of a call that was refused. */
  refused(info: RpcInfo, error: RpcError.RpcError): void {
    const lifecycle = this.lifecycle(info)
    if (lifecycle === undefined) return
    if (lifecycle.direct) {
      lifecycle.begin(this.#settings.context)
      if (info instanceof StreamInfo) lifecycle.streamStart()
      return lifecycle.end(failed(error))
    }
    const finish = Effect.suspend(() => {
      if (info instanceof StreamInfo) lifecycle.streamStart()
      return lifecycle.finish(failed(error))
    })
    this.runFork(Effect.andThen(lifecycle.start(), finish))
  }

  logDefect(info: RpcInfo, cause: Cause.Cause<unknown>): void {
    this.#log(info, Effect.logError(`handler of ${info.service}.${info.method} died`, cause))
  }

  /** Nobody but the log hears of it. */
  onewayFailed(info: RpcInfo, text: string): void {
    const told = printable(`oneway call of ${info.service}.${info.method} failed: ${text}`)
    const line = this.#onewayLines.line(told, this.timers.now())
    if (line !== undefined) this.#log(info, Effect.logWarning(line))
  }

  /** A business error that the encoding of its call does not carry: said once for each method. */
  businessErrorLost(info: RpcInfo, method: object): void {
    if (this.#lostBusinessErrors.has(method)) return
    this.#lostBusinessErrors.add(method)
    const line = `business error of ${info.service}.${info.method} lost: without a TTHeader the client sees an empty result; use a TTHeader transport or a declared exception`
    this.#log(info, Effect.logWarning(printable(line)))
  }

  /** The client did not get an answer as it was: said once for each method. */
  answerCut(info: RpcInfo, method: object, why: string): void {
    if (this.#cutAnswers.has(method)) return
    this.#cutAnswers.add(method)
    const line = `an answer of ${info.service}.${info.method} did not reach its client as it was: ${why}. The server says so once for each method.`
    this.#log(info, Effect.logWarning(printable(line, 1000)))
  }

  #log({ method, service }: RpcInfo, line: Effect.Effect<void>): void {
    const annotations = { "rpc.service": printable(service), "rpc.method": printable(method) }
    this.runFork(Effect.annotateLogs(line, annotations))
  }

  // --- calls that run --------------------------------------------------------------------------------------------------

  began(call: Running): void {
    call.place = this.#running.push(call) - 1
  }

  /** Nothing of the call runs any more. */
  gone(call: Running): void {
    const last = this.#running.pop()!
    if (last !== call) {
      this.#running[call.place] = last
      last.place = call.place
    }
    if (this.#running.length > 0) return
    const wake = this.#whenIdle
    this.#whenIdle = undefined
    wake?.()
  }

  readonly #idle: Effect.Effect<void> = Effect.callback((resume) => {
    if (this.#running.length === 0) return resume(Effect.void)
    this.#whenIdle = () => resume(Effect.void)
  })

  readonly #leaveBehind: Effect.Effect<void> = Effect.suspend(() =>
    Effect.logWarning(
      `the server stops, and leaves ${this.#running.length} calls behind that still run 1 second after they were interrupted: their handlers may not be interrupted, or finalizers or tracers take longer`
    )
  )

  /** The graceful stop, to be run once: no new connections, goodbyes, the grace time, then the end of what still runs. */
  drain(listening: Listening): Effect.Effect<void> {
    return Effect.suspend(() => {
      Deferred.doneUnsafe(this.#draining, Effect.void)
      return Effect.flatMap(Effect.forkChild(listening.drain, { startImmediately: true }), (closing) => {
        const closed = Effect.asVoid(Fiber.await(closing))
        const abort = Effect.suspend(() => {
          this.#over = true
          for (const call of this.#running.slice()) call.shutdown()
          return Effect.timeoutOrElse(this.#idle, { duration: endingMillis, orElse: () => this.#leaveBehind })
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
  errors.error(info, code, desc, new RpcError.Status({}))

/** Tells tracers how a call has ended; from then on nothing of it runs. @internal */
export const report = (
  serving: Pick<Serving, "gone" | "runFork">,
  call: Running & { readonly lifecycle: Lifecycle | undefined },
  outcome: Outcome
): void => {
  const { lifecycle } = call
  if (lifecycle !== undefined && !lifecycle.direct) {
    serving.runFork(lifecycle.finish(outcome)).addObserver(() => serving.gone(call))
    return
  }
  lifecycle?.end(outcome)
  serving.gone(call)
}
