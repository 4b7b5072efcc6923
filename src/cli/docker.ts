// `tsgre docker plan|apply|undo`: docker0's address and MTU in daemon.json. Prints what it would do, did, and what is left
// to do; the doing is in host/.

import type { Argv, CommandModule } from 'yargs'
import { ConfigError, HostError } from '../errors.js'
import { refuseOverlap } from '../host/docker-bip.js'
import { type DaemonJsonPlan, planDaemonJson } from '../host/docker-config.js'
import { type Applied, applyDaemonJson, DAEMON_JSON, readDaemonJson, undoDaemonJson } from '../host/docker-file.js'
import { type Restarted, restartDocker } from '../host/docker-restart.js'
import { listAddresses, listRoutes } from '../host/routes.js'
import { once, type Text } from './arguments.js'
import { type DockerReport, humanDockerReport, jsonDockerReport } from './docker-report.js'

interface CommonArguments {
  configFile: Text
  json: boolean
}

interface PlanArguments extends CommonArguments {
  bip: Text
  fixedCidr: Text
  mtu: Text
}

const text = { type: 'string', requiresArg: true } as const
const flag = { type: 'boolean', default: false } as const

function commonOptions(yargs: Argv): Argv {
  return yargs
    .option('config-file', { ...text, describe: `dockerd's configuration [${DAEMON_JSON}]` })
    .option('json', { ...flag, describe: 'one JSON object, errors too' })
    .hide('version')
}

function planOptions(yargs: Argv): Argv {
  return commonOptions(
    yargs
      .option('bip', { ...text, describe: 'address of docker0 with its mask, as 10.103.100.1/24' })
      .option('fixed-cidr', { ...text, describe: 'the part of it containers get addresses from' })
      .option('mtu', { ...text, describe: 'MTU of new containers, 576 to 65535; 1462 fits GRE over Ethernet' }),
  )
}

const restartOption = { ...flag, describe: 'restart dockerd (systemd), and with it its containers' }

const plan = {
  command: 'plan',
  describe: 'show what daemon.json would become; change nothing',
  builder: planOptions,
  async handler(argv: PlanArguments) {
    const { file, planned } = await makePlan(argv)
    reportFor(argv).planned(file, planned)
  },
}

const apply = {
  command: 'apply',
  describe: 'write daemon.json, keeping the file as it was beside it',
  builder: (yargs: Argv) => planOptions(yargs).option('restart', restartOption),
  async handler(argv: PlanArguments & { restart: boolean }) {
    const { file, planned } = await makePlan(argv)
    const report = reportFor(argv)
    if (planned.changed.length === 0) return report.unchanged(file)
    const applied = await applyDaemonJson(file, planned)
    report.applied(planned, applied, argv.restart ? await restartOrRevert(applied) : undefined)
  },
}

const undo = {
  command: 'undo',
  describe: 'put daemon.json back as it was before the first apply',
  builder: (yargs: Argv) =>
    commonOptions(yargs)
      .option('force', { ...flag, describe: 'also when it was edited since' })
      .option('restart', restartOption),
  async handler(argv: CommonArguments & { force: boolean; restart: boolean }) {
    const undone = await undoDaemonJson(fileOf(argv), argv.force)
    const restart = argv.restart && undone.outcome !== 'nothing'
    reportFor(argv).undone(undone, restart ? await restartDocker() : undefined)
  },
}

export const dockerCommand = {
  command: 'docker',
  describe: "docker0's address and MTU in daemon.json: plan, apply, undo",
  builder: (yargs: Argv) =>
    [plan, apply, undo]
      .reduce((all, command) => all.command(command as unknown as CommandModule), yargs)
      .demandCommand(1, 'docker needs one of: plan, apply, undo')
      .hide('version'),
  handler() {},
} as unknown as CommandModule

/** Everything that can be refused is refused here, before a file is touched. */
async function makePlan(argv: PlanArguments): Promise<{ file: string; planned: DaemonJsonPlan }> {
  const file = fileOf(argv)
  const bip = once('bip', argv.bip)
  const wanted = { bip, fixedCidr: once('fixed-cidr', argv.fixedCidr), mtu: mtuOf(once('mtu', argv.mtu)) }
  if (Object.values(wanted).every((value) => value === undefined)) {
    const words = 'nothing is asked of daemon.json: give --bip, --fixed-cidr or --mtu, as in --bip 10.103.100.1/24'
    throw new ConfigError('TSGRE_BAD_OPTION', 'bip', undefined, words)
  }
  const planned = planDaemonJson(await readDaemonJson(file), wanted, file)
  if (bip !== undefined && planned.changed.some(({ key }) => key === 'bip'))
    refuseOverlap(bip, await listRoutes(), await listAddresses())
  return { file, planned }
}

/** A dockerd that does not start takes every container with it: then the file goes back, and dockerd comes up as before. */
async function restartOrRevert(applied: Applied): Promise<Restarted> {
  try {
    return await restartDocker()
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    await applied.revert()
    const again = await restartDocker().then(
      () => 'and dockerd restarted as before',
      () => 'but dockerd does not start with the old one either',
    )
    const reasons = 'journalctl -u docker says why; often a key is also a flag in the unit that starts dockerd'
    const message = `dockerd did not start with the new ${applied.path}; the file was put back ${again}. ${reasons}\n${error.message}`
    throw new HostError('TSGRE_COMMAND_FAILED', error.command, error.stderr, message)
  }
}

function reportFor(argv: CommonArguments): DockerReport {
  return argv.json ? jsonDockerReport() : humanDockerReport(fileOf(argv))
}

function fileOf(argv: CommonArguments): string {
  const file = once('config-file', argv.configFile) ?? DAEMON_JSON
  if (file) return file
  throw new ConfigError('TSGRE_BAD_OPTION', 'config-file', file, `--config-file "": name a file, as in ${DAEMON_JSON}`)
}

function mtuOf(typed: string | undefined): number | undefined {
  if (typed === undefined || /^\d+$/.test(typed)) return typed === undefined ? undefined : Number(typed)
  throw new ConfigError('TSGRE_BAD_MTU', 'mtu', typed, `--mtu ${typed}: takes a whole number from 576 to 65535`)
}
