// Values of options: taken as they are, or refused with the option, the value and what would be taken.

import { ConfigError, type ErrorCode } from '../errors.js'

/** Bounds of a TAP's MTU: the least IPv4 takes (RFC 791), and MAX_MTU of drivers/net/tun.c less an Ethernet header. */
export const LEAST_MTU = 68
export const MOST_MTU = 65521

/** As it stands in a sentence: of an empty text nothing would be seen. */
export function shown(value: unknown): string {
  return value === '' ? '""' : `${value}`
}

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
  throw new ConfigError('TSGRE_BAD_OPTION', option, value, `--${option} ${shown(value)}: takes ${choices.join(' or ')}`)
}
