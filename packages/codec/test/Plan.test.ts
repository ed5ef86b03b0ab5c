import { assert, describe, it } from "@effect/vitest"
import { CodecError, Plan, Thrift } from "@millrace/codec"
import { Schema } from "effect"
import { verdict } from "./support/verdict.ts"

const Color = Thrift.Enum("shop.Color", { RED: 0, BLUE: 5 })

const Choice = Thrift.Union("shop.Choice", { text: Thrift.field(1, Thrift.String), color: Thrift.field(2, Color) })

class Point extends Thrift.Struct<Point>("shop.Point")({
  x: Thrift.field(1, Thrift.I32),
  y: Thrift.optional(2, Thrift.I64)
}) {}

class Item extends Thrift.Struct<Item>("shop.Item")({
  id: Thrift.required(1, Thrift.I64String),
  tags: Thrift.field(2, Thrift.set(Thrift.String), { default: () => new Set(["a", 'b"']) }),
  more: Thrift.field(3, Thrift.list(Schema.suspend((): Schema.Codec<Item, unknown> => Item))),
  choice: Thrift.optional(4, Choice, { default: () => ({ _tag: "color" as const, value: Color.BLUE }) }),
  again: Thrift.field(5, Thrift.map(Color, Thrift.set(Choice))),
  at: Thrift.optional(6, Thrift.Double, { default: () => -0 }),
  points: Thrift.optional(7, Thrift.map(Point, Thrift.I8), { default: () => [[new Point({ y: 1n }), 2] as const] })
}) {}

class Refused extends Thrift.Exception<Refused>()("shop.Refused", {
  item: Thrift.field(1, Item),
  raw: Thrift.field(2, Thrift.Binary, { default: () => Uint8Array.of(1, 255) })
}) {}

describe("a plan", () => {
  it("has the names of the IDL where they are not those of properties", () => {
    class Named extends Thrift.Struct<Named>("shop.Named")({
      userId: Thrift.field(1, Thrift.I32, { name: "user_id" }),
      age: Thrift.optional(2, Thrift.I32, { name: "AGE", default: () => 3 }),
      city: Thrift.optional(3, Thrift.String, { name: "home_city" }),
      plain: Thrift.required(4, Thrift.String)
    }) {}
    assert.deepStrictEqual({ ...new Named({ plain: "x" }) }, { userId: 0, age: 3, plain: "x" })
    const plan = Plan.of(Named) as Plan.StructPlan
    assert.deepStrictEqual(
      plan.members.map(({ name, thriftName }) => [name, thriftName]),
      [
        ["userId", "user_id"],
        ["age", "AGE"],
        ["city", "home_city"],
        ["plain", undefined]
      ]
    )
    const union = Thrift.Union("shop.U", { toString_: Thrift.field(1, Thrift.I32, { name: "toString" }) })
    const [only] = (Plan.of(union) as Plan.UnionPlan).cases
    assert.deepInclude({ ...only }, { tag: "toString_", thriftName: "toString" })
  })

  it("is described with others, each type once", () => {
    const one = Plan.describe(Plan.of(Refused))
    assert.strictEqual(Plan.describe([Plan.of(Refused), Plan.of(Item), Plan.of(Refused)]), one)
    assert.strictEqual(Plan.describe([]), "")
  })

  it("is described in a line for each member, with all that it holds", () => {
    assert.strictEqual(
      Plan.describe(Plan.of(Refused)),
      `exception shop.Refused
  _tag is "Refused"
  1: default shop.Item item
  2: default binary raw = 0x01ff
struct shop.Item
  1: required i64string id
  2: default set<string> tags = ["a", "b\\""]
  3: default list<shop.Item> more
  4: optional shop.Choice choice = {color: 5}
  5: default map<enum shop.Color, set<shop.Choice> as array> again
  6: optional double at = -0
  7: optional map<shop.Point, i8> as entries points = {{x: 0, y: 1}: 2}
union shop.Choice
  1: string text
  2: enum shop.Color color
struct shop.Point
  1: default i32 x
  2: optional i64 y
enum shop.Color
  RED = 0
  BLUE = 5`
    )
  })

  it("names its type in full", () => {
    const plan = Plan.of(Item)
    assert.deepStrictEqual([plan.name, plan.label], ["shop.Item", "Item"])
    assert.deepStrictEqual(Plan.ofType(Color), {
      kind: "enum",
      name: "shop.Color",
      members: [
        ["RED", 0],
        ["BLUE", 5]
      ]
    })
  })

  it("is one for a union that several members are of", () => {
    const plan = Plan.of(Item) as Plan.StructPlan
    const again = plan.members[4]!.plan as any
    assert.strictEqual(plan.members[3]!.plan, again.value.element)
    assert.strictEqual(Plan.of(Choice), again.value.element)
  })

  it("is refused for a schema that is no message, each time it is asked for", () => {
    const Wrong = Thrift.Union("shop.Wrong", { x: Thrift.field(1, Schema.Struct({ y: Thrift.String })) })
    for (const schema of [Thrift.I32, Wrong, Wrong]) {
      assert.instanceOf(
        verdict(() => Plan.of(schema)),
        CodecError.CodecError
      )
    }
  })
})

describe("two plans are equal", () => {
  const point = (name: string, fields: Schema.Struct.Fields) => Plan.of(Thrift.Struct<any>(name)(fields))
  const { I32, I64, field, optional } = Thrift
  const one = point("shop.Point", { x: field(1, I32), y: optional(2, I64) })

  it("when their types are written alike", () => {
    assert.isTrue(Plan.equals(one, Plan.of(Point)))
    assert.isTrue(Plan.equals(one, one))
  })

  it("and not when a name, an id, a type, requiredness, a default or the order differs", () => {
    const others = [
      point("shop.Place", { x: field(1, I32), y: optional(2, I64) }),
      point("shop.Point", { x: field(1, I32), z: optional(2, I64) }),
      point("shop.Point", { x: field(1, I32), y: optional(3, I64) }),
      point("shop.Point", { x: field(1, I32), y: optional(2, Thrift.I64Number) }),
      point("shop.Point", { x: field(1, I32), y: field(2, I64) }),
      point("shop.Point", { x: field(1, I32, { default: () => 1 }), y: optional(2, I64) }),
      point("shop.Point", { y: optional(2, I64), x: field(1, I32) })
    ]
    for (const other of others) assert.isFalse(Plan.equals(one, other))
  })

  it("and not when something that they hold differs", () => {
    const holder = (schema: Schema.Top) => point("shop.Holder", { held: optional(1, Thrift.list(schema)) })
    const Other = Thrift.Enum("shop.Color", { RED: 0, BLUE: 6 })
    assert.isFalse(Plan.equals(holder(Color), holder(Other)))
    assert.isTrue(Plan.equals(holder(Color), holder(Thrift.Enum("shop.Color", { RED: 0, BLUE: 5 }))))
    const nameless = (x: Schema.Top) => Schema.Struct({ x: optional(1, x) })
    const two = (a: Schema.Top, b: Schema.Top) =>
      point("shop.Two", { a: field(1, nameless(a)), b: field(2, nameless(b)) })
    assert.isTrue(Plan.equals(two(I32, I64), two(I32, I64)))
    assert.isFalse(Plan.equals(two(I32, I64), two(I64, I32)))
  })
})
