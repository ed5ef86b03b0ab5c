/**
 * Frames of TTHeader streaming made by hand, at a real Kitex and at ours: what servers answer, and what clients make of answers. Where
 * ours does otherwise by decision the row says what.
 */
import { assert, describe, layer } from "@effect/vitest"
import { StreamClient } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import { Context, Effect, Layer, type Scope } from "effect"
import { type AddressInfo, connect, createServer } from "node:net"
import { InteropService, Request } from "../src/api.ts"
import { goAvailable } from "./go.ts"
import { KitexClient, kitexServer } from "./peers.ts"
import { countingServer, play, type Played, type Script } from "./scripts.ts"
import { type Decoded, encode, exception, exceptionOf, type Frame, frameReader, type Odd, word } from "./ttframes.ts"

const method = "Bidi"
const serverMethod = { method: "Server" }
const isn = { isn: "InteropService" }

// --- servers -------------------------------------------------------------------------------------------------------------

type Answer = ReadonlyArray<string>

/** One row: what is sent to a server on a connection of its own. */
interface Probe {
  readonly title: string
  readonly send: ReadonlyArray<Uint8Array>
  /** What Kitex's server answers, once, so that both cannot be silent. */
  readonly kitex?: Answer
  /** What our server answers where Kitex's does otherwise. */
  readonly ours?: Answer
}

const client = (type: string, more: Partial<Frame> = {}, odd?: Odd) => encode({ stream: 1, type, method, ...more }, odd)
const header = client("2", { strings: isn })
const data = (text = "hi", more: Partial<Frame> = {}) => client("3", { payload: word(text), ...more })
const trailer = client("4")

const probes: ReadonlyArray<Probe> = [
  {
    title: "A-01: stream id 0",
    send: ["2", "3", "4"].map((type) =>
      client(type, { stream: 0, strings: type === "2" ? isn : {}, ...(type === "3" ? { payload: word("hi") } : {}) })
    )
  },
  {
    title: "A-01: a negative stream id",
    send: ["2", "3", "4"].map((type) =>
      client(type, { stream: -5, strings: type === "2" ? isn : {}, ...(type === "3" ? { payload: word("hi") } : {}) })
    )
  },
  {
    title: "A-02: Data and Trailer that name no method",
    send: [header, encode({ stream: 1, type: "3", payload: word("hi") }), encode({ stream: 1, type: "4" })]
  },
  {
    title: "A-03: a Header with a payload",
    send: [client("2", { strings: isn, payload: word("ignored") }), data(), trailer]
  },
  {
    title: "A-04: protocol id 0",
    send: [
      client("2", { strings: isn }, { protocol: 0 }),
      client("3", { payload: word("hi") }, { protocol: 0 }),
      client("4", {}, { protocol: 0 })
    ]
  },
  { title: "U-39: a handler that returns at once", send: [header, data("return-early")] },
  { title: "U-40: a handler that sends once", send: [header, data(), trailer], kitex: ["2", "3 hi", "4"] },
  { title: "U-41: a handler that sends twice", send: [header, data(), data("ho"), trailer] },
  {
    title: "U-42: a handler that sends its header alone",
    send: [
      client("2", { strings: isn, ...serverMethod }),
      data("merged-header", serverMethod),
      client("4", serverMethod)
    ]
  },
  { title: "U-43: a handler that sends its header, and a message", send: [header, data("send-header"), trailer] },
  { title: "U-44 U-50: a handler that succeeds has a Trailer without a payload", send: [header, trailer] },
  { title: "A-05: a Meta frame", send: [header, client("1", { strings: { rip: "1.2.3.4:5" } }), data(), trailer] },
  // Kitex may take it, where it comes in the same read
  { title: "A-06: Data behind the Trailer", send: [header, trailer, data()], ours: ["2", "4"] },
  { title: "A-07: Data of a stream that was never opened", send: [header, data("x", { stream: 9 }), data(), trailer] },
  { title: "A-08: a frame of an unknown type", send: [header, client("9")] },
  { title: "A-08: a frame without a type", send: [header, client("")] },
  {
    title: "A-08: a frame without the flag of streaming",
    send: [header, client("3", { payload: word("hi") }, { flags: 0 })]
  },
  {
    title: "the other flag is set too",
    send: [
      client("2", { strings: isn }, { flags: 3 }),
      client("3", { payload: word("hi") }, { flags: 3 }),
      client("4", {}, { flags: 3 })
    ]
  },
  { title: "no service is named", send: [client("2"), data(), trailer] },
  {
    title: "another service is named, and one alone has the method",
    send: [client("2", { strings: { isn: "Other" } }), data(), trailer]
  },
  {
    title: "A-18: an unknown method, which Kitex does not answer",
    send: [client("2", { strings: isn, method: "Nope" })],
    ours: ["2", "4 unknown method Nope (1)"]
  },
  {
    title: "A-12: an exception in the client's Trailer",
    send: [header, client("4", { payload: exception(method, 1, "sorry", 6) })]
  },
  {
    title: "A-15: a business status in the client's Trailer",
    send: [header, client("4", { strings: { "biz-status": "7", "biz-message": "m" } })],
    // a handler that passes on what receiving failed with has no business error of its own
    ours: ["2", "4 biz error: biz error: code=7, msg=m (6)"]
  },
  { title: "A-15: other keys in the client's Trailer", send: [header, client("4", { strings: { other: "1" } })] },
  { title: "a message that has no member", send: [header, data("", { payload: Uint8Array.of(0) }), trailer] },
  {
    title: "bytes behind a message",
    send: [header, data("", { payload: Buffer.concat([word("hi"), Uint8Array.of(1, 2, 3, 4)]) }), trailer]
  },
  {
    title: "a stream that is opened twice",
    send: [header, header, data(), trailer],
    ours: ["5 stream[1] was opened again before it had ended (12004)"]
  }
]

