/**
 * What must be defined before a definition can be evaluated.
 */
import * as Program from "../../Program.ts"

/**
 * A definition, or the construction of a struct, which evaluates the defaults of its members.
 *
 * @internal
 */
export type Step = Program.Definition | Construction

interface Construction {
  readonly tag: "Construction"
  readonly struct: Program.Struct
}

/**
 * The definition that a type refers to, once typedefs that only give it another name are looked through.
 *
 * @internal
 */
export const unaliased = (to: Program.Reference["to"]): Program.Reference["to"] => {
  if (to.tag !== "Typedef") return to
  const target = Program.target(to.type)
  return "tag" in target ? target : to
}

/**
 * The types that a type names.
 *
 * @internal
 */
export const named = (type: Program.Type): ReadonlyArray<Program.Reference["to"]> => {
  switch (type.kind) {
    case "reference":
      return [type.to]
    case "list":
    case "set":
      return named(type.element)
    case "map":
      return [...named(type.key), ...named(type.value)]
    default:
      return []
  }
}

/**
 * The values that a value is made of.
 *
 * @internal
 */
export const parts = (value: Program.Value): ReadonlyArray<Program.Value> => {
  switch (value.kind) {
    case "list":
    case "set":
      return value.items
    case "map":
      return value.entries.flat()
    case "struct":
      return value.fields.map(([, item]) => item)
    default:
      return []
  }
}

/**
 * All values in a value, itself among them, each once.
 *
 * @internal
 */
export const values = (root: Program.Value): Iterable<Program.Value> => {
  const found = new Set([root])
  // a set is iterated over what is added to it on the way
  for (const value of found) for (const part of parts(value)) found.add(part)
  return found
}

/**
 * The types of a method's arguments, result and exceptions.
 *
 * @internal
 */
export const methodTypes = (method: Program.Method): ReadonlyArray<Program.Type> => [
  ...method.arguments.map(({ type }) => type),
  ...(method.result === undefined ? [] : [method.result]),
  ...method.throws.map(({ type }) => type)
]

/**
 * What each step needs, as far as it is among `here`.
 *
 * @internal
 */
export const steps = (here: ReadonlySet<Program.Definition>): ((step: Step) => ReadonlySet<Step>) => {
  const constructions = new Map<Program.Struct, Construction>()
  const constructionOf = (struct: Program.Struct): Construction => {
    let known = constructions.get(struct)
    if (known === undefined) constructions.set(struct, (known = { tag: "Construction", struct }))
    return known
  }

  const ofType = (type: Program.Type): ReadonlyArray<Step> => named(type).map(unaliased)

  const ofValue = (root: Program.Value): ReadonlyArray<Step> => {
    const found: Array<Step> = []
    for (const value of values(root)) {
      if (value.from !== undefined) found.push(value.from)
      if (value.kind === "enum") found.push(value.enum)
      if (value.kind !== "struct" || !here.has(value.struct)) continue
      // a union is a plain object
      found.push(value.struct.kind === "union" ? value.struct : constructionOf(value.struct))
    }
    return found
  }

  const ofStep = (step: Step): ReadonlyArray<Step> => {
    switch (step.tag) {
      case "Construction": {
        const defaults = step.struct.fields.flatMap((field) => (field.default === undefined ? [] : [field.default]))
        return [step.struct, ...defaults.flatMap(ofValue)]
      }
      case "Const":
        return ofValue(step.value)
      case "Enum":
        return []
      case "Typedef":
        // an alias is written as what it is an alias of
        return step.type.kind === "reference" ? [step.type.to] : ofType(step.type)
      case "Struct":
        return step.fields.flatMap((field) => ofType(field.type))
      case "Service": {
        const types = step.methods.flatMap(methodTypes).flatMap(ofType)
        return step.extends === undefined ? types : [step.extends, ...types]
      }
    }
  }

  const known = new Map<Step, ReadonlySet<Step>>()
  return (step) => {
    let needed = known.get(step)
    if (needed === undefined) {
      needed = new Set(ofStep(step).filter((each) => each.tag === "Construction" || here.has(each)))
      known.set(step, needed)
    }
    return needed
  }
}
