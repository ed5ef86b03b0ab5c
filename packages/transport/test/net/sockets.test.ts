import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { memoryPipe } from "../../src/internal/net/memory.ts"
import type { Socket, SocketEvents } from "../../src/internal/net/socket.ts"
import { bind, dial } from "../../src/node/sockets.ts"

/** What a socket told. */
class Events implements SocketEvents {
  readonly told: Array<string> = []
  onData(chunk: Uint8Array) {
    this.told.push(`data ${chunk.length}`)
  }
  onDrain() {
    this.told.push("drain")
  }
  onEnd() {
    this.told.push("end")
  }
  onError() {
    this.told.push("error")
  }
  onClosed() {
    this.told.push("closed")
  }
}

/** The client's and the server's end of a TCP connection. */
const tcp = Effect.gen(function* () {
  let accepted: Socket | undefined = undefined
  const bound = yield* bind({ port: 0, host: "127.0.0.1", handshakeTimeout: 1000 })((socket) => (accepted = socket))
  const dialled = yield* dial(undefined)(`127.0.0.1:${bound.address.port}`, undefined)
  const near = yield* dialled.secure
  while (accepted === undefined) yield* Effect.sleep(1)
  return [near, accepted as Socket] as const
})

const memory = Effect.gen(function* () {
  const fork = Effect.runForkWith(yield* Effect.context())
  return memoryPipe({}, {}, fork)
})

const until = (events: Events, what: string) =>
  Effect.gen(function* () {
    while (!events.told.includes(what)) yield* Effect.sleep(1)
  })

for (const [name, make] of [
  ["TCP", tcp],
  ["memory", memory]
] as const) {
  describe(`a socket over ${name}`, () => {
    it.live("is alive until its peer has ended or it is destroyed, and takes nothing when it is dead", () =>
      Effect.gen(function* () {
        const [near, far] = yield* make
        const events = new Events()
        near.start(events)
        far.start(new Events())
        assert.deepStrictEqual([near.alive, far.alive], [true, true])
        far.end()
        yield* until(events, "end")
        assert.isFalse(near.alive)
        near.end()
        far.destroy()
        assert.isFalse(far.alive)
        yield* until(events, "closed")
        assert.isFalse(near.write([Uint8Array.of(1)]))
        assert.notInclude(events.told, "drain")
      }).pipe(Effect.scoped)
    )

    it.live("hands what comes to other events when it is started again", () =>
      Effect.gen(function* () {
        const [near, far] = yield* make
        const events = [new Events(), new Events()] as const
        near.start(events[0])
        far.start(new Events())
        far.write([new Uint8Array(3)])
        yield* until(events[0], "data 3")
        near.start(events[1])
        far.write([new Uint8Array(4)])
        yield* until(events[1], "data 4")
        far.destroy()
        yield* until(events[1], "closed")
        assert.deepStrictEqual(events[0].told, ["data 3"])
        assert.deepStrictEqual(
          events[1].told.filter((what) => what === "data 4" || what === "closed"),
          ["data 4", "closed"]
        )
      }).pipe(Effect.scoped)
    )
  })
}
