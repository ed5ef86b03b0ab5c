import { Cause, Effect, Exit, Logger, Stream } from "effect"
import { BizStatusError, type Client, RpcError, type RpcInfo, type StreamClient } from "../../src/index.ts"
import { type FaultPlan, StreamScript } from "../../src/testing/index.ts"
import { Calls, type Told, tracersOf } from "./callLog.ts"
import {
  attemptKey,
  biz,
  type Chains,
  clientOptions,
  errorOf,
  type Outcome,
  serverOptions,
  serviceOf,
  usesOf
} from "./chains.ts"
import type { Result, Script } from "./chainsModel.ts"
import type { TestHandlers } from "./client.ts"
import { Busy, Request, Response, type TestService } from "./echo.ts"
import { Testing } from "./over.ts"

export type Clients = StreamClient.StreamClient<typeof TestService> & Client.Client<typeof TestService>

/** What a caller does with a handle. */
export type Step = "send" | "recv" | "sleep" | "close" | "cancel" | "finish"

const actionOf = (step: Step, at: number): StreamScript.Action<Request> => {
  switch (step) {
    case "send":
      return { _tag: "Send", message: new Request({ message: `m${at}` }) }
    case "recv":
      return { _tag: "Recv" }
    case "sleep":
      return { _tag: "Sleep", millis: 7 }
    case "close":
      return { _tag: "CloseSend" }
    case "cancel":
      return { _tag: "Cancel" }
    case "finish":
      return { _tag: "Finish" }
  }
}

/** A call, and what stands around it. */
export interface ChainedCall extends Script {
  /** By the handle of a stream, and not its Stream form. */
  readonly handle: boolean
  readonly chains: Chains
  readonly faults: FaultPlan.FaultPlan
  /** What is done with the handle, in place of all of it. */
  readonly script?: ReadonlyArray<Step>
  /** Milliseconds that each step waits. */
  readonly patience?: number
  /** How many responses the Stream form takes. */
  readonly takes?: number
  /** Whether its requests come one by one. */
  readonly paced?: boolean
  /** Of the whole call, of a receive, of a send. */
  readonly timeout?: number
  readonly recvTimeout?: number
  readonly sendTimeout?: number
}

// --- the handlers -----------------------------------------------------------------------------------------------------------

export const handlersOf = ({ messages, outcomes }: Script, calls: Calls): TestHandlers => {
  const begun = (info: RpcInfo.ServerInfo): { readonly told: Told; readonly outcome: Effect.Effect<void, never> } => {
    const told = calls.of(info)
    const attempt = Number(info.metadata.get(attemptKey) ?? calls.all.indexOf(told))
    const outcome = outcomes[(attempt + told.runs++) % outcomes.length]!
    told.log.push("handler")
    const ends: Record<Outcome, Effect.Effect<void, unknown>> = {
      ok: Effect.void,
      fail: Effect.fail(errorOf("handler")),
      biz: Effect.fail(biz),
      busy: info.mode === "unary" ? Effect.fail(new Busy({ retryAfter: 7 })) : Effect.void,
      die: Effect.die(new Error("handler")),
      late: Effect.sleep(30),
      never: Effect.never
    }
    return { told, outcome: ends[outcome] as Effect.Effect<void, never> }
  }
  const single = (info: RpcInfo.ServerInfo, message: string) => {
    const { outcome, told } = begun(info)
    told.received.push(message)
    return Effect.as(outcome, new Response({ message }))
  }
  const infoOf = (call: unknown) => (call as { readonly info: RpcInfo.ServerInfo }).info
  return {
    Echo: (requests, call) => {
      const { outcome, told } = begun(infoOf(call))
      const echoed = Stream.map(requests, ({ message }) => {
        told.received.push(message!)
        return new Response({ message })
      })
      return Stream.concat(echoed, Stream.drain(Stream.fromEffect(outcome)))
    },
    EchoClient: (requests, call) => {
      const { outcome, told } = begun(infoOf(call))
      return Effect.map(
        Effect.andThen(
          Stream.runForEach(requests, ({ message }) => Effect.sync(() => void told.received.push(message!))),
          outcome
        ),
        () => new Response({ message: told.received.join() })
      )
    },
    EchoServer: ({ message }, call) => {
      const { outcome, told } = begun(infoOf(call))
      told.received.push(message!)
      const all = Array.from({ length: messages }, (_, at) => new Response({ message: `${message}.${at}` }))
      return Stream.concat(Stream.fromIterable(all), Stream.drain(Stream.fromEffect(outcome)))
    },
    EchoUnary: ({ message }, call) => single(infoOf(call), message!),
    EchoPingPong: ({ req }, call) => single(infoOf(call), req.message!),
    Ping: () => Effect.void,
    Log: ({ line }, call) => Effect.asVoid(single(infoOf(call), line))
  } as TestHandlers
}

