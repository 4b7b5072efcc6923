// 'tsgre': the library's door. Re-exports only.

export { DROP_REASONS, type DropReason } from './drops.js'
export { ConfigError, ERROR_CODES, type ErrorCode, HostError, StateError, SystemError, TsgreError } from './errors.js'
export type { EncapsulationOptions } from './tunnel/encapsulation.js'
export { openTunnel, runTunnel } from './tunnel/open-tunnel.js'
export type { Key, Logger, TunnelOptions } from './tunnel/options.js'
export type { FragmentRule, PumpSettings } from './tunnel/settings.js'
export type { TunnelStats } from './tunnel/stats.js'
export { Tunnel, type TunnelEvents } from './tunnel/tunnel.js'
