import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Schema } from "effect"
import type { NonEmptyArray } from "effect/Array"
import { TestClock } from "effect/testing"
import { Middleware, RpcError } from "../../src/index.ts"
import { TestService } from "../support/echo.ts"
import { decode, encode, fakeEnd } from "../support/fakeEnd.ts"

const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** One middleware: it marks messages, refuses or drops some of them, and takes its time. */
const Part = Schema.Struct({
  form: Schema.Literals(["plain", "batch", "single"]),
  /** Of the messages whose number gives this remainder. */
  refuses: Schema.optionalKey(int(0, 9)),
  drops: Schema.optionalKey(int(0, 9)),
  sleeps: Schema.Boolean
})
type Part = (typeof Part)["Type"]
const Parts = Schema.Array(Part).check(Schema.isMaxLength(5))

const numberOf = (message: unknown) => Number.parseInt(message as string, 10)
const hits = (remainder: number | undefined, message: unknown) =>
  remainder !== undefined && numberOf(message) % 10 === remainder
const refusal = (index: number, message: unknown) =>
  new RpcError.RpcError({
    reason: new RpcError.Status(),
    code: 9,
    desc: `${index} refuses ${numberOf(message)}`,
    method: "test"
  })
/** Only a middleware for one message can drop it. */
const drops = (part: Part, message: unknown) => part.form === "single" && hits(part.drops, message)
const refuses = (part: Part, message: unknown) => part.form !== "batch" && hits(part.refuses, message)

const recvOf = (part: Part, index: number): Middleware.RecvMiddleware => {
  const pause = part.sleeps ? Effect.sleep(1) : Effect.void
  const mark = <A>(message: A): A => `${message}<${index}` as A
  switch (part.form) {
    case "plain":
      return Middleware.recvPlain(() => (message) => (refuses(part, message) ? refusal(index, message) : mark(message)))
    case "batch":
      return Middleware.recvBatch((next) =>
        Effect.map(
          Effect.tap(next, () => pause),
          (messages) => messages.map(mark) as typeof messages
        )
      )
    case "single":
      return Middleware.recv((next) => {
        const one: typeof next = Effect.flatMap(
          Effect.tap(next, () => pause),
          (message) => {
            if (drops(part, message)) return one
            return refuses(part, message) ? Effect.fail(refusal(index, message)) : Effect.succeed(mark(message))
          }
        )
        return one
      })
  }
}

/** What becomes of a message that comes in: innermost first. */
const received = (parts: ReadonlyArray<Part>, message: string): string | undefined => {
  let result = message
  for (let i = parts.length - 1; i >= 0; i--) {
    if (drops(parts[i]!, result)) return undefined
    if (refuses(parts[i]!, result)) return `${i} refuses ${numberOf(result)}`
    result = `${result}<${i}`
  }
  return result
}

const errorOf = (cause: Cause.Cause<unknown>): string => {
  const reason = cause.reasons[0]!
  if (Cause.isFailReason(reason)) return (reason.error as RpcError.RpcError).desc
  throw new Error(Cause.pretty(cause))
}

