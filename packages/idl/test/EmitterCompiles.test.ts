/** Emitted text is TypeScript that compiles under strict options, is as a formatter leaves it, and loads. */
import { execFileSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { pathToFileURL } from "node:url"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Thrift } from "@millrace/codec"
import { emitted, emptyFolder, type Files, typeErrors, write } from "./emitted.ts"
import { randomIdl } from "./randomIdl.ts"

const data = (name: string) => Fs.readFileSync(new URL(`data/${name}`, import.meta.url), "utf8")

// every name of the language, of the libraries and of objects that could get in the way
const hostile = `namespace go hostile.names
include "base.thrift"
include "a.b.thrift"
struct Thrift { 1: string Schema 2: optional i64 id (ts.type = "number") 3: i64 s (ts.type="string") 4: string raw (ts.type="binary") }
struct Schema { 1: optional Schema self 2: Map m 3: Thrift t }
struct Method {}
struct Service { 1: Method m }
struct codec {}
struct base { 1: base.Base b 2: a.b.Thing t }
struct Map { 1: map<string, i64> m = {"a": 1, "b": 2} 2: binary b = "x" 3: set<i32> s = [1] 4: set<Map> maps }
struct Set {} struct Object {} struct ReadonlyMap {} struct ReadonlyArray {} struct ReadonlySet {} struct Array {}
struct Uint8Array { 1: Alias a }
struct Error { 1: string message }
struct Output {} struct Runtime {} struct DataView {} struct Number {} struct String {} struct BigInt {}
typedef map<string, list<set<binary>>> Alias
const Alias ALIAS = {"a": [["x"]]}
const list<set<i32>> SETS = [[1, 2], [3]]
typedef map<Method, string> ByMethod
const ByMethod BY_METHOD = {{}: "x"}
struct Entries {
  1: map<Method, list<Method>> a = {{}: [{}, {}]}
  2: map<binary, i32> b = {"a": 1, "b": 2}
  3: map<string, map<list<i32>, i64>> c = {"a": {[1, 2]: 3}, "b": {[]: 4}}
  4: OfEntries d = {"one": {"a": 1}}
  5: list<OfEntries> e = [{"one": {"a": 1}}, {"two": {}}]
  6: optional HoldsEntries f = {"m": {[{}]: {"one": {}}}}
  7: map<list<Entries>, i32> g = {[]: 1}
  8: ByMethod h = BY_METHOD
  9: map<list<string>, list<string>> i = {["a long text", "another long text"]: ["a long text", "another long text", "one more"], []: []}
}
union OfEntries { 1: map<binary, i32> one 2: Method two }
struct HoldsEntries { 1: map<list<Method>, OfEntries> m }
const double Infinity = 1e300
const double MINUS_ZERO = -0.0
const string QUOTES = "say \\"hi\\""
struct class { 1: string constructor 2: string __proto__ 3: string then 4: string delete 5: string prototype 6: string toString 7: class this }
enum enum { enum, name, parse, is, ast, make, prototype, length, constructor, Type, toString, __proto__, then, caller, arguments }
struct any { 1: enum e = enum.name }
union string { 1: string constructor 2: i32 _tag 3: string value 4: optional string inner }
exception Exc { 1: string name 2: i32 message 3: string stack 4: string cause 5: string _tag 6: string toString 7: string pipe }
exception Exc2 { 1: optional string message 2: base.Base b }
exception then { 1: string message (ts.type="binary") }
service default extends base.BaseService {
  void delete(1: string constructor, 2: class __proto__) throws (1: Exc name, 2: Exc2 then)
  oneway void import()
  class get(1: class c) (streaming.mode="server")
  void one(3: any a) (streaming.mode="unary")
}
`

