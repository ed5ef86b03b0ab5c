/**
 * Policies for clients and servers: where streams go, and how many may run.
 *
 * @since 0.1.0
 */
export * as Endpoints from "./Endpoints.ts"
export * as Limiter from "./Limiter.ts"
