// The command `tsgre`: reads the command line, runs one command, turns what it throws into words and an exit code.
// Data goes to stdout, errors to stderr.

import { createRequire } from 'node:module'
import yargs from 'yargs'
import { isLookingUp } from '../daemon/addresses-of.js'
import { endOptions, type Known, plainWords, refuseOddSwitches } from './arguments.js'
import { describeFailure, exitCodeOf, ParserError, UsageError } from './failure.js'
import { namesCommand } from './names-command.js'
import { tunnelCommand } from './tunnel.js'

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }

const EXAMPLE = `Two hosts, 192.168.56.4 and 192.168.56.5, with containers behind docker0 on each:
  host A  tsgre --remote 192.168.56.5 --tap tap0 --route 10.103.200.0/24
  host B  tsgre --remote 192.168.56.4 --tap tap0 --route 10.103.100.0/24

Many hosts: each gives --remote once for every other host.

GRE is neither encrypted nor authenticated: use it on a network you trust, or over IPsec or WireGuard.`

/** What yargs 18 has and its types leave out. */
interface Parser {
  getOptions(): Known
}

/** The parser's words as ours, which takes what it knows of all commands. */
async function explained(error: UsageError): Promise<UsageError> {
  const [{ tree }, { usageOf }] = await Promise.all([import('./commands.js'), import('./usage.js')])
  const { words, command } = usageOf(argv, tree(), error.message)
  const better = new UsageError(error instanceof ParserError ? words : error.message)
  better.command = command
  return better
}

// A tunnel does not end because nobody reads its lines any more.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

const argv = process.argv.slice(2)
const { options, words } = endOptions(argv)
const parser = yargs(words)
// To load the commands takes a quarter of the time until a tunnel is opened, which needs none of them.
const { COMMANDS } = namesCommand(argv) ? await import('./commands.js') : { COMMANDS: [] }
try {
  await parser
    .scriptName('tsgre')
    .usage(
      `tsgre --remote ADDRESS --tap NAME [options]
tsgre --config FILE
tsgre COMMAND

Carries Ethernet between this host and others in GRE, like \`ip link … type gretap\`.`,
    )
    .command([tunnelCommand, ...COMMANDS])
    .strict()
    .parserConfiguration({ 'duplicate-arguments-array': true, 'parse-numbers': false, 'boolean-negation': true })
    .middleware((parsed) => {
      plainWords(parsed)
      refuseOddSwitches(options, (parser as unknown as Parser).getOptions())
    }, true)
    .locale('en') // half of the words are ours, and those are English
    .version(version)
    .alias('help', 'h')
    .epilogue(EXAMPLE)
    .wrap(Math.min(110, process.stdout.columns || 100))
    .exitProcess(false)
    .fail((message, error) => {
      throw !error || error.name === 'YError' ? new ParserError(message ?? error.message) : error
    })
    .parseAsync()
} catch (thrown) {
  const error = thrown instanceof UsageError ? await explained(thrown) : thrown
  process.exitCode = exitCodeOf(error)
  process.stderr.write(`${describeFailure(error, options.includes('--json'))}\n`)
}

if (isLookingUp()) {
  const { exitNow } = await import('../sys/exit-now.js')
  exitNow(Number(process.exitCode ?? 0))
}
