/**
 * Faults of a connection as data: split, delay, stall, cut. A Schema, so that property tests generate and shrink them.
 *
 * @since 0.1.0
 */
import type * as MemoryTransport from "@millrace/transport/MemoryTransport"
import * as Schema from "effect/Schema"

const position = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4000 }))

/**
 * What goes wrong in one direction. Positions are bytes from the beginning of the connection, its preface included.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Direction = Schema.Struct({
  /** Sizes of the pieces that arrive, in turn. */
  split: Schema.optionalKey(Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 64 })))),
  /** Milliseconds before each piece. */
  delay: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 }))),
  /** Nothing behind this byte arrives. */
  stallAt: Schema.optionalKey(position),
  /** Behind this byte the connection breaks, for both ends. */
  cutAt: Schema.optionalKey(position)
})

/**
 * What goes wrong in one direction.
 *
 * @since 0.1.0
 * @category models
 */
export type Direction = (typeof Direction)["Type"]

/**
 * Faults of both directions.
 *
 * **Example** (A connection that breaks)
 *
 * ```ts
 * import { FaultPlan, Testing } from "@millrace/rpc/testing"
 *
 * const broken: FaultPlan.FaultPlan = { toServer: {}, toClient: { split: [1], cutAt: 300 } }
 * const Server = Testing.layer([], { faults: broken })
 * ```
 *
 * @since 0.1.0
 * @category schemas
 */
export const FaultPlan = Schema.Struct({ toServer: Direction, toClient: Direction })

/**
 * Faults of both directions.
 *
 * @since 0.1.0
 * @category models
 */
export type FaultPlan = (typeof FaultPlan)["Type"]

/**
 * Faults that lose nothing: bytes arrive in other pieces and later, but all of them and in order.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Lossless = Schema.Struct({
  toServer: Schema.Struct({ split: Direction.fields.split, delay: Direction.fields.delay }),
  toClient: Schema.Struct({ split: Direction.fields.split, delay: Direction.fields.delay })
})

/**
 * The plan as options of the memory transport.
 *
 * @since 0.1.0
 * @category converting
 */
export const toFaults = (plan: FaultPlan): Pick<MemoryTransport.Options, "toServer" | "toClient"> => plan
