/**
 * Names and paths that meet only in TypeScript.
 */
import * as Diagnostic from "../../Diagnostic.ts"
import type * as Program from "../../Program.ts"
import type { Source, Span } from "../../Source.ts"
import { enumMemberName, exportName, memberName, type NameOptions } from "./names.ts"

/** Something that takes a name. */
interface Claim {
  readonly name: string
  readonly source: Source
  readonly span: Span
}

type Say = (name: string, claim: Claim, other: Claim) => { readonly message: string; readonly hint: string }

/** A diagnostic for each claim but the first of each name. */
const conflicts = (claims: Iterable<Claim>, say: Say): ReadonlyArray<Diagnostic.Diagnostic> => {
  const first = new Map<string, Claim>()
  const found: Array<Diagnostic.Diagnostic> = []
  for (const claim of claims) {
    const { name, source, span } = claim
    const other = first.get(name)
    if (other === undefined) {
      first.set(name, claim)
      continue
    }
    const { hint, message } = say(name, claim, other)
    const related = [{ source: other.source, span: other.span, message: "the other one" }]
    found.push(Diagnostic.make("E_OUTPUT_CONFLICT", source, span, message, { related, hint }))
  }
  return found
}

const fileSpan = (file: Program.File): Span =>
  file.document.headers.find(({ tag }) => tag === "Namespace") ?? { start: 0, end: 0 }

/**
 * Two files that would be written to one path, also where only a file system tells upper from lower case.
 *
 * @internal
 */
export const pathConflicts = (
  outputs: ReadonlyArray<readonly [path: string, file: Program.File]>
): ReadonlyArray<Diagnostic.Diagnostic> =>
  conflicts(
    outputs.map(([path, file]) => ({ name: path.toLowerCase(), source: file.source, span: fileSpan(file) })),
    (path, { source }, other) => ({
      message: `${source.path} and ${other.source.path} both generate ${path}`,
      hint: "rename one of the files, or give them different namespaces"
    })
  )

/**
 * Two files of one folder that export one name, which its index cannot.
 *
 * @internal
 */
export const exportConflicts = (
  files: Iterable<readonly [folder: string, definitions: ReadonlyArray<Program.Definition>]>
): ReadonlyArray<Diagnostic.Diagnostic> => {
  const folders = new Map<string, Array<Claim>>()
  for (const [folder, definitions] of files) {
    const claims = folders.get(folder) ?? []
    folders.set(folder, claims)
    // in one file, only the first of a name meets other files
    const own = new Map(definitions.toReversed().map((each) => [exportName(each.name), each]))
    for (const [name, { file, node }] of own) claims.push({ name, source: file.source, span: node.name })
  }
  return [...folders.values()].flatMap((claims) =>
    conflicts(claims, (name, _, other) => ({
      message: `${name} is declared in ${other.source.path} too, which has the same namespace`,
      hint: "rename one of them, give the files different namespaces, or generate with the flat layout"
    }))
  )
}

const hint = "rename one of them"

/**
 * Names of one file that are different in the IDL and the same in TypeScript.
 *
 * @internal
 */
export const nameConflicts = (
  definitions: ReadonlyArray<Program.Definition>,
  options: NameOptions
): ReadonlyArray<Diagnostic.Diagnostic> => {
  const found: Array<Diagnostic.Diagnostic> = []
  const check = (claims: Iterable<Claim>) =>
    found.push(
      ...conflicts(claims, (name) => ({
        message: `this name becomes ${name} in TypeScript, as another one does`,
        hint
      }))
    )
  const checkFields = (
    owner: Program.Struct["kind"] | "method",
    fields: ReadonlyArray<Program.Field>,
    source: Source
  ) => check(fields.map((field) => ({ name: memberName(owner, field, options), source, span: field.node.name })))
  check(definitions.map(({ file, name, node }) => ({ name: exportName(name), source: file.source, span: node.name })))
  for (const definition of definitions) {
    const { source } = definition.file
    switch (definition.tag) {
      case "Struct":
        checkFields(definition.kind, definition.fields, source)
        break
      case "Enum":
        check(definition.members.map(({ name, node }) => ({ name: enumMemberName(name), source, span: node.name })))
        break
      case "Service":
        for (const method of definition.methods) {
          checkFields("method", method.arguments, source)
          checkFields("method", method.throws, source)
        }
    }
  }
  return found
}
