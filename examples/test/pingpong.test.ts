import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { run, start } from "./programs.ts"

const called = [
  "Find    3 of mill",
  "Take    1 left",
  "Take    sold out, 1 left",
  "Find    404 no race",
  "Count   not within 100 ms",
  "Caller  short: 20 calls on 20 connections",
  "Caller  multiplexed: 20 calls on 1 connections",
  "Caller  framed, multiplexed: 20 calls on 1 connections",
  "Note    sent"
]

const served = ["Count was interrupted", "note: all done"]

describe("pingpong", { timeout: 60_000 }, () => {
  it.live("two processes: what the client gets, and what the server sees", () =>
    Effect.gen(function* () {
      const server = yield* start("pingpong/server.ts", "--port", "0")
      const client = yield* run("pingpong/client.ts", "--address", server.address)
      assert.deepStrictEqual(client.lines, called)
      assert.strictEqual(client.code, 0)
      assert.deepStrictEqual(yield* server.stop, [`listening on ${server.address}`, ...served])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("one process: without an address the client brings its server", () =>
    Effect.gen(function* () {
      const client = yield* run("pingpong/client.ts")
      assert.deepStrictEqual(client.lines.toSorted(), [...called, ...served].toSorted())
      assert.strictEqual(client.code, 0)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("a client without a server says so and fails", () =>
    Effect.gen(function* () {
      const client = yield* run("pingpong/client.ts", "--address", "127.0.0.1:1")
      assert.match(client.output, /connection refused/)
      assert.strictEqual(client.code, 1)
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
