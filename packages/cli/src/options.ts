/**
 * What decides the generated text of an IDL. The configuration and the flags give the same options; flags win.
 *
 * @since 0.1.0
 */
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
  allowEnumAlias: Schema.optionalKey(Schema.Boolean)
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
}

/** Makes the paths of options absolute. */
export const resolve = (options: typeof Fields.Type, folder: string): Partial<Options> => ({
  ...options,
  ...(options.out === undefined ? {} : { out: NodePath.resolve(folder, options.out) }),
  ...(options.include === undefined ? {} : { include: options.include.map((each) => NodePath.resolve(folder, each)) })
})

/** The defaults; the output folder is below the given one. */
export const defaults = (folder: string): Options => ({
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
  allowEnumAlias: false
})
