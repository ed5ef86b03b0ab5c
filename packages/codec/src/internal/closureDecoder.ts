/**
 * Plan → decoder made of closures.
 *
 * A reader reads from position `p`, may nest `d` deep, leaves the position behind in `cursor.at` and returns the
 * value, for a union without any member `undefined`.
 */
import type { Link } from "../Runtime.ts"
import * as Bytes from "./bytes.ts"
import { cursor } from "./cursor.ts"
import type { Settings } from "./options.ts"
import type { NamedPlan, Plan, StructPlan, UnionPlan } from "./plan.ts"
import { absentValue, leastBytes, mayBeAbsent, wireType } from "./wire.ts"

type Read = (b: Uint8Array, p: number, end: number, d: number) => any

const fixed =
  (size: number, read: (b: Uint8Array, p: number) => unknown): Read =>
  (b, p, end) => {
    if (end - p < size) throw Bytes.bad
    const value = read(b, p)
    cursor.at = p + size
    return value
  }

const sized =
  (read: (b: Uint8Array, p: number, length: number) => unknown): Read =>
  (b, p, end) => {
    if (end - p < 4) throw Bytes.bad
    const length = Bytes.readI32(b, p)
    p += 4
    if (length < 0 || length > end - p) throw Bytes.bad
    const value = read(b, p, length)
    cursor.at = p + length
    return value
  }

const i32 = fixed(4, Bytes.readI32)

const scalars = {
  bool: fixed(1, (b, p) => b[p] === 1),
  i8: fixed(1, (b, p) => (b[p]! << 24) >> 24),
  i16: fixed(2, (b, p) => ((b[p]! << 24) >> 16) | b[p + 1]!),
  i32,
  enum: i32,
  i64: fixed(8, Bytes.readI64),
  i64string: fixed(8, Bytes.readI64String),
  i64number: fixed(8, (b, p) => {
    const value = Bytes.readI64Number(b, p)
    if (Number.isNaN(value)) throw Bytes.bad
    return value
  }),
  double: fixed(8, Bytes.readDouble),
  string: sized(Bytes.readString),
  binary: sized(Bytes.readBinary)
}

interface Named {
  read: Read
  link: Link | undefined
}

interface Readers {
  readonly settings: Settings
  readonly named: Map<NamedPlan, Named>
}

const reader = (s: Readers, plan: Plan, mayBeAbsent: boolean): Read => {
  switch (plan.kind) {
    case "struct":
    case "union": {
      const found = s.named.get(plan) ?? { read: plan.compiled!.decode }
      if (plan.kind === "struct" || mayBeAbsent) return (b, p, end, d) => found.read(b, p, end, d - 1)
      return (b, p, end, d) => {
        const value = found.read(b, p, end, d - 1)
        if (value === undefined) throw Bytes.bad
        return value
      }
    }
    case "list":
    case "set":
      return listReader(s, plan.element, plan.collection === "set")
    case "map":
      return mapReader(s, plan.key, plan.value, plan.collection === "map")
    case "transform": {
      const read = reader(s, plan.inner, false)
      return (b, p, end, d) => {
        const wire = read(b, p, end, d)
        const position = cursor.at
        const value = plan.decode(wire)
        cursor.at = position
        return value
      }
    }
    default:
      return scalars[plan.kind]
  }
}

const sizeAt = (b: Uint8Array, p: number, end: number, least: number, limit: number): number => {
  const size = Bytes.readI32(b, p)
  if (size < 0 || size > limit || size * least > end - p - 4) throw Bytes.bad
  return size
}

const listReader = (s: Readers, plan: Plan, isSet: boolean): Read => {
  const read = reader(s, plan, false)
  const type = wireType(plan)
  const least = leastBytes(plan)
  const limit = s.settings.maxContainerSize
  return (b, p, end, d) => {
    if (end - p < 5) throw Bytes.bad
    const size = sizeAt(b, p + 1, end, least, limit)
    if (size !== 0 && b[p] !== type) throw Bytes.bad
    cursor.at = p + 5
    const items: Array<unknown> = []
    for (let i = 0; i < size; i++) items[i] = read(b, cursor.at, end, d)
    return isSet ? new Set(items) : items
  }
}

