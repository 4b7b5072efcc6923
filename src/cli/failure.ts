// Exit codes and the words for what went wrong.

import { ConfigError, SystemError, TsgreError } from '../errors.js'

/** The command line itself is wrong: an unknown option, a missing one. */
export class UsageError extends Error {
  /** Whose --help tells more. */
  command = 'tsgre'
}

/** The parser's own, in its own words. */
export class ParserError extends UsageError {}

/** 1 failed, 2 usage, 77 missing capability. */
export function exitCodeOf(error: unknown): 1 | 2 | 77 {
  if (error instanceof ConfigError || error instanceof UsageError) return 2
  return error instanceof SystemError && error.capability ? 77 : 1
}

const GRANTS = {
  CAP_NET_ADMIN: 'to make and set up the TAP',
  CAP_NET_RAW: 'to open the raw socket',
}

/** What to print on stderr: a sentence, or one JSON line. */
export function describeFailure(error: unknown, json: boolean): string {
  const message = wordsFor(error)
  if (!json) return message.startsWith('tsgre') ? message : `tsgre: ${message}`
  const code = error instanceof TsgreError ? error.code : error instanceof UsageError ? 'TSGRE_USAGE' : 'TSGRE_INTERNAL'
  const option = error instanceof ConfigError ? { option: error.option, value: error.value } : {}
  const capability = error instanceof SystemError && error.capability ? { capability: error.capability } : {}
  return JSON.stringify({ event: 'error', code, ...option, ...capability, message })
}

function wordsFor(error: unknown): string {
  if (error instanceof SystemError && error.capability) {
    const node = process.execPath
    return (
      `${error.syscall} is not permitted: tsgre needs ${error.capability} ${GRANTS[error.capability]}. ` +
      `Run it as root, or in a unit with AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW, ` +
      `or grant both to node: setcap cap_net_admin,cap_net_raw+ep ${node}`
    )
  }
  if (error instanceof UsageError) return `${error.message}\nSee ${error.command} --help.`
  if (error instanceof TsgreError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
