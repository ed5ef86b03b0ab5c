/**
 * The choice of an instance for one stream, or for one attempt of a call: where it goes, where it could not be created, and
 * who hears of that. A creation that failed before anything of the user's was sent is tried elsewhere, as by Kitex
 * (`client/middlewares.go`).
 *
 * @internal
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import type { CallEnd } from "../CallObserver.ts"
import type { Choice, Endpoints, Picked, Placing } from "../Endpoints.ts"
import { RpcError } from "../RpcError.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import { type Admitted, callEnd, type OnDefect, safely, tellAnswered, tellCreated, tellEnded } from "./admitted.ts"
import type { Reader } from "./callContext.ts"
import { ClientInfo } from "./clientInfo.ts"
import type { CallError } from "../ClientStream.ts"
import * as errors from "./errors.ts"
import { failed, type Outcome } from "./outcome.ts"

/** Kitex's number. */
const maxInstances = 6

const noAddresses: ReadonlyArray<string> = []

/** What placements of one client share. @internal */
export interface PlacementEnvironment {
  readonly endpoints: Endpoints
  readonly now: () => number
  readonly onDefect: OnDefect
}

/** Nothing of the call was sent, and another instance may take it. @internal */
export const isUncreated = ({ reason }: RpcError): boolean => {
  switch (reason._tag) {
    case "ConnectTimeout":
      return true
    case "Unavailable":
      return reason.neverSent
    case "CircuitOpen":
      return reason.level === "instance"
    default:
      return false
  }
}

const tellBegan = (picked: Picked, now: number): void => picked.began?.(now)

