/**
 * `node:http2` at its best: wide windows, one `write` a stream and tick for all messages that are due, and answers without trailers, which
 * would cost a tick and a write. Messages have the prefix of gRPC; nothing else of gRPC is there.
 */
import * as Http2 from "node:http2"
import type { AddressInfo } from "node:net"
import { type Case, GRPC_PREFIX, THRIFT_OVERHEAD } from "../cases.ts"
import { main, type Meter } from "../peer.ts"

const WINDOW = 4 * 1024 * 1024

const sessionOptions = {
  maxSessionMemory: 1000,
  settings: { initialWindowSize: WINDOW, maxFrameSize: 64 * 1024, maxConcurrentStreams: 100_000 },
  peerMaxConcurrentStreams: 100_000
}

const payload = (size: number, messages: number): Buffer => {
  const message = Buffer.alloc(GRPC_PREFIX + THRIFT_OVERHEAD + size, "x")
  message[0] = 0
  message.writeUInt32BE(message.length - GRPC_PREFIX, 1)
  return Buffer.concat(Array.from({ length: messages }, () => message))
}

/** Counts complete messages; the bytes are not looked at and never joined. */
const counter = (): ((chunk: Buffer) => number) => {
  let missing = 0
  let head: Buffer = Buffer.alloc(0)
  return (read) => {
    let messages = 0
    let chunk = head.length > 0 ? Buffer.concat([head, read]) : read
    head = Buffer.alloc(0)
    let at = 0
    if (missing > 0) {
      if (chunk.length < missing) {
        missing -= chunk.length
        return 0
      }
      at = missing
      missing = 0
      messages++
    }
    while (chunk.length - at >= GRPC_PREFIX) {
      const length = GRPC_PREFIX + chunk.readUInt32BE(at + 1)
      if (chunk.length - at < length) {
        missing = length - (chunk.length - at)
        return messages
      }
      at += length
      messages++
    }
    head = chunk.subarray(at)
    return messages
  }
}

/** Calls `flush` once in this tick, however often it is asked to. */
const oncePerTick = (flush: () => void): (() => void) => {
  let due = false
  const run = (): void => {
    due = false
    flush()
  }
  return () => {
    if (due) return
    due = true
    process.nextTick(run)
  }
}

/** Writes as fast as the stream takes, in pieces of 64 KiB. */
const writeMany = (stream: Http2.Http2Stream, size: number, messages: number): void => {
  const each = Math.max(1, Math.floor((64 * 1024) / (size + GRPC_PREFIX + THRIFT_OVERHEAD)))
  const piece = payload(size, each)
  let left = messages
  const write = (): void => {
    while (left > 0) {
      const now = Math.min(left, each)
      left -= now
      if (!stream.write(piece.subarray(0, (piece.length / each) * now))) {
        stream.once("drain", write)
        return
      }
    }
    stream.end()
  }
  write()
}

const head = { ":status": 200, "content-type": "application/grpc" }

const echo = (stream: Http2.ServerHttp2Stream): void => {
  stream.respond(head)
  let chunks: Array<Buffer> = []
  const flush = oncePerTick(() => {
    stream.write(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))
    chunks = []
  })
  stream.on("data", (chunk: Buffer) => {
    chunks.push(chunk)
    flush()
  })
  stream.on("end", () => process.nextTick(() => stream.end()))
}

