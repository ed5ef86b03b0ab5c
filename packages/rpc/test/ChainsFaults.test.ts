import { assert, it } from "@effect/vitest"
import type { RawStream } from "@millrace/transport"
import { Cause, Effect, Exit, Fiber, Metric, Schema, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Deadline } from "../src/index.ts"
import { Dispatcher } from "../src/internal/dispatcher.ts"
import { StreamOpener } from "../src/internal/streamOpener.ts"
import { FaultPlan } from "../src/testing/index.ts"
import {
  attemptOf,
  callerOf,
  type ChainedCall,
  type Got,
  nothing,
  movedOf,
  type Moved,
  setUp
} from "./support/chainedCalls.ts"
import { type Told, tracers } from "./support/callLog.ts"
import { attemptKey, Chains, type Doing, SlowOutcome } from "./support/chains.ts"
import { isCall, marksOf, orderOf } from "./support/chainsModel.ts"
import { settle } from "./support/client.ts"
import { spies } from "./support/spies.ts"

const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const Script = Schema.Array(
  Schema.Literals([
    ...(["send", "send", "send", "send", "recv", "recv", "recv", "recv", "recv"] as const),
    ...(["sleep", "sleep", "close", "cancel", "finish"] as const)
  ])
)

/** The last is longer than anything waits: its timer has to be taken back. */
const millis = Schema.Literals([1, 5, 20, 60, 150, 36_000_000])

const Plan = Schema.Struct({
  mode: Schema.Literals(["bidirectional", "client", "server", "unary", "pingPong", "oneway"]),
  handle: Schema.Boolean,
  chains: Chains,
  outcomes: Schema.Array(SlowOutcome).check(Schema.isMinLength(1), Schema.isMaxLength(3)),
  messages: int(0, 6),
  faults: FaultPlan.FaultPlan,
  interruptAt: Schema.optionalKey(int(0, 120)),
  deadline: Schema.optionalKey(millis),
  sendBufferLimit: int(1, 200),
  script: Schema.optionalKey(Script),
  patience: Schema.Literals([1, 2, 2, 1000]),
  takes: Schema.optionalKey(int(1, 3)),
  paced: Schema.Boolean,
  timeout: Schema.optionalKey(millis),
  recvTimeout: Schema.optionalKey(millis),
  sendTimeout: Schema.optionalKey(millis),
  /** How many do it at once. */
  callers: int(1, 2)
})
type Plan = (typeof Plan)["Type"]

// --- what is watched ---------------------------------------------------------------------------------------------------------

/** What the codecs of a raw stream have written and read, message by message. */
class Wire implements Moved {
  sendCount = 0
  sendBytes = 0
  recvCount = 0
  recvBytes = 0

  constructor(raw: RawStream.RawStream) {
    const write = raw.write.bind(raw)
    const take = raw.take.bind(raw)
    raw.write = (messages, from, encode, endStream) =>
      write(
        messages,
        from,
        (message, out) => {
          const start = out.position
          encode(message, out)
          this.sendCount++
          this.sendBytes += out.position - start
        },
        endStream
      )
    raw.take = (decode, max, into) => {
      const counting = (bytes: Uint8Array, start: number, end: number) => {
        this.recvCount++
        this.recvBytes += end - start
        return decode(bytes, start, end)
      }
      take(Object.defineProperty(counting, "keepsBytes", { value: decode.keepsBytes }), max, into)
    }
  }
}

const wires = { client: new Array<Wire>(), server: new Map<number, Wire>() }
const onStream = Dispatcher.prototype.onStream
Dispatcher.prototype.onStream = function (raw) {
  wires.server.set(Number(raw.metadata.get(attemptKey)), new Wire(raw))
  return onStream.call(this, raw)
}
const openAt = StreamOpener.prototype.openAt
StreamOpener.prototype.openAt = function (...args) {
  const start = args[6]
  args[6] = (raw, ...rest) => {
    wires.client.push(new Wire(raw))
    return start(raw, ...rest)
  }
  return openAt.apply(this, args) as never
}

// --- what holds whatever happens -----------------------------------------------------------------------------------------------

const most = (doing: Doing): number => {
  if (doing === "skip" || doing === "before" || doing === "die") return 0
  return doing === "again" || doing === "retry" ? 2 : 1
}

