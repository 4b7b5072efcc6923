// Ends what a process has started, however the process ends short of SIGKILL.

/** `exit` also comes after an uncaught error; a signal that nobody handles ends a process without it. */
export function closeWithProcess(closeAll: () => void): void {
  process.on('exit', closeAll)
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => process.exit(code))
  }
}
