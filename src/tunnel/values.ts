// Values of options: taken as they are, or refused with the option, the value and what would be taken.

import { ConfigError, type ErrorCode } from '../errors.js'

/** Passes an integer from `least` to `most` through. @throws ConfigError */
export function integer(
  option: string,
  value: unknown,
  least: number,
  most: number,
  also = '',
  code: ErrorCode = 'TSGRE_BAD_OPTION',
): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  throw new ConfigError(code, option, value, `--${option} ${value}: takes ${least} to ${most}${also}`)
}

/** Passes one of `choices` through. @throws ConfigError */
export function oneOf<T extends string>(option: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value
  throw new ConfigError('TSGRE_BAD_OPTION', option, value, `--${option} ${value}: takes ${choices.join(' or ')}`)
}
