/**
 * A call that rules of admission let through: they hear how it goes on, each of the same end.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import type { Admission, AdmissionRequest } from "../Admission.ts"
import type { CallEnd } from "../CallObserver.ts"
import { RpcError } from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import * as errors from "./errors.ts"
import { broken, failed, type Outcome } from "./outcome.ts"

type Observer = Exclude<ReturnType<Admission["admit"]>, RpcError>

/** Told of what an observer or a rule threw. @internal */
export type OnDefect = (info: RpcInfo, cause: Cause.Cause<unknown>) => void

/** Whoever hears of a call may die: it keeps neither the others nor the call from their end. @internal */
export const safely = (onDefect: OnDefect, info: RpcInfo, tell: () => void): void => {
  try {
    tell()
  } catch (defect) {
    onDefect(info, Cause.die(defect))
  }
}

/** What observers hear of an outcome. @internal */
export const callEnd = (info: RpcInfo, outcome: Outcome, created: boolean, since: number, now: number): CallEnd => {
  const { bizError, exit, reason } = outcome
  const failure = Exit.isFailure(exit) ? errors.causeFailure(exit.cause) : undefined
  const error = bizError ?? (failure?.defect === false ? (failure.value as RpcError) : undefined)
  return { info, reason, error, created, millis: Math.max(0, now - since), now }
}

/** @internal */
export class Admitted {
  /** Whether there is a stream, or a connection for the call. */
  opened = false
  info: RpcInfo
  readonly #observers: ReadonlyArray<Observer>
  /** When it was admitted. */
  readonly since: number
  readonly #now: () => number
  readonly #onDefect: OnDefect
  #over = false

  constructor(observers: ReadonlyArray<Observer>, info: RpcInfo, since: number, now: () => number, onDefect: OnDefect) {
    this.#observers = observers
    this.info = info
    this.since = since
    this.#now = now
    this.#onDefect = onDefect
  }

  created(): void {
    this.opened = true
    for (const observer of this.#observers) {
      if (typeof observer !== "function") safely(this.#onDefect, this.info, () => observer.created?.(this.#now()))
    }
  }

  answered(): void {
    const now = this.#now()
    for (const observer of this.#observers) {
      if (typeof observer !== "function")
        safely(this.#onDefect, this.info, () => observer.answered?.(now - this.since, now))
    }
  }

  ended(outcome: Outcome, now = this.#now()): void {
    if (this.#over) return
    this.#over = true
    const end = callEnd(this.info, outcome, this.opened, this.since, now)
    for (const observer of this.#observers) {
      safely(this.#onDefect, this.info, () => (typeof observer === "function" ? observer(end) : observer.ended(end)))
    }
  }
}

/**
 * Asks all rules in order. Those before one that refuses, or throws, hear of an end. What a rule throws passes through, unless
 * there is an error to be put in its place.
 *
 * @internal
 */
export const admit = (
  rules: ReadonlyArray<Admission>,
  request: AdmissionRequest,
  now: () => number,
  onDefect: OnDefect,
  onThrown?: (info: RpcInfo, defect: unknown) => RpcError
): RpcError | Admitted => {
  const observers: Array<Observer> = []
  for (const rule of rules) {
    let answer: ReturnType<Admission["admit"]>
    try {
      answer = rule.admit(request)
    } catch (defect) {
      if (onThrown === undefined) {
        admittedBy(observers, request, now, onDefect).ended(broken(Cause.die(defect)))
        throw defect
      }
      answer = onThrown(request.info, defect)
    }
    if (answer instanceof RpcError) {
      // Mostly there is nobody to tell: a server over its limit has no time for more.
      if (observers.length > 0) admittedBy(observers, request, now, onDefect).ended(failed(answer))
      return answer
    }
    observers.push(answer)
  }
  return admittedBy(observers, request, now, onDefect)
}

const admittedBy = (
  observers: ReadonlyArray<Observer>,
  { info, now: since }: AdmissionRequest,
  now: () => number,
  onDefect: OnDefect
): Admitted => new Admitted(observers, info, since, now, onDefect)
