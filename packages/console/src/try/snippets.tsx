import { useState } from "preact/hooks";
import type { Texts } from "./call.ts";
import type { CatalogMethod } from "./catalog.ts";
import { SNIPPETS } from "./snippet.ts";

interface SnippetsProps {
  readonly method: CatalogMethod;
  readonly request: Readonly<Record<string, unknown>>;
  readonly headers: Texts;
  readonly timeoutMs: number | undefined;
}

/** The same call, to be pasted elsewhere. */
export function Snippets({ method, ...input }: SnippetsProps) {
  const [chosen, choose] = useState(0);
  const [copied, setCopied] = useState(false);
  const snippet = SNIPPETS[chosen] ?? SNIPPETS[0];
  const text = snippet.write({ ...input, target: method.target, desc: method.desc });
  return (
    <section class="card" aria-label="The same call elsewhere">
      <div class="head">
        <h2>The same call as</h2>
        <fieldset class="toggle" aria-label="As">
          {SNIPPETS.map(({ title }, index) => (
            <button
              key={title}
              type="button"
              aria-pressed={index === chosen}
              onClick={() => {
                choose(index);
                setCopied(false);
              }}
            >
              {title}
            </button>
          ))}
        </fieldset>
        <button
          type="button"
          class="plain"
          onClick={() => navigator.clipboard.writeText(text).then(() => setCopied(true))}
        >
          {copied ? "Copied" : "Copy"}
        </button>
      </div>
      <pre class="snippet">{text}</pre>
    </section>
  );
}
