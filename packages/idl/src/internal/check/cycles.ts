/**
 * Circles in graphs of definitions, without recursion: an IDL may hold a chain of any length.
 *
 * @internal
 */

/** A node on the way of the search. */
interface Step<A> {
  readonly node: A
  readonly targets: ReadonlyArray<A>
  /** How many of the targets were followed. */
  followed: number
  readonly order: number
  /** The least order that is reached from it and still pending. */
  low: number
  isPending: boolean
}

/**
 * The strongly connected components, each behind those that it leads to.
 *
 * @internal
 */
export const components = <A>(
  nodes: ReadonlyArray<A>,
  next: (node: A) => ReadonlyArray<A>
): ReadonlyArray<ReadonlyArray<A>> => {
  // Tarjan's algorithm with a stack of its own
  const result: Array<ReadonlyArray<A>> = []
  const steps = new Map<A, Step<A>>()
  const pending: Array<Step<A>> = []
  const path: Array<Step<A>> = []

  const enter = (node: A): void => {
    const order = steps.size
    const step: Step<A> = { node, targets: next(node), followed: 0, order, low: order, isPending: true }
    steps.set(node, step)
    pending.push(step)
    path.push(step)
  }

  const leave = (step: Step<A>): void => {
    path.pop()
    const parent = path.at(-1)
    if (parent !== undefined) parent.low = Math.min(parent.low, step.low)
    if (step.low !== step.order) return
    const component = pending.splice(pending.lastIndexOf(step))
    for (const each of component) each.isPending = false
    result.push(component.map(({ node }) => node))
  }

  for (const start of nodes) {
    if (steps.has(start)) continue
    enter(start)
    while (path.length > 0) {
      const step = path.at(-1)!
      if (step.followed === step.targets.length) {
        leave(step)
        continue
      }
      const target = step.targets[step.followed++]!
      const known = steps.get(target)
      if (known === undefined) enter(target)
      else if (known.isPending) step.low = Math.min(step.low, known.order)
    }
  }
  return result
}

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