// --- the caller -------------------------------------------------------------------------------------------------------------

/** What the caller got: texts, and then the end. */
export interface Got {
  readonly texts: Array<string | undefined>
}

export const requestsOf = ({ messages }: Script) =>
  Array.from({ length: messages }, (_, at) => new Request({ message: `m${at}` }))

export const one = new Request({ message: "m" })

/** A caller that does all of it, and lets go of sends that fail: the end of the stream tells why. */
export const callerOf = (client: Clients, plan: ChainedCall, got: Got): Effect.Effect<unknown, unknown> => {
  const take = (message: Response | undefined): void => void got.texts.push(message?.message)
  const drained = (recv: Effect.Effect<Response, unknown>): Effect.Effect<void, unknown> =>
    Effect.catch(Effect.forever(Effect.map(recv, take)), (error) =>
      Cause.isDone(error) ? Effect.void : Effect.fail(error)
    )
  const sent = (send: (message: Request) => Effect.Effect<void, unknown>) =>
    Effect.forEach(requestsOf(plan), (message) => Effect.ignore(send(message)), { discard: true })
  const { recvTimeout, script, sendTimeout, takes = Infinity, timeout } = plan
  const options = { recvTimeout, sendTimeout, ...(timeout !== undefined && { timeout }) }
  const rpcTimeout = timeout === undefined ? {} : { rpcTimeout: timeout }
  const all = Stream.fromIterable(requestsOf(plan))
  const requests = plan.paced === true ? Stream.mapEffect(all, (request) => Effect.as(Effect.sleep(3), request)) : all
  if (plan.handle && script !== undefined) {
    const steps = script.map(actionOf)
    const scripted = (stream: StreamScript.Handle<Request, Response>) =>
      Effect.map(StreamScript.run(stream, steps, { wait: plan.patience ?? 1000 }), (outcomes) => {
        for (const each of outcomes) if (each._tag === "Received") take(each.message)
      })
    if (plan.mode === "bidirectional") return Effect.scoped(Effect.flatMap(client.Echo.open(options), scripted))
    if (plan.mode === "client") return Effect.scoped(Effect.flatMap(client.EchoClient.open(options), scripted))
    if (plan.mode === "server") return Effect.scoped(Effect.flatMap(client.EchoServer.open(one, options), scripted))
  }
  const each = (responses: Stream.Stream<Response, unknown>) =>
    Stream.runForEach(takes === Infinity ? responses : Stream.take(responses, takes), (response) =>
      Effect.sync(() => take(response))
    )
  switch (plan.mode) {
    case "bidirectional":
      return plan.handle
        ? Effect.scoped(
            Effect.flatMap(client.Echo.open(options), (stream) =>
              Effect.andThen(Effect.andThen(sent(stream.send), stream.closeSend), drained(stream.recv))
            )
          )
        : each(client.Echo(requests, options))
    case "client":
      return Effect.map(
        plan.handle
          ? Effect.scoped(
              Effect.flatMap(client.EchoClient.open(options), (stream) =>
                Effect.andThen(sent(stream.send), stream.closeAndRecv)
              )
            )
          : client.EchoClient(requests, options),
        take
      )
    case "server":
      return plan.handle
        ? Effect.scoped(Effect.flatMap(client.EchoServer.open(one, options), (stream) => drained(stream.recv)))
        : each(client.EchoServer(one, options))
    case "unary":
      return Effect.map(client.EchoUnary(one, options), take)
    case "pingPong":
      return Effect.map(client.EchoPingPong({ req: one }, rpcTimeout), take)
    case "oneway":
      return client.Log({ line: "m" }, rpcTimeout)
  }
}

