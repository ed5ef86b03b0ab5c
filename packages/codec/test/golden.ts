/** The types of golden.thrift, and the value notation of codec.json. */
import { Thrift } from "@millrace/codec"
import { Schema } from "effect"
import type { Plan } from "../src/internal/plan.ts"

const name = (type: string) => `millrace.golden.codec.${type}`
const { Binary, Bool, Double, I16, I32, I64, I8, field, list, map, optional, required, set } = Thrift
const Text_ = Thrift.String

export const Color = Thrift.Enum(name("Color"), { RED: 0, GREEN: 1, BLUE: 5, NEGATIVE: -3 })
export const Timestamp = I64.annotate({ identifier: name("Timestamp") })
export const Name = Text_.annotate({ identifier: name("Name") })

export class Point extends Thrift.Struct<Point>(name("Point"))({ x: field(1, I32), y: field(2, I32) }) {}
export const Path = list(Point)
export const Times = map(Name, Timestamp)

export class Scalars extends Thrift.Struct<Scalars>(name("Scalars"))({
  b: field(1, Bool),
  by: field(2, I8),
  i8v: field(3, I8),
  i16v: field(4, I16),
  i32v: field(5, I32),
  i64v: field(6, I64),
  d: field(7, Double),
  s: field(8, Text_),
  bin: field(9, Binary),
  color: field(10, Color),
  ts: field(11, Timestamp),
  name: field(12, Name)
}) {}

export class OptionalScalars extends Thrift.Struct<OptionalScalars>(name("OptionalScalars"))({
  b: optional(1, Bool),
  by: optional(2, I8),
  i8v: optional(3, I8),
  i16v: optional(4, I16),
  i32v: optional(5, I32),
  i64v: optional(6, I64),
  d: optional(7, Double),
  s: optional(8, Text_),
  bin: optional(9, Binary),
  color: optional(10, Color),
  ts: optional(11, Timestamp),
  name: optional(12, Name),
  p: optional(13, Point),
  l: optional(14, list(I32)),
  st: optional(15, set(Text_)),
  m: optional(16, map(Text_, I32))
}) {}

export class RequiredScalars extends Thrift.Struct<RequiredScalars>(name("RequiredScalars"))({
  b: required(1, Bool),
  i32v: required(2, I32),
  s: required(3, Text_),
  p: required(4, Point),
  l: required(5, list(I32)),
  color: required(6, Color)
}) {}

export class Defaults extends Thrift.Struct<Defaults>(name("Defaults"))({
  plain: field(1, I32, { default: () => 7 }),
  opt: optional(2, I32, { default: () => 8 }),
  req: required(3, I32, { default: () => 9 }),
  ps: field(4, Text_, { default: () => "ps" }),
  os: optional(5, Text_, { default: () => "os" }),
  pb: field(6, Bool, { default: () => true }),
  ob: optional(7, Bool, { default: () => true }),
  od: optional(8, Double, { default: () => 1.5 }),
  oc: optional(9, Color, { default: () => Color.GREEN }),
  pc: field(10, Color, { default: () => Color.BLUE }),
  pl: field(11, list(I32), { default: () => [1, 2] }),
  ol: optional(12, list(I32), { default: () => [3] }),
  om: optional(13, map(Text_, I32), { default: () => new Map([["a", 1]]) }),
  obin: optional(14, Binary, { default: () => new Uint8Array([98, 98]) }),
  fromConst: field(15, I32, { default: () => 42 }),
  oi: optional(16, I64, { default: () => -5n }),
  oset: optional(17, set(I32), { default: () => new Set([4]) }),
  op: optional(18, Point, { default: () => new Point({ x: 1, y: 2 }) })
}) {}

export class Holders extends Thrift.Struct<Holders>(name("Holders"))({
  p: field(1, Point),
  l: field(2, list(I32)),
  st: field(3, set(Text_)),
  m: field(4, map(Text_, I32)),
  bin: field(5, Binary)
}) {}

export class Node extends Thrift.Struct<Node>(name("Node"))({
  v: field(1, I32),
  next: optional(
    2,
    Schema.suspend((): Schema.Codec<Node, unknown> => Node)
  ),
  kids: field(3, list(Schema.suspend((): Schema.Codec<Node, unknown> => Node)))
}) {}

