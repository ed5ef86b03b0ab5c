/**
 * Circles in graphs of definitions, without recursion: an IDL may hold a chain of any length.
 *
 * @internal
 */

/**
 * A shortest way in a component from a node back to itself, without the return; undefined where there is none.
 *
 * @internal
 */
export const circle = <A>(
  component: ReadonlyArray<A>,
  start: A,
  next: (node: A) => ReadonlyArray<A>
): ReadonlyArray<A> | undefined => {
  if (component.length === 1) return next(start).includes(start) ? [start] : undefined
  const inside = new Set(component)
  const from = new Map<A, A>()
  const queue = [start]
  for (const node of queue) {
    for (const target of next(node)) {
      if (target === start) {
        const way = [node]
        while (way.at(-1) !== start) way.push(from.get(way.at(-1)!)!)
        return way.toReversed()
      }
      if (!inside.has(target) || from.has(target)) continue
      from.set(target, node)
      queue.push(target)
    }
  }
  return undefined
}

/** More links than these tell a person nothing. */
const longest = 8

/**
 * The links of a chain that are worth showing.
 *
 * @internal
 */
export const shown = <A>(chain: ReadonlyArray<A>): ReadonlyArray<A> => chain.slice(0, longest)

/**
 * `A -> B -> A`.
 *
 * @internal
 */
export const chainText = (names: ReadonlyArray<string>): string => {
  const rest = names.length - longest
  const links = rest > 0 ? [...shown(names), `(${rest} more)`] : names
  return [...links, names[0]].join(" -> ")
}
