import * as grpc from "@grpc/grpc-js"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as http2 from "node:http2"
import type { AddressInfo } from "node:net"
import { layers } from "./support/layers.ts"
import {
  decodeBytes,
  echo,
  encodeBytes,
  encodeText,
  ended,
  openStream,
  read,
  readTexts,
  recorderOf,
  serve,
  writeAll
} from "./support/raw.ts"

const both = Effect.provide(layers({}, {}))
const same = (bytes: Buffer) => bytes
const path = "/echo.TestService/Echo"
const definition = (requestStream: boolean, responseStream: boolean): grpc.MethodDefinition<Buffer, Buffer> => ({
  path,
  requestStream,
  responseStream,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same
})

const grpcClient = (address: string) =>
  Effect.acquireRelease(
    // The content type of grpc-js is application/grpc; a server answers it all the same.
    Effect.sync(
      () => new grpc.Client(address, grpc.credentials.createInsecure(), { "grpc.max_receive_message_length": -1 })
    ),
    (client) => Effect.sync(() => client.close())
  )

const grpcServer = (handler: grpc.handleBidiStreamingCall<Buffer, Buffer>) =>
  Effect.acquireRelease(
    Effect.callback<{ server: grpc.Server; address: string }>((resume) => {
      const server = new grpc.Server({ "grpc.max_receive_message_length": -1 })
      server.addService({ Echo: definition(true, true) }, { Echo: handler })
      server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (_error, port) =>
        resume(Effect.succeed({ server, address: `127.0.0.1:${port}` }))
      )
    }),
    ({ server }) => Effect.sync(() => server.forceShutdown())
  )

describe("a grpc-js client", () => {
  it.live("calls our server in a stream, with metadata and status", () =>
    Effect.gen(function* () {
      const { address, streams } = yield* serve(echo)
      const client = yield* grpcClient(address)
      const metadata = new grpc.Metadata()
      metadata.set("k", "v")
      metadata.set("k-bin", Buffer.from([1, 255]))
      const got = yield* Effect.callback<{ messages: Array<Buffer>; status: grpc.StatusObject }>((resume) => {
        const call = client.makeBidiStreamRequest(path, same, same, metadata, { deadline: Date.now() + 4000 })
        const messages: Array<Buffer> = []
        call.on("data", (message: Buffer) => messages.push(message))
        call.on("error", () => {})
        call.on("status", (status) => resume(Effect.succeed({ messages, status })))
        for (let i = 0; i < 100; i++) call.write(Buffer.from(`m${i}`))
        call.write(Buffer.alloc(1_000_000, 7))
        call.end()
      })
      assert.strictEqual(got.messages.length, 101)
      assert.strictEqual(got.messages[99]!.toString(), "m99")
      assert.strictEqual(got.messages[100]!.length, 1_000_000)
      assert.strictEqual(got.status.code, 0)
      assert.deepStrictEqual(got.status.metadata.get("x-trailer"), ["t"])
      assert.strictEqual(streams[0]!.metadata.get("k"), "v")
      assert.deepStrictEqual(streams[0]!.metadata.getAll("k-bin").map(String), ["1,255"])
      const millis = streams[0]!.timeoutMillis!
      assert.isTrue(millis > 1000 && millis <= 4000)
    }).pipe(Effect.scoped, both)
  )

  it.live("calls our server unary, 200 times at once, and sees errors", () =>
    Effect.gen(function* () {
      const { address } = yield* serve((stream) =>
        Effect.gen(function* () {
          const [text] = yield* readTexts(stream, 1)
          if (text === "bad") stream.finish({ code: 7, message: "no 错" }, [])
          else {
            stream.write([text!], 0, encodeText)
            stream.finish({ code: 0, message: "" }, [])
          }
          stream.release()
        })
      )
      const client = yield* grpcClient(address)
      const call = (text: string) =>
        Effect.callback<string>((resume) => {
          client.makeUnaryRequest(path, same, same, Buffer.from(text), (error, value) =>
            resume(Effect.succeed(error === null ? value!.toString() : `${error.code} ${error.details}`))
          )
        })
      const all = yield* Effect.forEach(
        Array.from({ length: 200 }, (_, i) => `${i}`),
        call,
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        all,
        Array.from({ length: 200 }, (_, i) => `${i}`)
      )
      assert.strictEqual(yield* call("bad"), "7 no 错")
    }).pipe(Effect.scoped, both)
  )

  it.live("cancels, and our handler hears of it", () =>
    Effect.gen(function* () {
      const { address, streams } = yield* serve((stream) => Effect.sync(() => recorderOf(stream)))
      const client = yield* grpcClient(address)
      const call = client.makeBidiStreamRequest(path, same, same)
      call.on("error", () => {})
      call.write(Buffer.from("x"))
      while (streams.length === 0) yield* Effect.sleep(1)
      call.cancel()
      yield* recorderOf(streams[0]!).until((stream) => stream.writeEnded !== undefined)
      streams[0]!.release()
    }).pipe(Effect.scoped, both)
  )
})

