// `tsgre doctor`: reads its options, has the checks made, and prints what was found: one line each, and below what is wrong how to
// mend it. Changes nothing.

import type { Argv, CommandModule } from 'yargs'
import { askInstances } from '../daemon/doctor/ask-instances.js'
import { LOOKED_AT, readAsked } from '../daemon/doctor/asked.js'
import type { Finding } from '../daemon/doctor/finding.js'
import { guarded } from '../daemon/doctor/guarded.js'
import { checkLeftovers } from '../daemon/doctor/leftover-check.js'
import { exitCodeFor, runDoctor } from '../daemon/doctor/run-doctor.js'
import type { ReadStatus } from '../daemon/doctor/subject.js'
import { subjectsOf } from '../daemon/doctor/subjects.js'
import { OPTIONS } from '../daemon/options/option-table.js'
import { asText } from './doctor-text.js'
import { type Arguments, askedOf, parserOption } from './tunnel-flags.js'

const EXAMPLE = `Give it the options of the tunnel; those it has no use for are taken, too. What is left away is as the tsgre that runs here has it.
Without --remote it looks at every tsgre that runs here.

Exit code 0 where nothing is wrong (warnings may be), 1 where something is. What each finding means stands in docs/doctor.md.
It changes nothing: one TAP of its own name is made and gone at once. It sends to the remotes alone, a few short frames and pings.

Example: tsgre doctor --remote 192.168.56.5 --tap tap0`

/** `readStatus` asks the tsgre that run here. */
export function doctorCommand(readStatus: ReadStatus): CommandModule {
  return {
    command: 'doctor',
    describe: 'find out why a tunnel does not work, and say how to mend it; changes nothing',
    builder: (yargs: Argv) => build(yargs).epilogue(EXAMPLE).hide('version'),
    async handler(argv: Arguments) {
      const asked = await readAsked(askedOf(argv))
      const { instances, findings: before } = await askInstances(readStatus)
      const subjects = subjectsOf(asked, instances)
      const left = () => (asked.remotes.length > 0 ? [] : checkLeftovers(subjects, asked.tap, before.length === 0))
      const findings = await runDoctor(subjects, [...before, ...(await guarded('tunnel', left))], readStatus)
      process.stdout.write(argv.json ? asJson(findings) : asText(findings, isUtf8()))
      process.exitCode = exitCodeFor(findings)
    },
  } as unknown as CommandModule
}

/** A tunnel's command line can be given as it is: what does not matter here is taken, and not shown. */
function build(yargs: Argv): Argv {
  const taken = OPTIONS.filter(({ of }) => of !== 'command')
  return taken.reduce((all, option) => {
    const hidden = !LOOKED_AT.has(option.name) && option.name !== 'json'
    return all.option(option.name, { ...parserOption(option), hidden })
  }, yargs)
}

function asJson(findings: readonly Finding[]): string {
  return `${JSON.stringify({ event: 'doctor', healthy: exitCodeFor(findings) === 0, findings })}\n`
}

/** Whether the terminal's locale, in the order of setlocale(3), shows more than ASCII. */
function isUtf8({ LC_ALL, LC_CTYPE, LANG } = process.env): boolean {
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '')
}
