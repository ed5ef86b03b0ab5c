// Code generated from golden.thrift by millrace. DO NOT EDIT.
import { Thrift } from "@millrace/codec"
import * as Schema from "effect/Schema"
import * as codec from "./golden.codec.ts"

export const Color = Thrift.Enum("millrace.golden.codec.Color", { RED: 0, GREEN: 1, BLUE: 5, NEGATIVE: -3 })
export type Color = typeof Color.Type

export const Timestamp = Thrift.I64
export type Timestamp = bigint

export const Name = Thrift.String
export type Name = string

export class Point extends Thrift.Struct<Point>("millrace.golden.codec.Point", { codec: codec.Point })({
  x: Thrift.field(1, Thrift.I32),
  y: Thrift.field(2, Thrift.I32)
}) {}

export const Path = Thrift.list(Point)
export type Path = ReadonlyArray<Point>

export const Times = Thrift.map(Name, Timestamp)
export type Times = ReadonlyMap<Name, Timestamp>

export const ANSWER = 42
export const GREETING = "héllo"
export const PRIMES: ReadonlyArray<number> = Object.freeze([2, 3, 5])

/** Scalars of every kind, default requiredness: always written. */
export class Scalars extends Thrift.Struct<Scalars>("millrace.golden.codec.Scalars", { codec: codec.Scalars })({
  b: Thrift.field(1, Thrift.Bool),
  by: Thrift.field(2, Thrift.I8),
  i8v: Thrift.field(3, Thrift.I8),
  i16v: Thrift.field(4, Thrift.I16),
  i32v: Thrift.field(5, Thrift.I32),
  i64v: Thrift.field(6, Thrift.I64),
  d: Thrift.field(7, Thrift.Double),
  s: Thrift.field(8, Thrift.String),
  bin: Thrift.field(9, Thrift.Binary),
  color: Thrift.field(10, Color),
  ts: Thrift.field(11, Timestamp),
  name: Thrift.field(12, Name)
}) {}

export class OptionalScalars extends Thrift.Struct<OptionalScalars>("millrace.golden.codec.OptionalScalars", {
  codec: codec.OptionalScalars
})({
  b: Thrift.optional(1, Thrift.Bool),
  by: Thrift.optional(2, Thrift.I8),
  i8v: Thrift.optional(3, Thrift.I8),
  i16v: Thrift.optional(4, Thrift.I16),
  i32v: Thrift.optional(5, Thrift.I32),
  i64v: Thrift.optional(6, Thrift.I64),
  d: Thrift.optional(7, Thrift.Double),
  s: Thrift.optional(8, Thrift.String),
  bin: Thrift.optional(9, Thrift.Binary),
  color: Thrift.optional(10, Color),
  ts: Thrift.optional(11, Timestamp),
  name: Thrift.optional(12, Name),
  p: Thrift.optional(13, Point),
  l: Thrift.optional(14, Thrift.list(Thrift.I32)),
  st: Thrift.optional(15, Thrift.set(Thrift.String)),
  m: Thrift.optional(16, Thrift.map(Thrift.String, Thrift.I32))
}) {}

export class RequiredScalars extends Thrift.Struct<RequiredScalars>("millrace.golden.codec.RequiredScalars", {
  codec: codec.RequiredScalars
})({
  b: Thrift.required(1, Thrift.Bool),
  i32v: Thrift.required(2, Thrift.I32),
  s: Thrift.required(3, Thrift.String),
  p: Thrift.required(4, Point),
  l: Thrift.required(5, Thrift.list(Thrift.I32)),
  color: Thrift.required(6, Color)
}) {}

/** IDL defaults with each requiredness. */
export class Defaults extends Thrift.Struct<Defaults>("millrace.golden.codec.Defaults", { codec: codec.Defaults })({
  plain: Thrift.field(1, Thrift.I32, { default: () => 7 }),
  opt: Thrift.optional(2, Thrift.I32, { default: () => 8 }),
  req: Thrift.required(3, Thrift.I32, { default: () => 9 }),
  ps: Thrift.field(4, Thrift.String, { default: () => "ps" }),
  os: Thrift.optional(5, Thrift.String, { default: () => "os" }),
  pb: Thrift.field(6, Thrift.Bool, { default: () => true }),
  ob: Thrift.optional(7, Thrift.Bool, { default: () => true }),
  od: Thrift.optional(8, Thrift.Double, { default: () => 1.5 }),
  oc: Thrift.optional(9, Color, { default: () => Color.GREEN }),
  pc: Thrift.field(10, Color, { default: () => Color.BLUE }),
  pl: Thrift.field(11, Thrift.list(Thrift.I32), { default: () => [1, 2] }),
  ol: Thrift.optional(12, Thrift.list(Thrift.I32), { default: () => [3] }),
  om: Thrift.optional(13, Thrift.map(Thrift.String, Thrift.I32), { default: () => new Map([["a", 1]]) }),
  obin: Thrift.optional(14, Thrift.Binary, { default: () => new Uint8Array([98, 98]) }),
  fromConst: Thrift.field(15, Thrift.I32, { default: () => ANSWER }),
  oi: Thrift.optional(16, Thrift.I64, { default: () => -5n }),
  oset: Thrift.optional(17, Thrift.set(Thrift.I32), { default: () => new Set([4]) }),
  op: Thrift.optional(18, Point, { default: () => new Point({ x: 1, y: 2 }) })
}) {}

