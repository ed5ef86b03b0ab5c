/**
 * Kitex's business errors: a call that worked and whose answer is no. Not a failure of the RPC, and none for breakers,
 * retries or RPCFinish.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/**
 * A business error, sent as `biz-status` and `biz-extra` beside status 13, as Kitex
 * writes them (`nphttp2/grpc/http2_server.go`).
 *
 * **Example** (Refusing with a business error)
 *
 * ```ts
 * import { BizStatusError } from "@millrace/rpc"
 * import { Effect } from "effect"
 *
 * const refuse = Effect.fail(new BizStatusError.BizStatusError({ statusCode: 404, statusMessage: "no such model" }))
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export class BizStatusError extends Schema.TaggedError<BizStatusError>("@millrace/rpc/BizStatusError")(
  "BizStatusError",
  {
    statusCode: Schema.Int,
    statusMessage: Schema.String,
    extra: Schema.Record(Schema.String, Schema.String).pipe(
      Schema.withConstructorDefault(Effect.succeed<Readonly<Record<string, string>>>({}))
    )
  }
) {
  override get message() {
    return `biz error: code=${this.statusCode}, msg=${this.statusMessage}`
  }
}
