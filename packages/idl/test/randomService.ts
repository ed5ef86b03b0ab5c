/** Random services, schema first, and random values of their messages. */
import { type Plan, Thrift } from "@millrace/codec"
import { Method, Service } from "@millrace/rpc"
import { Schema } from "effect"

/** Numbers below `n`, the same for the same seed. */
export type Random = (n: number) => number

export const random = (seed: number): Random => {
  let state = seed
  return (n) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n
  }
}

const pick = <A>(random: Random, items: ReadonlyArray<A>): A => items[random(items.length)]!

const scalars: ReadonlyArray<Schema.Top> = [
  Thrift.Bool,
  Thrift.I8,
  Thrift.I16,
  Thrift.I32,
  Thrift.I64,
  Thrift.I64Number,
  Thrift.I64String,
  Thrift.Double,
  Thrift.String,
  Thrift.Binary
]

interface Known {
  readonly schema: Schema.Top
  readonly isException: boolean
  readonly isStruct: boolean
}

const typeOf = (random: Random, known: ReadonlyArray<Known>, self: Schema.Top | undefined, depth = 0): Schema.Top => {
  const inner = () => typeOf(random, known, self, depth + 1)
  switch (random(depth > 2 ? 3 : 6)) {
    case 0:
      return pick(random, scalars)
    case 1:
      return known.length === 0 ? Thrift.I32 : pick(random, known).schema
    case 2:
      return self !== undefined && depth > 0 ? self : pick(random, scalars)
    case 3:
      return Thrift.list(inner())
    case 4:
      return Thrift.set(inner())
    default:
      return Thrift.map(inner(), inner())
  }
}

// defaults of every kind that has a literal
const defaults = new Map<Schema.Top, ReadonlyArray<unknown>>([
  [Thrift.Bool, [true, false]],
  [Thrift.I8, [-128, 0, 127]],
  [Thrift.I32, [0, -1, 2147483647]],
  [Thrift.I64, [0n, 2n ** 63n - 1n, -(2n ** 63n)]],
  [Thrift.I64Number, [9007199254740991]],
  [Thrift.I64String, ["-9223372036854775808"]],
  [Thrift.Double, [0, -0, 1.5, 1e21, 1e-7, 123456789]],
  [Thrift.String, ["", "a\"b\\c'd\n\r\t\0\u{1f600}é\u2028\x7f\\n"]],
  [Thrift.Binary, [Uint8Array.of(0, 34, 92, 65, 127, 128, 255, 10)]]
])

const memberOf = (random: Random, id: number, schema: Schema.Top): Schema.Top => {
  const make: any = pick(random, [Thrift.field, Thrift.optional, Thrift.required])
  const values = defaults.get(schema)
  if (values === undefined || random(2) === 0) return make(id, schema)
  const value = pick(random, values)
  return make(id, schema, { default: () => value })
}

/** Ids as people give them: mostly in order, some far away. */
const idsOf = (random: Random, count: number): ReadonlyArray<number> => {
  const ids = new Set<number>()
  for (let id = 1; ids.size < count; id += 1 + (random(4) === 0 ? random(1000) : 0)) ids.add(id)
  return [...ids]
}

const definition = (random: Random, name: string, known: ReadonlyArray<Known>): Known => {
  const full = `gen.${name}`
  if (random(5) === 0) {
    const members = Object.fromEntries(idsOf(random, 1 + random(4)).map((id) => [`M${id}`, id - 3]))
    return { schema: Thrift.Enum(full, members) as any, isException: false, isStruct: false }
  }
  let made: Schema.Top
  const self = Schema.suspend((): Schema.Codec<unknown> => made as any)
  const kind = pick(random, ["struct", "struct", "union", "exception"])
  const ids = idsOf(random, kind === "union" ? 1 + random(4) : random(6))
  const fields = Object.fromEntries(
    ids.map((id, i) => {
      const schema = typeOf(random, known, self)
      return [`m${i}_${id}`, kind === "union" ? Thrift.field(id, schema) : memberOf(random, id, schema)]
    })
  )
  made =
    kind === "union"
      ? Thrift.Union(full, fields as any)
      : kind === "exception"
        ? (class extends Thrift.Exception<any>()(full, fields) {} as any)
        : (class extends Thrift.Struct<any>(full)(fields) {} as any)
  return { schema: made, isException: kind === "exception", isStruct: kind !== "union" }
}

