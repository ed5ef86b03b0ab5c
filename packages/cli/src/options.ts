/**
 * What decides the generated text of an IDL. The configuration and the flags give the same options; flags win.
 *
 * @since 0.1.0
 */
import * as Diagnostic from "@millrace/idl/Diagnostic"
import type * as Emitter from "@millrace/idl/Emitter"
import * as Schema from "effect/Schema"
import * as NodePath from "node:path"

export const choices = {
  layout: ["namespace", "flat"],
  importExt: [".js", ".ts", "none"],
  case: ["keep", "camel"],
  i64: ["bigint", "number"],
  codec: ["aot", "none"],
  compat: ["kitex", "apache"]
} as const

/** As written in the configuration. */
export const fields = {
  out: Schema.optionalKey(Schema.String),
  include: Schema.optionalKey(Schema.Array(Schema.String)),
  recurse: Schema.optionalKey(Schema.Boolean),
  layout: Schema.optionalKey(Schema.Literals(choices.layout)),
  importExt: Schema.optionalKey(Schema.Literals(choices.importExt)),
  namespaceScope: Schema.optionalKey(Schema.Array(Schema.String)),
  namespaceMap: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  case: Schema.optionalKey(Schema.Literals(choices.case)),
  i64: Schema.optionalKey(Schema.Literals(choices.i64)),
  codec: Schema.optionalKey(Schema.Literals(choices.codec)),
  trim: Schema.optionalKey(Schema.Boolean),
  compat: Schema.optionalKey(Schema.Literals(choices.compat)),
  allowEnumAlias: Schema.optionalKey(Schema.Boolean),
  allowWarnings: Schema.optionalKey(Schema.Array(Schema.String))
}

const Fields = Schema.Struct(fields)

export interface Options {
  /** The output folder, absolute; `{namespace}` and `{namespaceUnderscore}` stand for the namespace of the IDL. */
  readonly out: string
  /** Folders in which includes are looked for last, absolute. */
  readonly include: ReadonlyArray<string>
  /** Whether included files get generated files too. */
  readonly recurse: boolean
  readonly layout: "namespace" | "flat"
  readonly importExt: ".js" | ".ts" | "none"
  readonly namespaceScope: ReadonlyArray<string>
  /** By prefix of a namespace, or path of an IDL, what stands in its place. */
  readonly namespaceMap: Readonly<Record<string, string>>
  readonly case: "keep" | "camel"
  readonly i64: "bigint" | "number"
  readonly codec: "aot" | "none"
  /** Whether types that no service reaches are left out. */
  readonly trim: boolean
  readonly compat: "kitex" | "apache"
  readonly allowEnumAlias: boolean
  /** Codes of warnings that are not told. */
  readonly allowWarnings: ReadonlyArray<string>
}

/** Makes the paths of options absolute. */
export const resolve = (options: typeof Fields.Type, folder: string): Partial<Options> => ({
  ...options,
  ...(options.out === undefined ? {} : { out: NodePath.resolve(folder, options.out) }),
  ...(options.include === undefined ? {} : { include: options.include.map((each) => NodePath.resolve(folder, each)) })
})

const isNamespace = (text: string): boolean => /^([\w-]+(\.[\w-]+)*)?$/.test(text)

const placeholders = ["{namespace}", "{namespaceUnderscore}"]

/** What is wrong with options of the right types. */
export const problemOf = ({
  allowWarnings = [],
  namespaceMap = {},
  out = ""
}: Partial<Options>): string | undefined => {
  const placeholder = out.match(/\{\w+\}/g)?.find((each) => !placeholders.includes(each))
  if (placeholder !== undefined) {
    return `${placeholder} stands for nothing in an output folder: there are ${placeholders.join(" and ")}`
  }
  const entry = Object.entries(namespaceMap).find(([, to]) => !isNamespace(to))
  if (entry !== undefined) {
    return `${entry[1]} cannot stand for ${entry[0]}: a namespace is letters, digits, _ and -, in parts with dots between them`
  }
  const known = new Set<string>(Diagnostic.warnings)
  const unknown = allowWarnings.find((code) => !known.has(code))
  if (unknown === undefined) return undefined
  const suggestion = Diagnostic.suggestWarning(unknown)
  return `${unknown} is not the code of a warning${suggestion === undefined ? "" : `; did you mean ${suggestion}?`}`
}

/** The options of the emitter. */
export const emitterOptions = (options: Options): Emitter.Options => ({
  layout: options.layout,
  importExtension: options.importExt === "none" ? "" : options.importExt,
  namespaceScopes: options.namespaceScope,
  namespaceMap: Object.entries(options.namespaceMap),
  case: options.case,
  i64: options.i64,
  codec: options.codec,
  recurse: options.recurse,
  trim: options.trim
})

/** The output folder of an IDL, whose namespace is these folders. */
export const outputFolder = (out: string, namespace: ReadonlyArray<string>): string =>
  out.replaceAll("{namespace}", namespace.join(NodePath.sep)).replaceAll("{namespaceUnderscore}", namespace.join("_"))

/** The folder that holds the output folders of all namespaces. */
export const fixedFolder = (out: string): string => {
  const start = out.search(/\{namespace(Underscore)?\}/)
  return start < 0 ? out : NodePath.dirname(`${out.slice(0, start)}_`)
}

/** All options: those that are given over the defaults, by which the output folder is below `folder`. */
export const complete = (folder: string, given: Partial<Options>): Options => {
  const all = { ...defaults(folder), ...given }
  // The folders of the namespace are there already.
  const isFlat = given.layout === undefined && fixedFolder(all.out) !== all.out
  return isFlat ? { ...all, layout: "flat" } : all
}

const defaults = (folder: string): Options => ({
  out: NodePath.join(folder, "gen"),
  include: [],
  recurse: true,
  layout: "namespace",
  importExt: ".js",
  namespaceScope: ["ts", "js", "*", "go"],
  namespaceMap: {},
  case: "keep",
  i64: "bigint",
  codec: "aot",
  trim: false,
  compat: "kitex",
  allowEnumAlias: false,
  allowWarnings: []
})
