/**
 * Emitted texts that are kept from one emission to the next, for files on which nothing that they depend on has changed.
 */
import type * as Program from "../../Program.ts"
import type { Identities } from "./identity.ts"

/**
 * By path of an IDL, what its text was made of, and what was made.
 *
 * @internal
 */
export type Memory<Made> = Map<string, { readonly ingredients: ReadonlyArray<string>; readonly made: Made }>

const includedBy = (file: Program.File): ReadonlySet<Program.File> => {
  const found = new Set([file])
  // a set is iterated over what is added to it on the way
  for (const each of found) for (const include of each.includes) found.add(include.file)
  return found
}

/** The names of the types of each file, which depend on all files of a program. */
const namesOf = (identities: Identities): ((file: Program.File) => string) => {
  const names = new Map<Program.File, string>()
  return (file) => {
    const known = names.get(file)
    if (known !== undefined) return known
    const own = file.definitions.flatMap((each) =>
      each.tag === "Struct" || each.tag === "Enum" ? [identities(each)] : []
    )
    names.set(file, own.join())
    return own.join()
  }
}

/**
 * Makes what is not remembered, and remembers it.
 *
 * @internal
 */
export const remembering = <Made>(memory: Memory<Made> | undefined, options: object, identities: Identities) => {
  const names = namesOf(identities)
  const optionsText = JSON.stringify(options)
  return (file: Program.File, definitions: ReadonlyArray<Program.Definition>, make: () => Made): Made => {
    if (memory === undefined) return make()
    const ingredients = [optionsText, definitions.map(({ name }) => name).join()]
    for (const each of includedBy(file)) ingredients.push(each.source.path, each.source.text, names(each))
    const known = memory.get(file.source.path)
    if (
      known?.ingredients.length === ingredients.length &&
      known.ingredients.every((part, i) => part === ingredients[i])
    ) {
      return known.made
    }
    const made = make()
    memory.set(file.source.path, { ingredients, made })
    return made
  }
}
