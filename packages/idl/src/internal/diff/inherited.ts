/**
 * The methods of a service, inherited ones among them, and which of them have to be compared.
 *
 * @internal
 */
import type * as Program from "../../Program.ts"

/**
 * A method with the service that declares it.
 *
 * @internal
 */
export interface Declared {
  readonly service: Program.Service
  readonly method: Program.Method
}

/**
 * A method in the two versions.
 *
 * @internal
 */
export interface Versions {
  readonly before: Declared | undefined
  readonly after: Declared | undefined
}

type ByName = ReadonlyMap<string, Versions>

type Base = Program.Service | undefined

const withOwn = (inherited: ByName, old: Base, now: Base): ByName => {
  const all = new Map(inherited)
  for (const method of old?.methods ?? []) {
    all.set(method.name, { before: { service: old!, method }, after: all.get(method.name)?.after })
  }
  for (const method of now?.methods ?? []) {
    all.set(method.name, { before: all.get(method.name)?.before, after: { service: now!, method } })
  }
  return all
}

/**
 * The methods of two services of which something may be said: their own ones, and the inherited ones that differ. What
 * services inherit is looked at once, however many of them there are in a chain.
 *
 * @internal
 */
export const methodVersions = (
  differ: (before: Declared, after: Declared) => boolean
): ((old: Program.Service, now: Program.Service) => ByName) => {
  const known = new Map<Base, Map<Base, ByName>>()

  const keep = (old: Base, now: Base, methods: ByName) => {
    const others = known.get(old) ?? new Map<Base, ByName>()
    known.set(old, others.set(now, methods))
  }

  const areSame = ({ after, before }: Versions): boolean =>
    before !== undefined && after !== undefined && before.service.name === after.service.name && !differ(before, after)

  /** The methods that differ for all that extend the two. */
  const inherited = (old: Base, now: Base): ByName => {
    const open: Array<readonly [old: Base, now: Base]> = []
    for (let [before, after] = [old, now]; before !== undefined || after !== undefined;) {
      if (known.get(before)?.has(after)) break
      open.push([before, after])
      before = before?.extends
      after = after?.extends
    }
    for (const [before, after] of open.toReversed()) {
      const below = known.get(before?.extends)?.get(after?.extends) ?? new Map<string, Versions>()
      const all = withOwn(below, before, after)
      keep(before, after, new Map([...all].filter(([, versions]) => !areSame(versions))))
    }
    return known.get(old)?.get(now) ?? new Map<string, Versions>()
  }

  return (old, now) => withOwn(inherited(old.extends, now.extends), old, now)
}
