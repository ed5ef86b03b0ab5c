/**
 * Whether two types are one when typedefs are looked through.
 *
 * @internal
 */
import type * as Program from "../../Program.ts"
import { type Run, shape } from "./scope.ts"

const texts = new WeakMap<Run, { readonly keys: WeakMap<object, number>; readonly numbers: Map<string, number> }>()

/**
 * A number for a type, the same for the same types. Typedefs may share parts, so that writing a type out may take
 * for ever; numbering each part once does not.
 */
const number = (run: Run, type: Program.Type): number => {
  let known = texts.get(run)
  if (known === undefined) {
    known = { keys: new WeakMap(), numbers: new Map() }
    texts.set(run, known)
  }
  const { keys, numbers } = known
  const of = (type: Program.Type): number => {
    const found = shape(run, type)
    const done = keys.get(found)
    if (done !== undefined) return done
    const text = textOf(found)
    const key = text === undefined ? numbers.size : (numbers.get(text) ?? numbers.size)
    numbers.set(text ?? `#${key}`, key)
    keys.set(found, key)
    return key
  }
  const textOf = (found: ReturnType<typeof shape>): string | undefined => {
    if ("tag" in found) return undefined
    switch (found.kind) {
      case "list":
      case "set":
        return `${found.kind} ${of(found.element)}`
      case "map":
        return `map ${of(found.key)} ${of(found.value)}`
      default:
        return found.kind
    }
  }
  return of(type)
}

/**
 * @internal
 */
export const sameType = (run: Run, a: Program.Type, b: Program.Type): boolean => number(run, a) === number(run, b)