describe("receiving", () => {
  it.effect.prop(
    "whatever the list, the batches and the interruptions: all messages, each once, in order, as the list makes them",
    [
      Parts,
      Schema.Array(
        Schema.Struct({
          arrive: int(0, 4),
          operation: Schema.Literals(["recv", "recvAll"]),
          /** Longer than that it is not waited for. */
          patience: int(0, 4)
        })
      ).check(Schema.isMaxLength(20))
    ],
    ([parts, script]) =>
      Effect.gen(function* () {
        const { end, raw } = yield* fakeEnd(parts.map(recvOf))
        const got: Array<string> = []
        let count = 0
        const add = (exit: Exit.Exit<string | NonEmptyArray<string>, unknown>): void => {
          if (Exit.isSuccess(exit)) got.push(...(typeof exit.value === "string" ? [exit.value] : exit.value))
          else if (!Cause.hasInterruptsOnly(exit.cause)) got.push(errorOf(exit.cause))
        }
        const run = (operation: "recv" | "recvAll") =>
          Effect.forkChild(
            Effect.suspend(
              () => end[operation]() as Effect.Effect<string | NonEmptyArray<string>, RpcError.RpcError | Cause.Done>
            ),
            { startImmediately: true }
          )
        for (const { arrive, operation, patience } of script) {
          raw.arrive(...Array.from({ length: arrive }, () => `${count++}`))
          const fiber = yield* run(operation)
          for (let i = 0; i < patience && fiber.pollUnsafe() === undefined; i++) yield* TestClock.adjust(1)
          if (fiber.pollUnsafe() === undefined) yield* Fiber.interrupt(fiber)
          add(yield* Fiber.await(fiber))
        }
        raw.finish()
        for (let done = false; !done;) {
          const fiber = yield* run("recv")
          while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust(1)
          const exit = yield* Fiber.await(fiber)
          done = Exit.isFailure(exit) && Cause.isDone(Cause.squash(exit.cause))
          if (!done) add(exit)
        }
        const all = Array.from({ length: count }, (_, i) => received(parts, `${i}`))
        assert.deepStrictEqual(
          got,
          all.filter((each) => each !== undefined)
        )
        assert.strictEqual(end.recvCount, count)
      }),
    { arbitrary: { runs: 300 } }
  )

  it.effect("each next runs as often as its middleware says, and a batch is whole where nobody wants one message", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const batch = (name: string) =>
        Middleware.recvBatch((next) =>
          Effect.tap(next, (messages) => Effect.sync(() => seen.push(`${name} ${messages.length}`)))
        )
      const single = (name: string) =>
        Middleware.recv((next) => Effect.tap(next, () => Effect.sync(() => seen.push(name))))
      const twice = Middleware.recv((next) => Effect.andThen(next, next))
      const plain = Middleware.recvPlain(() => (message) => message)

      const whole = yield* fakeEnd([batch("outer"), plain, batch("inner"), plain])
      whole.raw.arrive("1", "2", "3")
      assert.deepStrictEqual(yield* whole.end.recvAll(), ["1", "2", "3"])
      assert.deepStrictEqual(seen.splice(0), ["inner 3", "outer 3"])
      whole.raw.arrive("4", "5")
      assert.strictEqual(yield* whole.end.recv(), "4")
      assert.deepStrictEqual(seen.splice(0), ["inner 1", "outer 1"])
      assert.strictEqual(whole.raw.available, 1)

      const one = yield* fakeEnd([batch("outer"), single("single"), batch("inner")])
      one.raw.arrive("1", "2")
      assert.deepStrictEqual(yield* one.end.recvAll(), ["1"])
      assert.deepStrictEqual(seen.splice(0), ["inner 1", "single", "outer 1"])
      assert.strictEqual(one.raw.available, 1)

      const skipping = yield* fakeEnd([single("outer"), twice, single("inner")])
      skipping.raw.arrive("1", "2", "3", "4")
      assert.strictEqual(yield* skipping.end.recv(), "2")
      assert.strictEqual(yield* skipping.end.recv(), "4")
      assert.deepStrictEqual(seen, ["inner", "inner", "outer", "inner", "inner", "outer"])
    })
  )

  it.effect("a batch that grows is given one at a time where one is asked for, before what comes behind it", () =>
    Effect.gen(function* () {
      const doubled = Middleware.recvBatch((next) =>
        Effect.map(next, (messages) => messages.flatMap((message) => [message, message]) as typeof messages)
      )
      const slow = Middleware.recv((next) => Effect.tap(next, () => Effect.sleep(1)))
      const doubledInPlace = Middleware.recvBatch((next) =>
        Effect.tap(next, (messages) => Effect.sync(() => messages.splice(0, 1, messages[0], messages[0])))
      )
      for (const list of [[doubled], [slow, doubled], [doubled, slow], [doubledInPlace], [slow, doubledInPlace]]) {
        const { end, raw } = yield* fakeEnd(list)
        raw.arrive("1", "2")
        const got: Array<unknown> = []
        for (let i = 0; i < 4; i++) {
          // Interrupted in the middle, it is asked again.
          const first = yield* Effect.forkChild(
            Effect.suspend(() => end.recv()),
            { startImmediately: true }
          )
          yield* Fiber.interrupt(first)
          const exit = yield* Fiber.await(first)
          if (Exit.isSuccess(exit)) {
            got.push(exit.value)
            continue
          }
          const second = yield* Effect.forkChild(Effect.suspend(() => end.recv()))
          yield* TestClock.adjust(1)
          got.push(yield* Fiber.join(second))
        }
        assert.deepStrictEqual(got, ["1", "1", "2", "2"])
      }
    })
  )
})

