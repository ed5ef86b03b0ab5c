/**
 * Policies for clients and servers: where calls go, which may run, and what becomes of those that fail.
 *
 * @since 0.1.0
 */
export * as Acl from "./Acl.ts"
export * as CircuitBreaker from "./CircuitBreaker.ts"
export * as Discovery from "./Discovery.ts"
export * as Dns from "./Dns.ts"
export * as Fallback from "./Fallback.ts"
export * as HashKey from "./HashKey.ts"
export * as Instance from "./Instance.ts"
export * as InstanceBreaker from "./InstanceBreaker.ts"
export * as Limiter from "./Limiter.ts"
export * as LoadBalancer from "./LoadBalancer.ts"
export * as Policy from "./Policy.ts"
export * as Registry from "./Registry.ts"
export * as Resolver from "./Resolver.ts"
export * as Resumable from "./Resumable.ts"
export * as Retry from "./Retry.ts"
export * as StreamLimiter from "./StreamLimiter.ts"
export * as Timeouts from "./Timeouts.ts"
