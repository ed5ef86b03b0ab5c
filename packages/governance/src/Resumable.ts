/**
 * Streams that go on where they broke. A broken stream cannot simply be called again: its consumer has had messages already. Where
 * the messages say how far they go (a sequence number, an offset, an id), and the server can begin behind any of them, this calls
 * again from the last that came, and the consumer sees one stream.
 *
 * @since 0.1.0
 */
import * as Deadline from "@millrace/rpc/Deadline"
import { RpcError } from "@millrace/rpc/RpcError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type * as Order from "effect/Order"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { hint } from "./internal/retry/hint.ts"

/**
 * How to resume.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options<A, C, E, R = never> {
  /** Where to begin: what `open` gets until a message has come. */
  readonly initial: C
  /** How far a message goes; undefined for one that does not say. */
  readonly cursor: (message: A) => C | undefined
  /**
   * When to resume, and how often in a row: it begins anew with the first message after a resumption. Default: after 100 ms, twice as
   * long each time up to 5 seconds, each jittered, ten times. What a server that refuses the call asks for is waited for too, up to
   * 10 seconds.
   */
  readonly schedule?: Schedule.Schedule<unknown, E, never, R> | undefined
  /** Which failures to resume after. Default: {@link isBroken}. */
  readonly while?: ((failure: E) => boolean) | undefined
  /** Resumptions of one stream, over all of its life. Default: no bound. */
  readonly maxResumes?: number | undefined
  /**
   * For servers that send again what a cursor already covers: an order of cursors. After a resumption, messages that go no further
   * than the stream was are left out, up to the first that does. Without it the consumer gets what the server sends, also twice.
   */
  readonly dedupe?: Order.Order<C> | undefined
}

/**
 * Whether a stream ended because something broke, not because the other side or its own deadline ended it: what resumptions are
 * for. A server that shuts down counts.
 *
 * @since 0.1.0
 * @category getters
 */
export const isBroken = (failure: unknown): boolean => {
  if (!(failure instanceof RpcError)) return false
  const { reason } = failure
  switch (reason._tag) {
    case "Unavailable":
    case "ConnectTimeout":
    case "RecvTimeout":
    case "FirstMessageTimeout":
      return true
    case "Rejected":
      // A message that is too large is so again.
      return reason.maybeRan !== true
    case "Cancelled":
      return reason.by === "peer"
    default:
      return false
  }
}

const usualSchedule: Schedule.Schedule<unknown> = Schedule.min([
  Schedule.exponential("100 millis"),
  Schedule.spaced("5 seconds")
]).pipe(Schedule.jittered, Schedule.upTo({ times: 10 }))

/**
 * A stream that is opened again from its cursor when it breaks. `open` gets the cursor of the last message that the consumer was
 * given, of any opening before: a stream that breaks again before a message has come is opened from the same. Each opening is a
 * call of its own, with budgets of its own; a total one is the deadline of the fiber (`Deadline.within`). When the schedule is
 * done, a failure is none to resume after, or the next opening would come behind the deadline, the stream fails with the last failure.
 *
 * **Example** (A conversation by sequence numbers)
 *
 * ```ts
 * import { Thrift } from "@millrace/codec"
 * import { Resumable } from "@millrace/governance"
 * import { Method, Service, StreamClient } from "@millrace/rpc"
 * import { Effect, Stream } from "effect"
 *
 * class From extends Thrift.Struct<From>("chat.From")({ after: Thrift.required(1, Thrift.I64) }) {}
 * class Token extends Thrift.Struct<Token>("chat.Token")({
 *   seq: Thrift.required(1, Thrift.I64),
 *   text: Thrift.required(2, Thrift.String)
 * }) {}
 * class Chat extends Service.make("Chat", {
 *   package: "chat",
 *   methods: [Method.serverStreaming("Answer", { request: From, response: Token })]
 * }) {}
 *
 * const program = Effect.gen(function* () {
 *   const client = yield* StreamClient.make(Chat, { hostPorts: ["10.0.0.1:8888"], recvTimeout: "20 seconds" })
 *   const answer = Resumable.resumable((after: bigint) => client.Answer(new From({ after })), {
 *     initial: 0n,
 *     cursor: (token) => token.seq
 *   })
 *   return yield* Stream.runCollect(answer)
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const resumable: {
  <A, C, E, R2 = never>(
    options: Options<A, C, E, R2>
  ): <R>(open: (cursor: C) => Stream.Stream<A, E, R>) => Stream.Stream<A, E, R | R2>
  <A, C, E, R, R2 = never>(
    open: (cursor: C) => Stream.Stream<A, E, R>,
    options: Options<A, C, E, R2>
  ): Stream.Stream<A, E, R | R2>
} = dual(
  2,
  <A, C, E, R, R2>(
    open: (cursor: C) => Stream.Stream<A, E, R>,
    {
      cursor: cursorOf,
      dedupe,
      initial,
      maxResumes = Infinity,
      schedule = usualSchedule,
      while: resumes = isBroken
    }: Options<A, C, E, R2>
  ): Stream.Stream<A, E, R | R2> =>
    Stream.unwrap(
      Effect.map(Deadline.Current, (deadline = Infinity) => {
        let cursor = initial
        let resumed = 0
        const opened = Stream.suspend(() => {
          const stream = open(cursor)
          const fresh =
            dedupe === undefined || resumed === 0 ? stream : Stream.dropWhile(stream, isOld(cursor, cursorOf, dedupe))
          return Stream.mapArray(fresh, (messages) => {
            for (const message of messages) cursor = cursorOf(message) ?? cursor
            return messages
          })
        })
        const worth = Schedule.while(
          schedule,
          ({ input }) => resumed < maxResumes && resumes(input) && hint(input) < Infinity && ++resumed > 0
        )
        const patient = Schedule.modifyDelay(worth, ({ duration, input }) =>
          Effect.succeed(Duration.max(duration, Duration.millis(hint(input))))
        )
        // A call that could only begin when its time is over is not waited for.
        const inTime = Schedule.while(patient, ({ duration, now }) => now + Duration.toMillis(duration) < deadline)
        return Stream.retry(opened, inTime)
      })
    )
)

/** Messages that say nothing of how far they go belong to those before them. */
const isOld =
  <A, C>(seen: C, cursorOf: (message: A) => C | undefined, order: Order.Order<C>) =>
  (message: A): boolean => {
    const cursor = cursorOf(message)
    return cursor === undefined || order(cursor, seen) <= 0
  }
