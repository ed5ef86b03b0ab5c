/** Every protocol on one port at the same time, under load, by many clients, with junk between them. */
import { assert, describe, layer } from "@effect/vitest"
import { Client, StreamClient } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import { Context, Effect, Layer, Stream } from "effect"
import * as http2 from "node:http2"
import { connect } from "node:net"
import { InteropService, Request } from "../src/api.ts"
import { CallsService } from "../src/calls.ts"
import { goAvailable } from "./go.ts"
import { junk } from "./junk.ts"
import * as npm from "./npm-thrift.ts"
import { type Case, KitexClient, Ours } from "./peers.ts"
import { relayTo } from "./relay.ts"

const loadMillis = 4000
/** More than any of them needs, on a machine that does much else. */
const patience = 10_000

const encodings = ["buffered", "framed", "ttheader", "ttheader-framed"] as const
const connections = ["auto", "pooled", "short", "multiplexed"] as const

/** What was answered, by kind; anything that was not fails its fiber. */
type Tally = Record<string, number>

let last = 0

/** Makes requests of one kind, so many at once, until the time is over. */
const load = <E, R>(
  tally: Tally,
  kind: string,
  atOnce: number,
  one: (text: string) => Effect.Effect<void, E, R>
): Effect.Effect<void, never, R> => {
  tally[kind] = 0
  const from = performance.now()
  const again: Effect.Effect<void, E, R> = Effect.gen(function* () {
    do {
      yield* Effect.timeoutOrElse(one(`${kind} ${last++}`), {
        duration: patience,
        orElse: () => Effect.die(new Error(`${kind}: not answered`))
      })
      tally[kind]!++
    } while (performance.now() - from < loadMillis)
  })
  const all = Array.from({ length: atOnce }, () => again)
  return Effect.orDie(Effect.all(all, { concurrency: "unbounded", discard: true }))
}

const calls = Effect.fnUntraced(function* (tally: Tally, address: string) {
  const loads = yield* Effect.forEach(encodings, (transport) =>
    Effect.forEach(connections, (connection) =>
      Effect.map(Client.make(CallsService, { hostPorts: [address], transport, connection }), (client) =>
        load(tally, `ours ${transport} ${connection}`, connection === "short" ? 1 : 4, (message) =>
          Effect.map(client.Call({ req: new Request({ message }) }), (response) => {
            assert.strictEqual(response.message, message)
          })
        )
      )
    )
  )
  return loads.flat()
})

const carriers = ["grpc", "ttheader-streaming", "auto"] as const

const streams = Effect.fnUntraced(function* (tally: Tally, address: string, transport: (typeof carriers)[number]) {
  const client = yield* StreamClient.make(InteropService, { hostPorts: [address], transport })
  return [
    load(tally, `ours unary ${transport}`, 4, (message) =>
      Effect.map(client.Unary(new Request({ message })), (response) => {
        assert.strictEqual(response.message, message)
      })
    ),
    load(tally, `ours bidi ${transport}`, 4, (message) =>
      Effect.map(
        Stream.runCollect(client.Bidi(Stream.fromIterable(Array.from({ length: 20 }, () => new Request({ message }))))),
        (responses) => {
          assert.deepStrictEqual(
            responses.map((response) => response.message),
            Array(20).fill(message)
          )
        }
      )
    )
  ]
})

/** `Request` or `Response` with a message alone, behind the prefix of gRPC. */
const prefixed = (message: string): Buffer => {
  const text = Buffer.from(message)
  const struct = Buffer.concat([Buffer.of(11, 0, 1, 0, 0, 0, text.length), text, Buffer.of(0)])
  return Buffer.concat([Buffer.of(0, 0, 0, 0, struct.length), struct])
}

const requestHeaders = {
  ":method": "POST",
  ":path": "/interop.InteropService/Bidi",
  "content-type": "application/grpc+thrift",
  te: "trailers"
}

/** Streams of a client that is not ours: Node's own HTTP/2. */
const nodeHttp2 = (tally: Tally, address: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => http2.connect(`http://${address}`)),
      (session) => Effect.sync(() => session.destroy())
    ),
    (session) =>
      load(tally, "node:http2 bidi", 4, (message) =>
        Effect.callback<void, Error>((resume) => {
          const stream = session.request(requestHeaders)
          const received: Array<Buffer> = []
          let status: unknown
          stream.on("data", (bytes: Buffer) => received.push(bytes))
          stream.on("trailers", (trailers) => (status = trailers["grpc-status"]))
          stream.on("error", (error) => resume(Effect.fail(error)))
          const each = prefixed(message)
          stream.on("end", () =>
            resume(
              Effect.sync(() => {
                assert.strictEqual(status, "0")
                assert.isTrue(Buffer.concat(received).equals(Buffer.concat([each, each, each])))
              })
            )
          )
          stream.write(each)
          stream.write(each)
          stream.end(each)
        })
      )
  )

