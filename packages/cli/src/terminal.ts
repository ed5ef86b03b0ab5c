/**
 * Text for a person at a terminal.
 *
 * @since 0.1.0
 */

/** Whether a stream gets colors. */
export const hasColor = (
  setting: "auto" | "always" | "never",
  stream: { readonly isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>>
): boolean => {
  if (setting !== "auto") return setting === "always"
  return stream.isTTY === true && !environment["NO_COLOR"] && environment["TERM"] !== "dumb"
}

/** The columns of a terminal; what goes into a file or a pipe is not cut to size. */
export const widthOf = (stream: { readonly isTTY?: boolean; readonly columns?: number }): number =>
  stream.isTTY === true ? Math.max(40, stream.columns ?? 80) : 120

/** `1 file`, `2 files`. */
export const count = (files: number): string => `${files} ${files === 1 ? "file" : "files"}`
