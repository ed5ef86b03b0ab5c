import { Effect, Layer, Schema } from "effect"
import {
  BizStatusError,
  type ClientStream,
  MetaHandler,
  Metadata,
  Middleware,
  RpcError,
  type RpcInfo
} from "../../src/index.ts"
import { type Calls, howOf, type Told } from "./callLog.ts"
import { type Request, Response, TestService } from "./echo.ts"
import { nobodysHandle } from "./nobodysHandle.ts"

type CallError = ClientStream.CallError

// --- as data -------------------------------------------------------------------------------------------------------------

/** What a middleware around a call does with `next`; most of a list only looks on, so that the rest is reached. */
export const Doing = Schema.Literals([
  ...Array.from({ length: 20 }, () => "pass" as const),
  ...(["slow", "slow", "slow", "decorate", "decorate"] as const),
  ...(["again", "retry", "first", "forgive", "replace", "behind", "before", "skip", "die"] as const)
])
export type Doing = (typeof Doing)["Type"]

/** Around the way to a stream: nothing could stand in its place. */
const Connecting = Schema.Literals([
  ...([
    "pass",
    "pass",
    "pass",
    "slow",
    "again",
    "again",
    "retry",
    "first",
    "replace",
    "behind",
    "before",
    "die"
  ] as const)
])

/** One entry of the list of a client or a server. */
export const Item = Schema.Struct({
  kind: Schema.Literals(["call", "recv", "send"]),
  doing: Doing,
  form: Schema.Literals(["plain", "batch", "single"]),
  slow: Schema.Boolean,
  /** What it does to the second message of a stream, where troubles are wanted. */
  trouble: Schema.Literals(["none", "none", "none", "refuse", "die"]),
  /** Comes out of a builder. */
  built: Schema.Boolean
})
export type Item = (typeof Item)["Type"]

const few = <S extends Schema.Top>(schema: S, max: number) => Schema.Array(schema).check(Schema.isMaxLength(max))

/** Everything that stands around the calls of a client and a server. */
export const Chains = Schema.Struct({
  client: few(Item, 6),
  instance: few(Doing, 2),
  connect: few(Connecting, 2),
  clientErrors: Schema.Boolean,
  server: few(Item, 6),
  read: few(Doing, 2),
  uses: few(Doing, 2),
  serverErrors: Schema.Boolean,
  requestInInfo: Schema.Boolean
})
export type Chains = (typeof Chains)["Type"]

const outcomes = ["ok", "ok", "ok", "fail", "biz", "busy", "die"] as const
export const Outcome = Schema.Literals(outcomes)
/** With handlers that take their time. */
export const SlowOutcome = Schema.Literals([...outcomes, "late", "never"])
export type Outcome = (typeof SlowOutcome)["Type"]

// --- as middleware ---------------------------------------------------------------------------------------------------------

export const errorOf = (desc: string, code = 5) =>
  new RpcError.RpcError({ reason: new RpcError.Status({}), code, desc })
export const biz = new BizStatusError.BizStatusError({ statusCode: 7, statusMessage: "no" })

const around = <A, R>(
  doing: Doing,
  name: string,
  told: Told,
  given: Effect.Effect<A, CallError, R>,
  instead: () => A
): Effect.Effect<A, CallError, R> => {
  const { failedFirst, log } = told
  const next = Effect.suspend(() => (log.push(`.${name}`), given))
  const act = (): Effect.Effect<A, CallError, R> => {
    switch (doing) {
      case "pass":
        return next
      case "slow":
        return Effect.delay(next, 1)
      case "decorate":
        return Effect.map(next, (made) =>
          typeof made === "object" && made !== null && "cancel" in made ? { ...made } : made
        )
      case "skip":
        return Effect.sync(instead)
      case "before":
        return Effect.fail(errorOf(name))
      case "behind":
        return Effect.andThen(next, Effect.fail(errorOf(name)))
      case "forgive":
        return Effect.catch(next, () => Effect.sync(instead))
      case "replace":
        return Effect.mapError(next, () => errorOf(name))
      case "again":
        return Effect.andThen(next, next)
      case "retry":
        return Effect.catch(next, () => next)
      case "first":
        if (failedFirst.has(name)) return next
        failedFirst.add(name)
        return Effect.fail(errorOf(name))
      case "die":
        return Effect.die(new Error(name))
    }
  }
  return Effect.suspend(() => {
    log.push(`>${name}`)
    return Effect.onExit(act(), (exit) => Effect.sync(() => void log.push(`<${name} ${howOf(exit)}`)))
  })
}

const canned = new Response({ message: "canned" })

/** In place of a stream, or of the answer of a call. */
const madeUp = (mode: RpcInfo.Mode): unknown => {
  if (mode === "unary" || mode === "pingPong") return { success: canned }
  if (mode === "oneway") return {}
  return nobodysHandle(canned)
}

/** Marks the messages of a stream, and counts them; with troubles it refuses the second, or dies of it. */
const marking = (item: Item, name: string, told: Told, troubles: boolean) => {
  let count = 0
  return <A>(message: A): A | CallError => {
    const of = message as Request
    const text = of.message ?? ""
    told.seen.set(`${name} ${text}`, (told.seen.get(`${name} ${text}`) ?? 0) + 1)
    if (troubles && ++count === 2) {
      if (item.trouble === "refuse") return errorOf(`${name} refuses`)
      if (item.trouble === "die") throw new Error(`${name} dies`)
    }
    return new (of.constructor as typeof Request)({ message: `${text}+${name}` }) as A
  }
}

