/**
 * A service for load, hostile peers and long chains: the word in `Request.message` chooses what a handler does. Handlers are counted.
 *
 * @since 0.1.0
 */
import { Thrift } from "@millrace/codec"
import { Deadline, Method, Service, type StreamClient } from "@millrace/rpc"
import type { CallError } from "@millrace/rpc/ClientStream"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Request, Response } from "./api.ts"

const messages = { request: Request, response: Response }

export class Soak extends Service.make("Soak", {
  package: "soak",
  methods: [
    Method.unary("Unary", messages),
    Method.bidirectional("Echo", messages),
    /** Never receives. */
    Method.bidirectional("Park", messages),
    Method.clientStreaming("Count", messages),
    Method.serverStreaming("Produce", messages),
    Method.pingPong("Call", { arguments: { req: Thrift.field(1, Request) }, response: Response }),
    Method.oneway("Tell", { arguments: { req: Thrift.field(1, Request) } })
  ]
}) {}

/** How many handlers run, ran at most at one time, and were started. */
export interface Handlers {
  active: number
  most: number
  started: number
}

export const handlers = (): Handlers => ({ active: 0, most: 0, started: 0 })

/** The handlers; `next` is the server behind this one, for those that ask it. */
export const make = (count: Handlers, next?: StreamClient.StreamClient<typeof Soak>) => {
  const entered = Effect.acquireRelease(
    Effect.sync(() => {
      count.started++
      count.most = Math.max(count.most, ++count.active)
    }),
    () => Effect.sync(() => count.active--)
  )
  const effect = <A, E>(run: Effect.Effect<A, E>): Effect.Effect<A, E> => Effect.scoped(Effect.andThen(entered, run))
  const stream = <A, E>(run: Stream.Stream<A, E>): Stream.Stream<A, E> => Stream.unwrap(Effect.as(entered, run))

  const unary = (request: Request): Effect.Effect<Response, CallError> => {
    const millis = request.count ?? 0
    switch (request.message) {
      case "never":
        return Effect.never
      case "sleep":
        return Effect.as(Effect.sleep(millis), new Response({ message: "slept" }))
      case "stubborn":
        return Effect.uninterruptible(Effect.as(Effect.sleep(millis), new Response({})))
      case "big":
        return Effect.succeed(new Response({ blob: new Uint8Array(request.count ?? 0) }))
      case "remaining":
        return Effect.map(Deadline.remaining, (left) => new Response({ count: Math.trunc(left ?? -1) }))
      case "next":
        return next === undefined
          ? unary(new Request({ message: request.key }))
          : next.Unary(request, millis > 0 ? { timeout: millis } : {})
      default:
        return Effect.succeed(new Response({ message: request.message, blob: request.blob }))
    }
  }

  const produce = (request: Request): Stream.Stream<Response, CallError> => {
    const number = request.count ?? 0
    switch (request.message) {
      case "ticks":
        return Stream.iterate(0, (i) => i + 1).pipe(
          Stream.mapEffect((i) => Effect.as(Effect.sleep(number), new Response({ count: i })))
        )
      case "once":
        return Stream.concat(Stream.make(new Response({ count: 0 })), Stream.never)
      case "flood": {
        const blob = new Uint8Array(number)
        return Stream.iterate(0, (i) => i + 1).pipe(Stream.map((i) => new Response({ count: i, blob })))
      }
      case "stubborn":
        return Stream.concat(
          Stream.make(new Response({ message: "first" })),
          Stream.fromEffectDrain(Effect.uninterruptible(Effect.sleep(number)))
        )
      case "next":
        return next === undefined
          ? produce(new Request({ message: request.key, count: number }))
          : next.Produce(request)
      default:
        return Stream.map(Stream.range(1, number), (i) => new Response({ count: i }))
    }
  }

  return Soak.toLayer({
    Unary: (request) => effect(unary(request)),
    Echo: (requests) =>
      stream(Stream.map(requests, ({ blob, count, message }) => new Response({ blob, count, message }))),
    Park: { duplex: () => effect(Effect.never) },
    Count: (requests) => effect(Effect.map(Stream.runCount(requests), (n) => new Response({ count: n }))),
    Produce: (request) => stream(produce(request)),
    Call: ({ req }) => effect(unary(req)),
    Tell: ({ req }) => Effect.ignore(effect(unary(req)))
  })
}
