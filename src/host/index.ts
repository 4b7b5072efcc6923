// 'tsgre/host': changes to this machine, each with its undo. Re-exports only.

export { refuseOverlap, validateBip, validateFixedCidr, validateMtu } from './docker-bip.js'
export { type DaemonJsonPlan, type KeyChange, planDaemonJson } from './docker-config.js'
export type { WantedKeys } from './docker-conflicts.js'
export {
  type Applied,
  applyDaemonJson,
  readDaemonJson,
  type Undone,
  undoDaemonJson,
} from './docker-file.js'
export { type Restarted, restartCommand, restartDocker } from './docker-restart.js'
export { type Execute, execute } from './execute.js'
export { unifiedDiff } from './line-diff.js'
export { attachToBridge, isBridge, keepLinkLocals, linkKind, linkMaster, setUp } from './links.js'
export { watchHost } from './monitor.js'
export {
  addRoute,
  type Cidr,
  type HostAddress,
  listAddresses,
  listRoutes,
  overlap,
  parseCidr,
  type Route,
  type RouteAnswer,
  routeTo,
} from './routes.js'
export { type UndoFailure, UndoStack } from './undo.js'
