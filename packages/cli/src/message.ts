/**
 * What is said about a command as a whole, in the format that was asked for: it belongs to no place in an IDL.
 *
 * @since 0.1.0
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type { Failure } from "./failure.ts"
import { Format } from "./settings.ts"

export type Format = "pretty" | "json" | "github"

export interface Message {
  readonly code: string
  readonly severity: "error" | "warning" | "note"
  readonly message: string
}

const levels = { error: "error", warning: "warning", note: "notice" } as const

const escaped = (text: string): string => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A")

export const text = (format: Format, message: Message): string => {
  if (format === "json") return JSON.stringify([message], undefined, 2)
  if (format === "github") return `::${levels[message.severity]} title=${message.code}::${escaped(message.message)}`
  return `millrace: ${message.message}`
}

const codes = { findings: "E_CHECK", usage: "E_USAGE", machine: "E_IO" } as const

export const ofFailure = ({ kind, message }: Failure): Message => ({ code: codes[kind], severity: "error", message })

/** The format that a command line asks for, which may be wrong in all other parts. */
export const formatOf = (args: ReadonlyArray<string>): Format => {
  const isAsked = (format: Format) =>
    args.some((arg, i) => arg === `--format=${format}` || (arg === format && args[i - 1] === "--format"))
  return (["json", "github"] as const).find(isAsked) ?? "pretty"
}

/** Says on standard error what is worth knowing, and keeps nothing from going on. */
export const note = Effect.fnUntraced(function* (code: string, message: string) {
  yield* Console.error(text(yield* Format, { code, severity: "note", message }))
})
