// The tunnels of a file, each with what all of them share, in the words of the command line. Of a file with mistakes what is left
// when they are taken out, so that the rest can be looked at, too. Knows keys by their places, not by their meaning.

import type { Asked } from '../options/tunnel-wishes.js'
import type { Path } from './document.js'

export interface Entry {
  readonly asked: Asked
  readonly path: Path
  /** Options that were taken out of it, wholly or in part: what is missing of them is no mistake of its own. */
  readonly wrong: ReadonlySet<string>
}

/** @param mistakes where they are */
export function tunnelEntries(value: Asked, mistakes: readonly Path[]): Entry[] {
  const { tunnels, ...defaults } = without(value, mistakes)
  const wrongAt = (path: Path) =>
    mistakes.filter((mistake) => isInside(mistake, path)).map((mistake) => optionOf(mistake[path.length]))
  const shared = mistakes.filter(([first]) => first !== 'tunnels').map(([first]) => optionOf(first))
  if (!('tunnels' in value)) return [{ asked: asAsked(defaults), path: [], wrong: new Set(shared) }]
  return own(tunnels).map(([step, tunnel]) => {
    const path = ['tunnels', step]
    const inherited = shared.filter((option) => !(option in tunnel))
    const wrong = new Set([...wrongAt(path), ...inherited])
    const asked = Object.entries({ ...defaults, ...tunnel }).filter(([name]) => !wrong.has(name) || name in tunnel)
    return { asked: asAsked(Object.fromEntries(asked)), path, wrong }
  })
}

/** What all tunnels and the process share. */
export function topOf(value: Asked, mistakes: readonly Path[]): Asked {
  return without(value, mistakes)
}

function own(tunnels: unknown): [step: string | number, tunnel: Asked][] {
  if (Array.isArray(tunnels))
    return tunnels.flatMap((tunnel, at) => (isMap(tunnel) ? [[at, tunnel] as [number, Asked]] : []))
  if (!isMap(tunnels)) return []
  return Object.entries(tunnels).flatMap(([tap, tunnel]) =>
    isMap(tunnel) ? [[tap, { tap, ...tunnel }] as [string, Asked]] : [],
  )
}

function isMap(value: unknown): value is Asked {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isInside(path: Path, around: Path): boolean {
  return path.length > around.length && around.every((step, at) => step === path[at])
}

const LISTS: Readonly<Record<string, string>> = { remotes: 'remote', routes: 'route' }

function optionOf(step: string | number | undefined): string {
  return LISTS[step!] ?? `${step}`
}

/** A copy without the keys, or items of lists, that something is wrong with; places in lists stay what they were. */
function without(value: Asked, mistakes: readonly Path[]): Asked {
  const copy = structuredClone(value) as Record<string | number, unknown>
  for (const mistake of mistakes) {
    const depth = mistake[0] === 'tunnels' ? 2 : 0
    const isItem = typeof mistake[depth + 1] === 'number'
    const path = mistake.slice(0, depth + (isItem ? 2 : 1))
    const around = path
      .slice(0, -1)
      .reduce<unknown>((inside, step) => (inside as typeof copy | undefined)?.[step], copy)
    if (around instanceof Object) delete (around as typeof copy)[path.at(-1)!]
  }
  return copy
}

/** Lists under one name, however they were written. */
function asAsked({ remote, remotes, route, routes, ...rest }: Asked): Asked {
  const lists = { remote: remotes ?? remote, route: routes ?? route }
  // What was taken out of a list has left a hole, which flat() passes over.
  const given = Object.entries(lists).filter(([, value]) => value !== undefined)
  return { ...rest, ...Object.fromEntries(given.map(([name, value]) => [name, [value].flat()])) }
}
