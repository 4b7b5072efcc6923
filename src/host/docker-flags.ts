// The command line of a dockerd, read as dockerd reads it (github.com/spf13/pflag). Pure. What dockerd would refuse is read
// somehow: such a dockerd does not run.

export interface Flag {
  /** In full and without dashes: `bip`, `bridge`, `host`. */
  readonly name: string
  /** 'true' where a switch has none. */
  readonly value: string
  /** As it stands on the command line: `--bip=10.103.100.1/24`, `-b br0`. */
  readonly text: string
}

const SHORT: Readonly<Record<string, string>> = {
  b: 'bridge',
  D: 'debug',
  G: 'group',
  g: 'graph',
  H: 'host',
  h: 'help',
  l: 'log-level',
  p: 'pidfile',
  s: 'storage-driver',
  v: 'version',
}
const SHORT_SWITCHES = 'Dhv'
/** Of those tsgre asks about, the ones that take the next word as their value whatever it looks like. */
const VALUED = ['bip', 'bridge', 'config-file', 'fixed-cidr', 'host', 'mtu']

/** The flags among `words`, the command line without its first word. */
export function readFlags(words: readonly string[]): Flag[] {
  const flags: Flag[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    if (word === '--') break
    const found = word.startsWith('--') ? readLong(word, words[at + 1]) : readShort(word, words[at + 1])
    flags.push(...found.flags)
    if (found.tookNext) at++
  }
  return flags
}

/** The flag of that name; given more than once, the last holds. */
export function flagOf(flags: readonly Flag[], name: string): Flag | undefined {
  return flags.filter((flag) => flag.name === name).at(-1)
}

interface Found {
  readonly flags: readonly Flag[]
  readonly tookNext: boolean
}

/** dockerd takes no arguments, so a word behind a flag that does not look like a flag can only be its value. */
function readLong(word: string, next: string | undefined): Found {
  const [, name = '', value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? []
  if (value !== undefined) return { flags: [{ name, value, text: word }], tookNext: false }
  if (next === undefined || (next.startsWith('-') && !VALUED.includes(name)))
    return { flags: [{ name, value: 'true', text: word }], tookNext: false }
  return { flags: [{ name, value: next, text: `${word} ${next}` }], tookNext: true }
}

/** Letters may stand together; what follows one with a value is that value: -Dbbr0, -b=br0. */
function readShort(word: string, next: string | undefined): Found {
  const flags: Flag[] = []
  if (!word.startsWith('-')) return { flags, tookNext: false }
  for (let at = 1; at < word.length; at++) {
    const letter = word[at]!
    const name = SHORT[letter] ?? letter
    const rest = word.slice(at + 1)
    if (SHORT_SWITCHES.includes(letter) && !rest.startsWith('=')) {
      flags.push({ name, value: 'true', text: `-${letter}` })
      continue
    }
    if (rest !== '') return { flags: [...flags, { name, value: rest.replace(/^=/, ''), text: word }], tookNext: false }
    const text = next === undefined ? word : `${word} ${next}`
    return { flags: [...flags, { name, value: next ?? '', text }], tookNext: true }
  }
  return { flags, tookNext: false }
}
