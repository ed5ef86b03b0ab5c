/**
 * How many columns of a terminal a text takes.
 *
 * @internal
 */

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u

const withoutWidth = /[\p{Mn}\p{Me}\p{Cf}]/u

/** What a terminal would obey instead of showing it: controls, and marks that turn the direction of the text. */
const controls = /[\0-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g

/**
 * A text that a terminal only shows, in one line.
 *
 * @internal
 */
export const printable = (text: string): string => text.replaceAll(controls, "\ufffd")

/**
 * The columns of one character. That of a tab depends on the terminal, so it counts as the most that it can be.
 *
 * @internal
 */
export const columns = (character: string): number =>
  character === "\t" ? 8 : character < "\u0300" ? 1 : withoutWidth.test(character) ? 0 : wide.test(character) ? 2 : 1
