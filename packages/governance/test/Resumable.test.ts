import { assert, describe, it } from "@effect/vitest"
import { Thrift } from "@millrace/codec"
import { Resumable } from "@millrace/governance"
import { Deadline, Method, RpcError, Server, Service } from "@millrace/rpc"
import { MemoryTransport } from "@millrace/transport"
import { Effect, Exit, Fiber, Layer, Order, Schedule, Stream } from "effect"
import { TestClock } from "effect/testing"
import { failureOf, failures, rpcError } from "./support/attempts.ts"
import { seededBelow } from "./support/random.ts"
import { pass } from "./support/passing.ts"
import { StreamClient } from "./support/over.ts"

class Token extends Thrift.Struct<Token>("resume.Token")({ seq: Thrift.optional(1, Thrift.I32) }) {}
class Chat extends Service.make("Chat", {
  package: "resume",
  methods: [Method.serverStreaming("Answer", { request: Token, response: Token })]
}) {}

interface Message {
  readonly seq: number
  readonly text: string
}

const log = (count: number): ReadonlyArray<Message> =>
  Array.from({ length: count }, (_, i) => ({ seq: i + 1, text: `m${i + 1}` }))

const seqs = (messages: Iterable<Message>) => Array.from(messages, ({ seq }) => seq)

/** A server that breaks after so many messages of each opening, and never after the last of these. */
const server = (
  messages: ReadonlyArray<Message>,
  cuts: ReadonlyArray<number>,
  back = 0,
  failure: unknown = failures.lost
) => {
  const opened: Array<number> = []
  const open = (after: number): Stream.Stream<Message, unknown> => {
    const cut = cuts[opened.length]
    opened.push(after)
    const left = messages.filter(({ seq }) => seq > after - back)
    return cut === undefined
      ? Stream.fromIterable(left)
      : Stream.concat(Stream.fromIterable(left.slice(0, cut)), Stream.fail(failure))
  }
  return { open, opened }
}

const options = { initial: 0, cursor: ({ seq }: Message): number | undefined => seq }

const collect = <A, E>(stream: Stream.Stream<A, E>) =>
  Effect.gen(function* () {
    const seen: Array<A> = []
    const run = Stream.runForEach(stream, (message) => Effect.sync(() => seen.push(message)))
    const fiber = yield* Effect.forkChild(Effect.exit(run), { startImmediately: true })
    yield* TestClock.adjust("1 hour")
    return { exit: yield* Fiber.join(fiber), seen }
  })

