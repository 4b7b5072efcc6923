// Who hears of what is wrong: a command line ends at the first mistake, a configuration file is told of all.

import { ConfigError } from '../../errors.js'

/** Told of what is wrong; returns to be told of more. */
export type Refuse = (error: ConfigError) => void

export const raise: Refuse = (error) => {
  throw error
}

/** undefined where it was refused. */
export function attempt<T>(read: () => T, refuse: Refuse): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    refuse(error)
    return undefined
  }
}

/** Of several, those that are good. */
export function readEach<From, To extends {}>(list: readonly From[], read: (one: From) => To, refuse: Refuse): To[] {
  return list.flatMap((one) => attempt(() => read(one), refuse) ?? [])
}
