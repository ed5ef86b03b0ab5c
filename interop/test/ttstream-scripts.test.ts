/**
 * Real Kitex over TTHeader streaming, both ways: what Kitex's ends see of each other is what a Kitex client sees of our server, and our
 * client of Kitex's server. All scripts of two ends run side by side, once.
 */
import { assert, describe, layer } from "@effect/vitest"
import { NodeTransport } from "@millrace/transport/node"
import { Context, Effect, Layer, type Scope } from "effect"
import { gatewayTo } from "./gateway.ts"
import { goAvailable } from "./go.ts"
import { KitexClient, kitexServer } from "./peers.ts"
import { type Counts, countingServer, play, type Played, type Stage, type Step } from "./scripts.ts"
import { cancelled, cascades, cuts, resets, type Row, rows } from "./ttstream-scripts.ts"

/** The clients and servers that meet. The first pair of each row is the reference. */
const pairs = {
  "Kitex, Kitex": { client: "kitex", server: "kitex", next: "behind" },
  "Kitex, ours": { client: "kitex", server: "ours", next: "kitex" },
  "ours, Kitex": { client: "ours", server: "kitex", next: "ours" }
} as const
type Pair = keyof typeof pairs
const reference: Pair = "Kitex, Kitex"

/** How a client reaches a server. */
type Way = (address: string) => Effect.Effect<string, never, Scope.Scope>
const straight: Way = Effect.succeed
const egress: Way = (address) => gatewayTo(address, { name: "Egress", reset: "reset-here" })
const ingress: Way = (address) => gatewayTo(address, { name: "Ingress" })

interface Group {
  readonly name: string
  readonly rows: ReadonlyArray<Row>
  readonly way: Way
}

const groups: ReadonlyArray<Group> = [
  { name: "", rows, way: straight },
  { name: ", and one server more", rows: cascades, way: straight },
  { name: ", U-88 through an egress gateway", rows: [...cancelled, ...resets], way: egress },
  { name: ", U-89 through an ingress gateway", rows: cancelled, way: ingress },
  {
    name: ", U-90 through both gateways",
    rows: [...cancelled, ...resets],
    way: (address) => Effect.flatMap(ingress(address), egress)
  },
  {
    name: ", the gateway behind another one",
    rows: resets,
    way: (address) => Effect.flatMap(egress(address), ingress)
  },
  {
    name: ", over a connection that breaks",
    rows: cuts,
    way: (address) => gatewayTo(address, { name: "", cut: "cut-here" })
  }
]

/** What every script of a pair came to. */
class Performances extends Context.Service<Performances, Record<Pair, ReadonlyMap<string, Played>>>()(
  "interop/Performances"
) {
  static readonly layer = Layer.effect(
    Performances,
    Effect.gen(function* () {
      const run = yield* KitexClient
      const addresses = {
        kitex: yield* kitexServer("--services", "streamx"),
        behind: yield* kitexServer("--services", "streamx"),
        ours: (yield* countingServer).address
      }
      const performed = Effect.fnUntraced(function* (pair: Pair) {
        const { client, next, server } = pairs[pair]
        const scripts = yield* Effect.forEach(groups, ({ name, rows: list, way }) =>
          Effect.map(way(addresses[server]), (address) =>
            list.map((row) => {
              const title = titleOf(row, name)
              return { ...row, name: title, key: `${pair}${title}`, address, next: addresses[next] }
            })
          )
        )
        const perform = (list: ReadonlyArray<Row & Stage>) =>
          client === "kitex"
            ? Effect.map(run({ scenario: "scripts", address: "", scripts: list }), ({ seen }) =>
                (seen as ReadonlyArray<unknown>).map((one) => one as Played)
              )
            : Effect.forEach(list, (script) => play(script, script), { concurrency: 8 })
        const all = scripts.flat().filter(({ notOurs }) => client === "kitex" || notOurs === undefined)
        const played = new Map((yield* perform(all)).map((one) => [one.name, one]))
        for (let times = 0; times < 3; times++) {
          const again = all.filter(({ name }) => unseen(played.get(name)!))
          if (again.length === 0) break
          for (const one of yield* perform(again)) played.set(one.name, one)
        }
        return played
      })
      return {
        "Kitex, Kitex": yield* performed("Kitex, Kitex"),
        "Kitex, ours": yield* performed("Kitex, ours"),
        "ours, Kitex": yield* performed("ours, Kitex")
      }
    })
  )
}

/**
 * A stream that is opened and ended in one read has no handler with us. That happens where this process was busy for so long: then it says
 * nothing of what the handler would have seen.
 */
const unseen = ({ seen }: Played) =>
  seen.some(({ op, value }) => op.startsWith("saw") && Object.keys(value ?? {}).length === 0)

