// 'tsgre/host': changes to this machine, each with its undo. Re-exports only.

export { type Action, type Change, typedAction, type Undo } from './change.js'
export { Changes, type UndoFailure } from './changes.js'
export { disagreements } from './docker-agreement.js'
export {
  coveringRoutes,
  type Flat,
  flatten,
  refuseOverlap,
  refuseRemote,
  validateBip,
  validateFixedCidr,
  validateMtu,
} from './docker-bip.js'
export { type DaemonJsonPlan, type KeyChange, planDaemonJson } from './docker-config.js'
export type { WantedKeys } from './docker-conflicts.js'
export { type Engine, findEngine } from './docker-engine.js'
export {
  type Applied,
  applyDaemonJson,
  readDaemonJson,
  type Undoable,
  type Undone,
  undoable,
  undoDaemonJson,
} from './docker-file.js'
export type { Flag } from './docker-flags.js'
export { type Restarted, restartCommand, restartDocker } from './docker-restart.js'
export { lostAddress, restartOrRevert, undoAndRestart } from './docker-rollback.js'
export { DAEMON_JSON, type Settings } from './docker-settings.js'
export { type Survey, surveyDocker } from './docker-survey.js'
export { type Execute, execute } from './execute.js'
export { unifiedDiff } from './line-diff.js'
export { isBridge, linkKind, linkMaster, planPort, planUp } from './links.js'
export { watchHost } from './monitor.js'
export {
  type Cidr,
  type HostAddress,
  listAddresses,
  listRoutes,
  overlap,
  parseCidr,
  planRoute,
  type Route,
  type RouteAnswer,
  routeTo,
} from './routes.js'
