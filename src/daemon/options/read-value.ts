// One value of an option, from the words of a command line or from a file: taken, or refused with option, value and way out.

import { ConfigError } from '../../errors.js'
import { parseCidr } from '../../host/cidr.js'
import type { Key } from '../../tunnel/peer-options.js'
import { parseKey } from '../../tunnel/resolve-peers.js'
import { integer, oneOf, shown } from '../../tunnel/values.js'
import { type AskedRemote, readRemotes } from '../peer-spec.js'
import type { NumberOption, Option, PartsOption } from './option.js'
import { parseListen } from './parse-listen.js'
import { type Refuse, raise, readEach } from './refuse.js'

/**
 * `refuse` is told of what is wrong in a list: the rest of it is returned.
 * @throws ConfigError of any other value
 */
export function readValue(option: Option, value: unknown, refuse: Refuse = raise): unknown {
  switch (option.kind) {
    case 'text':
      option.refuse?.(value as string)
      refuseUnlike(option.name, value as string, option.pattern)
      return value
    case 'number':
      return readNumber(option, value as number | string)
    case 'choice':
      return oneOf(option.name, value as string, option.choices)
    case 'switch':
      return value
    case 'key':
      return parseKey(option.name, value as Key)
    case 'parts':
      return readParts(option, `${value}`)
    case 'networks':
      return readEach(value as string[], checkedNetwork, refuse)
    case 'remotes':
      return readRemotes(value as AskedRemote[], refuse)
    case 'listen':
      return parseListen(option.name, `${value}`)
  }
}

function checkedNetwork(text: string): string {
  parseCidr(text)
  return text
}

const RULES: Readonly<Record<string, string>> = {
  mac: 'takes six octets as in 02:00:00:00:00:01, and no multicast address',
}

function refuseUnlike(option: string, text: string, pattern: string | undefined): void {
  if (pattern === undefined || RULES[option] === undefined) return
  if (new RegExp(pattern).test(text) && !/^(00:){5}00$/.test(text)) return
  throw new ConfigError('TSGRE_BAD_OPTION', option, text, `--${option} ${shown(text)}: ${RULES[option]}`)
}

/** A number in decimal or 0x form, or the one word allowed. */
function readNumber(option: NumberOption, value: number | string): number | string {
  const { name, least, most, word, unit } = option
  if (value === word) return value
  const code = name.endsWith('mtu') ? 'TSGRE_BAD_MTU' : 'TSGRE_BAD_OPTION'
  const also = word === undefined ? '' : ` or "${word}"`
  const bounds = unit === undefined ? also : ` ${unit}${also && `,${also}`}`
  if (typeof value === 'string' && !/^(\d+|0x[\da-f]+)$/i.test(value)) {
    throw new ConfigError(code, name, value, `--${name} ${shown(value)}: takes ${least} to ${most}${bounds}`)
  }
  return integer(name, Number(value), least, most, bounds, code)
}

/** `64,10`, where what is left away at the end has a standard. */
function readParts({ name, parts, value: form }: PartsOption, text: string): Record<string, number> {
  const words = text.split(',')
  const numbers = parts.map(({ standard }, at) => (words[at] === undefined ? standard : wholeNumber(words[at])))
  const wrong = parts.findIndex(({ least, most }, at) => {
    const number = numbers[at]
    return number === undefined || !(number >= least && number <= most)
  })
  if (wrong < 0 && words.length <= parts.length)
    return Object.fromEntries(parts.map(({ field }, at) => [field, numbers[at]!]))
  const bounds = parts.map((part) => `${part.name} from ${part.least} to ${part.most}`).join(', ')
  throw new ConfigError('TSGRE_BAD_OPTION', name, text, `--${name} ${shown(text)}: takes ${form}, ${bounds}`)
}

function wholeNumber(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
}
