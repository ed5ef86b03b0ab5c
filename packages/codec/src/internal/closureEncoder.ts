/**
 * Plan → encoder made of closures.
 *
 * A writer writes from position `p`, may nest `d` deep, asks for its own room and returns the position behind.
 */
import type { Output } from "../Output.ts"
import * as Bytes from "./bytes.ts"
import type { Settings } from "./options.ts"
import type { Member, NamedPlan, Plan, StructPlan, UnionPlan } from "./plan.ts"
import { absentValue, inOrder, isNilable, mayBeAbsent, omitsDefault, wireType } from "./wire.ts"

type Write = (v: any, out: Output, p: number, d: number) => number

const room = (out: Output, p: number, size: number): Uint8Array =>
  out.buffer.length - p < size ? Bytes.grow(out, p, size) : out.buffer

const bool: Write = (v, out, p) => {
  if (v !== true && v !== false) throw Bytes.bad
  room(out, p, 1)[p] = v ? 1 : 0
  return p + 1
}

const i8: Write = (v, out, p) => {
  if ((v << 24) >> 24 !== v) throw Bytes.bad
  room(out, p, 1)[p] = v
  return p + 1
}

const i16: Write = (v, out, p) => {
  if ((v << 16) >> 16 !== v) throw Bytes.bad
  room(out, p, 2)
  out.view.setInt16(p, v)
  return p + 2
}

const i32: Write = (v, out, p) => {
  if ((v | 0) !== v) throw Bytes.bad
  room(out, p, 4)
  out.view.setInt32(p, v)
  return p + 4
}

const i64: Write = (v, out, p) => {
  if (typeof v !== "bigint" || BigInt.asIntN(64, v) !== v) throw Bytes.bad
  room(out, p, 8)
  out.view.setBigInt64(p, v)
  return p + 8
}

const i64number: Write = (v, out, p) => {
  if (!Number.isSafeInteger(v)) throw Bytes.bad
  room(out, p, 8)
  out.view.setInt32(p, Math.floor(v / 0x1_0000_0000))
  out.view.setUint32(p + 4, v >>> 0)
  return p + 8
}

const i64string: Write = (v, out, p) => {
  room(out, p, 8)
  Bytes.writeI64String(out.view, p, v)
  return p + 8
}

const double: Write = (v, out, p) => {
  if (typeof v !== "number") throw Bytes.bad
  room(out, p, 8)
  out.view.setFloat64(p, v)
  return p + 8
}

const string: Write = (v, out, p) => {
  if (typeof v !== "string") throw Bytes.bad
  const b = out.buffer.length - p < v.length * 3 + 4 ? Bytes.growString(out, p, v, 4) : out.buffer
  return Bytes.writeString(b, out.view, p, v)
}

const binary: Write = (v, out, p) => {
  if (!(v instanceof Uint8Array)) throw Bytes.bad
  const b = room(out, p, v.length < Bytes.inlineLimit ? v.length + 4 : 4)
  return Bytes.writeBinary(out, b, out.view, p, v)
}

const scalars = { bool, i8, i16, i32, enum: i32, i64, i64number, i64string, double, string, binary }

const stop: Write = (_, out, p) => {
  room(out, p, 1)[p] = 0
  return p + 1
}

// The writers of all types of a message, by plan; filled while they are made, so that types can hold each other.
interface Writers {
  readonly settings: Settings
  readonly named: Map<NamedPlan, { write: Write }>
}

const writer = (s: Writers, plan: Plan): Write => {
  switch (plan.kind) {
    case "struct":
    case "union": {
      const found = s.named.get(plan) ?? { write: plan.compiled!.encode }
      return s.settings.absentStruct === "empty"
        ? (v, out, p, d) => (v === undefined ? stop(v, out, p, d) : found.write(v, out, p, d - 1))
        : (v, out, p, d) => found.write(v, out, p, d - 1)
    }
    case "list":
    case "set":
      return plan.collection === "set"
        ? setWriter(writer(s, plan.element), wireType(plan.element))
        : listWriter(writer(s, plan.element), wireType(plan.element))
    case "map": {
      const head = mapHead(wireType(plan.key), wireType(plan.value))
      return mapWriter(head, writer(s, plan.key), writer(s, plan.value), plan.collection === "map")
    }
    case "transform": {
      const write = writer(s, plan.inner)
      return (v, out, p, d) => write(plan.encode(v), out, p, d)
    }
    default:
      return scalars[plan.kind]
  }
}

const listHead = (out: Output, p: number, type: number, size: number): number => {
  const b = room(out, p, 5)
  b[p] = type
  out.view.setInt32(p + 1, size)
  return p + 5
}

