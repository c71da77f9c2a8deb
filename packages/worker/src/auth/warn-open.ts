import type { Logger } from "../log.ts";
import type { Method } from "../method.ts";

/**
 * Says once, loudly, that anybody may call everything, which methods are meant to be kept from most, and which
 * have quotas by principal: to these all callers are one.
 */
export function warnOpen(methods: readonly Method[], log: Logger): void {
  const served = methods.filter(({ inBand }) => !inBand);
  const namesOf = (which: (method: Method) => boolean) => {
    const names = served.filter(which).map(({ name }) => name);
    return names.length > 0 ? names : undefined;
  };
  log.warn(
    {
      methods_that_want_scopes: namesOf(({ policy }) => policy.access.scopes.length > 0),
      quotas_by_principal: namesOf(({ policy }) =>
        policy.quotas.some(({ subject }) => subject.kind === "principal"),
      ),
    },
    "AUTH_FILE is not set: ANYBODY MAY CALL EVERY METHOD",
  );
}
