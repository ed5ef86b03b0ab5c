/**
 * The command `millrace`. A program imports nothing from here but the type of its configuration.
 *
 * @since 0.1.0
 */
export type { Config } from "./config.ts"
