/**
 * Keeps one service known: a fiber asks its source from time to time, and listens to what the source pushes. Calls only wait for it
 * where nothing is known.
 *
 * @internal
 */
import type { Choice, Placing } from "@millrace/rpc/Endpoints"
import * as RpcError from "@millrace/rpc/RpcError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Change, Instance } from "../../Instance.ts"
import { ResolveError, type Resolved, type Source } from "../../Resolver.ts"
import { KnownService, type Settings } from "./knownService.ts"
import { Waiters } from "./waiters.ts"

/** Times are in milliseconds. @internal */
export interface Cadence {
  readonly refresh: number
  /** The part of `refresh` by which it is shorter or longer, at most. */
  readonly jitter: number
  /** A service that nobody has used for so long is forgotten. */
  readonly idle: number
  /** What one answer of the source may take. */
  readonly resolve: number
  /** So many empty answers in a row are believed. */
  readonly confirmEmpty: number
}

/** @internal */
export interface Owner {
  readonly changed: (change: Change) => void
  /** Nobody has used the service for long: from now on it is not to be asked any more. */
  readonly idled: () => void
}

/** From an answer of a source to the next question about the same service, whoever asks and whatever the TTL is. */
const leastPause = 1000
/** However long a source says that its answer holds. */
const longestPause = 5 * 60 * 1000
const longestBackoff = 30_000

/** @internal */
export class Discovering {
  readonly known: KnownService
  readonly #source: Source
  /** That of the moment. */
  readonly #cadence: () => Cadence
  readonly #random: () => number
  readonly #now: () => number
  readonly #owner: Owner
  /** Calls that wait for an answer. */
  readonly #waiting = new Waiters()
  /** Those that wait for another list. */
  readonly #listening = new Waiters()
  #wake: (() => void) | undefined
  #asking = false
  #ended = false
  #answeredAt = -Infinity
  #usedAt: number
  #ttl: number | undefined
  /** Why the last question got no answer. */
  #failure: ResolveError | undefined
  #watched = false
  #watchLost = false
  /** So many lists were pushed. */
  #pushes = 0

  constructor(name: string, source: Source, settings: Settings, cadence: () => Cadence, owner: Owner) {
    this.known = new KnownService(name, settings, (instance) =>
      owner.changed({ added: [], updated: [], removed: [instance] })
    )
    this.#source = source
    this.#cadence = cadence
    this.#random = settings.random
    this.#now = settings.now
    this.#owner = owner
    this.#usedAt = settings.now()
  }

  /** Runs until nobody has used the service for long. */
  get run(): Effect.Effect<void> {
    return this.#source.watch === undefined ? this.#polling() : Effect.raceFirst(this.#polling(), this.#watching())
  }

  /** Nothing is asked from now on, and nobody waits. */
  end(): void {
    this.#ended = true
    this.known.close()
    this.#waiting.release()
    this.#listening.release()
  }

  pick(placing: Placing): Choice | Effect.Effect<Choice, RpcError.RpcError> {
    const { now } = placing
    this.#usedAt = now
    if (this.known.found) return this.known.pick(placing, now)
    if (!this.#mayAsk) return this.#unknown()
    return Effect.flatMap(this.#answer, () => {
      const choice = this.known.found ? this.known.pick(placing, this.#now()) : this.#unknown()
      return choice instanceof RpcError.RpcError ? Effect.fail(choice) : Effect.succeed(choice)
    })
  }

  /** The list of now; waits for an answer where there is none. */
  get instances(): Effect.Effect<ReadonlyArray<Instance>, RpcError.RpcError> {
    return Effect.suspend(() => {
      this.#usedAt = this.#now()
      const waited = this.known.instances === undefined && this.#mayAsk ? this.#answer : Effect.void
      return Effect.flatMap(waited, () => {
        const { instances } = this.known
        return instances === undefined ? this.#unknown() : Effect.succeed(instances)
      })
    })
  }

  /** Waits for another list than this one; undefined when discovery has ended. */
  after(previous: ReadonlyArray<Instance>): Effect.Effect<ReadonlyArray<Instance> | undefined> {
    return Effect.suspend(() => {
      this.#usedAt = this.#now()
      const { instances } = this.known
      if (instances !== undefined && instances !== previous) return Effect.succeed(instances)
      if (this.#ended) return Effect.succeed(undefined)
      return Effect.andThen(this.#listening.wait(), this.after(previous))
    })
  }

  /** The next answer of the source, which is asked now, if it is not being asked already. */
  get #answer(): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.#ended) return Effect.void
      return this.#waiting.wait(this.#wake)
    })
  }