describe("a grpc-js server", () => {
  it.live("is called by our client", () =>
    Effect.gen(function* () {
      const { address } = yield* grpcServer((call) => {
        const metadata = new grpc.Metadata()
        metadata.set("h", `${call.metadata.get("k")[0]}`)
        call.sendMetadata(metadata)
        call.on("data", (message: Buffer) => call.write(message))
        call.on("end", () => call.end())
      })
      const stream = yield* openStream(address, { metadata: [["k", "v"]], timeoutMillis: 4000 })
      const messages = [...Array.from({ length: 100 }, () => new Uint8Array(1000)), new Uint8Array(2_000_000)]
      yield* Effect.forkChild(writeAll(stream, messages, encodeBytes, true))
      const back = yield* read(stream, Infinity, decodeBytes)
      assert.deepStrictEqual(
        back.map((b) => b.length),
        messages.map((b) => b.length)
      )
      assert.strictEqual(stream.header?.get("h"), "v")
      assert.deepStrictEqual(stream.end, { _tag: "Status", status: { code: 0, message: "" } })
    }).pipe(Effect.scoped, both)
  )

  it.live("says no, and its status arrives", () =>
    Effect.gen(function* () {
      const { address } = yield* grpcServer((call) => {
        call.emit("error", { code: 5, details: "nf 错" })
      })
      const end = yield* ended(yield* openStream(address))
      assert.deepStrictEqual(end, { _tag: "Status", status: { code: 5, message: "nf 错" } })
      const unknown = yield* ended(yield* openStream(address, { path: "/a.B/C" }))
      assert.strictEqual(unknown._tag === "Status" ? unknown.status.code : 0, 12)
    }).pipe(Effect.scoped, both)
  )
})

describe("node:http2", () => {
  it.live("as a server is called by our client", () =>
    Effect.gen(function* () {
      const address = yield* Effect.acquireRelease(
        Effect.callback<{ server: http2.Http2Server; address: string }>((resume) => {
          const server = http2.createServer()
          server.on("stream", (stream) => {
            stream.on("error", () => {})
            stream.respond({ ":status": 200, "content-type": "application/grpc+thrift" }, { waitForTrailers: true })
            stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "grpc-message": "" }))
            stream.pipe(stream)
          })
          server.listen(0, "127.0.0.1", () =>
            resume(Effect.succeed({ server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` }))
          )
        }),
        ({ server }) => Effect.sync(() => server.close())
      ).pipe(Effect.map((server) => server.address))
      const stream = yield* openStream(address)
      const messages = Array.from({ length: 500 }, (_, i) => new Uint8Array(i * 10))
      yield* Effect.forkChild(writeAll(stream, messages, encodeBytes, true))
      const back = yield* read(stream, Infinity, decodeBytes)
      assert.deepStrictEqual(
        back.map((b) => b.length),
        messages.map((b) => b.length)
      )
      assert.strictEqual(stream.end?._tag, "Status")
    }).pipe(Effect.scoped, both)
  )

  it.live("as a client calls our server", () =>
    Effect.gen(function* () {
      const { address } = yield* serve(echo)
      const session = yield* Effect.acquireRelease(
        Effect.sync(() => http2.connect(`http://${address}`)),
        (session) => Effect.sync(() => session.destroy())
      )
      const got = yield* Effect.callback<{ body: Buffer; trailers: http2.IncomingHttpHeaders }>((resume) => {
        const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc+thrift" })
        const chunks: Array<Buffer> = []
        let trailers: http2.IncomingHttpHeaders = {}
        stream.on("data", (chunk: Buffer) => chunks.push(chunk))
        stream.on("trailers", (headers) => (trailers = headers))
        stream.on("end", () => resume(Effect.succeed({ body: Buffer.concat(chunks), trailers })))
        stream.write(Buffer.from([0, 0, 0, 0, 1]))
        stream.end(Buffer.from([65, 0, 0, 0, 0, 0]))
      })
      assert.deepStrictEqual([...got.body], [0, 0, 0, 0, 1, 65, 0, 0, 0, 0, 0])
      assert.strictEqual(got.trailers["grpc-status"], "0")
    }).pipe(Effect.scoped, both)
  )
})
