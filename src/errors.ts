// What tsgre throws. Packets never throw (see drops.ts); these are for options, syscalls, states and host changes.
// Every code listed here has a heading in docs/errors.md; SystemError carries errno names instead.

/** Codes of ConfigError, StateError and HostError: stable, meant to be matched by programs. */
export const ERROR_CODES = [
  'TSGRE_REMOTE_MISSING',
  'TSGRE_NOT_AN_ADDRESS',
  'TSGRE_NOT_UNICAST',
  'TSGRE_FAMILY_MISMATCH',
  'TSGRE_REMOTE_IS_LOCAL',
  'TSGRE_NO_SOURCE',
  'TSGRE_BAD_KEY',
  'TSGRE_BAD_MTU',
  'TSGRE_BAD_TAP',
  'TSGRE_BAD_BRIDGE',
  'TSGRE_BAD_DEVICE',
  'TSGRE_BAD_ROUTE',
  'TSGRE_BAD_OPTION',
  'TSGRE_BAD_CONFIG',
  'TSGRE_CONFLICT',
  'TSGRE_ROUTE_LOOP',
  'TSGRE_IN_USE',
  'TSGRE_NO_RAW_SOCKET',
  'TSGRE_BAD_BIP',
  'TSGRE_BAD_DAEMON_JSON',
  'TSGRE_DOCKER_FLAG',
  'TSGRE_PUMP_DIED',
  'TSGRE_NOT_NOW',
  'TSGRE_COMMAND_FAILED',
  'TSGRE_DOCKER_DOWN',
  'TSGRE_FILE_CHANGED',
  'TSGRE_HOST_BUSY',
  'TSGRE_BAD_FILTER',
  'TSGRE_TOO_MANY_CAPTURES',
  'TSGRE_BAD_ANSWER',
  'TSGRE_NO_INSTANCE',
  'TSGRE_WHICH_INSTANCE',
  'TSGRE_INSTANCE_GONE',
  'TSGRE_STILL_RUNS',
  'TSGRE_BAD_REQUEST',
  'TSGRE_SERVICE',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

/** Base of everything tsgre throws on purpose. */
export class TsgreError extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** An option was refused, before anything was opened or changed. Exit code 2. */
export class ConfigError extends TsgreError {
  /** The option as a user spells it, without dashes: `remote`, `key`, `tap`. */
  readonly option: string
  readonly value: unknown

  constructor(code: ErrorCode, option: string, value: unknown, message: string) {
    super(code, message)
    this.option = option
    this.value = value
  }
}

export interface SystemErrorFields {
  /** What was asked of the kernel, as strace names it: `ioctl(TUNSETIFF)`. */
  syscall: string
  /** What a person can do about it. */
  hint?: string
  /** The capability whose absence explains an EPERM. */
  capability?: 'CAP_NET_ADMIN' | 'CAP_NET_RAW'
}

/** A system call failed; `code` is the errno's name. Exit code 1, or 77 where a capability is missing. */
export class SystemError extends TsgreError {
  readonly syscall: string
  readonly hint: string | undefined
  readonly capability: SystemErrorFields['capability']

  constructor(errno: string, fields: SystemErrorFields) {
    super(errno, `${fields.syscall}: ${errno}${fields.hint ? ` (${fields.hint})` : ''}`)
    this.syscall = fields.syscall
    this.hint = fields.hint
    this.capability = fields.capability
  }
}

/** A call that this state does not allow, or a state that ended by itself. Exit code 1. */
export class StateError extends TsgreError {
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options)
  }
}

/** A change to this machine failed; what had been done before it was undone. Exit code 1. */
export class HostError extends TsgreError {
  /** The command as a person would type it, or the file that was being changed. */
  readonly command: string
  readonly stderr: string

  constructor(code: ErrorCode, command: string, stderr: string, message = `${command}: ${stderr.trim()}`) {
    super(code, message)
    this.command = command
    this.stderr = stderr
  }
}
