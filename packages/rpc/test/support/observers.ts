/** Who hears of calls, and what stands around a client that it hears of. */
import { MemoryTransport, TransportError } from "@millrace/transport"
import { Effect, Layer, Stream } from "effect"
import { type CallObserver, Client, Middleware, Server } from "../../src/index.ts"
import { only } from "./client.ts"
import { Request, Response, TestService } from "./echo.ts"
import { StreamClient } from "./over.ts"

export const request = new Request({ message: "m" })

export const server = (options: Server.Options<ReadonlyArray<Middleware.ForServer>> = {}) =>
  Server.layer([TestService], { graceTime: 0, ...options }).pipe(
    Layer.provide(
      TestService.toLayer(
        only({
          Echo: (requests) => Stream.map(requests, ({ message }) => new Response({ message })),
          EchoServer: () => Stream.make(new Response({ message: "a" }), new Response({ message: "b" })),
          EchoUnary: () => Effect.delay(Effect.succeed(new Response({ message: "m" })), 50),
          EchoPingPong: () => Effect.delay(Effect.succeed(new Response({ message: "m" })), 50)
        })
      )
    ),
    Layer.provideMerge(MemoryTransport.layer)
  )

/** What one observer hears, in order. */
export class Heard {
  readonly words: Array<string> = []
  readonly ends: Array<CallObserver.CallEnd> = []
  readonly observer: CallObserver.CallObserver = {
    created: () => void this.words.push("created"),
    answered: () => void this.words.push("answered"),
    ended: (end) => {
      this.words.push("ended")
      this.ends.push(end)
    }
  }
  get tags() {
    return this.ends.map(({ error, reason }) =>
      error === undefined ? reason : error._tag === "RpcError" ? error.reason._tag : error._tag
    )
  }
}

/** All that hear of calls, and whether each did so in order, and to the end. */
export class Crowd {
  readonly all: Array<Heard> = []
  readonly next = (): CallObserver.CallObserver => {
    const heard = new Heard()
    this.all.push(heard)
    return heard.observer
  }
  get wrong() {
    return this.all.map(({ words }) => words.join()).filter((words) => !order.test(words))
  }
}
export const order = /^(created,)?(answered,)?ended$/

export const clients = (options: object) =>
  Effect.all({
    streams: StreamClient.make(TestService, options),
    calls: Client.make(TestService, options)
  })
export type Clients = Effect.Success<ReturnType<typeof clients>>

export const pass1 = Middleware.client((next) => next)
export const surroundings = [{}, { middleware: [pass1] }, { instanceMiddleware: [pass1] }]
export const named = (kind: string, more: object) => [kind, ...Object.keys(more)].join(" with ")

export const unreachable = (address: string) =>
  new TransportError.TransportError({
    reason: new TransportError.ConnectFailed({ address }),
    code: 14,
    desc: `no way to ${address}`
  })
/** Numbers from 0 up to but not 1, the same for a seed. */
export const randomOf = (seed: number) => {
  let state = seed * 2654435761 + 1
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
