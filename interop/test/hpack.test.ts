/** Our HPACK against golang.org/x/net/http2/hpack, both ways: random header lists under random table sizes. */
import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { HpackDecoder } from "../../packages/transport/src/internal/http2/hpackDecoder.ts"
import { HpackEncoder } from "../../packages/transport/src/internal/http2/hpackEncoder.ts"
import { buildGo, goAvailable } from "./go.ts"

const lists = 10_000
const listsPerConnection = 50
const secrets = ["authorization", "cookie"]

/** Steps of interop/hpack/main.go, which says what they mean. */
type Step =
  | { readonly reset: true }
  | { readonly encode: ReadonlyArray<string>; readonly sizes: ReadonlyArray<number> }
  | { readonly decode: string; readonly limits: ReadonlyArray<number> }

interface Answer {
  readonly block?: string
  readonly headers: ReadonlyArray<string> | null
  readonly never: ReadonlyArray<string> | null
  readonly error?: string
}

/** Numbers from 0 to `below - 1`, the same in every run (xorshift32). */
const makeRandom = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

const names = [
  ":method",
  ":path",
  ":status",
  ":authority",
  "content-type",
  "content-length",
  "grpc-status",
  "grpc-message",
  "grpc-timeout",
  "te",
  "user-agent",
  "x-a",
  "x-b",
  "x-c-bin",
  ...secrets
]

const values = [
  "",
  "0",
  "200",
  "POST",
  "GET",
  "/",
  "/tests.Echo/Echo",
  "application/grpc",
  "trailers",
  "~{}~",
  "a".repeat(300)
]

interface Exchange {
  readonly newConnection: boolean
  readonly sizes: ReadonlyArray<number>
  readonly headers: ReadonlyArray<string>
}

const makeExchanges = (seed: number): Array<Exchange> => {
  const random = makeRandom(seed)
  const pick = <A>(from: ReadonlyArray<A>): A => from[random(from.length)]!
  const text = (length: number, octets: number): string =>
    String.fromCharCode(...Array.from({ length }, () => (octets === 256 ? random(256) : 0x21 + random(octets))))
  return Array.from({ length: lists }, (_, i) => {
    const headers: Array<string> = []
    for (let field = 1 + random(12); field > 0; field--) {
      headers.push(random(6) === 0 ? `x-${text(random(30), 94)}` : pick(names))
      const kind = random(8)
      headers.push(kind === 0 ? text(random(100), 256) : kind < 3 ? text(random(40), 94) : pick(values))
    }
    const sizes =
      random(5) === 0
        ? Array.from({ length: 1 + random(3) }, () => pick([0, 31, 64, 300, 1000, 4096, random(6000)]))
        : []
    return { newConnection: i % listsPerConnection === 0, sizes, headers }
  })
}

const ask = (program: string, steps: ReadonlyArray<Step>): Array<Answer> => {
  const input = steps.map((step) => JSON.stringify(step)).join("\n")
  const output = execFileSync(program, { input, maxBuffer: 1 << 28, encoding: "utf8" })
  return output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Answer)
}

const fromHex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"))

describe.skipIf(!goAvailable())("HPACK and golang.org/x/net", () => {
  it(`Go decodes what we encode: ${lists} lists`, () => {
    const exchanges = makeExchanges(0x5eed)
    const steps: Array<Step> = []
    let encoder = new HpackEncoder()
    for (const { headers, newConnection, sizes } of exchanges) {
      if (newConnection) {
        encoder = new HpackEncoder()
        steps.push({ reset: true })
      }
      for (const size of sizes) encoder.setPeerTableSize(size)
      steps.push({ decode: Buffer.from(encoder.encode(headers)).toString("hex"), limits: sizes })
    }
    const answers = ask(buildGo("hpack", ".", "hpack"), steps)
    assert.strictEqual(answers.length, lists)
    for (let i = 0; i < lists; i++) {
      const { headers } = exchanges[i]!
      assert.deepStrictEqual(answers[i]!.headers, headers, answers[i]!.error)
      assert.deepStrictEqual(
        answers[i]!.never,
        headers.filter((name, at) => at % 2 === 0 && secrets.includes(name))
      )
    }
  }, 120_000)

  it(`we decode what Go encodes: ${lists} lists`, () => {
    const exchanges = makeExchanges(0xf00d)
    const steps = exchanges.flatMap(({ headers, newConnection, sizes }): Array<Step> => {
      const step: Step = { encode: headers, sizes }
      return newConnection ? [{ reset: true }, step] : [step]
    })
    const answers = ask(buildGo("hpack", ".", "hpack"), steps)
    assert.strictEqual(answers.length, lists)
    const makeDecoder = () => new HpackDecoder({ maxTableSize: 4096, maxListSize: 1 << 20, maxHeaders: 1000 })
    let decoder = makeDecoder()
    for (let i = 0; i < lists; i++) {
      const { headers, newConnection, sizes } = exchanges[i]!
      if (newConnection) decoder = makeDecoder()
      for (const size of sizes) decoder.setMaxTableSize(size)
      const block = fromHex(answers[i]!.block!)
      assert.deepStrictEqual(decoder.decode(block, 0, block.length), { kind: "headers", headers })
    }
  }, 120_000)
})
