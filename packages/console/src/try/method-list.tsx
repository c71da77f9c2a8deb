import { useEffect, useRef, useState } from "preact/hooks";
import { href } from "../route.ts";
import { type Catalog, type CatalogMethod, type CatalogWorker, isRuntimes, KINDS } from "./catalog.ts";

interface MethodListProps {
  readonly catalog: Catalog;
  readonly current: CatalogMethod | undefined;
  /** The view that its links lead to. */
  readonly view: string;
}

/** The workers and their methods: a list, or, where there is little room, a menu. */
export function MethodList({ catalog, current, view }: MethodListProps) {
  const [filter, setFilter] = useState("");
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "/" || isTyping(event.target)) return;
      event.preventDefault();
      input.current?.focus();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  const fits = ({ name }: CatalogMethod) => name.toLowerCase().includes(filter.toLowerCase());
  return (
    <aside class="methods">
      <select
        class="compact"
        aria-label="Method"
        value={current && linkOf(view, current)}
        onChange={({ currentTarget }) => {
          location.hash = currentTarget.value;
        }}
      >
        {catalog.workers.map((worker) => (
          <optgroup
            key={worker.name}
            label={worker.problem === undefined ? worker.name : `${worker.name}: away`}
          >
            {worker.methods.map((method) => (
              <option key={method.name} value={linkOf(view, method)}>
                {method.name}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
      <div class="wide">
        <input
          ref={input}
          type="search"
          placeholder="Filter methods ( / )"
          aria-label="Filter methods"
          value={filter}
          onInput={({ currentTarget }) => setFilter(currentTarget.value)}
        />
        {catalog.workers.map((worker) => (
          <Worker
            key={worker.name}
            worker={worker}
            methods={worker.methods.filter(fits)}
            {...{ current, view }}
          />
        ))}
      </div>
    </aside>
  );
}

interface WorkerProps extends Pick<MethodListProps, "current" | "view"> {
  readonly worker: CatalogWorker;
  readonly methods: readonly CatalogMethod[];
}

function Worker({ worker: { name, target, problem }, methods, current, view }: WorkerProps) {
  const [own, runtimes] = [false, true].map((asked) =>
    methods.filter(({ desc }) => isRuntimes(desc.parent.typeName) === asked),
  );
  const isCurrent = (method: CatalogMethod) => current?.worker === name && current.name === method.name;
  const item = (method: CatalogMethod) => (
    <li key={method.name}>
      <a
        href={linkOf(view, method)}
        title={method.name}
        aria-current={isCurrent(method) ? "true" : undefined}
      >
        <span>
          <small>{shortService(method)}</small> {method.desc.name}
        </span>
        <span class={`kind ${method.desc.methodKind}`} title={KINDS[method.desc.methodKind]}>
          {SIGNS[method.desc.methodKind]}
        </span>
      </a>
    </li>
  );
  return (
    <section>
      <h2>
        {name} <small>{target}</small>
      </h2>
      {problem !== undefined && <p class="problem">Away. {problem}</p>}
      <ul>{own?.map(item)}</ul>
      {runtimes && runtimes.length > 0 && (
        <details open={runtimes.some(isCurrent)}>
          <summary>health, reflection, admin</summary>
          <ul>{runtimes.map(item)}</ul>
        </details>
      )}
    </section>
  );
}

const SIGNS = { unary: "→", server_streaming: "⇉", client_streaming: "⇶", bidi_streaming: "⇄" } as const;

function shortService({ desc }: CatalogMethod): string {
  return desc.parent.name;
}

function linkOf(view: string, { worker, name }: CatalogMethod): string {
  return href(view, worker, ...name.split("/"));
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select");
}
