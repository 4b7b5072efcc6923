// Sentences about keys and values of a configuration file: what a value takes, and what was probably meant.

import type { ConfigError } from '../../errors.js'
import type { Option } from '../options/option.js'

/** What the key takes, as the end of "takes …". */
export function expected(option: Option): string {
  switch (option.kind) {
    case 'switch':
      return 'true or false'
    case 'number': {
      const unit = option.unit === undefined ? '' : ` ${option.unit}`
      const word = option.word === undefined ? '' : `${unit && ','} or ${option.word}`
      return `a whole number from ${option.least} to ${option.most}${unit}${word}`
    }
    case 'choice':
      return option.choices.join(' or ')
    case 'key':
      return 'a number from 0 to 4294967295, or four numbers with dots as in 10.20.30.40'
    case 'parts': {
      const bounds = option.parts.map(({ name, least, most }) => `${name} from ${least} to ${most}`)
      return `${option.value}, ${bounds.join(', ')}`
    }
    case 'listen':
      return 'an address of this host and a port, as in 127.0.0.1:9747'
    case 'networks':
      return 'a network as in 10.103.200.0/24, or a list of them'
    case 'remotes':
      return 'an address or name, with its settings as in 192.168.56.6,key=7, or as a map with address, key, …'
    case 'text':
      return option.name === 'tap' ? 'the name of a device, as in tap0' : 'a text'
  }
}

/** What a value is, and how it ought to be written where that can be told. */
export function wrongWords(input: unknown, what: string, option?: Option): string {
  if (input === undefined) return `is missing: takes ${what}`
  if (input === null) return `has no value: takes ${what}; or leave the key away`
  if (Array.isArray(input)) return `is a list: takes ${what}`
  if (typeof input === 'object') return `is a map: takes ${what}`
  return `${JSON.stringify(input)}: takes ${what}${wayOut(input, option)}`
}

function wayOut(input: unknown, option: Option | undefined): string {
  if (option === undefined) return ''
  const { kind } = option
  if (kind === 'switch' && typeof input === 'string') {
    if (/^(yes|on|true|y)$/i.test(input)) return '; write true'
    if (/^(no|off|false|n)$/i.test(input)) return '; write false'
  }
  if (kind === 'number' && typeof input === 'string' && /^\d+$/.test(input)) return '; write it without quotes'
  if (kind === 'choice' && input === false && option.choices.includes('off')) return '; write off'
  if (kind === 'choice' && input === false && option.choices.includes('none')) return '; write none'
  if (kind === 'text' && typeof input !== 'string') return `; write it in quotes: "${input}"`
  return ''
}

/** `--ttl 300: takes …` and `--carrier: why` stand behind their key there; and keys have no dashes, nor a `no-`. */
export function inWordsOfAFile({ option, message }: ConfigError): string {
  const behind = message.startsWith(`--${option}`) ? message.slice(option.length + 2) : undefined
  const words = behind === undefined || !/^:? /.test(behind) ? message : behind.replace(/^:? /, '')
  return words.replace(/--no-([a-z-]+)/g, '$1: false').replace(/--(?=[a-z])/g, '')
}
