// The shape of a configuration file in zod, made of the option table: which keys there are, of which kind. What the keys mean
// together is for tunnelWishes() to say.

import { z } from 'zod'
import { ConfigError } from '../../errors.js'
import { defaultWords, type Option } from '../options/option.js'
import { OPTIONS, optionNamed } from '../options/option-table.js'
import { LISTEN_PATTERN } from '../options/parse-listen.js'
import { MOST_REMOTES, parsePeerSpec, peerOf, type RemoteEntry } from '../peer-spec.js'
import { expected, inWordsOfAFile, wrongWords } from './words.js'

const CIDR_PATTERN = '^[\\da-fA-F:.]+/\\d{1,3}$'
const KEY_PATTERN = '^(\\d{1,10}|0[xX][\\da-fA-F]{1,8}|\\d{1,3}(\\.\\d{1,3}){3})$'

type Shape = Record<string, z.ZodType>

/** Of one key. */
function valueType(option: Option): z.ZodType {
  const error = (issue: { input?: unknown }) => wrongWords(issue.input, expected(option), option)
  const whole = (least: number, most: number) => z.int({ error }).min(least, { error }).max(most, { error })
  const text = (pattern: string) => z.string({ error }).regex(new RegExp(pattern), { error })
  switch (option.kind) {
    case 'switch':
      return z.boolean({ error })
    case 'choice':
      return z.enum(option.choices as [string, ...string[]], { error })
    case 'text':
      return z.string({ error }).min(1, { error })
    case 'number': {
      const number = whole(option.least, option.most)
      return option.word === undefined ? number : z.union([number, z.literal(option.word)], { error })
    }
    case 'key':
      return z.union([whole(0, 0xffff_ffff), text(KEY_PATTERN)], { error })
    case 'parts': {
      const [first] = option.parts
      return z.union([whole(first!.least, first!.most), text('^\\d{1,9}(,\\d{1,9})?$')], { error })
    }
    case 'listen':
      return z.union([whole(1, 65535), text(LISTEN_PATTERN)], { error })
    case 'networks':
      return z.union([text(CIDR_PATTERN), z.array(text(CIDR_PATTERN), { error })], { error })
    case 'remotes':
      return REMOTE
  }
}

const addressError = (issue: { input?: unknown }) =>
  wrongWords(issue.input, 'the address or the name of the other host', optionNamed('local'))

/** What a remote may have for itself, in the order of the table. */
export const PER_REMOTE = ['key', 'ikey', 'okey', 'csum', 'checksum', 'seq']

/** The resolver's own words for what is wrong with one remote, at its place. */
function refusing<T>(read: (value: T) => unknown): (value: T, context: z.RefinementCtx<T>) => void {
  return (value, context) => {
    if (context.issues.length > 0) return // what is wrong inside is told there
    try {
      read(value)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      context.addIssue({ code: 'custom', message: inWordsOfAFile(error) })
    }
  }
}

const REMOTE = z.union(
  [
    z.string().min(1, { error: addressError }).superRefine(refusing(parsePeerSpec)),
    z
      .strictObject({
        address: z
          .string({ error: addressError })
          .min(1, { error: addressError })
          .describe('address or name of the other host'),
        ...shapeOf(PER_REMOTE.map(optionNamed)),
      })
      .superRefine(refusing((entry) => peerOf(entry as RemoteEntry))),
  ],
  { error: (issue) => wrongWords(issue.input, expected(optionNamed('remote')), optionNamed('remote')) },
)

function shapeOf(options: readonly Option[]): Shape {
  return Object.fromEntries(
    options.map((option) => {
      const fallback = defaultWords(option)
      const about = fallback === undefined ? option.about : `${option.about} [${fallback}]`
      return [option.name, valueType(option).optional().describe(about)]
    }),
  )
}

const routeError = (issue: { input?: unknown }) => wrongWords(issue.input, 'a network as in 10.103.200.0/24')
const tunnelError = (issue: { input?: unknown }) =>
  wrongWords(issue.input, 'keys and values, as in "remote: 192.168.56.5"')
const listError = (issue: { input?: unknown }) => wrongWords(issue.input, 'a list')

const instance = shapeOf(OPTIONS.filter((option) => option.of === 'instance'))
const shared = shapeOf(OPTIONS.filter((option) => option.of === 'tunnel' && !option.single))
const single = {
  ...shapeOf(OPTIONS.filter((option) => option.of === 'tunnel' && option.single && option.name !== 'tap')),
  routes: z
    .array(z.string({ error: routeError }).regex(new RegExp(CIDR_PATTERN), { error: routeError }), { error: listError })
    .optional()
    .describe('networks behind the other hosts'),
  remotes: z
    .array(REMOTE, { error: listError })
    .min(1, { error: `takes at least one remote` })
    .max(MOST_REMOTES, { error: `takes at most ${MOST_REMOTES} remotes; give the others a tunnel of their own` })
    .optional()
    .describe(`the other hosts, at most ${MOST_REMOTES}`),
}
const tap = valueType(optionNamed('tap')).describe(optionNamed('tap').about)

/** A tunnel in a list, and one in a map, whose key is the TAP's name. */
const LISTED = z.strictObject({ ...single, ...shared, tap }, { error: tunnelError })
export const NAMED = z.strictObject({ ...single, ...shared }, { error: tunnelError })

/** A file with one tunnel, whose keys stand at the top. */
export const ONE = z.strictObject({ ...instance, ...single, ...shared, tap })

const NONE = 'takes at least one tunnel'

/** A file with many; what all of them share stands at the top. */
export const MANY = z.strictObject({
  ...instance,
  ...shared,
  tunnels: z
    .union(
      [
        z.array(LISTED).min(1, { error: NONE }),
        z.record(z.string(), NAMED).superRefine((tunnels, context) => {
          if (Object.keys(tunnels).length === 0) context.addIssue({ code: 'custom', message: NONE })
        }),
      ],
      { error: (issue) => wrongWords(issue.input, 'a list of tunnels, or a map of them by the names of their TAPs') },
    )
    .describe('the tunnels, as a list or as a map by the names of their TAPs'),
})
