/**
 * An instance of a service, as registries know it.
 *
 * @since 0.1.0
 */

/**
 * Where a service runs, and how much of its calls go there.
 *
 * @since 0.1.0
 * @category models
 */
export interface Instance {
  /** `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`. */
  readonly address: string
  /** Its share, relative to the weights of the others. Zero or less: it takes no calls, and is on its way out. */
  readonly weight: number
  readonly tags: Readonly<Record<string, string>>
}

/**
 * Kitex's weight of an instance that says none.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultWeight = 10

/**
 * An instance of an address, with defaults for the rest.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (address: string, options: Partial<Omit<Instance, "address">> = {}): Instance => ({
  address,
  weight: options.weight ?? defaultWeight,
  tags: options.tags ?? {}
})

/**
 * What changed between two lists, by address: Kitex's `Change`. `updated` are those whose weight or tags are others.
 *
 * @since 0.1.0
 * @category models
 */
export interface Change {
  readonly added: ReadonlyArray<Instance>
  readonly updated: ReadonlyArray<Instance>
  readonly removed: ReadonlyArray<Instance>
}

const sameTags = (a: Instance["tags"], b: Instance["tags"]): boolean => {
  if (a === b) return true
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key])
}

const byAddress = (instances: ReadonlyArray<Instance>): Map<string, Instance> =>
  new Map(instances.map((instance) => [instance.address, instance]))

/**
 * What changed from one list to the next, by address; undefined where nothing has. The order of a list does not matter;
 * of two with one address the last counts. Beyond
 * Kitex (`discovery.DefaultDiff`), whose `Updated` looks at weights alone, others tags count too.
 *
 * **Example** (One more instance)
 *
 * ```ts
 * import { Instance } from "@millrace/governance"
 *
 * const one = Instance.make("10.0.0.1:8888")
 * const two = Instance.make("10.0.0.2:8888", { weight: 30 })
 * const change = Instance.diff([one], [one, two])
 * // => { added: [two], updated: [], removed: [] }
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const diff = (previous: ReadonlyArray<Instance>, next: ReadonlyArray<Instance>): Change | undefined => {
  const before = byAddress(previous)
  const added: Array<Instance> = []
  const updated: Array<Instance> = []
  for (const instance of byAddress(next).values()) {
    const known = before.get(instance.address)
    if (known === undefined) added.push(instance)
    else if (known.weight !== instance.weight || !sameTags(known.tags, instance.tags)) updated.push(instance)
    before.delete(instance.address)
  }
  const removed = [...before.values()]
  return added.length + updated.length + removed.length === 0 ? undefined : { added, updated, removed }
}
