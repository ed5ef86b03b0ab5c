import { assert, describe, it } from "@effect/vitest"
import { Codec, CodecError, Thrift } from "@millrace/codec"
import { Schema } from "effect"

class Folder extends Thrift.Struct<Folder>("recursion.Folder")({
  name: Thrift.required(1, Thrift.String),
  files: Thrift.field(2, Thrift.list(Schema.suspend((): Schema.Codec<File, unknown> => File)))
}) {}

class File extends Thrift.Struct<File>("recursion.File")({
  name: Thrift.required(1, Thrift.String),
  parent: Thrift.optional(2, Folder)
}) {}

type Json =
  | { readonly _tag: "text"; readonly value: string }
  | { readonly _tag: "items"; readonly value: ReadonlyArray<Json> }
  | { readonly _tag: "members"; readonly value: ReadonlyMap<string, Json> }

const later = Schema.suspend((): Schema.Codec<Json, unknown> => Json as any)

const Json = Thrift.Union("recursion.Json", {
  text: Thrift.field(1, Thrift.String),
  items: Thrift.field(2, Thrift.list(later)),
  members: Thrift.field(3, Thrift.map(Thrift.String, later))
})

describe.each(["source", "closure"] as const)("recursion, with %s", (mode) => {
  it("structs hold each other", () => {
    const codec = Codec.make(Folder, { mode })
    const empty = new Folder({ name: "empty" })
    const folder = new Folder({ name: "a", files: [new File({ name: "b", parent: empty }), new File({ name: "c" })] })
    const read = codec.decode(codec.encode(folder))
    assert.deepStrictEqual(read, folder)
    assert.isTrue(read.files[0] instanceof File && read.files[0].parent instanceof Folder)
  })

  it("a union holds itself", () => {
    const codec: Codec.Codec<any> = Codec.make(Json, { mode })
    const text = (value: string): Json => ({ _tag: "text", value })
    const json: Json = {
      _tag: "members",
      value: new Map<string, Json>([
        ["a", { _tag: "items", value: [text("x"), { _tag: "items", value: [] }] }],
        ["b", text("y")]
      ])
    }
    assert.deepStrictEqual(codec.decode(codec.encode(json)), json)
    const nested = (levels: number): Json =>
      levels === 1 ? text("end") : { _tag: "items", value: [nested(levels - 1)] }
    assert.deepStrictEqual(codec.decode(codec.encode(nested(64))), nested(64))
    assert.throws(() => codec.encode(nested(65)), CodecError.CodecError, /depth limit/)
  })
})

it("a chain of structs may be long, and a mistake at its end is found each time", () => {
  const chain = (end: Schema.Top) => {
    let last: Schema.Top = end
    for (let i = 0; i < 5000; i++) {
      const next = last
      last = class extends (
        Thrift.Struct<any>(`chain.Link${i}`)({
          next: Thrift.optional(
            1,
            Schema.suspend(() => next as any)
          )
        })
      ) {}
    }
    return last
  }
  class End extends Thrift.Struct<End>("chain.End")({ text: Thrift.field(1, Thrift.String) }) {}
  assert.deepStrictEqual([...Codec.make(chain(End), { mode: "closure" }).encode({})], [0])
  class Wrong extends Thrift.Struct<Wrong>("chain.Wrong")({ text: Schema.String }) {}
  const wrong = chain(Wrong)
  for (let i = 0; i < 2; i++)
    assert.throws(() => Thrift.assertSchema(wrong), /^.{0,170}next\.text: a member needs an id$/)
})

it("a union without members has no value, and may be absent", () => {
  const Never = Thrift.Union("recursion.Never", {})
  class Holder extends Thrift.Struct<Holder>("recursion.Holder")({ never: Thrift.optional(1, Never) }) {}
  for (const mode of ["source", "closure"] as const) {
    const codec = Codec.make(Holder, { mode })
    assert.deepStrictEqual([...codec.encode(new Holder({}))], [0])
    assert.deepStrictEqual(codec.decode(Uint8Array.of(12, 0, 1, 0, 0)), new Holder({}))
  }
})

it("a container that holds itself without a struct is no Thrift type", () => {
  const Endless: Schema.Constraint = Thrift.list(Schema.suspend((): any => Endless))
  assert.throws(() => Thrift.assertSchema(Endless), /holds itself/)
})
