// The doctor's findings for a person: a line each, what is the same of several remotes once, and where there are several remotes
// each line says of which, and of which tunnel where several have that remote. Pure.

import { CHECKS, type Finding, type Level } from '../daemon/doctor/finding.js'

const MARKS: Readonly<Record<Level, readonly [utf8: string, ascii: string]>> = {
  ok: ['✓', 'ok'],
  warning: ['!', '!'],
  problem: ['✗', 'NO'],
  unknown: ['?', '?'],
}
/** So many remotes are named one by one. */
const MOST_NAMED = 3

/** A finding with all the remotes that it is about, each with its TAP where several tunnels have it, and what is to be done for each. */
interface Merged {
  readonly finding: Finding
  readonly remotes: Set<string>
  readonly remedies: Set<string>
}

export function asText(findings: readonly Finding[], utf8: boolean): string {
  const width = Math.max(...CHECKS.map(({ length }) => length))
  const shared = sharedRemotes(findings)
  const several = new Set(findings.flatMap((finding) => ofWhich(finding, shared) ?? [])).size
  const merged = merge(findings, shared)
  const lines = merged.flatMap(({ finding: { check, level, code, text }, remotes, remedies }) => {
    const mark = MARKS[level][utf8 ? 0 : 1].padEnd(utf8 ? 1 : 2)
    const indent = ' '.repeat(mark.length + 1 + width + 2)
    const name = code === 'ok' ? '' : ` [${code}]`
    return [
      `${mark} ${check.padEnd(width)}  ${ofWhom(text, [...remotes], several)}${text}${name}`,
      ...[...remedies].map((remedy) => `${indent}${utf8 ? '→' : '->'} ${remedy}`),
    ]
  })
  return `${[...lines, '', summary(merged.map(({ finding }) => finding))].join('\n')}\n`
}

/** The remotes of more than one tunnel. */
function sharedRemotes(findings: readonly Finding[]): ReadonlySet<string> {
  const taps = new Map<string, Set<string>>()
  for (const { remote, tap } of findings) {
    if (remote !== undefined && tap !== undefined) taps.set(remote, (taps.get(remote) ?? new Set()).add(tap))
  }
  return new Set([...taps].flatMap(([remote, { size }]) => (size > 1 ? [remote] : [])))
}

function ofWhich({ remote, tap }: Finding, shared: ReadonlySet<string>): string | undefined {
  return remote !== undefined && tap !== undefined && shared.has(remote) ? `${remote} on ${tap}` : remote
}

/** In the order in which they first come. */
function merge(findings: readonly Finding[], shared: ReadonlySet<string>): Merged[] {
  const merged = new Map<string, Merged>()
  for (const finding of findings) {
    const { check, code, text, remedy } = finding
    const remote = ofWhich(finding, shared)
    const key = JSON.stringify([check, code, text])
    const one = merged.get(key) ?? { finding, remotes: new Set(), remedies: new Set() }
    merged.set(key, one)
    if (remote !== undefined) one.remotes.add(remote)
    if (remedy !== '') one.remedies.add(remedy)
  }
  return [...merged.values()]
}

/** What stands before a text; nothing where there is one remote in all, or the text names its own. */
function ofWhom(text: string, remotes: readonly string[], several: number): string {
  const [first] = remotes
  if (first === undefined || several < 2 || (remotes.length === 1 && names(text, first))) return ''
  if (remotes.length <= MOST_NAMED) return `${remotes.join(', ')}: `
  if (remotes.length === several) return `all ${several} remotes: `
  return `${remotes.slice(0, MOST_NAMED - 1).join(', ')} and ${remotes.length - MOST_NAMED + 1} more: `
}

/** 192.168.56.5 is not named by 192.168.56.50. */
function names(text: string, remote: string): boolean {
  const literal = remote.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`(?<![\\w.:-])${literal}(?![\\w-]|[.:]\\w)`).test(text)
}

function summary(findings: readonly Finding[]): string {
  const count = (level: Level, word: string) => {
    const number = findings.filter((finding) => finding.level === level).length
    return number === 0 ? [] : [`${number} ${word}${number === 1 ? '' : 's'}`]
  }
  const wrong = [...count('problem', 'problem'), ...count('warning', 'warning')]
  const open = count('unknown', 'question').map((words) => `${words} left open`)
  return wrong.length === 0 ? ['nothing is wrong', ...open].join(', ') : [...wrong, ...open].join(', ')
}
