// What daemon.json becomes: the text edited where it must be, every other byte as found. Pure; reads and writes no file.

import { refuseConflicts, type WantedKeys } from './docker-conflicts.js'
import type { Flag } from './docker-flags.js'
import { DAEMON_JSON, readDaemonObject, refuseWrongKinds } from './docker-settings.js'
import type { Member, ObjectText } from './json-text.js'

export interface KeyChange {
  readonly key: string
  /** undefined where the key was not set. */
  readonly from: unknown
  readonly to: string | number
}

export interface DaemonJsonPlan {
  /** undefined where there was no file. */
  readonly before: string | undefined
  readonly after: string
  /** Empty when the file already says all that. */
  readonly changed: readonly KeyChange[]
  /** Something about the file as it was that its owner would want to know. */
  readonly remark?: string
}

/**
 * Plans the change of daemon.json; `path` is for the words of a refusal, `flags` are those of the dockerd that reads it.
 * @throws ConfigError TSGRE_BAD_DAEMON_JSON, TSGRE_BAD_BIP, TSGRE_BAD_MTU, TSGRE_DOCKER_FLAG
 */
export function planDaemonJson(
  before: string | undefined,
  wanted: WantedKeys,
  path = DAEMON_JSON,
  flags: readonly Flag[] = [],
): DaemonJsonPlan {
  const empty = before?.trim() === ''
  const start = before === undefined || empty ? '{}' : before
  const object = readDaemonObject(start, path)
  refuseConflicts(object, wanted, path, flags)
  const changed = changesOf(object, wanted)
  const remark = empty ? { remark: `${path} is empty, which dockerd refuses ("EOF"); it is taken as {}` } : {}
  const after = changed.length === 0 ? start : edit(start, object, changed)
  refuseWrongKinds(after, path)
  return { before, after, changed, ...remark }
}

function changesOf(object: ObjectText, wanted: WantedKeys): KeyChange[] {
  const keys = { bip: wanted.bip, 'fixed-cidr': wanted.fixedCidr, mtu: wanted.mtu }
  return Object.entries(keys).flatMap(([key, to]) => {
    const from = setting(object, key)
    return to === undefined || to === from ? [] : [{ key, from, to }]
  })
}

/** Replaces values where they stand, from the end so that offsets hold; new keys go behind the last. */
function edit(text: string, object: ObjectText, changed: readonly KeyChange[]): string {
  const added = changed.filter(({ key }) => !memberOf(object, key))
  let result = insert(text, object, added)
  for (const { valueStart, end, key } of [...object.members].reverse()) {
    const change = changed.find((candidate) => candidate.key === key)
    if (change) result = result.slice(0, valueStart) + JSON.stringify(change.to) + result.slice(end)
  }
  return result.endsWith('\n') ? result : `${result}${newlineOf(text)}`
}

function insert(text: string, { members, open, close }: ObjectText, added: readonly KeyChange[]): string {
  if (added.length === 0) return text
  const entries = added.map(({ key, to }) => `${JSON.stringify(key)}: ${JSON.stringify(to)}`)
  const last = members.at(-1)
  const newline = newlineOf(text)
  if (!last) {
    const body = entries.map((entry) => `${newline}  ${entry}`).join(',')
    return `${text.slice(0, open + 1)}${body}${newline}${text.slice(close)}`
  }
  // The blanks in front of the last key are the file's own way: an indented line of its own, or one line for all.
  const blanks = /(?:\r?\n)?[ \t]*$/.exec(text.slice(0, last.start))![0] || ' '
  return text.slice(0, last.end) + entries.map((entry) => `,${blanks}${entry}`).join('') + text.slice(last.end)
}

function newlineOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n'
}

function memberOf(object: ObjectText, key: string): Member | undefined {
  return object.members.find((member) => member.key === key)
}

function setting(object: ObjectText, key: string): unknown {
  return memberOf(object, key)?.value
}
