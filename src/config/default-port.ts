/** Where the agent's HTTP server listens unless the configuration says otherwise. */
export const DEFAULT_PORT = 9817;
