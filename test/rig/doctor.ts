// `tsgre doctor` run on a host of a rig, and what it told.

import * as assert from 'uvu/assert'
import { tsgreArgv } from './daemon.js'
import type { Namespaces } from './namespaces.js'
import type { NodeName } from './topology.js'

export interface Told {
  level: string
  check: string
  code: string
  text: string
  remedy: string
  remote?: string
  tap?: string
}

export async function doctorOn(
  rig: Namespaces,
  node: NodeName,
  args: readonly string[],
): Promise<{ code: number | null; findings: Told[] }> {
  const { code, stdout, stderr } = await rig.exec(node, tsgreArgv(['doctor', '--json', ...args]), { anyCode: true })
  assert.ok(stdout !== '', stderr)
  return { code, findings: JSON.parse(stdout).findings }
}

/** The codes of all that is not well. */
export function codes(findings: readonly Told[]): string[] {
  return findings.filter(({ level }) => level !== 'ok').map(({ code }) => code)
}

export function told(findings: readonly Told[], code: string): Told {
  const found = findings.find((finding) => finding.code === code)
  assert.ok(found, `${code} is not among ${codes(findings).join(' ') || 'nothing'}`)
  return found
}
