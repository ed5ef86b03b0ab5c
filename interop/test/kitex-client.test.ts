/** A real Kitex client against our server. The scenarios and what they check are in kitex/scenario. */
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { goAvailable } from "./go.ts"
import { type Case, KitexClient, Ours, ourServer, runFirstKitex } from "./peers.ts"

/** In bytes; gRPC's default limit. */
const largest = 4 << 20

const modes = ["bidi", "client", "server", "unary"]
const words = [
  "plain-error",
  "unicode-error",
  "trans-error",
  "status",
  "status-big",
  "biz",
  "biz-extra",
  "biz-html",
  "biz-zero",
  "panic"
]

const scenarios: ReadonlyArray<Omit<Case, "address">> = [
  ...["", "gzip-"].flatMap((prefix) =>
    modes.flatMap((mode) => [
      ...[0, 1, 3, 1000].map((n) => ({ scenario: `${prefix}${mode}`, n })),
      { scenario: `${prefix}${mode}`, size: largest }
    ])
  ),
  { scenario: "streams", n: 200 },
  ...modes.flatMap((mode) => words.map((word) => ({ scenario: `error-${mode}-${word}` }))),
  ...[
    "error-unary-refused",
    "bidi-lockstep",
    "bidi-half-close",
    "empty-messages",
    "slow-reader",
    "types-bidi",
    "types-unary",
    "return-early-bidi",
    "return-early-client",
    "two-then-error",
    "two-then-biz",
    "cancel-bidi",
    "cancel-client",
    "cancel-server",
    "deadline-bidi",
    "deadline-client",
    "deadline-server",
    "deadline-unary",
    "deadline-seen",
    "recv-timeout",
    "server-recv-timeout",
    "call-with-timeout-send",
    "call-with-timeout-recv",
    "two-services",
    "unknown-method",
    "unknown-service",
    "header-trailer-bidi",
    "header-trailer-server",
    "header-trailer-unary",
    "send-header",
    "header-names",
    "metadata",
    "metainfo",
    "client-middleware-bidi",
    "client-middleware-client",
    "client-middleware-server",
    "client-middleware-unary"
  ].map((scenario) => ({ scenario }))
]

const title = ({ n, scenario, size }: Omit<Case, "address">) =>
  `${scenario}${n === undefined ? "" : `, n = ${n}`}${size === undefined ? "" : `, ${size} bytes`}`

// About one in 150 sends of 4 MiB on a busy machine ends so in a Kitex client, with a Kitex server no less than with ours.
const kitexRace = "rpc error: code = 13 desc = the stream is done"

describe.skipIf(!goAvailable())("Kitex client, our server", () => {
  layer(Layer.merge(KitexClient.layer, Ours.layer), { excludeTestServices: true, timeout: "5 minutes" })((it) => {
    for (const scenario of scenarios) {
      it.effect(title(scenario), () =>
        Effect.gen(function* () {
          const run = yield* KitexClient
          const once = run({ ...scenario, address: yield* Ours })
          const times = scenario.size === largest ? 3 : 0
          const result = yield* Effect.repeat(once, { until: ({ detail }) => detail !== kitexRace, times })
          assert.deepStrictEqual([result.ok, result.detail], [true, ""], JSON.stringify(result.seen))
        })
      )
    }

    for (const scenario of ["drain-finish", "drain-grace", "connection-loss"]) {
      it.effect(scenario, () =>
        Effect.gen(function* () {
          const run = yield* KitexClient
          const result = yield* run({ scenario, address: yield* ourServer() })
          assert.deepStrictEqual([result.ok, result.detail], [true, ""], JSON.stringify(result.seen))
        })
      )
    }

    it.effect("what a stream gets that outlives the grace time", () =>
      Effect.gen(function* () {
        const run = yield* KitexClient
        const { seen } = yield* run({ scenario: "drain-grace", address: yield* ourServer() })
        assert.include(seen.at(-1), { op: "recv", code: 14, message: "graceful shutdown" })
      })
    )

    for (const mode of modes) {
      it.effect(`a middleware that refuses, ${mode}`, () =>
        Effect.gen(function* () {
          const run = yield* KitexClient
          const address = yield* ourServer("--middleware", "overlimit")
          const { seen } = yield* run({ scenario: `refused-by-middleware-${mode}`, address })
          assert.include(seen[0], { code: 8, message: "request over limit: request too frequent" })
        })
      )
    }

    for (const scenario of ["bidi", "client", "server", "unary", "error"]) {
      it.effect(
        `Kitex 0.9.1: ${scenario}`,
        () =>
          Effect.gen(function* () {
            const result = yield* runFirstKitex(scenario, yield* Ours)
            assert.deepStrictEqual([result.ok, result.detail], [true, ""])
          }),
        300_000
      )
    }
  })
})
