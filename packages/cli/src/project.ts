/**
 * The folder that the paths of IDLs are relative to, so that the generated text is the same wherever the command runs: the
 * folder of the configuration, or the working directory when there is none.
 *
 * @since 0.1.0
 */
import * as NodePath from "node:path"

export interface Project {
  /** Absolute. */
  readonly folder: string
}

/** A path with `/` between its parts, on every platform. */
export const portable = (path: string): string => (NodePath.sep === "/" ? path : path.replaceAll(NodePath.sep, "/"))

/** The path of a file as the generated text and the diagnostics of the compiler name it. */
export const sourcePath = (project: Project, absolute: string): string =>
  portable(NodePath.relative(project.folder, absolute)) || "."

/** The file that a source path names. */
export const fileOf = (project: Project, path: string): string => NodePath.resolve(project.folder, path)

/** A path as a person in the working directory would write it. */
export const shown = (absolute: string): string => portable(NodePath.relative(process.cwd(), absolute)) || "."