export const Choice = Thrift.Union(name("Choice"), {
  num: field(1, I32),
  text: field(2, Text_),
  point: field(3, Point),
  words: field(4, list(Text_)),
  flag: field(5, Bool)
})

export class WithChoice extends Thrift.Struct<WithChoice>(name("WithChoice"))({
  c: field(1, Choice),
  oc: optional(2, Choice),
  cs: field(3, list(Choice))
}) {}

export class Failure extends Thrift.Exception<Failure>()(name("Failure"), {
  code: field(1, I32),
  why: field(2, Text_),
  where: optional(3, Point)
}) {}

export class Lists extends Thrift.Struct<Lists>(name("Lists"))({
  bools: field(1, list(Bool)),
  bytes: field(2, list(I8)),
  i16s: field(3, list(I16)),
  i32s: field(4, list(I32)),
  i64s: field(5, list(I64)),
  doubles: field(6, list(Double)),
  strings: field(7, list(Text_)),
  binaries: field(8, list(Binary)),
  colors: field(9, list(Color)),
  points: field(10, list(Point)),
  nested: field(11, list(list(I32))),
  sets: field(12, list(set(Text_))),
  maps: field(13, list(map(Text_, I32))),
  path: field(14, Path)
}) {}

export class Sets extends Thrift.Struct<Sets>(name("Sets"))({
  bools: field(1, set(Bool)),
  bytes: field(2, set(I8)),
  i16s: field(3, set(I16)),
  i32s: field(4, set(I32)),
  i64s: field(5, set(I64)),
  doubles: field(6, set(Double)),
  strings: field(7, set(Text_)),
  colors: field(8, set(Color)),
  points: field(9, set(Point)),
  lists: field(10, set(list(I32))),
  binaries: field(11, set(Binary))
}) {}

export class Maps extends Thrift.Struct<Maps>(name("Maps"))({
  boolKey: field(1, map(Bool, Text_)),
  byteKey: field(2, map(I8, Text_)),
  i16Key: field(3, map(I16, Text_)),
  i32Key: field(4, map(I32, Text_)),
  i64Key: field(5, map(I64, Text_)),
  doubleKey: field(6, map(Double, Text_)),
  stringKey: field(7, map(Text_, Text_)),
  enumKey: field(8, map(Color, Text_)),
  structValue: field(9, map(Text_, Point)),
  listValue: field(10, map(Text_, list(I32))),
  mapValue: field(11, map(Text_, map(Text_, I64))),
  setValue: field(12, map(I32, set(Text_))),
  binaryValue: field(13, map(Text_, Binary)),
  boolValue: field(14, map(Text_, Bool)),
  enumValue: field(15, map(Text_, Color)),
  doubleValue: field(16, map(Text_, Double)),
  times: field(17, Times),
  structKey: field(18, map(Point, Text_)),
  binaryKey: field(19, map(Binary, Text_))
}) {}

export class Ids extends Thrift.Struct<Ids>(name("Ids"))({
  negative: field(-1, I32),
  one: field(1, Text_),
  fifteen: field(15, I16),
  sixteen: field(16, I16),
  ff: field(255, Text_),
  hundred: field(256, I64),
  big: field(4096, Bool),
  max: field(32767, I32)
}) {}

export class Order extends Thrift.Struct<Order>(name("Order"))({
  e: field(5, Text_),
  c: field(3, I32),
  a: field(1, Text_),
  d: field(4, Double),
  b: field(2, Color),
  z: field(9, Bool),
  l: field(7, list(I32)),
  i: field(8, I64)
}) {}

export class Deep extends Thrift.Struct<Deep>(name("Deep"))({
  m: field(1, map(Text_, list(map(I32, set(Text_)))))
}) {}

export class Empty extends Thrift.Struct<Empty>(name("Empty"))({}) {}

export class Text extends Thrift.Struct<Text>(name("Text"))({ s: field(1, Text_), b: optional(2, Binary) }) {}

/** As `Text`, with the string as bytes: what cases with strings that are not UTF-8 need. */
export class RawText extends Thrift.Struct<RawText>(name("RawText"))({ s: field(1, Binary), b: optional(2, Binary) }) {}

