/** Random choices for the property tests of the engine: a seed becomes a stream of numbers, so that shrinking works on a short list. */
import { Arbitrary, Schema } from "effect"

export const integer = (minimum: number, maximum: number) =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

/** Endless numbers below `bound` from a few choices. */
export class Choices {
  private readonly given: ReadonlyArray<number>
  private at = 0
  private state: number

  constructor(given: ReadonlyArray<number>) {
    this.given = given
    this.state = given.reduce((sum, value) => (Math.imul(sum, 31) + value) | 0, 0x9e3779b9) || 1
  }
  below(bound: number): number {
    if (this.at < this.given.length) return this.given[this.at++]! % bound
    // xorshift32
    this.state ^= this.state << 13
    this.state ^= this.state >>> 17
    this.state ^= this.state << 5
    return (this.state >>> 0) % bound
  }
  pick<A>(values: ReadonlyArray<A>): A {
    return values[this.below(values.length)]!
  }
}

export const choices = Arbitrary.array(integer(0, 1_000_000), { minLength: 1, maxLength: 40 })
