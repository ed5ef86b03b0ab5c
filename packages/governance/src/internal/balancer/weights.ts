/**
 * The weights of instances as balancers use them.
 *
 * @internal
 */

/** An instance with a weight that is not such a number takes no calls. @internal */
export const isWeight = (weight: number): boolean => weight > 0 && weight < Infinity

/** The current weights of a round stay exact up to the square of this. */
const greatestSum = 2 ** 26

/** Other weights are rounded to parts of the heaviest: a number that all up to 8 divide. */
const parts = 840

const greatestCommonDivisor = (a: number, b: number): number => {
  while (b !== 0) [a, b] = [b, a % b]
  return a
}

/** @internal */
export const sumOf = (weights: ReadonlyArray<number>): number => weights.reduce((sum, weight) => sum + weight, 0)

/** @internal */
export const areEqual = (weights: ReadonlyArray<number>): boolean => weights.every((weight) => weight === weights[0])

/** Whole numbers in the proportion of the weights, the smallest there are: so often each is picked in a round. @internal */
export const sharesOf = (weights: ReadonlyArray<number>): ReadonlyArray<number> => {
  let whole = weights
  if (!weights.every(Number.isInteger) || sumOf(weights) > greatestSum) {
    const heaviest = weights.reduce((most, weight) => Math.max(most, weight), 0)
    whole = weights.map((weight) => Math.max(1, Math.round((weight / heaviest) * parts)))
  }
  const divisor = whole.reduce(greatestCommonDivisor, 0)
  return whole.map((weight) => weight / divisor)
}
