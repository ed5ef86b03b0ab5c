/** A listener ends when nothing waits to be accepted, however busy its process is. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as net from "node:net"
import { acceptQueue } from "../../src/node/acceptQueue.ts"
import { endListener } from "../../src/node/endListener.ts"

const listening = Effect.acquireRelease(
  Effect.callback<net.Server>((resume) => {
    const server = net.createServer()
    server.listen({ port: 0, host: "127.0.0.1" }, () => resume(Effect.succeed(server)))
  }),
  (server) => Effect.sync(() => server.close())
)

const portOf = (server: net.Server) => (server.address() as net.AddressInfo).port

const spin = (millis: number, so: () => boolean = () => false): void => {
  const end = performance.now() + millis
  while (performance.now() < end && !so());
}

/** Clients whose connections the kernel has taken, and Node has not seen. */
const connect = (server: net.Server, count: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const clients = Array.from({ length: count }, () => net.connect({ port: portOf(server), host: "127.0.0.1" }))
      const reset: Array<string> = []
      for (const client of clients) client.on("error", (error: NodeJS.ErrnoException) => void reset.push(error.code!))
      return { clients, reset }
    }),
    ({ clients }) => Effect.sync(() => clients.forEach((client) => client.destroy()))
  )

describe.runIf(process.platform === "linux")("the end of a listener", () => {
  it.live("knows how many connections wait", () =>
    Effect.gen(function* () {
      const server = yield* listening
      assert.strictEqual(acceptQueue(server), 0)
      yield* connect(server, 7)
      // Node connects behind this turn.
      yield* Effect.promise(() => new Promise<void>((resolve) => process.nextTick(resolve)))
      spin(2000, () => acceptQueue(server) === 7)
      assert.strictEqual(acceptQueue(server), 7)
    }).pipe(Effect.scoped)
  )

  it.live("waits until each is accepted, in a process whose turns are long", () =>
    Effect.gen(function* () {
      const server = yield* listening
      const accepted: Array<net.Socket> = []
      server.on("connection", (socket) => void accepted.push(socket))
      const { reset } = yield* connect(server, 40)
      let over = false
      const busy = () => {
        spin(20)
        if (!over) setImmediate(busy)
      }
      busy()
      yield* endListener(server)
      over = true
      assert.isFalse(server.listening)
      yield* Effect.sleep(50)
      assert.deepStrictEqual([accepted.length, reset], [40, []])
      for (const socket of accepted) socket.destroy()
    }).pipe(Effect.scoped)
  )
})
