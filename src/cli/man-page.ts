// The man page, out of the option table and the tree of commands. What those do not say stands here: what it is, files, signals,
// exit status.

import { defaultWords, GROUPS, type Option } from '../daemon/options/option.js'
import { OPTIONS } from '../daemon/options/option-table.js'
import { aboutAndDefault, allCommands, type Command, type CommandOption, flagsOf } from './command-tree.js'
import { bold, heading, italic, item, listing, prose, roff, subheading } from './roff.js'

export function manPage(tree: Command): string {
  return [
    `.\\" Printed by \`tsgre man\`, out of the table of options. Do not edit: npm run docs`,
    `.TH TSGRE 8 ${DATE} tsgre`,
    heading('name'),
    roff('tsgre - Ethernet over GRE in user space, between two hosts or many'),
    heading('synopsis'),
    synopsis([
      ['--remote', 'ADDRESS', ' ...'],
      ['--tap', 'NAME'],
      ['', '[options]'],
    ]),
    '.br',
    synopsis([
      ['--config', 'FILE'],
      ['', '[--dry-run] [--json]'],
    ]),
    '.br',
    synopsis([
      ['', 'COMMAND'],
      ['', '[options]'],
    ]),
    heading('description'),
    paragraphs(DESCRIPTION),
    ...optionsPart(),
    ...commandsPart(tree),
    ...ENDS.flatMap(([title, entries]) => [
      heading(title),
      ...entries.map(([tag, text]) => item(bold(tag), prose(text))),
    ]),
    heading('examples'),
    ...EXAMPLES.flatMap(([text, lines], index) => [...(index > 0 ? ['.PP'] : []), prose(text), listing(lines)]),
    heading('see also'),
    SEE_ALSO.map(([name, number]) => `.BR ${roff(name)} (${number})`).join(' ,\n'),
    '.PP',
    prose('docs/errors.md and docs/drops.md in the package say what every error and every reason for a drop means.'),
    '',
  ].join('\n')
}

function optionsPart(): string[] {
  return [
    heading('options'),
    prose('A switch --S is turned off by --no-S.'),
    ...Object.entries(GROUPS).flatMap(([group, title]) => [
      subheading(title.replace(/:$/, '')),
      ...OPTIONS.filter((option) => option.group === group).map(rowItem),
    ]),
  ]
}

function commandsPart(tree: Command): string[] {
  return [
    heading('commands'),
    prose(
      'Each takes --help. NAME is that of the configuration file, or of the TAP; it is not needed where one tsgre runs.',
    ),
    ...allCommands(tree)
      .filter(({ path, commands }) => path.length > 0 && commands.length === 0)
      .map(section),
  ]
}

/** Pairs of a flag and its value. */
function synopsis(words: readonly (readonly [flag: string, value: string, more?: string])[]): string {
  const rest = words.map(([flag, value, more = '']) => `${flag && `${bold(flag)} `}${italic(value)}${more}`)
  return [bold('tsgre'), ...rest].join(' ')
}

function paragraphs(texts: readonly string[]): string {
  return texts.map(prose).join('\n.PP\n')
}

function rowItem(option: Option): string {
  const { name, about } = option
  if (option.kind === 'switch') return item(bold(`--${name}`), sentences(about, option.standard ? 'on' : 'off'))
  return item(tag([`--${name}`], option.value), sentences(about, defaultWords(option)))
}

function optionItem(option: CommandOption): string {
  const { about, standard } = aboutAndDefault(option.about)
  const flags = flagsOf(option).filter((flag) => !flag.startsWith('--no-'))
  return item(tag(flags, option.value), sentences(about, standard))
}

function tag(flags: readonly string[], value: string | undefined): string {
  return `${flags.map(bold).join(', ')}${value === undefined ? '' : ` ${italic(value)}`}`
}

function sentences(about: string, standard: string | undefined): string {
  return prose(`${about.replace(/\.$/, '')}.${standard === undefined ? '' : ` Default: ${standard}.`}`)
}

