/**
 * A model without weights: its words, pauses and failures come from a seed, so that every run can be repeated.
 */
import { BizStatusError } from "@millrace/rpc"
import { Context, Effect, Layer, Random, Stream } from "effect"
import { type Prompt, Token } from "./api.ts"

export interface ModelOptions {
  readonly tokensPerSecond: number
  /** How far a pause may be from its mean: 0 is a metronome, 1 is anything from nothing to twice the mean. */
  readonly jitter: number
  /** The chance of every token that the model fails instead. */
  readonly failureRate: number
  readonly seed: string
}

export class Model extends Context.Service<
  Model,
  {
    readonly answer: (prompt: Prompt) => Stream.Stream<Token, BizStatusError.BizStatusError>
    readonly countTokens: (text: string) => number
  }
>()("examples/llm/Model") {}

const vocabulary =
  "water wheel stone grain river turns the slowly and a under carries flour stream gate falls bright over mill race".split(
    " "
  )

const defaultMaxTokens = 40

export const layer = (options: ModelOptions): Layer.Layer<Model> =>
  Layer.succeed(Model, {
    countTokens: (text) => text.split(/\s+/).filter((word) => word !== "").length,
    answer: (prompt) =>
      Stream.unwrap(
        Random.Random.pipe(
          Effect.map((random) => tokens(prompt, options, random)),
          Random.withSeed(`${options.seed} ${prompt.text}`)
        )
      )
  })

const tokens = (
  prompt: Prompt,
  options: ModelOptions,
  random: Random.Random
): Stream.Stream<Token, BizStatusError.BizStatusError> => {
  const count = prompt.maxTokens ?? defaultMaxTokens
  const rate = prompt.tokensPerSecond ?? options.tokensPerSecond
  const token = (index: number) => {
    const word = vocabulary[Math.floor(random.nextDoubleUnsafe() * vocabulary.length)]!
    return new Token({ index, text: `${word} `, last: index === count - 1 })
  }
  const indices = Stream.range(0, count - 1, 64)
  if (!(rate > 0)) return Stream.map(indices, token)
  return Stream.mapEffect(indices, (index) => {
    const pause = (1000 / rate) * (1 + options.jitter * (2 * random.nextDoubleUnsafe() - 1))
    const fails = random.nextDoubleUnsafe() < options.failureRate
    return Effect.sleep(pause).pipe(
      Effect.andThen(fails ? Effect.fail(overloaded(index)) : Effect.sync(() => token(index)))
    )
  })
}

const overloaded = (index: number) =>
  new BizStatusError.BizStatusError({ statusCode: 10_001, statusMessage: `the model failed at token ${index}` })