const programs: Readonly<Record<string, Files>> = {
  interop: { "interop.thrift": data("interop.thrift"), "second.thrift": data("second.thrift") },
  golden: { "golden.thrift": data("golden.thrift") },
  hostile: {
    "hostile.thrift": hostile,
    "base.thrift":
      "namespace go hostile.names.base struct Base { 1: string LogID = '' } service BaseService { void ping() }",
    "a.b.thrift": "namespace go hostile.names struct Thing { 1: i32 x }"
  },
  keywords: Object.fromEntries(
    ["as", "infer", "intrinsic", "keyof", "readonly", "unique"].flatMap((word) => [
      [`struct_${word}.thrift`, `struct ${word} { 1: list<${word}> a } const ${word} C = {} typedef ${word} Alias`],
      [`enum_${word}.thrift`, `enum ${word} { A } struct S { 1: ${word} a = ${word}.A }`],
      [`union_${word}.thrift`, `union ${word} { 1: i32 a } struct S { 1: optional ${word} a = {"a": 1} }`],
      [`typedef_${word}.thrift`, `typedef i64 ${word} struct S { 1: list<${word}> a }`],
      [`${word}.thrift`, `include "struct_${word}.thrift" struct S { 1: struct_${word}.${word} a }`]
    ])
  ),
  empty: {
    "empty.thrift": "struct A {} union U {} exception X {} enum E {} service S {} struct B { 1: U u 2: X x 3: E e }"
  },
  typedefs: {
    "typedefs.thrift": `typedef Plain Alias typedef list<Alias> Aliases typedef map<Aliases, set<Alias>> Maps struct Plain { 1: Maps all }
typedef i64 Id (ts.type = "string") typedef set<Id> Ids typedef map<Id, Ids> ById struct S { 1: ById byId = {1: [2]} }`
  }
}

const seeds = Array.from({ length: 24 }, (_, seed) => seed)

const folder = emptyFolder("emitter")
const texts = new Map<string, string>()

const add = (name: string, files: Files, codec: "aot" | "none") => {
  const all = emitted(files, { importExtension: ".ts", codec })
  for (const [path, text] of Object.entries(all)) texts.set(`${name}/${path}`, text)
}

beforeAll(() => {
  for (const [name, files] of Object.entries(programs)) {
    add(name, files, "aot")
    add(`${name}-plain`, files, "none")
  }
  for (const seed of seeds) add(`random${seed}`, { "random.thrift": randomIdl(seed) }, seed % 4 === 0 ? "aot" : "none")
  write(folder, Object.fromEntries(texts))
})

/** Loads a module and makes and plans all types in it. */
const touch = async (path: string): Promise<number> => {
  const module: Record<string, any> = await import(pathToFileURL(Path.join(folder, path)).href)
  let count = 0
  for (const value of Object.values(module)) {
    if (value?.ast === undefined) continue
    if (value.ast._tag === "Declaration" || value.cases !== undefined) Thrift.assertSchema(value)
    count++
  }
  return count
}

describe("emitted text", () => {
  it("compiles", { timeout: 120_000 }, () => {
    assert.strictEqual(typeErrors(folder), "")
  })

  it("has no `any` in it", () => {
    for (const [path, text] of texts) {
      if (!path.endsWith(".codec.ts")) assert.notMatch(text.replaceAll(/"[^"]*"|\/\*.*?\*\//gs, ""), /\bany\b/, path)
    }
  })

  it("loads, whatever the order of definitions, and every type has a plan", { timeout: 60_000 }, async () => {
    assert.isAbove(await touch("interop/millrace/interop/index.ts"), 10)
    assert.isAbove(await touch("golden/millrace/golden/codec/index.ts"), 10)
    assert.isAbove(await touch("hostile/hostile/names/index.ts"), 10)
    assert.isAbove(await touch("typedefs/typedefs/index.ts"), 5)
    for (const path of texts.keys()) {
      if (/^keywords\/.*\/(?!index)\w+\.ts$/.test(path)) assert.isAbove(await touch(path), 0, path)
    }
    for (const seed of seeds) assert.isAbove(await touch(`random${seed}/random/index.ts`), 1)
  })

  describe("is format-clean", () => {
    const formatted = Fs.mkdtempSync(Path.join(Os.tmpdir(), "millrace-format-"))
    afterAll(() => Fs.rmSync(formatted, { recursive: true }))

    it("for all of it", { timeout: 60_000 }, () => {
      const root = Path.join(import.meta.dirname, "../../..")
      const schemas = [...texts].filter(([path]) => !path.endsWith(".codec.ts"))
      write(formatted, Object.fromEntries(schemas))
      Fs.copyFileSync(Path.join(root, ".oxfmtrc.json"), Path.join(formatted, ".oxfmtrc.json"))
      execFileSync(Path.join(root, "node_modules/.bin/oxfmt"), ["-c", ".oxfmtrc.json", "."], { cwd: formatted })
      for (const [path, text] of schemas) {
        assert.strictEqual(Fs.readFileSync(Path.join(formatted, path), "utf8"), text, path)
      }
    })
  })
})
