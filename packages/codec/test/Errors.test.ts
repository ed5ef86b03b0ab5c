import { assert, describe, it } from "@effect/vitest"
import { Codec, CodecError, Thrift } from "@millrace/codec"
import { Effect, Schema } from "effect"
import { unhex } from "./golden.ts"
import { verdict } from "./support/verdict.ts"

class Item extends Thrift.Struct<Item>("shop.Item")({
  name: Thrift.required(1, Thrift.String),
  price: Thrift.field(2, Thrift.Double)
}) {}

class Medium extends Thrift.Struct<Medium>("shop.Medium")({
  items: Thrift.field(1, Thrift.list(Item)),
  byName: Thrift.optional(2, Thrift.map(Thrift.String, Item)),
  tags: Thrift.optional(3, Thrift.set(Thrift.String))
}) {}

class Tree extends Thrift.Struct<Tree>("shop.Tree")({
  next: Thrift.optional(
    1,
    Schema.suspend((): Schema.Codec<Tree, unknown> => Tree)
  )
}) {}

const error = (run: () => unknown): CodecError.CodecError => {
  const found = verdict(run)
  assert.instanceOf(found, CodecError.CodecError)
  return found as CodecError.CodecError
}

describe.each(["source", "closure"] as const)("errors, with %s", (mode) => {
  const codec = Codec.make(Medium, { mode })
  const item = new Item({ name: "a", price: 1 })

  it("writing names the member", () => {
    const wrong = { items: [item, item, item, { name: "d", price: "x" }] }
    assert.strictEqual(
      error(() => codec.encode(wrong as any)).message,
      "Medium.items[3].price: expected double, got string"
    )
    const cases: ReadonlyArray<readonly [unknown, string]> = [
      [undefined, "Medium: expected an object, got undefined"],
      ["text", "Medium: expected an object, got string"],
      [{ items: "no" }, "Medium.items: expected Array, got string"],
      [{ items: [null] }, "Medium.items[0]: expected an object, got null"],
      [{ items: [], byName: { a: item } }, "Medium.byName: expected Map, got Object"],
      [
        { items: [], byName: new Map([["a b", { name: 3, price: 1 }]]) },
        'Medium.byName["a b"].name: expected string, got 3'
      ],
      [{ items: [], byName: new Map([[1, item]]) }, "Medium.byName.keys[0]: expected string, got 1"],
      [{ items: [], tags: ["a"] }, "Medium.tags: expected Set, got Array"],
      [{ items: [], tags: new Set(["a", 5n]) }, "Medium.tags[1]: expected string, got 5n"]
    ]
    for (const [value, message] of cases) {
      const found = error(() => codec.encode(value as any))
      assert.strictEqual(found.message, message)
      assert.isFalse("offset" in found)
    }
  })

  it("a required member that is absent has the text of Kitex, both ways", () => {
    const writing = error(() => codec.encode({ items: [{ price: 1 }] } as any))
    assert.deepInclude({ ...writing }, { kind: "MissingRequired", path: "Medium.items[0].name" })
    assert.strictEqual(writing.message, "required field name is not set")
    const reading = error(() => codec.decode(unhex("0f00010c000000010000")))
    assert.deepInclude({ ...reading }, { kind: "MissingRequired", path: "Medium.items[0].name", offset: 9 })
    assert.strictEqual(reading.message, "required field name is not set")
  })

  it("a required member that is absent has its name in the IDL, and the path that of the property", () => {
    class User extends Thrift.Struct<User>("shop.User")({
      userId: Thrift.required(1, Thrift.String, { name: "user_id" })
    }) {}
    const users = Codec.make(User, { mode })
    for (const found of [error(() => users.encode({} as any)), error(() => users.decode(unhex("00")))]) {
      assert.strictEqual(found.message, "required field user_id is not set")
      assert.strictEqual(found.path, "User.userId")
    }
  })

  it("reading names the member and the offset", () => {
    const cases: ReadonlyArray<readonly [string, CodecError.Kind, string, number]> = [
      ["", "Truncated", "Medium", 0],
      ["0f0001", "Truncated", "Medium.items", 3],
      ["0f00010cffffffff", "NegativeSize", "Medium.items", 4],
      ["0f00010c00200000", "SizeLimit", "Medium.items", 3],
      ["0f00010c00000005000000", "Truncated", "Medium.items", 3],
      ["0f000108000000010000000100", "BadType", "Medium.items", 8],
      ["0f00010c000000010b000100000009610000", "Truncated", "Medium.items[0].name", 15],
      ["0d00020b0c00000001000000016b0400020000", "Truncated", 'Medium.byName["k"].price', 17],
      ["10000900", "BadType", "Medium", 3]
    ]
    for (const [text, kind, path, offset] of cases) {
      const found = error(() => codec.decode(unhex(text)))
      assert.deepStrictEqual([found.kind, found.path, found.offset], [kind, path, offset], found.message)
    }
    const prefixed = unhex(`ffffff${"0f00010cffffffff"}`)
    assert.strictEqual(error(() => codec.decodeFrom(prefixed, 3, prefixed.length)).offset, 4)
  })

  it("nothing is allocated for a size that cannot be", () => {
    for (const count of ["7fffffff", "000fffff"]) {
      assert.include(["SizeLimit", "Truncated"], error(() => codec.decode(unhex(`0f00010c${count}00`))).kind)
    }
  })

  it("limits can be set", () => {
    const strict = Codec.make(Medium, { mode, maxContainerSize: 2 })
    const three = codec.encode({ items: [item, item, item] } as any)
    assert.strictEqual(codec.decode(three).items.length, 3)
    assert.strictEqual(error(() => strict.decode(three)).kind, "SizeLimit")
    const deep = (levels: number): Tree => (levels === 1 ? new Tree({}) : new Tree({ next: deep(levels - 1) }))
    const trees = Codec.make(Tree, { mode })
    trees.decode(trees.encode(deep(64)))
    assert.strictEqual(error(() => trees.encode(deep(65))).kind, "DepthLimit")
    const wide = Codec.make(Tree, { mode, maxDepth: 200 })
    const bytes = wide.encode(deep(65))
    assert.strictEqual(error(() => trees.decode(bytes)).kind, "DepthLimit")
    wide.decode(bytes)
    const cyclic: any = {}
    cyclic.next = cyclic
    assert.strictEqual(error(() => trees.encode(cyclic)).kind, "DepthLimit")
  })

  it("no foreign exception gets out of a getter or a proxy", () => {
    const thrower = {
      get items(): never {
        throw new TypeError("mine")
      }
    }
    const found = error(() => codec.encode(thrower as any))
    assert.strictEqual(found.kind, "BadValue")
    assert.include(found.message, "mine")
  })

  it("a getter may encode in turn", () => {
    const inner = new Medium({ items: [item] })
    const value = {
      get items() {
        return codec.decode(codec.encode(inner)).items
      }
    }
    assert.deepStrictEqual(codec.encode(value as any), codec.encode(inner))
  })

  it("arguments and results name the method", () => {
    const args = Codec.args("TestService.Echo", { req: Thrift.field(1, Item) }, { mode })
    assert.strictEqual(
      error(() => args.encode({ req: { name: 4, price: 1 } as any })).path,
      "TestService.Echo.req.name"
    )
    assert.strictEqual(error(() => args.decode(unhex("0c00010000"))).path, "TestService.Echo.req.name")
  })
})

