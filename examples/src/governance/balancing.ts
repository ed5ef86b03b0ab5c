/**
 * Where calls and streams go: by turns, by how long servers take to answer, by how many streams they have.
 */
import { Discovery, LoadBalancer } from "@millrace/governance"
import { StreamClient } from "@millrace/rpc"
import { Effect, Exit } from "effect"
import { bar, note, title } from "./picture.ts"
import { names, type Name, Servers } from "./servers.ts"
import { Item, Shop, shopName, Transport } from "./service.ts"

const item = new Item({ name: "lamp" })

const client = (balancer: LoadBalancer.LoadBalancer) =>
  Effect.flatMap(Transport, (transport) =>
    StreamClient.make(Shop, { transport, destService: shopName, endpoints: Discovery.endpoints({ balancer }) })
  )

const callsOf = Effect.fnUntraced(function* (balancer: LoadBalancer.LoadBalancer, count: number) {
  const { heard } = yield* Servers
  for (const name of names) heard[name].calls = 0
  const shop = yield* client(balancer)
  const exits = yield* Effect.forEach(Array.from({ length: count }), () => Effect.exit(shop.GetPrice(item)), {
    concurrency: 8
  })
  yield* title(`${count} calls, eight at a time, ${balancer.name}`)
  for (const name of names) yield* bar(name, heard[name].calls / 10, `${heard[name].calls} calls`)
  yield* note(`${exits.filter(Exit.isFailure).length} failed`)
}, Effect.scoped)

const streams = Effect.fnUntraced(function* (balancer: LoadBalancer.LoadBalancer, count: number) {
  const shop = yield* client(balancer)
  const at: Record<Name, number> = { steady: 0, slow: 0, failing: 0 }
  // Each stays as long as this scope.
  yield* Effect.forEach(Array.from({ length: count }), () =>
    Effect.gen(function* () {
      const stream = yield* shop.FollowPrice.open(item)
      const { server } = yield* stream.recv
      at[server as Name]++
    })
  )
  yield* title(`${count} streams that stay, ${balancer.name}`)
  for (const name of names) yield* bar(name, at[name], `${at[name]} streams`)
}, Effect.scoped)

export const balancing = Effect.gen(function* () {
  const { health } = yield* Servers
  health.failing.broken = true
  yield* callsOf(LoadBalancer.weightedRoundRobin, 240)
  yield* callsOf(LoadBalancer.peakEwma(), 240)
  health.failing.broken = false
  yield* streams(LoadBalancer.leastActive, 24)
})
