/**
 * Kitex's business errors: a call that worked and whose answer is no. Not a failure of the RPC: RPCFinish, metrics and breakers
 * count it as a success. For programs, handlers and middleware around calls it is a failure with a type, as any other error of an
 * Effect; a retry there has to leave it out (`error._tag === "RpcError"`).
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/**
 * A business error. A stream sends it as `biz-status` and `biz-extra` beside status 13 (`nphttp2/grpc/http2_server.go`), a
 * PingPong call in the TTHeader of its answer; where there is no TTHeader it cannot be sent, and the caller sees a result
 * without a value.
 *
 * A code of 0 is a business error in a stream, and none in a TTHeader, as in Kitex.
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
    statusCode: Schema.Int.check(Schema.isInt32()),
    statusMessage: Schema.String,
    extra: Schema.Record(Schema.String, Schema.String).pipe(
      Schema.withConstructorDefault(Effect.succeed<Readonly<Record<string, string>>>({}))
    ),
    /**
     * Kitex's `GRPCBizStatusError`: the status of the stream in place of 13, which peers see that know nothing of business
     * errors. PingPong calls do not send it.
     */
    rpcCode: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 2 ** 31 - 1 }))),
    /**
     * The details of that status, `StatusDetails.encode` of the same code and message: peers take both from there. PingPong
     * calls do not send them.
     */
    details: Schema.optionalKey(Schema.Uint8Array)
  }
) {
  override get message() {
    return `biz error: code=${this.statusCode}, msg=${this.statusMessage}`
  }
}

/**
 * Reads the `extra` of a business error by a schema.
 *
 * **Example** (An extra with types, on both sides)
 *
 * ```ts
 * import { BizStatusError } from "@millrace/rpc"
 * import { Effect, Schema } from "effect"
 *
 * const Quota = Schema.Struct({ tenant: Schema.String, limit: Schema.NumberFromString })
 *
 * const refuse = Effect.flatMap(BizStatusError.extraFrom(Quota)({ tenant: "acme", limit: 10 }), (extra) =>
 *   Effect.fail(new BizStatusError.BizStatusError({ statusCode: 429, statusMessage: "over quota", extra }))
 * )
 * const limit = refuse.pipe(
 *   Effect.catchTag("BizStatusError", (error) => BizStatusError.extraAs(Quota)(error)),
 *   Effect.map((quota) => quota.limit)
 * )
 * ```
 *
 * @since 0.1.0
 * @category extra
 */
export const extraAs = <A, RD, RE>(
  schema: Schema.Codec<A, Extra, RD, RE>
): ((error: BizStatusError) => Effect.Effect<A, Schema.SchemaError, RD>) => {
  const decode = Schema.decodeUnknownEffect(schema)
  return (error) => decode(error.extra)
}

/**
 * The `extra` of a business error from a value, by a schema.
 *
 * @since 0.1.0
 * @category extra
 */
export const extraFrom = <A, RD, RE>(
  schema: Schema.Codec<A, Extra, RD, RE>
): ((value: A) => Effect.Effect<Readonly<Record<string, string>>, Schema.SchemaError, RE>) => {
  const encode = Schema.encodeEffect(schema)
  return (value) => Effect.map(encode(value), withoutAbsent)
}

/**
 * What a schema of an `extra` encodes to: strings, some of which may be absent.
 *
 * @since 0.1.0
 * @category models
 */
export type Extra = Readonly<Record<string, string | undefined>>

const withoutAbsent = (extra: Extra): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(extra).filter((entry): entry is [string, string] => entry[1] !== undefined))