/** Each middleware runs inside of `next` of the one before it, ends, and runs its own as often as it may. */
const checkOrder = (list: ReadonlyArray<{ readonly name: string; readonly doing: Doing }>, { log }: Told): void => {
  const within: Array<{ readonly name: string; runs: number; inside: boolean }> = []
  for (const line of log) {
    const name = line.slice(1).split(" ")[0]!
    const at = list.findIndex((each) => each.name === name)
    const top = within.at(-1)
    if (line.startsWith(">")) {
      assert.strictEqual(within.length, at, line)
      if (top !== undefined) assert.isTrue(top.inside, `${line} outside of next`)
      within.push({ name, runs: 0, inside: false })
    } else if (line.startsWith(".")) {
      assert.strictEqual(top?.name, name, line)
      top!.runs++
      top!.inside = true
      assert.isAtMost(top!.runs, most(list[at]!.doing), line)
    } else if (line.startsWith("<")) {
      assert.strictEqual(within.pop()?.name, name, line)
    } else if (line === "handler") assert.strictEqual(within.length, list.length)
    else if (line.startsWith("finish")) {
      // What stands outside of tracers on a server.
      assert.isTrue(
        within.every((each) => each.name.startsWith("r")),
        line
      )
    }
  }
  assert.deepStrictEqual(within, [])
}

/** One start and one finish of each tracer, in order and in reverse; the stream begins and ends between them. */
const checkTracers = ({ hooks, info, log }: Told): void => {
  const told = log.filter((line) => /^(start|finish)/.test(line)).map((line) => line.split(" ").slice(0, 2).join(" "))
  const all = [...tracers.map((name) => `start ${name}`), ...tracers.toReversed().map((name) => `finish ${name}`)]
  // A hook outside of tracers may have refused the call.
  if (info.side === "client" || told.length > 0) assert.deepStrictEqual(told, all)
  const stream = hooks.filter((line) => line.startsWith("stream"))
  if (stream.length > 0) {
    assert.deepStrictEqual(stream, ["streamStart t0", "streamStart t1", "streamFinish t1", "streamFinish t0"])
  }
  const handler = log.filter((line) => line.startsWith("handler"))
  const run = ["handlerStart t0", "handlerStart t1", "handler", "handlerFinish t1", "handlerFinish t0"]
  const runs = handler.filter((line) => line === "handlerStart t0").length
  const expected = Array.from({ length: runs }, () => run).flat()
  // It may end before it has read its request.
  const without = expected.filter((line) => line !== "handler")
  assert.deepStrictEqual(
    handler.filter((line) => line !== "handler"),
    without
  )
}

/** Messages that came through: in order, each once, with the marks of the whole chain. */
const checkMessages = (texts: ReadonlyArray<string>, base: RegExp, marks: string): void => {
  let last = -1
  for (const text of texts) {
    const found = base.exec(text.slice(0, text.length - marks.length))
    assert.isNotNull(found, `${text} is no ${base} with ${marks}`)
    assert.isTrue(text.endsWith(marks), `${text} without ${marks}`)
    const number = Number(found![1])
    assert.isAbove(number, last, text)
    last = number
  }
}

interface Side {
  readonly clients: ReadonlyArray<Told>
  readonly servers: ReadonlyArray<Told>
  readonly got: ReadonlyArray<Got>
}

const check = (plan: Plan, { clients, got, servers }: Side): void => {
  const { chains, mode } = plan
  const order = orderOf(chains)
  const hooked = mode !== "pingPong" && mode !== "oneway"
  for (const each of clients) {
    checkOrder([...order.client.middleware, ...order.client.instance, ...(hooked ? order.client.connect : [])], each)
    checkTracers(each)
    assert.strictEqual(each.finishes.length, 1)
  }
  for (const each of servers) {
    checkOrder([...(isCall(mode) ? [] : order.server.read), ...order.server.middleware], each)
    checkTracers(each)
    assert.isAtMost(each.finishes.length, 1)
  }
  if (mode !== "bidirectional" && mode !== "client" && mode !== "server") return
  const onWire = total(wires.client)
  const finished = total(clients.map(({ finishes }) => finishes[0]!))
  // A send that fails because the stream has ended ends the call, and what is here by then may still be received.
  const late = mode !== "server" && finished.recvCount < onWire.recvCount
  assert.deepStrictEqual(
    finished,
    late ? { ...onWire, recvCount: finished.recvCount, recvBytes: finished.recvBytes } : onWire,
    "finish and wire of the client"
  )
  if (late) assert.isBelow(finished.recvBytes, onWire.recvBytes)
  const told = total(clients.map(({ moved }) => moved))
  assert.deepStrictEqual(told, finished, "events and finish of the client")
  const onWay = marksOf(chains.client, "send", "c") + marksOf(chains.server, "recv", "s")
  const back = marksOf(chains.server, "send", "s") + marksOf(chains.client, "recv", "c")
  for (const each of servers) {
    const wire = wires.server.get(attemptOf(each))!
    for (const ended of each.finishes) {
      assert.deepStrictEqual(movedOf(ended), movedOf(wire), "finish and wire of the server")
      assert.deepStrictEqual(movedOf(each.moved), movedOf(wire), "events and wire of the server")
    }
    checkMessages(each.received, mode === "server" ? /^(?:m)()$/ : /^m(\d+)$/, onWay)
    // A message that is asked for again was not handed out.
    for (const [seen, times] of each.seen) assert.isAtMost(times, 1, seen)
  }
  // Each `recv` that was given up may show one message again.
  const again = plan.handle ? (plan.script?.length ?? 0) : 0
  for (const each of clients) for (const [seen, times] of each.seen) assert.isAtMost(times, 1 + again, seen)
  for (const { texts } of got) {
    const answers = texts.filter((text) => text !== "canned") as Array<string>
    if (mode === "bidirectional") {
      // None was lost on the way back.
      const echoed = servers.map(({ received }) => received.slice(0, answers.length).map((text) => text + back))
      assert.deepInclude([...echoed, []], answers)
    }
    if (mode === "server") {
      assert.deepStrictEqual(
        answers,
        answers.map((_, at) => `m${onWay}.${at}${back}`)
      )
    }
  }
}

