// What zod found, as problems with places: one for each thing a person has to mend.

import type { z } from 'zod'
import { nearest } from '../options/nearest.js'
import { OPTIONS } from '../options/option-table.js'
import type { ConfigDocument, Path } from './document.js'
import type { Problem } from './problem.js'

type Issue = z.core.$ZodIssue

/** A problem and the way to it. */
export interface Found {
  readonly path: Path
  readonly problem: Problem
}

/** @param known the keys a map at that path may have */
export function problemsOf(
  issues: readonly Issue[],
  document: ConfigDocument,
  known: (path: Path) => readonly string[],
): Found[] {
  return issues
    .flatMap((issue) => flat(issue))
    .flatMap((issue) => {
      const path = issue.path as Path
      if (issue.code !== 'unrecognized_keys')
        return [{ path, problem: { ...document.at(path), key: pathText(path), message: issue.message } }]
      return issue.keys.map((key) => {
        const inside = [...path, key]
        const message = TUNNEL_ALONE.has(key) && path.length === 0 ? BESIDE : unknownWords(key, known(path))
        return { path: inside, problem: { ...document.at(inside, 'key'), key: pathText(inside), message } }
      })
    })
}

/** Of what may be one thing or another, the issues inside of the one it is; none where it is neither. */
function flat(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const branch = issue.errors.find((inner) => inner.length > 0 && inner.every(isInside))
  if (!branch) return [issue]
  return branch.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })).flatMap(flat)
}

function isInside({ code, path }: Issue): boolean {
  return path.length > 0 || code === 'unrecognized_keys' || code === 'custom'
}

/** Keys that are refused at the top only where tunnels stand beside them. */
const TUNNEL_ALONE = new Set([
  'tap',
  'remotes',
  'routes',
  ...OPTIONS.flatMap(({ single, name }) => (single ? [name] : [])),
])
const BESIDE = 'cannot stand beside tunnels; write it into each tunnel'

function unknownWords(key: string, known: readonly string[]): string {
  const meant = nearest(key, known)
  return meant === undefined ? 'there is no such key here' : `there is no such key here; did you mean ${meant}?`
}

/** `tunnels[0].remotes[1].key` */
export function pathText(path: Path): string {
  return path.map((step, at) => (typeof step === 'number' ? `[${step}]` : at === 0 ? step : `.${step}`)).join('')
}
