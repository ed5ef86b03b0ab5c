/**
 * The handlers of the token service: the model's answers, and a line on how each of them ended.
 */
import { Cause, Console, Effect, Exit, Stream } from "effect"
import { Llm, type Token, TokenCount } from "./api.ts"
import { Model } from "./model.ts"

/** Says how many tokens the producer made and why it stopped. */
const logEnd =
  (method: string) =>
  <E>(tokens: Stream.Stream<Token, E>): Stream.Stream<Token, E> =>
    Stream.suspend(() => {
      let count = 0
      return tokens.pipe(
        Stream.mapArray((produced) => {
          count += produced.length
          return produced
        }),
        Stream.onExit((exit) => Console.log(`${method}: producer ${howItEnded(exit)} after ${count} tokens`))
      )
    })

const howItEnded = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "done"
  return Cause.hasInterruptsOnly(exit.cause) ? "interrupted" : "failed"
}

export const layer = Llm.toLayer(
  Effect.gen(function* () {
    const model = yield* Model
    return {
      Generate: (prompt) => model.answer(prompt).pipe(logEnd("Generate")),
      Chat: (prompts) => prompts.pipe(Stream.flatMap(model.answer), logEnd("Chat")),
      CountTokens: (prompt) => Effect.succeed(new TokenCount({ count: model.countTokens(prompt.text) }))
    }
  })
)
