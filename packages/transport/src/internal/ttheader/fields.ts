/**
 * Header fields that connections write by themselves: those of answers, of a cancel frame, of a goodbye.
 *
 * @internal
 */
import type { CallEntries, CallHeaderFields } from "../../RawCall.ts"
import { IntKey, StringKey } from "./keys.ts"

/** What an answer is, as bits. @internal */
export const Answer = {
  /** An exception; a result otherwise. */
  Exception: 1,
  /** The connection takes no more requests. */
  Last: 2,
  /** The client multiplexes, and hears that it may. */
  Multiplexed: 4
} as const

const noEntries: CallEntries = []
const resetEntries: CallEntries = [[StringKey.ConnectionReset, "1"]]

const makeAnswer = (bits: number, strings: CallEntries): CallHeaderFields => {
  const ints: Array<readonly [number, string]> = [[IntKey.MessageType, (bits & Answer.Exception) === 0 ? "2" : "3"]]
  if ((bits & Answer.Multiplexed) !== 0) ints.push([IntKey.Multiplexed, "1"])
  // Of two entries with one key the last counts.
  return { ints, strings: (bits & Answer.Last) === 0 ? strings : [...strings, ...resetEntries] }
}

// Most answers are one of these, so that their bytes are there already.
const plain: ReadonlyArray<CallHeaderFields> = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => makeAnswer(bits, noEntries))

/** Fields of an answer; `bits` of `Answer`. @internal */
export const answerFields = (bits: number, strings: CallEntries | undefined): CallHeaderFields =>
  strings === undefined || strings.length === 0 ? plain[bits]! : makeAnswer(bits, strings)

/** Fields of the frame that cancels a call. @internal */
export const cancelFields: CallHeaderFields = { ints: [[IntKey.Cancel, "1"]], strings: noEntries }

/** Fields of the frame that asks a multiplexing client to go. @internal */
export const goodbyeFields: CallHeaderFields = { ints: [], strings: resetEntries }