const collect = (stream: Http2.Http2Stream, done: (body: Buffer) => void): void => {
  const chunks: Array<Buffer> = []
  stream.on("data", (chunk: Buffer) => chunks.push(chunk))
  stream.on("end", () => done(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
}

const handlers: Record<string, (stream: Http2.ServerHttp2Stream) => void> = {
  Echo: echo,
  EchoServer: (stream) =>
    collect(stream, (request) => {
      const [messages, size] = request.toString().split(":").map(Number) as [number, number]
      stream.respond(head)
      writeMany(stream, size, messages)
    }),
  EchoClient: (stream) => {
    stream.respond(head)
    stream.resume()
    stream.on("end", () => stream.end(payload(0, 1)))
  },
  EchoUnary: (stream) =>
    collect(stream, (request) => {
      stream.respond(head)
      stream.end(request)
    })
}

const listen = () =>
  new Promise<{ readonly port: number }>((resolve) => {
    const server = Http2.createServer(sessionOptions)
    server.on("session", (session) => session.setLocalWindowSize(WINDOW))
    server.on("stream", (stream, headers) => {
      stream.on("error", () => stream.destroy())
      handlers[headers[":path"]!.slice("/echo.TestService/".length)]!(stream)
    })
    server.listen(0, "127.0.0.1", () => resolve({ port: (server.address() as AddressInfo).port }))
  })

const open = (session: Http2.ClientHttp2Session, method: string): Http2.ClientHttp2Stream =>
  session.request({ ":method": "POST", ":path": `/echo.TestService/${method}`, "content-type": "application/grpc" })

const echoLoop = (session: Http2.ClientHttp2Session, the: Case, meter: Meter) =>
  new Promise<void>((resolve, reject) => {
    const stream = open(session, "Echo")
    const run = payload(the.size, the.inflight)
    const count = counter()
    let outstanding = the.inflight
    let due = 0
    let startedAt = performance.now()
    const flush = oncePerTick(() => {
      startedAt = performance.now()
      stream.write(run.subarray(0, (run.length / the.inflight) * due))
      due = 0
    })
    stream.on("data", (chunk: Buffer) => {
      const messages = count(chunk)
      if (messages === 0) return
      meter.count += messages
      if (the.inflight === 1) meter.roundTrip(startedAt)
      if (!meter.stopped) {
        due += messages
        flush()
      } else {
        outstanding -= messages
        if (outstanding === 0) stream.end()
      }
    })
    stream.on("end", resolve)
    stream.on("error", reject)
    stream.write(run)
  })

const call = (
  session: Http2.ClientHttp2Session,
  method: string,
  send: (stream: Http2.ClientHttp2Stream) => void,
  received: (chunk: Buffer) => void
) =>
  new Promise<void>((resolve, reject) => {
    const stream = open(session, method)
    stream.on("data", received)
    stream.on("end", resolve)
    stream.on("error", reject)
    send(stream)
  })

const repeat = async (meter: Meter, single: boolean, once: () => Promise<void>): Promise<void> => {
  while (!meter.stopped) {
    const startedAt = performance.now()
    await once()
    if (single) meter.roundTrip(startedAt)
  }
}

const serverStream = (session: Http2.ClientHttp2Session, the: Case, meter: Meter): Promise<void> => {
  const count = counter()
  return call(
    session,
    "EchoServer",
    (stream) => stream.end(`${the.batch}:${the.size}`),
    (chunk) => {
      meter.count += count(chunk)
    }
  )
}

const firstMessage = (session: Http2.ClientHttp2Session, the: Case, meter: Meter): Promise<void> => {
  const startedAt = performance.now()
  const count = counter()
  return call(
    session,
    "EchoServer",
    (stream) => stream.end(`1:${the.size}`),
    (chunk) => {
      if (count(chunk) === 0) return
      meter.roundTrip(startedAt)
      meter.count++
    }
  )
}

const clientStream = async (session: Http2.ClientHttp2Session, the: Case, meter: Meter): Promise<void> => {
  await call(
    session,
    "EchoClient",
    (stream) => writeMany(stream, the.size, the.batch),
    () => {}
  )
  meter.count += the.batch
}

const unary = async (session: Http2.ClientHttp2Session, message: Buffer, meter: Meter): Promise<void> => {
  await call(
    session,
    "EchoUnary",
    (stream) => stream.end(message),
    () => {}
  )
  meter.count++
}

const run = async (session: Http2.ClientHttp2Session, the: Case, meter: Meter): Promise<void> => {
  switch (the.kind) {
    case "echo":
    case "pingPong":
      await Promise.all(Array.from({ length: the.streams }, () => echoLoop(session, the, meter)))
      return
    case "serverStream":
      return repeat(meter, false, () => serverStream(session, the, meter))
    case "firstMessage":
      return repeat(meter, false, () => firstMessage(session, the, meter))
    case "clientStream":
      return repeat(meter, false, () => clientStream(session, the, meter))
    case "unary": {
      const message = payload(the.size, 1)
      const caller = () => repeat(meter, the.inflight === 1, () => unary(session, message, meter))
      await Promise.all(Array.from({ length: the.inflight }, caller))
    }
  }
}

const openIdle = (session: Http2.ClientHttp2Session) =>
  new Promise<void>((resolve, reject) => {
    const stream = open(session, "Echo")
    stream.once("data", () => resolve())
    stream.once("error", reject)
    stream.write(payload(1, 1))
  })

const connect = (port: number) =>
  new Promise<Http2.ClientHttp2Session>((resolve, reject) => {
    const session = Http2.connect(`http://127.0.0.1:${port}`, sessionOptions)
    session.once("error", reject)
    session.once("remoteSettings", () => {
      session.setLocalWindowSize(WINDOW)
      resolve(session)
    })
  })

await main({
  server: listen,
  client: async (port) => {
    const session = await connect(port)
    return {
      run: (the, meter) => run(session, the, meter),
      open: async (streams) => {
        for (let i = 0; i < streams; i++) await openIdle(session)
      }
    }
  }
})
