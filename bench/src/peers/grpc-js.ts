/** `@grpc/grpc-js` as its users write it, with buffers for messages: no codec of its own. */
import * as Grpc from "@grpc/grpc-js"
import { type Case, THRIFT_OVERHEAD } from "../cases.ts"
import { main, type Meter } from "../peer.ts"

const identity = (buffer: Buffer): Buffer => buffer

const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/echo.TestService/${name}`,
  requestStream,
  responseStream,
  requestSerialize: identity,
  requestDeserialize: identity,
  responseSerialize: identity,
  responseDeserialize: identity
})

const service = {
  Echo: method("Echo", true, true),
  EchoServer: method("EchoServer", false, true),
  EchoClient: method("EchoClient", true, false),
  EchoUnary: method("EchoUnary", false, false)
}

const payload = (size: number): Buffer => Buffer.alloc(size + THRIFT_OVERHEAD, "x")

interface Writer {
  readonly write: (message: Buffer) => boolean
  readonly once: (event: "drain", listener: () => void) => unknown
  readonly end: () => unknown
}

/** Writes as fast as the stream takes. */
const writeMany = (stream: Writer, message: Buffer, messages: number): void => {
  let left = messages
  const write = (): void => {
    while (left > 0) {
      left--
      if (!stream.write(message)) {
        stream.once("drain", write)
        return
      }
    }
    stream.end()
  }
  write()
}

const handlers: Grpc.UntypedServiceImplementation = {
  Echo: (call: Grpc.ServerDuplexStream<Buffer, Buffer>) => {
    call.on("data", (message: Buffer) => call.write(message))
    call.on("end", () => call.end())
    call.on("error", () => call.end())
  },
  EchoServer: (call: Grpc.ServerWritableStream<Buffer, Buffer>) => {
    const [messages, size] = call.request.toString().split(":").map(Number) as [number, number]
    writeMany(call, payload(size), messages)
  },
  EchoClient: (call: Grpc.ServerReadableStream<Buffer, Buffer>, reply: Grpc.sendUnaryData<Buffer>) => {
    let count = 0
    call.on("data", () => count++)
    call.on("end", () => reply(null, Buffer.from(String(count))))
  },
  EchoUnary: (call: Grpc.ServerUnaryCall<Buffer, Buffer>, reply: Grpc.sendUnaryData<Buffer>) =>
    reply(null, call.request)
}

const unlimited = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 }

const listen = () =>
  new Promise<{ readonly port: number }>((resolve, reject) => {
    const server = new Grpc.Server(unlimited)
    server.addService(service, handlers)
    server.bindAsync("127.0.0.1:0", Grpc.ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve({ port }) : reject(error)
    )
  })

const bidi = (client: Grpc.Client): Grpc.ClientDuplexStream<Buffer, Buffer> =>
  client.makeBidiStreamRequest(service.Echo.path, identity, identity)

const echo = (client: Grpc.Client, the: Case, meter: Meter) =>
  new Promise<void>((resolve, reject) => {
    const stream = bidi(client)
    const message = payload(the.size)
    let outstanding = the.inflight
    let startedAt = performance.now()
    stream.on("data", () => {
      meter.count++
      if (the.inflight === 1) meter.roundTrip(startedAt)
      if (!meter.stopped) {
        startedAt = performance.now()
        stream.write(message)
      } else if (--outstanding === 0) stream.end()
    })
    stream.on("end", resolve)
    stream.on("error", reject)
    for (let i = 0; i < the.inflight; i++) stream.write(message)
  })

const serverStream = (client: Grpc.Client, the: Case, each: () => void) =>
  new Promise<void>((resolve, reject) => {
    const request = Buffer.from(`${the.batch}:${the.size}`)
    const stream: Grpc.ClientReadableStream<Buffer> = client.makeServerStreamRequest(
      service.EchoServer.path,
      identity,
      identity,
      request
    )
    stream.on("data", each)
    stream.on("end", resolve)
    stream.on("error", reject)
  })

const firstMessage = (client: Grpc.Client, the: Case, meter: Meter) => {
  const startedAt = performance.now()
  return serverStream(client, the, () => {
    meter.roundTrip(startedAt)
    meter.count++
  })
}

const clientStream = (client: Grpc.Client, the: Case, meter: Meter) =>
  new Promise<void>((resolve, reject) => {
    const stream = client.makeClientStreamRequest<Buffer, Buffer>(
      service.EchoClient.path,
      identity,
      identity,
      (error) => {
        if (error !== null) return reject(error)
        meter.count += the.batch
        resolve()
      }
    )
    writeMany(stream, payload(the.size), the.batch)
  })

const unary = (client: Grpc.Client, message: Buffer, meter: Meter) =>
  new Promise<void>((resolve, reject) => {
    client.makeUnaryRequest<Buffer, Buffer>(service.EchoUnary.path, identity, identity, message, (error) => {
      if (error !== null) return reject(error)
      meter.count++
      resolve()
    })
  })

const repeat = async (meter: Meter, once: () => Promise<void>, single: boolean): Promise<void> => {
  while (!meter.stopped) {
    const startedAt = performance.now()
    await once()
    if (single) meter.roundTrip(startedAt)
  }
}

const run = async (client: Grpc.Client, the: Case, meter: Meter): Promise<void> => {
  switch (the.kind) {
    case "echo":
    case "pingPong":
      await Promise.all(Array.from({ length: the.streams }, () => echo(client, the, meter)))
      return
    case "serverStream":
      return repeat(meter, () => serverStream(client, the, () => meter.count++), false)
    case "firstMessage":
      return repeat(meter, () => firstMessage(client, the, meter), false)
    case "clientStream":
      return repeat(meter, () => clientStream(client, the, meter), false)
    case "unary":
    case "call": {
      const message = payload(the.size)
      const caller = () => repeat(meter, () => unary(client, message, meter), the.inflight === 1)
      await Promise.all(Array.from({ length: the.inflight }, caller))
    }
  }
}

const open = (client: Grpc.Client) =>
  new Promise<void>((resolve, reject) => {
    const stream = bidi(client)
    stream.once("data", () => resolve())
    stream.once("error", reject)
    stream.write(payload(1))
  })

await main({
  server: listen,
  client: async (port) => {
    const client = new Grpc.Client(`127.0.0.1:${port}`, Grpc.credentials.createInsecure(), unlimited)
    return {
      run: (the, meter) => run(client, the, meter),
      open: async (streams) => {
        for (let i = 0; i < streams; i++) await open(client)
      }
    }
  }
})
