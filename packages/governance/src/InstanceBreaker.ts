/**
 * A circuit breaker for each instance, as `Discovery` asks it: instances that cannot be reached are not picked for a while.
 *
 * @since 0.1.0
 */
import type { CallEnd } from "@millrace/rpc/CallObserver"

/**
 * Plain functions, because they run for every pick.
 *
 * @since 0.1.0
 * @category models
 */
export interface InstanceBreaker {
  /**
   * Whether the instance at this address may be picked, at this time of the clock. It is picked then: a yes may be the probe of
   * a breaker that is half open.
   */
  readonly allows: (address: string, now: number) => boolean
  /** A stream was created at the instance: it may end hours later. Not called for unary and PingPong calls, which only end. */
  readonly created?: ((address: string, now: number) => void) | undefined
  /** How a stream or call at the instance has ended, or the attempt to create it. */
  readonly ended: (address: string, end: CallEnd) => void
  /** The instance is gone from the list: what is known of it is of no use. */
  readonly forget?: ((address: string) => void) | undefined
}
