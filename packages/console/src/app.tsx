import { useEffect, useState } from "preact/hooks";
import { Explain } from "./explain/explain.tsx";
import { type Connection, connection, present } from "./gateway.ts";
import { LiveView } from "./live/live.tsx";
import { ThemeSwitch } from "./parts/theme.tsx";
import { href, route } from "./route.ts";
import { useStore } from "./store.ts";
import { Traces } from "./traces/traces.tsx";
import { TryIt } from "./try/try-it.tsx";

const VIEWS = [
  { id: "try", title: "Try it", View: TryIt },
  { id: "live", title: "Live", View: LiveView },
  { id: "traces", title: "Traces", View: Traces },
  { id: "explain", title: "Explain", View: Explain },
] as const;

export function App() {
  const parts = useStore(route);
  const state = useStore(connection);
  const current = VIEWS.find(({ id }) => id === parts[0]) ?? VIEWS[0];
  useEffect(() => {
    document.title = `${current.title} · Gantry console`;
  }, [current]);
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        Skip to content
      </button>
      <header class="top">
        <span class="brand">Gantry</span>
        <nav aria-label="Views">
          {VIEWS.map(({ id, title }) => (
            <a key={id} href={href(id)} aria-current={id === current.id ? "page" : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <span class={`connection ${state.state}`} role="status">
          {WORDS[state.state]}
        </span>
        <ThemeSwitch />
      </header>
      <main id="main" tabIndex={-1}>
        {state.state === "refused" ? <Login {...state} /> : <current.View parts={parts.slice(1)} />}
      </main>
    </>
  );
}

const WORDS: Readonly<Record<Connection["state"], string>> = {
  connecting: "Connecting …",
  connected: "Connected",
  lost: "Gateway away, trying again …",
  refused: "Not let in",
};

function Login({ reason }: { reason: string }) {
  const [token, setToken] = useState("");
  return (
    <form
      class="card narrow"
      onSubmit={(event) => {
        event.preventDefault();
        present(token);
      }}
    >
      <h1>Who looks?</h1>
      <p>{reason}</p>
      <label>
        Bearer token
        <input
          type="password"
          autocomplete="off"
          value={token}
          onInput={({ currentTarget }) => setToken(currentTarget.value)}
        />
      </label>
      <button type="submit" class="primary" disabled={token === ""}>
        Let me in
      </button>
    </form>
  );
}
