// `tsgre docker plan|apply|undo|status`: docker0's address and MTU in daemon.json. Reads options and prints; the doing is in host/.

import type { Argv, CommandModule } from 'yargs'
import { ConfigError } from '../errors.js'
import { disagreements, waitingForRestart } from '../host/docker-agreement.js'
import { findEngine } from '../host/docker-engine.js'
import { applyDaemonJson, undoable, undoDaemonJson } from '../host/docker-file.js'
import { bridgeAddresses, type Restarted, restartDocker } from '../host/docker-restart.js'
import { lostAddress, restartOrRevert, undoAndRestart } from '../host/docker-rollback.js'
import { DAEMON_JSON, settingsOf } from '../host/docker-settings.js'
import { surveyDocker } from '../host/docker-survey.js'
import { once, type Text } from './arguments.js'
import { fileOf, makePlan, type PlanArguments, type Planned } from './docker-plan.js'
import { type DockerReport, humanDockerReport, jsonDockerReport } from './docker-report.js'
import { humanStatus, jsonStatus } from './docker-status-report.js'

interface CommonArguments {
  configFile: Text
  json: boolean
}

const EXAMPLES = `Examples:
  tsgre docker plan --bip 10.103.100.1/24              what would change
  tsgre docker apply --bip 10.103.100.1/24 --restart   change it, restart dockerd
  tsgre docker status                                  how things stand
  tsgre docker undo --restart                          and back`

const APPLY_EXAMPLES = `Examples:
  tsgre docker apply --bip 10.103.100.1/24 --restart          its own network
  tsgre docker apply --flat --bip 10.103.100.1/24 --restart   one for both hosts`

const text = { type: 'string', requiresArg: true } as const
const flag = { type: 'boolean', default: false } as const

function commonOptions(yargs: Argv): Argv {
  const standard = `configuration of dockerd [the one the running dockerd reads, else ${DAEMON_JSON}]`
  return yargs
    .option('config-file', { ...text, describe: standard })
    .option('json', { ...flag, describe: 'one JSON object, errors too' })
    .hide('version')
}

function planOptions(yargs: Argv): Argv {
  return commonOptions(
    yargs
      .option('bip', { ...text, describe: 'address of docker0 with its mask, as 10.103.100.1/24' })
      .option('fixed-cidr', { ...text, describe: 'the part of it containers get addresses from' })
      .option('flat', { ...flag, describe: "one /16 for both hosts, of which --bip names this host's part: no routes" })
      .option('mtu', { ...text, describe: 'MTU of new containers, 576 to 65535; 1462 fits GRE over Ethernet' })
      .option('route', {
        ...text,
        describe: 'network behind the other host, as for the tunnel; --bip may not overlap it',
      }),
  )
}

const restartOption = { ...flag, describe: 'restart dockerd (systemd), and with it its containers' }

const plan = {
  command: 'plan',
  describe: 'show what daemon.json would become; change nothing',
  builder: (yargs: Argv) => planOptions(yargs).epilogue('Example: tsgre docker plan --bip 10.103.100.1/24'),
  async handler(argv: PlanArguments & CommonArguments) {
    reportFor(argv).planned(await makePlan(argv))
  },
}

const apply = {
  command: 'apply',
  describe: 'write daemon.json, keeping the file as it was beside it',
  builder: (yargs: Argv) => planOptions(yargs).option('restart', restartOption).epilogue(APPLY_EXAMPLES),
  async handler(argv: PlanArguments & CommonArguments & { restart: boolean }) {
    const planned = await makePlan(argv)
    if (argv.restart) refuseOtherFile(planned)
    const report = reportFor(argv)
    const { file, plan } = planned
    const { bip } = settingsOf(plan.after)
    if (plan.changed.length === 0)
      return report.unchanged(file, argv.restart ? await restartIfWaiting(file, bip) : undefined)
    const [address] = await bridgeAddresses()
    const applied = await applyDaemonJson(file, plan, address)
    report.applied(planned, applied, argv.restart ? await restartOrRevert(applied, bip, address) : undefined)
  },
}

const undo = {
  command: 'undo',
  describe: 'put daemon.json back as it was before the first apply',
  builder: (yargs: Argv) =>
    commonOptions(yargs)
      .option('force', { ...flag, describe: 'also when it was edited since' })
      .option('restart', restartOption)
      .epilogue('Example: tsgre docker undo --restart     file, dockerd and docker0 as they were'),
  async handler(argv: CommonArguments & { force: boolean; restart: boolean }) {
    const file = fileOf(argv.configFile, await findEngine())
    const was = await undoable(file)
    const { undone, restart = undefined } = argv.restart
      ? await undoAndRestart(file, argv.force)
      : { undone: await undoDaemonJson(file, argv.force) }
    const lost = was && undone.outcome !== 'nothing' ? await lostAddress(was.before, was.address) : undefined
    reportFor(argv).undone(undone, restart, lost)
  },
}

const status = {
  command: 'status',
  describe: 'compare daemon.json, flags, engine and bridge; exit code 1 when they do not agree',
  builder: (yargs: Argv) => commonOptions(yargs).epilogue('Example: tsgre docker status --json | jq .disagreements'),
  async handler(argv: CommonArguments) {
    const named = once('config-file', argv.configFile)
    const survey = await surveyDocker(named === undefined ? undefined : fileOf(named, undefined))
    const disagreeing = disagreements(survey)
    if (argv.json) jsonStatus(survey, disagreeing)
    else humanStatus(survey, disagreeing)
    if (disagreeing.length > 0) process.exitCode = 1
  },
}

export const dockerCommand = {
  command: 'docker',
  describe: "docker0's address and MTU in daemon.json: plan, apply, undo, status",
  builder: (yargs: Argv) =>
    [plan, apply, undo, status]
      .reduce((all, command) => all.command(command as unknown as CommandModule), yargs)
      .demandCommand(1, 'docker needs one of: plan, apply, undo, status')
      .recommendCommands()
      .epilogue(EXAMPLES)
      .hide('version'),
  handler() {},
} as unknown as CommandModule

/** A restart would not take what another file says. */
function refuseOtherFile({ file, readElsewhere }: Planned): void {
  if (readElsewhere === undefined) return
  const words = `--restart: the running dockerd reads ${readElsewhere} and would take nothing from ${file}`
  throw new ConfigError('TSGRE_CONFLICT', 'restart', true, `${words}; leave --config-file out, or --restart`)
}

/** The file says it all already; a dockerd that has not been restarted since may use something else. */
async function restartIfWaiting(file: string, bip: string | undefined): Promise<Restarted | undefined> {
  return waitingForRestart(await surveyDocker(file)).length > 0 ? await restartDocker(bip) : undefined
}

function reportFor(argv: CommonArguments): DockerReport {
  return argv.json ? jsonDockerReport() : humanDockerReport(once('config-file', argv.configFile))
}
