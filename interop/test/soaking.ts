/** The server of soak tests and attacks in a process of its own, and clients of it. */
import { StreamClient } from "@millrace/rpc"
import type { Options } from "@millrace/rpc/Server"
import type { StreamClientOptions } from "@millrace/rpc/StreamOptions"
import { NodeTransport } from "@millrace/transport/node"
import { assert } from "@effect/vitest"
import { Effect, Layer, type Scope, Stream } from "effect"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Request } from "../src/api.ts"
import type { ServerUsage } from "../src/soak-server.ts"
import { Soak } from "../src/soak.ts"
import { lines, start } from "./peers.ts"

const source = fileURLToPath(new URL("../src/", import.meta.url))

export interface SoakServer {
  readonly address: string
  readonly usage: Effect.Effect<ServerUsage>
  /** Stops gracefully; how many milliseconds it took. */
  readonly drain: Effect.Effect<number>
  readonly kill: Effect.Effect<void>
}

export interface SoakOptions {
  readonly transport?: NodeTransport.ServerOptions
  readonly server?: Options<[]>
  /** The server behind it. */
  readonly next?: string
}

/** Starts `src/soak-server.ts`; it lives as long as the scope. */
export const soakServer = Effect.fnUntraced(function* (
  options: SoakOptions = {}
): Effect.fn.Return<SoakServer, never, Scope.Scope> {
  const args = [
    join(source, "soak-server.ts"),
    "--transport",
    JSON.stringify(options.transport ?? {}),
    "--server",
    JSON.stringify(options.server ?? {}),
    ...(options.next === undefined ? [] : ["--next", options.next])
  ]
  const child = yield* start(process.execPath, args)
  const next = yield* lines(child)
  const ask = (word: string) =>
    Effect.suspend(() => {
      child.stdin!.write(`${word}\n`)
      return Effect.map(next, (line) => JSON.parse(line))
    })
  const address = (yield* next).replace("listening on ", "")
  assert.match(address, /^127\.0\.0\.1:\d+$/)
  return {
    address,
    usage: ask("usage"),
    drain: Effect.map(ask("drain"), ({ millis }) => millis),
    kill: Effect.sync(() => child.kill("SIGKILL"))
  }
})

/** Starts `src/soak-client.ts` and waits until it reads; its process. */
export const consumer = Effect.fnUntraced(function* (address: string, word: "once" | "next" = "once") {
  const child = yield* start(process.execPath, [join(source, "soak-client.ts"), address, word])
  assert.strictEqual(yield* yield* lines(child), "reading")
  return child
})

/** A client with a connection of its own. */
export const soakClient = (
  address: string,
  options: StreamClientOptions = {},
  transport: NodeTransport.ClientOptions = {}
): Effect.Effect<StreamClient.StreamClient<typeof Soak>, never, Scope.Scope> =>
  Effect.flatMap(Layer.build(NodeTransport.layerClientWith(transport)), (context) =>
    Effect.provide(StreamClient.make(Soak, { hostPorts: [address], ...options }), context)
  )

/** Asks until the answer is right; the last answer. */
export const until = <A>(ask: Effect.Effect<A>, right: (answer: A) => boolean, millis: number): Effect.Effect<A> => {
  const from = performance.now()
  const again: Effect.Effect<A> = Effect.flatMap(ask, (answer) =>
    right(answer) || performance.now() - from > millis ? Effect.succeed(answer) : Effect.delay(again, 10)
  )
  return again
}

/** A stream that must not notice what others suffer: numbers in order, and the longest time between two of them. */
export interface Witness {
  seen: number
  longest: number
}

/** Reads ticks until the scope closes; out of order or with an error, the test fails. */
export const witness = Effect.fnUntraced(function* (
  client: StreamClient.StreamClient<typeof Soak>
): Effect.fn.Return<Witness, never, Scope.Scope> {
  const seen: Witness = { seen: 0, longest: 0 }
  let last = performance.now()
  yield* client.Produce(new Request({ message: "ticks", count: 5 })).pipe(
    Stream.runForEach(({ count }) =>
      Effect.sync(() => {
        assert.strictEqual(count, seen.seen++)
        const now = performance.now()
        seen.longest = Math.max(seen.longest, now - last)
        last = now
      })
    ),
    Effect.orDie,
    Effect.forkScoped({ startImmediately: true })
  )
  yield* until(
    Effect.sync(() => seen.seen),
    (n) => n > 0,
    5000
  )
  assert.isAbove(seen.seen, 0)
  seen.longest = 0
  return seen
})