/** Default-requiredness containers and structs: null versus empty. */
export class Holders extends Thrift.Struct<Holders>("millrace.golden.codec.Holders", { codec: codec.Holders })({
  p: Thrift.field(1, Point),
  l: Thrift.field(2, Thrift.list(Thrift.I32)),
  st: Thrift.field(3, Thrift.set(Thrift.String)),
  m: Thrift.field(4, Thrift.map(Thrift.String, Thrift.I32)),
  bin: Thrift.field(5, Thrift.Binary)
}) {}

export class Node extends Thrift.Struct<Node>("millrace.golden.codec.Node", { codec: codec.Node })({
  v: Thrift.field(1, Thrift.I32),
  next: Thrift.optional(
    2,
    Schema.suspend((): Schema.Codec<Node, unknown> => Node)
  ),
  kids: Thrift.field(3, Thrift.list(Schema.suspend((): Schema.Codec<Node, unknown> => Node)))
}) {}

export const Choice = Thrift.Union(
  "millrace.golden.codec.Choice",
  {
    num: Thrift.field(1, Thrift.I32),
    text: Thrift.field(2, Thrift.String),
    point: Thrift.field(3, Point),
    words: Thrift.field(4, Thrift.list(Thrift.String)),
    flag: Thrift.field(5, Thrift.Bool)
  },
  { codec: codec.Choice }
)
export type Choice = typeof Choice.Type

export class WithChoice extends Thrift.Struct<WithChoice>("millrace.golden.codec.WithChoice", {
  codec: codec.WithChoice
})({ c: Thrift.field(1, Choice), oc: Thrift.optional(2, Choice), cs: Thrift.field(3, Thrift.list(Choice)) }) {}

export class Failure extends Thrift.Exception<Failure>()(
  "millrace.golden.codec.Failure",
  { code: Thrift.field(1, Thrift.I32), why: Thrift.field(2, Thrift.String), where: Thrift.optional(3, Point) },
  { codec: codec.Failure }
) {}

export class Lists extends Thrift.Struct<Lists>("millrace.golden.codec.Lists", { codec: codec.Lists })({
  bools: Thrift.field(1, Thrift.list(Thrift.Bool)),
  bytes: Thrift.field(2, Thrift.list(Thrift.I8)),
  i16s: Thrift.field(3, Thrift.list(Thrift.I16)),
  i32s: Thrift.field(4, Thrift.list(Thrift.I32)),
  i64s: Thrift.field(5, Thrift.list(Thrift.I64)),
  doubles: Thrift.field(6, Thrift.list(Thrift.Double)),
  strings: Thrift.field(7, Thrift.list(Thrift.String)),
  binaries: Thrift.field(8, Thrift.list(Thrift.Binary)),
  colors: Thrift.field(9, Thrift.list(Color)),
  points: Thrift.field(10, Thrift.list(Point)),
  nested: Thrift.field(11, Thrift.list(Thrift.list(Thrift.I32))),
  sets: Thrift.field(12, Thrift.list(Thrift.set(Thrift.String))),
  maps: Thrift.field(13, Thrift.list(Thrift.map(Thrift.String, Thrift.I32))),
  path: Thrift.field(14, Path)
}) {}

export class Sets extends Thrift.Struct<Sets>("millrace.golden.codec.Sets", { codec: codec.Sets })({
  bools: Thrift.field(1, Thrift.set(Thrift.Bool)),
  bytes: Thrift.field(2, Thrift.set(Thrift.I8)),
  i16s: Thrift.field(3, Thrift.set(Thrift.I16)),
  i32s: Thrift.field(4, Thrift.set(Thrift.I32)),
  i64s: Thrift.field(5, Thrift.set(Thrift.I64)),
  doubles: Thrift.field(6, Thrift.set(Thrift.Double)),
  strings: Thrift.field(7, Thrift.set(Thrift.String)),
  colors: Thrift.field(8, Thrift.set(Color)),
  points: Thrift.field(9, Thrift.set(Point)),
  lists: Thrift.field(10, Thrift.set(Thrift.list(Thrift.I32))),
  binaries: Thrift.field(11, Thrift.set(Thrift.Binary))
}) {}

