import { assert, describe, it } from "@effect/vitest"
import * as Checker from "../src/Checker.ts"
import type * as Emitter from "../src/Emitter.ts"
import * as Loader from "../src/Loader.ts"
import * as Plans from "../src/Plans.ts"

const describeIdl = (text: string, options?: Partial<Emitter.Options>): string => {
  const { diagnostics, program } = Checker.compile(["a.thrift"], { read: Loader.fromRecord({ "a.thrift": text }) })
  assert.deepStrictEqual(diagnostics, [])
  return Plans.describe(program, program.entries[0]!, options)
}

describe("Plans.describe", () => {
  it("says what is on the wire of a call and of a stream", () => {
    const text = describeIdl(`namespace go shop
      typedef i64 Id
      enum Level { LOW = 1 }
      struct Item { 1: required Id id, 2: Level level = Level.LOW }
      exception Gone {}
      service Shop {
        Item Get(2: Id id, 3: bool fresh) throws (1: Gone gone)
        void Ping()
        oneway void Log(1: string line)
        Item Watch(1: Item item) (streaming.mode="server")
      }`)
    assert.strictEqual(
      text,
      `service Shop
  Get: pingPong
  Ping: pingPong
  Log: oneway
  Watch: server shop.Item -> shop.Item
struct Shop.Get_args
  2: default i64 id
  3: default bool fresh
result Shop.Get_result
  0: optional shop.Item success
  1: optional shop.Gone gone
struct Shop.Ping_args
result Shop.Ping_result
struct Shop.Log_args
  1: default string line
struct shop.Item
  1: required i64 id
  2: default enum shop.Level level = 1
exception shop.Gone
  _tag is "Gone"
enum shop.Level
  LOW = 1
`
    )
  })

  it("follows the options of the emitter", () => {
    const idl = "namespace go shop struct Item { 1: optional i64 item_id }"
    assert.strictEqual(describeIdl(idl), "struct shop.Item\n  1: optional i64 item_id\n")
    assert.strictEqual(
      describeIdl(idl, { i64: "number", case: "camel", namespaceMap: [["shop", "store"]] }),
      "struct store.Item\n  1: optional i64number itemId\n"
    )
  })

  it("is empty for an IDL without messages", () => {
    assert.strictEqual(describeIdl("const i32 A = 1"), "")
  })

  it("takes long chains in time that grows with them", () => {
    const names = Array.from({ length: 5000 }, (_, i) => `S${i}`)
    const text = describeIdl(
      names.map((name, i) => `struct ${name} { 1: optional ${names[i + 1] ?? "i32"} a }`).join("\n")
    )
    assert.strictEqual(text.split("\n").length, 2 * names.length + 1)
  })
})