describe("schemas that are no messages", () => {
  const path = (schema: Schema.Constraint) => error(() => Thrift.assertSchema(schema)).message

  it("are refused with the path of the member", () => {
    assert.strictEqual(path(Schema.Struct({ a: Thrift.String })), "Struct.a: a member needs an id")
    const Twice = Schema.Struct({ a: Thrift.field(1, Thrift.I8), b: Thrift.field(1, Thrift.I8) })
    assert.strictEqual(path(Twice), "Struct.b: the id 1 is that of a too")
    assert.strictEqual(
      path(Schema.Struct({ a: Thrift.field(70000, Thrift.I8) })),
      "Struct.a: the id 70000 is not an i16"
    )
    assert.include(path(Schema.Struct({ a: Thrift.required(1, Schema.Number) })), "Struct.a: a number has no wire type")
    const Inner = Schema.Struct({ list: Thrift.required(1, Schema.Array(Schema.Number)) })
    assert.include(path(Schema.Struct({ inner: Thrift.required(1, Inner) })), "Struct.inner.list[]: a number")
    const Proto = Schema.Struct({ ["__proto__"]: Thrift.required(1, Thrift.I8) })
    assert.include(path(Proto), "a member may not have this name")
  })

  it("fail in the codec with the same error", () => {
    const codec = Codec.make(Schema.Struct({ a: Thrift.String }))
    assert.strictEqual(error(() => codec.encode({ a: "x" })).message, "Struct.a: a member needs an id")
    assert.include(error(() => Codec.make(Thrift.list(Thrift.I8)).encode([1])).message, "a message is a struct")
  })
})

describe("as Effects", () => {
  it.effect("fail with CodecError", () =>
    Effect.gen(function* () {
      const bytes = yield* Codec.encodeEffect(Item)(new Item({ name: "a", price: 2 }))
      const read = yield* Codec.decodeEffect(Item)(bytes)
      assert.deepStrictEqual(read, new Item({ name: "a", price: 2 }))
      const kind = yield* Codec.decodeEffect(Item)(bytes.subarray(0, 5)).pipe(
        Effect.catchTag("CodecError", (error) => Effect.succeed(error.kind))
      )
      assert.strictEqual(kind, "Truncated")
    })
  )
})