const sendOf = (part: Part, index: number): Middleware.SendMiddleware => {
  const pause = part.sleeps ? Effect.yieldNow : Effect.void
  const mark = <A>(message: A): A => `${message}>${index}` as A
  switch (part.form) {
    case "plain":
      return Middleware.sendPlain(() => (message) => (refuses(part, message) ? refusal(index, message) : mark(message)))
    case "batch":
      return Middleware.sendBatch((next) => (messages) => Effect.andThen(pause, next(messages.map(mark))))
    case "single":
      return Middleware.send((next) => (message) => {
        if (refuses(part, message)) return Effect.fail(refusal(index, message))
        return drops(part, message) ? Effect.void : Effect.andThen(pause, next(mark(message)))
      })
  }
}

describe("sending", () => {
  it.effect.prop(
    "whatever the list, the batches and the room: all messages, each once, in order, up to the one that is refused",
    [Parts, Schema.Array(int(0, 5)).check(Schema.isMaxLength(10)), int(1, 3)],
    ([parts, batches, room]) =>
      Effect.gen(function* () {
        const { end, raw } = yield* fakeEnd([], parts.map(sendOf))
        raw.room = room
        const written: Array<string> = []
        let count = 0
        for (const size of batches) {
          const messages = Array.from({ length: size }, () => `${count++}`)
          const fiber = yield* Effect.forkChild(size === 1 ? end.send(messages[0]) : end.sendAll(messages))
          while (fiber.pollUnsafe() === undefined) {
            yield* Effect.yieldNow
            raw.listener!.onWritable()
          }
          const exit = yield* Fiber.await(fiber)
          let refused: string | undefined
          for (const message of messages) {
            let result: string | undefined = message
            for (let i = 0; i < parts.length && result !== undefined; i++) {
              if (refuses(parts[i]!, result)) {
                refused = `${i} refuses ${numberOf(result)}`
                result = undefined
              } else result = drops(parts[i]!, result) ? undefined : `${result}>${i}`
            }
            if (refused !== undefined) break
            if (result !== undefined) written.push(result)
          }
          assert.strictEqual(Exit.isSuccess(exit) ? undefined : errorOf(exit.cause), refused)
        }
        assert.deepStrictEqual(raw.written, written)
        assert.strictEqual(end.sendCount, written.length)
      }),
    { arbitrary: { runs: 300 } }
  )
})

describe("without middleware", () => {
  it.effect("the codecs of the method are what runs, and receiving and sending are what they were", () =>
    Effect.gen(function* () {
      const { end, raw } = yield* fakeEnd([])
      raw.arrive("1", "2")
      yield* end.recv()
      yield* end.recvAll()
      yield* end.send("1")
      yield* end.sendAll(["2"])
      assert.deepStrictEqual([...raw.decoders, ...raw.encoders], [decode, encode])
      // A middleware for another method is as good as none.
      const only = { service: TestService, method: TestService.methods[1], side: undefined }
      const other = yield* fakeEnd(
        [
          { ...Middleware.recvPlain(() => (message) => message), only },
          { ...Middleware.recv((next) => next), only }
        ],
        [{ ...Middleware.send((next) => next), only }]
      )
      other.raw.arrive("1")
      yield* other.end.recv()
      yield* other.end.send("1")
      assert.deepStrictEqual([...other.raw.decoders, ...other.raw.encoders], [decode, encode])
    })
  )
})