const shown = ({ payload, strings, type }: Decoded): string => {
  const failure = exceptionOf(payload)
  const text =
    failure !== undefined
      ? ` ${failure[0]} (${failure[1]})`
      : payload.length > 7
        ? ` ${payload.toString("utf8", 7, payload.length - 1)}`
        : ""
  const keys = Object.entries(strings)
    .map(([key, value]) => ` ${key}=${value}`)
    .toSorted()
  return type + text + keys.join("")
}

/** What a server answers until it is silent for a while, and whether it closes. */
const answerOf = (address: string, bytes: ReadonlyArray<Uint8Array>) =>
  Effect.promise(
    () =>
      new Promise<Answer>((resolve) => {
        const [host, port] = address.split(":")
        const answer: Array<string> = []
        const read = frameReader()
        const socket = connect({ host: host!, port: Number(port) })
        const done = () => {
          socket.destroy()
          resolve(answer)
        }
        socket.setTimeout(700, done)
        socket.on("data", (chunk) => answer.push(...read(chunk).map(shown)))
        socket.on("error", () => {})
        socket.on("close", () => resolve([...answer, "closed"]))
        socket.write(Buffer.concat(bytes))
      })
  )

// --- clients -------------------------------------------------------------------------------------------------------------

/** One row: what a client gets for its first message. */
interface Fake {
  readonly title: string
  readonly reply: (stream: number) => ReadonlyArray<Uint8Array>
  /** The server closes the connection behind it. */
  readonly closes?: boolean
}

const server = (stream: number, type: string, more: Partial<Frame> = {}, odd?: Odd) =>
  encode({ stream, type, method, ...more }, odd)
const failed = (stream: number, text: string, type: number, messageType?: number) =>
  server(stream, "4", { payload: exception(method, stream, text, type, messageType) })

