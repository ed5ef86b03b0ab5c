/**
 * The fiber that runs a handler: its context, its Scope, who interrupts it, and defects, its own and those of fibers that
 * it forked. What a call answers is the affair of the call, which hears of the exit once nothing of the scope is left.
 *
 * @internal
 */
import type { Metainfo } from "@millrace/transport/Metainfo"
import type { RawCancellation } from "@millrace/transport/RawStream"
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Deadline from "../Deadline.ts"
import type { RpcInfo } from "../RpcInfo.ts"
import * as ServerCall from "../ServerCall.ts"
import * as cancellation from "./cancellation.ts"
import * as errors from "./errors.ts"
import { CurrentCall, type HandledCall } from "./currentCall.ts"

/** What the fibers of one server share. @internal */
export interface FiberEnvironment {
  readonly runFork: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
  readonly logDefect: (info: RpcInfo, cause: Cause.Cause<unknown>) => void
}

/** The call that a handler runs for. @internal */
export interface HandlerOwner {
  readonly info: RpcInfo
  readonly metainfo: Metainfo
  /** What has ended the call in spite of its handler; undefined where nothing has. */
  readonly cancellation: RawCancellation | undefined
  /** The context of the fiber, made from what it has of its own. */
  begin(context: Context.Context<never>): Context.Context<never>
  /** The whole work of the fiber. */
  main(): Effect.Effect<unknown, unknown>
  /** Puts a value into the answer where it has a place for one; throws for a key that cannot be sent. */
  sendBackwardValue(key: string, value: string): void
  /** The fiber has ended, and its scope is closed. Called once. */
  settle(exit: Exit.Exit<unknown, unknown>): void
}

const interruptions: { readonly [R in ServerCall.InterruptedBy]: Context.Context<never> } = {
  clientAbort: ServerCall.Interruption.context("clientAbort"),
  deadline: ServerCall.Interruption.context("deadline"),
  defect: ServerCall.Interruption.context("defect"),
  shutdown: ServerCall.Interruption.context("shutdown")
}

/** @internal */
export class HandlerFiber implements HandledCall {
  fiber: Fiber.Fiber<unknown, unknown> | undefined
  nested = false
  /** The call is settled: what dies from here on is logged and nothing else. */
  returned = false
  readonly #env: FiberEnvironment
  readonly #owner: HandlerOwner
  readonly #scope = Scope.makeUnsafe()
  /** The handler has returned, its scope may not be closed yet. */
  #ended = false
  #forkedDefect: Cause.Cause<unknown> | undefined
  #logged: Array<unknown> | undefined

  constructor(env: FiberEnvironment, owner: HandlerOwner) {
    this.#env = env
    this.#owner = owner
  }

  get info(): RpcInfo {
    return this.#owner.info
  }

  get metainfo(): Metainfo {
    return this.#owner.metainfo
  }

  get cancellation(): RawCancellation | undefined {
    return this.#owner.cancellation ?? (this.#ended ? cancellation.byReturn(this.info) : undefined)
  }

  sendBackwardValue(key: string, value: string): void {
    this.#owner.sendBackwardValue(key, value)
  }

  /** Starts the fiber. `deadline` is a time of the clock, 0 for none. */
  run(base: Context.Context<never>, deadline: number): void {
    let context: Context.Context<never> = Context.add(Context.add(base, CurrentCall, this), Scope.Scope, this.#scope)
    if (deadline > 0) context = Context.add(context, Deadline.Current, deadline)
    context = this.#owner.begin(context)
    const fiber = Effect.runForkWith(context)(
      Effect.withFiber((self) => {
        this.fiber = self
        return this.#owner.main()
      })
    )
    fiber.addObserver((exit) => {
      this.#ended = true
      const closing = Scope.closeUnsafe(this.#scope, exit)
      if (closing === undefined) return this.#owner.settle(exit)
      Effect.runForkWith(context)(closing).addObserver((closed) =>
        this.#owner.settle(Exit.isSuccess(exit) && Exit.isFailure(closed) ? closed : exit)
      )
    })
  }

  interrupt(by: ServerCall.InterruptedBy): void {
    this.fiber?.interruptUnsafe(this.fiber.id, interruptions[by])
  }

  /** The cause that a call answers as a panic: a defect of the handler, or of a fiber that it forked. */
  panic(exit: Exit.Exit<unknown, unknown>): Cause.Cause<unknown> | undefined {
    if (this.#forkedDefect !== undefined) return this.#forkedDefect
    return Exit.isFailure(exit) && errors.causeFailure(exit.cause)?.defect === true ? exit.cause : undefined
  }

  /** Logs a defect, the same one only once. */
  log(cause: Cause.Cause<unknown>, defect: unknown): void {
    if (this.#logged?.includes(defect) === true) return
    ;(this.#logged ??= []).push(defect)
    this.#env.logDefect(this.info, cause)
  }

  forkedFailed(cause: Cause.Cause<unknown>): void {
    const failure = errors.causeFailure(cause)
    if (failure === undefined || !failure.defect) return
    const handler = this.fiber
    const steps = handler?.currentOpCount
    const running = handler === undefined || handler.pollUnsafe() !== undefined
    // Whoever waits for that fiber hears of it in this turn or the next: a handler that has not moved by then waits for
    // something else.
    this.#env.runFork(
      Effect.andThen(
        Effect.andThen(Effect.yieldNow, Effect.yieldNow),
        Effect.sync(() => {
          this.log(cause, failure.value)
          if (running || this.nested || this.returned || handler.currentOpCount !== steps) return
          this.#forkedDefect = cause
          this.interrupt("defect")
        })
      )
    )
  }
}
