/**
 * What it means for readers and writers of another version that a member may be absent, came, or went.
 *
 * @internal
 */
import type { Severity } from "../../Change.ts"
import type * as Program from "../../Program.ts"
import { structOf, typeText } from "./types.ts"
import { omitsDefault, staysAbsent } from "./values.ts"

/**
 * How bad it is and the sentence that says why.
 *
 * @internal
 */
export type Verdict = readonly [severity: Severity, consequence: string]

const notSet = (field: Program.Field) => `fail with "required field ${field.name} is not set"`

/** Kitex writes an absent struct of default requiredness as an empty one, Millrace leaves it out. */
const mayBeLeftOut = (field: Program.Field): boolean =>
  structOf(field.type) !== undefined && field.default === undefined

const whatIsRead = (field: Program.Field): string => {
  if (field.default !== undefined) return "its default"
  return staysAbsent(field) ? "nothing" : `the zero of ${typeText(field.type)}`
}

/** The default of an argument is ignored, by Kitex too. */
const whatIsReadOfArgument = (field: Program.Field): string => whatIsRead({ ...field, default: undefined })

/** @internal */
export const spelled = (field: Program.Field): string =>
  field.requiredness === "default" ? "neither required nor optional" : field.requiredness

const toRequired = (old: Program.Field, now: Program.Field): Verdict => {
  if (old.requiredness === "optional") {
    return ["breaking", `old writers leave it out where it is absent, and new readers then ${notSet(now)}`]
  }
  return mayBeLeftOut(old)
    ? ["breaking", `old writers may leave out an absent struct, and new readers then ${notSet(now)}`]
    : [
        "warning",
        `old writers of Kitex and Millrace always write it, but of messages without it, older ones or those of other writers, new readers ${notSet(now)}`
      ]
}

const fromRequired = (old: Program.Field, now: Program.Field): Verdict => {
  if (now.requiredness === "optional") {
    return ["breaking", `new writers leave it out where it is absent, and old readers then ${notSet(old)}`]
  }
  return mayBeLeftOut(now)
    ? ["breaking", `new writers may leave out an absent struct, and old readers then ${notSet(old)}`]
    : [
        "warning",
        `new writers of Kitex and Millrace always write it, but where another writer leaves it out, old readers ${notSet(old)}`
      ]
}

const mayBeAbsent = "source code has to follow, as the member may be absent in one version only"

/** Between optional and default requiredness: with a default, programs of both versions have a value in any case. */
const careFor = (old: Program.Field, now: Program.Field, consequence: string): Verdict =>
  old.default !== undefined && now.default !== undefined
    ? ["compatible", consequence]
    : ["warning", `${consequence}; ${mayBeAbsent}`]

const fromOptional = (old: Program.Field, now: Program.Field): Verdict => {
  const struct = structOf(now.type)
  if (struct === undefined || now.default !== undefined) {
    return careFor(
      old,
      now,
      "new writers always write it, so old readers find a value where the member was absent before"
    )
  }
  return struct.kind !== "union" && struct.fields.some(({ requiredness }) => requiredness === "required")
    ? [
        "breaking",
        `Kitex writes an absent ${struct.name} as an empty one, and old readers then fail for want of its required members`
      ]
    : ["warning", `Kitex writes an absent ${struct.name} as an empty one, which old readers take for one that is there`]
}

/**
 * For two members that differ in their requiredness.
 *
 * @internal
 */
export const requirednessChange = (old: Program.Field, now: Program.Field): Verdict => {
  if (now.requiredness === "required") return toRequired(old, now)
  if (old.requiredness === "required") return fromRequired(old, now)
  return now.requiredness === "optional"
    ? careFor(old, now, `new writers leave it out where it is absent, and old readers then have ${whatIsRead(old)}`)
    : fromOptional(old, now)
}

/**
 * For two members whose absence means different values.
 *
 * @internal
 */
export const defaultChange = (old: Program.Field, now: Program.Field): Verdict => {
  if (old.requiredness === "required" && now.requiredness === "required") {
    return ["compatible", "it is only what constructors fill in, since the member is always written"]
  }
  const omitted = [old, now].some(omitsDefault)
    ? "; writers leave out a value that equals their default, so it becomes another one on the way"
    : ""
  return ["warning", `where the member is absent, readers of the two versions have different values${omitted}`]
}

/** @internal */
export interface Place {
  readonly what: "member" | "argument" | "exception"
  readonly isUnion: boolean
}

/** @internal */
export const addition = ({ what, isUnion }: Place, now: Program.Field): Verdict => {
  if (what === "argument") {
    return [
      "warning",
      `old servers skip it, and new servers have ${whatIsReadOfArgument(now)} for it in calls of old clients; source code that calls or implements the method has to follow`
    ]
  }
  if (what === "exception") {
    return ["warning", "old clients do not know it: those of Kitex return an empty response and no error in its place"]
  }
  if (isUnion) {
    return [
      "warning",
      "old readers know no member of a union that holds it: Millrace fails to read it, Kitex reads a union without a member; bring new readers out first"
    ]
  }
  return now.requiredness === "required"
    ? ["breaking", `old messages do not have it, and new readers of them ${notSet(now)}`]
    : ["compatible", `old readers skip it, and new readers of old messages have ${whatIsRead(now)}`]
}

/** @internal */
export const removal = ({ what, isUnion }: Place, old: Program.Field): Verdict => {
  if (what === "argument") {
    return [
      "warning",
      `new servers skip it, and old servers have ${whatIsReadOfArgument(old)} for it in calls of new clients; source code that calls or implements the method has to follow`
    ]
  }
  if (what === "exception") {
    return [
      "warning",
      "new clients no longer know it: those of Kitex return an empty response and no error when an old server sends it"
    ]
  }
  if (isUnion) {
    return [
      "breaking",
      "new readers know no member of an old union that holds it: Millrace fails to read it, Kitex reads a union without a member"
    ]
  }
  return old.requiredness === "required"
    ? ["breaking", `old readers of new messages ${notSet(old)}`]
    : [
        "warning",
        `old readers of new messages have ${whatIsRead(old)}, and new readers skip what old writers send; source code that uses it has to follow, and its id must not be used again`
      ]
}
