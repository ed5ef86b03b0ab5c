/**
 * The wire plan of a message, which the three kinds of codecs are made from: what is written and read, without the
 * schema it came from.
 */
import type { Compiled } from "../Runtime.ts"
import type { Requiredness, ScalarKind } from "./annotations.ts"

/** @internal */
export interface ScalarPlan {
  readonly kind: ScalarKind
}

/** @internal */
export interface EnumPlan {
  readonly kind: "enum"
  readonly name: string
  readonly members: ReadonlyArray<readonly [name: string, value: number]>
}

/** @internal */
export interface ListPlan {
  readonly kind: "list" | "set"
  readonly element: Plan
  readonly collection: "array" | "set"
}

/** @internal */
export interface MapPlan {
  readonly kind: "map"
  readonly key: Plan
  readonly value: Plan
  readonly collection: "map" | "entries"
}

/** @internal */
export interface Member {
  readonly id: number
  /** The property in a program. */
  readonly name: string
  /** The name in the IDL, where it is another one. */
  readonly thriftName?: string | undefined
  readonly plan: Plan
  readonly requiredness: Requiredness
  /** Makes the value of the absent member, where it is not the zero of its type. */
  readonly default: (() => unknown) | undefined
}

/** @internal */
export interface StructPlan {
  readonly kind: "struct"
  /** The full name, `echo.Request`. */
  readonly name: string
  /** The root of error paths. */
  readonly label: string
  members: ReadonlyArray<Member>
  /** Members that are the same in every message and not on the wire, such as `_tag`. */
  constants: ReadonlyArray<readonly [name: string, value: unknown]>
  /** Makes an instance through the constructor; decoded structs only share its prototype, exceptions are made by it. */
  readonly make: ((fields: object) => object) | undefined
  readonly isException: boolean
  /** A result tolerates the void `success` of Kitex's generic servers: type 1, id 0, one STOP. */
  readonly isResult: boolean
  readonly compiled: Compiled | undefined
}

/** @internal */
export interface Case {
  readonly id: number
  /** The tag in a program. */
  readonly tag: string
  /** The name in the IDL, where it is another one. */
  readonly thriftName?: string | undefined
  readonly plan: Plan
}

/** @internal */
export interface UnionPlan {
  readonly kind: "union"
  /** The full name, `echo.Choice`. */
  readonly name: string
  readonly label: string
  cases: ReadonlyArray<Case>
  readonly compiled: Compiled | undefined
}

/** A value that is another one on the wire: a transformation of Schema that is total and synchronous.
 *
 * @internal
 */
export interface TransformPlan {
  readonly kind: "transform"
  readonly inner: Plan
  readonly decode: (wire: any) => unknown
  readonly encode: (value: any) => unknown
}

/** @internal */
export type NamedPlan = StructPlan | UnionPlan

/** @internal */
export type Plan = ScalarPlan | EnumPlan | ListPlan | MapPlan | TransformPlan | NamedPlan

/** A struct that no class stands for, as the arguments and the result of a method are.
 *
 * @internal
 */
export const wrapperOf = (
  name: string,
  isResult: boolean,
  members: ReadonlyArray<Pick<Member, "id" | "name" | "thriftName" | "plan">>
): StructPlan => ({
  kind: "struct",
  name,
  label: name,
  members: members.map((member) => ({
    ...member,
    requiredness: isResult ? "optional" : "default",
    default: undefined
  })),
  constants: [],
  make: undefined,
  isException: false,
  isResult,
  compiled: undefined
})

/** @internal */
export const lastSegment = (name: string): string => name.slice(name.lastIndexOf(".") + 1)

/** The prototype of the instances of a class, known only once the class is complete.
 *
 * @internal
 */
export const prototypeOf = (make: ((fields: object) => object) | undefined): object =>
  make === undefined ? Object.prototype : Object.getPrototypeOf(make({}))

/** @internal */
export const hasZero = (plan: Plan): boolean =>
  plan.kind === "transform" ? hasZero(plan.inner) : plan.kind !== "struct" && plan.kind !== "union"

/** The zero of a type that has one.
 *
 * @internal
 */
export const zeroOf = (plan: { readonly kind: string }): unknown => {
  const { collection, decode, inner } = plan as any
  switch (plan.kind) {
    case "bool":
      return false
    case "i64":
      return 0n
    case "i64string":
      return "0"
    case "string":
      return ""
    case "binary":
      return new Uint8Array(0)
    case "list":
    case "set":
      return collection === "set" ? new Set() : []
    case "map":
      return collection === "map" ? new Map() : []
    case "transform":
      return decode(zeroOf(inner))
    default:
      return 0
  }
}
