import { createStore, useStore } from "../store.ts";

const KEY = "gantry-console-theme";
const THEMES = ["system", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

export const theme = createStore<Theme>(
  THEMES.find((each) => each === localStorage.getItem(KEY)) ?? "system",
);
document.documentElement.dataset.theme = theme.get();
theme.subscribe(() => {
  localStorage.setItem(KEY, theme.get());
  document.documentElement.dataset.theme = theme.get();
});

export function ThemeSwitch() {
  const current = useStore(theme);
  return (
    <select
      aria-label="Colours"
      class="theme"
      value={current}
      onChange={({ currentTarget }) => {
        theme.set(THEMES.find((each) => each === currentTarget.value) ?? "system");
      }}
    >
      {THEMES.map((each) => (
        <option key={each} value={each}>
          {each === "system" ? "System" : each === "light" ? "Light" : "Dark"}
        </option>
      ))}
    </select>
  );
}
