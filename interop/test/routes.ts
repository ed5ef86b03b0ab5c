/** Requests to servers of `kitex/idl/routes.thrift`, and what becomes of them: the tables of `kitex/scenario/routing.go`. */
import { Client } from "@millrace/rpc"
import type { ClientOptions } from "@millrace/rpc/ClientOptions"
import { Effect } from "effect"
import { First, Nowhere, Second, StrangeFirst } from "../src/calls.ts"

/** All requests by name. */
export const requests = Effect.fnUntraced(function* (address: string, options: ClientOptions) {
  const all = { hostPorts: [address], ...options }
  const first = yield* Client.make(First, all)
  const second = yield* Client.make(Second, all)
  const stranger = yield* Client.make(StrangeFirst, all)
  const nowhere = yield* Client.make(Nowhere, all)
  return {
    "First.Shared": first.Shared({}),
    "First.OnlyFirst": first.OnlyFirst({}),
    "Second.Shared": second.Shared({}),
    "Second.OnlySecond": second.OnlySecond({}),
    "First.OnlySecond": stranger.OnlySecond({}),
    "First.Nobody": stranger.Nobody({}),
    "First.NobodyHears": stranger.NobodyHears({}),
    "Nowhere.Shared": nowhere.Shared({}),
    "Nowhere.OnlyFirst": nowhere.OnlyFirst({}),
    "Nowhere.OnlySecond": nowhere.OnlySecond({}),
    "Nowhere.Nobody": nowhere.Nobody({})
  }
})

/** A request, and what it comes to with the name of the service and without. */
type Row = readonly [
  name: Effect.Success<ReturnType<typeof requests>> extends infer R ? keyof R : never,
  named: string,
  bare: string
]

const unknownMethod = (service: string, method: string) => `Status 1 unknown method ${method} (service ${service})`
const unknownService = (service: string, method: string) => `Status 20 unknown service ${service}, method ${method}`

/** The services First and, as the fallback, Second. */
export const routes: ReadonlyArray<Row> = [
  ["First.Shared", "First.Shared", "Second.Shared"],
  ["First.OnlyFirst", "First.OnlyFirst", "First.OnlyFirst"],
  ["Second.Shared", "Second.Shared", "Second.Shared"],
  ["Second.OnlySecond", "Second.OnlySecond", "Second.OnlySecond"],
  ["First.OnlySecond", unknownMethod("First", "OnlySecond"), "Second.OnlySecond"],
  ["First.Nobody", unknownMethod("First", "Nobody"), unknownService("", "Nobody")],
  ["First.NobodyHears", "undefined", "undefined"],
  ["Nowhere.Shared", unknownService("Nowhere", "Shared"), "Second.Shared"],
  ["Nowhere.OnlyFirst", "First.OnlyFirst", "First.OnlyFirst"],
  ["Nowhere.OnlySecond", "Second.OnlySecond", "Second.OnlySecond"],
  ["Nowhere.Nobody", unknownService("Nowhere", "Nobody"), unknownService("", "Nobody")]
]

/** The same where calls must name their service. */
export const routesRefuse: ReadonlyArray<Row> = [
  ["First.Shared", "First.Shared", unknownService("", "Shared")],
  ["Second.Shared", "Second.Shared", unknownService("", "Shared")],
  ["First.OnlySecond", unknownMethod("First", "OnlySecond"), unknownService("", "OnlySecond")],
  ["Nowhere.OnlyFirst", unknownService("Nowhere", "OnlyFirst"), unknownService("", "OnlyFirst")]
]

/** The same with a handler for what is unknown. */
export const routesUnknown: ReadonlyArray<Row> = [
  ["First.Shared", "First.Shared", "Second.Shared"],
  ["Nowhere.OnlyFirst", "First.OnlyFirst", "First.OnlyFirst"],
  ["First.Nobody", "unknown First.Nobody(1 bytes)", "unknown .Nobody(1 bytes)"],
  ["Nowhere.Nobody", "unknown Nowhere.Nobody(1 bytes)", "unknown .Nobody(1 bytes)"],
  ["Nowhere.Shared", "unknown Nowhere.Shared(1 bytes)", "Second.Shared"]
]
