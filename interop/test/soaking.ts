/** The server of soak tests and attacks in a process of its own, and clients of it. */
import { Client, StreamClient } from "@millrace/rpc"
import type { ClientOptions } from "@millrace/rpc/ClientOptions"
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
import { type Usage, usage } from "../src/usage.ts"
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

/** A PingPong client with connections of its own, all of which it keeps. */
export const soakCaller = (
  address: string,
  options: ClientOptions = {}
): Effect.Effect<Client.Client<typeof Soak>, never, Scope.Scope> =>
  Effect.flatMap(Layer.build(NodeTransport.layerClientWith({ pool: { maxIdlePerAddress: 64 } })), (context) =>
    Effect.provide(Client.make(Soak, { hostPorts: [address], ...options }), context)
  )

/** Asks until the answer is right; the last answer. */
export const until = <A>(ask: Effect.Effect<A>, right: (answer: A) => boolean, millis: number): Effect.Effect<A> => {
  const from = performance.now()
  const again: Effect.Effect<A> = Effect.flatMap(ask, (answer) =>
    right(answer) || performance.now() - from > millis ? Effect.succeed(answer) : Effect.delay(again, 10)
  )
  return again
}

const MiB = 1024 * 1024

/** How far from where it was a process may be: code that became warm and growing tables are no leak. */
const slack = { held: 2 * MiB, descriptors: 3, timers: 3, listeners: 0 }

const assertBack = (who: string, before: Usage, after: Usage): void => {
  for (const [name, more] of Object.entries(slack)) {
    const key = name as keyof typeof slack
    assert.isAtMost(after[key] - before[key], more, `${who}: ${name} from ${before[key]} to ${after[key]}`)
  }
  assert.strictEqual(after.sockets, before.sockets, `${who}: sockets`)
  assert.deepStrictEqual(after.troubles, [], who)
}

/** Runs it between two looks at both processes. */
export const leavesNothing = <E>(server: SoakServer, run: Effect.Effect<void, E, Scope.Scope>) =>
  Effect.gen(function* () {
    const before = yield* server.usage
    const here = usage()
    yield* Effect.scoped(run)
    const after = yield* until(server.usage, (now) => now.handlers.active === before.handlers.active, 2000)
    assert.strictEqual(after.handlers.active, before.handlers.active, "handlers")
    assertBack("the server", before, after)
    assertBack("the client", here, usage())
    return after
  })

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
