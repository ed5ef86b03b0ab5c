import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { Metadata, Metainfo } from "../../src/index.ts"
import { clientOf, told } from "../support/client.ts"
import { logged, Request, Response } from "../support/echo.ts"

/** The same numbers in every run. */
const numbers = (seed: number) => {
  let state = seed
  return (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const token = /^[a-z0-9!#$%&'*+\-.^_`|~]+$/
const control = /[\x00-\x08\x0a-\x1f\x7f]/

const keys = `a A a-b A_B a.b ~ __proto__ constructor toString x-bin X-BIN hasOwnProperty 中 a:b a=b é (a)`
  .split(" ")
  .concat("", "a b", "a\r\nb", "\u0000", "\u212a", "a\tb", "K".repeat(300))
const values = `1 中文 voilà 🚀 a,b "quoted" %0d%0a`
  .split(" ")
  .concat("", "a b", "\u00a0", "x".repeat(2000), "a\tb", "\u2028", "\ufeff", " a ", "\t")
  .concat("a\r\nb: c", "\u0000", "\u007f", "\n", "a\u001b[31m", "\r")

const pick = <A>(from: ReadonlyArray<A>, next: (below: number) => number): A => from[next(from.length)]!

describe("whatever is set is carried whole, or refused before it is sent", () => {
  it.effect("as metadata", () =>
    Effect.gen(function* () {
      const next = numbers(1)
      let received: ReadonlyArray<readonly [string, string]> | undefined
      const client = yield* clientOf({
        EchoUnary: (_, { metadata }) =>
          Effect.sync(() => {
            const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
            received = [...metadata.keys()].flatMap((key) =>
              metadata
                .getAll(key)
                .map((value) => [key, typeof value === "string" ? value : decoder.decode(value)] as const)
            )
            return new Response({})
          })
      })
      let carried = 0
      for (let round = 0; round < 200; round++) {
        const entries = Array.from({ length: 1 + next(3) }, () => [pick(keys, next), pick(values, next)] as const)
        const bad = entries.some(([key, value]) => {
          const name = key.toLowerCase()
          return !token.test(name) || (!name.endsWith("-bin") && control.test(value))
        })
        received = undefined
        let call = Effect.exit(client.EchoUnary(new Request({})))
        // The innermost comes last.
        for (const [key, value] of entries) call = Metadata.append(call, { [key]: value })
        const exit = yield* call
        const seen: ReadonlyArray<readonly [string, string]> | undefined = received
        if (bad) {
          assert.match(told(exit), /^InvalidMetadata: /, JSON.stringify(entries))
          assert.isUndefined(seen)
          continue
        }
        carried++
        assert.isTrue(Exit.isSuccess(exit), JSON.stringify(entries))
        const expected = entries.toReversed().map(([key, value]) => {
          const name = key.toLowerCase()
          return `${name}: ${name.endsWith("-bin") ? value : value.replace(/^[ \t]+|[ \t]+$/g, "")}`
        })
        const got = seen!.map(([key, value]) => `${key}: ${value}`).filter((line) => expected.includes(line))
        assert.deepStrictEqual(got.toSorted(), expected.toSorted())
      }
      assert.isAbove(carried, 25)
    })
  )

  it.effect("as metainfo, where over HTTP/2 only what no header holds is left out", () =>
    Effect.gen(function* () {
      const next = numbers(2)
      let received: Metainfo.Metainfo | undefined
      const note = ({ metainfo }: { readonly metainfo: Metainfo.Metainfo }) =>
        Effect.sync(() => {
          received = metainfo
          return new Response({})
        })
      const [client, warnings] = yield* logged(
        clientOf({ EchoUnary: (_, call) => note(call), EchoPingPong: (_, call) => note(call) })
      )
      const req = new Request({})
      for (let round = 0; round < 150; round++) {
        const some = () => Array.from({ length: next(4) }, () => [pick(keys, next), pick(values, next)] as const)
        const transient = some()
        const persistent = some()
        const within = <A, E, R>(self: Effect.Effect<A, E, R>) =>
          [
            ...transient.map(([key, value]) => Metainfo.withValue(key, value)),
            ...persistent.map(([key, value]) => Metainfo.withPersistentValue(key, value))
          ].reduceRight((inner, set) => set(inner), self)
        const set = (entries: ReadonlyArray<readonly [string, string]>) => {
          const map = new Map<string, string>()
          for (const [key, value] of entries) {
            if (key === "" || value === "") continue
            map.delete(key)
            map.set(key, value)
          }
          return map
        }
        const plain = (map: ReadonlyMap<string, string>) => [...map].toSorted()

        yield* within(client.EchoPingPong({ req }))
        assert.deepStrictEqual(plain(received!.transient), plain(set(transient)))
        assert.deepStrictEqual(plain(received!.persistent), plain(set(persistent)))

        yield* within(client.EchoUnary(req))
        const folded = (entries: ReadonlyArray<readonly [string, string]>) => {
          const map = new Map<string, string>()
          for (const [key, value] of set(entries)) {
            const name = key.toLowerCase().replaceAll("_", "-")
            if (!token.test(name) || (!name.endsWith("-bin") && control.test(value))) continue
            map.set(
              name.toUpperCase().replaceAll("-", "_"),
              name.endsWith("-bin") ? value : value.replace(/^[ \t]+|[ \t]+$/g, "")
            )
          }
          for (const [key, value] of map) if (value === "") map.delete(key)
          return plain(map)
        }
        assert.deepStrictEqual(plain(received!.transient), folded(transient), JSON.stringify(transient))
        assert.deepStrictEqual(plain(received!.persistent), folded(persistent), JSON.stringify(persistent))
      }
      assert.strictEqual(warnings.length, 2)
    })
  )
})
