/**
 * Maps whose values are made when they are asked for, once: an IDL of thousands of types costs only those that are used.
 */

/** @internal */
export const lazyMap = <V>(makers: ReadonlyMap<string, () => V>): ReadonlyMap<string, V> => {
  const made = new Map<string, V>()
  const get = (key: string): V | undefined => {
    const make = makers.get(key)
    if (make !== undefined && !made.has(key)) made.set(key, make())
    return made.get(key)
  }
  const entries = function* (): MapIterator<[string, V]> {
    for (const key of makers.keys()) yield [key, get(key)!]
  }
  const map: ReadonlyMap<string, V> = {
    size: makers.size,
    has: (key) => makers.has(key),
    get,
    keys: () => makers.keys(),
    values: function* (): MapIterator<V> {
      for (const [, value] of entries()) yield value
    },
    entries,
    [Symbol.iterator]: entries,
    forEach: (run) => {
      for (const [key, value] of entries()) run(value, key, map)
    }
  }
  return map
}
