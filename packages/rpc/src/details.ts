import { create } from "@bufbuild/protobuf";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "@gantry/proto/google/rpc/error_details_pb.js";
import { durationOfMs } from "./duration.ts";
import { detail, type ErrorDetail } from "./rpc-error.ts";

/** What is wrong with one field of a request. */
export interface FieldViolation {
  /** The path of the field, as `user.tags[2]`. */
  readonly field: string;
  readonly description: string;
  /** A stable identifier for programs, as `string.min_len`. */
  readonly reason?: string;
}

/** The detail of INVALID_ARGUMENT and OUT_OF_RANGE: every violation at once. */
export function badRequest(violations: readonly FieldViolation[]): ErrorDetail {
  return detail(
    BadRequestSchema,
    create(BadRequestSchema, {
      fieldViolations: violations.map(({ field, description, reason = "" }) => ({
        field,
        description,
        reason,
      })),
    }),
  );
}

/** The detail that names the cause for programs: `reason` in UPPER_SNAKE_CASE, `domain` who says so. */
export function errorInfo(
  reason: string,
  domain: string,
  metadata: Record<string, string> = {},
): ErrorDetail {
  return detail(ErrorInfoSchema, create(ErrorInfoSchema, { reason, domain, metadata }));
}

/** The detail that says when to try again. */
export function retryInfo(delayMs: number): ErrorDetail {
  return detail(RetryInfoSchema, create(RetryInfoSchema, { retryDelay: durationOfMs(delayMs) }));
}
