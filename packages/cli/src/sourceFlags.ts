/**
 * The arguments and flags of every command that compiles IDLs, and what is wrong with their values. Paths come absolute
 * from the command line.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as NodeFs from "node:fs"
import { codeOf, type Failure, reasonOf, usage } from "./failure.ts"
import { choices, type Options, problemOf } from "./options.ts"
import { shown } from "./project.ts"

export const idls = Argument.Path("idl", { pathType: "either", mustExist: false }).pipe(
  Argument.withDescription("Thrift IDL files"),
  Argument.variadic()
)

export const sourceFlags = {
  include: Flag.Path("include", { pathType: "either", mustExist: false }).pipe(
    Flag.withAlias("I"),
    Flag.withAlias("i"),
    Flag.withDescription("Folder in which includes are looked for last; may be given more than once"),
    Flag.atLeast(0)
  ),
  compat: Flag.Literals("compat", choices.compat).pipe(
    Flag.optional,
    Flag.withDescription("The grammar: what Kitex accepts (the default), or what Apache Thrift accepts too")
  ),
  allowEnumAlias: Flag.Boolean("allow-enum-alias").pipe(
    Flag.optional,
    Flag.withDescription("Allow enum members with the same value")
  ),
  allowWarning: Flag.String("allow-warning").pipe(
    Flag.atLeast(0),
    Flag.withMetavar("code"),
    Flag.withDescription("Do not tell the warnings of this code, as W_STREAM_UNARY; may be repeated")
  )
}

export const warningsAsErrors = Flag.Boolean("warnings-as-errors").pipe(
  Flag.withoutNegation,
  Flag.withDefault(false),
  Flag.withDescription("Let warnings fail the command too")
)

export const configFlag = Flag.File("config", { mustExist: false }).pipe(
  Flag.map((path): string | undefined => path),
  Flag.withDefault(undefined),
  Flag.withDescription("The configuration, in place of the nearest millrace.config.json or millrace.config.ts upward")
)

export interface SourceFlags {
  readonly include: ReadonlyArray<string>
  readonly compat: Option.Option<Options["compat"]>
  readonly allowEnumAlias: Option.Option<boolean>
  readonly allowWarning: ReadonlyArray<string>
}

/** Drops what was not given. */
export const given = <Flags extends Record<string, Option.Option<unknown>>>(
  flags: Flags
): { readonly [Name in keyof Flags]?: Option.Option.Value<Flags[Name]> } =>
  Object.fromEntries(
    Object.entries(flags).flatMap(([name, flag]) => (Option.isSome(flag) ? [[name, flag.value]] : []))
  ) as { readonly [Name in keyof Flags]?: Option.Option.Value<Flags[Name]> }

/** The address of a repository, which the command line has taken for a path. */
const urlOf = (path: string): string | undefined => {
  const text = shown(path).replace(/^([a-z+]+):\/+/, "$1://")
  return /^[a-z+]+:\/\//.test(text) || /^[\w.-]+@[\w.-]+:/.test(text) ? text : undefined
}

export const isFolder = (path: string): boolean => {
  try {
    return NodeFs.statSync(path).isDirectory()
  } catch {
    return false
  }
}

const folderProblem = (folder: string): string | undefined => {
  const url = urlOf(folder)
  if (url !== undefined) return `includes from a repository are not supported: clone ${url} and name its folder`
  try {
    return NodeFs.statSync(folder).isDirectory() ? undefined : `the include folder ${shown(folder)} is not a folder`
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return `the include folder ${shown(folder)} does not exist`
    return `cannot read the include folder ${shown(folder)}: ${reasonOf(cause)}`
  }
}

/** Fails for the first that is no folder for includes. */
export const checkFolders = Effect.fnUntraced(function* (
  folders: ReadonlyArray<string>
): Effect.fn.Return<void, Failure> {
  for (const folder of folders) {
    const problem = folderProblem(folder)
    if (problem !== undefined) return yield* usage(problem)
  }
})

/** The options that the flags give. */
export const sourceOptions = Effect.fnUntraced(function* (
  flags: SourceFlags
): Effect.fn.Return<Partial<Options>, Failure> {
  yield* checkFolders(flags.include)
  const problem = problemOf({ allowWarnings: flags.allowWarning })
  if (problem !== undefined) return yield* usage(`--allow-warning: ${problem}`)
  return {
    ...(flags.allowWarning.length === 0 ? {} : { allowWarnings: flags.allowWarning }),
    ...(flags.include.length === 0 ? {} : { include: flags.include }),
    ...given({ compat: flags.compat, allowEnumAlias: flags.allowEnumAlias })
  }
})

/** The IDLs that were named, if they can be any. */
export const checkIdls = Effect.fnUntraced(function* (
  paths: ReadonlyArray<string>
): Effect.fn.Return<ReadonlyArray<string>, Failure> {
  for (const path of paths) {
    const url = urlOf(path)
    if (url !== undefined) return yield* usage(`IDLs in a repository are not supported: clone ${url} and name the file`)
    if (!path.endsWith(".thrift")) {
      if (isFolder(path)) return yield* usage(`${shown(path)} is a folder: name the IDLs in it`)
      return yield* usage(`${shown(path)} is neither a command nor an IDL: the name of an IDL ends with .thrift`)
    }
  }
  return paths
})
