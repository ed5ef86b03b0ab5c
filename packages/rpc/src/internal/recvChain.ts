/**
 * Middleware around receiving that is an effect: composed once per stream, at the first message.
 *
 * @internal
 */
import type { NonEmptyArray } from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { CallError } from "../ClientStream.ts"
import type { RecvMiddleware, StreamContext } from "../Middleware.ts"
import { causeFailure } from "./errors.ts"
import { functionOf, isCallError, type Plain } from "./messageFunctions.ts"
import { mergeOver } from "./streamContext.ts"
import type { Timers } from "./timers.ts"
import { until } from "./until.ts"

type One = Effect.Effect<unknown, CallError | Cause.Done>
type Many = Effect.Effect<NonEmptyArray<unknown>, CallError | Cause.Done>

/** The end of a stream that receives. @internal */
export interface RecvEnd {
  readonly env: { readonly timers: Timers }
  readonly stream: StreamContext
  readonly recvCount: number
  readonly recvBytes: number
  /** Takes up to so many messages, at least one, and puts them away in the same step. */
  pull(max: number, put: (messages: NonEmptyArray<unknown>) => void): Effect.Effect<void, CallError | Cause.Done>
  /** Milliseconds for the next receive, 0 for no limit. */
  readonly recvBudget: number
  /** The next receive is for the first message, which has a budget of its own. */
  readonly awaitsFirst: boolean
  /** The error of a receive that is overdue; the end fails with it, unless the receive fails alone. */
  recvOverdue(first: boolean): CallError
  /** The last that failed alone. */
  readonly overdueAlone: CallError | undefined
  secondRecv(): Effect.Effect<never>
  tellRecv(count: number, bytes: number): void
  /** What came out of the chain in place of messages, on its way to the fiber. */
  recvEndedBehind(instead: CallError | Cause.Done): Effect.Effect<never, CallError | Cause.Done>
}

/** Where a middleware takes its messages. */
interface Taking {
  readonly one: One
  readonly many: Many
}

/** What keeps messages inside of a chain. */
interface Keeping {
  /** What was taken is done with. */
  commit(): void
  /** What was taken since the last commit never reached anybody, who was interrupted: it comes again. */
  rewind(): void
  drop(): void
}

/**
 * Holds what a middleware inside gave until a middleware outside is done with it: whoever is interrupted before that
 * sees the same again. What was taken before the last time is done with, so that one that drops messages holds one of
 * them.
 *
 * A fiber may be interrupted between any two steps of it. So messages move from one place to the next in one step, and are
 * committed by the step that hands them on; an interruption itself does nothing.
 */
class Joint implements Taking, Keeping {
  readonly one: One
  readonly many: Many
  #here: ReadonlyArray<unknown> = []
  /** How many came: a middleware may have changed the array. */
  #count = 0
  /** What lies between the two is with the middleware outside; what lies behind the second was not taken. */
  #since = 0
  #at = 0

  /** `more` puts messages here, at least one. */
  constructor(more: (put: (messages: NonEmptyArray<unknown>) => void) => Effect.Effect<void, CallError | Cause.Done>) {
    const arriving = more((messages) => {
      this.#here = messages
      this.#count = messages.length
      this.#since = this.#at = 0
    })
    this.one = this.#taking(arriving, () => this.#here[this.#at++])
    this.many = this.#taking(arriving, () => {
      const at = this.#at
      this.#at = this.#count
      return (at === 0 ? this.#here : this.#here.slice(at)) as NonEmptyArray<unknown>
    })
  }

  #taking<A>(
    arriving: Effect.Effect<void, CallError | Cause.Done>,
    take: () => A
  ): Effect.Effect<A, CallError | Cause.Done> {
    const arrived = Effect.map(arriving, take)
    return Effect.suspend(() => {
      this.#since = this.#at
      return this.#at < this.#count ? Effect.succeed(take()) : arrived
    })
  }

  commit(): void {
    this.#since = this.#at
    // Messages are not kept longer than somebody may want them.
    if (this.#at === this.#count) this.drop()
  }

  rewind(): void {
    this.#at = this.#since
  }

  drop(): void {
    this.#here = []
    this.#count = this.#since = this.#at = 0
  }
}

