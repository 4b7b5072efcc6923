// What somebody wants to be captured, as plain data, and as the texts of a request: of a query, or of a body, which takes longer ones.

import { ConfigError } from '../../errors.js'
import { bpfProgram, MOST_INSTRUCTIONS } from './bpf.js'

export interface CaptureWanted {
  /** Frames as in the overlay, or packets as on the underlay. */
  readonly side: 'inner' | 'outer'
  /** Of or to this peer only, flooded frames included. */
  readonly remote?: string | undefined
  readonly dropsOnly?: boolean | undefined
  /** The most octets kept of a frame or packet; 0, or nothing, for all. */
  readonly snaplen?: number | undefined
  /** A program of classic BPF, four numbers an instruction. */
  readonly filter?: readonly (readonly number[])[] | undefined
}

export const MOST_SNAPLEN = 262144
/** Of a filter as JSON: with all else that is wanted it stays below what the control socket takes as a body, 64 KiB. */
export const MOST_FILTER_BYTES = 62 * 1024

export const CAPTURE_FIELDS = ['side', 'remote', 'drops', 'snaplen', 'filter'] as const

/** By name; what is absent was not asked for. */
export type CaptureFields = { readonly [name in (typeof CAPTURE_FIELDS)[number]]?: string }

/**
 * Out of the fields of a request.
 * @throws ConfigError TSGRE_BAD_OPTION, TSGRE_BAD_FILTER
 */
export function wantedOf({ side = 'inner', drops = '0', snaplen = '0', remote, filter }: CaptureFields): CaptureWanted {
  if (side !== 'inner' && side !== 'outer') bad('side', side, 'it is inner or outer')
  if (drops !== '0' && drops !== '1') bad('drops', drops, 'it is 0 or 1')
  return { side, dropsOnly: drops === '1', snaplen: snaplenOf(snaplen), remote, filter: filterOf(filter) }
}

/** @throws ConfigError TSGRE_BAD_OPTION */
export function snaplenOf(text: string): number {
  const octets = /^\d{1,6}$/.test(text) ? Number(text) : -1
  if (octets < 0 || octets > MOST_SNAPLEN) bad('snaplen', text, `it is 0 (all) to ${MOST_SNAPLEN} octets`)
  return octets
}

function filterOf(text: string | undefined): CaptureWanted['filter'] {
  if (text === undefined) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // what that is not is told below
  }
  bpfProgram(value)
  return value as CaptureWanted['filter']
}

function bad(option: string, value: string, why: string): never {
  throw new ConfigError('TSGRE_BAD_OPTION', option, value, `--${option} ${value}: ${why}`)
}

/** The other way round. */
export function fieldsOf({ side, remote, dropsOnly, snaplen, filter }: CaptureWanted): CaptureFields {
  return {
    side,
    ...(remote !== undefined && { remote }),
    ...(dropsOnly && { drops: '1' }),
    ...(snaplen && { snaplen: String(snaplen) }),
    ...(filter && { filter: JSON.stringify(filter) }),
  }
}

/** Why a program cannot be asked for, as the end of a sentence; undefined where it can. */
export function tooLongWords(filter: readonly (readonly number[])[]): string | undefined {
  const bytes = JSON.stringify(filter).length
  if (filter.length <= MOST_INSTRUCTIONS && bytes <= MOST_FILTER_BYTES) return undefined
  return `${filter.length} instructions, ${bytes} bytes long; a capture takes ${MOST_INSTRUCTIONS} and ${MOST_FILTER_BYTES}`
}
