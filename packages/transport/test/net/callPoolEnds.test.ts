/** Client and server of this package, over memory and real sockets. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, type Layer, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { MemoryTransport } from "../../src/index.ts"
import type { ConnectionMode, Encoding, RawServerCall } from "../../src/RawCall.ts"
import { type ClientTransport, ServerTransport } from "../../src/Transport.ts"
import { call, target } from "../support/calls.ts"
import { layers } from "../support/layers.ts"
import { decodeText, encodeText } from "../support/raw.ts"

const encodings: ReadonlyArray<Encoding> = ["buffered", "framed", "ttheader", "ttheader-framed"]
const modes: ReadonlyArray<ConnectionMode> = ["pooled", "short", "multiplexed", "auto"]

/** A struct with one string, so that a Buffered message has an end. */
const body = (text: string) => `\u000b\u0000\u0001\u0000\u0000\u0000${String.fromCharCode(text.length)}${text}\u0000`

const listen = (onCall: (call: RawServerCall) => void) =>
  Effect.gen(function* () {
    const server = yield* ServerTransport
    const { address } = yield* server.listen({ onStream: () => {}, onCall })
    return `${address.hostname}:${address.port}`
  })

const echo = (call: RawServerCall) => void call.reply(call.take(decodeText), encodeText)

const serving = <A, E>(
  layer: Layer.Layer<ClientTransport | ServerTransport>,
  effect: Effect.Effect<A, E, ClientTransport | ServerTransport | Scope.Scope>
) => Effect.scoped(Effect.provide(effect, layer))

describe("our own server", () => {
  const everything = Effect.gen(function* () {
    const peers = new Map<string, Set<string>>()
    const address = yield* listen((call) => {
      const text = call.take(decodeText)
      const seen = peers.get(text[7]!) ?? new Set()
      peers.set(text[7]!, seen.add(call.peer.address))
      call.reply(text, encodeText)
    })
    for (const encoding of encodings)
      for (const [i, connection] of modes.entries()) {
        const texts = Array.from({ length: 30 }, (_, n) => body(`${i}${encoding}${n}`))
        const to = target(address, { encoding, connection })
        const answers = yield* Effect.forEach(texts, (text) => call(to, text), { concurrency: 5 })
        assert.deepStrictEqual(answers, texts)
      }
    return peers
  })

  it.live("answers in every encoding and mode, over sockets", () =>
    Effect.gen(function* () {
      const peers = yield* serving(layers({}, {}), everything)
      const connections = modes.map((_, i) => peers.get(`${i}`)!.size)
      assert.strictEqual(connections[1], 120)
      assert.strictEqual(connections[2], 4)
      assert.isAtMost(connections[0]!, 20)
      assert.isAtMost(connections[3]!, 20)
    })
  )

  it.effect("answers in every encoding and mode, over memory", () => serving(MemoryTransport.layer, everything))

  it.effect("and with every byte on its own", () =>
    serving(MemoryTransport.layerWith({ toServer: { split: [1, 2] }, toClient: { split: [3, 1] } }), everything)
  )

  it.live("is learned: one connection from the second call on", () =>
    serving(
      layers({}, {}),
      Effect.gen(function* () {
        const peers = new Set<string>()
        const address = yield* listen((call) => {
          peers.add(call.peer.address)
          echo(call)
        })
        const to = target(address, { encoding: "ttheader-framed", connection: "auto" })
        yield* call(to, body("first"))
        yield* Effect.forEach(Array.from({ length: 500 }), () => call(to, body("x")), { concurrency: 64 })
        assert.strictEqual(peers.size, 1)
      })
    )
  )

  it.live("hears of a call that is given up on a shared connection, which stays", () =>
    serving(
      layers({}, {}),
      Effect.gen(function* () {
        const held: Array<RawServerCall> = []
        const peers = new Set<string>()
        const address = yield* listen((call) => {
          peers.add(call.peer.address)
          const text = call.take(decodeText)
          if (text !== body("held")) return void call.reply(text, encodeText)
          call.onAbort = () => call.finish()
          held.push(call)
        })
        const to = target(address, { encoding: "ttheader", connection: "auto" })
        yield* call(to, body("first"))
        const fiber = yield* Effect.forkChild(call(to, body("held")), { startImmediately: true })
        while (held.length === 0) yield* Effect.sleep(1)
        let aborted = false
        held[0]!.onAbort = () => {
          aborted = true
          held[0]!.finish()
        }
        yield* Fiber.interrupt(fiber)
        while (!aborted) yield* Effect.sleep(1)
        yield* call(to, body("next"))
        assert.strictEqual(peers.size, 1)
      })
    )
  )

  it.effect("a call over a slow pipe takes its time", () =>
    serving(
      MemoryTransport.layerWith({ toServer: { delay: "3 seconds" }, toClient: { delay: "2 seconds" } }),
      Effect.gen(function* () {
        const address = yield* listen(echo)
        const fiber = yield* Effect.forkChild(call(target(address), body("x")), { startImmediately: true })
        yield* TestClock.adjust("4 seconds")
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust("1 seconds")
        assert.strictEqual(yield* Fiber.join(fiber), body("x"))
      })
    )
  )

  it.effect("a connection that is cut, at any byte of the request or of the answer", () =>
    Effect.gen(function* () {
      for (const direction of ["toServer", "toClient"] as const)
        for (let cutAt = 0; cutAt < 29; cutAt++)
          yield* serving(
            MemoryTransport.layerWith({ [direction]: { cutAt } }),
            Effect.gen(function* () {
              const address = yield* listen(echo)
              const error = yield* Effect.flip(call(target(address), body("x")))
              assert.strictEqual(error.reason._tag, "ConnectionLost", `${direction} ${cutAt}`)
            })
          )
    })
  )

  it.live("a drain: the running call is answered, the connection is closed, the next call fails to connect", () =>
    serving(
      layers({}, {}),
      Effect.gen(function* () {
        const held: Array<RawServerCall> = []
        const server = yield* ServerTransport
        const listening = yield* server.listen({ onStream: () => {}, onCall: (call) => held.push(call) })
        const address = `127.0.0.1:${listening.address.port}`
        for (const connection of ["pooled", "multiplexed"] as const) {
          const to = target(address, { encoding: "ttheader-framed", connection })
          yield* Effect.forkChild(call(to, body(connection)), { startImmediately: true })
        }
        const fibers = yield* Effect.forEach(["pooled", "multiplexed"] as const, (connection) =>
          Effect.forkChild(call(target(address, { encoding: "ttheader-framed", connection }), body(connection)), {
            startImmediately: true
          })
        )
        while (held.length < 4) yield* Effect.sleep(1)
        const drained = yield* Effect.forkChild(listening.drain, { startImmediately: true })
        yield* Effect.sleep(20)
        for (const call of held) call.reply(body("done"), encodeText)
        for (const fiber of fibers) assert.strictEqual(yield* Fiber.join(fiber), body("done"))
        yield* Fiber.join(drained)
        const error = yield* Effect.flip(call(target(address, { encoding: "ttheader-framed" }), body("x")))
        assert.strictEqual(error.reason._tag, "ConnectFailed")
      })
    )
  )
})
