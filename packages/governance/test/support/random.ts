/** Random numbers that are the same for the same seed. */

/** From 0 up to but not 1 (mulberry32). */
export const seeded = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), bits | 61)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Whole numbers below `n`. */
export const seededBelow = (seed: number): ((n: number) => number) => {
  const random = seeded(seed)
  return (n) => Math.floor(random() * n)
}
