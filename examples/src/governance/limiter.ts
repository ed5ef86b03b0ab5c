/**
 * A server that protects itself: what is over its limit is refused before anything of it is done. The limit changes
 * while the server runs.
 */
import { StreamClient } from "@millrace/rpc"
import { Effect, SubscriptionRef } from "effect"
import { note, signs, title } from "./picture.ts"
import { Servers } from "./servers.ts"
import { Item, Shop, Transport } from "./service.ts"

const item = new Item({ name: "lamp" })

export const limiter = Effect.gen(function* () {
  const { address, atATime } = yield* Servers
  const shop = yield* StreamClient.make(Shop, { transport: yield* Transport, hostPorts: [address("slow")] })
  let refusal = ""
  const burst = Effect.fnUntraced(function* (limit: number) {
    yield* SubscriptionRef.set(atATime, limit)
    const outcomes = yield* Effect.forEach(
      Array.from({ length: 12 }),
      () =>
        Effect.match(shop.GetPrice(item), {
          onSuccess: () => "✓",
          onFailure: (error) => {
            const rejected = error._tag === "RpcError" && error.reason._tag === "Rejected" ? error.reason : undefined
            refusal = `${error.message}; again in ${rejected?.retryAfterMillis} ms`
            return rejected === undefined ? "✗" : "×"
          }
        }),
      { concurrency: "unbounded" }
    )
    yield* signs(`limit ${limit}`, outcomes)
  })
  yield* title("A limit: twelve calls at once to the slow server")
  yield* burst(4)
  yield* burst(12)
  yield* note(`✓ answered   × refused: ${refusal}`)
  yield* SubscriptionRef.set(atATime, 1000)
}).pipe(Effect.scoped)
