/**
 * "Did you mean": the nearest of the names that could have stood there.
 *
 * @internal
 */

const longest = 64

/** The edit distance with swaps of neighbours, or more than `limit` as soon as that is clear. */
const distance = (a: string, b: string, limit: number): number => {
  let beforeLast: Array<number> = []
  let last = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, beforeLast[j - 2]! + 1)
      row.push(cost)
    }
    if (Math.min(...row) > limit) return limit + 1
    beforeLast = last
    last = row
  }
  return last[b.length]!
}

/**
 * The nearest name, if one is near enough. `budget` bounds how many names are compared in a run.
 *
 * @internal
 */
export const nearest = (
  name: string,
  candidates: Iterable<string>,
  budget: { comparisons: number }
): string | undefined => {
  if (name.length > longest) return undefined
  const wanted = name.toLowerCase()
  let best: string | undefined
  let limit = Math.floor((name.length + 1) / 3)
  for (const candidate of candidates) {
    if (budget.comparisons-- <= 0) break
    if (candidate === name || Math.abs(candidate.length - name.length) > limit) continue
    const cost = distance(wanted, candidate.toLowerCase(), limit)
    if (cost > limit || (cost === limit && best !== undefined)) continue
    best = candidate
    limit = cost
    if (cost === 0) break
  }
  return best
}
