import { createStore } from "./store.ts";

/** The parts of the address behind `#/`, decoded: `["traces", "4bf9…"]`. */
export const route = createStore(read());

addEventListener("hashchange", () => route.set(read()));

function read(): readonly string[] {
  try {
    return location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  } catch {
    return [""];
  }
}

export function href(...parts: readonly string[]): string {
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}
