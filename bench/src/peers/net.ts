/**
 * The limit: messages of the same bytes over a raw socket, with a length in front, one write a read. A message is echoed when it is complete,
 * as an RPC would; large ones are written from the chunks they came in, without a copy.
 */
import * as Net from "node:net"
import { type Case, GRPC_PREFIX, THRIFT_OVERHEAD } from "../cases.ts"
import { main, type Meter } from "../peer.ts"

/**
 * Splits the bytes of a socket into messages. `small` gets a run of complete messages in one chunk; `large` the chunks of one message that
 * did not come in one piece.
 */
const split = (
  small: (chunk: Buffer, start: number, end: number, messages: number) => void,
  large: (chunks: ReadonlyArray<Buffer>) => void
) => {
  let pending: Array<Buffer> = []
  let missing = 0
  return (read: Buffer): void => {
    let chunk = read
    let at = 0
    if (missing > 0) {
      if (chunk.length < missing) {
        pending.push(chunk)
        missing -= chunk.length
        return
      }
      pending.push(chunk.subarray(0, missing))
      at = missing
      missing = 0
      large(pending)
      pending = []
    } else if (pending.length > 0) {
      chunk = Buffer.concat([...pending, chunk])
      pending = []
    }
    const start = at
    let messages = 0
    while (chunk.length - at >= 4) {
      const length = chunk.readUInt32BE(at)
      if (chunk.length - at < length) {
        missing = length - (chunk.length - at)
        break
      }
      at += length
      messages++
    }
    if (messages > 0) small(chunk, start, at, messages)
    if (at < chunk.length) pending.push(chunk.subarray(at))
  }
}

/** Everything that is written while one read is handled leaves in one system call. */
const onMessages = (socket: Net.Socket, ...handlers: Parameters<typeof split>): void => {
  const parse = split(...handlers)
  socket.on("data", (read) => {
    socket.cork()
    parse(read as Buffer)
    socket.uncork()
  })
}

const echo = (socket: Net.Socket): void => {
  socket.setNoDelay(true)
  onMessages(
    socket,
    (chunk, start, end) => socket.write(chunk.subarray(start, end)),
    (chunks) => chunks.forEach((chunk) => socket.write(chunk))
  )
  socket.on("error", () => socket.destroy())
}

const dial = (port: number) =>
  new Promise<Net.Socket>((resolve, reject) => {
    const socket = Net.connect({ port, host: "127.0.0.1", noDelay: true }, () => resolve(socket))
    socket.once("error", reject)
  })

const closedLoop = (socket: Net.Socket, the: Case, meter: Meter) =>
  new Promise<void>((resolve) => {
    const message = Buffer.alloc(the.size + THRIFT_OVERHEAD + GRPC_PREFIX, "x")
    message.writeUInt32BE(message.length)
    const run = Buffer.concat(Array.from({ length: the.inflight }, () => message))
    let outstanding = the.inflight
    let startedAt = performance.now()
    const received = (messages: number): void => {
      meter.count += messages
      if (the.inflight === 1) meter.roundTrip(startedAt)
      if (meter.stopped) {
        outstanding -= messages
        if (outstanding > 0) return
        socket.removeAllListeners("data")
        resolve()
      } else {
        startedAt = performance.now()
        socket.write(run.subarray(0, messages * message.length))
      }
    }
    onMessages(
      socket,
      (_chunk, _start, _end, messages) => received(messages),
      () => received(1)
    )
    socket.write(run)
  })

await main({
  server: () =>
    new Promise((resolve) => {
      const server = Net.createServer(echo)
      server.listen(0, "127.0.0.1", () => resolve({ port: (server.address() as Net.AddressInfo).port }))
    }),
  client: async (port) => {
    const socket = await dial(port)
    return { run: (the, meter) => closedLoop(socket, the, meter) }
  }
})