const answer = <A, E>(value: A | Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.isEffect(value) ? value : Effect.succeed(value)

/** @internal */
export class Placement implements Placing {
  info: RpcInfo
  readonly request: unknown
  tried: ReadonlyArray<string>
  /** When it was asked last; at first when the call was admitted, which is the same step. */
  now: number
  /** Where earlier attempts of the call went: first among those that were tried, and better than none. */
  #earlier: ReadonlyArray<string>
  /** Streams, or connections for the call: middleware may run an attempt several times. */
  #connections = 0
  #heard: "nothing" | "created" | "answered" = "nothing"
  readonly #env: PlacementEnvironment
  readonly #reader: Reader
  /** The address that an option of the call fixes. */
  readonly #fixed: string | undefined
  /** Where nothing stands between admission and this, it hears of the same. */
  readonly #admitted: Admitted | undefined
  #picked: Picked | undefined = undefined
  #address: string | undefined = undefined
  #since = 0
  #lastError: RpcError | undefined = undefined
  #over = false

  constructor(
    env: PlacementEnvironment,
    info: RpcInfo,
    request: unknown,
    reader: Reader,
    fixed: string | undefined,
    admitted: Admitted | undefined
  ) {
    this.#env = env
    this.info = info
    this.#earlier = (info instanceof ClientInfo ? info.earlier : undefined) ?? noAddresses
    this.tried = this.#earlier
    this.request = request
    this.#reader = reader
    this.#fixed = fixed
    this.#admitted = admitted
    this.now = admitted?.since ?? 0
  }

  getRef<A>(key: Context.Reference<A>): A {
    return this.#reader.getRef(key)
  }

  /** The address of the next instance. */
  choose(): string | Effect.Effect<string, RpcError> {
    if (this.#fixed !== undefined) return this.#fixed
    if (this.now === 0 || this.#lastError !== undefined) this.now = this.#env.now()
    const choice = this.#env.endpoints.pick(this)
    if (this.#earlier.length > 0) return this.#elsewhere(choice)
    if (Effect.isEffect(choice)) {
      // The step behind the choice hands it over: an interruption between the two would leave its instance without an end.
      return Effect.uninterruptible(Effect.flatMap(Effect.interruptible(choice), (chosen) => this.#takeLate(chosen)))
    }
    return choice === undefined ? Effect.fail(this.#exhausted()) : this.#take(choice)
  }

  /** Better where an earlier attempt went than nowhere. */
  #elsewhere(choice: Choice | Effect.Effect<Choice, RpcError>): string | Effect.Effect<string, RpcError> {
    const again = () => {
      this.tried = this.tried.slice(this.#earlier.length)
      this.#earlier = noAddresses
      return this.choose()
    }
    if (!Effect.isEffect(choice)) return choice === undefined ? again() : this.#take(choice)
    return Effect.uninterruptible(
      Effect.matchEffect(Effect.interruptible(choice), {
        onFailure: (error) => (isUncreated(error) ? answer(again()) : Effect.fail(error)),
        onSuccess: (chosen) => (chosen === undefined ? answer(again()) : this.#takeLate(chosen))
      })
    )
  }

  /** The choice took its time. */
  #takeLate(choice: Choice): Effect.Effect<string, RpcError> {
    this.now = this.#env.now()
    return choice === undefined ? Effect.fail(this.#exhausted()) : Effect.succeed(this.#take(choice))
  }

  #take(choice: string | Picked): string {
    const address = typeof choice === "string" ? choice : choice.address
    this.#address = address
    this.#picked = undefined
    // A call that was interrupted while it was chosen for has not begun.
    if (typeof choice !== "string" && !this.#over) {
      this.#since = this.now
      this.#picked = choice
      this.#tell(tellBegan, choice, this.now)
    }
    return address
  }

  get #failures(): number {
    return this.tried.length - this.#earlier.length
  }

  #exhausted(): RpcError {
    return this.#lastError ?? errors.noMoreInstances(this.info)
  }

  /** The call could not be created: whether it may be at another instance. */
  failed(error: unknown): boolean {
    if (this.opened || this.#fixed !== undefined || !(error instanceof RpcError) || !isUncreated(error)) return false
    if (this.#address === undefined || this.#failures + 1 >= maxInstances) return false
    this.tried = [...this.tried, this.#address]
    this.#lastError = error
    this.#address = undefined
    const picked = this.#picked
    this.#picked = undefined
    if (picked !== undefined) this.#tell(tellEnded, picked, this.#end(failed(error), this.#since, this.#env.now()))
    return true
  }

  /** There is a stream, or a connection for the call. */
  get opened(): boolean {
    return this.#connections > 0
  }

  /** A connection is there for a call that only ends. */
  connected(): void {
    this.#connections++
  }

  /** It was none: nothing was sent. */
  disconnected(): void {
    this.#connections--
  }

  /** The stream is there. */
  created(): void {
    this.#connections++
    if (this.#over || this.#heard !== "nothing") return
    this.#heard = "created"
    this.#admitted?.created()
    if (this.#picked !== undefined) this.#tell(tellCreated, this.#picked, this.#env.now())
  }

  answered(): void {
    if (this.#over || this.#heard !== "created") return
    this.#heard = "answered"
    this.#admitted?.answered()
    if (this.#picked !== undefined) this.#tell(tellAnswered(this.#since), this.#picked, this.#env.now())
  }

  ended(outcome: Outcome): void {
    if (this.#over) return
    this.#over = true
    const now = this.#env.now()
    const picked = this.#picked
    const admitted = this.#admitted
    // Mostly the call was admitted and placed in one step: then both hear of one end.
    const end = this.#end(outcome, admitted?.since ?? this.#since, now)
    admitted?.endedBy(end)
    if (picked !== undefined) {
      const same = admitted === undefined || admitted.since === this.#since
      this.#tell(tellEnded, picked, same ? end : this.#end(outcome, this.#since, now))
    }
  }

  #end(outcome: Outcome, since: number, now: number): CallEnd {
    return callEnd(this.info, outcome, this.opened, since, now)
  }

  #tell<A>(tell: (picked: Picked, what: A) => void, picked: Picked, what: A): void {
    safely(this.#env.onDefect, this.info, tell, picked, what)
  }
}

type Choosing = Effect.Effect<string, RpcError>

/**
 * Runs `attempt` at one instance after the other, until one takes it. `inTime` limits a choice that takes time.
 *
 * @internal
 */
export const atInstances = <A, R>(
  placement: Placement,
  attempt: (address: string) => Effect.Effect<A, CallError, R>,
  inTime: (choosing: Choosing) => Choosing = identity,
  first = placement.choose()
): Effect.Effect<A, CallError, R> => {
  const at = (address: string): Effect.Effect<A, CallError, R> =>
    Effect.catch(attempt(address), (error) =>
      placement.failed(error) ? Effect.suspend(() => atInstances(placement, attempt, inTime)) : Effect.fail(error)
    )
  return typeof first === "string" ? at(first) : Effect.flatMap(inTime(first), at)
}
