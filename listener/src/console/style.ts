/** Styles of all pages: light and dark, on paper, and on a phone. Colours have a contrast of at least 4.5 (WCAG 2.2, 1.4.3). */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ink: #1b1f24; --paper: #ffffff; --quiet: #57606a; --line: #d0d7de; --shade: #f3f5f7;
  --link: #0550ae; --passed: #116329; --warned: #7d4e00; --failed: #a40e26; --part: #57606a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6edf3; --paper: #0d1117; --quiet: #9da7b3; --line: #3d444d; --shade: #161b22;
    --link: #79b8ff; --passed: #56d364; --warned: #e3b341; --failed: #ff9492; --part: #9da7b3;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 70rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
}
h1 { font-size: 1.4rem; margin: .3rem 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.2rem 0 .2rem; }
p { margin: .3rem 0; }
a { color: var(--link); }
.verdict { display: inline-block; border: 2px solid; border-radius: .3rem; padding: 0 .6rem; font-weight: 700; text-transform: uppercase; }
.passed { color: var(--passed); } .warned { color: var(--warned); } .failed, .unreadable { color: var(--failed); }
.text { font-family: ui-monospace, monospace; font-size: .9em; white-space: pre-wrap; unicode-bidi: isolate; background: var(--shade); }
code { font-family: ui-monospace, monospace; font-size: .9em; }
mark { background: none; color: var(--failed); outline: 2px solid; outline-offset: 1px; border-radius: .2rem; font-weight: 700; } .row { color: var(--quiet); margin-top: .2rem; }
.more { color: var(--quiet); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .6rem .25rem 0; text-align: left; vertical-align: top; overflow-wrap: normal; }
td .text, th .text { overflow-wrap: anywhere; }
td:has(> .text) { min-width: 4rem; } td:has(> .row) { min-width: 9rem; } td:has(> a > .text) { min-width: 14rem; }
@media (min-width: 40rem) { td:has(> .text) { min-width: 6.5rem; } th:has(> .text) { min-width: 9rem; } td:has(> .row) { min-width: 16rem; } }
.number { width: 1%; white-space: nowrap; text-align: right; font-variant-numeric: tabular-nums; }
dl div { display: flex; gap: 1rem; } dt { flex: 0 0 8rem; color: var(--quiet); } dd { margin: 0; }
.histogram rect { fill: var(--part); } .bar { width: 4rem; height: .6rem; } .bar .whole { fill: var(--line); } .bar .part { fill: var(--part); }
figure { display: inline-block; width: 20rem; max-width: 100%; margin: .5rem 1rem .5rem 0; } figcaption { color: var(--quiet); font-size: .9rem; }
.chart { width: 100%; height: 4rem; border-bottom: 1px solid var(--quiet); } .chart rect { fill: var(--link); }
pre { padding: .5rem; margin: 0; overflow-x: auto; white-space: pre; }
nav { margin: .5rem 0; } form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; margin: 1rem 0; } form label { min-width: 0; max-width: 100%; } form.stacked { display: block; } textarea { font-family: ui-monospace, monospace; width: 100%; }
input, select, button, textarea { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--quiet); border-radius: .3rem; padding: .2rem .4rem; max-width: 100%; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
@media print { body { max-width: none; padding: 0; } .wide { overflow: visible; } tr, article { break-inside: avoid; } }
`;
