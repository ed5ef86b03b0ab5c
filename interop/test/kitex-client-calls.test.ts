/** A real Kitex client calls our server, in every encoding. The scenarios and what they check are in kitex/scenario/calls.go. */
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { goAvailable } from "./go.ts"
import { type CallOptions, type Case, KitexClient, Ours, ourServer, refusedStart } from "./peers.ts"

const MiB = 1024 * 1024

const encodings = ["buffered", "framed", "ttheader", "ttheader-framed"] as const

const words = [
  "refused",
  "plain-error",
  "unicode-error",
  "trans-error",
  "panic",
  "biz",
  "biz-extra",
  "biz-html",
  "biz-empty-extra",
  "biz-zero"
]

type Scenario = Omit<Case, "address">

/** For every encoding, and for TTHeader without its keys. */
const everywhere: ReadonlyArray<Scenario> = [
  ...[
    "call-shapes",
    "call-types",
    "call-mixed",
    "call-oneway",
    "call-nil",
    "call-required",
    "call-union",
    "call-timeout",
    "call-timeout-seen",
    "call-cancel",
    "call-metainfo",
    "call-middleware",
    "call-unknown",
    ...words.map((word) => `call-error-${word}`)
  ].map((scenario) => ({ scenario })),
  { scenario: "call-big", size: MiB },
  { scenario: "call-big", n: 2, size: 16 * MiB },
  { scenario: "call-many", n: 2000 },
  { scenario: "call-many", n: 200, size: 100_000 },
  { scenario: "call-peers", n: 20 }
]

const multiplexed: ReadonlyArray<Scenario> = [
  { scenario: "call-shapes" },
  { scenario: "call-many", n: 2000 },
  { scenario: "call-many", n: 200, size: 100_000 },
  { scenario: "call-peers", n: 20 },
  { scenario: "call-metainfo" },
  { scenario: "call-timeout" }
]

const variants: ReadonlyArray<CallOptions> = encodings.flatMap((encoding) =>
  encoding.startsWith("tt") ? [{ encoding }, { encoding, plain: true }] : [{ encoding }]
)

const title = ({ n, scenario, size }: Scenario, { connection, encoding, plain }: CallOptions): string => {
  const name = `${scenario} ${[encoding, plain && "plain", connection].filter(Boolean).join(", ")}`
  return `${name}${n === undefined ? "" : `, n = ${n}`}${size === undefined ? "" : `, ${size} bytes`}`
}

const short: ReadonlyArray<Scenario> = [{ scenario: "call-many", n: 200 }, { scenario: "call-peers" }]

const cases = variants.flatMap((calls) => {
  const by = (scenarios: ReadonlyArray<Scenario>, connection: CallOptions["connection"]) =>
    scenarios.map((scenario) => [scenario, { ...calls, connection }] as const)
  return [
    ...by(everywhere, undefined),
    ...by(short, "short"),
    ...(calls.encoding.startsWith("tt") ? by(multiplexed, "mux") : [])
  ]
})

const passes = Effect.fnUntraced(function* (scenario: Case) {
  const run = yield* KitexClient
  const result = yield* run(scenario)
  assert.deepStrictEqual([result.ok, result.detail], [true, ""], JSON.stringify(result.seen))
  return result
})

describe.skipIf(!goAvailable())("Kitex client, our server: PingPong", () => {
  layer(Layer.merge(KitexClient.layer, Ours.layer), { excludeTestServices: true, timeout: "5 minutes" })((it) => {
    for (const [scenario, calls] of cases) {
      it.effect(title(scenario, calls), () =>
        Effect.flatMap(Ours, (address) => passes({ ...scenario, address, calls }))
      )
    }
  })

  layer(KitexClient.layer, { excludeTestServices: true, timeout: "5 minutes" })((it) => {
    it.effect("routing: a fallback, refusal, a handler for what is unknown, combined services", () =>
      Effect.gen(function* () {
        const [routes, refuse, unknown, combined] = yield* Effect.all(
          [
            ourServer("--services", "routes"),
            ourServer("--services", "routes", "--refuse"),
            ourServer("--services", "routes", "--unknown"),
            ourServer("--services", "combined")
          ],
          { concurrency: "unbounded" }
        )
        for (const calls of variants) {
          yield* passes({ scenario: "call-routes", address: routes, calls })
          yield* passes({ scenario: "call-routes-refuse", address: refuse, calls })
          yield* passes({ scenario: "call-routes-unknown", address: unknown, calls })
          yield* passes({ scenario: "call-combined", address: combined, calls })
        }
      })
    )

    it.effect("a method of two services needs a fallback, in Kitex's words", () =>
      Effect.gen(function* () {
        const text = "method name [Shared] is conflicted between services but no fallback service is specified"
        assert.include(yield* refusedStart("kitex"), text)
        assert.include(yield* refusedStart("ours"), text)
      })
    )

    it.effect("a middleware that refuses", () =>
      Effect.gen(function* () {
        const address = yield* ourServer("--middleware", "overlimit")
        for (const calls of variants) yield* passes({ scenario: "call-refused-by-middleware", address, calls })
      })
    )

    it.effect("checksums, right and wrong", () =>
      Effect.gen(function* () {
        const checking = yield* ourServer("--checksum")
        const plain = yield* ourServer()
        for (const encoding of ["ttheader", "ttheader-framed"] as const) {
          const size = 100_000
          const calls = { encoding, checksum: true }
          yield* passes({ scenario: "call-shapes", address: checking, size, calls })
          yield* passes({ scenario: "call-shapes", address: plain, size, calls })
          yield* passes({ scenario: "call-shapes", address: checking, size, calls: { encoding } })
          yield* passes({ scenario: "call-checksum-wrong", address: checking, calls: { encoding } })
        }
      })
    )

    for (const encoding of encodings) {
      it.effect(`a graceful stop under load, ${encoding}`, () =>
        Effect.gen(function* () {
          const address = yield* ourServer("--grace", "1000")
          const { seen } = yield* passes({ scenario: "call-stop", address, calls: { encoding } })
          // the calls that came too late met a closed connection, or nobody who listens
          const { answered: _, ...failures } = seen.at(-1)!["value"] as Record<string, number>
          for (const text of Object.keys(failures)) assert.match(text, /EOF|refused|reset|closed/)
        })
      )
    }
  })
})