  get #mayAsk(): boolean {
    if (this.#ended) return false
    return this.#asking || (this.#rested && !this.#hopeless)
  }

  /** Whether the last answer is so long ago, or the clock was set back: it need not come to where it was. */
  get #rested(): boolean {
    return Math.abs(this.#now() - this.#answeredAt) >= leastPause
  }

  get #hopeless(): boolean {
    return this.#failure?.retryable === false && this.known.instances === undefined
  }

  get #idle(): boolean {
    return (
      this.#now() - this.#usedAt >= this.#cadence().idle &&
      this.#listening.size + this.#waiting.size === 0 &&
      !this.known.busy
    )
  }

  readonly #polling = Effect.fnUntraced(function* (this: Discovering) {
    let rested = true
    do {
      const due = rested && !this.#hopeless && (!this.#watched || this.known.doubted)
      if (this.#waiting.size > 0 || due) yield* this.#question
      rested = yield* this.#pause
    } while (!this.#idle)
    // In the same turn: a call that comes while the watch is still ending begins anew.
    this.#owner.idled()
  })

  get #question(): Effect.Effect<void> {
    const { name } = this.known
    return Effect.suspend(() => {
      const pushes = this.#pushes
      const { resolve } = this.#cadence()
      this.#asking = true
      return Effect.suspend(() => this.#source.resolve(name)).pipe(
        Effect.timeoutOrElse({
          duration: resolve,
          orElse: () => Effect.fail(this.#error(`no answer about ${name} within ${resolve} ms`))
        }),
        // What was pushed since the question is newer than the answer.
        Effect.flatMap((resolved) => (pushes === this.#pushes ? this.#answered(resolved) : Effect.void)),
        Effect.catchCause((cause) => this.#failed(cause)),
        Effect.ensuring(
          Effect.sync(() => {
            this.#asking = false
            this.#answeredAt = this.#now()
            this.#waiting.release()
          })
        )
      )
    })
  }

  #answered({ instances, ttlMillis }: Resolved): Effect.Effect<void> {
    const outage = this.#failure !== undefined
    const taken = this.#take(instances)
    this.#ttl = ttlMillis
    this.#failure = undefined
    return outage
      ? Effect.andThen(
          Effect.logInfo(`discovery: ${this.#source.name} answers again: ${this.known.name} has ${count(instances)}`),
          taken
        )
      : taken
  }

  #failed(cause: Cause.Cause<ResolveError>): Effect.Effect<void> {
    const first = this.#failure === undefined
    this.#failure = this.#errorOf(cause)
    this.#ttl = undefined
    if (!first) return Effect.void
    const { instances, name } = this.known
    const meanwhile =
      instances === undefined
        ? `calls of ${name} fail until it answers`
        : `calls of ${name} go on with ${count(instances)}, as last known`
    return Effect.logWarning(`discovery: ${this.#failure.message}: ${meanwhile}`)
  }

  #take(list: ReadonlyArray<Instance>): Effect.Effect<void> {
    if (this.#ended) return Effect.void
    const { known } = this
    const { doubted } = known
    const change = known.accept(list, this.#cadence().confirmEmpty)
    if (change !== undefined) {
      this.#listening.release()
      this.#owner.changed(change)
    }
    const { instances = [], name } = known
    if (known.doubted && !doubted) {
      return Effect.logWarning(
        `discovery: ${this.#source.name} says that ${name} has no instances: calls go on with ${count(instances)} until it says so again`
      )
    }
    return change !== undefined && instances.length === 0
      ? Effect.logWarning(`discovery: ${this.#source.name} has confirmed that ${name} has no instances`)
      : Effect.void
  }

  /** Until it is time to ask again, or a call cannot wait; whether it has been long enough. */
  get #pause(): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      if (this.#waiting.size > 0) return Effect.succeed(true)
      const woken = Effect.callback<void>((resume) => {
        this.#wake = () => resume(Effect.void)
      })
      return Effect.ensuring(
        Effect.map(Effect.timeoutOption(woken, this.#pauseMillis()), (woken) => Option.isNone(woken) || this.#rested),
        Effect.sync(() => {
          this.#wake = undefined
        })
      )
    })
  }

  #pauseMillis(): number {
    const { jitter, refresh } = this.#cadence()
    const random = this.#random()
    if (this.#ttl === undefined || this.#watched || this.known.doubted)
      return atLeast(leastPause, refresh * (1 + jitter * (2 * random - 1)))
    // Not before its time: a cache on the way would answer as before.
    return Math.min(longestPause, atLeast(leastPause, this.#ttl)) * (1 + jitter * random)
  }

  readonly #watching = Effect.fnUntraced(function* (this: Discovering) {
    const { name } = this.known
    let losses = 0
    while (true) {
      const exit = yield* Effect.exit(
        Stream.runForEach(
          Stream.suspend(() => this.#source.watch!(name)),
          (list) => {
            losses = 0
            return this.#pushed(list)
          }
        )
      )
      this.#watched = false
      if (!this.#watchLost) {
        this.#watchLost = true
        const { message } = exit._tag === "Success" ? this.#error("the watch has ended") : this.#errorOf(exit.cause)
        yield* Effect.logWarning(
          `discovery: ${message}: nothing tells of changes of ${name}, which is asked for every ${this.#cadence().refresh} ms until then`
        )
      }
      const spread = 1 + this.#cadence().jitter * this.#random()
      yield* Effect.sleep(Math.min(longestBackoff, leastPause * 2 ** losses) * spread)
      losses++
    }
  })

  #pushed(list: ReadonlyArray<Instance>): Effect.Effect<void> {
    this.#pushes++
    if (!this.#watched) {
      this.#watched = true
      // From here on its pause is a short one: what is pushed may have to be confirmed.
      this.#wake?.()
    }
    const taken = this.#take(list)
    this.#waiting.release()
    if (!this.#watchLost) return taken
    this.#watchLost = false
    return Effect.andThen(
      Effect.logInfo(`discovery: ${this.#source.name} tells of changes of ${this.known.name} again`),
      taken
    )
  }

  #unknown(): RpcError.RpcError {
    const { instances, name } = this.known
    return new RpcError.RpcError({
      code: 13,
      desc: `service discovery error: ${this.#why(instances)}`,
      reason: new RpcError.DiscoveryFailed({ service: name })
    })
  }

  #why(instances: ReadonlyArray<Instance> | undefined): string {
    if (this.#ended) return "the scope of this Discovery has closed: make calls inside of it"
    if (instances === undefined && this.#failure !== undefined) return this.#failure.message
    return `no instance available: ${this.#source.name} has none of ${this.known.name}`
  }

  #errorOf(cause: Cause.Cause<ResolveError>): ResolveError {
    return Option.getOrElse(Cause.findErrorOption(cause), () =>
      this.#error(`the resolver broke: ${String(Cause.squash(cause))}`)
    )
  }

  #error(desc: string): ResolveError {
    return new ResolveError({ resolver: this.#source.name, service: this.known.name, desc, retryable: true })
  }
}

/** Also of what is no number, which a source may say. */
const atLeast = (least: number, millis: number): number => (millis > least ? millis : least)

const count = ({ length }: ReadonlyArray<Instance>): string => (length === 1 ? "1 instance" : `${length} instances`)