export class Maps extends Thrift.Struct<Maps>("millrace.golden.codec.Maps", { codec: codec.Maps })({
  boolKey: Thrift.field(1, Thrift.map(Thrift.Bool, Thrift.String)),
  byteKey: Thrift.field(2, Thrift.map(Thrift.I8, Thrift.String)),
  i16Key: Thrift.field(3, Thrift.map(Thrift.I16, Thrift.String)),
  i32Key: Thrift.field(4, Thrift.map(Thrift.I32, Thrift.String)),
  i64Key: Thrift.field(5, Thrift.map(Thrift.I64, Thrift.String)),
  doubleKey: Thrift.field(6, Thrift.map(Thrift.Double, Thrift.String)),
  stringKey: Thrift.field(7, Thrift.map(Thrift.String, Thrift.String)),
  enumKey: Thrift.field(8, Thrift.map(Color, Thrift.String)),
  structValue: Thrift.field(9, Thrift.map(Thrift.String, Point)),
  listValue: Thrift.field(10, Thrift.map(Thrift.String, Thrift.list(Thrift.I32))),
  mapValue: Thrift.field(11, Thrift.map(Thrift.String, Thrift.map(Thrift.String, Thrift.I64))),
  setValue: Thrift.field(12, Thrift.map(Thrift.I32, Thrift.set(Thrift.String))),
  binaryValue: Thrift.field(13, Thrift.map(Thrift.String, Thrift.Binary)),
  boolValue: Thrift.field(14, Thrift.map(Thrift.String, Thrift.Bool)),
  enumValue: Thrift.field(15, Thrift.map(Thrift.String, Color)),
  doubleValue: Thrift.field(16, Thrift.map(Thrift.String, Thrift.Double)),
  times: Thrift.field(17, Times),
  structKey: Thrift.field(18, Thrift.map(Point, Thrift.String)),
  binaryKey: Thrift.field(19, Thrift.map(Thrift.Binary, Thrift.String))
}) {}

export class Ids extends Thrift.Struct<Ids>("millrace.golden.codec.Ids", { codec: codec.Ids })({
  negative: Thrift.field(-1, Thrift.I32),
  one: Thrift.field(1, Thrift.String),
  fifteen: Thrift.field(15, Thrift.I16),
  sixteen: Thrift.field(16, Thrift.I16),
  ff: Thrift.field(255, Thrift.String),
  hundred: Thrift.field(256, Thrift.I64),
  big: Thrift.field(4096, Thrift.Bool),
  max: Thrift.field(32767, Thrift.I32)
}) {}

/** Declaration order is not id order, and fixed-size and other fields alternate. */
export class Order extends Thrift.Struct<Order>("millrace.golden.codec.Order", { codec: codec.Order })({
  e: Thrift.field(5, Thrift.String),
  c: Thrift.field(3, Thrift.I32),
  a: Thrift.field(1, Thrift.String),
  d: Thrift.field(4, Thrift.Double),
  b: Thrift.field(2, Color),
  z: Thrift.field(9, Thrift.Bool),
  l: Thrift.field(7, Thrift.list(Thrift.I32)),
  i: Thrift.field(8, Thrift.I64)
}) {}

export class Deep extends Thrift.Struct<Deep>("millrace.golden.codec.Deep", { codec: codec.Deep })({
  m: Thrift.field(1, Thrift.map(Thrift.String, Thrift.list(Thrift.map(Thrift.I32, Thrift.set(Thrift.String)))))
}) {}

export class Empty extends Thrift.Struct<Empty>("millrace.golden.codec.Empty", { codec: codec.Empty })({}) {}

export class Text extends Thrift.Struct<Text>("millrace.golden.codec.Text", { codec: codec.Text })({
  s: Thrift.field(1, Thrift.String),
  b: Thrift.optional(2, Thrift.Binary)
}) {}

export class Older extends Thrift.Struct<Older>("millrace.golden.codec.Older", { codec: codec.Older })({
  a: Thrift.field(1, Thrift.I32)
}) {}

/** Newer shares ids with Older, with more and different fields. */
export class Newer extends Thrift.Struct<Newer>("millrace.golden.codec.Newer", { codec: codec.Newer })({
  a: Thrift.field(1, Thrift.I32),
  b: Thrift.optional(2, Thrift.String),
  c: Thrift.optional(3, Thrift.list(Point)),
  d: Thrift.optional(4, Thrift.map(Thrift.String, Point)),
  e: Thrift.optional(5, Thrift.I64),
  f: Thrift.optional(6, Thrift.Double),
  g: Thrift.optional(7, Thrift.Bool),
  h: Thrift.optional(8, Point),
  i: Thrift.optional(9, Thrift.set(Thrift.I16)),
  j: Thrift.optional(10, Thrift.I8)
}) {}

export class Outer extends Thrift.Struct<Outer>("millrace.golden.codec.Outer", { codec: codec.Outer })({
  inner: Thrift.optional(1, RequiredScalars),
  points: Thrift.optional(2, Thrift.list(Point))
}) {}
