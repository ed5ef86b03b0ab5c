/**
 * The names that types have in schemas and plans: `<namespace>.<Name>`, unique in the program.
 */
import type * as Program from "../../Program.ts"
import { type NamespaceOptions, namespaceOf } from "./namespace.ts"

/** @internal */
export type Named = Program.Struct | Program.Enum

/** @internal */
export type Identities = (named: Named) => string

const qualified = (...parts: ReadonlyArray<string>): string => parts.filter((part) => part !== "").join(".")

/**
 * The names of all structs, unions, exceptions and enums. Where two files give the same, it is
 * `<namespace>.<file>.<Name>`.
 *
 * @internal
 */
export const identities = (program: Program.Program, options: NamespaceOptions): Identities => {
  const sharers = new Map<string, Array<Named>>()
  const names = new Map<Named, string>()
  for (const file of program.files) {
    const namespace = namespaceOf(file, options)
    for (const definition of file.definitions) {
      if (definition.tag !== "Struct" && definition.tag !== "Enum") continue
      const name = qualified(namespace, definition.name)
      const known = sharers.get(name)
      if (known === undefined) sharers.set(name, [definition])
      else known.push(definition)
      names.set(definition, name)
    }
  }
  const taken = new Set(sharers.keys())
  for (const definitions of sharers.values()) {
    if (definitions.length === 1) continue
    for (const definition of definitions) {
      let { prefix } = definition.file
      const namespace = namespaceOf(definition.file, options)
      const name = () => qualified(namespace, prefix, definition.name)
      while (taken.has(name())) prefix += "_"
      taken.add(name())
      names.set(definition, name())
    }
  }
  return (named) => names.get(named) ?? named.name
}
