/**
 * The names that a generated module uses: what it imports, under which name, and the globals that it means.
 */
import type * as Program from "../../Program.ts"
import { exportName } from "./names.ts"
import { type Place, specifier } from "./places.ts"

const libraries = {
  Thrift: { from: "@millrace/codec", isWhole: false },
  Method: { from: "@millrace/rpc", isWhole: false },
  Service: { from: "@millrace/rpc", isWhole: false },
  Schema: { from: "effect/Schema", isWhole: true },
  codec: { from: "", isWhole: true }
}

type Library = keyof typeof libraries

const globals = new Set([
  "Infinity",
  "Map",
  "Object",
  "ReadonlyArray",
  "ReadonlyMap",
  "ReadonlySet",
  "Set",
  "Uint8Array"
])

/** @internal */
export interface Scope {
  /** The name of a library in this module, which imports it from now on. */
  readonly library: (name: Library) => string
  /** A global, also where the file declares its name. */
  readonly global: (name: string) => string
  /** The name of a definition of this or another file. */
  readonly definition: (definition: Program.Definition) => string
  /** The import statements for all that was asked for. */
  readonly imports: () => string
}

/** @internal */
export const scope = (
  file: Program.File,
  declared: ReadonlySet<string>,
  placeOf: (file: Program.File) => Place,
  importExtension: string
): Scope => {
  const place = placeOf(file)
  const used = new Set<Library>()
  const modules = new Map<Program.File, string>()
  const taken = new Set([...declared, ...Object.keys(libraries), ...globals])

  const moduleName = (of: Program.File): string => {
    let name = modules.get(of)
    if (name !== undefined) return name
    const plain = exportName(of.prefix.replaceAll(/\W/g, "_"))
    name = plain
    for (let i = 1; taken.has(name); i++) name = i === 1 ? `$${plain}` : `$${plain}${i}`
    taken.add(name)
    modules.set(of, name)
    return name
  }

  const library = (name: Library): string => {
    used.add(name)
    return local(name)
  }
  // no name of an IDL has a dollar
  const local = (name: Library): string => (declared.has(name) ? `$${name}` : name)

  const importOf = (name: Library): string => (local(name) === name ? name : `${name} as ${local(name)}`)

  const libraryImports = (): ReadonlyArray<string> => {
    const lines = new Map<string, Array<string>>()
    for (const name of Object.keys(libraries) as ReadonlyArray<Library>) {
      if (!used.has(name)) continue
      const { from, isWhole } = libraries[name]
      const source = from === "" ? specifier(place, place, `.codec${importExtension}`) : from
      const known = lines.get(source)
      if (isWhole) lines.set(source, [`* as ${local(name)}`])
      else if (known === undefined) lines.set(source, [importOf(name)])
      else known.push(importOf(name))
    }
    return [...lines].map(([source, names]) =>
      names[0]!.startsWith("*")
        ? `import ${names[0]} from ${JSON.stringify(source)}`
        : `import { ${names.join(", ")} } from ${JSON.stringify(source)}`
    )
  }

  const moduleImports = (): ReadonlyArray<string> =>
    [...modules]
      .map(([of, name]) => ({ name, source: specifier(place, placeOf(of), importExtension) }))
      .sort((left, right) => (left.source < right.source ? -1 : 1))
      .map(({ name, source }) => `import * as ${name} from ${JSON.stringify(source)}`)

  return {
    library,
    global: (name) => (declared.has(name) ? `globalThis.${name}` : name),
    definition: (definition) => {
      const name = exportName(definition.name)
      return definition.file === file ? name : `${moduleName(definition.file)}.${name}`
    },
    imports: () => [...libraryImports(), ...moduleImports()].map((line) => `${line}\n`).join("")
  }
}
