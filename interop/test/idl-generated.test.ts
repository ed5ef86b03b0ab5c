/** Generated code beside Kitex's code of the same IDLs: the same bytes, the same names on the wire, and calls from one to the other. */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { Codec } from "@millrace/codec"
import { Server, type Service } from "@millrace/rpc"
import { ThriftArbitrary } from "@millrace/rpc/testing"
import { Arbitrary, Effect, type Schema } from "effect"
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { compile, emit, generated } from "../src/idl/emit.ts"
import * as golden from "../src/idl/generated/millrace/golden/codec/golden.ts"
import { modules } from "../src/idl/modules.ts"
import { layer } from "../src/idl/server.ts"
import { goAvailable } from "./go.ts"
import { ask, peer } from "./idl-programs.ts"

const program = compile()

const definitions = program.files.flatMap(({ definitions, prefix }) =>
  definitions.map((definition) => ({ definition, key: `${prefix}.${definition.name}`, module: modules[prefix]! }))
)

/** What was generated for a definition. */
const exported = <A>({ definition, module }: (typeof definitions)[number]): A =>
  (module as Readonly<Record<string, A>>)[definition.name]!

const messages = definitions
  .filter(({ definition }) => definition.tag === "Struct")
  .map((each) => [each.key, exported<Schema.Top>(each)] as const)

it("the generated files are those that the compiler emits today", () => {
  const emitted = emit()
  const files = readdirSync(generated, { recursive: true, encoding: "utf8" })
  const present = files.filter((path) => statSync(join(generated, path)).isFile())
  assert.deepStrictEqual(present.toSorted(), emitted.map(({ path }) => path).toSorted())
  for (const { path, text } of emitted) {
    const current = existsSync(join(generated, path)) ? readFileSync(join(generated, path), "utf8") : ""
    assert.isTrue(current === text, `${path} is stale: run node interop/src/idl/emit.ts`)
  }
})

interface Answer<A> {
  readonly result: A
  readonly error?: string
}

const askPeer = async <A>(questions: ReadonlyArray<object>): Promise<ReadonlyArray<A>> =>
  (await ask<Answer<A>>(peer(), questions)).map(({ error, result }) => {
    if (error !== undefined) throw new Error(error)
    return result
  })

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

const recode = async (type: string, bytes: ReadonlyArray<Uint8Array>): Promise<ReadonlyArray<Uint8Array>> => {
  const [recoded] = await askPeer<ReadonlyArray<string>>([{ command: "recode", type, messages: bytes.map(hex) }])
  return recoded!.map((text) => Buffer.from(text, "hex"))
}

/**
 * Go writes maps in any order, and keeps one entry of a binary key. Maps whose keys are objects are lists of pairs here.
 */
const inOrder = (value: unknown): unknown => {
  if (!(value instanceof golden.Maps)) return value
  const text = (key: unknown) => (key instanceof Uint8Array ? hex(key) : JSON.stringify(key))
  const sorted = <K>(pairs: ReadonlyArray<readonly [K, string]>) =>
    pairs.toSorted((a, b) => (text(a) < text(b) ? -1 : 1))
  const byKey = new Map(value.binaryKey.map(([key, text]) => [hex(key), text]))
  return { ...value, structKey: sorted(value.structKey), binaryKey: byKey }
}

/** As `assert.deepStrictEqual` of each, but does not print kilobytes of text. */
const assertSame = (
  actual: ReadonlyArray<unknown>,
  expected: ReadonlyArray<unknown>,
  bytes: ReadonlyArray<Uint8Array>
) => {
  assert.strictEqual(actual.length, expected.length)
  actual.forEach((each, i) => {
    assert.isTrue(isDeepStrictEqual(inOrder(each), inOrder(expected[i])), `message ${i} differs: ${hex(bytes[i]!)}`)
  })
}

/** As Kitex writes: the same order of members, and what is nil in Go as empty. */
const asKitex = { fieldOrder: "kitex", absentStruct: "empty" } as const

const count = 100

describe.skipIf(!goAvailable())("generated code and Kitex's", () => {
  let random: ReadonlyMap<string, ReadonlyArray<Uint8Array>>

  beforeAll(async () => {
    const questions = messages.map(([type], seed) => ({ command: "random", type, seed, count }))
    const answers = await askPeer<ReadonlyArray<string>>(questions)
    random = new Map(messages.map(([type], i) => [type, answers[i]!.map((text) => Buffer.from(text, "hex"))]))
  }, 600_000)

  it("Kitex has every type", async () => {
    const [types] = await askPeer<ReadonlyArray<string>>([{ command: "types" }])
    assert.deepStrictEqual(types, messages.map(([type]) => type).toSorted())
    assert.isAbove(types!.length, 25)
  })

  describe.each(messages)("%s", (type, schema) => {
    it.each(["source", "closure"] as const)("messages of Kitex come back as the same bytes, with %s", (mode) => {
      const codec = Codec.make(schema, { mode, ...asKitex })
      for (const bytes of random.get(type)!) assert.strictEqual(hex(codec.encode(codec.decode(bytes))), hex(bytes))
    })

    it("messages of Kitex, read and written by generated code, are the same to Kitex", async () => {
      const codec = Codec.make(schema)
      const values = random.get(type)!.map(codec.decode)
      const reference = Codec.make(schema, { mode: "closure" })
      assertSame(values, random.get(type)!.map(reference.decode), random.get(type)!)
      const recoded = await recode(type, values.map(codec.encode))
      assertSame(recoded.map(codec.decode), values, recoded)
    })

    it.effect("messages of ours go through Kitex", () =>
      Effect.gen(function* () {
        const codec = Codec.make(schema)
        const kitex = Codec.make(schema, asKitex)
        const values = yield* Arbitrary.sampleEffect(ThriftArbitrary.schema(schema), { count, seed: 1 })
        const recoded = yield* Effect.promise(() => recode(type, values.map(codec.encode)))
        const expected = values.map((value) => codec.decode(kitex.encode(value)))
        assertSame(recoded.map(codec.decode), expected, recoded)
      })
    )
  })

  it("services have the names, methods and modes that Kitex gives them", async () => {
    const modes = {
      none: "pingPong",
      unary: "unary",
      client: "client",
      server: "server",
      bidirectional: "bidirectional"
    }
    interface Info {
      readonly name: string
      readonly package: string
      readonly methods: Readonly<Record<string, { readonly mode: keyof typeof modes; readonly oneway: boolean }>>
    }
    const [infos] = await askPeer<ReadonlyArray<Info>>([{ command: "services" }])
    const services = definitions
      .filter(({ definition }) => definition.tag === "Service")
      .map((each) => exported<Service.Any>(each))
    assert.deepStrictEqual(
      services
        .map((service) => [
          service.name_,
          service.package,
          Object.fromEntries(service.methods.map(({ mode, name }) => [name, mode]))
        ])
        .toSorted(),
      infos!
        .map(({ methods, name, package: name_ }) => [
          name,
          name_,
          Object.fromEntries(
            Object.entries(methods).map(([method, { mode, oneway }]) => [method, oneway ? "oneway" : modes[mode]])
          )
        ])
        .toSorted()
    )
  })

  it.effect("a Kitex client calls a server of generated code", () =>
    Effect.gen(function* () {
      const { address } = yield* Server.Server
      const call = { command: "call", address: `${address.hostname}:${address.port}` }
      yield* Effect.promise(() => askPeer([call]))
    }).pipe(Effect.provide(layer))
  )
})