const exceptionsOf = (random: Random, known: ReadonlyArray<Known>) => {
  const all = known.filter(({ isException }) => isException)
  return Object.fromEntries(all.slice(0, random(3)).map(({ schema }, i) => [`error${i}`, Thrift.field(i + 1, schema)]))
}

const methodOf = (random: Random, name: string, known: ReadonlyArray<Known>): Method.Any => {
  const structs = known.filter(({ isStruct, isException }) => isStruct && !isException)
  const message = () => pick(random, structs).schema
  const args = () =>
    Object.fromEntries(
      idsOf(random, random(4)).map((id) => [`argument${id}`, Thrift.field(id, typeOf(random, known, undefined))])
    )
  switch (random(6)) {
    case 0:
      return Method.bidirectional(name, { request: message(), response: message() })
    case 1:
      return Method.clientStreaming(name, { request: message(), response: message() })
    case 2:
      return Method.serverStreaming(name, { request: message(), response: message() })
    case 3:
      return Method.oneway(name, { arguments: args() })
    case 4: {
      const exceptions = exceptionsOf(random, known)
      return Method.unary(name, { request: message(), response: message(), argumentId: 1 + random(9), exceptions })
    }
    default: {
      const response = random(3) === 0 ? undefined : typeOf(random, known, undefined)
      return Method.pingPong(name, { arguments: args(), response, exceptions: exceptionsOf(random, known) })
    }
  }
}

/** A service in the package `gen`, whose types are called `gen.T0`, `gen.T1` and so on. */
export const randomService = (random: Random): Service.Any => {
  const known: Array<Known> = [
    { schema: class extends Thrift.Struct<any>("gen.Empty")({}) {} as any, isException: false, isStruct: true }
  ]
  for (let i = 0; i < 8; i++) known.push(definition(random, `T${i}`, known))
  const methods = Array.from({ length: 1 + random(6) }, (_, i) => methodOf(random, `call${i}`, known))
  return Service.make("Random", { package: "gen", methods })
}

const numbers: Readonly<Record<string, ReadonlyArray<unknown>>> = {
  bool: [true, false],
  i8: [-128, 0, 127],
  i16: [-32768, 5],
  i32: [-2147483648, 0, 7],
  enum: [-2, -1, 0, 1, 99],
  i64: [0n, -(2n ** 63n), 5n],
  i64number: [0, 9007199254740991],
  i64string: ["0", "-5"],
  double: [0, -0, 1.5, Number.NaN, Infinity],
  string: ["", "é\u{1f600}", "x"],
  binary: [new Uint8Array(0), Uint8Array.of(1, 2, 255)]
}

const mayBeAbsent = ({ requiredness, plan, default: value }: Plan.Member): boolean =>
  value === undefined &&
  (requiredness === "optional" || (requiredness === "default" && (plan.kind === "struct" || plan.kind === "union")))

/** A value of a plan; deep down it is as small as it can be. */
export const randomValue = (random: Random, plan: Plan.Plan, depth = 0): any => {
  const items = () => Array.from({ length: depth > 3 ? 0 : random(3) })
  const inner = (plan: Plan.Plan) => randomValue(random, plan, depth + 1)
  switch (plan.kind) {
    case "list":
    case "set": {
      const values = items().map(() => inner(plan.element))
      return plan.collection === "set" ? new Set(values) : values
    }
    case "map": {
      const entries = items().map(() => [inner(plan.key), inner(plan.value)] as const)
      return plan.collection === "map" ? new Map(entries) : entries
    }
    case "transform":
      return plan.decode(inner(plan.inner))
    case "union": {
      // a case that ends, where there is one
      const ends = plan.cases.filter(({ plan }) => plan.kind !== "struct" && plan.kind !== "union")
      const { tag, plan: payload } = pick(random, depth > 3 && ends.length > 0 ? ends : plan.cases)
      return { _tag: tag, value: inner(payload) }
    }
    case "struct": {
      const present = plan.members.filter((member) => !mayBeAbsent(member) || random(3) > 0)
      return Object.fromEntries(present.map((member) => [member.name, inner(member.plan)]))
    }
    default:
      return pick(random, numbers[plan.kind]!)
  }
}
