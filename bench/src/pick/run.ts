/**
 * Picks instances in one process, by each balancer among few and among many in turn, through what a client asks: `run.ts ROUNDS MS`
 * prints one JSON line with the figures of each balancer.
 */
import { Discovery, Instance, LoadBalancer, Resolver } from "@millrace/governance"
import type { CallObserver, Endpoints, RpcInfo } from "@millrace/rpc"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"

const BALANCERS: ReadonlyArray<LoadBalancer.LoadBalancer> = [
  LoadBalancer.weightedRoundRobin,
  LoadBalancer.interleaved,
  LoadBalancer.random,
  LoadBalancer.weightedRandom,
  LoadBalancer.alias,
  // Soon over: of the picks that are measured none sees an instance that is new.
  LoadBalancer.warmUp({ duration: "100 millis" }),
  LoadBalancer.consistentHash(),
  LoadBalancer.leastActive,
  LoadBalancer.peakEwma()
]

const FEW = 8
const MANY = 1000

/** CPU of a pick with all that its call tells the instance, in nanoseconds for every round, and bytes that it allocates. */
export interface PickFigures {
  readonly few: ReadonlyArray<number>
  readonly many: ReadonlyArray<number>
  readonly fewBytes: number
  readonly manyBytes: number
}

const info: RpcInfo.RpcInfo = {
  side: "client",
  service: "TestService",
  method: "EchoUnary",
  mode: "unary",
  protocol: "grpc",
  path: "/echo.TestService/EchoUnary",
  address: "",
  caller: "bench",
  callee: "TestService",
  logId: undefined,
  bizError: undefined
}

const KEYS = Array.from({ length: 1024 }, (_, i) => `user-${i * 7919}`)

/** The calls that instances are picked for: each has a key, its time, and an end. */
class Calls implements Endpoints.Placing, CallObserver.CallEnd {
  readonly info = info
  readonly request = undefined
  readonly tried: ReadonlyArray<string> = []
  readonly reason = "eof"
  readonly error = undefined
  readonly created = true
  millis = 0
  private key = 0

  get now(): number {
    return Date.now()
  }

  getRef<A>(_: Context.Reference<A>): A {
    return KEYS[this.key] as A
  }

  next(): void {
    this.key = (this.key + 1) % KEYS.length
    this.millis = this.key % 16
  }
}

const calls = new Calls()

const pick = (endpoints: Endpoints.Endpoints, count: number): void => {
  for (let i = 0; i < count; i++) {
    calls.next()
    const picked = endpoints.pick(calls) as Endpoints.Picked
    picked.began!(calls.now)
    picked.ended(calls)
  }
}

const BATCH = 1000

const nanoseconds = (endpoints: Endpoints.Endpoints, ms: number): number => {
  const before = process.threadCpuUsage()
  const until = performance.now() + ms
  let picks = 0
  while (performance.now() < until) {
    pick(endpoints, BATCH)
    picks += BATCH
  }
  const { system, user } = process.threadCpuUsage(before)
  return ((user + system) * 1000) / picks
}

/** With so large a young generation that nothing is collected meanwhile. */
const bytes = (endpoints: Endpoints.Endpoints): number => {
  const count = 1_000_000
  globalThis.gc!()
  const before = process.memoryUsage().heapUsed
  pick(endpoints, count)
  return (process.memoryUsage().heapUsed - before) / count
}

const discover = async (balancer: LoadBalancer.LoadBalancer, count: number): Promise<Endpoints.Endpoints> => {
  const instances = Array.from({ length: count }, (_, i) =>
    Instance.make(`10.0.${i >> 8}.${i & 255}:8888`, { weight: 1 + (i % 8) })
  )
  const made = Discovery.endpoints({ balancer }).pipe(
    Effect.provide(Resolver.layerStatic({ TestService: instances })),
    Scope.provide(Scope.makeUnsafe())
  )
  const endpoints = await Effect.runPromise(made)
  const first = endpoints.pick(calls)
  if (Effect.isEffect(first)) await Effect.runPromise(first)
  return endpoints
}

const main = async ([rounds, ms]: ReadonlyArray<string>): Promise<void> => {
  const figures: Record<string, PickFigures> = {}
  for (const balancer of BALANCERS) {
    const few = await discover(balancer, FEW)
    const many = await discover(balancer, MANY)
    for (const endpoints of [few, many]) nanoseconds(endpoints, 300)
    const taken = { few: [] as Array<number>, many: [] as Array<number> }
    for (let round = 0; round < Number(rounds); round++) {
      taken.few.push(nanoseconds(few, Number(ms)))
      taken.many.push(nanoseconds(many, Number(ms)))
    }
    figures[balancer.name] = { ...taken, fewBytes: bytes(few), manyBytes: bytes(many) }
  }
  process.stdout.write(`${JSON.stringify(figures)}\n`)
}

await main(process.argv.slice(2))
process.exit(0)
