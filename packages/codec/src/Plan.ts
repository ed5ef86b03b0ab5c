/**
 * The form of a message on the wire and in a program, without the schema it came from: what codecs are compiled from,
 * what IDLs are printed from, and what tells whether two types are the same.
 *
 * @since 0.1.0
 */
import type { SchemaLike } from "./internal/annotations.ts"
import { describe as describePlan } from "./internal/describe.ts"
import { messagePlanOf, planOf } from "./internal/fromSchema.ts"
import { type Member, type NamedPlan, type Plan, type StructPlan, wrapperOf } from "./internal/plan.ts"

export type {
  /**
   * How a member is written and read: always written, left out when absent, or missed when absent.
   *
   * @since 0.1.0
   * @category models
   */
  Requiredness,
  /**
   * The kinds of values that hold no others. `i64number` and `i64string` are `i64` on the wire.
   *
   * @since 0.1.0
   * @category models
   */
  ScalarKind
} from "./internal/annotations.ts"

export type {
  /**
   * A member of a union.
   *
   * @since 0.1.0
   * @category models
   */
  Case,
  /**
   * An enum with its members.
   *
   * @since 0.1.0
   * @category models
   */
  EnumPlan,
  /**
   * A list or set, and whether it is an array or a Set in a program.
   *
   * @since 0.1.0
   * @category models
   */
  ListPlan,
  /**
   * A map, and whether it is a Map or an array of entries in a program.
   *
   * @since 0.1.0
   * @category models
   */
  MapPlan,
  /**
   * A member of a struct.
   *
   * @since 0.1.0
   * @category models
   */
  Member,
  /**
   * A type that has a name.
   *
   * @since 0.1.0
   * @category models
   */
  NamedPlan,
  /**
   * Any type. Types that hold themselves make plans with circles.
   *
   * @since 0.1.0
   * @category models
   */
  Plan,
  /**
   * A type that holds no others.
   *
   * @since 0.1.0
   * @category models
   */
  ScalarPlan,
  /**
   * A struct or an exception.
   *
   * @since 0.1.0
   * @category models
   */
  StructPlan,
  /**
   * A value that is another one on the wire.
   *
   * @since 0.1.0
   * @category models
   */
  TransformPlan,
  /**
   * A union.
   *
   * @since 0.1.0
   * @category models
   */
  UnionPlan
} from "./internal/plan.ts"

/**
 * The plan of a struct, union or exception. Throws `CodecError` where a schema is no Thrift message.
 *
 * **Example**
 *
 * ```ts
 * import { Plan, Thrift } from "@millrace/codec"
 *
 * class Request extends Thrift.Struct<Request>("echo.Request")({ message: Thrift.optional(1, Thrift.String) }) {}
 *
 * Plan.of(Request).name // "echo.Request"
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const of = (schema: SchemaLike): NamedPlan => messagePlanOf(schema)

/**
 * The plan of any type. Throws `CodecError` where a schema has no wire type.
 *
 * @since 0.1.0
 * @category constructors
 */
export const ofType = (schema: SchemaLike): Plan => planOf(schema)

/**
 * The plan of the struct around the arguments or the result of a method, which has no type of its own.
 *
 * @since 0.1.0
 * @category constructors
 */
export const wrapper = (
  name: string,
  isResult: boolean,
  members: ReadonlyArray<Pick<Member, "id" | "name" | "thriftName" | "plan">>
): StructPlan => wrapperOf(name, isResult, members)

/**
 * Types and all that they hold as text, a line for each member: for people, and to compare.
 *
 * @since 0.1.0
 * @category getters
 */
export const describe = (plans: NamedPlan | ReadonlyArray<NamedPlan>): string => describePlan([plans].flat())

/**
 * Whether two types have the same names, members and defaults, and so the same bytes.
 *
 * @since 0.1.0
 * @category predicates
 */
export const equals = (one: NamedPlan, other: NamedPlan): boolean =>
  one === other || describePlan([one]) === describePlan([other])
