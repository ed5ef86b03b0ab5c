/**
 * Answers in place of calls that fail, for PingPong calls and unary methods: a value from a cache, a default. It stands outside of
 * all retries, and is Kitex's `pkg/fallback`.
 *
 * @since 0.1.0
 */
import type { CallPolicy } from "@millrace/rpc/CallPolicy"
import { RpcError } from "@millrace/rpc/RpcError"
import type { RpcInfo } from "@millrace/rpc/RpcInfo"
import type * as Service from "@millrace/rpc/Service"
import * as Effect from "effect/Effect"
import {
  type AnsweredName,
  type AnswerOf,
  type FailureOf,
  forService as byMethod,
  type RequestOf
} from "./internal/forService.ts"

/**
 * A call as fallbacks see it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Call<Request = unknown> {
  /** A message, or the arguments by name. */
  readonly request: Request
  readonly info: RpcInfo
}

/**
 * What a fallback makes of an outcome: undefined leaves it as it is. It may fail, with that or another failure.
 *
 * @since 0.1.0
 * @category models
 */
export interface Handlers<Failure = unknown, Answer = unknown, Request = unknown> {
  /** An `RpcError`, a `BizStatusError` or a declared exception; not an interruption, and not a defect. */
  readonly onFailure?:
    | ((failure: Failure, call: Call<Request>) => Effect.Effect<Answer, Failure> | undefined)
    | undefined
  readonly onAnswer?: ((answer: Answer, call: Call<Request>) => Effect.Effect<Answer, Failure> | undefined) | undefined
}

/**
 * Options of a fallback.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /**
   * Whether RPCFinish, and so the metrics, report what the fallback came to. Default false: they report the outcome that it stands in
   * for, as they do of an answer and of a business error in any case. Kitex's `EnableReportAsFallback`.
   */
  readonly reportsAnswer?: boolean | undefined
}

/**
 * A fallback for all methods, which does not know their types: see {@link forService}.
 *
 * **Example** (Not a failure, but nothing)
 *
 * ```ts
 * import { Fallback } from "@millrace/governance"
 * import { Effect } from "effect"
 *
 * const empty = Fallback.make({
 *   onFailure: (_failure, { info }) => (info.method === "Suggest" ? Effect.succeed([]) : undefined)
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = ({ onAnswer, onFailure }: Handlers, { reportsAnswer = false }: Options = {}): CallPolicy => ({
  reportsAnswer,
  run: (attempt, info) => {
    const answered = attempt(0)
    const call = { info, request: info.request }
    return Effect.matchEffect(answered, {
      onFailure: (failure) => onFailure?.(failure, call) ?? Effect.fail(failure),
      onSuccess: (answer) => onAnswer?.(answer, call) ?? Effect.succeed(answer)
    })
  }
})

/**
 * A fallback for calls that timed out or were refused by a circuit breaker: Kitex's `TimeoutAndCBFallback`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const ofTimeoutAndCircuitOpen = (
  onFailure: NonNullable<Handlers<RpcError>["onFailure"]>,
  options?: Options
): CallPolicy =>
  make(
    {
      onFailure: (failure, call) =>
        failure instanceof RpcError && timeoutOrOpen.has(failure.reason._tag) ? onFailure(failure, call) : undefined
    },
    options
  )

const timeoutOrOpen: ReadonlySet<string> = new Set([
  "RpcTimeout",
  "RecvTimeout",
  "FirstMessageTimeout",
  "DeadlineExceeded",
  "CircuitOpen"
])

/**
 * A fallback for methods of a service by their names, which knows their types. Other methods have none.
 *
 * **Example** (A price of yesterday)
 *
 * ```ts
 * import { Thrift } from "@millrace/codec"
 * import { Fallback } from "@millrace/governance"
 * import { Client, Method, Service } from "@millrace/rpc"
 * import { Effect } from "effect"
 *
 * class Shop extends Service.make("Shop", {
 *   methods: [Method.pingPong("Price", { arguments: { item: Thrift.field(1, Thrift.String) }, response: Thrift.I64 })]
 * }) {}
 *
 * const yesterday = new Map([["tea", 5n]])
 * const client = Client.make(Shop, {
 *   hostPorts: ["10.0.0.1:8888"],
 *   fallback: Fallback.forService(Shop, {
 *     Price: {
 *       onFailure: (_failure, { request }) => {
 *         const price = yesterday.get(request.item)
 *         return price === undefined ? undefined : Effect.succeed(price)
 *       }
 *     }
 *   })
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const forService = <S extends Service.Any>(
  service: S,
  methods: { readonly [N in AnsweredName<S>]?: Handlers<FailureOf<S, N>, AnswerOf<S, N>, RequestOf<S, N>> },
  options?: Options
): CallPolicy => {
  const handlersOf = byMethod<Handlers>("Fallback.forService", service, methods)
  return make(
    {
      onFailure: (failure, call) => handlersOf(call.info)?.onFailure?.(failure, call),
      onAnswer: (answer, call) => handlersOf(call.info)?.onAnswer?.(answer, call)
    },
    options
  )
}
