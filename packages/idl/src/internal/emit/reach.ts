/**
 * What the services of a program need, and nothing else.
 */
import type * as Program from "../../Program.ts"
import { methodTypes, named, values } from "./needs.ts"

const ofType = named

const ofValue = (root: Program.Value): ReadonlyArray<Program.Definition> => {
  const found: Array<Program.Definition> = []
  for (const value of values(root)) {
    if (value.from !== undefined) found.push(value.from)
    if (value.kind === "enum") found.push(value.enum)
    if (value.kind === "struct") found.push(value.struct)
  }
  return found
}

const ofField = (field: Program.Field): ReadonlyArray<Program.Definition> =>
  field.default === undefined ? ofType(field.type) : [...ofType(field.type), ...ofValue(field.default)]

const uses = (definition: Program.Definition): ReadonlyArray<Program.Definition> => {
  switch (definition.tag) {
    case "Const":
      return [...ofType(definition.type), ...ofValue(definition.value)]
    case "Enum":
      return []
    case "Typedef":
      return ofType(definition.type)
    case "Struct":
      return definition.fields.flatMap(ofField)
    case "Service": {
      const types = definition.methods.flatMap(methodTypes).flatMap(ofType)
      return definition.extends === undefined ? types : [definition.extends, ...types]
    }
  }
}

/**
 * The services and constants of the entries, and all that they lead to.
 *
 * @internal
 */
export const reachable = (program: Program.Program): ReadonlySet<Program.Definition> => {
  const roots = program.entries.flatMap(({ definitions }) => definitions)
  const found = new Set(roots.filter(({ tag }) => tag === "Service" || tag === "Const"))
  // a set is iterated over what is added to it on the way
  for (const definition of found) for (const used of uses(definition)) found.add(used)
  return found
}
