/**
 * Texts of peers as a line of log may show them.
 *
 * @internal
 */

/** The beginning of a text, without control characters and line ends. @internal */
export const printable = (text: string, longest = 400): string =>
  text.slice(0, longest).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?")