/** @internal */
export class RecvChain {
  readonly #end: RecvEnd
  readonly #around: ReadonlyArray<RecvMiddleware<unknown>>
  /** The most that a pull may take. */
  readonly #most: number
  /** Who receives. */
  #runner: Fiber.Fiber<unknown, unknown> | undefined
  #max = 1
  #composed: Composed | undefined
  /** What tracers have heard of. */
  #toldCount = 0
  #toldBytes = 0

  constructor(end: RecvEnd, around: ReadonlyArray<RecvMiddleware<unknown>>, maxBatch: number) {
    this.#end = end
    this.#around = around
    // A message that a middleware asks for by itself is taken by itself: none may lie between it and the stream.
    this.#most = around.some((each) => each.form === "single") ? 1 : maxBatch
  }

  /** The next message. */
  readonly recv: One = this.#runOf(
    () => 1,
    () => this.#chain.one
  )

  /** All messages that are here. */
  readonly recvAll: Many = this.#runOf(
    () => this.#most,
    () => this.#chain.many
  )

  get #chain(): Composed {
    return (this.#composed ??= compose(this.#around, this.#end.stream, (put) =>
      Effect.suspend(() => this.#end.pull(this.#max, put))
    ))
  }

  #runOf<A>(
    max: () => number,
    messages: () => Effect.Effect<A, CallError | Cause.Done>
  ): Effect.Effect<A, CallError | Cause.Done> {
    // Its exit hook is in place before this runs.
    const begin = Effect.withFiber((fiber): Effect.Effect<A, CallError | Cause.Done> => {
      if (this.#runner !== undefined) return this.#end.secondRecv()
      this.#runner = fiber
      this.#max = max()
      this.#composed?.top.rewind()
      return this.#inTime(messages())
    })
    const ended = Effect.onExitPrimitive(begin, (exit) => this.#ended(exit))
    // The last step: it hands the messages to whoever receives.
    const handedOn = Effect.map(ended, (messages) => {
      this.#composed?.top.commit()
      return messages
    })
    const run = Effect.catch(handedOn, (instead) => this.#end.recvEndedBehind(instead))
    return Effect.suspend(() => (this.#runner === undefined ? run : this.#end.secondRecv()))
  }

  /** The budget of a receive is for all of it, middleware too. */
  #inTime<A>(messages: Effect.Effect<A, CallError | Cause.Done>): Effect.Effect<A, CallError | Cause.Done> {
    const budget = this.#end.recvBudget
    if (budget === 0) return messages
    const { awaitsFirst, env } = this.#end
    return until(messages, env.timers, env.timers.now() + budget, () => this.#end.recvOverdue(awaitsFirst))
  }

  #ended(exit: Exit.Exit<unknown, unknown>): undefined {
    // Interrupted before it began.
    if (this.#runner !== Fiber.getCurrent()) return
    this.#runner = undefined
    if (Exit.isFailure(exit) && !this.#isOverdueAlone(exit.cause)) commitFailed(this.#composed?.top, exit.cause)
    this.tell()
  }

  /** As an interruption: what middleware had in hand comes again. */
  #isOverdueAlone(cause: Cause.Cause<unknown>): boolean {
    const error = this.#end.overdueAlone
    return error !== undefined && causeFailure(cause)?.value === error
  }

  /** Tells tracers of what they have not heard of. */
  tell(): void {
    const { recvBytes, recvCount } = this.#end
    this.#end.tellRecv(recvCount - this.#toldCount, recvBytes - this.#toldBytes)
    this.#toldCount = recvCount
    this.#toldBytes = recvBytes
  }

  /** The stream has failed: messages that wait in here would come before the error. */
  drop(): void {
    if (this.#composed !== undefined) for (const each of this.#composed.keeping) each.drop()
  }
}

interface Composed extends Taking {
  /** What the middleware outside takes from. */
  readonly top: Joint
  readonly keeping: ReadonlyArray<Keeping>
}

/** What a middleware failed with is done with too, unless it was interrupted. */
const commitFailed = (kept: Keeping | undefined, cause: Cause.Cause<unknown>): void => {
  if (!Cause.hasInterruptsOnly(cause)) kept?.commit()
}

/** What a middleware gives, on its way into the joint above it. */
const joinOver = (below: Keeping, many: Many): Joint =>
  new Joint((put) => {
    const moved = Effect.map(many, (messages) => {
      below.commit()
      put(messages)
    })
    const run = Effect.catchCause(moved, (cause) => {
      commitFailed(below, cause)
      return Effect.failCause(cause)
    })
    return Effect.suspend(() => {
      below.rewind()
      return run
    })
  })

const compose = (
  around: ReadonlyArray<RecvMiddleware<unknown>>,
  stream: StreamContext,
  pull: ConstructorParameters<typeof Joint>[0]
): Composed => {
  let top = new Joint(pull)
  let taking: Taking = top
  const keeping: Array<Keeping> = [top]
  // A middleware outside takes from a joint where messages may lie behind the one that it takes.
  const join = (below: Keeping, many: Many): void => {
    taking = top = joinOver(below, many)
    keeping.push(top)
  }
  for (const each of around.toReversed()) {
    if (each.form === "single") {
      const one = each.make(stream, taking.one) as One
      taking = { one, many: Effect.map(one, (message): NonEmptyArray<unknown> => [message]) }
    } else if (each.form === "batch") join(top, each.make(stream, taking.many) as Many)
    else {
      const refusing = new Refusing(functionOf(each, stream), taking.many, top)
      keeping.push(refusing)
      join(refusing, refusing.many)
    }
  }
  const inContext = mergeOver(stream.context)
  return {
    one: Effect.updateContext(taking.one, inContext),
    many: Effect.updateContext(taking.many, inContext),
    top,
    keeping
  }
}

/** What lies behind a message that was refused. */
interface Behind {
  readonly rest: ReadonlyArray<unknown>
  /** The refusal, when messages before it come first. */
  readonly refusal: CallError | undefined
}

const nothing: Behind = { rest: [], refusal: undefined }

/** A function outside of effects: what lies behind a message that it refuses is for the next time. */
class Refusing implements Keeping {
  readonly many: Many
  readonly #function: Plain
  readonly #below: Keeping
  #behind = nothing
  /** Counts when what comes out now is done with. */
  #next = nothing

  constructor(run: Plain, next: Many, below: Keeping) {
    this.#function = run
    this.#below = below
    const more = Effect.flatMap(next, (messages) => this.#apply(messages))
    this.many = Effect.suspend(() => {
      const { refusal, rest } = this.#behind
      this.#next = nothing
      if (refusal !== undefined) {
        this.#next = { rest, refusal: undefined }
        return Effect.fail(refusal)
      }
      return rest.length === 0 ? more : this.#apply(rest)
    })
  }

  #apply(messages: ReadonlyArray<unknown>): Many {
    const passed: Array<unknown> = []
    for (let i = 0; i < messages.length; i++) {
      const result = this.#function(messages[i])
      if (isCallError(result)) {
        const rest = messages.slice(i + 1)
        this.#next = { rest, refusal: passed.length === 0 ? undefined : result }
        if (passed.length === 0) return Effect.fail(result)
        break
      }
      passed.push(result)
    }
    return Effect.succeed(passed as unknown as NonEmptyArray<unknown>)
  }

  commit(): void {
    this.#behind = this.#next
    this.#next = nothing
    this.#below.commit()
  }

  rewind(): void {
    this.#below.rewind()
  }

  drop(): void {
    this.#behind = this.#next = nothing
  }
}
