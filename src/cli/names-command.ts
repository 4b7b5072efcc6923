// Whether a command line may be for another command than the tunnel, or for help. Must know their names without loading them.

/** @internal */
export const COMMAND_NAMES: ReadonlySet<string> = new Set([
  'capture',
  'cleanup',
  'completion',
  'config',
  'docker',
  'doctor',
  'fdb',
  'install-service',
  'man',
  'pair',
  'peers',
  'reload',
  'status',
  'stop',
  'top',
])

/** False only where all words are options of the tunnel and their values, or wrong. */
export function namesCommand([first, ...rest]: readonly string[]): boolean {
  if (!first?.startsWith('--')) return true
  return [first, ...rest].some((word) => COMMAND_NAMES.has(word) || /^(-h|--help(=.*)?)$/.test(word))
}