const fakes: ReadonlyArray<Fake> = [
  {
    title: "A-11: Data and Trailer without a Header",
    reply: (s) => [server(s, "3", { payload: word("yo") }), server(s, "4")]
  },
  { title: "A-11: a Trailer alone", reply: (s) => [server(s, "4")] },
  { title: "A-12: an exception", reply: (s) => [server(s, "2"), failed(s, "boom", 6)] },
  { title: "A-12: an exception without a text, type 1", reply: (s) => [failed(s, "", 1)] },
  { title: "A-12: an exception without a text, type 77", reply: (s) => [failed(s, "", 77)] },
  { title: "A-12: a Trailer with a reply", reply: (s) => [failed(s, "boom", 6, 2)] },
  {
    title: "A-12: a Trailer with garbage",
    reply: (s) => [server(s, "4", { payload: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) })]
  },
  {
    title: "A-13: a business status",
    reply: (s) => [server(s, "4", { strings: { "biz-status": "404", "biz-message": "no", "biz-extra": '{"k":"v"}' } })]
  },
  {
    title: "A-13: the business status 0",
    reply: (s) => [server(s, "4", { strings: { "biz-status": "0", "biz-message": "no" } })]
  },
  {
    title: "A-13: a business status that is no number",
    reply: (s) => [server(s, "4", { strings: { "biz-status": "x", "biz-message": "no" } })]
  },
  {
    title: "A-13: a business status whose extra is broken",
    reply: (s) => [server(s, "4", { strings: { "biz-status": "404", "biz-extra": "{" } })]
  },
  {
    title: "A-12: a business status beside an exception",
    reply: (s) => [
      server(s, "4", {
        strings: { "biz-status": "404", "biz-message": "no" },
        payload: exception(method, s, "boom", 6)
      })
    ]
  },
  {
    title: "U-71 U-73: an Rst",
    reply: (s) => [
      server(s, "2"),
      server(s, "5", { strings: { ttscp: "Egress" }, payload: exception(method, s, "proxy timeout", 1111) })
    ]
  },
  {
    title: "U-79: an Rst with a long path",
    reply: (s) => [server(s, "5", { strings: { ttscp: "A,B,,C" }, payload: exception(method, s, "gone", 9999) })]
  },
  { title: "A-09: an Rst without a payload", reply: (s) => [server(s, "5")] },
  { title: "A-09: an Rst with garbage", reply: (s) => [server(s, "5", { payload: Uint8Array.of(1, 2, 3) })] },
  {
    title: "A-10: two messages and then an Rst",
    reply: (s) => [
      server(s, "2"),
      server(s, "3", { payload: word("a") }),
      server(s, "3", { payload: word("b") }),
      server(s, "5", { payload: exception(method, s, "gone", 1111) })
    ]
  },
  {
    title: "A-07: frames of another stream",
    reply: (s) => [
      server(s + 77, "2"),
      server(s + 77, "4"),
      server(s, "2"),
      server(s, "3", { payload: word("yo") }),
      server(s, "4")
    ]
  },
  {
    title: "U-20: a Meta frame of no stream, with int keys of ours: that the server drains, and a question for a beat",
    reply: (s) => [
      encode({ stream: 0, type: "1", ints: { 0x4d55: "1", 0x4d56: "1" } }),
      server(s, "2"),
      server(s, "3", { payload: word("yo") }),
      server(s, "4", { ints: { 0x4d56: "1", 0x4d57: "8" } })
    ]
  },
  {
    title: "U-20: a Meta frame that nobody asked for",
    reply: (s) => [
      server(s, "1", { strings: { rip: "1.2.3.4:5" } }),
      server(s, "2"),
      server(s, "3", { payload: word("yo") }),
      server(s, "4")
    ]
  },
  {
    title: "A-02: frames without a method",
    reply: (s) => [
      encode({ stream: s, type: "2" }),
      encode({ stream: s, type: "3", payload: word("yo") }),
      encode({ stream: s, type: "4" })
    ]
  },
  {
    title: "A-04: protocol id 0",
    reply: (s) => [
      server(s, "2", {}, { protocol: 0 }),
      server(s, "3", { payload: word("yo") }, { protocol: 0 }),
      server(s, "4", {}, { protocol: 0 })
    ]
  },
  {
    title: "a second Header, which ends the stream alone",
    reply: (s) => [server(s, "2", { strings: { a: "1" } }), server(s, "2", { strings: { a: "2" } })]
  },
  { title: "U-16: garbage", reply: () => [Buffer.from("deadbeefdeadbeefdeadbeefdeadbeef", "hex")] },
  { title: "A-08: a frame of an unknown type", reply: (s) => [server(s, "9")] },
  { title: "A-16: closed at once", reply: () => [], closes: true },
  { title: "A-16: closed behind a Header", reply: (s) => [server(s, "2")], closes: true },
  {
    title: "A-16: closed inside a frame",
    reply: (s) => [server(s, "2"), server(s, "3", { payload: word("yo") }).subarray(0, 30)],
    closes: true
  }
]

const script: Script = {
  mode: "bidi",
  steps: ["send:hi", "sleep:150", "recv", "recv", "recv", "send:late"]
}

/** A server that gives every stream the same answer. */
const fakeServer = ({ closes = false, reply }: Fake): Effect.Effect<string, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(
        () =>
          new Promise<ReturnType<typeof createServer>>((resolve) => {
            const server = createServer({ noDelay: true }, (socket) => {
              const read = frameReader()
              socket.on("error", () => {})
              socket.on("data", (chunk) => {
                for (const { stream, type } of read(chunk)) {
                  // behind the first message, so that the client is as far on as it can be
                  if (type !== "3") continue
                  const bytes = Buffer.concat(reply(stream))
                  if (closes) socket.end(bytes)
                  else socket.write(bytes)
                }
              })
            })
            server.listen(0, "127.0.0.1", () => resolve(server))
          })
      ),
      (server) => Effect.sync(() => server.close())
    ),
    (server) => `127.0.0.1:${(server.address() as AddressInfo).port}`
  )

