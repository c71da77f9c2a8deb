/** The page's style sheet. Lines differ by dashes too, so that colours are not needed to tell them apart. */
export const STYLE = `
:root { --text: #1c2330; --soft: #5a6474; --ground: #ffffff; --panel: #f4f6f9; --edge: #d7dce4;
  --a: #1f5fbf; --b: #b45309; --c: #a21caf; --good: #166534; --bad: #b91c1c; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e9ef; --soft: #a3adbd; --ground: #12161d; --panel: #1b212b; --edge: #323b49;
    --a: #7ab2ff; --b: #fbb05c; --c: #e79af2; --good: #6ee7a0; --bad: #ff8f8f; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { font-size: 1.6rem; margin: 0; }
h1 span { font-size: 1rem; border: 1px solid; border-radius: 4px; padding: 2px 8px; vertical-align: middle; }
h2 { font-size: 1.2rem; margin: 32px 0 8px; }
.when, .legend { color: var(--soft); }
.when { margin: 4px 0 16px; }
.passed { color: var(--good); }
.failed { color: var(--bad); }
.finding { margin: 0 0 12px; padding: 10px 14px; background: var(--panel); border-left: 4px solid var(--a); }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); gap: 8px; margin: 0 0 24px; }
dl div { background: var(--panel); border-radius: 6px; padding: 8px 12px; }
dt { color: var(--soft); font-size: 0.85rem; overflow-wrap: anywhere; }
dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 16px; }
figure { margin: 0; padding: 12px; border: 1px solid var(--edge); border-radius: 6px; min-width: 0; }
figcaption { font-weight: 600; }
.legend { margin: 0 0 4px; font-size: 0.85rem; display: flex; flex-wrap: wrap; gap: 4px 16px; }
.legend span { display: inline-flex; align-items: center; gap: 6px; }
svg { display: block; width: 100%; height: auto; }
svg.key { width: 28px; flex: none; }
svg text { fill: var(--soft); font-size: 14px; }
.grid { stroke: var(--edge); }
.range { stroke: var(--soft); stroke-width: 2; }
.line { fill: none; stroke-width: 2.5; stroke-linejoin: round; }
.line.a { stroke: var(--a); }
.line.b { stroke: var(--b); stroke-dasharray: 8 4; }
.line.c { stroke: var(--c); stroke-dasharray: 2 4; }
.spot.a { fill: var(--a); }
.spot.b { fill: var(--b); }
.spot.c { fill: var(--c); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 10px; border-bottom: 1px solid var(--edge); text-align: right; white-space: nowrap; }
th:first-child { text-align: left; font-weight: 400; }
thead th, tfoot th { color: var(--soft); font-weight: 600; }
ul { list-style: none; margin: 0; padding: 0; }
li { padding: 2px 0; overflow-wrap: anywhere; }
code { font-size: 0.9rem; }
`;