export class Older extends Thrift.Struct<Older>(name("Older"))({ a: field(1, I32) }) {}

export class Newer extends Thrift.Struct<Newer>(name("Newer"))({
  a: field(1, I32),
  b: optional(2, Text_),
  c: optional(3, list(Point)),
  d: optional(4, map(Text_, Point)),
  e: optional(5, I64),
  f: optional(6, Double),
  g: optional(7, Bool),
  h: optional(8, Point),
  i: optional(9, set(I16)),
  j: optional(10, I8)
}) {}

export class Outer extends Thrift.Struct<Outer>(name("Outer"))({
  inner: optional(1, RequiredScalars),
  points: optional(2, list(Point))
}) {}

export const types: Record<string, Schema.Constraint> = {
  Point,
  Scalars,
  OptionalScalars,
  RequiredScalars,
  Defaults,
  Holders,
  Node,
  Choice,
  WithChoice,
  Failure,
  Lists,
  Sets,
  Maps,
  Ids,
  Order,
  Deep,
  Empty,
  Text,
  RawText,
  Older,
  Newer,
  Outer
}

const number = (json: unknown): number => (typeof json === "string" ? Number(json) : (json as number))

/** A value from the notation of codec.json. Members that it leaves out are left out. */
export const fromJson = (plan: Plan, json: any): any => {
  if (json === null) return undefined
  switch (plan.kind) {
    case "i64":
      return BigInt(json)
    case "double":
      return number(json)
    case "binary":
      return typeof json === "object" ? Buffer.from(json.utf8Hex, "hex") : Buffer.from(json, "base64")
    case "list":
    case "set": {
      const items = json.map((item: any) => fromJson(plan.element, item))
      return plan.collection === "set" ? new Set(items) : items
    }
    case "map": {
      const entries = json.map(([k, v]: [any, any]) => [fromJson(plan.key, k), fromJson(plan.value, v)])
      return plan.collection === "map" ? new Map(entries) : entries
    }
    case "union": {
      const tags = Object.keys(json)
      if (tags.length !== 1) return { _tag: `${tags.length} members` }
      const found = plan.cases.find(({ tag }) => tag === tags[0])!
      return { _tag: found.tag, value: fromJson(found.plan, json[found.tag]) }
    }
    case "struct": {
      const value: Record<string, unknown> = {}
      for (const member of plan.members) {
        if (json[member.name] !== undefined) value[member.name] = fromJson(member.plan, json[member.name])
      }
      return value
    }
    default:
      return json
  }
}

const isEmpty = (json: unknown) => json === "" || (Array.isArray(json) && json.length === 0)

const sorted = (items: Array<any>) => items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

/**
 * The notation of a value, with sets and maps sorted and empty containers and binaries left out: where Go tells nil from
 * empty, we do not.
 */
export const toJson = (plan: Plan, value: any): any => {
  switch (plan.kind) {
    case "i64":
      return value.toString()
    case "double":
      return Number.isFinite(value) && !Object.is(value, -0) ? value : Object.is(value, -0) ? "-0" : String(value)
    case "binary":
      return Buffer.from(value).toString("base64")
    case "list":
    case "set": {
      const items = [...value].map((item) => toJson(plan.element, item))
      return plan.kind === "set" ? sorted(items) : items
    }
    case "map":
      return sorted([...value].map(([k, v]: any) => [toJson(plan.key, k), toJson(plan.value, v)]))
    case "union": {
      const found = plan.cases.find(({ tag }) => tag === value._tag)!
      return { [found.tag]: toJson(found.plan, value.value) }
    }
    case "struct": {
      const json: Record<string, unknown> = {}
      for (const member of plan.members) {
        if (value[member.name] === undefined) continue
        const item = toJson(member.plan, value[member.name])
        if (plan.members.length > 0 && member.plan.kind !== "string" && isEmpty(item)) continue
        json[member.name] = item
      }
      return json
    }
    default:
      return value
  }
}

/** What `toJson` makes of the value that the notation stands for. */
export const canonical = (plan: Plan, json: any): any => toJson(plan, fromJson(plan, json))

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

export const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"))
