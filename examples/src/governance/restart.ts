/**
 * A rolling restart: each server leaves the registry, ends its calls, stops, and comes back at another address, while calls
 * go on.
 */
import { Discovery, Retry } from "@millrace/governance"
import { StreamClient } from "@millrace/rpc"
import { Clock, Effect, Fiber } from "effect"
import { columns, note, title } from "./picture.ts"
import { names, type Name, Servers } from "./servers.ts"
import { Item, Shop, shopName, Transport } from "./service.ts"

const item = new Item({ name: "lamp" })

/** Milliseconds of one column of the picture. */
const step = 50

export const restart = Effect.gen(function* () {
  const { address, restart } = yield* Servers
  const shop = yield* StreamClient.make(Shop, {
    transport: yield* Transport,
    destService: shopName,
    endpoints: Discovery.endpoints(),
    unary: { retry: Retry.failure({ maxRetries: 2 }) }
  })
  const began = yield* Clock.currentTimeMillis
  const answered: Record<Name, Array<number>> = { steady: [], slow: [], failing: [] }
  let calls = 0
  let failed = 0
  const call = Effect.gen(function* () {
    const server = yield* Effect.match(shop.GetPrice(item), {
      onSuccess: ({ server }) => server as Name,
      onFailure: () => {
        failed++
        return undefined
      }
    })
    // Those that the end of this scene interrupts do not count.
    calls++
    if (server === undefined) return
    const column = Math.floor(((yield* Clock.currentTimeMillis) - began) / step)
    answered[server][column] = (answered[server][column] ?? 0) + 1
  })
  const load = yield* Effect.forEach(Array.from({ length: 8 }), () => Effect.forkScoped(Effect.forever(call)))

  const moves: Array<string> = []
  for (const name of names) {
    yield* Effect.sleep(200)
    const before = address(name)
    yield* restart(name)
    moves.push(`${name} was at ${before}, and is at ${address(name)}`)
  }
  yield* Effect.sleep(200)
  yield* Fiber.interruptAll(load)

  yield* title("A rolling restart under load: answers of each server over time")
  const length = Math.max(...names.map((name) => answered[name].length))
  const rows = names.map((name) => Array.from({ length }, (_, column) => answered[name][column] ?? 0))
  const most = Math.max(...rows.flat())
  for (const [index, name] of names.entries()) {
    yield* columns(name, rows[index]!, most, `${rows[index]!.reduce((sum, count) => sum + count, 0)} answers`)
  }
  for (const move of moves) yield* note(move)
  yield* note(`${calls} calls, ${failed} failed`)
}).pipe(Effect.scoped)
