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

/**
 * Whoever hears of a call may die: it keeps neither the others nor the call from their end. `what` is an argument of its own, so
 * that to tell of a call makes no closure.
 *
 * @internal
 */
export const safely = <O, A>(
  onDefect: OnDefect,
  info: RpcInfo,
  tell: (observer: O, what: A) => void,
  observer: O,
  what: A
): void => {
  try {
    tell(observer, what)
  } catch (defect) {
    onDefect(info, Cause.die(defect))
  }
}

/** @internal */
export const tellCreated = (observer: Observer, now: number): void => {
  if (typeof observer !== "function") observer.created?.(now)
}

/** @internal */
export const tellAnswered =
  (since: number) =>
  (observer: Observer, now: number): void => {
    if (typeof observer !== "function") observer.answered?.(now - since, now)
  }

/** @internal */
export const tellEnded = (observer: Observer, end: CallEnd): void => {
  if (typeof observer === "function") observer(end)
  else observer.ended(end)
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
  readonly info: RpcInfo
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
    const now = this.#now()
    for (const observer of this.#observers) safely(this.#onDefect, this.info, tellCreated, observer, now)
  }

  answered(): void {
    const now = this.#now()
    const tell = tellAnswered(this.since)
    for (const observer of this.#observers) safely(this.#onDefect, this.info, tell, observer, now)
  }

  ended(outcome: Outcome): void {
    if (!this.#over) this.endedBy(callEnd(this.info, outcome, this.opened, this.since, this.#now()))
  }

  /** Where somebody else hears of the same end. */
  endedBy(end: CallEnd): void {
    if (this.#over) return
    this.#over = true
    for (const observer of this.#observers) safely(this.#onDefect, end.info, tellEnded, observer, end)
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
  // oxlint-disable-next-line unicorn/no-new-array -- of its final length: one that grows takes room for sixteen more, on every call
  const observers = new Array<Observer>(rules.length)
  for (let index = 0; index < rules.length; index++) {
    let answer: ReturnType<Admission["admit"]>
    try {
      answer = rules[index]!.admit(request)
    } catch (defect) {
      if (onThrown === undefined) {
        admittedBy(observers.slice(0, index), request, now, onDefect).ended(broken(Cause.die(defect)))
        throw defect
      }
      answer = onThrown(request.info, defect)
    }
    if (answer instanceof RpcError) {
      // Mostly there is nobody to tell: a server over its limit has no time for more.
      if (index > 0) admittedBy(observers.slice(0, index), request, now, onDefect).ended(failed(answer))
      return answer
    }
    observers[index] = answer
  }
  return admittedBy(observers, request, now, onDefect)
}

const admittedBy = (
  observers: ReadonlyArray<Observer>,
  { info, now: since }: AdmissionRequest,
  now: () => number,
  onDefect: OnDefect
): Admitted => new Admitted(observers, info, since, now, onDefect)
