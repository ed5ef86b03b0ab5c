/**
 * The budgets of clients as policies: from effect's `Config`, a file, or a reference, for the option `timeouts` of clients. A file has
 * only good ones; for a reference that code sets there is `Policy.checked`.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { DurationInput } from "./Policy.ts"

const duration = Schema.optionalKey(DurationInput)

/**
 * The budgets of streams and unary calls, each named as the option of `StreamClient`. What is absent is as the client's options say.
 *
 * **Example** (Budgets of a file)
 *
 * ```ts
 * import { Policy, Timeouts } from "@millrace/governance"
 * import { StreamClient, type Service } from "@millrace/rpc"
 * import { Effect } from "effect"
 *
 * const client = <S extends Service.Any>(service: S) =>
 *   Effect.gen(function* () {
 *     const timeouts = yield* Policy.fromFile("timeouts.json", Timeouts.Streams)
 *     return yield* StreamClient.make(service, { timeouts })
 *   })
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export const Streams = Schema.Struct({
  timeout: duration,
  recvTimeout: duration,
  recvTimeoutCancels: Schema.optionalKey(Schema.Boolean),
  sendTimeout: duration,
  firstMessageTimeout: duration,
  connectTimeout: duration,
  stallWarning: duration
}).annotate({ title: "Timeouts.Streams" })

/**
 * A value of {@link Streams}.
 *
 * @since 0.1.0
 * @category models
 */
export type Streams = (typeof Streams)["Type"]

/**
 * The budgets of PingPong calls, each named as the option of `Client`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Calls = Schema.Struct({ rpcTimeout: duration, connectTimeout: duration }).annotate({
  title: "Timeouts.Calls"
})

/**
 * A value of {@link Calls}.
 *
 * @since 0.1.0
 * @category models
 */
export type Calls = (typeof Calls)["Type"]
