import type { ComponentChildren } from "preact";

/** What stands where there is nothing to show, and how that changes. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <strong>{title}</strong>
      <p>{children}</p>
    </div>
  );
}
