/** One trace through Kitex programs, traced by Kitex's OpenTelemetry suite, and ours, traced by `Telemetry`. */
import { assert, describe, layer } from "@effect/vitest"
import { Client, StreamClient, Telemetry } from "@millrace/rpc"
import { NodeTransport } from "@millrace/transport/node"
import { Context, Effect, Layer, Metric, Option, Stream, Tracer } from "effect"
import { InteropService, Request } from "../src/api.ts"
import { CallsService } from "../src/calls.ts"
import type { Hop } from "../src/chain.ts"
import { goAvailable } from "./go.ts"
import { serverHere } from "./here.ts"
import { KitexClient, kitexServer } from "./peers.ts"

/** A Kitex server that the suite traces. */
class Traced extends Context.Service<Traced, string>()("interop/Traced") {
  static readonly layer = Layer.effect(Traced, kitexServer("--otel"))
}

/** The spans of our end, by their ids. */
const spansHere = () => {
  const spans = new Map<string, Tracer.NativeSpan>()
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.set(span.spanId, span)
      return span
    }
  })
  return { spans, tracer }
}

const traceparent = (hop: Hop): string | undefined => {
  const { TRACEPARENT, traceparent: verbatim } = hop.transient ?? {}
  return TRACEPARENT ?? verbatim
}

const hopsOf = (text: unknown, seen: unknown): ReadonlyArray<Hop> => {
  assert.isString(text, JSON.stringify(seen))
  return JSON.parse(text as string)
}

/** `Span` of `kitex/peer/otel.go`. */
interface KitexSpan {
  readonly name: string
  readonly kind: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly events: ReadonlyArray<string>
  readonly failed: boolean
}

/** What a Kitex server is called, by its options; a server of ours has the name of its service. */
const kitexName = "interop-go"
const ownNames: Readonly<Record<string, string>> = { call: "CallsService" }

/** What both have for the same reasons. The sizes of a TTHeader are those of what either end writes into it. */
const compared = (mode: string) => [
  "rpc.system",
  "rpc.service",
  "rpc.method",
  "request.protocol",
  ...(mode === "call" ? [] : ["kitex.recv_size", "kitex.send_size"])
]
const events = new Set(["server_handle_start", "server_handle_finish"])

const expected = ({ attributes, events: all, failed, kind, name }: KitexSpan, mode: string) => ({
  name,
  kind,
  failed,
  attributes: compared(mode).map((key) => [
    key,
    attributes[key] === kitexName ? (ownNames[mode] ?? "InteropService") : attributes[key]
  ]),
  events: all.filter((event) => events.has(event)).toSorted()
})

const told = ({ attributes, events: all, kind, name, status }: Tracer.NativeSpan, mode: string) => ({
  name,
  kind,
  failed: status._tag === "Ended" && status.exit._tag === "Failure",
  attributes: compared(mode).map((key) => [key, attributes.get(key)]),
  events: all
    .map(([event]) => event)
    .filter((event) => events.has(event))
    .toSorted()
})

/** `Series` of `kitex/peer/otel.go`. */
interface KitexSeries {
  readonly name: string
  readonly unit: string
  readonly attributes: Readonly<Record<string, unknown>>
}

const seriesKeys = ["rpc.system", "rpc.service", "rpc.method", "request.protocol", "status.code"]

/** The suite's without the attributes of the resource and of the caller. */
const seriesOf = ({ attributes, name, unit }: KitexSeries, mode: string) => ({
  name,
  unit,
  attributes: Object.fromEntries(
    seriesKeys.map((key) => [
      key,
      attributes[key] === kitexName ? (ownNames[mode] ?? "InteropService") : attributes[key]
    ])
  )
})

/** The durations of a side. */
const seriesHere = (registry: Metric.MetricRegistry, side: "client" | "server") =>
  Metric.snapshotUnsafe(Context.make(Metric.MetricRegistry, registry) as Context.Context<never>)
    .filter(({ id }) => id === `rpc.${side}.duration`)
    .map(({ attributes, id }) => ({ name: id, unit: "", attributes: { ...attributes } }))

const spanOf = (spans: ReadonlyMap<string, Tracer.NativeSpan>, kind: "client" | "server"): Tracer.NativeSpan =>
  Array.from(spans.values()).find((span) => span.kind === kind)!