const mapReader = (s: Readers, keyPlan: Plan, valuePlan: Plan, isMap: boolean): Read => {
  const key = reader(s, keyPlan, false)
  const value = reader(s, valuePlan, false)
  const keyType = wireType(keyPlan)
  const valueType = wireType(valuePlan)
  const least = leastBytes(keyPlan) + leastBytes(valuePlan)
  const limit = s.settings.maxContainerSize
  return (b, p, end, d) => {
    if (end - p < 6) throw Bytes.bad
    const size = sizeAt(b, p + 2, end, least, limit)
    if (size !== 0 && (b[p] !== keyType || b[p + 1] !== valueType)) throw Bytes.bad
    cursor.at = p + 6
    const entries: Array<[unknown, unknown]> = []
    for (let i = 0; i < size; i++) {
      const k = key(b, cursor.at, end, d)
      entries[i] = [k, value(b, cursor.at, end, d)]
    }
    return isMap ? new Map(entries) : entries
  }
}

interface FieldReader {
  readonly id: number
  readonly type: number
  readonly read: Read
}

// Reads fields until STOP; `put` takes each known one by its index.
const readFields = (
  b: Uint8Array,
  p: number,
  end: number,
  d: number,
  fields: ReadonlyArray<FieldReader>,
  put: Array<unknown>,
  depth: number,
  isResult: boolean
): number => {
  let last = -1
  // members mostly arrive in their order
  let next = 0
  for (;;) {
    if (p >= end) throw Bytes.bad
    const type = b[p]!
    if (type === 0) {
      cursor.at = p + 1
      return last
    }
    if (end - p < 3) throw Bytes.bad
    const id = ((b[p + 1]! << 24) >> 16) | b[p + 2]!
    p += 3
    let index = next
    while (index < fields.length && fields[index]!.id !== id) index++
    if (index === fields.length) {
      index = 0
      while (index < next && fields[index]!.id !== id) index++
      if (index === next) index = fields.length
    }
    const field = fields[index]
    if (field !== undefined && field.type === type) {
      put[index] = field.read(b, p, end, d)
      p = cursor.at
      last = index
      next = index + 1
    } else if (isResult && type === 1 && id === 0 && p < end && b[p] === 0) {
      p++
    } else {
      p = Bytes.skip(b, p, end, type, depth)
    }
  }
}

const structReader = (s: Readers, plan: StructPlan, self: Named): Read => {
  const { constants, members } = plan
  const fields = members.map((member) => ({
    id: member.id,
    type: wireType(member.plan),
    read: reader(s, member.plan, mayBeAbsent(member))
  }))
  const absent = members.map((member) =>
    member.requiredness === "required"
      ? () => {
          throw Bytes.bad
        }
      : mayBeAbsent(member)
        ? undefined
        : () => absentValue(member)
  )
  const names = members.map(({ name }) => name)
  return (b, p, end, d) => {
    if (d === 0) throw Bytes.bad
    const values: Array<unknown> = []
    readFields(b, p, end, d, fields, values, s.settings.maxDepth, plan.isResult)
    p = cursor.at
    const link = self.link!
    const made = Object.create(link.prototype)
    for (const [name, value] of constants) made[name] = value
    for (let i = 0; i < names.length; i++) {
      let value = values[i]
      if (value === undefined) {
        const make = absent[i]
        if (make === undefined) continue
        value = make()
      }
      made[names[i]!] = value
    }
    const value = plan.isException ? link.make(made) : made
    cursor.at = p
    return value
  }
}

const unionReader = (s: Readers, plan: UnionPlan): Read => {
  const fields = plan.cases.map(({ id, plan }) => ({ id, type: wireType(plan), read: reader(s, plan, false) }))
  return (b, p, end, d) => {
    if (d === 0) throw Bytes.bad
    const values: Array<unknown> = []
    const last = readFields(b, p, end, d, fields, values, s.settings.maxDepth, false)
    if (last >= 0) return { _tag: plan.cases[last]!.tag, value: values[last] }
    if (cursor.at - p > 1) throw Bytes.bad
    return undefined
  }
}

/** @internal */
export const readers = (plans: ReadonlyArray<NamedPlan>, settings: Settings): ReadonlyArray<Named> => {
  const unread: Read = () => {
    throw Bytes.bad
  }
  const named = new Map<NamedPlan, Named>(plans.map((plan) => [plan, { read: unread, link: undefined }]))
  const s: Readers = { settings, named }
  for (const plan of plans) {
    const self = named.get(plan)!
    self.read = plan.kind === "struct" ? structReader(s, plan, self) : unionReader(s, plan)
  }
  return plans.map((plan) => named.get(plan)!)
}
