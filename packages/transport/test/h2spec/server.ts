/**
 * What h2spec talks to: plain HTTP/2, not gRPC, on the same engine, driver and default limits as the server transport.
 * Any request is answered with 200 and 1 KiB.
 *
 *     node packages/transport/test/h2spec/server.ts --port 0
 */
import { Effect, FiberSet, Random } from "effect"
import { parseArgs } from "node:util"
import type { Connection, HeaderList, Http2Stream } from "../../src/internal/http2/api.ts"
import { Http2Connection } from "../../src/internal/http2/connection.ts"
import { Http2Driver, type Http2Options } from "../../src/internal/net/http2Driver.ts"
import { http2Options } from "../../src/internal/net/options.ts"
import { run } from "../../src/internal/net/run.ts"
import type { Socket } from "../../src/internal/net/socket.ts"
import { bind } from "../../src/node/sockets.ts"

const body = new Uint8Array(1024).fill(0x78)
const headers: HeaderList = [":status", "200", "content-type", "text/plain", "content-length", `${body.length}`]

class PlainDriver extends Http2Driver {
  readonly connection: Connection

  constructor(socket: Socket, options: Http2Options) {
    super(socket, options)
    this.connection = new Http2Connection("server", { limits: options.stream.limits, now: options.now() }, this)
  }

  onStream(stream: Http2Stream, _headers: HeaderList, endStream: boolean): void {
    const answer = () => {
      this.connection.sendHeaders(stream, headers, false)
      this.connection.sendData(stream, body, 0, body.length, false, true)
      this.connection.release(stream)
    }
    stream.owner = {
      onHeaders: (_headers, endStream) => {
        if (endStream) answer()
      },
      onData: (_bytes, start, end, endStream) => {
        this.connection.consume(stream, end - start, this.now())
        if (endStream) answer()
      },
      onAbort: () => this.connection.release(stream),
      onWritable: () => {}
    }
    if (endStream) answer()
  }

  protected onAged(): void {}
  onGoaway(): void {}
  onSettings(): void {}
}

const { values } = parseArgs({ options: { port: { type: "string", default: "0" } } })

const program = Effect.gen(function* () {
  const clock = yield* Effect.clockWith(Effect.succeed)
  const fork = yield* FiberSet.makeRuntime<never>()
  const platform = {
    clock,
    random: yield* Random.Random,
    defer: process.nextTick,
    compression: undefined,
    onDefect: (cause: unknown) => fork(Effect.logError(cause)),
    log: (message: string) => fork(Effect.logWarning(message)),
    arrival: Effect.void
  }
  const options = http2Options({}, platform, Infinity)
  const listen = bind({ host: "127.0.0.1", port: Number(values.port), handshakeTimeout: 10_000 })
  const { address } = yield* listen((socket) => {
    const driver = new PlainDriver(socket, options)
    fork(run(driver))
    driver.start()
  })
  console.log(`listening on ${address.hostname}:${address.port}`)
  return yield* Effect.never
})

Effect.runFork(Effect.scoped(program))