function section({ path, positionals, about, options, epilogue }: Command): string {
  const words = positionals.map(({ name, required }) => (required ? name.toUpperCase() : `[${name.toUpperCase()}]`))
  const usage = ['tsgre', ...path, ...words].join(' ')
  const told = positionals.filter(({ name, about }) => about !== '' && name !== 'name')
  return [
    subheading(usage),
    sentences(about.charAt(0).toUpperCase() + about.slice(1), undefined),
    ...told.map(({ name, about }) => item(italic(name.toUpperCase()), sentences(about, undefined))),
    ...options.map(optionItem),
    ...(epilogue === '' ? [] : [epilogueOf(epilogue)]),
  ].join('\n')
}

/** Indented lines as they stand, and so is what an example consists of. */
function epilogueOf(text: string): string {
  return text
    .split(/\n(?=\S)|\n\n/)
    .map((block) => {
      const [first = '', ...rest] = block.split('\n')
      return `.PP\n${prose(first)}${rest.length > 0 ? `\n${listing(rest.map((line) => line.trimStart()).join('\n'))}` : ''}`
    })
    .join('\n')
}

/** Of the page; to be moved with a release. */
const DATE = '2026-11-25'

const DESCRIPTION = [
  'Joins the bridges of two or more Linux hosts into one Ethernet, in GRE packets (protocol type 0x6558) as those of Linux gretap and Open vSwitch, without a kernel module. It runs in the foreground until it is told to stop, and then puts back what it changed on the host.',
  'With several --remote the hosts form a mesh: a frame goes to the remote behind which its address was learnt, and to all of them where that is not known. What came from a remote is never sent to another one, so that each host must name all the others.',
  'Needs CAP_NET_ADMIN and CAP_NET_RAW. GRE is neither encrypted nor authenticated.',
]

type Entries = readonly (readonly [tag: string, text: string])[]

const ENDS: readonly (readonly [title: string, entries: Entries])[] = [
  [
    'files',
    [
      ['/etc/tsgre/NAME.yaml', 'What tsgre --config NAME reads: YAML or JSON, with the options as keys.'],
      [
        '/run/tsgre/NAME.sock',
        'Where a running tsgre answers, for root and the group tsgre. The directory is another where TSGRE_RUN_DIR names one.',
      ],
      [
        '/run/tsgre/TAP.journal',
        'What a tunnel changed on this host, from which tsgre cleanup, or the next start, takes back what a killed one left.',
      ],
    ],
  ],
  [
    'signals',
    [
      [
        'SIGTERM, SIGINT, SIGQUIT',
        'End it; what it changed is put back. A second one while that goes on ends it at once: tsgre cleanup, or the next start, puts back the rest.',
      ],
      ['SIGHUP', 'With --config: read the file again, and apply what changed. Without one: end it.'],
      ['SIGUSR1', 'Print the counters so far.'],
    ],
  ],
  [
    'exit status',
    [
      ['0', 'Done.'],
      ['1', 'Failed.'],
      ['2', 'Refused: an option, a file or their combination cannot work. Nothing was changed.'],
      ['77', 'A capability is missing.'],
    ],
  ],
]

const EXAMPLES: Entries = [
  [
    'Two hosts, containers behind docker0 on each; the mirror image on the other:',
    'tsgre --remote 192.168.56.5 --tap tap0 --route 10.103.200.0/24',
  ],
  [
    'One of three hosts; each names the two others:',
    'tsgre --remote 192.168.56.5 --remote 192.168.56.6,key=7 --tap tap0 --keepalive 5',
  ],
  ['As a configuration file says, /etc/tsgre/mesh.yaml:', 'tsgre --config mesh'],
  ['What is wrong, and how to mend it:', 'tsgre status\ntsgre doctor'],
  ['What was dropped, in detail:', 'tsgre capture --drops -w - | tshark -r -'],
]

const SEE_ALSO = [
  ['ip-link', 8],
  ['bridge', 8],
  ['pcap-filter', 7],
  ['capabilities', 7],
] as const
