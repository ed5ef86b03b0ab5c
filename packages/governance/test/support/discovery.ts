/** Sources that do what a test says, and picks without a client. */
import { assert } from "@effect/vitest"
import { Discovery, Instance, type LoadBalancer, Resolver } from "@millrace/governance"
import { type CallObserver, type Endpoints, RpcError, type RpcInfo } from "@millrace/rpc"
import { Clock, Effect, Logger } from "effect"
import * as calls from "./calls.ts"

export const infoOf = (callee: string): RpcInfo.RpcInfo => calls.infoOf({ callee })

export const placingOf = (callee: string, now: number, tried: ReadonlyArray<string> = []): Endpoints.Placing =>
  calls.placingOf({ info: infoOf(callee), tried, now })

/** The address that a call of the service is sent to, and what hears of its end. */
export const pick = (endpoints: Endpoints.Endpoints, callee = "a", tried: ReadonlyArray<string> = []) =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const choice = endpoints.pick(placingOf(callee, now, tried))
    const picked = (Effect.isEffect(choice) ? yield* choice : choice) as Endpoints.Picked | undefined
    picked?.began?.(now)
    return picked
  })

export const endOf = (now: number, end: Partial<CallObserver.CallEnd> = {}): CallObserver.CallEnd =>
  calls.endOf({ info: infoOf("a"), now, ...end })

/** The address of a call that is over at once. */
export const addressOf = (endpoints: Endpoints.Endpoints, callee = "a", tried: ReadonlyArray<string> = []) =>
  Effect.map(pick(endpoints, callee, tried), (picked) => {
    picked?.ended(endOf(0))
    return picked?.address
  })

/** Takes them in turn, in the order of the list: what a test can foresee. */
export const inTurn: LoadBalancer.LoadBalancer = {
  name: "in_turn",
  build: (nodes) => {
    const weighted = nodes.filter(({ instance }) => instance.weight > 0)
    let next = 0
    return { pick: () => weighted[next++ % weighted.length] }
  }
}

export const instances = (...addresses: ReadonlyArray<string>): ReadonlyArray<Instance.Instance> =>
  addresses.map((address) => Instance.make(address))

export const broken = (service: string, options: { readonly desc?: string; readonly retryable?: boolean } = {}) =>
  new Resolver.ResolveError({
    resolver: "script",
    service,
    desc: options.desc ?? "out of order",
    retryable: options.retryable ?? true
  })

/** What a source answers from now on. */
export type Answer = Effect.Effect<Resolver.Resolved, Resolver.ResolveError>

export const ok = (...addresses: ReadonlyArray<string>): Answer =>
  Effect.succeed({ instances: instances(...addresses) })

/** A source that answers what its `answer` is at the time, and remembers when it was asked. */
export const scripted = (first: Answer) => {
  const script: { answer: Answer; readonly asked: Array<number>; readonly source: Resolver.Source } = {
    answer: first,
    asked: [],
    source: {
      name: "script",
      resolve: () =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          script.asked.push(now)
          return script.answer
        })
    }
  }
  return script
}

/** A discovery of this source, whose picks and waits a test can foresee. */
export const discover = (
  source: Resolver.Source,
  config: Discovery.Config = {},
  options: Omit<Discovery.Options, "config"> = {}
) =>
  Effect.provideService(
    Discovery.make({ balancer: inTurn, ...options, config: { jitter: 0, ...config } }),
    Resolver.Resolver,
    source
  )

/** Lines of log, each with its level. */
export const logging = <A, E, R>(run: (lines: Array<string>) => Effect.Effect<A, E, R>) => {
  const lines: Array<string> = []
  const logger = Logger.make<unknown, void>(({ logLevel, message }) => {
    lines.push(`${logLevel}: ${(Array.isArray(message) ? message : [message]).join(" ")}`)
  })
  return Effect.provide(run(lines), Logger.layer([logger]))
}

/** The reason and the text of a call that finds no instance. */
export const refusal = (endpoints: Endpoints.Endpoints, callee = "a", tried: ReadonlyArray<string> = []) =>
  Effect.map(Effect.flip(addressOf(endpoints, callee, tried)), (error) => {
    assert.isTrue(error instanceof RpcError.RpcError)
    assert.strictEqual(error.code, 13)
    return `${error.reason._tag}: ${error.desc}`
  })
