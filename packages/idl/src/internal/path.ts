/**
 * Paths with `/`, as texts: nothing here asks a file system.
 *
 * @internal
 */

const isAbsolute = (path: string): boolean => path.startsWith("/") || /^[A-Za-z]:\//.test(path)

/**
 * The shortest spelling: without `.`, empty segments, and `..` behind a name.
 *
 * @internal
 */
export const normalise = (path: string): string => {
  const root = path.startsWith("/") ? "/" : ""
  const segments: Array<string> = []
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue
    if (segment !== "..") segments.push(segment)
    else if (segments.length > 0 && segments.at(-1) !== "..") segments.pop()
    else if (root === "") segments.push("..")
  }
  return root + segments.join("/") || "."
}

/**
 * A path that is meant from a folder.
 *
 * @internal
 */
export const join = (folder: string, path: string): string =>
  normalise(folder === "" || isAbsolute(path) ? path : `${folder}/${path}`)

/**
 * The folder of a file; empty where the path names none.
 *
 * @internal
 */
export const folder = (path: string): string => {
  const slash = path.lastIndexOf("/")
  return slash === 0 ? "/" : path.slice(0, Math.max(slash, 0))
}

/**
 * What an including file refers to a file by: its base name without the last extension.
 *
 * @internal
 */
export const prefix = (path: string): string => {
  const base = path.slice(path.lastIndexOf("/") + 1)
  const dot = base.lastIndexOf(".")
  return dot < 0 ? base : base.slice(0, dot)
}