describe("resumable", () => {
  it.effect("goes on behind the last message, each once", () =>
    Effect.gen(function* () {
      const { open, opened } = server(log(10), [3, 4])
      const { exit, seen } = yield* collect(Resumable.resumable(open, options))
      assert.deepStrictEqual(exit, Exit.void)
      assert.deepStrictEqual(seqs(seen), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
      assert.deepStrictEqual(opened, [0, 3, 7])
    })
  )

  it.effect("keeps its cursor when it breaks again before a message has come", () =>
    Effect.gen(function* () {
      const { open, opened } = server(log(5), [2, 0, 0, 1])
      const { seen } = yield* collect(Resumable.resumable({ ...options, initial: 1 })(open))
      assert.deepStrictEqual(opened, [1, 3, 3, 3, 4])
      assert.deepStrictEqual(seqs(seen), [2, 3, 4, 5])
    })
  )

  it.effect("begins with the cursor that it is given, when it never had a message", () =>
    Effect.gen(function* () {
      const { open, opened } = server(log(5), [0, 0])
      const { seen } = yield* collect(Resumable.resumable(open, { ...options, initial: 3 }))
      assert.deepStrictEqual(opened, [3, 3, 3])
      assert.deepStrictEqual(seqs(seen), [4, 5])
    })
  )

  it.effect("each run of the stream begins anew", () =>
    Effect.gen(function* () {
      const { open, opened } = server(log(3), [2])
      const stream = Resumable.resumable(open, options)
      assert.deepStrictEqual(seqs((yield* collect(stream)).seen), [1, 2, 3])
      assert.deepStrictEqual(seqs((yield* collect(stream)).seen), [1, 2, 3])
      assert.deepStrictEqual(opened, [0, 2, 0])
    })
  )

  it.effect("a message that says nothing of how far it goes leaves the cursor as it is", () =>
    Effect.gen(function* () {
      const { open, opened } = server(log(5), [4])
      const even = ({ seq }: Message) => (seq % 2 === 0 ? undefined : seq)
      yield* collect(Resumable.resumable(open, { ...options, cursor: even }))
      assert.deepStrictEqual(opened, [0, 3])
    })
  )

  it.effect("gives what a server sends twice, unless it is told how cursors are ordered", () =>
    Effect.gen(function* () {
      const twice = yield* collect(Resumable.resumable(server(log(5), [3], 2).open, options))
      assert.deepStrictEqual(seqs(twice.seen), [1, 2, 3, 2, 3, 4, 5])
      const once = yield* collect(
        Resumable.resumable(server(log(5), [3], 2).open, { ...options, dedupe: Order.Number })
      )
      assert.deepStrictEqual(seqs(once.seen), [1, 2, 3, 4, 5])
    })
  )

  it.effect("leaves nothing out of the first opening, nor behind what is new", () =>
    Effect.gen(function* () {
      const messages = [0, 1, 2, 2, 1, 3].map((seq, at) => ({ seq, text: `${at}` }))
      let openings = 0
      const open = () => {
        openings++
        return openings === 1
          ? Stream.concat(Stream.fromIterable(messages.slice(0, 2)), Stream.fail(failures.lost))
          : Stream.fromIterable(messages)
      }
      const { seen } = yield* collect(Resumable.resumable(open, { ...options, dedupe: Order.Number }))
      assert.deepStrictEqual(seqs(seen), [0, 1, 2, 2, 1, 3])
    })
  )

  it.effect("ends with the last failure when the schedule is done, which progress begins anew", () =>
    Effect.gen(function* () {
      const schedule = Schedule.upTo(Schedule.spaced("1 second"), { times: 2 })
      const first = server(log(9), [0, 0, 1, 0, 0, 0, 0])
      const { exit, seen } = yield* collect(Resumable.resumable(first.open, { ...options, schedule }))
      assert.strictEqual(failureOf(exit), failures.lost)
      assert.deepStrictEqual(seqs(seen), [1])
      // Twice before the message, twice behind it.
      assert.deepStrictEqual(first.opened, [0, 0, 0, 1, 1])
    })
  )

  it.effect("waits as the schedule says", () =>
    Effect.gen(function* () {
      const { open, opened } = server(log(2), [1])
      const schedule = Schedule.spaced("1 second")
      yield* Effect.forkChild(Stream.runDrain(Resumable.resumable(open, { ...options, schedule })), {
        startImmediately: true
      })
      yield* TestClock.adjust(999)
      assert.deepStrictEqual(opened, [0])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(opened, [0, 1])
    })
  )

  it.effect("does not open again behind a message that is too large: it comes again", () =>
    Effect.gen(function* () {
      const tooLarge = rpcError(new RpcError.Rejected({ limit: "maxReceiveMessageSize", maybeRan: true }))
      const { open, opened } = server(log(2), [1], 0, tooLarge)
      const { exit } = yield* collect(Resumable.resumable(open, options))
      assert.isTrue(Exit.isFailure(exit))
      assert.deepStrictEqual(opened, [0])
    })
  )

  it.effect("waits as long as a server that refuses asks for, within reason", () =>
    Effect.gen(function* () {
      const refused = (retryAfterMillis: number) =>
        server(log(2), [1], 0, rpcError(new RpcError.Rejected({ limit: "qps", retryAfterMillis })))
      const schedule = Schedule.spaced("1 second")
      const patient = refused(3000)
      yield* Effect.forkChild(Stream.runDrain(Resumable.resumable(patient.open, { ...options, schedule })), {
        startImmediately: true
      })
      yield* TestClock.adjust(2999)
      assert.deepStrictEqual(patient.opened, [0])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(patient.opened, [0, 1])
      const never = refused(10_001)
      const { exit } = yield* collect(Resumable.resumable(never.open, { ...options, schedule }))
      assert.isTrue(Exit.isFailure(exit))
      assert.deepStrictEqual(never.opened, [0])
    })
  )

  it.effect("does not wait for an opening behind the deadline", () =>
    Effect.gen(function* () {
      const refused = () =>
        server(log(2), [1], 0, rpcError(new RpcError.Rejected({ limit: "qps", retryAfterMillis: 3000 })))
      const schedule = Schedule.spaced("1 second")
      for (const [millis, opened] of [
        [3000, [0]],
        [3001, [0, 1]]
      ] as const) {
        const one = refused()
        const run = Stream.runDrain(Resumable.resumable(one.open, { ...options, schedule }))
        const running = yield* Effect.forkChild(Effect.exit(Deadline.within(run, millis)), { startImmediately: true })
        yield* TestClock.adjust(opened.length === 1 ? 0 : 3000)
        assert.isDefined(running.pollUnsafe())
        assert.deepStrictEqual(one.opened, [...opened])
      }
    })
  )

  it.effect("a stream of a real client that stalls goes on where it was", () =>
    Effect.gen(function* () {
      const opened: Array<number> = []
      const live = Server.layer([Chat]).pipe(
        Layer.provide(
          Chat.toLayer({
            Answer: ({ seq = 0 }) => {
              opened.push(seq)
              const left = [1, 2, 3, 4, 5].filter((next) => next > seq).map((seq) => new Token({ seq }))
              return opened.length < 3
                ? Stream.concat(Stream.fromIterable(left.slice(0, 2)), Stream.never)
                : Stream.fromIterable(left)
            }
          })
        ),
        Layer.provideMerge(MemoryTransport.layer)
      )
      yield* Effect.gen(function* () {
        const client = yield* StreamClient.make(Chat, { recvTimeout: "1 second" })
        const answer = Resumable.resumable((seq: number) => client.Answer(new Token({ seq })), {
          initial: 0,
          cursor: (token) => token.seq
        })
        const fiber = yield* Effect.forkChild(Stream.runCollect(answer), { startImmediately: true })
        for (let turn = 0; turn < 10; turn++) yield* pass(500)
        const tokens = yield* Fiber.join(fiber)
        assert.deepStrictEqual(
          tokens.map(({ seq }) => seq),
          [1, 2, 3, 4, 5]
        )
        assert.deepStrictEqual(opened, [0, 2, 4])
      }).pipe(Effect.scoped, Effect.provide(live))
    })
  )

  it.effect("a stream that makes no progress gives up by itself", () =>
    Effect.gen(function* () {
      const { open, opened } = server(
        log(2),
        Array.from({ length: 50 }, () => 0)
      )
      const { exit } = yield* collect(Resumable.resumable(open, options))
      assert.strictEqual(failureOf(exit), failures.lost)
      assert.strictEqual(opened.length, 11)
    })
  )

  it.effect("no more resumptions than maxResumes, progress or not", () =>
    Effect.gen(function* () {
      const { open, opened } = server(log(9), [1, 1, 1, 1, 1])
      const { exit, seen } = yield* collect(Resumable.resumable(open, { ...options, maxResumes: 2 }))
      assert.strictEqual(failureOf(exit), failures.lost)
      assert.deepStrictEqual(opened, [0, 1, 2])
      assert.deepStrictEqual(seqs(seen), [1, 2, 3])
    })
  )

  for (const failure of ["status", "biz", "forbidden", "codec"] as const) {
    it.effect(`${failure} ends it, unless it is told otherwise`, () =>
      Effect.gen(function* () {
        const first = server(log(3), [1], 0, failures[failure])
        const { exit } = yield* collect(Resumable.resumable(first.open, options))
        assert.strictEqual(failureOf(exit), failures[failure])
        const second = server(log(3), [1], 0, failures[failure])
        const { seen } = yield* collect(Resumable.resumable(second.open, { ...options, while: () => true }))
        assert.deepStrictEqual(seqs(seen), [1, 2, 3])
      })
    )
  }

  it.effect("an early end of the consumer ends the opening, and no other comes", () =>
    Effect.gen(function* () {
      let closed = 0
      let openings = 0
      const open = () => {
        openings++
        return Stream.ensuring(
          Stream.concat(Stream.fromIterable(log(2)), Stream.never),
          Effect.sync(() => closed++)
        )
      }
      const taken = Stream.runCollect(Stream.take(Resumable.resumable(open, options), 2))
      assert.deepStrictEqual(seqs(yield* taken), [1, 2])
      assert.deepStrictEqual([openings, closed], [1, 1])
    })
  )

  it.effect("an opening is closed before the next one begins", () =>
    Effect.gen(function* () {
      const events: Array<string> = []
      const { open } = server(log(4), [1, 1])
      const noted = (after: number) =>
        Stream.ensuring(
          Stream.suspend(() => {
            events.push(`open ${after}`)
            return open(after)
          }),
          Effect.sync(() => events.push("close"))
        )
      yield* collect(Resumable.resumable(noted, options))
      assert.deepStrictEqual(events, ["open 0", "close", "open 1", "close", "open 2", "close"])
    })
  )

  it.effect("random cuts of a log: every message once and in order, whatever the server sends again", () =>
    Effect.gen(function* () {
      const below = seededBelow(99)
      for (let round = 0; round < 150; round++) {
        const count = 1 + below(40)
        const back = below(4)
        const cuts = Array.from({ length: below(12) }, () => below(8))
        const { open, opened } = server(log(count), cuts, back)
        const schedule = Schedule.recurs(20)
        const { exit, seen } = yield* collect(
          Resumable.resumable(open, { ...options, schedule, ...(back > 0 && { dedupe: Order.Number }) })
        )
        assert.deepStrictEqual(exit, Exit.void)
        assert.deepStrictEqual(seqs(seen), seqs(log(count)), JSON.stringify({ count, cuts, back }))
        assert.deepStrictEqual(
          opened,
          [...opened].sort((a, b) => a - b)
        )
      }
    })
  )

  it.effect("resumes a thousand times", () =>
    Effect.gen(function* () {
      const { open } = server(
        log(1000),
        Array.from({ length: 999 }, () => 1)
      )
      const { seen } = yield* collect(Resumable.resumable(open, options))
      assert.strictEqual(seen.length, 1000)
    })
  )
})