const npmThrift = (tally: Tally, address: string) =>
  Effect.forEach(["buffered", "framed"] as const, (framing) =>
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => npm.connect(framing, address)),
        ({ close }) => Effect.sync(close)
      ),
      (client) =>
        load(tally, `npm ${framing}`, 4, (message) =>
          Effect.map(
            Effect.promise(() => client.call("Call", { req: { message } })),
            (response) => assert.deepStrictEqual(response, { message })
          )
        )
    )
  )

/** Clients that run scenarios of their own, one after the other; `slowly` is the relay. */
const kitex = Effect.fnUntraced(function* (tally: Tally, address: string, slowly: string) {
  const scenarios = (kind: string, list: ReadonlyArray<Omit<Case, "address">>) =>
    Effect.map(Layer.build(Layer.fresh(KitexClient.layer)), (context) => {
      const run = Context.get(context, KitexClient)
      return load(tally, kind, 1, () =>
        Effect.forEach(
          list.flatMap((scenario) => [
            Object.assign({ address }, scenario),
            Object.assign({ address: slowly }, scenario)
          ]),
          (scenario) =>
            Effect.map(run(scenario), ({ detail, ok }) =>
              assert.deepStrictEqual([ok, detail], [true, ""], scenario.scenario)
            ),
          { discard: true }
        )
      )
    })
  return [
    yield* scenarios(
      "Kitex calls",
      encodings.flatMap((encoding) => [
        { scenario: "call-many", n: 100, calls: { encoding } },
        { scenario: "call-shapes", n: 1, calls: { encoding, connection: "short" } }
      ])
    ),
    yield* scenarios("Kitex streams", [
      { scenario: "bidi" },
      { scenario: "unary" },
      { scenario: "ttstream" },
      { scenario: "call-mixed", calls: { encoding: "framed" } }
    ])
  ]
})

/** The first 24 bytes of each connection come one by one: a connection for each request. */
const dribbled = Effect.fnUntraced(function* (tally: Tally, slowly: string) {
  const loads = yield* Effect.forEach(encodings, (transport) =>
    Effect.map(Client.make(CallsService, { hostPorts: [slowly], transport, connection: "short" }), (client) =>
      load(tally, `slow ${transport}`, 2, (message) =>
        Effect.map(client.Call({ req: new Request({ message }) }), (response) => {
          assert.strictEqual(response.message, message)
        })
      )
    )
  )
  const streams = carriers.map((transport) =>
    load(tally, `slow streams ${transport}`, 2, (message) =>
      Effect.gen(function* () {
        const context = yield* Layer.build(Layer.fresh(NodeTransport.layerClient))
        const making = StreamClient.make(InteropService, { hostPorts: [slowly], transport })
        const client = yield* Effect.provide(making, context)
        const [response] = yield* Stream.runCollect(client.Bidi(Stream.make(new Request({ message }))))
        assert.strictEqual(response?.message, message)
      }).pipe(Effect.scoped)
    )
  )
  return [...loads, ...streams]
})

/** Sends bytes, and waits until the server has closed. */
const closes = (address: string, bytes: Uint8Array, half: boolean) =>
  Effect.callback<void>((resume) => {
    const [host, port] = address.split(":")
    const socket = connect({ host: host!, port: Number(port), allowHalfOpen: true })
    const done = () => {
      socket.destroy()
      resume(Effect.void)
    }
    socket.on("error", done)
    socket.on("end", done)
    socket.resume()
    if (half) socket.end(bytes)
    else socket.write(bytes)
  })

const strangers = (tally: Tally, address: string) => {
  const list = Object.entries(junk)
  let i = 0
  return load(tally, "junk", 2, () => {
    const [name, { bytes, half }] = list[i++ % list.length]!
    return closes(address, bytes, half ?? false).pipe(
      Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.die(new Error(`${name}: not closed`)) })
    )
  })
}

describe("one port", () => {
  layer(Layer.merge(Ours.layer, NodeTransport.layerClient), { excludeTestServices: true })((it) => {
    it.effect(
      "every protocol at once, by many clients, junk between them: everything is answered, junk is closed",
      () =>
        Effect.gen(function* () {
          const address = yield* Ours
          const slowly = (yield* relayTo(address, 24)).address
          const tally: Tally = {}
          const loads = [
            ...(yield* calls(tally, address)),
            ...(yield* Effect.forEach(carriers, (transport) => streams(tally, address, transport))).flat(),
            ...(yield* dribbled(tally, slowly)),
            yield* nodeHttp2(tally, address),
            ...(yield* npmThrift(tally, address)),
            ...(goAvailable() ? yield* kitex(tally, address, slowly) : []),
            strangers(tally, address)
          ]
          yield* Effect.all(loads, { concurrency: "unbounded", discard: true })
          for (const [kind, answered] of Object.entries(tally)) assert.isAbove(answered, 0, kind)
          assert.isAbove(tally["junk"]!, Object.keys(junk).length, "all junk was sent")
        }).pipe(Effect.scoped),
      60_000
    )
  })
})
