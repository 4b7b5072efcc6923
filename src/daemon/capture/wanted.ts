// What somebody wants to be captured, as plain data, and as the query of GET /v1/capture.

import { ConfigError } from '../../errors.js'
import { bpfProgram } from './bpf.js'

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

/**
 * Out of the query of a request.
 * @throws ConfigError TSGRE_BAD_OPTION, TSGRE_BAD_FILTER
 */
export function wantedOf(query: URLSearchParams): CaptureWanted {
  const side = query.get('side') ?? 'inner'
  if (side !== 'inner' && side !== 'outer') bad('side', side, 'it is inner or outer')
  const drops = query.get('drops') ?? '0'
  if (drops !== '0' && drops !== '1') bad('drops', drops, 'it is 0 or 1')
  const remote = query.get('remote') ?? undefined
  const snaplen = snaplenOf(query.get('snaplen') ?? '0')
  return { side, dropsOnly: drops === '1', snaplen, remote, filter: filterOf(query.get('filter')) }
}

/** @throws ConfigError TSGRE_BAD_OPTION */
export function snaplenOf(text: string): number {
  const octets = /^\d{1,6}$/.test(text) ? Number(text) : -1
  if (octets < 0 || octets > MOST_SNAPLEN) bad('snaplen', text, `it is 0 (all) to ${MOST_SNAPLEN} octets`)
  return octets
}

function filterOf(text: string | null): CaptureWanted['filter'] {
  if (text === null) return undefined
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
export function queryOf({ side, remote, dropsOnly, snaplen, filter }: CaptureWanted): URLSearchParams {
  const query = new URLSearchParams({ side })
  if (remote !== undefined) query.set('remote', remote)
  if (dropsOnly) query.set('drops', '1')
  if (snaplen) query.set('snaplen', String(snaplen))
  if (filter) query.set('filter', JSON.stringify(filter))
  return query
}
