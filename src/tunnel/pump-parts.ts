// What both directions of a pump stand on.

import type { Port } from '../io/port.js'
import type { Neighbours } from './neighbours.js'
import type { Peers } from './peers.js'
import type { PumpSettings } from './settings.js'
import type { Counters } from './stats.js'
import type { Switch } from './switch.js'

export interface PumpParts {
  readonly overlay: Port
  readonly underlay: Port
  readonly settings: PumpSettings
  readonly peers: Peers
  readonly neighbours: Neighbours
  readonly choice: Switch
  readonly counters: Counters
}
