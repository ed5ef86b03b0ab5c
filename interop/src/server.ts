/**
 * Our server of the interoperability suite, as a program: `node interop/src/server.ts [--port N] [--grace MILLIS] [--middleware overlimit]`, with
 * the options of `kitex/server` that are about PingPong: `--services routes|conflict|combined`, `--refuse`, `--unknown`, `--checksum`, `--size-limit N`,
 * and those that register it: `--etcd HOST:PORT`, `--service`, `--weight`, `--tags key=value,...`, `--lease SECONDS`.
 * It prints `listening on HOST:PORT` when it is ready, and ends after the word `drain` or a signal.
 *
 * @since 0.1.0
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Registry } from "@millrace/governance"
import * as Etcd from "@millrace/governance/registries/Etcd"
import { Middleware, RpcError, Server } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import { parseArgs } from "node:util"
import { InteropService, SecondService } from "./api.ts"
import * as CallHandlers from "./callHandlers.ts"
import { CallsService, First, LeftService, RightService, Second } from "./calls.ts"
import * as Chain from "./chain.ts"
import * as Down from "./down.ts"
import * as Handlers from "./handlers.ts"
import * as Words from "./words.ts"

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    grace: { type: "string", default: "400" },
    middleware: { type: "string", default: "" },
    services: { type: "string", default: "" },
    refuse: { type: "boolean", default: false },
    unknown: { type: "boolean", default: false },
    checksum: { type: "boolean", default: false },
    "size-limit": { type: "string" },
    etcd: { type: "string", default: "" },
    service: { type: "string", default: "interop-ours" },
    weight: { type: "string", default: "10" },
    tags: { type: "string", default: "" },
    lease: { type: "string", default: "60" }
  }
})

const overlimit = Middleware.server(() =>
  Effect.fail(
    new RpcError.RpcError({
      reason: new RpcError.Rejected({ limit: "requests" }),
      code: 8,
      desc: "request over limit: request too frequent"
    })
  )
)

/** A result that is a string. */
const stringResult = (text: string): Uint8Array =>
  Buffer.concat([Buffer.from([11, 0, 0, 0, 0, 0, text.length]), Buffer.from(text), Buffer.from([0])])

const options = {
  graceTime: Number(values.grace),
  middleware: values.middleware === "overlimit" ? [overlimit] : [],
  refuseTrafficWithoutServiceName: values.refuse,
  unknown: values.unknown
    ? ({ bytes, method, service }: Server.UnknownRequest) =>
        Effect.succeed(stringResult(`unknown ${service}.${method}(${bytes.length} bytes)`))
    : undefined
}

/** The services of `kitex/peer/server.go`. */
const services = (words: Words.Words) => {
  const streams = Handlers.make(words)
  const { calls, combined, routes } = CallHandlers.make(words)
  switch (values.services) {
    case "routes":
      return Server.layer([First, Second], { ...options, fallback: Second }).pipe(Layer.provide(routes))
    case "conflict":
      return Server.layer([First, Second], options).pipe(Layer.provide(routes))
    case "combined":
      return Server.layer([LeftService, RightService], options).pipe(Layer.provide(combined))
    default:
      return Server.layer([InteropService, SecondService, CallsService], { ...options, fallback: InteropService }).pipe(
        Layer.provide([streams.interop, streams.second, calls])
      )
  }
}

/** Nothing, or what registers the server. */
const registration =
  values.etcd === ""
    ? Layer.empty
    : Registry.layer({
        service: values.service,
        weight: Number(values.weight),
        tags: Object.fromEntries(
          values.tags
            .split(",")
            .filter((tag) => tag !== "")
            .map((tag) => tag.split("=", 2) as [string, string])
        )
      }).pipe(
        Layer.provide(Etcd.layerRegistry({ endpoints: [values.etcd], leaseTtl: `${Number(values.lease)} seconds` })),
        Layer.provide([FetchHttpClient.layer, NodeTransport.layerNetwork])
      )

const main = Effect.gen(function* () {
  let where = ""
  const stop = Latch.makeUnsafe(false)
  const chain = yield* Chain.make
  const down = yield* Down.make
  yield* Effect.gen(function* () {
    const { address } = yield* Server.Server
    where = `${address.hostname}:${address.port}`
    console.log(`listening on ${where}`)
    yield* stop.await
  }).pipe(
    Effect.provide(
      registration.pipe(
        Layer.provideMerge(services(Words.make({ drain: stop.open, chain, down, where: () => where }))),
        Layer.provide(
          NodeTransport.layerServer({
            port: Number(values.port),
            host: "127.0.0.1",
            checksum: values.checksum,
            maxCallSize: values["size-limit"] === undefined ? undefined : Number(values["size-limit"])
          })
        )
      )
    )
  )
}).pipe(Effect.scoped, Effect.provide(NodeTransport.layerClient))

NodeRuntime.runMain(main)