const listWriter =
  (write: Write, type: number): Write =>
  (v, out, p, d) => {
    if (!Array.isArray(v)) throw Bytes.bad
    p = listHead(out, p, type, v.length)
    for (let i = 0; i < v.length; i++) p = write(v[i], out, p, d)
    return p
  }

const setWriter =
  (write: Write, type: number): Write =>
  (v, out, p, d) => {
    if (!(v instanceof Set)) throw Bytes.bad
    p = listHead(out, p, type, v.size)
    for (const item of v) p = write(item, out, p, d)
    return p
  }

const mapHead = (key: number, value: number) => (out: Output, p: number, size: number) => {
  const b = room(out, p, 6)
  b[p] = key
  b[p + 1] = value
  out.view.setInt32(p + 2, size)
  return p + 6
}

const mapWriter =
  (head: (out: Output, p: number, size: number) => number, key: Write, value: Write, isMap: boolean): Write =>
  (v, out, p, d) => {
    if (!(isMap ? v instanceof Map : Array.isArray(v))) throw Bytes.bad
    p = head(out, p, isMap ? v.size : v.length)
    for (const entry of v) {
      if (!Array.isArray(entry) || entry.length !== 2) throw Bytes.bad
      p = value(entry[1], out, key(entry[0], out, p, d), d)
    }
    return p
  }

const emptyWriter = (plan: Plan): Write => {
  switch (plan.kind) {
    case "binary":
      return (_, out, p, d) => binary(new Uint8Array(0), out, p, d)
    case "list":
    case "set":
      return (_, out, p) => listHead(out, p, wireType(plan.element), 0)
    case "map": {
      const head = mapHead(wireType(plan.key), wireType(plan.value))
      return (_, out, p) => head(out, p, 0)
    }
    default:
      return stop
  }
}

const isDefault = (member: Member): ((v: unknown) => boolean) => {
  const value = absentValue(member)
  return value instanceof Uint8Array ? (v) => Bytes.sameBytes(v, value) : (v) => v === value
}

interface Field {
  readonly id: number
  readonly name: string
  readonly plan: Plan
}

const fieldWriter = ({ id, name, plan }: Field, write: Write): Write => {
  const type = wireType(plan)
  return (v, out, p, d) => {
    const b = room(out, p, 3)
    b[p] = type
    b[p + 1] = id >>> 8
    b[p + 2] = id
    return write(v[name], out, p + 3, d)
  }
}

const memberWriter = (s: Writers, member: Member): Write => {
  const { name } = member
  const present = fieldWriter(member, writer(s, member.plan))
  const empty =
    s.settings.absentStruct === "empty" && isNilable(member.plan)
      ? fieldWriter(member, emptyWriter(member.plan))
      : undefined
  if (omitsDefault(member)) {
    const equals = isDefault(member)
    return (v, out, p, d) => {
      if (v[name] !== undefined) return equals(v[name]) ? p : present(v, out, p, d)
      // the nil of an optional binary is not its default either, so Kitex writes it
      return empty === undefined ? p : empty(v, out, p, d)
    }
  }
  if (member.requiredness !== "optional" && empty !== undefined) {
    return (v, out, p, d) => (v[name] === undefined ? empty(v, out, p, d) : present(v, out, p, d))
  }
  if (member.requiredness === "optional" || mayBeAbsent(member)) {
    return (v, out, p, d) => (v[name] === undefined ? p : present(v, out, p, d))
  }
  return present
}

const structWriter = (s: Writers, plan: StructPlan): Write => {
  const writers = inOrder(plan.members, s.settings.fieldOrder).map((member) => memberWriter(s, member))
  return (v, out, p, d) => {
    if (typeof v !== "object" || v === null || d === 0) throw Bytes.bad
    for (let i = 0; i < writers.length; i++) p = writers[i]!(v, out, p, d)
    return stop(v, out, p, d)
  }
}

const unionWriter = (s: Writers, plan: UnionPlan): Write => {
  const cases = new Map(
    plan.cases.map(({ id, plan, tag }) => [tag, fieldWriter({ id, name: "value", plan }, writer(s, plan))])
  )
  return (v, out, p, d) => {
    if (typeof v !== "object" || v === null || d === 0) throw Bytes.bad
    const write = cases.get(v._tag)
    if (write === undefined) throw Bytes.bad
    return stop(v, out, write(v, out, p, d), d)
  }
}

/** @internal */
export const writers = (plans: ReadonlyArray<NamedPlan>, settings: Settings): ReadonlyArray<{ write: Write }> => {
  const named = new Map(plans.map((plan) => [plan, { write: stop }]))
  const s: Writers = { settings, named }
  for (const plan of plans) {
    named.get(plan)!.write = plan.kind === "struct" ? structWriter(s, plan) : unionWriter(s, plan)
  }
  return plans.map((plan) => named.get(plan)!)
}
