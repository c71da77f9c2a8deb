/** What is measured beside k6's own metrics. README.md says what they are called elsewhere. */
import { Counter, Rate, Trend } from "k6/metrics";

/** k6 has it for gRPC; REST adds to the same, so that reports are the same. */
export const duration = new Trend("grpc_req_duration", true);
/** Calls that have ended. */
export const calls = new Counter("grpc_reqs");
/** Of them, those that were not answered as expected. Refusals by a quota count apart. */
export const failed = new Rate("grpc_req_failed");
export const quotaRefused = new Counter("quota_refused");
/** Calls that found nobody at an address and went to the next one. */
export const moved = new Counter("grpc_req_moved");
/** Streams that had their first answer, and streams that have ended as they should. */
export const streamsOpened = new Counter("streams_opened");
export const streamsEnded = new Counter("streams_ended");
/** From the first attempt until a worker that was not there has answered. */
export const coldStart = new Trend("cold_start_duration", true);