/** How the call came to its end, in the words of the model. */
export const endOf = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "ok"
  const reason = exit.cause.reasons[0]!
  if (Cause.isDieReason(reason)) return `died ${(reason.defect as Error).message}`
  if (Cause.isInterruptReason(reason)) return "interrupted"
  const { error } = reason
  if (error instanceof Busy) return "busy"
  if (error instanceof BizStatusError.BizStatusError) return `biz ${error.statusMessage}`
  if (!(error instanceof RpcError.RpcError)) return String(error)
  const text = error.desc.replace(/TestService\.\w+: a middleware ran next a second time.*/, "runs once")
  return `${error.code} ${text}`
}

export const expectedEnd = (result: Result<unknown>): string => {
  if (result._tag === "ok") return result.value === "busy" ? "busy" : "ok"
  if (result._tag === "died") return `died ${result.text}`
  return result.biz ? `biz ${result.text}` : `${result.code} ${result.text}`
}

// --- everything together -------------------------------------------------------------------------------------------------------

export const setUp = Effect.fnUntraced(function* (
  plan: ChainedCall,
  more: { readonly troubles?: boolean; readonly sendBufferLimit?: number } = {}
) {
  const calls = { client: new Calls(), server: new Calls() }
  const around = clientOptions(plan.chains, calls.client, more.troubles)
  const limits = more.sendBufferLimit === undefined ? {} : { sendBufferLimit: more.sendBufferLimit }
  const client = yield* Testing.client(serviceOf(plan.chains), handlersOf(plan, calls.server), {
    faults: plan.faults,
    client: around,
    pingPong: around,
    server: { ...serverOptions(plan.chains, calls.server, more.troubles), graceTime: 0 },
    transport: { client: { ...limits, settingsTimeout: "1 second" }, server: limits }
  }).pipe(
    Effect.provide(usesOf(plan.chains, calls.server)),
    Effect.provide(tracersOf(calls.client, calls.server)),
    Effect.provide(Logger.layer([]))
  )
  return { client: client as Clients, calls }
})

/** The number of the attempt that reached the server, where it says one. */
export const attemptOf = ({ info }: Told): number => Number((info as RpcInfo.ServerInfo).metadata.get(attemptKey))

// --- sizes -------------------------------------------------------------------------------------------------------------------

/** Messages and their bytes on the wire. */
export interface Moved {
  readonly sendCount: number
  readonly sendBytes: number
  readonly recvCount: number
  readonly recvBytes: number
}

export const movedOf = ({ recvBytes, recvCount, sendBytes, sendCount }: Moved): Moved => ({
  sendCount,
  sendBytes,
  recvCount,
  recvBytes
})

export const sum = (texts: ReadonlyArray<string>, size: (text: string) => number) => ({
  count: texts.length,
  bytes: texts.reduce((all, text) => all + size(text), 0)
})

export const moved = (sent: ReturnType<typeof sum>, received: ReturnType<typeof sum>): Moved => ({
  sendCount: sent.count,
  sendBytes: sent.bytes,
  recvCount: received.count,
  recvBytes: received.bytes
})

export const nothing: Moved = { sendCount: 0, sendBytes: 0, recvCount: 0, recvBytes: 0 }
