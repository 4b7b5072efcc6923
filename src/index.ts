// 'tsgre': the library's door. Re-exports only.

export { DROP_REASONS, type DropReason } from './drops.js'
export { ConfigError, ERROR_CODES, type ErrorCode, HostError, StateError, SystemError, TsgreError } from './errors.js'
export type { EncapsulationOptions } from './tunnel/encapsulation.js'
export { openTunnel, runTunnel } from './tunnel/open-tunnel.js'
export type { Logger, TunnelOptions } from './tunnel/options.js'
export type { ChecksumRule, Key, Keys, PeerOptions } from './tunnel/peer-options.js'
export type { FdbEntry, Liveness, PeerStats, WrongKey } from './tunnel/peer-stats.js'
export type { FragmentRule, PumpSettings } from './tunnel/settings.js'
export type { TunnelStats } from './tunnel/stats.js'
export { Tunnel, type TunnelEvents } from './tunnel/tunnel.js'
