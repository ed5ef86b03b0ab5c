/**
 * The command `millrace`.
 *
 * @since 0.1.0
 */
export {}