/** What both servers answered, and what both clients made of answers, each by its title. */
class Recorded extends Context.Service<
  Recorded,
  {
    readonly addresses: { readonly kitex: string; readonly ours: string }
    readonly servers: ReadonlyMap<string, { readonly kitex: Answer; readonly ours: Answer }>
    readonly clients: ReadonlyMap<string, { readonly kitex: Played; readonly ours: Played }>
  }
>()("interop/Recorded") {
  static readonly layer = Layer.effect(
    Recorded,
    Effect.gen(function* () {
      const kitex = yield* kitexServer("--services", "streamx")
      const { address } = yield* countingServer
      const ask = (to: string) => Effect.forEach(probes, ({ send }) => answerOf(to, send), { concurrency: "unbounded" })
      const [byKitex, byOurs] = [yield* ask(kitex), yield* ask(address)]
      const run = yield* KitexClient
      const stages = yield* Effect.forEach(fakes, (fake) =>
        Effect.map(fakeServer(fake), (address) => ({ address, name: fake.title, key: fake.title }))
      )
      const scripts = stages.map((stage) => ({ ...script, ...stage }))
      const { seen } = yield* run({ scenario: "scripts", address: "", scripts })
      const byOurClient = yield* Effect.forEach(stages, (stage) => play(script, stage), { concurrency: 8 })
      return {
        addresses: { kitex, ours: address },
        servers: new Map(probes.map(({ title }, i) => [title, { kitex: byKitex[i]!, ours: byOurs[i]! }])),
        clients: new Map(
          fakes.map(({ title }, i) => [title, { kitex: seen[i] as unknown as Played, ours: byOurClient[i]! }])
        )
      }
    })
  )
}

/** What the handler of a stream hears of a frame that is none, by the server's own word. */
const handlerHears = Effect.fnUntraced(function* (address: string) {
  const key = `a-08 at ${address}`
  yield* Effect.callback<void>((resume) => {
    const [host, port] = address.split(":")
    const socket = connect({ host: host!, port: Number(port) })
    socket.write(Buffer.concat([client("2", { strings: { ...isn, RPC_PERSIST_KEY: key } }), data()]))
    // the handler runs
    socket.once("data", () => socket.write(client("9")))
    socket.on("error", () => {})
    socket.once("close", () => resume(Effect.void))
  })
  const asking = yield* StreamClient.make(InteropService, { hostPorts: [address], transport: "ttheader-streaming" })
  return (yield* asking.Unary(new Request({ message: "seen", key }))).message?.replace(/^(recv|send): /, "")
})

describe.skipIf(!goAvailable())("frames of TTHeader streaming", () => {
  const services = Recorded.layer.pipe(Layer.provide(KitexClient.layer), Layer.provideMerge(NodeTransport.layerClient))

  layer(services, { excludeTestServices: true, timeout: "5 minutes" })((it) => {
    for (const { kitex, ours, title } of probes) {
      it.effect(`to servers: ${title}`, () =>
        Effect.gen(function* () {
          const answer = (yield* Recorded).servers.get(title)!
          assert.deepStrictEqual(answer.kitex, kitex ?? answer.kitex)
          assert.deepStrictEqual(answer.ours, ours ?? answer.kitex)
        })
      )
    }
    it.effect("to servers: A-08: what the handler hears of it", () =>
      Effect.gen(function* () {
        const { addresses } = yield* Recorded
        const heard = yield* handlerHears(addresses.ours)
        assert.strictEqual(heard, yield* handlerHears(addresses.kitex))
        assert.strictEqual(heard, "[ttstream error, code=12013] [ttstream error, code=12004] unexpected frame type: 9")
      }).pipe(Effect.scoped)
    )
    for (const { closes, title } of fakes) {
      it.effect(`to clients: ${title}`, () =>
        Effect.gen(function* () {
          const { kitex, ours: got } = (yield* Recorded).clients.get(title)!
          const told = (played: Played) =>
            played.seen.map(({ biz, code, error, ...step }) => {
              // which of two codes a lost connection has is a matter of where it was lost, in Kitex
              if (closes === true) return step
              const text = error?.replace(/stream\[\d+\]/, "stream[ID]")
              // sending fails with the text of a business error, and not with the error itself, with us
              const ofText = step.op.startsWith("send") && text?.startsWith("biz error: ") === true
              return ofText ? { ...step, text } : { ...step, text, code, biz }
            })
          // the fake server was there
          assert.deepStrictEqual(kitex.seen[0], { op: "send:hi" })
          assert.deepStrictEqual(told(got), told(kitex))
        })
      )
    }
  })
})
