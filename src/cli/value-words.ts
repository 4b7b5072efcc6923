// What the parser has no word for: what stands for the value of an option or an argument in the man page, and what a shell
// offers for it. Only of what the option table does not say, or says for the tunnel alone.

/** Each is found by the shell itself, without starting tsgre: that would take a moment at each TAB. */
export type Offered = 'device' | 'bridge' | 'file' | 'config' | 'instance'

interface ValueWords {
  readonly value: string
  readonly offered?: Offered
}

export const VALUE_WORDS: Readonly<Record<string, ValueWords | undefined>> = {
  a: { value: 'UNDERLAY=BIP' },
  b: { value: 'UNDERLAY=BIP' },
  bip: { value: 'ADDRESS/LENGTH' },
  'config-file': { value: 'FILE', offered: 'file' },
  count: { value: 'N' },
  file: { value: 'FILE', offered: 'config' },
  filter: { value: 'EXPRESSION' },
  'fixed-cidr': { value: 'CIDR' },
  name: { value: 'NAME', offered: 'instance' },
  remote: { value: 'ADDRESS' },
  snaplen: { value: 'N' },
  'underlay-mtu': { value: 'N' },
  write: { value: 'FILE', offered: 'file' },
}
