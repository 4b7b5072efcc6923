// Every option of `tsgre`, in the order of --help. The one list: whoever needs options by name reads it here.

import { GRE_ROWS, UNDERLAY_ROWS } from './gre-options.js'
import { HOST_ROWS, OVERLAY_ROWS } from './host-options.js'
import type { Option } from './option.js'

export const OPTIONS: readonly Option[] = [...OVERLAY_ROWS, ...UNDERLAY_ROWS, ...GRE_ROWS, ...HOST_ROWS]

export const optionsByName: ReadonlyMap<string, Option> = new Map(OPTIONS.map((option) => [option.name, option]))

/** @throws Error where the code names an option there is not */
export function optionNamed(name: string): Option {
  const option = optionsByName.get(name)
  if (!option) throw new Error(`there is no option ${name}`)
  return option
}