describe.skipIf(!goAvailable())("one trace", () => {
  const services = Layer.mergeAll(KitexClient.layer, Traced.layer, NodeTransport.layerClient)

  layer(services, { excludeTestServices: true, timeout: "5 minutes" })((it) => {
    for (const mode of ["unary", "bidi", "call"] as const) {
      for (const count of mode === "call" ? [1] : [1, 2]) {
        const title = count === 2 ? ", also where old transient values go on" : ""
        it.effect(`${mode}: Kitex, ours, Kitex${title}`, () =>
          Effect.gen(function* () {
            const { spans, tracer } = spansHere()
            const ours = yield* serverHere().pipe(
              Effect.provide(Telemetry.layer()),
              Effect.provideService(Tracer.Tracer, tracer)
            )
            const run = yield* KitexClient
            const { seen } = yield* run({
              scenario: `ask-${mode}`,
              address: ours,
              ask: { word: "chain", key: yield* Traced, count, otel: true }
            })
            const traceId = seen[0]!["value"]
            const [b, c] = hopsOf(seen.at(-1)!["value"], seen) as [Hop, Hop]
            assert.deepStrictEqual([b.trace, c.trace], [traceId, traceId])
            // the span of our server continues that of Kitex's client
            assert.strictEqual(traceparent(b), `00-${traceId}-${b.parent}-01`)
            // that of Kitex's server continues the one of our client, which is a child of ours
            const client = spans.get(c.parent)!
            assert.strictEqual(client.kind, "client")
            assert.strictEqual(spans.get(b.span)!.kind, "server")
            assert.strictEqual(Option.getOrUndefined(client.parent)?.spanId, b.span)
          }).pipe(Effect.scoped)
        )
      }

      it.effect(`${mode}: ours, Kitex, ours`, () =>
        Effect.gen(function* () {
          const { spans, tracer } = spansHere()
          const [first, last] = yield* Effect.gen(function* () {
            const ours = yield* serverHere()
            const streams = yield* StreamClient.make(InteropService, {})
            const calls = yield* Client.make(CallsService, {})
            const hostPort = yield* Traced
            const request = new Request({ message: "chain", key: ours })
            const response = yield* mode === "call"
              ? calls.Call({ req: request }, { hostPort })
              : mode === "unary"
                ? streams.Unary(request, { hostPort })
                : Effect.scoped(
                    Effect.gen(function* () {
                      const stream = yield* streams.Bidi.open({ hostPort })
                      yield* stream.send(request)
                      return yield* stream.recv
                    })
                  )
            return hopsOf(response.message, response)
          }).pipe(
            Effect.withSpan("root"),
            Effect.provide(Telemetry.layer()),
            Effect.provideService(Tracer.Tracer, tracer)
          )
          const root = Array.from(spans.values()).find(({ name }) => name === "root")!
          assert.deepStrictEqual([first!.trace, last!.trace], [root.traceId, root.traceId])
          const client = spans.get(first!.parent)!
          assert.strictEqual(client.kind, "client")
          assert.strictEqual(Option.getOrUndefined(client.parent)?.spanId, root.spanId)
          // A span of Kitex's. Its streams send the values of the hop before as well, and the header of either survives.
          if (mode === "call") assert.isFalse(spans.has(last!.parent))
          assert.strictEqual(spans.get(last!.span)!.kind, "server")
        }).pipe(Effect.scoped)
      )
    }

    for (const mode of ["unary", "client", "call"] as const) {
      for (const word of ["hi", "plain-error"]) {
        it.effect(`${mode}: ${word}: spans and metrics under Kitex's names are those of its suite`, () =>
          Effect.gen(function* () {
            const run = yield* KitexClient
            const kitex = yield* Traced
            const { spans, tracer } = spansHere()
            const registry: Metric.MetricRegistry = new Map()
            const here = [
              Effect.provide(Telemetry.layer({ naming: "kitex" })),
              Effect.provideService(Tracer.Tracer, tracer),
              Effect.provideService(Metric.MetricRegistry, registry)
            ] as const
            const ours = yield* serverHere().pipe(...here)
            const ask = (address: string) =>
              Effect.map(run({ scenario: `ask-${mode}`, address, ask: { word, otel: true } }), ({ seen }) => seen)

            const seen = yield* ask(kitex)
            const key = seen[0]!["value"] as string
            const clientSpan = (seen.find(({ op }) => op === "spans")!["value"] as ReadonlyArray<KitexSpan>)[0]!
            const served = yield* run({ scenario: "ask-unary", address: kitex, ask: { word: "spans", key } })
            const [serverSpan] = JSON.parse(served.seen.at(-1)!["value"] as string) as [KitexSpan]
            const clientSeries = seen.find(({ op }) => op === "series")!["value"] as ReadonlyArray<KitexSeries>
            const counted = yield* run({ scenario: "ask-unary", address: kitex, ask: { word: "series" } })
            const serverSeries = JSON.parse(counted.seen.at(-1)!["value"] as string) as ReadonlyArray<KitexSeries>

            yield* ask(ours)
            assert.deepStrictEqual(told(spanOf(spans, "server"), mode), expected(serverSpan, mode))
            const [ofServer] = seriesHere(registry, "server")
            assert.deepInclude(
              serverSeries.map((series) => seriesOf(series, mode)),
              ofServer
            )
            spans.clear()

            const options = { hostPorts: [kitex], destService: "interop" }
            const streams = yield* StreamClient.make(InteropService, options).pipe(...here)
            const calls = yield* Client.make(CallsService, options).pipe(...here)
            // as large as what the Kitex client sent
            const request = new Request({ message: word, key: "", count: 1 })
            const call =
              mode === "call"
                ? calls.Call({ req: request })
                : mode === "unary"
                  ? streams.Unary(request)
                  : streams.Client(Stream.make(request))
            yield* Effect.exit(Effect.provideService(call as Effect.Effect<unknown, unknown>, Tracer.Tracer, tracer))
            assert.deepStrictEqual(told(spanOf(spans, "client"), mode), expected(clientSpan, mode))
            assert.deepStrictEqual(seriesHere(registry, "client"), [seriesOf(clientSeries.at(-1)!, mode)])
          }).pipe(Effect.scoped)
        )
      }
    }

    // The suite has its clients write a TTHeader, whatever else they are told.
    for (const encoding of ["ttheader", "ttheader-framed"] as const) {
      it.effect(`call: ${encoding}: the protocol of both our spans is that of Kitex's client`, () =>
        Effect.gen(function* () {
          const run = yield* KitexClient
          const { spans, tracer } = spansHere()
          const here = [
            Effect.provide(Telemetry.layer({ naming: "kitex" })),
            Effect.provideService(Tracer.Tracer, tracer)
          ] as const
          const ours = yield* serverHere().pipe(...here)
          const ask = { word: "hi", otel: true }
          const { seen } = yield* run({ scenario: "ask-call", address: ours, calls: { encoding }, ask })
          const [theirs] = seen.find(({ op }) => op === "spans")!["value"] as [KitexSpan]
          const protocolOf = (kind: "client" | "server") => spanOf(spans, kind).attributes.get("request.protocol")
          assert.strictEqual(protocolOf("server"), theirs.attributes["request.protocol"])
          const calls = yield* Client.make(CallsService, { hostPorts: [ours], transport: encoding }).pipe(...here)
          yield* Effect.provideService(calls.Call({ req: new Request({ message: "hi" }) }), Tracer.Tracer, tracer)
          assert.strictEqual(protocolOf("client"), theirs.attributes["request.protocol"])
        }).pipe(Effect.scoped)
      )
    }

    it.effect("the plain header of a proxy", () =>
      Effect.gen(function* () {
        const ours = yield* serverHere().pipe(Effect.provide(Telemetry.layer()))
        const client = yield* StreamClient.make(InteropService, { hostPorts: [ours] })
        const [traceId, spanId] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"]
        const metadata = { traceparent: `00-${traceId}-${spanId}-01` }
        const response = yield* client.Unary(new Request({ message: "chain" }), { metadata })
        const [hop] = hopsOf(response.message, response)
        assert.deepStrictEqual([hop!.trace, hop!.parent], [traceId, spanId])
      }).pipe(Effect.scoped)
    )
  })
})
