import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { type AddressInfo, createServer, type Server } from "node:net"
import * as tls from "node:tls"
import { memoryPipe } from "../../src/internal/net/memory.ts"
import type { Socket, SocketEvents } from "../../src/internal/net/socket.ts"
import { bind, dial } from "../../src/node/sockets.ts"
import { ipCertificate, nameCertificate } from "../support/certificate.ts"

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

/** What the kernel waits for on the connections of a port: `2` is the time of a keepalive probe (proc(5), `tcp`). */
const timersOf = (port: number): ReadonlyArray<string> => {
  const hex = port.toString(16).toUpperCase().padStart(4, "0")
  return readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, remote, state]) => state === "01" && [local, remote].some((at) => at?.endsWith(`:${hex}`)))
    .map((columns) => columns[5]!.split(":")[0]!)
}

describe("a TCP connection on which nothing comes", () => {
  it.live.runIf(process.platform === "linux")("is kept alive by either end: the kernel asks a silent peer", () =>
    Effect.gen(function* () {
      const [near] = yield* tcp
      assert.deepStrictEqual(timersOf(Number(near.peer.address.split(":").at(-1))), ["02", "02"])
    }).pipe(Effect.scoped)
  )
})

describe("the name that a server's certificate is for", () => {
  /** Dials `host`, where the server has the certificate, and gives what came of it. */
  const secured = (host: string, has: typeof ipCertificate, options: tls.ConnectionOptions = {}) =>
    Effect.gen(function* () {
      const server = yield* Effect.acquireRelease(
        Effect.callback<tls.Server>((resume) => {
          const server = tls.createServer(has).listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      const address = `${host}:${(server.address() as AddressInfo).port}`
      const dialled = yield* dial({ ca: has.cert, ...options })(address, undefined)
      return yield* dialled.secure.pipe(
        Effect.match({
          onFailure: (error) => error.desc.replace(`cannot connect to ${address}: `, ""),
          onSuccess: (socket) => {
            socket.destroy()
            return "connected"
          }
        })
      )
    }).pipe(Effect.scoped)

  const refused = (name: string) =>
    `the server's certificate is not for ${name} (ERR_TLS_CERT_ALTNAME_INVALID); tls.servername sets the name to expect`

  it.live("is the host of the address", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* secured("127.0.0.1", ipCertificate), "connected")
      assert.strictEqual(yield* secured("127.0.0.1", nameCertificate), refused("127.0.0.1"))
      assert.strictEqual(yield* secured("localhost", nameCertificate), "connected")
      assert.strictEqual(yield* secured("localhost", ipCertificate), refused("localhost"))
    })
  )

  it.live("or servername", () =>
    Effect.gen(function* () {
      const servername = "localhost"
      assert.strictEqual(yield* secured("127.0.0.1", nameCertificate, { servername }), "connected")
      assert.strictEqual(yield* secured("127.0.0.1", ipCertificate, { servername }), refused("localhost"))
    })
  )
})

it.live("a server that resets the connection during the handshake", () =>
  Effect.gen(function* () {
    const server = yield* Effect.acquireRelease(
      Effect.callback<Server>((resume) => {
        const server = createServer((socket) => socket.once("data", () => socket.resetAndDestroy()))
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) => Effect.sync(() => server.close())
    )
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const error = yield* Effect.flip(Effect.flatMap(dial({})(address, undefined), ({ secure }) => secure))
    assert.strictEqual(error.desc, `cannot connect to ${address}: the server reset the connection (ECONNRESET)`)
  }).pipe(Effect.scoped)
)
