/**
 * Which nodes of a graph lead to each other, without recursion: an IDL may hold a chain of any length.
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
