const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Lets a script that is interrupted or killed clean up first, then end with the status that a shell would give it. A second signal ends it at once. */
export function cleanUpOnSignals(cleanUp: () => Promise<void>): void {
  let stopping = false;
  for (const [signal, status] of Object.entries(SIGNALS)) {
    process.on(signal, () => {
      if (stopping) process.exit(status);
      stopping = true;
      process.exitCode = status;
      void cleanUp().finally(() => process.exit(status));
    });
  }
}
