/** What the compiler must know of middleware around messages, and what must not compile. */
import { Thrift } from "@millrace/codec"
import { type ClientStream, Method, Middleware, RpcError, Service, StreamClient } from "@millrace/rpc"
import type { Transport } from "@millrace/transport"
import { Cause, Context, Effect, type Scope } from "effect"

class Question extends Thrift.Struct<Question>("t.Question")({ text: Thrift.optional(1, Thrift.String) }) {}
class Answer extends Thrift.Struct<Answer>("t.Answer")({ words: Thrift.optional(1, Thrift.I32) }) {}
class Model extends Service.make("Model", {
  methods: [
    Method.bidirectional("Chat", { request: Question, response: Answer }),
    Method.clientStreaming("Learn", { request: Question, response: Answer }),
    Method.serverStreaming("Generate", { request: Question, response: Answer }),
    Method.unary("Ask", { request: Question, response: Answer })
  ]
}) {}
class Audit extends Context.Service<Audit, { readonly note: (message: unknown) => Effect.Effect<void> }>()("t/Audit") {}
class Quota extends Context.Service<Quota, { readonly take: Effect.Effect<void, RpcError.RpcError> }>()("t/Quota") {}

const refused = new RpcError.RpcError({ reason: new RpcError.Status(), code: 7, desc: "no", method: "Model" })
const note = (message: unknown) => Effect.flatMap(Audit, (audit) => audit.note(message))

// What they require is inferred.
const seen = Middleware.recv((next) => Effect.tap(next, note))
const seenNeeds: Middleware.RecvMiddleware<Audit> = seen
// @ts-expect-error it requires Audit
const seenNone: Middleware.RecvMiddleware = seen
const told = Middleware.send((next) => (message) => Effect.andThen(note(message), next(message)))
const toldNeeds: Middleware.SendMiddleware<Audit> = told
const batches = Middleware.recvBatch((next) => Effect.tap(next, (messages) => note(messages.length)))
const batchesNeed: Middleware.RecvMiddleware<Audit> = batches
const sentBatches = Middleware.sendBatch((next) => (messages) => Effect.andThen(note(messages.length), next(messages)))
const sentBatchesNeed: Middleware.SendMiddleware<Audit> = sentBatches
const limited = Middleware.send(
  (next) => (message) =>
    Effect.andThen(
      Effect.flatMap(Quota, (quota) => quota.take),
      next(message)
    )
)
const plain: Middleware.RecvMiddleware = Middleware.recvPlain(() => (message) => message)
const refusing: Middleware.SendMiddleware = Middleware.sendPlain(() => () => refused)

// A message of any method is opaque: it goes on as it came.
// @ts-expect-error a message of one's own is none of this stream
Middleware.recv((next) => Effect.as(next, new Answer({})))
// @ts-expect-error the same
Middleware.recvPlain(() => () => new Answer({}))
// @ts-expect-error not an error that a call can end with
Middleware.recv((next) => Effect.andThen(next, Effect.fail("no")))
// @ts-expect-error nor can a send
Middleware.send(() => () => Effect.fail("no"))
// @ts-expect-error a batch is not empty
Middleware.recvBatch((next) => Effect.map(next, () => []))

// The end of a stream may be seen, and stands in the type.
Middleware.recv((next, { info }) =>
  Effect.tapError(next, (error) => (Cause.isDone(error) ? note(info.bizError?.statusCode) : note(error.message)))
)

// For one method the messages are typed, by side.
const short = Middleware.recvFor(Model, "Generate", "client", (next) =>
  Effect.map(next, (answer) => {
    const words: number | undefined = answer.words
    return new Answer({ words: words ?? 0 })
  })
)
const shortNone: Middleware.RecvMiddleware = short
const asked = Middleware.recvFor(Model, "Generate", "server", (next) => Effect.tap(next, ({ text }) => note(text)))
const askedNeeds: Middleware.RecvMiddleware<Audit> = asked
// @ts-expect-error it requires Audit
const askedNone: Middleware.RecvMiddleware = asked
// Without a side it sees either kind.
const either = Middleware.recvFor(Model, "Generate", (next, { info }) =>
  Effect.tap(next, (message) => {
    const both: Question | Answer = message
    return Effect.andThen(note(info.side), note(both))
  })
)
const eitherNeeds: Middleware.RecvMiddleware<Audit> = either
const sending = Middleware.sendFor(
  Model,
  "Chat",
  "client",
  (next) =>
    ({ text }) =>
      next(new Question({ text: text! }))
)
const sendingNone: Middleware.SendMiddleware = sending
const answering = Middleware.sendFor(
  Model,
  "Chat",
  "server",
  (next) => (answer) => Effect.andThen(note(answer.words), next(answer))
)
const answeringNeeds: Middleware.SendMiddleware<Audit> = answering
Middleware.sendFor(Model, "Learn", (next) => (message: Question | Answer) => next(message))
Middleware.recvPlainFor(Model, "Learn", "server", () => (question) => (question.text === "" ? refused : question))
Middleware.sendPlainFor(
  Model,
  "Learn",
  "server",
  () =>
    ({ words }) =>
      new Answer({ words: (words ?? 0) + 1 })
)

// @ts-expect-error the client receives answers
Middleware.recvFor(Model, "Generate", "client", (next) => Effect.map(next, ({ text }) => new Answer({ words: text })))
// @ts-expect-error and must give answers
Middleware.recvFor(Model, "Generate", "client", (next) => Effect.map(next, () => new Question({})))
// @ts-expect-error the client sends questions
Middleware.sendFor(Model, "Chat", "client", (next) => () => next(new Answer({ words: 1 })))
// @ts-expect-error the server sends answers
Middleware.sendPlainFor(Model, "Learn", "server", () => () => new Question({ text: "" }))
// @ts-expect-error no such method
Middleware.recvFor(Model, "Missing", (next) => next)
// @ts-expect-error unary calls have no messages to see
Middleware.recvFor(Model, "Ask", (next) => next)
// @ts-expect-error there are two sides
Middleware.recvPlainFor(Model, "Chat", "both", () => (message: Answer) => message)

// A list adds up, and the client requires it.
const client = StreamClient.make(Model, { middleware: [seen, limited, plain, short] })
const clientNeeds: Effect.Effect<
  StreamClient.StreamClient<typeof Model>,
  never,
  Transport.ClientTransport | Scope.Scope | Audit | Quota
> = client
// @ts-expect-error Quota is missing
const clientNone: Effect.Effect<unknown, never, Transport.ClientTransport | Scope.Scope | Audit> = client
const built = StreamClient.make(Model, { middleware: [Middleware.builder(() => [seen, told])] })
const builtNeeds: Effect.Effect<unknown, never, Transport.ClientTransport | Scope.Scope | Audit> = built
// @ts-expect-error what a builder gives requires Audit
const builtNone: Effect.Effect<unknown, never, Transport.ClientTransport | Scope.Scope> = built

const errorOf: ClientStream.CallError = refused

void [
  seenNeeds,
  seenNone,
  toldNeeds,
  batchesNeed,
  sentBatchesNeed,
  refusing,
  shortNone,
  askedNeeds,
  askedNone,
  eitherNeeds,
  sendingNone,
  answeringNeeds,
  clientNeeds,
  clientNone,
  builtNeeds,
  builtNone,
  errorOf
]
