import { assert, describe, it } from "@effect/vitest"
import { Equal, Schema } from "effect"
import * as Thrift from "../src/Thrift.ts"

class Inner extends Thrift.Struct<Inner>("construct.Inner")({ x: Thrift.optional(1, Thrift.I32) }) {}
class Message extends Thrift.Struct<Message>("construct.Message")({
  text: Thrift.optional(1, Thrift.String),
  count: Thrift.required(2, Thrift.I32),
  big: Thrift.field(3, Thrift.I64),
  ratio: Thrift.optional(4, Thrift.Double),
  bytes: Thrift.optional(5, Thrift.Binary),
  flag: Thrift.field(6, Thrift.Bool, { default: () => true }),
  inner: Thrift.optional(7, Inner),
  small: Thrift.optional(8, Thrift.I8),
  safe: Thrift.optional(9, Thrift.I64Number),
  digits: Thrift.optional(10, Thrift.I64String)
}) {
  get shout() {
    return this.text?.toUpperCase()
  }
}

// Options take the constructor of the schema itself.
const slowly = (props: any): Message => new (Message as any)(props, {})

const outcome = (make: () => object): unknown => {
  try {
    return make()
  } catch (error) {
    return String(error)
  }
}

describe("construction", () => {
  it.prop("builds what the schema's constructor builds", { message: Message }, ({ message }) => {
    const props = { ...message }
    const fast = new Message(props)
    const slow = slowly(props)
    assert.instanceOf(fast, Message)
    assert.deepStrictEqual(Object.keys(fast), Object.keys(slow))
    assert.deepStrictEqual(fast, slow)
    return Equal.equals(fast, slow)
  })

  it("refuses what the schema's constructor refuses, in its words", () => {
    const good = { count: 1, big: 1n }
    for (const bad of [
      { ...good, count: 1.5 },
      { ...good, count: 2 ** 31 },
      { ...good, count: "1" },
      { ...good, big: 2n ** 63n },
      { ...good, small: 128 },
      { ...good, safe: 2 ** 53 },
      { ...good, text: 1 },
      { ...good, bytes: [1] },
      { ...good, inner: 1 },
      { big: 1n },
      undefined,
      null
    ]) {
      const slow = outcome(() => slowly(bad))
      assert.deepStrictEqual(
        outcome(() => new Message(bad as any)),
        slow
      )
      assert.isString(slow)
    }
  })

  it("fills in defaults and makes instances of plain objects, as the schema does", () => {
    const message = new Message({ count: 1, big: 1n, inner: { x: 3 } })
    assert.isTrue(message.flag)
    assert.instanceOf(message.inner, Inner)
  })

  it("drops members that are undefined", () => {
    assert.deepStrictEqual(Object.keys(new Inner({ x: undefined })), [])
  })

  it("keeps getters, fields and the class of a subclass", () => {
    class Loud extends Inner {
      readonly volume = 11
    }
    const loud = new Loud({ x: 1 })
    assert.instanceOf(loud, Loud)
    assert.strictEqual(loud.volume, 11)
    assert.strictEqual(new Message({ count: 1, big: 1n, text: "hi" }).shout, "HI")
  })

  it("leaves a member with a check of the user's to the schema", () => {
    class Checked extends Thrift.Struct<Checked>("construct.Checked")({
      name: Thrift.required(1, Thrift.String.check(Schema.isMinLength(2)))
    }) {}
    assert.throws(() => new Checked({ name: "x" }))
    assert.strictEqual(new Checked({ name: "xy" }).name, "xy")
  })
})
