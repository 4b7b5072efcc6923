// Turns a failed system call into a SystemError that says what a person can do about it.

import { SystemError, type SystemErrorFields } from '../errors.js'
import { errnoName } from './errno.js'
import { errno } from './libc.js'

/** The error of the call that just returned -1 on this thread. `hints` are by errno name. */
export function systemError(
  syscall: string,
  hints: Readonly<Record<string, string>> = {},
  capability?: SystemErrorFields['capability'],
): SystemError {
  const code = errnoName(errno())
  const missing = code === 'EPERM' ? capability : undefined // EACCES is a file's mode, which no capability of ours mends
  const hint = hints[code] ?? (missing && `needs ${missing}`)
  return new SystemError(code, { syscall, ...(hint && { hint }), ...(missing && { capability: missing }) })
}

/** Passes a result of zero or more through; throws the call's SystemError else. */
export function check(
  result: number,
  syscall: string,
  hints?: Readonly<Record<string, string>>,
  capability?: SystemErrorFields['capability'],
): number {
  if (result < 0) throw systemError(syscall, hints, capability)
  return result
}
