import { Admin } from "@gantry/proto/gantry/v1/admin_pb.js";
import { type Implementation, implement } from "../implement.ts";
import type { CountedSubject } from "../quota/store.ts";
import { explain, type ReadExplained } from "./explain.ts";

/** `gantry.v1.Admin`: what a worker answers about itself over gRPC. */
export function createAdminService(
  read: ReadExplained,
  readSubjects: () => readonly CountedSubject[],
): Implementation {
  return implement(Admin, {
    explain: ({ method }) => explain(read, method),
    subjects: () => ({ subjects: [...readSubjects()] }),
  });
}