const titleOf = ({ title }: Row, group: string) => `${group}: ${title}`

/** Which operation of the server's failed first is chance, and of the server in the middle it is one of a client. */
const sawText = (text: string, op: string) => {
  const errors = text.split(/(?:; )?(?:recv|send|down): /).filter((part) => part !== "")
  const all = [...new Set(errors)].join("; ")
  return op === "saw" ? all.replaceAll(/\[(client|server)-side stream\]/g, "") : all
}

/** Without what is another each time. */
const steady = (text: string) =>
  text
    .replaceAll(/timeout in ctx: [0-9.µmsn]+/g, "timeout in ctx: TIME")
    .replaceAll(/127\.0\.0\.1:\d+/g, "ADDRESS")
    .replaceAll(/interop-(go|ts)/g, "MIDDLE")
    .replaceAll(/\[triggered by [^\]]*\]/g, "[triggered by CLIENT]")
    .replaceAll(/persistent KEY=[^;]*/g, "persistent KEY=KEY")

/** Kitex leaves its own keys in the trailer, and has nothing in place of an empty map. */
const metadata = (value: unknown) =>
  Object.fromEntries(Object.entries(value ?? {}).filter(([key]) => !key.startsWith("biz-")))

/** An error of a stream over HTTP/2: Kitex has its code in the text. */
const byGrpc = ({ error }: Partial<Step>) =>
  error === undefined ? {} : { error: error.replace(/^rpc error: code = \d+ desc = /, "") }

const told = ({ count, op, value, ...end }: Step, { loosely, transport }: Row): unknown => {
  const common = { op, ...(loosely === true && end.kind !== undefined ? { kind: end.kind } : end) }
  // sending fails with the text of a business error, and not with the error itself, with us
  if (op.startsWith("send") && end.error?.startsWith("biz error: ") === true) return { op, error: end.error }
  if (transport === "grpc" && end.error !== undefined) return { op, ...byGrpc(end) }
  if (op === "header" || op === "trailer") return { ...common, value: metadata(value) }
  if (op.startsWith("saw")) {
    const { message = "" } = value as { readonly message?: string }
    return { ...common, value: loosely === true ? message.includes("code=12013") : sawText(message, op) }
  }
  // how many came before the stream was ended from outside is chance
  const chance = end.kind === "canceled" || end.code === 12015
  return { ...common, ...(chance ? undefined : { count }), value }
}

const asJson = (value: unknown): unknown =>
  JSON.parse(steady(JSON.stringify(value).replaceAll('"extra":null', '"extra":{}')))

const isCounts = ({ op }: Step) => op === "saw:/counts"

/**
 * As far as both sides count. A handle of ours that was cancelled is over, and what is done with it then is no part of the call; to Kitex
 * the context was cancelled, and the stream is as before.
 */
const counted = ({ ends, events, middleware, mode, starts, trailer }: Counts, over: boolean) => {
  const { recv, send, ...rest } = events
  return over
    ? { ends, events: rest, mode, starts, trailer }
    : { ends, events, middleware, mode, starts, trailer, recv, send }
}

const countedByServer = (seen: Played["seen"]): unknown => {
  const { message } = seen.find(isCounts)!.value as { readonly message: string }
  return counted(JSON.parse(message), false)
}

/** What is compared of a script. */
const shown = (row: Row, { counts, seen }: Played) => {
  const { counted: by, steps } = row
  const cancelled = steps.some((step) => step.startsWith("cancel"))
  return asJson({
    steps: seen.filter((step) => !isCounts(step)).map((step) => told(step, row)),
    client: by === "client" || by === "both" ? counted(counts, cancelled) : undefined,
    server: by === "server" || by === "both" ? countedByServer(seen) : undefined
  })
}

describe.skipIf(!goAvailable())("TTHeader streaming, Kitex and ours", () => {
  const services = Performances.layer.pipe(Layer.provide(KitexClient.layer), Layer.provide(NodeTransport.layerClient))

  layer(services, { excludeTestServices: true, timeout: "5 minutes" })((it) => {
    for (const pair of ["Kitex, ours", "ours, Kitex"] as const) {
      for (const { name, rows: list } of groups) {
        for (const row of list) {
          if (row.notOurs !== undefined && pair.startsWith("ours")) continue
          const title = titleOf(row, name)
          it.effect(`${pair}${title}`, () =>
            Effect.gen(function* () {
              const played = yield* Performances
              const expected = played[reference].get(title)!
              const text = JSON.stringify(expected)
              for (const part of row.has) assert.include(text.replaceAll(/\\(.)/g, "$1"), part)
              const got = played[pair].get(title)!
              assert.deepStrictEqual(shown(row, got), shown(row, expected))
            })
          )
        }
      }
    }
  })
})
