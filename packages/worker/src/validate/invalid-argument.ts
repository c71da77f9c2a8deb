import type { DescMessage } from "@bufbuild/protobuf";
import { badRequest, Code, type FieldViolation, RpcError } from "@gantry/rpc";
import type { Violations } from "./findings.ts";
import { clip } from "./text.ts";

/** Status and details travel as trailers, of which clients take 8 KiB in all, and base64 adds a third. */
const MOST_DETAIL_BYTES = 4_096;
const LONGEST_PATH = 200;
const LONGEST_DESCRIPTION = 300;
const LONGEST_SUMMARY = 200;

/** What a request message fails with that is not valid: a sentence, and a BadRequest that names the violations. */
export function invalidArgument(desc: DescMessage, { violations, total }: Violations): RpcError {
  const listed = fitting(violations);
  const rest =
    listed.length < total ? ` The details name the first ${listed.length} of ${total} violations.` : "";
  return new RpcError(Code.InvalidArgument, `${desc.name} is not valid: ${summary(listed, total)}.${rest}`, [
    badRequest(listed),
  ]);
}

/** As many violations as trailers have room for, and the first of them in any case. */
function fitting(violations: readonly FieldViolation[]): FieldViolation[] {
  const listed: FieldViolation[] = [];
  let room = MOST_DETAIL_BYTES;
  for (const { field, description, reason = "" } of violations) {
    const violation = {
      field: clip(field, LONGEST_PATH),
      description: clip(description, LONGEST_DESCRIPTION),
      reason,
    };
    room -= Buffer.byteLength(violation.field + violation.description + reason);
    if (room < 0 && listed.length > 0) break;
    listed.push(violation);
  }
  return listed;
}

/** `name must be at least 1 characters; age must be greater than 0; and 3 more` */
function summary(violations: readonly FieldViolation[], total: number): string {
  let text = "";
  let named = 0;
  for (const { field, description } of violations) {
    const next = `${named > 0 ? "; " : ""}${field}${field && " "}${description}`;
    if (named > 0 && text.length + next.length > LONGEST_SUMMARY) break;
    text += next;
    named += 1;
  }
  text = clip(text, LONGEST_SUMMARY);
  return named < total ? `${text}; and ${total - named} more` : text;
}
