/**
 * A client that stops calling what fails, and comes back when that is over.
 */
import { CircuitBreaker } from "@millrace/governance"
import { StreamClient } from "@millrace/rpc"
import { Effect, Stream } from "effect"
import { note, signs, title } from "./picture.ts"
import { Servers } from "./servers.ts"
import { Item, Shop, shopName, Transport } from "./service.ts"

const item = new Item({ name: "lamp" })

export const breaker = Effect.gen(function* () {
  const { address, health, heard } = yield* Servers
  heard.failing.calls = 0
  health.failing.broken = true
  yield* title("A breaker: one call each 20 ms to a server that fails, and is repaired meanwhile")

  const breaker = yield* CircuitBreaker.make({
    minSample: 10,
    errRate: 0.5,
    coolingTimeout: "300 millis",
    detectTimeout: "100 millis"
  })
  const states: Array<string> = []
  yield* Effect.forkScoped(
    Stream.runForEach(breaker.states, ({ failures, samples, to }) =>
      Effect.sync(() => void states.push(to === "open" ? `open: ${failures} of ${samples} calls failed` : to))
    ),
    { startImmediately: true }
  )
  const shop = yield* StreamClient.make(Shop, {
    transport: yield* Transport,
    callerName: "till",
    destService: shopName,
    hostPorts: [address("failing")],
    admission: [breaker.admission]
  })

  const outcomes: Array<string> = []
  for (let call = 0; call < 60; call++) {
    if (call === 30) health.failing.broken = false
    const outcome = yield* Effect.match(shop.GetPrice(item), {
      onSuccess: () => "✓",
      onFailure: (error) => (error._tag === "RpcError" && error.reason._tag === "CircuitOpen" ? "·" : "✗")
    })
    outcomes.push(outcome)
    yield* Effect.sleep(20)
  }
  yield* signs("calls", outcomes)
  yield* signs(
    "",
    outcomes.map((_, call) => (call === 30 ? "^ repaired" : call < 30 ? " " : ""))
  )
  yield* note("✓ answered   ✗ failed   · refused here, nothing was sent")
  for (const state of states) yield* note(`the breaker is ${state}`)
  yield* note(`the server has seen ${heard.failing.calls} of 60 calls`)
}).pipe(Effect.scoped)
