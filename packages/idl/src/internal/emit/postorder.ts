/**
 * Every node that the roots lead to, each once and behind those that it leads to itself. It does not recurse, as chains
 * can be long.
 *
 * @internal
 */
export const postorder = <A>(roots: Iterable<A>, next: (node: A) => Iterable<A>): ReadonlyArray<A> => {
  const seen = new Set<A>()
  const ordered: Array<A> = []
  const path: Array<{ readonly at: A; readonly rest: Iterator<A> }> = []
  const enter = (at: A) => {
    if (seen.has(at)) return
    seen.add(at)
    path.push({ at, rest: next(at)[Symbol.iterator]() })
  }
  for (const root of roots) {
    enter(root)
    while (path.length > 0) {
      const { at, rest } = path.at(-1)!
      const { done, value } = rest.next()
      if (done !== true) enter(value)
      else {
        ordered.push(at)
        path.pop()
      }
    }
  }
  return ordered
}