const total = (all: ReadonlyArray<Moved>): Moved =>
  all.reduce<Moved>(
    (sum, each) => ({
      sendCount: sum.sendCount + each.sendCount,
      sendBytes: sum.sendBytes + each.sendBytes,
      recvCount: sum.recvCount + each.recvCount,
      recvBytes: sum.recvBytes + each.recvBytes
    }),
    nothing
  )

it.effect.prop(
  "any chains around any call that breaks: order, one start and one finish, sizes of the wire, and nothing is left",
  [Plan],
  ([plan]) =>
    Effect.gen(function* () {
      spies.connections.clear()
      spies.timers.clear()
      wires.client.length = 0
      wires.server.clear()
      const fibers = { count: 0 }
      const scope = yield* Scope.make()
      const run = Effect.gen(function* () {
        const { calls, client } = yield* Scope.provide(
          setUp(plan, { troubles: true, sendBufferLimit: plan.sendBufferLimit }),
          scope
        )
        const got = Array.from({ length: plan.callers }, (): Got => ({ texts: [] }))
        const all = Effect.forEach(got, (each) => Effect.exit(callerOf(client, plan as ChainedCall, each)), {
          concurrency: "unbounded"
        })
        const limited = plan.deadline === undefined ? all : Deadline.within(all, plan.deadline)
        const fiber = yield* Effect.forkChild(limited, { startImmediately: true })
        if (plan.interruptAt !== undefined) {
          yield* settle
          yield* TestClock.adjust(plan.interruptAt)
          yield* Fiber.interrupt(fiber)
        }
        for (let i = 0; i < 60 && fiber.pollUnsafe() === undefined; i++) {
          yield* settle
          yield* TestClock.adjust(50)
        }
        // Nothing else ends a call whose peer has fallen silent.
        yield* Fiber.interrupt(fiber)
        const exit = yield* Fiber.await(fiber)
        for (let i = 0; i < 10; i++) {
          yield* settle
          yield* TestClock.adjust(50)
        }
        yield* TestClock.adjust("10 minutes")
        yield* settle
        assert.strictEqual(calls.client.all.length, plan.callers)
        const whole = plan.faults.toServer.stallAt === undefined
        for (const connection of spies.connections) {
          if (whole || connection.role === "client") assert.strictEqual(connection.active, 0, "active streams")
        }
        for (const timers of spies.timers) if (whole) assert.strictEqual(timers.size, 0, "timers")
        yield* Scope.close(scope, Exit.void)
        yield* settle
        check(plan, { clients: calls.client.all, servers: calls.server.all, got })
        return exit
      }).pipe(
        Effect.provideService(Metric.FiberRuntimeMetrics, {
          recordFiberStart: () => void fibers.count++,
          recordFiberEnd: () => void fibers.count--
        } as Metric.FiberRuntimeMetricsService)
      )
      const exit = yield* run
      for (const one of Exit.isSuccess(exit) ? exit.value : []) {
        if (Exit.isSuccess(one) || !Cause.hasDies(one.cause)) continue
        // Middleware that dies, and nothing else.
        assert.match((Cause.squash(one.cause) as Error).message, /^([cik]\d|c\d dies)$/)
      }
      assert.strictEqual(fibers.count, 0, "fibers")
    }),
  { arbitrary: { runs: 150 }, timeout: 60_000 }
)
