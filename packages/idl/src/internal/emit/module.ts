/**
 * A whole generated module.
 */
import type * as Program from "../../Program.ts"
import { docText } from "./comments.ts"
import type { Context } from "./context.ts"
import type { Identities } from "./identity.ts"
import { exportName } from "./names.ts"
import { order } from "./order.ts"
import type { Place } from "./places.ts"
import { scope } from "./scope.ts"
import { serviceText } from "./services.ts"
import { constantText, enumText, structText, typedefText } from "./structs.ts"

const definitionText = (definition: Program.Definition, context: Context): string => {
  switch (definition.tag) {
    case "Const":
      return constantText(definition, context)
    case "Enum":
      return enumText(definition, context)
    case "Service":
      return serviceText(definition, context)
    case "Struct":
      return structText(definition, context)
    case "Typedef":
      return typedefText(definition, context)
  }
}

const start = "// Code generated from "
const end = " by millrace. DO NOT EDIT."

/**
 * The first line of a generated file.
 *
 * @internal
 */
export const header = (from: string): string => `${start}${from.replaceAll(/[\r\n\u2028\u2029]/g, " ")}${end}\n`

/**
 * Whether a text has that first line.
 *
 * @internal
 */
export const hasHeader = (text: string): boolean => {
  const line = text.split("\n", 1)[0]!.replace(/\r$/, "")
  return line.startsWith(start) && line.endsWith(end)
}

/**
 * The module of a file, with those of its definitions that are wanted.
 *
 * @internal
 */
export const moduleText = (
  file: Program.File,
  definitions: ReadonlyArray<Program.Definition>,
  options: Context["options"] & { readonly importExtension: string },
  identities: Identities,
  placeOf: (file: Program.File) => Place
): string => {
  const declared = new Set(definitions.map(({ name }) => exportName(name)))
  const ordered = order(definitions)
  const shared = {
    options,
    identities,
    scope: scope(file, declared, placeOf, options.importExtension),
    order: ordered,
    isTyped: false,
    suspended: new Set<Program.Definition>()
  }
  const parts: Array<string> = []
  let previous: Program.Definition | undefined
  for (const current of ordered.definitions) {
    const text = docText(current.node.doc) + definitionText(current, { ...shared, current })
    // constants and typedefs of one line stand together
    const isClose = previous?.tag === current.tag && current.tag === "Const" && isLine(parts.at(-1)!) && isLine(text)
    parts.push(isClose ? text : `\n${text}`)
    previous = current
  }
  if (parts.length === 0) parts.push("\nexport {}\n")
  const doc = docText(file.document.doc)
  return header(file.source.path) + (doc === "" ? "" : `\n${doc}\n`) + shared.scope.imports() + parts.join("")
}

const isLine = (text: string): boolean => text.trim().indexOf("\n") < 0
