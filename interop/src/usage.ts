/**
 * What a process holds: for tests that must see it fall back to where it was.
 *
 * @since 0.1.0
 */
import { readdirSync } from "node:fs"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

export interface Usage {
  /**
   * Bytes that are referenced after a garbage collection: JavaScript's heap and buffers outside of it. What else is outside
   * comes and goes by itself, sources of modules above all, some MiB at a time.
   */
  readonly held: number
  /** The most memory the process ever had resident, in bytes. */
  readonly peak: number
  /** Open file descriptors; 0 where the system does not tell. */
  readonly descriptors: number
  /** Connections of sockets. */
  readonly sockets: number
  /** Timers of the event loop that are set. */
  readonly timers: number
  /** Listeners of the process. */
  readonly listeners: number
  /** Processor time since the start, in milliseconds. */
  readonly cpu: number
  /** Uncaught exceptions, unhandled rejections and warnings since `watchProcess`. */
  readonly troubles: ReadonlyArray<string>
}

setFlagsFromString("--expose-gc")
const gc = runInNewContext("gc") as () => void

const troubles: Array<string> = []

/** Collects what would end the process, or be printed by it. */
export const watchProcess = (): void => {
  process.on("uncaughtException", (error) => troubles.push(`uncaughtException: ${error.stack}`))
  process.on("unhandledRejection", (reason) => troubles.push(`unhandledRejection: ${String(reason)}`))
  process.on("warning", (warning) => troubles.push(`warning: ${warning.name}: ${warning.message}`))
}

const descriptors = (): number => {
  try {
    return readdirSync("/proc/self/fd").length
  } catch {
    return 0
  }
}

/** Collects garbage, then measures. */
export const usage = (): Usage => {
  gc()
  // buffers are given back beside the program: the second waits for what the first began
  gc()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  const resources = process.getActiveResourcesInfo()
  const { maxRSS, systemCPUTime, userCPUTime } = process.resourceUsage()
  return {
    held: heapUsed + arrayBuffers,
    peak: maxRSS * 1024,
    descriptors: descriptors(),
    sockets: resources.filter((name) => name === "TCPSocketWrap").length,
    timers: resources.filter((name) => name === "Timeout").length,
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
    cpu: (systemCPUTime + userCPUTime) / 1000,
    troubles
  }
}
