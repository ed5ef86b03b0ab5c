/**
 * Two versions of an IDL that stand in different folders, each with its own files that it includes.
 *
 * @since 0.1.0
 */
import * as NodePath from "node:path"

/** A folder and all above it, nearest first. */
const upward = (folder: string): ReadonlyArray<string> => {
  const parent = NodePath.dirname(folder)
  return parent === folder ? [folder] : [folder, ...upward(parent)]
}

/** The nearest folder that both files are below. */
const commonRoot = (one: string, other: string): string | undefined => {
  const folders = new Set(upward(NodePath.dirname(other)))
  return upward(NodePath.dirname(one)).find((folder) => folders.has(folder))
}

/** How many folders, from that of a file upward, are below the root. */
const depthBelow = (root: string | undefined, folders: ReadonlyArray<string>): number =>
  root === undefined ? folders.length : Math.max(0, folders.indexOf(root))

/**
 * The folders that belong to one version alone, from that of a file upward: an include that is found there is of the same
 * version as the file, while the working directory may hold the other one. Where it does, the root of both is asked before it.
 */
export const ownFolders = (
  one: string,
  other: string,
  workingFolder: string
): ((file: string) => ReadonlyArray<string>) => {
  const root = commonRoot(one, other)
  const others = upward(NodePath.dirname(other))
  const isForeign = others.slice(0, depthBelow(root, others)).includes(workingFolder)
  return (file) => {
    const folders = upward(NodePath.dirname(file))
    // A file that is in neither tree has its own folder.
    return folders.slice(0, Math.max(1, depthBelow(root, folders) + (isForeign ? 1 : 0)))
  }
}

export const areApart = (one: string, other: string): boolean => NodePath.dirname(one) !== NodePath.dirname(other)
