// What one row of the option table says. From the rows come the command's options, --help, man page and completion, the keys of
// a configuration file, its JSON Schema, and what is made of a value: nothing of an option stands anywhere else.

import type { InstanceOptions, TunnelWishes } from './wanted.js'

/**
 * What a changed key takes in a process that runs: 'live' is applied with no packet lost; 'tunnel' ends that tunnel and starts it
 * anew; 'process' waits for the next start.
 */
export type Reload = 'live' | 'tunnel' | 'process'

/** Over which heading of --help it stands. */
export type Group = 'overlay' | 'underlay' | 'gre' | 'host' | 'output'

/** A whole number of a comma-separated few. */
export interface Part {
  readonly name: string
  /** Of the object it becomes. */
  readonly field: string
  readonly least: number
  readonly most: number
  /** Where it is left away. */
  readonly standard?: number
}

interface Common {
  /** As on the command line, without dashes, and as the key of a configuration file. */
  readonly name: string
  readonly group: Group
  /** What --help says, without the default. */
  readonly about: string
  /** The default in words, where `standard` does not say it; undefined for one that must be given or is simply absent. */
  readonly absent?: string
  /** True where the default does not go behind the description in --help, which says it already. */
  readonly quiet?: true
  /** 'command': of the command line alone, and no key of a file. */
  readonly of: 'tunnel' | 'instance' | 'command'
  readonly reload: Reload
  /** True where one value for all tunnels of a file makes no sense. */
  readonly single?: true
  /** What it becomes; undefined for those that are put together from several (keys) or are the command's own. */
  readonly field?: keyof TunnelWishes | keyof InstanceOptions
  /** What a shell offers for its value. */
  readonly completes?: 'device' | 'bridge' | 'file' | 'config'
}

interface Valued extends Common {
  /** What stands for the value in the man page. */
  readonly value: string
}

/** Words are taken as they are; `refuse` throws a ConfigError for those that can be known to be wrong here. */
export interface TextOption extends Valued {
  readonly kind: 'text'
  readonly standard?: string
  readonly refuse?: (text: string) => void
  /** The same for editors, as a regular expression. */
  readonly pattern?: string
}

export interface NumberOption extends Valued {
  readonly kind: 'number'
  readonly least: number
  readonly most: number
  /** What it counts. */
  readonly unit?: string
  /** The one word that is taken besides. */
  readonly word?: string
  readonly standard?: number | string
}

export interface ChoiceOption extends Valued {
  readonly kind: 'choice'
  readonly choices: readonly string[]
  readonly standard?: string
}

export interface SwitchOption extends Common {
  readonly kind: 'switch'
  readonly standard: boolean
}

/** A GRE key. */
export interface KeyOption extends Valued {
  readonly kind: 'key'
}

/** `64,10` */
export interface PartsOption extends Valued {
  readonly kind: 'parts'
  readonly parts: readonly Part[]
  readonly standard?: string
}

/** May be given more than once. */
export interface ListOption extends Valued {
  readonly kind: 'networks' | 'remotes'
}

/** `127.0.0.1:9747` */
export interface ListenOption extends Valued {
  readonly kind: 'listen'
}

export type Option =
  | TextOption
  | NumberOption
  | ChoiceOption
  | SwitchOption
  | KeyOption
  | PartsOption
  | ListOption
  | ListenOption

/** The headings of --help, in their order. */
export const GROUPS: Readonly<Record<Group, string>> = {
  overlay: 'Overlay, the Ethernet inside:',
  underlay: 'Underlay, the packets outside:',
  gre: 'GRE:',
  host: 'This host:',
  output: 'Output:',
}

/** The default in words; undefined where there is none. */
export function defaultWords(option: Option): string | undefined {
  if (option.absent !== undefined) return option.absent
  return 'standard' in option && option.standard !== undefined ? String(option.standard) : undefined
}
