/**
 * The services that a client calls, each as long as it is used.
 *
 * @internal
 */
import type { Choice, Placing } from "@millrace/rpc/Endpoints"
import type { RpcError } from "@millrace/rpc/RpcError"
import type * as Effect from "effect/Effect"
import type { Change } from "../../Instance.ts"
import type { Source } from "../../Resolver.ts"
import { type Cadence, Discovering } from "./discovering.ts"
import type { Settings } from "./knownService.ts"

/** @internal */
export class InstanceCache {
  readonly #source: Source
  readonly #settings: Settings
  readonly #cadence: () => Cadence
  /** Runs an effect until it ends or the scope of the cache closes. */
  readonly #fork: (effect: Effect.Effect<void>) => void
  readonly #services = new Map<string, Discovering>()
  #closed = false
  readonly #removed = new Set<(address: string) => void>()

  constructor(
    source: Source,
    settings: Omit<Settings, "forgotten">,
    cadence: () => Cadence,
    fork: (effect: Effect.Effect<void>) => void
  ) {
    this.#source = source
    this.#settings = { ...settings, forgotten: (address) => this.#forgotten(address) }
    this.#cadence = cadence
    this.#fork = fork
  }

  pick(name: string, placing: Placing): Choice | Effect.Effect<Choice, RpcError> {
    return this.service(name).pick(placing)
  }

  service(name: string): Discovering {
    return this.#services.get(name) ?? this.#begin(name)
  }

  onRemoved(listener: (address: string) => void): () => void {
    this.#removed.add(listener)
    return () => {
      this.#removed.delete(listener)
    }
  }

  /** The scope has closed. */
  close(): void {
    this.#closed = true
    for (const [name, service] of this.#services) this.#end(name, service)
  }

  #begin(name: string): Discovering {
    const service: Discovering = new Discovering(name, this.#source, this.#settings, this.#cadence, {
      changed: (change) => this.#changed(change),
      idled: () => this.#end(name, service)
    })
    if (this.#closed) {
      service.end()
      return service
    }
    this.#services.set(name, service)
    this.#fork(service.run)
    return service
  }

  #end(name: string, service: Discovering): void {
    if (this.#services.get(name) === service) this.#services.delete(name)
    service.end()
  }

  /** What a breaker knows of an instance is of no use any more, unless it is one of another service too. */
  #forgotten(address: string): void {
    for (const { known } of this.#services.values()) if (known.has(address)) return
    this.#settings.breaker?.forget?.(address)
  }

  /** Tells of addresses that no other service has. */
  #changed({ removed }: Change): void {
    if (removed.length === 0 || this.#removed.size === 0) return
    const left = new Set<string>()
    for (const { known } of this.#services.values()) {
      for (const { address } of known.instances ?? []) left.add(address)
    }
    for (const { address } of removed) {
      if (left.has(address)) continue
      for (const listener of this.#removed) listener(address)
    }
  }
}
