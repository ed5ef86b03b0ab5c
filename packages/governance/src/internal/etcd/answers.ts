/**
 * What the gateway answers, as far as it is read here. A number of 64 bits is a text, and what is zero or empty is not there.
 *
 * @internal
 */
import * as Schema from "effect/Schema"

const Int64 = Schema.String.check(Schema.isPattern(/^-?\d{1,19}$/))

const KeyValue = Schema.Struct({ key: Schema.optionalKey(Schema.String), value: Schema.optionalKey(Schema.String) })

/** @internal */
export type KeyValue = typeof KeyValue.Type

/** @internal */
export const Nothing = Schema.Struct({})

/** @internal */
export const Token = Schema.Struct({ token: Schema.String })

/** @internal */
export const Range = Schema.Struct({
  header: Schema.Struct({ revision: Int64 }),
  kvs: Schema.optionalKey(Schema.Array(KeyValue))
})

/** @internal */
export const Lease = Schema.Struct({ ID: Int64 })

/** How long a lease goes on, in seconds; one that is over has no such time. */
export const KeepAlive = Schema.Struct({ result: Schema.Struct({ TTL: Schema.optionalKey(Int64) }) })

/** @internal */
export const Watch = Schema.Struct({
  result: Schema.Struct({
    canceled: Schema.optionalKey(Schema.Boolean),
    cancel_reason: Schema.optionalKey(Schema.String),
    compact_revision: Schema.optionalKey(Int64),
    events: Schema.optionalKey(
      Schema.Array(Schema.Struct({ type: Schema.optionalKey(Schema.String), kv: Schema.optionalKey(KeyValue) }))
    )
  })
})

/** @internal */
export type Watch = typeof Watch.Type
