import { catalog } from "../gateway.ts";
import { Empty } from "../parts/empty.tsx";
import { useStore } from "../store.ts";
import { findMethod } from "./catalog.ts";
import { MethodList } from "./method-list.tsx";
import { MethodPanel } from "./method-panel.tsx";

/** Every method of every worker, to be called. */
export function TryIt({ parts: [worker = "", service = "", name = ""] }: { parts: readonly string[] }) {
  const known = useStore(catalog);
  if (!known) return <Empty title="Asking the workers …">What they serve shows here in a moment.</Empty>;
  if (known.workers.length === 0) {
    return <Empty title="No workers">The gateway was told of none: see CONSOLE_WORKERS.</Empty>;
  }
  const first = known.workers.find(({ methods }) => methods.length > 0)?.methods[0];
  const asked = findMethod(known, worker, `${service}/${name}`);
  const method = asked ?? (worker === "" ? first : undefined);
  return (
    <div class="split">
      <MethodList catalog={known} current={method} view="try" />
      {method ? (
        <MethodPanel key={`${method.worker}:${method.name}`} method={method} />
      ) : (
        <Empty title={`${worker} does not serve ${service}/${name} now`}>
          It shows here when the worker is back. Any other method is in the list.
        </Empty>
      )}
    </div>
  );
}
