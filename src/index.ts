export { DROP_REASONS, type DropReason } from './drops.js'
export * from './errors.js'
