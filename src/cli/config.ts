// `tsgre config`: looks at a configuration file without carrying anything: check, show; and what files may say: schema, keys.

import type { Argv, CommandModule } from 'yargs'
import { defaultWords } from '../daemon/options/option.js'
import { OPTIONS } from '../daemon/options/option-table.js'
import { listRemotes } from '../tunnel/resolve-peers.js'
import { once, type Text } from './arguments.js'

interface Arguments {
  file: Text
  json: boolean
}

const FILE = 'a path, or NAME for /etc/tsgre/NAME.yaml'

const withFile = (yargs: Argv) =>
  yargs.positional('file', { type: 'string', describe: FILE, demandOption: true }).hide('version')

const check = {
  command: 'check <file>',
  describe: 'say what is wrong with a configuration file, or what it asks for; changes nothing',
  builder: (yargs: Argv) =>
    withFile(yargs).option('json', { type: 'boolean', default: false, describe: 'errors as JSON' }),
  async handler({ file }: Arguments) {
    const { loadConfig } = await import('../daemon/config/load-config.js')
    const loaded = await loadConfig(once('file', file)!)
    const lines = loaded.tunnels.map(({ name, remote }) => {
      const remotes = listRemotes(remote).map((one) => one.remote)
      return `${name}: ${remotes.length === 1 ? 'remote' : `${remotes.length} remotes,`} ${remotes.join(', ')}\n`
    })
    process.stdout.write(`${loaded.file} is good\n${lines.join('')}`)
  },
} as unknown as CommandModule

const show = {
  command: 'show <file>',
  describe: 'print a configuration file with every default filled in',
  builder: (yargs: Argv) => withFile(yargs).option('json', { type: 'boolean', default: false, describe: 'as JSON' }),
  async handler({ file, json }: Arguments) {
    const { loadConfig } = await import('../daemon/config/load-config.js')
    const { shownConfig } = await import('../daemon/config/shown.js')
    const { stringify } = await import('yaml')
    const shown = shownConfig(await loadConfig(once('file', file)!))
    process.stdout.write(json ? `${JSON.stringify(shown, null, 2)}\n` : stringify(shown))
  },
} as unknown as CommandModule

const schema = {
  command: 'schema',
  describe: 'print the JSON Schema of configuration files',
  builder: (yargs: Argv) => yargs.hide('version'),
  async handler() {
    const { configSchema } = await import('../daemon/config/json-schema.js')
    process.stdout.write(`${JSON.stringify(configSchema(), null, 2)}\n`)
  },
} as unknown as CommandModule

const keys = {
  command: 'keys',
  describe: 'print every key a configuration file may have, as a table',
  builder: (yargs: Argv) => yargs.hide('version'),
  handler() {
    process.stdout.write(keyTable())
  },
} as unknown as CommandModule

export const configCommand = {
  command: 'config',
  describe: 'look at configuration files (--config): check, show, schema, keys',
  builder: (yargs: Argv) =>
    yargs
      .command([check, show, schema, keys])
      .demandCommand(1, 'say what to do: tsgre config check, show, schema or keys')
      .hide('version'),
  handler() {},
} as unknown as CommandModule

const RELOAD = { live: 'at once', tunnel: 'the tunnel is started anew', process: 'at the next start' } as const

/** Markdown: docs/config.md has it. */
export function keyTable(): string {
  const rows = OPTIONS.filter(({ of }) => of !== 'command').map((option) => {
    const value = 'value' in option ? option.value : 'true or false'
    const cells = [`\`${option.name}\``, value, defaultWords(option) ?? '', RELOAD[option.reload], option.about]
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
  })
  return `| key | value | default | on reload | meaning |\n|---|---|---|---|---|\n${rows.join('')}`
}
