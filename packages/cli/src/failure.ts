/**
 * How a command ends when it did not do what was asked: a line for a person and an exit code.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"

/**
 * `findings`: the IDL has errors, or a check failed. `usage`: the command line or the configuration is wrong. `machine`: a
 * file could not be written, or there is a bug in millrace.
 */
export const exitCodes = { findings: 1, usage: 2, machine: 3 } as const

/** Without a message everything has been said already. */
export class Failure extends Data.TaggedError("Failure")<{
  readonly kind: keyof typeof exitCodes
  readonly message: string
}> {}

export const findings = (message = ""): Failure => new Failure({ kind: "findings", message })

export const usage = (message: string): Failure => new Failure({ kind: "usage", message })

export const machine = (message: string): Failure => new Failure({ kind: "machine", message })

const reasons: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  EISDIR: "it is a directory",
  ENOTDIR: "a part of its path is a file",
  EEXIST: "a part of its path is a file",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on the device",
  EDQUOT: "the disk quota is used up",
  EFBIG: "it would be too large",
  ERR_FS_FILE_TOO_LARGE: "it is too large",
  ERR_STRING_TOO_LONG: "it is too large",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open",
  ELOOP: "too many symbolic links",
  ENAMETOOLONG: "the name is too long"
}

/** The error code of a failed call of the file system. */
export const codeOf = (cause: unknown): string | undefined =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined

/** Why a call of the file system failed, in plain words. */
export const reasonOf = (cause: unknown): string => {
  const code = codeOf(cause)
  if (code !== undefined) return reasons[code] ?? code
  return cause instanceof Error ? cause.message : String(cause)
}