const orFail = <A>(result: A | CallError): Effect.Effect<A, CallError> =>
  result instanceof RpcError.RpcError ? Effect.fail(result) : Effect.succeed(result as A)

const onMessages = (
  item: Item,
  name: string,
  calls: Calls,
  troubles: boolean
): Middleware.RecvMiddleware | Middleware.SendMiddleware => {
  const { form, kind, slow } = item
  let pauses = 0
  const pause = slow ? Effect.suspend(() => Effect.sleep(pauses++ % 3)) : Effect.void
  const markOf = ({ info }: Middleware.StreamContext) => marking(item, name, calls.of(info), troubles)
  if (kind === "recv") {
    if (form === "plain") return Middleware.recvPlain(markOf)
    if (form === "single") {
      return Middleware.recv((next, stream) => {
        const mark = markOf(stream)
        return Effect.flatMap(
          Effect.tap(next, () => pause),
          (message) => orFail(mark(message))
        )
      })
    }
    return Middleware.recvBatch((next, stream) => {
      const mark = markOf(stream)
      return Effect.flatMap(
        Effect.tap(next, () => pause),
        (batch) => Effect.forEach(batch, (each) => orFail(mark(each))) as Effect.Effect<typeof batch, CallError>
      )
    })
  }
  if (form === "plain") return Middleware.sendPlain(markOf)
  if (form === "single") {
    return Middleware.send((next, stream) => {
      const mark = markOf(stream)
      return (message) =>
        Effect.andThen(
          pause,
          Effect.suspend(() => Effect.flatMap(orFail(mark(message)), next))
        )
    })
  }
  return Middleware.sendBatch((next, stream) => {
    const mark = markOf(stream)
    return (batch) =>
      Effect.andThen(
        pause,
        Effect.suspend(() =>
          Effect.flatMap(
            Effect.forEach(batch, (each) => orFail(mark(each))),
            next
          )
        )
      )
  })
}

const built = <M>({ built }: Item, middleware: M): M =>
  built ? (Middleware.builder(() => [middleware as never]) as M) : middleware

const handled = ({ code, desc }: RpcError.RpcError): CallError => errorOf(`handled: ${desc}`, code)

export class First extends Middleware.Service<First>()("test/First") {}
export class Second extends Middleware.Service<Second>()("test/Second") {}

/** The header in which an attempt to open a stream says its number. */
export const attemptKey = "x-attempt"

/** What stands around the calls of a client. */
export const clientOptions = (chains: Chains, calls: Calls, troubles = false) => {
  const wrapping = (doing: Doing, name: string) =>
    Middleware.client((next, info) => around(doing, name, calls.of(info), next, () => madeUp(info.mode) as never))
  let attempts = 0
  return {
    middleware: chains.client.map((item, at): Middleware.ForClient =>
      built(item, item.kind === "call" ? wrapping(item.doing, `c${at}`) : onMessages(item, `c${at}`, calls, troubles))
    ),
    instanceMiddleware: chains.instance.map((doing, at) => wrapping(doing, `i${at}`)),
    metaHandlers: [
      ...chains.connect.map((doing, at) =>
        MetaHandler.make({
          onConnectStream: (next, info) => around(doing, `k${at}`, calls.of(info), next, () => assertNever()),
          writeMeta: (_, info) => void calls.of(info).hooks.push(`write k${at}`),
          readMeta: (_, info) => void calls.of(info).hooks.push(`read k${at}`)
        })
      ),
      MetaHandler.make({ onConnectStream: (next) => Metadata.append(next, { [attemptKey]: `${attempts++}` }) })
    ],
    errorHandler: chains.clientErrors ? handled : undefined,
    requestInInfo: chains.requestInInfo
  }
}

const assertNever = (): never => {
  throw new Error("nothing stands in the place of a stream")
}

/** What stands around the calls of a server. */
export const serverOptions = (chains: Chains, calls: Calls, troubles = false) => ({
  middleware: chains.server.map((item, at): Middleware.ForServer =>
    built(
      item,
      item.kind === "call"
        ? Middleware.server((next, info) => around(item.doing, `s${at}`, calls.of(info), next, () => undefined))
        : onMessages(item, `s${at}`, calls, troubles)
    )
  ),
  metaHandlers: chains.read.map((doing, at) =>
    MetaHandler.make({
      onReadStream: (next, info) => around(doing, `r${at}`, calls.of(info), next, () => undefined),
      writeMeta: (_, info) => void calls.of(info).hooks.push(`write r${at}`),
      readMeta: (_, info) => void calls.of(info).hooks.push(`read r${at}`)
    })
  ),
  errorHandler: chains.serverErrors ? handled : undefined,
  requestInInfo: chains.requestInInfo
})

/** The service with the middleware that it uses, and the Layers of that. */
export const serviceOf = ({ uses }: Chains): typeof TestService =>
  [First, Second].slice(0, uses.length).reduce((service: any, each) => service.use(each), TestService)

export const usesOf = ({ uses }: Chains, calls: Calls): Layer.Layer<First | Second> => {
  const provider =
    (at: number): Middleware.Provider<never> =>
    (next, info) =>
      around(uses[at] ?? "pass", `u${at}`, calls.of(info), next, () => undefined)
  return Layer.merge(Layer.succeed(First, provider(0)), Layer.succeed(Second, provider(1)))
}
