/**
 * Unary calls with policies around them: a time for each attempt, retries, a fallback.
 *
 * @internal
 */
import type { Metadata } from "@millrace/transport/Metadata"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Deadline from "../Deadline.ts"
import { RpcError } from "../RpcError.ts"
import type { CallOptions, UnaryCallOptions, UnaryPolicies } from "../StreamOptions.ts"
import { type AttemptCall, inAttempts, type Policies } from "./attempts.ts"
import * as callContext from "./callContext.ts"
import type { Caller } from "./caller.ts"
import type { ClientInfo } from "./clientInfo.ts"
import type { ClientMethod } from "./clientMethod.ts"
import { Lifecycle } from "./lifecycle.ts"
import { overdueAt } from "./observedCall.ts"
import { PolicyOptions } from "./policyOptions.ts"
import * as replyErrors from "./replyErrors.ts"
import { noOptions } from "./streamSettings.ts"
import type { Timers } from "./timers.ts"
import type { UnaryError } from "./unaryCall.ts"
import { until } from "./until.ts"

/** What the stream of one attempt tells is told of the call if the attempt counts. */
class AttemptLifecycle extends Lifecycle {
  declare info: ClientInfo
  opened = false
  #header: Metadata | undefined
  #trailer: Metadata | undefined
  readonly #call: Lifecycle

  constructor(call: Lifecycle, timers: Timers, info: ClientInfo) {
    super([], timers, info)
    this.#call = call
  }

  override streamStart(): void {
    this.opened = true
    const { info } = this.#call
    const { address, protocol } = this.info
    if (info.address === "") Object.assign(info, { address, protocol })
    this.#call.streamStart()
  }

  override streamRecvHeader(header: Metadata): void {
    this.#header ??= header
  }

  override streamFinish(trailer: Metadata): void {
    this.#trailer ??= trailer
  }

  readonly tellRest = (call: Lifecycle): void => {
    if (this.#header !== undefined) call.streamRecvHeader(this.#header)
    if (this.#trailer !== undefined) call.streamFinish(this.#trailer)
  }
}

/** The function of a unary method. @internal */
export const unaryFunction = (
  caller: Caller,
  method: ClientMethod
): ((request: unknown, options?: UnaryCallOptions) => Effect.Effect<unknown, UnaryError>) => {
  const { unary = {} } = caller.parts.options
  const policies = new PolicyOptions(unary)
  const usualTimeout = timeoutOf(unary)
  return (request, options) => {
    const own = policies.of(options)
    const rpcTimeout = options !== undefined && "rpcTimeout" in options ? timeoutOf(options) : usualTimeout
    // Those that streams do not have are read here alone.
    const plain = options as CallOptions | undefined
    return own === undefined && rpcTimeout === Infinity
      ? caller.unary(method, request, plain)
      : Effect.withFiber((fiber) => governed(caller, method, request, plain, own ?? noPolicies, rpcTimeout, fiber))
  }
}

const noPolicies: Policies = {}

/** In milliseconds, infinite for none. A timeout of zero has passed: it must not mean "none". */
const timeoutOf = ({ rpcTimeout }: UnaryPolicies): number =>
  rpcTimeout === undefined ? Infinity : Duration.toMillis(rpcTimeout)

const governed = (
  caller: Caller,
  method: ClientMethod,
  request: unknown,
  options: CallOptions = noOptions,
  policies: Policies,
  rpcTimeout: number,
  fiber: Fiber.Fiber<unknown, unknown>
): Effect.Effect<unknown, UnaryError> => {
  const { env, opener, tracers } = caller.parts
  const { timers } = env
  const infoOf = (fiber: Fiber.Fiber<unknown, unknown>) => caller.ownInfo(method, callContext.logId(fiber), request)
  const make = (fiber: Fiber.Fiber<unknown, unknown>, call: Lifecycle, hostPort: string | undefined): AttemptCall => {
    const lifecycle = new AttemptLifecycle(call, timers, infoOf(fiber))
    const { info, tellRest } = lifecycle
    const placed = hostPort === undefined ? options : { ...options, hostPort }
    const answer = Effect.withFiber((fiber) => caller.unaryAttempt(fiber, method, request, placed, info, lifecycle))
    return {
      info,
      get counts() {
        return lifecycle.counts
      },
      tellRest,
      run: rpcTimeout === Infinity ? answer : limited(answer, method, timers, lifecycle, rpcTimeout)
    }
  }
  const info = infoOf(fiber)
  // Policies may look at it.
  info.request = request
  const call = inAttempts({ tracers, timers }, info, policies, opener.deadline(fiber, options), make)
  return call as Effect.Effect<unknown, UnaryError>
}

/** `rpcTimeout` covers middleware, as in Kitex, where `rpcTimeoutMW` stands outside of it (`client/client.go`). */
const limited = (
  answer: Effect.Effect<unknown, UnaryError>,
  method: ClientMethod,
  timers: Timers,
  attempt: AttemptLifecycle,
  timeout: number
): Effect.Effect<unknown, UnaryError> =>
  Effect.withFiber((fiber) => {
    const due = timers.now() + timeout
    if (due > (fiber.getRef(Deadline.Current) ?? Infinity)) return answer
    const overdue = () =>
      replyErrors.overdue(attempt.info, method.unplaced.callee, timeout, {
        ownTimeout: true,
        millis: timeout,
        sent: attempt.opened
      })
    attempt.overdue = overdueAt(timers, due, overdue)
    if (timeout <= 0) return Effect.fail(overdue())
    const sent = Effect.catch(Effect.provideService(answer, Deadline.Current, due), (error) =>
      // What is sent as the deadline of the attempt is its timeout, whoever notices first.
      Effect.fail(isDeadline(error) && timers.now() >= due ? overdue() : error)
    )
    return until(sent, timers, due, overdue)
  })

const isDeadline = (error: unknown): boolean => error instanceof RpcError && error.reason._tag === "DeadlineExceeded"
