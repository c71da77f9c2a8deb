/** The runtime that a service stands on. Tests find theirs in `@gantry/worker/testing`. */
export type { Principal } from "./auth/principal.ts";
export type { CallContext } from "./call-context.ts";
export {
  type Handler,
  type Handlers,
  type HealthStatus,
  type Implementation,
  type ImplementOptions,
  implement,
  unimplemented,
} from "./implement.ts";
export type { Logger } from "./log.ts";
export { PolicyError } from "./policy/policy-error.ts";
export type { Protocol } from "./protocol.ts";
export { runWorker } from "./run-worker.ts";
export { type SettingDefaults, SettingsError } from "./settings.ts";
export type { WorkerState } from "./state.ts";
export type { Web, WebApp, WebCaller, WebParts, WebPeer } from "./web.ts";
export { startWorker, type Worker, type WorkerOptions } from "./worker.ts";
