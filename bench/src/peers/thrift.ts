/**
 * Apache's `thrift` of npm as its users write it: generated code with promises, binary protocol, Framed whatever the case
 * says, as it has no TTHeader. All calls share one connection, and its client tells their answers apart by sequence id.
 */
import type { AddressInfo } from "node:net"
import thrift from "thrift"
import type { Case } from "../cases.ts"
import { Blob, Client, Message, Processor } from "../generated/thrift.js"
import { main, type Meter } from "../peer.ts"

const options = { transport: thrift.TFramedTransport, protocol: thrift.TBinaryProtocol }

const handler = {
  EchoPingPong: async (req: Message) => new Message({ message: req.message! }),
  PutBlob: async (req: Blob) => new Message({ message: `${req.bytes!.length}` })
}

/** A call of the case, which gives the length of what came back. */
const caller = (client: Client, the: Case): (() => Promise<number>) => {
  if (the.binary === true) {
    const bytes = Buffer.alloc(the.size)
    return async () => Number((await client.PutBlob(new Blob({ bytes }))).message)
  }
  const message = "x".repeat(the.size)
  return async () => (await client.EchoPingPong(new Message({ message }))).message!.length
}

const run = async (client: Client, the: Case, meter: Meter): Promise<void> => {
  if (the.kind !== "call") throw new Error("this peer has calls only")
  const call = caller(client, the)
  const repeat = async (): Promise<void> => {
    while (!meter.stopped) {
      const startedAt = performance.now()
      if ((await call()) !== the.size) throw new Error("a wrong answer")
      meter.count++
      if (the.inflight === 1) meter.roundTrip(startedAt)
    }
  }
  await Promise.all(Array.from({ length: the.inflight }, repeat))
}

await main({
  server: () =>
    new Promise((resolve) => {
      const server = thrift.createServer(Processor, handler, options)
      server.listen(0, "127.0.0.1", () => resolve({ port: (server.address() as AddressInfo).port }))
    }),
  client: async (port) => {
    const client = thrift.createClient(Client, thrift.createConnection("127.0.0.1", port, options))
    return { run: (the, meter) => run(client, the, meter) }
  }
})
