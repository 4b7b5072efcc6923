// What is wrong with a configuration file: all of it at once, each with its place, its key and the way out.

import { ConfigError } from '../../errors.js'

export interface Problem {
  /** Counted from 1; 0 where it is the file as a whole. */
  readonly line: number
  readonly column: number
  /** `tunnels[0].ttl`; empty for the file as a whole. */
  readonly key: string
  readonly message: string
}

/** TSGRE_BAD_CONFIG with everything that is wrong. */
export class BadConfigError extends ConfigError {
  readonly problems: readonly Problem[]

  constructor(file: string, problems: readonly Problem[]) {
    super('TSGRE_BAD_CONFIG', 'config', file, problems.map((problem) => problemLine(file, problem)).join('\n'))
    this.problems = problems
  }
}

/** `/etc/tsgre/a.yaml:4:8: ttl: 300: takes 1 to 255 or "inherit"` */
export function problemLine(file: string, { line, column, key, message }: Problem): string {
  const place = line === 0 ? file : `${file}:${line}:${column}`
  return key === '' ? `${place}: ${message}` : `${place}: ${key}: ${message}`
}
